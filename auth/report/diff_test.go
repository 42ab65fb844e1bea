package report_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/auth/report/reporttest"
)

// nothing is the difference of two reports that say the same.
func nothing() report.Changes {
	return report.Changes{
		UsersAdded: []string{}, UsersRemoved: []string{}, Opened: []report.UserFinding{}, Closed: []report.UserFinding{},
		Crossed: []report.Crossed{}, Policy: []report.PolicyChange{}, Lapsing: []report.ExemptKey{}, NotCompared: []string{},
	}
}

// pair is two empty reports, a week apart.
func pair(t testing.TB) (before, now report.Report) {
	t.Helper()
	before, now = newWorld().make(t), newWorld().make(t)
	before.Period = report.Period{From: week.From.AddDate(0, 0, -7), To: week.From}
	before.Provenance.Generated = ago(7)
	return before, now
}

func TestDiff(t *testing.T) {
	user := func(name string, findings ...report.Finding) report.User {
		return report.User{Name: name, Findings: findings}
	}
	aged := func(id, user string, age int) report.Key {
		return report.Key{ID: id, User: user, Active: true, Created: ago(age), Age: age}
	}
	was := func(k report.Key) report.Key { k.Age -= 7; return k }
	until := func(days int) *time.Time { at := made.AddDate(0, 0, days); return &at }
	tests := []struct {
		name string
		do   func(before, now *report.Report)
		want func(c *report.Changes)
	}{
		{"nothing", func(_, _ *report.Report) {}, func(*report.Changes) {}},
		{"users come and go", func(before, now *report.Report) {
			before.Users.List = []report.User{user("ben"), user("b"), user("a", report.NoMFA)}
			now.Users.List = []report.User{user("d", report.KeyOld), user("c"), user("ben")}
		}, func(c *report.Changes) {
			c.UsersAdded, c.UsersRemoved = []string{"c", "d"}, []string{"a", "b"}
			c.Opened = []report.UserFinding{{User: "d", Finding: report.KeyOld}}
			c.Closed = []report.UserFinding{{User: "a", Finding: report.NoMFA}}
		}},
		{"findings come and go, root's too", func(before, now *report.Report) {
			before.Users.List = []report.User{user("ben", report.NoMFA, report.KeyOld), user("abe")}
			now.Users.List = []report.User{user("abe", report.TwoKeys, report.KeyOld), user("ben", report.KeyOld)}
			before.Users.Root = &report.Root{Findings: []report.Finding{report.RootKey}}
			now.Users.Root = &report.Root{Findings: []report.Finding{report.RootUsed}}
		}, func(c *report.Changes) {
			c.Opened = []report.UserFinding{
				{User: report.RootUser, Finding: report.RootUsed}, {User: "abe", Finding: report.KeyOld}, {User: "abe", Finding: report.TwoKeys},
			}
			c.Closed = []report.UserFinding{{User: report.RootUser, Finding: report.RootKey}, {User: "ben", Finding: report.NoMFA}}
		}},
		{"a finding that one of the two could not judge", func(before, now *report.Report) {
			before.Users.List = []report.User{user("ben", report.NoMFA)}
			now.Users.List = []report.User{user("ben", report.KeyOld, report.TwoKeys)}
			before.Users.Findings = []report.FindingCount{{Finding: report.KeyOld, Unknown: true}}
			now.Users.Findings = []report.FindingCount{{Finding: report.NoMFA, Unknown: true}}
		}, func(c *report.Changes) {
			c.Opened = []report.UserFinding{{User: "ben", Finding: report.TwoKeys}}
		}},
		{"no users where they could not be read", func(before, now *report.Report) {
			for n := range 5000 {
				before.Users.List = append(before.Users.List, user(fmt.Sprint("user ", n), report.NoMFA))
			}
			now.Users.Source = report.Source{Status: report.Unknown, Why: "denied"}
		}, func(c *report.Changes) { c.NotCompared = []string{"users: this report does not have them"} }},
		{"no users where nobody asked for them before", func(before, now *report.Report) {
			before.Users.Source = report.Source{Status: report.LeftOut}
			now.Users.List = []report.User{user("ben")}
		}, func(c *report.Changes) { c.NotCompared = []string{"users: the report before does not have them"} }},
		{"nothing is missing of what nobody asks for any more", func(before, now *report.Report) {
			before.Users.List, before.Keys.List = []report.User{user("ben")}, []report.Key{was(aged("1", "ci", 20))}
			now.Users.Source, now.Keys.Source = report.Source{Status: report.LeftOut}, report.Source{Status: report.LeftOut}
		}, func(*report.Changes) {}},
		{"keys come and go, and are told apart by when they were made", func(before, now *report.Report) {
			before.Keys.List = []report.Key{was(aged("1", "ci", 20)), was(aged("2", "ci", 10)), was(aged("3", "ben", 10))}
			now.Keys.List = []report.Key{aged("1", "ci", 20), aged("4", "ben", 5), aged("5", "abe", 10)}
		}, func(c *report.Changes) { c.KeysAdded, c.KeysRemoved = 2, 2 }},
		{"two keys that were made in one second", func(before, now *report.Report) {
			before.Keys.List = []report.Key{was(aged("1", "ci", 20)), was(aged("2", "ci", 20))}
			now.Keys.List = []report.Key{aged("1", "ci", 20), aged("2", "ci", 20)}
		}, func(*report.Changes) {}},
		{"one of two keys that were made in one second", func(before, now *report.Report) {
			before.Keys.List = []report.Key{was(aged("1", "ci", 20)), was(aged("2", "ci", 20))}
			now.Keys.List = []report.Key{aged("2", "ci", 20)}
		}, func(c *report.Changes) { c.KeysRemoved = 1 }},
		{"keys pass an age", func(before, now *report.Report) {
			now.Keys.List = []report.Key{
				aged("1", "a", 370), aged("2", "b", 365), aged("3", "c", 180), aged("4", "d", 90), aged("5", "e", 89), aged("6", "f", 97),
				aged("7", "g", 364), aged("8", "h", 187),
			}
			for _, k := range now.Keys.List {
				before.Keys.List = append(before.Keys.List, was(k))
			}
			off := aged("9", "i", 91)
			off.Active = false
			now.Keys.List, before.Keys.List = append(now.Keys.List, off, aged("10", "j", 91)), append(before.Keys.List, was(off)) // 10 is new
		}, func(c *report.Changes) {
			c.Crossed = []report.Crossed{
				{ID: "1", User: "a", Line: 365, Age: 370}, {ID: "2", User: "b", Line: 365, Age: 365}, {ID: "3", User: "c", Line: 180, Age: 180},
				{ID: "4", User: "d", Line: 90, Age: 90},
			}
			c.KeysAdded = 1
		}},
		{"keys pass the policy's age, and several at once", func(before, now *report.Report) {
			now.Keys.MaxAge = 60
			now.Keys.List = []report.Key{aged("1", "a", 200), aged("2", "b", 61)}
			young := aged("1", "a", 200)
			young.Age = 10
			before.Keys.List = []report.Key{young, was(aged("2", "b", 61))}
		}, func(c *report.Changes) {
			c.Crossed = []report.Crossed{{ID: "1", User: "a", Line: 180, Age: 200}, {ID: "2", User: "b", Line: 60, Age: 61}}
		}},
		{"no keys where their dates are from elsewhere", func(before, now *report.Report) {
			now.Keys.From = "iam"
			now.Keys.List = []report.Key{aged("1", "a", 200)}
		}, func(c *report.Changes) {
			c.NotCompared = []string{"access keys: the two reports have them from different sources"}
		}},
		{"no keys where they could not be read", func(before, now *report.Report) {
			now.Keys.List = []report.Key{aged("1", "a", 200)}
			before.Keys.Status = report.Unknown
		}, func(c *report.Changes) { c.NotCompared = []string{"access keys: the report before does not have them"} }},
		{"the trail says how the policy changed", func(before, now *report.Report) {
			now.Policy.Changes = []report.PolicyChange{{At: after(time.Hour), From: "0123", To: "4567"}}
			now.Policy.Hash = "4567"
		}, func(c *report.Changes) {
			c.Policy = []report.PolicyChange{{At: after(time.Hour), From: "0123", To: "4567"}}
		}},
		{"the trail does not", func(before, now *report.Report) { now.Policy.Hash = "4567" }, func(c *report.Changes) {
			c.Policy = []report.PolicyChange{{At: made, From: "0123", To: "4567"}}
		}},
		{"exemptions that lapse within 14 days", func(before, now *report.Report) {
			now.Keys.Exempt = []report.ExemptKey{{ID: "1", Until: until(1)}, {ID: "2", Until: until(14)}, {ID: "3", By: "the bot's own"}}
			before.Keys.Exempt = []report.ExemptKey{{ID: "4", Until: until(1)}}
		}, func(c *report.Changes) { c.Lapsing = []report.ExemptKey{{ID: "1", Until: until(1)}} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before, now := pair(t)
			want := nothing()
			tt.do(&before, &now)
			tt.want(&want)
			want.Since = &report.Before{Period: before.Period, Generated: before.Provenance.Generated}
			got := report.Diff(&before, now)
			got.Headline = nil
			wantSame(t, "the changes", got, want)
		})
	}
}

