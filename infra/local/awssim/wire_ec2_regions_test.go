package awssim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sekisho/infra/local/awssim"
)

func TestDescribeRegions(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	byName := types.Filter{Name: aws.String("region-name"), Values: []string{"eu-*"}}
	for name, tt := range map[string]struct {
		in   ec2.DescribeRegionsInput
		want []string
	}{
		"all":         {ec2.DescribeRegionsInput{AllRegions: aws.Bool(true)}, []string{"eu-central-1", "eu-west-1", "us-east-1"}},
		"enabled":     {ec2.DescribeRegionsInput{}, []string{"eu-central-1", "eu-west-1", "us-east-1"}},
		"by name":     {ec2.DescribeRegionsInput{RegionNames: []string{"us-east-1"}}, []string{"us-east-1"}},
		"by a filter": {ec2.DescribeRegionsInput{Filters: []types.Filter{byName}}, []string{"eu-central-1", "eu-west-1"}},
	} {
		out, err := w.ec2.DescribeRegions(t.Context(), &tt.in)
		wantOK(t, err)
		var names []string
		for _, r := range out.Regions {
			names = append(names, *r.RegionName)
			if *r.Endpoint != "ec2."+*r.RegionName+".amazonaws.com" || *r.OptInStatus != "opt-in-not-required" {
				t.Errorf("%s: region %+v", name, r)
			}
		}
		if !slices.Equal(names, tt.want) {
			t.Errorf("%s: regions %q, want %q", name, names, tt.want)
		}
	}
}

// A home that is one of the others leaves two.
func TestRegionsAreDifferent(t *testing.T) {
	c := awssim.New(awssim.Options{Region: "us-east-1"})
	defer c.Close()
	client, _ := clients(inProcess{c.Handler()}, "http://aws.test", testKey, "us-east-1")
	out, err := client.DescribeRegions(t.Context(), &ec2.DescribeRegionsInput{})
	wantOK(t, err)
	if len(out.Regions) != 2 {
		t.Errorf("%d regions, want 2", len(out.Regions))
	}
}

func TestDescribeRegionsRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	for _, tt := range []struct {
		in   ec2.DescribeRegionsInput
		code string
	}{
		{ec2.DescribeRegionsInput{RegionNames: []string{"mars-1"}}, "InvalidParameterValue"},
		{ec2.DescribeRegionsInput{Filters: []types.Filter{{Name: aws.String("colour"), Values: []string{"red"}}}}, "InvalidParameterValue"},
		{ec2.DescribeRegionsInput{DryRun: aws.Bool(true)}, "DryRunOperation"},
	} {
		_, err := w.ec2.DescribeRegions(t.Context(), &tt.in)
		wantCode(t, err, tt.code)
	}
	status, text := w.byHand(t, http.MethodPost, "/", "ec2", "", "Action=DescribeRegions&Version=2016-11-15&Colour.1=red")
	if status != http.StatusBadRequest || !strings.Contains(text, "<Code>UnknownParameter</Code>") {
		t.Errorf("an unknown parameter: %d %s", status, text)
	}
}
