package report_test

import (
	"fmt"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
)

// after is so long after the week began.
func after(d time.Duration) time.Time { return monday.Add(d) }

func start(at time.Time, instance, user string, reason auth.Reason) auth.Entry {
	e := auth.Entry{
		Time: at.Add(3 * time.Second), Act: auth.ActStart, Outcome: auth.Refused, Instance: instance, Submitted: user,
		Reason: string(reason), Note: "launched " + at.Format(time.RFC3339),
	}
	if reason == auth.Pass {
		e.Outcome = auth.Done
	}
	return e
}

// stop is what became of a refused start.
func stop(launched time.Time, instance string, outcome auth.Result) auth.Entry {
	e := noted(start(launched, instance, "", auth.NoTag), "; refused (no_tag), left alone")
	e.Act, e.Outcome = auth.ActStartStop, outcome
	return e
}

// wish is one of hana's that came to nothing.
func wish(why auth.Reason) auth.Entry {
	return refused(auth.Entry{Time: after(time.Hour), Act: auth.ActRequest, Submitted: hana, Instance: web}, why)
}

// about is what happens to hana's request.
func about(at time.Time, act auth.Act, request, by string) auth.Entry {
	return auth.Entry{
		Time: at, Act: act, Outcome: auth.Done, Submitted: hana, Decided: by, Instance: web, Request: request, Note: "why",
		Source: request + by,
	}
}

func asked(at time.Time, request string) auth.Entry { return about(at, auth.ActRequest, request, "") }

// settles is an approval behind which no other is needed.
func settles(e auth.Entry) auth.Entry {
	e.Reason = auth.SettledNote
	return e
}

// alone is without anybody's approval.
func alone(e auth.Entry) auth.Entry {
	e.Reason = auth.BrokenGlass
	return e
}

// noted has more in its note.
func noted(e auth.Entry, more string) auth.Entry {
	e.Note += more
	return e
}

func refused(e auth.Entry, why auth.Reason) auth.Entry {
	e.Outcome, e.Reason = auth.Refused, string(why)
	return e
}

func onKey(at time.Time, act auth.Act, note string) auth.Entry {
	return auth.Entry{Time: at, Act: act, Outcome: auth.Done, Key: "AKIATEST", IAMUser: "ci", Decided: rosa, Note: note}
}

