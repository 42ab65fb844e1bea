package awslook_test

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/auth/doctor"
	"sekisho/auth/rights"
	"sekisho/infra/awslook"
)

var own = awslook.Own{
	Queues: []string{
		"https://vpce-0a1b.sqs.eu-central-1.vpce.amazonaws.com/123456789012/sekisho",
		"http://127.0.0.1:4566/123456789012/sekisho-keys",
	},
	Senders: []string{"Bot@mail.Example.com"},
}

// everything is a policy that asks for every right.
func everything() []rights.Right {
	p := &auth.Policy{
		Keys: &auth.KeyPolicy{Mode: auth.Enforce}, Reports: []auth.ReportPolicy{{Mail: &auth.MailPolicy{From: own.Senders[0]}}},
	}
	p.Passes.StartNow = true
	p.Gate = auth.GatePolicy{
		Mode: auth.Enforce, PassTag: "Auth", Guard: auth.Guard{Tags: map[string]string{"Sekisho": "guarded", "Env": "prod"}},
		CannotStop: map[auth.Obstacle]auth.Answer{auth.StopProtected: auth.StopAnyway, auth.SpotOneTime: auth.Terminate},
	}
	return append(rights.Of(p, auth.Doors()...), rights.Polling()...)
}

// statement is a part of an IAM policy. In its resources, and nowhere else, a "*" stands for anything.
type statement struct {
	action    string
	resources []string
	tag       string // a key that aws:TagKeys must hold, alone
	context   map[string]string
}

// narrow is the narrowest policy that grants the rights.
func narrow(needs []rights.Right) (all []statement) {
	resources := map[rights.Kind][]string{
		rights.Everything: {"*"},
		rights.Instances:  {"arn:aws:ec2:eu-west-1:123456789012:instance/i-*"},
		rights.Users:      {"arn:aws:iam::123456789012:user/*"},
		rights.Roles:      {role},
		rights.Queues:     {"arn:aws:sqs:eu-central-1:123456789012:sekisho", "arn:aws:sqs:eu-west-1:123456789012:sekisho-keys"},
		rights.OwnQueue:   {"arn:aws:sqs:eu-west-1:123456789012:sekisho-keys"},
		rights.Identities: {"arn:aws:ses:eu-west-1:123456789012:identity/example.com"},
		rights.Rules:      {"arn:aws:events:eu-west-1:123456789012:rule/*"},
	}
	for _, r := range needs {
		s := statement{action: r.Action, resources: resources[r.Resource], context: maps.Clone(r.Context)}
		s.tag = s.context["aws:TagKeys"]
		delete(s.context, "aws:TagKeys")
		all = append(all, s)
	}
	return all
}

func (s statement) allows(action, resource string, single map[string]string, lists map[string][]string) bool {
	if s.action != action || s.tag != "" && !slices.Equal(lists["aws:TagKeys"], []string{s.tag}) {
		return false
	}
	for key, value := range s.context {
		if single[key] != value {
			return false
		}
	}
	return slices.ContainsFunc(s.resources, func(pattern string) bool {
		return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(pattern), `\*`, ".*") + "$").MatchString(resource)
	})
}

// simulator is IAM's, with two results on a page. It does not take two actions of the
// pairs apart together.
func simulator(t *testing.T, policy []statement) func(call) (string, error) {
	apart := []string{"ec2:StopInstances", "ec2:StartInstances"}
	return func(c call) (string, error) {
		names, resources := members(c.form, "ActionNames"), members(c.form, "ResourceArns")
		if c.action != "iam:SimulatePrincipalPolicy" || c.form.Get("PolicySourceArn") != role {
			t.Errorf("%s about %s", c.action, c.form.Get("PolicySourceArn"))
		}
		if slices.Contains(names, apart[0]) && slices.Contains(names, apart[1]) {
			return "", refusal("InvalidInput")
		}
		single, lists := entries(c.form)
		var results []string
		for _, name := range names {
			var each strings.Builder
			verdict := "allowed"
			for _, resource := range resources {
				one := "allowed"
				if !slices.ContainsFunc(policy, func(s statement) bool { return s.allows(name, resource, single, lists) }) {
					one = "implicitDeny"
					verdict = one
				}
				fmt.Fprintf(&each, "<member><EvalResourceName>%s</EvalResourceName>"+
					"<EvalResourceDecision>%s</EvalResourceDecision></member>", resource, one)
			}
			if slices.Equal(resources, []string{"*"}) {
				each.Reset() // all resources are no resource
			}
			results = append(results, fmt.Sprintf("<member><EvalActionName>%s</EvalActionName><EvalDecision>%s</EvalDecision>"+
				"<ResourceSpecificResults>%s</ResourceSpecificResults></member>", name, verdict, &each))
		}
		from, _ := strconv.Atoi(c.form.Get("Marker"))
		to, more := len(results), "<IsTruncated>false</IsTruncated>"
		if from+2 < to {
			to = from + 2
			more = fmt.Sprintf("<IsTruncated>true</IsTruncated><Marker>%d</Marker>", to)
		}
		return "<EvaluationResults>" + strings.Join(results[from:to], "") + "</EvaluationResults>" + more, nil
	}
}

