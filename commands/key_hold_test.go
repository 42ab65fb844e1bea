package commands_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// crowded is an office where three keys would end now and two may. What was
// asked is returned, with the keys.
func crowded(t *testing.T) (o *keyOffice, ids []string, hold string) {
	t.Helper()
	o = newKeyOffice(t)
	o.Policy.Keys.FirstRun = auth.AtOnce
	o.Policy.Keys.Cap = auth.KeyCap{Keys: 2, Share: 100}
	for n := range 3 {
		ids = append(ids, o.iam.add(fmt.Sprint("ci", n), 120*day)...)
	}
	o.iam.add("young", day)
	o.sweepKeys()
	card := o.chat.next(t, "post")
	if card.channel != keysChannel || card.thread != "" {
		t.Fatalf("asked %+v", card)
	}
	wants(t, "the question", reads(t, card.text, card.blocks), "*3 access keys would end now*",
		"more than the 2 that the policy allows a day: nothing was touched",
		"deactivate `…CI01` of `ci0`", "`…CI21`", "<@U0BEN>, <@U0MAI>", "Let these 3 end")
	lacks(t, "the question", reads(t, card.text, card.blocks), "`young`")
	hold = buttonValue(t, asMessage(card), "keys_hold")
	if more := o.chat.all(); len(more) > 0 || len(o.iam.acts()) > 0 || len(o.queue.kinds()) > 0 {
		t.Fatalf("besides the question: %+v, did %v, to do %v", more, o.iam.acts(), o.queue.kinds())
	}
	return o, ids, hold
}

// Too many at once: people are asked once a day, and nothing is touched.
func TestTooManyKeysAreAskedAboutOnceADay(t *testing.T) {
	o, ids, _ := crowded(t)
	e := o.wantNoted(auth.ActKeyCap, auth.Refused)
	wants(t, "the trail", e.Note, "deactivate "+ids[0], "deactivate "+ids[2])
	if e.Reason != string(auth.OverCap) || e.Door != "events" || e.Source == "" || e.Decided != "" {
		t.Errorf("the trail has %+v", e)
	}
	for range 3 {
		o.later(time.Hour)
		o.sweepKeys()
	}
	o.wantHeard("the same day")
	o.later(21 * time.Hour)
	o.sweepKeys()
	o.wantHeard("the next day", "post C0KEYS: *3 access keys would end now*")
	if acts := o.iam.acts(); len(acts) > 0 {
		t.Errorf("it did %v", acts)
	}
}

// The word of one who decides lets exactly these end, and no other.
func TestWhoDecidesLetsExactlyTheseEnd(t *testing.T) {
	o, ids, hold := crowded(t)
	late := o.iam.add("late", 120*day)[0] // nobody has been asked about
	m := o.click(ben, "keys_hold", hold)
	wants(t, "the answer", m.Text, "You let 3 access keys end")
	if len(o.iam.acts()) > 0 {
		t.Errorf("while somebody waits: %v", o.iam.acts())
	}
	o.wantHeard("in the channel", "post C0KEYS: <@U0BEN> let the 3 access keys that waited end")
	e := o.wantNoted(auth.ActKeyCap, auth.Done)
	wants(t, "the trail", e.Note, "deactivate "+ids[0], "deactivate "+ids[2])
	if e.Decided != ben || e.Door != "socket" || !strings.HasPrefix(e.Source, "trigger.") {
		t.Errorf("the trail has %+v", e)
	}
	o.rush()
	for _, id := range ids {
		if o.iam.state(id) != "inactive" {
			t.Errorf("%s is %s", id, o.iam.state(id))
		}
	}
	if o.iam.state(late) != "active" {
		t.Errorf("one about which nobody was asked is %s", o.iam.state(late))
	}

	wants(t, "who comes second", o.click(mai, "keys_hold", hold).Text, "<@U0BEN> has let them end already")
	if e := o.wantRefused(auth.ActKeyCap, mai); e.Reason != string(auth.TooLate) {
		t.Errorf("the trail has %+v", e)
	}
	o.rush()
	if acts := o.iam.acts(); len(acts) != 3 {
		t.Errorf("it did %v", acts)
	}
}

// wantRefused asks for exactly one refusal of what this person did.
func (o *keyOffice) wantRefused(act auth.Act, user string) auth.Entry {
	o.t.Helper()
	all := slices.DeleteFunc(o.noted(act, auth.Refused), func(e auth.Entry) bool { return e.Decided != user })
	if len(all) != 1 {
		o.t.Fatalf("%d entries of %s by %s: %+v", len(all), act, user, o.entries())
	}
	return all[0]
}

