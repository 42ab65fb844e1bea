package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sekisho/infra/local"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
	"sekisho/infra/redisstore/redistest"
)

// TestMain makes the test binary the program itself when it is called as one,
// so that the tests run the real thing in processes of its own, race detector
// and all.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && !strings.HasPrefix(os.Args[1], "-") {
		if file := os.Getenv(testClock); file != "" {
			now = sharedClock(file).now
		}
		main()
		return
	}
	os.Exit(m.Run())
}

// patience bounds every wait; nothing waits for it to pass.
const patience = 60 * time.Second

const (
	ops    = "C0OPS"
	alerts = "C0ALERTS"
	hana   = "U0HANA"
	ben    = "U0BEN"
)

// world is the local world with the bot in it, as a process of its own.
type world struct {
	*local.World
	t      *testing.T
	ctx    context.Context
	clock  *clock
	policy string
	redis  string
	env    []string
}

const policyText = `
version: 1
slack: {channels: {alerts: C0ALERTS, approvals: C0APPROVE}}
gate: {mode: %s, guard: {tags: {Sekisho: guarded}}, when_unavailable: %s}
passes: {ttl: 10m, start_now: true}
people: {principals: {U0HANA: [user/hana], U0BEN: [user/ben]}}
rules: %s
`

const everyoneAsks = "[{name: everyone, ask: [everyone]}]"

// clock is Slack's and AWS's; it can be put forward or back.
type clock struct{ off atomic.Int64 }

func (c *clock) now() time.Time        { return time.Now().Add(time.Duration(c.off.Load())) }
func (c *clock) set(off time.Duration) { c.off.Store(int64(off)) }

// open makes a world on a real Redis, its policy in this mode and with these
// rules; without any, everybody may ask.
func open(t *testing.T, mode, whenUnavailable string, rules ...string) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	clock := new(clock)
	w, err := local.New(local.Options{
		BootTime: 50 * time.Millisecond, StopTime: 50 * time.Millisecond, SweepEvery: time.Hour, Now: clock.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); w.Close() })
	if _, err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sekisho.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, policyText, mode, whenUnavailable, strings.Join(append(rules, everyoneAsks)[:1], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := redistest.Server(t)
	return &world{World: w, t: t, ctx: ctx, clock: clock, policy: file, redis: addr, env: append(w.Env(),
		"PATH="+os.Getenv("PATH"), "HOME="+os.DevNull,
		"SEKISHO_CONFIG="+file, "SEKISHO_DOORS=socket,events", "REDIS_URL=redis://"+addr,
		"SEKISHO_PEPPER=test-pepper-test-pepper-test-pepper",
	)}
}

// program is one run of sekisho.
type program struct {
	*exec.Cmd
	t     *testing.T
	said  *lines
	ended chan error
}

// run starts sekisho with these arguments and this environment besides.
func (w *world) run(args []string, env ...string) *program {
	w.t.Helper()
	p := &program{Cmd: exec.Command(os.Args[0], args...), t: w.t, said: &lines{}, ended: make(chan error, 1)}
	p.Env = append(append([]string{}, w.env...), env...)
	p.Stdout, p.Stderr = p.said, p.said
	if err := p.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() { p.ended <- p.Wait() }()
	w.t.Cleanup(func() {
		if p.Process.Signal(syscall.SIGTERM) == nil { // not killed: the demo has a bot of its own to end
			p.end()
		}
		if w.t.Failed() {
			w.t.Logf("%v said:\n%s", args, p.said)
		}
	})
	return p
}

// serve starts the bot and waits until it is connected.
func (w *world) serve() *program {
	w.t.Helper()
	p := w.run([]string{"serve"})
	p.waitFor("socket mode: connected")
	return p
}

func (p *program) waitFor(text string) {
	p.t.Helper()
	if !p.said.wait(text, patience) {
		p.t.Fatalf("%v never said %q", p.Args[1:], text)
	}
}

// end waits for the program and returns its exit code.
func (p *program) end() int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.ProcessState.ExitCode()
	case <-time.After(patience):
		p.t.Fatalf("%v did not end", p.Args[1:])
		return -1
	}
}

func (p *program) stop() int {
	p.t.Helper()
	p.Process.Signal(syscall.SIGTERM)
	return p.end()
}

