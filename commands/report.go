package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
)

// Reports makes reports and has them sent. What it takes to draw and print one
// is not linked into every program.
type Reports struct {
	Maker      *report.Maker
	Snapshots  report.Snapshots
	Deliveries report.Deliveries
	Mailer     report.Mailer
	// Draw makes the pictures; HTML shows them by their names.
	Draw  func(report.Report) ([]report.File, error)
	HTML  func(io.Writer, report.Report, []report.File) error
	Text  func(io.Writer, report.Report) error
	CSV   func(io.Writer, report.Report) error
	Title func(report.Report) string
}

// reportTask is one report of the policy's for one period.
type reportTask struct {
	Name  string    `json:"name"`
	To    time.Time `json:"to"`              // end of the period
	Again string    `json:"again,omitempty"` // tells one that is wanted once more from the first
	Try   int       `json:"try"`
}

// delivery names what is sent at most once.
func (t reportTask) delivery() string {
	return strings.TrimSpace(t.Name + " " + t.To.UTC().Format(time.RFC3339) + " " + t.Again)
}

// reportDue answers the schedule, whose event names the report.
func reportDue(ctx context.Context, d *Desk, e Event) error {
	named, err := read[struct {
		Name string `json:"name"`
	}](e)
	if err != nil {
		return err
	}
	if _, ok := d.Policy.Report(named.Name); !ok || named.Name == "" {
		return d.announceOnce(ctx, "no report "+named.Name, sayTask{Channel: d.Policy.Channels.Alerts, Text: fmt.Sprintf(
			":wrench: A schedule asks for the report %s, and the policy has %s. Mend the schedule's `detail` (`{\"name\": \"weekly\"}`) or the policy's `reports:`.",
			name(named.Name), d.reportNames())})
	}
	// Ahead of time, the next reports in order would be taken for sent.
	if e.Time.IsZero() || e.Time.After(d.Now().Add(5*time.Minute)) {
		return fmt.Errorf("the schedule's event %q says %q as its time: it must be when it was due", e.ID, e.Time.Format(time.RFC3339))
	}
	return d.sendOrPutOff(ctx, e.actor(), reportTask{Name: named.Name, To: e.Time.UTC().Truncate(time.Second)})
}

func (d *Desk) reportNames() string {
	if len(d.Policy.Reports) == 0 {
		return "none"
	}
	var all []string
	for _, p := range d.Policy.Reports {
		all = append(all, name(p.Name))
	}
	return strings.Join(all, ", ")
}

// sendReportAgain goes on with what could not be sent before.
func sendReportAgain(ctx context.Context, d *Desk, e Event) error {
	t, err := read[reportTask](e)
	if err != nil {
		return err
	}
	return d.sendOrPutOff(ctx, e.actor(), t)
}

// sendOrPutOff has what cannot be sent now sent later: what is done is not done again.
func (d *Desk) sendOrPutOff(ctx context.Context, by auth.Actor, t reportTask) error {
	_, err := d.SendReport(ctx, by, t.Name, t.To, t.Again)
	if err == nil || d.Queue == nil || errors.Is(err, errNoReports) || errors.Is(err, errNoReport) {
		return err
	}
	wait := pauseBefore(t.Try)
	if errors.Is(err, errBegun) {
		wait = partIsOver
	}
	d.Log.WarnContext(ctx, "sending a report", "report", t.Name, "to", t.To, "try", t.Try, "error", err)
	t.Try++
	after, cancel := detached(ctx)
	defer cancel()
	if later := d.later(after, taskReport, t, wait); later != nil {
		return errors.Join(err, later)
	}
	if t.Try != tellAfter {
		return nil
	}
	return d.announceOnce(ctx, "stuck "+t.delivery(), d.stuck(t, err)) // people may be able to help
}

// tellAfter is how many tries people do not hear of: a quarter of an hour.
const tellAfter = 8

func (d *Desk) stuck(t reportTask, err error) sayTask {
	return sayTask{Channel: d.Policy.Channels.Alerts, Text: fmt.Sprintf(
		":hourglass_flowing_sand: *The report %s up to %s is not sent yet, or not all of it.* I keep trying; what keeps me: %s.",
		quoted(t.Name, nameMost), moment(t.To), quoted(err.Error(), 600))}
}

// errNoReports: a program without Reports was asked for one.
var errNoReports = errors.New("this program makes no reports: let the schedule's events and the queue reach one that does (`sekisho serve`, or `sekisho` as the Lambda function)")

// errNoReport: the policy has none of that name (any more).
var errNoReport = errors.New("the policy has no such report")

// SendReport sends the policy's report of that name for the period up to that
// time. What was sent of it before, by whomever, is not sent again; an override
// (again, any text of its own) starts afresh. sent says that something was.
func (d *Desk) SendReport(ctx context.Context, by auth.Actor, name string, to time.Time, again string) (sent bool, err error) {
	p, ok := d.Policy.Report(name)
	if !ok || name == "" {
		return false, fmt.Errorf("%w: %q", errNoReport, name)
	}
	if d.Reports == nil {
		return false, errNoReports
	}
	r, err := d.keptReport(ctx, p, to)
	if err != nil {
		return false, err
	}
	s := &sending{
		desk: d, policy: p, report: r, delivery: reportTask{Name: name, To: to, Again: again}.delivery(),
		called: fmt.Sprintf("The report %s up to %s", quoted(name, nameMost), moment(to)),
		again:  fmt.Sprintf("`sekisho report --send --again --name %s` at a terminal sends all of it once more", name),
		post:   d.inReports,
		tell: func(ctx context.Context, text string) error {
			return d.announce(ctx, sayTask{Channel: d.Policy.Channels.Alerts, Text: text})
		},
	}
	err = s.all(ctx, by)
	return s.sent, err
}

// keptReport is the report as it was made when it was first wanted: whoever goes
// on with it sends the same.
func (d *Desk) keptReport(ctx context.Context, p auth.ReportPolicy, to time.Time) (report.Report, error) {
	kept, end, err := d.Reports.Snapshots.Snapshot(ctx, p.Name, to.Add(time.Second))
	if err == nil && (kept == nil || !end.Equal(to)) {
		kept, err = d.makeKept(ctx, p, to)
	}
	if err != nil {
		return report.Report{}, err
	}
	r, err := report.Decode(kept)
	if err != nil {
		return report.Report{}, fmt.Errorf("the report %s of %s as it is kept: %w", p.Name, to.Format(time.RFC3339), err)
	}
	return *r, nil
}

func (d *Desk) makeKept(ctx context.Context, p auth.ReportPolicy, to time.Time) ([]byte, error) {
	before, err := d.ReportBefore(ctx, p.Name, to)
	if err != nil {
		return nil, err
	}
	order := report.Order{Name: p.Name, CIS: p.CIS, Period: report.Period{From: begins(before, p.Every, to), To: to}}
	r, err := d.Reports.Maker.Make(ctx, order, before, func(string) {})
	if err != nil {
		return nil, fmt.Errorf("making the report %s: %w", p.Name, err)
	}
	text, err := r.Encode()
	if err != nil {
		return nil, err
	}
	return d.Reports.Snapshots.PutSnapshot(ctx, p.Name, to, text, p.Keep, 2*time.Duration(p.Keep+1)*p.Every)
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

// begins is where the report before ended, so that nothing falls between two,
// if that was about as long ago as reports are apart: a month has 28 to 31 days.
func begins(before *report.Report, every time.Duration, to time.Time) time.Time {
	if before != nil {
		if since := to.Sub(before.Period.To); since > every/2 && since < 2*every {
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
