package reporttest

import (
	"time"

	"sekisho/auth/report"
)

// Fixture is one week's report with something in every part of it, whose sums
// agree with each other. Each call makes a new one, which the caller may change.
func Fixture() report.Report {
	return report.Report{
		Schema: report.Schema, Name: "weekly", Account: "123456789012",
		Period: report.Period{From: november(16, "00:00"), To: november(23, "00:00")},
		Starts: starts(), Keys: keys(), Users: users(), Score: score(), Changes: changes(),
		Policy: report.Policy{Hash: "b81e44d2690f", Changes: policyChanges()},
		Provenance: report.Provenance{
			Generated: november(23, "06:00"), CIS: "7.0",
			Trail:            report.TrailRead{Entries: 214, First: 1042, Last: 1255, Whole: true},
			CredentialReport: report.CredentialSource{Made: at(november(23, "03:40")), Lacks: []string{"access_key_1_last_used_date"}},
			Problems:         []report.Problem{{Section: report.AboutUsers, What: lacking, Next: "look whether a newer Sekisho knows the report's new form"}},
		},
	}
}

const lacking = `IAM's credential report lacks columns that some findings need: ["access_key_1_last_used_date"]`

// november is a time in November 2026, in UTC.
func november(day int, clock string) time.Time {
	t, err := time.Parse("15:04", clock)
	if err != nil {
		panic("reporttest: " + err.Error())
	}
	return time.Date(2026, time.November, day, t.Hour(), t.Minute(), 0, 0, time.UTC)
}

func at(t time.Time) *time.Time { return &t }

// daysAgo is a whole number of days before the report was made.
func daysAgo(n int) time.Time { return november(23, "06:00").AddDate(0, 0, -n) }

func starts() report.Starts {
	median := 94
	return report.Starts{
		Source: report.Source{Status: report.Known},
		Total:  15, Admitted: 11, Refused: map[string]int{"no_tag": 2, "unknown": 1, "expired": 1}, Swept: 1, Observed: 1, Unstopped: 1,
		BreakGlass: []report.BreakGlass{{
			At: november(19, "02:14"), User: "U0BEN", Name: "ben", Instance: "i-0a1b2c3d4e5f60001",
			Why: "INC-42: payments are down, and no approver answers",
		}},
		Passes:    report.Passes{Asked: 16, AtOnce: 7, Requests: 8, Approved: 4, Denied: 1, Lapsed: 2, Withdrawn: 1, Turned: 1},
		Decisions: report.Decisions{Count: 5, Median: &median, Under5s: 1, Share5s: 20, NoAnswers: 1, RefusedClicks: 2},
		Days: []report.Day{
			{Date: "2026-11-16", Admitted: 2}, {Date: "2026-11-17", Admitted: 3, Refused: 1}, {Date: "2026-11-18", Admitted: 1},
			{Date: "2026-11-19", Admitted: 4, Refused: 2}, {Date: "2026-11-20", Admitted: 1, Refused: 1},
			{Date: "2026-11-21"}, {Date: "2026-11-22"},
		},
		People: []report.Person{
			{User: "U0HANA", Name: "hana", Asked: 7, Admitted: 6, Refused: 1, Approved: 1},
			{User: "U0BEN", Name: "ben", Asked: 6, Admitted: 4},
			{User: "U0ROSA", Name: "rosa", Asked: 3, Admitted: 1, Refused: 1, Approved: 3, Denied: 1},
			{Refused: 2},
		},
		Instances: []report.Instance{
			{ID: "i-0a1b2c3d4e5f60001", Admitted: 6, Refused: 3},
			{ID: "i-0a1b2c3d4e5f60002", Admitted: 3, Refused: 1},
			{ID: "i-0a1b2c3d4e5f60003", Admitted: 2},
		},
	}
}

