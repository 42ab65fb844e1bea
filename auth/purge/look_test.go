package purge_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"sekisho/auth/purge"
)

const region = "eu-west-1"

// TestFind: Config's name may be missing, out of date, or not to be had. The
// user is found all the same, with few calls.
func TestFind(t *testing.T) {
	const (
		id    = "AIDATESThana"
		named = "Named eu-west-1 " + id
	)
	for _, c := range []struct {
		name    string
		prepare func(*world)
		id      string
		user    string
		calls   []string
		warned  bool
	}{
		{"Config knows", func(w *world) { w.iam.config[id] = "hana" }, id, "hana",
			[]string{named, "User hana", "Keys hana", "LastUse " + key1}, false},
		{"Config knows nothing", func(*world) {}, id, "hana",
			[]string{named, "Users", "User hana", "Keys hana", "LastUse " + key1}, false},
		{"Config is denied", func(w *world) {
			w.iam.configErr = &purge.Denied{Action: "config:ListDiscoveredResources"}
		}, id, "hana",
			[]string{named, "Users", "User hana", "Keys hana", "LastUse " + key1}, true},
		{"the user was renamed", func(w *world) {
			w.iam.config[id] = "hana"
			w.iam.alter("hana", func(u *purge.User) { u.Name = "hana.sato" })
		}, id, "hana.sato",
			[]string{named, "User hana", "Users", "User hana.sato", "Keys hana.sato", "LastUse " + key1}, false},
		{"another has the name now", func(w *world) {
			w.iam.config[id] = "hana"
			w.iam.alter("hana", func(u *purge.User) { u.Name = "hana.sato" })
			w.iam.add("hana", active(key3, 0))
			w.iam.alter("hana", func(u *purge.User) { u.ID = "AIDATESTother" })
		}, id, "hana.sato",
			[]string{named, "User hana", "Users", "User hana.sato", "Keys hana.sato", "LastUse " + key1}, false},
		{"a key", func(*world) {}, key1, "hana",
			[]string{"LastUse " + key1, "User hana", "Keys hana", "LastUse " + key1}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newKey(t)
			w.iam.alter("hana", func(u *purge.User) { u.Tags["team"] = "a"; u.Keys = append(u.Keys, active(key2, -80)) })
			w.iam.add("ben", active("AKIATEST000000000BEN", 0))
			c.prepare(w)
			w.jumpTo(80)
			w.iam.asked()
			u, err := w.purge.Find(t.Context(), region, c.id)
			if err != nil {
				t.Fatal(err)
			}
			if got := w.iam.asked(); !slices.Equal(got, c.calls) {
				t.Errorf("it called %q; want %q", got, c.calls)
			}
			if u.Name != c.user || u.ID != id || u.Tags["team"] != "a" || len(u.Keys) != 2 {
				t.Errorf("it found %+v", u)
			}
			if u.Keys[0].Used == nil || u.Keys[1].Used != nil {
				t.Errorf("the use is read of %+v; want of the old one", u.Keys)
			}
			if denied := (*purge.Denied)(nil); c.warned != (len(w.warned) == 1 && errors.As(w.warned[0], &denied)) {
				t.Errorf("the warnings: %v", w.warned)
			}
		})
	}
}

