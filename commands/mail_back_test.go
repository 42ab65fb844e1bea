package commands_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/commands"
)

// mailEvent is an event of SES's about a mail from that address.
func mailEvent(kind, from, what string) commands.Event {
	detail := fmt.Sprintf(`{"eventType":"x","mail":{"messageId":"test-mail","source":%q,"destination":["a@example.test"]},%s}`, from, what)
	return commands.Event{ID: "test-ses", Source: "aws.ses", DetailType: "Email " + kind, Time: noon, Detail: []byte(detail)}
}

const (
	sender  = "Sekisho <bot@example.test>"
	bounced = `"bounce":{"bounceType":"Permanent","bounceSubType":"General","bouncedRecipients":[
		{"emailAddress":"old@example.test","diagnosticCode":"smtp; 550 5.1.1 user unknown"},{"emailAddress":"gone@example.test"}]}`
	delayed  = `"bounce":{"bounceType":"Transient","bounceSubType":"MailboxFull","bouncedRecipients":[{"emailAddress":"full@example.test"}]}`
	spam     = `"complaint":{"complainedRecipients":[{"emailAddress":"angry@example.test"}]}`
	rejected = `"reject":{"reason":"Bad content"}`
)

// A mail that came back is told in the alerts, once for each address, however
// often SES says so.
func TestAMailThatComesBack(t *testing.T) {
	for name, c := range map[string]struct {
		kind, what string
		want       [][]string
	}{
		"two bounces": {"Bounced", bounced, [][]string{
			{"A report's mail to `old@example.test` came back", "`Permanent`", "`General`", "`smtp; 550 5.1.1 user unknown`", "mend or remove the address", "suppression list"},
			{"A report's mail to `gone@example.test` came back", "mend or remove the address"},
		}},
		"a full mailbox": {"Bounced", delayed, [][]string{{"`full@example.test`", "`Transient`", "`MailboxFull`", "*Next:* nothing yet"}}},
		"a complaint":    {"Complaint Received", spam, [][]string{{"Somebody at `angry@example.test` marked a report as spam", "ask them"}}},
		"a rejection":    {"Rejected", rejected, [][]string{{"then did not send it*: `Bad content`", "the account's SES page"}}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, from := range []string{sender, "bot@example.test", "Other Name <BOT@example.test>"} {
				o := newReportOffice(t)
				for range 3 {
					if err := o.run(mailEvent(c.kind, from, c.what)); err != nil {
						t.Fatal(err)
					}
					o.later(7 * time.Hour)
				}
				all := o.alerts()
				if len(all) != len(c.want) {
					t.Fatalf("from %s: %d alerts: %v", from, len(all), all)
				}
				for n, words := range c.want {
					wants(t, name, all[n], words...)
				}
				o.wantAlertsAlone()
			}
		})
	}
}

// wantAlertsAlone wants nothing to have been said elsewhere.
func (o *reportOffice) wantAlertsAlone() {
	o.t.Helper()
	if n := len(o.slack.Messages(reportsChannel, ben)) + len(o.slack.Messages(keysChannel, ben)); n > 0 || len(o.queue.kinds()) > 0 {
		o.t.Errorf("%d messages elsewhere; to do: %v", n, o.queue.kinds())
	}
}

// What becomes of the mail of others is theirs to know.
func TestTheMailOfOthersIsNobodysBusiness(t *testing.T) {
	o := newReportOffice(t)
	events := []commands.Event{
		mailEvent("Bounced", sender, `"bounce":{}`), mailEvent("Bounced", sender, `"delivery":{}`), mailEvent("Rejected", sender, `"reject":{"reason":""}`),
	}
	for _, from := range []string{"news@example.test", "", "bot@example.test.evil.test", "bot@example.test <news@example.test>"} {
		for kind, what := range map[string]string{"Bounced": bounced, "Complaint Received": spam, "Rejected": rejected} {
			events = append(events, mailEvent(kind, from, what))
		}
	}
	for _, e := range events {
		if err := o.run(e); err != nil {
			t.Fatal(err)
		}
	}
	o.Policy.Reports[0].Mail = nil
	if err := o.run(mailEvent("Bounced", sender, bounced)); err != nil {
		t.Fatal(err)
	}
	o.wantAlerts("of others")
	o.wantAlertsAlone()
	for _, detail := range []string{"", "[]", `{"mail":7}`} {
		if err := o.run(commands.Event{ID: "test-ses", Source: "aws.ses", DetailType: "Email Bounced", Detail: []byte(detail)}); err == nil {
			t.Errorf("%q is no error", detail)
		}
	}
}

// inCode is what Slack shows as it stands.
var inCode = regexp.MustCompile("`[^`\n]*`|\\(blank\\)")

// Whoever runs the mailbox that a mail comes back from writes what it says.
func TestWhatAMailComesBackWithDoesNothing(t *testing.T) {
	alerts := func(t *testing.T, text string) []string {
		o := newReportOffice(t)
		said, _ := json.Marshal(text)
		for _, c := range [][2]string{
			{"Bounced", `"bounce":{"bounceType":SAID,"bounceSubType":SAID,"bouncedRecipients":[{"emailAddress":SAID,"diagnosticCode":SAID}]}`},
			{"Complaint Received", `"complaint":{"complainedRecipients":[{"emailAddress":SAID}]}`},
			{"Rejected", `"reject":{"reason":SAID}`},
		} {
			if err := o.run(mailEvent(c[0], sender, strings.ReplaceAll(c[1], "SAID", string(said)))); err != nil {
				t.Fatal(err)
			}
		}
		return o.alerts()
	}
	plain := alerts(t, "x")
	for label, text := range hostileNames {
		t.Run(label, func(t *testing.T) {
			all := alerts(t, text)
			if len(all) != len(plain) {
				t.Fatalf("%d alerts: %q", len(all), all)
			}
			for n, alert := range all {
				if strings.ContainsAny(alert, "<>") || inCode.ReplaceAllString(alert, "") != inCode.ReplaceAllString(plain[n], "") {
					t.Errorf("something live: %q", alert)
				}
			}
		})
	}
}

// With Slack away the alert comes later.
func TestAMailThatComesBackWhileSlackIsAway(t *testing.T) {
	o := newReportOffice(t)
	o.slack.unplug(true)
	for range 2 {
		if err := o.run(mailEvent("Bounced", sender, delayed)); err != nil {
			t.Fatal(err)
		}
	}
	o.slack.unplug(false)
	o.finish()
	o.wantAlerts("later", "`full@example.test`")
}
