package purge_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// newKey is a world with one key of hana, made on day 0.
func newKey(t *testing.T) *world {
	w := newWorld(t)
	w.iam.add("hana", active(key1, 0))
	return w
}

// deactivated is a key's usual history until then, by the default policy.
var deactivated = slices.Clip([]string{
	"76 warned until 90", "83 warned until 90", "89 warned until 90", "90 deactivated until 100",
})

func TestStagesOfAKey(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.wantDid()
	w.wait(day - time.Nanosecond)
	w.sweep()
	w.wantDid()
	w.wait(time.Nanosecond)
	w.sweep()
	w.wantDid("deactivate " + key1)
	w.wait(10*day - time.Nanosecond)
	w.sweep()
	w.wantDid()
	w.wait(time.Nanosecond)
	w.sweep()
	w.wantDid("delete " + key1)
	w.goTo(140)
	w.wantDid()
	w.wantHistory(key1, append(deactivated, "100 deleted")...)
}

func TestRuleAndSightAreWrittenDown(t *testing.T) {
	w := newKey(t)
	w.iam.alter("hana", func(u *purge.User) { u.Keys = append(u.Keys, active(key2, -70)) })
	w.iam.use(key1)
	w.goTo(90)
	r := w.record(key1)
	if r.User != "hana" || r.UserID != "AIDATESThana" || r.Account != w.self.Account || !r.Created.Equal(t0) {
		t.Errorf("the record is of %+v", r)
	}
	for _, c := range r.History {
		s := c.Sight
		if c.Verb == purge.Begun {
			continue
		}
		if c.Rule != "max_age: 90d" || s == nil || s.Owner != hana || s.Active == (c.Verb == purge.Deactivated) ||
			s.Used == nil || !s.Used.At.Equal(t0) || len(s.Others) != 1 || s.Others[0].ID != key2 {
			t.Errorf("%s by %q, seen as %+v", c.Verb, c.Rule, s)
		}
	}
	s := r.Sight()
	if s.Next != purge.Delete || !s.When.Equal(dawn(100)) {
		t.Errorf("after the deactivation comes %s at %v", s.Next, s.When)
	}
}

func TestAMissedSweepPutsNothingOffALongOneDoes(t *testing.T) {
	w := newKey(t)
	w.jumpTo(78) // 12 days before
	w.wantHistory(key1, "78 warned until 90")

	w = newKey(t)
	w.jumpTo(79)
	w.wantHistory(key1, "79 warned until 93")
	w.goTo(92)
	w.wantDid()
	w.goTo(93)
	w.wantDid("deactivate " + key1)
}

func TestKeep(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.keep(key1, ben)
	w.goTo(120)
	w.wantHistory(key1, "76 warned until 90", "80 kept until 97", "83 warned until 97", "90 warned until 97",
		"96 warned until 97", "97 deactivated until 107", "107 deleted")
}

func TestKeepTwice(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.keep(key1, ben)
	w.keep(key1, chiyo)
	w.goTo(104)
	w.wantHistory(key1, "76 warned until 90", "83 warned until 90", "89 warned until 90", "89 kept until 97",
		"89 kept until 104", "90 warned until 104", "97 warned until 104", "103 warned until 104",
		"104 deactivated until 114")
}

func TestExemptUntilADate(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.exempt(key1, ben, dawn(200))
	w.goTo(185)
	w.wantHistory(key1, "76 warned until 90", "80 exempted until 200")
	w.goTo(210)
	w.wantHistory(key1, "76 warned until 90", "80 exempted until 200", "186 warned until 200", "193 warned until 200",
		"199 warned until 200", "200 deactivated until 210", "210 deleted")
}

// A date before what people were told spares nothing, and shortens nothing.
func TestExemptUntilADateBeforeTheEnd(t *testing.T) {
	w := newKey(t)
	w.jumpTo(200)
	w.exempt(key1, ben, dawn(201))
	w.goTo(213)
	w.wantDid()
	w.goTo(214)
	w.wantDid("deactivate " + key1)
}

