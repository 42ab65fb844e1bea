package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/auth"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

const replicasPolicy = `
version: 1
slack: {channels: {alerts: C0ALERTS, approvals: C0APPROVE, keys: C0KEYS, reports: C0REPORT}}
gate: {mode: enforce, guard: {tags: {Sekisho: guarded}}, when_unavailable: stop}
passes: {ttl: 10m, start_now: true, limit: {person: 1000}}
people: {principals: {U0HANA: [user/hana]}}
rules:
  - {name: gpu, match: {tags: {Team: ml}}, ask: [everyone], approve: {by: [S0LEADS], within: 1h, reason: required}}
  - {name: everyone else, ask: [everyone]}
`

// run is one way of a flow, with somebody killed on it.
type run struct {
	*fleet
	aim    aim
	name   string          // of what it is about, and of nothing else
	id     string          // of the instance or access key, once there is one
	alive  context.Context // ends when a process falls that people reach
	fell   *member         // in the end
	begun  map[string]int  // messages in each channel before
	mailed int             // mails before
}

// flow is what people and the cloud do, and what must have come of it.
type flow struct {
	name   string
	shards int    // worlds at once
	policy string // besides
	act    func(*run)
	holds  func(*run)
	first  auth.Act         // what is in the trail before anything is said
	trail  map[auth.Act]int // what is in it in the end
}

// Whoever is killed wherever: nothing is lost, and nothing is done twice. Each
// flow is gone through once to see its steps: every call that changes something in
// AWS, Slack or Redis. Then it is gone through for each of them, and a process is
// killed there.
func TestKilledAtEveryStep(t *testing.T) {
	const atOnce = 6 // worlds: most of their time they wait for Slack's pace
	slots := make(chan struct{}, atOnce)
	var all sync.WaitGroup
	for _, fl := range []flow{passSpent, startRefused, approved, startedNow, keyByButton, keyBySweep, reported} {
		for shard := range fl.shards {
			all.Go(func() {
				slots <- struct{}{}
				defer func() { <-slots }()
				t.Run(fmt.Sprintf("%s %d", fl.name, shard+1), func(t *testing.T) { fl.killed(t, shard) })
			})
		}
	}
	all.Wait()
}

// killed goes through the flow again and again, in one of several worlds that share the steps.
func (fl flow) killed(t *testing.T, shard int) {
	f := openFleet(t, replicasPolicy+fl.policy)
	begun := time.Now()
	runs := []*run{f.run(fl, 0, aim{})}
	steps := slices.Clone(f.taken)
	if t.Failed() {
		return
	}
	t.Logf("undisturbed %v: %v", time.Since(begun), steps)
	missed := 0
	for n, a := range aims(steps) {
		if n%fl.shards != shard {
			continue
		}
		r := f.run(fl, len(runs), a)
		runs = append(runs, r)
		if r.fell == nil {
			missed++
			t.Logf("nobody came to be killed %s", a)
		}
	}
	if missed*5 > len(runs) {
		t.Errorf("%d of %d were not killed", missed, len(runs)-1)
	}
	t.Logf("%d runs in %v", len(runs), time.Since(begun))
	f.world.t = t
	f.audit("is whole")
	f.trailed(fl, runs)
}

// aims are where to kill: in AWS and Slack before and after each step, in Redis
// after. Before a step of Redis's is after the step before it.
func aims(steps []step) (all []aim) {
	for _, s := range steps {
		if s.service != "redis" && s.operation != received {
			all = append(all, aim{s, false})
		}
		all = append(all, aim{s, true})
	}
	return all
}

func (f *fleet) run(fl flow, n int, a aim) *run {
	r := &run{fleet: f, aim: a, name: fmt.Sprintf("kill-%03d", n), begun: make(map[string]int)}
	name := "undisturbed"
	if n > 0 {
		name = strings.ReplaceAll(a.String(), " ", "_")
	}
	f.whole.Run(name, func(t *testing.T) {
		f.world.t = t
		defer f.logs()
		r.alive = f.begin(a)
		for _, m := range r.messages(func(slacksim.Message) bool { return true }) {
			r.begun[m.Channel]++
		}
		fl.act(r)
		f.settle()
		r.fell = f.finish()
		if r.aim.operation == "chat.postMessage" && r.aim.after && r.fell != nil && fl.first != "" && entries(f.trail)[string(fl.first)+" "+r.id] == 0 {
			t.Errorf("it was said in Slack before the trail had %s", fl.first)
		}
		if dead := f.AWS.Queue(f.variable("SEKISHO_QUEUE_URL")).Dead; len(dead) > 0 {
			t.Errorf("in the dead-letter queue: %q", dead)
		}
		fl.holds(r)
	})
	return r
}

// messages are those of the whole workspace that are like this.
func (f *fleet) messages(like func(slacksim.Message) bool) (found []slacksim.Message) {
	f.Slack.Wait(f.ctx, func(all []slacksim.Message) bool {
		for _, m := range all {
			if like(m) {
				found = append(found, m)
			}
		}
		return true
	})
	return found
}

// in are the new messages of a channel with all of these texts.
func (r *run) in(channel string, texts ...string) []slacksim.Message {
	n := 0
	return r.messages(func(m slacksim.Message) bool {
		if m.Channel != channel {
			return false
		}
		n++
		return n > r.begun[channel] && !m.System && holds(m, texts)
	})
}