func TestFindFails(t *testing.T) {
	w := newKey(t)
	w.sweep()
	for _, id := range []string{"AIDATESTnobody", "AKIATEST00000000NONE"} {
		if _, err := w.purge.Find(t.Context(), region, id); !errors.Is(err, purge.ErrGone) {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, call := range []string{"User", "Keys", "LastUse"} {
		f := w.fault(call)
		for _, id := range []string{"AIDATESThana", key1} {
			w.wait(40 * day)
			if _, err := w.purge.Find(t.Context(), region, id); !errors.Is(err, errBusy) {
				t.Errorf("%s, while %s fails: %v", id, call, err)
			}
		}
		f.mend()
	}
	w.iam.config["AIDATESThana"] = "hana" // a failure is no reason to search
	w.fault("User ")
	w.iam.asked()
	if _, err := w.purge.Find(t.Context(), region, "AIDATESThana"); !errors.Is(err, errBusy) {
		t.Error(err)
	}
	if calls := w.iam.asked(); slices.Contains(calls, "Users") {
		t.Errorf("it called %q", calls)
	}
}

// TestLook: one key costs three calls, and two more where its user has another
// name now.
func TestLook(t *testing.T) {
	w := newKey(t)
	w.sweep()
	ref := purge.Ref{ID: key1, User: "hana"}
	for _, c := range []struct {
		name   string
		change func()
		want   string // the user; none: it is gone
		calls  []string
	}{
		{"as ever", func() {}, "hana", []string{"User hana", "Keys hana", "LastUse " + key1}},
		{"renamed", func() { w.iam.alter("hana", func(u *purge.User) { u.Name = "hana.sato" }) }, "hana.sato",
			[]string{"User hana", "Users", "User hana.sato", "Keys hana.sato", "LastUse " + key1}},
		{"renamed, and another has the name", func() {
			w.iam.add("hana", active(key2, 0))
			w.iam.alter("hana", func(u *purge.User) { u.ID = "AIDATESTother" })
		}, "hana.sato", []string{"User hana", "Users", "User hana.sato", "Keys hana.sato", "LastUse " + key1}},
		{"the key is gone", func() { w.iam.remove(key1) }, "",
			[]string{"User hana", "Users", "User hana.sato", "Keys hana.sato"}},
		{"the user is gone, too", func() { w.iam.alter("hana.sato", func(u *purge.User) { u.Name, u.ID = "x", "AIDATESTx" }) }, "",
			[]string{"User hana", "Users"}},
	} {
		c.change()
		w.iam.asked()
		u, err := w.purge.Look(t.Context(), ref, hanaID)
		if c.want == "" && !errors.Is(err, purge.ErrGone) || c.want != "" && (err != nil || u.Name != c.want || u.ID != hanaID) {
			t.Errorf("%s: %+v, %v", c.name, u, err)
		}
		if got := w.iam.asked(); !slices.Equal(got, c.calls) {
			t.Errorf("%s: it called %q; want %q", c.name, got, c.calls)
		}
	}
	if u, err := w.purge.Look(t.Context(), purge.Ref{ID: key2, User: "hana"}, ""); err != nil || u.ID != "AIDATESTother" {
		t.Errorf("without an id the name counts: %+v, %v", u, err)
	}
}

// denies answers calls that begin so as IAM does where a permission is missing.
func (w *world) denies(begins string) fault {
	f := fault{w, w.iam.before}
	w.iam.before = func(call string) error {
		if strings.HasPrefix(call, begins) {
			return fmt.Errorf("denied: %w", &purge.Denied{Action: "iam:" + begins})
		}
		return f.was(call)
	}
	return f
}

// TestLastUseDenied: IAM may deny what it knows nothing of. Whether a key is
// gone, or a permission is missing, tells the list of the user's keys.
func TestLastUseDenied(t *testing.T) {
	ways := map[string]func(*world) error{
		"looked after": func(w *world) error {
			_, err := w.purge.Attend(w.t.Context(), purge.Ref{ID: key1, User: "hana"}, nil)
			return err
		},
		"in a sweep": func(w *world) error {
			_, err := w.purge.Sweep(w.t.Context(), func(int, int) {})
			return err
		},
		"found": func(w *world) error { _, err := w.purge.Find(w.t.Context(), region, hanaID); return err },
		"read":  func(w *world) error { _, err := w.purge.ReadUser(w.t.Context(), "hana"); return err },
		"looked at": func(w *world) error {
			_, err := w.purge.Look(w.t.Context(), purge.Ref{ID: key1, User: "hana"}, hanaID)
			if errors.Is(err, purge.ErrGone) {
				return nil
			}
			return err
		},
	}
	var denied *purge.Denied
	for name, read := range ways {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			w.goTo(80)
			w.denies("LastUse")
			if err := read(w); !errors.As(err, &denied) || errors.Is(err, purge.ErrGone) {
				t.Errorf("there: %v", err)
			}
			w.wantHistory(key1, "76 warned until 90")

			w = newKey(t)
			w.goTo(80)
			w.denies("LastUse")
			refuses := w.iam.before
			w.iam.before = func(call string) error { // the key goes between the list and its use
				if strings.HasPrefix(call, "LastUse") && w.iam.is(key1) != "gone" {
					w.iam.remove(key1)
				}
				return refuses(call)
			}
			if err := read(w); err != nil {
				t.Errorf("gone: %v", err)
			}
			want := []string{"76 warned until 90"}
			if name == "looked after" {
				want = append(want, "80 gone")
			}
			w.wantHistory(key1, want...)
		})
	}
	t.Run("and the list fails", func(t *testing.T) {
		w := newKey(t)
		w.goTo(80)
		w.denies("LastUse")
		refuses, lists := w.iam.before, 0
		w.iam.before = func(call string) error {
			if strings.HasPrefix(call, "Keys") {
				if lists++; lists > 1 {
					return errBusy
				}
			}
			return refuses(call)
		}
		if err := ways["looked after"](w); !errors.As(err, &denied) {
			t.Error(err)
		}
		w.wantHistory(key1, "76 warned until 90")
	})
}

