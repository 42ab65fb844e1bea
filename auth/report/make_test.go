package report_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/auth/report"
)

// full is an account with something of everything.
func full(t testing.TB) *world {
	t.Helper()
	w := newWorld()
	w.purges().Exempt = []auth.KeyExemption{{User: "legacy-*"}}
	w.people.names = map[string]string{hana: "hana", ben: "ben", rosa: "rosa"}
	w.trail.entries = []auth.Entry{
		start(after(time.Hour), web, hana, auth.Pass), start(after(2*time.Hour), db, "", auth.NoTag),
		asked(after(time.Hour), "a"), settles(about(after(time.Hour+time.Minute), auth.ActApprove, "a", ben)),
		asked(after(time.Hour), "b"), about(after(2*time.Hour), auth.ActBreakGlass, "b", hana),
		onKey(after(time.Hour), auth.ActKeyKeep, "until 2027-01-20T00:00:00Z"), onKey(after(time.Hour), auth.ActKeyExempt, "until 2027-01-20T00:00:00Z"),
		{Time: after(time.Hour), Act: auth.ActPolicy, Outcome: auth.Done, Note: "before: 00ff", Policy: "0123"},
	}
	w.credentials.c.Rows = []report.Credential{
		root(noMFA), row("ben", password(50), noMFA), row("ci", key(0, 120, 3), key(1, 20, -1)), row("hana", password(1)),
	}
	w.key("legacy-sync", "AKIATEST1", 300, true)
	w.key("ci", "AKIATEST2", 120, true)
	w.key("ci", "AKIATEST3", 20, true)
	w.key("off", "AKIATEST4", 110, false)
	w.key("rosa", "AKIATEST5", 100, true)
	w.iam.used = map[string]time.Time{"AKIATEST2": ago(3)}
	for id, c := range map[string]purge.Change{
		"AKIATEST4": {Verb: purge.Deactivated, At: ago(10), Until: made.AddDate(0, 0, 3)},
		"AKIATEST5": {Verb: purge.Exempted, By: hana, At: ago(10), Until: made.AddDate(0, 0, 9)},
	} {
		if _, changed, err := w.records.Change(t.Context(), purge.Record{ID: id}.With(c)); err != nil || !changed {
			t.Fatal(err)
		}
	}
	return w
}

// reread is the report as its file has it.
func reread(t testing.TB, r report.Report) report.Report {
	t.Helper()
	text, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := report.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return *back
}

func TestMake(t *testing.T) {
	w := full(t)
	r := w.make(t)
	if r.Schema != "sekisho.report/v1" || r.Name != "weekly" || r.Account != account || r.Period != week || r.Policy.Hash != "0123" {
		t.Errorf("%+v", r)
	}
	if !r.Provenance.Generated.Equal(made) || len(r.Provenance.Problems) > 0 || !r.Provenance.CredentialReport.Made.Equal(made.Add(-time.Hour)) {
		t.Errorf("%+v; want it generated on a whole second", r.Provenance)
	}
	for _, s := range []report.Source{r.Starts.Source, r.Keys.Source, r.Users.Source} {
		if s != (report.Source{Status: report.Known}) {
			t.Errorf("%+v", s)
		}
	}
	if r.Starts.Total != 2 || r.Keys.Total != 5 || r.Keys.From != "iam" || r.Keys.Mode != "enforce" || r.Users.Total != 3 || r.Score == nil {
		t.Errorf("%+v", r)
	}
	if r.Changes.Since != nil {
		t.Errorf("compared with %+v, and there is none", r.Changes.Since)
	}
	if back := reread(t, r); !reflect.DeepEqual(back, r) {
		t.Errorf("read back:\n%+v\nwant\n%+v", back, r)
	}
	want := []string{"the trail", "IAM's credential report"}
	for n := range 4 {
		want = append(want, fmt.Sprintf("the access keys of %d of 4 IAM users", n+1))
	}
	if !slices.Equal(w.said, want) {
		t.Errorf("it is said that it reads %q; want %q", w.said, want)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, why := range map[string]string{
		"":                                  "not a report in JSON",
		"[]":                                "not a report in JSON",
		"null":                              `its schema is ""`,
		"{}":                                `its schema is ""`,
		`{"schema": "sekisho.report/v2"}`:   `its schema is "sekisho.report/v2"`,
		`{"schema": "sekisho.report/v1", 1`: "not a report in JSON",
	} {
		if r, err := report.Decode([]byte(text)); r != nil || err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("Decode(%q): %v, %v; want %q", text, r, err, why)
		}
	}
	if r, err := report.Decode([]byte(`{"schema": "sekisho.report/v1", "of_tomorrow": 1, "name": "weekly"}`)); err != nil || r.Name != "weekly" {
		t.Errorf("a key of tomorrow: %+v, %v", r, err)
	}
}

