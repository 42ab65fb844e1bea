package auth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/infra/redisstore"
)

const (
	web   = "i-0aaaaaaaaaaaaaaa1"
	db    = "i-0bbbbbbbbbbbbbbb2"
	hana  = "U0HANA"
	ben   = "U0BEN"
	chiyo = "U0CHIYO"
	dan   = "U0DAN"
	leads = "S0LEADS"

	testPepper = "a pepper of the tests, 32 bytes and more"
	passTag    = "Auth"
)

// world is a gate with all that stands around it: the real store on an
// embedded Redis, an EC2 and a Slack that play what a test wrote down, and a
// clock that only a test moves.
type world struct {
	t        *testing.T
	now      time.Time
	redis    *miniredis.Miniredis
	store    *redisstore.Store
	ec2      *scriptedEC2
	slack    *directory
	policy   *auth.Policy
	passes   *auth.Passes
	requests *auth.Requests
	gate     *auth.Gate
	sweep    *auth.Sweep
	pauses   []time.Duration
	clicks   int
	// between runs in the gate's pauses, once in each.
	between func()
}

// newWorld enforces passes on what is tagged Sekisho=guarded. The instance web
// is, and rests in stopped. Everybody may have a pass; ben and chiyo are the leads.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, now: authtest.T0, redis: miniredis.RunT(t), between: func() {}}
	client, err := redisstore.Dial("redis://" + w.redis.Addr())
	if err != nil {
		t.Fatal(err)
	}
	w.store = redisstore.New(client)
	t.Cleanup(func() { w.store.Close() })
	w.ec2 = newScriptedEC2(t)
	w.ec2.put(guarded(web, auth.Stopped, w.now.Add(-24*time.Hour)))

	policy := auth.Defaults()
	policy.Gate.Mode = auth.Enforce
	policy.Gate.Guard = auth.Guard{Tags: map[string]string{"Sekisho": "guarded"}}
	policy.Gate.WhenUnavailable = auth.StopUnjudged
	policy.Rules = []auth.Rule{{Name: "everyone", Ask: []string{auth.Everyone}}}
	w.policy = &policy

	w.slack = &directory{people: make(map[string]auth.Person), groups: map[string][]string{leads: {ben, chiyo}}}
	for _, user := range []string{hana, ben, chiyo, dan} {
		w.slack.people[user] = auth.Person{ID: user}
	}

	now := func() time.Time { return w.now }
	w.passes = &auth.Passes{Policy: w.policy, Store: w.store, Asks: w.store, Pepper: pepper(t), Now: now, Random: rand.Reader}
	w.requests = &auth.Requests{
		Referee: &auth.Referee{Policy: w.policy, Directory: w.slack}, Store: w.store, Instances: w.ec2,
		Passes: w.passes, Now: now, Random: rand.Reader,
	}
	w.gate = &auth.Gate{
		Region: "eu-west-1",
		Policy: w.policy, Instances: w.ec2, Stopper: w.ec2, Starts: w.store, Pepper: pepper(t), Now: now,
		Looks: []time.Duration{time.Second, 2 * time.Second}, Pause: w.pause,
	}
	w.sweep = &auth.Sweep{Gate: w.gate, Passes: w.passes, Instances: w.ec2}
	return w
}

func (w *world) pause(ctx context.Context, d time.Duration) error {
	w.pauses = append(w.pauses, d)
	w.between()
	return ctx.Err()
}

// away makes every command of the store fail, until back.
func (w *world) away() { w.redis.SetError("ERR the test took the store away") }
func (w *world) back() { w.redis.SetError("") }

// issue gives the user a pass for the instance, for ten minutes.
func (w *world) issue(user, instance string) auth.Issued {
	w.t.Helper()
	n := auth.NewPass{Instance: instance, User: user, Request: w.click(user).Source}
	p, err := w.passes.Issue(w.t.Context(), n, 10*time.Minute)
	if err != nil {
		w.t.Fatalf("issuing a pass: %v", err)
	}
	return p
}

// click is one more thing that the user does in Slack.
func (w *world) click(user string) auth.Actor {
	w.clicks++
	return auth.Actor{User: user, Door: "socket", Source: fmt.Sprint("trigger-", w.clicks)}
}

// start puts the instance into pending, as StartInstances would, a minute
// after what was before, with this pass tag; none if it is empty.
func (w *world) start(instance, tag string) {
	w.now = w.now.Add(time.Minute)
	i := w.ec2.truth[instance]
	i.State, i.LaunchTime = auth.Pending, w.now
	w.ec2.put(tagged(i, tag))
	w.now = w.now.Add(time.Second)
}