// Whose a key is that IAM does not have, it may deny, too. That is warned of, and
// not as of a missing permission.
func TestFindDenied(t *testing.T) {
	w := newKey(t)
	w.denies("LastUse")
	_, err := w.purge.Find(t.Context(), region, key1)
	var denied *purge.Denied
	if !errors.Is(err, purge.ErrGone) {
		t.Error(err)
	}
	if len(w.warned) != 1 || errors.As(w.warned[0], &denied) {
		t.Errorf("the warnings: %v", w.warned)
	}
}

// TestRead counts the calls: one for each user, and for one with a key that
// matters one more, and one for each such key.
func TestRead(t *testing.T) {
	w := newWorld(t)
	w.iam.add("none")
	w.iam.add("young", active(key1, 75), active(key2, 0))
	w.iam.add("old", active(key3, 76), active(own, 200))
	w.iam.add("half", active("AKIATEST000000000004", 75), active("AKIATEST000000000005", 76))
	w.iam.alter("old", func(u *purge.User) { u.Tags["team"] = "a" })
	progress := 0
	plan, err := w.purge.Read(t.Context(), func(done, total int) {
		if progress++; done != progress || total != 4 {
			t.Errorf("%d of %d", done, total)
		}
	})
	if err != nil || progress != 4 {
		t.Fatal(progress, err)
	}
	want := []string{"Keys half", "Keys none", "Keys old", "Keys young", "LastUse " + key3, "LastUse " + own,
		"LastUse AKIATEST000000000005", "User half", "User old", "Users"}
	slices.Sort(want)
	calls := w.iam.asked()
	slices.Sort(calls)
	if !slices.Equal(calls, want) {
		t.Errorf("it called %q; want %q", calls, want)
	}
	var order []string
	for _, v := range plan.Verdicts {
		order = append(order, v.Key.ID)
		if v.User.Name == "old" && v.User.Tags["team"] != "a" {
			t.Errorf("the tags: %+v", v.User)
		}
	}
	if want := []string{own, key3, "AKIATEST000000000005", key1, "AKIATEST000000000004", key2}; !slices.Equal(order, want) {
		t.Errorf("the oldest first: %q; want %q", order, want)
	}
	if plan.Limit != 6 || plan.Begins(false) != 2 {
		t.Errorf("the limit %d; people hear of %d", plan.Limit, plan.Begins(false))
	}
	w.wantDid()

	w.policy.Keys.Unused = 40 * day // now one matters from 26 days on
	const matters, not = "AKIATEST000000000006", "AKIATEST000000000007"
	w.iam.add("younger", active(matters, 26), active(not, 25))
	if _, err := w.purge.Read(t.Context(), func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	if calls := w.iam.asked(); !slices.Contains(calls, "LastUse "+matters) || slices.Contains(calls, "LastUse "+not) {
		t.Errorf("it called %q", calls)
	}
}

// One whose record is begun is read whatever its age.
func TestReadOfARecord(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.policy.Keys.MaxAge = 365 * day
	w.goTo(82)
	w.iam.asked()
	if _, err := w.purge.Read(t.Context(), func(int, int) {}); err != nil {
		t.Fatal(err)
	}
	if calls := w.iam.asked(); !slices.Contains(calls, "LastUse "+key1) || !slices.Contains(calls, "User hana") {
		t.Errorf("it called %q", calls)
	}
}

// Who is gone since the users were listed is left out.
func TestReadWhileUsersGo(t *testing.T) {
	for _, call := range []string{"Keys hana", "User hana", "LastUse " + key1} {
		t.Run(call, func(t *testing.T) {
			w := newWorld(t)
			w.iam.add("hana", active(key1, 80))
			w.iam.add("ben", active(key2, 80))
			w.iam.before = func(c string) error {
				if c == call {
					w.iam.alter("hana", func(u *purge.User) { u.Name, u.Keys = "removed", nil })
				}
				return nil
			}
			plan, err := w.purge.Read(t.Context(), func(int, int) {})
			if err != nil {
				t.Fatal(err)
			}
			listed := 0
			for _, v := range plan.Verdicts {
				if v.Key.ID == key2 {
					listed++
				}
			}
			if listed != 1 {
				t.Errorf("%+v", plan.Verdicts)
			}
		})
	}
}

// The first error ends the reading: half an account is none.
func TestReadFails(t *testing.T) {
	for _, call := range []string{"Users", "Keys user", "User user", "LastUse"} {
		t.Run(call, func(t *testing.T) {
			w := newWorld(t)
			for n := range 200 {
				w.iam.add(fmt.Sprint("user", n), active(crowdKey(n), 200))
			}
			var fails atomic.Int32
			w.iam.before = func(c string) error {
				if len(c) >= len(call) && c[:len(call)] == call && (call != "Users" || c == call) {
					fails.Add(1)
					return errBusy
				}
				return nil
			}
			if s, err := w.purge.Sweep(t.Context(), func(int, int) {}); !errors.Is(err, errBusy) || len(s.Work) > 0 {
				t.Errorf("%+v, %v", s, err)
			}
			if n := fails.Load(); n > 16 {
				t.Errorf("after the first failure it went on: %d failed", n)
			}
		})
	}
}

func TestReadIsStopped(t *testing.T) {
	w := newWorld(t)
	for n := range 50 {
		w.iam.add(fmt.Sprint("user", n), active(crowdKey(n), 200))
	}
	ctx, stop := context.WithCancel(t.Context())
	if _, err := w.purge.Read(ctx, func(int, int) { stop() }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Without knowing who the bot is nothing is done; once it is known, it is not
// asked for again.
func TestWhoAmI(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.FirstRun, w.policy.Keys.Grace = "at_once", 0
	w.wait(200 * day)
	var asked atomic.Int32
	fails := true
	w.purge.WhoAmI = func(context.Context) (purge.Self, error) {
		asked.Add(1)
		if fails {
			return w.self, errBusy
		}
		return w.self, nil
	}
	ref := purge.Ref{ID: key1, User: "hana"}
	if _, err := w.purge.Sweep(t.Context(), func(int, int) {}); !errors.Is(err, errBusy) {
		t.Error(err)
	}
	if _, err := w.purge.Attend(t.Context(), ref, nil); !errors.Is(err, errBusy) {
		t.Error(err)
	}
	if _, err := w.purge.Find(t.Context(), region, key1); !errors.Is(err, errBusy) {
		t.Error(err)
	}
	if _, err := w.purge.Account(t.Context()); !errors.Is(err, errBusy) {
		t.Error(err)
	}
	w.wantDid()

	fails = false
	asked.Store(0)
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if account, err := w.purge.Account(t.Context()); account != "111122223333" || err != nil {
				t.Error(account, err)
			}
		})
	}
	all.Wait()
	w.sweep()
	w.wantDid("deactivate "+key1, "delete "+key1)
	if n := asked.Load(); n != 1 {
		t.Errorf("it was asked for %d times", n)
	}
}

