package authtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sekisho/auth"
)

const within = time.Hour

// request is hana's, asked at T0 and open for an hour.
func request(random string) auth.Request {
	return auth.Request{
		ID: web + "/" + random, Instance: web, Asker: hana, Source: "command-" + random,
		Name: "web-1", Type: "p4d.24xlarge", Region: "eu-west-1", Account: "111122223333",
		Matched: []string{"Env=prod"}, Why: "a <test> & \"more\"", TTL: 10 * time.Minute, Rule: "leads",
		By: []string{ben}, Need: 2, Confirm: true, Within: within, Asked: T0,
		Channel: "C0OPS", Door: "socket", Reply: "sealed",
	}
}

func ask(t *testing.T, s Store, r auth.Request) auth.Request {
	t.Helper()
	r, err := s.PutRequest(t.Context(), r)
	if err != nil {
		t.Fatalf("PutRequest(%s): %v", r.ID, err)
	}
	return r
}

// happen stores one more change.
func happen(t *testing.T, s Store, r auth.Request, c auth.Change) auth.Request {
	t.Helper()
	now, changed, err := s.ChangeRequest(t.Context(), r.With(c))
	if err != nil || !changed {
		t.Fatalf("ChangeRequest(%s, %s): changed %v, %v", r.ID, c.Verb, changed, err)
	}
	return now
}

func approval(at time.Time) auth.Change {
	return auth.Change{Verb: auth.Approved, By: ben, At: at, Settles: true, Source: "click"}
}

// wantRequest holds every field against each other.
func wantRequest(t *testing.T, got, want auth.Request) {
	t.Helper()
	g, _ := json.Marshal(inUTC(got))
	w, _ := json.Marshal(inUTC(want))
	if string(g) != string(w) {
		t.Errorf("the request is\n%s\nwant\n%s", g, w)
	}
}

func inUTC(r auth.Request) auth.Request {
	r.Asked = r.Asked.UTC()
	r.History = slices.Clone(r.History)
	for n := range r.History {
		r.History[n].At = r.History[n].At.UTC()
	}
	return r
}

func requestKept(t *testing.T, s Store) {
	asked := request("1")
	wantRequest(t, ask(t, s, asked), asked)
	want := asked.With(auth.Change{
		Verb: auth.Approved, By: ben, At: T0.Add(1500 * time.Microsecond), Note: "ok", Door: "http", Source: "click",
	})
	now, changed, err := s.ChangeRequest(t.Context(), want)
	if err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	wantRequest(t, now, want)
	read, told, err := s.Request(t.Context(), asked.ID)
	if err != nil || told != (auth.Told{Version: -1, Recorded: -1}) {
		t.Errorf("nobody was told: %+v, %v", told, err)
	}
	wantRequest(t, read, want)
}

func requestReplay(t *testing.T, s Store) {
	first := request("1")
	ask(t, s, first)
	ask(t, s, first) // the very same call, sent twice

	sameSource, sameID := request("2"), request("1")
	sameSource.Source, sameID.Source = first.Source, "another command"
	sameSource.Asker, sameID.Asker = ben, ben
	for name, r := range map[string]auth.Request{"command": sameSource, "id": sameID} {
		if _, err := s.PutRequest(t.Context(), r); !refusedFor(err, auth.Replayed) {
			t.Errorf("a second request of one %s: %v", name, err)
		}
	}
	closed := happen(t, s, first, auth.Change{Verb: auth.Denied, By: ben, At: T0, Settles: true})
	again := request("3")
	again.Source = first.Source
	_, err := s.PutRequest(t.Context(), again)
	wantRefusal(t, err, auth.Replayed)

	all, err := s.Requests(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("stored: %+v, %v", all, err)
	}
	wantRequest(t, all[0], closed)

	for n := range 2 { // without a command's id only the request's own counts
		r := request(fmt.Sprint("nameless-", n))
		r.Asker, r.Source = fmt.Sprint("U", n), ""
		ask(t, s, r)
	}
}

func refusedFor(err error, why auth.Reason) bool {
	var r *auth.Refusal
	return errors.As(err, &r) && r.Reason == why
}

// wantAlreadyAsked asks for one more and wants the other request named.
func wantAlreadyAsked(t *testing.T, s Store, r, other auth.Request) {
	t.Helper()
	got, err := s.PutRequest(t.Context(), r)
	wantRefusal(t, err, auth.AlreadyAsked)
	wantRequest(t, got, other)
}

