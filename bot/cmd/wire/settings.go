package wire

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"sekisho/auth"
	"sekisho/bot"
)

// Env looks a variable up; os.Getenv outside of tests.
type Env func(name string) string

// settings are what the environment says.
type settings struct {
	config        string
	redis         string
	queue         string
	slackAPI      string
	botToken      string
	appToken      string
	signingSecret string
	pepper        auth.Pepper
}

// readSettings reads the environment. What is missing or malformed is named,
// all of it at once and never by its value.
func readSettings(env Env, doors bot.Doors) (settings, error) {
	r := reader{env: env}
	s := settings{
		config:   r.plain("SEKISHO_CONFIG", "the path of sekisho.yml"),
		redis:    r.redis(),
		slackAPI: env("SLACK_API_URL"),
		queue:    env("SEKISHO_QUEUE_URL"),
		botToken: r.token("SLACK_BOT_TOKEN", "xoxb-", "the bot's token (xoxb-…)"),
	}
	if doors.Events() {
		s.queue = r.plain("SEKISHO_QUEUE_URL", "the URL of the SQS queue: the events door needs one, also to do things later")
	}
	if doors.Socket {
		s.appToken = r.token("SLACK_APP_TOKEN", "xapp-", "the app-level token (xapp-…), for the socket door")
	}
	if doors.HTTP {
		s.signingSecret = r.secret("SLACK_SIGNING_SECRET", "the app's signing secret, for the http door")
	}
	s.pepper = r.pepper()
	return s, errors.Join(r.faults...)
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
	env    Env
	faults []error
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

// secret reads a variable, or the file that the variable with _FILE behind its
// name points to.
func (r *reader) secret(name, what string) string {
	value, file := r.env(name), r.env(name+"_FILE")
	switch {
	case value != "" && file != "":
		r.wrong("%s and %s_FILE are both set: keep one", name, name)
	case file != "":
		text, err := os.ReadFile(file)
		if err != nil {
			r.wrong("%s_FILE: %w", name, err)
		}
		return strings.TrimSpace(string(text))
	case value == "":
		r.wrong("%s is not set: %s (or name a file that holds it in %s_FILE)", name, what, name)
	}
	return value
}

func (r *reader) redis() string { return r.secret("REDIS_URL", "such as redis://host:6379") }

func (r *reader) pepper() auth.Pepper {
	key := r.secret("SEKISHO_PEPPER", "32 random bytes or more, such as from `openssl rand -hex 32`; the same for every process")
	if key == "" {
		return auth.Pepper{}
	}
	pepper, err := auth.NewPepper(key)
	if err != nil {
		r.wrong("SEKISHO_PEPPER: %w", err)
	}
	return pepper
}

func (r *reader) token(name, begins, what string) string {
	v := r.secret(name, what)
	if v != "" && !strings.HasPrefix(v, begins) {
		r.wrong("%s does not begin with %s: set it to %s", name, begins, what)
	}
	return v
}
