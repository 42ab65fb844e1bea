package iamreport_test

import (
	"encoding/csv"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth/report"
	"sekisho/infra/iamreport"
)

// header is the report's as it is documented, without additional_credentials_info,
// which not every account's has.
const header = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active," +
	"access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service," +
	"access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service," +
	"cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated"

// whole is a report with a row of each kind.
const whole = header + `
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,2026-01-02T03:04:05+00:00,not_supported,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
ann,arn:aws:iam::111122223333:user/ann,2021-01-01T00:00:00+00:00,true,2026-02-01T00:00:00+00:00,2025-01-01T00:00:00+00:00,N/A,false,true,2024-01-01T00:00:00+00:00,2026-02-02T00:00:00+00:00,eu-central-1,s3,false,2023-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,false,N/A
bot,arn:aws:iam::111122223333:user/ops/bot,2022-01-01T09:00:00+09:00,FALSE,N/A,N/A,N/A,FALSE,FALSE,N/A,2023-06-01T00:00:00Z,us-east-1,ec2,TRUE,2025-01-01T00:00:00Z,N/A,N/A,N/A,FALSE,N/A,FALSE,N/A
cho,arn:aws:iam::111122223333:user/cho,2022-01-01T00:00:00+00:00,TRUE,no_information,2022-01-01T00:00:00+00:00,N/A,True,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
`

func on(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

var wholeRows = []report.Credential{
	{User: report.RootUser, Created: on(2020, 1, 1), Password: true, PasswordUsed: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), MFA: true},
	{
		User: "ann", Created: on(2021, 1, 1), Password: true, PasswordUsed: on(2026, 2, 1), PasswordSet: on(2025, 1, 1),
		Keys: [2]report.CredentialKey{{Active: true, Rotated: on(2024, 1, 1), Used: on(2026, 2, 2)}, {Rotated: on(2023, 1, 1)}},
	},
	{
		User: "bot", Created: on(2022, 1, 1),
		Keys: [2]report.CredentialKey{{Used: on(2023, 6, 1)}, {Active: true, Rotated: on(2025, 1, 1)}},
	},
	{User: "cho", Created: on(2022, 1, 1), Password: true, PasswordSet: on(2022, 1, 1), MFA: true},
}

func read(t *testing.T, text string) report.Credentials {
	t.Helper()
	c, err := iamreport.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func wantReport(t *testing.T, got report.Credentials, rows []report.Credential, lacks ...string) {
	t.Helper()
	if !reflect.DeepEqual(got.Rows, rows) {
		t.Errorf("got the rows\n%+v\nwant\n%+v", got.Rows, rows)
	}
	if !slices.Equal(got.Lacks, lacks) {
		t.Errorf("it lacks %q, want %q", got.Lacks, lacks)
	}
}

func TestParse(t *testing.T) {
	for what, text := range map[string]string{
		"as documented":          whole,
		"with a BOM":             "\ufeff" + whole,
		"with Windows' lines":    strings.ReplaceAll(whole, "\n", "\r\n"),
		"without a last newline": strings.TrimSuffix(whole, "\n"),
		"with a new column":      columns(whole, func(header []string) []string { return append([]string{"passkeys"}, header...) }),
		"with the odd one": columns(whole, func(header []string) []string {
			return append(header, "additional_credentials_info")
		}),
		"in another order": columns(whole, func(header []string) []string { slices.Reverse(header); return header }),
		"without what nobody needs": columns(whole, func(header []string) []string {
			return slices.DeleteFunc(header, func(name string) bool {
				return name == "password_next_rotation" || strings.HasPrefix(name, "cert_")
			})
		}),
	} {
		t.Run(what, func(t *testing.T) { wantReport(t, read(t, text), wholeRows) })
	}
}

// columns has the report's columns changed; a new one says "so" of everybody.
func columns(text string, change func(header []string) []string) string {
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		panic(err)
	}
	old := rows[0]
	header := change(slices.Clone(old))
	var b strings.Builder
	out := csv.NewWriter(&b)
	out.Write(header)
	for _, row := range rows[1:] {
		var moved []string
		for _, name := range header {
			if i := slices.Index(old, name); i >= 0 {
				moved = append(moved, row[i])
			} else {
				moved = append(moved, "so")
			}
		}
		out.Write(moved)
	}
	out.Flush()
	return b.String()
}

