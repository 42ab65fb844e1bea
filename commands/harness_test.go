package commands_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/commands"
	"sekisho/infra/redisstore"
)

// The people, places and instances of the tests.
const (
	hana     = "U0HANA"
	ben      = "U0BEN"
	mai      = "U0MAI"
	tom      = "U0TOM"
	outsider = "U0MALLORY" // who may ask for nothing
	alerts   = "C0ALERTS"
	ops      = "C0OPS" // where commands are typed
	webID    = "i-0aaaaaaaaaaaaaaa1"
	dbID     = "i-0bbbbbbbbbbbbbbb2"
	openID   = "i-0ccccccccccccccc3" // not guarded

	answerAt = "https://hooks.slack.com/commands/T0TEST/1/test"
)

// noon is where the clock stands when a test begins.
var noon = time.Unix(1_800_000_000, 0)

// office is a Desk with the real rules and the real store; EC2, Slack and the
// queue are doubles that hand over what they were asked.
type office struct {
	*commands.Desk
	t      testing.TB
	redis  *miniredis.Miniredis
	ec2    *cloud
	chat   *chat
	views  *views
	people *people
	queue  *queue
	log    *logs
	lines  *logs // the trail's
	trail  *redisstore.Trail
	clock  *clock
	asked  int
}

func newOffice(t testing.TB) *office {
	t.Helper()
	return newOfficeOn(t, miniredis.RunT(t))
}

