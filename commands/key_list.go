package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// listKeys answers `/sekisho keys` and `/sekisho keys hana`. Those who decide
// about keys see everybody's, everybody else their own.
func listKeys(ctx context.Context, d *Desk, r Request) (Message, error) {
	if d.Purge == nil {
		return say("Access keys are none of my business yet: Sekisho's policy has no `keys:` part."), nil
	}
	all, err := d.Purge.MaySee(ctx, r.User)
	if err != nil {
		return Message{}, err
	}
	own := d.Purge.NamesOf(r.User)
	r.Text = strings.Trim(r.Text, " `'\"*")
	switch {
	case all && r.Text != "" && !isUserName(r.Text):
		return say(fmt.Sprintf("%s cannot be an IAM user's name: that is one word of letters, digits and `+=,.@_-`. `/sekisho keys` lists everybody's keys.", name(r.Text))), nil
	case r.Text != "" && (all || isAmong(own, r.Text)):
		return d.keysLater(ctx, r, r.Text)
	case r.Text == "" && all:
		return d.keysLater(ctx, r)
	case len(own) == 0:
		return Message{}, &auth.Refusal{Reason: auth.NoDecider}
	case r.Text != "":
		return say(fmt.Sprintf("You see the keys of your own IAM user: %s.", quoted("/sekisho keys "+own[0], 2*nameMost))), nil
	}
	return d.keysLater(ctx, r, own...)
}

// isAmong says whether the name is one of these: to IAM, names that differ in
// case alone are one.
func isAmong(names []string, one string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, one) })
}

// isUserName says whether IAM takes the text for a user's name; it answers with
// a fault to any other: https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html
func isUserName(text string) bool {
	return len(text) <= 64 && !strings.ContainsFunc(text, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("+=,.@_-", c)
	})
}

// keysOf reads a few users.
func (d *Desk) keysOf(ctx context.Context, names ...string) (Message, error) {
	var plan purge.Plan
	var unknown []string
	for _, n := range names {
		p, err := d.Purge.ReadUser(ctx, n)
		if errors.Is(err, purge.ErrGone) {
			unknown = append(unknown, name(n))
			continue
		}
		if err != nil {
			return d.keysUnread(ctx, err)
		}
		plan.At, plan.Mode = p.At, p.Mode
		plan.Verdicts = append(plan.Verdicts, p.Verdicts...)
	}
	if len(unknown) == len(names) {
		return say(fmt.Sprintf("IAM knows no user %s. `/sekisho keys` lists all the keys that you may see.", strings.Join(unknown, ", "))), nil
	}
	slices.SortStableFunc(plan.Verdicts, func(a, b purge.Verdict) int { return a.Key.Created.Compare(b.Key.Created) })
	return keysPage(plan), nil
}

// keysUnread says what kept the keys from being read.
func (d *Desk) keysUnread(ctx context.Context, err error) (Message, error) {
	var denied *purge.Denied
	if !errors.As(err, &denied) {
		return Message{}, err
	}
	d.KeyWarning(ctx, err)
	return say(fmt.Sprintf(":wrench: AWS does not let me call `%s`. <#%s> says which permission to add.", denied.Action, d.Policy.Channels.Keys)), nil
}

// keysTask reads keys for somebody who waits for them. Who that is and where
// the answer goes is sealed, with what it is for: nobody who reads the queue
// can use another reply of theirs for it.
type keysTask struct {
	Reply string   `json:"reply"`
	Names []string `json:"names,omitempty"` // of IAM users; all where it is empty
}

const keysReply = "keys for "

// keysLater leaves the reading to whoever has rights in IAM: what answers people
// has none.
func (d *Desk) keysLater(ctx context.Context, r Request, names ...string) (Message, error) {
	if d.Queue == nil || r.ResponseURL == "" {
		return d.readKeys(ctx, names, func(int, int) {})
	}
	reply, err := d.Passes.Pepper.Seal(d.Passes.Random, keysReply+r.User+" "+r.ResponseURL)
	if err != nil {
		return Message{}, err
	}
	if err := d.later(ctx, taskKeys, keysTask{reply, names}, 0); err != nil {
		return Message{}, err
	}
	whose := "every IAM user"
	if len(names) > 0 {
		whose = name(strings.Join(names, ", "))
	}
	return say(fmt.Sprintf(":hourglass_flowing_sand: Reading the access keys of %s. I answer here in a moment.", whose)), nil
}

