package auth

import (
	"context"
	"encoding/base64"
	"io"
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
			Instance: w.Instance.ID, User: w.Asker.User, Request: sourceName("", w.Asker.Source), Rule: ruling.Rule.Name,
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

// shorter is the wanted time, cut at the longest allowed.
func shorter(wanted, most time.Duration) time.Duration {
	if wanted <= 0 || wanted > most {
		return most
	}
	return wanted
}
