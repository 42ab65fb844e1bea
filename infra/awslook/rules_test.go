package awslook_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"sekisho/infra/awslook"
)

// patterns are those of a bus; of which rules the targets matter is in their names.
var patterns = [][2]string{
	{"ours-ec2", `{"source":["aws.ec2"],"detail-type":["EC2 Instance State-change Notification"]}`},
	{"ours-two", `{"source":["aws.s3","aws.config"]}`},
	{"ours-ses", `{"source":["aws.ses"]}`},
	{"ours-prefix", `{"source":[{"prefix":"aws."}]}`},
	{"ours-all", `{"account":["123456789012"]}`},
	{"other", `{"source":["aws.s3"]}`},
	{"other-schedule", ""},
	{"other-broken", "{"},
}

func bus(t *testing.T) func(call) (string, error) {
	return func(c call) (string, error) {
		switch c.action {
		case "events:ListRules": // two pages
			page, next := patterns[:3], `,"NextToken":"more"`
			if c.json["NextToken"] == "more" {
				page, next = patterns[3:], ""
			}
			var rules []map[string]any
			for n, p := range page {
				r := map[string]any{"Name": p[0], "Arn": "arn:aws:events:eu-west-1:123456789012:rule/" + p[0], "State": "ENABLED"}
				if p[1] != "" {
					r["EventPattern"] = p[1]
				}
				if n == 1 {
					r["State"] = "DISABLED"
				}
				rules = append(rules, r)
			}
			text, err := json.Marshal(rules)
			return fmt.Sprintf(`{"Rules":%s%s}`, text, next), err
		case "events:ListTargetsByRule":
			at, next := "first", `,"NextToken":"more"`
			if c.json["NextToken"] == "more" {
				at, next = "second", ""
			}
			return fmt.Sprintf(`{"Targets":[{"Id":"1","Arn":"arn:of:%s:%s"}]%s}`, c.json["Rule"], at, next), nil
		}
		t.Errorf("%s was called", c.action)
		return "", refusal("InvalidAction")
	}
}

func TestRules(t *testing.T) {
	look, cloud := open(awslook.Own{}, bus(t))
	rules, err := look.Rules(t.Context())
	if err != nil || len(rules) != len(patterns) {
		t.Fatalf("got %d rules, %v", len(rules), err)
	}
	for n, r := range rules {
		if r.Name != patterns[n][0] || r.Pattern != patterns[n][1] || r.Enabled != (n != 1 && n != 4) {
			t.Errorf("got %+v", r)
		}
		var want []string
		if slices.Contains([]string{"ours-ec2", "ours-two", "ours-ses", "ours-prefix", "ours-all"}, r.Name) {
			want = []string{"arn:of:" + r.Name + ":first", "arn:of:" + r.Name + ":second"}
		}
		wantSame(t, r.Name, r.Targets, want...)
	}
	if n := cloud.count("events:ListTargetsByRule"); n != 10 {
		t.Errorf("targets were asked for %d times, want 10", n)
	}
}
