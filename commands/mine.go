package commands

import (
	"context"
	"fmt"
	"slices"

	"sekisho/auth"
)

// listMine answers `/ec2-pass mine`: the asker's live passes.
func listMine(ctx context.Context, d *Desk, r Request) (Message, error) {
	all, err := d.Instances.Guarded(ctx, d.Policy.Gate.Guard)
	if err != nil {
		return Message{}, err
	}
	names := make(map[string]string, len(all))
	var ids []string
	for _, i := range all {
		names[i.ID] = i.Name()
		ids = append(ids, i.ID)
	}
	live, err := d.Passes.Live(ctx, r.User, ids)
	if err != nil {
		return Message{}, err
	}
	slices.SortFunc(live, func(a, b auth.PassRecord) int { return a.Deadline.Compare(b.Deadline) })
	return minePage(live, names), nil
}

func minePage(live []auth.PassRecord, names map[string]string) Message {
	if len(live) == 0 {
		return say("You hold no live pass. `/ec2-pass` lists the guarded instances.")
	}
	const most = 15 // with the longest names this is still a message that Slack takes
	m := say(fmt.Sprintf("*Your live passes* (%d)", len(live)))
	for n, p := range live[:min(most, len(live))] {
		line := fmt.Sprintf("*%s*   `%s`\nasked %s, good until *%s*", name(names[p.Instance]), p.Instance, clock(p.Issued), clock(p.Deadline))
		m.Blocks = append(m.Blocks, beside(line, button(fmt.Sprint(actionRevoke, ":", n), p.Instance, "Revoke")))
	}
	if len(live) > most {
		m.Blocks = append(m.Blocks, small(fmt.Sprintf("… and %d more, which end later.", len(live)-most)))
	}
	m.Blocks = append(m.Blocks, small("A code is shown only when its pass is issued. Lost it? A new `/ec2-pass` voids the old one."))
	return m
}
