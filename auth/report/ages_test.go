package report_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/auth/report"
)

// TestAges puts a key on either side of each edge, by IAM and by the credential
// report.
func TestAges(t *testing.T) {
	ages := []int{0, 29, 30, 59, 60, 89, 90, 179, 180, 364, 365, 4000}
	bands := []report.Band{
		{From: 0, To: 30, Active: 2, Inactive: 1}, {From: 30, To: 60, Active: 2}, {From: 60, To: 90, Active: 2},
		{From: 90, To: 180, Active: 2, Inactive: 1}, {From: 180, To: 365, Active: 2}, {From: 365, To: 0, Active: 2},
	}
	inactive := []int{5, 120}
	byIAM, byReport := newWorld(), newWorld()
	byIAM.purges().MaxAge = 60 * day
	for n, age := range append(ages, inactive...) {
		active := n < len(ages)
		byIAM.key(fmt.Sprint("user ", n), fmt.Sprint("AKIATEST", n), age, active)
		byReport.credentials.c.Rows = append(byReport.credentials.c.Rows, row(fmt.Sprint("user ", n), key(n%2, age, -1), func(c *report.Credential) {
			c.Keys[n%2].Active = active
		}))
	}
	for _, tt := range []struct {
		w           *world
		from        string
		maxAge, old int
	}{{byIAM, "iam", 60, 8}, {byReport, "credential_report", 90, 6}} {
		k := tt.w.make(t).Keys
		wantSame(t, tt.from, k.Bands, bands)
		if k.From != tt.from || k.Status != report.Known || k.Total != 14 || k.Active != 12 || k.MaxAge != tt.maxAge || k.Old != tt.old {
			t.Errorf("%s: %+v; want 14 keys, 12 active, %d older than %d days", tt.from, k, tt.old, tt.maxAge)
		}
		got := make([]int, 0, len(k.List))
		for _, one := range k.List {
			got = append(got, one.Age)
		}
		want := slices.Sorted(slices.Values(append(ages, inactive...)))
		slices.Reverse(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: ages %v, want the oldest first", tt.from, got)
		}
	}
}

// TestKeysByTheCredentialReport, which knows neither ids nor more than two keys.
func TestKeysByTheCredentialReport(t *testing.T) {
	w := newWorld()
	w.credentials.c.Rows = []report.Credential{row("ci", key(0, 10, 2), key(1, 40, -1)), row("abe", key(0, 40, 1)), row("nobody")}
	used := func(n int) *time.Time { t := ago(n); return &t }
	want := []report.Key{
		{User: "abe", Active: true, Created: ago(40), Age: 40, LastUsed: used(1)},
		{User: "ci", Active: true, Created: ago(40), Age: 40},
		{User: "ci", Active: true, Created: ago(10), Age: 10, LastUsed: used(2)},
	}
	k := w.make(t).Keys
	wantSame(t, "the keys", k.List, want)

	for _, column := range []string{"access_key_1_active", "access_key_2_active", "access_key_1_last_rotated", "access_key_2_last_rotated"} {
		w.credentials.c.Lacks = []string{column}
		if k := w.make(t).Keys; k.Status != report.Partly || k.Why == "" || k.Total != 3 {
			t.Errorf("without %s: %+v", column, k)
		}
	}
	w.credentials.c.Lacks = []string{"password_last_used"}
	if k := w.make(t).Keys; k.Status != report.Known {
		t.Errorf("without password_last_used: %+v", k.Source)
	}
}

// TestKeysByIAM with when each was used last, where that was read.
func TestKeysByIAM(t *testing.T) {
	w := newWorld()
	w.purges()
	w.key("ci", "AKIATEST1", 200, true)
	w.key("ben", "AKIATEST2", 200, true)
	w.key("ci", "AKIATEST3", 5, true) // its use is not read: it is young
	w.iam.used = map[string]time.Time{"AKIATEST1": ago(3), "AKIATEST3": ago(1)}
	used := ago(3)
	wantSame(t, "the keys", w.make(t).Keys.List, []report.Key{
		{ID: "AKIATEST1", User: "ci", Active: true, Created: ago(200), Age: 200, LastUsed: &used},
		{ID: "AKIATEST2", User: "ben", Active: true, Created: ago(200), Age: 200},
		{ID: "AKIATEST3", User: "ci", Active: true, Created: ago(5), Age: 5},
	})
}