// Whom somebody spared until later than the policy asks for, needs no release.
func TestExemptThenMaxAgeIsRaised(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.exempt(key1, ben, dawn(200))
	w.policy.Keys.MaxAge = 120 * day
	w.goTo(201)
	w.wantHistory(key1, "76 warned until 90", "80 exempted until 200", "186 warned until 200", "193 warned until 200",
		"199 warned until 200", "200 deactivated until 210")
}

// Who spares a key of which nobody has been warned yet does not hasten its end,
// and is not passed over.
func TestExemptBeforeAnyWarning(t *testing.T) {
	for until, want := range map[int][]string{
		201: {"201 warned until 215", "208 warned until 215", "214 warned until 215", "215 deactivated until 225"},
		300: {"286 warned until 300", "293 warned until 300", "299 warned until 300", "300 deactivated until 310"},
	} {
		w := newKey(t)
		w.policy.Keys.Mode = auth.Observe
		w.jumpTo(200)
		w.policy.Keys.Mode = auth.Enforce
		w.exempt(key1, ben, dawn(until))
		w.goTo(max(until, 215))
		before := []string{"200 warned until 214, observed", fmt.Sprint("200 exempted until ", until)}
		w.wantHistory(key1, append(before, want...)...)
	}
}

// What observe mode said is taken back where it is not so any more.
func TestWouldNotAnyMore(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.Mode, w.policy.Keys.FirstRun = auth.Observe, auth.AtOnce
	w.jumpTo(100)
	w.policy.Keys.MaxAge = 365 * day
	w.goTo(101)
	w.wantHistory(key1, "100 would deactivate, observed", "101 released, observed")
}

func TestUndo(t *testing.T) {
	w := newKey(t)
	w.goTo(92)
	w.wantDid("deactivate " + key1)
	w.order(key1, ben, purge.Reactivate)
	w.attend(key1, "hana")
	w.wantDid("reactivate " + key1)
	w.goTo(98)
	w.wantDid()
	w.goTo(110)
	w.wantHistory(key1, append(deactivated, "92 ordered reactivate", "92 reactivated until 99", "98 warned until 99",
		"99 deactivated until 109", "109 deleted")...)
}

func TestUsedAgain(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.Unused = 45 * day
	w.goTo(40)
	w.iam.use(key1)
	w.goTo(60)
	w.wantHistory(key1, "31 warned until 45", "38 warned until 45", "41 released")
	w.goTo(95)
	w.wantHistory(key1, "31 warned until 45", "38 warned until 45", "41 released", "71 warned until 85",
		"78 warned until 85", "84 warned until 85", "85 deactivated until 95", "95 deleted")
	if rule := w.record(key1).History[0].Rule; rule != "unused: 45d" {
		t.Errorf("the rule is %q", rule)
	}
}

// One that is used every day ends by its age all the same, and no earlier.
func TestUsedEveryDay(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.Unused = 45 * day
	for n := range 100 {
		w.goTo(n)
		if w.iam.is(key1) == "active" {
			w.iam.use(key1)
		}
	}
	w.wantHistory(key1, deactivated...)
}

// A key that was used after it was seen inactive is deleted the days later.
func TestUseCountsForTheGrace(t *testing.T) {
	w := newKey(t)
	w.goTo(90)
	w.iam.uses[key1] = purge.Use{At: dawn(93)}
	w.goTo(102)
	w.wantDid("deactivate " + key1)
	w.goTo(103)
	w.wantDid("delete " + key1)
}

