package bot_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/bot"
	"sekisho/commands"
	"sekisho/infra/metrics"
	"sekisho/infra/redisstore"
)

// The people, places and instances of the tests.
const (
	hana    = "U0HANA"
	alerts  = "C0ALERTS"
	webID   = "i-0aaaaaaaaaaaaaaa1"
	guarded = "guarded"
)

// noon is where the tests' clock stands.
var noon = time.Unix(1_800_000_000, 0)

// world is a Bot with the real rules and the real store behind it; only EC2,
// Slack, the queue and the trail are doubles.
type world struct {
	*bot.Bot
	desk  *commands.Desk
	redis *miniredis.Miniredis
	ec2   *cloud
	chat  *chat
	views *views
	queue *queue
	trail *trail
	log   *logs
	meter *metrics.Meter
}

func newWorld(t testing.TB) *world {
	t.Helper()
	redis := miniredis.RunT(t)
	client, err := redisstore.Dial("redis://" + redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	w := worldOn(t, redisstore.New(client))
	w.redis = redis
	return w
}

// worldOn makes a world on a store. Without one, only what asks nothing of it
// can be used.
func worldOn(t testing.TB, store *redisstore.Store) *world {
	t.Helper()
	pepper, err := auth.NewPepper(strings.Repeat("test-pepper ", 3))
	if err != nil {
		t.Fatal(err)
	}
	policy := auth.Defaults()
	policy.Channels.Alerts = alerts
	policy.Gate.Mode = auth.Enforce
	policy.Gate.WhenUnavailable = auth.StopUnjudged
	policy.Gate.Guard = auth.Guard{Tags: map[string]string{"Sekisho": guarded}}
	policy.Rules = []auth.Rule{{Name: "everyone", Ask: []string{auth.Everyone}}}
	policy.Passes.Limit = auth.Limit{Person: 1e6, Instance: 1e6, Per: time.Minute}

	now := func() time.Time { return noon }
	w := &world{ec2: newCloud(), chat: newChat(), views: newViews(), queue: new(queue), trail: new(trail), log: new(logs)}
	w.meter = metrics.New(now)
	gate := &auth.Gate{
		Region: "eu-central-1",
		Policy: &policy, Instances: w.ec2, Stopper: w.ec2, Starts: store, Pepper: pepper, Now: now,
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Recent: new(auth.Recent),
	}
	passes := &auth.Passes{Policy: &policy, Store: store, Asks: store, Pepper: pepper, Now: now, Random: rand.Reader}
	requests := &auth.Requests{
		Referee: &auth.Referee{Policy: &policy}, Store: store, Instances: w.ec2, Passes: passes, Now: now, Random: rand.Reader,
	}
	w.desk = &commands.Desk{
		Policy: &policy, Passes: passes, Requests: requests, Gate: gate,
		Sweep:     &auth.Sweep{Gate: gate, Passes: passes, Instances: w.ec2},
		Instances: w.ec2, Starter: w.ec2, Cards: store, Policies: store, Trail: w.trail,
		Chat: w.chat, Views: w.views, Queue: w.queue, Now: now,
		Log:   slog.New(bot.LogHandler(slog.NewJSONHandler(w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		Meter: w.meter,
	}
	w.Bot = bot.New(w.desk, bot.Doors{Socket: true, HTTP: true, Gate: true, Keys: true})
	return w
}

// forget lets go of what the doubles were handed.
func (w *world) forget() {
	w.log.Reset()
	w.trail.take()
	w.queue.tasks = nil
	empty(w.chat.posts)
	empty(w.chat.responses)
	empty(w.views.opened)
	empty(w.views.homes)
}

func empty[T any](c chan T) {
	for len(c) > 0 {
		<-c
	}
}

// cloud is EC2 as far as the bot's tests need it: one guarded instance.
type cloud struct {
	mu        sync.Mutex
	instances map[string]auth.Instance
	stopped   []string
	// before, when set, runs at each read; what it returns is the read's error.
	before func(context.Context) error
}

func newCloud() *cloud {
	web := auth.Instance{
		ID: webID, Type: "t3.small", State: auth.Stopped, LaunchTime: noon.Add(-time.Hour), Account: "111122223333",
		Region: "eu-central-1", RootDevice: "ebs", Tags: map[string]string{"Name": "web-1", "Sekisho": guarded},
	}
	return &cloud{instances: map[string]auth.Instance{webID: web}}
}

func (c *cloud) read(ctx context.Context) ([]auth.Instance, error) {
	c.mu.Lock()
	before := c.before
	var all []auth.Instance
	for _, i := range c.instances {
		all = append(all, i)
	}
	c.mu.Unlock()
	if before != nil {
		if err := before(ctx); err != nil {
			return nil, err
		}
	}
	return all, ctx.Err()
}

func (c *cloud) Instance(ctx context.Context, id string) (auth.Instance, error) {
	all, err := c.read(ctx)
	for _, i := range all {
		if i.ID == id && err == nil {
			return i, nil
		}
	}
	if err == nil {
		err = auth.ErrNoInstance
	}
	return auth.Instance{}, err
}

func (c *cloud) Tags(ctx context.Context, id string) (map[string]string, error) {
	i, err := c.Instance(ctx, id)
	return i.Tags, err
}

func (c *cloud) Named(ctx context.Context, name string) ([]auth.Instance, error) {
	all, err := c.read(ctx)
	var found []auth.Instance
	for _, i := range all {
		if i.Tags["Name"] == name {
			found = append(found, i)
		}
	}
	return found, err
}

func (c *cloud) Guarded(ctx context.Context, g auth.Guard) ([]auth.Instance, error) {
	return c.read(ctx)
}

func (c *cloud) Stop(_ context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = append(c.stopped, id)
	return nil
}

func (c *cloud) Unprotect(context.Context, string) error             { return nil }
func (c *cloud) Terminate(context.Context, string) error             { return nil }
func (c *cloud) Untag(context.Context, string, string, string) error { return nil }
func (c *cloud) Start(context.Context, string, string, string) error { return nil }

// up makes an instance pending, as from a start at the time.
func (c *cloud) up(id string, launch time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.instances[id]
	i.State, i.LaunchTime = auth.Pending, launch
	c.instances[id] = i
}

// said is one message that reached Slack.
type said struct {
	channel, url, text string
	blocks             []slack.Block
	replace            bool
}

// chat hands over what is said.
type chat struct {
	posts, responses chan said
	mu               sync.Mutex
	away             error
}

func newChat() *chat { return &chat{posts: make(chan said, 100), responses: make(chan said, 100)} }

func (c *chat) fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.away
}

func (c *chat) Post(_ context.Context, channel, _, text string, blocks []slack.Block) (string, error) {
	if err := c.fault(); err != nil {
		return "", err
	}
	c.posts <- said{channel: channel, text: text, blocks: blocks}
	return fmt.Sprintf("1800000000.%06d", len(c.posts)), nil
}

func (c *chat) Update(_ context.Context, channel, _, text string, blocks []slack.Block) error {
	return c.fault()
}

func (c *chat) Respond(_ context.Context, url, text string, blocks []slack.Block, replace bool) error {
	if err := c.fault(); err != nil {
		return err
	}
	c.responses <- said{url: url, text: text, blocks: blocks, replace: replace}
	return nil
}

// answered is what was said through a response URL before now.
func (c *chat) answered(t testing.TB) said {
	t.Helper()
	select {
	case answer := <-c.responses:
		return answer
	default:
		t.Fatal("nothing was answered through the response URL")
		return said{}
	}
}

// posted is what was posted before now.
func (c *chat) posted(t testing.TB) said {
	t.Helper()
	select {
	case post := <-c.posts:
		return post
	default:
		t.Fatal("nothing was posted")
		return said{}
	}
}

// modal is one that was opened.
type modal struct {
	trigger string
	slack.ModalViewRequest
}

// texts joins what the modal's sections say.
func (m modal) texts() string {
	var all []string
	for _, b := range m.Blocks.BlockSet {
		if s, ok := b.(*slack.SectionBlock); ok && s.Text != nil {
			all = append(all, s.Text.Text)
		}
	}
	return strings.Join(all, "\n")
}

// views hands over the modals that are opened, and whose Home tabs are published.
type views struct {
	opened chan modal
	homes  chan string
	before func() // when set, runs before each Home tab is published
}

func newViews() *views { return &views{opened: make(chan modal, 100), homes: make(chan string, 100)} }

func (v *views) Open(_ context.Context, trigger string, m slack.ModalViewRequest) error {
	v.opened <- modal{trigger, m}
	return nil
}

func (v *views) Publish(_ context.Context, user string, _ []slack.Block) error {
	if v.before != nil {
		v.before()
	}
	v.homes <- user
	return nil
}

// modal is what was opened before now.
func (v *views) modal(t testing.TB) modal {
	t.Helper()
	select {
	case m := <-v.opened:
		return m
	default:
		t.Fatal("no modal was opened")
		return modal{}
	}
}

// trail keeps entries.
type trail struct {
	mu      sync.Mutex
	entries []auth.Entry
}

func (tr *trail) Append(_ context.Context, entries ...auth.Entry) ([]auth.Entry, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.entries = append(tr.entries, entries...)
	return entries, nil
}

func (*trail) Trim(context.Context, time.Time, time.Time) (int64, error) { return 0, nil }

// take gives the entries and forgets them.
func (tr *trail) take() []auth.Entry {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	all := tr.entries
	tr.entries = nil
	return all
}

// queue keeps tasks.
type queue struct {
	mu    sync.Mutex
	tasks []string
}

func (q *queue) Send(_ context.Context, text string, _ time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tasks = append(q.tasks, text)
	return nil
}

// logs collects log lines.
type logs struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all.String()
}

func (l *logs) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all.Reset()
}
