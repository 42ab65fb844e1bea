package commands_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/commands"
)

// heard is what was said since, as "how channel: words".
func (o *keyOffice) heard() (all []string) {
	o.t.Helper()
	for _, s := range o.chat.all() {
		where := s.channel
		if s.thread != "" {
			where = "thread"
		}
		all = append(all, s.how+" "+where+": "+s.text)
	}
	return all
}

// wantHeard wants these messages, in this order, and no other.
func (o *keyOffice) wantHeard(when string, want ...string) {
	o.t.Helper()
	got := o.heard()
	fits := len(got) == len(want)
	for n := 0; fits && n < len(want); n++ {
		how, words, _ := strings.Cut(want[n], ": ")
		fits = strings.HasPrefix(got[n], how+": ") && strings.Contains(got[n], words)
	}
	if !fits {
		o.t.Errorf("%s, said:\n%s\nand not:\n%s", when, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A key's way to its end, day by day: one card throughout, each step once in
// its thread, and the owner told each time.
func TestAKeysWayToItsEnd(t *testing.T) {
	for name, owner := range map[string]func(*keyOffice){
		"the policy knows whose": func(*keyOffice) {},
		"the tag says whose": func(o *keyOffice) {
			o.Policy.People.Principals = nil
			o.iam.change("hana", func(u *purge.User) { u.Tags["sekisho-owner"] = hana })
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newKeyOffice(t)
			id := o.iam.add("hana", 75*day)[0]
			owner(o)
			o.sweepKeys()
			o.wantHeard("at 75 days")
			o.days(1)
			o.wantHeard("at 76 days", "post C0KEYS: will be deactivated", "direct U0HANA: in 14 days")
			o.days(6)
			o.wantHeard("until 82 days")
			o.days(1)
			o.wantHeard("at 83 days", "update C0KEYS: will be deactivated", "direct U0HANA: in 7 days", "post thread: 7 days left")
			o.days(5)
			o.wantHeard("until 88 days")
			o.days(1)
			o.wantHeard("at 89 days", "update C0KEYS: will be deactivated", "direct U0HANA: in 1 day", "post thread: 1 day left")
			if acts := o.iam.acts(); len(acts) > 0 {
				t.Fatalf("something was done: %v", acts)
			}
			o.days(1)
			o.wantHeard("at 90 days", "update C0KEYS: is deactivated, by the policy's `max_age: 90d`", "direct U0HANA: is deactivated",
				"post thread: deactivated, by the policy's `max_age: 90d`")
			if o.iam.state(id) != "inactive" {
				t.Errorf("the key is %s", o.iam.state(id))
			}
			o.days(9)
			o.wantHeard("until 99 days")
			o.days(1)
			o.wantHeard("at 100 days", "update C0KEYS: is deleted", "direct U0HANA: is deleted. If you still need one", "post thread: deleted")
			o.days(3)
			o.wantHeard("afterwards")
			if acts := o.iam.acts(); !slices.Equal(acts, []string{"Deactivate hana " + id, "Delete hana " + id}) {
				t.Errorf("it did %v", acts)
			}
			o.wantHistory(id, purge.Warned, purge.Warned, purge.Warned, purge.Begun, purge.Deactivated, purge.Begun, purge.Deleted)
			var acts []auth.Act
			for _, e := range o.entries() {
				acts = append(acts, e.Act)
				if e.Key != id || e.IAMUser != "hana" || e.Decided != "" || e.Policy != "test-policy" || e.Rule == "" {
					t.Errorf("the trail has %+v", e)
				}
			}
			if !slices.Equal(acts, []auth.Act{auth.ActKeyWarn, auth.ActKeyWarn, auth.ActKeyWarn, auth.ActKeyOff, auth.ActKeyDelete}) {
				t.Errorf("the trail has %v", acts)
			}
			if kinds := o.queue.kinds(); len(kinds) > 0 {
				t.Errorf("left to do: %v", kinds)
			}
		})
	}
}

// The card is one message, whatever becomes of the key.
func TestAKeysCardIsOneMessage(t *testing.T) {
	o := newKeyOffice(t)
	_, card := o.warned()
	for range 24 {
		o.days(1)
		for _, s := range o.chat.all() {
			if s.how == "update" && (s.ts != card.ts || s.channel != keysChannel) || s.how == "post" && s.thread != card.ts {
				t.Errorf("said elsewhere: %+v", s)
			}
		}
	}
}

// An owner who takes no messages is told by name below the card; one whom
// nobody knows is not, and observe mode leaves people in peace.
func TestWhoIsToldOfAKey(t *testing.T) {
	o := newKeyOffice(t)
	o.chat.fail["direct"] = errBlocked
	o.iam.add("hana", 76*day)
	o.sweepKeys()
	o.wantHeard("not reachable", "post C0KEYS: will be deactivated",
		"post thread: <@U0HANA>, I cannot write to you, so I tell you here: :hourglass_flowing_sand: The access key")

	o = newKeyOffice(t)
	o.Policy.People.Principals = nil
	o.iam.add("hana", 76*day)
	o.sweepKeys()
	if said := o.chat.all(); len(said) != 1 || !strings.Contains(reads(t, said[0].text, said[0].blocks), "I do not know whose it is") {
		t.Errorf("of a key of nobody: %+v", said)
	}

	o = newKeyOffice(t)
	o.Policy.Keys.Mode = auth.Observe
	id := o.iam.add("hana", 76*day)[0]
	o.sweepKeys()
	o.wantHeard("in observe mode", "post C0KEYS: :eyes: Observe mode: access key")
	o.days(30)
	if e := o.wantNoted(auth.ActKeyObserve, auth.Done); e.Key != id || e.Reason != "deactivate" || e.Note != "observe mode" {
		t.Errorf("the trail has %+v", e)
	}
	for _, s := range o.chat.all() {
		if s.how == "direct" {
			t.Errorf("in observe mode: %+v", s)
		}
	}
	if acts := o.iam.acts(); len(acts) > 0 || o.iam.state(id) != "active" {
		t.Errorf("in observe mode it did %v", acts)
	}
}

// The daily sweep need not find the very minute: what is due within a quarter
// of an hour is waited for.
func TestAnEndThatIsNearIsWaitedFor(t *testing.T) {
	o := newKeyOffice(t)
	o.Policy.Keys.Warn = []time.Duration{10 * time.Minute}
	id := o.iam.add("hana", 90*day-9*time.Minute)[0]
	o.sweepKeys()
	o.wantHeard("9 minutes before", "post C0KEYS: will be deactivated", "direct U0HANA: in 9 minutes")
	if kinds := o.queue.kinds(); len(kinds) != 1 || kinds[0] != keyTask {
		t.Fatalf("to do: %v", kinds)
	}
	if after := o.queue.tasks[0].after; after <= 9*time.Minute || after > 15*time.Minute {
		t.Errorf("after %s", after)
	}
	o.pass(o.queue.tasks[0].after)
	if o.iam.state(id) != "inactive" {
		t.Errorf("the key is %s", o.iam.state(id))
	}
	o.wantHistory(id, purge.Warned, purge.Begun, purge.Deactivated)
	if kinds := o.queue.kinds(); len(kinds) > 0 {
		t.Errorf("left to do: %v", kinds)
	}
}

// What others do in AWS is noticed, told and recorded.
func TestWhatOthersDoToAKeyIsNoticed(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.iam.change("hana", func(u *purge.User) { u.Keys[0].Active = false })
	o.days(14)
	o.iam.change("hana", func(u *purge.User) { u.Keys[0].Active = true })
	o.days(1)
	o.iam.change("hana", func(u *purge.User) { u.Keys = nil })
	o.days(1)
	history := o.history(id)
	for _, verb := range []purge.Verb{purge.FoundOff, purge.FoundOn, purge.Gone} {
		if !slices.Contains(history, verb) {
			t.Errorf("%s is missing in %v", verb, history)
		}
	}
	if acts := o.iam.acts(); len(acts) > 0 {
		t.Errorf("it did %v", acts)
	}
	all := strings.Join(o.heard(), "\n")
	wants(t, "people are told what", all, "somebody deactivated it in AWS", "somebody reactivated it in AWS",
		"somebody deleted it in AWS", "is inactive. It is deleted")
	var reasons []string
	for _, e := range o.noted(auth.ActKeyNotice, auth.Done) {
		reasons = append(reasons, e.Reason)
	}
	if !slices.Equal(reasons, []string{"found_inactive", "found_active", "gone"}) {
		t.Errorf("the trail has %v", reasons)
	}
}

// While Slack is away everything is done all the same, and told later: once.
func TestAKeyIsToldLaterAndOnce(t *testing.T) {
	o := newKeyOffice(t)
	id := o.iam.add("hana", 76*day)[0]
	o.chat.goAway(errAway)
	o.sweepKeys()
	o.wantHistory(id, purge.Warned)
	o.wantNoted(auth.ActKeyWarn, auth.Done)
	for range 6 {
		if len(o.queue.tasks) != 1 {
			t.Fatalf("to do: %v", o.queue.kinds())
		}
		o.pass(o.queue.tasks[0].after)
	}
	o.chat.goAway(nil)
	o.pass(o.queue.tasks[0].after)
	o.wantHeard("then", "post C0KEYS: will be deactivated", "direct U0HANA: in 14 days")
	o.wantNoted(auth.ActKeyWarn, auth.Done)
	if kinds := o.queue.kinds(); len(kinds) > 0 {
		t.Errorf("left to do: %v", kinds)
	}
	o.days(1)
	o.wantHeard("a day later")
}

// Cut off in between, the telling goes on where it stopped: the thread has each
// step once. That the card is rewritten with every try, nobody sees.
func TestAHalfToldKey(t *testing.T) {
	update, direct, line := "update C0KEYS: is deactivated", "direct U0HANA: is deactivated", "post thread: deactivated"
	for how, want := range map[string][]string{
		"update": {update, direct, line},
		"direct": {update, update, direct, line},
		"post":   {update, direct, update, direct, line},
	} {
		o := newKeyOffice(t)
		o.warned()
		o.click(ben, "key_off", "AKIATESTHANA1")
		o.chat.fail[how] = errAway
		o.rush()
		clear(o.chat.fail)
		o.pass(o.queue.tasks[0].after)
		o.wantHeard("cut off at "+how, want...)
	}
}

// Several steps at once are told one by one; those that were told before Slack
// went away are not told again.
func TestStepsThatWereToldAreNotToldAgain(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.submit(ben, "key_keep", id, map[string]string{"why": "the supplier is late"})
	o.click(ben, "key_off", id)
	o.chat.during = func() { // Slack takes the card, and the line of what was kept
		o.chat.during = func() {
			o.chat.during = func() { o.chat.fail["direct"] = errAway }
		}
	}
	o.rush()
	clear(o.chat.fail)
	for len(o.queue.tasks) > 0 {
		o.pass(o.queue.tasks[0].after)
	}
	lines := make(map[string]int)
	for _, text := range o.heard() {
		if strings.HasPrefix(text, "post thread: ") || strings.HasPrefix(text, "direct") {
			_, line, _ := strings.Cut(text, "—")
			lines[line]++
		}
	}
	for line, n := range lines {
		if n > 1 {
			t.Errorf("%d times: %s", n, line)
		}
	}
	if len(lines) != 3 {
		t.Errorf("said %v", lines)
	}
}

// With IAM and Slack away together there is one task of a key all the time: of
// two there would soon be thousands.
func TestTheTasksOfAKeyDoNotMultiply(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.click(ben, "key_off", id)
	o.chat.goAway(errAway)
	o.iam.fail["Deactivate"] = errors.New("ServiceFailure")
	var waits []time.Duration
	for len(o.queue.tasks) > 0 {
		if len(o.queue.tasks) != 1 || len(waits) > 60 {
			t.Fatalf("after %d tries to do: %v", len(waits), o.queue.kinds())
		}
		waits = append(waits, o.queue.tasks[0].after)
		if err := o.work(keyTask); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(waits); n != 51 || waits[1] > 30*time.Second || waits[n-1] != 5*time.Minute || !slices.IsSorted(waits) {
		t.Errorf("it waits %d times: %v", n, waits) // for a day it has had enough
	}
	o.chat.goAway(nil)
	clear(o.iam.fail)
	o.days(1)
	if s := o.chat.next(t, "update"); !strings.Contains(s.text, "is deactivated, as <@U0BEN> decided") {
		t.Errorf("the card: %+v", s)
	}
	if o.iam.state(id) != "inactive" {
		t.Errorf("the key is %s", o.iam.state(id))
	}
}

// Where the card stands nobody can write any more: it is posted anew where the
// policy says, and the key goes on to its end.
func TestACardThatCannotBeReachedIsPostedAnew(t *testing.T) {
	o := newKeyOffice(t)
	id, card := o.warned()
	o.chat.fail["update"] = fmt.Errorf("is_archived: %w", auth.ErrNotReachable)
	o.Policy.Channels.Keys = "C0OTHER"
	o.click(ben, "key_keep", id)
	o.submit(ben, "key_keep", id, map[string]string{"why": "not yet"})
	o.rush()
	s := o.chat.next(t, "post")
	if s.channel != "C0OTHER" || s.thread != "" || s.ts == card.ts || !strings.Contains(s.text, "kept access key") {
		t.Errorf("said %+v", s)
	}
	if line := o.chat.next(t, "post"); line.thread != s.ts || line.channel != "C0OTHER" {
		t.Errorf("the line stands elsewhere: %+v", line)
	}
}

// A thread that takes no line keeps neither the card nor the owner waiting, who
// hears once.
func TestAThreadThatTakesNoLine(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.chat.all()
	o.chat.fail["post "+keysChannel] = fmt.Errorf("thread_not_found: %w", auth.ErrNotReachable)
	o.click(ben, "key_off", id)
	o.rush()
	direct := 0
	for _, s := range o.chat.all() {
		if s.how == "direct" {
			direct++
		}
	}
	if direct != 1 || o.iam.state(id) != "inactive" || len(o.queue.tasks) > 0 {
		t.Errorf("%d messages to the owner, the key is %s, to do: %v", direct, o.iam.state(id), o.queue.kinds())
	}
}

// Nothing ends before people were told that it would, however long Slack is
// away; all the time there is one task.
func TestNothingEndsBeforePeopleAreTold(t *testing.T) {
	o := newKeyOffice(t)
	o.Policy.Keys.Warn = []time.Duration{10 * time.Minute}
	id := o.iam.add("hana", 90*day-9*time.Minute)[0]
	o.chat.goAway(errAway)
	o.sweepKeys()
	for range 20 {
		if len(o.queue.tasks) != 1 {
			t.Fatalf("to do: %v", o.queue.kinds())
		}
		o.pass(o.queue.tasks[0].after)
	}
	if o.iam.state(id) != "active" {
		t.Fatalf("of what nobody knows the key is %s", o.iam.state(id))
	}
	o.chat.goAway(nil)
	for len(o.queue.tasks) > 0 {
		o.pass(o.queue.tasks[0].after)
	}
	if o.iam.state(id) != "inactive" {
		t.Errorf("the key is %s", o.iam.state(id))
	}
	o.wantHeard("then", "post C0KEYS: will be deactivated", "direct U0HANA: in 9 minutes",
		"update C0KEYS: is deactivated", "direct U0HANA: is deactivated", "post thread: deactivated")
}

// Without the queue an event that cannot be told is kept, and nothing of it is
// done twice; the clicked button is worked off at once.
func TestAKeyWithoutAQueue(t *testing.T) {
	o := newKeyOffice(t)
	id := o.iam.add("hana", 120*day)[0]
	o.queue.away = errors.New("SQS is away")
	o.chat.goAway(errAway)
	if err := o.says(); err == nil || !strings.Contains(err.Error(), "SQS is away") {
		t.Errorf("the event is lost: %v", err)
	}
	o.chat.goAway(nil)
	if err := o.says(); err != nil {
		t.Fatal(err)
	}
	o.wantHeard("the second time", "post C0KEYS: will be deactivated", "direct U0HANA: in 14 days")
	o.wantHistory(id, purge.Warned)
	o.click(ben, "key_off", id)
	if o.iam.state(id) != "inactive" {
		t.Errorf("the key is %s", o.iam.state(id))
	}
	o.wantHeard("clicked", "update C0KEYS: is deactivated, as <@U0BEN>",
		"direct U0HANA: is deactivated", "post thread: deactivated, as <@U0BEN>")

	o = newKeyOffice(t)
	o.Queue = nil
	id = o.iam.add("hana", 76*day)[0]
	if err := o.schedule(); err != nil {
		t.Fatal(err)
	}
	o.wantHistory(id, purge.Warned)
	o.iam.fail["Deactivate"] = errors.New("ServiceFailure")
	o.click(ben, "key_off", id)
	o.later(2 * time.Minute) // so that it is nobody's any more
	if err := o.attendKey(id, "hana"); err == nil {
		t.Error("without a queue the task is lost")
	}
	wants(t, "the log", o.log.String(), "ServiceFailure")
}

// However many processes are at one key, one does it and one tells it.
func TestManyWorkersAtOneKey(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.click(ben, "key_off", id)
	o.queue.take(t)
	offices := []*keyOffice{o, o.beside(), o.beside(), o.beside()}
	var all sync.WaitGroup
	for n := range 12 {
		all.Go(func() {
			if err := offices[n%4].attendKey(id, "hana"); err != nil {
				t.Errorf("worker %d: %v", n, err)
			}
		})
	}
	all.Wait()
	if acts := o.iam.acts(); len(acts) != 1 {
		t.Errorf("it did %v", acts)
	}
	o.wantHistory(id, purge.Warned, purge.Ordered, purge.Begun, purge.Deactivated)
	o.pass(2 * time.Minute) // those who were not let in
	lines := 0
	for _, text := range o.heard() {
		if strings.HasPrefix(text, "post thread: ") {
			lines++
		}
	}
	if lines != 1 {
		t.Errorf("%d lines in the thread", lines)
	}
	o.wantNoted(auth.ActKeyOff, auth.Done)
}

// A task that nobody can read is kept; one of a key of which nothing is known
// is done with.
func TestAttendAnyKey(t *testing.T) {
	o := newKeyOffice(t)
	for _, detail := range []string{``, `[]`, `{"id":7}`} {
		for _, kind := range []string{keyTask, keysTask} {
			if err := o.run(taskOf(kind, detail)); err == nil {
				t.Errorf("%s, %q is no error", kind, detail)
			}
		}
	}
	if err := o.attendKey("AKIATESTNOBODY1", "nobody"); err != nil || len(o.queue.kinds()) > 0 || len(o.chat.all()) > 0 {
		t.Errorf("of a key that is gone: %v, to do %v", err, o.queue.kinds())
	}
}

// A first sweep of an account with many old keys says so before the cards.
func TestManyCardsAreAnnounced(t *testing.T) {
	for n, announced := range map[int]bool{10: false, 11: true} {
		o := newKeyOffice(t)
		for u := range n {
			o.iam.add(fmt.Sprint("user", u), 100*day)
		}
		o.sweepKeys()
		said := o.heard()
		if first := strings.Contains(said[0], fmt.Sprintf("%d access keys are near their end, or past it", n)); first != announced {
			t.Errorf("of %d keys: %s", n, said[0])
		}
		o.days(1)
		o.wantHeard("a day later")
	}
}

// What becomes of a key while it is told, whoever tells it tells as well.
func TestWhatBecomesOfAKeyWhileItIsTold(t *testing.T) {
	o := newKeyOffice(t)
	id := o.iam.add("hana", 76*day)[0]
	o.chat.during = func() {
		if _, err := o.Purge.Keep(t.Context(), id, auth.Actor{User: ben, Door: "socket", Source: "trigger.elsewhere"}, "late"); err != nil {
			t.Error(err)
		}
	}
	o.sweepKeys()
	o.wantHeard("in one go", "post C0KEYS: will be deactivated", "update C0KEYS: <@U0BEN> kept access key",
		"direct U0HANA: in 14 days", "post thread: <@U0BEN> spared it")
	o.wantNoted(auth.ActKeyKeep, auth.Done)
}

// A click while the key is told is recorded and told by whoever is at it; that
// the clicker's own process is kept from it is no fault.
func TestAClickWhileTheKeyIsTold(t *testing.T) {
	o := newKeyOffice(t)
	id := o.iam.add("hana", 76*day)[0]
	o.chat.during = func() { o.click(ben, "key_off", id) }
	o.sweepKeys()
	o.wantHistory(id, purge.Warned, purge.Ordered, purge.Begun, purge.Deactivated)
	o.wantHeard("in order", "post C0KEYS: will be deactivated", "update C0KEYS: <@U0BEN> wants to deactivate", "direct U0HANA: in 14 days",
		"update C0KEYS: is deactivated, as <@U0BEN>", "direct U0HANA: is deactivated", "post thread: deactivated")
	o.wantNoted(auth.ActKeyOrder, auth.Done)
	lacks(t, "the log", o.log.String(), `"WARN"`, `"ERROR"`)
}

// busyStore is a store where somebody else is at the telling, a few times.
type busyStore struct {
	purge.Store
	times int
}

func (s *busyStore) TakeTelling(ctx context.Context, id string, now time.Time, lease time.Duration) (purge.Filed, bool, error) {
	if s.times--; s.times >= 0 {
		return purge.Filed{}, false, auth.ErrCardHeld
	}
	return s.Store.TakeTelling(ctx, id, now, lease)
}

// Whoever only records is done in a moment, which is waited for: people do not
// wait a minute for the card.
func TestWhoRecordsIsWaitedFor(t *testing.T) {
	o := newKeyOffice(t)
	o.iam.add("hana", 76*day)
	o.Purge.Store = &busyStore{o.Purge.Store, 2}
	o.sweepKeys()
	o.wantHeard("at once", "post C0KEYS: will be deactivated", "direct U0HANA: in 14 days")
	if kinds := o.queue.kinds(); len(kinds) > 0 {
		t.Errorf("left to do: %v", kinds)
	}
}

// Where a worker died over a key, whoever comes next waits until its time is
// up, and then goes on.
func TestAWorkerThatDiedOverAKey(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.click(ben, "key_off", id)
	o.iam.fail["Deactivate"] = errors.New("cut off")
	o.rush()
	clear(o.iam.fail)
	o.queue.tasks = nil // with the worker
	if err := o.attendKey(id, "hana"); err != nil {
		t.Fatal(err)
	}
	if o.iam.state(id) != "active" || len(o.queue.tasks) != 1 || o.queue.tasks[0].after != time.Minute {
		t.Fatalf("the key is %s, to do: %+v", o.iam.state(id), o.queue.tasks)
	}
	o.pass(time.Minute)
	if o.iam.state(id) != "inactive" {
		t.Errorf("the key is %s", o.iam.state(id))
	}
}

// A card that its channel does not take is posted where the alerts are, and
// stays there.
func TestAKeysChannelThatDoesNotTakeIt(t *testing.T) {
	o := newKeyOffice(t)
	o.chat.fail["post "+keysChannel] = errBlocked
	id := o.iam.add("hana", 76*day)[0]
	o.sweepKeys()
	card := o.chat.next(t, "post")
	wants(t, "the card", reads(t, card.text, card.blocks), "will be deactivated", "This belongs into <#C0KEYS>, where I cannot write")
	if card.channel != alerts {
		t.Errorf("it is in %s", card.channel)
	}
	o.chat.all()
	clear(o.chat.fail)
	o.click(ben, "key_off", id)
	o.rush()
	if s := o.chat.next(t, "update"); s.channel != alerts || s.ts != card.ts {
		t.Errorf("rewritten: %+v", s)
	}
}

// Of a key that the bot itself deactivated, and whose end is near once more,
// nobody is told that somebody else did.
func TestTheBotsOwnWorkIsNotPutOnOthers(t *testing.T) {
	keys := auth.DefaultKeys()
	found := purge.Change{Verb: purge.FoundOff, Until: noon.Add(14 * day)}
	bare := purge.Record{ID: "AKIATEST000000000001", User: "hana", Created: noon.Add(-100 * day)}
	ours := became(bare, purge.Change{Verb: purge.Deactivated, Until: noon.Add(10 * day)}, purge.Change{Verb: purge.Released, Note: "exempt"}, found)
	for what, r := range map[string]purge.Record{"ours": ours, "theirs": became(bare, found)} {
		text, _ := commands.KeyCard(&keys, r)
		text += commands.KeyLine(r, r.History[len(r.History)-1])
		if n := strings.Count(text, "somebody deactivated it in AWS"); !strings.Contains(text, "is inactive") || (n == 2) != (what == "theirs") || (n == 0) != (what == "ours") {
			t.Errorf("%s: %s", what, text)
		}
	}
}