// lines is what a program says, to be waited for.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{}
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *lines) wait(text string, most time.Duration) bool {
	over := time.After(most)
	for {
		l.mu.Lock()
		if strings.Contains(l.text.String(), text) {
			l.mu.Unlock()
			return true
		}
		if l.more == nil {
			l.more = make(chan struct{})
		}
		more := l.more
		l.mu.Unlock()
		select {
		case <-more:
		case <-over:
			return false
		}
	}
}

func (w *world) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// command types a command and returns the private answer.
func (w *world) command(user, text string) slacksim.Message {
	w.t.Helper()
	before := len(w.Slack.Messages(ops, user))
	w.do(w.Slack.Command(w.ctx, user, ops, "/ec2-pass", text))
	all := w.Slack.Messages(ops, user)
	if len(all) <= before {
		w.t.Fatalf("/ec2-pass %s: no answer", text)
	}
	m := all[len(all)-1]
	if !m.Ephemeral || m.To != user {
		w.t.Errorf("/ec2-pass %s: the answer is not for %s alone: %+v", text, user, m)
	}
	return m
}

var codeIn = regexp.MustCompile("```([A-Z0-9]{31})```")

// pass asks for a pass and returns its code.
func (w *world) pass(user, name string) string {
	w.t.Helper()
	m := w.command(user, name)
	found := codeIn.FindStringSubmatch(string(m.Blocks))
	if found == nil {
		w.t.Fatalf("no code in the answer to /ec2-pass %s: %s", name, m.Text)
	}
	return found[1]
}

func (w *world) instance(name string) awssim.Instance {
	w.t.Helper()
	for _, i := range w.AWS.Instances() {
		if i.Name == name {
			return i
		}
	}
	w.t.Fatalf("there is no instance %s", name)
	return awssim.Instance{}
}

// until waits for an instance to look as wanted.
func (w *world) until(name, what string, wanted func(awssim.Instance) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	changes := w.AWS.Changes(ctx)
	for !wanted(w.instance(name)) {
		select {
		case <-changes:
		case <-ctx.Done():
			w.t.Fatalf("%s never was %s; it is %+v", name, what, w.instance(name))
		}
	}
}

func (w *world) untilState(name, state string) {
	w.t.Helper()
	w.until(name, state, func(i awssim.Instance) bool { return i.State == state })
}

// card waits for a message in the alerts channel that holds every text, in its
// blocks or its own text.
func (w *world) card(texts ...string) slacksim.Message {
	w.t.Helper()
	return w.message(alerts, texts...)
}

func (w *world) message(channel string, texts ...string) slacksim.Message {
	w.t.Helper()
	return w.seen(func(m slacksim.Message) bool { return m.Channel == channel && holds(m, texts) }, texts)
}

// seen waits for a message like this.
func (w *world) seen(like func(slacksim.Message) bool, texts []string) slacksim.Message {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	var found slacksim.Message
	all, err := w.Slack.Wait(ctx, func(all []slacksim.Message) bool {
		for _, m := range all {
			if like(m) {
				found = m
				return true
			}
		}
		return false
	})
	if err != nil {
		for _, m := range all {
			w.t.Logf("%s: %s", m.Channel, readable(m))
		}
		w.t.Fatalf("no message with %q: %v", texts, err)
	}
	return found
}

func holds(m slacksim.Message, texts []string) bool {
	text := readable(m)
	for _, t := range texts {
		if !strings.Contains(text, t) {
			return false
		}
	}
	return true
}

// readable is all text of a message, its JSON escapes undone.
func readable(m slacksim.Message) string {
	var blocks any
	json.Unmarshal(m.Blocks, &blocks)
	var out strings.Builder
	out.WriteString(m.Text)
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out.WriteString("\n" + v)
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(blocks)
	return out.String()
}

// cards counts the cards (not their threads) of the alerts channel.
func (w *world) cards() (n int) {
	for _, m := range w.Slack.Messages(alerts, ben) {
		if m.ThreadTS == "" || m.ThreadTS == m.TS {
			n++
		}
	}
	return n
}

// called counts the AWS calls of one action.
func (w *world) called(action string) (n int) {
	for _, c := range w.AWS.Calls() {
		if c.Action == action {
			n++
		}
	}
	return n
}

// connected waits until a bot is connected to Slack.
func (w *world) connected() {
	w.t.Helper()
	over := time.After(patience)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for w.Slack.Sockets() == 0 {
		select {
		case <-again.C:
		case <-over:
			w.t.Fatal("no bot connects")
		}
	}
}
