package reporttest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sekisho/auth/report"
)

// One delivery, one of its parts, and two who may send it.
const (
	sent  = "weekly/2027-01-15"
	mail  = "mail"
	one   = "worker one"
	other = "worker two"
)

// Deliveries runs every promise against stores that open makes, each of them empty.
func Deliveries(t *testing.T, open func(t *testing.T) report.Deliveries) {
	for name, promise := range map[string]func(*testing.T, report.Deliveries){
		"of 1,000 who begin at once one may":          beginAtOnce,
		"a worker that asks again finds it its own":   beginAgain,
		"a part is sent once":                         finished,
		"what was given back may be begun again":      released,
		"of 200 who want what was given back one may": releasedAtOnce,
		"what was sent is not given back":             releasedLate,
		"every part is claimed by itself":             partsApart,
		"what was sent unclaimed is not sent again":   finishedUnbegun,
	} {
		t.Run(name, func(t *testing.T) { promise(t, open(t)) })
	}
}

func begin(t *testing.T, d report.Deliveries, worker string, after time.Duration, want report.Progress) {
	t.Helper()
	beginPart(t, d, sent, mail, worker, after, want)
}

func beginPart(
	t *testing.T, d report.Deliveries, delivery, part, worker string, after time.Duration, want report.Progress,
) {
	t.Helper()
	got, err := d.Begin(t.Context(), delivery, part, worker, T0.Add(after))
	same := got.Mine == want.Mine && got.At.Equal(want.At) && got.Done == want.Done && got.Ref == want.Ref
	if err != nil || !same {
		t.Errorf("Begin(%q, %q, %s) %v after T0: %+v, %v; want %+v", delivery, part, worker, after, got, err, want)
	}
}

func finish(t *testing.T, d report.Deliveries, ref string) {
	t.Helper()
	if err := d.Finish(t.Context(), sent, mail, ref); err != nil {
		t.Errorf("Finish: %v", err)
	}
}

func release(t *testing.T, d report.Deliveries, worker string) {
	t.Helper()
	if err := d.Release(t.Context(), sent, mail, worker); err != nil {
		t.Errorf("Release: %v", err)
	}
}

// oneOf has n workers begin at once and wants one of them to win.
func oneOf(t *testing.T, d report.Deliveries, n int) {
	t.Helper()
	var wins atomic.Int32
	var mu sync.Mutex
	begun := make(map[time.Time]bool)
	together(n, func(n int) {
		p, err := d.Begin(context.Background(), sent, mail, fmt.Sprint("worker ", n), T0.Add(time.Duration(n)*time.Second))
		if err != nil || p.Done || p.Ref != "" {
			t.Errorf("Begin: %+v, %v", p, err)
		}
		if p.Mine {
			wins.Add(1)
		}
		mu.Lock()
		defer mu.Unlock()
		begun[p.At.UTC()] = true
	})
	if n := wins.Load(); n != 1 || len(begun) != 1 {
		t.Errorf("%d may send it, begun at %v", n, begun)
	}
}

func beginAtOnce(t *testing.T, d report.Deliveries) { oneOf(t, d, 1000) }

func beginAgain(t *testing.T, d report.Deliveries) {
	begin(t, d, one, 0, report.Progress{Mine: true, At: T0})
	begin(t, d, one, time.Minute, report.Progress{Mine: true, At: T0})
	begin(t, d, other, time.Minute, report.Progress{At: T0})
	begin(t, d, one, 30*day, report.Progress{Mine: true, At: T0}) // the other did not take it over
}

func finished(t *testing.T, d report.Deliveries) {
	begin(t, d, one, 0, report.Progress{Mine: true, At: T0})
	for _, ref := range []string{"1.1", "1.1", "1.2"} { // again, and by one that was slow
		finish(t, d, ref)
		for _, worker := range []string{one, other} {
			begin(t, d, worker, time.Hour, report.Progress{At: T0, Done: true, Ref: "1.1"})
		}
	}
	nameless := func() report.Progress {
		p, err := d.Begin(t.Context(), sent, "slack", one, T0)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	nameless()
	if err := d.Finish(t.Context(), sent, "slack", ""); err != nil {
		t.Fatal(err)
	}
	if p := nameless(); !p.Done || p.Mine {
		t.Errorf("sent, and known by nothing: %+v", p)
	}
}

func released(t *testing.T, d report.Deliveries) {
	for n, worker := range []string{one, other, other} {
		after := time.Duration(n) * time.Minute
		begin(t, d, worker, after, report.Progress{Mine: true, At: T0.Add(after)})
		release(t, d, "a third") // whose it is not
		begin(t, d, "a third", after, report.Progress{At: T0.Add(after)})
		release(t, d, worker)
		release(t, d, worker) // of nothing
	}
	begin(t, d, one, time.Hour, report.Progress{Mine: true, At: T0.Add(time.Hour)})
	finish(t, d, "1.1")
	begin(t, d, other, 2*time.Hour, report.Progress{At: T0.Add(time.Hour), Done: true, Ref: "1.1"})
}

func releasedAtOnce(t *testing.T, d report.Deliveries) {
	begin(t, d, "before", 0, report.Progress{Mine: true, At: T0})
	release(t, d, "before")
	oneOf(t, d, 200)
}

func releasedLate(t *testing.T, d report.Deliveries) {
	begin(t, d, one, 0, report.Progress{Mine: true, At: T0})
	finish(t, d, "1.1")
	release(t, d, one)
	for _, worker := range []string{one, other} {
		begin(t, d, worker, time.Hour, report.Progress{At: T0, Done: true, Ref: "1.1"})
	}
}

func partsApart(t *testing.T, d report.Deliveries) {
	mine := report.Progress{Mine: true, At: T0}
	for _, name := range names {
		beginPart(t, d, name, mail, one, 0, mine)
		beginPart(t, d, sent, name, one, 0, mine)
	}
	beginPart(t, d, sent, mail, one, 0, mine)
	finish(t, d, "1.1")
	for _, name := range names {
		beginPart(t, d, name, mail, other, day, report.Progress{At: T0})
		beginPart(t, d, sent, name, other, day, report.Progress{At: T0})
	}
	release(t, d, one)
	if err := d.Release(t.Context(), sent, "a", one); err != nil {
		t.Fatal(err)
	}
	beginPart(t, d, sent, "a", other, day, report.Progress{Mine: true, At: T0.Add(day)})
	beginPart(t, d, sent, "a b", other, day, report.Progress{At: T0})
	beginPart(t, d, "a", mail, other, day, report.Progress{At: T0})
}

// Finish may find that the store has forgotten who began.
func finishedUnbegun(t *testing.T, d report.Deliveries) {
	finish(t, d, "1.1")
	begin(t, d, one, 0, report.Progress{Done: true, Ref: "1.1"})
}
