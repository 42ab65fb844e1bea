// Package authtest holds the promises of package auth's interfaces as tests
// that every adapter runs.
package authtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"sekisho/auth"
)

// Store is everything that a store of passes, requests and starts promises.
type Store interface {
	auth.PassStore
	auth.AskCounter
	auth.RequestStore
	auth.StartStore
	auth.CardStore
	auth.PolicyStore
}

// T0 is the time at which the tests' clock stands.
var T0 = time.UnixMilli(1_800_000_000_000)

var (
	limit = auth.Limit{Person: 3, Instance: 4, Per: 10 * time.Minute}
	lock  = auth.Lock{After: 3, Within: 10 * time.Minute, For: 15 * time.Minute}
)

const (
	web  = "i-0aaaaaaaaaaaaaaa1"
	hana = "U0HANA"
	ben  = "U0BEN"
)

// Stores runs every promise against stores that open makes, each of them empty.
func Stores(t *testing.T, open func(t *testing.T) Store) {
	for name, promise := range map[string]func(*testing.T, Store){
		"a pass admits one start":                    passAdmitsOne,
		"of 1,000 callers one is admitted":           thousandStarts,
		"one start has one verdict":                  thousandEvents,
		"a pass dies at its deadline":                deadline,
		"a refusal says which it was":                refusals,
		"a look that is not final writes no refusal": looks,
		"an older event finds the newer start":       olderEvent,
		"a newer pass voids the older":               newerPass,
		"a replay stores nothing":                    replay,
		"a call sent twice stores one":               sentTwice,
		"an instance has a limit":                    instanceLimit,
		"a person has a limit":                       personLimit,
		"the policy in force is remembered":          policySwapped,
		"an exchange keeps the deadline":             exchange,
		"one request may show its pass again":        exchangeOfOneRequest,
		"voiding ends live passes only":              voiding,
		"wrong codes lock the instance":              wrongCodes,
		"stages only go up":                          stages,
		"one teller at a time":                       tellers,
		"a forced verdict spends nothing":            forced,
		"the last whole sweep":                       swept,
		"a start knows what asked for its pass":      askedFor,
		"a start's caller is named once":             callerOnce,
		"a request is kept as it was asked":          requestKept,
		"a request's replay stores nothing":          requestReplay,
		"one open request of a person":               oneOpenRequest,
		"a closed request makes room":                closedMakesRoom,
		"a lapsed request frees nobody else's place": lapsedFreesOwn,
		"of 200 changes at once one is stored":       changesAtOnce,
		"a request's past stays":                     pastStays,
		"an unknown request":                         unknownRequest,
		"open and newly closed requests are listed":  requestsListed,
		"one teller of a request at a time":          requestTellers,
	} {
		t.Run(name, func(t *testing.T) { promise(t, open(t)) })
	}
}

func pass(id, user string) auth.NewPass {
	return auth.NewPass{
		ID: id, Instance: web, User: user, Request: "request-of-" + id,
		Now: T0, Deadline: T0.Add(10 * time.Minute), Limit: limit,
	}
}

func knock(launch time.Time, code string) auth.Knock {
	return auth.Knock{Instance: web, Launch: launch, Now: launch, Code: code, Misfit: auth.Unknown, Final: true, Lock: lock}
}

func put(t *testing.T, s Store, p auth.NewPass) {
	t.Helper()
	if _, err := s.PutPass(t.Context(), p); err != nil {
		t.Fatalf("PutPass(%s): %v", p.ID, err)
	}
}

func judge(t *testing.T, s Store, k auth.Knock) (auth.Start, bool) {
	t.Helper()
	start, fresh, err := s.Judge(t.Context(), k)
	if err != nil {
		t.Fatalf("Judge: %v", err)
	}
	return start, fresh
}

func wantVerdict(t *testing.T, s auth.Start, admitted bool, why auth.Reason) {
	t.Helper()
	if s.Admitted != admitted || s.Reason != why {
		t.Errorf("verdict: admitted %v, %s; want %v, %s", s.Admitted, s.Reason, admitted, why)
	}
}

func wantRefusal(t *testing.T, err error, why auth.Reason) {
	t.Helper()
	var r *auth.Refusal
	if !errors.As(err, &r) || r.Reason != why {
		t.Errorf("error %v; want a refusal: %s", err, why)
	}
}

