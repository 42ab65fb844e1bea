package purge_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// every click that there is, by name.
var clicks = map[string]func(*world, string) (purge.Record, error){
	"keep": func(w *world, user string) (purge.Record, error) {
		return w.purge.Keep(w.t.Context(), key1, w.click(user), "why")
	},
	"exempt": func(w *world, user string) (purge.Record, error) {
		return w.purge.Exempt(w.t.Context(), key1, w.click(user), w.now().Add(30*day), "why")
	},
	"deactivate": func(w *world, user string) (purge.Record, error) {
		return w.purge.Order(w.t.Context(), key1, w.click(user), purge.Deactivate)
	},
	"undo": func(w *world, user string) (purge.Record, error) {
		return w.purge.Order(w.t.Context(), key1, w.click(user), purge.Reactivate)
	},
}

var wants = map[string]purge.Change{
	"keep": {Verb: purge.Kept}, "exempt": {Verb: purge.Exempted},
	"deactivate": {Verb: purge.Ordered, Do: purge.Deactivate}, "undo": {Verb: purge.Ordered, Do: purge.Reactivate},
}

// TestWhoMayDoWhat tries every click of everybody on a key in every state. What
// is refused changes nothing, and whoever asks beforehand hears the same.
func TestWhoMayDoWhat(t *testing.T) {
	const (
		yes     = auth.Reason("")
		moved   = auth.KeyMoved
		nobody  = auth.NoDecider
		observe = auth.KeyObserve
		mine    = auth.OwnKey
		none    = auth.NoKey
	)
	warned := func(w *world) { w.goTo(80) }
	off := func(w *world) { w.goTo(95) }
	for _, c := range []struct {
		name    string
		prepare func(*world)
		user    string
		//   keep, exempt, deactivate, undo
		want [4]auth.Reason
	}{
		{"a warned key, by one who decides", warned, ben, [4]auth.Reason{yes, yes, yes, moved}},
		{"by its owner, who decides", warned, hana, [4]auth.Reason{mine, mine, yes, moved}},
		{"by one who does not decide", warned, dan, [4]auth.Reason{nobody, nobody, nobody, nobody}},
		{"by a guest who is named", warned, guest, [4]auth.Reason{nobody, nobody, nobody, nobody}},
		{"by nobody", warned, "", [4]auth.Reason{nobody, nobody, nobody, nobody}},
		{"a key of which nothing is known", func(w *world) { w.goTo(10) }, ben, [4]auth.Reason{none, none, none, none}},
		{"one that the bot deactivated", off, ben, [4]auth.Reason{moved, moved, moved, yes}},
		{"by its owner, who decides", off, hana, [4]auth.Reason{moved, moved, moved, mine}},
		{"by one who does not decide", off, dan, [4]auth.Reason{nobody, nobody, nobody, nobody}},
		{"one that others deactivated", func(w *world) { w.iam.turn(key1, false); w.goTo(95) },
			ben, [4]auth.Reason{moved, moved, moved, moved}},
		{"one that others reactivated", func(w *world) { w.goTo(92); w.iam.turn(key1, true); w.goTo(93) },
			ben, [4]auth.Reason{yes, yes, yes, moved}},
		{"one that is deleted", func(w *world) { w.goTo(100) }, ben, [4]auth.Reason{moved, moved, moved, moved}},
		{"one that others deleted", func(w *world) { w.goTo(80); w.iam.remove(key1); w.goTo(81) },
			ben, [4]auth.Reason{moved, moved, moved, moved}},
		{"one about which something is ordered", func(w *world) { w.goTo(80); w.order(key1, ben, purge.Deactivate) },
			chiyo, [4]auth.Reason{moved, moved, moved, moved}},
		{"one with which something is begun", func(w *world) { w.begin(); w.wait(time.Minute - time.Nanosecond) },
			ben, [4]auth.Reason{moved, moved, moved, moved}},
		{"one with which it came to nothing", func(w *world) { w.begin(); w.wait(time.Minute) },
			ben, [4]auth.Reason{yes, yes, moved, moved}},
		{"by its owner, who decides", func(w *world) { w.begin(); w.wait(day) },
			hana, [4]auth.Reason{mine, mine, moved, moved}},
		{"one with which an order came to nothing", func(w *world) {
			w.goTo(80)
			w.order(key1, ben, purge.Deactivate)
			w.begin()
			w.wait(day)
		}, chiyo, [4]auth.Reason{moved, moved, moved, moved}},
		{"one that is kept", func(w *world) { w.goTo(80); w.keep(key1, ben) }, chiyo, [4]auth.Reason{yes, yes, yes, moved}},
		{"an observed key", func(w *world) { w.policy.Keys.Mode = auth.Observe; w.goTo(80) },
			ben, [4]auth.Reason{yes, yes, observe, moved}},
		{"one that was deactivated before observe mode", func(w *world) { w.goTo(95); w.policy.Keys.Mode = auth.Observe },
			ben, [4]auth.Reason{moved, moved, moved, yes}},
	} {
		for n, click := range []string{"keep", "exempt", "deactivate", "undo"} {
			t.Run(c.name+", "+c.user+": "+click, func(t *testing.T) {
				w := newKey(t)
				c.prepare(w)
				before := w.record(key1)
				_, beforehand := w.purge.MayDecide(t.Context(), key1, c.user, wants[click])
				r, err := clicks[click](w, c.user)
				if (beforehand == nil) != (err == nil) || err != nil && beforehand.Error() != err.Error() {
					t.Errorf("beforehand %v, on the click %v", beforehand, err)
				}
				if r.Version() != w.record(key1).Version() {
					t.Errorf("it returned %+v", r)
				}
				if c.want[n] != yes {
					wantRefusal(t, err, c.want[n])
					if r.Version() != before.Version() {
						t.Errorf("it changed: %q", w.history(key1))
					}
					return
				}
				if err != nil || r.Version() != before.Version()+1 {
					t.Fatalf("it came to nothing: %v, %q", err, w.history(key1))
				}
				last := r.History[before.Version()]
				if last.By != c.user || last.Door != "socket" || !strings.HasPrefix(last.Source, "click-") ||
					!last.At.Equal(w.now()) {
					t.Errorf("written down: %+v", last)
				}
			})
		}
	}
}