func oneOpenRequest(t *testing.T, s Store) {
	first := ask(t, s, request("1"))
	second := request("2")
	wantAlreadyAsked(t, s, second, first)
	if _, _, err := s.Request(t.Context(), second.ID); !refusedFor(err, auth.NoRequest) {
		t.Errorf("the second was stored: %v", err)
	}

	others, elsewhere := request("3"), request("4")
	others.Asker = ben
	elsewhere.Instance = "i-0bbbbbbbbbbbbbbb2"
	elsewhere.ID = elsewhere.Instance + "/4"
	ask(t, s, others)
	ask(t, s, elsewhere)

	second.Asked = T0.Add(within)
	wantAlreadyAsked(t, s, second, first)
	second.Asked = T0.Add(within + time.Millisecond)
	ask(t, s, second)
}

func closedMakesRoom(t *testing.T, s Store) {
	at := T0.Add(within - time.Minute)
	r := ask(t, s, request("1"))
	next := request("2")
	next.Asked = T0.Add(within + time.Minute)

	r = happen(t, s, r, auth.Change{Verb: auth.Reminded, At: at})
	r = happen(t, s, r, approval(at)) // from here as long again, for its asker to fetch the pass
	wantAlreadyAsked(t, s, next, r)
	happen(t, s, r, auth.Change{Verb: auth.Shown, By: hana, At: at})
	ask(t, s, next)

	for n, verb := range []auth.Verb{auth.Denied, auth.Withdraw, auth.Lapsed} {
		happen(t, s, next, auth.Change{Verb: verb, By: hana, At: next.Asked, Settles: true})
		next = request(fmt.Sprint("after-", n))
		next.Asked = T0.Add(within + time.Minute)
		ask(t, s, next)
	}
}

func lapsedFreesOwn(t *testing.T, s Store) {
	late := T0.Add(within + time.Second)
	first := ask(t, s, request("1"))
	second := request("2")
	second.Asked = late
	ask(t, s, second)
	happen(t, s, first, auth.Change{Verb: auth.Lapsed, At: late, Settles: true})
	third := request("3")
	third.Asked = late
	wantAlreadyAsked(t, s, third, second)
}

