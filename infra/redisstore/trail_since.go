package redisstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
)

var _ report.TrailReader = (*Trail)(nil)

// Since keeps the promise of report.TrailReader, where entries stand in the
// order of their times. Whoever wants those written late asks from earlier on.
func (t *Trail) Since(ctx context.Context, from time.Time, each func(auth.Entry) error) error {
	first, err := t.firstSince(ctx, from)
	if err != nil {
		return err
	}
	c := auth.Checker{Pepper: t.pepper}
	// With the entry before: else it would not show that the first were dropped.
	seq, hash, err := t.follow(ctx, &c, first-1, func(e auth.Entry) error {
		if e.Seq < first {
			return nil
		}
		return each(e)
	})
	if err != nil {
		return err
	}
	if first > 0 {
		c = auth.Checker{Count: c.Count, Last: c.Last} // where the trail begins was not read
	}
	return c.End(seq, hash)
}

// firstSince finds the number from which on entries are not older than that,
// by halving; 0 where none is older.
func (t *Trail) firstSince(ctx context.Context, from time.Time) (int64, error) {
	newest, err := t.client.XRevRangeN(ctx, logKey, "+", "-", 1).Result()
	if err != nil || len(newest) == 0 {
		return 0, away(err)
	}
	lo, hi := int64(0), seqOf(newest[0].ID)+1
	for mid := lo; lo < hi; mid = lo + (hi-lo)/2 {
		e, ok, err := t.goodFrom(ctx, mid)
		switch {
		case err != nil:
			return 0, err
		case ok && e.Time.Before(from):
			lo = e.Seq + 1
		default: // where nothing good is left, it may all be as young
			hi = mid
		}
	}
	return lo, nil
}

// goodFrom gives the first entry from this number on that is as it was written,
// and stands where it was put. The time of any other says nothing.
func (t *Trail) goodFrom(ctx context.Context, seq int64) (e auth.Entry, ok bool, err error) {
	start := strconv.FormatInt(seq, 10)
	for n := int64(1); ; n = atOnce {
		page, err := t.client.XRangeN(ctx, logKey, start, "+", n).Result()
		if err != nil {
			return auth.Entry{}, false, away(err)
		}
		for _, m := range page {
			e, err := readEntry(m)
			c := auth.Checker{Pepper: t.pepper}
			if err == nil && e.Seq == seqOf(m.ID) && c.Check(e) == nil {
				return e, true, nil
			}
			start = "(" + m.ID
		}
		if int64(len(page)) < n {
			return auth.Entry{}, false, nil
		}
	}
}

func seqOf(id string) int64 {
	seq, _, _ := strings.Cut(id, "-")
	return number(seq)
}
