package redisstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/auth"
)

// Entries hands over the entries from this number on, in the order in which
// they stand there, until each returns an error. What Append did not write so
// is an error that wraps auth.ErrTampered and names the id in the stream.
func (t *Trail) Entries(ctx context.Context, from int64, each func(auth.Entry) error) error {
	for start := strconv.FormatInt(max(from, 0), 10); ; {
		page, err := t.client.XRangeN(ctx, logKey, start, "+", atOnce).Result()
		if err != nil {
			return away(err)
		}
		for _, m := range page {
			e, err := readEntry(m)
			if err == nil {
				err = each(e)
			}
			if err != nil {
				return err
			}
			start = "(" + m.ID
		}
		if len(page) < atOnce {
			return nil
		}
	}
}

func readEntry(m redis.XMessage) (auth.Entry, error) {
	var e auth.Entry
	text, _ := m.Values["e"].(string)
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		return e, fmt.Errorf("%w: what stands at %s of %s is not an entry: %v", auth.ErrTampered, m.ID, logKey, err)
	}
	// What e does not hold, its hash does not cover.
	if again, err := json.Marshal(e); err != nil || string(again) != text {
		return e, fmt.Errorf("%w: entry %d, at %s of %s, holds more than it was written with, or a newer sekisho wrote it",
			auth.ErrTampered, e.Seq, m.ID, logKey)
	}
	return e, nil
}

// Head gives the number and the hash of the newest entry as the trail's own
// note has them; 0 and "" where there is none.
func (t *Trail) Head(ctx context.Context) (seq int64, hash string, err error) {
	f, err := t.client.HGetAll(ctx, headKey).Result()
	return number(f["seq"]), f["hash"], away(err)
}

// errEnough ends a reading of entries.
var errEnough = errors.New("enough was read")

// Verify reads the whole trail, hands over each entry, and says of the first
// that does not belong there what is wrong, in an error that wraps
// auth.ErrTampered. It gives what was good up to there. Others may append
// meanwhile.
func (t *Trail) Verify(ctx context.Context, each func(auth.Entry)) (auth.Checker, error) {
	c := auth.Checker{Pepper: t.pepper}
	seq, hash, err := t.follow(ctx, &c, 0, func(e auth.Entry) error { each(e); return nil })
	if err != nil {
		return c, err
	}
	return c, c.End(seq, hash)
}

// follow reads from this number on, holds each entry against the one before,
// and hands it over, until each returns an error. It ends at the head as it is
// when all else has been read, and gives that.
func (t *Trail) follow(
	ctx context.Context, c *auth.Checker, from int64, each func(auth.Entry) error,
) (seq int64, hash string, err error) {
	check := func(e auth.Entry) error {
		if err := c.Check(e); err != nil {
			return err
		}
		if err := each(e); err != nil {
			return err
		}
		if e.Seq == seq {
			return errEnough
		}
		return nil
	}
	err = t.Entries(ctx, from, check)
	if err == nil {
		seq, hash, err = t.Head(ctx)
	}
	if err == nil && seq > c.Last.Seq { // appended since
		err = t.Entries(ctx, c.Last.Seq+1, check)
	}
	if errors.Is(err, errEnough) {
		err = nil
	}
	return seq, hash, err
}

// Trim lets go the entries that are older, up to the first that is not, and
// gives the number of the last one let go; 0 where there was none. An entry
// that says so is appended first. The newest entry always stays.
//
// If there is something to let go it looks through the whole trail before, and
// leaves one that was tampered with alone: else it would sign for what somebody
// has dropped. Two at once may take each other for that; nothing is lost then.
func (t *Trail) Trim(ctx context.Context, before, now time.Time) (upTo int64, err error) {
	due, err := t.beginsBefore(ctx, before)
	if err != nil || !due {
		return 0, err
	}
	var older int64
	newer := false
	_, err = t.Verify(ctx, func(e auth.Entry) {
		if newer {
			return
		}
		upTo = older // there is one behind it
		older, newer = e.Seq, !e.Time.Before(before)
	})
	if err != nil || upTo == 0 {
		return 0, err
	}
	if _, err := t.Append(ctx, auth.Trimmed(upTo, now)); err != nil {
		return 0, err
	}
	return upTo, away(t.client.XTrimMinID(ctx, logKey, strconv.FormatInt(upTo+1, 10)).Err())
}

// beginsBefore says whether the oldest entry is older than that.
func (t *Trail) beginsBefore(ctx context.Context, then time.Time) (older bool, err error) {
	err = t.Entries(ctx, 0, func(e auth.Entry) error {
		older = e.Time.Before(then)
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return older, err
}
