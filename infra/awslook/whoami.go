package awslook

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"

	"sekisho/auth/doctor"
)

// WhoAmI keeps the promise of doctor.AWS. AWS allows it to everyone. The account's
// root is an error: no policy holds it back.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (l *Look) WhoAmI(ctx context.Context) (doctor.Identity, error) {
	const action = "sts:GetCallerIdentity"
	out, err := l.sts.GetCallerIdentity(ctx, nil)
	if err != nil {
		return doctor.Identity{}, failed(action, "*", err)
	}
	whose, err := principal(aws.ToString(out.Arn))
	if err != nil {
		return doctor.Identity{}, fmt.Errorf("%s: %w", action, err)
	}
	clock, _ := middleware.GetServerTime(out.ResultMetadata)
	return doctor.Identity{
		ARN: aws.ToString(out.Arn), Principal: whose, Account: aws.ToString(out.Account), Region: l.region, Clock: clock,
	}, nil
}

// principal is whose policies count for a caller. The session of a role does not
// say the role's path, and reading it would need iam:GetRole: the roles of
// infra/deploy have none.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
func principal(caller string) (string, error) {
	a, err := arn.Parse(caller)
	if err != nil {
		return "", fmt.Errorf("the answer does not say who the bot is, but %.80q", caller)
	}
	kind, name, _ := strings.Cut(a.Resource, "/")
	switch {
	case a.Service == "iam" && a.Resource == "root":
		return "", errors.New("these are the credentials of the account's root user, whom no policy holds back: " +
			"give the bot a role of its own")
	case a.Service == "iam" && kind == "user":
		return caller, nil
	case a.Service == "sts" && kind == "assumed-role":
		role, _, _ := strings.Cut(name, "/")
		a.Service, a.Resource = "iam", "role/"+role
		return a.String(), nil
	}
	return "", fmt.Errorf("%s is neither a role nor a user: give the bot a role of its own", caller)
}
