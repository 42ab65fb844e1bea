package iamkeys_test

import (
	"strings"
	"testing"

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
