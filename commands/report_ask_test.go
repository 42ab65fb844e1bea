package commands_test

import (
	"context"
	"encoding/json"
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

// Whoever may ask gets the report as a direct message, with its files in the
// thread; the queue shows to nobody who that is.
func TestAReportForWhoAsks(t *testing.T) {
	o := newReportOffice(t)
	m := o.sekisho(tom, "report")
	wants(t, "the first answer", m.Text, "Working on your report", "direct message")
	task := o.queue.tasks[0].text
	lacks(t, "the queue", task, "hooks.slack", answerAt, tom)
	if err := o.work(askedTask); err != nil {
		t.Fatal(err)
	}
	a := o.dm(tom)
	if len(a.cards) != 1 || a.files[".csv"] != 1 || a.files[".json"] != 1 || len(a.files) != 2 || a.shared[0].ThreadTS != a.cards[0].TS {
		t.Fatalf("%d cards, files %v; %s", len(a.cards), a.files, o.log)
	}
	card := string(a.cards[0].Blocks)
	wants(t, "the report", card, "*Starts*", "*Access keys*", "*IAM users*", `"slack_file"`, `"type":"data_table"`)
	lacks(t, "the report", a.cards[0].Text, "weekly")
	if name := a.shared[0].Files[0].Name; name != "sekisho-2027-01-15.csv" {
		t.Errorf("a file is called %s", name)
	}
	s := o.chat.next(t, "respond")
	if s.url != answerAt || !s.replace || !strings.Contains(s.text, "Your report is in your direct messages") {
		t.Errorf("answered %+v", s)
	}
	e := o.wantNoted(auth.ActReportAsk, auth.Done)
	if e.Submitted != tom || e.Door != "socket" || !strings.HasPrefix(e.Source, "trigger.") {
		t.Errorf("the trail has %+v", e)
	}
	o.wantOnlyFor(tom)

	if err := o.run(eventOf(t, task)); err != nil { // delivered a second time
		t.Fatal(err)
	}
	if again := o.dm(tom); len(again.cards) != 1 || again.files[".csv"] != 1 {
		t.Errorf("delivered twice: %d cards, files %v", len(again.cards), again.files)
	}
	if text, _, _ := o.memory.Snapshot(t.Context(), "weekly", noon.Add(day)); text != nil {
		t.Error("it is kept, as if it were the schedule's")
	}
}

// wantOnlyFor wants nobody else to have read anything.
func (o *reportOffice) wantOnlyFor(user string) {
	o.t.Helper()
	if a := o.arrived(); len(a.cards)+len(a.stands)+len(a.shared)+len(a.mails) > 0 || len(o.alerts()) > 0 {
		o.t.Errorf("others read %+v, %v", a, o.alerts())
	}
	for other := range o.slack.direct {
		if other != user {
			o.t.Errorf("%s was written to", other)
		}
	}
}

func eventOf(t *testing.T, text string) (e commands.Event) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestWhoMayAskForAReport(t *testing.T) {
	const no = "does not name you among those who may ask for a report"
	for name, c := range map[string]struct {
		user   string
		spoil  func(*reportOffice)
		want   string
		refuse bool
	}{
		"one of reports.ask": {tom, nil, "Working on your report", false},
		"one of keys.decide": {ben, nil, "Working on your report", false},
		"one of a group": {hana, func(o *reportOffice) {
			o.Policy.Reports[0].Ask, o.people.groups[leads] = []string{leads}, []string{hana}
		}, "Working on", false},
		"of the second report": {hana, func(o *reportOffice) {
			o.Policy.Reports = append(o.Policy.Reports, auth.ReportPolicy{Name: "monthly", Ask: []string{hana}})
		}, "Working on", false},
		"without keys:":          {tom, func(o *reportOffice) { o.Policy.Keys = nil }, "Working on", false},
		"somebody":               {hana, nil, no, true},
		"a stranger":             {outsider, nil, no, true},
		"a decider without keys": {ben, func(o *reportOffice) { o.Policy.Keys = nil }, no, true},
		"a guest":                {tom, func(o *reportOffice) { o.change(tom, func(p *auth.Person) { p.Guest = true }) }, no, true},
		"somebody of elsewhere":  {tom, func(o *reportOffice) { o.change(tom, func(p *auth.Person) { p.Outside = true }) }, no, true},
		"somebody who left":      {ben, func(o *reportOffice) { o.change(ben, func(p *auth.Person) { p.Deactivated = true }) }, no, true},
		"Slack away":             {tom, func(o *reportOffice) { o.people.away = errAway }, "Something went wrong", false},
		"the queue away":         {tom, func(o *reportOffice) { o.queue.away = errors.New("SQS is away") }, "Something went wrong", false},
		"no queue":               {tom, func(o *reportOffice) { o.Queue = nil }, "no work queue is configured", false},
		"no reports in the policy": {
			tom, func(o *reportOffice) { o.Policy.Reports = nil }, "There are no reports here: Sekisho's policy has no `reports:` part", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newReportOffice(t)
			if c.spoil != nil {
				c.spoil(o)
			}
			m := o.sekisho(c.user, "report keys 30d")
			wants(t, "the answer", m.Text, c.want)
			if working := strings.Contains(m.Text, "Working"); working != (len(o.queue.kinds()) == 1) {
				t.Errorf("to do: %v", o.queue.kinds())
			}
			if c.refuse {
				if e := o.wantNoted(auth.ActReportAsk, auth.Refused); e.Submitted != c.user || e.Reason != string(auth.NoReader) || e.Note != "keys 30d" {
					t.Errorf("the trail has %+v", e)
				}
			}
			if working := strings.Contains(m.Text, "Working"); working != (len(o.noted(auth.ActReportAsk, auth.Done)) == 1) && name != "the queue away" {
				t.Errorf("in the trail: %+v", o.entries())
			}
			if refused := len(o.noted(auth.ActReportAsk, auth.Refused)) > 0; refused != c.refuse || len(o.chat.all()) > 0 {
				t.Errorf("in the trail as refused: %v", refused)
			}
			o.wantOnlyFor("")
		})
	}
}

