package bot

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"sekisho/commands"
)

// slashForm reads a slash command's form body:
// https://docs.slack.dev/interactivity/implementing-slash-commands
func slashForm(body string) (name string, r commands.Request, err error) {
	form, err := url.ParseQuery(body)
	if err != nil {
		return "", r, errors.New("the body is not a form")
	}
	return slash(form.Get)
}

// slashPayload reads a slash command's envelope payload, which has the form's
// fields as JSON.
func slashPayload(payload json.RawMessage) (name string, r commands.Request, err error) {
	var fields struct {
		Command     string `json:"command"`
		Text        string `json:"text"`
		User        string `json:"user_id"`
		Channel     string `json:"channel_id"`
		ResponseURL string `json:"response_url"`
		Trigger     string `json:"trigger_id"`
	}
	if err := json.Unmarshal(payload, &fields); err != nil {
		return "", r, errors.New("the payload is not a slash command")
	}
	return slash(func(key string) string {
		switch key {
		case "command":
			return fields.Command
		case "text":
			return fields.Text
		case "user_id":
			return fields.User
		case "channel_id":
			return fields.Channel
		case "response_url":
			return fields.ResponseURL
		}
		return fields.Trigger
	})
}

func slash(get func(string) string) (string, commands.Request, error) {
	r := commands.Request{
		ID: get("trigger_id"), User: get("user_id"), Channel: get("channel_id"),
		Text: get("text"), ResponseURL: get("response_url"),
	}
	name := get("command")
	if name == "" || r.User == "" || r.ID == "" {
		return "", r, errors.New("a slash command without command, user_id or trigger_id")
	}
	return name, r, nil
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
