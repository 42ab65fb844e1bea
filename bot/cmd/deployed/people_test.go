package deployed

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

const (
	ops       = "C0OPS"
	alerts    = "C0ALERTS"
	approvals = "C0APPROVE"
	keysRoom  = "C0KEYS"
	reports   = "C0REPORT"

	hana = "U0HANA"
	ben  = "U0BEN"
	rosa = "U0ROSA"
)

// sees waits for a message like this that holds all the texts.
func (w *world) sees(what string, like func(slacksim.Message) bool, texts ...string) (found slacksim.Message) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	all, err := w.Slack.Wait(ctx, func(all []slacksim.Message) bool {
		n := slices.IndexFunc(all, func(m slacksim.Message) bool { return like(m) && holds(m, texts) })
		if n >= 0 {
			found = all[n]
		}
		return n >= 0
	})
	if err != nil {
		for _, m := range all {
			if like(m) {
				w.t.Logf("%s: %s", m.Channel, readable(m))
			}
		}
		w.t.Fatalf("%s: no message with %q: %v", what, texts, err)
	}
	return found
}

// card waits for a message that everybody in the channel sees.
func (w *world) card(channel string, texts ...string) slacksim.Message {
	w.t.Helper()
	return w.sees(channel, func(m slacksim.Message) bool { return m.Channel == channel && !m.Ephemeral }, texts...)
}

// told waits for an answer that only the person sees.
func (w *world) told(user, channel string, texts ...string) slacksim.Message {
	w.t.Helper()
	return w.sees(user, func(m slacksim.Message) bool { return m.Channel == channel && m.Ephemeral && m.To == user }, texts...)
}

// direct waits for a direct message to the person.
func (w *world) direct(user string, texts ...string) slacksim.Message {
	w.t.Helper()
	channel := "D" + strings.TrimPrefix(user, "U")
	return w.sees(user, func(m slacksim.Message) bool { return m.Channel == channel && !m.Ephemeral }, texts...)
}

// asks types a command, and waits for the private answer.
func (w *world) asks(user, command, line string, texts ...string) slacksim.Message {
	w.t.Helper()
	before := map[string]bool{}
	for _, m := range w.Slack.Messages(ops, user) {
		before[m.ID] = true
	}
	w.do(w.Slack.Command(w.ctx, user, ops, command, line))
	return w.sees(command+" "+line, func(m slacksim.Message) bool {
		return m.Channel == ops && m.Ephemeral && m.To == user && !before[m.ID]
	}, texts...)
}

// press clicks the message's button with this action.
func (w *world) press(user string, m slacksim.Message, action string) {
	w.t.Helper()
	w.do(w.Slack.ClickSeen(w.ctx, user, m, w.button(m.Blocks, action), action))
}

// button finds the block that has it.
func (w *world) button(text json.RawMessage, action string) (block string) {
	w.t.Helper()
	type element struct {
		Action string `json:"action_id"`
	}
	var blocks []struct {
		ID        string `json:"block_id"`
		Elements  []element
		Accessory element
	}
	w.do(json.Unmarshal(text, &blocks))
	for _, b := range blocks {
		if slices.Contains(append(b.Elements, b.Accessory), element{action}) {
			return b.ID
		}
	}
	w.t.Fatalf("there is no button %q in %s", action, text)
	return ""
}

// fills waits for a modal with this title, and submits it.
func (w *world) fills(user, title string, fields map[string]slacksim.Input) {
	w.t.Helper()
	values := make(map[string]map[string]slacksim.Input)
	for name, in := range fields {
		values[name] = map[string]slacksim.Input{name: in}
	}
	w.do(w.Slack.Submit(w.ctx, user, w.modal(user, title).ID, values))
}

func (w *world) modal(user, title string) slacksim.View {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	changes := w.Slack.Changes(ctx)
	for {
		for _, v := range w.Slack.Views(user) {
			if v.Title == title {
				return v
			}
		}
		select {
		case <-changes:
		case <-ctx.Done():
			w.t.Fatalf("%s never saw the modal %q; open are %+v", user, title, w.Slack.Views(user))
		}
	}
}

func holds(m slacksim.Message, texts []string) bool {
	text := readable(m)
	return !slices.ContainsFunc(texts, func(t string) bool { return !strings.Contains(text, t) })
}

// readable is all text of a message, its JSON escapes undone.
func readable(m slacksim.Message) string {
	var blocks any
	json.Unmarshal(m.Blocks, &blocks) // Slack has checked them
	out := m.Text
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			out += "\n" + v
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	walk(blocks)
	return out
}

func (a *account) instance(name string) awssim.Instance {
	a.t.Helper()
	all := a.AWS.Instances()
	n := slices.IndexFunc(all, func(i awssim.Instance) bool { return i.Name == name })
	if n < 0 {
		a.t.Fatalf("there is no instance %s", name)
	}
	return all[n]
}

// becomes waits for an instance to come to a state.
func (w *world) becomes(name, state string) {
	w.t.Helper()
	w.until(name+" is "+state, func() bool { return w.instance(name).State == state })
}

func (w *world) start(name string) {
	w.t.Helper()
	w.do(w.AWS.StartInstance(w.instance(name).ID))
}

// launch makes a guarded instance of some kind, which starts at once.
func (w *world) launch(i awssim.Instance) {
	w.t.Helper()
	i.Tags = map[string]string{"Name": i.Name, "Sekisho": "guarded"}
	_, err := w.AWS.Launch(i)
	w.do(err)
}

// key is an access key as IAM has it; nil where there is none.
func (w *world) key(id string) *awssim.AccessKey {
	for _, u := range w.AWS.Users() {
		for _, k := range u.Keys {
			if k.ID == id {
				return &k
			}
		}
	}
	return nil
}
