package awslook_test

import (
	"fmt"
	"testing"

	"sekisho/auth/doctor"
	"sekisho/infra/awslook"
)

func caller(arn string) func(call) (string, error) {
	return func(call) (string, error) {
		return fmt.Sprintf("<Arn>%s</Arn><UserId>AROATEST:bot</UserId><Account>%s</Account>", arn, account), nil
	}
}

func TestWhoAmI(t *testing.T) {
	for arn, principal := range map[string]string{
		"arn:aws:sts::123456789012:assumed-role/sekisho-keeper/i-1": role,
		"arn:aws-cn:sts::123456789012:assumed-role/bot/session":     "arn:aws-cn:iam::123456789012:role/bot",
		"arn:aws:iam::123456789012:user/team/hana":                  "arn:aws:iam::123456789012:user/team/hana",
	} {
		look, _ := open(awslook.Own{}, caller(arn))
		got, err := look.WhoAmI(t.Context())
		if err != nil || got != (doctor.Identity{ARN: arn, Principal: principal, Account: account, Region: region, Clock: now}) {
			t.Errorf("%s: got %+v, %v; want the principal %s", arn, got, err, principal)
		}
	}
}

func TestWhoAmINot(t *testing.T) {
	for arn, want := range map[string]string{
		"arn:aws:iam::123456789012:root":                "root user",
		"arn:aws:sts::123456789012:federated-user/hana": "neither a role nor a user",
		"": "does not say who the bot is",
	} {
		look, _ := open(awslook.Own{}, caller(arn))
		_, err := look.WhoAmI(t.Context())
		wantError(t, err, "sts:GetCallerIdentity: ", want)
	}
}