// change changes what Slack says of a person.
func (o *reportOffice) change(user string, how func(*auth.Person)) {
	p := o.people.all[user]
	how(&p)
	o.people.all[user] = p
}

// What stands behind /sekisho report decides what is in it, and since when.
func TestWhatIsAskedToBeReported(t *testing.T) {
	all := []string{"*Starts*", "*Access keys*", "*IAM users*"}
	for text, c := range map[string]struct {
		from time.Time
		has  []string
	}{
		"report":                      {noon.AddDate(0, 0, -7), all},
		"report keys":                 {noon.AddDate(0, 0, -7), all[1:2]},
		"Report KEYS 30D":             {noon.AddDate(0, 0, -30), all[1:2]},
		"report 12h users starts":     {noon.Add(-12 * time.Hour), []string{all[0], all[2]}},
		"report 2026-12-31":           {time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC), all},
		"report 2026-12-31t12:00:00z": {time.Date(2026, 12, 31, 12, 0, 0, 0, time.UTC), all},
		"report 400d":                 {noon.AddDate(0, 0, -400), all},
	} {
		t.Run(text, func(t *testing.T) {
			o := newReportOffice(t)
			o.sekisho(tom, text)
			o.rush()
			a := o.dm(tom)
			if len(a.cards) != 1 {
				t.Fatalf("%d cards; %s", len(a.cards), o.log)
			}
			card := string(a.cards[0].Blocks)
			wants(t, "the report", card, c.has...)
			wants(t, "the report", card, fmt.Sprintf("<!date^%d^", c.from.Unix()))
			for _, part := range all {
				if wanted := strings.Contains(strings.Join(c.has, ""), part); wanted != strings.Contains(card, part) {
					t.Errorf("it has %s: %v", part, !wanted)
				}
			}
		})
	}
	for text, want := range map[string]string{
		"report cakes":               "`cakes` is neither a part of a report (`starts`, `keys`, `users`) nor a time",
		"report keys <!channel>":     "`&lt;!channel&gt;` is neither",
		"report 401d":                "begins before now and up to 400 days ago, which is as long as the trail is kept; `401d` does not",
		"report 0d":                  "begins before now and up to 400 days ago, which is as long as the trail is kept; `0d` does not",
		"report 2027-01-16":          "begins before now",
		"report 2027-99-99":          "is neither",
		"report -7d":                 "is neither",
		"report " + long("x"):        "is neither",
		"report keys users 9999999d": "up to 400 days ago",
	} {
		o := newReportOffice(t)
		m := o.sekisho(tom, text)
		wants(t, text, m.Text, want, "Ask for instance `/sekisho report`, or `/sekisho report keys 30d`")
		if len(o.queue.kinds()) > 0 || len(o.entries()) > 0 || len(m.Text) > 500 {
			t.Errorf("%s: to do %v, in the trail %+v", text, o.queue.kinds(), o.entries())
		}
	}
}