// TestDiffWithoutAnother: there is no report before, or it is another account's.
func TestDiffWithoutAnother(t *testing.T) {
	now := reporttest.Fixture()
	first := report.Diff(nil, now)
	if first.Since != nil || len(first.UsersAdded)+len(first.Opened)+len(first.Crossed)+first.KeysAdded+first.KeysRemoved > 0 {
		t.Errorf("with nothing to compare: %+v", first)
	}
	if len(first.Policy) != 1 || len(first.Lapsing) != 1 || len(first.Headline) != 3 || first.Headline[0].Before != nil {
		t.Errorf("what needs no comparison is missing: %+v", first)
	}
	before := reporttest.Fixture()
	before.Account, before.Users.List, before.Policy.Hash = "999999999999", nil, "other"
	got := report.Diff(&before, now)
	if len(got.NotCompared) != 1 || !strings.HasSuffix(got.NotCompared[0], "999999999999") {
		t.Errorf("not compared: %v", got.NotCompared)
	}
	got.NotCompared = []string{}
	wantSame(t, "another account", got, first)
}

// TestDiffOfAnUnknownAccount: it is taken for the same, since the bot has one.
func TestDiffOfAnUnknownAccount(t *testing.T) {
	before, now := reporttest.Fixture(), reporttest.Fixture()
	before.Users.List = before.Users.List[1:]
	want := report.Diff(&before, now)
	if want.Since == nil || len(want.UsersAdded) != 1 {
		t.Fatalf("%+v", want)
	}
	for _, account := range []*string{&before.Account, &now.Account} {
		was := *account
		*account = ""
		wantSame(t, "the changes", report.Diff(&before, now), want)
		*account = was
	}
}