// A record of another account says nothing about this one's keys, and nothing
// is said about its key.
func TestAnotherAccount(t *testing.T) {
	const other = "444455556666"
	for _, there := range []bool{true, false} {
		t.Run(fmt.Sprint("the key is there: ", there), func(t *testing.T) {
			w := newKey(t)
			w.goTo(80)
			want := w.history(key1)
			mine := w.self.Account
			w.self.Account = other
			w.restart()
			if !there {
				w.iam.remove(key1)
			}
			w.wait(15 * day)
			w.iam.asked()
			a, err := w.purge.Attend(t.Context(), purge.Ref{ID: key1, User: "hana"}, nil)
			if err == nil || !strings.Contains(err.Error(), mine) || !strings.Contains(err.Error(), other) {
				t.Errorf("%+v, %v", a, err)
			}
			if calls := w.iam.asked(); len(calls) > 0 {
				t.Errorf("IAM was asked for %q", calls)
			}
			if got := w.history(key1); !slices.Equal(got, want) {
				t.Errorf("the record became %q; it was %q", got, want)
			}
		})
	}
}

func TestSweepLeavesAnotherAccountsRecords(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.iam.remove(key1)
	w.write(purge.Change{Verb: purge.Released, At: w.now()}) // there is something to tell, too
	mine := w.self.Account
	w.self.Account = "444455556666"
	w.restart()
	if s := w.sweep(); len(s.Work) > 0 {
		t.Errorf("there is work: %+v", s.Work)
	}
	w.self.Account = mine
	w.restart()
	w.sweep()
	w.wantHistory(key1, "76 warned until 90", "80 released", "80 gone")
}

// What stops a step is told with the key and what was to be done, and what is
// missing can be found in it.
func TestDenied(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.wait(day)
	w.denies("deactivate")
	_, err := w.purge.Attend(t.Context(), purge.Ref{ID: key1, User: "hana"}, nil)
	var denied *purge.Denied
	want := key1 + " of hana: deactivate: denied: AWS does not let the bot call iam:deactivate"
	if !errors.As(err, &denied) || err.Error() != want {
		t.Error(err)
	}
}
