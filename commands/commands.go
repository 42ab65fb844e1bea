// Package commands holds what can be asked of Sekisho and how it is answered:
// one file for each word of the slash command, each button and each job.
//
// A message is a value made by a pure function, of slack-go's Block Kit types.
// What acts on Slack, AWS or Redis is reached through a Desk.
package commands

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/doctor"
	"sekisho/auth/purge"
	"sekisho/auth/report"
)

// Request is one slash command, click, submitted form or shortcut.
type Request struct {
	ID          string            // Slack's trigger_id: unique to the request, the same when it is replayed
	Door        string            // through which it came
	User        string            // Slack user id
	Channel     string            // Slack channel id; empty in a modal and in the Home tab
	Text        string            // what stands behind the command
	Value       string            // the clicked button's value, or a form's metadata: an id
	Fields      map[string]string // what was put into a form, by block id
	ResponseURL string            // takes 5 answers within 30 minutes; empty in a modal and in the Home tab
	Home        bool              // the click was on the Home tab
}

// The doors, as the trail names them. What the queue brings is told from what
// somebody did by the source of the event.
const doorEvents = "events"

func (r Request) actor() auth.Actor {
	return auth.Actor{User: r.User, Door: r.Door, Source: r.ID}
}

// Message is an answer that only the person who asked can see. The zero
// Message says nothing: what there was to say was said in another way.
type Message struct {
	Text    string // for notifications and screen readers
	Blocks  []slack.Block
	Replace bool              // takes the place of the message whose button was clicked
	Wrong   map[string]string // of a form, by block id: what to mend before it is sent again
	Encoded *Encoded          // of a message that never changes; else nil
}

// Encoded keeps the encoding of a message that never changes, so that a door
// makes it once. It is safe for concurrent use.
type Encoded struct {
	once sync.Once
	text []byte
	err  error
}

