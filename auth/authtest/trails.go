package authtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"sekisho/auth"
)

// Trail is everything that a trail promises, read back too.
type Trail interface {
	auth.Trail
	Entries(ctx context.Context, from int64, each func(auth.Entry) error) error
	Head(ctx context.Context) (seq int64, hash string, err error)
	Verify(ctx context.Context, each func(auth.Entry)) (auth.Checker, error)
	Trim(ctx context.Context, before, now time.Time) (upTo int64, err error)
}

// TrailStore is a trail's store, and two ways to harm it behind the trail's back.
type TrailStore struct {
	Open     func() Trail // one more writer
	Rewrite  func(func([]auth.Entry) []auth.Entry)
	LoseHead func()
}

// Trails runs every promise against trails that open makes, each of them empty.
func Trails(t *testing.T, open func(t *testing.T) TrailStore) {
	for name, promise := range map[string]func(*testing.T, TrailStore){
		"an empty trail is whole":              emptyTrail,
		"many writers make one chain":          manyWriters,
		"what one call appends stays together": oneCall,
		"a busy writer keeps nobody out":       busyWriter,
		"it is read from any number on":        readFrom,
		"tampering is found":                   tampering,
		"a trimmed trail is whole":             trimmed,
		"nothing older, nothing trimmed":       nothingToTrim,
		"what was tampered with is not signed": tamperedNotTrimmed,
		"a lost head is found again":           lostHead,
		"text that is no text keeps its hash":  brokenText,
	} {
		t.Run(name, func(t *testing.T) { promise(t, open(t)) })
	}
}

func entry(n int) auth.Entry {
	return auth.Entry{
		Time: T0.Add(time.Duration(n) * time.Minute), Act: auth.ActRequest, Outcome: auth.Done,
		Submitted: hana, Reason: fmt.Sprint("<why> & ", n),
	}
}

// fill appends n entries, a minute apart from T0.
func fill(t *testing.T, trail Trail, n int) {
	t.Helper()
	var entries []auth.Entry
	for n := range n {
		entries = append(entries, entry(n))
	}
	if _, err := trail.Append(t.Context(), entries...); err != nil {
		t.Fatal(err)
	}
}

// whole verifies the trail and gives its entries.
func whole(t *testing.T, trail Trail) []auth.Entry {
	t.Helper()
	var entries []auth.Entry
	c, err := trail.Verify(t.Context(), func(e auth.Entry) { entries = append(entries, e) })
	if err != nil || int(c.Count) != len(entries) {
		t.Fatalf("%d of %d entries are good: %v", c.Count, len(entries), err)
	}
	return entries
}

func emptyTrail(t *testing.T, s TrailStore) {
	trail := s.Open()
	if entries := whole(t, trail); len(entries) != 0 {
		t.Errorf("it holds %+v", entries)
	}
	if none, err := trail.Append(t.Context()); len(none) != 0 || err != nil {
		t.Errorf("nothing appended: %+v, %v", none, err)
	}
	if seq, hash, err := trail.Head(t.Context()); seq != 0 || hash != "" || err != nil {
		t.Errorf("the head: %d, %q, %v", seq, hash, err)
	}
}

func manyWriters(t *testing.T, s TrailStore) {
	const writers, each = 4, 250
	trails := []Trail{s.Open(), s.Open()}
	stored := make([][]auth.Entry, writers)
	together(writers, func(w int) {
		for n := range each {
			e := entry(n)
			e.Decided = fmt.Sprint("U", w)
			got, err := trails[w%2].Append(context.Background(), e)
			if err != nil || len(got) != 1 {
				t.Errorf("writer %d, entry %d: %+v, %v", w, n, got, err)
				return
			}
			stored[w] = append(stored[w], got[0])
		}
	})
	entries := whole(t, s.Open())
	if len(entries) != writers*each {
		t.Fatalf("%d entries stand there, %d were appended", len(entries), writers*each)
	}
	for w, mine := range stored {
		for n, e := range mine {
			if n > 0 && e.Seq <= mine[n-1].Seq {
				t.Errorf("writer %d's entry %d stands before the one before it", w, n)
			}
			if read := entries[e.Seq-1]; read != e {
				t.Errorf("appended as %+v, read as %+v", e, read)
			}
		}
	}
	seq, hash, err := trails[0].Head(t.Context())
	if last := entries[len(entries)-1]; seq != last.Seq || hash != last.Hash || err != nil {
		t.Errorf("the head is %d %s, %v; the last entry %d %s", seq, hash, err, last.Seq, last.Hash)
	}
}

