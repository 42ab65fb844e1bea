package awssim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sekisho/infra/local/awssim"
)

func TestDescribeFilters(t *testing.T) {
	w := newWorld(t, awssim.Options{BootTime: never})
	w.Add(awssim.Instance{Name: "web-1", State: "running", Tags: map[string]string{"Sekisho": "guarded"}})
	w.Add(awssim.Instance{Name: "web-2", Tags: map[string]string{"Sekisho": "Guarded", "Odd": "a*b"}})
	w.Add(awssim.Instance{Name: "db", State: "pending", Tags: map[string]string{"Odd": "aXb"}})
	f := func(name string, values ...string) types.Filter { return types.Filter{Name: &name, Values: values} }
	tests := []struct {
		filters []types.Filter
		want    string
	}{
		{nil, "db web-1 web-2"},
		{[]types.Filter{f("tag:Sekisho", "guarded")}, "web-1"},
		{[]types.Filter{f("tag:Sekisho", "?uarded")}, "web-1 web-2"},
		{[]types.Filter{f("tag:sekisho", "*")}, ""},
		{[]types.Filter{f("tag-key", "Sekisho", "Odd")}, "db web-1 web-2"},
		{[]types.Filter{f("tag:Odd", "a*b")}, "db web-2"},
		{[]types.Filter{f("tag:Odd", `a\*b`)}, "web-2"},
		{[]types.Filter{f("tag:Name", "web-*"), f("instance-state-name", "pending", "running")}, "web-1"},
		{[]types.Filter{f("instance-state-name", "stop*")}, "web-2"},
		{[]types.Filter{f("tag:Name", "*e*-*2")}, "web-2"},
		{[]types.Filter{f("tag:Name", "web")}, ""},
	}
	for _, tt := range tests {
		out, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: tt.filters})
		wantOK(t, err)
		var names []string
		for _, r := range out.Reservations {
			names = append(names, nameOf(r.Instances[0]))
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != tt.want {
			t.Errorf("%d filters, first %v: got %q, want %q", len(tt.filters), tt.filters, got, tt.want)
		}
	}
	_, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: []types.Filter{f("tagkey", "x")}})
	wantCode(t, err, "InvalidParameterValue")
}

func nameOf(i types.Instance) string {
	for _, t := range i.Tags {
		if *t.Key == "Name" {
			return *t.Value
		}
	}
	return ""
}

func TestDescribePaging(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	for n := range 12 {
		w.Add(awssim.Instance{Name: fmt.Sprintf("n%02d", n)})
	}
	var sizes []int
	names := map[string]bool{}
	pages := ec2.NewDescribeInstancesPaginator(w.ec2, &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5)})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		wantOK(t, err)
		sizes = append(sizes, len(out.Reservations))
		for _, r := range out.Reservations {
			names[nameOf(r.Instances[0])] = true
		}
	}
	if !slices.Equal(sizes, []int{5, 5, 2}) || len(names) != 12 {
		t.Errorf("pages of %v with %d names, want 5, 5, 2 with 12", sizes, len(names))
	}

	for _, in := range []*ec2.DescribeInstancesInput{
		{MaxResults: aws.Int32(4)},
		{MaxResults: aws.Int32(1001)},
		{NextToken: aws.String("not-a-token")},
	} {
		_, err := w.ec2.DescribeInstances(t.Context(), in)
		wantCode(t, err, "InvalidParameterValue")
	}
	_, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{MaxResults: aws.Int32(5), InstanceIds: []string{w.Instances()[0].ID}})
	wantCode(t, err, "InvalidParameterCombination")
}

func TestDescribeShowsTheInstance(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{Name: "spot", Lifecycle: "spot", State: "running", Tags: map[string]string{"aws:autoscaling:groupName": "fleet"}})
	got := w.describe(t, i.ID)
	if got.InstanceLifecycle != "spot" || got.RootDeviceType != "ebs" || got.InstanceType != "t3.micro" ||
		*got.Placement.AvailabilityZone != "eu-central-1a" || *got.PrivateIpAddress != i.PrivateIP || !got.LaunchTime.Equal(i.LaunchTime) {
		t.Errorf("described as %+v", got)
	}
	if len(got.Tags) != 2 || *got.Tags[1].Key != "aws:autoscaling:groupName" {
		t.Errorf("tags %v", got.Tags)
	}
}
