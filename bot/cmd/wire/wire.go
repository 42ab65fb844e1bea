// Package wire puts the parts together. It and the programs beside it are the
// only places that know all rooms.
package wire

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/bot"
	"sekisho/commands"
	"sekisho/infra/ec2instances"
	"sekisho/infra/iamkeys"
	"sekisho/infra/policyfile"
	"sekisho/infra/redisstore"
	"sekisho/infra/slackchat"
	"sekisho/infra/slackdirectory"
	"sekisho/infra/sqsqueue"
)

// App is the whole program, put together and not yet running.
type App struct {
	Desk   *commands.Desk
	Bot    *bot.Bot
	Store  *redisstore.Store
	Queue  *sqsqueue.Queue // nil without SEKISHO_QUEUE_URL
	HTTP   *bot.HTTP       // nil when the http door is closed
	Socket *bot.Socket     // nil when the socket door is closed
	Trail  *redisstore.Trail
	Log    *slog.Logger

	chat *slackchat.Chat
}

// Config is what the programs differ in.
type Config struct {
	Env   Env
	Doors bot.Doors
	// AWS gives the configuration for one service, by the SDK's name for it.
	AWS func(service string) aws.Config
	Log *slog.Logger
	// Lines takes the trail as lines of JSON; nil where nobody keeps them.
	Lines io.Writer
}

// New wires an App. It connects to nothing: every client does so when it is
// first used. The error joins everything that is missing or wrong.
func New(c Config) (*App, error) {
	s, err := readSettings(c.Env, c.Doors)
	if err != nil {
		return nil, err
	}
	policy, err := policyfile.Load(s.config)
	if err != nil {
		return nil, err
	}
	client, err := redisstore.Dial(s.redis)
	if err != nil {
		return nil, err
	}
	a := &App{Store: redisstore.New(client), Log: c.Log}
	a.Trail = a.Store.Trail(s.pepper)
	web := newSlack(s)
	a.Desk = newDesk(&policy, s, a, slackdirectory.New(web, c.Log, time.Now), c)
	if s.queue != "" {
		a.Queue = sqsqueue.New(c.AWS("sqs"), s.queue, c.Log)
		a.Desk.Queue = a.Queue
	}
	a.chat = slackchat.New(web, webClient, s.slackAPI)
	a.Desk.Chat, a.Desk.Private, a.Desk.Views, a.Desk.Files = a.chat, a.chat, a.chat, a.chat
	a.Desk.Check = a.CheckSlack
	a.Bot = bot.New(a.Desk, c.Doors)
	if c.Doors.Socket {
		a.Socket = &bot.Socket{Bot: a.Bot, Log: c.Log, Open: func(ctx context.Context) (string, error) {
			_, url, err := web.StartSocketModeContext(ctx)
			return url, err
		}}
	}
	if c.Doors.HTTP {
		verify, err := bot.NewVerifier(s.signingSecret, time.Now)
		if err != nil {
			return nil, err
		}
		a.HTTP = &bot.HTTP{Bot: a.Bot, Verify: verify, Ready: func(ctx context.Context) error {
			_, slackErr := web.AuthTestContext(ctx)
			return errors.Join(a.Store.Ping(ctx), slackErr)
		}}
	}
	return a, nil
}

// looks are the pauses before EC2 is read again: together below a second, so
// that a start without a pass is ended within one or two.
func looks() []time.Duration { return []time.Duration{200 * time.Millisecond, 600 * time.Millisecond} }

func newDesk(policy *auth.Policy, s settings, a *App, people auth.Directory, c Config) *commands.Desk {
	store := a.Store
	instances := ec2instances.New(c.AWS("ec2"))
	gate := &auth.Gate{
		Policy: policy, Instances: instances, Stopper: instances, Starts: store,
		Pepper: s.pepper, Region: c.AWS("ec2").Region,
		Now: time.Now, Looks: looks(), Pause: pause, Recent: new(auth.Recent),
	}
	passes := &auth.Passes{
		Policy: policy, Store: store, Asks: store, Pepper: s.pepper, Now: time.Now, Random: rand.Reader,
	}
	requests := &auth.Requests{
		Referee: &auth.Referee{Policy: policy, Directory: people}, Store: store, Instances: instances,
		Passes: passes, Now: time.Now, Random: rand.Reader,
	}
	d := &commands.Desk{
		Policy: policy, Passes: passes, Requests: requests, Gate: gate,
		Sweep:     &auth.Sweep{Gate: gate, Passes: passes, Instances: instances},
		Instances: instances, Starter: instances, Cards: store, Policies: store,
		Firsts: store, Directory: people, Trail: a.Trail, Lines: c.Lines, Now: time.Now, Log: c.Log,
	}
	if policy.Keys != nil {
		iam := iamkeys.New(c.AWS("iam"), c.AWS("sts"), c.AWS("config_service"))
		d.Purge = &purge.Purge{
			Policy: policy, WhoAmI: iam.WhoAmI, Users: iam, Keys: iam, Ender: iam, Finder: iam,
			Store: store.Keys(), Budget: store.Keys(), Directory: people, Now: time.Now, Warn: d.KeyWarning,
		}
	}
	return d
}

// webClient has a deadline: an answer that has not come in ten seconds is an
// error that the queue can try again.
var webClient = &http.Client{Timeout: 10 * time.Second}

func newSlack(s settings) *slack.Client {
	options := []slack.Option{slack.OptionHTTPClient(webClient), slack.OptionAppLevelToken(s.appToken)}
	if s.slackAPI != "" {
		options = append(options, slack.OptionAPIURL(s.slackAPI))
	}
	return slack.New(s.botToken, options...)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// Lambda is the App as a Lambda handler.
func (a *App) Lambda(doors bot.Doors) *bot.Lambda {
	return &bot.Lambda{Bot: a.Bot, Doors: doors, HTTP: a.HTTP}
}

// Close lets go of what the App holds.
func (a *App) Close() error {
	if err := a.Store.Close(); err != nil {
		return fmt.Errorf("closing redis: %w", err)
	}
	return nil
}
