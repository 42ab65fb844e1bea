package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/slack-go/slack"
)

// topics lists the words of /sekisho; its help is written from it.
func topics() []word {
	return []word{
		{"keys", "/sekisho keys", "the access keys by age, the oldest first, and what becomes of each when\n`/sekisho keys hana` — those of one IAM user", listKeys},
		{"report", "/sekisho report", "what happened in the last week, how old the access keys are and which IAM users are a risk, as a direct message to you\n`/sekisho report keys 30d` — one part (starts, keys or users), and since when", askReport},
		{"doctor", "/sekisho doctor", "whether Slack, Redis, AWS and what else I stand on are as they must be, and what to do where not", askDoctor},
		{"help", "/sekisho help", "this page", sekishoHelp},
	}
}

// sekisho answers /sekisho.
func sekisho(ctx context.Context, d *Desk, r Request) (Message, error) {
	first, rest, _ := strings.Cut(strings.TrimSpace(r.Text), " ")
	for _, w := range topics() {
		if strings.EqualFold(first, w.name) {
			r.Text = strings.TrimSpace(rest)
			return w.answers(ctx, d, r)
		}
	}
	m, err := sekishoHelp(ctx, d, r)
	if first != "" {
		m.Blocks = append([]slack.Block{section(fmt.Sprintf("I don't know %s.", quoted(first, nameMost)))}, m.Blocks...)
	}
	return m, err
}

// sekishoHelp answers `/sekisho help`.
func sekishoHelp(context.Context, *Desk, Request) (Message, error) {
	var lines strings.Builder
	for _, w := range topics() {
		fmt.Fprintf(&lines, "`%s` — %s\n", w.example, w.about)
	}
	return Message{Text: "How to use /sekisho", Blocks: []slack.Block{
		section("*What you can ask*\n" + strings.TrimSuffix(lines.String(), "\n")),
		small("Only you see my answers. Passes for guarded instances: `/ec2-pass help`."),
	}}, nil
}
