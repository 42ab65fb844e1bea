package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// homeOpened answers somebody opening the app's Home tab.
func homeOpened(ctx context.Context, d *Desk, r Request) error { return d.PublishHome(ctx, r.User) }

// PublishHome brings a person's Home tab up to date: what waits for their
// decision, what they have asked for, and the passes they hold.
func (d *Desk) PublishHome(ctx context.Context, user string) error {
	h, err := d.home(ctx, user)
	blocks := h.page()
	if err != nil {
		m, _ := Sorry(err)
		d.Log.ErrorContext(ctx, "the Home tab", "user", user, "error", err)
		blocks = append(m.Blocks, small("Open this tab again to try once more."))
		soon, cancel := detached(ctx) // the time may be up, and this is what is left to say
		defer cancel()
		ctx = soon
	}
	return d.Views.Publish(ctx, user, blocks)
}

// home is what one person's Home tab shows.
type home struct {
	waiting []auth.Request // that the person may decide about
	mine    []auth.Request // open ones, and those settled within a day
	passes  []auth.PassRecord
	names   map[string]string // of instances, by id
}

// homeMost is how much of each kind is shown.
const homeMost = 10

func (d *Desk) home(ctx context.Context, user string) (h home, err error) {
	guarded, err := d.Instances.Guarded(ctx, d.Policy.Gate.Guard)
	if err != nil {
		return h, err
	}
	if h.passes, h.names, err = d.passesOf(ctx, user, guarded); err != nil {
		return h, err
	}
	all, err := d.Requests.Store.Requests(ctx)
	if err != nil {
		return h, err
	}
	slices.SortFunc(all, func(a, b auth.Request) int { return b.Asked.Compare(a.Asked) })
	for _, r := range all {
		if r.Asker == user {
			if d.recent(r) && (!r.Break || r.State() == auth.RequestApproved) {
				h.mine = append(h.mine, r)
			}
			continue
		}
		n := slices.IndexFunc(guarded, func(i auth.Instance) bool { return i.ID == r.Instance })
		if n < 0 || len(h.waiting) == homeMost || r.State() != auth.RequestPending {
			continue
		}
		err := d.Requests.MayDecideOn(ctx, r, guarded[n], user)
		var refused *auth.Refusal
		switch {
		case err == nil:
			h.waiting = append(h.waiting, r)
		case !errors.As(err, &refused):
			return h, err
		}
	}
	return h, nil
}

// recent says whether the request is open, or was within a day.
func (d *Desk) recent(r auth.Request) bool {
	last := r.Asked
	if n := len(r.History); n > 0 {
		last = r.History[n-1].At
	}
	return r.Open() || d.Now().Sub(last) < 24*time.Hour
}

func (h home) page() []slack.Block {
	ask := button(actionAsk, "home", "Ask for a pass").WithStyle(slack.StylePrimary)
	blocks := []slack.Block{
		section("*Sekisho* stands in front of the guarded EC2 instances. A pass is good for one start, by you."),
		slack.NewActionBlock("", ask),
	}
	blocks = append(blocks, heading(fmt.Sprintf("Waiting for your decision (%d)", len(h.waiting))))
	if len(h.waiting) == 0 {
		blocks = append(blocks, small("Nothing. A request that you may decide about stands here, and in the approvals channel."))
	}
	for n, r := range h.waiting {
		text := fmt.Sprintf("%s asks to start *%s* (%s), lapses %s", person(r.Asker), name(r.Name), r.Type, moment(r.Lapses()))
		if r.Why != "" {
			text += "\n" + quoted(r.Why, whyMost)
		}
		blocks = append(blocks, section(text), slack.NewActionBlock("", decideButtons(r, fmt.Sprint(":", n))...))
	}
	blocks = append(blocks, heading(fmt.Sprintf("Your requests (%d)", len(h.mine))))
	if len(h.mine) == 0 {
		blocks = append(blocks, small("None within a day."))
	}
	for n, r := range h.mine[:min(homeMost, len(h.mine))] {
		blocks = append(blocks, mineLine(r, n))
	}
	blocks = append(blocks, heading(fmt.Sprintf("Your live passes (%d)", len(h.passes))))
	if len(h.passes) == 0 {
		blocks = append(blocks, small("None."))
	}
	for n, p := range h.passes[:min(homeMost, len(h.passes))] {
		blocks = append(blocks, passLine(p, h.names, n))
	}
	return append(blocks, small("`/ec2-pass help` explains all of it."))
}

// mineLine is one of the asker's own requests, with what can be done about it.
func mineLine(r auth.Request, n int) slack.Block {
	text := fmt.Sprintf("*%s* (%s) — %s, asked %s", name(r.Name), r.Type, stateWord(r), moment(r.Asked))
	switch {
	case r.State() == auth.RequestPending:
		return beside(text+"\nWaiting for "+mentions(r.By), button(fmt.Sprint(actionWithdraw, ":", n), r.ID, "Withdraw"))
	case r.State() == auth.RequestApproved && r.Open():
		return beside(text, button(fmt.Sprint(actionShow, ":", n), r.ID, "Show my pass").WithStyle(slack.StylePrimary))
	}
	if c, _ := r.Settled(); c.Note != "" {
		text += "\n" + quoted(c.Note, whyMost)
	}
	return section(text)
}

// stateWord says where a request stands, as the cards do.
func stateWord(r auth.Request) string {
	if _, lapsed := r.Did(auth.Lapsed); lapsed {
		return "lapsed"
	}
	return string(r.State())
}

func heading(text string) slack.Block { return slack.NewHeaderBlock(plain(text)) }
