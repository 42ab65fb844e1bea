package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sekisho/auth/purge"
)

// complianceChange is what is read of AWS Config's word on one resource:
// https://docs.aws.amazon.com/config/latest/developerguide/example-config-rule-compliance-notification.html
type complianceChange struct {
	Message  string `json:"messageType"`
	Rule     string `json:"configRuleName"`
	Account  string `json:"awsAccountId"`
	Region   string `json:"awsRegion"`
	Resource string `json:"resourceId"`
	Type     string `json:"resourceType"`
	New      struct {
		Compliance string `json:"complianceType"`
	} `json:"newEvaluationResult"`
}

// keysRotated is AWS's managed rule; conformance packs and Security Hub put
// something before and behind its name:
// https://docs.aws.amazon.com/config/latest/developerguide/access-keys-rotated.html
const keysRotated = "access-keys-rotated"

// names says whether the event speaks of a user, or a key, that the rule found
// too old.
func (c complianceChange) names() bool {
	return c.Message == "ComplianceChangeNotification" && c.New.Compliance == "NON_COMPLIANT" &&
		strings.Contains(strings.ToLower(c.Rule), keysRotated) && (strings.HasPrefix(c.Type, "AWS::IAM::") || c.Type == "")
}

// compliance answers AWS Config: the user whom it names is looked at at once,
// and not only with the next sweep. The same user from several Regions comes to
// the same keys, of which each has one record.
func compliance(ctx context.Context, d *Desk, e Event) error {
	c, err := read[complianceChange](e)
	if err != nil || d.Purge == nil || !c.names() {
		return err
	}
	if c.Resource == "" {
		return fmt.Errorf("event %q (%s) names nobody: detail.resourceId is empty", e.ID, e.DetailType)
	}
	account, err := d.Purge.Account(ctx)
	if err != nil {
		return err
	}
	if c.Account != account {
		d.Log.WarnContext(ctx, "an event of another account", "event", e.ID, "account", c.Account)
		return nil
	}
	u, err := d.Purge.Find(ctx, c.Region, c.Resource)
	if errors.Is(err, purge.ErrGone) {
		d.Log.InfoContext(ctx, "AWS Config speaks of somebody whom IAM does not know (any more)", "resource", c.Resource)
		return nil
	}
	var denied *purge.Denied
	if errors.As(err, &denied) {
		return d.missingPermission(ctx, denied)
	}
	if err != nil {
		return err
	}
	var failed []error
	for _, k := range u.Keys {
		if k.Used != nil { // those that matter
			_, err := d.attendToKey(ctx, keyTask{Ref: purge.Ref{ID: k.ID, User: u.Name}}, &u)
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}
