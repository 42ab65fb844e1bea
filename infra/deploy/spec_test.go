package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sekisho/infra/deploy/cfn"
)

// spec is AWS's own word on resources; testdata/spec.json says how it reads.
type spec struct {
	Resources map[string]struct {
		Properties map[string]string
		Attributes []string
	}
	Types map[string]map[string]string
}

func readSpec(t *testing.T) (s spec) {
	t.Helper()
	text, err := os.ReadFile("testdata/spec.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestResourcesAreAsAWSSpecifiesThem(t *testing.T) {
	spec := readSpec(t)
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		for id, r := range s.Resources {
			of, ok := spec.Resources[r.Type]
			if !ok {
				t.Errorf("%s: %s is not in testdata/spec.json", id, r.Type)
				continue
			}
			for _, wrong := range spec.members(of.Properties, r.Properties, id) {
				t.Error(wrong)
			}
		}
	})
}

func (s spec) members(of map[string]string, m map[string]any, at string) (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if _, ok := m[name]; !ok && strings.HasSuffix(of[name], "!") {
			wrong = append(wrong, at+": "+name+" is missing")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		kind, ok := of[name]
		if !ok {
			wrong = append(wrong, at+": AWS knows no "+name)
			continue
		}
		wrong = append(wrong, s.check(strings.TrimSuffix(kind, "!"), m[name], at+"."+name)...)
	}
	return wrong
}

// check holds a value against a type. CloudFormation takes "5" for 5 and
// "true" for true.
func (s spec) check(kind string, v any, at string) (wrong []string) {
	bad := []string{fmt.Sprintf("%s: %v is no %s", at, v, kind)}
	_, isMap := v.(map[string]any)
	list, isList := v.([]any)
	switch {
	case kind == "json":
		return nil
	case strings.HasPrefix(kind, "["):
		if !isList {
			return bad
		}
		for n, one := range list {
			wrong = append(wrong, s.check(strings.Trim(kind, "[]"), one, fmt.Sprintf("%s[%d]", at, n))...)
		}
		return wrong
	case strings.HasPrefix(kind, "{"):
		if !isMap {
			return bad
		}
		for key, one := range v.(map[string]any) {
			wrong = append(wrong, s.check(strings.Trim(kind, "{}"), one, at+"."+key)...)
		}
		return wrong
	case s.Types[kind] != nil:
		if !isMap {
			return bad
		}
		return s.members(s.Types[kind], v.(map[string]any), at)
	case isMap || isList || v == nil:
		return bad
	}
	var err error
	switch kind {
	case "integer":
		_, err = strconv.ParseInt(fmt.Sprint(v), 10, 64)
	case "number":
		_, err = strconv.ParseFloat(fmt.Sprint(v), 64)
	case "boolean":
		_, err = strconv.ParseBool(fmt.Sprint(v))
	}
	if err != nil {
		return bad
	}
	return nil
}

func TestAttributesAreThoseOfTheResource(t *testing.T) {
	spec := readSpec(t)
	for _, d := range deployments {
		template := d.template(t)
		for id, attributes := range template.Attributes() {
			resource := template.Section("Resources")[id].(map[string]any)
			for _, a := range attributes {
				if known := spec.Resources[resource["Type"].(string)].Attributes; !slices.Contains(known, a) {
					t.Errorf("%s: %s has no attribute %s, but %v", d.file, id, a, known)
				}
			}
		}
	}
}

// TestAMistakeInAPropertyIsSeen tries the check itself.
func TestAMistakeInAPropertyIsSeen(t *testing.T) {
	spec := readSpec(t)
	queue := spec.Resources["AWS::SQS::Queue"].Properties
	rule := spec.Resources["AWS::Events::Rule"].Properties
	for _, c := range []struct {
		of    map[string]string
		given map[string]any
		wrong int
	}{
		{queue, map[string]any{"VisibilityTimeout": 60, "SqsManagedSseEnabled": "true"}, 0},
		{queue, map[string]any{"VisibilityTimeot": 60}, 1},
		{queue, map[string]any{"VisibilityTimeout": "a minute"}, 1},
		{queue, map[string]any{"QueueName": []any{"a"}}, 1},
		{rule, map[string]any{"Targets": []any{map[string]any{"Id": "a"}}}, 1},                                                    // no Arn
		{rule, map[string]any{"Targets": []any{map[string]any{"Id": "a", "Arn": "b", "RetryPolicy": map[string]any{"A": 1}}}}, 1}, // no such member
		{rule, map[string]any{"Targets": map[string]any{"Id": "a"}}, 1},
	} {
		if got := spec.members(c.of, c.given, "it"); len(got) != c.wrong {
			t.Errorf("%v: %d things are wrong, not %d: %v", c.given, len(got), c.wrong, got)
		}
	}
}