func passAdmitsOne(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	first, fresh := judge(t, s, knock(T0.Add(time.Second), "A"))
	wantVerdict(t, first, true, auth.Pass)
	if !fresh || first.User != hana || first.Stage != auth.Decided || !first.Launch.Equal(T0.Add(time.Second)) {
		t.Errorf("the grant: %+v, fresh %v", first, fresh)
	}
	second, _ := judge(t, s, knock(T0.Add(time.Minute), "A"))
	wantVerdict(t, second, false, auth.Used)
	if second.User != hana {
		t.Errorf("a used pass names its owner: got %q", second.User)
	}
}

// together runs f n times at once and waits for all.
func together(n int, f func(n int)) {
	var all sync.WaitGroup
	gate := make(chan struct{})
	for n := range n {
		all.Go(func() { <-gate; f(n) })
	}
	close(gate)
	all.Wait()
}

func thousandStarts(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	var mu sync.Mutex
	admitted := 0
	together(1000, func(n int) {
		k := knock(T0.Add(time.Duration(n)*time.Millisecond), "A")
		start, fresh, err := s.Judge(context.Background(), k)
		if err != nil {
			t.Errorf("Judge: %v", err)
		}
		if fresh && start.Admitted {
			mu.Lock()
			admitted++
			mu.Unlock()
		}
	})
	if admitted != 1 {
		t.Errorf("%d starts were admitted with one pass", admitted)
	}
}

func thousandEvents(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	var mu sync.Mutex
	fresh := 0
	together(1000, func(int) {
		start, first, err := s.Judge(context.Background(), knock(T0, "A"))
		if err != nil || !start.Admitted {
			t.Errorf("an event of an admitted start: %+v, %v", start, err)
		}
		if first {
			mu.Lock()
			fresh++
			mu.Unlock()
		}
	})
	if fresh != 1 {
		t.Errorf("%d callers were the first", fresh)
	}
}

func deadline(t *testing.T, s Store) {
	p := pass("A", hana)
	put(t, s, p)
	late, _ := judge(t, s, knock(p.Deadline.Add(time.Millisecond), "A"))
	wantVerdict(t, late, false, auth.Expired)

	p = pass("B", hana)
	put(t, s, p)
	k := knock(p.Deadline.Add(time.Second), "B")
	k.Launch, k.Now = p.Deadline, p.Deadline.Add(5*time.Hour)
	// The record of the late start above is newer: another instance tells.
	k.Instance, p.Instance = "i-0bbbbbbbbbbbbbbb2", "i-0bbbbbbbbbbbbbbb2"
	p.ID, k.Code = "C", "C"
	put(t, s, p)
	inTime, _ := judge(t, s, k)
	wantVerdict(t, inTime, true, auth.Pass)
}

func refusals(t *testing.T, s Store) {
	k := knock(T0, "")
	k.Misfit = auth.NoTag
	none, _ := judge(t, s, k)
	wantVerdict(t, none, false, auth.NoTag)

	k = knock(T0.Add(1*time.Second), "elsewhere")
	k.Misfit = auth.OtherInstance
	other, _ := judge(t, s, k)
	wantVerdict(t, other, false, auth.OtherInstance)

	put(t, s, pass("A", hana))
	put(t, s, pass("B", hana))
	voided, _ := judge(t, s, knock(T0.Add(2*time.Second), "A"))
	wantVerdict(t, voided, false, auth.Voided)
}

func looks(t *testing.T, s Store) {
	k := knock(T0, "A")
	k.Final = false
	look, fresh := judge(t, s, k)
	if look.Stage != 0 || fresh {
		t.Errorf("a look left %+v, fresh %v", look, fresh)
	}
	if starts, err := s.Starts(t.Context(), []string{web}); err != nil || len(starts) != 0 {
		t.Errorf("a look left the record %+v, %v", starts, err)
	}
	put(t, s, pass("A", hana))
	good, fresh := judge(t, s, k)
	wantVerdict(t, good, true, auth.Pass)
	if !fresh {
		t.Error("an admission is written down at any look")
	}
}

func olderEvent(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	now := T0.Add(time.Minute)
	judge(t, s, knock(now, "A"))
	k := knock(T0, "")
	got, fresh := judge(t, s, k)
	if fresh || !got.Launch.Equal(now) || !got.Admitted {
		t.Errorf("an older event got %+v, fresh %v; want the newer start as it is", got, fresh)
	}
}

