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
	NoRule          Reason = "no_rule"           // no rule is for the instance
	NeedsReason     Reason = "needs_reason"      // the rule wants to know why
	NoApprovers     Reason = "no_approvers"      // fewer could approve than must
	AlreadyAsked    Reason = "already_asked"     // the person's request for the instance is open
	NoBreakGlass    Reason = "no_break_glass"    // the policy does not let the person go without approval
)

// Why a click on a request came to nothing.
const (
	NoRequest       Reason = "no_request"       // nothing is known of it (any more)
	OwnRequest      Reason = "own_request"      // nobody decides about their own
	NotApprover     Reason = "not_approver"     // the rule does not let the person decide
	TooLate         Reason = "too_late"         // it is decided, or has lapsed
	AlreadyApproved Reason = "already_approved" // by the same person
	NotYours        Reason = "not_yours"        // only the asker can do this
	NotApproved     Reason = "not_approved"     // it still needs an approval
	PolicyChanged   Reason = "policy_changed"   // what was approved would not be enough any more
	Spent           Reason = "spent"            // its pass was used, revoked or has expired
)

// Why a click on an access key's card came to nothing, or the bot did not end
// a key by itself.
const (
	NoKey      Reason = "no_key"      // nothing is known of the key
	NoDecider  Reason = "no_decider"  // the policy does not let the person decide about keys
	OwnKey     Reason = "own_key"     // nobody spares their own
	KeyMoved   Reason = "key_moved"   // the key is not any more as the card showed it
	KeyExempt  Reason = "key_exempt"  // it is taken out of the purge
	KeyObserve Reason = "key_observe" // observe mode changes nothing in AWS
	BadDate    Reason = "bad_date"    // the date is past, or too far away
	OverCap    Reason = "over_cap"    // more would end at once than the policy allows
)

// Why somebody does not get a report.
const (
	NoReader Reason = "no_reader" // the policy does not let the person ask for one
)

// Why somebody does not see how Sekisho itself is.
const (
	NoAdmin Reason = "no_admin" // the policy does not name the person
)

// Refusal is a "no" that the person who asked is told, as opposed to a fault.
type Refusal struct {
	Reason Reason
	Wait   time.Duration // after which trying again makes sense; 0 where it doesn't
	Rule   *Rule         // the rule that said so; nil where it was none
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
