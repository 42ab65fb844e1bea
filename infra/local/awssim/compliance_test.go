package awssim_test

import (
	"encoding/json"
	"testing"
	"time"

	"sekisho/infra/local/awssim"
)

// judgement is what a test looks at of a compliance change.
type judgement struct {
	ID     string
	Detail struct {
		ResourceID          string
		NewEvaluationResult struct{ ComplianceType string }
		OldEvaluationResult *struct{ ComplianceType string }
	}
}

// nextJudgement waits for a compliance change and wants it to be this.
func (w *world) nextJudgement(t *testing.T, user awssim.User, compliance, before string) judgement {
	t.Helper()
	select {
	case raw := <-w.judged:
		var j judgement
		wantOK(t, json.Unmarshal(raw, &j))
		old := ""
		if j.Detail.OldEvaluationResult != nil {
			old = j.Detail.OldEvaluationResult.ComplianceType
		}
		if j.Detail.ResourceID != user.ID || j.Detail.NewEvaluationResult.ComplianceType != compliance || old != before {
			t.Fatalf("judged %s %s after %q, want %s %s after %q", j.Detail.ResourceID, j.Detail.NewEvaluationResult.ComplianceType, old, user.ID, compliance, before)
		}
		return j
	case <-time.After(10 * time.Second):
		t.Fatalf("no event that %s is %s", user.Name, compliance)
	}
	return judgement{}
}

func TestComplianceEventShape(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now, Account: "999988887777", KeyRule: "securityhub-access-keys-rotated-0a1b"})
	url := w.CreateQueue("events", time.Minute, "", 0)
	w.RouteEventsTo(url)
	u := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true}}})
	wantOK(t, w.CheckCompliance("hana"))
	clock.advance(91 * day)
	wantOK(t, w.CheckCompliance("hana"))

	result := func(compliance, at string) string {
		return `{"evaluationResultIdentifier":{"evaluationResultQualifier":{"configRuleName":"securityhub-access-keys-rotated-0a1b",` +
			`"resourceType":"AWS::IAM::User","resourceId":"` + u.ID + `"},"orderingTimestamp":"` + at + `"},` +
			`"complianceType":"` + compliance + `","resultRecordedTime":"` + at + `","configRuleInvokedTime":"` + at + `"}`
	}
	want := func(id, second, at, results string) string {
		return `{"version":"0","id":"` + id + `","detail-type":"Config Rules Compliance Change","source":"aws.config",` +
			`"account":"999988887777","time":"` + second + `","region":"eu-central-1","resources":[],` +
			`"detail":{"resourceId":"` + u.ID + `","awsRegion":"eu-central-1","awsAccountId":"999988887777",` +
			`"configRuleName":"securityhub-access-keys-rotated-0a1b","recordVersion":"1.0",` +
			`"configRuleARN":"arn:aws:config:eu-central-1:999988887777:config-rule/config-rule-keyage",` +
			`"messageType":"ComplianceChangeNotification",` + results + `,"notificationCreationTime":"` + at + `","resourceType":"AWS::IAM::User"}}`
	}
	const first, second = "2026-03-04T05:06:07.890Z", "2026-06-03T05:06:07.890Z"
	wants := []func(id string) string{
		func(id string) string {
			return want(id, "2026-03-04T05:06:07Z", first, `"newEvaluationResult":`+result("COMPLIANT", first))
		},
		func(id string) string {
			return want(id, "2026-06-03T05:06:07Z", second, `"newEvaluationResult":`+result("NON_COMPLIANT", second)+`,"oldEvaluationResult":`+result("COMPLIANT", first))
		},
	}
	bodies := w.Queue(url).Visible
	if len(bodies) != len(wants) {
		t.Fatalf("%d events, want %d", len(bodies), len(wants))
	}
	for n, body := range bodies {
		var got struct{ ID string }
		wantOK(t, json.Unmarshal([]byte(body), &got))
		if want := wants[n](got.ID); len(got.ID) != 36 || body != want {
			t.Errorf("event\n%s, want\n%s", body, want)
		}
	}
}

func TestCompliance(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	born := clock.now().Truncate(time.Second)
	u := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true, Created: born}, {Created: born.Add(-1000 * day)}}})
	key := u.Keys[0].ID
	url := w.CreateQueue("events", time.Minute, "", 0)
	w.RouteEventsTo(url)
	check := func() {
		t.Helper()
		wantOK(t, w.CheckCompliance("hana"))
	}
	check()
	w.nextJudgement(t, u, "COMPLIANT", "") // the inactive key's age doesn't count

	clock.advance(90*day - 890*time.Millisecond) // to the second
	check()
	if n := len(w.Queue(url).Visible); n != 1 {
		t.Fatalf("%d events by the 90th day, want the first one alone", n)
	}
	clock.advance(time.Second)
	check()
	w.nextJudgement(t, u, "NON_COMPLIANT", "COMPLIANT")
	check()
	if n := len(w.Queue(url).Visible); n != 2 {
		t.Fatalf("%d events, want none without a change", n)
	}
	wantOK(t, w.SetKey(key, false))
	check()
	w.nextJudgement(t, u, "COMPLIANT", "NON_COMPLIANT")
	wantOK(t, w.SetKey(key, true))
	check()
	w.nextJudgement(t, u, "NON_COMPLIANT", "COMPLIANT")
	wantOK(t, w.DeleteKey(key))
	check()
	w.nextJudgement(t, u, "COMPLIANT", "NON_COMPLIANT")
	wantCode(t, w.CheckCompliance("nobody"), "NoSuchEntity")
}

func TestCheckAll(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	ben := w.addUser(t, awssim.User{Name: "ben"})
	hana := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true}}})
	wantOK(t, w.AgeKey(hana.Keys[0].ID, 91*day))
	w.CheckAll()
	w.nextJudgement(t, ben, "COMPLIANT", "")
	w.nextJudgement(t, hana, "NON_COMPLIANT", "")
}

// Config's events go wrong as EC2's do.
func TestComplianceEventsMeetTheFaults(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	u := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true}}})
	key := u.Keys[0].ID
	turn := func(active bool) {
		t.Helper()
		wantOK(t, w.SetKey(key, active))
		wantOK(t, w.CheckCompliance("hana"))
	}
	wantOK(t, w.AgeKey(key, 91*day))

	w.DuplicateEvents(true)
	turn(true)
	first := w.nextJudgement(t, u, "NON_COMPLIANT", "")
	if again := w.nextJudgement(t, u, "NON_COMPLIANT", ""); again.ID != first.ID {
		t.Errorf("a duplicate has the id %s, want %s", again.ID, first.ID)
	}
	w.DuplicateEvents(false)

	w.DropEvents(1)
	turn(false) // nobody is told

	w.HoldEvents(true)
	turn(true)
	turn(false)
	w.HoldEvents(false)
	w.nextJudgement(t, u, "COMPLIANT", "NON_COMPLIANT")
	w.nextJudgement(t, u, "NON_COMPLIANT", "COMPLIANT")
}
