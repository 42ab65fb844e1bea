package awslook

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"sekisho/auth/doctor"
)

// sources are whose events Sekisho handles.
var sources = []string{"aws.ec2", "aws.config", "aws.ses"}

// Rules keeps the promise of doctor.AWS. The targets are named of those rules only
// whose events may be of interest.
func (l *Look) Rules(ctx context.Context) ([]doctor.Rule, error) {
	var all []doctor.Rule
	in := &eventbridge.ListRulesInput{} // of the default bus
	for {
		out, err := l.events.ListRules(ctx, in)
		if err != nil {
			return nil, failed("events:ListRules", "*", err)
		}
		for _, r := range out.Rules {
			rule, err := l.rule(ctx, r)
			if err != nil {
				return nil, err
			}
			all = append(all, rule)
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return all, nil
		}
	}
}

func (l *Look) rule(ctx context.Context, r types.Rule) (doctor.Rule, error) {
	rule := doctor.Rule{
		// EventBridge has two ways of being on: the other takes CloudTrail's read-only events, too.
		Name: aws.ToString(r.Name), Enabled: r.State != types.RuleStateDisabled, Pattern: aws.ToString(r.EventPattern),
	}
	if !matters(rule.Pattern) {
		return rule, nil
	}
	in := &eventbridge.ListTargetsByRuleInput{Rule: r.Name}
	for {
		out, err := l.events.ListTargetsByRule(ctx, in)
		if err != nil {
			return rule, failed("events:ListTargetsByRule", aws.ToString(r.Arn), err)
		}
		for _, t := range out.Targets {
			rule.Targets = append(rule.Targets, aws.ToString(t.Arn))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return rule, nil
		}
	}
}

// matters says whether an event of our sources may match the pattern: it names one
// of them, or none at all, or says which in another way than by name.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
func matters(pattern string) bool {
	var p struct {
		Source []any `json:"source"`
	}
	if pattern == "" || json.Unmarshal([]byte(pattern), &p) != nil {
		return false
	}
	return p.Source == nil || slices.ContainsFunc(p.Source, func(s any) bool {
		name, ok := s.(string)
		return !ok || slices.Contains(sources, name)
	})
}
