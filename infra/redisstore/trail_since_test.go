package redisstore_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/infra/redisstore"
)

// written appends entries of these times, and gives them as they are stored.
func written(t *testing.T, trail *redisstore.Trail, times ...time.Time) []auth.Entry {
	t.Helper()
	var entries []auth.Entry
	for _, at := range times {
		e := something()
		e.Time = at
		entries = append(entries, e)
	}
	entries, err := trail.Append(t.Context(), entries...)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

// minutes gives n times, a minute apart from T0.
func minutes(n int) []time.Time {
	times := make([]time.Time, n)
	for n := range times {
		times[n] = minute(n)
	}
	return times
}

func minute(n int) time.Time { return authtest.T0.Add(time.Duration(n) * time.Minute) }

func readSince(t *testing.T, trail *redisstore.Trail, from time.Time) (got []auth.Entry, err error) {
	t.Helper()
	err = trail.Since(t.Context(), from, func(e auth.Entry) error { got = append(got, e); return nil })
	return got, err
}

// from are those of the entries that are not older.
func from(entries []auth.Entry, at time.Time) []auth.Entry {
	return slices.DeleteFunc(slices.Clone(entries), func(e auth.Entry) bool { return e.Time.Before(at) })
}

func wantSince(t *testing.T, trail *redisstore.Trail, entries []auth.Entry, at time.Time) {
	t.Helper()
	want := from(entries, at)
	if got, err := readSince(t, trail, at); err != nil || !slices.Equal(got, want) {
		t.Errorf("since %v: %d entries, %v; want %d", at, len(got), err, len(want))
	}
}

// since holds Since against all that was appended, many entries at the same
// time among them.
func since(t *testing.T, client redis.UniversalClient) {
	trail := redisstore.New(client).Trail(testPepper(t))
	wantSince(t, trail, nil, authtest.T0)
	random := rand.New(rand.NewPCG(1, 2))
	at := authtest.T0
	var entries []auth.Entry
	for range 30 {
		times := make([]time.Time, 1+random.IntN(60))
		for n := range times {
			if random.IntN(3) == 0 {
				at = at.Add(time.Duration(random.IntN(3)) * time.Millisecond)
			}
			times[n] = at
		}
		entries = append(entries, written(t, trail, times...)...)
	}
	if len(entries) < 600 {
		t.Fatalf("%d entries are not more than a page", len(entries))
	}
	everywhere := func() {
		for at := authtest.T0.Add(-time.Millisecond); !at.After(entries[len(entries)-1].Time.Add(time.Millisecond)); {
			wantSince(t, trail, entries, at)
			at = at.Add(time.Duration(1+random.IntN(40)) * 500 * time.Microsecond)
		}
	}
	everywhere()
	now := entries[len(entries)-1].Time
	upTo, err := trail.Trim(t.Context(), entries[300].Time, now)
	if err != nil || upTo == 0 {
		t.Fatalf("trimmed up to %d, %v", upTo, err)
	}
	entries = entries[upTo:]
	last := entries[len(entries)-1].Seq
	err = trail.Entries(t.Context(), last+1, func(e auth.Entry) error { entries = append(entries, e); return nil })
	if err != nil {
		t.Fatal(err)
	}
	everywhere()
	wantSince(t, trail, entries, time.Time{})
}

// TestSinceFindsWhatWasWrittenLate has entries wait for up to a day before they
// are written; whoever asks from a day earlier on misses none.
func TestSinceFindsWhatWasWrittenLate(t *testing.T) {
	s, _ := onMiniredis(t)
	trail := s.Trail(testPepper(t))
	random := rand.New(rand.NewPCG(3, 4))
	times := make([]time.Time, 1000)
	for n := range times {
		times[n] = authtest.T0.Add(time.Duration(n) * time.Hour).Add(-time.Duration(random.Int64N(int64(day))))
	}
	entries := written(t, trail, times...)
	for n := range 50 {
		at := authtest.T0.Add(time.Duration(n*20) * time.Hour)
		got, err := readSince(t, trail, at.Add(-day))
		if got, want := from(got, at), from(entries, at); err != nil || !slices.Equal(got, want) {
			t.Errorf("since %v: %d entries, %v; want %d", at, len(got), err, len(want))
		}
	}
}

func TestSinceLooksAtFewEntries(t *testing.T) {
	client := connect(t, "redis://"+miniredis.RunT(t).Addr())
	trail := redisstore.New(client).Trail(testPepper(t))
	const n = 5000
	entries := written(t, trail, minutes(n)...)
	var sent pipelines
	client.AddHook(&sent)
	for _, last := range []int{0, 1, 499, 1200} {
		sent.single = 0
		wantSince(t, trail, entries, minute(n-last))
		// The newest, the oldest, 13 halvings of 5,000, the head; the rest are pages.
		if most := 16 + (last+1)/500 + 1; sent.single > most {
			t.Errorf("%d commands for %d entries; want %d at most", sent.single, last, most)
		}
	}
}

func TestSinceStopsWhereItIsTold(t *testing.T) {
	s, m := onMiniredis(t)
	trail := s.Trail(testPepper(t))
	written(t, trail, minutes(20)...)
	enough := errors.New("enough")
	count := 0
	err := trail.Since(t.Context(), minute(5), func(auth.Entry) error {
		if count++; count == 3 {
			return enough
		}
		return nil
	})
	if count != 3 || err != enough {
		t.Errorf("%d entries, %v", count, err)
	}
	m.SetError("ERR the test took the store away")
	if got, err := readSince(t, trail, minute(5)); got != nil || !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("away: %d entries, %v", len(got), err)
	}
}

