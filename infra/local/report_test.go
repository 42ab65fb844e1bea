package local

import (
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/slack-go/slack"

	"sekisho/infra/local/browsertest"
	"sekisho/infra/local/slacksim"
)

func TestAWeekPasses(t *testing.T) {
	now := time.Date(2026, 3, 1, 23, 5, 9, 123456789, time.UTC)
	w, base := newWorld(t, Options{Now: func() time.Time { return now }})
	client := newIAM(t, w)
	credentialReport(t, client)
	if status, code := post(t, base, "schedule", scheduleInput{"Report"}); status != http.StatusNoContent {
		t.Fatalf("answered %d %s", status, code)
	}
	waiting := w.AWS.Queue(w.queue).Visible
	if len(waiting) != 1 {
		t.Fatalf("the queue holds %q", waiting)
	}
	var e map[string]any
	if err := json.Unmarshal([]byte(waiting[0]), &e); err != nil {
		t.Fatal(err)
	}
	detail, _ := e["detail"].(map[string]any)
	if e["source"] != "sekisho.schedule" || e["detail-type"] != "Report" || e["time"] != "2026-03-01T23:05:09Z" || e["id"] == "" || len(detail) != 1 || detail["name"] != "weekly" {
		t.Errorf("the schedule sent %s", waiting[0])
	}
	if log := w.snapshot("U0HANA").Log; len(log) == 0 || log[len(log)-1].Kind != "schedule" || log[len(log)-1].Detail != "Report" {
		t.Errorf("the journal is %+v", log)
	}
	// After a week there is no credential report of this hour.
	begun, err := client.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
	if err != nil || begun.State != types.ReportStateTypeStarted {
		t.Errorf("a new report: %+v, %v", begun, err)
	}
}

func TestAWeekPassesOnThePage(t *testing.T) {
	w, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base))
	if shown(t, tab, "week-passes") {
		t.Error("it is among the instances' buttons")
	}
	browsertest.Do(t, tab, browsertest.Click("tab-mail"), browsertest.Click("week-passes"), browsertest.Click("tab-iam"), browsertest.Click("week-passes"),
		browsertest.Until(`document.querySelectorAll('[data-testid="log-entry"]').length === 2`))
	if all := w.events(t); len(all) != 2 || all[0].DetailType != "Report" || all[1].DetailType != "Report" {
		t.Errorf("the queue holds %+v", all)
	}
}

// credentialReport is IAM's, by user and column.
func credentialReport(t *testing.T, client *iam.Client) map[string]map[string]string {
	t.Helper()
	for state := types.ReportStateTypeStarted; state != types.ReportStateTypeComplete; {
		begun, err := client.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
		if err != nil {
			t.Fatal(err)
		}
		state = begun.State
	}
	got, err := client.GetCredentialReport(t.Context(), &iam.GetCredentialReportInput{})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(got.Content))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	users := map[string]map[string]string{}
	for _, row := range rows[1:] {
		users[row[0]] = map[string]string{}
		for i, column := range rows[0] {
			users[row[0]][column] = row[i]
		}
	}
	return users
}

// TestTheCastHasFindings: what a credential report says of the cast at first.
func TestTheCastHasFindings(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w, _ := newWorld(t, Options{Now: func() time.Time { return now }})
	users := credentialReport(t, newIAM(t, w))
	for name, want := range map[string][3]string{ // a password, MFA, the password's last use
		"<root_account>": {"true", "true", "2025-08-13"}, "hana": {"true", "true", "2026-02-27"}, "ben": {"true", "false", "2026-01-10"},
		"rosa": {"true", "true", "2026-03-01"}, "ci-deploy": {"false", "false", "N/A"},
	} {
		u := users[name]
		used, _, _ := strings.Cut(u["password_last_used"], "T")
		if name == "<root_account>" { // of whom it does not say whether there is a password
			u["password_enabled"] = "true"
		}
		if got := [3]string{u["password_enabled"], u["mfa_active"], used}; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	if u := users["<root_account>"]; u["access_key_1_active"] != "false" || u["access_key_2_active"] != "false" {
		t.Errorf("root has keys: %v", u)
	}
	if !slices.ContainsFunc(w.Slack.Channels("U0ROSA"), func(c slacksim.Channel) bool { return c.ID == "C0REPORT" }) {
		t.Error("nobody can read the reports")
	}
}

func TestIAMRefusesItsReport(t *testing.T) {
	w, base := newWorld(t, Options{})
	client := newIAM(t, w)
	ask := func() []error {
		_, begun := client.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
		_, got := client.GetCredentialReport(t.Context(), &iam.GetCredentialReportInput{})
		return []error{begun, got}
	}
	post(t, base, "fault", faultInput{reportDenying, true})
	for range 2 {
		for _, err := range ask() {
			if api, ok := asAPIError(err); !ok || api.ErrorCode() != "AccessDenied" {
				t.Errorf("got %v, want AccessDenied", err)
			}
		}
	}
	post(t, base, "fault", faultInput{reportDenying, false})
	ask() // the ones that were still arranged
	if users := credentialReport(t, client); len(users) != 5 {
		t.Errorf("switched off: %v", users)
	}
}

func TestSlackDoesNotKnowDataTable(t *testing.T) {
	w, base := newWorld(t, Options{})
	client := slack.New(botToken, slack.OptionAPIURL(base+"/slack/api/"))
	say := func(b slack.Block) string {
		if _, _, err := client.PostMessageContext(t.Context(), "C0REPORT", slack.MsgOptionText("x", false), slack.MsgOptionBlocks(b)); err != nil {
			return err.Error()
		}
		return ""
	}
	data := slack.NewDataTableBlock("Keys").AddRow(slack.NewDataTableRawTextCell("User")).AddRow(slack.NewDataTableRawTextCell("ben"))
	plain := slack.NewTableBlock("").AddRow(slack.NewTableRawTextCell("User"))
	for _, step := range []struct {
		on   bool
		want string
	}{{false, ""}, {true, "invalid_blocks"}, {false, ""}} {
		post(t, base, "fault", faultInput{"no-data-table", step.on})
		if got, also := say(data), say(plain); got != step.want || also != "" {
			t.Errorf("fault %v: data_table %q, table %q", step.on, got, also)
		}
	}
	if n := len(w.Slack.Messages("C0REPORT", "U0BEN")); n != 5 {
		t.Errorf("%d messages, want 5", n)
	}
}
