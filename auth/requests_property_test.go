package auth_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"pgregory.net/rapid"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/infra/redisstore"
)

// TestRequestsInAnyOrder plays random lives of requests, while the policy, the
// groups and the people change under them. However it goes,
//
//   - only who may decide at that moment approves or denies, and never the asker;
//   - approve, deny and the look before them agree on who may;
//   - what is settled stays as it is;
//   - a pass comes out only for its asker, after enough approvals of people who
//     may approve at that moment, or as break-glass;
//   - one request lets one start in.
func TestRequestsInAnyOrder(t *testing.T) {
	server := miniredis.RunT(t)
	client, err := redisstore.Dial("redis://" + server.Addr())
	if err != nil {
		t.Fatal(err)
	}
	store := redisstore.New(client)
	t.Cleanup(func() { store.Close() })
	key := pepper(t)
	rapid.Check(t, func(t *rapid.T) {
		server.FlushAll()
		o := newOffice(t, server, store, key)
		t.Repeat(map[string]func(*rapid.T){
			"":                  o.check,
			"the world changes": o.change,
			"somebody asks":     o.ask,
			"somebody asks, 2":  o.ask,
			"glass":             o.breakGlass,
			"an approval":       func(t *rapid.T) { o.decide(t, true) },
			"an approval, 2":    func(t *rapid.T) { o.decide(t, true) },
			"an approval, 3":    func(t *rapid.T) { o.decide(t, true) },
			"no approval":       o.noApproval,
			"a look at a pass":  o.show,
			"a look, 2":         o.show,
			"a look, 3":         o.show,
			"a start":           o.start,
			"a while":           o.wait,
		})
	})
}

// office is where people ask each other.
type office struct {
	now      time.Time
	server   *miniredis.Miniredis
	store    *redisstore.Store
	key      auth.Pepper
	is       auth.Instance
	policy   *auth.Policy
	slack    *directory
	requests *auth.Requests
	clicks   int

	ids     []string
	settled map[string]auth.RequestState
	codes   []auth.Code
	let     map[string]int // by request: the starts that it let in
}

func newOffice(t *rapid.T, server *miniredis.Miniredis, store *redisstore.Store, key auth.Pepper) *office {
	o := &office{
		now: authtest.T0, server: server, store: store, key: key, is: guarded(web, auth.Stopped, authtest.T0),
		slack: &directory{}, settled: make(map[string]auth.RequestState), let: make(map[string]int),
	}
	policy := auth.Defaults()
	policy.Gate.Guard.All = true
	policy.Gate.Lock.After = 1000
	policy.Passes.Limit = auth.Limit{Person: 1000, Instance: 1000, Per: time.Minute}
	o.policy = &policy
	o.begin(t)
	o.is.Tags["Env"] = "prod"
	now := func() time.Time { return o.now }
	passes := &auth.Passes{Policy: o.policy, Store: store, Asks: store, Pepper: key, Now: now, Random: rand.Reader}
	o.requests = &auth.Requests{
		Referee: &auth.Referee{Policy: o.policy, Directory: o.slack}, Store: store, Instances: officeEC2{o: o},
		Passes: passes, Now: now, Random: rand.Reader,
	}
	return o
}

// officeEC2 shows the office's instance, which is never seen to run.
type officeEC2 struct {
	auth.InstanceReader
	o *office
}

func (e officeEC2) Instance(context.Context, string) (auth.Instance, error) { return e.o.is, nil }

// click is somebody's, and mostly that of one of these, where there are any.
func (o *office) click(t *rapid.T, mostly ...string) auth.Actor {
	o.clicks++
	user := rapid.SampledFrom(staff).Draw(t, "user")
	if len(mostly) > 0 && rapid.IntRange(0, 3).Draw(t, "just anybody") > 0 {
		user = rapid.SampledFrom(mostly).Draw(t, "the user")
	}
	return auth.Actor{User: user, Source: fmt.Sprint("click-", o.clicks)}
}

// some draws one of the requests as it stands, and mostly one in this state,
// where there is any.
func (o *office) some(t *rapid.T, mostly auth.RequestState) auth.Request {
	var all, most []auth.Request
	for _, id := range o.ids {
		r := o.read(t, id)
		all = append(all, r)
		if r.State() == mostly {
			most = append(most, r)
		}
	}
	switch {
	case len(all) == 0:
		t.Skip("nobody has asked")
	case len(most) > 0 && rapid.IntRange(0, 3).Draw(t, "just any") > 0:
		all = most
	}
	return rapid.SampledFrom(all).Draw(t, "request")
}

func (o *office) read(t *rapid.T, id string) auth.Request {
	r, _, err := o.store.Request(t.Context(), id)
	if err != nil {
		t.Fatalf("reading the request: %v", err)
	}
	return r
}

