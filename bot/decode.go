package bot

import (
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

// interactionForm reads an interaction's form body. The payload is taken from
// the body alone: a query string is not covered by the signature.
func interactionForm(body string) (action string, r commands.Request, err error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return "", r, errors.New("the body is not a form")
	}
	return interaction(json.RawMessage(form.Get("payload")))
}

// errNotAClick is an interaction that nothing is done about.
var errNotAClick = errors.New("not a click on a button")

// interaction reads the click of a button:
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
func interaction(payload json.RawMessage) (action string, r commands.Request, err error) {
	var p struct {
		Type string `json:"type"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
		Channel struct {
			ID string `json:"id"`
		} `json:"channel"`
		Trigger     string `json:"trigger_id"`
		ResponseURL string `json:"response_url"`
		Actions     []struct {
			ID    string `json:"action_id"`
			Value string `json:"value"`
		} `json:"actions"`
	}
	if err := json.Unmarshal(payload, &p); err != nil {
		return "", r, errors.New("the payload is not an interaction")
	}
	if p.Type != "block_actions" || len(p.Actions) == 0 {
		return "", r, fmt.Errorf("%w: type %.40q", errNotAClick, p.Type)
	}
	if p.User.ID == "" || p.Trigger == "" {
		return "", r, errors.New("an interaction without user or trigger_id")
	}
	return p.Actions[0].ID, commands.Request{
		ID: p.Trigger, User: p.User.ID, Channel: p.Channel.ID,
		Value: p.Actions[0].Value, ResponseURL: p.ResponseURL,
	}, nil
}