// newOfficeOn is another process on the same store.
func newOfficeOn(t testing.TB, redis *miniredis.Miniredis) *office {
	t.Helper()
	client, err := redisstore.Dial("redis://" + redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	store := redisstore.New(client)
	o := &office{
		t: t, redis: redis, clock: &clock{now: noon}, chat: newChat(), queue: new(queue), log: new(logs), lines: new(logs),
		people: newPeople(), views: new(views),
	}
	o.ec2 = newCloud(o.clock)
	o.trail = store.Trail(testPepper(t))
	policy := testPolicy()
	gate := &auth.Gate{
		Region: "eu-central-1",
		Policy: policy, Instances: o.ec2, Stopper: o.ec2, Starts: store, Pepper: testPepper(t), Now: o.clock.Now,
		Pause: func(ctx context.Context, _ time.Duration) error { return ctx.Err() }, Recent: new(auth.Recent),
	}
	passes := &auth.Passes{
		Policy: policy, Store: store, Asks: store, Pepper: gate.Pepper, Now: o.clock.Now, Random: rand.NewChaCha8([32]byte{}),
	}
	requests := &auth.Requests{
		Referee: &auth.Referee{Policy: policy, Directory: o.people}, Store: store, Instances: o.ec2, Passes: passes,
		Now: o.clock.Now, Random: passes.Random,
	}
	o.Desk = &commands.Desk{
		Policy: policy, Passes: passes, Requests: requests, Gate: gate,
		Sweep:     &auth.Sweep{Gate: gate, Passes: passes, Instances: o.ec2},
		Instances: o.ec2, Starter: o.ec2, Cards: store, Policies: store, Directory: o.people, Trail: o.trail,
		Chat: o.chat, Private: o.chat, Views: o.views, Queue: o.queue, Now: o.clock.Now,
		Log: slog.New(slog.NewJSONHandler(o.log, nil)), Lines: o.lines,
	}
	return o
}

func testPolicy() *auth.Policy {
	p := auth.Defaults()
	p.Hash = "test-policy"
	p.Channels = auth.Channels{Alerts: alerts, BreakGlass: alerts}
	p.Gate.Mode = auth.Enforce
	p.Gate.WhenUnavailable = auth.StopUnjudged
	p.Gate.Guard = auth.Guard{Tags: map[string]string{"Sekisho": "guarded"}}
	p.Passes.StartNow = true
	p.Rules = []auth.Rule{{Name: "operators", Ask: []string{hana, ben}}}
	return &p
}

func testPepper(t testing.TB) auth.Pepper {
	t.Helper()
	p, err := auth.NewPepper(strings.Repeat("test-pepper ", 3))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// request is a fresh request by the user.
func (o *office) request(user string) commands.Request {
	o.asked++
	return commands.Request{
		ID: fmt.Sprintf("trigger.%d", o.asked), Door: "socket", User: user, Channel: ops, ResponseURL: answerAt,
	}
}

// ask types `/ec2-pass text`, and gives what the user then reads.
func (o *office) ask(user, text string) commands.Message {
	o.t.Helper()
	r := o.request(user)
	r.Text = text
	return o.answer(commands.Commands()[0].Answers, r)
}

// click presses a button.
func (o *office) click(user, action, value string) commands.Message {
	o.t.Helper()
	r := o.request(user)
	r.Value = value
	return o.answer(o.button(action), r)
}

// handler answers a request.
type handler = func(context.Context, *commands.Desk, commands.Request) (commands.Message, error)

// button is what the button with this action calls.
func (o *office) button(action string) handler {
	o.t.Helper()
	name, _, _ := strings.Cut(action, ":")
	for _, b := range commands.Buttons() {
		if b.Action == name {
			return b.Answers
		}
	}
	o.t.Fatalf("there is no button %q", action)
	return nil
}

func (o *office) answer(handler handler, r commands.Request) commands.Message {
	o.t.Helper()
	m, err := handler(o.t.Context(), o.Desk, r)
	if err != nil {
		m, _ = commands.Sorry(err)
	}
	if m.Text == "" && len(m.Wrong) == 0 && len(o.views.opened) == 0 || (m.Text == "") != (len(m.Blocks) == 0) {
		o.t.Fatalf("the answer says nothing: %+v", m)
	}
	return m
}

// run gives an event to its job.
func (o *office) run(e commands.Event) error {
	o.t.Helper()
	for _, j := range commands.Jobs() {
		if j.Source == e.Source && j.DetailType == e.DetailType {
			return j.Run(o.t.Context(), o.Desk, e)
		}
	}
	o.t.Fatalf("there is no job for %s, %s", e.Source, e.DetailType)
	return nil
}

// event says that an instance has changed its state just now.
func (o *office) event(id string, state auth.State) error {
	o.t.Helper()
	detail, _ := json.Marshal(map[string]any{"instance-id": id, "state": state})
	return o.run(commands.Event{
		ID: "test-event", Source: "aws.ec2", DetailType: "EC2 Instance State-change Notification",
		Region: "eu-central-1", Time: o.clock.Now(), Detail: detail,
	})
}

// events are state changes that must all be handled.
func (o *office) events(id string, states ...auth.State) {
	o.t.Helper()
	for _, s := range states {
		if err := o.event(id, s); err != nil {
			o.t.Fatalf("%s: %v", s, err)
		}
	}
}

// work runs the oldest task of the queue, which must be of this kind.
func (o *office) work(kind string) error {
	o.t.Helper()
	var e commands.Event
	task := o.queue.take(o.t)
	if err := json.Unmarshal([]byte(task.text), &e); err != nil {
		o.t.Fatalf("the task %s cannot be read: %v", task.text, err)
	}
	if e.DetailType != kind {
		o.t.Fatalf("the next task is %q, not %q", e.DetailType, kind)
	}
	o.clock.add(task.after)
	return o.run(e)
}

// code is the code that a pass page shows.
func code(t testing.TB, m commands.Message) string {
	t.Helper()
	for _, text := range texts(m.Blocks) {
		if inner, ok := strings.CutPrefix(text, "```"); ok && !strings.Contains(text, " ") {
			return strings.TrimSuffix(inner, "```")
		}
	}
	t.Fatalf("no code is shown: %s", m.Text)
	return ""
}

// buttonValue is the value of the message's button with this action.
func buttonValue(t testing.TB, m commands.Message, action string) string {
	t.Helper()
	text, _ := json.Marshal(m.Blocks)
	var blocks []struct {
		Elements  []json.RawMessage
		Accessory json.RawMessage
	}
	if err := json.Unmarshal(text, &blocks); err != nil {
		t.Fatal(err)
	}
	for _, b := range blocks {
		for _, e := range append(b.Elements, b.Accessory) {
			var button struct {
				ID    string `json:"action_id"`
				Value string
			}
			if json.Unmarshal(e, &button); button.ID == action {
				return button.Value
			}
		}
	}
	t.Fatalf("there is no button %q in %s", action, text)
	return ""
}

// texts are the texts in the blocks, in the order in which they stand.
func texts(blocks []slack.Block) []string {
	var all []string
	for _, b := range blocks {
		switch b := b.(type) {
		case *slack.SectionBlock:
			if b.Text != nil {
				all = append(all, b.Text.Text)
			}
			for _, f := range b.Fields {
				all = append(all, f.Text)
			}
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				if text, ok := e.(*slack.TextBlockObject); ok {
					all = append(all, text.Text)
				}
			}
		}
	}
	return all
}

// clock is the time, which tests move on by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// later moves the clock on, for the store too.
func (o *office) later(d time.Duration) {
	o.clock.add(d)
	o.redis.FastForward(d)
}

// cloud is EC2: it does what it is told at once, or fails as it is told.
type cloud struct {
	mu        sync.Mutex
	clock     *clock
	instances map[string]auth.Instance
	calls     []string
	fail      map[string]error // by the call's name
}

func newCloud(c *clock) *cloud {
	instance := func(id, name string, guard map[string]string) auth.Instance {
		tags := map[string]string{"Name": name}
		maps.Copy(tags, guard)
		return auth.Instance{
			ID: id, Type: "t3.small", State: auth.Stopped, LaunchTime: noon.Add(-24 * time.Hour), Tags: tags,
			Account: "111122223333", Region: "eu-central-1", RootDevice: "ebs",
		}
	}
	guard := map[string]string{"Sekisho": "guarded"}
	return &cloud{clock: c, fail: make(map[string]error), instances: map[string]auth.Instance{
		webID:  instance(webID, "web-1", guard),
		dbID:   instance(dbID, "db-1", guard),
		openID: instance(openID, "build-1", nil),
	}}
}

// change changes one instance.
func (c *cloud) change(id string, how func(*auth.Instance)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.instances[id]
	i.ID, i.Tags = id, maps.Clone(i.Tags)
	how(&i)
	c.instances[id] = i
}

// start starts an instance as somebody in the console would.
func (c *cloud) start(id string) {
	now := c.clock.Now()
	c.change(id, func(i *auth.Instance) { i.State, i.LaunchTime = auth.Pending, now })
}

func (c *cloud) tag(id, key, value string) {
	c.change(id, func(i *auth.Instance) { i.Tags[key] = value })
}

func (c *cloud) get(id string) auth.Instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.instances[id]
}

