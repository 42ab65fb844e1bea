package auth

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Entry is one line of the trail: something that was decided, a refusal too.
// It holds neither codes nor tokens. New fields are added at the end and left
// out where empty, so that older entries keep their hash.
type Entry struct {
	Seq       int64     `json:"seq"` // from 1, without a gap
	Time      time.Time `json:"time"`
	Act       Act       `json:"act"`
	Outcome   Result    `json:"outcome"`
	Decided   string    `json:"decided_by,omitempty"`   // Slack user id; empty where the bot itself decided
	Submitted string    `json:"submitted_by,omitempty"` // Slack user id of whose wish it was
	Instance  string    `json:"instance,omitempty"`
	Request   string    `json:"request,omitempty"` // a request's id
	Reason    string    `json:"reason,omitempty"`  // a Reason, or in a person's words
	Rule      string    `json:"rule,omitempty"`
	Policy    string    `json:"policy,omitempty"` // hash
	Door      string    `json:"door,omitempty"`
	Source    string    `json:"source,omitempty"` // Slack's trigger id, or an event's id
	Note      string    `json:"note,omitempty"`
	Prev      string    `json:"prev"`               // the entry before's Hash
	Hash      string    `json:"hash"`               // keyed, over everything else
	Key       string    `json:"key,omitempty"`      // an access key's id
	IAMUser   string    `json:"iam_user,omitempty"` // whose key it is
}

// Actor is who does something, and which way it came.
type Actor struct {
	User   string // Slack user id; empty for the bot itself
	Door   string // socket, http, events or terminal
	Source string // Slack's trigger id, or an event's id
}

// Act is what was done, or tried.
type Act string

const (
	ActPassIssue   Act = "pass.issue"
	ActPassRevoke  Act = "pass.revoke"
	ActPassStart   Act = "pass.start" // the bot starts the instance for the pass's owner
	ActRequest     Act = "request.ask"
	ActApprove     Act = "request.approve"
	ActDeny        Act = "request.deny"
	ActWithdraw    Act = "request.withdraw"
	ActLapse       Act = "request.lapse"
	ActShow        Act = "request.show"
	ActBreakGlass  Act = "request.break_glass"
	ActStart       Act = "start.judge"
	ActStartStop   Act = "start.stop"
	ActStartCaller Act = "start.caller" // CloudTrail says who it was
	ActPolicy      Act = "policy.change"
	ActTrim        Act = "trail.trim"
	ActDoor        Act = "door.verify"
	ActKeyWarn     Act = "key.warn"
	ActKeyKeep     Act = "key.keep"
	ActKeyExempt   Act = "key.exempt"
	ActKeyOrder    Act = "key.order" // somebody wants it deactivated or reactivated now
	ActKeyOff      Act = "key.deactivate"
	ActKeyOn       Act = "key.reactivate"
	ActKeyDelete   Act = "key.delete"
	ActKeyObserve  Act = "key.observe" // what would have been done
	ActKeyNotice   Act = "key.notice"  // what others did to it
	ActKeyCap      Act = "key.cap"     // more would end at once than the policy allows
	ActReport      Act = "report.send"
	ActReportAsk   Act = "report.ask"
	ActDoctor      Act = "doctor.ask"
)

// Result is how it came out.
type Result string

const (
	Done    Result = "done"
	Refused Result = "refused"
)

// What an entry says besides, for those who count.
const (
	SweepSource    = "sweep"        // Source: the sweep found what no event had told
	SettledNote    = "settled"      // Reason of an approval: it was the last that was needed
	ObservedNote   = "observe mode" // ends Note: nothing was changed in AWS
	MismatchReason = "mismatch"     // Reason of a stop: somebody else spent the pass
	BrokenGlass    = "break_glass"  // Reason of a request, and of its lapse, by somebody who goes without approval
)

// Trail is where entries are kept.
type Trail interface {
	// Append puts the entries at the end, in this order, with their Seq, Prev
	// and Hash filled in, and returns them so. With an error that wraps
	// ErrUnavailable it is not known whether they were stored.
	Append(ctx context.Context, entries ...Entry) ([]Entry, error)
	// Trim lets entries go that are older, and says up to which number; 0 where
	// there was none. That it did is an entry.
	Trim(ctx context.Context, before, now time.Time) (upTo int64, err error)
}