func TestWhoMayNotLetKeysEnd(t *testing.T) {
	o, _, hold := crowded(t)
	p := o.people.all[mai]
	p.Guest = true
	o.people.all[mai] = p
	for _, user := range []string{hana, outsider, mai} {
		wants(t, user, o.click(user, "keys_hold", hold).Text, "does not name you among those who decide")
		if e := o.wantRefused(auth.ActKeyCap, user); e.Reason != string(auth.NoDecider) || e.Door != "socket" {
			t.Errorf("the trail has %+v", e)
		}
	}
	o.days(1)
	if acts := o.iam.acts(); len(acts) > 0 {
		t.Errorf("it did %v", acts)
	}
	if done := o.noted(auth.ActKeyCap, auth.Done); len(done) > 0 {
		t.Errorf("the trail has %+v", done)
	}
}

// What is let go on at a terminal is told as that.
func TestKeysThatWereLetEndAtATerminal(t *testing.T) {
	o, _, hold := crowded(t)
	h, _, err := o.Purge.Budget.Allow(t.Context(), hold, "terminal:ops<1>", o.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	if err := o.RecordWord(t.Context(), auth.Actor{Door: "terminal", Source: "ops<1>"}, h); err != nil {
		t.Fatal(err)
	}
	wants(t, "who comes second", o.click(ben, "keys_hold", hold).Text, "Somebody at a terminal (`ops&lt;1&gt;`) has let them end already")
	if e := o.wantNoted(auth.ActKeyCap, auth.Done); e.Door != "terminal" || e.Source != "ops<1>" ||
		!strings.Contains(e.Note, "deactivate AKIATESTCI01") {
		t.Errorf("the trail has %+v", e)
	}
}

// An old question is forgotten; so is one that was never asked.
func TestAnOldQuestionIsForgotten(t *testing.T) {
	o, _, hold := crowded(t)
	o.later(2 * day)
	for _, id := range []string{hold, "forged", ""} {
		wants(t, "the answer", o.click(ben, "keys_hold", id).Text, "two days old or more, and forgotten. The next sweep asks again")
	}
	if all := o.noted(auth.ActKeyCap, auth.Refused); len(all) != 4 || all[1].Reason != string(auth.TooLate) || all[1].Decided != ben {
		t.Errorf("the trail has %+v", all)
	}
	o.rush()
	if acts := o.iam.acts(); len(acts) > 0 {
		t.Errorf("it did %v", acts)
	}
}

// waiting is an office where two keys have come to their end, one may end, and
// a third is to be warned of.
func waiting(t *testing.T) (o *keyOffice, young string) {
	t.Helper()
	o = newKeyOffice(t)
	o.Policy.Keys.Cap = auth.KeyCap{Keys: 1, Share: 100}
	o.iam.add("ci0", 76*day)
	o.iam.add("ci1", 76*day)
	o.sweepKeys()
	o.days(13)
	o.chat.all()
	young = o.iam.add("ci2", 76*day)[0]
	o.later(day)
	return o, young
}

const holdTask = "Ask about a hold"

// While nobody can be asked, what is not in question goes on; the question is
// asked later, and once.
func TestAQuestionThatCannotBeAskedWaits(t *testing.T) {
	o, young := waiting(t)
	o.chat.fail["post "+keysChannel] = errAway
	if err := o.schedule(); err != nil {
		t.Fatal(err)
	}
	o.chat.fail = map[string]error{"post": errAway}
	for range 3 {
		o.pass(o.queue.tasks[0].after)
	}
	o.wantHistory(young, purge.Warned)
	clear(o.chat.fail)
	for len(o.queue.tasks) > 0 {
		o.pass(o.queue.tasks[0].after)
	}
	asked := 0
	for _, s := range o.chat.all() {
		if strings.Contains(s.text, "2 access keys would end now") {
			asked++
		}
	}
	o.sweepKeys()
	if asked != 1 || len(o.newly()) > 0 {
		t.Errorf("it is asked %d times, and with the next sweep again", asked)
	}
	o.wantNoted(auth.ActKeyCap, auth.Refused)
	if acts := o.iam.acts(); len(acts) > 0 {
		t.Errorf("it did %v", acts)
	}
}

// The process may die after it has noted what waits, and before it has asked:
// the next sweep asks.
func TestAQuestionThatWasNotAskedIsAskedByTheNextSweep(t *testing.T) {
	o, young := waiting(t)
	o.chat.fail["post"] = errAway
	if err := o.schedule(); err != nil {
		t.Fatal(err)
	}
	o.queue.tasks = nil // with the process
	clear(o.chat.fail)
	o.sweepKeys()
	o.wantHeard("the next sweep", "post C0KEYS: *2 access keys would end now*", "post C0KEYS: will be deactivated")
	o.wantHistory(young, purge.Warned)
	o.sweepKeys()
	o.wantHeard("the one after")
}

// With neither Slack nor the queue the schedule's event is kept.
func TestAQuestionWithoutSlackAndQueue(t *testing.T) {
	o, _ := waiting(t)
	o.chat.fail["post"] = errAway
	o.queue.away = errors.New("SQS is away")
	if err := o.schedule(); err == nil || !strings.Contains(err.Error(), errAway.Error()) {
		t.Errorf("the event is lost: %v", err)
	}
	if err := o.run(taskOf(holdTask, `{"hold":[]}`)); err == nil {
		t.Error("a task that nobody can read is lost")
	}
}

// Event by event no more may end in a day than in a sweep; the sweep asks about
// the rest.
func TestEventsEndNoMoreKeysThanASweep(t *testing.T) {
	o := newKeyOffice(t)
	o.Policy.Keys.FirstRun = auth.AtOnce
	o.Policy.Keys.Cap = auth.KeyCap{Keys: 1, Share: 100}
	ids := []string{o.iam.add("ci0", 120*day)[0], o.iam.add("ci1", 120*day)[0]}
	for _, id := range ids {
		if err := o.says("AIDATESTHANA", id); err != nil {
			t.Fatal(err)
		}
	}
	o.rush()
	if acts := o.iam.acts(); !slices.Equal(acts, []string{"Deactivate ci0 " + ids[0]}) {
		t.Errorf("it did %v", acts)
	}
	if kinds := o.queue.kinds(); len(kinds) > 0 {
		t.Errorf("it is tried again before the next sweep: %v", kinds)
	}
	wants(t, "the log", o.log.String(), "left for the next sweep", ids[1])
	o.chat.all()
	o.sweepKeys()
	o.wantHeard("the sweep", "post C0KEYS: *1 access key would end now*, with those of the last 24 hours more than the 1")
}

// Without the queue a confirmation stands, and the next sweep goes by it.
func TestAConfirmationWithoutAQueue(t *testing.T) {
	o, ids, hold := crowded(t)
	o.Queue = nil
	wants(t, "the answer", o.click(ben, "keys_hold", hold).Text, "You let 3 access keys end")
	o.later(12 * time.Hour)
	if err := o.schedule(); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		if o.iam.state(id) != "inactive" {
			t.Errorf("%s is %s", id, o.iam.state(id))
		}
	}
}