// TestTrailAway: a report without it would say that nothing has happened.
func TestTrailAway(t *testing.T) {
	w := full(t)
	w.trail.err = fmt.Errorf("%w: connection refused", auth.ErrUnavailable)
	if r, err := w.makeOr(t.Context()); !errors.Is(err, auth.ErrUnavailable) || !reflect.DeepEqual(r, report.Report{}) {
		t.Errorf("%+v, %v", r, err)
	}
	if w.credentials.reads > 0 {
		t.Error("it read on, for nothing")
	}
}

func TestTrailTampered(t *testing.T) {
	w := full(t)
	whole := w.make(t)
	w.trail.err = fmt.Errorf("%w: entry 10 was edited", auth.ErrTampered)
	r := w.make(t)
	p := r.Provenance.Problems
	if r.Starts.Status != report.Partly || !strings.Contains(r.Starts.Why, "entry 10 was edited") || r.Provenance.Trail.Whole {
		t.Errorf("%+v, %+v", r.Starts.Source, r.Provenance.Trail)
	}
	if len(p) != 1 || p[0].Section != report.AboutStarts || !strings.Contains(p[0].Next, "sekisho audit verify") {
		t.Errorf("%+v", p)
	}
	r.Starts.Source, r.Provenance = whole.Starts.Source, whole.Provenance
	wantSame(t, "what was good", r, whole)
}

// denied is an error as an adapter gives it.
func denied(action string) error {
	return fmt.Errorf("%w (AccessDenied: not authorized)", &purge.Denied{Action: action})
}

