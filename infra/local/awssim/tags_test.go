package awssim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sekisho/infra/local/awssim"
)

func (w *world) createTags(t *testing.T, id string, tags ...types.Tag) error {
	_, err := w.ec2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{id}, Tags: tags})
	return err
}

func (w *world) deleteTags(t *testing.T, id string, tags ...types.Tag) error {
	_, err := w.ec2.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{id}, Tags: tags})
	return err
}

func pair(key, value string) types.Tag {
	return types.Tag{Key: aws.String(key), Value: aws.String(value)}
}

func (w *world) wantTags(t *testing.T, want map[string]string) {
	t.Helper()
	if got := w.Instances()[0].Tags; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Fatalf("tags %v, want %v", got, want)
	}
}

func TestTags(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{Tags: map[string]string{"aws:autoscaling:groupName": "fleet"}})
	asg := map[string]string{"aws:autoscaling:groupName": "fleet"}

	wantOK(t, w.createTags(t, i.ID, pair("Auth", "one"), pair("Empty", "")))
	wantOK(t, w.createTags(t, i.ID, pair("Auth", "two")))
	w.wantTags(t, map[string]string{"aws:autoscaling:groupName": "fleet", "Auth": "two", "Empty": ""})

	// with a value, only that value is deleted
	wantOK(t, w.deleteTags(t, i.ID, pair("Auth", "one"), pair("Auth", "")))
	w.wantTags(t, map[string]string{"aws:autoscaling:groupName": "fleet", "Auth": "two", "Empty": ""})
	wantOK(t, w.deleteTags(t, i.ID, pair("Auth", "two"), pair("Empty", "")))
	w.wantTags(t, asg)

	// without one, whatever it is; a tag that isn't there is no mistake
	wantOK(t, w.createTags(t, i.ID, pair("Auth", "three")))
	wantOK(t, w.deleteTags(t, i.ID, types.Tag{Key: aws.String("Auth")}, types.Tag{Key: aws.String("None")}))
	w.wantTags(t, asg)

	// and with no tag at all, every one that isn't reserved
	wantOK(t, w.createTags(t, i.ID, pair("a", "1"), pair("b", "2")))
	wantOK(t, w.deleteTags(t, i.ID))
	w.wantTags(t, asg)
}

func TestTagLimits(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{Tags: map[string]string{"aws:autoscaling:groupName": "fleet"}})
	refused := []types.Tag{
		pair("", "x"),
		pair(strings.Repeat("k", 129), "x"),
		pair("k", strings.Repeat("v", 257)),
		pair("aws:mine", "x"),
		pair("AWS:mine", "x"),
	}
	for _, bad := range refused {
		wantCode(t, w.createTags(t, i.ID, pair("fine", "x"), bad), "InvalidParameterValue")
	}
	wantCode(t, w.deleteTags(t, i.ID, pair("aws:autoscaling:groupName", "fleet")), "InvalidParameterValue")
	w.wantTags(t, map[string]string{"aws:autoscaling:groupName": "fleet"})

	// characters count, not bytes; reserved tags don't
	wantOK(t, w.createTags(t, i.ID, pair(strings.Repeat("関", 128), strings.Repeat("所", 256))))
	for n := range 49 {
		wantOK(t, w.SetTag(i.ID, fmt.Sprint("t", n), "x"))
	}
	wantCode(t, w.createTags(t, i.ID, pair("one-more", "x")), "TagLimitExceeded")
	wantOK(t, w.createTags(t, i.ID, pair("t0", "another value")))

	wantCode(t, w.createTags(t, "i-0000000000000dead", pair("a", "b")), "InvalidInstanceID.NotFound")
	wantCode(t, w.createTags(t, "vol-0000000000000dead", pair("a", "b")), "InvalidID")
}

func TestDescribeTags(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	a := w.Add(awssim.Instance{Name: "a", Tags: map[string]string{"Auth": "one"}})
	w.Add(awssim.Instance{Name: "b", Tags: map[string]string{"Auth": "two"}})
	out, err := w.ec2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: []types.Filter{
		{Name: aws.String("resource-id"), Values: []string{a.ID}},
		{Name: aws.String("key"), Values: []string{"Auth"}},
		{Name: aws.String("resource-type"), Values: []string{"instance"}},
	}})
	wantOK(t, err)
	if len(out.Tags) != 1 || *out.Tags[0].Value != "one" || *out.Tags[0].ResourceId != a.ID || out.Tags[0].ResourceType != "instance" {
		t.Errorf("described %+v", out.Tags)
	}
	_, err = w.ec2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: []types.Filter{{Name: aws.String("tag-key"), Values: []string{"x"}}}})
	wantCode(t, err, "InvalidParameterValue")

	for n := range 7 {
		wantOK(t, w.SetTag(a.ID, fmt.Sprint("t", n), "x"))
	}
	n := 0
	pages := ec2.NewDescribeTagsPaginator(w.ec2, &ec2.DescribeTagsInput{MaxResults: aws.Int32(5)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		wantOK(t, err)
		n += len(page.Tags)
	}
	if n != 11 {
		t.Errorf("%d tags on all pages, want 11", n)
	}
}
