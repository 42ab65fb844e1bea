package main

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/infra/local"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
	"sekisho/infra/redisstore/redistest"
)

// testClock names the file of the clock that the tests' processes go by.
const testClock = "SEKISHO_TEST_CLOCK"

// sharedClock is one clock for a world and every process in it, by a file that
// says how far it was put forward, in nanoseconds.
type sharedClock string

func (c sharedClock) ahead() time.Duration {
	text, err := os.ReadFile(string(c))
	if err != nil {
		return 0 // the test is over
	}
	n, err := strconv.ParseInt(strings.TrimLeft(string(text), "0"), 10, 64)
	if err != nil {
		return 0
	}
	return time.Duration(n)
}

func (c sharedClock) now() time.Time { return time.Now().Add(c.ahead()) }

// forward is one write of always the same size: nobody reads half of it.
func (c sharedClock) forward(d time.Duration) error {
	text := fmt.Sprintf("%020d", int64(c.ahead()+d))
	file, err := os.OpenFile(string(c), os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteAt([]byte(text), 0)
	return errors.Join(err, file.Close())
}

// fleet is a world with four processes in it: two that people reach, and two
// that take what comes through the queue. Each has a tap of its own before Slack,
// AWS and Redis, at which it can be killed.
type fleet struct {
	*world
	whole   *testing.T // of all runs; the world's is the run's
	time    sharedClock
	outside http.Handler      // Slack and AWS
	scripts map[string]string // of Redis: their names by their digests
	ticks   chan struct{}     // something may have changed

	mu     sync.Mutex
	crew   []*member       // the living, and who fell in this run
	lost   map[string]bool // receipts of messages that nobody is at
	taken  []step          // in this run, until somebody fell
	story  []string        // of this run: every call
	counts map[step]int    // by service and operation
	aim    aim
	fell   *member
	trail  string             // as it was when somebody fell
	alone  context.CancelFunc // ends what people wait for of who fell
}

// step is a call that changes something outside: the nth of its kind in a run.
type step struct {
	service, operation string
	nth                int
}

func (s step) String() string { return fmt.Sprintf("%s %s %d", s.service, s.operation, s.nth) }

// aim is where somebody is to be killed: right before the call has an effect, or
// right after, before the answer arrives.
type aim struct {
	step
	after bool
}

func (a aim) String() string {
	if a.after {
		return "after " + a.step.String()
	}
	return "before " + a.step.String()
}

// openFleet opens a world with this policy and starts the four.
func openFleet(t *testing.T, policy string) *fleet {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	f := &fleet{
		whole:   t,
		time:    sharedClock(filepath.Join(t.TempDir(), "clock")),
		ticks:   make(chan struct{}, 1),
		scripts: make(map[string]string),
		lost:    make(map[string]bool),
	}
	if err := f.time.forward(0); err != nil {
		t.Fatal(err)
	}
	w, err := local.New(local.Options{
		BootTime: 10 * time.Millisecond, StopTime: 10 * time.Millisecond, CloudTrailDelay: time.Millisecond,
		SweepEvery: time.Hour, Now: f.time.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); w.Close() })
	if _, err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sekisho.yml")
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := redistest.Server(t)
	f.world = &world{World: w, t: t, ctx: ctx, policy: file, redis: addr, env: append(w.Env(),
		"PATH="+os.Getenv("PATH"), "HOME="+os.DevNull, testClock+"="+string(f.time),
		"SEKISHO_CONFIG="+file, "REDIS_URL=redis://"+addr, "SEKISHO_PEPPER=test-pepper-test-pepper-test-pepper",
		"SEKISHO_DOORS=socket,events",
	)}
	f.loadScripts()
	mux := http.NewServeMux()
	mux.Handle("/slack/", http.StripPrefix("/slack", w.Slack.Handler()))
	mux.Handle("/aws/", http.StripPrefix("/aws", w.AWS.Handler()))
	f.outside = mux
	w.Slack.Serve("http://" + outsideHost + "/slack")
	go f.watch(w.AWS.Changes(ctx), w.Slack.Changes(ctx))
	for _, doors := range []string{"socket", "socket", "events", "events"} {
		f.start(doors)
	}
	t.Cleanup(f.end)
	return f
}

// outsideHost is a name that only the taps know: what is at it goes through them.
const outsideHost = "outside.test"

