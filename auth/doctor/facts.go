// Package doctor looks whether everything that Sekisho stands on is as it must
// be, and says of each thing that is not what to do. It changes nothing.
package doctor

import (
	"context"
	"errors"
	"time"

	"sekisho/auth/rights"
)

// ErrUnseen is wrapped by the error of a look that was not allowed or not
// possible, so that nothing is known: neither good nor bad.
var ErrUnseen = errors.New("cannot be seen from here")

// Redis looks at the store. Where it cannot be reached the error wraps
// auth.ErrUnavailable.
type Redis interface {
	Look(ctx context.Context) (RedisFacts, error)
}

// RedisFacts are what a Redis or Valkey says of itself. What it does not say
// (ElastiCache Serverless says little) is empty.
type RedisFacts struct {
	Version   string // of Redis whose commands it has, "7.0.15"
	Program   string // "redis", "valkey"
	Cluster   bool   // as the server says
	AsCluster bool   // as REDIS_URL has it spoken to
	Append    string // aof_enabled: "1", "0"; empty where unsaid
	Snapshots string // whether it saves snapshots: "1", "0"; empty where unsaid
	Eviction  string // maxmemory_policy, "noeviction"
	Used, Max int64  // bytes; Max 0 where there is no limit
	RoundTrip time.Duration
	Clock     time.Time // the server's
	Swept     time.Time // up to when the last sweep judged every start; zero where none did
}

// Slack looks at the app as its workspace has it.
type Slack interface {
	// App looks at the bot's token.
	App(ctx context.Context) (AppFacts, error)
	// Socket opens a Socket Mode connection and closes it again.
	Socket(ctx context.Context) (SocketFacts, error)
	// Channel gives a channel's name; the error says what keeps the bot from
	// speaking there.
	Channel(ctx context.Context, id string) (name string, err error)
	// Installed is the manifest as Slack has it, of the bot's own app where the id is
	// empty. The error wraps ErrUnseen without an app configuration token.
	Installed(ctx context.Context, app string) (Manifest, error)
}

// AppFacts are what auth.test says, and the headers of its answer:
// https://docs.slack.dev/reference/methods/auth.test
type AppFacts struct {
	Team   string   // "Example Inc"
	Bot    string   // "sekisho"
	Scopes []string // that the token has
	Clock  time.Time
}

// SocketFacts are what Slack's hello says:
// https://docs.slack.dev/apis/events-api/using-socket-mode
type SocketFacts struct {
	App         string // "A0123456789"
	Connections int    // of this app, the one just opened among them; Slack allows 10
}

// Manifest is the part of an app's manifest that is compared.
type Manifest struct {
	Scopes        []string
	Commands      []string // "/ec2-pass"
	Events        []string // "app_home_opened"
	Shortcuts     []string // callback ids
	Interactivity bool
	SocketMode    bool
}

// AWS looks at the account.
type AWS interface {
	// WhoAmI is whose credentials these are.
	WhoAmI(ctx context.Context) (Identity, error)
	// Denied names those of the rights that a principal (the ARN of a role or a
	// user) does not have.
	Denied(ctx context.Context, principal string, needs []rights.Right) ([]rights.Right, error)
	// Rules lists the rules of the default event bus.
	Rules(ctx context.Context) ([]Rule, error)
	// KeyRules lists the Config rules that judge the age of access keys, by the
	// Region that they are in.
	KeyRules(ctx context.Context) ([]KeyRule, error)
	// Mail looks at the sender of mail.
	Mail(ctx context.Context, from string) (MailFacts, error)
}

// Identity is whose credentials are used.
type Identity struct {
	ARN       string // as STS has it, arn:aws:sts::…:assumed-role/NAME/SESSION
	Principal string // whose policies count: arn:aws:iam::…:role/NAME or …:user/NAME
	Account   string
	Region    string
	Clock     time.Time // AWS's
}

// Rule is one EventBridge rule.
type Rule struct {
	Name    string
	Enabled bool
	Pattern string   // JSON; empty for a schedule
	Targets []string // ARNs
}

// KeyRule is one Config rule of the kind ACCESS_KEYS_ROTATED.
type KeyRule struct{ Name, Region string }

// MailFacts are what SES says.
type MailFacts struct {
	Verified bool // the address or its domain
	Sandbox  bool // mail goes to verified addresses alone
	Sending  bool // not paused
}
