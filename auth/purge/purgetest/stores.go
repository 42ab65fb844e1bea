// Package purgetest holds the promises of package purge's interfaces as tests
// that every adapter runs, and with Memory an adapter for tests.
package purgetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// T0 is the time at which the tests' clock stands.
var T0 = time.UnixMilli(1_800_000_000_000)

const (
	old  = "AKIATEST0OLD00000001"
	next = "AKIATEST0NEXT0000002"
	ben  = "U0BEN"
)

// Stores runs every promise against what open makes, each of it empty.
func Stores(t *testing.T, open func(t *testing.T) (purge.Store, purge.Budget)) {
	for name, promise := range map[string]func(*testing.T, purge.Store){
		"a record is kept as it was begun":            kept,
		"what is handed out is a copy":                copied,
		"of 1,000 first changes at once one is made":  firstAtOnce,
		"of 200 further changes at once one is made":  furtherAtOnce,
		"a record's past stays":                       pastStays,
		"a change that is sent again is stored once":  changeAgain,
		"a key without a record":                      unknownKey,
		"every record is listed, also of a key ended": listed,
		"one teller of a key at a time":               tellers,
		"of 200 tellers at once one may":              tellersAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := open(t)
			promise(t, s)
		})
	}
	for name, promise := range map[string]func(*testing.T, purge.Budget){
		"keys are counted all or none":            allOrNone,
		"a key is counted once in a day":          onceInADay,
		"one key may end where no limit was set":  noLimit,
		"of 200 claims at once 10 are granted":    claimsAtOnce,
		"claims of several at once are not split": severalAtOnce,
		"the first of a hold's id is kept":        holdKept,
		"a hold is allowed once":                  allowedOnce,
		"of 200 who allow at once one does":       allowedAtOnce,
		"allowed keys are free for a day":         allowedFree,
		"held keys wait":                          heldWait,
		"a hold that is not known":                unknownHold,
	} {
		t.Run(name, func(t *testing.T) {
			_, b := open(t)
			promise(t, b)
		})
	}
}

// begun is a record without a change.
func begun(id string) purge.Record {
	return purge.Record{
		ID: id, User: "ci <deploy> & co", UserID: "AIDATEST000000000001", Account: "111122223333",
		Created: T0.Add(-80 * day).UTC(),
	}
}

// warned has every field that a change can have.
func warned(by string) purge.Change {
	return purge.Change{
		Verb: purge.Warned, Do: purge.Deactivate, By: by, At: T0.Add(1234567 * time.Nanosecond).UTC(),
		Until: T0.Add(7 * day).UTC(), Lead: 7 * day, Rule: "max_age: 90d", Note: `"soon" <&>`, Observed: true,
		Sight: &purge.Sight{
			Active: true, Used: &purge.Use{At: T0.Add(-day).UTC(), Service: "s3", Region: "eu-west-1"},
			Others: []purge.Key{{ID: next, Active: true, Created: T0.Add(-day).UTC()}},
			Owner:  ben, Next: purge.Deactivate, When: T0.Add(7 * day).UTC(),
		},
		Door: "socket", Source: "click",
	}
}

func by(user string) purge.Change {
	return purge.Change{Verb: purge.Kept, By: user, At: T0.UTC(), Until: T0.Add(7 * day).UTC()}
}

// happen stores one more change.
func happen(t *testing.T, s purge.Store, r purge.Record, c purge.Change) purge.Record {
	t.Helper()
	now, changed, err := s.Change(t.Context(), r.With(c))
	if err != nil || !changed {
		t.Fatalf("Change(%s, %s): changed %v, %v", r.ID, c.Verb, changed, err)
	}
	return now
}

func read(t *testing.T, s purge.Store, id string) purge.Filed {
	t.Helper()
	f, err := s.Record(t.Context(), id)
	if err != nil {
		t.Fatalf("Record(%s): %v", id, err)
	}
	return f
}

func wantRecord(t *testing.T, got, want purge.Record) {
	t.Helper()
	if !same(got, want) {
		t.Errorf("the record is\n%s\nwant\n%s", text(got), text(want))
	}
}