// sendKeys answers whoever waits. Of the five answers that Slack takes, one is
// for the page.
func sendKeys(ctx context.Context, d *Desk, e Event) error {
	t, err := read[keysTask](e)
	if err != nil || d.Purge == nil {
		return err
	}
	user, url, err := d.openReply(keysReply, t.Reply)
	if err != nil {
		return fmt.Errorf("the reply in event %q: %w", e.ID, err)
	}
	m, err := d.keysFor(ctx, user, t.Names, d.progress(ctx, url))
	if err != nil {
		m, _ = Sorry(err)
		d.Log.ErrorContext(ctx, "reading the access keys for somebody", "user", user, "error", err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second) // also where the reading took all the time
	defer cancel()
	if err := d.Chat.Respond(ctx, url, m.Text, m.Blocks, true); err != nil {
		d.Log.WarnContext(ctx, "answering with the access keys", "user", user, "error", err) // whoever waits asks again
	}
	return nil
}

// keysFor reads the keys if the person may still see them: it is later.
func (d *Desk) keysFor(ctx context.Context, user string, names []string, progress func(done, total int)) (Message, error) {
	all, err := d.Purge.MaySee(ctx, user)
	if err != nil {
		return Message{}, err
	}
	own := d.Purge.NamesOf(user)
	if !all && (len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return !isAmong(own, n) })) {
		return Message{}, &auth.Refusal{Reason: auth.NoDecider}
	}
	return d.readKeys(ctx, names, progress)
}

// progress rewrites the answer of somebody who waits.
func (d *Desk) progress(ctx context.Context, url string) func(done, total int) {
	now := d.everySoOften()
	return func(done, total int) {
		if done < total && now() {
			d.answer(ctx, url, say(fmt.Sprintf(":hourglass_flowing_sand: Read %d of %d IAM users…", done, total)))
		}
	}
}

func (d *Desk) readKeys(ctx context.Context, names []string, progress func(done, total int)) (Message, error) {
	if len(names) > 0 {
		return d.keysOf(ctx, names...)
	}
	plan, err := d.Purge.Read(ctx, progress)
	if err != nil {
		return d.keysUnread(ctx, err)
	}
	return keysPage(plan), nil
}

// keysMost is how many keys a page shows: a message has 50 blocks at most.
const keysMost = 25

// keysPage lists keys by age, with what becomes of each and when.
func keysPage(p purge.Plan) Message {
	if len(p.Verdicts) == 0 {
		return say("There is no access key. That is as good as it gets.")
	}
	n := len(p.Verdicts)
	title := fmt.Sprintf("*Access keys, the oldest first* (%d)", n)
	m := Message{Text: fmt.Sprintf("%d access %s", n, plural(n, "key", "keys")), Blocks: []slack.Block{section(title)}}
	if p.Mode != auth.Enforce {
		m.Blocks = append(m.Blocks, small(":eyes: Observe mode: what is said here would happen with `keys.mode: enforce`; nothing is changed in AWS."))
	}
	for _, v := range p.Verdicts[:min(keysMost, n)] {
		m.Blocks = append(m.Blocks, section(keyRow(v, p.At)))
	}
	if more := n - keysMost; more > 0 {
		m.Blocks = append(m.Blocks, small(fmt.Sprintf("… and %d younger %s: `/sekisho keys` and a user's name shows one user's, `sekisho keys plan` at a terminal prints all.", more, plural(more, "one", "ones"))))
	}
	return m
}

// keyRow is one key of the list. It tells states by shape as well as by colour.
func keyRow(v purge.Verdict, now time.Time) string {
	lamp := ":large_green_circle:"
	if !v.Key.Active {
		lamp = ":white_square_button:"
	}
	used := ""
	switch u := v.Key.Used; {
	case u == nil: // it does not matter yet
	case u.At.IsZero():
		used = ", never used"
	default:
		used = ", last used " + lastUse(u)
	}
	return fmt.Sprintf("%s *%s* %s — %s old, %s%s\n%s", lamp, name(v.User.Name), keyName(v.Key.ID), ageOf(v.Key.Created, now), activity(v.Key.Active), used, comesNext(v, now))
}

// comesNext says what becomes of a key.
func comesNext(v purge.Verdict, now time.Time) string {
	rule := ""
	if v.Rule != "" {
		rule = " (`" + v.Rule + "`)"
	}
	switch {
	case v.Do.Acts():
		return fmt.Sprintf("*to be %sd now*%s", v.Do, rule)
	case v.Why != "":
		return "left alone: " + because(v.Why)
	case v.Next != purge.Nothing && !v.At.After(now):
		return fmt.Sprintf("*to be %sd now*%s", v.Next, rule)
	case v.Next != purge.Nothing:
		return fmt.Sprintf("to be %sd %s%s", v.Next, moment(v.At), rule)
	}
	return "nothing is due"
}
