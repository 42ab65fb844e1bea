// Package bot is the way in: it turns a signed request, a socket envelope or
// an event into one call, and renders the answer.
package bot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"sekisho/commands"
)

// answerWithin is how long a command may take. Slack shows its user an error
// after 3 seconds (https://docs.slack.dev/interactivity/implementing-slash-commands);
// the rest is for the way there and back.
const answerWithin = 2500 * time.Millisecond

// clickWithin is shorter: over HTTP the answer to a click is sent through its
// response URL before Slack's own request is answered.
const clickWithin = 2 * time.Second

var errTooSlow = errors.New("no answer in time for Slack's 3 s")

// Bot is where every door meets: a rule that holds at one holds at all.
type Bot struct {
	desk     *commands.Desk
	log      *slog.Logger
	commands map[string]commands.Command
	buttons  map[string]commands.Button
	jobs     map[route]commands.Job
}

// New makes a Bot of what the lists in package commands name. A nameless or
// doubled entry is a programmer's mistake and panics.
func New(d *commands.Desk) *Bot {
	b := &Bot{
		desk: d, log: d.Log,
		commands: make(map[string]commands.Command),
		buttons:  make(map[string]commands.Button),
		jobs:     make(map[route]commands.Job),
	}
	for _, c := range commands.Commands() {
		enter(b.commands, c.Name, c, c.Name != "" && c.Answers != nil)
	}
	for _, c := range commands.Buttons() {
		enter(b.buttons, c.Action, c, c.Action != "" && c.Answers != nil)
	}
	for _, j := range commands.Jobs() {
		enter(b.jobs, route{j.Source, j.DetailType}, j, j.Source != "" && j.DetailType != "" && j.Run != nil)
	}
	return b
}

func enter[K comparable, V any](list map[K]V, key K, value V, whole bool) {
	if _, twice := list[key]; twice || !whole {
		panic(fmt.Sprintf("bot: the entry %v is incomplete or named twice", key))
	}
	list[key] = value
}

// command answers a slash command. It always answers: what went wrong is a
// sentence for the person, and in full a line in the log.
func (b *Bot) command(ctx context.Context, name string, r commands.Request) commands.Message {
	c, known := b.commands[name]
	if !known {
		b.log.ErrorContext(ctx, "an unknown command", "command", fmt.Sprintf("%.40q", name), "user", r.User)
		return commands.Message{Text: "I don't know that command. Its app's manifest and this program differ: those who run Sekisho should compare them."}
	}
	m, err := b.answer(ctx, answerWithin, r, c.Answers)
	if err != nil {
		return b.sorry(ctx, "command "+name, r, err)
	}
	return m
}

// click answers a button through its response URL. An unknown button is
// logged and ignored.
func (b *Bot) click(ctx context.Context, action string, r commands.Request) {
	key, _, _ := strings.Cut(action, ":")
	c, known := b.buttons[key]
	if !known {
		b.log.WarnContext(ctx, "an unknown button was clicked", "action", fmt.Sprintf("%.100q", action), "user", r.User)
		return
	}
	m, err := b.answer(ctx, clickWithin, r, c.Answers)
	if err != nil {
		m = b.sorry(ctx, "button "+key, r, err)
	}
	if err := b.desk.Chat.Respond(ctx, r.ResponseURL, m.Text, m.Blocks, m.Replace); err != nil {
		b.log.ErrorContext(ctx, "answering a click", "action", key, "user", r.User, "error", err)
	}
}

// answer runs a handler within Slack's time. A panic in it is a fault of this
// one request.
func (b *Bot) answer(ctx context.Context, within time.Duration, r commands.Request, handler func(context.Context, *commands.Desk, commands.Request) (commands.Message, error)) (m commands.Message, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errTooSlow)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	m, err = handler(ctx, b.desk, r)
	if err != nil && ctx.Err() != nil {
		err = errors.Join(context.Cause(ctx), err)
	}
	return m, err
}

func (b *Bot) sorry(ctx context.Context, what string, r commands.Request, err error) commands.Message {
	m, fault := commands.Sorry(err)
	if fault {
		b.log.ErrorContext(ctx, what, "user", r.User, "error", err)
	} else {
		b.log.InfoContext(ctx, what, "user", r.User, "refused", err)
	}
	return m
}