// begin has the bot begin to deactivate hana's key, which comes to nothing for
// lack of a permission. It does so on day 90 where nobody ordered it.
func (w *world) begin() {
	w.t.Helper()
	if w.record(key1).State(false).Pending.Verb == "" {
		w.goTo(89)
		w.wait(day)
	}
	lacks := w.denies("deactivate")
	defer lacks.mend()
	var denied *purge.Denied
	_, err := w.purge.Attend(w.t.Context(), purge.Ref{ID: key1, User: "hana"}, nil)
	if h := w.record(key1).History; !errors.As(err, &denied) || h[len(h)-1].Verb != purge.Begun {
		w.t.Fatalf("%v, %q", err, w.history(key1))
	}
}

// What the policy began and could not do, it does not do any more once somebody
// spares the key.
func TestSparedWhileAPermissionIsMissing(t *testing.T) {
	for _, click := range []string{"keep", "exempt"} {
		w := newKey(t)
		w.begin()
		w.wait(time.Minute)
		if _, err := clicks[click](w, ben); err != nil {
			t.Fatal(err)
		}
		w.attend(key1, "hana")
		w.goTo(96)
		w.wantDid()
		dropped := func(c purge.Change) bool { return c.Verb == purge.Dropped && c.Do == purge.Deactivate && c.By == "" }
		if !slices.ContainsFunc(w.record(key1).History, dropped) || w.record(key1).State(false).Pending.Verb != "" {
			t.Errorf("%s: %q", click, w.history(key1))
		}
	}
}

// TestTheSameClickTwice: Slack delivers again what was not answered in time,
// also when all of it is long done.
func TestTheSameClickTwice(t *testing.T) {
	for name, click := range clicks {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			w.goTo(80)
			if name == "undo" {
				w.goTo(95)
			}
			if _, err := click(w, ben); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				want := w.history(key1)
				w.clicks--
				r, err := click(w, ben)
				if err != nil || r.Version() != len(want) {
					t.Errorf("again: version %d, %v", r.Version(), err)
				}
				if got := w.history(key1); !slices.Equal(got, want) {
					t.Errorf("the record became %q; it was %q", got, want)
				}
				w.wait(time.Hour)
				w.attend(key1, "hana")
			}
			before := w.record(key1).Version()
			if _, err := click(w, ben); name == "keep" && err != nil || name == "exempt" && err != nil {
				t.Errorf("another click: %v", err)
			} else if err == nil && w.record(key1).Version() != before+1 {
				t.Errorf("another click changed nothing: %q", w.history(key1))
			}
		})
	}
}

