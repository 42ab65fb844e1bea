package commands_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/auth/report"
	"sekisho/commands"
)

// While Slack is away its part waits, and the mail goes out, once.
func TestAReportWaitsForSlack(t *testing.T) {
	o := newReportOffice(t)
	o.slack.unplug(true)
	to := o.clock.Now()
	if err := o.due(to); err != nil {
		t.Fatal(err)
	}
	var waits []time.Duration
	for range 5 {
		waits = append(waits, o.queue.tasks[0].after)
		o.later(o.queue.tasks[0].after)
		if err := o.work(reportTask); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.IsSorted(waits) || waits[0] > 30*time.Second || waits[4] < time.Minute {
		t.Errorf("it waits %v", waits)
	}
	if a := o.arrived(); len(a.cards) > 0 || len(a.mails) != 1 {
		t.Errorf("meanwhile: %d cards, %d mails", len(a.cards), len(a.mails))
	}
	if all := o.noted(auth.ActReport, auth.Done); len(all) > 0 {
		t.Errorf("the trail has %+v", all)
	}
	o.slack.unplug(false)
	o.credentials.rows = nil // it is sent as it was made
	o.finish()
	a := o.arrived()
	if len(a.cards) != 1 || a.files[".csv"] != 1 || len(a.mails) != 1 {
		t.Errorf("then: %d cards, files %v, %d mails", len(a.cards), a.files, len(a.mails))
	}
	wants(t, "the message", string(a.cards[0].Blocks), "*IAM users* — 2")
	if o.mail.asks != 1 {
		t.Errorf("SES was asked %d times", o.mail.asks)
	}
	o.wantNoted(auth.ActReport, auth.Done)
	o.wantAlerts("soon after")
}

// Slack that answers, and not as Slack does, may have taken what it was sent: it is
// not sent twice, and people know.
func TestAReportWhileSlackIsIll(t *testing.T) {
	o := newReportOffice(t)
	to := o.clock.Now()
	o.slack.Away(true)
	if err := o.due(to); err != nil {
		t.Fatal(err)
	}
	if len(o.mail.all()) != 1 {
		t.Error("the mail waits for Slack")
	}
	o.pass(time.Minute)
	o.slack.Away(false)
	o.recovered("ill for a minute", to)
}

// Slack goes away in the middle: what is there is not put there again.
func TestAReportThatIsHalfInSlack(t *testing.T) {
	for _, c := range []struct {
		method string
		n      int
	}{{"files.getUploadURLExternal", 4}, {"files.completeUploadExternal", 1}, {"chat.postMessage", 1}} {
		t.Run(c.method, func(t *testing.T) {
			o := newReportOffice(t)
			o.slack.FailNext(c.method, "service_unavailable", c.n)
			if err := o.due(noon); err != nil {
				t.Fatal(err)
			}
			o.finish()
			a := o.arrived()
			if len(a.cards) != 1 || a.files[".csv"] != 1 || a.files[".json"] != 1 || len(a.mails) != 1 {
				t.Errorf("%d cards, files %v, %d mails; %s", len(a.cards), a.files, len(a.mails), o.log)
			}
			inMessage, inThread := strings.Count(string(a.cards[0].Blocks), `"slack_file"`), a.files[".png"]
			if inMessage+inThread != 2 || a.shared[0].ThreadTS != a.cards[0].TS {
				t.Errorf("%d pictures in the message, %d in the thread %q", inMessage, inThread, a.shared[0].ThreadTS)
			}
			o.wantAlerts(c.method)
		})
	}
}

// The app may lack a permission that somebody can give it: that is told at once.
func TestAReportWithoutThePermissionForFiles(t *testing.T) {
	o := newReportOffice(t)
	o.slack.FailNext("files.getUploadURLExternal", "missing_scope", 1000)
	o.report()
	o.wantAlerts("without the scope", "is there, but its files could not be put below it")
	wants(t, "the alert", o.alerts()[0], "The report `weekly` up to", "missing_scope", "--again --name weekly")
	if a := o.arrived(); len(a.cards) != 1 || len(a.files) > 0 || len(a.mails) != 1 {
		t.Errorf("%d cards, files %v, %d mails", len(a.cards), a.files, len(a.mails))
	}
	wants(t, "the trail", o.wantNoted(auth.ActReport, auth.Refused).Note, "Slack C0REPORT, without its files", "mail to security@example.test")
}

// What stays so is told after a while, and when the next report is due it is left.
func TestAReportThatIsStuck(t *testing.T) {
	o := newReportOffice(t)
	o.slack.FailNext("files.getUploadURLExternal", "service_unavailable", 100_000)
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	begun := o.clock.Now()
	for len(o.alerts()) == 0 && o.clock.Now().Sub(begun) < day {
		o.pass(o.queue.tasks[0].after)
	}
	if waited := o.clock.Now().Sub(begun); waited < 5*time.Minute || waited > time.Hour {
		t.Errorf("people hear of it after %s", waited)
	}
	for range 20 {
		o.pass(o.queue.tasks[0].after)
	}
	o.wantAlerts("stuck", "The report `weekly` up to")
	wants(t, "the alert", o.alerts()[0], "service_unavailable", "I keep trying", "or not all of it")
	o.later(week)
	o.pass(o.queue.tasks[0].after)
	o.wantAlerts("a week later", "I keep trying", "I do not try any more")
	if len(o.queue.tasks) > 0 {
		t.Errorf("to do: %v", o.queue.kinds())
	}
	if a := o.arrived(); len(a.cards) != 1 || len(a.mails) != 1 {
		t.Errorf("%d cards, %d mails", len(a.cards), len(a.mails))
	}
}

// A mail that SES does not take is for people to mend; Slack's part is whole.
func TestAMailThatSESRefuses(t *testing.T) {
	o := newReportOffice(t)
	o.mail.fail = fmt.Errorf("sending: %w", &report.MailRefusal{
		Why:  "MessageRejected: Email address is not verified: <!channel> *security@example.test*",
		Next: "verify security@example.test or Ann <ann@example.test> in SES",
	})
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	if a := o.arrived(); len(a.cards) != 1 || a.files[".csv"] != 1 || len(a.mails) > 0 {
		t.Errorf("%d cards, files %v, %d mails", len(a.cards), a.files, len(a.mails))
	}
	o.wantAlerts("refused", "its mail was not sent")
	text := o.alerts()[0]
	wants(t, "the trail", o.wantNoted(auth.ActReport, auth.Refused).Note, "Slack C0REPORT; mail to security@example.test: refused by SES")
	wants(t, "the alert", text, "The report `weekly` up to", "`MessageRejected: Email address is not verified: &lt;!channel&gt; *security@example.test*`",
		"*Next:* verify security@example.test or Ann &lt;ann@example.test&gt; in SES", "`sekisho report --send --again --name weekly`")
	lacks(t, "the alert", text, "<ann", "<!channel")

	o.mail.fail = nil
	for range 3 {
		o.later(day)
		if err := o.due(noon); err != nil {
			t.Fatal(err)
		}
		o.finish()
	}
	o.wantAlerts("later", "its mail was not sent")
	if o.mail.asks != 1 {
		t.Errorf("SES was asked %d times", o.mail.asks)
	}
	if _, err := o.SendReport(t.Context(), auth.Actor{}, commands.ReportTask{Name: "weekly", To: noon, Again: "again"}); err != nil || o.mail.asks != 2 {
		t.Errorf("with again SES was asked %d times, %v", o.mail.asks, err)
	}
}

// SES away is waited for; Slack's part is not sent again meanwhile.
func TestAReportWaitsForSES(t *testing.T) {
	o := newReportOffice(t)
	o.mail.fail = errors.New("SES: ServiceUnavailable")
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		o.pass(o.queue.tasks[0].after)
	}
	o.mail.fail = nil
	o.finish()
	o.wantOnce("in the end")
	o.wantAlerts("in the end")
	o.wantNoted(auth.ActReport, auth.Done)
}

