package ec2instances_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/auth"
	"sekisho/infra/ec2instances"
	"sekisho/infra/local/awssim"
)

const (
	nowhere = "i-0ffffffffffffffff"
	never   = time.Hour // a boot that no test outlives
)

func config(url string, client aws.HTTPClient) aws.Config {
	return aws.Config{
		Region: "eu-central-1", BaseEndpoint: &url, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider("AKIDTESTONLY", "test-secret-key", "test-session"),
	}
}

// open gives an account in which every list comes in pages of five.
func open(t *testing.T, opts awssim.Options) (*awssim.Cloud, *ec2instances.EC2) {
	t.Helper()
	cloud := awssim.New(opts)
	server := httptest.NewServer(inPages(t, cloud.Handler()))
	t.Cleanup(server.Close)
	t.Cleanup(cloud.Close)
	return cloud, ec2instances.New(config(server.URL, server.Client()))
}

func inPages(t *testing.T, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		form, bad := url.ParseQuery(string(body))
		if err := errors.Join(err, bad); err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(form.Get("Action"), "Describe") && !form.Has("InstanceId.1") {
			form.Set("MaxResults", "5")
		}
		for key := range form {
			if strings.HasSuffix(key, ".Value.201") {
				t.Errorf("%s has more than the 200 values that EC2 takes", key)
			}
		}
		r.Body = io.NopCloser(bytes.NewBufferString(form.Encode()))
		next.ServeHTTP(w, r)
	})
}

// inProcess is a transport without a network, for synctest bubbles.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.Handler == nil {
		return nil, errors.New("no network")
	}
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	return answer.Result(), nil
}

func ids(found []auth.Instance) []string {
	var all []string
	for _, i := range found {
		all = append(all, i.ID)
	}
	return slices.Sorted(slices.Values(all))
}

func wantIDs(t *testing.T, what string, found []auth.Instance, err error, want ...string) {
	t.Helper()
	if want = slices.Sorted(slices.Values(want)); err != nil || !slices.Equal(ids(found), want) {
		t.Errorf("%s: %v, error %v; want %v", what, ids(found), err, want)
	}
}

func TestInstance(t *testing.T) {
	cloud, account := open(t, awssim.Options{})
	launched := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	web := cloud.Add(awssim.Instance{Name: "web", State: "running", LaunchTime: launched, Tags: map[string]string{"Auth": "x"}})
	odd := cloud.Add(awssim.Instance{Type: "m5.large", SpotOneTime: true, RootDeviceType: "instance-store"})

	got, err := account.Instance(t.Context(), web.ID)
	want := auth.Instance{
		ID: web.ID, Type: "t3.micro", State: auth.Running, Tags: map[string]string{"Name": "web", "Auth": "x"},
		LaunchTime: launched, Account: "111122223333", Region: "eu-central-1", RootDevice: "ebs",
	}
	if err != nil || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
		t.Errorf("got  %#v, error %v\nwant %#v", got, err, want)
	}
	if got, err := account.Instance(t.Context(), odd.ID); err != nil || !got.Spot || got.RootDevice != "instance-store" || got.Type != "m5.large" {
		t.Errorf("got %+v, error %v; want a spot instance with an instance store", got, err)
	}
	for _, id := range []string{nowhere, "i-nonsense", "nonsense"} {
		if _, err := account.Instance(t.Context(), id); !errors.Is(err, auth.ErrNoInstance) {
			t.Errorf("%s: %v, want ErrNoInstance", id, err)
		}
	}
	silent := inProcess{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<DescribeInstancesResponse><reservationSet/></DescribeInstancesResponse>")
	})}
	account = ec2instances.New(config("http://ec2.test", &http.Client{Transport: silent}))
	if _, err := account.Instance(t.Context(), nowhere); !errors.Is(err, auth.ErrNoInstance) {
		t.Errorf("an empty answer: %v, want ErrNoInstance", err)
	}
}

func TestTagsOfAllPages(t *testing.T) {
	cloud, account := open(t, awssim.Options{})
	want := map[string]string{"Empty": ""}
	for n := range 12 {
		want[fmt.Sprint("k", n)] = fmt.Sprint("v", n)
	}
	web := cloud.Add(awssim.Instance{Tags: want})
	cloud.Add(awssim.Instance{Tags: map[string]string{"Other": "x"}})
	cloud.HideTags(web.ID, 1) // from DescribeInstances: this read goes another way
	if got, err := account.Tags(t.Context(), web.ID); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, error %v; want %v", got, err, want)
	}
	if got, err := account.Tags(t.Context(), nowhere); err != nil || len(got) > 0 {
		t.Errorf("of no instance: %v, error %v; want no tags", got, err)
	}
}

func TestNamedTakesNamesLiterally(t *testing.T) {
	cloud, account := open(t, awssim.Options{})
	byName := make(map[string]string)
	for _, name := range []string{"web", "web-1", "w*", "we?", `w\eb`, `w\\eb`} {
		byName[name] = cloud.Add(awssim.Instance{Name: name}).ID
	}
	for name, id := range byName {
		found, err := account.Named(t.Context(), name)
		wantIDs(t, name, found, err, id)
	}
	if err := cloud.Terminate(byName["web"]); err != nil {
		t.Fatal(err)
	}
	cloud.Add(awssim.Instance{Name: "web", State: "shutting-down"})
	found, err := account.Named(t.Context(), "web")
	wantIDs(t, "terminated", found, err)
}

func TestGuarded(t *testing.T) {
	cloud, account := open(t, awssim.Options{})
	tags := map[string]string{"Sekisho": "guarded", "Env": `pr*d\eu`}
	var tagged []string
	for n := range 12 { // three pages
		state := []string{"pending", "running", "stopping", "stopped"}[n%4]
		tagged = append(tagged, cloud.Add(awssim.Instance{State: state, Tags: tags}).ID)
	}
	half := cloud.Add(awssim.Instance{Tags: map[string]string{"Sekisho": "guarded"}}).ID
	plain := cloud.Add(awssim.Instance{}).ID
	gone := cloud.Add(awssim.Instance{Tags: tags}).ID
	if err := cloud.Terminate(gone); err != nil {
		t.Fatal(err)
	}
	cloud.Add(awssim.Instance{Tags: tags, State: "shutting-down"})

	many := []string{gone, nowhere, plain} // on the first of two queries, and half on the second
	for n := range 250 {
		many = append(many, fmt.Sprintf("i-%08x", n))
	}
	many = append(many, half)
	for name, c := range map[string]struct {
		guard auth.Guard
		want  []string
	}{
		"all of the tags":    {auth.Guard{Tags: tags}, tagged},
		"ids":                {auth.Guard{Instances: many}, []string{plain, half}},
		"either, each once":  {auth.Guard{Tags: tags, Instances: []string{tagged[0], plain}}, append(slices.Clone(tagged), plain)},
		"everything":         {auth.Guard{All: true}, append(slices.Clone(tagged), plain, half)},
		"everything, except": {auth.Guard{All: true, Except: tagged[1:]}, []string{tagged[0], plain, half}},
		"nothing":            {auth.Guard{}, nil},
	} {
		found, err := account.Guarded(t.Context(), c.guard)
		wantIDs(t, name, found, err, c.want...)
	}
}