// Who brought an act about stands beside it.
func TestWhoseActItWas(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.order(key1, ben, purge.Deactivate)
	w.goTo(81)
	w.order(key1, chiyo, purge.Reactivate)
	w.goTo(82)
	by := make(map[purge.Verb]string)
	for _, c := range w.record(key1).History {
		by[c.Verb] += c.By + c.Source
	}
	if by[purge.Deactivated] != ben+"click-1" || by[purge.Reactivated] != chiyo+"click-2" || by[purge.Warned] != "" {
		t.Errorf("by whom: %q", by)
	}
	w.wantHistory(key1, "76 warned until 90", "80 ordered deactivate", "81 deactivated until 91",
		"81 ordered reactivate", "82 reactivated until 89")
}

// The days after an order are those after any deactivation, and the key is not
// deleted before its time.
func TestOrderedAheadOfTime(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.Grace = day
	w.goTo(78)
	w.order(key1, ben, purge.Deactivate)
	w.goTo(89)
	w.wantDid("deactivate " + key1)
	w.goTo(90)
	w.wantDid("delete " + key1)
}

// When a key that a person had deactivated is deleted: what the record says, what
// the verdict says and what is done are one. Undo must mean something also where
// there is no grace; and nothing is deleted before the policy's own time.
func TestWhenAnOrderLeadsToADeletion(t *testing.T) {
	for _, c := range []struct {
		name           string
		grace          time.Duration
		day, used      int // used: after the deactivation, or never
		until, deleted time.Time
	}{
		{"young", 10 * day, 76, 0, dawn(90), dawn(90)},
		{"young, no grace", 0, 80, 0, dawn(90), dawn(90)},
		{"near its time, no grace", 0, 89, 0, dawn(90), dawn(90)},
		{"old", 10 * day, 100, 0, dawn(110), dawn(110)},
		{"old, no grace", 0, 100, 0, dawn(101), dawn(101)},
		{"old, a short grace", 5 * time.Minute, 100, 0, dawn(100).Add(5 * time.Minute), dawn(100).Add(5 * time.Minute)},
		{"old, a day and an hour", 25 * time.Hour, 100, 0, dawn(101).Add(time.Hour), dawn(101).Add(time.Hour)},
		{"used after it", 10 * day, 100, 103, dawn(110), dawn(113)},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newKey(t)
			w.policy.Keys.Grace = c.grace
			w.goTo(76)
			w.exempt(key1, ben, dawn(300))
			w.goTo(c.day)
			w.order(key1, ben, purge.Deactivate)
			a := w.attend(key1, "hana")
			w.wantDid("deactivate " + key1)
			h := w.record(key1).History
			if last := h[len(h)-1]; last.Verb != purge.Deactivated || !last.Until.Equal(c.until) || !last.Sight.When.Equal(c.until) {
				t.Errorf("the last is %+v, seen as %+v", last, last.Sight)
			}
			if v := a.Verdict; v.Next != purge.Delete || !v.At.Equal(c.until) {
				t.Errorf("what comes next: %s at %v", v.Next, v.At)
			}
			if c.used > 0 {
				w.goTo(c.used)
				w.iam.use(key1)
			}
			w.wait(c.deleted.Sub(w.now()) - time.Nanosecond)
			if v := w.attend(key1, "hana").Verdict; v.Next != purge.Delete || !v.At.Equal(c.deleted) {
				t.Errorf("right before: %s at %v", v.Next, v.At)
			}
			w.sweep()
			w.wantDid()
			w.wait(time.Nanosecond)
			w.sweep()
			w.wantDid("delete " + key1)
		})
	}
}

