package awslook

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"sekisho/auth/doctor"
)

// Mail keeps the promise of doctor.AWS.
func (l *Look) Mail(ctx context.Context, from string) (doctor.MailFacts, error) {
	names := identities(from)
	if len(names) == 0 {
		return doctor.MailFacts{}, fmt.Errorf("%.80q is not a mail address", from)
	}
	account, err := l.ses.GetAccount(ctx, &sesv2.GetAccountInput{})
	if err != nil {
		return doctor.MailFacts{}, failed("ses:GetAccount", "*", err)
	}
	facts := doctor.MailFacts{
		Sandbox: !account.ProductionAccessEnabled,
		// The first is the account's own switch, the second AWS's:
		// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetAccount.html
		Sending: account.SendingEnabled && aws.ToString(account.EnforcementStatus) != "SHUTDOWN",
	}
	var unseen error
	for _, name := range names {
		verified, err := l.verified(ctx, name)
		if verified {
			facts.Verified = true
			return facts, nil
		}
		if err != nil { // a narrow policy allows to look at one of them alone
			unseen = err
		}
	}
	return facts, unseen
}

func (l *Look) verified(ctx context.Context, identity string) (bool, error) {
	out, err := l.ses.GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: &identity})
	if code, _ := told(err); code == "NotFoundException" {
		return false, nil
	}
	if err != nil {
		return false, failed("ses:GetEmailIdentity", "*", err)
	}
	return out.VerifiedForSendingStatus, nil
}
