package ec2instances_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"sekisho/auth"
	"sekisho/infra/ec2instances"
	"sekisho/infra/local/awssim"
)

func TestStopSaysWhyNot(t *testing.T) {
	cloud, account := open(t, awssim.Options{BootTime: never, StopTime: never})
	first, err := cloud.Launch(awssim.Instance{})
	if err != nil {
		t.Fatal(err)
	}
	up := func(i awssim.Instance) string { i.State = "running"; return cloud.Add(i).ID }
	protected, store := up(awssim.Instance{StopProtected: true}), up(awssim.Instance{RootDeviceType: "instance-store"})
	for name, c := range map[string]struct {
		id   string
		want error
		code string
	}{
		"first launch":   {first.ID, auth.ErrNotYet, "IncorrectInstanceState"},
		"terminated":     {cloud.Add(awssim.Instance{State: "shutting-down"}).ID, auth.ErrNotYet, "IncorrectInstanceState"},
		"protected":      {protected, auth.ErrStopProtected, "OperationNotPermitted"},
		"one-time spot":  {up(awssim.Instance{SpotOneTime: true}), auth.ErrCannotStop, "UnsupportedOperation"},
		"instance store": {store, auth.ErrCannotStop, "UnsupportedOperation"},
		"unknown":        {nowhere, auth.ErrNoInstance, "InvalidInstanceID.NotFound"},
		"malformed":      {"i-nonsense", auth.ErrNoInstance, "InvalidInstanceID.Malformed"},
	} {
		if err := account.Stop(t.Context(), c.id); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.code) {
			t.Errorf("%s: %v, want %v with EC2's code %s", name, err, c.want, c.code)
		}
	}
	steps := []error{
		account.Unprotect(t.Context(), protected), account.Stop(t.Context(), protected), account.Stop(t.Context(), protected),
		account.Terminate(t.Context(), store), account.Terminate(t.Context(), store),
	}
	if err := errors.Join(steps...); err != nil {
		t.Error(err)
	}
	for id, want := range map[string]auth.State{protected: auth.Stopping, store: auth.ShuttingDown} {
		if i, err := account.Instance(t.Context(), id); i.State != want {
			t.Errorf("is %s, error %v; want %s", i.State, err, want)
		}
	}
	for _, end := range []error{account.Terminate(t.Context(), nowhere), account.Unprotect(t.Context(), nowhere)} {
		if !errors.Is(end, auth.ErrNoInstance) {
			t.Errorf("of no instance: %v, want ErrNoInstance", end)
		}
	}
}

func TestStartAndUntag(t *testing.T) {
	cloud, account := open(t, awssim.Options{BootTime: never, StopTime: never})
	id := cloud.Add(awssim.Instance{Name: "web"}).ID
	expect := func(what string, err error, state auth.State, tags map[string]string) {
		t.Helper()
		if i, bad := account.Instance(t.Context(), id); errors.Join(err, bad) != nil || i.State != state || !maps.Equal(i.Tags, tags) {
			t.Errorf("%s: %s %v, error %v; want %s %v", what, i.State, i.Tags, errors.Join(err, bad), state, tags)
		}
	}
	with := map[string]string{"Name": "web", "Auth": "one"}
	expect("start", account.Start(t.Context(), id, "Auth", "one"), auth.Pending, with)
	expect("untag another value", account.Untag(t.Context(), id, "Auth", "two"), auth.Pending, with)
	expect("untag", account.Untag(t.Context(), id, "Auth", "one"), auth.Pending, map[string]string{"Name": "web"})
	expect("untag again", account.Untag(t.Context(), id, "Auth", "one"), auth.Pending, map[string]string{"Name": "web"})
	for _, id := range []string{nowhere, "nonsense"} {
		if err := account.Untag(t.Context(), id, "Auth", "one"); err != nil {
			t.Errorf("untagging %s: %v", id, err)
		}
		if err := account.Start(t.Context(), id, "Auth", "one"); !errors.Is(err, auth.ErrNoInstance) {
			t.Errorf("starting %s: %v, want ErrNoInstance", id, err)
		}
	}
	stopping := cloud.Add(awssim.Instance{State: "stopping"}).ID
	if err := account.Start(t.Context(), stopping, "Auth", "one"); !errors.Is(err, auth.ErrNotYet) {
		t.Errorf("starting what stops: %v, want ErrNotYet", err)
	}
}

func TestThrottlingIsOutlasted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cloud := awssim.New(awssim.Options{StopTime: never})
		defer cloud.Close()
		account := ec2instances.New(config("http://ec2.test", &http.Client{Transport: inProcess{cloud.Handler()}}))
		id := cloud.Add(awssim.Instance{State: "running"}).ID
		cloud.Throttle("StopInstances", 5)
		if err := account.Stop(t.Context(), id); err != nil {
			t.Error(err)
		}
		cloud.Throttle("StopInstances", 6)
		if err := account.Stop(t.Context(), id); err == nil || !strings.Contains(err.Error(), "RequestLimitExceeded") {
			t.Errorf("got %v, want RequestLimitExceeded", err)
		}
	})
}

// An error names EC2's code, and neither the request's credentials nor the value of a tag.
func TestErrorsKeepSecrets(t *testing.T) {
	quoting := func(code string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, "<Response><Errors><Error><Code>%s</Code><Message>not 'the-code'</Message></Error></Errors></Response>", code)
		})
	}
	refusing := awssim.New(awssim.Options{AccessKeyID: "AKIDANOTHER"})
	t.Cleanup(refusing.Close)
	for name, c := range map[string]struct {
		server http.Handler
		want   string
		is     error
	}{
		"refused":             {refusing.Handler(), "EC2: AuthFailure", nil},
		"quoted":              {quoting("InvalidParameterValue"), "tag's value", nil},
		"quoted, but known":   {quoting("IncorrectInstanceState"), auth.ErrNotYet.Error(), auth.ErrNotYet},
		"nobody is listening": {nil, "no network", nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			account := ec2instances.New(config("http://ec2.test", &http.Client{Transport: inProcess{c.server}}))
			for _, err := range []error{account.Start(t.Context(), nowhere, "Auth", "the-code"), account.Untag(t.Context(), nowhere, "Auth", "the-code")} {
				if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
					t.Fatalf("%s: %v, want %q", name, err, c.want)
				}
				for _, secret := range []string{"the-code", "AKIDTESTONLY", "test-secret", "test-session", "Signature"} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("%s: the error holds %q: %v", name, secret, err)
					}
				}
			}
		})
	}
}
