package commands

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// keyName is how a channel is shown a key: by the last four characters.
func keyName(id string) string { return "`…" + Clean(id[max(0, len(id)-4):], 4) + "`" }

// keyCard is the one message about one access key. It is posted once and
// rewritten as the key comes nearer to its end, or away from it.
func keyCard(p *auth.KeyPolicy, r purge.Record) (text string, blocks []slack.Block) {
	text = keyHeadline(r)
	s, state := r.Sight(), r.State(p.Observing())
	last := r.History[len(r.History)-1]
	blocks = []slack.Block{section(text), slack.NewSectionBlock(nil, keyFacts(p, r, s, last.At), nil)}
	if next := keyNext(p, r, s, state); next != "" {
		blocks = append(blocks, section("*Next:* "+next))
	}
	if buttons := keyButtons(p, r, state); len(buttons) > 0 {
		blocks = append(blocks, slack.NewActionBlock("", buttons...))
	}
	return text, append(blocks, small("As of "+moment(last.At)))
}

// standing is the newest change that says where the key stands. What was ordered
// or begun does while it is under way; dropped, it has changed nothing.
func standing(r purge.Record) purge.Change {
	var now, before purge.Change
	for _, c := range r.History {
		switch {
		case c.Verb == purge.Begun && now.Verb != "":
		case c.Verb == purge.Dropped && before.Verb != "":
			now = before
		case c.Verb == purge.Ordered || c.Verb == purge.Begun:
			now = c
		default:
			now, before = c, c
		}
	}
	return now
}

func keyHeadline(r purge.Record) string {
	c := standing(r)
	n := fmt.Sprintf("access key %s of *%s*", keyName(r.ID), name(r.User))
	switch c.Verb {
	case purge.Warned:
		if c.Observed {
			return fmt.Sprintf(":eyes: Observe mode: %s would be deactivated %s", n, moment(c.Until))
		}
		return fmt.Sprintf(":hourglass_flowing_sand: %s will be deactivated %s", capital(n), moment(c.Until))
	case purge.Kept, purge.Exempted:
		return fmt.Sprintf(":shield: %s kept %s until %s: %s", person(c.By), n, moment(c.Until), quoted(c.Note, whyMost))
	case purge.Released:
		return fmt.Sprintf(":white_check_mark: %s is left alone: %s", capital(n), released(c))
	case purge.Ordered:
		return fmt.Sprintf(":gear: %s wants to %s %s; working on it", person(c.By), c.Do, n)
	case purge.Begun:
		return fmt.Sprintf(":gear: %s is to be %sd%s; working on it", capital(n), c.Do, byWhom(c))
	case purge.Dropped:
		return fmt.Sprintf(":white_check_mark: %s was to be %sd, and is left alone: %s", capital(n), c.Do, because(c.Note))
	case purge.Deactivated:
		return fmt.Sprintf(":lock: %s is deactivated%s", capital(n), byWhom(c))
	case purge.Reactivated:
		return fmt.Sprintf(":unlock: %s is active again%s, and kept until %s", capital(n), byWhom(c), moment(c.Until))
	case purge.Deleted:
		return fmt.Sprintf(":wastebasket: %s is deleted", capital(n))
	case purge.FoundOff:
		return fmt.Sprintf(":lock: %s is inactive%s", capital(n), bySomebody(r))
	case purge.FoundOn:
		return fmt.Sprintf(":unlock: %s is active again: somebody reactivated it in AWS. It is kept until %s", capital(n), moment(c.Until))
	case purge.Gone:
		return fmt.Sprintf(":wastebasket: %s is gone: somebody deleted it in AWS", capital(n))
	case purge.Would:
		return fmt.Sprintf(":eyes: Observe mode: %s would have been %sd", n, c.Do)
	}
	return ":key: " + capital(n)
}

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// byWhom says who was behind it: a person, or a line of the policy.
func byWhom(c purge.Change) string {
	if c.By != "" {
		return ", as " + person(c.By) + " decided"
	}
	if c.Rule != "" {
		return ", by the policy's `" + c.Rule + "`"
	}
	return ""
}

// bySomebody says that others deactivated the key, where the bot did not.
func bySomebody(r purge.Record) string {
	if r.State(true).Ours {
		return ""
	}
	return ": somebody deactivated it in AWS"
}

func released(c purge.Change) string {
	if c.Note == "" {
		return "its end is not near any more"
	}
	return because(c.Note)
}

// because shows why a key is left alone. It names patterns of the policy, of
// which Slack would make bold letters.
func because(why string) string { return quoted(why, 200) }

func keyFacts(p *auth.KeyPolicy, r purge.Record, s purge.Sight, now time.Time) []*slack.TextBlockObject {
	fact := func(label, value string) *slack.TextBlockObject { return words("*" + label + "*\n" + value) }
	owner := "not known"
	if s.Owner != "" {
		owner = person(s.Owner)
	}
	return []*slack.TextBlockObject{
		fact("User", fmt.Sprintf("<%s|IAM console>, account %s", userURL(r.User), r.Account)),
		fact("Owner", owner),
		fact("Age", fmt.Sprintf("%s, created %s", ageOf(r.Created, now), at(r.Created, "{date_short_pretty}"))),
		fact("Last used", lastUse(s.Used)),
		fact("The user's other key", otherKeys(s.Others, now)),
	}
}

func userURL(user string) string {
	return "https://us-east-1.console.aws.amazon.com/iam/home#/users/details/" + url.PathEscape(user) + "?section=security_credentials"
}

func ageOf(created, now time.Time) string {
	days := int(now.Sub(created) / (24 * time.Hour))
	return fmt.Sprintf("%d %s", days, plural(days, "day", "days"))
}

