package commands_test

import (
	"slices"
	"testing"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// everyKeyAct lets everything happen to access keys that the trail can name,
// and gives its entries.
func everyKeyAct(t *testing.T) []auth.Entry {
	o := newKeyOffice(t)
	hanas, _ := o.warned()
	form := map[string]string{"why": "the supplier is late", "until": "2027-03-01"}
	o.submit(ben, "key_keep", hanas, form)
	o.submit(outsider, "key_keep", hanas, form)
	o.submit(mai, "key_exempt", hanas, form)
	o.submit(outsider, "key_exempt", hanas, form)
	o.click(outsider, "key_off", hanas)
	o.click(ben, "key_off", hanas)
	o.rush()
	o.click(mai, "key_undo", hanas)
	o.rush()

	toms := o.iam.add("tom", 76*day)[0]
	o.days(1)
	o.click(ben, "key_off", toms)
	o.iam.change("tom", func(u *purge.User) { u.Keys[0].Active = false })
	o.rush() // dropped
	o.days(14)
	o.iam.change("tom", func(u *purge.User) { u.Keys[0].Active = true })
	o.days(1)
	o.iam.change("tom", func(u *purge.User) { u.Keys = nil })
	o.days(1)

	o.iam.add("ci", 76*day)
	o.sweepKeys()
	o.days(24)

	released := o.iam.add("exempt", 76*day)[0]
	o.sweepKeys()
	o.Policy.Keys.Exempt = []auth.KeyExemption{{User: "exempt"}}
	o.sweepKeys()
	if h := o.history(released); !slices.Contains(h, purge.Released) {
		t.Errorf("not released: %v", h)
	}

	o.Policy.Keys.FirstRun, o.Policy.Keys.Cap = auth.AtOnce, auth.KeyCap{Keys: 1, Share: 100}
	o.iam.add("ci1", 120*day)
	o.iam.add("ci2", 120*day)
	o.chat.all()
	o.sweepKeys()
	hold := buttonValue(t, asMessage(o.chat.next(t, "post")), "keys_hold")
	o.click(outsider, "keys_hold", hold)
	o.click(ben, "keys_hold", hold)
	o.rush()

	o.Policy.Keys.Mode = auth.Observe
	o.iam.add("watched", 120*day)
	o.sweepKeys()
	return o.entries()
}

// The trail says of every act which key it was, and whose, who wanted it or by
// which line of the policy, and which way it came.
func TestEveryKeyActIsInTheTrail(t *testing.T) {
	type line struct {
		act                             auth.Act
		outcome                         auth.Result
		decided, key, user, reason, way string
		ruled                           bool
	}
	var lines []line
	for _, e := range everyKeyAct(t) {
		lines = append(lines, line{e.Act, e.Outcome, e.Decided, e.Key, e.IAMUser, e.Reason, e.Door, e.Rule != ""})
		if e.Policy != "test-policy" || e.Time.Before(noon) || e.Decided != "" && e.Source == "" {
			t.Errorf("of what, when or whence: %+v", e)
		}
	}
	const hanas, toms, cis = "AKIATESTHANA1", "AKIATESTTOM1", "AKIATESTCI1"
	for _, want := range []line{
		{auth.ActKeyWarn, auth.Done, "", hanas, "hana", "warned", "", true},
		{auth.ActKeyKeep, auth.Done, ben, hanas, "hana", "kept", "socket", false},
		{auth.ActKeyKeep, auth.Refused, outsider, hanas, "hana", "no_decider", "socket", false},
		{auth.ActKeyExempt, auth.Done, mai, hanas, "hana", "exempted", "socket", false},
		{auth.ActKeyExempt, auth.Refused, outsider, hanas, "hana", "no_decider", "socket", false},
		{auth.ActKeyOrder, auth.Refused, outsider, hanas, "hana", "no_decider", "socket", false},
		{auth.ActKeyOrder, auth.Done, ben, hanas, "hana", "deactivate", "socket", false},
		{auth.ActKeyOff, auth.Done, ben, hanas, "hana", "deactivate", "socket", false},
		{auth.ActKeyOrder, auth.Done, mai, hanas, "hana", "reactivate", "socket", false},
		{auth.ActKeyOn, auth.Done, mai, hanas, "hana", "reactivate", "socket", false},
		{auth.ActKeyOrder, auth.Done, ben, toms, "tom", "deactivate", "socket", false},
		{auth.ActKeyOrder, auth.Refused, ben, toms, "tom", "deactivate", "socket", false},
		{auth.ActKeyNotice, auth.Done, "", toms, "tom", "found_inactive", "", true},
		{auth.ActKeyNotice, auth.Done, "", toms, "tom", "found_active", "", true},
		{auth.ActKeyNotice, auth.Done, "", toms, "tom", "gone", "", false},
		{auth.ActKeyOff, auth.Done, "", cis, "ci", "deactivate", "", true},
		{auth.ActKeyDelete, auth.Done, "", cis, "ci", "delete", "", true},
		{auth.ActKeyNotice, auth.Done, "", "AKIATESTEXEMPT1", "exempt", "released", "", false},
		{auth.ActKeyCap, auth.Refused, "", "", "", "over_cap", "events", false},
		{auth.ActKeyCap, auth.Refused, outsider, "", "", "no_decider", "socket", false},
		{auth.ActKeyCap, auth.Done, ben, "", "", "", "socket", false},
		{auth.ActKeyObserve, auth.Done, "", "AKIATESTWATCHED1", "watched", "deactivate", "", true},
	} {
		n := 0
		for _, l := range lines {
			if l == want {
				n++
			}
		}
		if n != 1 && want.act != auth.ActKeyWarn || n == 0 {
			t.Errorf("%d times\n%+v\nin\n%+v", n, want, lines)
		}
	}
}

// While the trail is away what is done to keys is done, and stands in it later,
// once.
func TestKeysWhileTheTrailIsAway(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.Trail = lostTrail{o.trail}
	o.click(ben, "key_off", id)
	o.rush()
	if o.iam.state(id) != "inactive" {
		t.Errorf("the key is %s", o.iam.state(id))
	}
	o.wantHeard("nothing is told that is not recorded")
	o.Trail = o.trail
	for len(o.queue.tasks) > 0 {
		o.pass(o.queue.tasks[0].after)
	}
	if e := o.wantNoted(auth.ActKeyOrder, auth.Done); !e.Time.Equal(noon) || e.Decided != ben {
		t.Errorf("the trail has %+v", e)
	}
	o.wantNoted(auth.ActKeyOff, auth.Done)
	o.wantHeard("then", "update C0KEYS: is deactivated", "direct U0HANA: is deactivated", "post thread: deactivated")
}