// TestTally holds a report against one of an account in which nothing happens.
func TestTally(t *testing.T) {
	const hour = time.Hour
	var (
		approve, deny = auth.ActApprove, auth.ActDeny
		word          = func(h time.Duration, note string) report.KeyWord {
			return report.KeyWord{At: after(h), ID: "AKIATEST", User: "ci", By: rosa, Note: note}
		}
		seconds = func(n int) *int { return &n }
	)
	tests := []struct {
		name    string
		entries []auth.Entry
		want    func(r *report.Report)
	}{
		{"nothing", nil, func(*report.Report) {}},
		{"what is not counted", uncounted(), func(*report.Report) {}},

		{"starts", []auth.Entry{
			start(after(hour), web, hana, auth.Pass),
			start(after(2*hour), web, "", auth.NoTag),
			start(after(25*hour), web, "", auth.NoTag),
			start(after(26*hour), db, hana, auth.Expired),
			start(after(27*hour), db, hana, auth.Pass),
			start(after(28*hour), db, hana, auth.Pass),
		}, func(r *report.Report) {
			s := &r.Starts
			s.Total, s.Admitted, s.Refused = 6, 3, map[string]int{"no_tag": 2, "expired": 1}
			s.Days[0], s.Days[1] = report.Day{Date: "2027-01-04", Admitted: 1, Refused: 1}, report.Day{Date: "2027-01-05", Admitted: 2, Refused: 2}
			s.People = []report.Person{{User: hana, Admitted: 3, Refused: 1}, {Refused: 2}}
			s.Instances = []report.Instance{{ID: web, Admitted: 1, Refused: 2}, {ID: db, Admitted: 2, Refused: 1}}
		}},
		{"a start that the sweep found", []auth.Entry{swept(start(after(hour), web, "", auth.NoTag)), start(after(hour), db, "", auth.NoTag)},
			func(r *report.Report) {
				s := &r.Starts
				s.Total, s.Refused, s.Swept = 2, map[string]int{"no_tag": 2}, 1
				s.Days[0].Refused = 2
				s.People = []report.Person{{Refused: 2}}
				s.Instances = []report.Instance{{ID: web, Refused: 1}, {ID: db, Refused: 1}}
			}},
		{"starts of which some were only observed", []auth.Entry{
			noted(start(after(hour), web, "", auth.NoTag), "; observe mode"),
			late(noted(start(after(hour), web, "", auth.NoTag), "; observe mode"), hour), // written down twice
			noted(start(after(2*hour), web, "", auth.NoTag), "; observe mode ended"),
			noted(start(after(3*hour), web, hana, auth.Pass), "; observe mode"),
		}, func(r *report.Report) {
			s := &r.Starts
			s.Total, s.Admitted, s.Refused, s.Observed = 3, 1, map[string]int{"no_tag": 2}, 1
			s.Days[0] = report.Day{Date: "2027-01-04", Admitted: 1, Refused: 2}
			s.People = []report.Person{{Refused: 2}, {User: hana, Admitted: 1}}
			s.Instances = []report.Instance{{ID: web, Admitted: 1, Refused: 2}}
		}},
		{"starts that could not be stopped", []auth.Entry{
			stop(after(hour), web, auth.Refused), stop(after(hour), db, auth.Done),
			late(stop(after(hour), web, auth.Refused), hour), // written down twice
			stop(after(2*hour), web, auth.Refused),           // another launch
			refused(stop(after(3*hour), web, auth.Refused), auth.MismatchReason),
		}, func(r *report.Report) { r.Starts.Unstopped = 2 }},
		{"a start that was written down twice", []auth.Entry{
			start(after(hour), web, "", auth.NoTag),
			late(start(after(hour), web, "", auth.NoTag), 2*day),
			start(after(hour+time.Second), web, "", auth.NoTag), // another launch
		}, func(r *report.Report) {
			s := &r.Starts
			s.Total, s.Refused = 2, map[string]int{"no_tag": 2}
			s.Days[0].Refused = 2
			s.People = []report.Person{{Refused: 2}}
			s.Instances = []report.Instance{{ID: web, Refused: 2}}
		}},
		{"a start of the week before, written down again in this one", []auth.Entry{
			start(after(-hour), web, "", auth.NoTag), late(start(after(-hour), web, "", auth.NoTag), 2*hour),
		}, func(*report.Report) {}},

		{"the borders of the week", []auth.Entry{
			borderline(week.From.Add(-time.Microsecond), hana), borderline(week.From, ben),
			borderline(week.To.Add(-time.Microsecond), ben), borderline(week.To, hana),
		}, func(r *report.Report) {
			r.Starts.Passes = report.Passes{Asked: 2, AtOnce: 2}
			r.Starts.People = []report.Person{{User: ben, Asked: 2}}
		}},

		{"wishes of which the policy said nothing", []auth.Entry{
			wish(auth.AlreadyAsked), wish(auth.TooManyPerson), wish(auth.TooManyInstance), wish(auth.Replayed),
			wish(auth.AlreadyUp), wish(auth.Gone), wish(auth.NotGuarded),
		}, func(*report.Report) {}},
		{"wishes to which the policy said no", []auth.Entry{
			wish(auth.NotAllowed), wish(auth.NoRule), wish(auth.NeedsReason), wish(auth.NoApprovers), wish(auth.NoBreakGlass),
		}, func(r *report.Report) {
			r.Starts.Passes = report.Passes{Asked: 5, Turned: 5}
			r.Starts.People = []report.Person{{User: hana, Asked: 5}}
		}},
		{"a pass at once, two wishes turned down, and a start now", []auth.Entry{
			{Time: after(hour), Act: auth.ActPassIssue, Outcome: auth.Done, Submitted: hana, Instance: web},
			refused(auth.Entry{Time: after(hour), Act: auth.ActRequest, Submitted: hana, Instance: web}, auth.NotAllowed),
			refused(auth.Entry{Time: after(hour), Act: auth.ActRequest, Submitted: ben, Instance: web}, auth.NeedsReason),
			{Time: after(hour), Act: auth.ActPassStart, Outcome: auth.Done, Submitted: hana, Instance: web},
		}, func(r *report.Report) {
			r.Starts.Passes = report.Passes{Asked: 3, AtOnce: 1, Turned: 2}
			r.Starts.People = []report.Person{{User: hana, Asked: 2}, {User: ben, Asked: 1}}
		}},
		{"requests, each with another end", []auth.Entry{
			asked(after(hour), "a"), settles(about(after(hour+40*time.Second), approve, "a", ben)),
			asked(after(hour), "b"), about(after(hour+60*time.Second), deny, "b", rosa),
			asked(after(hour), "c"), about(after(9*hour), auth.ActLapse, "c", ""),
			asked(after(hour), "d"), about(after(2*hour), auth.ActWithdraw, "d", hana),
			refused(about(after(2*hour), auth.ActWithdraw, "d", hana), auth.TooLate),
		}, func(r *report.Report) {
			s := &r.Starts
			s.Passes = report.Passes{Asked: 4, Requests: 4, Approved: 1, Denied: 1, Lapsed: 1, Withdrawn: 1}
			s.Decisions = report.Decisions{Count: 2, Median: seconds(50), NoAnswers: 1}
			s.People = []report.Person{{User: hana, Asked: 4}, {User: ben, Approved: 1}, {User: rosa, Denied: 1}}
		}},
		{"a request of before the week, decided within", []auth.Entry{
			asked(after(-hour), "a"), settles(about(after(hour), approve, "a", ben)),
		}, func(r *report.Report) {
			r.Starts.Passes.Approved = 1
			r.Starts.Decisions = report.Decisions{Count: 1, Median: seconds(7200)}
			r.Starts.People = []report.Person{{User: ben, Approved: 1}}
		}},
		{"a decision about a request that is not known any more", []auth.Entry{about(after(hour), deny, "a", ben)}, func(r *report.Report) {
			r.Starts.Passes.Denied = 1
			r.Starts.People = []report.Person{{User: ben, Denied: 1}}
		}},
		{"two must agree, and the pass is not fetched", []auth.Entry{
			asked(after(hour), "a"), about(after(hour+10*time.Second), approve, "a", ben),
			settles(about(after(hour+20*time.Second), approve, "a", rosa)),
			about(after(9*hour), auth.ActLapse, "a", ""),
		}, func(r *report.Report) {
			s := &r.Starts
			s.Passes = report.Passes{Asked: 1, Requests: 1, Approved: 1, Lapsed: 1}
			s.Decisions = report.Decisions{Count: 2, Median: seconds(15)}
			s.People = []report.Person{{User: ben, Approved: 1}, {User: hana, Asked: 1}, {User: rosa, Approved: 1}}
		}},
		{"an answer before the week, and lapsed within", []auth.Entry{
			asked(after(-2*hour), "a"), about(after(-hour), approve, "a", ben), about(after(hour), auth.ActLapse, "a", ""),
		}, func(r *report.Report) { r.Starts.Passes.Lapsed = 1 }},
		{"a refused click is no answer", []auth.Entry{
			asked(after(hour), "a"), refused(about(after(2*hour), approve, "a", ben), auth.NotApprover),
			refused(about(after(2*hour), deny, "a", hana), auth.OwnRequest), about(after(9*hour), auth.ActLapse, "a", ""),
		}, func(r *report.Report) {
			r.Starts.Passes = report.Passes{Asked: 1, Requests: 1, Lapsed: 1}
			r.Starts.Decisions = report.Decisions{RefusedClicks: 2, NoAnswers: 1}
			r.Starts.People = []report.Person{{User: hana, Asked: 1}}
		}},
		{"the glass is broken", []auth.Entry{
			alone(asked(after(hour), "a")), about(after(2*hour), auth.ActBreakGlass, "a", hana),
			alone(asked(after(3*hour), "b")), refused(about(after(4*hour), auth.ActBreakGlass, "b", hana), auth.TooLate),
			alone(about(after(5*hour), auth.ActLapse, "b", "")), // it was not confirmed
			asked(after(3*hour), "c"), about(after(9*hour), auth.ActLapse, "c", ""),
		}, func(r *report.Report) {
			r.Starts.BreakGlass = []report.BreakGlass{{At: after(2 * hour), User: hana, Instance: web, Why: "why"}}
			r.Starts.Passes = report.Passes{Asked: 1, Requests: 1, Lapsed: 1}
			r.Starts.Decisions.NoAnswers = 1
			r.Starts.People = []report.Person{{User: hana, Asked: 1}}
		}},
		{"everything is written down twice", twice(
			asked(after(hour), "a"), settles(about(after(hour+6*time.Second), approve, "a", ben)),
			alone(asked(after(hour), "b")), about(after(2*hour), auth.ActBreakGlass, "b", hana),
			auth.Entry{Time: after(hour), Act: auth.ActPassIssue, Outcome: auth.Done, Submitted: hana, Source: "1"},
			onKey(after(hour), auth.ActKeyWarn, ""), onKey(after(2*hour), auth.ActKeyKeep, "why; until 2027-01-20T00:00:00Z"),
			auth.Entry{Time: after(hour), Act: auth.ActPolicy, Outcome: auth.Done, Note: "before: 00ff", Policy: "0123"},
		), func(r *report.Report) {
			s := &r.Starts
			s.BreakGlass = []report.BreakGlass{{At: after(2 * hour), User: hana, Instance: web, Why: "why"}}
			s.Passes = report.Passes{Asked: 2, AtOnce: 1, Requests: 1, Approved: 1}
			s.Decisions = report.Decisions{Count: 1, Median: seconds(6)}
			s.People = []report.Person{{User: hana, Asked: 2}, {User: ben, Approved: 1}}
			r.Keys.Warned, r.Keys.Kept = 1, []report.KeyWord{word(2*hour, "why; until 2027-01-20T00:00:00Z")}
			r.Policy.Changes = []report.PolicyChange{{At: after(hour), From: "00ff", To: "0123"}}
		}},

		{"decisions in less than 5 seconds", decided(0, 4999*time.Millisecond, 5*time.Second), func(r *report.Report) {
			quick(r, 3, 5, 2, 66)
		}},
		{"the median of an even number", decided(9*time.Second, time.Second, 4*time.Second, 20*time.Second), func(r *report.Report) {
			quick(r, 4, 7, 2, 50) // 6.5, rounded
		}},

		{"what becomes of keys", []auth.Entry{
			onKey(after(hour), auth.ActKeyWarn, ""), onKey(after(hour+1), auth.ActKeyWarn, ""),
			onKey(after(hour), auth.ActKeyOff, ""), onKey(after(hour), auth.ActKeyOn, ""), onKey(after(hour), auth.ActKeyDelete, ""),
			onKey(after(2*hour), auth.ActKeyKeep, "a note; until 2027-01-20T00:00:00Z"),
			onKey(after(3*hour), auth.ActKeyExempt, "when observe mode ends; until 2027-02-01T00:00:00Z"),
		}, func(r *report.Report) {
			k := &r.Keys
			k.Warned, k.Deactivated, k.Reactivated, k.Deleted = 2, 1, 1, 1
			k.Kept = []report.KeyWord{word(2*hour, "a note; until 2027-01-20T00:00:00Z")}
			k.Exempted = []report.KeyWord{word(3*hour, "when observe mode ends; until 2027-02-01T00:00:00Z")}
		}},
		{"what was only observed of keys", []auth.Entry{
			onKey(after(hour), auth.ActKeyWarn, "until 2027-01-20T00:00:00Z; observe mode"), onKey(after(hour), auth.ActKeyWarn, "observe mode"),
			onKey(after(hour), auth.ActKeyObserve, "observe mode"),
			refused(onKey(after(hour), auth.ActKeyKeep, ""), auth.NoDecider),
		}, func(*report.Report) {}},

		{"the policy is the first one, and changes", []auth.Entry{
			{Time: after(hour), Act: auth.ActPolicy, Outcome: auth.Done, Note: "before: ", Policy: "00ff"},
			{Time: after(2 * hour), Act: auth.ActPolicy, Outcome: auth.Done, Note: "before: 00ff", Policy: "0123"},
		}, func(r *report.Report) {
			r.Policy.Changes = []report.PolicyChange{{At: after(2 * hour), From: "00ff", To: "0123"}}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := newWorld().make(t)
			tt.want(&want)
			w := newWorld()
			w.trail.entries = tt.entries
			got := w.make(t)
			want.Provenance.Trail = got.Provenance.Trail
			want.Changes = report.Diff(nil, want)
			wantSame(t, "the report", got, want)
		})
	}
}

