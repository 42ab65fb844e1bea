package report_test

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/auth/report"
)

// inspected is a report of these rows.
func inspected(t testing.TB, rows ...report.Credential) report.Report {
	t.Helper()
	w := newWorld()
	w.credentials.c.Rows = rows
	return w.make(t)
}

func TestFindings(t *testing.T) {
	type with = func(*report.Credential)
	const (
		pass90, pass45 = report.PasswordUnused90, report.PasswordUnused45
		key90, key45   = report.KeyUnused90, report.KeyUnused45
	)
	second := func(c *report.Credential) { // all of it a second younger
		c.PasswordUsed = c.PasswordUsed.Add(time.Second)
		for n := range c.Keys {
			c.Keys[n].Rotated, c.Keys[n].Used = c.Keys[n].Rotated.Add(time.Second), c.Keys[n].Used.Add(time.Second)
		}
	}
	off := func(c *report.Credential) { c.Keys[0].Active = false }
	tests := []struct {
		name string
		with []with
		want []report.Finding
	}{
		{"neither password nor keys", nil, nil},
		{"no password, and no MFA", []with{noMFA}, nil},
		{"a password without MFA", []with{password(0), noMFA}, []report.Finding{report.NoMFA}},
		{"MFA without a password", []with{func(c *report.Credential) { c.MFA = true }}, nil},

		{"a password unused for 44 days", []with{password(44)}, nil},
		{"… 45 days but a second", []with{password(45), second}, nil},
		{"… 45 days", []with{password(45)}, []report.Finding{pass45}},
		{"… 89 days", []with{password(89)}, []report.Finding{pass45}},
		{"… 90 days", []with{password(90)}, []report.Finding{pass90}},
		{"… 91 days", []with{password(91)}, []report.Finding{pass90}},
		{"a password that was never used, as old as the user", []with{func(c *report.Credential) {
			c.Password, c.MFA, c.Created = true, true, ago(45)
		}}, []report.Finding{pass45}},
		{"… but set 44 days ago", []with{func(c *report.Credential) {
			c.Password, c.MFA, c.PasswordSet = true, true, ago(44)
		}}, nil},
		{"a password about which no time is known", []with{func(c *report.Credential) {
			c.Password, c.MFA, c.Created = true, true, time.Time{}
		}}, nil},
		{"a password that was taken away", []with{func(c *report.Credential) { c.PasswordUsed = ago(300) }}, nil},

		{"a key of 90 days", []with{key(0, 90, 1)}, nil},
		{"… of 91 days but a second", []with{key(0, 91, 1), second}, nil},
		{"… of 91 days", []with{key(0, 91, 1)}, []report.Finding{report.KeyOld}},
		{"the second key of 91 days", []with{key(1, 91, 1)}, []report.Finding{report.KeyOld}},
		{"an inactive key", []with{key(0, 300, 200), off}, nil},
		{"an active key about which no time is known", []with{func(c *report.Credential) { c.Keys[0].Active = true }}, nil},

		{"a key unused for 44 days", []with{key(0, 80, 44)}, nil},
		{"… 45 days", []with{key(0, 80, 45)}, []report.Finding{key45}},
		{"… 89 days", []with{key(1, 90, 89)}, []report.Finding{key45}},
		{"… 90 days", []with{key(0, 90, 90)}, []report.Finding{key90}},
		{"a key that was never used, made 44 days ago", []with{key(0, 44, -1)}, nil},
		{"… 45 days ago", []with{key(0, 45, -1)}, []report.Finding{key45}},
		{"… 90 days ago", []with{key(0, 90, -1)}, []report.Finding{key90}},
		{"a key used before it was set active again", []with{key(0, 10, 200)}, nil},

		{"two active keys", []with{key(0, 3, 1), key(1, 4, 1)}, []report.Finding{report.TwoKeys}},
		{"one of two active", []with{key(0, 3, 1), key(1, 4, 1), off}, nil},
		{"the idler of two keys counts", []with{key(0, 80, 50), key(1, 90, 90)}, []report.Finding{key90, report.TwoKeys}},
		{"all that can be", []with{password(90), noMFA, key(0, 400, -1), key(1, 91, 45)},
			[]report.Finding{report.NoMFA, pass90, key90, report.KeyOld, report.TwoKeys}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := inspected(t, row("ci", tt.with...))
			if len(r.Users.List) != 1 || !slices.Equal(r.Users.List[0].Findings, tt.want) {
				t.Fatalf("%+v; want %v", r.Users.List, tt.want)
			}
			for _, c := range r.Users.Findings {
				want := 0
				if slices.Contains(tt.want, c.Finding) {
					want = 1
				}
				if c.Users != want || c.Unknown {
					t.Errorf("%+v; want %d users", c, want)
				}
			}
		})
	}
}

