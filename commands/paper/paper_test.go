package paper_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth/report"
	"sekisho/auth/report/reporttest"
	"sekisho/commands/paper"
)

var update = flag.Bool("update", false, "write the golden files anew")

// forms are the ways of writing a report, by the files' endings.
var forms = map[string]func(io.Writer, report.Report) error{
	"html": func(w io.Writer, r report.Report) error { return paper.HTML(w, r, pictures()) },
	"txt":  paper.Text,
	"csv":  paper.CSV,
	"diff": paper.Changes,
}

func pictures() []report.File {
	return []report.File{
		{Name: "starts.png", Title: "Starts per day: 11 admitted, 4 refused", Type: "image/png"},
		{Name: "keys.png", Title: `Access keys by age: 3 "too old"`, Type: "image/png"},
	}
}

func write(t testing.TB, form string, r report.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := forms[form](&out, r); err != nil {
		t.Fatalf("%s: %v", form, err)
	}
	return out.String()
}

// cases are reports of each kind, by the golden files' names.
func cases() map[string]report.Report {
	first := reporttest.Fixture()
	first.Name, first.Account = "", ""
	first.Starts.Observed, first.Starts.Unstopped, first.Keys.Mode = 4, 0, "observe"
	first.Changes = report.Diff(nil, first)

	before := reporttest.Fixture()
	refused := reporttest.Fixture()
	const why = "IAM's credential report could not be read: AWS does not let the bot call iam:GenerateCredentialReport"
	refused.Account = ""
	refused.Users, refused.Score = report.Users{Source: report.Source{Status: report.Unknown, Why: why}}, nil
	refused.Keys.From, refused.Keys.Due, refused.Keys.Exempt = "credential_report", nil, nil
	refused.Keys.Source = report.Source{Status: report.Partly, Why: "what is exempt or due is not known"}
	for n := range refused.Keys.List {
		refused.Keys.List[n].ID = ""
	}
	refused.Changes = report.Diff(&before, refused)
	refused.Provenance.CredentialReport = report.CredentialSource{}
	refused.Provenance.Trail.Whole = false
	refused.Provenance.Problems = []report.Problem{
		{Section: report.AboutUsers, What: why, Next: "allow the bot's role iam:GenerateCredentialReport and iam:GetCredentialReport"},
		{What: "which account this is could not be read: no answer from STS", Next: "make a report later, with `sekisho report` or `/sekisho report`", Passing: true},
	}

	zero := report.Report{
		Name: "daily", Account: "123456789012", Period: first.Period, Score: &report.Score{Total: 100, Mean: 100},
		Starts: report.Starts{Source: report.Source{Status: report.Known}},
		Keys:   report.Keys{Source: report.Source{Status: report.Known}, MaxAge: 90},
		Users:  report.Users{Source: report.Source{Status: report.Known}},
	}
	zero.Provenance = report.Provenance{Generated: first.Provenance.Generated, CIS: "6.0", Trail: report.TrailRead{Whole: true}}
	zero.Changes = report.Diff(&zero, zero)
	return map[string]report.Report{"weekly": reporttest.Fixture(), "first": first, "refused": refused, "zero": zero}
}

