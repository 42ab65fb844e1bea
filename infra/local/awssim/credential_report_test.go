package awssim_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"sekisho/infra/local/awssim"
)

func (w *world) generate(t *testing.T) types.ReportStateType {
	t.Helper()
	out, err := w.iam.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
	wantOK(t, err)
	return out.State
}

func (w *world) getReport(t *testing.T) (*iam.GetCredentialReportOutput, error) {
	t.Helper()
	return w.iam.GetCredentialReport(t.Context(), &iam.GetCredentialReportInput{})
}

// rows makes a report of what is so now and reads it: the header, then each user's cells by column.
func (w *world) rows(t *testing.T) (header []string, rows []map[string]string) {
	t.Helper()
	w.ForgetReport()
	w.ReportTakes(0)
	w.generate(t)
	out, err := w.getReport(t)
	wantOK(t, err)
	if out.ReportFormat != types.ReportFormatTypeTextCsv {
		t.Errorf("the format is %q", out.ReportFormat)
	}
	lines, err := csv.NewReader(strings.NewReader(string(out.Content))).ReadAll() // wants equally many cells in each row
	wantOK(t, err)
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		rows = append(rows, row)
	}
	return lines[0], rows
}

// wantCells compares the cells that are named.
func wantCells(t *testing.T, row, want map[string]string) {
	t.Helper()
	for name, value := range want {
		if got, there := row[name]; got != value || !there {
			t.Errorf("%s of %s is %q, want %q", name, row["user"], got, value)
		}
	}
}

func TestReportIsMadeInSteps(t *testing.T) {
	for takes := range 4 {
		w := newWorld(t, awssim.Options{})
		if takes != 1 { // which is what it is anyway
			w.ReportTakes(takes)
		}
		got := []types.ReportStateType{w.generate(t)}
		for got[len(got)-1] != types.ReportStateTypeComplete && len(got) < 10 {
			got = append(got, w.generate(t))
		}
		want := []types.ReportStateType{types.ReportStateTypeStarted}
		want = append(want, slices.Repeat([]types.ReportStateType{types.ReportStateTypeInprogress}, takes)...)
		want = append(want, types.ReportStateTypeComplete)
		if !slices.Equal(got, want) {
			t.Errorf("one that takes %d calls: %v, want %v", takes, got, want)
		}
	}
}

// Who only asks for the report waits for it too.
func TestGetReportBeforeItIsThere(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.ReportTakes(2)
	_, err := w.getReport(t)
	wantCode(t, err, "ReportNotPresent")
	if _, typed := errors.AsType[*types.CredentialReportNotPresentException](err); !typed || statusOf(t, err) != http.StatusGone {
		t.Errorf("no report: %v", err)
	}
	w.generate(t)
	for range 2 {
		_, err = w.getReport(t)
		wantCode(t, err, "ReportInProgress")
		if _, typed := errors.AsType[*types.CredentialReportNotReadyException](err); !typed || statusOf(t, err) != http.StatusNotFound {
			t.Errorf("a report in the making: %v", err)
		}
	}
	_, err = w.getReport(t)
	wantOK(t, err)
}

func TestReportIsGoodForFourHours(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	w.ReportTakes(0)
	w.generate(t)
	first, err := w.getReport(t)
	wantOK(t, err)
	if want := clock.now().Truncate(time.Second); !first.GeneratedTime.Equal(want) {
		t.Errorf("made at %s, want %s", first.GeneratedTime, want)
	}

	w.addUser(t, awssim.User{Name: "hana"})
	clock.advance(4*time.Hour - time.Second)
	if got := w.generate(t); got != types.ReportStateTypeComplete {
		t.Errorf("within four hours: %s, want the one that exists", got)
	}
	again, err := w.getReport(t)
	wantOK(t, err)
	if !again.GeneratedTime.Equal(*first.GeneratedTime) || string(again.Content) != string(first.Content) {
		t.Errorf("within four hours it is another, of %s", again.GeneratedTime)
	}

	clock.advance(time.Second - 890*time.Millisecond) // its own time is in whole seconds
	_, err = w.getReport(t)
	wantCode(t, err, "ReportExpired")
	if _, typed := errors.AsType[*types.CredentialReportExpiredException](err); !typed || statusOf(t, err) != http.StatusGone {
		t.Errorf("expired: %v", err)
	}
	w.ReportTakes(1)
	if got := w.generate(t); got != types.ReportStateTypeStarted {
		t.Errorf("after four hours: %s", got)
	}
	_, err = w.getReport(t)
	wantCode(t, err, "ReportInProgress")
	second, err := w.getReport(t)
	wantOK(t, err)
	if !second.GeneratedTime.Equal(clock.now().Truncate(time.Second)) || !strings.Contains(string(second.Content), "\nhana,") {
		t.Errorf("the next is of %s:\n%s", second.GeneratedTime, second.Content)
	}
}

