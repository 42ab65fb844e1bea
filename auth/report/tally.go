package report

import (
	"cmp"
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"time"

	"sekisho/auth"
)

// tally counts what the trail says of a period. What came a little earlier is
// looked at only to know when something was asked.
type tally struct {
	period  Period
	starts  Starts
	keys    Keys
	policy  []PolicyChange
	entries TrailRead
	begins  time.Time // the first entry
	trimmed int64     // up to which number the trail was let go

	seed     maphash.Seed
	said     map[uint64]bool      // by again's sum
	asked    map[string]time.Time // when, by request
	answered map[string]bool      // requests about which somebody decided
	waits    []time.Duration
	days     map[string]*Day
	people   map[string]*Person
	hosts    map[string]*Instance
}

// margin is how much earlier the trail is read: a request waits a day at the
// most before it is decided, and an entry may be written late.
const margin = 48 * time.Hour

func newTally(p Period) *tally {
	t := &tally{
		period: p, seed: maphash.MakeSeed(), said: map[uint64]bool{}, asked: map[string]time.Time{}, answered: map[string]bool{},
		days: map[string]*Day{}, people: map[string]*Person{}, hosts: map[string]*Instance{},
	}
	t.starts.Refused = map[string]int{}
	for at := p.From.UTC().Truncate(day); at.Before(p.To); at = at.AddDate(0, 0, 1) {
		t.day(at)
	}
	return t
}

// add takes the next entry.
func (t *tally) add(e auth.Entry) {
	if t.entries.Entries++; t.entries.First == 0 {
		t.entries.First, t.begins = e.Seq, e.Time
	}
	t.entries.Last = e.Seq
	if e.Act == auth.ActTrim {
		t.trimmed = max(t.trimmed, auth.TrimmedTo(e))
	}
	if t.again(e) {
		return
	}
	if e.Act == auth.ActRequest && e.Outcome == auth.Done {
		t.asked[e.Request] = e.Time
	}
	if t.period.Holds(e.Time) {
		t.count(e)
	}
	if e.Outcome == auth.Done && (e.Act == auth.ActApprove || e.Act == auth.ActDeny) {
		t.answered[e.Request] = true
	}
}

// again says whether the trail has said this before: an entry whose first
// writing was not confirmed is written twice.
func (t *tally) again(e auth.Entry) bool {
	judged := e.Act == auth.ActStart || e.Act == auth.ActStartStop
	if judged && strings.HasPrefix(e.Note, "launched ") { // the second time perhaps later, by another worker
		e = auth.Entry{Act: e.Act, Instance: e.Instance, Note: e.Note}
	}
	e.Time, e.Seq, e.Prev, e.Hash = e.Time.UTC(), 0, "", ""
	sum := maphash.Comparable(t.seed, e)
	before := t.said[sum]
	t.said[sum] = true
	return before
}

func (t *tally) count(e auth.Entry) {
	done := e.Outcome == auth.Done
	switch e.Act {
	case auth.ActStart:
		t.start(e)
	case auth.ActStartStop:
		if !done && e.Reason != auth.MismatchReason { // which is of a start that was let in
			t.starts.Unstopped++
		}
	case auth.ActPassIssue, auth.ActRequest, auth.ActWithdraw, auth.ActBreakGlass:
		t.pass(e, done)
	case auth.ActApprove, auth.ActDeny, auth.ActLapse:
		t.decision(e, done)
	case auth.ActPolicy:
		if from := strings.TrimPrefix(e.Note, "before: "); from != "" { // else it is the first one ever
			t.policy = append(t.policy, PolicyChange{e.Time, from, e.Policy})
		}
	default:
		if done && !strings.HasSuffix(e.Note, auth.ObservedNote) { // before it may stand people's words
			t.key(e)
		}
	}
}

// start counts a judged start.
func (t *tally) start(e auth.Entry) {
	p, i, d := t.person(e.Submitted), t.instance(e.Instance), t.day(e.Time)
	t.starts.Total++
	if e.Source == auth.SweepSource {
		t.starts.Swept++
	}
	if e.Outcome == auth.Done {
		t.starts.Admitted++
		p.Admitted, i.Admitted, d.Admitted = p.Admitted+1, i.Admitted+1, d.Admitted+1
		return
	}
	if strings.HasSuffix(e.Note, auth.ObservedNote) {
		t.starts.Observed++
	}
	t.starts.Refused[e.Reason]++
	p.Refused, i.Refused, d.Refused = p.Refused+1, i.Refused+1, d.Refused+1
}