func wantTooLate(t *testing.T, err error) {
	t.Helper()
	var r *auth.Refusal
	if !errors.As(err, &r) || r.Reason != auth.TooLate {
		t.Errorf("error %v; want a refusal: %s", err, auth.TooLate)
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

func kept(t *testing.T, s purge.Store) {
	want := begun(old).With(warned(ben))
	wantRecord(t, happen(t, s, begun(old), warned(ben)), want)
	other := want
	other.User = "renamed" // a record says what the user was called when it was begun
	want = want.With(by(ben))
	wantRecord(t, happen(t, s, other, by(ben)), want)
	f := read(t, s, old)
	wantRecord(t, f.Record, want)
	if f.Told != (auth.Told{}) {
		t.Errorf("nobody was told: %+v", f.Told)
	}
}

func copied(t *testing.T, s purge.Store) {
	given := begun(old).With(warned(ben))
	now, _, err := s.Change(t.Context(), given)
	if err != nil {
		t.Fatal(err)
	}
	all, err := s.Records(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []purge.Record{given, now, read(t, s, old).Record, all[old].Record} {
		r.History[0].By = "U0MALLORY"
		r.History[0].Sight.Used.Service = "iam"
	}
	wantRecord(t, read(t, s, old).Record, begun(old).With(warned(ben)))
}

// race has n workers make a change to one record at once, wants exactly one of
// them to succeed, and every one to see that change. It returns the record.
func race(t *testing.T, s purge.Store, r purge.Record, n int) purge.Record {
	t.Helper()
	var mu sync.Mutex
	var winners []purge.Record
	together(n, func(n int) {
		me := fmt.Sprint("U", n)
		now, changed, err := s.Change(context.Background(), r.With(by(me)))
		if err != nil || now.Version() != r.Version()+1 {
			t.Errorf("the record as it stands: version %d, %v", now.Version(), err)
			return
		}
		if stored := now.History[r.Version()].By; changed != (stored == me) {
			t.Errorf("%s: changed %v, but the stored change is %s's", me, changed, stored)
		}
		if changed {
			mu.Lock()
			winners = append(winners, now)
			mu.Unlock()
		}
	})
	if len(winners) != 1 {
		t.Fatalf("version %d was won %d times", r.Version()+1, len(winners))
	}
	wantRecord(t, read(t, s, r.ID).Record, winners[0])
	return winners[0]
}

func firstAtOnce(t *testing.T, s purge.Store) { race(t, s, begun(old), 1000) }

func furtherAtOnce(t *testing.T, s purge.Store) {
	r := happen(t, s, begun(old), warned(""))
	for range 5 {
		r = race(t, s, r, 200)
	}
}

func pastStays(t *testing.T, s purge.Store) {
	first := happen(t, s, begun(old), warned(""))
	second := happen(t, s, first, by(ben))
	for name, r := range map[string]purge.Record{
		"first again": begun(old).With(by("U0LATE")),
		"late":        first.With(by("U0LATE")),
		"ahead":       second.With(by("U0EARLY")).With(by("U0EARLY")),
	} {
		now, changed, err := s.Change(t.Context(), r)
		if err != nil || changed {
			t.Errorf("a change that comes %s: changed %v, %v", name, changed, err)
		}
		wantRecord(t, now, second)
	}
	rewritten := second.With(by("U0CHIYO"))
	rewritten.History[0].By = "U0MALLORY"
	now, changed, err := s.Change(t.Context(), rewritten)
	if err != nil || !changed {
		t.Fatalf("changed %v, %v", changed, err)
	}
	wantRecord(t, now, second.With(by("U0CHIYO")))
}

func changeAgain(t *testing.T, s purge.Store) {
	first := begun(old).With(warned(""))
	second := first.With(by(ben))
	for _, r := range []purge.Record{first, first, second, second, first} {
		if now, changed, err := s.Change(t.Context(), r); err != nil || !changed {
			t.Errorf("changed %v, %v: %s", changed, err, text(now))
		}
	}
	wantRecord(t, read(t, s, old).Record, second)
}

func unknownKey(t *testing.T, s purge.Store) {
	if f := read(t, s, old); f.ID != "" || f.Version() != 0 || f.Told != (auth.Told{}) {
		t.Errorf("a record of nothing: %+v", f)
	}
	if f, ok, err := s.TakeTelling(t.Context(), old, T0, time.Minute); ok || err != nil {
		t.Errorf("there is something to tell: %+v, %v", f, err)
	}
	if more, err := s.PutTold(t.Context(), old, auth.Told{Version: 1}); more || err != nil {
		t.Errorf("it was told: more %v, %v", more, err)
	}
	late := begun(old).With(warned("")).With(by(ben))
	if now, changed, err := s.Change(t.Context(), late); changed || err != nil || now.Version() != 0 {
		t.Errorf("a second change without a first: %+v, changed %v, %v", now, changed, err)
	}
	if all, err := s.Records(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("an empty store lists %v, %v", all, err)
	}
	happen(t, s, begun(old), warned("")) // none of that stands in the way
}

func listed(t *testing.T, s purge.Store) {
	want := make(map[string]purge.Filed)
	for n := range 3 {
		id := fmt.Sprintf("AKIATEST%012d", n)
		want[id] = purge.Filed{Record: happen(t, s, begun(id), warned(""))}
	}
	ended := happen(t, s, want["AKIATEST000000000001"].Record, purge.Change{Verb: purge.Gone, At: T0.UTC()})
	told := auth.Told{Channel: "C0ALERTS", TS: "1.2", Version: 2, Recorded: 2}
	if _, _, err := s.TakeTelling(t.Context(), ended.ID, T0, time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutTold(t.Context(), ended.ID, told); err != nil {
		t.Fatal(err)
	}
	want[ended.ID] = purge.Filed{Record: ended, Told: told}
	got, err := s.Records(t.Context())
	if err != nil || !same(got, want) {
		t.Errorf("listed: %v\n%s\nwant\n%s", err, text(got), text(want))
	}
}

func tellers(t *testing.T, s purge.Store) {
	r := happen(t, s, begun(old), warned(""))
	take := func(now time.Time) (purge.Filed, bool) {
		t.Helper()
		f, ok, err := s.TakeTelling(t.Context(), old, now, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return f, ok
	}
	give := func(told auth.Told, want bool) {
		t.Helper()
		if more, err := s.PutTold(t.Context(), old, told); more != want || err != nil {
			t.Errorf("after %+v: more %v, %v", told, more, err)
		}
	}
	f, ok := take(T0)
	if !ok || f.Told != (auth.Told{}) {
		t.Fatalf("a new record is to be told: %v, %+v", ok, f.Told)
	}
	wantRecord(t, f.Record, r)
	if _, _, err := s.TakeTelling(t.Context(), old, T0.Add(59*time.Second), time.Minute); !errors.Is(err, auth.ErrCardHeld) {
		t.Errorf("two may tell at once: %v", err)
	}
	if _, ok = take(T0.Add(61 * time.Second)); !ok {
		t.Error("after a teller is gone nobody may tell")
	}

	r = happen(t, s, r, by(ben))
	card := auth.Told{Channel: "C0ALERTS", TS: "1.2", Version: 1, Recorded: 1}
	give(card, true) // it changed meanwhile
	f, ok = take(T0)
	if !ok || f.Told != card {
		t.Errorf("the card: %v, %+v; want %+v", ok, f.Told, card)
	}
	wantRecord(t, f.Record, r)
	card.Recorded = 2
	give(card, true) // recorded, not told
	if _, ok = take(T0); !ok {
		t.Error("what is recorded is still to be told")
	}
	card.Version, card.Recorded = 2, 1
	give(card, true) // told, not recorded
	if _, ok = take(T0); !ok {
		t.Error("what is told is still to be recorded")
	}
	card.Recorded = 2
	give(card, false)
	if f, ok = take(T0.Add(time.Hour)); ok {
		t.Errorf("there is nothing left to tell: %+v", f.Told)
	}
	if f = read(t, s, old); f.Told != card {
		t.Errorf("read again: %+v", f.Told)
	}
}

func tellersAtOnce(t *testing.T, s purge.Store) {
	happen(t, s, begun(old), warned(""))
	var mu sync.Mutex
	var answers []error
	together(200, func(int) {
		_, ok, err := s.TakeTelling(context.Background(), old, T0, time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if ok == (err != nil) {
			t.Errorf("ok %v, %v", ok, err)
		}
		answers = append(answers, err)
	})
	lost := slices.DeleteFunc(answers, func(err error) bool { return err == nil })
	if len(lost) != 199 || slices.ContainsFunc(lost, func(err error) bool { return !errors.Is(err, auth.ErrCardHeld) }) {
		t.Errorf("%d were refused: %v", len(lost), lost[:min(3, len(lost))])
	}
}
