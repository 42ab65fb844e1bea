package report_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/auth"
	"sekisho/auth/report"
)

// TestTallyOfAnyTrail counts random trails. Whatever stands in one, in whatever
// order, and however often,
//
//   - every part of what was asked, started and decided adds up to the whole;
//   - the whole is what was put in;
//
// and what was written down twice changes nothing.
func TestTallyOfAnyTrail(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := rapid.SliceOfN(rapid.Custom(anyEntry), 0, 60).Draw(t, "entries")
		for n := range entries {
			entries[n].Policy = fmt.Sprint(n) // each is another one
		}
		got := tallied(t, entries)
		wantSums(t, got)
		wantWhole(t, got.Starts, entries)

		again := slices.Clone(entries)
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 59), 0, 10).Draw(t, "twice") {
			if n < len(entries) {
				again = append(again, entries[n])
			}
		}
		twice := tallied(t, again)
		wantSame(t, "starts with some twice", twice.Starts, got.Starts)
		wantSame(t, "keys with some twice", twice.Keys, got.Keys)

		shuffled := tallied(t, rapid.Permutation(again).Draw(t, "order"))
		wantSums(t, shuffled)
		wantWhole(t, shuffled.Starts, entries)
	})
}

func tallied(t *rapid.T, entries []auth.Entry) report.Report {
	w := newWorld()
	w.trail.entries = entries
	r, err := w.makeOr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func anyEntry(t *rapid.T) auth.Entry {
	hours := rapid.IntRange(-47, 8*24).Draw(t, "hours") // some before the week, some after
	user := rapid.SampledFrom([]string{"", hana, ben, rosa}).Draw(t, "user")
	return auth.Entry{
		Time: after(time.Duration(hours) * time.Hour),
		Act: rapid.SampledFrom([]auth.Act{
			auth.ActStart, auth.ActStart, auth.ActStart, auth.ActPassIssue, auth.ActRequest, auth.ActRequest, auth.ActApprove, auth.ActApprove,
			auth.ActDeny, auth.ActLapse, auth.ActWithdraw, auth.ActBreakGlass, auth.ActStartStop, auth.ActShow, auth.ActKeyWarn, auth.ActKeyOff,
			auth.ActKeyKeep, auth.ActKeyExempt, auth.ActPolicy,
		}).Draw(t, "act"),
		Outcome:   rapid.SampledFrom([]auth.Result{auth.Done, auth.Refused}).Draw(t, "outcome"),
		Submitted: user,
		Decided:   rapid.SampledFrom([]string{ben, rosa}).Draw(t, "decided"),
		Instance:  rapid.SampledFrom([]string{web, db, ""}).Draw(t, "instance"),
		Request:   rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "request"),
		Reason:    rapid.SampledFrom([]string{"", "no_tag", "unknown", auth.SettledNote, auth.BrokenGlass, string(auth.AlreadyAsked)}).Draw(t, "reason"),
		Source:    rapid.SampledFrom([]string{"", auth.SweepSource}).Draw(t, "source"),
		// The same instance at the same time is the same start.
		Note: fmt.Sprint("launched ", hours) + rapid.SampledFrom([]string{"", "; " + auth.ObservedNote}).Draw(t, "mode"),
	}
}

func wantSums(t *rapid.T, r report.Report) {
	t.Helper()
	s := r.Starts
	sum := func(what string, got, want int) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %d, want %d: %+v", what, got, want, s)
		}
	}
	refused, days, people, instances, peopleAsked, denied := 0, 0, 0, 0, 0, 0
	for _, n := range s.Refused {
		refused += n
	}
	for n, d := range s.Days {
		days += d.Admitted + d.Refused
		if want := monday.AddDate(0, 0, n).Format(time.DateOnly); d.Date != want {
			t.Errorf("day %d is %s, want %s", n, d.Date, want)
		}
	}
	for _, p := range s.People {
		people += p.Admitted + p.Refused
		peopleAsked += p.Asked
		denied += p.Denied
	}
	for _, i := range s.Instances {
		instances += i.Admitted + i.Refused
	}
	sum("days listed", len(s.Days), 7)
	sum("admitted and refused", s.Admitted+refused, s.Total)
	sum("RefusedTotal", s.RefusedTotal(), refused)
	sum("of the days", days, s.Total)
	sum("of the people", people, s.Total)
	sum("of the instances", instances, s.Total)
	p, d := s.Passes, s.Decisions
	sum("asked", p.AtOnce+p.Requests+p.Turned, p.Asked)
	sum("asked by people", peopleAsked, p.Asked)
	sum("denied by people", denied, p.Denied)
	if s.Swept > s.Total || s.Observed > refused || d.Under5s > d.Count || d.NoAnswers > p.Lapsed || (d.Median == nil) != (d.Count == 0) {
		t.Errorf("more than there can be: %+v", s)
	}
	if d.Count > 0 && d.Share5s != d.Under5s*100/d.Count {
		t.Errorf("%d%% of %+v", d.Share5s, d)
	}
}

// wantWhole counts what was put in.
func wantWhole(t *rapid.T, s report.Starts, entries []auth.Entry) {
	t.Helper()
	starts := map[string]bool{}
	asked, decided := 0, 0
	for _, e := range entries {
		if e.Time.Before(week.From) || !e.Time.Before(week.To) {
			continue
		}
		done := e.Outcome == auth.Done
		switch {
		case e.Act == auth.ActStart:
			starts[e.Instance+e.Note] = true
		case e.Act == auth.ActRequest && done && e.Reason != auth.BrokenGlass,
			e.Act == auth.ActRequest && !done && e.Reason != string(auth.AlreadyAsked), e.Act == auth.ActPassIssue && done:
			asked++
		case (e.Act == auth.ActApprove || e.Act == auth.ActDeny) && done:
			decided++
		}
	}
	by := 0
	for _, p := range s.People {
		by += p.Approved + p.Denied
	}
	if s.Total != len(starts) || s.Passes.Asked != asked || by != decided {
		t.Errorf("%d starts, %d asked, %d decided; want %d, %d, %d", s.Total, s.Passes.Asked, by, len(starts), asked, decided)
	}
}