func TestPolicyChanges(t *testing.T) {
	warned := []string{"76 warned until 90"}
	for _, c := range []struct {
		name   string
		on     int
		change func(*auth.KeyPolicy)
		then   int
		want   []string
	}{
		{"max_age is lowered: the full warning first", 50, func(k *auth.KeyPolicy) { k.MaxAge = 30 * day }, 75,
			[]string{"51 warned until 65", "58 warned until 65", "64 warned until 65", "65 deactivated until 75", "75 deleted"}},
		{"max_age is lowered after the warning: not before what was told", 78,
			func(k *auth.KeyPolicy) { k.MaxAge = 30 * day }, 90,
			deactivated},
		{"max_age is raised", 78, func(k *auth.KeyPolicy) { k.MaxAge = 120 * day }, 106,
			append(warned, "79 released", "106 warned until 120")},
		{"max_age is raised by less than the warning", 85, func(k *auth.KeyPolicy) { k.MaxAge = 95 * day }, 95,
			[]string{"76 warned until 90", "83 warned until 90", "94 warned until 95", "95 deactivated until 105"}},
		{"grace is shortened: not before what was told", 95, func(k *auth.KeyPolicy) { k.Grace = 0 }, 100,
			append(deactivated, "100 deleted")},
		{"grace is longer", 95, func(k *auth.KeyPolicy) { k.Grace = 20 * day }, 110,
			append(deactivated, "110 deleted")},
		{"at_once goes by what was told, too", 78, func(k *auth.KeyPolicy) { k.FirstRun, k.MaxAge = auth.AtOnce, 30*day }, 90,
			deactivated},
		{"an unused rule comes", 50, func(k *auth.KeyPolicy) { k.Unused = 20 * day }, 65,
			[]string{"51 warned until 65", "58 warned until 65", "64 warned until 65", "65 deactivated until 75"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newKey(t)
			w.goTo(c.on)
			c.change(w.policy.Keys)
			w.goTo(c.then)
			w.wantHistory(key1, c.want...)
		})
	}
}

func TestExemptionsComeAndLapse(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.policy.Keys.Exempt = []auth.KeyExemption{{User: "HAN*"}}
	w.goTo(150)
	w.policy.Keys.Exempt = nil
	w.goTo(164)
	w.wantDid()
	w.goTo(167)
	w.wantHistory(key1, "76 warned until 90", "81 released",
		"151 warned until 165", "158 warned until 165", "164 warned until 165", "165 deactivated until 175")
	if why := w.record(key1).History[1].Note; why != "exempt by the policy (user: HAN*)" {
		t.Errorf("it was released for %q", why)
	}

	w.iam.alter("hana", func(u *purge.User) { u.Tags["keep"] = "yes" })
	w.policy.Keys.Exempt = []auth.KeyExemption{{TagKey: "keep", TagValue: "y*"}}
	w.goTo(250)
	w.policy.Keys.Exempt = nil
	w.wantDid("deactivate " + key1)
	w.goTo(264)
	w.wantDid()
	w.goTo(265)
	w.wantDid("delete " + key1)
}

// An exemption that comes between two looks, or between the order and the act.
func TestExemptBeforeTheAct(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.order(key1, ben, purge.Deactivate)
	w.policy.Keys.Exempt = []auth.KeyExemption{{Path: "/"}}
	w.goTo(120)
	w.wantDid()
	w.wantHistory(key1, "76 warned until 90", "80 ordered deactivate", "81 dropped deactivate", "81 released")
}

func TestObserve(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.Mode = auth.Observe
	w.goTo(150)
	w.wantDid()
	observed := []string{"76 warned until 90, observed", "83 warned until 90, observed", "89 warned until 90, observed",
		"90 would deactivate, observed"}
	w.wantHistory(key1, observed...)
	w.policy.Keys.Mode = auth.Enforce
	w.goTo(164)
	w.wantDid()
	w.goTo(165)
	w.wantHistory(key1, append(observed, "151 warned until 165", "158 warned until 165", "164 warned until 165",
		"165 deactivated until 175")...)
}

// What was told in earnest does not outlive days on which nothing would happen.
func TestObserveBetween(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.policy.Keys.Mode = auth.Observe
	w.policy.Keys.Exempt = []auth.KeyExemption{{User: "hana"}}
	w.goTo(85)
	w.policy.Keys.Mode, w.policy.Keys.Exempt = auth.Enforce, nil
	w.goTo(99)
	w.wantDid()
	w.goTo(100)
	w.wantDid("deactivate " + key1)
	w.wantHistory(key1, "76 warned until 90", "81 released, observed", "86 warned until 100", "93 warned until 100",
		"99 warned until 100", "100 deactivated until 110")

	w.policy.Keys.Mode = auth.Observe
	w.goTo(115)
	w.policy.Keys.Mode = auth.Enforce
	w.goTo(129)
	w.wantDid()
	w.order(key1, ben, purge.Reactivate) // it is still the bot's doing that it is inactive
	w.attend(key1, "hana")
	w.wantDid("reactivate " + key1)
}