// What AWS may show in some minutes is waited for, a quarter of an hour; then the
// report says what it lacks.
func TestAReportWaitsForWhatAWSDoesNotShowYet(t *testing.T) {
	for name, tries := range map[string]int{"it comes": 2, "it does not": 3} {
		t.Run(name, func(t *testing.T) {
			o := newReportOffice(t)
			o.credentials.err = errors.New("ReportInProgress")
			if err := o.due(noon); err != nil {
				t.Fatal(err)
			}
			for n := range tries {
				if a := o.arrived(); len(a.cards)+len(a.mails) > 0 || len(o.queue.tasks) != 1 || o.queue.tasks[0].after != 5*time.Minute {
					t.Fatalf("try %d: %d cards, to do %v", n, len(a.cards), o.queue.tasks)
				}
				if comes := name == "it comes"; comes && n == tries-1 {
					o.credentials.err = nil
				}
				o.pass(5 * time.Minute)
			}
			comes := o.credentials.err == nil
			card := string(o.wantOnce("in the end").cards[0].Blocks)
			if comes == strings.Contains(card, "*Not complete.*") || comes != strings.Contains(card, "*IAM users* — 2") {
				t.Errorf("it says %s", card)
			}
			o.wantAlerts(name)
			wants(t, "the log", o.log.String(), `"msg":"a report has gaps"`, "IAM's credential report could not be read: ReportInProgress")
		})
	}
}