// call notes a call and says how it goes.
func (c *cloud) call(name, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls = append(c.calls, name+" "+id)
	return c.fail[name]
}

// count says how often a call was made.
func (c *cloud) count(name string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, call := range c.calls {
		if strings.HasPrefix(call, name+" ") {
			n++
		}
	}
	return n
}

func (c *cloud) Instance(_ context.Context, id string) (auth.Instance, error) {
	if err := c.call("Instance", id); err != nil {
		return auth.Instance{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	i, ok := c.instances[id]
	if !ok {
		return auth.Instance{}, fmt.Errorf("%s: %w", id, auth.ErrNoInstance)
	}
	i.Tags = maps.Clone(i.Tags)
	return i, nil
}

func (c *cloud) Tags(ctx context.Context, id string) (map[string]string, error) {
	i, err := c.Instance(ctx, id)
	if errors.Is(err, auth.ErrNoInstance) {
		return nil, nil
	}
	return i.Tags, err
}

func (c *cloud) list(name string, has func(auth.Instance) bool) ([]auth.Instance, error) {
	if err := c.call(name, ""); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []auth.Instance
	for _, id := range slices.Sorted(maps.Keys(c.instances)) {
		if i := c.instances[id]; i.State != auth.Terminated && has(i) {
			i.Tags = maps.Clone(i.Tags)
			found = append(found, i)
		}
	}
	return found, nil
}

func (c *cloud) Named(_ context.Context, name string) ([]auth.Instance, error) {
	return c.list("Named", func(i auth.Instance) bool { return i.Tags["Name"] == name })
}

func (c *cloud) Guarded(_ context.Context, g auth.Guard) ([]auth.Instance, error) {
	return c.list("Guarded", g.Covers)
}

func (c *cloud) Stop(_ context.Context, id string) error {
	if err := c.call("Stop", id); err != nil {
		return err
	}
	c.change(id, func(i *auth.Instance) { i.State = auth.Stopping })
	return nil
}

func (c *cloud) Unprotect(_ context.Context, id string) error { return c.call("Unprotect", id) }
func (c *cloud) Terminate(_ context.Context, id string) error { return c.call("Terminate", id) }

func (c *cloud) Untag(_ context.Context, id, key, value string) error {
	if err := c.call("Untag", id); err != nil {
		return err
	}
	c.change(id, func(i *auth.Instance) {
		if i.Tags[key] == value {
			delete(i.Tags, key)
		}
	})
	return nil
}

// Start sets the tag and starts; "tag only" cuts it off in between.
func (c *cloud) Start(_ context.Context, id, key, value string) error {
	if err := c.call("Start", id); err != nil {
		return err
	}
	c.tag(id, key, value)
	if err := c.call("StartAfterTag", id); err != nil {
		return err
	}
	c.start(id)
	return nil
}

// said is one message that reached Slack.
type said struct {
	how             string // "post", "update", "respond", "direct" or "whisper"
	channel, thread string // of a direct message, the user
	ts, url, text   string
	blocks          []slack.Block
	replace         bool
}

// chat is Slack: it hands over what is said.
type chat struct {
	said chan said
	mu   sync.Mutex
	away error
	fail map[string]error // by how, or how and channel
	n    int
	// during, when set, runs once while the next message is on its way.
	during func()
}

func newChat() *chat { return &chat{said: make(chan said, 1000), fail: make(map[string]error)} }

// goAway makes Slack fail, or come back with nil.
func (c *chat) goAway(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.away = err
}

func (c *chat) say(s said) (string, error) {
	c.mu.Lock()
	during := c.during
	c.during = nil
	c.mu.Unlock()
	if during != nil {
		during()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := cmp.Or(c.away, c.fail[s.how], c.fail[s.how+" "+s.channel]); err != nil {
		return "", err
	}
	if s.how == "post" {
		c.n++
		s.ts = fmt.Sprintf("1800000000.%06d", c.n)
	}
	c.said <- s
	return s.ts, nil
}

func (c *chat) Post(_ context.Context, channel, thread, text string, blocks []slack.Block) (string, error) {
	return c.say(said{how: "post", channel: channel, thread: thread, text: text, blocks: blocks})
}

func (c *chat) Update(_ context.Context, channel, ts, text string, blocks []slack.Block) error {
	_, err := c.say(said{how: "update", channel: channel, ts: ts, text: text, blocks: blocks})
	return err
}

func (c *chat) Respond(_ context.Context, url, text string, blocks []slack.Block, replace bool) error {
	_, err := c.say(said{how: "respond", url: url, text: text, blocks: blocks, replace: replace})
	return err
}

func (c *chat) Direct(_ context.Context, user, text string, blocks []slack.Block) (string, string, error) {
	_, err := c.say(said{how: "direct", channel: user, text: text, blocks: blocks})
	return "D0" + user, "", err
}

func (c *chat) Whisper(_ context.Context, channel, user, text string, blocks []slack.Block) error {
	_, err := c.say(said{how: "whisper", channel: channel, thread: user, text: text, blocks: blocks})
	return err
}

// next is the oldest message not yet looked at.
func (c *chat) next(t testing.TB, how string) said {
	t.Helper()
	select {
	case s := <-c.said:
		if s.how != how {
			t.Fatalf("what was said next is no %s: %+v", how, s)
		}
		return s
	default:
		t.Fatalf("no %s", how)
		return said{}
	}
}

// all are the messages not yet looked at.
func (c *chat) all() (all []said) {
	for len(c.said) > 0 {
		all = append(all, <-c.said)
	}
	return all
}

// task is something for later.
type task struct {
	text  string
	after time.Duration
}

// queue keeps tasks until the test runs them.
type queue struct {
	mu    sync.Mutex
	tasks []task
	away  error
}

func (q *queue) Send(_ context.Context, text string, after time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.away != nil {
		return q.away
	}
	q.tasks = append(q.tasks, task{text, after})
	return nil
}

// take removes the oldest task.
func (q *queue) take(t testing.TB) task {
	t.Helper()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.tasks) == 0 {
		t.Fatal("the queue is empty")
	}
	first := q.tasks[0]
	q.tasks = q.tasks[1:]
	return first
}

// kinds are the tasks' detail-types, oldest first.
func (q *queue) kinds() (kinds []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range q.tasks {
		var e commands.Event
		json.Unmarshal([]byte(t.text), &e)
		kinds = append(kinds, e.DetailType)
	}
	return kinds
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