func entries(form url.Values) (single map[string]string, lists map[string][]string) {
	single, lists = make(map[string]string), make(map[string][]string)
	for n := 1; form.Has(fmt.Sprintf("ContextEntries.member.%d.ContextKeyName", n)); n++ {
		of := func(field string) string { return form.Get(fmt.Sprintf("ContextEntries.member.%d.%s", n, field)) }
		values := members(form, fmt.Sprintf("ContextEntries.member.%d.ContextKeyValues", n))
		switch key := of("ContextKeyName"); of("ContextKeyType") {
		case "string":
			single[key] = values[0]
		case "stringList":
			lists[key] = values
		}
	}
	return single, lists
}

// The narrowest policy is enough, and each right that is taken out of it is the one
// that is missed.
func TestDenied(t *testing.T) {
	needs := everything()
	look, _ := open(own, simulator(t, narrow(needs)))
	if denied, err := look.Denied(t.Context(), role, needs); err != nil || len(denied) > 0 {
		t.Errorf("denied: %v, %v; want nothing", denied, err)
	}
	for n, without := range needs {
		policy := slices.Delete(narrow(needs), n, n+1)
		look, _ := open(own, simulator(t, policy))
		denied, err := look.Denied(t.Context(), role, needs)
		if err != nil || len(denied) != 1 || denied[0].Action != without.Action || denied[0].For != without.For {
			t.Errorf("without %s: %v, %v", without.Action, denied, err)
		}
	}
}

// To send to one of two queues is not to send to both; to read one is enough.
func TestDeniedOnOneQueue(t *testing.T) {
	needs := append([]rights.Right{{Action: "sqs:SendMessage", Resource: rights.Queues}}, rights.Polling()...)
	policy := narrow(needs)
	policy[0].resources = policy[0].resources[:1]
	look, _ := open(own, simulator(t, policy))
	denied, err := look.Denied(t.Context(), role, needs)
	if err != nil || len(denied) != 1 || denied[0].Action != "sqs:SendMessage" {
		t.Errorf("denied: %v, %v; want sqs:SendMessage", denied, err)
	}
}

// Rights on users are tried where the bot looks after them.
func TestDeniedTriesUsersInTheirPath(t *testing.T) {
	tried := ""
	look, _ := open(awslook.Own{UserPath: "/people/"}, func(c call) (string, error) {
		tried = c.form.Get("ResourceArns.member.1")
		return "", refusal("AccessDenied")
	})
	look.Denied(t.Context(), role, []rights.Right{{Action: "iam:GetUser", Resource: rights.Users}})
	if want := "arn:aws:iam::123456789012:user/people/somebody"; tried != want {
		t.Errorf("tried on %s, want %s", tried, want)
	}
}

func TestDeniedIsSilentAboutWhatTheBotHasNot(t *testing.T) {
	look, cloud := open(awslook.Own{}, func(call) (string, error) { return "", refusal("InvalidInput") })
	if denied, err := look.Denied(t.Context(), role, rights.Polling()); err != nil || len(denied)+len(cloud.calls) > 0 {
		t.Errorf("got %v, %v by %v", denied, err, cloud.calls)
	}
}

// Alike rights are asked about together.
func TestDeniedAsksLittle(t *testing.T) {
	needs := everything()
	look, cloud := open(own, simulator(t, narrow(needs)))
	if _, err := look.Denied(t.Context(), role, needs); err != nil || len(cloud.calls) >= len(needs) {
		t.Errorf("%d calls about %d rights, %v", len(cloud.calls), len(needs), err)
	}
}

func TestDeniedUnseen(t *testing.T) {
	look, _ := open(own, func(call) (string, error) { return "", refusal("AccessDenied") })
	_, err := look.Denied(t.Context(), role, everything())
	wantError(t, err, `{"Effect":"Allow","Action":"iam:SimulatePrincipalPolicy","Resource":"`+role+`"}`)
	if !errors.Is(err, doctor.ErrUnseen) {
		t.Errorf("%v does not say that nothing is known", err)
	}
	look, _ = open(own, func(call) (string, error) { return "", refusal("NoSuchEntity") })
	_, err = look.Denied(t.Context(), role, everything())
	wantError(t, err, "iam:SimulatePrincipalPolicy: NoSuchEntity", "role with a path")
	if errors.Is(err, doctor.ErrUnseen) {
		t.Error("a principal that is not there counts as unseen")
	}
	_, err = look.Denied(t.Context(), "sekisho-keeper", everything())
	wantError(t, err, `"sekisho-keeper" is not the ARN`)
}
