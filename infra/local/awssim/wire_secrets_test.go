package awssim_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"sekisho/infra/local/awssim"
)

func (w *world) secret(t *testing.T, in secretsmanager.GetSecretValueInput) (*secretsmanager.GetSecretValueOutput, error) {
	t.Helper()
	return w.secrets.GetSecretValue(t.Context(), &in)
}

func TestGetSecretValue(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	arn := w.PutSecret("sekisho/slack-app", `{"bot_token":"test-token"}`)
	if !regexp.MustCompile(`^arn:aws:secretsmanager:eu-central-1:111122223333:secret:sekisho/slack-app-[A-Za-z0-9]{6}$`).MatchString(arn) {
		t.Errorf("the ARN is %s", arn)
	}
	var version string
	for _, id := range []string{"sekisho/slack-app", arn, arn[:len(arn)-7]} {
		out, err := w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &id})
		wantOK(t, err)
		if *out.SecretString != `{"bot_token":"test-token"}` || *out.ARN != arn || *out.Name != "sekisho/slack-app" ||
			!slices.Equal(out.VersionStages, []string{"AWSCURRENT"}) || out.CreatedDate.Unix() != clock.now().Unix() {
			t.Errorf("%s is %+v", id, out)
		}
		version = *out.VersionId
		calls := w.Calls()
		if last := calls[len(calls)-1]; last.Service != "secretsmanager" || !slices.Equal(last.IDs, []string{id}) {
			t.Errorf("recorded %+v", last)
		}
	}

	if again := w.PutSecret("sekisho/slack-app", "rotated"); again != arn {
		t.Errorf("a new text makes the ARN %s", again)
	}
	out, err := w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSCURRENT")})
	wantOK(t, err)
	if *out.SecretString != "rotated" || *out.VersionId == version {
		t.Errorf("rotated it is %+v", out)
	}
	_, err = w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: out.VersionId})
	wantOK(t, err)
	_, err = w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &arn, VersionId: &version})
	wantCode(t, err, "ResourceNotFoundException")
	_, err = w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &arn, VersionStage: aws.String("AWSPREVIOUS")})
	wantCode(t, err, "ResourceNotFoundException")
}

func TestSecretRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	arn := w.PutSecret("s", "text")
	for _, id := range []string{"none", "S", "s-", strings.Replace(arn, "eu-central-1", "eu-west-1", 1), arn + "x", arn[:len(arn)-1]} {
		_, err := w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &id})
		wantCode(t, err, "ResourceNotFoundException")
	}
	_, err := w.secret(t, secretsmanager.GetSecretValueInput{SecretId: aws.String("")})
	wantCode(t, err, "InvalidParameterException")

	w.DeleteSecret("s")
	_, err = w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &arn})
	wantCode(t, err, "InvalidRequestException")
	w.PutSecret("s", "text again")
	_, err = w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &arn})
	wantOK(t, err)

	w.Throttle("GetSecretValue", 3)
	_, err = w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &arn})
	wantCode(t, err, "ThrottlingException")
	w.Fail("GetSecretValue", "AccessDeniedException", 1)
	_, err = w.secret(t, secretsmanager.GetSecretValueInput{SecretId: &arn})
	wantCode(t, err, "AccessDeniedException")
	if status := statusOf(t, err); status != 400 {
		t.Errorf("a denial has status %d, want 400", status)
	}
}

func TestVaultMistakesPanic(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	for name, mistake := range map[string]func(){
		"a secret's name":       func() { w.PutSecret("a b", "text") },
		"a long secret":         func() { w.PutSecret("s", strings.Repeat("x", 65_537)) },
		"no such secret":        func() { w.DeleteSecret("none") },
		"a path without a root": func() { w.PutParameter("a/b", "text", false) },
		"sixteen levels":        func() { w.PutParameter(strings.Repeat("/a", 16), "text", false) },
		"an empty parameter":    func() { w.PutParameter("p", "", false) },
		"a long parameter":      func() { w.PutParameter("p", strings.Repeat("x", 4097), true) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s doesn't panic", name)
				}
			}()
			mistake()
		}()
	}
}
