package auth

import (
	"errors"
	"fmt"
	"time"
)

// Reason is why something was refused. It is stored and logged; what a person
// reads is written in package commands.
type Reason string

// Why a start was refused, or (Pass, Unjudged, Before) admitted.
const (
	Pass          Reason = "pass"           // a live pass was spent
	NoTag         Reason = "no_tag"         // the tag was not set
	Unknown       Reason = "unknown"        // not a code of ours
	Expired       Reason = "expired"        // the start came after the deadline
	Used          Reason = "already_used"   // spent on an earlier start
	OtherInstance Reason = "other_instance" // made for another instance
	Voided        Reason = "voided"         // replaced by a newer pass, or revoked
	Locked        Reason = "locked"         // too many wrong codes on this instance
	Unjudged      Reason = "unavailable"    // the store was away; the policy decided
	Before        Reason = "before"         // it ran before the checkpoint kept records
)

// Why a person did not get what they asked for.
const (
	NotAllowed      Reason = "not_allowed"       // no rule lets the person ask
	NotGuarded      Reason = "not_guarded"       // the instance needs no pass
	AlreadyUp       Reason = "already_up"        // the instance runs already
	Gone            Reason = "gone"              // the instance is terminated
	TooManyPerson   Reason = "too_many_person"   // the person's limit
	TooManyInstance Reason = "too_many_instance" // the instance's limit
	Replayed        Reason = "replayed"          // the same request was answered before
	NoPass          Reason = "no_pass"           // the person holds no live pass of that kind
)

// Refusal is a "no" that the person who asked is told, as opposed to a fault.
type Refusal struct {
	Reason Reason
	Wait   time.Duration // after which trying again makes sense; 0 where it doesn't
}

func (r *Refusal) Error() string {
	if r.Wait > 0 {
		return fmt.Sprintf("refused: %s, for %s more", r.Reason, r.Wait.Round(time.Second))
	}
	return "refused: " + string(r.Reason)
}

// ErrUnavailable is wrapped by a store's error when the store itself is away,
// so that nothing could be read or decided.
var ErrUnavailable = errors.New("the store is away")
