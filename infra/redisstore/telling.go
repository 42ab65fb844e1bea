package redisstore

import (
	"context"
	_ "embed"
	"time"

	"github.com/google/uuid"

	"sekisho/auth"
)

var (
	//go:embed scripts/take_telling.lua
	takeTellingLua string
	//go:embed scripts/put_told.lua
	putToldLua string

	takeTelling = script(takeTellingLua)
	putTold     = script(putToldLua)
)

// telling is a record that one worker at a time may tell about.
type telling struct {
	key          string
	field, value string // by which the record is known
	progress     string // the field that grows as there is more to tell
	marks        []any  // the fields that must have come as far
}

func (t telling) name() string { return t.key + " " + t.value }

// What a worker is answered that wants to tell.
const (
	yours = "yours"
	other = "other" // another record stands there, or none
	held  = "held"
)

func (s *Store) takeTelling(
	ctx context.Context, t telling, now time.Time, lease time.Duration,
) (word string, fields map[string]string, err error) {
	me := uuid.NewString()
	args := []any{t.field, t.value, t.progress, now.UnixMilli(), lease.Milliseconds(), me}
	args = append(args, t.marks...)
	answer, err := takeTelling.Run(ctx, s.client, []string{t.key}, args...).Slice()
	if err != nil {
		return "", nil, away(err)
	}
	switch word, _ = answer[0].(string); word {
	case held:
		return word, nil, auth.ErrCardHeld
	case yours:
		s.tellers.Store(t.name(), me)
		return word, pairs(answer[1]), nil
	}
	return word, nil, nil
}

// putTold gives 1 when there may be more to tell, and -1 when the record is not
// there any more. It notes nothing for whoever has lost the right, or never had
// it where others had.
func (s *Store) putTold(ctx context.Context, t telling, channel, ts string, told, recorded int) (int, error) {
	me, had := s.tellers.LoadAndDelete(t.name())
	if !had {
		me = ""
	}
	args := append([]any{t.field, t.value, t.progress, me, channel, ts, told, recorded}, t.marks...)
	n, err := putTold.Run(ctx, s.client, []string{t.key}, args...).Int()
	return n, away(err)
}

// told reads how far the telling about a record has come.
func told(f map[string]string) auth.Told {
	return auth.Told{
		Channel: f["channel"], TS: f["ts"], Version: int(number(f["told"])), Recorded: int(number(f["recorded"])),
	}
}
