// Package commands holds what can be asked of Sekisho and how it is answered:
// one file for each word of the slash command, each button and each job.
//
// A message is a value made by a pure function, of slack-go's Block Kit types.
// What acts on Slack, AWS or Redis is reached through a Desk.
package commands

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// Request is one slash command or one click.
type Request struct {
	ID          string // Slack's trigger_id: unique to the request, the same when it is replayed
	User        string // Slack user id
	Channel     string // Slack channel id
	Text        string // what stands behind the command
	Value       string // the clicked button's value: an id
	ResponseURL string // takes 5 answers within 30 minutes
}

// Message is an answer that only the person who asked can see.
type Message struct {
	Text    string // for notifications and screen readers
	Blocks  []slack.Block
	Replace bool // takes the place of the message whose button was clicked
}

// Command is a slash command.
type Command struct {
	Name    string // as in manifest.yml
	About   string
	Usage   string
	Answers func(context.Context, *Desk, Request) (Message, error)
}

// Button is what a click on a message calls.
type Button struct {
	Action  string // the action_id, up to its first colon
	Answers func(context.Context, *Desk, Request) (Message, error)
}

// Event is an EventBridge event, or a task of the bot's own in the same form.
type Event struct {
	ID         string          `json:"id"`
	Source     string          `json:"source"`
	DetailType string          `json:"detail-type"`
	Account    string          `json:"account"`
	Region     string          `json:"region"`
	Time       time.Time       `json:"time"`
	Detail     json.RawMessage `json:"detail"`
}

// Job is what an event calls. An error keeps the event, to be tried again.
type Job struct {
	Source     string
	DetailType string
	Run        func(context.Context, *Desk, Event) error
}

// Commands lists the slash commands. A test holds it against manifest.yml.
func Commands() []Command {
	return []Command{
		{"/ec2-pass", "A one-time pass to start a guarded EC2 instance", "[name or i-… | mine | revoke i-… | help]", ec2Pass},
	}
}

// Buttons lists what can be clicked.
func Buttons() []Button {
	return []Button{
		{actionGet, getByButton},
		{actionPage, listPage},
		{actionStart, startNow},
		{actionRevoke, revokeByButton},
	}
}

// Jobs lists the events that are acted on, by source and detail-type.
func Jobs() []Job {
	return []Job{
		{"aws.ec2", "EC2 Instance State-change Notification", stateChange},
		{"sekisho.schedule", "Sweep", sweep},
		{taskSource, taskConfirm, confirmStop},
		{taskSource, taskTell, tellAgain},
		{taskSource, taskSettle, settle},
		{taskSource, taskSay, sayAgain},
		{taskSource, taskStart, startForOwner},
	}
}

// Chat is how the bot speaks. It keeps Slack's pace itself; an error means
// that nothing was said.
type Chat interface {
	// Post says something in a channel, or in the thread of a message, and
	// returns the new message's timestamp.
	Post(ctx context.Context, channel, thread, text string, blocks []slack.Block) (ts string, err error)
	// Update rewrites a message of the bot's own; one that is gone needs none.
	Update(ctx context.Context, channel, ts, text string, blocks []slack.Block) error
	// Respond answers a request in private through its response URL.
	Respond(ctx context.Context, url, text string, blocks []slack.Block, replace bool) error
}

// Queue takes a task for later.
type Queue interface {
	// Send puts the text in the queue; it is delivered once at least, not
	// before the time has passed (15 minutes at most).
	Send(ctx context.Context, text string, after time.Duration) error
}

// Desk is what a command may use.
type Desk struct {
	Policy    *auth.Policy
	Passes    *auth.Passes
	Gate      *auth.Gate
	Sweep     *auth.Sweep
	Instances auth.InstanceFinder
	Starter   auth.Starter
	Cards     auth.CardStore
	Chat      Chat
	Queue     Queue // nil where no queue is configured: what needs one is not offered
	Now       func() time.Time
	Log       *slog.Logger

	unrecorded unrecorded
	help       helpOnce
}
