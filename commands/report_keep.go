package commands

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
)

// keptReport is the report as it was made when it was first wanted: whoever goes
// on with it sends the same.
func (d *Desk) keptReport(ctx context.Context, p auth.ReportPolicy, t ReportTask) (report.Report, error) {
	kept, end, err := d.Reports.Snapshots.Snapshot(ctx, p.Name, t.To.Add(time.Second))
	old := t.Again == "" && d.Now().Sub(t.To) > 2*p.Every
	switch {
	case err != nil:
	case kept != nil && end.Equal(t.To) && old:
		err = errLongSent
	case old:
		err = &errFinal{"It is too old: the next one was due long ago. `sekisho report --send` at a terminal sends a new one."}
	case kept == nil || !end.Equal(t.To):
		kept, err = d.makeKept(ctx, p, t)
	}
	if err != nil {
		return report.Report{}, err
	}
	r, err := report.Decode(kept)
	if err != nil {
		return report.Report{}, fmt.Errorf("the report %s of %s as it is kept: %w", p.Name, t.To.Format(time.RFC3339), err)
	}
	return *r, nil
}

// errLongSent: the report was sent so long ago that its parts may be forgotten.
var errLongSent = errors.New("this report was sent long ago")

// errPassing: something could not be read that perhaps can be read soon.
var errPassing = errors.New("AWS does not show something that it may show in some minutes")

// patient is how long a report without a gap is worth waiting for.
const patient = 15 * time.Minute

func (d *Desk) makeKept(ctx context.Context, p auth.ReportPolicy, t ReportTask) ([]byte, error) {
	if err := d.inTurn(ctx, p, t.To); err != nil {
		return nil, err
	}
	before, err := d.ReportBefore(ctx, p.Name, t.To)
	if err != nil {
		return nil, err
	}
	order := report.Order{Name: p.Name, CIS: p.CIS, Period: report.Period{From: begins(before, p.Every, t.To), To: t.To}}
	r, err := d.Reports.Maker.Make(ctx, order, before, func(string) {})
	if err != nil {
		return nil, fmt.Errorf("making the report %s: %w", p.Name, err)
	}
	if len(r.Provenance.Problems) > 0 {
		d.Log.WarnContext(ctx, "a report has gaps", "report", p.Name, "try", t.Try, "problems", r.Provenance.Problems)
	}
	if r.Passing() && !t.AsItIs && d.Queue != nil && d.Now().Sub(t.To) < patient {
		return nil, errPassing
	}
	return d.keep(ctx, p.Name, r, p.Keep, time.Duration(min(2*(p.Keep+1), int(keptAtMost/p.Every)))*p.Every)
}

// keptAtMost is as long as any report is kept, however many the policy wants.
const keptAtMost = 20 * 365 * 24 * time.Hour

func (d *Desk) keep(ctx context.Context, name string, r report.Report, most int, forHow time.Duration) ([]byte, error) {
	text, err := r.Encode()
	if err != nil {
		return nil, err
	}
	return d.Reports.Snapshots.PutSnapshot(ctx, name, r.Period.To, text, most, forHow)
}

// oftenMost is how many reports of one name are made within half the time that
// they are apart. A schedule that runs wild, or a forged event, would have mail
// sent without end, and push out what is kept to compare with.
const oftenMost = 6

// inTurn says whether a new report up to that time may be made: not behind a
// newer one, and not too often.
func (d *Desk) inTurn(ctx context.Context, p auth.ReportPolicy, to time.Time) error {
	_, newest, err := d.Reports.Snapshots.Snapshot(ctx, p.Name, d.Now().Add(2*ahead))
	if err != nil {
		return err
	}
	if newest.After(to) {
		return &errFinal{fmt.Sprintf("One up to %s was made already, and this one is not kept (any more).", moment(newest))}
	}
	half := p.Every / 2
	turn := fmt.Sprintf("turns of %s from %s", p.Name, to.Truncate(half).UTC().Format(time.RFC3339))
	for n := range oftenMost {
		// Whoever makes this very report again finds its own turn.
		slot, err := d.Reports.Deliveries.Begin(ctx, turn, strconv.Itoa(n), to.UTC().Format(time.RFC3339), d.Now())
		if err != nil || slot.Mine {
			return err
		}
	}
	return &errFinal{fmt.Sprintf("A schedule has asked for %d of them within %s. *Next:* look at the schedule, and at who may send to the queue; `sekisho report` at a terminal prints one.", oftenMost, span(half))}
}

// ReportBefore is the report to compare with. One that cannot be read any more
// is as good as none.
func (d *Desk) ReportBefore(ctx context.Context, name string, to time.Time) (*report.Report, error) {
	if name == "" {
		return nil, nil
	}
	text, _, err := d.Reports.Snapshots.Snapshot(ctx, name, to)
	if err != nil || text == nil {
		return nil, err
	}
	r, err := report.Decode(text)
	if err != nil {
		d.Log.WarnContext(ctx, "reading the report before", "report", name, "error", err)
		return nil, nil
	}
	return r, nil
}

// longest is as long as any period gets, however long nothing was reported.
const longest = 400 * 24 * time.Hour

// begins is where the report before ended, so that nothing falls between two: a
// month has 28 to 31 days, and a schedule may have been off. One that was only
// just made is no reason for an empty report.
func begins(before *report.Report, every time.Duration, to time.Time) time.Time {
	if before != nil {
		if since := to.Sub(before.Period.To); since > every/2 && since < longest {
			return before.Period.To
		}
	}
	return to.Add(-every)
}

// LastReport says up to when the policy's report of that name was last made; the
// zero time where none was.
func (d *Desk) LastReport(ctx context.Context, name string) (time.Time, error) {
	_, to, err := d.Reports.Snapshots.Snapshot(ctx, name, d.Now().Add(time.Second))
	return to, err
}