// check holds what must be true at any time.
func (o *office) check(t *rapid.T) {
	for _, id := range o.ids {
		r := o.read(t, id)
		if was := o.settled[id]; was != "" && was != r.State() {
			t.Fatalf("%s was %s, and is %s", id, was, r.State())
		}
		if r.State() != auth.RequestPending {
			o.settled[id] = r.State()
		}
		var settled int
		for _, c := range r.History {
			if c.By == r.Asker && (c.Verb == auth.Approved || c.Verb == auth.Denied) {
				t.Fatalf("%s decided about their own: %+v", r.Asker, r.History)
			}
			if c.Settles {
				settled++
			}
		}
		if settled > 1 {
			t.Fatalf("settled %d times: %+v", settled, r.History)
		}
		if o.let[id] > 1 {
			t.Fatalf("one request let %d starts in", o.let[id])
		}
	}
}

// change makes one thing another, or everything as it was in the beginning.
func (o *office) change(t *rapid.T) {
	switch rapid.IntRange(0, 5).Draw(t, "what changes") {
	case 0:
		o.policy.Rules = rulesets.Draw(t, "rules")
	case 1:
		o.slack.people = people.Draw(t, "people")
	case 2:
		o.slack.groups = groups.Draw(t, "groups")
	case 3:
		o.is.Tags = maps.Clone(o.is.Tags)
		o.is.Tags["Env"] = rapid.SampledFrom(envs).Draw(t, "env")
	default:
		o.begin(t)
	}
}

// begin lets most requests come to a pass.
func (o *office) begin(t *rapid.T) {
	o.policy.Rules = []auth.Rule{{
		Name: "leads", Ask: []string{auth.Everyone},
		Approve:    &auth.Approve{By: []string{leads}, Count: rapid.IntRange(1, 2).Draw(t, "count"), Within: 24 * time.Hour},
		BreakGlass: &auth.BreakGlass{By: []string{hana}, TTL: time.Minute},
	}}
	o.slack.people, o.slack.groups = make(map[string]auth.Person), map[string][]string{leads: {hana, ben, chiyo, dan}}
	for _, user := range staff {
		o.slack.people[user] = auth.Person{ID: user}
	}
}

func (o *office) wish(t *rapid.T, mostly ...string) auth.Wish {
	return auth.Wish{Asker: o.click(t, mostly...), Instance: o.is, Why: rapid.SampledFrom([]string{"", "the release"}).Draw(t, "why")}
}

func (o *office) ask(t *rapid.T) {
	wish := o.wish(t)
	pass, r, err := o.requests.Ask(t.Context(), wish)
	o.wantToldWhy(t, err)
	if err != nil {
		return
	}
	if r != nil {
		o.ids = append(o.ids, r.ID)
		return
	}
	o.codes = append(o.codes, pass.Code)
	if rule := o.rule(); rule == nil || rule.Approve != nil {
		t.Fatalf("a pass without an approval, under %+v", rule)
	}
}

func (o *office) breakGlass(t *rapid.T) {
	wish := o.wish(t, hana)
	r, err := o.requests.AskToBreakGlass(t.Context(), wish)
	if o.wantToldWhy(t, err); err == nil {
		o.ids = append(o.ids, r.ID)
		if !o.breaks(r) || r.Why == "" {
			t.Fatalf("%s may not break glass, or said not why: %+v", r.Asker, r)
		}
	}
}

// decide lets somebody approve or deny, and holds what comes of it against who
// may by the definition, and against the look before.
func (o *office) decide(t *rapid.T, approve bool) {
	before := o.some(t, auth.RequestPending)
	by := o.click(t, o.deciders(before)...)
	_, look := o.requests.MayDecide(t.Context(), before.ID, by.User)
	if on := o.requests.MayDecideOn(t.Context(), before, o.is, by.User); reasonOf(on) != reasonOf(look) {
		t.Fatalf("one look says %q, the other %q", reasonOf(look), reasonOf(on))
	}
	var now auth.Request
	var err error
	if approve {
		now, err = o.requests.Approve(t.Context(), before.ID, by)
	} else {
		now, err = o.requests.Deny(t.Context(), before.ID, by, "")
	}
	o.wantToldWhy(t, err)
	seen, why := reasonOf(look), reasonOf(err)
	switch {
	case why == seen:
	case !approve && seen == auth.AlreadyApproved && why == "":
	case approve && seen == "" && why == auth.PolicyChanged:
	default:
		t.Fatalf("a look says %q, the click %q", seen, why)
	}
	if err != nil {
		if now.Version() != before.Version() {
			t.Fatalf("a click that was refused changed the request: %+v", now.History)
		}
		return
	}
	if before.State() != auth.RequestPending || before.Break || by.User == before.Asker || !slices.Contains(o.deciders(before), by.User) {
		t.Fatalf("%s decided; those who may are %q, of %+v", by.User, o.deciders(before), before)
	}
	if approve && (now.State() == auth.RequestApproved) != o.enough(now) {
		t.Fatalf("it is %s after approvals of %q; those who may are %q", now.State(), now.Approvers(), o.deciders(now))
	}
	if !approve && now.State() != auth.RequestDenied {
		t.Fatalf("denied, and %s", now.State())
	}
}