func oneCall(t *testing.T, s TrailStore) {
	const callers, each = 3, 300
	trails := []Trail{s.Open(), s.Open()}
	together(callers, func(c int) {
		var entries []auth.Entry
		for n := range each {
			entries = append(entries, entry(n))
		}
		got, err := trails[c%2].Append(context.Background(), entries...)
		if err != nil {
			t.Errorf("Append: %v", err)
			return
		}
		for n, e := range got {
			if e.Seq != got[0].Seq+int64(n) || e.Reason != entries[n].Reason {
				t.Errorf("entry %d of the call is %d, %q; the first is %d", n, e.Seq, e.Reason, got[0].Seq)
			}
		}
	})
	if n := len(whole(t, s.Open())); n != callers*each {
		t.Errorf("%d entries; want %d", n, callers*each)
	}
}

func busyWriter(t *testing.T, s TrailStore) {
	busy, other := s.Open(), s.Open()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	together(32, func(n int) {
		if n == 0 {
			defer stop()
			for n := range 20 {
				if _, err := other.Append(context.Background(), entry(n)); err != nil {
					t.Errorf("entry %d beside a busy writer: %v", n, err)
				}
			}
			return
		}
		for ctx.Err() == nil {
			if _, err := busy.Append(context.Background(), entry(n)); err != nil {
				t.Errorf("the busy writer: %v", err)
				return
			}
		}
	})
	whole(t, s.Open())
}

func readFrom(t *testing.T, s TrailStore) {
	trail := s.Open()
	fill(t, trail, 1200) // more than two pages
	for _, from := range []int64{0, 1, 500, 501, 1200, 1201} {
		next := max(from, 1)
		err := trail.Entries(t.Context(), from, func(e auth.Entry) error {
			if e.Seq != next {
				t.Fatalf("from %d: entry %d came; want %d", from, e.Seq, next)
			}
			next++
			return nil
		})
		if err != nil || next != 1201 {
			t.Errorf("from %d: the last was %d, %v", from, next-1, err)
		}
	}
	enough := errors.New("enough")
	if err := trail.Entries(t.Context(), 1, func(auth.Entry) error { return enough }); err != enough {
		t.Errorf("the reader's own error came back as %v", err)
	}
}

func tampering(t *testing.T, s TrailStore) {
	trail := s.Open()
	fill(t, trail, 20)
	good := whole(t, trail)
	for name, harm := range map[string]func([]auth.Entry) []auth.Entry{
		"edited":             func(es []auth.Entry) []auth.Entry { es[7].Decided = ben; return es },
		"the last edited":    func(es []auth.Entry) []auth.Entry { es[19].Outcome = auth.Refused; return es },
		"one dropped":        func(es []auth.Entry) []auth.Entry { return slices.Delete(es, 7, 8) },
		"the first dropped":  func(es []auth.Entry) []auth.Entry { return es[1:] },
		"two changed places": func(es []auth.Entry) []auth.Entry { es[7], es[8] = es[8], es[7]; return es },
		"one doubled":        func(es []auth.Entry) []auth.Entry { return slices.Insert(es, 8, es[7]) },
		"the end cut off":    func(es []auth.Entry) []auth.Entry { return es[:15] },
		"all dropped":        func([]auth.Entry) []auth.Entry { return nil },
		"one forged": func(es []auth.Entry) []auth.Entry {
			other, _ := auth.NewPepper("another pepper of the tests, not the one in use")
			es[19] = other.Link(es[19], 19, es[18].Hash)
			return es
		},
	} {
		s.Rewrite(func([]auth.Entry) []auth.Entry { return harm(slices.Clone(good)) })
		if c, err := trail.Verify(t.Context(), func(auth.Entry) {}); !errors.Is(err, auth.ErrTampered) {
			t.Errorf("%s: %d entries are good, %v", name, c.Count, err)
		}
	}
	s.Rewrite(func([]auth.Entry) []auth.Entry { return good })
	if entries := whole(t, trail); !slices.Equal(entries, good) {
		t.Error("what was put back is not what was there")
	}
}

