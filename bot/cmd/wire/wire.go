// Package wire puts the parts together. It and the programs beside it are the
// only places that know all rooms.
package wire

import (
	"context"
	"crypto/rand"
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
	"sekisho/infra/metrics"
	"sekisho/infra/redisstore"
	"sekisho/infra/slackchat"
	"sekisho/infra/slackdirectory"
	"sekisho/infra/sqsqueue"
)

// App is the whole program, put together and not yet running.
type App struct {
	Doors bot.Doors
	Desk  *commands.Desk
	Bot   *bot.Bot
	Store *redisstore.Store
	Queue *sqsqueue.Queue // of the gate's tasks; nil without SEKISHO_QUEUE_URL
	// KeysQueue is of the keys' tasks; nil without SEKISHO_KEYS_QUEUE_URL: Queue
	// takes them too.
	KeysQueue *sqsqueue.Queue
	HTTP      *bot.HTTP   // nil when the http door is closed
	Socket    *bot.Socket // nil when the socket door is closed
	Trail     *redisstore.Trail
	Ready     *bot.Readiness
	Meter     *metrics.Meter
	Log       *slog.Logger

	chat  *slackchat.Chat
	live  live
	lines io.Writer
}

// Config is what the programs differ in.
type Config struct {
	Env   Env
	Doors bot.Doors
	// AWS gives the configuration for one service, by the SDK's name for it.
	AWS func(service string) aws.Config
	Log *slog.Logger
	// Lines takes the trail and the metrics as lines of JSON; nil where nobody keeps them.
	Lines io.Writer
	Now   func() time.Time // time.Now where nil
}

// New wires an App. It asks AWS for the secrets that are references, and connects
// to nothing else: every client does so when it is first used. The error joins
// everything that is missing or wrong.
func New(ctx context.Context, c Config) (*App, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	a := &App{Doors: c.Doors, Meter: metrics.New(c.Now), Log: c.Log, lines: c.Lines}
	watch := watched{a.Meter}
	c.AWS = watch.AWS(c.AWS)
	s, err := readSettings(ctx, c)
	if err != nil {
		return nil, err
	}
	policy, err := s.policy()
	if err != nil {
		return nil, err
	}
	client, login, err := redisstore.DialAs(s.redis)
	if err != nil {
		return nil, err
	}
	redisstore.Watch(client, watch.redis)
	a.Store = redisstore.New(client)
	a.live.settings, a.live.login, a.live.http = s, login, watch.slack()
	a.live.slack.Store(newSlack(s, a.live.http))
	web := a.live.slack.Load
	a.Trail = a.Store.Trail(s.pepper)
	a.Desk = newDesk(&policy, s, a, slackdirectory.New(web, c.Log, c.Now), c)
	if s.queue != "" {
		a.Queue = sqsqueue.New(c.AWS("sqs"), s.queue, c.Log)
		a.Desk.Queue = a.Queue
	}
	if s.keysQueue != "" {
		a.KeysQueue = sqsqueue.New(c.AWS("sqs"), s.keysQueue, c.Log)
		a.Desk.KeysQueue = a.KeysQueue
	}
	a.chat = slackchat.New(web, a.live.http, s.slackAPI)
	a.Desk.Chat, a.Desk.Private, a.Desk.Views, a.Desk.Files = a.chat, a.chat, a.chat, a.chat
	a.Desk.Check = a.CheckSlack
	a.Bot = bot.New(a.Desk, c.Doors)
	a.Ready = &bot.Readiness{Now: c.Now, Log: c.Log, Needs: []bot.Need{
		{Name: "Redis", Reach: a.Store.Ping},
		{Name: "Slack", Reach: func(ctx context.Context) error {
			_, err := web().AuthTestContext(ctx)
			return err
		}},
	}}
	if c.Doors.Socket {
		a.Socket = &bot.Socket{Bot: a.Bot, Log: c.Log, Open: func(ctx context.Context) (string, error) {
			_, url, err := web().StartSocketModeContext(ctx)
			return url, err
		}}
	}
	if c.Doors.HTTP {
		verify, err := bot.NewVerifier(s.signingSecret, c.Now)
		if err != nil {
			return nil, err
		}
		a.live.verifier = verify
		a.HTTP = &bot.HTTP{Bot: a.Bot, Verify: verify, Ready: a.Ready}
	}
	return a, nil
}

// Queues are those that the process reads itself.
func (a *App) Queues() (all []*sqsqueue.Queue) {
	if a.Doors.Gate || a.KeysQueue == nil {
		all = append(all, a.Queue)
	}
	if a.Doors.Keys && a.KeysQueue != nil {
		all = append(all, a.KeysQueue)
	}
	return all
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
		Now: c.Now, Looks: looks(), Pause: pause, Recent: new(auth.Recent),
	}
	passes := &auth.Passes{
		Policy: policy, Store: store, Asks: store, Pepper: s.pepper, Now: c.Now, Random: rand.Reader,
	}
	requests := &auth.Requests{
		Referee: &auth.Referee{Policy: policy, Directory: people}, Store: store, Instances: instances,
		Passes: passes, Now: c.Now, Random: rand.Reader,
	}
	d := &commands.Desk{
		Policy: policy, Passes: passes, Requests: requests, Gate: gate,
		Sweep:     &auth.Sweep{Gate: gate, Passes: passes, Instances: instances},
		Instances: instances, Starter: instances, Cards: store, Policies: store,
		Firsts: store, Directory: people, Trail: a.Trail, Lines: c.Lines, Now: c.Now, Log: c.Log, Meter: a.Meter,
	}
	if policy.Keys != nil {
		iam := iamkeys.New(c.AWS("iam"), c.AWS("sts"), c.AWS("config_service"))
		d.Purge = &purge.Purge{
			Policy: policy, WhoAmI: iam.WhoAmI, Users: iam, Keys: iam, Ender: iam, Finder: iam,
			Store: store.Keys(), Budget: store.Keys(), Directory: people, Now: c.Now, Warn: d.KeyWarning,
		}
	}
	return d
}

func newSlack(s settings, client *http.Client) *slack.Client {
	options := []slack.Option{slack.OptionHTTPClient(client), slack.OptionAppLevelToken(s.appToken)}
	if s.slackAPI != "" {
		options = append(options, slack.OptionAPIURL(s.slackAPI))
	}
	return slack.New(s.botToken, options...)
}

// keep does something again and again until ctx ends, and pauses before each time.
func keep(ctx context.Context, every time.Duration, do func()) {
	for pause(ctx, every) == nil {
		do()
	}
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
func (a *App) Lambda() *bot.Lambda {
	return &bot.Lambda{Bot: a.Bot, HTTP: a.HTTP, Before: a.renewBefore, After: a.Flush}
}

// Close lets go of what the App holds.
func (a *App) Close() error {
	if err := a.Store.Close(); err != nil {
		return fmt.Errorf("closing redis: %w", err)
	}
	return nil
}