// By encodes the message when it is first asked for.
func (e *Encoded) By(encode func() ([]byte, error)) ([]byte, error) {
	e.once.Do(func() { e.text, e.err = encode() })
	return e.text, e.err
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

// Form is what a modal's submit button calls.
type Form struct {
	Callback string // the modal's callback_id
	Answers  func(context.Context, *Desk, Request) (Message, error)
}

// Shortcut is what can be called from Slack's shortcuts menu.
type Shortcut struct {
	Callback string // as in manifest.yml
	Name     string
	About    string
	Answers  func(context.Context, *Desk, Request) (Message, error)
}

// Notice is an event of Slack's Events API.
type Notice struct {
	Type string // as in manifest.yml's bot_events
	Run  func(context.Context, *Desk, Request) error
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

// Prompt says that it comes as soon as it can: the bot's own tasks wait on
// purpose, and CloudTrail tells of a call minutes later.
func (e Event) Prompt() bool { return e.Source != taskSource && e.DetailType != calledByTrail }

func (e Event) actor() auth.Actor { return auth.Actor{Door: doorEvents, Source: e.ID} }

// Job is what an event calls. An error keeps the event, to be tried again.
type Job struct {
	Source     string
	DetailType string
	Door       auth.Door // of the process that does it: DoorGate or DoorKeys
	Run        func(context.Context, *Desk, Event) error
	Within     time.Duration // how long it may take; 0: as long as most
}

// Commands lists the slash commands. A test holds it and the lists of
// shortcuts and notices against manifest.yml.
func Commands() []Command {
	return []Command{
		{"/ec2-pass", "A one-time pass to start a guarded EC2 instance", "[name or i-… for a reason | list | mine | break-glass … | help]", ec2Pass},
		{"/sekisho", "What Sekisho looks after besides instances", "[keys | keys USER | report [starts | keys | users] [7d] | doctor | help]", sekisho},
	}
}

// Buttons lists what can be clicked.
func Buttons() []Button {
	return []Button{
		{actionAsk, openAsk},
		{actionGet, getByButton},
		{actionPage, listPage},
		{actionStart, startNow},
		{actionRevoke, revokeByButton},
		{actionApprove, approve},
		{actionDeny, openDeny},
		{actionShow, show},
		{actionWithdraw, withdrawByButton},
		{actionBreak, breakGlassConfirmed},
		{actionKeyOff, keyOff},
		{actionKeyUndo, keyUndo},
		{actionKeyKeep, openKeyKeep},
		{actionKeyExempt, openKeyExempt},
		{actionConfirmHold, confirmHold},
	}
}

// Forms lists the modals that can be submitted.
func Forms() []Form {
	return []Form{
		{formAsk, askByForm},
		{formDeny, deny},
		{formKeyKeep, keepKey},
		{formKeyExempt, exemptKey},
	}
}

// Shortcuts lists what stands in Slack's shortcuts menu.
func Shortcuts() []Shortcut {
	return []Shortcut{
		{"ec2_pass", "Ask for a pass", "Pick a guarded EC2 instance and get a one-time pass", openAsk},
	}
}

// Notices lists the events of Slack's that are acted on.
func Notices() []Notice {
	return []Notice{
		{"app_home_opened", homeOpened},
	}
}

// The detail-types of AWS's events.
const (
	stateChanged      = "EC2 Instance State-change Notification"
	calledByTrail     = "AWS API Call via CloudTrail"
	complianceChanged = "Config Rules Compliance Change"
	mailBounced       = "Email Bounced"
	mailComplaint     = "Email Complaint Received"
	mailRejected      = "Email Rejected"
)

// Jobs lists the events that are acted on, by source and detail-type.
func Jobs() []Job {
	// IAM answers a few calls a second: the access keys of a big account take
	// minutes. The queue and Lambda give no job more than 14 and 15.
	const usual, long = 0, 13 * time.Minute
	const gate, keys = auth.DoorGate, auth.DoorKeys
	return []Job{
		{"aws.ec2", stateChanged, gate, stateChange, usual},
		{"aws.ec2", calledByTrail, gate, nameCaller, usual},
		{"aws.config", complianceChanged, keys, compliance, usual},
		{"sekisho.schedule", "Sweep", gate, sweep, usual},
		{"sekisho.schedule", "Keys", keys, keySweep, long},
		{"sekisho.schedule", "Report", keys, reportDue, long},
		{"aws.ses", mailBounced, keys, mailCameBack, usual},
		{"aws.ses", mailComplaint, keys, mailCameBack, usual},
		{"aws.ses", mailRejected, keys, mailCameBack, usual},
		{taskSource, taskConfirm, gate, confirmStop, usual},
		{taskSource, taskTell, gate, tellAgain, usual},
		{taskSource, taskSettle, gate, settle, usual},
		{taskSource, taskSay, gate, sayAgain, usual},
		{taskSource, taskStart, gate, startForOwner, usual},
		{taskSource, taskAttend, gate, attend, usual},
		{taskSource, taskRecord, gate, recordAgain, usual},
		{taskSource, taskCaller, gate, nameCallerAgain, usual},
		{taskSource, taskKey, keys, attendKey, usual},
		{taskSource, taskHold, keys, tellHoldAgain, usual},
		{taskSource, taskLetEnd, keys, letEnd, long},
		{taskSource, taskKeys, keys, sendKeys, long},
		{taskSource, taskReport, keys, sendReportAgain, long},
		{taskSource, taskReportFor, keys, reportFor, long},
		{taskSource, taskDoctor, keys, examine, usual},
	}
}

// Chat is how the bot speaks. It keeps Slack's pace itself.
type Chat interface {
	// Post says something in a channel, or in the thread of a message, and
	// returns the new message's timestamp. The error wraps auth.ErrNotReachable
	// where the channel does not take it, however often it is tried, and
	// report.ErrUnsure where it may have been said.
	Post(ctx context.Context, channel, thread, text string, blocks []slack.Block) (ts string, err error)
	// Update rewrites a message of the bot's own; one that is gone needs none. The
	// error is as Post's.
	Update(ctx context.Context, channel, ts, text string, blocks []slack.Block) error
	// Respond answers a request in private through its response URL.
	Respond(ctx context.Context, url, text string, blocks []slack.Block, replace bool) error
}

// Private is how the bot speaks to one person. Where that person cannot be
// reached in this way, the error wraps auth.ErrNotReachable.
type Private interface {
	// Direct writes a direct message.
	Direct(ctx context.Context, user, text string, blocks []slack.Block) (channel, ts string, err error)
	// Whisper says something in a channel that only the person sees, if they
	// are there and looking.
	Whisper(ctx context.Context, channel, user, text string, blocks []slack.Block) error
}

// Views shows what is not a message.
type Views interface {
	// Open opens a modal. A trigger is good for 3 seconds, and once.
	Open(ctx context.Context, trigger string, v slack.ModalViewRequest) error
	// Publish sets the person's Home tab.
	Publish(ctx context.Context, user string, blocks []slack.Block) error
}

// Files puts files into Slack.
type Files interface {
	// Upload hands a file over. Nobody sees it before it is shared, and after a
	// while Slack throws one away that never is. The error wraps
	// auth.ErrNotReachable where Slack takes no such file, however often it is tried.
	Upload(ctx context.Context, f report.File) (report.SlackFile, error)
	// Share shows files in a message's thread. Without a channel nobody sees them
	// still, and image blocks may show them. Each can be shared once. The error is
	// as Upload's, or wraps report.ErrUnsure where they may be shown all the same.
	Share(ctx context.Context, channel, thread string, files []report.SlackFile) error
}

// Queue takes a task for later.
type Queue interface {
	// Send puts the text in the queue; it is delivered once at least, not
	// before the time has passed (15 minutes at most).
	Send(ctx context.Context, text string, after time.Duration) error
}

// Firsts knows what was done before.
type Firsts interface {
	// First says whether nobody has asked for this within the time.
	First(ctx context.Context, what string, within time.Duration) (bool, error)
}

// Desk is what a command may use.
type Desk struct {
	Policy    *auth.Policy
	Passes    *auth.Passes
	Requests  *auth.Requests
	Gate      *auth.Gate
	Sweep     *auth.Sweep
	Purge     *purge.Purge // nil where the policy has no keys: part
	Firsts    Firsts
	Instances auth.InstanceFinder
	Starter   auth.Starter
	Cards     auth.CardStore
	Policies  auth.PolicyStore
	Directory auth.Directory
	Trail     auth.Trail
	Chat      Chat
	Private   Private
	Views     Views
	Files     Files
	Reports   *Reports       // nil in a program that makes none
	Doctor    *doctor.Doctor // nil in a program that has none
	Queue     Queue          // of the gate's tasks; nil where no queue is configured: what needs one is not offered
	KeysQueue Queue          // of the tasks about access keys and reports; nil where Queue takes them too
	Now       func() time.Time
	Log       *slog.Logger
	// Check says what of the policy's channels and groups Slack does not know.
	Check func(context.Context) error
	// Lines takes the trail as lines of JSON besides, for those who keep logs.
	Lines io.Writer
	Meter Meter // nil where nobody measures

	unrecorded unrecorded
	help       helpOnce
	lines      sync.Mutex
	policy     policyOnce
	turned     turnedAway
}