func trimmed(t *testing.T, s TrailStore) {
	trail := s.Open()
	fill(t, trail, 20)
	now := T0.Add(24 * time.Hour)
	for _, tt := range []struct {
		before       time.Time
		upTo, newest int64
	}{
		{T0.Add(5 * time.Minute), 5, 21}, // the entry of minute 5 is not older
		{T0.Add(10 * time.Minute), 10, 22},
		{now, 20, 23},                     // what the trims before left
		{now.Add(48 * time.Hour), 22, 24}, // but the newest
	} {
		upTo, err := trail.Trim(t.Context(), tt.before, now)
		if err != nil || upTo != tt.upTo {
			t.Errorf("trimmed up to %d, %v; want %d", upTo, err, tt.upTo)
		}
		entries := whole(t, trail)
		first, last := entries[0], entries[len(entries)-1]
		if first.Seq != tt.upTo+1 || last.Seq != tt.newest || last.Act != auth.ActTrim || !last.Time.Equal(now) {
			t.Errorf("after a trim up to %d: %d to %d, %s at %v", tt.upTo, first.Seq, last.Seq, last.Act, last.Time)
		}
	}
}

func nothingToTrim(t *testing.T, s TrailStore) {
	trail := s.Open()
	for n, before := range []time.Time{T0, T0, T0.Add(time.Hour)} { // empty, one that is not older, the newest
		if n == 1 {
			fill(t, trail, 1)
		}
		if upTo, err := trail.Trim(t.Context(), before, T0.Add(time.Hour)); upTo != 0 || err != nil {
			t.Errorf("trim %d: up to %d, %v", n, upTo, err)
		}
	}
	if entries := whole(t, trail); len(entries) != 1 || entries[0].Act != auth.ActRequest {
		t.Errorf("left: %+v", entries)
	}
}

func tamperedNotTrimmed(t *testing.T, s TrailStore) {
	trail := s.Open()
	fill(t, trail, 20)
	s.Rewrite(func(es []auth.Entry) []auth.Entry { return es[5:] })
	upTo, err := trail.Trim(t.Context(), T0.Add(10*time.Minute), T0.Add(time.Hour))
	if upTo != 0 || !errors.Is(err, auth.ErrTampered) {
		t.Errorf("trimmed up to %d, %v", upTo, err)
	}
	if seq, _, err := trail.Head(t.Context()); seq != 20 || err != nil {
		t.Errorf("the head moved on to %d, %v", seq, err)
	}
}

func lostHead(t *testing.T, s TrailStore) {
	known := s.Open()
	fill(t, known, 3)
	for n, trail := range []Trail{s.Open(), known} {
		s.LoseHead()
		if _, err := trail.Verify(t.Context(), func(auth.Entry) {}); !errors.Is(err, auth.ErrTampered) {
			t.Errorf("a head that is gone: %v", err)
		}
		got, err := trail.Append(t.Context(), entry(9))
		if err != nil || got[0].Seq != int64(4+n) {
			t.Errorf("the next entry: %+v, %v", got, err)
		}
		if entries := whole(t, trail); len(entries) != 4+n {
			t.Errorf("%d entries", len(entries))
		}
	}
}

func brokenText(t *testing.T, s TrailStore) {
	trail := s.Open()
	e := entry(1)
	e.Note = "\xff\u2028 \\ufffd"
	e.Time = time.Date(2027, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 3600))
	got, err := trail.Append(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if read := whole(t, trail); !slices.Equal(read, got) {
		t.Errorf("appended as %+v, read as %+v", got, read)
	}
	impossible := entry(2)
	impossible.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)
	var wrong *json.MarshalerError
	if _, err := trail.Append(t.Context(), impossible); !errors.As(err, &wrong) {
		t.Errorf("a time that cannot be written: %v", err)
	}
	whole(t, trail)
}
