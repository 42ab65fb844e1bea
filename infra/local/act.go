package local

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

// maxBody bounds what the page may post; the longest thing is a message.
const maxBody = 64 << 10

// maxText is how long a message may be. https://docs.slack.dev/changelog/2018-04-truncating-really-long-messages
const maxText = 40_000

// refusal is what the page shows when something was not done: a code, as Slack or AWS has it, and a sentence.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Code + ": " + r.Message }

// typed is a line that a person wrote. A command is shown to nobody else.
type typed struct {
	at            time.Time
	user, channel string
	text          string
}

func (t typed) isCommand() bool { return strings.HasPrefix(t.text, "/") }

// act serves one thing that the page can do: JSON in, nothing or a refusal out.
func act[In any](do func(context.Context, In) error) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		var in In
		body := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxBody))
		body.DisallowUnknownFields()
		if err := body.Decode(&in); err != nil {
			writeRefusal(rw, http.StatusBadRequest, "bad_request", err.Error())
			return
		}
		err := do(r.Context(), in)
		if err == nil {
			rw.WriteHeader(http.StatusNoContent)
			return
		}
		refused, ok := errors.AsType[*refusal](err)
		if !ok {
			refused = &refusal{"not_done", err.Error()}
		}
		writeRefusal(rw, http.StatusUnprocessableEntity, refused.Code, refused.Message)
	}
}

func writeRefusal(rw http.ResponseWriter, status int, code, message string) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(status)
	json.NewEncoder(rw).Encode(refusal{code, message}) // a page that has gone needs no answer
}

type commandInput struct {
	As      string `json:"as"`
	Channel string `json:"channel"`
	Text    string `json:"text"`
}

// command is somebody sending a line: a slash command to the bot, anything else to the channel. It returns when the
// bot has acknowledged the command, or Slack has told the person that it did not.
func (w *World) command(ctx context.Context, in commandInput) error {
	text := strings.TrimSpace(in.Text)
	name, rest, _ := strings.Cut(text, " ")
	switch {
	case text == "":
		return &refusal{"no_text", "There is nothing to send."}
	case len(text) > maxText:
		return &refusal{"msg_too_long", fmt.Sprintf("A message has at most %d characters.", maxText)}
	case !w.isIn(in.As, in.Channel):
		return &refusal{"not_in_channel", "This person is not in that channel."}
	case strings.HasPrefix(text, "/") && !slices.ContainsFunc(w.opts.Commands, func(c Command) bool { return c.Name == name }):
		return &refusal{"invalid_command", name + " is not a command of this workspace."}
	}
	w.mu.Lock()
	w.typed = append(w.typed, typed{at: w.opts.Now(), user: in.As, channel: in.Channel, text: text})
	w.mu.Unlock()
	w.changed()
	if !strings.HasPrefix(text, "/") {
		return nil
	}
	err := w.Slack.Command(ctx, in.As, in.Channel, name, strings.TrimSpace(rest))
	if _, told := errors.AsType[*slacksim.DeliveryError](err); told {
		return nil // in the channel, in Slack's own words
	}
	return slackRefusal(err)
}

func (w *World) isIn(user, channel string) bool {
	return slices.ContainsFunc(w.Slack.Channels(user), func(c slacksim.Channel) bool { return c.ID == channel })
}

type clickInput struct {
	As      string `json:"as"`
	Channel string `json:"channel"`
	Message string `json:"message"`
	Block   string `json:"block"`
	Action  string `json:"action"`
}

func (w *World) click(ctx context.Context, in clickInput) error {
	return slackRefusal(w.Slack.Click(ctx, in.As, in.Channel, in.Message, in.Block, in.Action))
}

func slackRefusal(err error) error {
	if err == nil {
		return nil
	}
	if failed, ok := errors.AsType[*slacksim.DeliveryError](err); ok {
		if errors.Is(err, slacksim.ErrNotInteractive) {
			return &refusal{failed.Code, "This app is not configured to handle interactive responses."}
		}
		return &refusal{failed.Code, failed.What + " did not reach the bot, or the bot did not answer in time."}
	}
	return &refusal{"slack", err.Error()}
}

type ec2Input struct {
	As      string `json:"as"` // who is signed in to the console; nobody is the IAM user "console"
	Do      string `json:"do"` // "start", "stop", "terminate", "tag", "untag", "launch"
	ID      string `json:"id"`
	Key     string `json:"key"`
	Value   string `json:"value"`
	Name    string `json:"name"`
	Guarded bool   `json:"guarded"`
}

// principal is the IAM user that a person of the cast is.
func principal(id string) (string, error) {
	if id == "" {
		return "console", nil
	}
	for _, p := range cast() {
		if p.ID == id {
			return p.Name, nil
		}
	}
	return "", &refusal{"user_not_found", fmt.Sprintf("nobody here is %q", id)}
}

// ec2 is somebody using the EC2 console. What EC2 refuses is written down for all to see, as well as answered.
func (w *World) ec2(_ context.Context, in ec2Input) error {
	user, err := principal(in.As)
	if err != nil {
		return err
	}
	switch in.Do {
	case "start":
		w.aboutToStart(in.ID)
		err = w.AWS.StartInstanceAs(in.ID, user)
	case "stop":
		err = w.AWS.StopInstance(in.ID)
	case "terminate":
		err = w.AWS.Terminate(in.ID)
	case "tag":
		err = w.AWS.SetTag(in.ID, in.Key, in.Value)
	case "untag":
		err = w.AWS.DeleteTag(in.ID, in.Key)
	case "launch":
		err = w.launch(in, user)
	default:
		return &refusal{"bad_request", fmt.Sprintf("the console cannot %q", in.Do)}
	}
	return w.notDone(err, entry{Instance: in.ID, Detail: "Console: " + in.Do + " refused"})
}

func (w *World) launch(in ec2Input, user string) error {
	if in.Name == "" {
		w.mu.Lock()
		w.launched++
		in.Name = fmt.Sprintf("new-%d", w.launched)
		w.mu.Unlock()
	}
	tags := map[string]string{}
	if in.Guarded {
		tags[guardTag] = guardedValue
	}
	_, err := w.AWS.LaunchAs(awssim.Instance{Name: in.Name, Type: "t3.small", Tags: tags}, user)
	return err
}
