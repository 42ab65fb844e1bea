package commands_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/commands"
)

// Every act that the trail can name is in it when it happens, and says who
// did what for whom, by which rule and policy, and which way it came.
func TestEveryActIsInTheTrail(t *testing.T) {
	o := newCheckpoint(t)
	o.Policy.People = auth.PeoplePolicy{OnMismatch: auth.AlertMismatch}
	o.Policy.Admins = []string{tom}
	sweep := func() {
		t.Helper()
		if _, err := o.SweepOnce(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sweep() // policy.change
	o.ask(hana, "web-1")
	o.ask(hana, "revoke web-1")
	o.ask(hana, "revoke web-1") // refused
	o.ask(outsider, "web-1")    // refused
	startNow(o)
	if err := o.work("Start for the owner"); err != nil {
		t.Fatal(err)
	}
	o.events(webID, auth.Pending)
	if err := o.run(called(noon, by(hanasARN), webID)); err != nil {
		t.Fatal(err)
	}
	o.ec2.start(dbID)
	o.events(dbID, auth.Pending) // refused
	o.chat.all()
	id, _ := o.requested(hana, "gpu-1 for the training")
	o.click(tom, "request_approve", id) // refused
	o.click(tom, "request_deny", id)    // refused
	o.click(ben, "request_show", id)    // refused
	o.click(ben, "request_withdraw", id)
	o.click(ben, "request_approve", id)
	o.click(hana, "request_show", id)
	o.ask(hana, "break-glass prod-db for the outage") // refused
	o.rush()
	o.chat.all()
	denied, _ := o.requested(hana, "prod-db for a look")
	o.submit(tom, "deny", denied, map[string]string{"why": "no"})
	o.rush()
	o.chat.all()
	withdrawn, _ := o.requested(hana, "prod-db for a look")
	o.click(hana, "request_withdraw", withdrawn)
	o.click(hana, "request_break", buttonValue(t, o.ask(ben, "prod-db for a look"), "request_withdraw")) // refused
	o.ask(mai, "gpu-1")                                                                                  // and nobody decides
	o.ask(hana, "revoke gpu-1")
	o.click(hana, "request_break", buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_break"))
	o.TurnedAway(t.Context(), "http", "the signature is wrong")
	o.later(5 * time.Hour)
	sweep() // request.lapse
	for _, user := range []string{tom, outsider} {
		r := o.request(user)
		r.Text = "doctor"
		o.answer(commands.Commands()[1].Answers, r)
	}
	before := o.entries()
	o.later(500 * 24 * time.Hour)
	sweep() // trail.trim

	type line struct{ outcome, decided, submitted, instance, rule, door string }
	lines := make(map[auth.Act][]line)
	for _, e := range slices.Concat(before, o.entries(), everyKeyAct(t), everyReportAct(t)) {
		l := line{string(e.Outcome), e.Decided, e.Submitted, e.Instance, e.Rule, e.Door}
		if !slices.Contains(lines[e.Act], l) {
			lines[e.Act] = append(lines[e.Act], l)
		}
		if e.Act != auth.ActTrim && e.Policy != "test-policy" || e.Time.Before(noon) {
			t.Errorf("without its policy or time: %+v", e)
		}
		byItself := e.Act == auth.ActTrim || e.Act == auth.ActPolicy || e.Act == auth.ActLapse || e.Act == auth.ActDoor ||
			strings.HasPrefix(string(e.Act), "key.") && e.Decided == ""
		if e.Source == "" && !byItself {
			t.Errorf("nobody can say where it came from: %+v", e)
		}
	}
	for act, want := range map[auth.Act][]line{
		auth.ActPassIssue:  {{"done", "", hana, webID, "operators", "socket"}},
		auth.ActPassRevoke: {{"done", "", hana, webID, "", "socket"}, {"refused", "", hana, webID, "", "socket"}},
		auth.ActPassStart:  {{"done", "", hana, webID, "operators", "events"}},
		auth.ActRequest: {
			{"done", "", hana, gpuID, "gpus", "socket"}, {"done", "", mai, gpuID, "gpus", "socket"},
			{"refused", "", outsider, webID, "operators", "socket"},
		},
		auth.ActApprove:  {{"done", ben, hana, gpuID, "gpus", "socket"}, {"refused", tom, hana, gpuID, "gpus", "socket"}},
		auth.ActDeny:     {{"done", tom, hana, prodID, "databases", "socket"}, {"refused", tom, hana, gpuID, "gpus", "socket"}},
		auth.ActWithdraw: {{"done", hana, hana, prodID, "databases", "socket"}, {"refused", ben, hana, gpuID, "gpus", "socket"}},
		auth.ActLapse:    {{"done", "", mai, gpuID, "gpus", ""}},
		auth.ActShow:     {{"done", hana, hana, gpuID, "gpus", "socket"}, {"refused", ben, hana, gpuID, "gpus", "socket"}},
		auth.ActBreakGlass: {
			{"done", hana, hana, gpuID, "gpus", "socket"}, {"refused", "", hana, prodID, "databases", "socket"},
			{"refused", hana, ben, prodID, "databases", "socket"},
		},
		auth.ActStart:       {{"done", "", hana, webID, "", "events"}, {"refused", "", "", dbID, "", "events"}},
		auth.ActStartStop:   {{"done", "", "", dbID, "", "events"}},
		auth.ActStartCaller: {{"done", "", hana, webID, "", "events"}},
		auth.ActPolicy:      {{"done", "", "", "", "", "events"}},
		auth.ActTrim:        {{"done", "", "", "", "", ""}},
		auth.ActDoor:        {{"refused", "", "", "", "", "http"}},
		auth.ActReport:      {{"done", "", "", "", "", "events"}, {"done", "", "terminal:ops", "", "", "terminal"}},
		auth.ActDoctor:      {{"done", "", tom, "", "", "socket"}, {"refused", "", outsider, "", "", "socket"}},
		auth.ActReportAsk:   {{"done", "", tom, "", "", "socket"}, {"refused", "", outsider, "", "", "socket"}},
	} {
		for _, l := range want {
			if !slices.Contains(lines[act], l) {
				t.Errorf("of %s the trail has\n%+v\nand not\n%+v", act, lines[act], l)
			}
		}
	}
	source, err := os.ReadFile("../auth/trail.go")
	if err != nil {
		t.Fatal(err)
	}
	acts := regexp.MustCompile(`\tAct\w+ +Act = "(.+)"`).FindAllStringSubmatch(string(source), -1)
	for _, a := range acts {
		if len(lines[auth.Act(a[1])]) == 0 {
			t.Errorf("the trail has nothing of %s", a[1])
		}
	}
	if len(acts) < 26 {
		t.Errorf("only %d acts were found in auth/trail.go", len(acts))
	}
}

// A click on what is somebody else's is in the trail, whatever the button.
func TestUnauthorisedClicksAreInTheTrail(t *testing.T) {
	o := newCheckpoint(t)
	page := o.ask(hana, "web-1")
	o.click(ben, "pass_start", buttonValue(t, page, "pass_start"))
	if e := o.wantNoted(auth.ActPassStart, auth.Refused); e.Submitted != ben || e.Instance != webID || e.Reason != string(auth.NoPass) {
		t.Errorf("the trail has %+v", e)
	}
	o.click(ben, "pass_revoke", buttonValue(t, page, "pass_revoke"))
	o.wantNoted(auth.ActPassRevoke, auth.Refused)
	o.click(ben, "request_approve", gpuID+"/forged")
	if e := o.wantNoted(auth.ActApprove, auth.Refused); e.Decided != ben || e.Reason != string(auth.NoRequest) {
		t.Errorf("the trail has %+v", e)
	}
}

// A fault is no decision: nothing changes, and the trail has nothing of it.
func TestAFaultDecidesNothing(t *testing.T) {
	o := newCheckpoint(t)
	id, _ := o.requested(hana, "gpu-1")
	before := len(o.entries())
	o.people.away = errAway
	for name, m := range map[string]commands.Message{
		"approve":     o.click(ben, "request_approve", id),
		"deny":        o.submit(ben, "deny", id, map[string]string{"why": "no"}),
		"ask":         o.ask(mai, "gpu-1"),
		"break-glass": o.ask(mai, "break-glass gpu-1 for the outage"),
	} {
		wants(t, name, m.Text, "Something went wrong", "logged")
		lacks(t, name, m.Text, errAway.Error())
	}
	if after := o.entries(); len(after) != before || o.stored(id).Version() > 0 {
		t.Errorf("the trail has %+v", after[before:])
	}
}

// A start's way is in the trail once, however many events speak of it.
func TestAStartIsInTheTrailOnce(t *testing.T) {
	o := newOffice(t)
	o.ec2.start(webID)
	o.events(webID, auth.Pending, auth.Pending, auth.Running)
	o.later(20 * time.Second)
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Stopped })
	o.events(webID, auth.Stopped, auth.Stopped)
	var got []string
	for _, e := range o.entries() {
		got = append(got, fmt.Sprint(e.Act, " ", e.Outcome, " ", e.Reason, " ", e.Note))
	}
	want := []string{
		"start.judge refused no_tag launched 2027-01-15T08:00:00Z",
		"start.stop done no_tag launched 2027-01-15T08:00:00Z; refused (no_tag), stop asked for",
		"start.stop done no_tag launched 2027-01-15T08:00:00Z; refused (no_tag), stopped",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the trail has\n%s", strings.Join(got, "\n"))
	}
}

// Nor is it there again for each try to tell of it.
func TestAStartThatCannotBeToldIsInTheTrailOnce(t *testing.T) {
	o := newOffice(t)
	o.chat.goAway(errAway)
	o.ec2.start(webID)
	o.events(webID, auth.Pending)
	o.queue.take(t) // the confirmation
	for range 3 {
		if err := o.work("Tell about a start"); err != nil {
			t.Fatal(err)
		}
	}
	o.wantNoted(auth.ActStart, auth.Refused)
	o.wantNoted(auth.ActStartStop, auth.Done)
}

// lostTrail is a trail whose store is away.
type lostTrail struct{ auth.Trail }

func (lostTrail) Append(context.Context, ...auth.Entry) ([]auth.Entry, error) {
	return nil, fmt.Errorf("appending: %w", auth.ErrUnavailable)
}

// While the trail is away nothing waits for it but the telling; each entry
// comes later, exactly once, with the time and the way of what happened.
func TestWhileTheTrailIsAwayEntriesWait(t *testing.T) {
	o := newCheckpoint(t)
	o.Trail = lostTrail{o.trail}
	code(t, o.ask(hana, "web-1"))
	o.ask(hana, "revoke web-1")
	o.ask(outsider, "web-1")
	id := buttonValue(t, o.ask(hana, "gpu-1"), "request_withdraw")
	o.click(ben, "request_approve", id)
	o.ec2.start(dbID)
	o.events(dbID, auth.Pending)
	o.TurnedAway(t.Context(), "http", "the signature is wrong")
	if lines := strings.Count(o.lines.String(), `"kind":"trail"`); lines < 5 {
		t.Errorf("the log has %d of the entries", lines)
	}
	o.pass(time.Minute) // away still
	if n := len(o.entries()); n > 0 {
		t.Fatalf("%d entries", n)
	}
	o.Trail = o.trail
	for range 4 {
		o.pass(5 * time.Minute)
	}
	once := make(map[string]int)
	for _, e := range o.entries() {
		once[fmt.Sprint(e.Act, " ", e.Outcome, " ", e.Submitted, " ", e.Decided, " ", e.Instance, e.Note)]++
		if e.Act != auth.ActStartStop && (!e.Time.Equal(noon) || e.Source == "" && e.Act != auth.ActDoor) {
			t.Errorf("that is not when, or how, it happened: %+v", e)
		}
	}
	for _, want := range []string{
		"pass.issue done U0HANA  " + webID, "pass.revoke done U0HANA  " + webID, "request.ask refused U0MALLORY  " + webID,
		"request.ask done U0HANA  " + gpuID, "request.approve done U0HANA U0BEN " + gpuID,
		"start.judge refused   " + dbID + "launched 2027-01-15T08:00:00Z", "door.verify refused   ",
	} {
		if once[want] != 1 {
			t.Errorf("%q is there %d times, of %v", want, once[want], once)
		}
	}
}

// Lines are for those who keep logs: each entry as one line of JSON.
// Whoever can write to the queue has no entry signed.
func TestAForgedEntryStaysOutOfTheTrail(t *testing.T) {
	o := newOffice(t)
	for _, entry := range []string{`{"act":"request.approve","outcome":"done"}`, "c2VhbGVkIGJ5IG5vYm9keSB3aXRoIHRoZSBwZXBwZXI", ""} {
		detail, _ := json.Marshal(map[string]string{"entry": entry})
		if err := o.run(commands.Event{ID: "forged", Source: "sekisho.task", DetailType: "Record", Detail: detail}); err == nil {
			t.Errorf("taken: %q", entry)
		}
	}
	if all := o.entries(); len(all) > 0 {
		t.Errorf("in the trail: %+v", all)
	}
}

func TestTheTrailIsPrintedToo(t *testing.T) {
	o := newOffice(t)
	o.ask(hana, "web-1")
	var e struct {
		Kind string `json:"kind"`
		auth.Entry
	}
	if err := json.Unmarshal([]byte(o.lines.String()), &e); err != nil {
		t.Fatal(err)
	}
	if e.Kind != "trail" || e.Act != auth.ActPassIssue || e.Hash != o.entries()[0].Hash {
		t.Errorf("printed %s", o.lines)
	}
	o.Lines = nil
	o.ask(hana, "web-1")
}

// Whoever sends what Slack did not sign must not fill the trail.
func TestTurnedAwayIsBounded(t *testing.T) {
	o := newOffice(t)
	for range 1000 {
		o.TurnedAway(t.Context(), "http", "the signature is wrong")
	}
	if e := o.wantNoted(auth.ActDoor, auth.Refused); e.Door != "http" || e.Reason != "the signature is wrong" || e.Note != "" {
		t.Errorf("the trail has %+v", e)
	}
	o.later(10 * time.Second)
	o.TurnedAway(t.Context(), "http", "the signature is old")
	all := o.noted(auth.ActDoor, auth.Refused)
	if len(all) != 2 || all[1].Note != "and 999 more since the entry before" {
		t.Errorf("the trail has %+v", all)
	}
}

// That the policy is another one is told once, however many processes notice.
func TestANewPolicyIsToldOnce(t *testing.T) {
	o := newOffice(t)
	notice := func(o *office, hash string) []said {
		t.Helper()
		o.Policy.Hash = hash
		for range 2 {
			if err := o.NoticePolicy(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		return o.chat.all()
	}
	if said := notice(o, "first"); len(said) > 0 {
		t.Errorf("the first one ever is told: %+v", said)
	}
	if said := notice(newOfficeOn(t, o.redis), "first"); len(said) > 0 {
		t.Errorf("the same one is told: %+v", said)
	}
	said := notice(newOfficeOn(t, o.redis), "second")
	if len(said) != 1 || said[0].channel != alerts {
		t.Fatalf("told %+v", said)
	}
	wants(t, "the message", said[0].text, "policy has changed", "`first` → `second`")
	if said := notice(newOfficeOn(t, o.redis), "second"); len(said) > 0 {
		t.Errorf("told again: %+v", said)
	}
	if said := notice(o, "first"); len(said) > 0 { // an older release, about to end
		t.Errorf("two releases take turns: %+v", said)
	}
	all := o.noted(auth.ActPolicy, auth.Done)
	if len(all) != 2 || all[1].Policy != "second" || all[1].Note != "before: first" {
		t.Errorf("the trail has %+v", all)
	}
}
