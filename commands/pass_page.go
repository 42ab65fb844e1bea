package commands

import (
	"fmt"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

const observing = ":eyes: Observe mode: for now nothing is stopped without a pass."

// startable says whether "Start it now" can be offered: not in observe mode,
// which changes nothing in AWS.
func (d *Desk) startable() bool {
	return d.Policy.Passes.StartNow && d.Policy.Gate.Mode == auth.Enforce && d.Queue != nil
}

// passPage is the one place where a code is shown.
func passPage(p *auth.Policy, i auth.Instance, pass auth.Issued, startable bool) Message {
	code := pass.Code.Reveal()
	lines := fmt.Sprintf("aws ec2 create-tags --region %[1]s --resources %[2]s --tags Key=%[3]s,Value=%[4]s\naws ec2 start-instances --region %[1]s --instance-ids %[2]s",
		i.Region, i.ID, shellSafe(p.Gate.PassTag), code)
	m := Message{
		Text: "Your one-time pass for " + name(i.Name()),
		Blocks: []slack.Block{
			section(fmt.Sprintf(":ticket: *One-time pass for %s*   `%s`", name(i.Name()), i.ID)),
			section("```" + code + "```"),
			section(fmt.Sprintf("Good until *%s*, for one start, by you. Put it into the tag %s and start the instance:",
				clock(pass.Deadline), quoted(p.Gate.PassTag, nameMost))),
			section("```" + lines + "```"),
		},
	}
	id := pass.Instance + " " + pass.ID
	var buttons []slack.BlockElement
	if startable {
		buttons = append(buttons, button(actionStart, id, "Start it now").WithStyle(slack.StylePrimary).WithConfirm(
			confirm("Start this instance?", "I set the tag and start it for you. The code shown here is void then.", "Start it", "Not yet")))
	}
	buttons = append(buttons, button(actionRevoke, pass.Instance, "Revoke"))
	m.Blocks = append(m.Blocks,
		slack.NewActionBlock("", buttons...),
		small("The code is shown this once; I keep no copy. A new pass for this instance voids this one."))
	if p.Gate.Mode == auth.Observe {
		m.Blocks = append(m.Blocks, small(observing))
	}
	return m
}

// shellSafe quotes a tag's key for a POSIX shell where it needs it.
func shellSafe(key string) string {
	for _, r := range key {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == ':' || r == '.' || r == '/') {
			return "'" + escaper.Replace(key) + "'"
		}
	}
	return key
}