// Whoever comes second has the keys end too: the first may have died between
// the word and the queue. A question that waited for a day is not asked any more.
func TestAWordThatWasLostIsTakenUp(t *testing.T) {
	o, ids, hold := crowded(t)
	if _, won, err := o.Purge.Budget.Allow(t.Context(), hold, ben, o.clock.Now()); !won || err != nil {
		t.Fatal(won, err)
	}
	o.click(mai, "keys_hold", hold)
	o.rush()
	for _, id := range ids {
		if o.iam.state(id) != "inactive" {
			t.Errorf("%s is %s", id, o.iam.state(id))
		}
	}
	if e := o.wantNoted(auth.ActKeyCap, auth.Done); e.Decided != ben {
		t.Errorf("the trail has %+v", e)
	}
}

func TestAQuestionOfYesterdayIsNotAsked(t *testing.T) {
	o := newKeyOffice(t)
	h := purge.Hold{ID: "h", At: o.clock.Now(), Limit: 1, Keys: []purge.Held{{Ref: purge.Ref{ID: "AKIATESTCI01", User: "ci0"}, Do: purge.Deactivate}}}
	detail, _ := json.Marshal(map[string]any{"hold": h})
	o.later(24 * time.Hour)
	if err := o.run(taskOf(holdTask, string(detail))); err != nil {
		t.Fatal(err)
	}
	if said := o.chat.all(); len(said) > 0 {
		t.Errorf("said %+v", said)
	}
}