// No further than the trail itself.
func TestAReportReachesBackAsFarAsTheTrailIsKept(t *testing.T) {
	o := newReportOffice(t)
	o.Policy.Trail.Keep = 30 * day
	wants(t, "31 days", o.sekisho(tom, "report 31d").Text, "up to 30 days ago, which is as long as the trail is kept; `31d` does not")
	wants(t, "30 days", o.sekisho(tom, "report 30d").Text, "Working on your report")
}

func long(text string) string { return strings.Repeat(text, 3000) }

// An asked report is compared with the one that the schedule sent before it begins.
func TestAnAskedReportIsCompared(t *testing.T) {
	o := newReportOffice(t)
	o.report()
	o.later(week)
	o.credentials.rows = append(o.credentials.rows, credential("mai"))
	o.sekisho(ben, "report 7d")
	o.rush()
	wants(t, "the report", string(o.dm(ben).cards[0].Blocks), "compared with the report up to", "1 new user: `mai`")
	o.later(time.Minute)
	o.sekisho(ben, "report 8d")
	o.rush()
	wants(t, "one that begins before it", string(o.dm(ben).cards[1].Blocks), "there is nothing to compare with")
}

// A long reading says what it is at, three times at most, over all tries: of
// Slack's five answers one is for the end.
func TestALongReportSaysWhatItIsAt(t *testing.T) {
	o := newReportOffice(t)
	for n := range 40 {
		o.iam.add(fmt.Sprint("user", n), day)
	}
	o.iam.during["Keys"] = func() { o.clock.add(time.Minute) }
	o.sekisho(tom, "report")
	o.process(&fuse{left: 1, breaks: true}) // what is made cannot be kept, and is made again
	o.Queue = o.queue
	if err := o.work(askedTask); err != nil {
		t.Fatal(err)
	}
	o.process(nil)
	o.finish()
	all := o.chat.all()
	if len(all) != 4 || len(o.dm(tom).cards) != 1 {
		t.Fatalf("answered %d times: %+v", len(all), all)
	}
	for _, s := range all[:3] {
		if s.url != answerAt || !s.replace || !strings.Contains(s.text, "Reading ") {
			t.Errorf("progress: %+v", s)
		}
	}
	wants(t, "the last", all[3].text, "Your report is in your direct messages")
}

// Whoever cannot be written to reads the report where they asked.
func TestAReportForSomebodyWhoTakesNoMessages(t *testing.T) {
	o := newReportOffice(t)
	o.slack.FailNext("conversations.open", "cannot_dm_bot", 1)
	o.sekisho(tom, "report")
	if err := o.work(askedTask); err != nil {
		t.Fatal(err)
	}
	s := o.chat.next(t, "respond")
	text := reads(t, s.text, s.blocks)
	wants(t, "the answer", text, "*Security score 60 of 100.*", "I cannot write you direct messages, so there are no files", "User | Score")
	lacks(t, "the answer", text, `"data_table"`, `"slack_file"`)
	if more := o.chat.all(); len(more) > 0 || len(o.queue.kinds()) > 0 {
		t.Errorf("and more: %+v, %v", more, o.queue.kinds())
	}
	o.wantOnlyFor("")
}

