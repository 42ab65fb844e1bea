package secrets

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"sekisho/infra/awscall"
)

// within is how long a secret is asked for: a start waits for the slowest.
const within = 5 * time.Second

// ask gets a secret or a parameter:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
func (s Source) ask(ctx context.Context, at place) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	call := awscall.Call{Service: at.service, ContentType: awscall.JSON}
	var question any
	switch at.service {
	case secretsManager:
		call.Config, call.ServiceID, call.Target = s.AWS("secrets_manager"), "Secrets Manager", "secretsmanager.GetSecretValue"
		question = map[string]string{"SecretId": at.id}
	case ssm:
		call.Config, call.ServiceID, call.Target = s.AWS("ssm"), "SSM", "AmazonSSM.GetParameter"
		question = map[string]any{"Name": at.id, "WithDecryption": true}
	}
	body, err := json.Marshal(question)
	if err != nil {
		return "", err
	}
	at.region = cmp.Or(at.region, call.Config.Region)
	if at.region == "" {
		return "", fmt.Errorf("%s is of no region: set AWS_REGION", at)
	}
	text, err := call.Send(ctx, at.region, string(body))
	if err != nil {
		return "", at.explain(err)
	}
	return at.read(text)
}

// read takes the text out of either service's answer.
func (p place) read(answer []byte) (string, error) {
	var a struct {
		SecretString *string
		Parameter    struct{ Value *string }
	}
	if json.Unmarshal(answer, &a) != nil {
		return "", fmt.Errorf("%s: AWS's answer cannot be read: look what stands between here and AWS", p)
	}
	if text := cmp.Or(a.SecretString, a.Parameter.Value); text != nil {
		return *text, nil
	}
	return "", fmt.Errorf("%s holds no text: store it as a string, not as binary", p)
}

// explain says what to do. Of AWS's words only the code is kept: a refusal may
// repeat all that was signed, the session token too.
func (p place) explain(err error) error {
	e, refused := errors.AsType[smithy.APIError](err)
	if !refused {
		return fmt.Errorf("%s in %s: look whether this process reaches %s there (by NAT or a VPC endpoint): %w",
			p, p.region, p.service, err)
	}
	switch e.ErrorCode() {
	case "ResourceNotFoundException", "ParameterNotFound":
		return fmt.Errorf("there is no %s in %s: create it, or correct its name", strings.TrimPrefix(p.String(), "the "), p.region)
	case "AccessDeniedException", "AccessDenied":
		return fmt.Errorf("%s may not be read: allow %s on %s, and kms:Decrypt on its key where that is not AWS's own", p, p.action(), p.arn())
	case "DecryptionFailure", "InvalidKeyId":
		return fmt.Errorf("%s cannot be decrypted: allow kms:Decrypt on its key, and look whether the key is enabled", p)
	}
	return fmt.Errorf("%s cannot be read: AWS refuses with %s: look at it in the console", p, code(e))
}

// code is the refusal's, if it looks like one.
func code(e smithy.APIError) string {
	c := e.ErrorCode()
	if len(c) > 60 || strings.ContainsFunc(c, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) {
		return "a code that is no word"
	}
	return c
}

func (p place) action() string {
	if p.service == ssm {
		return "ssm:GetParameter"
	}
	return "secretsmanager:GetSecretValue"
}

// arn is what a role's policy names.
func (p place) arn() string {
	if strings.HasPrefix(p.id, "arn:") {
		return p.id
	}
	return "arn:" + awscall.Partition(p.region) + ":ssm:" + p.region + ":*:parameter" + p.id
}
