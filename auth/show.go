package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// showAtMost bounds how often the pass of one request is shown.
const showAtMost = 20

// Show gives out the pass of an approved request, to its asker alone. Asked
// again while the pass is live it gives a fresh code in the old one's place,
// with the same deadline: one approval is good for one start.
func (q *Requests) Show(ctx context.Context, id string, by Actor) (Request, Issued, error) {
	r, _, err := q.Store.Request(ctx, id)
	if err == nil {
		err = q.showable(r, by)
	}
	if err != nil {
		return r, Issued{}, err
	}
	i, err := q.Instances.Instance(ctx, r.Instance)
	if err != nil {
		return r, Issued{}, fmt.Errorf("reading %s: %w", r.Instance, err)
	}
	if err = q.Passes.Askable(i); err == nil {
		err = q.stillGood(ctx, r, i)
	}
	if err != nil {
		return r, Issued{}, err
	}
	pass, err := q.issue(ctx, r)
	if err != nil {
		return r, Issued{}, err
	}
	// Should this fail, the pass is out and its record names the request: the
	// next click finds it there.
	now, err := q.change(ctx, id, by, func(Request) (Change, error) { return Change{Verb: Shown}, nil })
	if err == nil {
		r = now
	}
	return r, pass, err
}

// showable says whether the request is one that the person may have shown.
func (q *Requests) showable(r Request, by Actor) error {
	switch {
	case by.User != r.Asker:
		return &Refusal{Reason: NotYours}
	case r.State() == RequestPending:
		return &Refusal{Reason: NotApproved}
	case r.State() != RequestApproved:
		return &Refusal{Reason: TooLate}
	}
	shown := 0
	for _, c := range r.History {
		if c.Verb != Shown {
			continue
		}
		if shown++; c.Source == by.Source && c.Source != "" {
			return &Refusal{Reason: Replayed}
		}
	}
	switch {
	case shown == 0 && q.Now().After(r.Lapses()):
		return &Refusal{Reason: TooLate}
	case shown >= showAtMost:
		return &Refusal{Reason: Spent}
	}
	return nil
}

// stillGood says whether what was agreed to is enough under the policy and for
// the instance as they are now.
func (q *Requests) stillGood(ctx context.Context, r Request, i Instance) error {
	ruling, err := q.ruleOn(ctx, r, i, "")
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
func (q *Requests) issue(ctx context.Context, r Request) (Issued, error) {
	n := NewPass{Instance: r.Instance, User: r.Asker, Request: r.passName(), Rule: r.Rule}
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
		if old.Request == n.Request {
			n.Instead = old.ID
			return q.Passes.Issue(ctx, n, r.TTL)
		}
	}
	return Issued{}, &Refusal{Reason: Spent}
}

// Exchange puts a fresh pass in the place of the person's live one, with the
// same deadline, if that one would still be given out. It is how the bot can
// set the tag itself: the code that its owner was shown is known to nobody else.
func (q *Requests) Exchange(ctx context.Context, by Actor, i Instance, old PassRecord) (Issued, error) {
	rule, err := q.mayStill(ctx, by.User, i, old)
	if err != nil {
		return Issued{}, err
	}
	n := NewPass{Instance: i.ID, User: by.User, Request: sourceName(startedByBot, by.Source), Rule: rule, Instead: old.ID}
	return q.Passes.Issue(ctx, n, q.Passes.Policy.Passes.TTL) // the old one's deadline stands
}

// mayStill asks again what was asked when the pass was given out, and names the
// rule.
func (q *Requests) mayStill(ctx context.Context, user string, i Instance, p PassRecord) (rule string, err error) {
	if strings.HasPrefix(p.Request, "/") {
		r, _, err := q.Store.Request(ctx, i.ID+p.Request)
		if err == nil {
			err = q.stillGood(ctx, r, i)
		}
		return r.Rule, err
	}
	ruling, err := q.Referee.Rule(ctx, Case{Asker: user, Instance: i, At: p.Issued})
	switch {
	case err != nil:
		return "", err
	case ruling.Refused == NotAllowed || ruling.Refused == NoRule:
		return "", &Refusal{Reason: ruling.Refused, Rule: ruling.Rule}
	case ruling.Missing > 0: // nobody had to agree when it was given out
		return "", &Refusal{Reason: PolicyChanged, Rule: ruling.Rule}
	}
	return ruling.Rule.Name, nil
}

// What asked for a pass is stored with it in a few characters: of a request
// what its id has behind the instance, of a command a digest of Slack's id.

func (r Request) passName() string { return strings.TrimPrefix(r.ID, r.Instance) }

func sourceName(kind, source string) string {
	if source == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(source))
	return kind + base64.RawURLEncoding.EncodeToString(sum[:8])
}

// startedByBot begins the Request of a pass that the bot itself put into the tag.
const startedByBot = "now:"

// ByBot says that the bot began the start, for the owner of the pass.
func (s Start) ByBot() bool { return strings.HasPrefix(s.Asked, startedByBot) }