// A thread of direct messages that takes no files is told to who asked, and to nobody else.
func TestAnAskedReportWithoutItsFiles(t *testing.T) {
	o := newReportOffice(t)
	o.Files = &lateFault{Files: o.Files, then: func() { o.slack.FailNext("files.completeUploadExternal", "is_archived", 1) }}
	o.sekisho(tom, "report")
	o.rush()
	s := o.chat.next(t, "respond")
	wants(t, "the answer", s.text, "Your report is there, but its files could not be put below it", "is_archived", "ask for it again")
	if a := o.dm(tom); len(a.cards) != 1 || len(a.files) > 0 {
		t.Errorf("%d cards, files %v", len(a.cards), a.files)
	}
	o.wantOnlyFor(tom)
}

// While something is away it is tried again, five times, and then there is a sentence.
func TestAnAskedReportIsTriedFiveTimes(t *testing.T) {
	for name, spoil := range map[string]func(*reportOffice){
		"Slack":      func(o *reportOffice) { o.slack.unplug(true) },
		"the store":  func(o *reportOffice) { o.process(&fuse{left: 1, breaks: true}) },
		"the people": func(o *reportOffice) { o.people.away = errAway },
		"the trail":  func(o *reportOffice) { o.redis.SetError(gone) },
		"in no form": func(o *reportOffice) { o.slack.UnknownBlocks("header") },
	} {
		t.Run(name, func(t *testing.T) {
			o := newReportOffice(t)
			o.sekisho(tom, "report")
			spoil(o)
			o.Queue = o.queue
			tries := 0
			for ; len(o.queue.tasks) > 0 && tries < 10; tries++ {
				if err := o.work(askedTask); err != nil {
					t.Fatal(err)
				}
			}
			if tries != 5 {
				t.Errorf("tried %d times", tries)
			}
			all := o.chat.all()
			if len(all) != 1 || all[0].how != "respond" || all[0].url != answerAt {
				t.Fatalf("answered %+v", all)
			}
			wants(t, "the answer", all[0].text, "I could not finish your report", "Ask again in some minutes")
			lacks(t, "the answer", all[0].text, "Nothing was given out")
			if waited := o.clock.Now().Sub(noon); waited < time.Minute || waited > 25*time.Minute {
				t.Errorf("it took %s", waited) // a response URL lives for 30 minutes
			}
			wants(t, "the log", o.log.String(), "reporting to somebody")
			lacks(t, "the log", o.log.String(), "hooks.slack")
			o.wantOnlyFor("")
		})
	}
}

// In between everything may be back.
func TestAnAskedReportComesInTheEnd(t *testing.T) {
	o := newReportOffice(t)
	o.slack.FailNext("files.completeUploadExternal", "service_unavailable", 2) // the pictures', and the files'
	o.sekisho(tom, "report")
	o.finish()
	a := o.dm(tom)
	if len(a.cards) != 1 || a.files[".csv"] != 1 || a.files[".json"] != 1 || a.files[".png"] != 2 {
		t.Errorf("%d cards, files %v", len(a.cards), a.files)
	}
	if all := o.chat.all(); len(all) != 1 || !strings.Contains(all[0].text, "Your report is in your direct messages") {
		t.Errorf("answered %+v", all)
	}
}