func TestFindingsOfRoot(t *testing.T) {
	type with = func(*report.Credential)
	tests := []struct {
		name  string
		with  []with
		want  []report.Finding
		keys  int
		score int
	}{
		{"as it should be", nil, nil, 0, 100},
		{"long unused, which is good", []with{password(300)}, nil, 0, 100},
		{"used before the week", []with{func(c *report.Credential) { c.PasswordUsed = week.From.Add(-1) }}, nil, 0, 100},
		{"used as the week began", []with{func(c *report.Credential) { c.PasswordUsed = week.From }}, []report.Finding{report.RootUsed}, 0, 90},
		{"used with a key that is inactive now", []with{func(c *report.Credential) { c.Keys[1].Used = ago(2) }}, []report.Finding{report.RootUsed}, 0, 90},
		{"without MFA", []with{noMFA}, []report.Finding{report.RootNoMFA}, 0, 60},
		{"with a key", []with{key(1, 300, 200)}, []report.Finding{report.RootKey}, 1, 50},
		{"everything", []with{noMFA, key(0, 300, 1), key(1, 300, 1)}, []report.Finding{report.RootKey, report.RootNoMFA, report.RootUsed}, 2, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := inspected(t, row("ci"), root(tt.with...)).Users
			if u.Root == nil || !slices.Equal(u.Root.Findings, tt.want) || u.Root.AccessKeys != tt.keys || u.Root.Score != tt.score {
				t.Errorf("%+v; want %v, %d keys, %d points", u.Root, tt.want, tt.keys, tt.score)
			}
			if u.Total != 1 || len(u.List) != 1 {
				t.Errorf("root counts as a user: %+v", u)
			}
		})
	}
}

// TestMissingColumns: what cannot be judged is unknown, costs nothing, and the
// report says so.
func TestMissingColumns(t *testing.T) {
	const (
		pass90, pass45 = report.PasswordUnused90, report.PasswordUnused45
		key90, key45   = report.KeyUnused90, report.KeyUnused45
	)
	bad := []report.Credential{
		root(noMFA, key(0, 300, 1), key(1, 300, 1)),
		row("ci", password(90), noMFA, key(0, 400, -1), key(1, 91, 45)),
	}
	all := inspected(t, bad...)
	for column, unknown := range map[string][]report.Finding{
		"arn":                         nil,
		"mfa_active":                  {report.RootNoMFA, report.NoMFA},
		"password_enabled":            {report.NoMFA, pass90, pass45},
		"password_last_used":          {report.RootUsed, pass90, pass45},
		"password_last_changed":       {pass90, pass45},
		"access_key_1_active":         {report.RootKey, key90, key45, report.KeyOld, report.TwoKeys},
		"access_key_2_active":         {report.RootKey, key90, key45, report.KeyOld, report.TwoKeys},
		"access_key_1_last_rotated":   {key90, key45, report.KeyOld},
		"access_key_2_last_rotated":   {key90, key45, report.KeyOld},
		"access_key_1_last_used_date": {key90, key45},
		"access_key_2_last_used_date": {key90, key45},
	} {
		w := newWorld()
		w.credentials.c.Rows, w.credentials.c.Lacks = bad, []string{column}
		r := w.make(t)
		without := func(all []report.Finding) []report.Finding {
			return slices.DeleteFunc(slices.Clone(all), func(f report.Finding) bool { return slices.Contains(unknown, f) })
		}
		if got, want := r.Users.List[0].Findings, without(all.Users.List[0].Findings); !slices.Equal(got, want) {
			t.Errorf("without %s: %v, want %v", column, got, want)
		}
		if got, want := r.Users.Root.Findings, without(all.Users.Root.Findings); !slices.Equal(got, want) {
			t.Errorf("without %s, root: %v, want %v", column, got, want)
		}
		for _, c := range r.Users.Findings {
			if c.Unknown != slices.Contains(unknown, c.Finding) || c.Unknown && c.Users > 0 {
				t.Errorf("without %s: %+v; unknown are %v", column, c, unknown)
			}
		}
		want := report.Known
		if unknown != nil {
			want = report.Partly
		}
		p := r.Provenance
		if r.Users.Status != want || len(p.Problems) > 0 != (want == report.Partly) || !slices.Equal(p.CredentialReport.Lacks, []string{column}) {
			t.Errorf("without %s: %+v, %+v", column, r.Users.Source, p)
		}
	}
}

