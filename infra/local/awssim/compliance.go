package awssim

import "time"

// What AWS Config's rule access-keys-rotated says of users: NON_COMPLIANT with an active key older than maxKeyAge.
// https://docs.aws.amazon.com/config/latest/developerguide/access-keys-rotated.html
//
// Config evaluates when it likes, every some hours. Here it does so when it is told to, and reads the truth.

const maxKeyAge = 90 * 24 * time.Hour

// userType is what Config calls an IAM user.
const userType = "AWS::IAM::User"

// CheckCompliance is the rule's evaluation of one user. It sends an event when the user's compliance isn't what it was
// the last time; the first time, always.
func (c *Cloud) CheckCompliance(user string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.iam.user(user)
	if err != nil {
		return err
	}
	c.evaluate(a)
	return nil
}

// CheckAll is CheckCompliance of every user, by name.
func (c *Cloud) CheckAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.iam.sorted {
		c.evaluate(a)
	}
}

// evaluation is one look of the rule at a user, and what came of it.
type evaluation struct {
	compliance string
	at         time.Time
}

// evaluate judges a user and tells of a change, if there is a rule that does. The caller holds mu.
func (c *Cloud) evaluate(a *keyholder) {
	rule, there := c.judging()
	if !there {
		return
	}
	now := evaluation{"COMPLIANT", c.opts.Now()}
	for _, k := range a.Keys {
		if k.Active && now.at.Sub(k.Created) > maxKeyAge {
			now.compliance = "NON_COMPLIANT"
		}
	}
	last := a.judged
	a.judged = &now
	if last != nil && last.compliance == now.compliance {
		return
	}
	detail := complianceDetail{
		ResourceID:   a.ID,
		Region:       c.opts.Region,
		Account:      c.opts.Account,
		Rule:         c.opts.KeyRule,
		Version:      "1.0",
		RuleARN:      rule.arn(c),
		Message:      "ComplianceChangeNotification",
		New:          c.result(a, now),
		Told:         milliseconds(now.at),
		ResourceType: userType,
	}
	if last != nil {
		old := c.result(a, *last)
		detail.Old = &old
	}
	c.emit(c.envelope("aws.config", "Config Rules Compliance Change", now.at.UTC().Format(time.RFC3339), []string{}, detail))
}

// complianceDetail is what Config tells of a change.
// https://docs.aws.amazon.com/config/latest/developerguide/example-config-rule-compliance-notification.html
type complianceDetail struct {
	ResourceID   string            `json:"resourceId"` // "AIDA…": the id, not the name
	Region       string            `json:"awsRegion"`
	Account      string            `json:"awsAccountId"`
	Rule         string            `json:"configRuleName"`
	Version      string            `json:"recordVersion"`
	RuleARN      string            `json:"configRuleARN"` // so spelt in events alone
	Message      string            `json:"messageType"`
	New          evaluationResult  `json:"newEvaluationResult"`
	Old          *evaluationResult `json:"oldEvaluationResult,omitempty"` // missing the first time
	Told         string            `json:"notificationCreationTime"`
	ResourceType string            `json:"resourceType"`
}

type evaluationResult struct {
	Identifier resultIdentifier `json:"evaluationResultIdentifier"`
	Compliance string           `json:"complianceType"`
	Recorded   string           `json:"resultRecordedTime"`
	Invoked    string           `json:"configRuleInvokedTime"`
}

type resultIdentifier struct {
	Qualifier resultQualifier `json:"evaluationResultQualifier"`
	Order     string          `json:"orderingTimestamp"`
}

type resultQualifier struct {
	Rule         string `json:"configRuleName"`
	ResourceType string `json:"resourceType"`
	ResourceID   string `json:"resourceId"`
}

func (c *Cloud) result(a *keyholder, e evaluation) evaluationResult {
	at := milliseconds(e.at)
	return evaluationResult{
		Identifier: resultIdentifier{resultQualifier{c.opts.KeyRule, userType, a.ID}, at},
		Compliance: e.compliance,
		Recorded:   at,
		Invoked:    at,
	}
}

// milliseconds is how Config writes the times inside an event.
func milliseconds(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