func TestHeadline(t *testing.T) {
	before, now := reporttest.Fixture(), reporttest.Fixture()
	before.Starts.Total += 5
	before.Keys.Old, before.Score.Total = 0, 78.5
	number := func(f float64) *float64 { return &f }
	want := []report.Figure{
		{ID: "starts_refused", Label: "Starts refused", Now: number(4), Before: number(9), Better: "down"},
		{ID: "keys_too_old", Label: "Access keys too old", Now: number(3), Before: number(0), Better: "down"},
		{ID: "score", Label: "Security score", Now: number(78.4), Before: number(78.5), Better: "up"},
	}
	wantSame(t, "the headline", report.Diff(&before, now).Headline, want)

	before.Starts.Status, now.Keys.Status, now.Score = report.LeftOut, report.Unknown, nil
	want[0].Before, want[1].Now, want[1].Before, want[2].Now = nil, nil, nil, nil
	wantSame(t, "what is not known", report.Diff(&before, now).Headline, want)

	for n, section := range []*report.Source{&now.Starts.Source, &now.Keys.Source, &now.Users.Source} {
		was := *section
		section.Status = report.LeftOut
		wantSame(t, "what nobody asked for", report.Diff(&before, now).Headline, slices.Delete(slices.Clone(want), n, n+1))
		*section = was
	}
}

// TestHeadlineOfWhatDiffers: a figure has none before it where the two do not
// count the same.
func TestHeadlineOfWhatDiffers(t *testing.T) {
	lasting := func(d time.Duration) func(r *report.Report) {
		return func(r *report.Report) { r.Period.From = r.Period.To.Add(-d) }
	}
	for name, tt := range map[string]struct {
		do   func(r *report.Report)
		lost string // the figure that cannot be compared
	}{
		"nothing":                             {func(*report.Report) {}, ""},
		"a period a tenth shorter":            {lasting(7 * day * 9 / 10), ""},
		"one that is shorter than that":       {lasting(7*day*9/10 - time.Second), "starts_refused"},
		"a period a tenth longer":             {lasting(7 * day * 10 / 9), ""},
		"one that is longer than that":        {lasting(7*day*10/9 + 2*time.Second), "starts_refused"},
		"another age":                         {func(r *report.Report) { r.Keys.MaxAge = 60 }, "keys_too_old"},
		"a finding that cannot be known":      {func(r *report.Report) { r.Users.Findings[3].Unknown = true }, "score"},
		"a finding that can be known again":   {func(r *report.Report) { r.Users.Findings[6].Unknown = false }, "score"},
		"a finding that costs something else": {func(r *report.Report) { r.Users.Findings[3].Points = 30 }, "score"},
		"a finding that there was not":        {func(r *report.Report) { r.Users.Findings = r.Users.Findings[1:] }, "score"},
		"a finding that more have":            {func(r *report.Report) { r.Users.Findings[3].Users = 7 }, ""},
		"what it is called":                   {func(r *report.Report) { r.Users.Findings[3].CIS, r.Users.Findings[3].Title = "1.10", "no MFA" }, ""},
	} {
		now, before := reporttest.Fixture(), reporttest.Fixture()
		tt.do(&before)
		for _, f := range report.Diff(&before, now).Headline {
			if known := f.Before != nil; known == (f.ID == tt.lost) {
				t.Errorf("%s: %s has one before it: %v", name, f.ID, known)
			}
		}
	}
}