// Every column that is needed is missed, and costs what it would say alone.
func TestMissingColumns(t *testing.T) {
	for _, name := range strings.Split(header, ",")[1:] {
		if name == "password_next_rotation" || strings.HasPrefix(name, "cert_") {
			continue
		}
		got := read(t, columns(whole, func(header []string) []string {
			return slices.DeleteFunc(header, func(n string) bool { return n == name })
		}))
		if !slices.Equal(got.Lacks, []string{name}) || len(got.Rows) != len(wholeRows) {
			t.Errorf("without %s: %d rows, and it lacks %q", name, len(got.Rows), got.Lacks)
		}
	}
	got := read(t, "mfa_active,user\ntrue,ann\nfalse,<root_account>\n")
	wantReport(t, got, []report.Credential{{User: "ann", MFA: true}, {User: report.RootUser, Password: true}},
		"arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed",
		"access_key_1_active", "access_key_1_last_rotated",
		"access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
		"access_key_2_active", "access_key_2_last_rotated",
		"access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service")
}

// A value that cannot be read is not taken for "never" or "no": its column is
// unknown, and all else is known.
func TestUnreadableValues(t *testing.T) {
	annCreated, annMFA, annActive := slices.Clone(wholeRows), slices.Clone(wholeRows), slices.Clone(wholeRows)
	annCreated[1].Created = time.Time{}
	annActive[1].Keys[0].Active = false
	for what, c := range map[string]struct {
		old, instead string
		rows         []report.Credential
		lacks        string
	}{
		"a date alone":    {"2021-01-01T00:00:00+00:00", "2021-01-01", annCreated, "user_creation_time"},
		"another form":    {"2021-01-01T00:00:00+00:00", "Fri Jan 1 2021", annCreated, "user_creation_time"},
		"no such day":     {"2021-01-01T00:00:00+00:00", "2021-02-30T00:00:00+00:00", annCreated, "user_creation_time"},
		"no time at all":  {"2021-01-01T00:00:00+00:00", "", annCreated, "user_creation_time"},
		"neither yes/no":  {"N/A,false,true,2024", "N/A,perhaps,true,2024", annMFA, "mfa_active"},
		"no information":  {"N/A,false,true,2024", "N/A,no_information,true,2024", annMFA, "mfa_active"},
		"an empty yes/no": {"false,true,2024", "false,,2024", annActive, "access_key_1_active"},
	} {
		t.Run(what, func(t *testing.T) {
			text := strings.Replace(whole, c.old, c.instead, 1)
			if text == whole {
				t.Fatal("nothing was changed")
			}
			wantReport(t, read(t, text), c.rows, c.lacks)
		})
	}
}

// Of root's password most reports say nothing; where it was taken away, they do.
func TestRootsPassword(t *testing.T) {
	for said, want := range map[string]bool{"not_supported": true, "N/A": true, "TRUE": true, "true": true, "FALSE": false, "false": false} {
		got := read(t, "user,password_enabled\n<root_account>,"+said+"\n")
		if got.Rows[0].Password != want || slices.Contains(got.Lacks, "password_enabled") {
			t.Errorf("%s became %t, and the report lacks %q", said, got.Rows[0].Password, got.Lacks)
		}
	}
	got := read(t, "user,password_enabled\nann,not_supported\n")
	if got.Rows[0].Password {
		t.Error("a user has a password that IAM does not speak of")
	}
}

// A user's name may hold what CSV and spreadsheets take for theirs:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func TestNames(t *testing.T) {
	long := strings.Repeat("n", 64)
	for _, name := range []string{`=cmd`, `+1`, `-x`, `@ann`, `a,b=c@d.example`, `N/A`, `user`, long} {
		got := read(t, "user,mfa_active\n\""+name+"\",true\n")
		if len(got.Rows) != 1 || got.Rows[0].User != name || !got.Rows[0].MFA {
			t.Errorf("%s became %+v", name, got.Rows)
		}
	}
}