// noApproval is any of the other ends of a request.
func (o *office) noApproval(t *rapid.T) {
	switch rapid.IntRange(0, 3).Draw(t, "which") {
	case 0:
		o.decide(t, false)
	case 1:
		r := o.some(t, auth.RequestPending)
		by := o.click(t, r.Asker)
		_, err := o.requests.Withdraw(t.Context(), r.ID, by)
		if o.wantToldWhy(t, err); err == nil && (by.User != r.Asker || r.State() != auth.RequestPending) {
			t.Fatalf("%s withdrew %+v", by.User, r)
		}
	default:
		r := o.some(t, auth.RequestPending)
		by := o.click(t, r.Asker)
		_, err := o.requests.Confirm(t.Context(), r.ID, by)
		if o.wantToldWhy(t, err); err == nil && (by.User != r.Asker || !r.Break || !o.breaks(r)) {
			t.Fatalf("%s confirmed %+v", by.User, r)
		}
	}
}

func (o *office) show(t *rapid.T) {
	r := o.some(t, auth.RequestApproved)
	by := o.click(t, r.Asker)
	_, pass, err := o.requests.Show(t.Context(), r.ID, by)
	if o.wantToldWhy(t, err); err != nil {
		if pass.Code.Reveal() != "" {
			t.Fatal("a code stands beside a refusal")
		}
		return
	}
	if by.User != r.Asker || o.settled[r.ID] != auth.RequestApproved {
		t.Fatalf("%s was shown the pass of %+v", by.User, r)
	}
	if r.Break && !o.breaks(r) || !r.Break && !o.enough(r) {
		t.Fatalf("a pass without enough approvals: %+v; those who may are %q", r, o.deciders(r))
	}
	o.codes = append(o.codes, pass.Code)
}

// start starts the instance with any code that was ever given out, again and
// again. EC2 shows it as stopped in between.
func (o *office) start(t *rapid.T) {
	if len(o.codes) == 0 {
		t.Skip("no code is known")
	}
	n := max(0, rapid.IntRange(-len(o.codes), len(o.codes)-1).Draw(t, "code"))
	o.now = o.now.Add(time.Second)
	s, _, err := o.store.Judge(t.Context(), auth.Knock{
		Instance: web, Launch: o.now, Now: o.now, Code: o.key.Digest(web, o.codes[len(o.codes)-1-n]), Misfit: auth.Unknown,
		Final: true, Lock: o.policy.Gate.Lock,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Admitted {
		o.let[web+s.Asked]++
	}
}

func (o *office) wait(t *rapid.T) {
	d := time.Duration(rapid.SampledFrom([]int{1, 9, 55, 24 * 60}).Draw(t, "minutes")) * time.Minute
	o.now = o.now.Add(d)
	o.server.FastForward(d)
	for _, id := range o.ids {
		if _, err := o.requests.Lapse(t.Context(), id); err != nil && reasonOf(err) != auth.NoRequest {
			t.Fatal(err)
		}
	}
	// A request is remembered for long, but not for ever.
	o.ids = slices.DeleteFunc(o.ids, func(id string) bool {
		_, _, err := o.store.Request(t.Context(), id)
		return reasonOf(err) == auth.NoRequest
	})
}

// rule is the definition of which rule is the instance's.
func (o *office) rule() *auth.Rule {
	for n, r := range o.policy.Rules {
		if r.Match.Tags == nil || r.Match.Tags["Env"] == o.is.Tags["Env"] {
			return &o.policy.Rules[n]
		}
	}
	return nil
}

// deciders are those who may decide about the request now.
func (o *office) deciders(r auth.Request) []string {
	rule := o.rule()
	if rule == nil || rule.Approve == nil {
		return nil
	}
	all := deciders(rule.Approve.By, o.slack.people, o.slack.groups)
	return slices.DeleteFunc(all, func(user string) bool { return user == r.Asker })
}

// enough says that so many of those who may decide now have approved.
func (o *office) enough(r auth.Request) bool {
	rule := o.rule()
	if rule == nil {
		return false
	}
	if rule.Approve == nil {
		return true
	}
	var n int
	for _, user := range o.deciders(r) {
		if slices.ContainsFunc(r.History, func(c auth.Change) bool { return c.Verb == auth.Approved && c.By == user }) {
			n++
		}
	}
	return n >= rule.Approve.Count
}

// breaks says that the asker may break glass now.
func (o *office) breaks(r auth.Request) bool {
	rule := o.rule()
	return rule != nil && rule.BreakGlass != nil &&
		slices.Contains(deciders(rule.BreakGlass.By, o.slack.people, o.slack.groups), r.Asker)
}

// wantToldWhy wants whatever comes to nothing to be a refusal.
func (o *office) wantToldWhy(t *rapid.T, err error) {
	if err != nil && reasonOf(err) == "" {
		t.Fatalf("a fault: %v", err)
	}
}

func reasonOf(err error) auth.Reason {
	var r *auth.Refusal
	if errors.As(err, &r) {
		return r.Reason
	}
	return ""
}