// Keys of the fixture. Their ids look like none that AWS gives out.
const (
	keyLegacy  = "AKIATESTLEGACY000001"
	keyJonas   = "AKIATESTJONAS0000001"
	keyCI      = "AKIATESTCIDEPLOY0001"
	keyBen     = "AKIATESTBEN000000001"
	keyHana    = "AKIATESTHANA00000001"
	keyHanaOff = "AKIATESTHANA00000002"
	keyRosa    = "AKIATESTROSA00000001"
	keyMetrics = "AKIATESTMETRICS00001"
	keyCINew   = "AKIATESTCIDEPLOY0002"
)

func keys() report.Keys {
	key := func(id, user string, active bool, age int, used *time.Time) report.Key {
		return report.Key{ID: id, User: user, Active: active, Created: daysAgo(age), Age: age, LastUsed: used}
	}
	return report.Keys{
		Source: report.Source{Status: report.Known}, Mode: "enforce", From: "iam",
		Total: 9, Active: 7, MaxAge: 90, Old: 3,
		Bands: []report.Band{
			{From: 0, To: 30, Active: 1}, {From: 30, To: 60, Active: 1}, {From: 60, To: 90, Active: 2, Inactive: 1},
			{From: 90, To: 180, Active: 2}, {From: 180, To: 365, Inactive: 1}, {From: 365, Active: 1},
		},
		Warned: 2, Deactivated: 1, Reactivated: 1, Deleted: 2,
		Kept: []report.KeyWord{
			{At: november(20, "09:31"), ID: keyBen, User: "ben", By: "U0ROSA", Name: "rosa", Note: "until 2026-11-27: ben moves to a role this week"},
		},
		Exempted: []report.KeyWord{
			{At: november(17, "14:05"), ID: keyRosa, User: "rosa", By: "U0HANA", Name: "hana", Note: "until 2026-12-01: the vendor cannot use roles yet"},
		},
		Exempt: []report.ExemptKey{
			{ID: keyLegacy, User: "legacy-sync", Age: 412, By: "exempt by the policy (user: legacy-*)"},
			{ID: keyRosa, User: "rosa", Age: 61, Until: at(time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC))},
		},
		Due: []report.DueKey{
			{ID: keyCI, User: "ci-deploy", Age: 131, Do: "deactivate", At: november(24, "06:00")},
			{ID: keyHana, User: "hana", Age: 88, Do: "deactivate", At: november(25, "06:00")},
			{ID: keyJonas, User: "jonas", Age: 190, Do: "delete", At: november(26, "06:00")},
			{ID: keyBen, User: "ben", Age: 97, Do: "deactivate", At: november(27, "09:31")},
		},
		List: []report.Key{
			key(keyLegacy, "legacy-sync", true, 412, at(daysAgo(2))), key(keyJonas, "jonas", false, 190, at(daysAgo(101))),
			key(keyCI, "ci-deploy", true, 131, at(daysAgo(0))), key(keyBen, "ben", true, 97, at(daysAgo(12))),
			key(keyHana, "hana", true, 88, at(daysAgo(1))), key(keyHanaOff, "hana", false, 75, nil), key(keyRosa, "rosa", true, 61, nil),
			key(keyMetrics, "metrics", true, 34, nil), key(keyCINew, "ci-deploy", true, 3, nil),
		},
	}
}