// Link gives the entry its place behind the one with this number and hash.
// Nobody without the pepper can make an entry that Check takes for ours.
func (p Pepper) Link(e Entry, seq int64, prev string) Entry {
	e.Seq, e.Prev, e.Hash = seq+1, prev, ""
	e.Time = e.Time.UTC().Round(time.Microsecond)
	e = e.stored()
	e.Hash = p.seal(e)
	return e
}

// stored is the entry as it will be read back: text that is not UTF-8, as a
// forged request may bring it, changes on the way, and its hash would not fit.
func (e Entry) stored() (back Entry) {
	text, err := json.Marshal(e)
	if err == nil {
		err = json.Unmarshal(text, &back)
	}
	if err != nil {
		panic("auth: an entry of the trail cannot be encoded: " + err.Error()) // unreachable: texts and a time
	}
	return back
}

func (p Pepper) seal(e Entry) string {
	e.Hash = ""
	text, err := json.Marshal(e)
	if err != nil {
		panic("auth: an entry of the trail cannot be encoded: " + err.Error()) // unreachable: texts and a time
	}
	return base64.RawURLEncoding.EncodeToString(p.hmac("trail", string(text)))
}

// Checker holds entries against each other, in the order in which they are
// read, and says of the first that does not belong there what is wrong.
type Checker struct {
	Pepper Pepper
	// Count and Last are what was good so far.
	Count   int64
	Last    Entry
	trimmed int64
	first   int64
}

// ErrTampered is wrapped by what Checker finds.
var ErrTampered = errors.New("the trail was tampered with")

// Check takes the next entry.
func (c *Checker) Check(e Entry) error {
	switch {
	case !hmac.Equal([]byte(c.Pepper.seal(e)), []byte(e.Hash)):
		return fmt.Errorf("%w: entry %d (%s of %s) was edited, or written with another SEKISHO_PEPPER", ErrTampered, e.Seq, e.Act, e.Time.Format(time.RFC3339))
	case c.Count > 0 && e.Seq != c.Last.Seq+1:
		return fmt.Errorf("%w: after entry %d comes %d: entries between were dropped, or the order was changed", ErrTampered, c.Last.Seq, e.Seq)
	case c.Count > 0 && e.Prev != c.Last.Hash:
		return fmt.Errorf("%w: entry %d does not follow the entry %d that stands before it", ErrTampered, e.Seq, c.Last.Seq)
	}
	if c.Count == 0 {
		c.first = e.Seq
	}
	if e.Act == ActTrim {
		c.trimmed = max(c.trimmed, TrimmedTo(e))
	}
	c.Count, c.Last = c.Count+1, e
	return nil
}

// End says whether the whole is whole: it must begin at 1 or where an entry
// says that older ones were dropped, and end at the head that the store keeps
// (the zero Entry where it keeps none).
func (c *Checker) End(head int64, hash string) error {
	switch {
	case c.Count > 0 && c.first > 1 && c.first > c.trimmed+1:
		return fmt.Errorf("%w: it begins at entry %d, and no entry says that those before it were let go (up to %d)", ErrTampered, c.first, c.trimmed)
	case c.Last.Seq != head || c.Count > 0 && c.Last.Hash != hash:
		return fmt.Errorf("%w: it ends at entry %d, and the store's own note says %d: entries at the end were dropped", ErrTampered, c.Last.Seq, head)
	}
	return nil
}

// Trimmed is the entry that says up to which number entries were let go.
func Trimmed(upTo int64, now time.Time) Entry {
	return Entry{Time: now, Act: ActTrim, Outcome: Done, Reason: "older than the policy keeps", Note: fmt.Sprint(upTo)}
}

// TrimmedTo is what Trimmed says.
func TrimmedTo(e Entry) (seq int64) {
	fmt.Sscan(e.Note, &seq)
	return seq
}
