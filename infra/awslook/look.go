// Package awslook looks at an AWS account for the doctor. It changes nothing.
package awslook

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sekisho/auth/doctor"
)

// Look is one account, seen from one Region.
type Look struct {
	own    Own
	region string

	sts    *sts.Client
	iam    *iam.Client
	ec2    *ec2.Client
	events *eventbridge.Client
	config *configservice.Client
	ses    *sesv2.Client
}

var _ doctor.AWS = (*Look)(nil)

// Own is what the bot's rights may be limited to.
type Own struct {
	Queues   []string // URLs
	UserPath string   // of the IAM users that it looks after, "/people/"; empty: of all
	Senders  []string // of mail: "bot@example.com"
}

// New makes the adapter. Config gives the configuration for one service, by the
// SDK's name for it.
func New(config func(service string) aws.Config, own Own) *Look {
	return &Look{
		own:    own,
		region: config("ec2").Region,
		sts:    sts.NewFromConfig(config("sts")),
		iam:    iam.NewFromConfig(config("iam")),
		ec2:    ec2.NewFromConfig(config("ec2")),
		events: eventbridge.NewFromConfig(config("eventbridge")),
		config: configservice.NewFromConfig(config("config_service")),
		ses:    sesv2.NewFromConfig(config("sesv2")),
	}
}
