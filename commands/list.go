package commands

import (
	"context"
	"fmt"
	"strconv"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

const actionPage = "pass_page"

// pageSize keeps a page readable, and its JSON far below the 20 KB above which
// Slack drops an answer over Socket Mode.
const pageSize = 10

// listGuarded answers `/ec2-pass list`: the guarded instances.
func listGuarded(ctx context.Context, d *Desk, _ Request) (Message, error) {
	return d.list(ctx, 0)
}

// listPage answers the buttons below a list; their value is the page's number.
func listPage(ctx context.Context, d *Desk, r Request) (Message, error) {
	page, err := strconv.Atoi(r.Value)
	if err != nil || page < 0 {
		return say("That page is not there any more. `/ec2-pass list` shows the first one."), nil
	}
	m, err := d.list(ctx, page)
	m.Replace = true
	return m, err
}

func (d *Desk) list(ctx context.Context, page int) (Message, error) {
	all, err := d.Instances.Guarded(ctx, d.Policy.Gate.Guard)
	if err != nil {
		return Message{}, err
	}
	return listOf(byName(all), page), nil
}

func listOf(all []auth.Instance, page int) Message {
	if len(all) == 0 {
		return say("No instance is guarded yet. Those that `gate.guard` in Sekisho's policy covers are listed here.")
	}
	pages := (len(all) + pageSize - 1) / pageSize
	page = min(page, pages-1)
	m := say(fmt.Sprintf("*Guarded instances* (%d)", len(all)))
	for n, i := range all[page*pageSize : min((page+1)*pageSize, len(all))] {
		line := fmt.Sprintf("%s *%s* — %s\n`%s` · %s", lamp(i.State), name(i.Name()), i.State, i.ID, i.Type)
		if i.State.Up() {
			m.Blocks = append(m.Blocks, section(line))
			continue
		}
		m.Blocks = append(m.Blocks, beside(line, button(fmt.Sprint(actionGet, ":", n), i.ID, "Get a pass")))
	}
	if pages == 1 {
		return m
	}
	var turn []slack.BlockElement
	if page > 0 {
		turn = append(turn, button(actionPage+":back", strconv.Itoa(page-1), "← Back"))
	}
	if page < pages-1 {
		turn = append(turn, button(actionPage+":next", strconv.Itoa(page+1), "Next →"))
	}
	m.Blocks = append(m.Blocks, slack.NewActionBlock("", turn...), small(fmt.Sprintf("Page %d of %d", page+1, pages)))
	return m
}

// lamp shows a state by shape as well as by colour.
func lamp(s auth.State) string {
	switch s {
	case auth.Running:
		return ":large_green_circle:"
	case auth.Pending, auth.Stopping:
		return ":hourglass_flowing_sand:"
	}
	return ":white_square_button:"
}
