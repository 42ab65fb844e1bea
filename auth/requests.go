package auth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Requests asks for passes, decides about what was asked, and gives the passes
// out.
type Requests struct {
	Referee   *Referee
	Store     RequestStore
	Instances InstanceReader
	Passes    *Passes
	Now       func() time.Time
	Random    io.Reader
}

// Wish is what somebody asks for.
type Wish struct {
	Asker    Actor // whose Source tells a replay apart
	Instance Instance
	Why      string
	TTL      time.Duration // 0: as the rule says; longer than that is cut
	Channel  string        // where it was asked
	Reply    string        // sealed response URL
}

// Ask gives a pass out where the rule needs nobody's approval, and makes a
// request where it does: one of the two comes back. What the person cannot
// have is a *Refusal; with AlreadyAsked the open request stands beside it.
func (q *Requests) Ask(ctx context.Context, w Wish) (*Issued, *Request, error) {
	if err := q.Passes.Askable(w.Instance); err != nil {
		return nil, nil, err
	}
	now := q.Now()
	ruling, err := q.Referee.Rule(ctx, Case{Asker: w.Asker.User, Instance: w.Instance, At: now, Why: w.Why})
	if err != nil {
		return nil, nil, err
	}
	if ruling.Refused != "" {
		return nil, nil, &Refusal{Reason: ruling.Refused, Rule: ruling.Rule}
	}
	ttl := shorter(w.TTL, ruling.TTL)
	if ruling.Missing == 0 {
		pass, err := q.Passes.Issue(ctx, NewPass{
			Instance: w.Instance.ID, User: w.Asker.User, Request: w.Asker.Source, Rule: ruling.Rule.Name,
		}, ttl)
		return &pass, nil, err
	}
	a := ruling.Rule.Approve
	r, err := q.put(ctx, w, Request{
		TTL: ttl, Rule: ruling.Rule.Name, By: a.By, Need: a.Count, Confirm: a.Confirm, Within: a.Within,
	}, ruling.Rule)
	return nil, &r, err
}

// breakWithin is how long a break-glass request waits for its second confirm.
const breakWithin = 10 * time.Minute

// AskToBreakGlass makes a request that its asker alone confirms, for those
// whom the rule names. The reason is mandatory.
func (q *Requests) AskToBreakGlass(ctx context.Context, w Wish) (Request, error) {
	if err := q.Passes.Askable(w.Instance); err != nil {
		return Request{}, err
	}
	ruling, err := q.Referee.Rule(ctx, Case{Asker: w.Asker.User, Instance: w.Instance, At: q.Now(), Why: w.Why})
	switch {
	case err != nil:
		return Request{}, err
	case !ruling.MayBreakGlass:
		return Request{}, &Refusal{Reason: NoBreakGlass, Rule: ruling.Rule}
	case w.Why == "":
		return Request{}, &Refusal{Reason: NeedsReason, Rule: ruling.Rule}
	}
	return q.put(ctx, w, Request{
		TTL: shorter(w.TTL, ruling.Rule.BreakGlass.TTL), Rule: ruling.Rule.Name, Break: true, Within: breakWithin,
	}, ruling.Rule)
}

func (q *Requests) put(ctx context.Context, w Wish, r Request, rule *Rule) (Request, error) {
	random := make([]byte, 16)
	if _, err := io.ReadFull(q.Random, random); err != nil {
		return Request{}, err
	}
	i := w.Instance
	r.ID = i.ID + "/" + base64.RawURLEncoding.EncodeToString(random)
	r.Asker, r.Door, r.Source = w.Asker.User, w.Asker.Door, w.Asker.Source
	r.Why, r.Channel, r.Reply, r.Asked = w.Why, w.Channel, w.Reply, q.Now()
	r.Instance, r.Name, r.Type, r.Region, r.Account = i.ID, i.Name(), i.Type, i.Region, i.Account
	for _, k := range sortedKeys(rule.Match.Tags) {
		r.Matched = append(r.Matched, k+"="+rule.Match.Tags[k])
	}
	return q.Store.PutRequest(ctx, r)
}

// MayDecide looks whether the person may decide about the request now. It is
// what Approve and Deny go by; asked alone, it spares somebody a modal.
func (q *Requests) MayDecide(ctx context.Context, id, user string) (Request, Ruling, error) {
	r, _, err := q.Store.Request(ctx, id)
	if err != nil {
		return Request{}, Ruling{}, err
	}
	ruling, err := q.fit(ctx, r, user)
	return r, ruling, err
}

// fit is the ruling on one person's decision about the request as it stands.
func (q *Requests) fit(ctx context.Context, r Request, user string) (Ruling, error) {
	if r.State() != RequestPending || r.Break || q.Now().After(r.Lapses()) {
		return Ruling{}, &Refusal{Reason: TooLate}
	}
	ruling, err := q.rule(ctx, r, user)
	if err == nil && ruling.Unfit != "" {
		err = &Refusal{Reason: ruling.Unfit, Rule: ruling.Rule}
	}
	return ruling, err
}

