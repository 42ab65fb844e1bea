package commands_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/auth/report/reporttest"
	"sekisho/commands"
	"sekisho/commands/paper"
)

// goldenPictures are what a report's message shows; slackTakes uploads some for them.
func goldenPictures() []report.SlackFile {
	return []report.SlackFile{{ID: "F0STARTS", Title: "Starts by day: 11 admitted, 4 refused"}, {ID: "F0KEYS", Title: "Access keys by age"}}
}

// reportCards are the messages of reports, and what is said about them. Another
// name than web-1 takes the place of every text that somebody else wrote.
func reportCards(t testing.TB, name string, add func(file, name, text string, blocks []slack.Block)) {
	for _, c := range goldenReports() {
		r := reporttest.Fixture()
		if c.how(&r); name != "web-1" {
			rename(&r, name)
		}
		text, blocks := commands.ReportCard(paper.Title(r), r, c.tables, c.images...)
		add("report", c.name, text, blocks)
	}
	if name == "web-1" {
		r := reporttest.Fixture()
		many(&r, 5000, "")
		text, blocks := commands.ReportCard(paper.Title(r), r, auth.DataTable, goldenPictures()...)
		add("report", "5,000 users", text, blocks)
	}
	for n, text := range reportAlerts(t, name) {
		add("report_told", fmt.Sprint(n), text, []slack.Block{commands.Section(text)})
	}
}

// goldenReport is what is changed in the fixture, and how it is shown.
type goldenReport struct {
	name   string
	how    func(*report.Report)
	tables auth.TableForm
	images []report.SlackFile
}

func goldenReports() []goldenReport {
	var all []goldenReport
	add := func(name string, how func(*report.Report)) {
		all = append(all, goldenReport{name: name, how: how, tables: auth.DataTable})
	}
	only := func(s report.Section) func(*report.Report) {
		return func(r *report.Report) {
			left := report.Source{Status: report.LeftOut}
			r.Name, r.Provenance.Problems = "", nil
			if s != report.AboutStarts {
				r.Starts.Source = left
			}
			if s != report.AboutKeys {
				r.Keys.Source = left
			}
			if s != report.AboutUsers {
				r.Users, r.Score = report.Users{Source: left}, nil
			}
			r.Changes = report.Diff(nil, *r)
		}
	}
	for _, form := range []auth.TableForm{auth.DataTable, auth.Table, auth.TextTable} {
		add("weekly, "+string(form), func(*report.Report) {})
		all[len(all)-1].tables = form
	}
	all[0].images = goldenPictures()
	add("the first", func(r *report.Report) { r.Changes = report.Diff(nil, *r) })
	add("nothing happened", quiet)
	add("nothing changed", func(r *report.Report) {
		before := *r
		r.Policy.Changes, r.Keys.Exempt = nil, nil
		r.Changes = report.Diff(&before, *r)
	})
	add("of another account", func(r *report.Report) {
		before := *r
		before.Account = "444455556666"
		r.Changes = report.Diff(&before, *r)
	})
	add("users refused", func(r *report.Report) {
		before := *r
		why := "IAM's credential report could not be read: AWS does not let the bot call iam:GenerateCredentialReport"
		r.Users, r.Score = report.Users{Source: report.Source{Status: report.Unknown, Why: why}}, nil
		r.Provenance.Problems = []report.Problem{{
			Section: report.AboutUsers, What: why, Next: "allow the bot's role iam:GenerateCredentialReport and iam:GetCredentialReport",
		}}
		r.Changes = report.Diff(&before, *r)
	})
	add("keys refused", func(r *report.Report) {
		r.Keys.Source = report.Source{Status: report.Unknown, Why: "the access keys could not be read: AWS does not let the bot call iam:ListUsers"}
		r.Changes = report.Diff(nil, *r)
	})
	add("keys from the credential report", func(r *report.Report) {
		r.Keys.From = "credential_report"
		for n := range r.Keys.List {
			r.Keys.List[n].ID = ""
		}
		r.Keys.Due, r.Keys.Exempt, r.Changes.Lapsing = nil, nil, nil
		r.Changes.Crossed[0].ID, r.Users.List = "", r.Users.List[5:] // else its table is theirs
	})
	add("the trail is not whole", func(r *report.Report) {
		r.Starts.Source = report.Source{Status: report.Partly, Why: "the trail is not whole: after entry 1050 comes 1052"}
		r.Provenance.Trail.Whole = false
		r.Provenance.Problems = []report.Problem{{
			Section: report.AboutStarts, What: r.Starts.Why,
			Next: "run `sekisho audit verify`, keep what Redis holds, and find out who could write to it",
		}}
	})
	add("no account", func(r *report.Report) { r.Account = "" })
	add("observe mode", func(r *report.Report) {
		r.Keys.Mode, r.Starts.Observed, r.Starts.Unstopped = string(auth.Observe), r.Starts.RefusedTotal(), 0
	})
	root := func(is report.Root, about func(*report.FindingCount)) func(*report.Report) {
		return func(r *report.Report) {
			for n, f := range r.Users.Findings {
				if slices.Contains([]report.Finding{report.RootKey, report.RootNoMFA, report.RootUsed}, f.Finding) {
					r.Users.Findings[n].Users = 0
					about(&r.Users.Findings[n])
				}
			}
			r.Users.Root = &is
		}
	}
	add("root not known", root(report.Root{}, func(f *report.FindingCount) { f.Unknown = true }))
	add("root at risk", root(report.Root{AccessKeys: 1}, func(f *report.FindingCount) {
		if f.Finding != report.RootUsed {
			f.Users = 1
		}
	}))
	add("nobody decided", func(r *report.Report) { r.Starts.Decisions = report.Decisions{NoAnswers: 3} })
	add("nobody at risk", func(r *report.Report) { r.Users.List = r.Users.List[5:] })
	add("starts alone", only(report.AboutStarts))
	add("keys alone", only(report.AboutKeys))
	add("users alone", only(report.AboutUsers))
	return all
}

