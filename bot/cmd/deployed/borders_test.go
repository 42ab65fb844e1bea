package deployed

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/smithy-go"
)

// probe is a call that no role of the bot may make, although some may do the
// same to what is theirs.
type probe struct {
	actions []string // that IAM is asked about
	what    string
	call    func(context.Context, aws.Config) error
}

// probes go just beyond the borders: an instance that is not guarded, a user
// elsewhere, another tag, queue, role, sender or secret.
func (a *account) probes() []probe {
	web, sandbox := a.instance("web-1"), a.instance("sandbox-1")
	others := a.AWS.CreateQueue("others", time.Minute, "", 0)
	secret := a.AWS.PutSecret("others", "test")
	a.AWS.PutParameter("/others/secret", "test", true)
	a.AWS.VerifyIdentity("others@example.com")
	a.AWS.AddConfigurationSet("others")
	machine, _ := a.AWS.User("ci-deploy")
	key := machine.Keys[0].ID
	return slices.Concat([]probe{
		{[]string{"ec2:StopInstances"}, "an instance that is not guarded", stop(sandbox.ID)},
		{[]string{"ec2:StopInstances"}, "one with it", stop(web.ID, sandbox.ID)},
		{[]string{"ec2:StartInstances"}, "an instance that is not guarded", func(ctx context.Context, c aws.Config) error {
			_, err := ec2.NewFromConfig(c).StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: []string{sandbox.ID}})
			return err
		}},
		{[]string{"ec2:TerminateInstances"}, "an instance that is not guarded", func(ctx context.Context, c aws.Config) error {
			_, err := ec2.NewFromConfig(c).TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{sandbox.ID}})
			return err
		}},
		{[]string{"ec2:DeleteTags"}, "of an instance that is not guarded", untag(sandbox.ID, passTag)},
		{[]string{"ec2:DeleteTags"}, "the guard", untag(web.ID, "Sekisho")},
		{[]string{"ec2:DeleteTags"}, "the guard with the pass", untag(web.ID, passTag, "Sekisho")},
		{[]string{"ec2:DeleteTags"}, "all", untag(web.ID)},
		{[]string{"ec2:CreateTags"}, "of an instance that is not guarded", tag(sandbox.ID, passTag)},
		{[]string{"ec2:CreateTags"}, "another than the pass", tag(web.ID, "Auth")},
		{[]string{"ec2:CreateTags"}, "another with the pass", tag(web.ID, passTag, "Auth")},
		{[]string{"ec2:ModifyInstanceAttribute"}, "of an instance that is not guarded", modify(&ec2.ModifyInstanceAttributeInput{
			InstanceId: &sandbox.ID, DisableApiStop: &ec2types.AttributeBooleanValue{Value: aws.Bool(false)},
		})},
		{[]string{"ec2:ModifyInstanceAttribute"}, "to protect an instance", modify(&ec2.ModifyInstanceAttributeInput{
			InstanceId: &web.ID, DisableApiStop: &ec2types.AttributeBooleanValue{Value: aws.Bool(true)},
		})},
		{[]string{"ec2:ModifyInstanceAttribute"}, "another than stop protection", modify(&ec2.ModifyInstanceAttributeInput{
			InstanceId: &web.ID, DisableApiTermination: &ec2types.AttributeBooleanValue{Value: aws.Bool(false)},
		})},
		{[]string{"iam:UpdateAccessKey"}, "of a user elsewhere", func(ctx context.Context, c aws.Config) error {
			_, err := iam.NewFromConfig(c).UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{
				UserName: &machine.Name, AccessKeyId: &key, Status: iamtypes.StatusTypeInactive,
			})
			return err
		}},
		{[]string{"iam:DeleteAccessKey"}, "of a user elsewhere", func(ctx context.Context, c aws.Config) error {
			_, err := iam.NewFromConfig(c).DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &machine.Name, AccessKeyId: &key})
			return err
		}},
		{[]string{"iam:SimulatePrincipalPolicy"}, "another's role", func(ctx context.Context, c aws.Config) error {
			_, err := iam.NewFromConfig(c).SimulatePrincipalPolicy(ctx, &iam.SimulatePrincipalPolicyInput{
				PolicySourceArn: aws.String("arn:aws:iam::111122223333:role/sekisho-scheduler"), ActionNames: []string{"sqs:SendMessage"},
			})
			return err
		}},
		{[]string{"ses:SendEmail", "ses:SendRawEmail"}, "from another sender", mail("others@example.com", "reports")},
		{[]string{"ses:SendEmail", "ses:SendRawEmail"}, "with another configuration set", mail("bot@example.com", "others")},
		{[]string{"ses:GetEmailIdentity"}, "another sender", func(ctx context.Context, c aws.Config) error {
			_, err := sesv2.NewFromConfig(c).GetEmailIdentity(ctx, &sesv2.GetEmailIdentityInput{EmailIdentity: aws.String("others@example.com")})
			return err
		}},
		{[]string{"secretsmanager:GetSecretValue"}, "another", func(ctx context.Context, c aws.Config) error {
			_, err := secretsmanager.NewFromConfig(c).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &secret})
			return err
		}},
		{[]string{"ssm:GetParameter"}, "another", parameter("/others/secret")},
	}, queueProbes(others))
}

