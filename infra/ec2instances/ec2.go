// Package ec2instances reads, stops and starts instances through EC2's API.
package ec2instances

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sekisho/auth"
)

// api is what is called of EC2: eight actions, the role's whole need.
type api interface {
	DescribeInstances(context.Context, *ec2.DescribeInstancesInput, ...func(*ec2.Options)) (*ec2.DescribeInstancesOutput, error)
	DescribeTags(context.Context, *ec2.DescribeTagsInput, ...func(*ec2.Options)) (*ec2.DescribeTagsOutput, error)
	StopInstances(context.Context, *ec2.StopInstancesInput, ...func(*ec2.Options)) (*ec2.StopInstancesOutput, error)
	TerminateInstances(context.Context, *ec2.TerminateInstancesInput, ...func(*ec2.Options)) (*ec2.TerminateInstancesOutput, error)
	ModifyInstanceAttribute(context.Context, *ec2.ModifyInstanceAttributeInput, ...func(*ec2.Options)) (*ec2.ModifyInstanceAttributeOutput, error)
	CreateTags(context.Context, *ec2.CreateTagsInput, ...func(*ec2.Options)) (*ec2.CreateTagsOutput, error)
	DeleteTags(context.Context, *ec2.DeleteTagsInput, ...func(*ec2.Options)) (*ec2.DeleteTagsOutput, error)
	StartInstances(context.Context, *ec2.StartInstancesInput, ...func(*ec2.Options)) (*ec2.StartInstancesOutput, error)
}

// EC2 is one account's instances in one region.
type EC2 struct {
	api    api
	region string
}

var (
	_ auth.InstanceFinder = (*EC2)(nil)
	_ auth.Stopper        = (*EC2)(nil)
	_ auth.Starter        = (*EC2)(nil)
)

// New makes the adapter. Throttled and failing calls are tried six times: a
// stop is worth more patience than the SDK's three.
func New(c aws.Config) *EC2 {
	client := ec2.NewFromConfig(c, func(o *ec2.Options) { o.RetryMaxAttempts = 6 })
	return &EC2{client, c.Region}
}

// Instance keeps the promise of auth.InstanceReader.
func (e *EC2) Instance(ctx context.Context, id string) (auth.Instance, error) {
	all, err := e.describe(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return auth.Instance{}, err
	}
	if len(all) == 0 {
		return auth.Instance{}, fmt.Errorf("%s: %w", id, auth.ErrNoInstance)
	}
	return all[0], nil
}

// Tags keeps the promise of auth.InstanceReader.
func (e *EC2) Tags(ctx context.Context, id string) (map[string]string, error) {
	tags := make(map[string]string)
	in := &ec2.DescribeTagsInput{Filters: []types.Filter{filter("resource-id", id)}}
	for {
		out, err := e.api.DescribeTags(ctx, in)
		if err != nil {
			return nil, translate(err)
		}
		for _, t := range out.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return tags, nil
		}
	}
}

// Named keeps the promise of auth.InstanceFinder.
func (e *EC2) Named(ctx context.Context, name string) ([]auth.Instance, error) {
	return e.describe(ctx, &ec2.DescribeInstancesInput{Filters: []types.Filter{filter("tag:Name", literal(name)), alive()}})
}

// Guarded keeps the promise of auth.InstanceFinder.
func (e *EC2) Guarded(ctx context.Context, g auth.Guard) ([]auth.Instance, error) {
	var found []auth.Instance
	seen := make(map[string]bool)
	for _, filters := range queries(g) {
		some, err := e.describe(ctx, &ec2.DescribeInstancesInput{Filters: append(filters, alive())})
		if err != nil {
			return nil, err
		}
		for _, i := range some {
			if !seen[i.ID] && g.Covers(i) {
				seen[i.ID] = true
				found = append(found, i)
			}
		}
	}
	return found, nil
}

