package local

import "sekisho/infra/local/awssim"

// rules are the account's EventBridge rules, as the README has them; those of EC2 let more through, which the bot must ignore.
func rules(queue string) []awssim.Rule {
	to := []awssim.Target{{Queue: queue}}
	return []awssim.Rule{
		{Name: "sekisho-starts", Targets: to, Pattern: `{"source": ["aws.ec2"], "detail-type": ["EC2 Instance State-change Notification"]}`},
		{Name: "sekisho-callers", Targets: to, Pattern: `{"source": ["aws.ec2"], "detail-type": ["AWS API Call via CloudTrail"]}`},
		{Name: "sekisho-config", Targets: to, Pattern: `{"source": ["aws.config"], "detail-type": ["Config Rules Compliance Change"],
			"detail": {"messageType": ["ComplianceChangeNotification"], "configRuleName": [{"wildcard": "*access-keys-rotated*"}],
				"newEvaluationResult": {"complianceType": ["NON_COMPLIANT"]}}}`},
		{Name: "sekisho-mail", Targets: to, Pattern: `{"source": ["aws.ses"],
			"detail-type": ["Email Bounced", "Email Complaint Received", "Email Rejected"]}`},
	}
}

// aimEvents makes the rules.
func (w *World) aimEvents() {
	for _, r := range rules(w.queue) {
		if err := w.AWS.PutRule(r); err != nil {
			panic("local: the world's rules: " + err.Error()) // unreachable
		}
	}
}