// loadScripts has Redis know every script, so that each is called by its digest.
func (f *fleet) loadScripts() {
	f.t.Helper()
	client := redis.NewClient(&redis.Options{Addr: f.redis})
	defer client.Close()
	files, err := filepath.Glob("../../../infra/redisstore/scripts/*.lua")
	f.do(err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		f.do(err)
		f.do(client.ScriptLoad(f.ctx, string(text)).Err())
		sum := sha1.Sum(text) // as Redis names scripts, no secret
		f.scripts[hex.EncodeToString(sum[:])] = strings.TrimSuffix(filepath.Base(file), ".lua")
	}
}

// readTrail is every entry that stands in the trail, a line of JSON each.
func (f *fleet) readTrail() string {
	client := redis.NewClient(&redis.Options{Addr: f.world.redis})
	defer client.Close()
	all, err := client.XRange(f.ctx, trailLog, "-", "+").Result()
	if err != nil {
		f.whole.Error(err)
	}
	var lines strings.Builder
	for _, m := range all {
		fmt.Fprintln(&lines, m.Values["e"])
	}
	return lines.String()
}

func (f *fleet) tick() {
	select {
	case f.ticks <- struct{}{}:
	default: // one is waiting
	}
}

func (f *fleet) watch(cloud, slack <-chan struct{}) {
	for {
		select {
		case _, open := <-cloud:
			if !open {
				return
			}
		case <-slack:
		}
		f.tick()
	}
}

// member is one process.
type member struct {
	*program
	fleet *fleet
	doors string
	proxy *httptest.Server // to Slack and AWS
	tap   *redistest.Tap

	// Guarded by the fleet's mu.
	dead    bool
	calls   int             // under way, but for those that wait for messages
	waits   int             // those
	holding map[string]bool // receipts of messages that it received
	wrote   bool            // in this run, into the trail
	last    string          // what it did last of what is said, and of what notes that
}

// start starts a process with these doors.
func (f *fleet) start(doors string) {
	m := &member{fleet: f, doors: doors, holding: make(map[string]bool)}
	m.proxy = httptest.NewServer(m)
	m.tap = redistest.NewTap(f.whole, f.redis, m.redis)
	m.program = &program{Cmd: exec.Command(os.Args[0], "serve"), t: f.whole, said: &lines{}, ended: make(chan error, 1)}
	m.Env = append(slices.Clone(f.env), "SEKISHO_DOORS="+doors, "REDIS_URL=redis://"+m.tap.Addr,
		"HTTP_PROXY="+m.proxy.URL, "AWS_ENDPOINT_URL=http://"+outsideHost+"/aws/", "SLACK_API_URL=http://"+outsideHost+"/slack/api/")
	m.Stdout, m.Stderr = m.said, m.said
	f.mu.Lock() // nobody meets one that has no process yet
	defer f.mu.Unlock()
	if err := m.Start(); err != nil {
		panic(err)
	}
	f.crew = append(f.crew, m)
	go func() { m.ended <- m.Wait() }()
}

// end ends all of them.
func (f *fleet) end() {
	for _, m := range f.living() {
		m.Process.Signal(syscall.SIGTERM)
	}
	for _, m := range f.living() {
		<-m.ended
		m.close()
	}
}

func (m *member) close() {
	m.proxy.Close()
	m.tap.Close()
}

func (f *fleet) living() (all []*member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.crew {
		if !m.dead {
			all = append(all, m)
		}
	}
	return all
}

// errKilled ends a connection: its process is dead.
var errKilled = errors.New("killed")

// ServeHTTP is the way to Slack and AWS.
func (m *member) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/slack/socket" {
		m.fleet.outside.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	service, operation := named(r, body)
	err = m.call(service, operation, func() (string, error) {
		m.fleet.outside.ServeHTTP(answer, r)
		return m.note(operation, body, answer.Body.Bytes()), nil
	})
	if err != nil {
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	for key, values := range answer.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// redis is the way to Redis.
func (m *member) redis(command []string, do func() error) error {
	operation := strings.ToLower(command[0])
	if operation == "evalsha" {
		operation = m.fleet.scripts[command[1]]
	}
	return m.call("redis", operation, func() (string, error) { return operation, do() })
}

// named says which call of which service a request is.
func named(r *http.Request, body []byte) (service, operation string) {
	form, _ := url.ParseQuery(string(body))
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/slack/api/"):
		return "slack", strings.TrimPrefix(path, "/slack/api/")
	case strings.HasPrefix(path, "/slack/response/"):
		return "slack", slacksim.ResponseURL
	case strings.HasPrefix(path, "/slack/upload/"):
		return "slack", slacksim.UploadURL
	case r.Header.Get("X-Amz-Target") != "":
		_, operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		return "aws", operation
	case form.Get("Action") != "":
		return "aws", form.Get("Action")
	case r.Method == http.MethodPost:
		return "aws", "SendEmail"
	}
	return "aws", "Get " + r.URL.Path
}