func TestWay(t *testing.T) {
	n := func(f float64) *float64 { return &f }
	for _, tt := range []struct {
		now, before *float64
		better      string
		way         int
		good, ok    bool
	}{
		{n(4), n(2), "down", 1, false, true}, {n(2), n(4), "down", -1, true, true}, {n(4), n(4), "down", 0, false, true},
		{n(4), n(2), "up", 1, true, true}, {n(2), n(4), "up", -1, false, true}, {n(0), n(0), "up", 0, false, true},
		{nil, n(4), "up", 0, false, false}, {n(4), nil, "up", 0, false, false}, {nil, nil, "down", 0, false, false},
	} {
		f := report.Figure{Now: tt.now, Before: tt.before, Better: tt.better}
		if way, good, ok := f.Way(); way != tt.way || good != tt.good || ok != tt.ok {
			t.Errorf("%s: %d, %v, %v; want %+v", lines(f), way, good, ok, tt)
		}
	}
}

// TestDiffOfAnyTwo: a report does not differ from itself, and what one has more
// than the other is what the other has less.
func TestDiffOfAnyTwo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Custom(anyReport).Draw(t, "a"), rapid.Custom(anyReport).Draw(t, "b")

		same := report.Diff(&a, a)
		same.Since, same.Headline = nil, nil
		wantSame(t, "a with itself", same, nothing())

		there, back := report.Diff(&a, b), report.Diff(&b, a)
		wantSame(t, "users added", there.UsersAdded, back.UsersRemoved)
		wantSame(t, "users removed", there.UsersRemoved, back.UsersAdded)
		wantSame(t, "findings new", there.Opened, back.Closed)
		wantSame(t, "findings closed", there.Closed, back.Opened)
		more := len(b.Keys.List) - len(a.Keys.List)
		if there.KeysAdded != back.KeysRemoved || there.KeysRemoved != back.KeysAdded || there.KeysAdded-there.KeysRemoved != more {
			t.Errorf("keys: %d more and %d less, and back %d and %d", there.KeysAdded, there.KeysRemoved, back.KeysAdded, back.KeysRemoved)
		}
		if len(there.NotCompared) > 0 {
			t.Errorf("not compared: %q", there.NotCompared)
		}
	})
}

func anyReport(t *rapid.T) report.Report {
	w := newWorld()
	for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"a", "b", "c", report.RootUser}), rapid.ID).Draw(t, "users") {
		c := row(name)
		c.Password, c.MFA = rapid.Bool().Draw(t, "password"), rapid.Bool().Draw(t, "mfa")
		for n := range c.Keys {
			if age := rapid.SampledFrom([]int{-1, 10, 91, 200, 400}).Draw(t, "age"); age >= 0 {
				key(n, age, 0)(&c)
				c.Keys[n].Active = rapid.Bool().Draw(t, "active")
			}
		}
		w.credentials.c.Rows = append(w.credentials.c.Rows, c)
	}
	r, err := w.makeOr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestDiffOfWhatIsKept: the changes that stand in a report follow from the two
// files, and from nothing else.
func TestDiffOfWhatIsKept(t *testing.T) {
	first := full(t)
	first.order.Period = report.Period{From: week.From.AddDate(0, 0, -7), To: week.From}
	before := reread(t, first.make(t))

	second := full(t)
	second.before = &before
	second.policy.Hash = "89ab"
	rows := second.credentials.c.Rows
	rows[1].MFA = true
	second.credentials.c.Rows = append(slices.Clone(rows[:len(rows)-1]), row("new", key(0, 1, 0)))
	second.iam.users = second.iam.users[1:]
	second.key("ci", "AKIATESTNEW", 1, true)
	second.trail.entries = append(second.trail.entries, auth.Entry{
		Time: after(time.Hour), Act: auth.ActPolicy, Outcome: auth.Done, Note: "before: 0123", Policy: "89ab",
	})
	r := second.make(t)
	now := reread(t, r)
	wantSame(t, "the report", now, r)
	wantSame(t, "the changes", report.Diff(&before, now), now.Changes)
	c := now.Changes
	if c.Since == nil || len(c.UsersAdded) == 0 || len(c.UsersRemoved) == 0 || len(c.Closed) == 0 || c.KeysAdded == 0 || c.KeysRemoved == 0 ||
		len(c.Policy) == 0 || len(c.Lapsing) == 0 || len(c.NotCompared) > 0 {
		t.Errorf("the two do not differ enough to tell: %+v", c)
	}
}
