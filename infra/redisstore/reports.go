package redisstore

import (
	"context"
	_ "embed"
	"fmt"
	"net/url"
	"time"

	"sekisho/auth/report"
)

var (
	//go:embed scripts/put_snapshot.lua
	putSnapshotLua string
	//go:embed scripts/get_snapshot.lua
	getSnapshotLua string
	//go:embed scripts/begin_part.lua
	beginPartLua string
	//go:embed scripts/finish_part.lua
	finishPartLua string
	//go:embed scripts/release_part.lua
	releasePartLua string

	putSnapshot = script(putSnapshotLua)
	getSnapshot = script(getSnapshotLua)
	beginPart   = script(beginPartLua)
	finishPart  = script(finishPartLua)
	releasePart = script(releasePartLua)
)

// keepDeliveries is longer than a report can be asked for again: twice the time
// from one to the next, which is 366 days at most.
const keepDeliveries = 734 * 24 * time.Hour

func textsKey(name string) string     { return tagged("report", name) + ":texts" }
func partsKey(delivery string) string { return tagged("sent", delivery) + ":parts" }

// tagged begins a key. What is escaped has no brace, which would end the tag.
func tagged(kind, name string) string { return "sekisho:{" + kind + " " + url.QueryEscape(name) + "}" }

// Reports is a report.Snapshots and a report.Deliveries.
type Reports struct{ store *Store }

var (
	_ report.Snapshots  = (*Reports)(nil)
	_ report.Deliveries = (*Reports)(nil)
)

// Reports keeps reports, and what was sent of them.
func (s *Store) Reports() *Reports { return &Reports{s} }

// PutSnapshot keeps the promise of report.Snapshots; times count to the
// millisecond. What has lain there for longer goes with the next report, and
// all of the name where none comes for so long.
func (r *Reports) PutSnapshot(
	ctx context.Context, name string, to time.Time, text []byte, keep int, forHow time.Duration,
) (kept []byte, err error) {
	packed, err := pack(text)
	if err != nil {
		return nil, fmt.Errorf("the report %q: %w", name, err)
	}
	answer, err := putSnapshot.Run(ctx, r.store.client, []string{textsKey(name)},
		to.UnixMilli(), packed, keep, forHow.Milliseconds()).StringSlice()
	switch {
	case err != nil:
		return nil, away(err)
	case answer[0] != "1":
		return nil, errNewer("what is kept of the report "+name, answer[0])
	case len(answer) == 1:
		return text, nil
	}
	return unpacked(name, answer[1])
}

// Snapshot keeps the promise of report.Snapshots.
func (r *Reports) Snapshot(ctx context.Context, name string, before time.Time) (text []byte, to time.Time, err error) {
	answer, err := getSnapshot.Run(ctx, r.store.client, []string{textsKey(name)}, before.UnixMilli()).StringSlice()
	switch {
	case err != nil:
		return nil, time.Time{}, away(err)
	case answer[0] != "1":
		return nil, time.Time{}, errNewer("what is kept of the report "+name, answer[0])
	case len(answer) == 1:
		return nil, time.Time{}, nil
	}
	text, err = unpacked(name, answer[2])
	if err != nil {
		return nil, time.Time{}, err
	}
	return text, when(answer[1]).UTC(), nil
}

func unpacked(name, packed string) ([]byte, error) {
	text, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("what is kept of the report %q cannot be read: %w", name, err)
	}
	return text, nil
}

// Begin keeps the promise of report.Deliveries.
func (r *Reports) Begin(ctx context.Context, delivery, part, worker string, now time.Time) (report.Progress, error) {
	answer, err := beginPart.Run(ctx, r.store.client, []string{partsKey(delivery)},
		part, worker, now.UnixMilli(), keepDeliveries.Milliseconds()).Slice()
	if err != nil {
		return report.Progress{}, away(err)
	}
	if answer[0] != "1" {
		return report.Progress{}, errNewer("the delivery "+delivery, fmt.Sprint(answer[0]))
	}
	p := report.Progress{By: answer[1].(string)}
	if ms := answer[2].(string); ms != "" {
		p.At = when(ms).UTC()
	}
	p.Ref, p.Done = answer[3].(string)
	p.Mine = !p.Done && p.By == worker
	return p, nil
}

// Finish keeps the promise of report.Deliveries.
func (r *Reports) Finish(ctx context.Context, delivery, part, ref string) error {
	return r.change(ctx, finishPart, delivery, part, ref, keepDeliveries.Milliseconds())
}

// Release keeps the promise of report.Deliveries.
func (r *Reports) Release(ctx context.Context, delivery, part, worker string) error {
	return r.change(ctx, releasePart, delivery, part, worker)
}

func (r *Reports) change(ctx context.Context, script *lua, delivery string, args ...any) error {
	v, err := script.Run(ctx, r.store.client, []string{partsKey(delivery)}, args...).Text()
	if err != nil {
		return away(err)
	}
	if v != "1" {
		return errNewer("the delivery "+delivery, v)
	}
	return nil
}