// TestGolden shows the reports as they are.
// `go test ./commands/paper -update` writes the files anew.
func TestGolden(t *testing.T) {
	kept := 0
	for name, r := range cases() {
		all := map[string][]byte{}
		for form := range forms {
			all[form] = []byte(write(t, form, r))
		}
		var err error
		if all["json"], err = r.Encode(); err != nil { // the value that all of them show
			t.Fatal(err)
		}
		for form, got := range all {
			kept++
			path := "testdata/" + name + "." + form
			if *update {
				if err := os.WriteFile(path, got, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Errorf("%v: `go test ./commands/paper -update` writes it", err)
			} else if n, is, was := firstDifference(got, want); n > 0 {
				t.Errorf("%s:%d: is   %s\nwas  %s\n`go test ./commands/paper -update` accepts it", path, n, is, was)
			}
		}
	}
	if files, _ := os.ReadDir("testdata"); len(files) != kept {
		t.Errorf("testdata has %d files, for %d that are used", len(files), kept)
	}
}

// firstDifference is the number of the first line that differs, 0 if none.
func firstDifference(a, b []byte) (number int, inA, inB string) {
	as, bs := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for n := range max(len(as), len(bs)) {
		x, y := "(nothing)", "(nothing)"
		if n < len(as) {
			x = as[n]
		}
		if n < len(bs) {
			y = bs[n]
		}
		if x != y {
			return n + 1, x, y
		}
	}
	return 0, "", ""
}

func TestTitle(t *testing.T) {
	day := func(text string) time.Time {
		d, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, c := range []struct{ from, to, want string }{
		{"2026-11-16 00:00:00", "2026-11-23 00:00:00", "16–23 Nov 2026"},
		{"2026-11-16 06:00:00", "2026-11-16 18:00:00", "16 Nov 2026"},
		{"2026-10-28 00:00:00", "2026-11-04 00:00:00", "28 Oct – 4 Nov 2026"},
		{"2025-11-16 00:00:00", "2026-11-16 00:00:00", "16 Nov 2025 – 16 Nov 2026"},
		{"2026-12-28 00:00:00", "2027-01-04 00:00:00", "28 Dec 2026 – 4 Jan 2027"},
	} {
		r := report.Report{Name: "weekly", Account: "123456789012", Period: report.Period{From: day(c.from), To: day(c.to)}}
		if got, want := paper.Title(r), "Sekisho report · weekly · account 123456789012 · "+c.want; got != want {
			t.Errorf("%s to %s: %q; want %q", c.from, c.to, got, want)
		}
	}
	// The title is a mail's subject: a line's end would begin another header.
	r := report.Report{Name: "weekly\r\nBcc: x@example.com"}
	if got := paper.Title(r); strings.ContainsAny(got, "\r\n") || !strings.Contains(got, "unknown account") {
		t.Errorf("the title is %q", got)
	}
}

// TestTrend: where a figure goes is told by a sign and in words.
func TestTrend(t *testing.T) {
	number := func(f float64) *float64 { return &f }
	for _, c := range []struct {
		now, before *float64
		better      string
		want        string
	}{
		{number(4), number(2), "down", "▲ up 2 from 2: worse"},
		{number(2), number(4), "down", "▼ down 2 from 4: better"},
		{number(90.25), number(80), "up", "▲ up 10.3 from 80: better"},
		{number(78.4), number(81), "up", "▼ down 2.6 from 81: worse"},
		{number(0), number(0), "up", "= as last time"},
		{number(78.4), number(78.4), "up", "= as last time"},
		{number(1), nil, "up", "nothing to compare with"},
		{nil, number(7), "up", "7 last time"},
	} {
		r := reporttest.Fixture()
		r.Changes.Headline = []report.Figure{{ID: "score", Label: "security score", Now: c.now, Before: c.before, Better: c.better}}
		for _, form := range []string{"txt", "html"} {
			if got := write(t, form, r); !strings.Contains(got, c.want) {
				t.Errorf("%s does not say %q", form, c.want)
			}
		}
	}
}

// TestOrder: what is missing is said before everything else, break glass before
// all that happened.
func TestOrder(t *testing.T) {
	for _, form := range []string{"txt", "html"} {
		text, at := write(t, form, reporttest.Fixture()), 0
		for _, next := range []string{
			"Not everything could be read", "What to do", "Starts refused", "Access keys too old", "Security score", "Break glass",
			"15 starts: 11 let in", "9 access keys", "Root: score", "CIS", "Users with findings", "Security score", "100 − 173 ÷ 8 = 78.4",
			"Changes since", "Where this comes from", "b81e44d2690f",
		} {
			n := strings.Index(text[at:], next)
			if n < 0 {
				t.Fatalf("%s: there is no %q after %q", form, next, text[max(0, at-40):at])
			}
			at += n
		}
	}
}

// TestLeftOut: what nobody asked for is nowhere, nor is it said to be missing.
func TestLeftOut(t *testing.T) {
	leftOut := report.Source{Status: report.LeftOut}
	for _, c := range []struct {
		leave func(*report.Report)
		page  []string // what the page does not say
		row   string   // what the CSV does not have
	}{
		{func(r *report.Report) { r.Starts.Source = leftOut }, []string{"Break glass", "Starts refused", "i-0a1b"}, "starts,total"},
		{func(r *report.Report) { r.Keys.Source = leftOut }, []string{"access keys too old", "Ending within"}, "keys,total"},
		{func(r *report.Report) { r.Users.Source, r.Score = leftOut, nil }, []string{"security score", "Security score", "Root"}, "users,total"},
	} {
		r := reporttest.Fixture()
		c.leave(&r)
		r.Changes = report.Diff(nil, r)
		for _, form := range []string{"html", "txt"} {
			text := write(t, form, r)
			for _, gone := range append(c.page, "Not known", "not known.") {
				if strings.Contains(text, gone) {
					t.Errorf("%s says %q, of a section that was left out", form, gone)
				}
			}
		}
		if strings.Contains(write(t, "csv", r), "\n"+c.row) {
			t.Errorf("the CSV has %s, of a section that was left out", c.row)
		}
	}
}

// TestNothingAtAll: a report without anything is written, too.
func TestNothingAtAll(t *testing.T) {
	for form := range forms {
		if text := write(t, form, report.Report{}); text == "" {
			t.Errorf("%s says nothing", form)
		}
	}
}

// TestManyUsers: an account with 5,000 users, of whom everything is said, makes
// a mail that Gmail shows whole; its lists say what they do not show.
func TestManyUsers(t *testing.T) {
	r := everywhere(5000)
	took := time.Duration(1<<63 - 1)
	for range 3 { // the best of them: the machine may be busy
		began := time.Now()
		for _, form := range []string{"html", "txt"} {
			write(t, form, r)
		}
		took = min(took, time.Since(began))
	}
	if took > time.Second {
		t.Errorf("it takes %s", took)
	}
	html, text := write(t, "html", r), write(t, "txt", r)
	if len(html) > 100_000 {
		t.Errorf("the HTML is %d bytes long", len(html))
	}
	for form, said := range map[string]string{"html": html, "txt": text} {
		if n := strings.Count(said, "and 4975 more, in the CSV and the JSON"); n < 10 {
			t.Errorf("%s says of %d lists only how much they do not show", form, n)
		}
		if !strings.Contains(said, "user-0024") || strings.Contains(said, "user-0025") {
			t.Errorf("%s does not show the first 25 of a list", form)
		}
		if !strings.Contains(said, "and 4975 earlier days") || !strings.Contains(said, "31 Aug 2028") && form == "txt" {
			t.Errorf("%s does not show the newest days", form)
		}
	}
	if n := strings.Count(write(t, "csv", r), "\nusers,score,user-"); n != 5000 {
		t.Errorf("the CSV has %d users", n)
	}
}

// TestRootUnknown: what the credential report does not say of root is not good
// news, nor bad.
func TestRootUnknown(t *testing.T) {
	r := reporttest.Fixture()
	for n := range r.Users.Findings {
		r.Users.Findings[n].Unknown = true
	}
	for _, form := range []string{"html", "txt"} {
		text := write(t, form, r)
		for _, line := range []string{"? Whether it has MFA", "? Whether it has access keys", "? When it was last used"} {
			if !strings.Contains(text, line) {
				t.Errorf("%s does not say %q", form, line)
			}
		}
		for _, line := range []string{"MFA is on", "No MFA", "No active access key", "✓ none"} {
			if strings.Contains(text, line) {
				t.Errorf("%s says %q", form, line)
			}
		}
	}
	rows := write(t, "csv", r)
	for _, row := range []string{
		"active_keys,<root_account>,,", "mfa,<root_account>,,", "last_used,<root_account>,,", "users_with,root_no_mfa,,",
		"console,ben,,", "mfa,ben,,", "active_keys,ben,,",
	} {
		if !strings.Contains(rows, "\nusers,"+row) {
			t.Errorf("the CSV has no row %q", row)
		}
	}
}

// TestObserveMode: what was only observed does not read as if it had been done.
func TestObserveMode(t *testing.T) {
	r := reporttest.Fixture()
	for mode, said := range map[string]bool{"observe": true, "enforce": false, "": false} {
		r.Keys.Mode = mode
		if r.Starts.Observed = 0; said {
			r.Starts.Observed = 3
		}
		for form, all := range map[string][]string{
			"html": {"Of the refused, 3 ran: observe mode.", "ran:", "Would end within", "<td>would be deleted</td>"},
			"txt":  {"Of the refused, 3 ran: observe mode.", "ran:", "Would end within", "would be deactivated  ci-deploy"},
			"csv":  {"\nstarts,observed,,3,", "\nkeys,mode,,observe,", ",would be deleted; of jonas;"},
		} {
			text := write(t, form, r)
			for _, one := range all {
				if strings.Contains(text, one) != said {
					t.Errorf("mode %q: %s says %q: %v", mode, form, one, !said)
				}
			}
		}
	}
}

// TestKeysUnread: what the trail says of keys is known all the same.
func TestKeysUnread(t *testing.T) {
	r := reporttest.Fixture()
	r.Keys.Source = report.Source{Status: report.Unknown, Why: "IAM is away"}
	rows := write(t, "csv", r)
	for _, row := range []string{"mode,,enforce,", "warned,,2,", "deactivated,,1,", "reactivated,,1,", "deleted,,2,", "kept,AKIATESTBEN", "exempted,AKIATESTROSA"} {
		if strings.Count(rows, "\nkeys,"+row) != 1 {
			t.Errorf("the CSV has not one row %q", row)
		}
	}
	for _, row := range []string{"total,", "too_old,", "band_active,", "due,", "exempt,", "key_user,"} {
		if strings.Contains(rows, "\nkeys,"+row) {
			t.Errorf("the CSV has a row %q, of what was not read", row)
		}
	}
	r.Keys.Source = report.Source{Status: report.LeftOut}
	if rows := write(t, "csv", r); strings.Count(rows, "\nkeys,") != 1 {
		t.Error("the CSV says of keys that were left out more than that")
	}
}

// everywhere is a report each of whose lists has so many entries.
func everywhere(n int) report.Report {
	r := reporttest.Fixture()
	user, key := r.Users.List[0], r.Keys.List[0]
	s, k, u, c := &r.Starts, &r.Keys, &r.Users, &r.Changes
	s.Days, s.People, s.Instances, k.List, u.List, u.Added = nil, nil, nil, nil, nil, nil
	k.Due, k.Exempt, k.Kept, k.Exempted, s.BreakGlass = k.Due[:0], k.Exempt[:0], k.Kept[:0], k.Exempted[:0], s.BreakGlass[:0]
	day := time.Date(2014, time.December, 24, 0, 0, 0, 0, time.UTC)
	for i := range n {
		name := fmt.Sprintf("user-%04d", i)
		user.Name, key.User, key.ID = name, name, fmt.Sprintf("AKIATEST%012d", i)
		s.Days = append(s.Days, report.Day{Date: day.AddDate(0, 0, i).Format(time.DateOnly), Admitted: i % 7, Refused: i % 3})
		s.People = append(s.People, report.Person{User: fmt.Sprintf("U%04d", i), Name: name, Asked: i})
		s.Instances = append(s.Instances, report.Instance{ID: fmt.Sprintf("i-%017d", i), Admitted: i})
		s.BreakGlass = append(s.BreakGlass, report.BreakGlass{At: day, User: "U0BEN", Name: name, Instance: "i-0a1b2c3d4e5f60001", Why: "payments are down"})
		k.List, u.List, u.Added = append(k.List, key), append(u.List, user), append(u.Added, name)
		k.Due = append(k.Due, report.DueKey{ID: key.ID, User: name, Age: 90, Do: "deactivate", At: day})
		k.Exempt = append(k.Exempt, report.ExemptKey{ID: key.ID, User: name, Age: 90, By: "exempt by the policy (path: /service/)"})
		word := report.KeyWord{At: day, ID: key.ID, User: name, By: "U0ROSA", Name: "rosa", Note: "until 2026-12-01: it moves to a role"}
		k.Kept, k.Exempted = append(k.Kept, word), append(k.Exempted, word)
		c.UsersAdded, c.UsersRemoved = append(c.UsersAdded, name), append(c.UsersRemoved, name)
		c.Opened = append(c.Opened, report.UserFinding{User: name, Finding: report.NoMFA})
		c.Crossed = append(c.Crossed, report.Crossed{ID: key.ID, User: name, Line: 90, Age: 97})
	}
	c.Closed, c.Lapsing = c.Opened, k.Exempt
	c.UsersAdded = c.UsersAdded[len(c.UsersAdded)-n:]
	return r
}

// TestPictures: a picture stands in the place of the table that shows the same;
// nothing is fetched.
func TestPictures(t *testing.T) {
	html := write(t, "html", reporttest.Fixture())
	sources := regexp.MustCompile(`(src|href|background|srcset|url\()[="']+[^"']*`).FindAllString(html, -1)
	if want := []string{`src="cid:starts.png`, `src="cid:keys.png`}; !slices.Equal(sources, want) {
		t.Errorf("the HTML fetches %q; want %q", sources, want)
	}
	if !strings.Contains(html, `alt="Access keys by age: 3 &#34;too old&#34;"`) {
		t.Error("a picture is not told in words")
	}
	if strings.Contains(html, "Wed 18 Nov 2026") {
		t.Error("the days are shown twice")
	}
	var bare bytes.Buffer
	if err := paper.HTML(&bare, reporttest.Fixture(), []report.File{{Name: "more.png", Title: "More"}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(bare.String(), "Wed 18 Nov 2026") {
		t.Error("without the picture there are no days")
	}
	if !strings.Contains(bare.String(), `src="cid:more.png"`) {
		t.Error("a picture of no table is not shown")
	}
}

// TestWriterFails: what could not be written is an error.
func TestWriterFails(t *testing.T) {
	for form, to := range forms {
		if err := to(full{}, reporttest.Fixture()); err != io.ErrShortWrite {
			t.Errorf("%s: %v", form, err)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func BenchmarkManyUsers(b *testing.B) {
	r := everywhere(5000)
	for form := range forms {
		b.Run(form, func(b *testing.B) {
			for b.Loop() {
				write(b, form, r)
			}
		})
	}
}
