package awslook

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"sekisho/auth/rights"
)

// Denied keeps the promise of doctor.AWS, by IAM's policy simulator. That knows
// the policies of the principal, its permissions boundary and the organization's
// service control policies, and no policy of a queue or another resource. What the
// bot has none of (a queue, a sender) is not asked about.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
func (l *Look) Denied(ctx context.Context, principal string, needs []rights.Right) ([]rights.Right, error) {
	who, err := arn.Parse(principal)
	if err != nil {
		return nil, fmt.Errorf("%.80q is not the ARN of a role or a user", principal)
	}
	var denied []rights.Right
	for _, group := range alike(needs) {
		places := l.places(who, group[0].Resource)
		if len(places) == 0 {
			continue
		}
		allowed, err := l.simulate(ctx, principal, actions(group), places, group[0].Context)
		if err != nil {
			return nil, err
		}
		for _, r := range group {
			if !allowed[r.Action] {
				denied = append(denied, r)
			}
		}
	}
	slices.SortFunc(denied, func(a, b rights.Right) int { return cmp.Compare(a.Action, b.Action) })
	return denied, nil
}

// alike groups the rights that one question asks about: on one kind of resource,
// in one context.
func alike(needs []rights.Right) [][]rights.Right {
	groups := make(map[string][]rights.Right)
	for _, r := range needs {
		key := fmt.Sprintf("%s %q", r.Resource, r.Context) // fmt sorts a map's keys
		groups[key] = append(groups[key], r)
	}
	var all [][]rights.Right
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, groups[key])
	}
	return all
}

func actions(all []rights.Right) []string {
	names := make([]string, len(all))
	for n, r := range all {
		names[n] = r.Action
	}
	return names
}

// simulate says which of the actions are allowed at every place.
func (l *Look) simulate(
	ctx context.Context, principal string, actions []string, places []place, entries map[string]string,
) (map[string]bool, error) {
	allowed := make(map[string]bool)
	in := &iam.SimulatePrincipalPolicyInput{
		PolicySourceArn: &principal, ActionNames: actions, ResourceArns: slices.Concat(places...), ContextEntries: contextEntries(entries),
	}
	for {
		out, err := l.iam.SimulatePrincipalPolicy(ctx, in)
		if code, _ := told(err); code == "InvalidInput" && len(actions) > 1 {
			// Actions that "require different authorization information" IAM takes only apart,
			// and which those are it documents nowhere.
			return l.simulateEach(ctx, principal, actions, places, entries)
		}
		if err != nil {
			return nil, unsimulated(principal, err)
		}
		for _, r := range out.EvaluationResults {
			allowed[aws.ToString(r.EvalActionName)] = everywhere(r, places)
		}
		if in.Marker = out.Marker; !out.IsTruncated {
			return allowed, nil
		}
	}
}

func (l *Look) simulateEach(
	ctx context.Context, principal string, actions []string, places []place, entries map[string]string,
) (map[string]bool, error) {
	all := make(map[string]bool)
	for _, action := range actions {
		allowed, err := l.simulate(ctx, principal, []string{action}, places, entries)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, allowed)
	}
	return all, nil
}

func unsimulated(principal string, err error) error {
	unseen := failed("iam:SimulatePrincipalPolicy", principal, err)
	if code, _ := told(err); code == "NoSuchEntity" {
		return fmt.Errorf("%w (a role with a path is not found: give the bot's roles none)", unseen)
	}
	return unseen
}

// contextEntries are the keys that a condition may ask for, as the call would have them.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func contextEntries(values map[string]string) []types.ContextEntry {
	var all []types.ContextEntry
	for _, key := range slices.Sorted(maps.Keys(values)) {
		kind := types.ContextKeyTypeEnumString
		if key == "aws:TagKeys" { // the one of ours that a call has several of
			kind = types.ContextKeyTypeEnumStringList
		}
		all = append(all, types.ContextEntry{ContextKeyName: aws.String(key), ContextKeyType: kind, ContextKeyValues: []string{values[key]}})
	}
	return all
}