// Nothing is waited for that does not come by itself, nor by somebody at a
// terminal, nor where nothing can be done later.
func TestAReportThatDoesNotWaitForAWS(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		send func(*reportOffice) error
	}{
		"a permission": {&purge.Denied{Action: "iam:GenerateCredentialReport"}, func(o *reportOffice) error { return o.due(noon) }},
		"a terminal": {errors.New("AWS is busy"), func(o *reportOffice) error {
			_, err := o.SendReport(t.Context(), auth.Actor{}, commands.ReportTask{Name: "weekly", To: noon, AsItIs: true})
			return err
		}},
		"no queue": {errors.New("AWS is busy"), func(o *reportOffice) error { o.Queue = nil; return o.due(noon) }},
	} {
		o := newReportOffice(t)
		o.credentials.err = c.err
		if err := c.send(o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wants(t, name, string(o.wantOnce(name).cards[0].Blocks), "*Not complete.* `IAM's credential report could not be read")
		wants(t, "the log", o.log.String(), `"msg":"a report has gaps"`)
		if len(o.queue.tasks) > 0 {
			t.Errorf("%s: to do %v", name, o.queue.kinds())
		}
	}
}

// A channel that does not take the report is named in the one that does.
func TestAReportWhoseChannelIsClosed(t *testing.T) {
	o := newReportOffice(t)
	o.slack.FailNext("chat.postMessage", "not_in_channel", 1)
	o.report()
	a := o.in(alerts, ben)
	if len(a.cards) != 1 || a.files[".csv"] != 1 || a.shared[0].ThreadTS != a.cards[0].TS || len(o.arrived().cards) > 0 {
		t.Errorf("in the alerts: %d cards, files %v", len(a.cards), a.files)
	}
	wants(t, "the message", string(a.cards[0].Blocks), "belongs into <#C0REPORT>")
}

// A thread that takes no files, however often it is tried, is told of.
func TestAThreadThatTakesNoFiles(t *testing.T) {
	o := newReportOffice(t)
	files := &lateFault{Files: o.Files, then: func() { o.slack.FailNext("files.completeUploadExternal", "thread_not_found", 1) }}
	o.Files = files
	o.report()
	o.wantAlerts("no files", "its files could not be put below it")
	wants(t, "the alert", o.alerts()[0], "The report `weekly` up to", "thread_not_found")
	if a := o.arrived(); len(a.cards) != 1 || len(a.files) > 0 || len(a.mails) != 1 {
		t.Errorf("%d cards, files %v, %d mails", len(a.cards), a.files, len(a.mails))
	}
	o.wantNoted(auth.ActReport, auth.Refused)
}

// lateFault does something after the first time that files are shared: the pictures.
type lateFault struct {
	commands.Files
	then func()
}

func (l *lateFault) Share(ctx context.Context, channel, thread string, files []report.SlackFile) error {
	err := l.Files.Share(ctx, channel, thread, files)
	if l.then != nil {
		l.then()
		l.then = nil
	}
	return err
}