func TestOrderBeforeObserve(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.order(key1, ben, purge.Deactivate)
	w.policy.Keys.Mode = auth.Observe
	w.goTo(81)
	w.wantDid()
	w.wantHistory(key1, "76 warned until 90", "80 ordered deactivate", "81 dropped deactivate")
}

func TestReactivatedByOthers(t *testing.T) {
	w := newKey(t)
	w.goTo(92)
	w.wantDid("deactivate " + key1)
	w.iam.turn(key1, true)
	w.goTo(93)
	want := append(deactivated, "93 found_active until 100")
	w.wantHistory(key1, want...)
	if s := w.record(key1).Sight(); s.Next != purge.Deactivate || !s.When.Equal(dawn(100)) {
		t.Errorf("what comes next: %s at %v", s.Next, s.When)
	}
	w.goTo(99)
	w.wantDid()
	w.goTo(110)
	w.wantHistory(key1, append(want, "99 warned until 100", "100 deactivated until 110", "110 deleted")...)
}

func TestDeactivatedByOthers(t *testing.T) {
	t.Run("after its time", func(t *testing.T) {
		w := newKey(t)
		w.iam.turn(key1, false)
		w.goTo(89)
		w.wantHistory(key1)
		w.goTo(103)
		w.wantHistory(key1, "90 found_inactive until 104")
		w.wantDid()
		w.goTo(104)
		w.wantDid("delete " + key1)
	})
	t.Run("after the warning", func(t *testing.T) {
		w := newKey(t)
		w.goTo(85)
		w.iam.turn(key1, false)
		w.goTo(103)
		w.wantDid()
		w.goTo(104)
		w.wantDid("delete " + key1)
	})
	t.Run("with a longer grace", func(t *testing.T) {
		w := newKey(t)
		w.policy.Keys.Grace = 30 * day
		w.iam.turn(key1, false)
		w.goTo(119)
		w.wantDid()
		w.goTo(120)
		w.wantDid("delete " + key1)
	})
	t.Run("while it is spared", func(t *testing.T) {
		w := newKey(t)
		w.goTo(80)
		w.exempt(key1, ben, dawn(200))
		w.iam.turn(key1, false)
		w.goTo(213)
		w.wantDid()
		w.goTo(214)
		w.wantDid("delete " + key1)
	})
	t.Run("at once", func(t *testing.T) {
		w := newKey(t)
		w.policy.Keys.FirstRun = auth.AtOnce
		w.iam.turn(key1, false)
		w.goTo(99)
		w.wantDid()
		w.goTo(100)
		w.wantDid("delete " + key1)
	})
}

func TestDeletedByOthers(t *testing.T) {
	w := newKey(t)
	w.goTo(80)
	w.iam.remove(key1)
	w.goTo(120)
	w.wantHistory(key1, "76 warned until 90", "81 gone")
	w.wantDid()
	if s := w.sweep(); len(s.Work) > 0 {
		t.Errorf("there is still work: %+v", s.Work)
	}
}

func TestUserRenamed(t *testing.T) {
	for name, taken := range map[string]bool{"": false, "another has the name": true} {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			w.goTo(80)
			w.iam.alter("hana", func(u *purge.User) { u.Name = "hana.sato" })
			if taken {
				w.iam.add("hana", active(key2, -80))
				w.iam.alter("hana", func(u *purge.User) { u.ID = "AIDATESTother" })
			}
			w.attend(key1, "hana") // by the name that the record knows
			w.goTo(89)
			w.wantHistory(key1, "76 warned until 90", "83 warned until 90", "89 warned until 90")
			w.wait(day)
			w.iam.asked()
			w.attend(key1, "hana")
			w.wantDid("deactivate " + key1)
			asked := w.iam.asked()
			if n := len(slices.DeleteFunc(asked, func(call string) bool { return call != "User hana" })); n != 1 {
				t.Errorf("the old name was asked for %d times", n)
			}
			w.goTo(100)
			w.wantDid("delete " + key1)
			w.wantHistory(key2)
		})
	}
}