func changesAtOnce(t *testing.T, s Store) {
	r := ask(t, s, request("1"))
	for version := range 5 {
		var mu sync.Mutex
		var winners []auth.Request
		together(200, func(n int) {
			mine := r.With(auth.Change{Verb: auth.Approved, By: fmt.Sprint("U", n), At: T0})
			now, changed, err := s.ChangeRequest(context.Background(), mine)
			if err != nil || now.Version() != version+1 {
				t.Errorf("the request as it stands: version %d, %v", now.Version(), err)
				return
			}
			won := now.History[version].By == fmt.Sprint("U", n)
			if won != changed {
				t.Errorf("changer %d: changed %v, but the stored change is %s's", n, changed, now.History[version].By)
			}
			if changed {
				mu.Lock()
				winners = append(winners, now)
				mu.Unlock()
			}
		})
		if len(winners) != 1 {
			t.Fatalf("version %d was won %d times", version+1, len(winners))
		}
		r = winners[0]
	}
	read, _, err := s.Request(t.Context(), r.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantRequest(t, read, r)
}

func pastStays(t *testing.T, s Store) {
	asked := ask(t, s, request("1"))
	denied := happen(t, s, asked, auth.Change{Verb: auth.Denied, By: ben, At: T0, Settles: true})

	late := asked.With(approval(T0.Add(time.Second)))
	ahead := denied.With(auth.Change{Verb: auth.Reminded, At: T0}).With(approval(T0))
	for name, r := range map[string]auth.Request{"late": late, "ahead": ahead} {
		now, changed, err := s.ChangeRequest(t.Context(), r)
		if err != nil || changed {
			t.Errorf("a change that comes %s: changed %v, %v", name, changed, err)
		}
		wantRequest(t, now, denied)
	}
	if now, changed, err := s.ChangeRequest(t.Context(), denied); err != nil || !changed {
		t.Errorf("the same change sent again: %+v, changed %v, %v", now, changed, err)
	}
}

func unknownRequest(t *testing.T, s Store) {
	r := request("1").With(approval(T0))
	_, _, err := s.Request(t.Context(), r.ID)
	wantRefusal(t, err, auth.NoRequest)
	_, _, err = s.ChangeRequest(t.Context(), r)
	wantRefusal(t, err, auth.NoRequest)
	_, _, _, err = s.TakeTelling(t.Context(), r.ID, T0, time.Minute)
	wantRefusal(t, err, auth.NoRequest)
	_, err = s.PutTold(t.Context(), r.ID, auth.Told{})
	wantRefusal(t, err, auth.NoRequest)
	_, _, err = s.Request(t.Context(), r.ID)
	if wantRefusal(t, err, auth.NoRequest); t.Failed() {
		t.Error("a look made a record")
	}
}

func requestsListed(t *testing.T, s Store) {
	listed := func() (ids []string) {
		t.Helper()
		all, err := s.Requests(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			ids = append(ids, r.ID)
		}
		return ids
	}
	if got := listed(); len(got) != 0 {
		t.Errorf("an empty store lists %v", got)
	}
	put := func(random, user string, at time.Time) auth.Request {
		r := request(random)
		r.Asker, r.Asked = user, at
		return ask(t, s, r)
	}
	open := put("open", "U1", T0)
	happen(t, s, open, auth.Change{Verb: auth.Reminded, At: T0.Add(time.Minute)})
	closed := put("closed", "U2", T0.Add(time.Second))
	happen(t, s, closed, auth.Change{Verb: auth.Withdraw, By: "U2", At: T0.Add(time.Minute), Settles: true})
	next := put("next", "U3", T0.Add(24*time.Hour))
	if got := listed(); !slices.Equal(got, []string{open.ID, closed.ID, next.ID}) {
		t.Errorf("within a day: %v", got)
	}
	last := put("last", "U4", T0.Add(24*time.Hour+2*time.Minute))
	if got := listed(); !slices.Equal(got, []string{open.ID, next.ID, last.ID}) {
		t.Errorf("a day after one was closed: %v", got)
	}
}

func requestTellers(t *testing.T, s Store) {
	r := ask(t, s, request("1"))
	take := func(now time.Time) (auth.Request, auth.Told, bool) {
		t.Helper()
		r, told, ok, err := s.TakeTelling(t.Context(), r.ID, now, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return r, told, ok
	}
	give := func(told auth.Told, want bool) {
		t.Helper()
		if more, err := s.PutTold(t.Context(), r.ID, told); more != want || err != nil {
			t.Errorf("after %+v: more %v, %v", told, more, err)
		}
	}
	got, told, ok := take(T0)
	if !ok || told != (auth.Told{Version: -1, Recorded: -1}) {
		t.Fatalf("a new request is to be told: %v, %+v", ok, told)
	}
	wantRequest(t, got, r)
	_, _, _, err := s.TakeTelling(t.Context(), r.ID, T0.Add(59*time.Second), time.Minute)
	if !errors.Is(err, auth.ErrCardHeld) {
		t.Errorf("two may tell at once: %v", err)
	}
	if _, _, ok = take(T0.Add(61 * time.Second)); !ok {
		t.Error("after a teller is gone nobody may tell")
	}

	r = happen(t, s, r, approval(T0))
	card := auth.Told{Channel: "C0APPROVE", TS: "1.2"}
	give(card, true) // it was approved meanwhile
	got, told, ok = take(T0)
	if !ok || told != card {
		t.Errorf("the card: %v, %+v; want %+v", ok, told, card)
	}
	wantRequest(t, got, r)
	card.Recorded = 1
	give(card, true) // recorded, not told
	if _, _, ok = take(T0); !ok {
		t.Error("what is recorded is still to be told")
	}
	card.Version, card.Recorded = 1, 0
	give(card, true) // told, not recorded
	if _, _, ok = take(T0); !ok {
		t.Error("what is told is still to be recorded")
	}
	card.Recorded = 1
	give(card, false)
	if _, told, ok = take(T0.Add(time.Hour)); ok {
		t.Errorf("there is nothing left to tell: %+v", told)
	}
	if _, told, err := s.Request(t.Context(), r.ID); err != nil || told != card {
		t.Errorf("read again: %+v, %v", told, err)
	}
}
