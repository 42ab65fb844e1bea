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
	switch {
	case r.Text != "" && (all || slices.ContainsFunc(own, func(n string) bool { return strings.EqualFold(n, r.Text) })):
		return d.keysOf(ctx, r.Text)
	case r.Text == "" && all:
		return d.readKeysLater(ctx, r)
	case len(own) == 0:
		return Message{}, &auth.Refusal{Reason: auth.NoDecider}
	case r.Text != "":
		return say(fmt.Sprintf("You see the keys of your own IAM user: `/sekisho keys %s`.", clean(own[0], nameMost))), nil
	}
	return d.keysOf(ctx, own...)
}

// keysOf reads a few users while the person waits.
func (d *Desk) keysOf(ctx context.Context, names ...string) (Message, error) {
	var plan purge.Plan
	for _, n := range names {
		p, err := d.Purge.ReadUser(ctx, n)
		if errors.Is(err, purge.ErrGone) {
			return say(fmt.Sprintf("IAM knows no user %s. `/sekisho keys` lists everybody's keys.", name(n))), nil
		}
		if err != nil {
			return d.keysUnread(ctx, err)
		}
		plan.At, plan.Mode = p.At, p.Mode
		plan.Verdicts = append(plan.Verdicts, p.Verdicts...)
	}
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

// keysTask reads all keys for somebody who waits for them. The address of the
// answer is sealed, as everywhere outside of this process.
type keysTask struct {
	Reply string `json:"reply"`
	User  string `json:"user"`
}

func (d *Desk) readKeysLater(ctx context.Context, r Request) (Message, error) {
	if d.Queue == nil || r.ResponseURL == "" {
		return d.allKeys(ctx, func(int, int) {})
	}
	reply, err := d.Passes.Pepper.Seal(d.Passes.Random, r.ResponseURL)
	if err != nil {
		return Message{}, err
	}
	if err := d.later(ctx, taskKeys, keysTask{Reply: reply, User: r.User}, 0); err != nil {
		return Message{}, err
	}
	return say(":hourglass_flowing_sand: Reading the access keys of every IAM user. I answer here in a moment."), nil
}

// sendKeys answers whoever waits. Of the five answers that Slack takes, one is
// for the page.
func sendKeys(ctx context.Context, d *Desk, e Event) error {
	t, err := read[keysTask](e)
	if err != nil || d.Purge == nil {
		return err
	}
	url, err := d.Passes.Pepper.Open(t.Reply)
	if err != nil {
		return fmt.Errorf("the reply in event %q: %w", e.ID, err)
	}
	m, err := d.allKeys(ctx, d.progress(ctx, url))
	if err != nil {
		m, _ = Sorry(err)
		d.Log.ErrorContext(ctx, "reading the access keys for somebody", "user", t.User, "error", err)
	}
	if err := d.Chat.Respond(ctx, url, m.Text, m.Blocks, true); err != nil {
		d.Log.WarnContext(ctx, "answering with the access keys", "user", t.User, "error", err) // whoever waits asks again
	}
	return nil
}

// progress rewrites the answer of somebody who waits, three times at most.
func (d *Desk) progress(ctx context.Context, url string) func(done, total int) {
	const every, most = 5 * time.Second, 3
	last, said := d.Now(), 0
	return func(done, total int) {
		if now := d.Now(); said < most && done < total && now.Sub(last) >= every {
			last, said = now, said+1
			text := fmt.Sprintf(":hourglass_flowing_sand: Read %d of %d IAM users…", done, total)
			if err := d.Chat.Respond(ctx, url, text, []slack.Block{section(text)}, true); err != nil {
				d.Log.InfoContext(ctx, "telling progress", "error", err)
			}
		}
	}
}

func (d *Desk) allKeys(ctx context.Context, progress func(done, total int)) (Message, error) {
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
	title := fmt.Sprintf("*Access keys, the oldest first* (%d)", len(p.Verdicts))
	m := Message{Text: fmt.Sprintf("%d access keys", len(p.Verdicts)), Blocks: []slack.Block{section(title)}}
	if p.Mode != auth.Enforce {
		m.Blocks = append(m.Blocks, small(":eyes: Observe mode: what is said here would happen with `keys.mode: enforce`; nothing is changed in AWS."))
	}
	for _, v := range p.Verdicts[:min(keysMost, len(p.Verdicts))] {
		m.Blocks = append(m.Blocks, section(keyRow(v, p.At)))
	}
	if n := len(p.Verdicts) - keysMost; n > 0 {
		m.Blocks = append(m.Blocks, small(fmt.Sprintf("… and %d younger ones: `/sekisho keys` and a user's name shows one user's, `sekisho keys plan` prints all.", n)))
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
	if v.Key.Used != nil {
		used = ", last used " + lastUse(v.Key.Used)
	}
	return fmt.Sprintf("%s *%s* %s — %s, %s%s\n%s", lamp, name(v.User.Name), keyName(v.Key.ID), ageOf(v.Key.Created, now), activity(v.Key.Active), used, comesNext(v))
}

// comesNext says what becomes of a key.
func comesNext(v purge.Verdict) string {
	switch {
	case v.Do.Acts():
		return fmt.Sprintf("*to be %sd now* (`%s`)", v.Do, v.Rule)
	case v.Why != "":
		return "left alone: " + v.Why
	case v.Next != purge.Nothing:
		return fmt.Sprintf("%s %s (`%s`)", v.Next, moment(v.At), v.Rule)
	}
	return "nothing is due"
}