// While IAM does not say whose a key is, it is not taken for gone.
func TestUserRenamedWhileIAMIsBusy(t *testing.T) {
	for _, call := range []string{"Users", "User hana.sato", "Keys", "LastUse"} {
		w := newKey(t)
		w.goTo(80)
		w.iam.alter("hana", func(u *purge.User) { u.Name = "hana.sato" })
		busy := w.fault(call)
		if _, err := w.purge.Attend(t.Context(), purge.Ref{ID: key1, User: "hana"}, nil); !errors.Is(err, errBusy) {
			t.Errorf("while %s fails: %v", call, err)
		}
		busy.mend()
		w.wantHistory(key1, "76 warned until 90")
		w.goTo(90)
		w.wantDid("deactivate " + key1)
	}
}

func TestAnotherUserOfThatName(t *testing.T) {
	w := newKey(t)
	w.goTo(89)
	w.iam.remove(key1)
	w.iam.add("hana", active(key2, 200))
	w.iam.alter("hana", func(u *purge.User) { u.ID = "AIDATESTother" })
	w.wait(day)
	w.attend(key1, "hana")
	w.wantDid()
	w.wantHistory(key1, "76 warned until 90", "83 warned until 90", "89 warned until 90", "90 gone")
	w.wantHistory(key2)
}

func TestTheBotsOwn(t *testing.T) {
	for name, mine := range map[string]func(*world){
		"key":  func(w *world) { w.self = purge.Self{Account: "111122223333", UserID: "AROATEST:session", KeyID: key1} },
		"user": func(w *world) { w.self = purge.Self{Account: "111122223333", UserID: "AIDATESThana", KeyID: own} },
		"root": func(w *world) { w.self = purge.Self{Account: "AIDATESThana", UserID: "AROATEST:session", KeyID: own} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newKey(t)
			w.policy.Keys.FirstRun = auth.AtOnce
			mine(w)
			w.jumpTo(200)
			w.goTo(220)
			w.wantDid()
			w.wantHistory(key1)
		})
	}
}

// fault makes calls fail that begin with these words, until it is mended.
type fault struct {
	w   *world
	was func(string) error
}

func (w *world) fault(begins string) fault {
	f := fault{w, w.iam.before}
	w.iam.before = func(call string) error {
		if strings.HasPrefix(call, begins) {
			return errBusy
		}
		return nil
	}
	return f
}

func (f fault) mend() { f.w.iam.before = f.was }

func TestRecordOnlyGrows(t *testing.T) {
	r := purge.Record{ID: key1, History: make([]purge.Change, 0, 9)}
	warned, gone := r.With(purge.Change{Verb: purge.Warned}), r.With(purge.Change{Verb: purge.Gone})
	if r.Version() != 0 || warned.Version() != 1 || warned.History[0].Verb != purge.Warned || gone.History[0].Verb != purge.Gone {
		t.Errorf("%+v, %+v, %+v", r, warned, gone)
	}
}

// Whoever keeps a key while an act on it hangs did not want it deleted: the
// deactivation that came through all the same is written down, and the deletion
// waits for as long as the key was kept.
func TestKeptWhileAnActHung(t *testing.T) {
	w := newKey(t)
	w.policy.Keys.Grace = 0
	w.goTo(89)
	w.wait(day)
	if _, err := w.doomed(&fuse{left: 3, lost: true}).Attend(t.Context(), purge.Ref{ID: key1, User: "hana"}, nil); !errors.Is(err, errCrash) {
		t.Fatal(err)
	}
	w.wait(2 * time.Minute)
	w.keep(key1, ben)
	w.wantDid("deactivate " + key1)
	until := w.record(key1).State(false).Spared
	for w.now().Add(day).Before(until) {
		w.wait(day)
		w.sweep()
	}
	w.wantDid()
	w.wait(day)
	w.sweep()
	w.wantDid("delete " + key1)
}
