package deployed

import (
	"regexp"
	"strings"
	"time"

	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

const (
	day   = 24 * time.Hour
	grace = 2 * time.Second // as in the policy
)

const passTag = "Pass"

var codeIn = regexp.MustCompile("```([A-Z0-9]{31})```")

func (w *world) codeIn(m slacksim.Message) string {
	w.t.Helper()
	found := codeIn.FindStringSubmatch(readable(m))
	if found == nil {
		w.t.Fatalf("no code in %s", readable(m))
	}
	return found[1]
}

// admits has Hana's pass in the tag, and the instance started by her.
func (w *world) admits(name, code string) {
	w.t.Helper()
	i := w.instance(name)
	w.do(w.AWS.SetTag(i.ID, passTag, code))
	w.do(w.AWS.StartInstanceAs(i.ID, "hana"))
	w.card(alerts, "<@U0HANA> was let in", name)
	w.becomes(name, "running")
}

func (w *world) untagged(name string) {
	w.t.Helper()
	w.until("the tag of "+name+" is gone", func() bool { return w.instance(name).Tags[passTag] == "" })
}

// ask is what people do about passes.
func (w *world) ask() {
	w.t.Helper()
	w.asks(hana, "/ec2-pass", "help", "break-glass")
	w.asks(hana, "/ec2-pass", "list", "Guarded instances", "web-1", "gpu-1")
	w.codeIn(w.asks(hana, "/ec2-pass", "web-1"))
	w.asks(hana, "/ec2-pass", "mine", "Your live passes", "web-1")
	w.asks(hana, "/ec2-pass", "revoke web-1", "is revoked")
	w.do(w.Slack.OpenHome(w.ctx, hana))
	w.do(w.Slack.Command(w.ctx, hana, ops, "/ec2-pass", ""))
	w.fills(hana, "Ask for a pass", map[string]slacksim.Input{
		"instance": {Selected: w.instance("web-1").ID}, "why": {Value: "to look"}, "long": {Selected: "5m0s"},
	})
	w.modal(hana, "Sekisho")
	w.asks(hana, "/ec2-pass", "revoke web-1", "is revoked")
}

// approve is a request on its way: approved, shown, used, denied, withdrawn.
func (w *world) approve() {
	w.t.Helper()
	w.asks(hana, "/ec2-pass", "gpu-1 for the nightly training", "Asked")
	card := w.card(approvals, "<@U0HANA> asks to start", "nightly training")
	w.press(hana, card, "request_approve")
	w.told(hana, approvals, "somebody else must decide")
	w.press(ben, card, "request_approve")
	w.told(ben, approvals, "You approved")
	letter := w.direct(hana, "<@U0BEN> approved", "Show my pass")
	w.press(hana, letter, "request_show")
	w.admits("gpu-1", w.codeIn(w.told(hana, letter.Channel, "One-time pass for")))
	w.card(alerts, "CloudTrail", "That is the pass's owner")
	w.do(w.AWS.StopInstance(w.instance("gpu-1").ID))
	w.becomes("gpu-1", "stopped")

	w.asks(hana, "/ec2-pass", "gpu-1 for the second training", "Asked")
	w.press(ben, w.card(approvals, "<@U0HANA> asks to start", "second training"), "request_deny")
	w.fills(ben, "Deny a request", map[string]slacksim.Input{"why": {Value: "The budget is used up"}})
	w.direct(hana, "<@U0BEN> denied", "The budget is used up")

	w.asks(hana, "/ec2-pass", "gpu-1 for the third training", "Asked")
	w.card(approvals, "third training")
	w.asks(hana, "/ec2-pass", "withdraw gpu-1", "withdrawn")
	w.press(hana, w.asks(hana, "/ec2-pass", "break-glass gpu-1 for the outage"), "request_break")
	w.card(alerts, "Break-glass", "<@U0HANA> took a pass", "the outage")
	w.asks(hana, "/ec2-pass", "revoke gpu-1", "is revoked")
}

// startNow has the bot itself start what a pass is for.
func (w *world) startNow() {
	w.t.Helper()
	w.press(hana, w.asks(hana, "/ec2-pass", "web-1", "One-time pass for"), "pass_start")
	w.told(hana, ops, "tarting `"+w.instance("web-1").ID+"`") // “Starting …”, or “EC2 is starting …”: whichever was said last
	w.card(alerts, "<@U0HANA> was let in", "web-1")
	w.becomes("web-1", "running")
	w.untagged("web-1")
	w.do(w.AWS.StopInstance(w.instance("web-1").ID))
	w.becomes("web-1", "stopped")
}

// refuse is a start without a pass, of each kind of instance. It returns what
// waits for people to be told of all: Slack takes a message a second.
func (w *world) refuse() (isTold func()) {
	w.t.Helper()
	w.start("app-1")
	w.launch(awssim.Instance{Name: "fresh-1"})
	w.start("db-1") // protected against stopping
	w.start("batch-asg-1")
	w.launch(awssim.Instance{Name: "spot-1", Lifecycle: "spot", SpotOneTime: true})
	ends := map[string]string{
		"app-1": "stopped", "fresh-1": "stopped", "db-1": "stopped", "batch-asg-1": "terminated", "spot-1": "terminated",
	}
	for name, state := range ends {
		w.becomes(name, state)
	}
	return func() {
		w.t.Helper()
		for name := range ends {
			w.card(alerts, "Refused", name, "is stopped")
		}
	}
}

// sweep finds a start of which no event told, and a tag that nobody needs.
func (w *world) sweep() {
	w.t.Helper()
	w.do(w.AWS.SetTag(w.instance("db-1").ID, passTag, "left-over"))
	w.AWS.DropEvents(2) // pending, running
	w.start("app-2")
	w.becomes("app-2", "running")
	w.fire("SweepSchedule")
	w.becomes("app-2", "stopped")
	w.card(alerts, "Refused", "app-2", "no pass")
	w.untagged("db-1")
}

const (
	hanasKey = "AKIAEXAMPLEHANAXQ3H7"
	bensKey  = "AKIAEXAMPLEBENXXW4B2"
	rosasKey = "AKIAEXAMPLEROSAXT5R6"
)

func (w *world) age(key string, by time.Duration) {
	w.t.Helper()
	w.do(w.AWS.AgeKey(key, by))
}

// endKeys ends access keys: by AWS Config's event, by the schedule, by buttons.
func (w *world) endKeys() {
	w.t.Helper()
	w.age(hanasKey, 100*day)
	w.do(w.AWS.CheckCompliance("hana"))
	card := w.card(keysRoom, "…Q3H7", "is deactivated, by the policy's `max_age: 90d`", "Undo")
	w.press(rosa, card, "key_undo")
	card = w.card(keysRoom, "…Q3H7", "is active again, as <@U0ROSA> decided")
	w.press(ben, card, "key_off")
	w.ends(hanasKey)

	w.age(bensKey, 60*day)
	w.age(rosasKey, 20*day)
	w.fire("KeysSchedule")
	w.ends(bensKey)
	card = w.card(keysRoom, "…T5R6", "will be deactivated")
	w.direct(rosa, "will be deactivated")
	w.press(ben, card, "key_keep")
	w.fills(ben, "Keep 7 days longer", map[string]slacksim.Input{"why": {Value: "The supplier moves on the 12th"}})
	w.card(keysRoom, "<@U0BEN> kept", "…T5R6")
	if k := w.key(rosasKey); k == nil || !k.Active {
		w.t.Errorf("the key that is kept is %+v", k)
	}
}

// ends waits for a key to be deactivated and then, which the bot leaves to the
// schedule where telling took as long as the grace, deleted.
func (w *world) ends(key string) {
	w.t.Helper()
	w.until(key+" is inactive", func() bool { k := w.key(key); return k == nil || !k.Active })
	over := time.Now().Add(grace)
	w.until("the grace is over", func() bool { return time.Now().After(over) })
	w.fire("KeysSchedule")
	w.until(key+" is gone", func() bool { return w.key(key) == nil })
	w.card(keysRoom, "Access key `…"+key[len(key)-4:]+"`", "* is deleted")
}

// listKeys shows everybody's, one user's and one's own.
func (w *world) listKeys() {
	w.t.Helper()
	w.asks(ben, "/sekisho", "keys", "Access keys, the oldest first", "`ci-deploy`", "…T5R6")
	w.asks(ben, "/sekisho", "keys rosa", "…T5R6")
	w.asks(rosa, "/sekisho", "keys rosa", "…T5R6")
}

// report makes one by the schedule, and one for somebody.
func (w *world) report() {
	w.t.Helper()
	w.fire("ReportAtItsTime")
	w.card(reports, "Sekisho report · weekly", "Security score", "image")
	w.asks(ben, "/sekisho", "report 30d", "Your report is in your direct messages")
	w.direct(ben, "Sekisho report", "IAM users")
}

// mailed has the report's mail come back.
func (w *world) mailed() {
	w.t.Helper()
	mails := w.AWS.Mails()
	if len(mails) != 1 || !strings.Contains(string(mails[0].Raw), "image/png") {
		w.t.Fatalf("%d mails", len(mails))
	}
	w.do(w.AWS.Bounce(mails[0].ID))
	w.card(alerts, "A report's mail to", "security@example.com", "came back")
}

// examine has the doctor look at all of it.
func (w *world) examine() {
	w.t.Helper()
	w.asks(ben, "/sekisho", "doctor", "Sekisho is well", "permissions in AWS are there")
}