func TestReportCells(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	date := func(day int) time.Time { return time.Date(2025, 2, day, 4, 5, 6, 0, time.UTC) }
	w.addUser(t, awssim.User{Name: "ken", Path: "/ci/", Created: date(1), MFA: true, Keys: []awssim.AccessKey{
		{Active: true, Created: date(2), Used: date(3), Service: "s3", Region: "eu-west-1"},
		{Created: date(4)},
	}})
	w.addUser(t, awssim.User{Name: "hana", Created: date(1), PasswordEnabled: true})
	wantOK(t, w.SetRoot(awssim.Root{Created: date(1), PasswordLastUsed: date(6), MFA: true, Keys: []awssim.AccessKey{{Active: true, Created: date(7)}}}))

	header, rows := w.rows(t)
	if want := "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active," +
		"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
		"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
		"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"; strings.Join(header, ",") != want {
		t.Errorf("header\n%s, want\n%s", header, want)
	}
	if len(rows) != 3 {
		t.Fatalf("%d rows, want three: %v", len(rows), rows)
	}
	noKey := func(n string) map[string]string {
		return map[string]string{
			"access_key_" + n + "_active": "false", "access_key_" + n + "_last_rotated": "N/A", "access_key_" + n + "_last_used_date": "N/A",
			"access_key_" + n + "_last_used_region": "N/A", "access_key_" + n + "_last_used_service": "N/A",
		}
	}
	root, hana, ken := rows[0], rows[1], rows[2]
	wantCells(t, root, map[string]string{
		"user": "<root_account>", "arn": "arn:aws:iam::111122223333:root", "user_creation_time": "2025-02-01T04:05:06+00:00",
		"password_enabled": "not_supported", "password_last_used": "2025-02-06T04:05:06+00:00",
		"password_last_changed": "not_supported", "password_next_rotation": "not_supported", "mfa_active": "true",
		"access_key_1_active": "true", "access_key_1_last_rotated": "2025-02-07T04:05:06+00:00", "access_key_1_last_used_date": "N/A",
		"cert_1_active": "false", "cert_1_last_rotated": "N/A", "cert_2_active": "false", "cert_2_last_rotated": "N/A",
	})
	wantCells(t, root, noKey("2"))
	wantCells(t, hana, map[string]string{
		"user": "hana", "arn": "arn:aws:iam::111122223333:user/hana",
		"password_enabled": "true", "password_last_used": "no_information", "password_last_changed": "2025-02-01T04:05:06+00:00",
		"password_next_rotation": "N/A", "mfa_active": "false",
	})
	wantCells(t, hana, noKey("1"))
	wantCells(t, ken, map[string]string{
		"user": "ken", "arn": "arn:aws:iam::111122223333:user/ci/ken",
		"password_enabled": "false", "password_last_used": "N/A", "password_last_changed": "N/A", "password_next_rotation": "N/A", "mfa_active": "true",
		"access_key_1_active": "true", "access_key_1_last_rotated": "2025-02-02T04:05:06+00:00",
		"access_key_1_last_used_date": "2025-02-03T04:05:06+00:00", "access_key_1_last_used_region": "eu-west-1", "access_key_1_last_used_service": "s3",
		"access_key_2_active": "false", "access_key_2_last_rotated": "2025-02-04T04:05:06+00:00", "access_key_2_last_used_date": "N/A",
	})

	w.ReportByTheBook(true)
	_, rows = w.rows(t)
	wantCells(t, rows[0], map[string]string{"password_enabled": "not_supported", "mfa_active": "TRUE"})
	wantCells(t, rows[2], map[string]string{
		"password_enabled": "FALSE", "access_key_1_active": "TRUE", "access_key_1_last_rotated": "2025-02-02T04:05:06+00:00",
		"access_key_2_active": "FALSE", "access_key_2_last_rotated": "N/A",
	})
}

func TestReportColumns(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.addUser(t, awssim.User{Name: "hana", MFA: true, PasswordEnabled: true})
	w.ReportAlso("additional_credentials_info")
	w.ReportLacks("arn", "password_enabled")
	header, rows := w.rows(t)
	if len(header) != 22-2+1 || header[0] != "user" || header[1] != "user_creation_time" || header[20] != "additional_credentials_info" {
		t.Errorf("header %v", header)
	}
	wantCells(t, rows[1], map[string]string{
		"user": "hana", "mfa_active": "true", "password_last_used": "no_information", "cert_2_last_rotated": "N/A", "additional_credentials_info": "N/A",
	})
}

