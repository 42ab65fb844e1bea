package awslook_test

import (
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/auth"
	"sekisho/auth/doctor"
	"sekisho/auth/rights"
	"sekisho/infra/awslook"
	"sekisho/infra/local/awssim"
)

// served is an account as the local world has it.
func served(t *testing.T) (*awssim.Cloud, *awslook.Look) {
	t.Helper()
	c := awssim.New(awssim.Options{Account: account, Region: region})
	server := httptest.NewServer(c.Handler())
	t.Cleanup(func() { c.Close(); server.Close() })
	c.SetBaseURL(server.URL)
	config := aws.Config{
		Region: region, BaseEndpoint: &server.URL, HTTPClient: server.Client(),
		Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTEST0001", "test-secret", ""),
	}
	return c, awslook.New(func(string) aws.Config { return config }, awslook.Own{})
}

func TestAgainstTheLocalAccount(t *testing.T) {
	c, look := served(t)
	who, err := look.WhoAmI(t.Context())
	if err != nil || who.Principal != "arn:aws:iam::"+account+":role/sekisho" || time.Since(who.Clock).Abs() > time.Minute {
		t.Errorf("WhoAmI: %+v, %v", who, err)
	}
	const gate = "arn:aws:lambda:eu-west-1:123456789012:function:gate"
	if err := c.PutRule(awssim.Rule{
		Name: "starts", Pattern: `{"source":["aws.ec2"]}`, Targets: []awssim.Target{{ARN: gate}},
	}); err != nil {
		t.Fatal(err)
	}
	rules, err := look.Rules(t.Context())
	if err != nil || len(rules) != 1 || !rules[0].Enabled || !slices.Equal(rules[0].Targets, []string{gate}) {
		t.Errorf("Rules: %+v, %v", rules, err)
	}
	c.PutKeyRule("us-east-1", "keys")
	keys, err := look.KeyRules(t.Context())
	if err != nil || !slices.Contains(keys, doctor.KeyRule{Name: "keys", Region: "us-east-1"}) {
		t.Errorf("KeyRules: %+v, %v", keys, err)
	}
	c.VerifyIdentity("example.com")
	c.SetSandbox(true)
	mail, err := look.Mail(t.Context(), "bot@example.com")
	if err != nil || mail != (doctor.MailFacts{Verified: true, Sandbox: true, Sending: true}) {
		t.Errorf("Mail: %+v, %v", mail, err)
	}
}

// A role as it is deployed, narrow as it is, has its rights; one that is taken
// from it, or from everybody, is named.
func TestDeniedAgainstTheLocalAccount(t *testing.T) {
	c, look := served(t)
	p := auth.Defaults()
	p.Gate.Mode, p.Gate.Guard = auth.Enforce, auth.Guard{Tags: map[string]string{"Sekisho": "guarded"}}
	needs := rights.Of(&p, auth.DoorGate)
	const stop = `{"Effect": "Allow", "Action": "ec2:StopInstances", "Resource": "arn:aws:ec2:eu-west-1:` + account + `:instance/*",
		"Condition": {"StringEquals": {"aws:ResourceTag/Sekisho": "guarded"}}},`
	const rest = `{"Effect": "Allow", "Action": ["ec2:DescribeInstances", "ec2:DescribeTags"], "Resource": "*"},
		{"Effect": "Allow", "Action": "ec2:DeleteTags", "Resource": "arn:aws:ec2:eu-west-1:` + account + `:instance/*", "Condition": {
			"StringEquals": {"aws:ResourceTag/Sekisho": "guarded"}, "ForAllValues:StringEquals": {"aws:TagKeys": ["Auth"]},
			"Null": {"aws:TagKeys": "false"}}}`
	const gate = "arn:aws:iam::" + account + ":role/sekisho-gate"
	denied := func(statements string) (names []string) {
		t.Helper()
		c.SetRole(awssim.Role{Name: "sekisho-gate", AccessKeyID: "AKIATESTTESTTEST0002", Policies: []string{
			`{"Version": "2012-10-17", "Statement": [` + statements + `]}`,
		}})
		list, err := look.Denied(t.Context(), gate, needs)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			names = append(names, r.Action)
		}
		return names
	}
	if got := denied(stop + rest); len(got) > 0 {
		t.Errorf("denied: %v", got)
	}
	if got := denied(rest); !slices.Equal(got, []string{"ec2:StopInstances"}) {
		t.Errorf("without the right to stop, denied: %v", got)
	}
	c.Deny("ec2:DeleteTags", true)
	if got := denied(stop + rest); !slices.Equal(got, []string{"ec2:DeleteTags"}) {
		t.Errorf("with a right taken from everybody, denied: %v", got)
	}
}
