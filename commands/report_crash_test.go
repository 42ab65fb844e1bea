package commands_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/commands"
)

// TestAReportSurvivesEveryCrash ends the process at every effect that sending a
// report has, before it and after it, or lets break what the effect is on: in the
// end each part is there once, or people were told which one may be missing.
func TestAReportSurvivesEveryCrash(t *testing.T) {
	for _, breaks := range []bool{false, true} {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("breaks: %v, after: %v", breaks, after), func(t *testing.T) {
				n := 1
				for ; crashed(t, &fuse{left: n, breaks: breaks, after: after}); n++ {
				}
				if n < 20 {
					t.Errorf("sending had only %d effects", n-1)
				}
			})
		}
	}
}

// crashed says whether the fuse blew, and holds what comes after against how it
// ought to be.
func crashed(t *testing.T, f *fuse) bool {
	t.Helper()
	at := fmt.Sprintf("effect %d", f.left)
	o := newReportOffice(t)
	to := o.clock.Now()
	o.process(f)
	err, alive := survives(func() error { return o.due(to) })
	if f.blown == "" {
		o.wantOnce("without a crash")
		return false
	}
	at += " on " + f.blown
	if alive && err == nil && len(o.queue.tasks) == 0 {
		at += ", unnoticed" // of a cleaning up that was of no more use, say
	}
	o.process(nil)
	o.recovered(at, to)
	return true
}

// recovered has the schedule's event come again at once and later, and wants every
// part of the report to be there, or people to know.
func (o *reportOffice) recovered(at string, to time.Time) {
	o.t.Helper()
	for _, wait := range []time.Duration{0, time.Minute, 5 * time.Minute, 6 * time.Minute, time.Hour} {
		o.later(wait)
		if err := o.due(to); err != nil {
			o.t.Fatalf("%s: %v", at, err)
		}
		o.finish()
	}
	a, told := o.arrived(), strings.Join(o.alerts(), "\n")
	for _, part := range []struct {
		what   string
		n      int
		doubts string
	}{
		{"message", len(a.cards), "its message in Slack"},
		{"CSV", a.files[".csv"], "its files in Slack"},
		{"JSON", a.files[".json"], "its files in Slack"},
		{"mail", len(a.mails), "its mail"},
	} {
		if part.n > 1 || part.n == 0 && !strings.Contains(told, part.doubts+" may not have arrived") {
			o.t.Errorf("%s: %s, %d times; told:\n%s\n%s", at, part.what, part.n, told, o.log)
		}
	}
	for _, text := range o.alerts() {
		if !strings.Contains(text, "may not have arrived") || !strings.Contains(text, "--send --again --name weekly") {
			o.t.Errorf("%s: people hear %q", at, text)
		}
	}
	pictured := a.files[".png"] > 0
	for _, card := range a.cards {
		pictured = pictured || strings.Count(string(card.Blocks), `"slack_file"`) == 2
	}
	if !pictured && a.files[".csv"] > 0 {
		o.t.Errorf("%s: there are no pictures", at)
	}
	if len(a.mails) == 1 && len(a.shared) > 0 { // whoever goes on sends the same
		_, shared, _ := o.slack.File(a.shared[0].Files[len(a.shared[0].Files)-1].ID)
		if mailed := a.mails[0].Attached[1].Content; string(shared) != string(mailed) {
			o.t.Errorf("%s: Slack and mail have different reports:\n%s\n%s", at, shared, mailed)
		}
	}
	// Rather more than once than never: an answer may be lost, and the next one too.
	done, amiss := len(o.noted(auth.ActReport, auth.Done)), len(o.noted(auth.ActReport, auth.Refused))
	if n := done + amiss; n < 1 || n > 3 || (len(o.alerts()) > 0) != (amiss == n) {
		o.t.Errorf("%s: the trail has it as done %d times, and as not whole %d times; told:\n%s", at, done, amiss, told)
	}
}

