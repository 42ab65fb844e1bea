package commands

import (
	"context"
	"fmt"
	"strings"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/doctor"
)

// Scopes lists what the bot's token must be allowed to do. A test holds it
// against manifest.yml.
func Scopes() []string {
	return []string{
		"commands", "chat:write", "im:write", "files:write", "users:read", "usergroups:read", "channels:read", "groups:read",
	}
}

// App is what Slack must know of the app.
func App() doctor.Manifest {
	m := doctor.Manifest{Scopes: Scopes(), Interactivity: true}
	for _, c := range Commands() {
		m.Commands = append(m.Commands, c.Name)
	}
	for _, n := range Notices() {
		m.Events = append(m.Events, n.Type)
	}
	for _, s := range Shortcuts() {
		m.Shortcuts = append(m.Shortcuts, s.Callback)
	}
	return m
}

// Arrivals lists the events that EventBridge has to bring under this policy.
func Arrivals(p *auth.Policy) []doctor.Event {
	all := []doctor.Event{
		{Name: "starts", Source: "aws.ec2", DetailTypes: []string{stateChanged}},
		{Name: "callers", Source: "aws.ec2", DetailTypes: []string{calledByTrail}, Optional: true}, // it names the person, and nothing waits for it
	}
	if p.Keys != nil {
		e := doctor.Event{Name: "config", Source: "aws.config", DetailTypes: []string{complianceChanged}, Optional: true} // the daily look finds old keys, too
		all = append(all, e)
	}
	mail := doctor.Event{Name: "mail", Source: "aws.ses", DetailTypes: []string{mailBounced, mailComplaint, mailRejected}, Optional: true}
	sends := false
	for _, r := range p.Reports {
		if r.Mail != nil {
			sends = true
			mail.Optional = mail.Optional && r.Mail.ConfigurationSet == ""
		}
	}
	if sends {
		all = append(all, mail)
	}
	return all
}

// doctorTask examines for somebody who waits; who that is and where the answer
// goes is sealed.
type doctorTask struct {
	Reply string `json:"reply"`
}

const doctorReply = "doctor for "

// askDoctor answers `/sekisho doctor`.
func askDoctor(ctx context.Context, d *Desk, r Request) (Message, error) {
	err := d.mayAdminister(ctx, r.User)
	d.outcome(ctx, r.actor(), auth.Entry{Act: auth.ActDoctor}, err)
	if err != nil {
		return Message{}, err
	}
	if d.Queue == nil || r.ResponseURL == "" {
		return say("Looking at everything takes longer than Slack waits, and no work queue is configured (`SEKISHO_QUEUE_URL`). `sekisho doctor` at a terminal does it."), nil
	}
	reply, err := d.Passes.Pepper.Seal(d.Passes.Random, doctorReply+r.User+" "+r.ResponseURL)
	if err != nil {
		return Message{}, err
	}
	if err := d.later(ctx, taskDoctor, doctorTask{reply}, 0); err != nil {
		return Message{}, err
	}
	return say(":stethoscope: Looking at Slack, Redis and AWS. I answer here in a moment; if I don't, nothing reads my work queue."), nil
}

func (d *Desk) mayAdminister(ctx context.Context, user string) error {
	may, err := auth.MayDecide(ctx, d.Directory, d.Policy.Admins, user)
	if err == nil && !may {
		err = &auth.Refusal{Reason: auth.NoAdmin}
	}
	return err
}

// examine answers whoever waits; if that is in vain, they ask again.
func examine(ctx context.Context, d *Desk, e Event) error {
	t, err := read[doctorTask](e)
	if err != nil {
		return err
	}
	user, url, err := d.openReply(doctorReply, t.Reply)
	if err != nil {
		return fmt.Errorf("the reply in event %q: %w", e.ID, err)
	}
	var m Message
	switch err := d.mayAdminister(ctx, user); { // it is later
	case err != nil:
		m, _ = Sorry(err)
	case d.Doctor == nil:
		m = say(":wrench: The program that reads the work queue has no doctor in it. `sekisho doctor` at a terminal looks at everything.")
	default:
		m = health(d.Doctor.Examine(ctx))
	}
	d.answer(ctx, url, m)
	return nil
}

// health shows what the doctor found: what is bad first, with what to do.
func health(lines []doctor.Line) Message {
	var count = map[doctor.Outcome]int{}
	var well []string
	allowed := 0 // of the rights in AWS, which are many
	var blocks []slack.Block
	for _, outcome := range []doctor.Outcome{doctor.Bad, doctor.Unknown, doctor.Good} {
		for _, l := range lines {
			if l.Outcome != outcome {
				continue
			}
			count[outcome]++
			if outcome == doctor.Good && strings.HasPrefix(l.Check, "aws.allowed.") {
				allowed++
				continue
			}
			text := l.Sign() + " " + escaped(l.Says, 300)
			switch {
			case outcome == doctor.Good:
				well = append(well, text)
				continue
			case l.Do != "":
				text += "\n→ " + escaped(l.Do, 300)
			}
			if len(blocks) < healthMost {
				blocks = append(blocks, section(text))
			}
		}
	}
	if more := count[doctor.Bad] + count[doctor.Unknown] - len(blocks); more > 0 {
		blocks = append(blocks, small(fmt.Sprintf("… and %d more: `sekisho doctor` at a terminal lists all.", more)))
	}
	title := fmt.Sprintf(":white_check_mark: Sekisho is well: %d of %d checks", count[doctor.Good], len(lines))
	if n := count[doctor.Bad]; n > 0 {
		title = fmt.Sprintf(":rotating_light: Sekisho needs you: %d of %d checks failed", n, len(lines))
	}
	m := Message{Text: title, Blocks: append([]slack.Block{section("*" + title + "*")}, blocks...)}
	if allowed > 0 {
		well = append(well, fmt.Sprintf("%s %d permissions in AWS are there; `sekisho doctor` at a terminal names each", doctor.Line{Outcome: doctor.Good}.Sign(), allowed))
	}
	for _, part := range pages(well, sectionText/2) { // small print beyond that is folded away
		m.Blocks = append(m.Blocks, small(part))
	}
	return m
}

// healthMost is how many lines are shown that are not good: a message has 50
// blocks at most.
const healthMost = 30

// pages joins lines to texts of at most so many bytes.
func pages(lines []string, most int) (all []string) {
	for _, l := range lines {
		if last := len(all) - 1; last >= 0 && len(all[last])+1+len(l) <= most {
			all[last] += "\n" + l
			continue
		}
		all = append(all, l)
	}
	return all
}
