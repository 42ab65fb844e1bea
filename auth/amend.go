package auth

import (
	"context"
	"errors"
	"fmt"
)

// ErrNoChange, returned by what decides about a change, says that there is to
// be none.
var ErrNoChange = errors.New("nothing changes")

// amendTries bounds how often a change is tried when others come before it.
// Each of those has changed the record, so that soon there is nothing to do.
const amendTries = 50

// Amend reads a record, lets next decide what becomes of it, and stores that if
// nothing else has happened since; else it begins again with what is stored. So
// of any number of decisions at once one wins, and every other sees what it
// lost to. It returns the record as it stands after, also beside next's error.
func Amend[R any](
	ctx context.Context,
	read func(context.Context) (R, error),
	next func(R) (R, error),
	store func(context.Context, R) (now R, changed bool, err error),
) (R, error) {
	r, err := read(ctx)
	for range amendTries {
		if err != nil {
			return r, err
		}
		wanted, err := next(r)
		if errors.Is(err, ErrNoChange) {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		now, changed, err := store(ctx, wanted)
		if err != nil || changed {
			return now, err
		}
		r = now
	}
	return r, fmt.Errorf("the record changed %d times under a decision", amendTries)
}
