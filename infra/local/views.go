package local

import (
	"context"
	"slices"

	"sekisho/infra/local/slacksim"
)

// What a person does with the app's views: its Home tab, its shortcuts, and the modals that it opens for them. Each
// returns when the bot has acknowledged.

type homeInput struct {
	As string `json:"as"`
}

func (w *World) openHome(ctx context.Context, in homeInput) error {
	return slackRefusal(w.Slack.OpenHome(ctx, in.As))
}

type shortcutInput struct {
	As       string `json:"as"`
	Shortcut string `json:"shortcut"` // callback id
}

func (w *World) shortcut(ctx context.Context, in shortcutInput) error {
	return slackRefusal(w.Slack.Shortcut(ctx, in.As, in.Shortcut))
}

type pressInput struct {
	As     string `json:"as"`
	View   string `json:"view"`
	Block  string `json:"block"`
	Action string `json:"action"`
}

// press is a button in a view.
func (w *World) press(ctx context.Context, in pressInput) error {
	return slackRefusal(w.Slack.ClickView(ctx, in.As, in.View, in.Block, in.Action))
}

type submitInput struct {
	As     string                           `json:"as"`
	View   string                           `json:"view"`
	Values map[string]map[string]valueInput `json:"values"` // by block_id, then action_id
}

// valueInput is what one field holds.
type valueInput struct {
	Value    string `json:"value,omitempty"`    // typed
	Selected string `json:"selected,omitempty"` // the picked option's value
	Date     string `json:"date,omitempty"`     // picked
}

// submit sends a modal's fields. What the bot finds wrong with them comes with the next snapshot.
func (w *World) submit(ctx context.Context, in submitInput) error {
	values := map[string]map[string]slacksim.Input{}
	for block, actions := range in.Values {
		values[block] = map[string]slacksim.Input{}
		for action, v := range actions {
			values[block][action] = slacksim.Input(v)
		}
	}
	err := w.Slack.Submit(ctx, in.As, in.View, values)
	told := func(v slacksim.View) bool { return v.ID == in.View && len(v.Errors) > 0 }
	if slices.ContainsFunc(w.Slack.Views(in.As), told) {
		return nil // in the modal, under the field or for the whole of it
	}
	return slackRefusal(err)
}

type closeInput struct {
	As   string `json:"as"`
	View string `json:"view"`
}

func (w *World) closeView(_ context.Context, in closeInput) error {
	return slackRefusal(w.Slack.CloseView(in.As, in.View))
}