// Whoever goes on with an asked report sends what was made at first.
func TestAnAskedReportIsMadeOnce(t *testing.T) {
	o := newReportOffice(t)
	puts := &watchedPuts{Snapshots: o.Desk.Reports.Snapshots}
	o.Desk.Reports.Snapshots = puts
	o.slack.FailNext("files.completeUploadExternal", "service_unavailable", 2)
	o.sekisho(tom, "report")
	if err := o.work(askedTask); err != nil {
		t.Fatal(err)
	}
	o.credentials.rows, o.credentials.err = nil, errors.New("AWS is away")
	o.finish()
	a := o.dm(tom)
	if len(a.shared) != 1 {
		t.Fatalf("%d cards, files %v", len(a.cards), a.files)
	}
	files := a.shared[0].Files
	_, text, _ := o.slack.File(files[len(files)-1].ID)
	wants(t, "the files", string(text), `"name": "hana"`)
	wants(t, "the message", string(a.cards[0].Blocks), "*IAM users* — 2")
	if want := []string{"asked trigger.1, 1 for 1h0m0s"}; !slices.Equal(puts.all, want) {
		t.Errorf("kept: %q", puts.all)
	}
}

// watchedPuts notes what is kept, and for how long.
type watchedPuts struct {
	report.Snapshots
	all []string
}

func (w *watchedPuts) PutSnapshot(
	ctx context.Context, name string, to time.Time, text []byte, keep int, forHow time.Duration,
) ([]byte, error) {
	w.all = append(w.all, fmt.Sprintf("%s, %d for %s", name, keep, forHow))
	return w.Snapshots.PutSnapshot(ctx, name, to, text, keep, forHow)
}

// Each report reads all of IAM's users: one a minute is enough for one person.
func TestWhoAsksAgainAtOnce(t *testing.T) {
	o := newReportOffice(t)
	wants(t, "the first", o.sekisho(tom, "report").Text, "Working on your report")
	wants(t, "the second", o.sekisho(tom, "report keys").Text, "You asked for a report less than 1 minute ago")
	wants(t, "somebody else's", o.sekisho(ben, "report").Text, "Working on your report")
	wants(t, "wrong words", o.sekisho(tom, "report cakes").Text, "is neither")
	if kinds := o.queue.kinds(); len(kinds) != 2 {
		t.Errorf("to do: %v", kinds)
	}
	o.later(time.Minute)
	wants(t, "a minute later", o.sekisho(tom, "report").Text, "Working on your report")
}

// Between the question and the answer somebody may have lost the right to it.
func TestWhoMayNotReadAReportAnyMore(t *testing.T) {
	o := newReportOffice(t)
	o.sekisho(tom, "report")
	o.Policy.Reports[0].Ask = nil
	o.rush()
	o.wantHeard("tom reads", "respond : does not name you among those who may ask for a report")
	o.wantOnlyFor("")
	if strings.Contains(o.log.String(), `"ERROR"`) || len(o.queue.kinds()) > 0 {
		t.Errorf("a refusal is no fault: %s", o.log)
	}
}