func swept(e auth.Entry) auth.Entry {
	e.Source = auth.SweepSource
	return e
}

func late(e auth.Entry, d time.Duration) auth.Entry {
	e.Time = e.Time.Add(d)
	return e
}

func borderline(at time.Time, user string) auth.Entry {
	return auth.Entry{Time: at, Act: auth.ActPassIssue, Outcome: auth.Done, Submitted: user}
}

func twice(all ...auth.Entry) []auth.Entry { return append(all, all...) }

func uncounted() []auth.Entry {
	var all []auth.Entry
	for _, act := range []auth.Act{
		auth.ActPassRevoke, auth.ActPassStart, auth.ActShow, auth.ActStartCaller, auth.ActTrim, auth.ActDoor,
		auth.ActKeyOrder, auth.ActKeyObserve, auth.ActKeyNotice, auth.ActKeyCap, auth.ActReport, auth.ActReportAsk, "of.tomorrow",
	} {
		for _, outcome := range []auth.Result{auth.Done, auth.Refused} {
			all = append(all, auth.Entry{Time: after(time.Hour), Act: act, Outcome: outcome, Submitted: hana, Decided: ben, Instance: web, Key: "AKIATEST"})
		}
	}
	return all
}

// decided is as many requests as waits, each denied after its wait.
func decided(waits ...time.Duration) []auth.Entry {
	var all []auth.Entry
	for n, wait := range waits {
		all = append(all, asked(after(time.Hour), fmt.Sprint(n)), about(after(time.Hour+wait), auth.ActDeny, fmt.Sprint(n), ben))
	}
	return all
}