// TestDenied: what AWS does not show is a problem in the report that names the
// permissions. The other sections are as they would be.
func TestDenied(t *testing.T) {
	const (
		credentials = "allow the bot's role iam:GenerateCredentialReport and iam:GetCredentialReport"
		keys        = "allow the bot's role iam:ListUsers, iam:GetUser, iam:ListAccessKeys and iam:GetAccessKeyLastUsed"
	)
	none := report.Source{}
	tests := []struct {
		name        string
		do          func(w *world)
		users, keys report.Status
		from        string
		section     report.Section
		what, next  string
		passing     bool
	}{
		{"the credential report", func(w *world) { w.credentials.err = denied("iam:GetCredentialReport") },
			report.Unknown, report.Known, "iam", report.AboutUsers, "does not let the bot call iam:GetCredentialReport", credentials, false},
		{"it is busy", func(w *world) { w.credentials.err = errors.New("IAM is busy") },
			report.Unknown, report.Known, "iam", report.AboutUsers, "IAM is busy", "make a report later", true},
		{"the keys", func(w *world) { w.iam.err = denied("iam:ListUsers") },
			report.Known, report.Partly, "credential_report", report.AboutKeys, "does not let the bot call iam:ListUsers", keys, false},
		{"the keys are away", func(w *world) { w.iam.err = errors.New("IAM is away") },
			report.Known, report.Partly, "credential_report", report.AboutKeys, "IAM is away", "`/sekisho report`", true},
		{"the credential report, without a purge", func(w *world) {
			w.policy.Keys, w.credentials.err = nil, denied("iam:GenerateCredentialReport")
		}, report.Unknown, report.Unknown, "", report.AboutUsers, "does not let the bot call iam:GenerateCredentialReport", credentials, false},
		{"the credential report, and only keys were asked for", func(w *world) {
			w.policy.Keys, w.credentials.err = nil, denied("iam:GetCredentialReport")
			w.order.Only = []report.Section{report.AboutKeys}
		}, report.LeftOut, report.Unknown, "", report.AboutKeys, "does not let the bot call iam:GetCredentialReport", credentials, false},
		{"the keys, and only they were asked for", func(w *world) {
			w.iam.err = denied("iam:ListUsers")
			w.order.Only = []report.Section{report.AboutKeys}
		}, report.LeftOut, report.Unknown, "", report.AboutKeys, "does not let the bot call iam:ListUsers", keys, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w, good := full(t), full(t)
			tt.do(w)
			good.order, good.policy = w.order, w.policy
			r, want := w.make(t), good.make(t)
			if r.Users.Status != tt.users || r.Keys.Status != tt.keys || r.Keys.From != tt.from {
				t.Errorf("users are %q, keys are %q from %q", r.Users.Status, r.Keys.Status, r.Keys.From)
			}
			p := r.Provenance.Problems
			if len(p) != 1 || p[0].Section != tt.section || !strings.Contains(p[0].What, tt.what) || !strings.Contains(p[0].Next, tt.next) {
				t.Errorf("%+v; want %q of %q, and %q", p, tt.what, tt.section, tt.next)
			}
			if r.Passing() != tt.passing {
				t.Errorf("it may pass: %v, which is not so: %+v", r.Passing(), p)
			}
			wantSame(t, "starts", r.Starts, want.Starts)
			if tt.users == report.Known {
				wantSame(t, "users", r.Users, want.Users)
				wantSame(t, "score", r.Score, want.Score)
			} else if r.Score != nil || len(r.Users.List) > 0 || tt.users == report.Unknown != (r.Users.Why != "") {
				t.Errorf("%+v, %+v", r.Users, r.Score)
			}
			switch tt.keys {
			case report.Known:
				wantSame(t, "keys", r.Keys, want.Keys)
			case report.Partly:
				k := r.Keys
				if k.Total != 2 || k.Old != 1 || len(k.Exempt)+len(k.Due) > 0 || len(k.Kept) != 1 {
					t.Errorf("%+v", k)
				}
				if !strings.Contains(k.Why, "ages are from IAM's credential report") {
					t.Errorf("why: %q", k.Why)
				}
			default:
				if k := r.Keys; k.Source == none || k.Why == "" || k.Total != 0 || len(k.Kept) != 1 {
					t.Errorf("%+v", k)
				}
			}
		})
	}

	w := full(t)
	w.credentials.err, w.iam.err = denied("iam:GetCredentialReport"), denied("iam:ListUsers")
	if r := w.make(t); r.Keys.Status != report.Unknown || !strings.Contains(r.Keys.Why, "iam:ListUsers") || len(r.Provenance.Problems) != 2 {
		t.Errorf("both: %+v, %+v", r.Keys.Source, r.Provenance.Problems)
	}
	for err, want := range map[error]report.Problem{
		errors.New("STS is away"):       {What: "which account this is could not be read: STS is away", Passing: true},
		denied("sts:GetCallerIdentity"): {What: "which account this is could not be read: AWS does not let the bot call sts:GetCallerIdentity"},
	} {
		w = full(t)
		w.self, w.selfErr = purge.Self{}, err
		r := w.make(t)
		if p := r.Provenance.Problems; r.Account != "" || len(p) != 2 || r.Users.Status != report.Known {
			t.Errorf("%v: %q, %+v", err, r.Account, p)
		} else if p[0].Next == "" || p[0].Section != want.Section || p[0].What != want.What || p[0].Passing != want.Passing {
			t.Errorf("%v: %+v; want %+v", err, p[0], want)
		}
	}
}

