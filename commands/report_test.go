package commands_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/auth/report"
	"sekisho/commands"
)

// The schedule's event becomes one message with pictures and a table, the data in
// its thread, and one mail, however often it comes.
func TestAReportArrivesOnce(t *testing.T) {
	o := newReportOffice(t)
	to := o.clock.Now()
	o.report()
	a := o.wantOnce("the first time")
	card := a.cards[0]
	wants(t, "the message", card.Text, "weekly", "account "+account, "8–15 Jan 2027")
	wants(t, "the message", string(card.Blocks), `"type":"data_table"`, `"A picture of the starts"`, "*Security score 60 of 100.*")
	for _, m := range a.shared {
		for _, f := range m.Files {
			_, text, _ := o.slack.File(f.ID)
			if !strings.HasPrefix(f.Name, "sekisho-weekly-2027-01-15.") || !strings.Contains(string(text), "hana") {
				t.Errorf("%s says %.80q", f.Name, text)
			}
		}
	}
	mail := a.mails[0]
	if mail.From != "Sekisho <bot@example.test>" || !slices.Equal(mail.To, []string{"security@example.test"}) || len(mail.Inline) != 2 ||
		len(mail.Attached) != 2 || !strings.Contains(mail.HTML, "cid:starts.png") || !strings.Contains(mail.Text, "hana") {
		t.Errorf("mailed %+v", mail)
	}
	if r, err := report.Decode(mail.Attached[1].Content); err != nil || r.Name != "weekly" || !r.Period.To.Equal(to) {
		t.Errorf("attached: %v, %v", r, err)
	}
	e := o.wantNoted(auth.ActReport, auth.Done)
	if e.Reason != "weekly" || e.Door != "events" || e.Source != "test-report" {
		t.Errorf("the trail has %+v", e)
	}
	wants(t, "the trail", e.Note, "2027-01-08T08:00:00Z to 2027-01-15T08:00:00Z", "Slack C0REPORT", "mail to security@example.test")

	for _, wait := range []time.Duration{0, time.Minute, 6 * time.Minute, day, 13 * day} {
		o.later(wait)
		if err := o.due(to); err != nil {
			t.Fatal(err)
		}
		for _, task := range []string{
			`{"name":"weekly","to":"2027-01-15T08:00:00Z","try":3}`,
			`{"name":"weekly","to":"2027-01-15T08:00:00Z","again":"forged"}`, // only a terminal has it sent again
		} {
			if err := o.run(taskOf(reportTask, task)); err != nil {
				t.Fatal(err)
			}
		}
	}
	o.finish()
	o.wantOnce("again and again")
	o.wantNoted(auth.ActReport, auth.Done)
	o.wantAlerts("all that time")
}

// The next period's report is another one, and says what changed.
func TestTheNextReportComparesWithTheOneBefore(t *testing.T) {
	o := newReportOffice(t)
	o.report()
	o.later(week)
	o.credentials.rows = append(o.credentials.rows[1:], credential("mai"), credential(report.RootUser))
	o.iam.change("hana", func(u *purge.User) { u.Keys = nil })
	o.report()
	a := o.wantTimes("two weeks", 2)
	card := string(a.cards[1].Blocks)
	wants(t, "the second", card, "compared with the report up to", "1 new user: `mai`", "▼ better, was 1")
	r := o.kept(o.clock.Now())
	if !r.Period.From.Equal(noon.UTC()) || r.Changes.Since == nil || !slices.Equal(r.Changes.UsersAdded, []string{"mai"}) {
		t.Errorf("it is of %+v, and compares with %+v", r.Period, r.Changes)
	}
	if n := len(o.noted(auth.ActReport, auth.Done)); n != 2 {
		t.Errorf("the trail has %d", n)
	}
	// The first one, should its event come late, is still the first.
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	o.wantTimes("the first one's event again", 2)
}

