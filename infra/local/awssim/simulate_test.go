package awssim_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"sekisho/infra/local/awssim"
)

// Each resource is judged by itself, and the action by the strictest.
func TestSimulationOfResources(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	const other, taboo = box + "0", box + "1"
	w.SetRole(awssim.Role{Name: "gate", AccessKeyID: gateKey, Policies: []string{document(
		allow("ec2:StopInstances", box), deny("ec2:StopInstances", taboo),
		allow("ec2:StopInstances", other+"*", `"StringEquals": {"aws:ResourceTag/B": "b"}`, `"StringLike": {"aws:ResourceTag/A": "a"}`),
	)}})
	type decisions = []types.PolicyEvaluationDecisionType
	both := []string{"aws:ResourceTag/A", "aws:ResourceTag/B"}
	tests := []struct {
		resources []string
		want      types.PolicyEvaluationDecisionType
		each      decisions
		missing   []string
	}{
		{[]string{box}, "allowed", decisions{"allowed"}, nil},
		{[]string{box, other}, "implicitDeny", decisions{"allowed", "implicitDeny"}, both},
		{[]string{other, box}, "implicitDeny", decisions{"implicitDeny", "allowed"}, both},
		{[]string{taboo, other, box}, "explicitDeny", decisions{"explicitDeny", "implicitDeny", "allowed"}, both},
		{[]string{box, taboo}, "explicitDeny", decisions{"allowed", "explicitDeny"}, nil},
		{[]string{other, taboo}, "explicitDeny", decisions{"implicitDeny", "explicitDeny"}, both},
		{[]string{other, other + "2"}, "implicitDeny", decisions{"implicitDeny", "implicitDeny"}, both},
	}
	for _, tt := range tests {
		in := iam.SimulatePrincipalPolicyInput{ActionNames: []string{"ec2:StopInstances"}, ResourceArns: tt.resources}
		results, err := w.simulate(t.Context(), in)
		wantOK(t, err)
		got := results[0]
		var names []string
		var each decisions
		for _, r := range got.ResourceSpecificResults {
			names, each = append(names, *r.EvalResourceName), append(each, r.EvalResourceDecision)
			if *r.EvalResourceName == other && len(r.MissingContextValues) != 2 {
				t.Errorf("%s misses %q", *r.EvalResourceName, r.MissingContextValues)
			}
		}
		if got.EvalDecision != tt.want || !slices.Equal(each, tt.each) || !slices.Equal(names, tt.resources) ||
			!slices.Equal(got.MissingContextValues, tt.missing) {
			t.Errorf("%q: %s, each %q, missing %q", tt.resources, got.EvalDecision, each, got.MissingContextValues)
		}
		if *got.EvalResourceName != "arn:${Partition}:ec2:${Region}:${Account}:instance/${Name}" {
			t.Errorf("simulated on %s", *got.EvalResourceName)
		}
	}
	for arn, want := range map[string]string{
		"arn:aws:sqs:eu-central-1:111122223333:jobs": "arn:${Partition}:sqs:${Region}:${Account}:${Name}",
		"arn:aws:iam::111122223333:user/ops/hana":    "arn:${Partition}:iam::${Account}:user/${Name}",
	} {
		results, err := w.simulate(t.Context(), iam.SimulatePrincipalPolicyInput{ActionNames: []string{"a:B"}, ResourceArns: []string{arn}})
		wantOK(t, err)
		if got := *results[0].EvalResourceName; got != want {
			t.Errorf("%s is simulated as %s", arn, got)
		}
	}
}

func TestSimulationPages(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.SetRole(awssim.Role{Name: "gate", AccessKeyID: gateKey})
	actions := []string{"sqs:SendMessage", "ec2:StopInstances", "ec2:StartInstances"}
	pages := iam.NewSimulatePrincipalPolicyPaginator(w.iam, &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String(gateARN), ActionNames: actions, MaxItems: aws.Int32(2),
	})
	var got []string
	var sizes []int
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		wantOK(t, err)
		sizes = append(sizes, len(page.EvaluationResults))
		for _, r := range page.EvaluationResults {
			got = append(got, *r.EvalActionName)
		}
	}
	if !slices.Equal(got, actions) || !slices.Equal(sizes, []int{2, 1}) {
		t.Errorf("pages of %v with %q", sizes, got)
	}
}

