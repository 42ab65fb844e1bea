package purge

import (
	"slices"
	"time"
)

// Record is what has become of one access key since it came near its end. Where
// the key stands follows from its history.
type Record struct {
	ID      string    `json:"id"`      // AKIA…
	User    string    `json:"user"`    // the IAM user's name when the record was begun
	UserID  string    `json:"user_id"` // AIDA…
	Account string    `json:"account"`
	Created time.Time `json:"created"` // the key
	History []Change  `json:"history,omitempty"`
}

// Change is one thing that happened to a key.
type Change struct {
	Verb  Verb          `json:"verb"`
	Do    Do            `json:"do,omitempty"` // of Ordered, Begun, what came of that, and Would
	By    string        `json:"by,omitempty"` // Slack user id; empty where the policy did it
	At    time.Time     `json:"at"`
	Until time.Time     `json:"until,omitzero"` // of Warned, Deactivated, FoundOff: no act before; of Kept, Exempted, Reactivated, FoundOn: spared so long
	Lead  time.Duration `json:"lead,omitempty"` // of Warned: which of the warnings
	Rule  string        `json:"rule,omitempty"` // which line of the policy is behind it
	Note  string        `json:"note,omitempty"` // why, in somebody's words
	// Observed says that the policy only observed: people were told of nothing
	// that would happen.
	Observed bool   `json:"observed,omitempty"`
	Sight    *Sight `json:"sight,omitempty"` // what the key was like; nil where somebody clicked
	Door     string `json:"door,omitempty"`
	Source   string `json:"source,omitempty"`
	Worker   string `json:"worker,omitempty"` // of Begun: tells workers apart who began in the same moment
}

// Sight is what people are shown of a key as it was at some time.
type Sight struct {
	Active bool      `json:"active"`
	Used   *Use      `json:"used,omitempty"`
	Others []Key     `json:"others,omitempty"` // the user's other keys
	Owner  string    `json:"owner,omitempty"`  // Slack user id; empty where nobody is known
	Next   Do        `json:"next,omitempty"`   // what comes next if nothing changes …
	When   time.Time `json:"when,omitzero"`    // … and when
}

// Verb is what can happen to a key.
type Verb string

const (
	Warned      Verb = "warned"
	Kept        Verb = "kept"     // somebody gave it some days more
	Exempted    Verb = "exempted" // somebody spared it until a date
	Released    Verb = "released" // its end is not near any more, or it was taken out of the purge
	Ordered     Verb = "ordered"  // somebody wants Do done now
	Begun       Verb = "begun"    // a worker is about to do Do
	Dropped     Verb = "dropped"  // what was begun or ordered came to nothing
	Deactivated Verb = "deactivated"
	Reactivated Verb = "reactivated"
	Deleted     Verb = "deleted"
	FoundOff    Verb = "found_inactive" // others deactivated it
	FoundOn     Verb = "found_active"   // others reactivated it
	Gone        Verb = "gone"           // others deleted it
	Would       Verb = "would"          // observe mode: Do would have been done
)

// Do is what the purge can do about a key.
type Do string

const (
	Nothing    Do = ""
	Warn       Do = "warn"
	Deactivate Do = "deactivate"
	Delete     Do = "delete"
	Reactivate Do = "reactivate"
	NoteOff    Do = "note_inactive"
	NoteOn     Do = "note_active"
	Release    Do = "release"
	Drop       Do = "drop"
	SayWould   Do = "say_would"
)

// Acts says whether it changes the key in IAM.
func (d Do) Acts() bool { return d == Deactivate || d == Delete || d == Reactivate }

// Ends says whether it brings the key nearer to its end.
func (d Do) Ends() bool { return d == Deactivate || d == Delete }

// done is the verb of an act that was brought about.
func (d Do) done() Verb {
	return map[Do]Verb{Deactivate: Deactivated, Delete: Deleted, Reactivate: Reactivated}[d]
}

// Version counts the changes: a record only ever grows.
func (r Record) Version() int { return len(r.History) }

// With is the record after one more change.
func (r Record) With(c Change) Record {
	r.History = append(slices.Clone(r.History), c)
	return r
}

// came says whether a change of this kind came from the same click before.
func (r Record) came(v Verb, source string) bool {
	return source != "" && slices.ContainsFunc(r.History, func(c Change) bool { return c.Verb == v && c.Source == source })
}

// Sight is the newest that is known of the key; the zero Sight where nothing is.
func (r Record) Sight() Sight {
	for _, c := range slices.Backward(r.History) {
		if c.Sight != nil {
			return *c.Sight
		}
	}
	return Sight{}
}

// State is where a key stands.
type State struct {
	Pending  Change        // Ordered or Begun, and not brought to its end; else no Verb
	Promised time.Time     // people were told that nothing happens before; zero where nobody was
	Lead     time.Duration // how long before the end they were last told; 0 not at all
	Spared   time.Time     // somebody spared the key until then
	Off      bool          // it is inactive, as far as the record knows …
	Since    time.Time     // … or active again, from then on
	Ours     bool          // … and that is the bot's doing
	Would    Do            // what observe mode has said
	Ended    bool
}

// State follows from the history. What was only observed counts only as long
// as the policy observes; after that it has taken back what was told before.
func (r Record) State(observing bool) State {
	var s State
	for _, c := range r.History {
		if c.Observed && !observing {
			s.Promised, s.Lead = time.Time{}, 0
			continue
		}
		s = s.after(c)
	}
	return s
}

func (s State) after(c Change) State {
	switch c.Verb {
	case Warned:
		s.Promised, s.Lead = c.Until, c.Lead
	case Kept, Exempted:
		s.Spared, s.Would = c.Until, ""
		if !s.Promised.IsZero() && c.Until.After(s.Promised) { // what people were told is not taken back
			s.Promised, s.Lead = c.Until, c.Until.Sub(c.At)
		}
	case Released:
		s.Promised, s.Lead, s.Would = time.Time{}, 0, ""
	case Ordered, Begun:
		s.Pending = c
	case Dropped:
		s.Pending = Change{}
	case Deactivated, FoundOff:
		off := State{Off: true, Since: c.At, Promised: c.Until, Ours: c.Verb == Deactivated || s.Off && s.Ours}
		if c.By == "" { // whoever spared it meanwhile did not want it deleted either
			off.Spared = s.Spared
		}
		s = off
	case Reactivated, FoundOn:
		s = State{Since: c.At, Ours: c.Verb == Reactivated, Promised: c.Until, Lead: c.Until.Sub(c.At), Spared: c.Until}
	case Deleted, Gone:
		s = State{Off: true, Since: c.At, Ended: true, Ours: c.Verb == Deleted}
	case Would:
		s.Would = c.Do
	}
	return s
}