// quick is what comes of decided.
func quick(r *report.Report, n, median, under5s, percent int) {
	s := &r.Starts
	s.Passes = report.Passes{Asked: n, Requests: n, Denied: n}
	s.Decisions = report.Decisions{Count: n, Median: &median, Under5s: under5s, Share5s: percent}
	s.People = []report.Person{{User: ben, Denied: n}, {User: hana, Asked: n}}
}

// TestDaysOfThePeriod also where it begins or ends within a day, or in another
// zone.
func TestDaysOfThePeriod(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*3600)
	for _, tt := range []struct {
		from, to    time.Time
		first, last string
		n           int
	}{
		{week.From, week.To, "2027-01-04", "2027-01-10", 7},
		{week.From, week.To.Add(time.Nanosecond), "2027-01-04", "2027-01-11", 8},
		{after(20 * time.Hour), after(7*day + 6*time.Hour), "2027-01-04", "2027-01-11", 8},
		{after(6 * time.Hour), after(20 * time.Hour), "2027-01-04", "2027-01-04", 1},
		{time.Date(2027, time.January, 5, 0, 0, 0, 0, tokyo), time.Date(2027, time.January, 6, 0, 0, 0, 0, tokyo), "2027-01-04", "2027-01-05", 2},
	} {
		w := newWorld()
		w.order.Period = report.Period{From: tt.from, To: tt.to}
		days := w.make(t).Starts.Days
		if len(days) != tt.n || days[0].Date != tt.first || days[len(days)-1].Date != tt.last {
			t.Errorf("from %v to %v: %+v; want %d from %s to %s", tt.from, tt.to, days, tt.n, tt.first, tt.last)
		}
	}
}

// TestDayOfAStart is that of UTC, whatever zone its entry is in.
func TestDayOfAStart(t *testing.T) {
	w := newWorld()
	e := start(time.Date(2027, time.January, 6, 1, 0, 0, 0, time.FixedZone("JST", 9*3600)), web, "", auth.NoTag)
	w.trail.entries = []auth.Entry{e}
	if days := w.make(t).Starts.Days; len(days) != 7 || days[1].Refused != 1 {
		t.Errorf("%+v; want a refused start on 2027-01-05", days)
	}
}

// TestTrailRead tells which entries a report rests on; they are read from two
// days before the period.
func TestTrailRead(t *testing.T) {
	w := newWorld()
	w.trail.entries = []auth.Entry{
		asked(after(-49*time.Hour), "too old"), asked(after(-48*time.Hour), "a"), asked(after(time.Hour), "b"), asked(after(8*day), "c"),
	}
	want := report.TrailRead{Entries: 3, First: 2, Last: 4, Whole: true}
	if got := w.make(t).Provenance.Trail; got != want || !w.trail.from.Equal(after(-48*time.Hour)) {
		t.Errorf("%+v, read from %v; want %+v", got, w.trail.from, want)
	}
}