func (t *tally) pass(e auth.Entry, done bool) {
	s := &t.starts.Passes
	switch {
	case e.Act == auth.ActBreakGlass && done:
		t.starts.BreakGlass = append(t.starts.BreakGlass, BreakGlass{At: e.Time, User: e.Submitted, Instance: e.Instance, Why: e.Note})
		return
	case e.Act == auth.ActWithdraw && done:
		s.Withdrawn++
		return
	case e.Act == auth.ActPassIssue && done:
		s.AtOnce++
	case e.Act == auth.ActRequest && done && e.Reason != auth.BrokenGlass:
		s.Requests++
	case e.Act == auth.ActRequest && !done && turnsDown(auth.Reason(e.Reason)):
		s.Turned++
	default:
		return
	}
	s.Asked++
	t.person(e.Submitted).Asked++
}

// turnsDown says whether the policy said no to the wish itself.
func turnsDown(r auth.Reason) bool {
	switch r {
	case auth.AlreadyAsked, auth.TooManyPerson, auth.TooManyInstance, auth.Replayed, auth.AlreadyUp, auth.Gone, auth.NotGuarded:
		return false
	}
	return true
}

func (t *tally) decision(e auth.Entry, done bool) {
	s, by := &t.starts, t.person
	switch {
	case e.Act == auth.ActLapse && e.Reason == auth.BrokenGlass: // it was not confirmed: nobody was asked
		return
	case e.Act == auth.ActLapse:
		s.Passes.Lapsed++
		if !t.answered[e.Request] {
			s.Decisions.NoAnswers++
		}
		return
	case !done:
		s.Decisions.RefusedClicks++
		return
	case e.Act == auth.ActDeny:
		s.Passes.Denied++
		by(e.Decided).Denied++
	default:
		by(e.Decided).Approved++
		if e.Reason == auth.SettledNote { // where two must agree, the first settles nothing
			s.Passes.Approved++
		}
	}
	if asked, known := t.asked[e.Request]; known {
		t.waits = append(t.waits, e.Time.Sub(asked))
	}
}

func (t *tally) key(e auth.Entry) {
	word := KeyWord{At: e.Time, ID: e.Key, User: e.IAMUser, By: e.Decided, Note: e.Note}
	switch k := &t.keys; e.Act {
	case auth.ActKeyWarn:
		k.Warned++
	case auth.ActKeyOff:
		k.Deactivated++
	case auth.ActKeyOn:
		k.Reactivated++
	case auth.ActKeyDelete:
		k.Deleted++
	case auth.ActKeyKeep:
		k.Kept = append(k.Kept, word)
	case auth.ActKeyExempt:
		k.Exempted = append(k.Exempted, word)
	}
}

func (t *tally) person(user string) *Person {
	return one(t.people, user, func() *Person { return &Person{User: user} })
}

func (t *tally) instance(id string) *Instance {
	return one(t.hosts, id, func() *Instance { return &Instance{ID: id} })
}

func (t *tally) day(at time.Time) *Day {
	date := at.UTC().Format(time.DateOnly)
	return one(t.days, date, func() *Day { return &Day{Date: date} })
}

func one[T any](all map[string]*T, by string, fresh func() *T) *T {
	if all[by] == nil {
		all[by] = fresh()
	}
	return all[by]
}

// sum is what was counted, in the order in which it is shown.
func (t *tally) sum() Starts {
	s := t.starts
	s.Days = listed(t.days, func(a, b Day) int { return cmp.Compare(a.Date, b.Date) })
	s.People = listed(t.people, func(a, b Person) int {
		return cmp.Or(cmp.Compare(b.busy(), a.busy()), cmp.Compare(a.User, b.User))
	})
	s.Instances = listed(t.hosts, func(a, b Instance) int {
		return cmp.Or(cmp.Compare(b.Refused, a.Refused), cmp.Compare(b.Admitted, a.Admitted), cmp.Compare(a.ID, b.ID))
	})
	s.BreakGlass = append([]BreakGlass{}, s.BreakGlass...)
	slices.Sort(t.waits)
	if n := len(t.waits); n > 0 {
		median := int(((t.waits[(n-1)/2] + t.waits[n/2]) / 2).Round(time.Second) / time.Second)
		quick := 0
		for quick < n && t.waits[quick] < 5*time.Second {
			quick++
		}
		d := &s.Decisions
		d.Count, d.Median, d.Under5s, d.Share5s = n, &median, quick, quick*100/n
	}
	return s
}

func (p Person) busy() int { return p.Asked + p.Admitted + p.Refused + p.Approved + p.Denied }

func listed[T any](all map[string]*T, order func(a, b T) int) []T {
	list := make([]T, 0, len(all))
	for _, v := range slices.Collect(maps.Values(all)) {
		list = append(list, *v)
	}
	slices.SortFunc(list, order)
	return list
}
