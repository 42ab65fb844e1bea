package wire

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"sekisho/auth"
	"sekisho/bot"
	"sekisho/infra/policyfile"
	"sekisho/infra/secrets"
)

// Env looks a variable up; os.Getenv outside of tests.
type Env func(name string) string

// settings are what the environment says.
type settings struct {
	config        string // the path of sekisho.yml
	configText    string // of sekisho.yml, where SEKISHO_CONFIG is a reference
	redis         string
	queue         string
	keysQueue     string // of the keys door's tasks; empty: queue takes them too
	slackAPI      string
	botToken      string
	appToken      string
	signingSecret string
	configToken   string // empty: nothing looks at the app's manifest
	pepper        auth.Pepper
	secrets       *secrets.Set
	secretsTTL    time.Duration
}

// The variables that hold secrets.
const (
	varBotToken      = "SLACK_BOT_TOKEN"
	varAppToken      = "SLACK_APP_TOKEN"
	varSigningSecret = "SLACK_SIGNING_SECRET"
	varConfigToken   = "SLACK_CONFIG_TOKEN"
	varRedis         = "REDIS_URL"
	varPepper        = "SEKISHO_PEPPER"
	varConfig        = "SEKISHO_CONFIG" // where it is a reference: the text may name people
)

// secretsOf lists the secrets that a process with these doors needs: its role
// may read no others.
func secretsOf(env Env, doors bot.Doors) []string {
	all := []string{varBotToken, varConfigToken, varRedis, varPepper}
	if doors.Socket {
		all = append(all, varAppToken)
	}
	if doors.HTTP {
		all = append(all, varSigningSecret)
	}
	if secrets.IsReference(env(varConfig)) {
		all = append(all, varConfig)
	}
	return all
}

// readSettings reads the environment, and what it refers to. What is missing or
// malformed is named, all of it at once and never by its value.
func readSettings(ctx context.Context, c Config) (settings, error) {
	env, doors := c.Env, c.Doors
	r := newReader(ctx, c, secretsOf(env, doors)...)
	s := settings{
		config:      r.plain(varConfig, "the path of sekisho.yml, or a parameter or secret that holds it (ssm:/… or arn:…)"),
		configText:  r.optional(varConfig),
		redis:       r.redis(),
		slackAPI:    env("SLACK_API_URL"),
		queue:       r.url("SEKISHO_QUEUE_URL"),
		keysQueue:   r.url("SEKISHO_KEYS_QUEUE_URL"),
		botToken:    r.token(botToken()),
		configToken: r.optional(varConfigToken),
		secrets:     r.secrets,
		secretsTTL:  r.ttl,
	}
	if doors.Events() {
		r.plain("SEKISHO_QUEUE_URL", "the URL of the SQS queue: the events door needs one, also to do things later")
	}
	if doors.Gate != doors.Keys && s.keysQueue == "" {
		r.wrong("SEKISHO_KEYS_QUEUE_URL is not set: where the doors gate and keys are of two processes, each has a queue; of one queue, each would refuse the other's half")
	}
	if doors.Socket {
		s.appToken = r.token(appToken())
	}
	if doors.HTTP {
		s.signingSecret = r.secret(varSigningSecret, "the app's signing secret, for the http door")
	}
	s.pepper = r.pepper()
	return s, errors.Join(r.faults...)
}

// policy reads sekisho.yml.
func (s settings) policy() (auth.Policy, error) {
	if s.configText != "" {
		return policyfile.Parse(varConfig, []byte(s.configText+"\n")) // as the file ends, so that its hash is the file's
	}
	return policyfile.Load(s.config)
}

// Endpoint is where a service is to be found, by the SDK's name for it, where
// the environment says so: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func Endpoint(env Env, service string) *string {
	for _, name := range []string{"AWS_ENDPOINT_URL_" + strings.ToUpper(service), "AWS_ENDPOINT_URL"} {
		if url := env(name); url != "" {
			return &url
		}
	}
	return nil
}

type reader struct {
	env     Env
	secrets *secrets.Set
	ttl     time.Duration
	faults  []error
}

func newReader(ctx context.Context, c Config, names ...string) *reader {
	r := &reader{env: c.Env}
	r.ttl = r.duration("SEKISHO_SECRETS_TTL", 5*time.Minute)
	r.secrets = secrets.Read(ctx, secrets.Source{Env: c.Env, AWS: c.AWS, Now: c.Now, TTL: r.ttl}, names...)
	return r
}

func (r *reader) wrong(format string, args ...any) {
	r.faults = append(r.faults, fmt.Errorf(format, args...))
}

func (r *reader) plain(name, what string) string {
	v := r.env(name)
	if v == "" {
		r.wrong("%s is not set: %s", name, what)
	}
	return v
}

// url may be left out.
func (r *reader) url(name string) string {
	v := r.env(name)
	if u, err := url.Parse(v); v != "" && (err != nil || u.Host == "") {
		r.wrong("%s is no URL: write it as SQS shows it, such as https://sqs.eu-central-1.amazonaws.com/111122223333/sekisho", name)
	}
	return v
}

func (r *reader) duration(name string, unset time.Duration) time.Duration {
	const least, most = 30 * time.Second, 24 * time.Hour
	v := r.env(name)
	if v == "" {
		return unset
	}
	d, err := time.ParseDuration(v)
	if err != nil || d < least || d > most {
		r.wrong("%s is no duration of 30s to 24h: write one such as %s", name, unset)
	}
	return d
}

// optional reads a secret that may be left out.
func (r *reader) optional(name string) string {
	value, err := r.secrets.Value(name)
	if err != nil {
		r.faults = append(r.faults, err)
	}
	return value
}

func (r *reader) secret(name, what string) string {
	value, err := r.secrets.Value(name)
	switch {
	case err != nil:
		r.faults = append(r.faults, err)
	case value == "":
		r.wrong("%s is not set: %s (or name a file that holds it in %s_FILE, or a secret: %s=arn:… or ssm:/…)", name, what, name, name)
	}
	return value
}

func (r *reader) redis() string { return r.secret(varRedis, "such as redis://host:6379") }

func (r *reader) pepper() auth.Pepper {
	key := r.secret(varPepper, "32 random bytes or more, such as from `openssl rand -hex 32`; the same for every process")
	if key == "" {
		return auth.Pepper{}
	}
	pepper, err := auth.NewPepper(key)
	if err != nil {
		r.wrong("%s: %w", varPepper, err)
	}
	return pepper
}

func (r *reader) token(t token) string {
	v := r.secret(t.variable, t.what)
	if err := t.check(v); err != nil {
		r.faults = append(r.faults, err)
	}
	return v
}

// token is what one of Slack's is like.
type token struct{ variable, begins, what string }

func botToken() token { return token{varBotToken, "xoxb-", "the bot's token (xoxb-…)"} }

func appToken() token {
	return token{varAppToken, "xapp-", "the app-level token (xapp-…), for the socket door"}
}

// check lets an empty value pass: there may be no token.
func (t token) check(value string) error {
	if value != "" && !strings.HasPrefix(value, t.begins) {
		return fmt.Errorf("%s does not begin with %s: set it to %s", t.variable, t.begins, t.what)
	}
	return nil
}
