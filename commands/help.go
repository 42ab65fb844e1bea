package commands

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// helpOnce is the help page, from when it was first asked for. It follows from
// the policy, which does not change while the process runs.
type helpOnce struct {
	sync.Once
	page Message
}

// help answers `/ec2-pass help`. It asks nothing of anybody: it works when
// everything else is away.
func help(_ context.Context, d *Desk, _ Request) (Message, error) {
	d.help.Do(func() {
		d.help.page = d.helpPage()
		d.help.page.Encoded = new(Encoded)
	})
	return d.help.page, nil
}

func (d *Desk) helpPage() Message {
	p := d.Policy
	var lines strings.Builder
	lines.WriteString("`/ec2-pass` — a form: which instance, why, how long\n")
	lines.WriteString("`/ec2-pass web-1` or `i-0123456789abcdef0` — a one-time pass for the instance with this name or id\n")
	lines.WriteString("`/ec2-pass web-1 for the nightly build` — the same, and why: those who must approve read it\n")
	for _, w := range vocabulary() {
		fmt.Fprintf(&lines, "`%s` — %s\n", w.example, w.about)
	}
	how := fmt.Sprintf("A guarded instance starts only with a pass. I show you a code; you put it into the instance's tag %s and press Start within %s. The pass works once, for that instance. A start without one is stopped, and %s is told.",
		quoted(p.Gate.PassTag, nameMost), span(p.Passes.TTL), "<#"+p.Channels.Alerts+">")
	m := Message{
		Text: "How to use /ec2-pass",
		Blocks: []slack.Block{
			section("*How to start a guarded instance*\n" + how),
			section(strings.TrimSuffix(lines.String(), "\n")),
			small("Only you see my answers. Where somebody must approve, I tell you when they have. My Home tab shows what waits for you. A second pass for the same instance voids your first."),
		},
	}
	if p.Gate.Mode == auth.Observe {
		m.Blocks = append(m.Blocks, small(observing))
	}
	return m
}
