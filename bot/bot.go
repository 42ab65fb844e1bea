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

	"sekisho/auth/measure"
	"sekisho/commands"
)

// answerWithin is how long a command may take. Slack shows its user an error
// after 3 seconds (https://docs.slack.dev/interactivity/implementing-slash-commands);
// the rest is for the way there and back.
const answerWithin = 2500 * time.Millisecond

// clickWithin is shorter: over HTTP the answer to a click is sent through its
// response URL before Slack's own request is answered.
const clickWithin = 2 * time.Second

// homeWithin is how long the Home tab may take on top of a click on it.
const homeWithin = 800 * time.Millisecond

var errTooSlow = errors.New("no answer in time for Slack's 3 s")

// Bot is where every door meets: a rule that holds at one holds at all.
type Bot struct {
	desk      *commands.Desk
	doors     Doors
	log       *slog.Logger
	commands  map[string]commands.Command
	buttons   map[string]commands.Button
	forms     map[string]commands.Form
	shortcuts map[string]commands.Shortcut
	notices   map[string]commands.Notice
	jobs      map[route]commands.Job
}

// New makes a Bot of what the lists in package commands name. Events that come
// in by another door than these are refused. A nameless or doubled entry is a
// programmer's mistake and panics.
func New(d *commands.Desk, doors Doors) *Bot {
	b := &Bot{
		desk: d, doors: doors, log: d.Log,
		commands:  make(map[string]commands.Command),
		buttons:   make(map[string]commands.Button),
		forms:     make(map[string]commands.Form),
		shortcuts: make(map[string]commands.Shortcut),
		notices:   make(map[string]commands.Notice),
		jobs:      make(map[route]commands.Job),
	}
	for _, c := range commands.Commands() {
		enter(b.commands, c.Name, c, c.Name != "" && c.Answers != nil)
	}
	for _, c := range commands.Buttons() {
		enter(b.buttons, c.Action, c, c.Action != "" && c.Answers != nil)
	}
	for _, f := range commands.Forms() {
		enter(b.forms, f.Callback, f, f.Callback != "" && f.Answers != nil)
	}
	for _, c := range commands.Shortcuts() {
		enter(b.shortcuts, c.Callback, c, c.Callback != "" && c.Answers != nil)
	}
	for _, n := range commands.Notices() {
		enter(b.notices, n.Type, n, n.Type != "" && n.Run != nil)
	}
	for _, j := range commands.Jobs() {
		enter(b.jobs, route{j.Source, j.DetailType}, j, j.Source != "" && j.DetailType != "" && j.Door != "" && j.Run != nil)
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
	defer b.desk.Since(b.desk.Now(), measure.DoorLatency, r.Door)
	return b.reply(ctx, "command "+name, answerWithin, r, c.Answers)
}

// click answers a button. An unknown button is logged and ignored.
func (b *Bot) click(ctx context.Context, c call) {
	key, _, _ := strings.Cut(c.key, ":")
	known, ok := b.buttons[key]
	if !ok {
		b.log.WarnContext(ctx, "an unknown button was clicked", "action", fmt.Sprintf("%.100q", c.key), "user", c.User)
		return
	}
	arrived := b.desk.Now()
	b.say(ctx, c.Request, b.reply(ctx, "button "+key, clickWithin, c.Request, known.Answers))
	b.desk.Since(arrived, measure.DoorLatency, c.Door)
	if !c.Home {
		return
	}
	_, err := b.answer(ctx, homeWithin, c.Request, func(ctx context.Context, d *commands.Desk, r commands.Request) (commands.Message, error) {
		return commands.Message{}, d.PublishHome(ctx, r.User)
	})
	if err != nil {
		b.log.WarnContext(ctx, "the Home tab", "user", c.User, "error", err)
	}
}

// shortcut answers Slack's shortcuts menu.
func (b *Bot) shortcut(ctx context.Context, c call) {
	known, ok := b.shortcuts[c.key]
	if !ok {
		b.log.WarnContext(ctx, "an unknown shortcut", "callback", fmt.Sprintf("%.100q", c.key), "user", c.User)
		return
	}
	defer b.desk.Since(b.desk.Now(), measure.DoorLatency, c.Door)
	b.say(ctx, c.Request, b.reply(ctx, "shortcut "+c.key, clickWithin, c.Request, known.Answers))
}

// say answers a click in private: where it was made, or in a modal where there
// is no channel to answer in.
func (b *Bot) say(ctx context.Context, r commands.Request, m commands.Message) {
	var err error
	switch {
	case m.Text == "":
	case r.ResponseURL != "":
		err = b.desk.Chat.Respond(ctx, r.ResponseURL, m.Text, m.Blocks, m.Replace)
	default:
		err = b.desk.Views.Open(ctx, r.ID, m.Modal())
	}
	if err != nil {
		b.log.ErrorContext(ctx, "answering a click", "user", r.User, "error", err)
	}
}

// submit answers a form. What it returns is the acknowledgement's body: empty
// where the modal is to close.
func (b *Bot) submit(ctx context.Context, c call) []byte {
	known, ok := b.forms[c.key]
	if !ok {
		b.log.WarnContext(ctx, "an unknown form", "callback", fmt.Sprintf("%.100q", c.key), "user", c.User)
		return nil
	}
	defer b.desk.Since(b.desk.Now(), measure.DoorLatency, c.Door)
	body, err := renderForm(b.reply(ctx, "form "+c.key, answerWithin, c.Request, known.Answers))
	if err != nil {
		b.log.ErrorContext(ctx, "rendering an answer", "error", err)
	}
	return body
}

// notice does what an event of Slack's asks for.
func (b *Bot) notice(ctx context.Context, kind string, r commands.Request) {
	known, ok := b.notices[kind]
	if !ok {
		b.log.DebugContext(ctx, "an event that nothing acts on", "type", fmt.Sprintf("%.100q", kind))
		return
	}
	_, err := b.answer(ctx, clickWithin, r, func(ctx context.Context, d *commands.Desk, r commands.Request) (commands.Message, error) {
		return commands.Message{}, known.Run(ctx, d, r)
	})
	if err != nil {
		b.log.ErrorContext(ctx, "event "+kind, "user", r.User, "error", err)
	}
}

// handler is what answers a request, whatever kind it is of.
type handler = func(context.Context, *commands.Desk, commands.Request) (commands.Message, error)

// reply is a handler's answer, or what a person reads instead.
func (b *Bot) reply(ctx context.Context, what string, within time.Duration, r commands.Request, h handler) commands.Message {
	m, err := b.answer(ctx, within, r, h)
	if err != nil {
		return b.sorry(ctx, what, r, err)
	}
	return m
}

// answer runs a handler within Slack's time. A panic in it is a fault of this
// one request.
func (b *Bot) answer(ctx context.Context, within time.Duration, r commands.Request, h handler) (m commands.Message, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, within, errTooSlow)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	m, err = h(ctx, b.desk, r)
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