func queueProbes(others string) []probe {
	const what = "another queue"
	return []probe{
		{[]string{"sqs:SendMessage"}, what, func(ctx context.Context, c aws.Config) error {
			_, err := sqs.NewFromConfig(c).SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &others, MessageBody: aws.String("test")})
			return err
		}},
		{[]string{"sqs:ReceiveMessage"}, what, func(ctx context.Context, c aws.Config) error {
			_, err := sqs.NewFromConfig(c).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &others})
			return err
		}},
		{[]string{"sqs:DeleteMessage"}, what, func(ctx context.Context, c aws.Config) error {
			_, err := sqs.NewFromConfig(c).DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &others, ReceiptHandle: aws.String("test")})
			return err
		}},
		{[]string{"sqs:ChangeMessageVisibility"}, what, func(ctx context.Context, c aws.Config) error {
			_, err := sqs.NewFromConfig(c).ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
				QueueUrl: &others, ReceiptHandle: aws.String("test"), VisibilityTimeout: 1,
			})
			return err
		}},
		{[]string{"sqs:GetQueueAttributes"}, what, func(ctx context.Context, c aws.Config) error {
			_, err := sqs.NewFromConfig(c).GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &others})
			return err
		}},
	}
}

func stop(ids ...string) func(context.Context, aws.Config) error {
	return func(ctx context.Context, c aws.Config) error {
		_, err := ec2.NewFromConfig(c).StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
		return err
	}
}

func tags(keys []string) (all []ec2types.Tag) {
	for _, k := range keys {
		all = append(all, ec2types.Tag{Key: &k})
	}
	return all
}

func untag(id string, keys ...string) func(context.Context, aws.Config) error {
	return func(ctx context.Context, c aws.Config) error {
		_, err := ec2.NewFromConfig(c).DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: tags(keys)})
		return err
	}
}

func tag(id string, keys ...string) func(context.Context, aws.Config) error {
	return func(ctx context.Context, c aws.Config) error {
		_, err := ec2.NewFromConfig(c).CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{id}, Tags: tags(keys)})
		return err
	}
}

func modify(in *ec2.ModifyInstanceAttributeInput) func(context.Context, aws.Config) error {
	return func(ctx context.Context, c aws.Config) error {
		_, err := ec2.NewFromConfig(c).ModifyInstanceAttribute(ctx, in)
		return err
	}
}

func mail(from, configurationSet string) func(context.Context, aws.Config) error {
	return func(ctx context.Context, c aws.Config) error {
		_, err := sesv2.NewFromConfig(c).SendEmail(ctx, &sesv2.SendEmailInput{
			FromEmailAddress: &from, ConfigurationSetName: &configurationSet,
			Destination: &sestypes.Destination{ToAddresses: []string{"security@example.com"}},
			Content:     &sestypes.EmailContent{Raw: &sestypes.RawMessage{Data: []byte("From: " + from + "\r\nSubject: test\r\n\r\ntest")}},
		})
		return err
	}
}

func parameter(name string) func(context.Context, aws.Config) error {
	return func(ctx context.Context, c aws.Config) error {
		_, err := ssm.NewFromConfig(c).GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
		return err
	}
}

// TestRolesEndAtTheirBorders makes every probe with the key of every role of
// the bot, and looks that there is one for each action that is limited.
func TestRolesEndAtTheirBorders(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		account *account
		roles   []string
	}{
		{open(t, "template.yaml", onLambda(t, enforcingParameters)), []string{"FrontRole", "GateRole", "KeeperRole"}},
		{open(t, "fargate.yaml", onFargate(t, enforcing, enforcingParameters)), []string{"TaskRole"}},
	} {
		probes := c.account.probes()
		for _, role := range c.roles {
			for _, p := range probes {
				if err := p.call(t.Context(), c.account.as(role)); !lacksRight(err) {
					t.Errorf("%s may do this, or more was wrong: %v %s: %v", role, p.actions, p.what, err)
				}
			}
			for _, action := range c.account.limited(role) {
				if !slices.ContainsFunc(probes, func(p probe) bool { return slices.Contains(p.actions, action) }) {
					t.Errorf("%s may do %s to something, and nothing here looks whether to everything", role, action)
				}
			}
		}
	}
}

func TestTheSigningSecretIsTheFrontsAlone(t *testing.T) {
	t.Parallel()
	a := open(t, "template.yaml", onLambda(t, enforcingParameters))
	for _, role := range []string{"FrontRole", "GateRole", "KeeperRole"} {
		err := parameter("/sekisho/signing-secret")(t.Context(), a.as(role))
		if isFront := role == "FrontRole"; isFront && err != nil || !isFront && !lacksRight(err) {
			t.Errorf("%s reads the signing secret: %v", role, err)
		}
	}
}

// limited are the actions that a role may do to some resources of a kind: not
// to all that IAM knows, as every user or rule.
func (a *account) limited(role string) (actions []string) {
	a.t.Helper()
	for _, s := range a.statements(role) {
		every := slices.ContainsFunc(s.Resource, func(r string) bool {
			return r == "*" || strings.HasSuffix(r, ":user/*") || strings.HasSuffix(r, ":rule/*")
		})
		if !every {
			actions = append(actions, without(s.Action, unseen)...)
		}
	}
	return actions
}

func lacksRight(err error) bool {
	e, ok := errors.AsType[smithy.APIError](err)
	return ok && refused(e.ErrorCode())
}