// What people do in the console shows in the next report, and signing in shows in GetUser.
func TestConsoleCredentials(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	w.addUser(t, awssim.User{Name: "hana"})
	wantCode(t, w.SignIn("hana"), "NoSuchEntity")
	wantOK(t, w.SetPassword("hana", true))
	clock.advance(time.Hour)
	wantOK(t, w.SignIn("hana"))
	wantOK(t, w.SetMFA("hana", true))
	_, rows := w.rows(t)
	wantCells(t, rows[1], map[string]string{
		"password_enabled": "true", "password_last_changed": "2026-03-04T05:06:07+00:00", "password_last_used": "2026-03-04T06:06:07+00:00", "mfa_active": "true",
	})
	user := "hana"
	out, err := w.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: &user})
	wantOK(t, err)
	if got := out.User.PasswordLastUsed; got == nil || !got.Equal(clock.now().Truncate(time.Second)) {
		t.Errorf("GetUser says the password was last used at %v", got)
	}
	wantOK(t, w.SetPassword("hana", false))
	_, rows = w.rows(t)
	wantCells(t, rows[1], map[string]string{"password_enabled": "false", "password_last_used": "N/A"})

	for _, err := range []error{w.SetPassword("nobody", true), w.SetMFA("nobody", true), w.SignIn("nobody")} {
		wantCode(t, err, "NoSuchEntity")
	}
}

func TestRoot(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	_, rows := w.rows(t)
	wantCells(t, rows[0], map[string]string{
		"user_creation_time": "2026-03-04T05:06:07+00:00", "password_last_used": "no_information", "mfa_active": "false", "access_key_1_active": "false",
	})
	wantCode(t, w.SetRoot(awssim.Root{MFA: true, Keys: make([]awssim.AccessKey, 3)}), "LimitExceeded")
	keys := []awssim.AccessKey{{Active: true}}
	clock.advance(day)
	wantOK(t, w.SetRoot(awssim.Root{Keys: keys}))
	keys[0].Active = false // what was given is a copy
	got := w.Root()
	if got.MFA || !got.Created.Equal(clock.now().Add(-day).Truncate(time.Second)) || len(got.Keys) != 1 || !got.Keys[0].Active {
		t.Errorf("root is %+v", got)
	}
	got.Keys[0].Active = false // and so is what is got
	if !w.Root().Keys[0].Active {
		t.Error("root's key was changed from outside")
	}
}

func TestReportRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.Fail("GenerateCredentialReport", "AccessDenied", 1)
	_, err := w.iam.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
	if got, want := wantCode(t, err, "AccessDenied"), "User: arn:aws:sts::111122223333:assumed-role/sekisho/demo is not authorized to perform: "+
		"iam:GenerateCredentialReport on resource: * because no identity-based policy allows the iam:GenerateCredentialReport action"; got != want {
		t.Errorf("denied with\n%s, want\n%s", got, want)
	}
	w.Throttle("GenerateCredentialReport", 2)
	if got := w.generate(t); got != types.ReportStateTypeStarted { // the SDK's third try: those throttled had no effect
		t.Errorf("after being throttled: %s", got)
	}
	for code, status := range map[string]int{"ReportNotPresent": 410, "ReportExpired": 410, "ReportInProgress": 404} {
		w.Fail("GetCredentialReport", code, 1)
		_, err = w.getReport(t)
		wantCode(t, err, code)
		if got := statusOf(t, err); got != status {
			t.Errorf("%s with status %d, want %d", code, got, status)
		}
	}
	var told []string
	for _, call := range w.Calls()[:4] {
		told = append(told, strings.TrimSpace(call.Action+" "+call.ErrorCode))
	}
	want := []string{
		"GenerateCredentialReport AccessDenied", "GenerateCredentialReport Throttling", "GenerateCredentialReport Throttling",
		"GenerateCredentialReport",
	}
	if !slices.Equal(told, want) {
		t.Errorf("recorded\n%q, want\n%q", told, want)
	}
}

// fullAccount has as many users as an account may have.
func fullAccount(t testing.TB, c *awssim.Cloud) {
	for n := range 5_000 {
		_, err := c.AddUser(awssim.User{
			Name: fmt.Sprintf("user%04d", n), PasswordEnabled: true, MFA: n%2 == 0, Keys: []awssim.AccessKey{{Active: true}, {}},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestReportOfAFullAccount(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	fullAccount(t, w.Cloud)
	w.useNoSockets()
	_, rows := w.rows(t)
	if len(rows) != 5_001 || rows[1]["user"] != "user0000" || rows[5_000]["user"] != "user4999" {
		t.Errorf("%d rows, want root and every user by name", len(rows))
	}
}

// BenchmarkReport is a report of 5,000 users, asked for and fetched over the wire.
func BenchmarkReport(b *testing.B) {
	c := awssim.New(awssim.Options{})
	defer c.Close()
	fullAccount(b, c)
	client := iam.NewFromConfig(sdkConfig(inProcess{c.Handler()}, "http://aws.test", testKey, "eu-central-1"))
	c.ReportTakes(0)
	for b.Loop() {
		c.ForgetReport()
		if _, err := client.GenerateCredentialReport(b.Context(), &iam.GenerateCredentialReportInput{}); err != nil {
			b.Fatal(err)
		}
		if _, err := client.GetCredentialReport(b.Context(), &iam.GetCredentialReportInput{}); err != nil {
			b.Fatal(err)
		}
	}
}