// quiet is an account in which nothing is and nothing has happened.
func quiet(r *report.Report) {
	known := report.Source{Status: report.Known}
	r.Starts, r.Keys, r.Users = report.Starts{Source: known}, report.Keys{Source: known, MaxAge: 90}, report.Users{Source: known}
	r.Score, r.Policy.Changes = &report.Score{Total: 100, Mean: 100}, nil
	r.Provenance.Problems, r.Provenance.Trail = nil, report.TrailRead{Whole: true}
	before := *r
	r.Changes = report.Diff(&before, *r)
}

// many has so many of everything, with names that end so.
func many(r *report.Report, n int, end string) {
	one := func(k int) string { return fmt.Sprintf("user-%04d", k) + end }
	before := *r
	r.Users.Total, r.Users.List = n, nil
	for k := range n {
		r.Users.List = append(r.Users.List, report.User{
			Name: one(k), Console: true, Keys: 2, Score: k % 30,
			Findings: []report.Finding{report.NoMFA, report.PasswordUnused90, report.KeyUnused90, report.KeyOld, report.TwoKeys},
		})
		key := report.Key{ID: fmt.Sprintf("AKIATEST%012d", k), User: one(k), Active: true, Created: noon, Age: 100}
		r.Keys.List = append(r.Keys.List, key)
		r.Keys.Due = append(r.Keys.Due, report.DueKey{ID: key.ID, User: key.User, Age: 100, Do: "deactivate", At: noon})
		until := noon.Add(day)
		r.Keys.Exempt = append(r.Keys.Exempt, report.ExemptKey{ID: key.ID, User: key.User, Until: &until})
		r.Starts.BreakGlass = append(r.Starts.BreakGlass, report.BreakGlass{At: noon, User: hana, Name: one(k), Instance: webID, Why: "why " + end})
		r.Policy.Changes = append(r.Policy.Changes, report.PolicyChange{At: noon, From: "a", To: "b"})
		r.Starts.People = append(r.Starts.People, report.Person{User: hana, Name: one(k)})
	}
	r.Keys.Total = len(r.Keys.List)
	r.Changes = report.Diff(&before, *r)
	for k := range min(n, 20) {
		r.Changes.Crossed = append(r.Changes.Crossed, report.Crossed{ID: r.Keys.List[k].ID, User: one(k), Line: 90, Age: 100})
	}
}

// rename has every text that somebody else wrote be the name.
func rename(r *report.Report, name string) {
	iam := iamName(name)
	for n := range r.Starts.BreakGlass {
		r.Starts.BreakGlass[n].Name, r.Starts.BreakGlass[n].Why = name, aWhy(name)
	}
	for n := range r.Starts.People {
		r.Starts.People[n].Name = name
	}
	for _, words := range [][]report.KeyWord{r.Keys.Kept, r.Keys.Exempted} {
		for n := range words {
			words[n].User, words[n].Name, words[n].Note = iam, name, name
		}
	}
	for n := range r.Keys.Due {
		r.Keys.Due[n].User = iam
	}
	for _, keys := range [][]report.ExemptKey{r.Keys.Exempt, r.Changes.Lapsing} {
		for n := range keys {
			keys[n].User, keys[n].By = iam, name
		}
	}
	for n := range r.Keys.List {
		r.Keys.List[n].User = iam
	}
	for n := range r.Users.List {
		r.Users.List[n].Name = iam
	}
	for n := range r.Changes.Crossed {
		r.Changes.Crossed[n].User = iam
	}
	for _, findings := range [][]report.UserFinding{r.Changes.Opened, r.Changes.Closed} {
		for n := range findings {
			findings[n].User = iam
		}
	}
	for _, users := range [][]string{r.Users.Added, r.Changes.UsersAdded, r.Changes.UsersRemoved} {
		for n := range users {
			users[n] = iam
		}
	}
	for n := range r.Provenance.Problems {
		r.Provenance.Problems[n].What = name
	}
	for _, s := range []*report.Source{&r.Starts.Source, &r.Keys.Source, &r.Users.Source} {
		s.Why = name
	}
}