// rule asks the referee about the request, with the instance as it is now.
func (q *Requests) rule(ctx context.Context, r Request, clicker string) (Ruling, error) {
	i, err := q.Instances.Instance(ctx, r.Instance)
	if err != nil {
		return Ruling{}, fmt.Errorf("reading %s: %w", r.Instance, err)
	}
	return q.Referee.Rule(ctx, Case{
		Asker: r.Asker, Instance: i, At: r.Asked, Why: r.Why, Approved: r.Approvers(), Clicker: clicker,
	})
}

// Approve counts the person's approval; the last one that is needed settles
// the request. It returns the request as it stands after, also beside a
// *Refusal that says why the click came to nothing.
func (q *Requests) Approve(ctx context.Context, id string, by Actor) (Request, error) {
	return q.change(ctx, id, by, func(r Request) (Change, error) {
		ruling, err := q.fit(ctx, r, by.User)
		if err == nil && ruling.Refused != "" { // nobody's approval could give it out
			err = &Refusal{Reason: PolicyChanged, Rule: ruling.Rule}
		}
		return Change{Verb: Approved, Settles: ruling.Missing <= 1}, err
	})
}

// Deny settles the request. It needs the same right as Approve.
func (q *Requests) Deny(ctx context.Context, id string, by Actor, why string) (Request, error) {
	return q.change(ctx, id, by, func(r Request) (Change, error) {
		_, err := q.fit(ctx, r, by.User)
		var refused *Refusal
		if errors.As(err, &refused) && refused.Reason == AlreadyApproved {
			err = nil // who has approved may think again
		}
		return Change{Verb: Denied, Note: why, Settles: true}, err
	})
}

// Withdraw ends the asker's own request while nobody has decided.
func (q *Requests) Withdraw(ctx context.Context, id string, by Actor) (Request, error) {
	return q.change(ctx, id, by, func(r Request) (Change, error) {
		switch {
		case by.User != r.Asker:
			return Change{}, &Refusal{Reason: NotYours}
		case r.State() != RequestPending:
			return Change{}, &Refusal{Reason: TooLate}
		}
		return Change{Verb: Withdraw, Settles: true}, nil
	})
}

// Confirm is a break-glass asker's second word.
func (q *Requests) Confirm(ctx context.Context, id string, by Actor) (Request, error) {
	return q.change(ctx, id, by, func(r Request) (Change, error) {
		switch {
		case by.User != r.Asker:
			return Change{}, &Refusal{Reason: NotYours}
		case !r.Break || r.State() != RequestPending || q.Now().After(r.Lapses()):
			return Change{}, &Refusal{Reason: TooLate}
		}
		ruling, err := q.rule(ctx, r, "")
		if err == nil && !ruling.MayBreakGlass {
			err = &Refusal{Reason: NoBreakGlass, Rule: ruling.Rule}
		}
		return Change{Verb: Broke, Note: r.Why, Settles: true}, err
	})
}

// Lapse ends a request whose time is up; one whose time is not comes back as
// it is.
func (q *Requests) Lapse(ctx context.Context, id string) (Request, error) {
	return q.change(ctx, id, Actor{}, func(r Request) (Change, error) {
		if !r.Open() || !q.Now().After(r.Lapses()) {
			return Change{}, errNoChange
		}
		return Change{Verb: Lapsed, Settles: r.State() == RequestPending}, nil
	})
}

// Remind notes that the approvers are to be reminded, once for each time that
// is due. due says whether it is.
func (q *Requests) Remind(ctx context.Context, id string, due func(Request) bool) (Request, error) {
	return q.change(ctx, id, Actor{}, func(r Request) (Change, error) {
		if r.State() != RequestPending || r.Break || !due(r) {
			return Change{}, errNoChange
		}
		return Change{Verb: Reminded}, nil
	})
}

// Show gives out the pass of an approved request, to its asker alone. Asked
// again while the pass is live it gives a fresh code in the old one's place,
// with the same deadline: one approval is good for one start.
func (q *Requests) Show(ctx context.Context, id string, by Actor) (Request, Issued, error) {
	r, _, err := q.Store.Request(ctx, id)
	if err == nil {
		err = q.showable(ctx, r, by.User)
	}
	if err != nil {
		return r, Issued{}, err
	}
	pass, err := q.issue(ctx, r, by.Source)
	if err != nil {
		return r, Issued{}, err
	}
	if _, shown := r.Did(Shown); !shown {
		// Should this fail, the pass is out and its record names the request:
		// the next click finds it there.
		r, err = q.change(ctx, id, by, func(now Request) (Change, error) {
			if _, shown := now.Did(Shown); shown {
				return Change{}, errNoChange
			}
			return Change{Verb: Shown}, nil
		})
	}
	return r, pass, err
}

