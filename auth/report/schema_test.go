package report_test

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/auth/report"
	"sekisho/auth/report/reporttest"
)

//go:embed schema.json
var schemaText []byte

// schema compiles schema.json. The strict one takes no keys besides those that
// it names: others may have more, ours has not.
func schema(t *testing.T, strict bool) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaText))
	if err != nil {
		t.Fatal(err)
	}
	if strict {
		closeAll(doc)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// closeAll takes all other keys out of every object whose keys are named.
func closeAll(doc any) {
	switch v := doc.(type) {
	case []any:
		for _, one := range v {
			closeAll(one)
		}
	case map[string]any:
		if _, named := v["properties"].(map[string]any); named {
			v["additionalProperties"] = false
		}
		for _, one := range v {
			closeAll(one)
		}
	}
}

func TestReportsFitTheSchema(t *testing.T) {
	strict := schema(t, true)
	with := func(do func(w *world)) report.Report {
		w := full(t)
		do(w)
		return w.make(t)
	}
	before := reread(t, with(func(*world) {}))
	before.Provenance.Generated = ago(7)
	all := map[string]report.Report{
		"the fixture":            reporttest.Fixture(),
		"the first, of no trail": newWorld().make(t),
		"full":                   with(func(w *world) { w.before = &before }),
		"of another account":     with(func(w *world) { b := before; b.Account = "999999999999"; w.before = &b }),
		"in observe mode": with(func(w *world) {
			w.policy.Keys.Mode = auth.Observe
			w.trail.entries = append(w.trail.entries, noted(start(after(time.Hour), db, "", auth.NoTag), "; observe mode"))
		}),
		"asked for": with(func(w *world) { w.order.Name, w.order.CIS = "", "1.4" }),
		"without keys in the policy": with(func(w *world) {
			w.policy.Keys = nil
		}),
		"the trail tampered with": with(func(w *world) { w.trail.err = fmt.Errorf("%w: entry 3", auth.ErrTampered) }),
		"the users refused":       with(func(w *world) { w.before, w.credentials.err = &before, denied("iam:GetCredentialReport") }),
		"the keys refused":        with(func(w *world) { w.before, w.iam.err = &before, denied("iam:ListUsers") }),
		"both refused, and STS": with(func(w *world) {
			w.self, w.selfErr = purge.Self{}, denied("sts:GetCallerIdentity")
			w.credentials.err, w.iam.err = denied("iam:GetCredentialReport"), denied("iam:ListUsers")
		}),
		"a column lacking":     with(func(w *world) { w.credentials.c.Lacks = []string{"mfa_active"} }),
		"without root":         with(func(w *world) { w.credentials.c.Rows = w.credentials.c.Rows[1:] }),
		"without any decision": with(func(w *world) { w.trail.entries = w.trail.entries[:2] }),
		"of entries that say nothing": with(func(w *world) {
			for _, act := range []auth.Act{
				auth.ActStart, auth.ActPassIssue, auth.ActRequest, auth.ActApprove, auth.ActBreakGlass, auth.ActKeyKeep, auth.ActKeyExempt, auth.ActPolicy,
			} {
				w.trail.entries = append(w.trail.entries, auth.Entry{Time: after(0), Act: act, Outcome: auth.Done})
			}
		}),
		"of 5,000 users": with(func(w *world) { crowd(w, 5000) }),
	}
	for _, s := range report.Sections() {
		all["only "+string(s)] = with(func(w *world) { w.before, w.order.Only = &before, []report.Section{s} })
	}
	for name, r := range all {
		if err := strict.Validate(asJSON(t, r)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if lists := nulls(asJSON(t, r), ""); len(lists) > 0 {
			t.Errorf("%s: a list is null: %v", name, lists)
		}
	}
}

// crowd adds as many users with two keys each, one of them old.
func crowd(w *world, n int) {
	for n := range n {
		name := fmt.Sprintf("user-%04d", n)
		w.credentials.c.Rows = append(w.credentials.c.Rows, row(name, password(n%120), key(0, n%400, n%50), key(1, 1, -1)))
		w.iam.users = append(w.iam.users, purgeUser(name, n%400))
	}
}

// TestSchemaRefuses every report that lacks a key, or has null for a list.
func TestSchemaRefuses(t *testing.T) {
	s, strict := schema(t, false), schema(t, true)
	optional := []string{
		".users.why", ".starts.break_glass[0].name", ".starts.people[0].name", ".keys.kept[0].name", ".keys.exempted[0].name",
	}
	n := 0
	var walk func(v any, path string, whole any)
	walk = func(v any, path string, whole any) {
		switch v := v.(type) {
		case []any:
			if len(v) > 0 {
				walk(v[0], path+"[0]", whole)
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				was, at := v[k], path+"."+k
				refuses := func(what string, s *jsonschema.Schema, want bool) {
					t.Helper()
					if n++; (s.Validate(whole) != nil) != want {
						t.Errorf("%s %s: refused is not %v", at, what, want)
					}
				}
				if path != ".starts.refused" {
					delete(v, k)
					refuses("is missing", s, !slices.Contains(optional, at))
				}
				v[k] = []any{map[string]any{}}
				refuses("is of another type", s, true)
				if _, list := was.([]any); list {
					v[k] = nil
					refuses("is null", s, true)
				}
				v[k] = was
				if o, is := was.(map[string]any); is && at != ".starts.refused" {
					o["of_tomorrow"] = true
					refuses("has one key more", s, false)
					refuses("has one key more, strictly", strict, true)
					delete(o, "of_tomorrow")
				}
				walk(was, at, whole)
			}
		}
	}
	doc := asJSON(t, reporttest.Fixture())
	walk(doc, "", doc)
	if err := s.Validate(doc); err != nil || n < 300 {
		t.Errorf("after %d changes it is not what it was: %v", n, err)
	}
}

func asJSON(t *testing.T, r report.Report) any {
	t.Helper()
	text, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// nulls lists what is null and may not be: the schema takes null for what is not
// known, and for nothing else.
func nulls(doc any, path string) (found []string) {
	switch v := doc.(type) {
	case []any:
		for _, one := range v {
			found = append(found, nulls(one, path+"[]")...)
		}
	case map[string]any:
		for k, one := range v {
			found = append(found, nulls(one, path+"."+k)...)
		}
	case nil:
		if !slices.Contains(mayBeNull, path) {
			found = append(found, path)
		}
	}
	return found
}

var mayBeNull = []string{
	".score", ".score.root", ".starts.decisions.median_seconds", ".keys.exempt[].until", ".keys.list[].last_used", ".users.root",
	".users.root.last_used", ".users.list[].last_used", ".changes.since", ".changes.headline[].now", ".changes.headline[].before",
	".changes.exemptions_lapsing[].until", ".provenance.credential_report.made",
}

// TestSchemaNames the form that reports say they have.
func TestSchemaNames(t *testing.T) {
	var s struct {
		Schema     string `json:"$schema"`
		Properties struct {
			Schema struct{ Const string }
		}
	}
	if err := json.Unmarshal(schemaText, &s); err != nil {
		t.Fatal(err)
	}
	if s.Schema != "https://json-schema.org/draft/2020-12/schema" || s.Properties.Schema.Const != report.Schema {
		t.Errorf("%+v", s)
	}
}
