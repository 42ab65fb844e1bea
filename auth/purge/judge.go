package purge

import (
	"fmt"
	"time"

	"sekisho/auth"
)

// Judge says what is to become of a key. It reads and changes nothing.
type Judge struct {
	Policy *auth.KeyPolicy
	Self   Self
}

// Verdict is what is to become of one key.
type Verdict struct {
	User User
	Key  Key
	Do   Do            // now
	Done bool          // what Do would bring about is so already, and only to be written down
	Next Do            // what comes after that, or without it, if nothing changes: Deactivate, Delete or Nothing
	At   time.Time     // … and when
	Lead time.Duration // of Warn: which of the warnings
	Rule string        // the line of the policy by which the key ends, such as "max_age: 90d"
	Why  string        // why it is left alone, or what was begun is dropped

	ordered bool // a person wants it
	shown   bool // IAM shows the key as active, which may be out of date
}

// counts says whether the key would end now, and by itself.
func (v Verdict) counts() bool { return v.Do.Ends() && !v.Done && !v.ordered }

// settling is how long IAM may go on showing a key as it was before a change:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
// (AWS names no time; its seconds have been seen to become minutes).
const settling = 10 * time.Minute

// respite is for how long a key is spared that somebody keeps, or reactivates.
const respite = 7 * 24 * time.Hour

// Key judges one key of the user. Its use must have been read where the verdict
// is to lead to an act; without it only the key's age is judged.
func (j Judge) Key(u User, k Key, r Record, now time.Time) Verdict {
	v := Verdict{User: u, Key: k, shown: k.Active}
	s := r.State(j.Policy.Observing())
	settled := now.Sub(s.Since) >= settling
	if k.Active == s.Off && !settled {
		v.Key.Active = !s.Off // IAM does not show it yet
	}
	switch v.Why = j.Spares(u, k); {
	case s.Ended && !settled:
		return v // what IAM still shows is what it was
	case s.Ended && k.Active: // it was not gone after all
		v.Do, v.Next, v.At = NoteOn, Deactivate, now.Add(respite)
		return v
	case s.Ended:
		v.Do, v.Next, v.At = NoteOff, Delete, now.Add(j.untold())
		return v
	case s.Pending.Verb != "":
		return j.pending(v, s, now)
	case v.Why != "":
		if s.Lead > 0 || s.Would != "" || !s.Promised.IsZero() {
			v.Do = Release
		}
		return v
	}
	return j.ahead(v, s, now)
}

// Matters says whether the key may be near its end, or has a record, so that
// its use and its user's tags are worth reading.
func (j Judge) Matters(k Key, r Record, now time.Time) bool {
	soonest := j.Policy.MaxAge
	if j.Policy.Unused > 0 {
		soonest = min(soonest, j.Policy.Unused)
	}
	return r.Version() > 0 || !now.Before(k.Created.Add(soonest-j.Policy.Lead()))
}

// Spares says why the purge leaves the key alone for good; empty where it does
// not.
func (j Judge) Spares(u User, k Key) string {
	switch {
	case j.Self.Owns(u, k):
		return "the bot's own"
	case u.ID == j.Self.Account:
		return "the account's root user"
	}
	for _, e := range j.Policy.Exempt {
		if e.Covers(u.Name, u.Path, u.Tags) {
			return "exempt by the policy (" + e.String() + ")"
		}
	}
	return ""
}

// ahead looks where the key stands on its way to the end.
func (j Judge) ahead(v Verdict, s State, now time.Time) Verdict {
	due, rule := j.due(v.Key)
	v.Rule = rule
	switch {
	case v.Key.Active && s.Off:
		v.Do, v.Next, v.At = NoteOn, Deactivate, latest(due, now.Add(respite))
	case v.Key.Active:
		return j.active(v, s, due, now)
	case s.Off && !s.Promised.IsZero():
		return j.inactive(v, s, now)
	case now.Before(latest(due, s.Spared)):
		v.Next, v.At = Delete, latest(due, s.Spared).Add(j.untold())
	default:
		v.Do, v.Next, v.At = NoteOff, Delete, now.Add(j.untold())
	}
	return v
}

// untold is how long a key is left that is inactive without anybody having been
// told when it ends.
func (j Judge) untold() time.Duration {
	if j.Policy.FirstRun == auth.AtOnce {
		return j.Policy.Grace
	}
	return max(j.Policy.Grace, j.Policy.Lead())
}

// due is when the key comes to its end by the policy, and by which line of it.
func (j Judge) due(k Key) (time.Time, string) {
	due, rule := k.Created.Add(j.Policy.MaxAge), "max_age: "+Days(j.Policy.MaxAge)
	if j.Policy.Unused == 0 || k.Used == nil {
		return due, rule
	}
	if idle := latest(k.Used.At, k.Created).Add(j.Policy.Unused); idle.Before(due) {
		return idle, "unused: " + Days(j.Policy.Unused)
	}
	return due, rule
}

