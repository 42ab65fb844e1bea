package policyfile_test

import (
	"strings"
	"testing"

	"sekisho/infra/policyfile"
)

// What looks like a secret is refused, wherever it stands, and not repeated.
func TestParseRefusesSecrets(t *testing.T) {
	for secret, name := range map[string]string{
		"xoxb-0000-test-token":                                                 "a Slack token",
		"xapp-1-A0TEST-0000-test":                                              "a Slack token",
		"https://hooks.slack.com/services/T0TEST/B0TEST/test":                  "a Slack webhook",
		"AKIATESTTESTTESTTEST":                                                 "an AWS access key",
		"redis://:test-password@cache:6379":                                    "a URL with a password",
		"rediss://bot:test-password@cache/0":                                   "a URL with a password",
		"-----BEGIN RSA PRIVATE KEY-----":                                      "a private key",
		"ssm:/sekisho/pepper":                                                  "a reference to a secret",
		"arn:aws:secretsmanager:eu-central-1:111122223333:secret:slack-AbCdEf": "a reference to a secret",
		"arn:aws-cn:ssm:cn-north-1:111122223333:parameter/redis":               "a reference to a secret",
	} {
		for _, where := range []string{
			"# was: SECRET\n" + minimal,
			minimal + "store: SECRET\n",
			minimal + "store: {a: \"SECRET\", ttl: 0}\n",
			minimal + "'SECRET': 1\n",
			strings.Replace(minimal, "C0ALERTS", "'SECRET'", 1),
			strings.Replace(minimal, "everyone]", "'SECRET'", 1), // and a bracket left open
		} {
			text := strings.Replace(where, "SECRET", secret, 1)
			_, err := policyfile.Parse("sekisho.yml", []byte(text))
			if err == nil {
				t.Errorf("not refused:\n%s", text)
				continue
			}
			if !strings.Contains(err.Error(), ": this looks like "+name+"\n") {
				t.Errorf("not named as %s: %v", name, err)
			}
			if strings.Contains(err.Error(), secret[5:]) {
				t.Errorf("repeated: %v", err)
			}
		}
	}
}

// A secret without a shape of its own is known by the name of its field.
func TestParseDoesNotRepeatWhatIsNamedASecret(t *testing.T) {
	for _, text := range []string{
		minimal + "signing_secret: hunter2test\n",
		minimal + "signing_secret:\n  hunter2test\n",
		minimal + "passes: {ttl: 0, bot_token: hunter2test}\n",
		minimal + "SEKISHO_PEPPER: hunter2test: a: b\n",
		minimal + "redis: {password: hunter2test\n",
		minimal + "api_key:\n  hunter2test: a: b\n",
	} {
		_, err := policyfile.Parse("sekisho.yml", []byte(text))
		if err == nil || strings.Contains(err.Error(), "hunter2test") {
			t.Errorf("%s\ngot: %v", text, err)
		}
	}
}

func TestParseSaysWhereSecretsGo(t *testing.T) {
	wrong(t, minimal+"# 関所 xoxb-0000-test-token\n", `sekisho.yml:8:6: this looks like a Slack token
    take it out, and change it if others could read this file: secrets come from the environment`)
	wrong(t, minimal+"signing_secret: hunter2test\n", `sekisho.yml:8:1: the file has no field "signing_secret"
    take it out, and change it if others could read this file: secrets come from the environment`)
}

// A reference is no secret, and belongs elsewhere all the same.
func TestParseSaysWhereReferencesGo(t *testing.T) {
	wrong(t, minimal+"# ssm:/sekisho/pepper\n", `sekisho.yml:8:3: this looks like a reference to a secret
    take it out: a secret's variable may be such a reference, as in SLACK_BOT_TOKEN=arn:… or ssm:/…`)
}

// Other ARNs are the policy's daily bread.
func TestParseTakesOtherARNs(t *testing.T) {
	for _, arn := range []string{"arn:aws:iam::111122223333:user/ssm", "arn:aws:sts::111122223333:assumed-role/secretsmanager/ann"} {
		parse(t, "# "+arn+"\n"+minimal)
	}
}

// A tag may be called what it likes.
func TestParseTakesATagNamedSecret(t *testing.T) {
	p := parse(t, strings.Replace(minimal, "{all: true}", "{tags: {Secret: guarded}}", 1))
	same(t, p.Gate.Guard.Tags, map[string]string{"Secret": "guarded"})
}
