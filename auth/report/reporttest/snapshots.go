// Package reporttest holds the promises of package report's stores as tests
// that every adapter runs, and with Memory an adapter for tests.
package reporttest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"sekisho/auth/report"
)

// T0 is the time at which the tests' clock stands.
var T0 = time.UnixMilli(1_800_000_000_000).UTC()

const (
	day     = 24 * time.Hour
	weekly  = "weekly"
	many    = 100
	forLong = 400 * day
)

// Snapshots runs every promise against stores that open makes, each of them empty.
func Snapshots(t *testing.T, open func(t *testing.T) report.Snapshots) {
	for name, promise := range map[string]func(*testing.T, report.Snapshots){
		"there is no report yet":                  noReport,
		"a report is kept as it was":              keptAsItWas,
		"the first report of a time is kept":      firstKept,
		"the newest from before a time is found":  newestBefore,
		"no more are kept than that":              notMoreThan,
		"every name has reports of its own":       namesApart,
		"of 200 reports at once all get the kept": putAtOnce,
		"what is handed over and out is a copy":   copied,
	} {
		t.Run(name, func(t *testing.T) { promise(t, open(t)) })
	}
}

// put keeps a report and wants to be given that one.
func put(t *testing.T, s report.Snapshots, name string, to time.Time, text string, keep int, want string) {
	t.Helper()
	if got, err := s.PutSnapshot(t.Context(), name, to, []byte(text), keep, forLong); err != nil || string(got) != want {
		t.Errorf("PutSnapshot(%q, %v): %.40q, %v; want %.40q", name, to.Sub(T0), got, err, want)
	}
}

// wantNewest wants the newest report from before the time to be that of to.
func wantNewest(t *testing.T, s report.Snapshots, name string, before time.Time, want string, to time.Time) {
	t.Helper()
	got, end, err := s.Snapshot(t.Context(), name, before)
	if err != nil || string(got) != want || !end.Equal(to) {
		t.Errorf("Snapshot(%q, %v): %.40q of %v, %v; want %.40q of %v", name, before.Sub(T0), got, end, err, want, to)
	}
}

// wantNone wants no report from before the time.
func wantNone(t *testing.T, s report.Snapshots, name string, before time.Time) {
	t.Helper()
	got, to, err := s.Snapshot(t.Context(), name, before)
	if err != nil || got != nil || !to.IsZero() {
		t.Errorf("Snapshot(%q, %v): %.40q of %v, %v; want none", name, before.Sub(T0), got, to, err)
	}
}

func noReport(t *testing.T, s report.Snapshots) {
	wantNone(t, s, weekly, T0)
	wantNone(t, s, weekly, time.Time{})
}

func keptAsItWas(t *testing.T, s report.Snapshots) {
	random := make([]byte, 1<<20) // which cannot be made smaller
	source := rand.NewChaCha8([32]byte{})
	source.Read(random)
	for n, text := range []string{`{"users": ["<ci> & co", "花"]}`, "", "\x00\xff\r\n", string(random)} {
		to := T0.Add(time.Duration(n) * day)
		put(t, s, weekly, to, text, many, text)
		wantNewest(t, s, weekly, to.Add(time.Millisecond), text, to)
	}
	got, _, err := s.Snapshot(t.Context(), weekly, T0.Add(day+time.Millisecond))
	if got == nil || err != nil {
		t.Errorf("a text without a letter is none: %v", err)
	}
}

func firstKept(t *testing.T, s report.Snapshots) {
	put(t, s, weekly, T0, "first", many, "first")
	put(t, s, weekly, T0, "second", many, "first")
	put(t, s, weekly, T0, "first", many, "first")
	wantNewest(t, s, weekly, T0.Add(day), "first", T0)
}

func newestBefore(t *testing.T, s report.Snapshots) {
	for _, n := range []int{2, 0, 3, 1} { // not in their order
		text := fmt.Sprint("day ", n)
		put(t, s, weekly, T0.Add(time.Duration(n)*day), text, many, text)
	}
	wantNone(t, s, weekly, T0)
	wantNewest(t, s, weekly, T0.Add(time.Millisecond), "day 0", T0)
	wantNewest(t, s, weekly, T0.Add(day), "day 0", T0)
	wantNewest(t, s, weekly, T0.Add(2*day), "day 1", T0.Add(day))
	wantNewest(t, s, weekly, T0.Add(3*day-time.Millisecond), "day 2", T0.Add(2*day))
	wantNewest(t, s, weekly, T0.Add(forLong), "day 3", T0.Add(3*day))
}

func notMoreThan(t *testing.T, s report.Snapshots) {
	at := func(n int) time.Time { return T0.Add(time.Duration(n) * day) }
	for _, n := range []int{5, 1, 3} {
		put(t, s, weekly, at(n), fmt.Sprint(n), 3, fmt.Sprint(n))
	}
	wantNewest(t, s, weekly, at(2), "1", at(1))
	put(t, s, weekly, at(4), "4", 3, "4") // in the place of 1, which ended first
	wantNone(t, s, weekly, at(3))
	wantNewest(t, s, weekly, at(4), "3", at(3))
	put(t, s, weekly, at(2), "2", 3, "2") // three are newer
	wantNone(t, s, weekly, at(3))
	put(t, s, weekly, at(6), "6", 1, "6")
	wantNone(t, s, weekly, at(6))
	wantNewest(t, s, weekly, at(7), "6", at(6))
}

// names are such that a careless store takes some of them for one, or breaks.
var names = []string{
	"weekly", "week}ly", "week{ly", "{weekly}", "}", "{", "{}", "", " ", "a b", "a+b", "a%20b", "a%2Bb", "a:b", "a", "b:texts",
	"週", "\xff", "\x00", "v", "*",
}

func namesApart(t *testing.T, s report.Snapshots) {
	for _, name := range names {
		put(t, s, name, T0, "of "+name, 1, "of "+name)
	}
	for _, name := range names {
		wantNewest(t, s, name, T0.Add(day), "of "+name, T0)
	}
}

func putAtOnce(t *testing.T, s report.Snapshots) {
	var mu sync.Mutex
	given := make(map[string]bool)
	together(200, func(n int) {
		got, err := s.PutSnapshot(context.Background(), weekly, T0, fmt.Append(nil, "worker ", n), many, forLong)
		if err != nil {
			t.Errorf("PutSnapshot: %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		given[string(got)] = true
	})
	got, _, err := s.Snapshot(t.Context(), weekly, T0.Add(day))
	if err != nil || len(given) != 1 || !given[string(got)] {
		t.Errorf("%q is kept, %v; the workers were given %v", got, err, given)
	}
}

func copied(t *testing.T, s report.Snapshots) {
	text := []byte("text")
	kept, err := s.PutSnapshot(t.Context(), weekly, T0, text, many, forLong)
	if err != nil {
		t.Fatal(err)
	}
	text[0], kept[1] = 'X', 'X'
	for range 2 {
		got, _, err := s.Snapshot(t.Context(), weekly, T0.Add(day))
		if err != nil || !bytes.Equal(got, []byte("text")) {
			t.Errorf("Snapshot: %q, %v", got, err)
		}
		got[2] = 'X'
	}
}

// together runs f n times at once and waits for all.
func together(n int, f func(n int)) {
	var all sync.WaitGroup
	gate := make(chan struct{})
	for n := range n {
		all.Go(func() { <-gate; f(n) })
	}
	close(gate)
	all.Wait()
}