// active judges a key that works. Nothing happens before people were told it
// would: whoever is late with the warning, waits.
func (j Judge) active(v Verdict, s State, due, now time.Time) Verdict {
	lead := j.Policy.Lead()
	end := latest(due, s.Spared)
	warned := s.Lead > 0 || s.Would != ""
	switch {
	case warned && now.Before(end.Add(-lead)) && s.Promised.Before(end):
		v.Do = Release // used again, or the policy gives it longer
	case !s.Promised.IsZero():
		end = latest(end, s.Promised)
	case j.Policy.FirstRun != auth.AtOnce && now.After(end.Add(-lead).Add(late(lead))):
		end = now.Add(lead)
	}
	v.Next, v.At = Deactivate, end
	if v.Do == Release {
		return v
	}
	if !now.Before(end) {
		return j.end(v, Deactivate, s, now)
	}
	if level := j.level(end.Sub(now)); level > 0 && (s.Lead == 0 || level < s.Lead) {
		v.Do, v.Lead = Warn, level
	}
	return v
}

// late is by how much the first warning may come after its time without the end
// being put off: a daily sweep may be missed once.
func late(lead time.Duration) time.Duration { return min(48*time.Hour, lead/2) }

// level is the shortest warning whose time has come; 0 where none has.
func (j Judge) level(left time.Duration) time.Duration {
	var level time.Duration
	for _, w := range j.Policy.Warn {
		if left <= w {
			level = w
		}
	}
	return level
}

// inactive judges a key that is deactivated. What IAM shows as active is never
// deleted, although it may only be late.
func (j Judge) inactive(v Verdict, s State, now time.Time) Verdict {
	v.Next, v.At = Delete, latest(j.deletion(v.Key, s.Since, j.Policy.Grace), s.Promised, s.Spared)
	switch {
	case now.Before(v.At):
		return v
	case v.shown:
		v.At = now.Add(time.Minute)
		return v
	}
	return j.end(v, Delete, s, now)
}

// deletion is when a key is deleted that was deactivated then: the grace counts
// from its last use if that came later, and never is it younger than the policy
// says.
func (j Judge) deletion(k Key, deactivated time.Time, grace time.Duration) time.Time {
	due, _ := j.due(k)
	if k.Used != nil {
		deactivated = latest(deactivated, k.Used.At)
	}
	return latest(deactivated.Add(grace), due)
}

// end is what a key has come to; observe mode only says so, once.
func (j Judge) end(v Verdict, do Do, s State, now time.Time) Verdict {
	switch {
	case !j.Policy.Observing() && do == Deactivate:
		v.Do, v.Next, v.At = do, Delete, j.deletion(v.Key, now, j.Policy.Grace)
	case !j.Policy.Observing():
		v.Do, v.Next, v.At = do, Nothing, time.Time{}
	case s.Would != do:
		v.Do = SayWould
	}
	return v
}

// secondThought is how long a key is kept that a person had deactivated where
// the policy's grace is 0: Undo must mean something.
const secondThought = 24 * time.Hour

// pending judges what was ordered, or begun and perhaps not finished. Nobody can
// order a deletion, whatever a record says.
func (j Judge) pending(v Verdict, s State, now time.Time) Verdict {
	want, spares := s.Pending, v.Why
	then := s
	then.Pending = Change{}
	asked := j.ahead(v, then, now).Do
	v.Do, v.Rule, v.ordered = want.Do, want.Rule, want.By != "" && want.Do != Delete
	switch {
	case want.Verb == Begun && want.Do == Deactivate && !v.Key.Active,
		want.Verb == Begun && want.Do == Reactivate && v.Key.Active:
		v.Done = true
	case want.Do.Ends() && spares != "":
		v.Do = Drop
	case want.Do.Ends() && j.Policy.Observing():
		v.Do, v.Why = Drop, "the policy only observes by now"
	case !v.ordered && asked != want.Do:
		v.Do, v.Why = Drop, "the policy does not ask for it any more"
	case want.Do == Deactivate && !v.Key.Active:
		v.Do, v.Why = Drop, "it is inactive already"
	case want.Do == Reactivate && v.Key.Active:
		v.Do, v.Why = Drop, "it is active already"
	}
	switch {
	case v.Do == Deactivate && v.ordered && j.Policy.Grace == 0:
		v.Next, v.At = Delete, j.deletion(v.Key, now, secondThought)
	case v.Do == Deactivate:
		v.Next, v.At = Delete, j.deletion(v.Key, now, j.Policy.Grace)
	case v.Do == Reactivate:
		v.Next, v.At = Deactivate, now.Add(respite)
	}
	return v
}

func latest(first time.Time, others ...time.Time) time.Time {
	for _, t := range others {
		if t.After(first) {
			first = t
		}
	}
	return first
}

// Days writes a duration as the policy does, in whole days where it is some.
func Days(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return d.String()
}