func TestNobodyOrdersADeletion(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	for _, do := range []purge.Do{purge.Delete, purge.Nothing, purge.Warn} {
		if _, err := w.purge.Order(t.Context(), key1, w.click(ben), do); err == nil {
			t.Errorf("%q was ordered", do)
		}
	}
	w.wantHistory(key1, "76 warned until 90")
}

// Whatever a record says, and whoever wrote it: nobody can order a deletion.
func TestForgedDeletion(t *testing.T) {
	for verb, pending := range map[string]purge.Change{
		"ordered": {Verb: purge.Ordered, Do: purge.Delete, By: "UX", Source: "forged"},
		"begun":   {Verb: purge.Begun, Do: purge.Delete, By: "UX", Worker: "forged"},
	} {
		for name, c := range map[string]struct {
			prepare func(*world)
			day     int
		}{
			"active, young": {func(*world) {}, 10},
			"active, young, without a grace": {func(w *world) {
				w.policy.Keys.FirstRun, w.policy.Keys.Grace = auth.AtOnce, 0
			}, 10},
			"inactive, young":            {func(w *world) { w.iam.turn(key1, false) }, 10},
			"warned of":                  {func(w *world) { w.goTo(80) }, 80},
			"deactivated, for some days": {func(w *world) { w.goTo(95) }, 95},
		} {
			t.Run(name+", "+verb, func(t *testing.T) {
				w := newKey(t)
				c.prepare(w)
				w.wait(dawn(c.day).Sub(w.now()))
				forged := pending
				forged.At = w.now()
				w.write(forged)
				w.tell(key1)
				w.wait(lease)
				w.iam.asked()
				w.attend(key1, "hana")
				w.sweep()
				if calls := w.iam.acts(); len(calls) > 0 {
					t.Errorf("IAM was asked for %q", calls)
				}
				h := w.record(key1).History
				if last := h[len(h)-1]; last.Verb != purge.Dropped || last.Do != purge.Delete || last.Note == "" {
					t.Errorf("the last is %+v", last)
				}
			})
		}
	}
}

// Where the policy asks for the deletion itself, it counts as the policy's own.
func TestForgedDeletionIsCounted(t *testing.T) {
	w := newKey(t)
	w.goTo(99)
	w.iam.changes()
	w.wait(day)
	w.write(purge.Change{Verb: purge.Ordered, Do: purge.Delete, By: "UX", At: w.now()})
	if err := w.budget.SetLimit(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if a := w.attend(key1, "hana"); !a.Over {
		t.Errorf("beyond the limit: %+v", a)
	}
	w.wantDid()
}

// An order that has nothing to do any more is dropped, and says why.
func TestOrderOvertaken(t *testing.T) {
	for name, c := range map[string]struct {
		day       int
		do        purge.Do
		active    bool
		want, why string
	}{
		"deactivated by others": {80, purge.Deactivate, false, "81 dropped deactivate", "it is inactive already"},
		"reactivated by others": {95, purge.Reactivate, true, "96 dropped reactivate", "it is active already"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			w.goTo(c.day)
			w.order(key1, ben, c.do)
			w.iam.turn(key1, c.active)
			w.iam.changes()
			w.goTo(c.day + 1)
			w.wantDid()
			dropped := func(h purge.Change) bool { return h.Verb == purge.Dropped && h.Note == c.why && h.By == ben }
			if !slices.Contains(w.history(key1), c.want) || !slices.ContainsFunc(w.record(key1).History, dropped) {
				t.Errorf("%+v", w.record(key1).History)
			}
		})
	}
}

func TestDates(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	for _, until := range []time.Time{w.now(), w.now().Add(-day), w.now().Add(purge.Longest + time.Nanosecond), {}} {
		_, err := w.purge.Exempt(t.Context(), key1, w.click(ben), until, "why")
		wantRefusal(t, err, auth.BadDate)
	}
	w.exempt(key1, ben, w.now().Add(purge.Longest-7*day))
	w.keep(key1, ben)
	before := w.record(key1).Version()
	r, err := w.purge.Keep(t.Context(), key1, w.click(ben), "why") // beyond Longest
	wantRefusal(t, err, auth.BadDate)
	if r.Version() != before || w.record(key1).Version() != before {
		t.Errorf("it changed: %q", w.history(key1))
	}
	w.exempt(key1, ben, w.now().Add(purge.Longest))
	w.exempt(key1, ben, w.now().Add(time.Nanosecond))
}