// TestUsersSection is what else it says, and in which order.
func TestUsersSection(t *testing.T) {
	r := inspected(t,
		row("rosa", password(1)), root(),
		row("ben", password(1), noMFA, key(0, 5, 2)),
		row("mei", func(c *report.Credential) { c.Created = week.From }), row("new", func(c *report.Credential) { c.Created = week.To }),
		row("abe", password(2), noMFA),
	)
	used := ago(1)
	u := r.Users
	want := report.User{
		Name: "ben", Created: ago(400), Console: true, Keys: 1, LastUsed: &used, Score: 60, Findings: []report.Finding{report.NoMFA},
	}
	wantSame(t, "ben", u.List[1], want)
	var names []string
	for _, one := range u.List {
		names = append(names, one.Name)
	}
	if want := []string{"abe", "ben", "mei", "new", "rosa"}; !slices.Equal(names, want) || u.Total != 5 {
		t.Errorf("%d users, %v; want %v", u.Total, names, want)
	}
	if u.List[2].LastUsed != nil {
		t.Errorf("mei was used %v", u.List[2].LastUsed)
	}
	if !slices.Equal(u.Added, []string{"mei"}) {
		t.Errorf("added: %v", u.Added)
	}
	if r.Provenance.CIS != "7.0" || r.Users.Status != report.Known {
		t.Errorf("%+v, %+v", r.Provenance, r.Users.Source)
	}
}

func TestScore(t *testing.T) {
	number := func(n int) *int { return &n }
	lost := func(f report.Finding, points, times int) report.Lost {
		return report.Lost{Finding: f, Points: points, Times: times, Sum: points * times}
	}
	for name, tt := range map[string]struct {
		rows []report.Credential
		want report.Score
	}{
		"nobody": {nil, report.Score{Total: 100, Mean: 100, Lost: []report.Lost{}}},
		"root is worse than its users": {
			[]report.Credential{root(noMFA), row("a"), row("b")},
			report.Score{Total: 60, Mean: 100, Root: number(60), Users: 2, Lost: []report.Lost{}},
		},
		"the users are worse than root": {
			[]report.Credential{
				root(func(c *report.Credential) { c.PasswordUsed = ago(1) }), row("a", password(1), noMFA), row("b", key(0, 91, 1)), row("c", key(0, 92, 1)),
				row("d", key(0, 93, 1)),
			},
			report.Score{Total: 75, Mean: 75, Root: number(90), Users: 4, Lost: []report.Lost{lost(report.KeyOld, 20, 3), lost(report.NoMFA, 40, 1)}},
		},
		"rounded, and without root": {
			[]report.Credential{row("a", password(45)), row("b"), row("c")},
			report.Score{Total: 97.3, Mean: 97.3, Users: 3, Lost: []report.Lost{lost(report.PasswordUnused45, 8, 1)}},
		},
		"the worst that can be": {
			[]report.Credential{row("a", password(90), noMFA, key(0, 400, -1), key(1, 91, 45))},
			report.Score{Total: 0, Mean: 0, Users: 1, Lost: []report.Lost{
				lost(report.NoMFA, 40, 1), lost(report.KeyOld, 20, 1), lost(report.PasswordUnused90, 15, 1), lost(report.KeyUnused90, 15, 1),
				lost(report.TwoKeys, 10, 1),
			}},
		},
	} {
		wantSame(t, name, inspected(t, tt.rows...).Score, tt.want)
	}
}

