package deploy_test

import (
	"encoding/json"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sekisho/infra/deploy/cfn"
)

func readPolicy(t *testing.T, file string) (all []statement) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("policies", file))
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Version   string
		Statement []statement
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	const most = 5120 // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
	if document.Version != "2012-10-17" || len(text) > most {
		t.Errorf("%s: version %q, %d characters", file, document.Version, len(text))
	}
	return document.Statement
}

func TestPoliciesAreExplained(t *testing.T) {
	readme, err := os.ReadFile("policies/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("policies/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		_, part, found := strings.Cut(string(readme), "\n## "+name+"\n")
		part, _, _ = strings.Cut(part, "\n## ")
		if !found || !strings.Contains(part, "**Stops**") || !strings.Contains(strings.ReplaceAll(part, "\n", " "), "**Does not stop**") {
			t.Errorf("policies/README.md does not say what %s stops and what it does not", name)
		}
		for _, st := range readPolicy(t, name) {
			if !strings.Contains(part, "`"+st.Sid+"`") || st.Sid == "" {
				t.Errorf("policies/README.md does not name %q of %s", st.Sid, name)
			}
		}
	}
}

// call is one that somebody makes on an instance.
type call struct {
	by     string
	action string
	keys   []string // aws:TagKeys
	tags   map[string]string
	attr   string // ec2:Attribute
}

// denies works a Deny out, as far as these policies use the language.
func denies(t *testing.T, st statement, c call) bool {
	t.Helper()
	if st.Effect != "Deny" || !slices.Contains(st.Action, c.action) {
		return false
	}
	context := func(key string) []string {
		switch tag, isTag := strings.CutPrefix(key, "aws:ResourceTag/"); {
		case isTag && c.tags[tag] != "":
			return []string{c.tags[tag]}
		case key == "aws:TagKeys":
			return c.keys
		case key == "aws:PrincipalArn":
			return []string{c.by}
		case key == "ec2:Attribute" && c.attr != "":
			return []string{c.attr}
		}
		return nil
	}
	for operator, keys := range st.Condition {
		for key, values := range keys {
			has := context(key)
			some := slices.ContainsFunc(has, func(v string) bool { return slices.Contains(values, v) })
			holds := false
			switch operator {
			case "StringEquals", "ForAnyValue:StringEquals":
				holds = some
			case "Null":
				holds = (len(has) == 0) == (values[0] == "true")
			case "ArnNotLike":
				holds = !slices.ContainsFunc(values, func(pattern string) bool {
					like, err := path.Match(strings.ReplaceAll(pattern, "/", ":"), strings.ReplaceAll(has[0], "/", ":"))
					return err == nil && like
				})
			default:
				t.Fatalf("this test does not know %s", operator)
			}
			if !holds {
				return false
			}
		}
	}
	return true
}

func TestWhatThePoliciesStop(t *testing.T) {
	const (
		user     = "arn:aws:iam::111122223333:user/hana"
		person   = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_Dev_0123456789abcdef"
		lookLike = "arn:aws:iam::111122223333:role/sekisho-gate-2"
		infra    = "arn:aws:iam::111122223333:role/your-infrastructure-role"
	)
	gate, _ := lambda.stack(t, nil).Outputs["GateRole"].(string)
	task, _ := fargate.stack(t, nil).Outputs["TaskRole"].(string)
	guarded := map[string]string{"Sekisho": "guarded"}
	for _, c := range []struct {
		file string
		call call
		want bool
	}{
		{"starts.json", call{by: user, action: "ec2:StartInstances", tags: guarded}, true},
		{"starts.json", call{by: lookLike, action: "ec2:StartInstances", tags: guarded}, true},
		{"starts.json", call{by: infra, action: "ec2:StartInstances", tags: guarded}, true},
		{"starts.json", call{by: gate, action: "ec2:StartInstances", tags: guarded}, false},
		{"starts.json", call{by: task, action: "ec2:StartInstances", tags: guarded}, false},
		{"starts.json", call{by: user, action: "ec2:StartInstances"}, false},
		{"starts.json", call{by: user, action: "ec2:StopInstances", tags: guarded}, false},

		{"guard.json", call{by: user, action: "ec2:DeleteTags", keys: []string{"Sekisho"}}, true},
		{"guard.json", call{by: user, action: "ec2:CreateTags", keys: []string{"Color", "Sekisho"}}, true},
		{"guard.json", call{by: gate, action: "ec2:DeleteTags", keys: []string{"Sekisho"}}, true},
		{"guard.json", call{by: user, action: "ec2:DeleteTags"}, true}, // all at once
		{"guard.json", call{by: user, action: "ec2:CreateTags", keys: []string{"Color"}}, false},
		{"guard.json", call{by: gate, action: "ec2:DeleteTags", keys: []string{"Auth"}}, false},
		{"guard.json", call{by: infra, action: "ec2:DeleteTags", keys: []string{"Sekisho"}}, false},
		{"guard.json", call{by: user, action: "ec2:ModifyInstanceAttribute", tags: guarded, attr: "DisableApiStop"}, true},
		{"guard.json", call{by: user, action: "ec2:ModifyInstanceAttribute", tags: guarded, attr: "InstanceType"}, false},
		{"guard.json", call{by: user, action: "ec2:ModifyInstanceAttribute", attr: "DisableApiStop"}, false},
		{"guard.json", call{by: gate, action: "ec2:ModifyInstanceAttribute", tags: guarded, attr: "DisableApiStop"}, false},

		{"pass-tag.json", call{by: user, action: "ec2:CreateTags", keys: []string{"Auth"}}, true},
		{"pass-tag.json", call{by: user, action: "ec2:DeleteTags", keys: []string{"Auth", "Color"}}, true},
		{"pass-tag.json", call{by: user, action: "ec2:CreateTags", keys: []string{"Color"}}, false},
		{"pass-tag.json", call{by: gate, action: "ec2:CreateTags", keys: []string{"Auth"}}, false},
		{"pass-tag.json", call{by: task, action: "ec2:DeleteTags", keys: []string{"Auth"}}, false},
	} {
		got := slices.ContainsFunc(readPolicy(t, c.file), func(st statement) bool { return denies(t, st, c.call) })
		if got != c.want {
			t.Errorf("%s stops %+v: %v, want %v", c.file, c.call, got, c.want)
		}
	}
	if st := readPolicy(t, "pass-tag.json")[0]; !slices.ContainsFunc(st.Condition["ArnNotLike"]["aws:PrincipalArn"], func(p string) bool {
		return strings.HasPrefix(person, strings.TrimSuffix(strings.Replace(p, "*", "111122223333", 1), "*"))
	}) {
		t.Error("people who come through IAM Identity Center cannot set a pass")
	}
}

// TestTheBoundaryIsTheUnionOfTheRoles: less would break them, more is not needed.
func TestTheBoundaryIsTheUnionOfTheRoles(t *testing.T) {
	ever := make(map[string]bool)
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		for _, role := range s.Of("AWS::IAM::Role") {
			for _, action := range actionsOf(statements(t, s, role)) {
				ever[action] = true
			}
		}
	})
	allows := readPolicy(t, "boundary.json")[0].Action
	for action := range ever {
		if !slices.Contains(allows, action) {
			t.Errorf("the boundary keeps a role from %s", action)
		}
	}
	for _, action := range allows {
		if !ever[action] {
			t.Errorf("the boundary allows %s, which no role has", action)
		}
	}
}
