package commands

import (
	"context"
	"strings"
)

// word is what may stand behind /ec2-pass instead of an instance.
type word struct {
	name    string
	example string
	about   string
	answers func(context.Context, *Desk, Request) (Message, error)
}

// vocabulary lists the words of /ec2-pass; help is written from it.
func vocabulary() []word {
	return []word{
		{"list", "/ec2-pass list", "the guarded instances, with a button to get a pass for each", listGuarded},
		{"mine", "/ec2-pass mine", "the live passes you hold (never the codes)", listMine},
		{"revoke", "/ec2-pass revoke web-1", "end your pass for an instance", revokeByName},
		{"withdraw", "/ec2-pass withdraw web-1", "take back what you asked for", withdrawByName},
		{"break-glass", "/ec2-pass break-glass web-1 for the outage", "a pass without approval, for those whom the policy names; everybody is told", breakGlass},
		{"help", "/ec2-pass help", "this page", help},
	}
}

func wordNames() []string {
	var names []string
	for _, w := range vocabulary() {
		names = append(names, w.name)
	}
	return names
}

// ec2Pass answers /ec2-pass: a word of the vocabulary, or an instance.
func ec2Pass(ctx context.Context, d *Desk, r Request) (Message, error) {
	text := strings.TrimSpace(r.Text)
	if text == "" {
		return openAsk(ctx, d, r)
	}
	first, rest, _ := strings.Cut(text, " ")
	for _, w := range vocabulary() {
		if strings.EqualFold(first, w.name) {
			r.Text = strings.TrimSpace(rest)
			return w.answers(ctx, d, r)
		}
	}
	return getByName(ctx, d, r)
}
