package commands

import (
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// requestCard is the one message to those who may decide about a request. Once
// it is settled it has no buttons any more, and says who decided and when.
func requestCard(r auth.Request) (text string, blocks []slack.Block) {
	text = requestHeadline(r)
	blocks = []slack.Block{section(text), slack.NewSectionBlock(nil, requestFacts(r), nil)}
	if r.Why != "" {
		blocks = append(blocks, section("*Why:* "+quoted(r.Why, whyMost)))
	}
	if len(r.Matched) > 0 {
		blocks = append(blocks, section("*Tags that matched:* "+list(r.Matched)))
	}
	if r.State() != auth.RequestPending {
		return text, append(blocks, small(requestFooter(r)...))
	}
	who := fmt.Sprintf("*You can decide* if you are one of %s: the rule %s names you. Nobody decides their own.", mentions(r.By), quoted(r.Rule, nameMost))
	if r.Need > 1 {
		who += fmt.Sprintf(" %d must approve, one can deny.", r.Need)
	}
	if already := r.Approvers(); len(already) > 0 {
		who += fmt.Sprintf("\n:ballot_box_with_check: %d of %d so far: %s", len(already), r.Need, mentions(already))
	}
	return text, append(blocks, section(who),
		slack.NewActionBlock("", decideButtons(r, "")...),
		small("Asked "+moment(r.Asked)+" · lapses "+moment(r.Lapses())))
}

// decideButtons are Approve and Deny; suffix keeps them apart on a page that
// has several.
func decideButtons(r auth.Request, suffix string) []slack.BlockElement {
	yes := button(actionApprove+suffix, r.ID, "Approve").WithStyle(slack.StylePrimary)
	if r.Confirm {
		yes = yes.WithConfirm(confirm("Approve this start?",
			fmt.Sprintf("%s (%s) may then be started once, by whoever asked.", Clean(r.Name, nameMost), r.Type), "Approve", "Not yet"))
	}
	return []slack.BlockElement{yes, button(actionDeny+suffix, r.ID, "Deny").WithStyle(slack.StyleDanger)}
}

func requestHeadline(r auth.Request) string {
	n := "*" + name(r.Name) + "*"
	c, _ := r.Settled()
	switch r.State() {
	case auth.RequestApproved:
		return fmt.Sprintf(":white_check_mark: %s may start %s: approved by %s", person(r.Asker), n, mentions(r.Approvers()))
	case auth.RequestDenied:
		return fmt.Sprintf(":no_entry_sign: Denied by %s: %s asked to start %s", person(c.By), person(r.Asker), n)
	case auth.RequestExpired:
		return fmt.Sprintf(":alarm_clock: Lapsed, nobody decided: %s asked to start %s", person(r.Asker), n)
	case auth.RequestWithdrawn:
		return fmt.Sprintf(":leftwards_arrow_with_hook: Withdrawn: %s asked to start %s", person(r.Asker), n)
	}
	return fmt.Sprintf(":bell: %s asks to start %s", person(r.Asker), n)
}

func requestFacts(r auth.Request) []*slack.TextBlockObject {
	kind := quoted(r.Type, nameMost)
	if cost := hourly(r.Type); cost != "" {
		kind += "\n" + cost
	}
	i := instanceOf(r)
	return []*slack.TextBlockObject{
		words("*Instance*\n" + fmt.Sprintf("<%s|%s>", consoleURL(i), r.Instance)),
		words("*Type*\n" + kind),
		words("*Account*\n" + r.Account + ", " + r.Region),
		words("*Pass*\ngood for " + span(r.TTL) + " from when it is shown"),
	}
}

// requestFooter says what happened, and when.
func requestFooter(r auth.Request) []string {
	c, _ := r.Settled()
	lines := []string{"Asked " + moment(r.Asked)}
	switch c.Verb {
	case auth.Denied:
		lines = append(lines, "denied "+moment(c.At)+": "+quoted(c.Note, whyMost))
	case auth.Lapsed:
		lines = append(lines, "lapsed "+moment(c.At))
	case auth.Withdraw:
		lines = append(lines, "withdrawn "+moment(c.At))
	default:
		lines = append(lines, "approved "+moment(c.At))
	}
	if at, ok := r.Did(auth.Shown); ok {
		lines = append(lines, "the pass was fetched "+moment(at))
	} else if at, ok := r.Did(auth.Lapsed); ok && c.Verb == auth.Approved {
		lines = append(lines, "lapsed "+moment(at)+": the pass was not fetched")
	}
	return append(lines, "rule "+quoted(r.Rule, nameMost))
}

func list(texts []string) string {
	const most, long = 8, 60
	var all []string
	for _, t := range texts[:min(most, len(texts))] {
		all = append(all, quoted(t, long))
	}
	if len(texts) > most {
		all = append(all, fmt.Sprintf("%d more", len(texts)-most))
	}
	return strings.Join(all, ", ")
}

// outcomePage is what the asker is told when their request is settled.
func outcomePage(r auth.Request, now time.Time) Message {
	text := outcomeText(r, now)
	m := say(text)
	if r.State() == auth.RequestApproved && r.Open() && !now.After(r.Lapses()) {
		m.Blocks = append(m.Blocks,
			slack.NewActionBlock("", button(actionShow, r.ID, "Show my pass").WithStyle(slack.StylePrimary)),
			small(fmt.Sprintf("The code is shown to you alone, and its %s begin then. Fetch it before %s.", span(r.TTL), moment(r.Lapses()))))
	}
	return m
}

// outcomeText says in a sentence where a request stands.
func outcomeText(r auth.Request, now time.Time) string {
	n := name(r.Name)
	c, settled := r.Settled()
	switch {
	case !settled && now.After(r.Lapses()):
		return fmt.Sprintf("the request for %s has lapsed: nobody decided in time.", n)
	case !settled:
		return fmt.Sprintf("the request for %s still waits for a decision.", n)
	}
	switch c.Verb {
	case auth.Denied:
		return fmt.Sprintf(":no_entry_sign: %s denied the request for %s %s: %s", person(c.By), n, clock(c.At), quoted(c.Note, whyMost))
	case auth.Lapsed:
		if r.Break {
			return fmt.Sprintf("The break-glass question for %s lapsed %s: it was not confirmed, and nothing was given out.", n, clock(c.At))
		}
		return fmt.Sprintf(":alarm_clock: The request for %s lapsed %s: nobody decided. Ask again, and tell %s that it is urgent.", n, clock(c.At), mentions(r.By))
	case auth.Withdraw:
		return fmt.Sprintf("The request for %s was withdrawn %s.", n, clock(c.At))
	}
	text := fmt.Sprintf(":white_check_mark: %s approved the request for %s %s.", mentions(r.Approvers()), n, clock(c.At))
	if c.Verb == auth.Broke {
		text = fmt.Sprintf("The glass was broken for %s %s.", n, clock(c.At))
	}
	at, lapsed := r.Did(auth.Lapsed)
	if r.Open() && now.After(r.Lapses()) { // and no worker has noted it yet
		at, lapsed = r.Lapses(), true
	}
	if lapsed {
		return text + " It lapsed " + clock(at) + " because the pass was not fetched. Ask again."
	}
	return text
}