// Not every workspace takes every block: the report comes in the best form that
// this one does, and nothing is said twice.
func TestAReportInTheFormThatSlackTakes(t *testing.T) {
	for name, c := range map[string]struct {
		first    auth.TableForm
		unknown  []string
		unready  int
		want     string // the table's form
		pictures bool   // in the message
		pauses   int
	}{
		"all of it":                      {auth.DataTable, nil, 0, `"type":"data_table"`, true, 0},
		"no data_table":                  {auth.DataTable, []string{"data_table"}, 0, `"type":"table"`, true, 1},
		"neither table":                  {auth.DataTable, []string{"data_table", "table"}, 0, "```\\nUser | Score | Findings\\nben | 60", true, 1},
		"the policy says table":          {auth.Table, nil, 0, `"type":"table"`, true, 0},
		"the policy says text":           {auth.TextTable, nil, 0, "```\\nUser |", true, 0},
		"pictures a little late":         {auth.DataTable, nil, 1, `"type":"data_table"`, true, 1},
		"pictures late, no data_table":   {auth.DataTable, []string{"data_table"}, 1, `"type":"table"`, true, 1},
		"pictures never":                 {auth.DataTable, nil, 100, `"type":"data_table"`, false, 1},
		"pictures never, neither table":  {auth.DataTable, []string{"data_table", "table"}, 100, "```\\nUser |", false, 1},
		"the policy says text, no image": {auth.TextTable, []string{"image"}, 0, "```\\nUser |", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			o := newReportOffice(t)
			o.Policy.Reports[0].Tables = c.first
			o.slack.UnknownBlocks(c.unknown...)
			o.slack.FilesUnready(c.unready)
			pauses := 0
			o.Gate.Pause = func(_ context.Context, d time.Duration) error {
				if pauses++; d < time.Second || d > 10*time.Second {
					t.Errorf("it waits %s", d)
				}
				return nil
			}
			o.report()
			a := o.arrived()
			if len(a.cards) != 1 || len(a.shared) != 1 || a.files[".csv"] != 1 || a.files[".json"] != 1 {
				t.Fatalf("%d cards, files %v; %s", len(a.cards), a.files, o.log)
			}
			blocks := string(a.cards[0].Blocks)
			wants(t, "the message", blocks, c.want)
			inMessage, inThread := strings.Count(blocks, `"slack_file"`), a.files[".png"]
			if c.pictures != (inMessage == 2) || c.pictures != (inThread == 0) || inMessage+inThread != 2 || pauses != c.pauses {
				t.Errorf("%d pictures in the message, %d in the thread; it waited %d times", inMessage, inThread, pauses)
			}
		})
	}
}

// A message that Slack takes in no form at all is not tried in all of them for ever
// in silence.
func TestAReportThatSlackTakesInNoForm(t *testing.T) {
	o := newReportOffice(t)
	o.slack.UnknownBlocks("header")
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		o.pass(o.queue.tasks[0].after)
	}
	o.wantAlerts("in no form", "is not sent yet, or not all of it")
	wants(t, "the alert", o.alerts()[0], "unsupported type: header")
	o.slack.UnknownBlocks()
	o.finish()
	o.wantOnce("in the end")
}

// Without its pictures a report is sent all the same.
func TestAReportWithoutPictures(t *testing.T) {
	o := newReportOffice(t)
	o.Desk.Reports.Draw = func(report.Report) ([]report.File, error) { return nil, errors.New("no font") }
	o.report()
	a := o.arrived()
	if len(a.cards) != 1 || a.files[".csv"] != 1 || a.files[".json"] != 1 || a.files[".png"] > 0 || len(a.mails) != 1 || len(a.mails[0].Inline) > 0 {
		t.Errorf("%d cards, files %v, mails %+v", len(a.cards), a.files, a.mails)
	}
	wants(t, "the log", o.log.String(), "no font")
}

// A file that cannot be written keeps nothing else back.
func TestAReportOfWhichAPartCannotBeWritten(t *testing.T) {
	o := newReportOffice(t)
	html := o.Desk.Reports.HTML
	o.Desk.Reports.HTML = func(io.Writer, report.Report, []report.File) error { return errors.New("no page") }
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	if a := o.arrived(); len(a.cards) != 1 || a.files[".csv"] != 1 || o.mail.asks > 0 {
		t.Errorf("%d cards, files %v; SES was asked %d times", len(a.cards), a.files, o.mail.asks)
	}
	wants(t, "the log", o.log.String(), "no page")
	o.Desk.Reports.HTML = html
	o.finish()
	o.wantOnce("in the end")
}

// Nobody is kept waiting for ever: what a part may take is bounded.
func TestAPartOfAReportIsBounded(t *testing.T) {
	o := newReportOffice(t)
	within := func(ctx context.Context) {
		t.Helper()
		end, ok := ctx.Deadline()
		if left := time.Until(end); !ok || left > 5*time.Minute {
			t.Errorf("a part may take %s", left)
		}
	}
	o.Chat = &watchedChat{o.Chat, within}
	o.report()
	o.wantOnce("in its time")
}

type watchedChat struct {
	commands.Chat
	look func(context.Context)
}

func (w *watchedChat) Post(ctx context.Context, channel, thread, text string, blocks []slack.Block) (string, error) {
	w.look(ctx)
	return w.Chat.Post(ctx, channel, thread, text, blocks)
}