func TestFaults(t *testing.T) {
	for what, c := range map[string]struct{ text, says string }{
		"nothing":              {"", "it is empty"},
		"a BOM alone":          {"\ufeff", "it is empty"},
		"blank lines":          {"\n\n", "it is empty"},
		"no users":             {"name,arn\nsecret,x\n", "no column user"},
		"a column twice":       {"user,mfa_active,mfa_active\nsecret,true,false\n", "mfa_active is there twice"},
		"a field too many":     {"user,arn\nann,x\nsecret,x,x\n", "line 3: wrong number of fields"},
		"a field too few":      {"user,arn\nann,x\nsecret\n", "line 3: wrong number of fields"},
		"a quote within":       {"user,arn\nsec\"ret,x\n", "line 2, column 4"},
		"a quote left open":    {"user,arn\n\"secret,x\nann,x\n", "record on line 2"},
		"words after a quote":  {"user,arn\n\"secret\"x,x\n", "line 2, column 8"},
		"nobody's row":         {"arn,user\nsecret,\n", "line 2, column user: a name of 0 characters"},
		"a name that is none":  {"arn,user\nx,ann\nx,secret" + strings.Repeat("n", 59) + "\n", "line 3, column user: a name of 65 characters"},
		"a huge name":          {"user\nsecret" + strings.Repeat("n", 8<<20) + "\n", "line 2, column user"},
		"a huge name of lines": {"user\n\"secret" + strings.Repeat("\n", 8<<20) + "\"\n", "line 2, column user"},
		"a huge report":        {"user\nsecret" + strings.Repeat("\n", 16<<20), "more than 16777216 are not read"},
	} {
		t.Run(what, func(t *testing.T) {
			got, err := iamreport.Parse([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.says) || got.Rows != nil || got.Lacks != nil {
				t.Fatalf("%+v, error %v; want one that says %q", got, err, c.says)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("the error holds what stands in the report: %.200v", err)
			}
		})
	}
}

// A header alone is a report on nobody; columns that are not read may be twice.
func TestSmallReports(t *testing.T) {
	if got := read(t, header); got.Rows != nil || got.Lacks != nil {
		t.Errorf("%+v", got)
	}
	if got := read(t, "user,note,note\nann,1,2\n"); len(got.Rows) != 1 {
		t.Errorf("%+v", got)
	}
}

// crowd is the report of an account that is full, with the longest names and paths.
func crowd() string {
	var b strings.Builder
	b.WriteString(header + "\n")
	for i := range 5000 {
		name := fmt.Sprintf("%064d", i)
		b.WriteString(name + ",arn:aws:iam::111122223333:user/" + strings.Repeat("p", 510) + "/" + name)
		b.WriteString(strings.Repeat(",2026-01-01T00:00:00+00:00", strings.Count(header, ",")-1) + "\n")
	}
	return b.String()
}

// What is kept of a full account's report, of more than 5 MB, is small: no row
// keeps the text that it was read from.
func TestTheTextIsLetGoOf(t *testing.T) {
	text := []byte(crowd())
	before := heap()
	got, err := iamreport.Parse(text)
	if err != nil || len(got.Rows) != 5000 {
		t.Fatalf("%d rows, error %v", len(got.Rows), err)
	}
	if kept := heap() - before; kept > 3<<20 {
		t.Errorf("%d kB are kept of %d kB", kept>>10, len(text)>>10)
	}
	runtime.KeepAlive(got)
	runtime.KeepAlive(text)
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkParse(b *testing.B) {
	text := []byte(crowd())
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := iamreport.Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzParse wants of every text either rows of users with names, or an error.
func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("\ufeff" + whole)
	f.Add("user,mfa_active\n\"a,b\",TRUE\n<root_account>,no_information\n")
	f.Add("user\n\"ann\n")
	f.Add("user,user\nann\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := iamreport.Parse([]byte(text))
		if err != nil && (c.Rows != nil || c.Lacks != nil) {
			t.Fatalf("%q gave %+v beside %v", text, c, err)
		}
		for _, row := range c.Rows {
			if row.User == "" || len(row.User) > 64 || row.Created.Location() != time.UTC && !row.Created.IsZero() {
				t.Fatalf("%q gave %+v", text, row)
			}
		}
	})
}
