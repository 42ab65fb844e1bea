package local

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

// passCode is the only pass that the stand-in bot knows.
const passCode = "TEST-CODE-0000-1111"

// firstDate is the one that the stand-in's modal proposes.
const firstDate = "2026-12-24"

// standIn is a bot of a few lines that plays Sekisho's part, with the same client libraries and nothing but the
// environment that the world gives: it hands out one pass, and stops what starts without it.
type standIn struct {
	slack *slack.Client
	ec2   *ec2.Client
	sqs   *sqs.Client
	queue string
}

// useEnvironment gives this process the world's environment until the test ends.
func useEnvironment(t *testing.T, w *World) map[string]string {
	t.Helper()
	env := map[string]string{}
	for _, line := range w.Env() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
		t.Setenv(name, value)
	}
	return env
}

// startStandIn runs the stand-in until the test ends, and returns when its socket is open.
func startStandIn(t *testing.T, w *World) {
	t.Helper()
	env := useEnvironment(t, w)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := &standIn{
		slack: slack.New(env["SLACK_BOT_TOKEN"], slack.OptionAppLevelToken(env["SLACK_APP_TOKEN"]), slack.OptionAPIURL(env["SLACK_API_URL"])),
		ec2:   ec2.NewFromConfig(cfg),
		sqs:   sqs.NewFromConfig(cfg),
		queue: env["SEKISHO_QUEUE_URL"],
	}
	socket := socketmode.New(b.slack, socketmode.OptionLog(log.New(io.Discard, "", 0)))
	ctx, cancel := context.WithCancel(context.Background())
	ready := make(chan struct{})
	done := make(chan struct{}, 3)
	go func() { socket.RunContext(ctx); done <- struct{}{} }()
	go func() { b.answer(ctx, socket, ready); done <- struct{}{} }()
	go func() { b.guard(ctx); done <- struct{}{} }()
	t.Cleanup(func() {
		cancel()
		for range cap(done) {
			<-done
		}
	})
	<-ready
}

func (b *standIn) answer(ctx context.Context, socket *socketmode.Client, ready chan struct{}) {
	for {
		select {
		case <-ctx.Done():
			return
		case event := <-socket.Events:
			switch event.Type {
			case socketmode.EventTypeHello:
				if ready != nil {
					close(ready)
					ready = nil
				}
			case socketmode.EventTypeSlashCommand:
				command := event.Data.(slack.SlashCommand)
				if command.Text == "" {
					socket.AckCtx(ctx, event.Request.EnvelopeID, nil)
					b.slack.OpenViewContext(ctx, command.TriggerID, askModal())
					continue
				}
				socket.AckCtx(ctx, event.Request.EnvelopeID, b.pass(command))
			case socketmode.EventTypeInteractive:
				done := event.Data.(slack.InteractionCallback)
				socket.AckCtx(ctx, event.Request.EnvelopeID, b.wrong(done))
				b.interaction(ctx, done)
			case socketmode.EventTypeEventsAPI:
				socket.AckCtx(ctx, event.Request.EnvelopeID, nil)
				if opened, ok := event.Data.(slackevents.EventsAPIEvent).InnerEvent.Data.(*slackevents.AppHomeOpenedEvent); ok {
					b.slack.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: opened.User, View: homeTab(opened.User)})
				}
			}
		}
	}
}

func (b *standIn) pass(command slack.SlashCommand) any {
	text := func(s string) *slack.TextBlockObject { return slack.NewTextBlockObject("mrkdwn", s, false, false) }
	start := slack.NewButtonBlockElement("pass_start", "1", slack.NewTextBlockObject("plain_text", "Start it now", false, false)).WithStyle(slack.StylePrimary)
	start.WithConfirm(slack.NewConfirmationBlockObject(
		slack.NewTextBlockObject("plain_text", "Start this instance?", false, false),
		text("I set the tag and start it for you."),
		slack.NewTextBlockObject("plain_text", "Start it", false, false),
		slack.NewTextBlockObject("plain_text", "Not yet", false, false)))
	return map[string]any{"response_type": "ephemeral", "text": "Your pass", "blocks": []slack.Block{
		slack.NewSectionBlock(text(":ticket: *One-time pass for "+command.Text+"*   `i-0b7a30000000000a1`"), nil, nil),
		slack.NewSectionBlock(text("```"+passCode+"```"), nil, nil),
		slack.NewSectionBlock(text("Good until *<!date^1893456000^{date_short_pretty} at {time}|later>*, for one start, by you. Put it into the tag `Auth` and start the instance:"), nil, nil),
		slack.NewSectionBlock(text("```aws ec2 create-tags --region eu-central-1 --resources i-0b7a30000000000a1 --tags Key=Auth,Value="+passCode+"\naws ec2 start-instances --region eu-central-1 --instance-ids i-0b7a30000000000a1```"), nil, nil),
		slack.NewActionBlock("", start, slack.NewButtonBlockElement("pass_revoke", "1", slack.NewTextBlockObject("plain_text", "Revoke", false, false))),
		slack.NewContextBlock("", text("The code is shown this once; I keep no copy.")),
	}}
}

// wrong is what the stand-in answers to a submission that says no; nothing closes the modal.
func (b *standIn) wrong(done slack.InteractionCallback) any {
	if done.Type != slack.InteractionTypeViewSubmission || done.View.State.Values["reason"]["reason"].Value != "no" {
		return nil
	}
	return slack.NewErrorsViewSubmissionResponse(map[string]string{"reason": "Say more than <b>no</b>."})
}

