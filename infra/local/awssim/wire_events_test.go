package awssim_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"sekisho/infra/local/awssim"
)

const testBus = "arn:aws:events:eu-central-1:111122223333:event-bus/default"

func TestListRules(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	for n := range 5 {
		wantOK(t, w.PutRule(awssim.Rule{Name: fmt.Sprint("sekisho-", 5-n), Pattern: statesPattern, Disabled: n == 0}))
	}
	wantOK(t, w.PutRule(awssim.Rule{Name: "nightly", Schedule: "rate(1 day)"}))

	var names []string
	var pages []int
	in := &eventbridge.ListRulesInput{NamePrefix: aws.String("sekisho-"), Limit: aws.Int32(2)}
	for {
		out, err := w.bridge.ListRules(t.Context(), in)
		wantOK(t, err)
		for _, r := range out.Rules {
			names = append(names, *r.Name)
		}
		pages = append(pages, len(out.Rules))
		if out.NextToken == nil {
			break
		}
		in.NextToken = out.NextToken
		w.RemoveRule("sekisho-2") // between pages; the second begins after it
	}
	if !slices.Equal(names, []string{"sekisho-1", "sekisho-2", "sekisho-3", "sekisho-4", "sekisho-5"}) || !slices.Equal(pages, []int{2, 2, 1}) {
		t.Errorf("listed %q on pages of %d", names, pages)
	}

	out, err := w.bridge.ListRules(t.Context(), &eventbridge.ListRulesInput{EventBusName: aws.String(testBus)})
	wantOK(t, err)
	if len(out.Rules) != 5 {
		t.Fatalf("%d rules, want 5", len(out.Rules))
	}
	nightly, last := out.Rules[0], out.Rules[4]
	if *nightly.Name != "nightly" || *nightly.ScheduleExpression != "rate(1 day)" || nightly.EventPattern != nil || nightly.State != types.RuleStateEnabled {
		t.Errorf("the schedule is %+v", nightly)
	}
	if *last.EventPattern != statesPattern || last.State != types.RuleStateDisabled || last.ScheduleExpression != nil ||
		*last.Arn != "arn:aws:events:eu-central-1:111122223333:rule/sekisho-5" || *last.EventBusName != "default" {
		t.Errorf("the rule is %+v", last)
	}
}

// A page that is not said to be smaller has a hundred.
func TestListManyRules(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	for n := range 101 {
		wantOK(t, w.PutRule(awssim.Rule{Name: fmt.Sprintf("r-%03d", n), Pattern: statesPattern}))
	}
	out, err := w.bridge.ListRules(t.Context(), &eventbridge.ListRulesInput{})
	wantOK(t, err)
	if len(out.Rules) != 100 || out.NextToken == nil {
		t.Fatalf("%d rules on the first page, and a token %t", len(out.Rules), out.NextToken != nil)
	}
	out, err = w.bridge.ListRules(t.Context(), &eventbridge.ListRulesInput{NextToken: out.NextToken})
	wantOK(t, err)
	if len(out.Rules) != 1 || out.NextToken != nil {
		t.Errorf("%d rules on the second page", len(out.Rules))
	}
}

func TestDescribeRuleAndItsTargets(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	queue := w.CreateQueue("gate", time.Minute, "", 0)
	const function = "arn:aws:lambda:eu-central-1:111122223333:function:gate"
	wantOK(t, w.PutRule(awssim.Rule{Name: "gate", Pattern: statesPattern, Targets: []awssim.Target{{Queue: queue}, {ARN: function}}}))

	rule, err := w.bridge.DescribeRule(t.Context(), &eventbridge.DescribeRuleInput{Name: aws.String("gate")})
	wantOK(t, err)
	if *rule.Name != "gate" || *rule.EventPattern != statesPattern || rule.State != types.RuleStateEnabled || *rule.CreatedBy != "111122223333" {
		t.Errorf("described %+v", rule)
	}
	w.EnableRule("gate", false)
	rule, err = w.bridge.DescribeRule(t.Context(), &eventbridge.DescribeRuleInput{Name: aws.String("gate")})
	wantOK(t, err)
	if rule.State != types.RuleStateDisabled {
		t.Errorf("a rule that was switched off is %s", rule.State)
	}

	in := &eventbridge.ListTargetsByRuleInput{Rule: aws.String("gate"), Limit: aws.Int32(1)}
	var arns []string
	for {
		out, err := w.bridge.ListTargetsByRule(t.Context(), in)
		wantOK(t, err)
		for _, target := range out.Targets {
			arns = append(arns, *target.Arn)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			break
		}
	}
	if !slices.Equal(arns, []string{"arn:aws:sqs:eu-central-1:111122223333:gate", function}) {
		t.Errorf("targets %q", arns)
	}
	calls := w.Calls()
	if last := calls[len(calls)-1]; last.Service != "events" || last.Action != "ListTargetsByRule" || !slices.Equal(last.IDs, []string{"gate"}) {
		t.Errorf("recorded %+v", last)
	}
}

func TestEventBridgeRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	list := func(in eventbridge.ListRulesInput) error {
		_, err := w.bridge.ListRules(t.Context(), &in)
		return err
	}
	wantCode(t, list(eventbridge.ListRulesInput{Limit: aws.Int32(0)}), "ValidationException")
	wantCode(t, list(eventbridge.ListRulesInput{Limit: aws.Int32(101)}), "ValidationException")
	wantCode(t, list(eventbridge.ListRulesInput{NextToken: aws.String("x")}), "InvalidToken")
	wantCode(t, list(eventbridge.ListRulesInput{EventBusName: aws.String("other")}), "ResourceNotFoundException")
	_, err := w.bridge.DescribeRule(t.Context(), &eventbridge.DescribeRuleInput{Name: aws.String("none")})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = w.bridge.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: aws.String("none")})
	wantCode(t, err, "ResourceNotFoundException")
	wantOK(t, w.PutRule(awssim.Rule{Name: "r", Pattern: statesPattern}))
	_, err = w.bridge.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: aws.String("r"), EventBusName: aws.String("other")})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = w.bridge.ListEventBuses(t.Context(), &eventbridge.ListEventBusesInput{})
	wantCode(t, err, "UnknownOperationException")

	w.Throttle("ListRules", 2) // the SDK tries three times
	wantOK(t, list(eventbridge.ListRulesInput{}))
	calls := w.Calls()
	if throttled := calls[len(calls)-2]; throttled.ErrorCode != "ThrottlingException" {
		t.Errorf("throttled with %s", throttled.ErrorCode)
	}
	w.Fail("ListRules", "InternalFailure", 3)
	if status := statusOf(t, list(eventbridge.ListRulesInput{})); status != http.StatusInternalServerError {
		t.Errorf("a fault of the service has status %d", status)
	}
	elsewhere := eventbridge.NewFromConfig(sdkConfig(w.server.Client(), w.server.URL, testKey, "us-east-1"))
	_, err = elsewhere.ListRules(t.Context(), &eventbridge.ListRulesInput{})
	wantCode(t, err, "SignatureDoesNotMatch")
}