// valuesAtMost is how many values one filter takes:
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
const valuesAtMost = 200

// queries turns a guard into the sets of filters that find what it covers.
func queries(g auth.Guard) [][]types.Filter {
	if g.All {
		return [][]types.Filter{nil}
	}
	var all [][]types.Filter
	if len(g.Tags) > 0 {
		var byTags []types.Filter
		for k, v := range g.Tags {
			byTags = append(byTags, filter("tag:"+k, literal(v)))
		}
		all = append(all, byTags)
	}
	for ids := g.Instances; len(ids) > 0; {
		part := ids[:min(valuesAtMost, len(ids))]
		ids = ids[len(part):]
		all = append(all, []types.Filter{filter("instance-id", part...)})
	}
	return all
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

// alive leaves out what is terminated or about to be.
func alive() types.Filter {
	return filter("instance-state-name", "pending", "running", "stopping", "stopped")
}

// literal takes the wildcards' meaning from a filter's value:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
func literal(value string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`).Replace(value)
}

func (e *EC2) describe(ctx context.Context, in *ec2.DescribeInstancesInput) ([]auth.Instance, error) {
	var found []auth.Instance
	for {
		out, err := e.api.DescribeInstances(ctx, in)
		if err != nil {
			return nil, translate(err)
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				found = append(found, e.instance(r, i))
			}
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return found, nil
		}
	}
}

func (e *EC2) instance(r types.Reservation, i types.Instance) auth.Instance {
	tags := make(map[string]string, len(i.Tags))
	for _, t := range i.Tags {
		tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	var state auth.State
	if i.State != nil {
		state = auth.State(i.State.Name)
	}
	return auth.Instance{
		ID: aws.ToString(i.InstanceId), Type: string(i.InstanceType), State: state, Tags: tags,
		LaunchTime: aws.ToTime(i.LaunchTime), Account: aws.ToString(r.OwnerId), Region: e.region,
		Spot: i.InstanceLifecycle == types.InstanceLifecycleTypeSpot, RootDevice: string(i.RootDeviceType),
	}
}

// Stop keeps the promise of auth.Stopper. The stop is a graceful one: cutting
// a boot off at the power level can corrupt the disk.
func (e *EC2) Stop(ctx context.Context, id string) error {
	_, err := e.api.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	return translate(err)
}

// Unprotect keeps the promise of auth.Stopper.
func (e *EC2) Unprotect(ctx context.Context, id string) error {
	_, err := e.api.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{
		InstanceId: aws.String(id), DisableApiStop: &types.AttributeBooleanValue{Value: aws.Bool(false)},
	})
	return translate(err)
}

// Terminate keeps the promise of auth.Stopper.
func (e *EC2) Terminate(ctx context.Context, id string) error {
	_, err := e.api.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	return translate(err)
}

// Untag keeps the promise of auth.Stopper: with a value given, EC2 removes the
// tag only if it has that value
// (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html).
func (e *EC2) Untag(ctx context.Context, id, key, value string) error {
	_, err := e.api.DeleteTags(ctx, &ec2.DeleteTagsInput{
		Resources: []string{id}, Tags: []types.Tag{{Key: aws.String(key), Value: aws.String(value)}},
	})
	if err = tagFault(err, value); errors.Is(err, auth.ErrNoInstance) {
		return nil
	}
	return err
}

// Start keeps the promise of auth.Starter.
func (e *EC2) Start(ctx context.Context, id, key, value string) error {
	_, err := e.api.CreateTags(ctx, &ec2.CreateTagsInput{
		Resources: []string{id}, Tags: []types.Tag{{Key: aws.String(key), Value: aws.String(value)}},
	})
	if err != nil {
		return fmt.Errorf("setting the tag: %w", tagFault(err, value))
	}
	if _, err = e.api.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{id}}); err != nil {
		return fmt.Errorf("starting: %w", translate(err))
	}
	return nil
}
