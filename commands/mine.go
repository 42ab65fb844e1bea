package commands

import (
	"context"
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// listMine answers `/ec2-pass mine`: the asker's live passes.
func listMine(ctx context.Context, d *Desk, r Request) (Message, error) {
	all, err := d.Instances.Guarded(ctx, d.Policy.Gate.Guard)
	if err != nil {
		return Message{}, err
	}
	live, names, err := d.passesOf(ctx, r.User, all)
	if err != nil {
		return Message{}, err
	}
	return minePage(live, names), nil
}

// passesOf lists the user's live passes, the next to end first, and the names
// of their instances.
func (d *Desk) passesOf(ctx context.Context, user string, guarded []auth.Instance) ([]auth.PassRecord, map[string]string, error) {
	names := make(map[string]string, len(guarded))
	var ids []string
	for _, i := range guarded {
		names[i.ID] = i.Name()
		ids = append(ids, i.ID)
	}
	live, err := d.Passes.Live(ctx, user, ids)
	slices.SortFunc(live, func(a, b auth.PassRecord) int { return a.Deadline.Compare(b.Deadline) })
	return live, names, err
}

func minePage(live []auth.PassRecord, names map[string]string) Message {
	if len(live) == 0 {
		return say("You hold no live pass. `/ec2-pass list` shows the guarded instances; your Home tab shows what you have asked for.")
	}
	const most = 15 // with the longest names this is still a message that Slack takes
	m := say(fmt.Sprintf("*Your live passes* (%d)", len(live)))
	for n, p := range live[:min(most, len(live))] {
		m.Blocks = append(m.Blocks, passLine(p, names, n))
	}
	if len(live) > most {
		m.Blocks = append(m.Blocks, small(fmt.Sprintf("… and %d more, which end later.", len(live)-most)))
	}
	m.Blocks = append(m.Blocks, small("A code is shown only when its pass is issued. Lost it? A new `/ec2-pass` voids the old one."))
	return m
}

func passLine(p auth.PassRecord, names map[string]string, n int) slack.Block {
	line := fmt.Sprintf("*%s*   `%s`\nasked %s, good until *%s*", name(names[p.Instance]), p.Instance, clock(p.Issued), clock(p.Deadline))
	return beside(line, button(fmt.Sprint(actionRevoke, ":", n), p.Instance, "Revoke"))
}