func TestWhoCanBeSimulated(t *testing.T) {
	asUser := newWorld(t, awssim.Options{Caller: "arn:aws:iam::111122223333:user/bots/sekisho"})
	asRole := newWorld(t, awssim.Options{})
	for _, w := range []*world{asUser, asRole} {
		w.SetRole(awssim.Role{Name: "gate", AccessKeyID: gateKey})
	}
	tests := []struct {
		w            *world
		source, code string
		want         types.PolicyEvaluationDecisionType
	}{
		{asRole, gateARN, "", "implicitDeny"},
		{asRole, "arn:aws:iam::111122223333:role/sekisho", "", "allowed"},
		{asUser, "arn:aws:iam::111122223333:user/bots/sekisho", "", "allowed"},
		{asRole, "arn:aws:iam::111122223333:role/nobody", "NoSuchEntity", ""},
		{asUser, "arn:aws:iam::111122223333:role/sekisho", "NoSuchEntity", ""},
		{asRole, "arn:aws:sts::111122223333:assumed-role/sekisho/demo", "InvalidInput", ""},
		{asRole, "arn:aws:sts::111122223333:assumed-role/gate/test", "InvalidInput", ""},
		{asRole, "arn:aws:iam::999988887777:role/gate", "InvalidInput", ""},
		{asRole, "arn:aws:iam::111122223333:user/hana", "InvalidInput", ""},
	}
	for _, tt := range tests {
		in := iam.SimulatePrincipalPolicyInput{PolicySourceArn: &tt.source, ActionNames: []string{"ec2:StopInstances"}}
		results, err := tt.w.simulate(t.Context(), in)
		if tt.code != "" {
			wantCode(t, err, tt.code)
			continue
		}
		wantOK(t, err)
		if got := results[0].EvalDecision; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.source, got, tt.want)
		}
	}
	_, err := asRole.simulate(t.Context(), iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: aws.String("arn:aws:sts::111122223333:assumed-role/gate/test"), ActionNames: []string{"ec2:StopInstances"},
	})
	const want = "Invalid Entity Arn: arn:aws:sts::111122223333:assumed-role/gate/test does not clearly define entity type and name."
	if got := wantCode(t, err, "InvalidInput"); got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestSimulationRefuses(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.SetRole(awssim.Role{Name: "gate", AccessKeyID: gateKey})
	stop := []string{"ec2:StopInstances"}
	tests := map[string]struct {
		in   iam.SimulatePrincipalPolicyInput
		code string
	}{
		"no source":           {iam.SimulatePrincipalPolicyInput{PolicySourceArn: aws.String(""), ActionNames: stop}, "ValidationError"},
		"no action":           {iam.SimulatePrincipalPolicyInput{ActionNames: []string{}}, "ValidationError"},
		"an action's half":    {iam.SimulatePrincipalPolicyInput{ActionNames: []string{"StopInstances"}}, "InvalidInput"},
		"a resource's name":   {iam.SimulatePrincipalPolicyInput{ActionNames: stop, ResourceArns: []string{"i-0123456789abcdef0"}}, "InvalidInput"},
		"a policy of its own": {iam.SimulatePrincipalPolicyInput{ActionNames: stop, PolicyInputList: []string{document()}}, "InvalidInput"},
		"a resource's policy": {iam.SimulatePrincipalPolicyInput{ActionNames: stop, ResourcePolicy: aws.String(document())}, "InvalidInput"},
		"another's eyes":      {iam.SimulatePrincipalPolicyInput{ActionNames: stop, CallerArn: aws.String(gateARN)}, "InvalidInput"},
		"a page of nothing":   {iam.SimulatePrincipalPolicyInput{ActionNames: stop, MaxItems: aws.Int32(0)}, "ValidationError"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := w.simulate(t.Context(), tt.in)
			wantCode(t, err, tt.code)
		})
	}
}