// No report is made behind a newer one: what it compares with is not kept.
func TestALateReportIsNotMade(t *testing.T) {
	o := newReportOffice(t)
	late := o.clock.Now()
	o.later(week)
	o.report()
	for range 2 {
		if err := o.due(late); err != nil {
			t.Fatal(err)
		}
	}
	o.wantOnce("the newer one")
	o.wantAlerts("late", "One up to")
	wants(t, "the alert", o.alerts()[0], "The report `weekly` up to <!date^1800000000^", "is not made", "was made already")
	if len(o.queue.tasks) > 0 {
		t.Errorf("to do: %v", o.queue.kinds())
	}
}

// What is kept of the report before may be unreadable: then there is none.
func TestAReportBeforeThatCannotBeRead(t *testing.T) {
	o := newReportOffice(t)
	if _, err := o.memory.PutSnapshot(t.Context(), "weekly", noon.Add(-week), []byte(`{"schema":"sekisho.report/v9"}`), 9, 99*day); err != nil {
		t.Fatal(err)
	}
	o.report()
	o.wantOnce("all the same")
	if r := o.kept(noon); r.Changes.Since != nil {
		t.Errorf("it compares with %+v", r.Changes.Since)
	}
	wants(t, "the log", o.log.String(), "reading the report before", "sekisho.report/v9")
}

func TestReportsThatGoOneWay(t *testing.T) {
	o := newReportOffice(t)
	mail := o.Policy.Reports[0].Mail
	o.Policy.Reports[0].Mail = nil
	o.report()
	if a := o.arrived(); len(a.cards) != 1 || a.files[".csv"] != 1 || len(a.mails) > 0 {
		t.Errorf("into Slack alone: %+v", a)
	}
	e := o.wantNoted(auth.ActReport, auth.Done)
	lacks(t, "the trail", e.Note, "mail")

	o.Policy.Reports[0].Mail, o.Policy.Reports[0].Slack = mail, false
	o.later(week)
	o.report()
	if a := o.arrived(); len(a.cards) != 1 || len(a.mails) != 1 {
		t.Errorf("by mail alone: %d cards, %d mails", len(a.cards), len(a.mails))
	}
	all := o.noted(auth.ActReport, auth.Done)
	lacks(t, "the trail", all[1].Note, "Slack")
}