// TestKeysTakeTooLong: the report is made all the same, by what the credential
// report has, and says so.
func TestKeysTakeTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := full(t)
		w.iam.hook = func(ctx context.Context) { <-ctx.Done() }
		began := time.Now()
		r := w.make(t)
		if took := time.Since(began); took != 8*time.Minute {
			t.Errorf("it took %v", took)
		}
		p := r.Provenance.Problems
		if r.Keys.Status != report.Partly || r.Keys.From != "credential_report" || r.Keys.Total != 2 || !r.Passing() {
			t.Errorf("%+v", r.Keys)
		}
		if len(p) != 1 || p[0].What != "the access keys could not be read: IAM took longer than 8m0s" {
			t.Errorf("%+v", p)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		w := full(t)
		w.iam.hook = func(context.Context) { time.Sleep(8*time.Minute - time.Second) } // the bubble's time
		if r := w.make(t); r.Keys.Status != report.Known || len(r.Provenance.Problems) > 0 {
			t.Errorf("just in time: %+v, %+v", r.Keys.Source, r.Provenance.Problems)
		}
	})
}

// TestTrailBegins: where it was trimmed to less than the period, that is said.
func TestTrailBegins(t *testing.T) {
	entry := func(at time.Time) auth.Entry { return start(at, web, "", auth.NoTag) }
	trim := func(upTo int64) auth.Entry { return auth.Trimmed(upTo, after(3*day)) }
	for name, tt := range map[string]struct {
		trimmed int64
		entries []auth.Entry
		partly  bool
	}{
		"within the period, and was trimmed":         {5, []auth.Entry{entry(after(time.Hour)), trim(5)}, true},
		"again, the second time to less":             {5, []auth.Entry{entry(after(time.Hour)), trim(5), trim(3)}, true},
		"within the period, because the bot is new":  {0, []auth.Entry{entry(after(time.Hour))}, false},
		"before the period":                          {5, []auth.Entry{entry(after(-time.Hour)), trim(5)}, false},
		"with what is not read, a quiet time before": {5, []auth.Entry{entry(after(-50 * time.Hour)), entry(after(time.Hour)), trim(5)}, false},
	} {
		w := newWorld()
		w.trail.trimmed, w.trail.entries = tt.trimmed, tt.entries
		r := w.make(t)
		want := report.Source{Status: report.Known}
		if tt.partly {
			want = report.Source{Status: report.Partly, Why: "the trail begins at 2027-01-04T01:00:03Z: older entries were let go, as the policy's `trail.keep` says"}
		}
		if r.Starts.Source != want || !r.Provenance.Trail.Whole || len(r.Provenance.Problems) > 0 {
			t.Errorf("it begins %s: %+v, %+v", name, r.Starts.Source, r.Provenance)
		}
		w.order.Only = []report.Section{report.AboutKeys}
		if r := w.make(t); r.Starts.Source != (report.Source{Status: report.LeftOut}) {
			t.Errorf("it begins %s, and nobody asked: %+v", name, r.Starts.Source)
		}
	}
}

