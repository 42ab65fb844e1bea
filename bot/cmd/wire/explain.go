package wire

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/infra/secrets"
	"sekisho/infra/slackdirectory"
)

// OpenPolicy gives the policy to who only reads it, and the people that it names:
// nil where SLACK_BOT_TOKEN is not set. Config stands for SEKISHO_CONFIG: a path or
// a reference. AWS is asked only where there are references.
func OpenPolicy(ctx context.Context, env Env, config string, amazon func(service string) aws.Config) (auth.Policy, auth.Directory, error) {
	as := func(name string) string {
		if name == varConfig {
			return config
		}
		return env(name)
	}
	names := []string{varBotToken}
	if secrets.IsReference(config) {
		names = append(names, varConfig)
	}
	r := newReader(ctx, Config{Env: as, AWS: amazon, Now: time.Now}, names...)
	s := settings{config: config, configText: r.optional(varConfig), botToken: r.optional(varBotToken), slackAPI: env("SLACK_API_URL")}
	if err := errors.Join(append(r.faults, botToken().check(s.botToken))...); err != nil {
		return auth.Policy{}, nil, err
	}
	policy, err := s.policy()
	if err != nil || s.botToken == "" {
		return policy, nil, err
	}
	client := newSlack(s, http.DefaultClient)
	return policy, slackdirectory.New(func() *slack.Client { return client }, slog.New(slog.DiscardHandler), time.Now), nil
}
