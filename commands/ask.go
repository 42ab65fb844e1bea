package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

const (
	actionGet = "pass_get"
	// whyMost is how long a reason may be, in characters: what fits on a card.
	whyMost = 500
)

// getByName answers `/ec2-pass web-1 for the nightly build`: a pass, or a
// request for one.
func getByName(ctx context.Context, d *Desk, r Request) (Message, error) {
	f, why, err := d.wished(ctx, r)
	if err != nil || f.instead != nil {
		return instead(f, err)
	}
	return d.ask(ctx, r, f.Instance, why, 0)
}

// getByButton answers "Get a pass" in a list; its value is the instance's id.
func getByButton(ctx context.Context, d *Desk, r Request) (Message, error) {
	if err := d.admit(ctx, r); err != nil {
		return Message{}, err
	}
	i, err := d.Instances.Instance(ctx, r.Value)
	if err != nil {
		return Message{}, err
	}
	r.ResponseURL = "" // it would rewrite the list; the asker is told by direct message
	return d.ask(ctx, r, i, "", 0)
}

// admit counts one ask against the person's limit.
func (d *Desk) admit(ctx context.Context, r Request) error {
	err := d.Passes.Admit(ctx, r.User)
	if err != nil {
		d.outcome(ctx, r.actor(), auth.Entry{Act: auth.ActRequest}, err)
	}
	return err
}

// wished finds the instance and the reason in what was typed behind a command.
func (d *Desk) wished(ctx context.Context, r Request) (f found, why string, err error) {
	if err := d.admit(ctx, r); err != nil {
		return f, "", err
	}
	for n, w := range readings(r.Text) {
		other, err := d.find(ctx, w.target)
		if err != nil {
			return f, "", err
		}
		if n == 0 || other.instead == nil {
			f, why = other, w.why
		}
		if other.instead == nil {
			break
		}
	}
	if n := utf8.RuneCountInString(why); n > whyMost {
		m := say(fmt.Sprintf("Your reason has %d characters, and a card has room for %d. Ask again with the short of it.", n, whyMost))
		f.instead = &m
	}
	return f, why, nil
}

// reading is one way to take what was typed: an instance, and a reason.
type reading struct{ target, why string }

// readings are the ways to take it, the likeliest first: "i-… because" (an id
// has no blanks), "web-1 for the nightly build", the whole as a name, and
// "web-1 because".
func readings(text string) []reading {
	text = strings.TrimSpace(text)
	first, rest, more := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	if !more {
		return []reading{{text, ""}}
	}
	if auth.IsInstanceID(strings.ToLower(first)) {
		return []reading{{first, strings.TrimSpace(strings.TrimPrefix(rest, "for "))}}
	}
	all := []reading{{text, ""}, {first, rest}}
	if target, why, ok := strings.Cut(text, " for "); ok {
		all = append([]reading{{strings.TrimSpace(target), strings.TrimSpace(why)}}, all...)
	}
	return all
}

func instead(f found, err error) (Message, error) {
	if err != nil {
		return Message{}, err
	}
	return *f.instead, nil
}

// ask gives the person a pass, or asks those who must agree.
func (d *Desk) ask(ctx context.Context, r Request, i auth.Instance, why string, ttl time.Duration) (Message, error) {
	wish, err := d.wish(r, i, why, ttl)
	if err != nil {
		return Message{}, err
	}
	pass, req, err := d.Requests.Ask(ctx, wish)
	var refused *auth.Refusal
	switch {
	case errors.As(err, &refused) && refused.Reason == auth.AlreadyAsked:
		d.outcome(ctx, r.actor(), auth.Entry{Act: auth.ActRequest, Instance: i.ID, Request: req.ID}, err)
		d.attendSoon(ctx, attendTask{ID: req.ID}) // whoever took the first may have died before a worker heard of it
		return openPage(d.Policy, *req, d.Now()), nil
	case err == nil && pass != nil:
		d.record(ctx, r.actor(), auth.Entry{Act: auth.ActPassIssue, Outcome: auth.Done, Instance: i.ID, Rule: pass.Rule, Note: why})
		return passPage(d.Policy, i, *pass, d.startable()), nil
	case err == nil:
		d.changed(ctx, *req)
		return askedPage(*req, "Asked"), nil
	}
	d.outcome(ctx, r.actor(), auth.Entry{Act: auth.ActRequest, Instance: i.ID, Note: why}, err)
	return Message{}, err
}

func (d *Desk) wish(r Request, i auth.Instance, why string, ttl time.Duration) (auth.Wish, error) {
	reply, err := d.Passes.Pepper.Seal(d.Passes.Random, r.ResponseURL)
	return auth.Wish{Asker: r.actor(), Instance: i, Why: why, TTL: ttl, Channel: r.Channel, Reply: reply}, err
}

// openPage is what the asker sees of a request that is open already.
func openPage(p *auth.Policy, r auth.Request, now time.Time) Message {
	switch {
	case r.State() == auth.RequestApproved: // its pass waits to be fetched
		return outcomePage(r, now)
	case r.Break:
		return breakPage(p, r)
	}
	return askedPage(r, "You have asked for this already. I asked")
}

// askedPage is what the asker sees while others decide.
func askedPage(r auth.Request, title string) Message {
	where := "by direct message"
	if r.Reply != "" {
		where = "here and " + where
	}
	m := say(fmt.Sprintf(":hourglass_flowing_sand: *%s* %s to let you start %s. I'll tell you %s.", title, mentions(r.By), name(r.Name), where))
	if r.Why != "" {
		m.Blocks = append(m.Blocks, small("Your reason: "+quoted(r.Why, whyMost)))
	}
	return Message{Text: m.Text, Blocks: append(m.Blocks,
		slack.NewActionBlock("", button(actionWithdraw, r.ID, "Withdraw")),
		small("It lapses "+moment(r.Lapses())+" if nobody decides. "+needed(r)))}
}

// needed says how many must agree.
func needed(r auth.Request) string {
	if r.Need == 1 {
		return "One approval is needed."
	}
	return fmt.Sprintf("%d approvals are needed, of different people.", r.Need)
}

// mentions names the people and groups of a list, as Slack links them.
func mentions(ids []string) string {
	const most = 10
	var all []string
	for _, id := range ids[:min(most, len(ids))] {
		all = append(all, mention(id))
	}
	if len(ids) > most {
		all = append(all, fmt.Sprintf("%d more", len(ids)-most))
	}
	return strings.Join(all, ", ")
}

// mention links a user, user group or channel by its id:
// https://docs.slack.dev/messaging/formatting-message-text#mentioning-groups
func mention(id string) string {
	switch {
	case strings.HasPrefix(id, "S"):
		return "<!subteam^" + id + ">"
	case auth.IsGroup(id):
		return "<#" + id + ">"
	}
	return person(id)
}