// TestExempt lists whom the purge leaves alone, and by whose word.
func TestExempt(t *testing.T) {
	const id = "AKIATEST1"
	at := func(days int) time.Time { return made.AddDate(0, 0, days) }
	spared := func(until int) purge.Change {
		return purge.Change{Verb: purge.Exempted, By: rosa, At: ago(20), Until: at(until), Note: "because"}
	}
	kept := func(until int) purge.Change {
		return purge.Change{Verb: purge.Kept, By: rosa, At: ago(10), Until: at(until)}
	}
	observed := func(c purge.Change) purge.Change { c.Observed = true; return c }
	until := func(days int) *report.ExemptKey {
		end := at(days)
		return &report.ExemptKey{ID: id, User: "ci", Age: 100, Until: &end}
	}
	for name, tt := range map[string]struct {
		history []purge.Change
		want    *report.ExemptKey
	}{
		"nobody's word":                        {nil, nil},
		"until a date":                         {[]purge.Change{spared(9)}, until(9)},
		"until a date that has come":           {[]purge.Change{spared(0)}, nil},
		"given only some days more":            {[]purge.Change{kept(9)}, nil},
		"for less long, on second thought":     {[]purge.Change{spared(30), spared(9)}, until(9)},
		"for longer, on second thought":        {[]purge.Change{spared(9), spared(30)}, until(30)},
		"on second thought not any more":       {[]purge.Change{spared(30), spared(-1)}, nil},
		"and given some days more":             {[]purge.Change{spared(9), kept(16)}, until(9)},
		"then somebody had it deactivated":     {[]purge.Change{spared(30), {Verb: purge.Deactivated, By: rosa, At: ago(5), Until: at(5)}}, nil},
		"then the policy, which nobody wanted": {[]purge.Change{spared(30), {Verb: purge.Deactivated, At: ago(5), Until: at(5)}}, until(30)},
		"said when the policy only observed":   {[]purge.Change{observed(spared(30))}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.purges()
			w.key("ci", id, 100, !slices.ContainsFunc(tt.history, func(c purge.Change) bool { return c.Verb == purge.Deactivated }))
			w.happened(t, id, tt.history...)
			want := []report.ExemptKey{}
			if tt.want != nil {
				want = append(want, *tt.want)
			}
			k := w.make(t).Keys
			wantSame(t, "exempt", k.Exempt, want)
			if tt.want != nil && len(k.Due) > 0 {
				t.Errorf("exempt, and due: %+v", k.Due)
			}
		})
	}

	w := newWorld()
	keys := w.purges()
	w.self.KeyID = "AKIATEST3"
	keys.Exempt = []auth.KeyExemption{{User: "legacy-*"}}
	w.key("legacy-sync", "AKIATEST2", 300, true)
	w.key("bot", "AKIATEST3", 400, true)
	w.key("ci", "AKIATEST4", 20, true)
	wantSame(t, "exempt by the policy", w.make(t).Keys.Exempt, []report.ExemptKey{
		{ID: "AKIATEST3", User: "bot", Age: 400, By: "the bot's own"},
		{ID: "AKIATEST2", User: "legacy-sync", Age: 300, By: "exempt by the policy (user: legacy-*)"},
	})
}

// TestDue lists the keys that end within 14 days, the soonest first. Those who
// were warned 14 days before are due on the day.
func TestDue(t *testing.T) {
	w := newWorld()
	w.purges()
	off := func(days int) purge.Change {
		return purge.Change{Verb: purge.Deactivated, At: ago(10), Until: made.AddDate(0, 0, days)}
	}
	warned := func(days int) purge.Change {
		return purge.Change{Verb: purge.Warned, At: ago(14), Until: made.AddDate(0, 0, days), Lead: 14 * day}
	}
	at := func(days int) time.Time { return made.AddDate(0, 0, days) }
	w.key("young", "AKIATEST1", 60, true)    // ends in 30 days
	w.key("edge", "AKIATEST2", 76, true)     // ends in 14 days and not a second less
	w.key("soon", "AKIATEST3", 77, true)     // ends in 13
	w.key("late", "AKIATEST4", 200, true)    // nobody was told: it gets 14 days from now
	w.key("now", "AKIATEST5", 91, true)      // was warned in time
	w.key("off", "AKIATEST6", 100, false)    // is deleted in 3 days
	w.key("gone", "AKIATEST7", 300, false)   // is deleted now
	w.key("spared", "AKIATEST8", 100, true)  // until in 30 days
	w.key("idle", "AKIATEST9", 100, false)   // others deactivated it; the bot only now knows
	w.key("fresh", "AKIATEST10", 80, false)  // likewise, not yet due
	w.key("spared", "AKIATEST11", 95, false) // warned, deactivated, and in grace until in 13 days
	w.happened(t, "AKIATEST5", warned(-1))
	w.happened(t, "AKIATEST6", off(3))
	w.happened(t, "AKIATEST7", off(-1))
	w.happened(t, "AKIATEST8", purge.Change{Verb: purge.Exempted, By: rosa, At: ago(3), Until: at(30)})
	w.happened(t, "AKIATEST11", off(13))
	wantSame(t, "due", w.make(t).Keys.Due, []report.DueKey{
		{ID: "AKIATEST7", User: "gone", Age: 300, Do: "delete", At: at(0)},
		{ID: "AKIATEST5", User: "now", Age: 91, Do: "deactivate", At: at(0)},
		{ID: "AKIATEST6", User: "off", Age: 100, Do: "delete", At: at(3)},
		{ID: "AKIATEST11", User: "spared", Age: 95, Do: "delete", At: at(13)},
		{ID: "AKIATEST3", User: "soon", Age: 77, Do: "deactivate", At: at(13)},
	})
}
