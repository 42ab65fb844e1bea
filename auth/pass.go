package auth

import (
	"context"
	"io"
	"time"
)

// PassRecord is what is kept of a pass: everything but its code.
type PassRecord struct {
	ID       string // the code's digest
	Instance string
	User     string // Slack user id of the owner
	State    PassState
	Issued   time.Time
	Deadline time.Time
	Request  string // as in NewPass
}

// PassState is what has become of a pass. That one has expired is not a state:
// it follows from the deadline.
type PassState string

const (
	PassLive   PassState = "live"
	PassUsed   PassState = "used"
	PassVoided PassState = "voided"
)

// LiveAt says whether the pass would open the gate for a start at this time.
func (p PassRecord) LiveAt(t time.Time) bool {
	return p.State == PassLive && !t.After(p.Deadline)
}

// NewPass is a pass about to be stored.
type NewPass struct {
	ID       string
	Instance string
	User     string
	Request  string // names in short what asked for it, so that a replay is told apart; no blanks
	Rule     string // the rule that allowed it
	Now      time.Time
	Deadline time.Time
	Limit    Limit
	// Instead, when set, is the pass that this one takes the place of. The new
	// one is stored only if that one is live and of the same user and instance,
	// and it inherits that one's deadline.
	Instead string
}

// PassStore keeps passes. Each method is one atomic step on one instance.
// An error that wraps ErrUnavailable means that nothing was read or changed,
// or that it is not known whether it was.
type PassStore interface {
	// PutPass stores the pass and voids the live ones of the same user and
	// instance. It stores nothing and returns a *Refusal with Replayed when the
	// request stored one before, TooManyInstance above the instance's limit,
	// Locked while the instance is locked, and NoPass when Instead is not live.
	// It returns the deadline as stored.
	PutPass(ctx context.Context, p NewPass) (deadline time.Time, err error)
	// VoidPass voids the user's live passes of the instance and says how many.
	VoidPass(ctx context.Context, instance, user string, now time.Time) (int, error)
	// PassesOf lists what is remembered of the instances' passes, dead ones for
	// a day past their deadline.
	PassesOf(ctx context.Context, instances []string) ([]PassRecord, error)
}

// AskCounter counts what one person asks for.
type AskCounter interface {
	// CountAsk counts one more ask of the person. Above the limit it returns a
	// *Refusal with TooManyPerson and when to try again.
	CountAsk(ctx context.Context, user string, limit Limit) error
}

// Passes issues, lists and voids passes.
type Passes struct {
	Policy *Policy
	Store  PassStore
	Asks   AskCounter
	Pepper Pepper
	Now    func() time.Time
	Random io.Reader
}

// Issued is a new pass with the only copy of its code.
type Issued struct {
	PassRecord
	Code Code
	Rule string // the name of the rule that allowed it
}

// Admit counts one ask against the person's limit. It comes before anything
// that costs a call to AWS.
func (p *Passes) Admit(ctx context.Context, user string) error {
	return p.Asks.CountAsk(ctx, user, p.Policy.Passes.Limit)
}

// Issue makes a pass that is good for ttl, or as long as the one whose place
// it takes. Whether its user may have it was decided before. What the store
// does not give comes back as a *Refusal.
func (p *Passes) Issue(ctx context.Context, n NewPass, ttl time.Duration) (Issued, error) {
	code, err := p.Pepper.NewCode(p.Random, n.Instance)
	if err != nil {
		return Issued{}, err
	}
	n.ID = p.Pepper.Digest(n.Instance, code)
	n.Now = p.Now()
	n.Deadline = n.Now.Add(ttl)
	n.Limit = p.Policy.Passes.Limit
	if n.Deadline, err = p.Store.PutPass(ctx, n); err != nil {
		return Issued{}, err
	}
	return Issued{Code: code, Rule: n.Rule, PassRecord: PassRecord{
		ID: n.ID, Instance: n.Instance, User: n.User, State: PassLive, Issued: n.Now, Deadline: n.Deadline, Request: n.Request,
	}}, nil
}

// Void ends the user's live passes of the instance.
func (p *Passes) Void(ctx context.Context, user, instance string) error {
	n, err := p.Store.VoidPass(ctx, instance, user, p.Now())
	if err == nil && n == 0 {
		return &Refusal{Reason: NoPass}
	}
	return err
}

// Live lists the user's live passes of the instances.
func (p *Passes) Live(ctx context.Context, user string, instances []string) ([]PassRecord, error) {
	all, err := p.Store.PassesOf(ctx, instances)
	var mine []PassRecord
	for _, r := range all {
		if r.User == user && r.LiveAt(p.Now()) {
			mine = append(mine, r)
		}
	}
	return mine, err
}

// LiveCode says whether the text, found in the instance's tag, is the code of
// one of these passes and still good.
func (p *Passes) LiveCode(instance, text string, of []PassRecord) bool {
	code, ok := ReadCode(text)
	if !ok {
		return false
	}
	id := p.Pepper.Digest(instance, code)
	for _, r := range of {
		if r.Instance == instance && r.ID == id {
			return r.LiveAt(p.Now())
		}
	}
	return false
}

// Askable says whether the instance is one that a pass makes sense for, as a
// *Refusal where it is not.
func (p *Passes) Askable(i Instance) error {
	switch {
	case !p.Policy.Gate.Guard.Covers(i):
		return &Refusal{Reason: NotGuarded}
	case i.State.Up():
		return &Refusal{Reason: AlreadyUp}
	case i.State == Terminated, i.State == ShuttingDown:
		return &Refusal{Reason: Gone}
	}
	return nil
}
