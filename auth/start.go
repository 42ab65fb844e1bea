package auth

import (
	"context"
	"errors"
	"time"
)

// Start is the record of one start: an instance at one launch time. Admitted,
// it is the grant.
type Start struct {
	Instance string
	Launch   time.Time
	Admitted bool
	Reason   Reason
	User     string // the pass's owner, where a pass was recognised
	Asked    string // what asked for the pass that was spent, as in NewPass.Request
	Decided  time.Time
	Stage    Stage
	Note     string    // what stood in the way, in the gate's words
	StageAt  time.Time // when Stage was reached
	Card     Card
}

// Stage is how far the start has come. A record only ever moves on to a higher
// stage, so that late and repeated events change nothing.
type Stage int

const (
	Decided   Stage = 10 // judged; nothing done yet
	Watched   Stage = 20 // observe mode: nothing will be done
	Unstopped Stage = 30 // EC2 does not take the stop yet: finish at running
	LeftAlone Stage = 40 // an obstacle; the policy says leave
	StopAsked Stage = 50 // EC2 accepted the stop, or the termination
	TagGone   Stage = 50 // admitted: the spent tag is removed
	Stuck     Stage = 60 // not stopped within StopTime: escalated, once
	Ended     Stage = 90 // the instance has come to rest
)

// Settled says that nothing is left to be done about the start.
func (s Start) Settled() bool {
	switch s.Stage {
	case Watched, LeftAlone, Ended:
		return true
	}
	return s.Admitted && s.Stage >= TagGone
}

// Card is where the start's message stands.
type Card struct {
	Channel  string
	TS       string // Slack's timestamp of the message, its id; empty before it is posted
	Told     Stage  // the newest stage that the message shows
	Recorded Stage  // the newest stage that stands in the trail
}

// Knock asks the store to judge one start.
type Knock struct {
	Instance string
	Launch   time.Time
	Now      time.Time
	// Code is the digest of the tag's value, empty without one.
	Code string
	// Misfit is the reason to give when Code is not among the instance's passes.
	Misfit Reason
	// Final says that a refusal is to be written down. Without it only an
	// admission is: a refusal is then no more than what this look came to.
	Final bool
	// Forced, when set, writes the verdict in Admit down for this reason
	// instead of judging.
	Forced Reason
	Admit  bool
	Lock   Lock
}

// StartStore keeps the newest start of each instance. Each method is one
// atomic step. An error that wraps ErrUnavailable is as in PassStore.
type StartStore interface {
	// Judge decides about a start, once: if its code is that of a live pass it
	// spends the pass and writes the grant in the same step. Of any number of
	// callers with one code at most one start is admitted. A start that was
	// decided before comes back as it stands, with fresh false; so does a newer
	// one, in the place of an older one that is asked about.
	// The deadline is held against Launch, EC2's own word for when the start
	// was, so that a late event does not turn a good start into a bad one.
	Judge(ctx context.Context, k Knock) (s Start, fresh bool, err error)
	// Starts reads the newest start of each instance that has one.
	Starts(ctx context.Context, instances []string) (map[string]Start, error)
	// Advance moves the start on to a higher stage and says whether it did: not
	// if it was there already, nor if the instance has been started again since.
	Advance(ctx context.Context, instance string, launch time.Time, to Stage, note string, now time.Time) (Start, bool, error)
	// NameCaller notes who began the start, and says whether this event (its id)
	// was the first to say so and has not been told: not if the instance has been
	// started again since. While somebody else is telling it (for lease at most), it
	// fails with ErrCardHeld.
	NameCaller(ctx context.Context, instance string, launch time.Time, caller, event string, now time.Time, lease time.Duration) (first bool, err error)
	// CallerTold notes that people know who began the start.
	CallerTold(ctx context.Context, instance string, launch time.Time) error
	// Keep makes the record of a start that still runs live on.
	Keep(ctx context.Context, instance string) error
	// Swept reads what PutSwept wrote; the zero time where nothing did, or where
	// the store has lost its data.
	Swept(ctx context.Context) (time.Time, error)
	// PutSwept notes up to when a sweep has judged every start.
	PutSwept(ctx context.Context, until time.Time) error
}

// ErrCardHeld: another worker has the right to tell about the start.
var ErrCardHeld = errors.New("another worker is telling about this start")

// CardStore says who may write a start's message, so that two workers never
// post two.
type CardStore interface {
	// TakeCard gives the right to tell for a while (lease). ok is false when
	// there is nothing to tell, or the instance has been started again since.
	// While somebody else is telling it fails with ErrCardHeld.
	TakeCard(ctx context.Context, instance string, launch, now time.Time, lease time.Duration) (s Start, ok bool, err error)
	// PutCard notes what has been told and gives the right back. more says
	// that the start has moved on meanwhile.
	PutCard(ctx context.Context, instance string, launch time.Time, c Card) (more bool, err error)
}

// String says in short what became of the start, for logs and terminals.
func (s Start) String() string {
	verdict := "refused"
	if s.Admitted {
		verdict = "admitted"
	}
	stage := map[Stage]string{
		Decided: "decided", Watched: "nothing done", Unstopped: "to be stopped when it runs",
		LeftAlone: "left alone", Stuck: "not stopped in time", Ended: "stopped",
	}[s.Stage]
	if s.Stage == StopAsked {
		stage = "stop asked for"
		if s.Admitted {
			stage = "tag removed"
		}
	}
	return verdict + " (" + string(s.Reason) + "), " + stage
}