// TestScoreOfAnyUsers: nobody has less than nothing, and what is lost adds up to
// what is missing.
func TestScoreOfAnyUsers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld()
		for n := range rapid.IntRange(0, 12).Draw(t, "users") {
			age := func(what string) time.Time {
				return ago(rapid.SampledFrom([]int{0, 44, 45, 89, 90, 91, 400}).Draw(t, what))
			}
			c := row(fmt.Sprint("user ", n))
			if n == 0 && rapid.Bool().Draw(t, "root") {
				c.User = report.RootUser
			}
			c.Password, c.MFA = rapid.Bool().Draw(t, "password"), rapid.Bool().Draw(t, "mfa")
			c.PasswordUsed, c.PasswordSet = age("used"), age("set")
			for k := range c.Keys {
				c.Keys[k] = report.CredentialKey{Active: rapid.Bool().Draw(t, "active"), Rotated: age("rotated"), Used: age("key used")}
			}
			w.credentials.c.Rows = append(w.credentials.c.Rows, c)
		}
		r, err := w.makeOr(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s, users, lost := r.Score, 0, 0
		for _, u := range r.Users.List {
			users += u.Score
			if u.Score < 0 || u.Score > 100 || u.Score == 100 != (len(u.Findings) == 0) {
				t.Errorf("%+v", u)
			}
		}
		for _, l := range s.Lost {
			lost += l.Sum
			if l.Sum != l.Points*l.Times || l.Times == 0 {
				t.Errorf("%+v", l)
			}
		}
		if n := r.Users.Total; n > 0 {
			if gap := 100 - float64(lost)/float64(n) - s.Mean; math.Abs(gap) > 0.0500001 {
				t.Errorf("lost are %d by %d users, and the mean is %v", lost, n, s.Mean)
			}
			if mean := float64(users) / float64(n); math.Abs(mean-s.Mean) > 0.0500001 {
				t.Errorf("the users' mean is %v, it says %v", mean, s.Mean)
			}
		}
		want := s.Mean
		if r.Users.Root != nil {
			want = min(want, float64(r.Users.Root.Score))
		}
		if s.Total != want || s.Total < 0 {
			t.Errorf("the total is %v, want %v", s.Total, want)
		}
	})
}

// TestNumbersOfTheBenchmark are those of the CIS AWS Foundations Benchmark,
// version by version: https://www.cisecurity.org/benchmark/amazon_web_services
func TestNumbersOfTheBenchmark(t *testing.T) {
	old := []string{"1.4", "1.5", "1.7", "1.10", "1.12", "1.13", "1.14"}
	want := map[string][]string{ // no root key, root MFA, root unused, MFA, unused for 45 days, one key, 90 days
		"1.4": old, "1.5": old, "2.0": old, "3.0": old, "4.0": old,
		"5.0": {"1.3", "1.4", "1.6", "1.9", "1.11", "1.12", "1.13"},
		"6.0": {"2.3", "2.4", "2.6", "2.9", "2.11", "2.12", "2.13"},
		"7.0": {"2.4", "2.5", "2.7", "2.10", "2.11", "", "2.12"},
	}
	report.Versions()[0] = "changed" // which is a copy
	if got := report.Versions(); !slices.Equal(got, []string{"1.4", "1.5", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0"}) {
		t.Errorf("Versions() = %v", got)
	}
	for _, version := range report.Versions() {
		w := newWorld()
		w.order.CIS = version
		got := map[report.Finding]string{}
		for _, c := range w.make(t).Users.Findings {
			got[c.Finding] = c.CIS
		}
		n := want[version]
		if !reflect.DeepEqual(got, map[report.Finding]string{
			report.RootKey: n[0], report.RootNoMFA: n[1], report.RootUsed: n[2], report.NoMFA: n[3],
			report.PasswordUnused45: n[4], report.PasswordUnused90: n[4], report.KeyUnused45: n[4], report.KeyUnused90: n[4],
			report.TwoKeys: n[5], report.KeyOld: n[6],
		}) {
			t.Errorf("%s: %v; want %v", version, got, n)
		}
	}
}