// cards are the messages of a channel about what this is about, not in a thread.
func (r *run) cards(channel string, texts ...string) []slacksim.Message {
	return slices.DeleteFunc(r.in(channel, append(texts, r.name)...), func(m slacksim.Message) bool { return m.ThreadTS != "" || m.Ephemeral })
}

// below are the lines below the cards.
func (r *run) below(channel string, texts ...string) (lines []slacksim.Message) {
	for _, card := range r.cards(channel) {
		for _, m := range r.in(channel, texts...) {
			if m.ThreadTS == card.TS {
				lines = append(lines, m)
			}
		}
	}
	return lines
}

// insist has a person do something until it is answered: again where it failed, or
// whoever was to answer is dead.
func (r *run) insist(what string, do func(context.Context) error, answered func() bool) {
	r.t.Helper()
	for range 5 {
		ctx, dies := r.alive, r.alive.Done()
		if ctx.Err() != nil {
			ctx, dies = r.ctx, nil
		}
		if do(ctx) != nil && !answered() {
			continue
		}
		r.await("an answer to "+what, func() bool {
			select {
			case <-dies:
				return true
			default:
				return answered()
			}
		})
		if answered() {
			return
		}
	}
	r.t.Fatalf("nobody answers %s", what)
}

// ask types a command and gives the private answer.
func (r *run) ask(text string, is ...string) (m slacksim.Message) {
	r.t.Helper()
	r.insist("/ec2-pass "+text,
		func(ctx context.Context) error { return r.Slack.Command(ctx, hana, ops, "/ec2-pass", text) },
		func() bool { return last(r.in(ops, is...), &m) })
	return m
}

// click presses a button and gives the answer, one of these.
func (r *run) click(user string, on slacksim.Message, action string, answers ...string) (m slacksim.Message) {
	r.t.Helper()
	before := len(r.in(on.Channel))
	r.insist("the button "+action,
		func(ctx context.Context) error {
			w := *r.world
			w.ctx = ctx
			return w.tryPress(user, on, action)
		},
		func() bool {
			for n, a := range r.in(on.Channel) {
				if n >= before && a.Ephemeral && a.To == user && slices.ContainsFunc(answers, func(text string) bool { return holds(a, []string{text}) }) {
					m = a
					return true
				}
			}
			return false
		})
	return m
}

func last(all []slacksim.Message, m *slacksim.Message) bool {
	if len(all) > 0 {
		*m = all[len(all)-1]
	}
	return len(all) > 0
}

// unnoted says whether who was killed had said something in Slack and not yet
// noted it.
func (r *run) unnoted() bool { return r.fell != nil && r.fell.last == "chat.postMessage" }

// once holds that there is one, or two where the second makes up for one of which
// nobody knew any more.
func (r *run) once(what string, n int, twice bool) {
	r.t.Helper()
	if n == 1 || n == 2 && twice {
		return
	}
	r.t.Errorf("%s: there are %d", what, n)
}

// machine adds a stopped instance.
func (r *run) machine(tags map[string]string) {
	all := map[string]string{"Sekisho": "guarded"}
	for key, value := range tags {
		all[key] = value
	}
	r.id = r.AWS.Add(awssim.Instance{Name: r.name, Tags: all}).ID
}

func (r *run) code(m slacksim.Message) string {
	r.t.Helper()
	found := codeIn.FindStringSubmatch(string(m.Blocks))
	if found == nil {
		r.t.Fatalf("no code in %s", readable(m))
	}
	return found[1]
}

// livePasses counts the passes of the instance that are good.
func (r *run) livePasses() (n int) {
	client := redis.NewClient(&redis.Options{Addr: r.world.redis})
	defer client.Close()
	all, err := client.HVals(r.ctx, "sekisho:{"+r.id+"}:passes").Result()
	r.do(err)
	for _, pass := range all {
		if strings.HasPrefix(pass, "1 live ") {
			n++
		}
	}
	return n
}

// entries counts what the lines of the trail say: "act id", by what it is about.
// That somebody came too late, or had asked before, is no decision.
func entries(lines string) map[string]int {
	counts := make(map[string]int)
	for line := range strings.Lines(lines) {
		var e auth.Entry
		if json.Unmarshal([]byte(line), &e) != nil || e.Reason == string(auth.TooLate) || e.Reason == string(auth.KeyMoved) || e.Reason == string(auth.AlreadyAsked) {
			continue
		}
		about := e.Instance + e.Key
		if e.Act == auth.ActReport {
			_, about, _ = strings.Cut(e.Note, " to ")
			about, _, _ = strings.Cut(about, ";")
		}
		counts[string(e.Act)+" "+about]++
	}
	return counts
}

// trailed holds that the trail has each decision of each run once; twice where who
// was killed had written it, and nobody else knew.
func (f *fleet) trailed(fl flow, runs []*run) {
	f.t.Helper()
	counts := entries(f.audited("export"))
	for _, r := range runs {
		for act, want := range fl.trail {
			n := counts[string(act)+" "+r.id]
			if n != want && (n != want+1 || r.fell == nil || !r.fell.wrote) {
				f.t.Errorf("%s: the trail has %d %s, not %d", r.aim, n, act, want)
			}
		}
	}
}