// TestContextEnded: what is missing is missing for that reason, and no fault of
// AWS.
func TestContextEnded(t *testing.T) {
	deadline := errors.New("the function's time is up")
	ctx, stop := context.WithCancelCause(t.Context())
	w := full(t)
	w.credentials.err = context.Canceled
	w.credentials.hook = func() { stop(deadline) }
	if r, err := w.makeOr(ctx); !errors.Is(err, deadline) || !reflect.DeepEqual(r, report.Report{}) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestLeftOut reads nothing that nobody asked for.
func TestLeftOut(t *testing.T) {
	for _, tt := range []struct {
		only  report.Section
		purge bool
		reads int
	}{{report.AboutStarts, true, 0}, {report.AboutKeys, true, 0}, {report.AboutKeys, false, 1}, {report.AboutUsers, true, 1}} {
		w := full(t)
		if !tt.purge {
			w.policy.Keys = nil
		}
		w.order.Only = []report.Section{tt.only}
		r := w.make(t)
		for section, s := range map[report.Section]report.Source{
			report.AboutStarts: r.Starts.Source, report.AboutKeys: r.Keys.Source, report.AboutUsers: r.Users.Source,
		} {
			want := report.Source{Status: report.LeftOut}
			if section == tt.only {
				want.Status = report.Known
			}
			if s != want {
				t.Errorf("only %s: %s is %+v", tt.only, section, s)
			}
		}
		if tt.only != report.AboutStarts {
			wantSame(t, "the starts that nobody asked for", r.Starts, report.Starts{
				Source: report.Source{Status: report.LeftOut}, Refused: map[string]int{}, BreakGlass: []report.BreakGlass{},
				Days: []report.Day{}, People: []report.Person{}, Instances: []report.Instance{},
			})
		}
		if len(r.Keys.Kept) != 1 || len(r.Policy.Changes) != 1 || r.Provenance.Trail.Entries != 9 {
			t.Errorf("only %s: of the trail there is %+v, %+v, %+v", tt.only, r.Keys.Kept, r.Policy, r.Provenance.Trail)
		}
		if w.credentials.reads != tt.reads || slices.Contains(w.said, "the access keys of 4 of 4 IAM users") != (tt.only == report.AboutKeys && tt.purge) {
			t.Errorf("only %s: the credential report was read %d times; %q", tt.only, w.credentials.reads, w.said)
		}
		if (r.Score == nil) != (tt.only != report.AboutUsers) || len(r.Provenance.Problems) > 0 {
			t.Errorf("only %s: %+v, %+v", tt.only, r.Score, r.Provenance.Problems)
		}
	}
}

// TestNames looks people up, fifty at most: those who broke the glass, those who
// spared keys, and the busiest of the others.
func TestNames(t *testing.T) {
	w := newWorld()
	w.people.names = map[string]string{ben: "ben", rosa: "rosa"}
	for n := range 100 {
		user := fmt.Sprintf("U%03d", n)
		w.people.names[user] = "name of " + user
		for range 100 - n {
			e := asked(after(time.Duration(len(w.trail.entries))*time.Second), "a")
			e.Submitted = user
			w.trail.entries = append(w.trail.entries, e)
		}
	}
	broke := about(after(time.Hour), auth.ActBreakGlass, "a", ben)
	broke.Submitted = ben
	w.trail.entries = append(w.trail.entries, broke, onKey(after(time.Hour), auth.ActKeyKeep, ""), onKey(after(2*time.Hour), auth.ActKeyExempt, ""),
		start(after(time.Hour), web, "", auth.NoTag))
	r := w.make(t)
	if r.Starts.BreakGlass[0].Name != "ben" || r.Keys.Kept[0].Name != "rosa" || r.Keys.Exempted[0].Name != "rosa" {
		t.Errorf("%+v, %+v, %+v", r.Starts.BreakGlass, r.Keys.Kept, r.Keys.Exempted)
	}
	for n, p := range r.Starts.People {
		want := ""
		if n < 48 {
			want = "name of " + p.User
		}
		if p.Name != want {
			t.Errorf("%d: %+v; want the name %q", n, p, want)
		}
	}
	if w.people.looked != 50 || len(r.Starts.People) != 101 {
		t.Errorf("%d of %d people were looked up", w.people.looked, len(r.Starts.People))
	}

	for _, tt := range []struct {
		name   string
		people directory
		looked int
	}{
		{"nobody is known", directory{}, 50},
		{"Slack is away", directory{err: errors.New("Slack is away")}, 1},
		{"Slack goes away", directory{names: map[string]string{ben: "ben", "U000": "of nobody else"}, err: errors.New("Slack is away")}, 2},
	} {
		w.people = tt.people
		r := w.make(t)
		text, err := r.Encode()
		if err != nil || strings.Contains(string(text), "of nobody else") || strings.Contains(string(text), "not to be shown") {
			t.Errorf("%s: names of those who were not found: %v", tt.name, err)
		}
		if w.people.looked != tt.looked {
			t.Errorf("%s: %d people were looked up, want %d", tt.name, w.people.looked, tt.looked)
		}
		if b := r.Starts.BreakGlass[0]; b.User != ben || b.Name != tt.people.names[ben] {
			t.Errorf("%s: %+v", tt.name, b)
		}
	}
}