// reportAlerts are what people are told about reports.
func reportAlerts(t testing.TB, name string) []string {
	o := newReportOffice(t)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(o.scheduled(name, noon))
	o.Policy.Reports[0].Slack = false
	o.mail.fail = &report.MailRefusal{Why: "MessageRejected: " + name, Next: "verify it in SES"}
	o.report()
	o.mail.fail = fmt.Errorf("%w: timeout", report.ErrUnsure)
	o.later(week)
	o.report()
	o.mail.fail = errors.New("SES: " + name)
	o.later(week)
	do(o.due(o.clock.Now()))
	for range 10 {
		o.pass(o.queue.tasks[0].after)
	}
	all := o.alerts()
	if len(all) != 4 {
		t.Fatalf("people were told %q", all)
	}
	return all
}

// reportPages are the answers to /sekisho report.
func reportPages(t testing.TB, name string, add func(file, name string, m commands.Message)) {
	o := newReportOffice(t)
	add("report_ask", "asked", o.sekisho(tom, "report 30d"))
	add("report_ask", "an unknown word", o.sekisho(tom, "report x"+name))
	add("report_ask", "too long ago", o.sekisho(tom, "report 500d"))
	o.Files = &lateFault{Files: o.Files, then: func() { o.slack.FailNext("files.completeUploadExternal", "is_archived", 1) }}
	o.credentials.during = func() { o.clock.add(time.Minute) }
	o.rush()
	add("report_ask", "being read", asMessage(o.chat.next(t, "respond")))
	add("report_ask", "without its files", asMessage(o.chat.next(t, "respond")))
	o.credentials.during = nil
	add("report_ask", "asked again at once", o.sekisho(tom, "report"))
	o.later(time.Minute)
	o.sekisho(tom, "report")
	o.rush()
	add("report_ask", "sent", asMessage(o.chat.next(t, "respond")))
	o.Policy.Reports = nil
	add("report_ask", "no reports in the policy", o.sekisho(tom, "report"))
}

// A report calls nobody: it is no reason to be notified.
func TestAReportNotifiesNobody(t *testing.T) {
	reportCards(t, "web-1", func(_, name, text string, blocks []slack.Block) {
		lacks(t, name, reads(t, text, blocks), "<@", "<!here", "<!channel", "<!everyone", "<!subteam", `\u003c@`, `\u003c!here`)
	})
}

// However much there is to say, and however long its names are, Slack takes it; what
// is left out is said to be, and no mark is cut in two.
func TestSlackTakesAReportOfVeryMuch(t *testing.T) {
	ends := map[string]string{"short": "", "64 letters": strings.Repeat("n", 55)}
	for label, name := range hostileNames {
		ends[label] = name
	}
	var all []shown
	for label, end := range ends {
		for _, form := range []auth.TableForm{auth.DataTable, auth.Table, auth.TextTable} {
			r := reporttest.Fixture()
			many(&r, 200, end)
			r.Provenance.Problems = nil
			for range 5 {
				r.Provenance.Problems = append(r.Provenance.Problems, report.Problem{What: strings.Repeat(end+" ", 600), Next: strings.Repeat("do it ", 300)})
			}
			for range 9 {
				r.Changes.NotCompared = append(r.Changes.NotCompared, strings.Repeat("why not ", 60))
			}
			r.Starts.Refused = map[string]int{}
			for n := range 30 {
				r.Starts.Refused[fmt.Sprint("reason_", n)] = n
			}
			text, blocks := commands.ReportCard(paper.Title(r), r, form, goldenPictures()...)
			m := shown{file: "very much", name: label + ", " + string(form), text: text, blocks: blocks, kind: posted}
			all = append(all, m)
			if len(blocks) > 50 {
				t.Errorf("%s: %d blocks", m.name, len(blocks))
			}
			marked, _ := allText(t, m)
			for _, text := range marked {
				if strings.ContainsAny(ours.ReplaceAllString(text, ""), "<>") || strings.Count(text, "`")%2 != 0 {
					t.Errorf("%s: a mark was cut: %q", m.name, text)
				}
			}
			if n := strings.Count(strings.Join(marked, "\n"), "*Not complete.*"); n != 3 {
				t.Errorf("%s: %d problems are shown", m.name, n)
			}
			wants(t, m.name, reads(t, text, blocks), "… and 2 more of these: see the files", "(20 of 200", "the rest is in the files")
		}
	}
	slackTakes(t, all)
}