// A schedule whose event names no report of the policy's is mended by people, who
// hear of it once a day.
func TestAScheduleThatNamesNoReport(t *testing.T) {
	o := newReportOffice(t)
	monthly := o.Policy.Reports[0]
	monthly.Name = "monthly"
	o.Policy.Reports = append(o.Policy.Reports, monthly)
	for _, name := range []string{"", "weakly<!channel>", "Weekly", "weakly<!channel>", ""} {
		if err := o.scheduled(name, o.clock.Now()); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	const has = "and the policy has `weekly`, `monthly`"
	o.wantAlerts("the same day", "the report (blank), "+has, "the report `weakly&lt;!channel&gt;`, "+has, "the report `Weekly`, "+has)
	o.later(25 * time.Hour)
	if err := o.scheduled("", o.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if n := len(o.alerts()); n != 4 {
		t.Errorf("the next day there are %d alerts", n)
	}
	o.Policy.Reports = nil
	if err := o.scheduled("weekly", o.clock.Now()); err != nil {
		t.Fatal(err)
	}
	wants(t, "without any", o.alerts()[4], "`weekly`, and the policy has none")
	if a := o.arrived(); len(a.cards)+len(a.mails) > 0 || len(o.entries()) > 0 {
		t.Errorf("sent all the same: %+v, %+v", a, o.entries())
	}
}

// An event that cannot be answered is kept: the queue brings it to the dead letters.
func TestAReportsEventThatIsKept(t *testing.T) {
	event := func(at time.Time, detail string) commands.Event {
		return commands.Event{ID: "test-report", Source: "sekisho.schedule", DetailType: "Report", Time: at, Detail: []byte(detail)}
	}
	for name, c := range map[string]struct {
		event commands.Event
		spoil func(*reportOffice)
		want  string
	}{
		"no detail":               {event(noon, ""), nil, "cannot be read"},
		"a list":                  {event(noon, "[]"), nil, "cannot be read"},
		"a program without":       {event(noon, `{"name":"weekly"}`), func(o *reportOffice) { o.Desk.Reports = nil }, "makes no reports"},
		"the trail away":          {event(noon, `{"name":"weekly"}`), func(o *reportOffice) { o.queue.away = errAway; o.redis.SetError(gone) }, "reading the trail"},
		"neither Slack nor queue": {event(noon, `{"name":"weekly"}`), func(o *reportOffice) { o.queue.away = errors.New("SQS is away"); o.slack.unplug(true) }, "SQS is away"},
		"no queue":                {event(noon, `{"name":"weekly"}`), func(o *reportOffice) { o.Queue = nil; o.slack.unplug(true) }, "C0REPORT"},
		"a task of nothing":       {taskOf(reportTask, `[]`), nil, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newReportOffice(t)
			if c.spoil != nil {
				c.spoil(o)
			}
			err := o.run(c.event)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
			o.redis.SetError("")
			if a := o.arrived(); len(a.cards) > 0 || len(o.queue.tasks) > 0 {
				t.Errorf("there are %d messages, and to do: %v", len(a.cards), o.queue.kinds())
			}
		})
	}
}

// A clock that is a little ahead is no future.
func TestAnEventALittleAhead(t *testing.T) {
	o := newReportOffice(t)
	if err := o.due(noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	o.wantOnce("a minute ahead")
}

// What cannot be made, however often it is tried, is told once a day, and not tried.
func TestAReportThatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		event commands.Event
		want  string
	}{
		"no time":             {commands.Event{Source: "sekisho.schedule", DetailType: "Report", Detail: []byte(`{"name":"weekly"}`)}, "must say when it was due as its `time`"},
		"the future":          {commands.Event{Source: "sekisho.schedule", DetailType: "Report", Time: noon.Add(6 * time.Minute), Detail: []byte(`{"name":"weekly"}`)}, "not a time to come"},
		"a task of no report": {taskOf(reportTask, `{"name":"gone<!channel>","to":"2027-01-15T08:00:00Z"}`), "The policy has no such report (any more): it has `weekly`"},
		"a task of none":      {taskOf(reportTask, `{"to":"2027-01-15T08:00:00Z"}`), "The policy has no such report"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newReportOffice(t)
			for range 3 {
				if err := o.run(c.event); err != nil {
					t.Fatal(err)
				}
			}
			o.wantAlerts(name, c.want)
			lacks(t, "the alert", o.alerts()[0], "<!channel")
			if a := o.arrived(); len(a.cards)+len(a.mails) > 0 || len(o.queue.tasks) > 0 || len(o.entries()) > 0 {
				t.Errorf("made all the same: %+v, to do %v", a, o.queue.kinds())
			}
		})
	}
}