func lastUse(u *purge.Use) string {
	switch {
	case u == nil:
		return "not known"
	case u.At.IsZero():
		return "never"
	case u.Service == "":
		return moment(u.At)
	case u.Region == "":
		return fmt.Sprintf("%s, %s", moment(u.At), quoted(u.Service, 40))
	}
	return fmt.Sprintf("%s, %s in %s", moment(u.At), quoted(u.Service, 40), quoted(u.Region, 40))
}

func otherKeys(keys []purge.Key, now time.Time) string {
	if len(keys) == 0 {
		return "none"
	}
	var all []string
	for _, k := range keys {
		all = append(all, fmt.Sprintf("%s, %s, %s", keyName(k.ID), activity(k.Active), ageOf(k.Created, now)))
	}
	return strings.Join(all, "\n")
}

func activity(active bool) string {
	if active {
		return "active"
	}
	return "inactive"
}

// keyNext says what happens by itself and when, and what a reader can do.
func keyNext(p *auth.KeyPolicy, r purge.Record, s purge.Sight, state purge.State) string {
	c := standing(r)
	rule, would, is := "", "", "is"
	if c.Rule != "" {
		rule = " (`" + c.Rule + "`)"
	}
	if p.Observing() {
		would, is = " Observe mode changes nothing in AWS.", "would be"
	}
	switch {
	case state.Ended, c.Verb == purge.Released, c.Verb == purge.Ordered, c.Verb == purge.Begun, c.Verb == purge.Dropped:
		return ""
	case c.Verb == purge.Would && p.FirstRun == auth.AtOnce:
		return "With `keys.mode: enforce` that is done at once (`first_run: at_once`). " + rotate
	case c.Verb == purge.Would:
		return "With `keys.mode: enforce` it gets the full warning before anything is done. " + rotate
	case state.Off:
		return fmt.Sprintf("It %s deleted %s, unless somebody reactivates it before. *A deletion cannot be undone.*", is, moment(s.When)) + would
	case c.Verb == purge.Warned:
		return rotate + " Else it ends by the policy" + rule + "." + would + unknownOwner(p, s)
	}
	return "After that the policy applies to it again. " + rotate + would + unknownOwner(p, s)
}

const rotate = "Whoever uses it should make a second key, move over to it, and delete this one."

// unknownOwner says how to have somebody told.
func unknownOwner(p *auth.KeyPolicy, s purge.Sight) string {
	if s.Owner != "" {
		return ""
	}
	return fmt.Sprintf("\nI do not know whose it is, so nobody is told: name them under `people:` in Sekisho's policy, or tag the IAM user with %s, a Slack user id.", quoted(p.OwnerTag, nameMost))
}

const (
	actionKeyOff    = "key_off"
	actionKeyKeep   = "key_keep"
	actionKeyExempt = "key_exempt"
	actionKeyUndo   = "key_undo"
)

// keyButtons are what those whom the policy names can do; who they are is
// looked at when one is clicked.
func keyButtons(p *auth.KeyPolicy, r purge.Record, s purge.State) []slack.BlockElement {
	switch {
	case len(p.Decide) == 0 || s.Ended || s.Pending.By != "": // what the policy began may come to nothing
		return nil
	case s.Off && s.Ours:
		return []slack.BlockElement{button(actionKeyUndo, r.ID, "Undo").WithStyle(slack.StylePrimary).
			WithConfirm(confirm("Reactivate this key?", "It works again at once, and is kept for 7 days.", "Reactivate", "Not yet"))}
	case s.Off:
		return nil
	}
	var all []slack.BlockElement
	if !p.Observing() {
		all = append(all, button(actionKeyOff, r.ID, "Deactivate now").WithStyle(slack.StyleDanger).
			WithConfirm(confirm("Deactivate this key now?", "Whatever uses it stops working at once. Until it is deleted, Undo brings it back.", "Deactivate", "Not yet")))
	}
	return append(all, button(actionKeyKeep, r.ID, "Keep 7 days"), button(actionKeyExempt, r.ID, "Exempt until…"))
}

// keyLine is what a change adds to the card's thread.
func keyLine(r purge.Record, c purge.Change) string {
	when := clock(c.At) + " — "
	switch c.Verb {
	case purge.Warned:
		will := "will be"
		if c.Observed {
			will = "would be"
		}
		return when + fmt.Sprintf("%s left: it %s deactivated %s.", daysLeft(c.Until.Sub(c.At)), will, moment(c.Until))
	case purge.Kept, purge.Exempted:
		return when + fmt.Sprintf("%s spared it until %s: %s", person(c.By), moment(c.Until), quoted(c.Note, whyMost))
	case purge.Released:
		return when + "left alone: " + released(c) + "."
	case purge.Dropped:
		return when + fmt.Sprintf("it was to be %sd, and was not: %s.", c.Do, because(c.Note))
	case purge.Deactivated, purge.Reactivated, purge.Deleted:
		return when + string(c.Verb) + byWhom(c) + "."
	case purge.FoundOff:
		return when + "seen inactive" + bySomebody(r) + "."
	case purge.FoundOn:
		return when + "somebody reactivated it in AWS."
	case purge.Gone:
		return when + "somebody deleted it in AWS."
	case purge.Would:
		return when + "observe mode: it would have been " + string(c.Do) + "d."
	}
	return ""
}

// daysLeft says a time in days, where it is some.
func daysLeft(d time.Duration) string {
	if days := int((d + time.Hour) / (24 * time.Hour)); days >= 1 { // "7 days" also when the sweep was minutes late
		return fmt.Sprintf("%d %s", days, plural(days, "day", "days"))
	}
	return span(d)
}