func users() report.Users {
	user := func(name string, age int, console, mfa bool, keys int, used *time.Time, score int, findings ...report.Finding) report.User {
		return report.User{
			Name: name, Created: daysAgo(age), Console: console, MFA: mfa, Keys: keys, LastUsed: used,
			Score: score, Findings: append([]report.Finding{}, findings...),
		}
	}
	return report.Users{
		Source: report.Source{Status: report.Partly, Why: lacking},
		Total:  8,
		Root:   &report.Root{MFA: true, LastUsed: at(november(18, "07:55")), Score: 90, Findings: []report.Finding{report.RootUsed}},
		Findings: []report.FindingCount{
			{Finding: report.RootKey, Title: "the root user has an access key", CIS: "2.4", Points: 50},
			{Finding: report.RootNoMFA, Title: "the root user has no MFA", CIS: "2.5", Points: 40},
			{Finding: report.RootUsed, Title: "the root user was used in this period", CIS: "2.7", Points: 10, Users: 1},
			{Finding: report.NoMFA, Title: "a console password without MFA", CIS: "2.10", Points: 40, Users: 2},
			{Finding: report.PasswordUnused90, Title: "a password unused for 90 days or more", CIS: "2.11", Points: 15, Users: 1},
			{Finding: report.PasswordUnused45, Title: "a password unused for 45 to 89 days", CIS: "2.11", Points: 8, Users: 1},
			{Finding: report.KeyUnused90, Title: "an access key unused for 90 days or more", CIS: "2.11", Points: 15, Unknown: true},
			{Finding: report.KeyUnused45, Title: "an access key unused for 45 to 89 days", CIS: "2.11", Points: 8, Unknown: true},
			{Finding: report.KeyOld, Title: "an access key older than 90 days", CIS: "2.12", Points: 20, Users: 3},
			{Finding: report.TwoKeys, Title: "two active access keys", Points: 10, Users: 1},
		},
		Added: []string{"mei"},
		List: []report.User{
			user("ben", 731, true, false, 1, at(daysAgo(12)), 32, report.NoMFA, report.PasswordUnused45, report.KeyOld),
			user("mei", 4, true, false, 0, at(daysAgo(1)), 60, report.NoMFA),
			user("ci-deploy", 131, false, false, 2, at(daysAgo(0)), 70, report.KeyOld, report.TwoKeys),
			user("legacy-sync", 412, false, false, 1, at(daysAgo(2)), 80, report.KeyOld),
			user("jonas", 950, true, true, 0, at(daysAgo(101)), 85, report.PasswordUnused90),
			user("hana", 800, true, true, 1, at(daysAgo(1)), 100),
			user("metrics", 34, false, false, 1, nil, 100),
			user("rosa", 640, true, true, 1, at(daysAgo(0)), 100),
		},
	}
}

func score() *report.Score {
	root := 90
	return &report.Score{
		Total: 78.4, Mean: 78.4, Root: &root, Users: 8,
		Lost: []report.Lost{
			{Finding: report.NoMFA, Points: 40, Times: 2, Sum: 80}, {Finding: report.KeyOld, Points: 20, Times: 3, Sum: 60},
			{Finding: report.PasswordUnused90, Points: 15, Times: 1, Sum: 15}, {Finding: report.TwoKeys, Points: 10, Times: 1, Sum: 10},
			{Finding: report.PasswordUnused45, Points: 8, Times: 1, Sum: 8},
		},
	}
}

func policyChanges() []report.PolicyChange {
	return []report.PolicyChange{{At: november(18, "10:30"), From: "3f2a9c41d07b", To: "b81e44d2690f"}}
}

func changes() report.Changes {
	number := func(f float64) *float64 { return &f }
	return report.Changes{
		Since: &report.Before{Period: report.Period{From: november(9, "00:00"), To: november(16, "00:00")}, Generated: november(16, "06:00")},
		Headline: []report.Figure{
			{ID: "starts_refused", Label: "Starts refused", Now: number(4), Before: number(2), Better: "down"},
			{ID: "keys_too_old", Label: "Access keys too old", Now: number(3), Before: number(5), Better: "down"},
			{ID: "score", Label: "Security score", Now: number(78.4), Before: number(81), Better: "up"},
		},
		UsersAdded: []string{"mei"}, UsersRemoved: []string{"temp-audit"},
		Opened: []report.UserFinding{
			{User: "<root_account>", Finding: report.RootUsed}, {User: "ben", Finding: report.KeyOld},
			{User: "ben", Finding: report.PasswordUnused45}, {User: "mei", Finding: report.NoMFA},
		},
		Closed:    []report.UserFinding{{User: "rosa", Finding: report.TwoKeys}},
		Crossed:   []report.Crossed{{ID: keyBen, User: "ben", Line: 90, Age: 97}},
		KeysAdded: 1, KeysRemoved: 2,
		Policy:      policyChanges(),
		Lapsing:     []report.ExemptKey{{ID: keyRosa, User: "rosa", Age: 61, Until: at(time.Date(2026, time.December, 1, 0, 0, 0, 0, time.UTC))}},
		NotCompared: []string{},
	}
}