// Whoever can write to the queue has no report sent to themselves, nor a list of
// keys with what was sealed for a report, nor the other way round.
func TestAForgedReportGoesNowhere(t *testing.T) {
	o := newReportOffice(t)
	o.sekisho(ben, "report")
	o.sekisho(ben, "keys")
	reply := func() string {
		var detail struct{ Reply string }
		if err := json.Unmarshal(eventOf(t, o.queue.take(t).text).Detail, &detail); err != nil || detail.Reply == "" {
			t.Fatal(err)
		}
		return detail.Reply
	}
	forReport, forKeys := reply(), reply()
	seal := func(text string) string {
		sealed, err := o.Passes.Pepper.Seal(o.Passes.Random, text)
		if err != nil {
			t.Fatal(err)
		}
		return sealed
	}
	for name, c := range map[string]struct{ task, reply string }{
		"keys' reply":    {askedTask, forKeys},
		"report's reply": {keysTask, forReport},
		"a request's":    {askedTask, seal(answerAt)},
		"no user":        {askedTask, seal("report for U0BEN")},
		"plain":          {askedTask, "report for U0BEN " + answerAt},
		"a bare URL":     {askedTask, "https://evil.test/"},
		"garbage":        {askedTask, "c2VhbGVkIGJ5IG5vYm9keSB3aXRoIHRoZSBwZXBwZXI"},
		"nothing":        {askedTask, ""},
	} {
		if err := o.run(taskOf(c.task, fmt.Sprintf(`{"reply":%q,"to":"2027-01-15T08:00:00Z"}`, c.reply))); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if said := o.chat.all(); len(said) > 0 || len(o.queue.kinds()) > 0 {
		t.Errorf("answered %+v, to do %v", said, o.queue.kinds())
	}
	o.wantOnlyFor("")
	if err := o.run(taskOf(askedTask, `[]`)); err == nil {
		t.Error("a task that nobody can read is lost")
	}
	o.Desk.Reports = nil
	o.chat.all()
	if err := o.run(taskOf(askedTask, fmt.Sprintf(`{"reply":%q}`, forReport))); err == nil || !strings.Contains(err.Error(), "makes no reports") {
		t.Errorf("without reports: %v", err)
	}
	wants(t, "who waits", o.chat.next(t, "respond").text, "makes no reports, so yours does not come")
}

// TestAnAskedReportSurvivesEveryCrash is as for the schedule's; whoever asked is
// the one to hear, and the only one.
func TestAnAskedReportSurvivesEveryCrash(t *testing.T) {
	for _, after := range []bool{false, true} {
		n := 1
		for ; crashedAsked(t, &fuse{left: n, after: after}); n++ {
		}
		if n < 12 {
			t.Errorf("it had only %d effects", n-1)
		}
	}
}

func crashedAsked(t *testing.T, f *fuse) bool {
	t.Helper()
	at := fmt.Sprintf("effect %d", f.left)
	o := newReportOffice(t)
	o.sekisho(tom, "report")
	task := eventOf(t, o.queue.take(t).text)
	o.process(f)
	survives(func() error { return o.run(task) })
	o.process(nil)
	for _, wait := range []time.Duration{time.Second, 6 * time.Minute, 6 * time.Minute} {
		o.later(wait)
		if err := o.run(task); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		o.finish()
	}
	a := o.dm(tom)
	var told []string
	for _, s := range o.chat.all() {
		told = append(told, s.text)
	}
	all := strings.Join(told, "\n")
	if n := len(a.cards); n > 1 || n == 0 && !strings.Contains(all, "Your report: its message in Slack may not have arrived") {
		t.Errorf("%s on %s: %d reports; told:\n%s", at, f.blown, n, all)
	}
	if n := a.files[".csv"]; n > 1 || n == 0 && !strings.Contains(all, "Your report: its files in Slack may not have arrived") {
		t.Errorf("%s on %s: files %v; told:\n%s", at, f.blown, a.files, all)
	}
	lacks(t, at, all, "--again")
	o.wantOnlyFor(tom)
	return f.blown != ""
}

// Of who waits for a report, too, the response URL gets nowhere, whatever fails
// meanwhile; nor does what the report says get into the log.
func TestNoResponseURLOfAReportGetsAnywhere(t *testing.T) {
	o := newReportOffice(t)
	o.sekisho(tom, "report")
	places := map[string]string{"the queue": o.queue.tasks[0].text}
	o.chat.fail["respond"] = errors.New("used_url")
	o.slack.FailNext("chat.postMessage", "service_unavailable", 100)
	o.finish()
	o.sekisho(tom, "report")
	o.iam.fail["Users"] = &purge.Denied{Action: "iam:ListUsers"}
	o.slack.FailNext("conversations.open", "user_disabled", 1)
	o.finish()
	places["the log"], places["the trail's lines"], places["Redis"] = o.log.String(), o.lines.String(), o.redis.Dump()
	for name, text := range places {
		lacks(t, name, text, "hooks.slack", "console_no_mfa")
	}
	if len(places) != 4 || !strings.Contains(places["the log"], "used_url") {
		t.Error("nothing failed")
	}
}
