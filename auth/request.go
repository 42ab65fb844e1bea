package auth

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Request is somebody's wish for a pass that others must agree to, and
// everything that has happened to it. Its state follows from its history.
type Request struct {
	ID       string        `json:"id"` // "i-…/" and a random part
	Asker    string        `json:"asker"`
	Instance string        `json:"instance"`
	Name     string        `json:"name"` // of the instance, as it was when asked
	Type     string        `json:"type"`
	Region   string        `json:"region"`
	Account  string        `json:"account"`
	Matched  []string      `json:"matched,omitempty"` // "key=value" of the tags that the rule goes by
	Why      string        `json:"why,omitempty"`
	TTL      time.Duration `json:"ttl"` // of the pass, as asked
	Rule     string        `json:"rule"`
	By       []string      `json:"by,omitempty"` // who may approve, as the rule named them when asked
	Need     int           `json:"need"`         // how many must
	Confirm  bool          `json:"confirm,omitempty"`
	Break    bool          `json:"break,omitempty"` // break-glass: nobody is asked
	Within   time.Duration `json:"within"`
	Asked    time.Time     `json:"asked"`
	Channel  string        `json:"channel,omitempty"` // where it was asked
	Door     string        `json:"door,omitempty"`    // through which it was asked
	Source   string        `json:"source,omitempty"`  // Slack's id of the command
	// Reply is the sealed response URL of the asker's command, to rewrite the
	// answer with; Slack takes it for 30 minutes.
	Reply   string   `json:"reply,omitempty"`
	History []Change `json:"history,omitempty"`
}

// Change is one thing that happened to a request.
type Change struct {
	Verb   Verb      `json:"verb"`
	By     string    `json:"by,omitempty"` // Slack user id; empty where it happened by itself
	At     time.Time `json:"at"`
	Note   string    `json:"note,omitempty"` // why, in that person's words
	Door   string    `json:"door,omitempty"`
	Source string    `json:"source,omitempty"` // Slack's id of the click
	// Settles says that the change decided the request: of approvals, the last
	// one that was needed.
	Settles bool `json:"settles,omitempty"`
}

// Verb is what can happen to a request.
type Verb string

const (
	Approved Verb = "approved"
	Denied   Verb = "denied"
	Lapsed   Verb = "lapsed" // by itself: nobody decided, or nobody fetched the pass
	Withdraw Verb = "withdrawn"
	Broke    Verb = "broke_glass" // the asker confirmed that nobody is to be asked
	Shown    Verb = "shown"       // its pass was given out
	Reminded Verb = "reminded"
)

// RequestState is where a request stands.
type RequestState string

const (
	RequestPending   RequestState = "pending"
	RequestApproved  RequestState = "approved"
	RequestDenied    RequestState = "denied"
	RequestExpired   RequestState = "expired"
	RequestWithdrawn RequestState = "withdrawn"
)

// State follows from the one change that settled the request.
func (r Request) State() RequestState {
	c, ok := r.Settled()
	if !ok {
		return RequestPending
	}
	switch c.Verb {
	case Approved, Broke:
		return RequestApproved
	case Denied:
		return RequestDenied
	case Lapsed:
		return RequestExpired
	case Withdraw:
		return RequestWithdrawn
	}
	return RequestState(c.Verb) // a newer sekisho's: whatever it is, it is not an approval
}

// Settled gives the change that settled the request.
func (r Request) Settled() (Change, bool) {
	n := slices.IndexFunc(r.History, func(c Change) bool { return c.Settles })
	if n < 0 {
		return Change{}, false
	}
	return r.History[n], true
}

// Version counts the changes: a request only ever grows.
func (r Request) Version() int { return len(r.History) }

// Approvers lists who has approved, in that order.
func (r Request) Approvers() []string {
	var users []string
	for _, c := range r.History {
		if c.Verb == Approved && !slices.Contains(users, c.By) {
			users = append(users, c.By)
		}
	}
	return users
}

// Did says whether something has happened to the request, and when last.
func (r Request) Did(v Verb) (at time.Time, ok bool) {
	for _, c := range r.History {
		if c.Verb == v {
			at, ok = c.At, true
		}
	}
	return at, ok
}

// Lapses is when the request ends by itself: when nobody has decided, or when
// nobody has fetched the pass in as long again.
func (r Request) Lapses() time.Time {
	if c, ok := r.Settled(); ok {
		return c.At.Add(r.Within)
	}
	return r.Asked.Add(r.Within)
}

// remindAtMost is how often the approvers are reminded of one request.
const remindAtMost = 3

// Reminder says when the approvers are to be reminded next: after an eighth of
// the time, a quarter more, and a half more, whenever the one before came.
func (r Request) Reminder() (due time.Time, ok bool) {
	n, last := 0, r.Asked
	for _, c := range r.History {
		if c.Verb == Reminded {
			n, last = n+1, c.At
		}
	}
	if n >= remindAtMost || r.Break || r.State() != RequestPending {
		return time.Time{}, false
	}
	return last.Add((r.Within << n) / 8), true
}

// Open says that the request still waits for somebody: for a decision, or
// approved for its asker to fetch the pass.
func (r Request) Open() bool {
	switch r.State() {
	case RequestPending:
		return true
	case RequestApproved:
		_, shown := r.Did(Shown)
		_, lapsed := r.Did(Lapsed)
		return !shown && !lapsed
	}
	return false
}

// With is the request after one more change.
func (r Request) With(c Change) Request {
	r.History = append(slices.Clone(r.History), c)
	return r
}

// InstanceOf is the instance that a request's id names.
func InstanceOf(requestID string) (instance string, ok bool) {
	instance, random, ok := strings.Cut(requestID, "/")
	return instance, ok && random != "" && IsInstanceID(instance)
}

// Told is how far a request's messages have come.
type Told struct {
	Channel  string // of the approvers' card
	TS       string // Slack's timestamp of the card; empty before it is posted
	Version  int    // the newest version that people have been told; -1 none
	Recorded int    // likewise, that stands in the trail; -1 none
}

// RequestStore keeps requests. Each method is one atomic step. An error that
// wraps ErrUnavailable is as in PassStore. A request that is not known (any
// more) is a *Refusal with NoRequest.
type RequestStore interface {
	// PutRequest stores a new request. It stores nothing and returns a *Refusal
	// with AlreadyAsked beside the other request when the asker has an open one
	// for the instance, and with Replayed when a request of this id or from
	// this Source was stored before.
	PutRequest(ctx context.Context, r Request) (Request, error)
	// Request reads one.
	Request(ctx context.Context, id string) (Request, Told, error)
	// ChangeRequest stores the request with one more change, if the one that is
	// stored has exactly the version before it; else it returns the stored one,
	// and false.
	ChangeRequest(ctx context.Context, r Request) (now Request, changed bool, err error)
	// Requests lists those that are open, and others that were within a day.
	Requests(ctx context.Context) ([]Request, error)

	// TakeTelling gives the right to record and tell about the request for a
	// while (lease). ok is false when there is nothing new. While somebody else
	// has the right it fails with ErrCardHeld.
	TakeTelling(ctx context.Context, id string, now time.Time, lease time.Duration) (r Request, t Told, ok bool, err error)
	// PutTold notes what has been recorded and told, and gives the right back.
	// more says that the request has changed meanwhile.
	PutTold(ctx context.Context, id string, t Told) (more bool, err error)
}