// A key is kept from the latest of now, what was told, and until when it was
// spared before. A nearer date takes nothing back.
func TestKeptUntil(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.keep(key1, ben)
	w.exempt(key1, ben, dawn(150))
	w.keep(key1, ben)
	w.exempt(key1, ben, dawn(81))
	w.keep(key1, ben)
	w.wantHistory(key1, "76 warned until 90", "80 kept until 97", "80 exempted until 150", "80 kept until 157",
		"80 exempted until 81", "80 kept until 164")

	w = newKey(t) // and from now, where the sweep is late
	w.goTo(76)
	w.wait(20 * day)
	w.keep(key1, ben)
	w.wantHistory(key1, "76 warned until 90", "96 kept until 103")
}

// Of two clicks at once the first to be stored wins; the other is judged by
// what came of it.
func TestTwoClicksAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string
		want          auth.Reason
	}{
		"keep, then deactivate": {"keep", "deactivate", ""},
		"deactivate, then keep": {"deactivate", "keep", auth.KeyMoved},
		"deactivate, twice":     {"deactivate", "deactivate", auth.KeyMoved},
	} {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			w.goTo(80)
			between := overtaken{w.store, func() {
				if _, err := clicks[c.first](w, ben); err != nil {
					t.Error(err)
				}
			}}
			w.purge.Store = &between
			r, err := clicks[c.second](w, chiyo)
			if c.want == "" && err != nil || c.want != "" && !refusedFor(err, c.want) {
				t.Errorf("the second: %v", err)
			}
			if now := w.record(key1); now.History[1].By != ben || r.Version() != now.Version() {
				t.Errorf("the record: %q", w.history(key1))
			}
		})
	}
}

// A click that comes before the worker's first step is what the worker goes by.
func TestKeptUnderTheWorkersHands(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.wait(day)
	p := w.another()
	p.Store = &overtaken{w.store, func() { w.keep(key1, ben) }}
	if _, err := p.Attend(t.Context(), purge.Ref{ID: key1, User: "hana"}, nil); err != nil {
		t.Fatal(err)
	}
	w.wantDid()
}

// overtaken is a store in which something happens before the first change.
type overtaken struct {
	purge.Store
	before func()
}

func (o *overtaken) Change(ctx context.Context, r purge.Record) (purge.Record, bool, error) {
	if before := o.before; before != nil {
		o.before = nil
		before()
	}
	return o.Store.Change(ctx, r)
}

// While nobody can be looked up, nobody decides.
func TestSlackIsAway(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.slack.err = errBusy
	for name, click := range clicks {
		if _, err := click(w, ben); !errors.Is(err, errBusy) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, err := w.purge.Confirm(t.Context(), "a hold", w.click(ben)); !errors.Is(err, errBusy) {
		t.Errorf("confirming: %v", err)
	}
}

func TestOwner(t *testing.T) {
	w := newWorld(t)
	for tag, want := range map[string]string{
		"U0CHIYO": chiyo, "W0CHIYO": "W0CHIYO", "": "", "chiyo": "", "C0CHIYO": "", "U0": "", "U0CHIYO> <!channel": "",
		"U0chiyo": "", "U" + strings.Repeat("0", 20): "", "U" + strings.Repeat("0", 19): "U" + strings.Repeat("0", 19),
	} {
		u := purge.User{Name: "ci", Tags: map[string]string{"sekisho-owner": tag}}
		if got := w.purge.Owner(u); got != want {
			t.Errorf("the tag %q: %q; want %q", tag, got, want)
		}
	}
	if got := w.purge.Owner(purge.User{Name: "ci", Tags: map[string]string{"Sekisho-Owner": chiyo}}); got != chiyo {
		t.Errorf("IAM tells no tags apart by case: %q", got)
	}
	if got := w.purge.Owner(purge.User{Name: "Hana", Tags: map[string]string{"sekisho-owner": chiyo}}); got != hana {
		t.Errorf("the policy's word counts: %q", got)
	}
}
