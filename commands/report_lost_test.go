package commands_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
)

// loses has Slack do what it is told, and lose its answer to the nth request from
// now on whose path ends so. lost says which one that was.
func (w *workspace) loses(n int, path string) (lost func() string) {
	at := ""
	w.net.lose = func(asked string) bool {
		if !strings.HasSuffix(asked, path) {
			return false
		}
		if n--; n == 0 {
			at = asked
		}
		return n == 0
	}
	return func() string { return at }
}

// TestAReportSurvivesEveryLostAnswer: there is one message and one set of files,
// and people know what the bot does not.
func TestAReportSurvivesEveryLostAnswer(t *testing.T) {
	n, doubts := 1, 0
	for ; ; n++ {
		o := newReportOffice(t)
		lost := o.slack.loses(n, "")
		if err := o.due(noon); err != nil {
			t.Fatal(err)
		}
		o.finish()
		if lost() == "" {
			o.wantOnce("no answer is lost")
			break
		}
		o.recovered(fmt.Sprintf("the answer %d, of %s", n, lost()), noon)
		doubts += len(o.alerts())
		a := o.arrived()
		if len(a.cards) != 1 || a.files[".csv"] != 1 || a.files[".json"] != 1 || len(a.mails) != 1 {
			t.Errorf("without the answer of %s: %d cards, files %v, %d mails", lost(), len(a.cards), a.files, len(a.mails))
		}
	}
	if n < 8 || doubts != 2 { // of the message and of its files; nobody sees the others
		t.Errorf("%d answers, told of %d", n-1, doubts)
	}
}

// Nor is it known where the message stands that is there for the files alone:
// they stay away, and people know that, too.
func TestAReportWithNowhereToPutItsFiles(t *testing.T) {
	o := newReportOffice(t)
	said := 0
	o.slack.net.lose = func(path string) bool {
		if !strings.HasSuffix(path, "chat.postMessage") {
			return false
		}
		said++ // the report, an alert, what stands for it, an alert
		return said == 1 || said == 3
	}
	if err := o.due(noon); err != nil {
		t.Fatal(err)
	}
	o.finish()
	a := o.arrived()
	if len(a.cards) != 1 || len(a.stands) != 1 || len(a.shared) > 0 || len(a.mails) != 1 {
		t.Errorf("%d cards, %d in their place, files %v, %d mails", len(a.cards), len(a.stands), a.files, len(a.mails))
	}
	told := strings.Join(o.alerts(), "\n")
	wants(t, "the alerts", told, "its message in Slack may not have arrived", "its files in Slack may not have arrived")
	wants(t, "the trail", o.wantNoted(auth.ActReport, auth.Refused).Note, "Slack: not known whether the message arrived; mail to")
}

// Whoever asked hears of it, and nobody else.
func TestAnAskedReportSurvivesEveryLostAnswer(t *testing.T) {
	n, doubts := 1, 0
	for ; ; n++ {
		o := newReportOffice(t)
		o.sekisho(tom, "report")
		task := eventOf(t, o.queue.take(t).text)
		lost := o.slack.loses(n, "")
		for _, wait := range []time.Duration{0, time.Minute, 6 * time.Minute} { // as the queue may
			o.later(wait)
			if err := o.run(task); err != nil {
				t.Fatal(err)
			}
			o.finish()
		}
		o.slack.net.lose = nil
		if lost() == "" {
			break
		}
		channel, _, err := o.slack.bot().Direct(t.Context(), tom, "is there anything?", nil)
		if err != nil {
			t.Fatal(err)
		}
		if a := o.in(channel, tom); len(a.cards) != 1 || a.files[".csv"] != 1 || a.files[".json"] != 1 {
			t.Errorf("without the answer of %s: %d cards, files %v; %s", lost(), len(a.cards), a.files, o.log)
		}
		for _, s := range o.chat.all() {
			doubts += strings.Count(s.text, "may not have arrived")
		}
		if a := o.arrived(); len(a.cards)+len(a.shared) > 0 || len(o.alerts()) > 0 {
			t.Errorf("others read %+v, %v", a, o.alerts())
		}
	}
	if n < 9 || doubts != 2 {
		t.Errorf("%d answers, told of %d", n-1, doubts)
	}
}