// A schedule that runs wild, or events that somebody forges, are no way to send
// mail without end, nor to push out what is kept to compare with.
func TestAScheduleThatRunsWild(t *testing.T) {
	o := newReportOffice(t)
	for range 20 {
		o.later(time.Minute)
		if err := o.due(o.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	o.wantTimes("in 20 minutes", 6)
	o.wantAlerts("wild", "A schedule has asked for 6 of them within 84 hours")
	for ms := range 20 {
		to := noon.Add(6*time.Minute + time.Duration(ms)*time.Millisecond)
		if err := o.run(taskOf(reportTask, fmt.Sprintf(`{"name":"weekly","to":%q}`, to.UTC().Format(time.RFC3339Nano)))); err != nil {
			t.Fatal(err)
		}
	}
	o.kept(noon.Add(6 * time.Minute))
	o.later(week)
	o.report()
	o.wantTimes("the next week's", 7)
}

// A report that was put off has its turn still.
func TestAReportFindsItsOwnTurn(t *testing.T) {
	o := newReportOffice(t)
	for range 5 {
		o.later(time.Minute)
		o.report()
	}
	o.credentials.err = errors.New("ReportInProgress")
	for range 2 {
		o.later(time.Minute)
		if err := o.due(o.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	o.credentials.err = nil
	o.finish()
	o.wantTimes("the sixth, and no seventh", 6)
	o.wantAlerts("the seventh", "A schedule has asked for 6 of them")
}

// The trail says where each part went, or why it did not.
func TestWhatTheTrailSaysOfAReport(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(*reportOffice)
		outcome auth.Result
		want    string
	}{
		"all of it": {func(*reportOffice) {}, auth.Done, "Slack C0REPORT; mail to security@example.test"},
		"the alerts instead": {
			func(o *reportOffice) { o.slack.FailNext("chat.postMessage", "not_in_channel", 1) },
			auth.Done, "Slack C0ALERTS; mail to security@example.test",
		},
		"a mail refused": {
			func(o *reportOffice) { o.mail.fail = &report.MailRefusal{Why: "MessageRejected"} },
			auth.Refused, "Slack C0REPORT; mail to security@example.test: refused by SES",
		},
		"a mail in doubt": {
			func(o *reportOffice) { o.mail.late = report.ErrUnsure },
			auth.Refused, "Slack C0REPORT; mail to security@example.test: not known whether it was taken",
		},
		"a message in doubt": {
			func(o *reportOffice) { o.slack.loses(1, "chat.postMessage") },
			auth.Refused, "Slack: not known whether the message arrived; Slack C0REPORT; mail to security@example.test",
		},
		"files in doubt": {
			func(o *reportOffice) { o.slack.loses(2, "files.completeUploadExternal") },
			auth.Refused, "Slack C0REPORT, without its files; mail to security@example.test",
		},
		"files refused": {
			func(o *reportOffice) { o.slack.FailNext("files.getUploadURLExternal", "file_uploads_disabled", 100) },
			auth.Refused, "Slack C0REPORT, without its files; mail to security@example.test",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newReportOffice(t)
			c.spoil(o)
			o.report()
			const period = "2027-01-08T08:00:00Z to 2027-01-15T08:00:00Z; "
			if e := o.wantNoted(auth.ActReport, c.outcome); e.Note != period+c.want || len(o.entries()) != 1 {
				t.Errorf("the trail says %q, of %d", e.Note, len(o.entries()))
			}
			if told := len(o.alerts()) > 0; told != (name != "all of it") {
				t.Errorf("people know: %v", o.alerts())
			}
		})
	}
}

// What was put off may not be wanted any more when its time comes.
func TestAReportThatIsTakenOutOfThePolicyMeanwhile(t *testing.T) {
	o := newReportOffice(t)
	o.slack.unplug(true)
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	o.slack.unplug(false)
	o.Policy.Reports = nil
	if err := o.work(reportTask); err != nil {
		t.Fatal(err)
	}
	o.wantAlerts("taken out", "The policy has no such report (any more): it has none")
	if a := o.arrived(); len(a.cards) > 0 || len(o.queue.tasks) > 0 {
		t.Errorf("sent all the same: %+v", a)
	}
}

// Somebody at a terminal has it sent once more, to all it goes to.
func TestAReportThatIsSentAgain(t *testing.T) {
	o := newReportOffice(t)
	o.report()
	by := auth.Actor{User: "terminal:ops", Door: "terminal", Source: "ops"}
	send := func(again string, want bool) {
		t.Helper()
		sent, err := o.SendReport(t.Context(), by, commands.ReportTask{Name: "weekly", To: noon, Again: again})
		if err != nil || sent.New != want {
			t.Errorf("again %q: sent %v, %v", again, sent, err)
		}
	}
	send("", false)
	o.wantOnce("without again")
	o.later(day)
	o.credentials.rows = nil
	send("once more", true)
	send("once more", false)
	a := o.wantTimes("again", 2)
	first, second := a.mails[0].Attached[1].Content, a.mails[1].Attached[1].Content
	if string(first) != string(second) {
		t.Errorf("it is another report:\n%s\n%s", first, second)
	}
	all := o.noted(auth.ActReport, auth.Done)
	if len(all) != 2 || all[1].Door != "terminal" || all[1].Source != "ops" || all[1].Submitted != "terminal:ops" {
		t.Errorf("the trail has %+v", all)
	}
	if to, err := o.LastReport(t.Context(), "weekly"); err != nil || !to.Equal(noon) {
		t.Errorf("the last one is of %s, %v", to, err)
	}
	if to, err := o.LastReport(t.Context(), "monthly"); err != nil || !to.IsZero() {
		t.Errorf("one that was never made is of %s, %v", to, err)
	}
	for _, name := range []string{"", "monthly"} {
		if _, err := o.SendReport(t.Context(), by, commands.ReportTask{Name: name, To: noon}); err == nil {
			t.Errorf("%q was sent", name)
		}
	}
}

// everyReportAct lets everything happen to reports that the trail can name, and
// gives its entries.
func everyReportAct(t *testing.T) []auth.Entry {
	o := newReportOffice(t)
	o.report()
	o.sekisho(tom, "report")
	o.sekisho(outsider, "report")
	if _, err := o.SendReport(t.Context(), auth.Actor{User: "terminal:ops", Door: "terminal", Source: "ops"}, commands.ReportTask{Name: "weekly", To: noon, Again: "again"}); err != nil {
		t.Fatal(err)
	}
	return o.entries()
}

// A report begins where the one before ended, unless that was only just, or very
// long ago.
func TestWhereAReportBegins(t *testing.T) {
	const month = 30 * day
	at := func(days int) *time.Time { t := noon.AddDate(0, 0, -days); return &t }
	for name, c := range map[string]struct {
		before *time.Time
		every  time.Duration
		want   time.Time
	}{
		"the first":               {nil, week, *at(7)},
		"a week":                  {at(7), week, *at(7)},
		"28 days of a month":      {at(28), month, *at(28)},
		"29 days of a month":      {at(29), month, *at(29)},
		"31 days of a month":      {at(31), month, *at(31)},
		"an hour early":           {at(6), week, *at(6)},
		"half of it":              {at(15), month, *at(30)},
		"a little more than half": {at(16), month, *at(16)},
		"one was left out":        {at(14), week, *at(14)},
		"a year off":              {at(399), week, *at(399)},
		"almost twice":            {at(13), week, *at(13)},
		"long ago":                {at(400), week, *at(7)},
		"not before":              {at(-1), week, *at(7)},
	} {
		var before *report.Report
		if c.before != nil {
			before = &report.Report{Period: report.Period{To: *c.before}}
		}
		if got := commands.Begins(before, c.every, noon); !got.Equal(c.want) {
			t.Errorf("%s: from %s, not %s", name, got, c.want)
		}
	}
}

// Months after months leave no hour out, and none is in two.
func TestMonthlyReportsLeaveNothingOut(t *testing.T) {
	o := newReportOffice(t)
	o.Policy.Reports[0].Every = 30 * day
	var last time.Time
	for n, to := range []time.Time{noon, noon.AddDate(0, 1, 0), noon.AddDate(0, 2, 0), noon.AddDate(0, 3, 0)} {
		o.later(to.Sub(o.clock.Now()))
		o.report()
		if r := o.kept(to); n > 0 && !r.Period.From.Equal(last) {
			t.Errorf("after %s comes %s", last, r.Period.From)
		}
		last = to
	}
	if n := len(o.arrived().cards); n != 4 {
		t.Errorf("%d reports", n)
	}
}
