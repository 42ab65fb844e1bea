package iamkeys_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"sekisho/auth/purge"
)

func identity(user, account string) answer {
	return answer{body: "<Arn>arn:aws:sts::111122223333:x</Arn><UserId>" + user + "</UserId><Account>" + account + "</Account>"}
}

func TestWhoAmI(t *testing.T) {
	for _, id := range []string{"AROATESTTESTTESTTEST:sekisho", "AIDATESTTESTTESTTEST"} {
		account, cloud := open(identity(id, "111122223333"))
		got, err := account.WhoAmI(t.Context())
		want(t, id, got, err, purge.Self{Account: "111122223333", UserID: id, KeyID: "AKIATESTTESTTESTSELF"})
		cloud.wantCalls(t, "sts.eu-central-1.amazonaws.com Action=GetCallerIdentity")
	}
	for _, half := range []answer{{}, identity("", "111122223333"), identity("AIDATEST", "")} {
		account, _ := open(half)
		if got, err := account.WhoAmI(t.Context()); err == nil || got != (purge.Self{}) {
			t.Errorf("%q: %v, error %v; want an error", half.body, got, err)
		}
	}
}

func TestNamed(t *testing.T) {
	const id = "AIDATESTTESTTESTTEST"
	found := func(resources string) answer { return answer{body: `{"resourceIdentifiers":[` + resources + `]}`} }
	for what, c := range map[string]struct {
		answer answer
		want   string
	}{
		"found":        {found(`{"resourceType":"AWS::IAM::User","resourceId":"` + id + `","resourceName":"ann"}`), "ann"},
		"without name": {found(`{"resourceType":"AWS::IAM::User","resourceId":"` + id + `"}`), ""},
		"another":      {found(`{"resourceType":"AWS::IAM::User","resourceId":"AIDAOTHER","resourceName":"ben"}`), ""},
		"nothing":      {found(""), ""},
	} {
		for region, host := range map[string]string{"us-west-2": "config.us-west-2.amazonaws.com", "": "config.eu-central-1.amazonaws.com"} {
			account, cloud := open(c.answer)
			got, err := account.Named(t.Context(), region, id)
			want(t, what, got, err, c.want)
			cloud.wantCalls(t, host+` StarlingDoveService.ListDiscoveredResources {"resourceIds":["`+id+`"],"resourceType":"AWS::IAM::User"}`)
		}
	}
	account, _ := open(answer{code: "NoAvailableConfigurationRecorderException"})
	_, err := account.Named(t.Context(), "eu-west-1", id)
	if err == nil || !strings.Contains(err.Error(), "NoAvailableConfigurationRecorderException: so it is") {
		t.Errorf("without a recorder: %v, want an error", err)
	}
}

// A region comes with an event, which anybody may have written, and stands in a
// host's name.
func TestNoRegionLeadsElsewhere(t *testing.T) {
	for _, region := range []string{"evil.example/", "eu-west-1.evil.example", "EU", "eu west", strings.Repeat("a", 40)} {
		account, cloud := open(answer{body: `{}`})
		if _, err := account.Named(t.Context(), region, "AIDATEST"); err == nil || !strings.Contains(err.Error(), "is no AWS region") {
			t.Errorf("%q: %v", region, err)
		}
		cloud.wantCalls(t)
	}
	account, cloud := open(answer{body: `{}`})
	_, err := account.Named(t.Context(), "cn-north-1", "AIDATEST")
	if err != nil || len(cloud.calls) != 1 || !strings.HasPrefix(cloud.calls[0], "config.cn-north-1.amazonaws.com.cn ") {
		t.Errorf("in China: %v, %q", err, cloud.calls)
	}
}

// What is only busy is asked three times; what is refused, once.
func TestWhoIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account, cloud := open(answer{code: "ThrottlingException"}, answer{code: "ThrottlingException"}, answer{body: `{}`})
		if _, err := account.Named(t.Context(), "", "AIDATEST"); err != nil || len(cloud.calls) != 3 {
			t.Errorf("busy twice: %v, %d calls", err, len(cloud.calls))
		}
		account, cloud = open(answer{code: "ThrottlingException"})
		if _, err := account.Named(t.Context(), "", "AIDATEST"); err == nil || len(cloud.calls) != 3 {
			t.Errorf("busy for good: %v, %d calls", err, len(cloud.calls))
		}
		account, cloud = open(answer{code: "AccessDenied"})
		if _, err := account.WhoAmI(t.Context()); err == nil || len(cloud.calls) != 1 {
			t.Errorf("refused: %v, %d calls", err, len(cloud.calls))
		}
	})
}
