package wire

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/auth"
	"sekisho/bot"
)

// The pepper prints as a placeholder wherever it gets to.
func TestSecretsPrintAsPlaceholders(t *testing.T) {
	pepper, err := auth.NewPepper("test-SPILT-pepper-of-thirty-two-bytes")
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		if text := fmt.Sprintf(verb, settings{pepper: pepper}); strings.Contains(text, "SPILT") {
			t.Errorf("%s of the settings holds the pepper: %s", verb, text)
		}
	}
}

// read reads the settings of an http door with these variables changed.
func read(t *testing.T, changed map[string]string) (settings, error) {
	t.Helper()
	return readFor(t, bot.Doors{HTTP: true}, changed)
}

func readFor(t *testing.T, doors bot.Doors, changed map[string]string) (settings, error) {
	t.Helper()
	env := map[string]string{
		"SEKISHO_CONFIG": "sekisho.yml", "REDIS_URL": "redis://localhost:6379", "SLACK_BOT_TOKEN": "xoxb-test",
		"SLACK_SIGNING_SECRET": "test", "SEKISHO_PEPPER": strings.Repeat("test", 8),
	}
	for name, value := range changed {
		env[name] = value
	}
	return readSettings(t.Context(), Config{
		Env: func(name string) string { return env[name] }, Doors: doors, Now: time.Now,
		AWS: func(string) aws.Config { return aws.Config{} },
	})
}

func TestSettingsAreHeldAgainstTheirShape(t *testing.T) {
	for _, c := range []struct{ name, value, wrong string }{
		{"SEKISHO_SECRETS_TTL", "", ""}, {"SEKISHO_SECRETS_TTL", "30s", ""}, {"SEKISHO_SECRETS_TTL", "24h", ""},
		{"SEKISHO_SECRETS_TTL", "29s", "30s to 24h"}, {"SEKISHO_SECRETS_TTL", "25h", "30s to 24h"}, {"SEKISHO_SECRETS_TTL", "5", "30s to 24h"},
		{"SEKISHO_KEYS_QUEUE_URL", "", ""}, {"SEKISHO_KEYS_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/111122223333/keys", ""},
		{"SEKISHO_QUEUE_URL", "", ""}, {"SEKISHO_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/111122223333/sekisho", ""},
		{"SEKISHO_QUEUE_URL", "sekisho", "no URL"},
		{"SEKISHO_KEYS_QUEUE_URL", "sekisho-keys", "no URL"}, {"SEKISHO_KEYS_QUEUE_URL", "arn:aws:sqs:eu-central-1:111122223333:keys", "no URL"},
		{"SLACK_CONFIG_TOKEN", "", ""}, {"SLACK_CONFIG_TOKEN", "test", ""}, {"SLACK_CONFIG_TOKEN", "ssm:test", "ssm:/PATH"},
		{"SLACK_BOT_TOKEN", "", "SLACK_BOT_TOKEN=arn:… or ssm:/…"},
	} {
		s, err := read(t, map[string]string{c.name: c.value})
		if (err == nil) != (c.wrong == "") || err != nil && (!strings.HasPrefix(err.Error(), c.name) || !strings.Contains(err.Error(), c.wrong)) {
			t.Errorf("%s=%q: %v", c.name, c.value, err)
		}
		got := map[string]string{"SEKISHO_QUEUE_URL": s.queue, "SEKISHO_KEYS_QUEUE_URL": s.keysQueue, "SLACK_CONFIG_TOKEN": s.configToken}
		if value, is := got[c.name]; is && err == nil && value != c.value {
			t.Errorf("%s=%q became %q", c.name, c.value, value)
		}
	}
	if s, err := read(t, nil); err != nil || s.secretsTTL != 5*time.Minute {
		t.Errorf("without SEKISHO_SECRETS_TTL: %s, %v", s.secretsTTL, err)
	}
}

// Of one queue, two processes with half of the doors each would refuse the
// other's half until SQS gives it up.
func TestHalvesHaveAQueueEach(t *testing.T) {
	for doors, needs := range map[bot.Doors]bool{
		{Gate: true}: true, {Keys: true, HTTP: true}: true, {Gate: true, Keys: true}: false, {HTTP: true}: false,
	} {
		for _, keys := range []string{"", "https://sqs.test/111122223333/keys"} {
			env := map[string]string{"SEKISHO_QUEUE_URL": "https://sqs.test/111122223333/gate", "SEKISHO_KEYS_QUEUE_URL": keys}
			_, err := readFor(t, doors, env)
			if refused := err != nil && strings.Contains(err.Error(), "SEKISHO_KEYS_QUEUE_URL is not set"); refused != (needs && keys == "") {
				t.Errorf("%+v with %q: %v", doors, keys, err)
			}
		}
	}
}

// What a process does not need is not read: its role may not.
func TestOnlyTheSecretsOfOpenDoorsAreRead(t *testing.T) {
	for name, doors := range map[string]bot.Doors{varAppToken: {Socket: true}, varSigningSecret: {HTTP: true}} {
		plain := func(string) string { return "" }
		if !slices.Contains(secretsOf(plain, doors), name) || slices.Contains(secretsOf(plain, bot.Doors{Gate: true, Keys: true}), name) {
			t.Errorf("%s is not read for its door alone", name)
		}
	}
}
