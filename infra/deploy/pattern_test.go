package deploy_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/infra/local/awssim"
)

// TestRulesLetThroughWhatMatters puts the rules into the local AWS, whose
// EventBridge matches patterns as AWS's does, and sends events past them.
func TestRulesLetThroughWhatMatters(t *testing.T) {
	state := func(state string) string {
		return `{"source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification",
			"detail": {"instance-id": "i-1", "state": "` + state + `"}}`
	}
	called := func(name, more string) string {
		return `{"source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail",
			"detail": {"eventSource": "ec2.amazonaws.com", "eventName": "` + name + `"` + more + `}}`
	}
	compliance := func(rule, result string) string {
		return `{"source": "aws.config", "detail-type": "Config Rules Compliance Change",
			"detail": {"messageType": "ComplianceChangeNotification", "configRuleName": "` + rule + `",
				"newEvaluationResult": {"complianceType": "` + result + `"}}}`
	}
	mail := func(what string) string { return `{"source": "aws.ses", "detail-type": "` + what + `", "detail": {}}` }
	for _, c := range []struct{ event, rule string }{
		{state("pending"), "state-change"},
		{state("running"), "state-change"},
		{state("stopped"), "state-change"},
		{state("terminated"), "state-change"},
		{state("stopping"), ""},
		{state("shutting-down"), ""},
		{called("StartInstances", ""), "caller"},
		{called("RunInstances", ""), "caller"},
		{called("RunInstances", `, "errorCode": "Client.UnauthorizedOperation"`), ""},
		{called("StopInstances", ""), ""},
		{compliance("access-keys-rotated", "NON_COMPLIANT"), "config"},
		{compliance("securityhub-access-keys-rotated-ab12cd", "NON_COMPLIANT"), "config"},
		{compliance("access-keys-rotated", "COMPLIANT"), ""},
		{compliance("iam-user-unused-credentials-check", "NON_COMPLIANT"), ""},
		{mail("Email Bounced"), "mail"},
		{mail("Email Complaint Received"), "mail"},
		{mail("Email Rejected"), "mail"},
		{mail("Email Sent"), ""},
	} {
		for _, d := range deployments {
			if through := letThrough(t, d, c.event); !slices.Equal(through, strings.Fields(c.rule)) {
				t.Errorf("%s: %s goes through %v, want %q", d.file, c.event, through, c.rule)
			}
		}
	}
}

// letThrough names the rules that an event goes through; each has a queue here.
func letThrough(t *testing.T, d deployment, event string) (through []string) {
	t.Helper()
	cloud := awssim.New(awssim.Options{})
	t.Cleanup(cloud.Close)
	s := d.stack(t, everything)
	queues := make(map[string]string)
	for _, id := range s.Of("AWS::Events::Rule") {
		p := s.Resources[id].Properties
		pattern, err := json.Marshal(p["EventPattern"])
		if err != nil {
			t.Fatal(err)
		}
		name := p["Name"].(string)
		queues[id] = cloud.CreateQueue(name, time.Minute, "", 0)
		err = cloud.PutRule(awssim.Rule{Name: name, Pattern: string(pattern), Targets: []awssim.Target{{Queue: queues[id]}}})
		if err != nil {
			t.Fatal(err)
		}
	}
	cloud.Emit([]byte(event))
	for _, id := range s.Of("AWS::Events::Rule") {
		if len(cloud.Queue(queues[id]).Visible) > 0 {
			through = append(through, strings.TrimPrefix(s.Resources[id].Properties["Name"].(string), "sekisho-"))
		}
	}
	return through
}