// interaction opens the modal on a shortcut, and tells of anything else.
func (b *standIn) interaction(ctx context.Context, done slack.InteractionCallback) {
	text := ""
	switch done.Type {
	case slack.InteractionTypeShortcut:
		b.slack.OpenViewContext(ctx, done.TriggerID, askModal())
		return
	case slack.InteractionTypeBlockActions:
		text = "pressed `" + done.ActionCallback.BlockActions[0].ActionID + "`"
	case slack.InteractionTypeViewSubmission:
		if b.wrong(done) != nil {
			return
		}
		v := done.View.State.Values
		text = "asked for " + v["instance"]["instance"].SelectedOption.Value + " (" + v["how"]["how"].SelectedOption.Value + "): " + v["reason"]["reason"].Value + ", until " + v["until"]["until"].SelectedDate
	}
	b.slack.PostMessageContext(ctx, "C0ALERTS", slack.MsgOptionText("<@"+done.User.ID+"> "+text, false))
}

func words(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject("plain_text", s, false, false)
}

func askModal() slack.ModalViewRequest {
	var names []*slack.OptionBlockObject
	for _, i := range instances() {
		names = append(names, slack.NewOptionBlockObject(i.ID, words(i.Name), words(i.Type)))
	}
	reason := slack.NewPlainTextInputBlockElement(words("A ticket, a task"), "reason").WithMultiline(true).WithMinLength(2).WithMaxLength(150)
	how := slack.NewRadioButtonsBlockElement("how",
		slack.NewOptionBlockObject("self", words("I start it myself"), words("You get a one-time password.")),
		slack.NewOptionBlockObject("now", words("Start it for me"), nil))
	how.InitialOption = how.Options[0]
	ticket := slack.NewInputBlock("ticket", words("Ticket"), nil, slack.NewPlainTextInputBlockElement(nil, "ticket")).WithOptional(true)
	until := slack.NewDatePickerBlockElement("until")
	until.InitialDate = firstDate
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: "ask", Title: words("Ask for a pass"), Submit: words("Ask"), Close: words("Not now"),
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "*One pass*, for one start. <!subteam^S0LEADS> may have to approve.", false, false), nil, nil),
			slack.NewInputBlock("instance", words("Instance"), nil, slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, words("Type a name"), "instance", names...)),
			slack.NewInputBlock("reason", words("Reason"), words("Approvers see it."), reason),
			slack.NewInputBlock("how", words("How?"), nil, how),
			ticket,
			slack.NewInputBlock("until", words("Until"), nil, until),
			slack.NewActionBlock("more", slack.NewButtonBlockElement("modal_help", "1", words("What is this?"))),
		}},
	}
}

func homeTab(user string) slack.HomeTabViewRequest {
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: []slack.Block{
		slack.NewHeaderBlock(words("Your passes")),
		slack.NewSectionBlock(slack.NewTextBlockObject("mrkdwn", "<@"+user+">, you have none.", false, false), nil, nil),
		slack.NewActionBlock("home", slack.NewButtonBlockElement("home_ask", "1", words("Ask for one")).WithStyle(slack.StylePrimary)),
	}}}
}

// guard reads state changes from the queue, as the real bot does.
func (b *standIn) guard(ctx context.Context) {
	for ctx.Err() == nil {
		got, err := b.sqs.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &b.queue, WaitTimeSeconds: 20})
		if err != nil {
			continue
		}
		for _, m := range got.Messages {
			var event struct {
				Detail struct {
					ID    string `json:"instance-id"`
					State string
				}
			}
			if json.Unmarshal([]byte(*m.Body), &event) == nil && event.Detail.State == "pending" {
				b.judge(ctx, event.Detail.ID)
			}
			b.sqs.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &b.queue, ReceiptHandle: m.ReceiptHandle})
		}
	}
}

func (b *standIn) judge(ctx context.Context, id string) {
	found, err := b.ec2.DescribeInstances(ctx, &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		return
	}
	tags := found.Reservations[0].Instances[0].Tags
	if slices.ContainsFunc(tags, func(t types.Tag) bool { return *t.Key == passTag && *t.Value == passCode }) {
		b.ec2.DeleteTags(ctx, &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: aws.String(passTag)}}})
		return
	}
	b.ec2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: []string{id}})
	text := func(s string) *slack.TextBlockObject { return slack.NewTextBlockObject("mrkdwn", s, false, false) }
	b.slack.PostMessageContext(ctx, "C0ALERTS", slack.MsgOptionBlocks(
		slack.NewSectionBlock(text(":no_entry: Refused: *web-1* is being stopped"), nil, nil),
		slack.NewSectionBlock(nil, []*slack.TextBlockObject{text("*Instance*\n`" + id + "`"), text("*Region*\neu-central-1"), text("*Type*\nt3.small"), text("*Account*\n111122223333")}, nil),
		slack.NewSectionBlock(text("*Why:* *no pass*: the tag `Auth` was not set when the instance started."), nil, nil),
		slack.NewContextBlock("", text("Started <!date^1893456000^{date_short_pretty} at {time_secs}|then>")),
	), slack.MsgOptionText("Refused: web-1 is being stopped", false))
}

// ec2Reader looks at instances over the wire, as the bot sees them.
type ec2Reader struct{ *ec2.Client }

func newReader(t *testing.T, w *World) *ec2Reader {
	t.Helper()
	useEnvironment(t, w)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return &ec2Reader{ec2.NewFromConfig(cfg)}
}

func (r *ec2Reader) state(t *testing.T, id string) string {
	t.Helper()
	found, err := r.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	return string(found.Reservations[0].Instances[0].State.Name)
}