const receive, received = "ReceiveMessage", "received"

// changes says whether a call is a step: being killed at one that changes nothing
// is being killed at the step before.
func changes(service, operation string) bool {
	begins := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(operation, w) })
	}
	switch service {
	case "redis": // at the start of a process, and reads
		return !begins("hello", "client", "ping", "swap_policy", "get", "hget", "hmget", "zrange", "xrange", "xrevrange", "exists", "pexpire", "info", "time", "config")
	case "slack":
		return begins("chat.", "files.", "views.", slacksim.ResponseURL, slacksim.UploadURL)
	}
	return !begins("Describe", "List", "Get", "Generate", receive, "ChangeMessageVisibility")
}

// call lets a call through, unless the process is to be killed at it. do returns
// the call's name when it is over: a receive counts if it brought something.
func (m *member) call(service, operation string, do func() (string, error)) error {
	if !m.enter(operation) {
		return errKilled
	}
	defer m.leave(operation)
	due, after := m.fleet.due(service, operation)
	if due && !after {
		m.kill()
		return errKilled
	}
	done, err := do()
	if err != nil {
		return err
	}
	m.did(done)
	if operation == receive {
		due, after = m.fleet.due(service, done)
	}
	if due && after {
		m.kill()
		return errKilled
	}
	return nil
}

// did remembers what tells whether somebody killed now leaves something behind of
// which nobody else knows.
func (m *member) did(operation string) {
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	m.wrote = m.wrote || operation == "append"
	if strings.HasPrefix(operation, "chat.") || operation == "put_told" || operation == "name_caller" {
		m.last = operation
	}
}

func (m *member) enter(operation string) bool {
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	if m.dead {
		return false
	}
	*m.counter(operation)++
	m.fleet.tick()
	return true
}

func (m *member) leave(operation string) {
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	if operation != receive {
		m.fleet.story = append(m.fleet.story, fmt.Sprintf("%s %d %s", m.doors, m.Process.Pid, operation))
	}
	*m.counter(operation)--
	m.fleet.tick()
}

func (m *member) counter(operation string) *int {
	if operation == receive {
		return &m.waits
	}
	return &m.calls
}

// due counts a call, and says whether somebody is to be killed at it.
func (f *fleet) due(service, operation string) (due, after bool) {
	if !changes(service, operation) {
		return false, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil || f.fell != nil {
		return false, false
	}
	kind := step{service: service, operation: operation}
	f.counts[kind]++
	kind.nth = f.counts[kind]
	f.taken = append(f.taken, kind)
	return f.aim.step == kind, f.aim.after
}

// kill kills the process, which then has done nothing more, and starts another
// in its place.
func (m *member) kill() {
	m.Process.Kill()
	<-m.ended
	f := m.fleet
	trail := f.readTrail()
	f.mu.Lock()
	m.dead, f.fell, f.trail = true, m, trail
	for receipt := range m.holding {
		f.lost[receipt] = true
	}
	if m.doors == "socket" {
		f.alone()
	}
	f.mu.Unlock()
	go f.start(m.doors)
	f.tick()
}

// note keeps book of the messages that the process has.
func (m *member) note(operation string, asked, answered []byte) string {
	var in struct {
		ReceiptHandle     string
		VisibilityTimeout int
	}
	var out struct {
		Messages []struct{ ReceiptHandle string }
	}
	json.Unmarshal(asked, &in)
	json.Unmarshal(answered, &out)
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	switch {
	case operation == receive && len(out.Messages) > 0:
		for _, r := range out.Messages {
			m.holding[r.ReceiptHandle] = true
			if m.dead {
				m.fleet.lost[r.ReceiptHandle] = true
			}
		}
		return received
	case operation == "DeleteMessage":
		delete(m.holding, in.ReceiptHandle)
	case operation == "ChangeMessageVisibility" && in.VisibilityTimeout < 60: // put back
		delete(m.holding, in.ReceiptHandle)
		m.fleet.lost[in.ReceiptHandle] = true
	}
	return operation
}

// ready waits until all four are at work.
func (f *fleet) ready() {
	f.t.Helper()
	f.await("all four at work", func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		living, waits := 0, 0
		for _, m := range f.crew {
			if !m.dead {
				living++
				if m.waits > 0 {
					waits++
				}
			}
		}
		return living == 4 && waits == 2 && f.Slack.Sockets() == 2
	})
}

