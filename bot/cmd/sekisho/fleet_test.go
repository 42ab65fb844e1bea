package main

import (
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/infra/local"
	"sekisho/infra/redisstore/redistest"
)

// fleet is a world with four processes in it: two that people reach, and two
// that take what comes through the queue. Each has a tap of its own before Slack,
// AWS and Redis, at which it can be killed.
type fleet struct {
	*world
	whole    *testing.T // of all runs; the world's is the run's
	time     sharedClock
	outside  http.Handler      // Slack and AWS
	scripts  map[string]string // of Redis: their names by their digests
	ticks    chan struct{}     // something may have changed
	starting sync.WaitGroup

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
		case _, open := <-slack:
			if !open {
				return
			}
		}
		f.tick()
	}
}

// end ends all of them.
func (f *fleet) end() {
	f.starting.Wait()
	f.mu.Lock()
	crew := slices.Clone(f.crew)
	f.mu.Unlock()
	for _, m := range crew {
		if m.Process.Signal(syscall.SIGTERM) == nil { // not killed
			<-m.ended
		}
		m.close()
	}
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

// finish ends the run, and says who fell.
func (f *fleet) finish() (fell *member) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts = nil
	f.alone()
	return f.fell
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