// TestWhatMayBeMissingIsToldThroughACrash kills a second process too, while it
// finds out that the first one may have sent a part.
func TestWhatMayBeMissingIsToldThroughACrash(t *testing.T) {
	for _, part := range []string{"message", "message for the files", "files", "mail"} {
		for _, after := range []bool{false, true} {
			n := 1
			for ; crashedTwice(t, part, &fuse{left: n, after: after}); n++ {
			}
			if n < 6 {
				t.Errorf("%s: finding out had only %d effects", part, n-1)
			}
		}
	}
}

// crashedTwice says whether the fuse blew.
func crashedTwice(t *testing.T, part string, f *fuse) bool {
	t.Helper()
	at := fmt.Sprintf("%s, then effect %d", part, f.left)
	o := newReportOffice(t)
	to, delivery := o.clock.Now(), "weekly "+o.clock.Now().UTC().Format(time.RFC3339)
	begun := []string{part}
	if part == "message for the files" {
		begun = append(begun, "message")
	}
	for _, p := range begun {
		if _, err := o.memory.Begin(t.Context(), delivery, p, "a worker that is gone", to); err != nil {
			t.Fatal(err)
		}
	}
	o.later(6 * time.Minute)
	o.process(f)
	survives(func() error { return o.due(to) })
	o.process(nil)
	o.recovered(at, to)
	return f.blown != ""
}

// A worker that is at it is left alone, and so is what it has begun; what nobody
// is at any more is not sent again.
func TestAPartThatSomebodyElseIsAt(t *testing.T) {
	o := newReportOffice(t)
	to := o.clock.Now()
	delivery := "weekly " + to.UTC().Format(time.RFC3339)
	if _, err := o.memory.Begin(t.Context(), delivery, "mail", "another worker", to); err != nil {
		t.Fatal(err)
	}
	if err := o.due(to); err != nil {
		t.Fatal(err)
	}
	if a := o.arrived(); len(a.cards) != 1 || a.files[".csv"] != 1 || o.mail.asks > 0 {
		t.Errorf("%d cards, files %v; SES was asked %d times", len(a.cards), a.files, o.mail.asks)
	}
	if len(o.queue.tasks) != 1 || o.queue.tasks[0].after < 5*time.Minute {
		t.Fatalf("put off: %v", o.queue.tasks)
	}
	if all := o.noted(auth.ActReport, auth.Done); len(all) > 0 {
		t.Errorf("the trail has %+v", all)
	}
	o.wantAlerts("while another may be at it")
	if err := o.memory.Finish(t.Context(), delivery, "mail", "its mail"); err != nil {
		t.Fatal(err)
	}
	o.finish()
	o.wantAlerts("when the other is done")
	o.wantNoted(auth.ActReport, auth.Done)
	if o.mail.asks > 0 {
		t.Error("mailed twice")
	}
}

// Where an answer was lost, and with it whether a part was sent, people decide.
func TestAPartOfWhichNobodyKnows(t *testing.T) {
	for name, c := range map[string]struct {
		lose func(*reportOffice)
		want string
	}{
		"the mail":    {func(o *reportOffice) { o.mail.late = fmt.Errorf("%w: timeout", report.ErrUnsure) }, "its mail may not have arrived"},
		"the message": {func(o *reportOffice) { o.slack.loses(1, "chat.postMessage") }, "its message in Slack may not have arrived"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newReportOffice(t)
			to := o.clock.Now()
			c.lose(o)
			o.report()
			o.mail.late = nil
			for range 3 {
				o.later(day / 2)
				if err := o.due(to); err != nil {
					t.Fatal(err)
				}
				o.finish()
			}
			a := o.arrived()
			if len(a.cards) != 1 || a.files[".csv"] != 1 || a.files[".json"] != 1 || len(a.mails) != 1 {
				t.Errorf("%d cards, files %v, %d mails", len(a.cards), a.files, len(a.mails))
			}
			o.wantAlerts(name, c.want)
			wants(t, "the alert", o.alerts()[0], "The report `weekly` up to <!date^1800000000^", "sekisho report --send --again --name weekly")
			if lost := name == "the message"; lost != (len(a.stands) == 1) {
				t.Errorf("%d messages stand for it", len(a.stands))
			} else if lost && a.shared[0].ThreadTS != a.stands[0].TS {
				t.Error("its files are elsewhere")
			}
		})
	}
}