// quiet says whether nothing happens any more before the clock is put forward:
// the messages that are left wait, or were received by somebody who is dead.
func (f *fleet) quiet() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.crew {
		if m.calls > 0 || m.dead && m.waits > 0 || !m.dead && len(m.holding) > 0 {
			return false
		}
	}
	if f.AWS.Busy() {
		return false
	}
	visible, hidden := f.AWS.Waiting(f.variable("SEKISHO_QUEUE_URL"))
	return visible == 0 && !slices.ContainsFunc(hidden, func(h awssim.Hidden) bool { return h.Receipt != "" && !f.lost[h.Receipt] })
}

// jump puts the clock forward to when the next message can be received.
func (f *fleet) jump() bool {
	f.t.Helper()
	_, hidden := f.AWS.Waiting(f.variable("SEKISHO_QUEUE_URL"))
	if len(hidden) == 0 {
		return false
	}
	if d := hidden[0].Until.Sub(f.time.now()); d > 0 {
		f.do(f.time.forward(d))
	}
	f.AWS.Moved()
	return true
}

// schedule sends what the schedule sends.
func (f *fleet) schedule(job string, detail map[string]string) (at time.Time) {
	f.t.Helper()
	at = f.time.now().UTC().Truncate(time.Second)
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": at.String(), "source": "sekisho.schedule", "detail-type": job, "time": at.Format(time.RFC3339), "detail": detail,
	})
	f.do(err)
	f.AWS.Send(f.variable("SEKISHO_QUEUE_URL"), string(event))
	return at
}

// await waits for something that comes without the clock being put forward.
func (f *fleet) await(what string, done func() bool) {
	f.t.Helper()
	f.wait(what, done, func() bool { return false })
}

// reach waits for something, through as much time as it takes.
func (f *fleet) reach(what string, done func() bool) {
	f.t.Helper()
	const most = 100
	jumps := 0
	f.wait(what, done, func() bool {
		if !f.quiet() {
			return false
		}
		if jumps++; done() || jumps < most && f.jump() {
			return true
		}
		f.t.Fatalf("it never came to %s, and nothing is to come", what)
		return false
	})
}

func (f *fleet) wait(what string, done func() bool, onward func() bool) {
	f.t.Helper()
	over := time.After(patience)
	for !done() {
		if onward() {
			continue
		}
		select {
		case <-f.ticks:
		case <-over:
			visible, hidden := f.AWS.Waiting(f.variable("SEKISHO_QUEUE_URL"))
			f.t.Fatalf("it never came to %s; %d messages can be received, and hidden are %+v", what, visible, hidden)
		}
	}
}

// settle waits until nothing is left to do.
func (f *fleet) settle() {
	f.t.Helper()
	f.reach("an empty queue", func() bool {
		visible, hidden := f.AWS.Waiting(f.variable("SEKISHO_QUEUE_URL"))
		return visible == 0 && len(hidden) == 0 && f.quiet()
	})
}

// begin begins a run in which somebody is killed there; nobody with the zero aim.
func (f *fleet) begin(a aim) (alive context.Context) {
	f.t.Helper()
	f.ready()
	f.do(f.time.forward(time.Minute)) // Slack's pace
	f.mu.Lock()
	defer f.mu.Unlock()
	f.crew = slices.DeleteFunc(f.crew, func(m *member) bool {
		if m.dead {
			go m.close()
		}
		return m.dead
	})
	f.aim, f.fell, f.taken, f.counts, f.story = a, nil, nil, make(map[step]int), nil
	clear(f.lost)
	for _, m := range f.crew {
		m.wrote, m.last = false, ""
	}
	alive, f.alone = context.WithCancel(f.ctx)
	return alive
}

// victim is who was killed in this run.
func (f *fleet) victim() *member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fell
}

// finish ends the run, and gives the steps that were taken and who fell.
func (f *fleet) finish() (taken []step, fell *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts = nil
	f.alone()
	return f.taken, f.fell
}

// logs says what the processes of a run said, where it failed.
func (f *fleet) logs() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.t.Failed() {
		return
	}
	f.t.Logf("killed %s; the calls were:\n%s", f.aim, strings.Join(f.story, "\n"))
	for _, m := range f.crew {
		f.t.Logf("%s %d (killed: %v) said:\n%s", m.doors, m.Process.Pid, m.dead, m.said)
	}
}