// tagged gives the instance this pass tag in the place of what it has.
func tagged(i auth.Instance, tag string) auth.Instance {
	i.Tags = maps.Clone(i.Tags)
	delete(i.Tags, passTag)
	if tag != "" {
		i.Tags[passTag] = tag
	}
	return i
}

// become changes the instance's state and nothing else.
func (w *world) become(instance string, s auth.State) {
	i := w.ec2.truth[instance]
	i.State = s
	w.ec2.put(i)
}

// event is what EC2 announces now of web.
func (w *world) event(s auth.State) auth.StateChange {
	return auth.StateChange{Instance: web, State: s, At: w.now, Region: "eu-west-1"}
}

// opened hands the gate an event of web, which must go well.
func (w *world) opened(s auth.State) auth.Outcome {
	w.t.Helper()
	o, err := w.gate.Opened(w.t.Context(), w.event(s))
	if err != nil {
		w.t.Fatalf("the %s event: %v", s, err)
	}
	return o
}

// closed hands the gate a stopped event of web from this time.
func (w *world) closed(at time.Time) auth.Outcome {
	w.t.Helper()
	o, err := w.gate.Closed(w.t.Context(), auth.StateChange{Instance: web, State: auth.Stopped, At: at})
	if err != nil {
		w.t.Fatalf("the stopped event: %v", err)
	}
	return o
}

// confirm asks the gate to confirm the stop of web's newest start.
func (w *world) confirm() auth.Outcome {
	w.t.Helper()
	o, err := w.gate.Confirm(w.t.Context(), web, w.ec2.truth[web].LaunchTime)
	if err != nil {
		w.t.Fatalf("confirming: %v", err)
	}
	return o
}

// swept runs the sweep, which must go well.
func (w *world) swept() auth.Swept {
	w.t.Helper()
	sum, err := w.sweep.Run(w.t.Context())
	if err != nil {
		w.t.Fatalf("the sweep: %v", err)
	}
	return sum
}

// told has people know how far the start has come.
func (w *world) told(instance string, stage auth.Stage) {
	w.t.Helper()
	launch := w.record(instance).Launch
	if _, ok, err := w.store.TakeCard(w.t.Context(), instance, launch, w.now, time.Minute); !ok || err != nil {
		w.t.Fatalf("taking the card: %v, %v", ok, err)
	}
	if _, err := w.store.PutCard(w.t.Context(), instance, launch, auth.Card{TS: "1", Told: stage, Recorded: stage}); err != nil {
		w.t.Fatal(err)
	}
}

// record reads what the store keeps of the instance's newest start.
func (w *world) record(instance string) auth.Start {
	w.t.Helper()
	starts, err := w.store.Starts(w.t.Context(), []string{instance})
	if err != nil {
		w.t.Fatalf("reading the record: %v", err)
	}
	return starts[instance]
}

func wantStart(t *testing.T, s auth.Start, admitted bool, why auth.Reason, stage auth.Stage) {
	t.Helper()
	if s.Admitted != admitted || s.Reason != why || s.Stage != stage {
		t.Errorf("the start: admitted %v, %q, stage %d; want %v, %q, stage %d", s.Admitted, s.Reason, s.Stage, admitted, why, stage)
	}
}

func wantNone(t *testing.T, o auth.Outcome) {
	t.Helper()
	if !o.None() {
		t.Errorf("there is an outcome: %+v", o.Start)
	}
}

func wantRefusal(t *testing.T, err error, why auth.Reason) {
	t.Helper()
	var r *auth.Refusal
	if !errors.As(err, &r) || r.Reason != why {
		t.Errorf("error %v; want a refusal: %s", err, why)
	}
}

func pepper(t testing.TB) auth.Pepper {
	t.Helper()
	p, err := auth.NewPepper(testPepper)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func guarded(id string, s auth.State, launch time.Time) auth.Instance {
	return auth.Instance{
		ID: id, State: s, LaunchTime: launch, RootDevice: "ebs",
		Tags: map[string]string{"Name": "web-1", "Sekisho": "guarded"},
	}
}

// scriptedEC2 shows readings in the order in which a test wrote them down, and
// the truth after that. Every change it is asked for must be claimed with
// wantDid: what is left over at the end fails the test. Stopping changes
// nothing by itself: a test says what becomes of it.
type scriptedEC2 struct {
	t       *testing.T
	mu      sync.Mutex
	truth   map[string]auth.Instance
	shows   []reading
	tags    []map[string]string
	tagsErr error
	listErr error
	answers map[string][]error
	asked   []string
	reads   int
}

// reading is what one DescribeInstances comes to.
type reading struct {
	auth.Instance
	err error
}

func newScriptedEC2(t *testing.T) *scriptedEC2 {
	e := &scriptedEC2{t: t, truth: make(map[string]auth.Instance), answers: make(map[string][]error)}
	t.Cleanup(func() {
		if len(e.asked) > 0 {
			t.Errorf("EC2 was asked for what the test does not know of: %q", e.asked)
		}
	})
	return e
}

func (e *scriptedEC2) put(i auth.Instance) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.truth[i.ID] = i
}

