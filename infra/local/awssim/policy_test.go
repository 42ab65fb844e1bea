package awssim_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"sekisho/infra/local/awssim"
)

const (
	gateKey = "AKIDTESTGATE"
	gateARN = "arn:aws:iam::111122223333:role/gate"

	box = "arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0"
)

// document is a policy of these statements.
func document(statements ...string) string {
	return `{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ",") + `]}`
}

// allow is a statement; a condition is a line of its Condition: `"Null": {"aws:TagKeys": "false"}`.
func allow(action, resource string, conditions ...string) string {
	return fmt.Sprintf(`{"Effect": "Allow", "Action": %q, "Resource": %q, "Condition": {%s}}`, action, resource, strings.Join(conditions, ","))
}

func deny(action, resource string, conditions ...string) string {
	return strings.Replace(allow(action, resource, conditions...), "Allow", "Deny", 1)
}

func (w *world) simulate(ctx context.Context, in iam.SimulatePrincipalPolicyInput) ([]types.EvaluationResult, error) {
	if in.PolicySourceArn == nil {
		in.PolicySourceArn = aws.String(gateARN)
	}
	out, err := w.iam.SimulatePrincipalPolicy(ctx, &in)
	if err != nil {
		return nil, err
	}
	return out.EvaluationResults, nil
}

// One statement allows, another denies, and both say of what.
func TestStatements(t *testing.T) {
	const stop = "ec2:StopInstances"
	list := `{"Effect": "Allow", "Action": ["ec2:StartInstances", "ec2:StopInstances"], "Resource": ["arn:aws:s3:::a", "*"]}`
	on := func(resources ...string) []string { return resources }
	tests := map[string]struct {
		statements []string
		resources  []string
		want       types.PolicyEvaluationDecisionType
	}{
		"nothing said":           {[]string{allow("ec2:StartInstances", "*")}, on(box), "implicitDeny"},
		"said":                   {[]string{allow(stop, "*")}, on(box), "allowed"},
		"among others":           {[]string{list}, on(box), "allowed"},
		"any action":             {[]string{allow("*", "*")}, on(box), "allowed"},
		"an action's case":       {[]string{allow("ec2:STOPinstances", "*")}, on(box), "allowed"},
		"an action's *":          {[]string{allow("ec2:Stop*", "*")}, on(box), "allowed"},
		"an action's ?":          {[]string{allow("ec2:S?opInstance?", "*")}, on(box), "allowed"},
		"another service":        {[]string{allow("ecs:*", "*")}, on(box), "implicitDeny"},
		"a deny after":           {[]string{allow(stop, "*"), deny("ec2:*", box)}, on(box), "explicitDeny"},
		"a deny before":          {[]string{deny("ec2:*", box), allow(stop, "*")}, on(box), "explicitDeny"},
		"a deny elsewhere":       {[]string{deny("ec2:*", box+"0"), allow(stop, "*")}, on(box), "allowed"},
		"a deny on a condition":  {[]string{deny(stop, "*", `"Null": {"aws:TagKeys": "false"}`), allow(stop, "*")}, on(box), "allowed"},
		"a resource":             {[]string{allow(stop, box)}, on(box), "allowed"},
		"a resource's *":         {[]string{allow(stop, "arn:aws:ec2:*:*:instance/*")}, on(box), "allowed"},
		"a resource's ?":         {[]string{allow(stop, strings.ReplaceAll(box, "0", "?"))}, on(box), "allowed"},
		"a resource's case":      {[]string{allow(stop, "arn:aws:ec2:*:*:Instance/*")}, on(box), "implicitDeny"},
		"another kind":           {[]string{allow(stop, "arn:aws:ec2:*:*:volume/*")}, on(box), "implicitDeny"},
		"resources, but not any": {[]string{allow(stop, "arn:aws:ec2:*:*:instance/*")}, on(), "implicitDeny"},
	}
	w := newWorld(t, awssim.Options{})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w.gate(tt.statements...)
			results, err := w.simulate(t.Context(), iam.SimulatePrincipalPolicyInput{ActionNames: []string{stop}, ResourceArns: tt.resources})
			wantOK(t, err)
			if got := results[0].EvalDecision; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	const (
		guarded = "aws:ResourceTag/Sekisho=guarded"
		equals  = `"StringEquals": {"aws:ResourceTag/Sekisho": "guarded"}`
		gate    = "aws:PrincipalArn=" + gateARN
		only    = `"ForAllValues:StringEquals": {"aws:TagKeys": ["Auth", "Name"]}`
		not     = `"ForAllValues:StringNotEquals": {"aws:TagKeys": ["A", "B"]}`
		some    = `"ForAnyValue:StringLike": {"aws:TagKeys": "Au*"}`
	)
	tests := map[string]struct {
		condition string
		fact      string
		met       bool
		missing   string // keys, by comma
	}{
		"StringEquals":            {equals, guarded, true, ""},
		"StringEquals, not":       {equals, "aws:ResourceTag/Sekisho=Guarded", false, ""},
		"StringEquals, absent":    {equals, "", false, "aws:ResourceTag/Sekisho"},
		"StringEquals, no *":      {`"StringEquals": {"aws:ResourceTag/Sekisho": "guard*"}`, guarded, false, ""},
		"StringEquals of several": {`"StringEquals": {"aws:ResourceTag/Sekisho": ["a", "guarded"]}`, guarded, true, ""},
		"a key's case":            {`"StringEquals": {"AWS:resourcetag/sekisho": "guarded"}`, guarded, true, ""},
		"two keys": {
			`"StringEquals": {"aws:ResourceTag/Sekisho": "guarded", "aws:ResourceTag/Team": "ml"}`, guarded, false, "aws:ResourceTag/Team",
		},
		"two operators": {equals + `, "Null": {"aws:TagKeys": "true"}`, guarded, true, "aws:TagKeys"},
		"a key twice": {
			`"StringLike": {"aws:ResourceTag/B": "b"}, "Null": {"aws:ResourceTag/A": "true", "aws:ResourceTag/B": "true"}`, "",
			false, "aws:ResourceTag/A,aws:ResourceTag/B",
		},

		"StringNotEquals":         {`"StringNotEquals": {"aws:ResourceTag/Sekisho": ["a", "b"]}`, guarded, true, ""},
		"StringNotEquals, not":    {`"StringNotEquals": {"aws:ResourceTag/Sekisho": ["a", "guarded"]}`, guarded, false, ""},
		"StringNotEquals, absent": {`"StringNotEquals": {"ec2:ResourceTag/A": "a"}`, "", true, "ec2:ResourceTag/A"},
		"StringLike":              {`"StringLike": {"aws:ResourceTag/Sekisho": "gu?rd*"}`, guarded, true, ""},
		"StringLike, not":         {`"StringLike": {"aws:ResourceTag/Sekisho": "gu?rd"}`, guarded, false, ""},
		"StringLike, a backslash": {`"StringLike": {"aws:ResourceTag/Sekisho": "a\\*"}`, `aws:ResourceTag/Sekisho=a\b`, true, ""},

		"ArnLike":                 {`"ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:role/g*"}`, gate, true, ""},
		"ArnLike, past a colon":   {`"ArnLike": {"aws:PrincipalArn": "arn:*:*:*:*:x"}`, "aws:PrincipalArn=arn:a:b:c:d:e:x", false, ""},
		"ArnEquals":               {`"ArnEquals": {"aws:PrincipalArn": "` + gateARN + `"}`, gate, true, ""},
		"ArnEquals, not":          {`"ArnEquals": {"aws:PrincipalArn": "` + gateARN + `s"}`, gate, false, ""},
		"ArnEquals, past a colon": {`"ArnEquals": {"aws:PrincipalArn": "arn:*:*:*:*:x"}`, "aws:PrincipalArn=arn:a:b:c:d:e:x", false, ""},
		"Bool":                    {`"Bool": {"aws:ViaAWSService": false}`, "aws:ViaAWSService=False", true, ""},
		"Bool, not":               {`"Bool": {"aws:ViaAWSService": "true"}`, "aws:ViaAWSService=false", false, ""},
		"Null":                    {`"Null": {"aws:ResourceTag/Sekisho": "false"}`, guarded, true, ""},
		"Null, absent":            {`"Null": {"aws:ResourceTag/Sekisho": "false"}`, "", false, "aws:ResourceTag/Sekisho"},
		"Null, there":             {`"Null": {"aws:ResourceTag/Sekisho": true}`, guarded, false, ""},

		"ForAllValues":                {only, "aws:TagKeys=Name,Auth", true, ""},
		"ForAllValues, one more":      {only, "aws:TagKeys=Auth,Sekisho", false, ""},
		"ForAllValues, absent":        {only, "", true, "aws:TagKeys"},
		"ForAllValues:Not":            {not, "aws:TagKeys=C,D", true, ""},
		"ForAllValues:Not, one of it": {not, "aws:TagKeys=C,B", false, ""},
		"ForAnyValue":                 {some, "aws:TagKeys=Name,Auth", true, ""},
		"ForAnyValue, none":           {some, "aws:TagKeys=Name", false, ""},
		"ForAnyValue, absent":         {some, "", false, "aws:TagKeys"},
		"ForAnyValue:Not, absent":     {`"ForAnyValue:StringNotEquals": {"aws:TagKeys": "A"}`, "", false, "aws:TagKeys"},
	}
	w := newWorld(t, awssim.Options{})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			// what isn't asked for has no say, and misses nothing
			w.gate(allow("ec2:StopInstances", "*", tt.condition), allow("ec2:StartInstances", "*", `"Null": {"aws:ResourceTag/Other": "true"}`))
			in := iam.SimulatePrincipalPolicyInput{ActionNames: []string{"ec2:StopInstances"}}
			if key, values, has := strings.Cut(tt.fact, "="); has {
				in.ContextEntries = []types.ContextEntry{{
					ContextKeyName: &key, ContextKeyType: types.ContextKeyTypeEnumStringList, ContextKeyValues: strings.Split(values, ","),
				}}
			}
			results, err := w.simulate(t.Context(), in)
			wantOK(t, err)
			got, want := results[0], types.PolicyEvaluationDecisionTypeImplicitDeny
			if tt.met {
				want = types.PolicyEvaluationDecisionTypeAllowed
			}
			if missing := strings.Join(got.MissingContextValues, ","); got.EvalDecision != want || missing != tt.missing {
				t.Errorf("%s, missing %q; want %s, missing %q", got.EvalDecision, missing, want, tt.missing)
			}
		})
	}
}

// Of several policies each may allow, and each may deny.
func TestPoliciesAddUp(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	start, stop := document(allow("ec2:StartInstances", "*")), document(allow("ec2:StopInstances", "*"))
	w.SetRole(awssim.Role{Name: "gate", AccessKeyID: gateKey, Policies: []string{start, stop, document(deny("ec2:Terminate*", "*"))}})
	results, err := w.simulate(t.Context(), iam.SimulatePrincipalPolicyInput{
		ActionNames: []string{"ec2:StartInstances", "ec2:StopInstances", "ec2:TerminateInstances", "ec2:RebootInstances"},
	})
	wantOK(t, err)
	var got []string
	for _, r := range results {
		got = append(got, *r.EvalActionName+" "+string(r.EvalDecision)+" "+*r.EvalResourceName)
	}
	want := []string{
		"ec2:StartInstances allowed *", "ec2:StopInstances allowed *", "ec2:TerminateInstances explicitDeny *", "ec2:RebootInstances implicitDeny *",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// What isn't modelled is refused: a part of a policy that was passed over would prove nothing.
func TestPoliciesNotUnderstood(t *testing.T) {
	condition := func(line string) string { return document(allow("ec2:StopInstances", "*", line)) }
	tests := map[string]string{
		`{`:                 "unexpected EOF",
		document() + "{}":   "more follows",
		document():          "want a Statement",
		`{"Statement": []}`: "want Version",
		`{"Version": "2012-10-17", "Statement": {}}`:                                          "want Effect",
		document(`{"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}`):                `unknown field "NotAction"`,
		document(`{"Effect": "Allow", "Action": "ec2:*", "NotResource": "*"}`):                `unknown field "NotResource"`,
		document(`{"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Principal": "*"}`): `unknown field "Principal"`,
		document(`{"Effect": "Allow", "Action": "ec2:*"}`):                                    "want an Action and a Resource",
		document(`{"Effect": "Allow", "Resource": "*"}`):                                      "want an Action and a Resource",
		document(`{"Effect": "allow", "Action": "ec2:*", "Resource": "*"}`):                   `not "allow"`,
		document(allow("StopInstances", "*")):                                                 `not "StopInstances"`,
		document(allow("ec2:*", "instance/*")):                                                `not "instance/*"`,
		document(allow("ec2:*", "arn:aws:ec2:*:*:instance/${aws:username}")):                  "without variables",
		condition(`"StringEqualsIfExists": {"aws:PrincipalArn": "a"}`):                        "know this operator",
		condition(`"NumericEquals": {"aws:PrincipalArn": "1"}`):                               "know this operator",
		condition(`"ForNoValue:StringEquals": {"aws:TagKeys": "a"}`):                          "know this operator",
		condition(`"ForAllValues:ArnLike": {"aws:TagKeys": "arn:aws:iam::1:role/a"}`):         "sets of strings",
		condition(`"StringEquals": {"aws:SourceIp": "a"}`):                                    "know this key",
		condition(`"StringEquals": {"aws:ResourceTag": "a"}`):                                 "know this key",
		condition(`"StringEquals": {"aws:ResourceTag/": "a"}`):                                "know this key",
		condition(`"StringEquals": {"aws:TagKeys": "a"}`):                                     "several values",
		condition(`"StringEquals": {"aws:ResourceTag/A": []}`):                                "no value",
		condition(`"StringEquals": {"aws:ResourceTag/A": 1}`):                                 "want a string",
		condition(`"StringEquals": {"aws:ResourceTag/A": "${aws:username}"}`):                 "no policy variables",
		condition(`"Bool": {"aws:ViaAWSService": "no"}`):                                      "want true or false",
		condition(`"Null": {"aws:TagKeys": "no"}`):                                            "want true or false",
		condition(`"ArnLike": {"aws:PrincipalArn": "role/gate"}`):                             "want an ARN",
	}
	w := newWorld(t, awssim.Options{})
	for policy, want := range tests {
		got := panicOf(func() {
			w.SetRole(awssim.Role{Name: "gate", AccessKeyID: gateKey, Policies: []string{document(allow("ec2:*", "*")), policy}})
		})
		if !strings.Contains(got, want) || !strings.Contains(got, "SetRole gate: policy 2: ") {
			t.Errorf("%s:\nsaid %q, want %q", policy, got, want)
		}
	}
}

// panicOf is what a function panics with, or "".
func panicOf(do func()) (said string) {
	defer func() {
		if r := recover(); r != nil {
			said = fmt.Sprint(r)
		}
	}()
	do()
	return ""
}