func TestSinceWhileOthersAppend(t *testing.T) {
	url := "redis://" + miniredis.RunT(t).Addr()
	client, pepper := connect(t, url), testPepper(t)
	others := redisstore.New(connect(t, url)).Trail(pepper)
	entries := written(t, others, minutes(20)...)
	client.AddHook(interrupted{"", func() { // between any two answers
		entries = append(entries, written(t, others, minute(len(entries)), minute(len(entries)+1))...)
	}})
	trail := redisstore.New(client).Trail(pepper)
	for _, n := range []int{0, 10} {
		before := len(entries)
		got, err := readSince(t, trail, minute(n))
		if err != nil || len(got) < before-n || !slices.Equal(got, entries[n:n+len(got)]) {
			t.Errorf("from minute %d: %d entries, %v; want %d and more", n, len(got), err, before-n)
		}
	}
}

// put makes these the log, but for those without a text.
func put(t *testing.T, client redis.UniversalClient, log []redis.XMessage) {
	t.Helper()
	if err := client.Del(t.Context(), logKey).Err(); err != nil {
		t.Fatal(err)
	}
	for _, m := range log {
		if m.Values["e"] == "" {
			continue
		}
		if err := client.XAdd(t.Context(), &redis.XAddArgs{Stream: logKey, ID: m.ID, Values: m.Values}).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// harmed gives the log with another text for entry k.
func harmed(log []redis.XMessage, k int, text string) []redis.XMessage {
	log = slices.Clone(log)
	log[k-1].Values = map[string]any{"e": text}
	return log
}

// TestSinceFindsTampering harms each of 20 entries. Read is from the tenth on,
// where the ninth may have been as young if it is not good.
func TestSinceFindsTampering(t *testing.T) {
	const n, first = 20, 10
	instead := func(what, by string) func(string) string {
		return func(text string) string { return strings.Replace(text, what, by, 1) }
	}
	client := connect(t, "redis://"+miniredis.RunT(t).Addr())
	trail := redisstore.New(client).Trail(testPepper(t))
	entries := written(t, trail, minutes(n)...)
	whole, err := client.XRange(t.Context(), logKey, "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	text := func(k int) string { return whole[k-1].Values["e"].(string) }
	for name, harm := range map[string]func(string) string{
		"dropped":              func(string) string { return "" },
		"no entry":             instead("{", ""),
		"edited":               instead("done", "refused"),
		"made old":             instead(`"time":"2027`, `"time":"1999`),
		"made young":           instead(`"time":"2027`, `"time":"2099`),
		"replaced by an older": func(string) string { return text(2) },
		"replaced by a newer":  func(string) string { return text(19) },
	} {
		for k := 1; k <= n; k++ {
			if harm(text(k)) == text(k) {
				continue
			}
			put(t, client, harmed(whole, k, harm(text(k))))
			want, bad := entries[first-1:], k >= first-1
			if bad {
				want = entries[first-1 : max(k, first)-1]
			}
			got, err := readSince(t, trail, minute(first-1))
			if errors.Is(err, auth.ErrTampered) != bad || err != nil && !bad || !slices.Equal(got, want) {
				t.Errorf("entry %d %s: %d entries, %v; want %d", k, name, len(got), err, len(want))
			}
		}
	}

	put(t, client, whole[3:])
	if got, err := readSince(t, trail, minute(1)); !errors.Is(err, auth.ErrTampered) || len(got) != n-3 {
		t.Errorf("the first three dropped: %d entries, %v", len(got), err)
	}
	put(t, client, nil)
	if got, err := readSince(t, trail, minute(1)); !errors.Is(err, auth.ErrTampered) || got != nil {
		t.Errorf("all dropped: %d entries, %v", len(got), err)
	}
}

// TestSinceLooksPastWhatIsNotGood has more of that than one page holds.
func TestSinceLooksPastWhatIsNotGood(t *testing.T) {
	client := connect(t, "redis://"+miniredis.RunT(t).Addr())
	trail := redisstore.New(client).Trail(testPepper(t))
	const n = 2000
	entries := written(t, trail, minutes(n)...)
	log, err := client.XRange(t.Context(), logKey, "-", "+").Result()
	if err != nil {
		t.Fatal(err)
	}
	for k := 200; k < 1500; k++ {
		log = harmed(log, k, "{")
	}
	put(t, client, log)
	var sent pipelines
	client.AddHook(&sent)
	wantSince(t, trail, entries, minute(1600))
	if sent.single > 30 { // 13 halvings and 1,300 entries, by pages
		t.Errorf("%d commands", sent.single)
	}
	wantTampered := func(n int, want []auth.Entry) {
		t.Helper()
		got, err := readSince(t, trail, minute(n))
		if !errors.Is(err, auth.ErrTampered) || !slices.Equal(got, want) {
			t.Errorf("from minute %d: %d entries, %v; want %d", n, len(got), err, len(want))
		}
	}
	wantTampered(100, entries[100:199])
	wantTampered(1000, nil)
	put(t, client, log[:1400])
	wantTampered(1000, nil) // nothing good behind it
}