// answer says how EC2 answers the next calls, such as "Stop", one error each;
// after that it answers nil.
func (e *scriptedEC2) answer(call string, errs ...error) {
	e.answers[call] = append(e.answers[call], errs...)
}

// wantDid claims what EC2 was asked for since the last time, in order. Ids and
// keys follow the name of the call: "Stop i-…", "Untag i-… Auth=CODE".
func (e *scriptedEC2) wantDid(calls ...string) {
	e.t.Helper()
	if !slices.Equal(e.asked, calls) {
		e.t.Errorf("EC2 was asked for %q; want %q", e.asked, calls)
	}
	e.asked = nil
}

// ask notes a call, such as "Untag", and what it was about, and answers it.
func (e *scriptedEC2) ask(call, about string) error {
	e.asked = append(e.asked, call+" "+about)
	if left := e.answers[call]; len(left) > 0 {
		e.answers[call] = left[1:]
		return left[0]
	}
	return nil
}

func (e *scriptedEC2) Instance(_ context.Context, id string) (auth.Instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reads++
	if len(e.shows) > 0 {
		r := e.shows[0]
		e.shows = e.shows[1:]
		return r.Instance, r.err
	}
	i, ok := e.truth[id]
	if !ok {
		return auth.Instance{}, auth.ErrNoInstance
	}
	i.Tags = maps.Clone(i.Tags)
	return i, nil
}

func (e *scriptedEC2) Tags(_ context.Context, id string) (map[string]string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.tags) > 0 {
		r := e.tags[0]
		e.tags = e.tags[1:]
		return r, nil
	}
	return maps.Clone(e.truth[id].Tags), e.tagsErr
}

func (e *scriptedEC2) Named(context.Context, string) ([]auth.Instance, error) {
	e.t.Error("package auth looks for an instance by its name")
	return nil, nil
}

func (e *scriptedEC2) Guarded(_ context.Context, g auth.Guard) ([]auth.Instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var found []auth.Instance
	for _, id := range slices.Sorted(maps.Keys(e.truth)) {
		if i := e.truth[id]; g.Covers(i) && i.State != auth.Terminated {
			found = append(found, i)
		}
	}
	return found, e.listErr
}

func (e *scriptedEC2) Stop(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ask("Stop", id)
}

func (e *scriptedEC2) Unprotect(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ask("Unprotect", id)
}

func (e *scriptedEC2) Terminate(_ context.Context, id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.ask("Terminate", id)
}

func (e *scriptedEC2) Untag(_ context.Context, id, key, value string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.ask("Untag", id+" "+key+"="+value)
	if i := e.truth[id]; err == nil && i.Tags[key] == value {
		i.Tags = maps.Clone(i.Tags)
		delete(i.Tags, key)
		e.truth[id] = i
	}
	return err
}

// directory is a Slack that knows what a test wrote down, and counts how often
// it is asked.
type directory struct {
	people map[string]auth.Person
	groups map[string][]string
	err    error
	asked  atomic.Int64
}

func (d *directory) Person(_ context.Context, user string) (auth.Person, error) {
	return known(d, d.people, user)
}

func (d *directory) Members(_ context.Context, id string) ([]string, error) {
	return known(d, d.groups, id)
}

func known[T any](d *directory, all map[string]T, id string) (T, error) {
	d.asked.Add(1)
	one, ok := all[id]
	if d.err == nil && !ok {
		return one, fmt.Errorf("%s: %w", id, auth.ErrNobody)
	}
	return one, d.err
}

// halfAway is a store that goes away between judging and writing down what was
// done about it.
type halfAway struct{ auth.StartStore }

func (halfAway) Advance(context.Context, string, time.Time, auth.Stage, string, time.Time) (auth.Start, bool, error) {
	return auth.Start{}, false, fmt.Errorf("%w: half way", auth.ErrUnavailable)
}