func newerPass(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	put(t, s, pass("C", ben))
	put(t, s, pass("B", hana))
	states := map[string]auth.PassState{}
	all, err := s.PassesOf(t.Context(), []string{web, "i-0cccccccccccccccc"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		states[p.ID] = p.State
		if p.Instance != web || !p.Deadline.Equal(T0.Add(10*time.Minute)) || !p.Issued.Equal(T0) ||
			p.Request != "request-of-"+p.ID {
			t.Errorf("the record of %s: %+v", p.ID, p)
		}
	}
	if states["A"] != auth.PassVoided || states["B"] != auth.PassLive || states["C"] != auth.PassLive || len(states) != 3 {
		t.Errorf("after a second pass: %v", states)
	}
}

func replay(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	p := pass("B", hana)
	p.Request = pass("A", hana).Request
	_, err := s.PutPass(t.Context(), p)
	wantRefusal(t, err, auth.Replayed)
	start, _ := judge(t, s, knock(T0, "A"))
	wantVerdict(t, start, true, auth.Pass)
}

func sentTwice(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	put(t, s, pass("A", hana))
	nameless := pass("N", ben)
	nameless.Request = ""
	nameless.Instance = "i-0eeeeeeeeeeeeeeee"
	put(t, s, nameless)
	nameless.ID = "M" // two that nothing asked for are not one
	put(t, s, nameless)
	if all, err := s.PassesOf(t.Context(), []string{web}); err != nil || len(all) != 1 || all[0].State != auth.PassLive {
		t.Errorf("after one call sent twice: %+v, %v", all, err)
	}
}

func instanceLimit(t *testing.T, s Store) {
	for n := range limit.Instance {
		p := pass(fmt.Sprint("P", n), fmt.Sprint("U", n))
		p.Now = T0.Add(time.Duration(n) * time.Second)
		put(t, s, p)
	}
	p := pass("over", ben)
	p.Now = T0.Add(time.Minute)
	_, err := s.PutPass(t.Context(), p)
	wantRefusal(t, err, auth.TooManyInstance)
	var r *auth.Refusal
	if errors.As(err, &r) && r.Wait != 9*time.Minute {
		t.Errorf("told to wait %v; the oldest leaves the window in 9m", r.Wait)
	}
	p.Now = T0.Add(limit.Per + time.Second)
	put(t, s, p)
}

func personLimit(t *testing.T, s Store) {
	for range limit.Person {
		if err := s.CountAsk(t.Context(), hana, limit); err != nil {
			t.Fatal(err)
		}
	}
	err := s.CountAsk(t.Context(), hana, limit)
	wantRefusal(t, err, auth.TooManyPerson)
	var r *auth.Refusal
	if errors.As(err, &r) && (r.Wait <= 0 || r.Wait > limit.Per) {
		t.Errorf("told to wait %v", r.Wait)
	}
	if err := s.CountAsk(t.Context(), ben, limit); err != nil {
		t.Errorf("another person: %v", err)
	}
}

func exchange(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	p := pass("B", hana)
	p.Instead, p.Now, p.Deadline = "A", T0.Add(5*time.Minute), T0.Add(time.Hour)
	got, err := s.PutPass(t.Context(), p)
	if err != nil || !got.Equal(T0.Add(10*time.Minute)) {
		t.Errorf("exchanged until %v, %v; want the old deadline", got, err)
	}
	for name, p := range map[string]auth.NewPass{"voided": pass("C", hana), "of another person": pass("D", ben)} {
		p.Instead = map[string]string{"voided": "A", "of another person": "B"}[name]
		_, err := s.PutPass(t.Context(), p)
		if wantRefusal(t, err, auth.NoPass); t.Failed() {
			t.Fatalf("an exchange for a pass that is %s", name)
		}
	}
	p = pass("E", hana)
	p.Instead, p.Now = "B", T0.Add(11*time.Minute)
	_, err = s.PutPass(t.Context(), p)
	wantRefusal(t, err, auth.NoPass)
}

func voiding(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	put(t, s, pass("B", ben))
	if n, err := s.VoidPass(t.Context(), web, hana, T0); n != 1 || err != nil {
		t.Errorf("voided %d, %v", n, err)
	}
	if n, err := s.VoidPass(t.Context(), web, hana, T0); n != 0 || err != nil {
		t.Errorf("voided again %d, %v", n, err)
	}
	if n, _ := s.VoidPass(t.Context(), web, ben, T0.Add(time.Hour)); n != 0 {
		t.Errorf("an expired pass was counted as live")
	}
	start, _ := judge(t, s, knock(T0, "A"))
	wantVerdict(t, start, false, auth.Voided)
}

func wrongCodes(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	for n := range lock.After {
		start, _ := judge(t, s, knock(T0.Add(time.Duration(n)*time.Second), "nonsense"))
		wantVerdict(t, start, false, auth.Unknown)
		if locked := start.Note == string(auth.Locked); locked != (n == lock.After-1) {
			t.Errorf("wrong code %d: note %q", n+1, start.Note)
		}
	}
	start, _ := judge(t, s, knock(T0.Add(time.Minute), "A"))
	wantVerdict(t, start, false, auth.Locked)
	_, err := s.PutPass(t.Context(), pass("B", ben))
	wantRefusal(t, err, auth.Locked)

	k := knock(T0, "")
	k.Instance, k.Misfit = "i-0dddddddddddddddd", auth.NoTag
	for n := range 2 * lock.After {
		k.Launch = T0.Add(time.Duration(n) * time.Second)
		start, _ := judge(t, s, k)
		wantVerdict(t, start, false, auth.NoTag)
	}
}

func stages(t *testing.T, s Store) {
	judge(t, s, knock(T0, ""))
	advance := func(launch time.Time, to auth.Stage, note string) (auth.Start, bool) {
		t.Helper()
		start, moved, err := s.Advance(t.Context(), web, launch, to, note, T0.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		return start, moved
	}
	if start, moved := advance(T0, auth.StopAsked, "why"); !moved || start.Stage != auth.StopAsked || start.Note != "why" || !start.StageAt.Equal(T0.Add(time.Minute)) {
		t.Errorf("up: %+v, %v", start, moved)
	}
	if start, moved := advance(T0, auth.Unstopped, "late"); moved || start.Stage != auth.StopAsked || start.Note != "why" {
		t.Errorf("down: %+v, %v", start, moved)
	}
	if start, moved := advance(T0.Add(-time.Hour), auth.Ended, ""); moved || start.Stage != 0 {
		t.Errorf("another start: %+v, %v", start, moved)
	}
	if err := s.Keep(t.Context(), web); err != nil {
		t.Error(err)
	}
}

func tellers(t *testing.T, s Store) {
	judge(t, s, knock(T0, ""))
	take := func(now time.Time) bool {
		t.Helper()
		_, ok, err := s.TakeCard(t.Context(), web, T0, now, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	if _, ok, err := s.TakeCard(t.Context(), web, T0.Add(-time.Hour), T0, time.Minute); ok || err != nil {
		t.Errorf("an older start's card: %v, %v", ok, err)
	}
	if !take(T0) {
		t.Fatal("nobody may tell")
	}
	if _, _, err := s.TakeCard(t.Context(), web, T0, T0.Add(59*time.Second), time.Minute); !errors.Is(err, auth.ErrCardHeld) {
		t.Errorf("two may tell at once: %v", err)
	}
	if !take(T0.Add(61 * time.Second)) {
		t.Error("after a teller is gone nobody may tell")
	}
	s.Advance(t.Context(), web, T0, auth.StopAsked, "", T0)
	card := auth.Card{Channel: "C0ALERTS", TS: "1.2", Told: auth.Decided, Recorded: auth.StopAsked}
	if more, err := s.PutCard(t.Context(), web, T0, card); !more || err != nil {
		t.Errorf("moved on meanwhile: more %v, %v", more, err)
	}
	start, ok, err := s.TakeCard(t.Context(), web, T0, T0, time.Minute)
	if !ok || err != nil || start.Card != card {
		t.Errorf("the card: %+v, %v, %v", start.Card, ok, err)
	}
	card.Told = auth.StopAsked
	if more, err := s.PutCard(t.Context(), web, T0, card); more || err != nil {
		t.Errorf("told all: more %v, %v", more, err)
	}
	if take(T0.Add(time.Hour)) {
		t.Error("there is nothing left to tell")
	}
}

func forced(t *testing.T, s Store) {
	put(t, s, pass("A", hana))
	k := knock(T0, "A")
	k.Forced, k.Admit, k.Final = auth.Unjudged, false, false
	start, fresh := judge(t, s, k)
	wantVerdict(t, start, false, auth.Unjudged)
	if !fresh {
		t.Error("a forced verdict is written down")
	}
	next, _ := judge(t, s, knock(T0.Add(time.Second), "A"))
	wantVerdict(t, next, true, auth.Pass)
}

func swept(t *testing.T, s Store) {
	for _, want := range []time.Time{{}, T0, T0.Add(time.Hour)} {
		if !want.IsZero() {
			if err := s.PutSwept(t.Context(), want); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.Swept(t.Context()); err != nil || !got.Equal(want) {
			t.Errorf("swept until %v, %v; want %v", got, err, want)
		}
	}
}

func askedFor(t *testing.T, s Store) {
	p := pass("A", hana)
	p.Request = web + "/1~13345224609.738474920"
	put(t, s, p)
	refused, _ := judge(t, s, knock(T0, "nonsense"))
	admitted, _ := judge(t, s, knock(T0.Add(time.Second), "A"))
	starts, err := s.Starts(t.Context(), []string{web})
	if err != nil || refused.Asked != "" || admitted.Asked != p.Request || starts[web].Asked != p.Request {
		t.Errorf("refused: %q, admitted: %q, read again: %q, %v", refused.Asked, admitted.Asked, starts[web].Asked, err)
	}
}

// One request may show its pass again and again: each new one stands in the
// place of the one before, and only that.
func exchangeOfOneRequest(t *testing.T, s Store) {
	first := pass("A", hana)
	first.Request = "/of-one-request"
	put(t, s, first)
	for _, id := range []string{"B", "C"} {
		next := first
		next.ID, next.Instead = id, map[string]string{"B": "A", "C": "B"}[id]
		put(t, s, next)
	}
	if start, _ := judge(t, s, knock(T0, "C")); !start.Admitted || start.Asked != first.Request {
		t.Errorf("the last of three: %+v", start)
	}
	again := first
	again.ID = "D"
	_, err := s.PutPass(t.Context(), again)
	wantRefusal(t, err, auth.Replayed)
	again.Instead = "C"
	if _, err := s.PutPass(t.Context(), again); err == nil {
		t.Error("a pass took the place of one that is spent")
	}
}

func callerOnce(t *testing.T, s Store) {
	now, held := T0, false
	name := func(launch time.Time, caller string) bool {
		t.Helper()
		first, err := s.NameCaller(t.Context(), web, launch, caller, caller+" event", now, time.Minute)
		if held = errors.Is(err, auth.ErrCardHeld); err != nil && !held {
			t.Fatal(err)
		}
		return first
	}
	if name(T0, "arn:1") {
		t.Error("a start that nobody has judged got a caller")
	}
	judge(t, s, knock(T0, ""))
	if name(T0.Add(-time.Hour), "arn:1") {
		t.Error("an older start's caller was noted on the newer")
	}
	if !name(T0, "arn:1") {
		t.Error("the first event did not name the caller")
	}
	if name(T0, "arn:1") || !held {
		t.Error("two workers name the caller at once")
	}
	now = now.Add(time.Minute)
	if !name(T0, "arn:1") || name(T0, "arn:2") {
		t.Error("the first event, come again when its worker was dead, was not the only one to name the caller")
	}
	if err := s.CallerTold(t.Context(), web, T0); err != nil || name(T0, "arn:1") {
		t.Errorf("what was told would be told again, %v", err)
	}
	judge(t, s, knock(T0.Add(time.Second), ""))
	if !name(T0.Add(time.Second), "arn:2") {
		t.Error("the next start kept the caller of the one before")
	}
}

func policySwapped(t *testing.T, s Store) {
	for _, tt := range []struct{ hash, before string }{{"A", ""}, {"A", "A"}, {"B", "A"}, {"A", "B"}} {
		if before, err := s.SwapPolicy(t.Context(), tt.hash); before != tt.before || err != nil {
			t.Errorf("before %s: %q, %v; want %q", tt.hash, before, err, tt.before)
		}
	}
}