// Lambda gives a process so much time and no more: what ends with it is either
// done later or told, with whatever time is left for it: none.
func TestAReportWhoseTimeIsUp(t *testing.T) {
	for _, taken := range []bool{false, true} {
		t.Run(fmt.Sprintf("the mail was taken: %v", taken), func(t *testing.T) {
			o := newReportOffice(t)
			to := o.clock.Now()
			ctx, cancel := context.WithCancel(t.Context())
			o.Desk.Reports.Mailer = cutMail{o.mail, cancel, taken}
			if _, err := o.SendReport(ctx, auth.Actor{}, commands.ReportTask{Name: "weekly", To: to}); err == nil && !taken {
				t.Error("it is taken for sent")
			}
			o.process(nil)
			o.recovered(t.Name(), to)
			if n := len(o.arrived().mails); n != 1 || taken != (len(o.alerts()) == 1) {
				t.Errorf("%d mails, told %q", n, o.alerts())
			}
		})
	}
}

// cutMail is SES while the time runs out.
type cutMail struct {
	*mailbox
	cancel func()
	taken  bool
}

func (c cutMail) Send(ctx context.Context, m report.Mail) (string, error) {
	c.cancel()
	if !c.taken {
		return "", context.Cause(ctx)
	}
	if _, err := c.mailbox.Send(ctx, m); err != nil {
		return "", err
	}
	return "", fmt.Errorf("%w: %w", report.ErrUnsure, context.Cause(ctx))
}

// Whoever is overtaken while it makes a report sends what the other made.
func TestAReportThatAnotherWorkerMakesMeanwhile(t *testing.T) {
	o := newReportOffice(t)
	to, fast := o.clock.Now(), o.beside()
	fast.Policy.Reports = slices.Clone(o.Policy.Reports)
	fast.Policy.Reports[0].Mail = nil // it leaves something to be sent
	o.credentials.during = func() {
		o.credentials.during = nil
		o.clock.add(time.Minute)
		if err := fast.due(to); err != nil {
			t.Error(err)
		}
	}
	o.report()
	a := o.wantOnce("by two workers")
	_, shared, _ := o.slack.File(a.shared[0].Files[1].ID)
	if mailed := a.mails[0].Attached[1].Content; string(shared) != string(mailed) {
		t.Errorf("Slack and mail have different reports:\n%s\n%s", shared, mailed)
	}
}

// Eight workers at once, and the same again later, send one report.
func TestManyWorkersSendOneReport(t *testing.T) {
	o := newReportOffice(t)
	to := o.clock.Now()
	offices := []*reportOffice{o}
	for range 7 {
		offices = append(offices, o.beside())
	}
	together(offices, func(o *reportOffice) {
		if err := o.due(to); err != nil {
			t.Errorf("due: %v", err)
		}
	})
	o.finish()
	o.wantOnce("eight at once")
	o.wantNoted(auth.ActReport, auth.Done)
	o.wantAlerts("eight at once")
	for range 2 {
		o.later(10 * day)
		together(offices, func(o *reportOffice) {
			if err := o.due(to); err != nil {
				t.Errorf("due: %v", err)
			}
		})
		o.finish()
	}
	o.wantOnce("as late redeliveries")
	if kinds := slices.Compact(o.queue.kinds()); len(kinds) > 0 {
		t.Errorf("left to do: %v", kinds)
	}
}
