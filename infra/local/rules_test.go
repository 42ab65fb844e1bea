package local

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
)

func TestRulesAimAtTheQueue(t *testing.T) {
	_, base := newWorld(t, Options{})
	bridge := eventbridge.NewFromConfig(aws.Config{
		Region:       region,
		Credentials:  credentials.NewStaticCredentialsProvider(accessKeyID, secretAccessKey, ""),
		BaseEndpoint: aws.String(base + "/aws/"),
	})
	listed, err := bridge.ListRules(t.Context(), &eventbridge.ListRulesInput{NamePrefix: aws.String("sekisho-")})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range listed.Rules {
		names = append(names, *r.Name)
		to, err := bridge.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: r.Name})
		if err != nil {
			t.Fatal(err)
		}
		if len(to.Targets) != 1 || *to.Targets[0].Arn != "arn:aws:sqs:"+region+":"+account+":"+queueName {
			t.Errorf("%s has the targets %+v", *r.Name, to.Targets)
		}
	}
	if !slices.Equal(names, []string{"sekisho-callers", "sekisho-config", "sekisho-mail", "sekisho-starts"}) {
		t.Errorf("the rules are %q", names)
	}
}

// The queue hears what the bot goes by, and nothing else of the account.
func TestRulesLetThrough(t *testing.T) {
	w, _ := newWorld(t, Options{})
	const config = `"source":"aws.config","detail-type":"Config Rules Compliance Change"`
	for event, want := range map[string]bool{
		`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification"}`:                       true,
		`{"source":"aws.ec2","detail-type":"AWS API Call via CloudTrail"}`:                                  true,
		`{"source":"aws.ec2","detail-type":"EC2 Spot Instance Interruption Warning"}`:                       false,
		`{"source":"aws.s3","detail-type":"AWS API Call via CloudTrail"}`:                                   false,
		`{"source":"aws.ses","detail-type":"Email Complaint Received"}`:                                     true,
		`{"source":"aws.ses","detail-type":"Email Delivered"}`:                                              false,
		`{` + config + `,"detail":` + judged("securityhub-access-keys-rotated-0a1b", "NON_COMPLIANT") + `}`: true,
		`{` + config + `,"detail":` + judged("access-keys-rotated", "COMPLIANT") + `}`:                      false,
		`{` + config + `,"detail":` + judged("restricted-ssh", "NON_COMPLIANT") + `}`:                       false,
	} {
		before := len(w.AWS.Queue(w.queue).Visible)
		w.AWS.Emit([]byte(event))
		if got := len(w.AWS.Queue(w.queue).Visible) > before; got != want {
			t.Errorf("%s arrives: %t, want %t", event, got, want)
		}
	}
}

func judged(rule, compliance string) string {
	return `{"messageType":"ComplianceChangeNotification","configRuleName":"` + rule + `","newEvaluationResult":{"complianceType":"` + compliance + `"}}`
}