func (q *Requests) showable(ctx context.Context, r Request, user string) error {
	switch {
	case user != r.Asker:
		return &Refusal{Reason: NotYours}
	case r.State() == RequestPending:
		return &Refusal{Reason: NotApproved}
	case r.State() != RequestApproved:
		return &Refusal{Reason: TooLate}
	}
	switch at, shown := r.Did(Shown); {
	case !shown && q.Now().After(r.Lapses()):
		return &Refusal{Reason: TooLate}
	case shown && q.Now().After(at.Add(r.TTL)): // the store may have forgotten the pass, and would take a new one
		return &Refusal{Reason: Spent}
	}
	ruling, err := q.rule(ctx, r, "")
	switch {
	case err != nil:
		return err
	case r.Break && !ruling.MayBreakGlass, !r.Break && (ruling.Missing > 0 || ruling.Refused != ""):
		return &Refusal{Reason: PolicyChanged, Rule: ruling.Rule}
	}
	return nil
}

// issue makes the request's first pass, or puts one in the place of the pass
// that it has. The store takes only one first pass of a request, as long as it
// remembers that pass; after that, the request says that it was shown.
func (q *Requests) issue(ctx context.Context, r Request, trigger string) (Issued, error) {
	i, err := q.Instances.Instance(ctx, r.Instance)
	if err == nil {
		err = q.Passes.Askable(i)
	}
	if err != nil {
		return Issued{}, err
	}
	n := NewPass{Instance: r.Instance, User: r.Asker, Request: r.ID, Rule: r.Rule}
	if _, shown := r.Did(Shown); !shown {
		pass, err := q.Passes.Issue(ctx, n, r.TTL)
		var refused *Refusal
		if !errors.As(err, &refused) || refused.Reason != Replayed {
			return pass, err
		}
	}
	live, err := q.Passes.Live(ctx, r.Asker, []string{r.Instance})
	if err != nil {
		return Issued{}, err
	}
	for _, old := range live {
		if old.Request == r.ID || strings.HasPrefix(old.Request, r.ID+"~") {
			n.Request, n.Instead = r.ID+"~"+trigger, old.ID
			return q.Passes.Issue(ctx, n, r.TTL)
		}
	}
	return Issued{}, &Refusal{Reason: Spent}
}

// Exchange puts a fresh pass in the place of the user's live one with this id,
// with the same deadline, if the policy still lets the user ask. It is how the
// bot can set the tag itself: the code that its owner was shown is known to
// nobody else.
func (q *Requests) Exchange(ctx context.Context, by Actor, i Instance, pass string, issued time.Time) (Issued, error) {
	ruling, err := q.Referee.Rule(ctx, Case{Asker: by.User, Instance: i, At: issued})
	switch {
	case err != nil:
		return Issued{}, err
	case ruling.Refused == NotAllowed || ruling.Refused == NoRule:
		return Issued{}, &Refusal{Reason: ruling.Refused, Rule: ruling.Rule}
	}
	n := NewPass{Instance: i.ID, User: by.User, Request: startedByBot + by.Source, Rule: ruling.Rule.Name, Instead: pass}
	return q.Passes.Issue(ctx, n, ruling.TTL)
}

// startedByBot begins the Request of a pass that the bot itself put into the tag.
const startedByBot = "now:"

// ByBot says that the bot began the start, for the owner of the pass.
func (s Start) ByBot() bool { return strings.HasPrefix(s.Asked, startedByBot) }

// errNoChange says that a request is to stay as it is.
var errNoChange = errors.New("nothing changes")

// changeTries bounds how often a change is tried when others come before it.
// Each of those has changed the request, so that soon there is nothing to do.
const changeTries = 50

// change reads the request, lets next decide what happens to it, and stores
// that if nothing else has happened since; else it begins again. So of any
// number of decisions at once one wins, and every other sees what it lost to.
func (q *Requests) change(ctx context.Context, id string, by Actor, next func(Request) (Change, error)) (Request, error) {
	r, _, err := q.Store.Request(ctx, id)
	for range changeTries {
		if err != nil {
			return r, err
		}
		c, err := next(r)
		if errors.Is(err, errNoChange) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		c.By, c.Door, c.Source, c.At = by.User, by.Door, by.Source, q.Now()
		now, changed, err := q.Store.ChangeRequest(ctx, r.With(c))
		if err != nil || changed {
			return now, err
		}
		r = now
	}
	return r, fmt.Errorf("the request %s changed %d times under a decision", id, changeTries)
}

// shorter is the wanted time, cut at the longest allowed.
func shorter(wanted, most time.Duration) time.Duration {
	if wanted <= 0 || wanted > most {
		return most
	}
	return wanted
}
