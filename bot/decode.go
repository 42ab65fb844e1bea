package bot

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"sekisho/commands"
)

// slashFields are what is read of a slash command, which has a dozen fields
// more: https://docs.slack.dev/interactivity/implementing-slash-commands
type slashFields struct {
	Command     string `json:"command"`
	Text        string `json:"text"`
	User        string `json:"user_id"`
	Channel     string `json:"channel_id"`
	ResponseURL string `json:"response_url"`
	Trigger     string `json:"trigger_id"`
}

// named gives the field of this name, nil where it is not read.
func (f *slashFields) named(name string) *string {
	switch name {
	case "command":
		return &f.Command
	case "text":
		return &f.Text
	case "user_id":
		return &f.User
	case "channel_id":
		return &f.Channel
	case "response_url":
		return &f.ResponseURL
	case "trigger_id":
		return &f.Trigger
	}
	return nil
}

// slashForm reads a slash command's form body. It passes over the fields that
// are not read: to decode those too, as url.ParseQuery would, is most of the
// work. Of a doubled field the first counts.
func slashForm(body string) (name string, r commands.Request, err error) {
	var f slashFields
	for pair := range strings.SplitSeq(body, "&") {
		name, value, _ := strings.Cut(pair, "=")
		field := f.named(name)
		if field == nil || *field != "" {
			continue
		}
		if *field, err = url.QueryUnescape(value); err != nil {
			return "", r, errors.New("the body is not a form")
		}
	}
	return f.request()
}

// slashPayload reads a slash command's envelope payload, which has the form's
// fields as JSON.
func slashPayload(payload json.RawMessage) (name string, r commands.Request, err error) {
	var f slashFields
	if err := json.Unmarshal(payload, &f); err != nil {
		return "", r, errors.New("the payload is not a slash command")
	}
	return f.request()
}

func (f slashFields) request() (name string, r commands.Request, err error) {
	r = commands.Request{ID: f.Trigger, User: f.User, Channel: f.Channel, Text: f.Text, ResponseURL: f.ResponseURL}
	if f.Command == "" || r.User == "" || r.ID == "" {
		return "", r, errors.New("a slash command without command, user_id or trigger_id")
	}
	return f.Command, r, nil
}

// call is an interaction that something is done about.
type call struct {
	kind string // block_actions, view_submission or shortcut
	key  string // the action_id, or the callback_id
	commands.Request
}

// The kinds of interaction that are acted on:
// https://docs.slack.dev/reference/interaction-payloads
const (
	kindClick    = "block_actions"
	kindForm     = "view_submission"
	kindShortcut = "shortcut"
)

// interactionForm reads an interaction's form body. The payload is taken from
// the body alone: a query string is not covered by the signature.
func interactionForm(body string) (call, error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return call{}, errors.New("the body is not a form")
	}
	return interaction(json.RawMessage(form.Get("payload")))
}

// errPassedOver is an interaction that nothing is done about.
var errPassedOver = errors.New("nothing that is acted on")

// payload is what is read of an interaction.
type payload struct {
	Type string `json:"type"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Channel struct {
		ID string `json:"id"`
	} `json:"channel"`
	Trigger     string `json:"trigger_id"`
	ResponseURL string `json:"response_url"`
	Callback    string `json:"callback_id"` // of a shortcut
	Actions     []struct {
		ID    string `json:"action_id"`
		Value string `json:"value"`
	} `json:"actions"`
	View struct {
		Type     string `json:"type"`
		Callback string `json:"callback_id"`
		Metadata string `json:"private_metadata"`
		State    struct {
			Values map[string]map[string]field `json:"values"`
		} `json:"state"`
	} `json:"view"`
}

// field is what was put into one input of a form.
type field struct {
	Value    string `json:"value"`
	Selected struct {
		Value string `json:"value"`
	} `json:"selected_option"`
	Date string `json:"selected_date"` // 2026-12-24
}

// interaction reads a click, a submitted form or a shortcut.
func interaction(text json.RawMessage) (call, error) {
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return call{}, errors.New("the payload is not an interaction")
	}
	c := call{kind: p.Type, Request: commands.Request{
		ID: p.Trigger, User: p.User.ID, Channel: p.Channel.ID, ResponseURL: p.ResponseURL, Home: p.View.Type == "home",
	}}
	switch {
	case p.Type == kindClick && len(p.Actions) > 0:
		c.key, c.Value = p.Actions[0].ID, p.Actions[0].Value
	case p.Type == kindForm:
		c.key, c.Value, c.Fields = p.View.Callback, p.View.Metadata, fields(p.View.State.Values)
	case p.Type == kindShortcut:
		c.key = p.Callback
	default:
		return call{}, fmt.Errorf("%w: type %.40q", errPassedOver, p.Type)
	}
	if c.User == "" || c.ID == "" {
		return call{}, errors.New("an interaction without user or trigger_id")
	}
	return c, nil
}

// fields flattens a form's values: each block of ours has one input.
func fields(values map[string]map[string]field) map[string]string {
	all := make(map[string]string, len(values))
	for block, inputs := range values {
		for _, f := range inputs {
			all[block] = cmp.Or(f.Value, f.Selected.Value, f.Date)
		}
	}
	return all
}

// notice reads an event of the Events API. challenge is Slack's question
// whether this address is ours, to be repeated; then there is no event.
// https://docs.slack.dev/apis/events-api
func notice(text json.RawMessage) (kind string, r commands.Request, challenge string, err error) {
	var p struct {
		Type      string `json:"type"`
		Challenge string `json:"challenge"`
		ID        string `json:"event_id"`
		Event     struct {
			Type    string `json:"type"`
			User    string `json:"user"`
			Channel string `json:"channel"`
		} `json:"event"`
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return "", r, "", errors.New("the body is not an event")
	}
	if p.Type == "url_verification" {
		return "", r, p.Challenge, nil
	}
	r = commands.Request{ID: p.ID, User: p.Event.User, Channel: p.Event.Channel}
	if p.Event.Type == "" || r.User == "" {
		return "", r, "", errors.New("an event without type or user")
	}
	return p.Event.Type, r, "", nil
}
