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

// ReportTask is one report of the policy's for one period.
type ReportTask struct {
	Name string    `json:"name"`
	To   time.Time `json:"to"` // end of the period
	Try  int       `json:"try"`
	// AsItIs says that what AWS does not show now is not waited for.
	AsItIs bool `json:"-"`
	// Again tells a report that is wanted once more from the first. It never goes
	// through the queue: whoever can write to that must not have mail sent at will.
	Again string `json:"-"`
}

// delivery names what is sent at most once.
func (t ReportTask) delivery() string {
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
	if _, ok := d.Policy.Report(named.Name); !ok {
		return d.announceOnce(ctx, "no report "+named.Name, sayTask{Channel: d.Policy.Channels.Alerts, Text: fmt.Sprintf(
			":wrench: A schedule asks for the report %s, and the policy has %s. Mend the schedule's `detail` (`{\"name\": \"weekly\"}`) or the policy's `reports:`.",
			name(named.Name), d.reportNames())})
	}
	return d.sendOrPutOff(ctx, e.actor(), ReportTask{Name: named.Name, To: e.Time})
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
	t, err := read[ReportTask](e)
	if err != nil {
		return err
	}
	return d.sendOrPutOff(ctx, e.actor(), t)
}

// sendOrPutOff has what cannot be sent now sent later: what is done is not done again.
func (d *Desk) sendOrPutOff(ctx context.Context, by auth.Actor, t ReportTask) error {
	sent, err := d.SendReport(ctx, by, t)
	var final *errFinal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &final):
		return d.announceOnce(ctx, "final "+t.Name+final.why, sayTask{Channel: d.Policy.Channels.Alerts, Text: fmt.Sprintf(
			":wrench: *The report %s up to %s is not made.* %s", quoted(t.Name, nameMost), moment(t.To), final.why)})
	case d.Queue == nil || errors.Is(err, errNoReports):
		return err
	}
	d.Log.WarnContext(ctx, "sending a report", "report", t.Name, "to", t.To, "try", t.Try, "error", err)
	wait := pauseBefore(t.Try)
	if errors.Is(err, errBegun) || errors.Is(err, errPassing) {
		wait = partIsOver
	}
	t.Try++
	after, cancel := detached(ctx)
	defer cancel()
	if d.endless(t) {
		d.record(ctx, by, auth.Entry{
			Act: auth.ActReport, Outcome: auth.Refused, Reason: t.Name,
			Note: "up to " + t.To.Format(time.RFC3339) + "; given up; " + strings.Join(sent.Where, "; "),
		})
		return d.announce(after, d.stuck(t, err, "I do not try any more"))
	}
	if later := d.later(after, taskReport, t, wait); later != nil {
		return errors.Join(err, later)
	}
	if t.Try == tellAfter { // people may be able to help
		if told := d.announce(after, d.stuck(t, err, "I keep trying")); told != nil {
			d.Log.WarnContext(ctx, "telling that a report is stuck", "error", told) // not by the event: it would come again, beside the task
		}
	}
	return nil
}

// tellAfter is the try after which people hear of it: some ten minutes.
const tellAfter = 8

// endless says whether the next report is due, so that this one is left.
func (d *Desk) endless(t ReportTask) bool {
	p, _ := d.Policy.Report(t.Name)
	return d.Now().Sub(t.To) > p.Every
}

func (d *Desk) stuck(t ReportTask, err error, next string) sayTask {
	return sayTask{Channel: d.Policy.Channels.Alerts, Text: fmt.Sprintf(
		":hourglass_flowing_sand: *The report %s up to %s is not sent yet, or not all of it.* %s; what keeps me: %s.",
		quoted(t.Name, nameMost), moment(t.To), next, quoted(err.Error(), 600))}
}

// errNoReports: a program without Reports was asked for one.
var errNoReports = errors.New("this program makes no reports: let the schedule's events and the queue reach one that does (`sekisho serve`, or `sekisho` as the Lambda function)")

// errFinal is why a report is not made, however often it is tried.
type errFinal struct{ why string }

func (e *errFinal) Error() string { return e.why }

// ahead is how far a clock may be wrong. Ahead of time, the next reports in order
// would be taken for sent.
const ahead = 5 * time.Minute

// SendReport sends the policy's report of that name for the period up to that
// time. What was sent of it before, by whomever, is not sent again; an override
// (Again, any text of its own) starts afresh.
func (d *Desk) SendReport(ctx context.Context, by auth.Actor, t ReportTask) (Sent, error) {
	t.To = t.To.UTC().Truncate(time.Second) // as its delivery and its turn are named
	p, ok := d.Policy.Report(t.Name)
	switch {
	case !ok:
		return Sent{}, &errFinal{fmt.Sprintf("The policy has no such report (any more): it has %s.", d.reportNames())}
	case t.To.IsZero() || t.To.After(d.Now().Add(ahead)):
		return Sent{}, &errFinal{"The schedule's event must say when it was due as its `time`, and not a time to come."}
	case d.Reports == nil:
		return Sent{}, errNoReports
	}
	r, err := d.keptReport(ctx, p, t)
	if errors.Is(err, errLongSent) {
		return Sent{}, nil
	}
	if err != nil {
		return Sent{}, err
	}
	s := &sending{
		desk: d, policy: p, report: r, delivery: t.delivery(),
		called: fmt.Sprintf("The report %s up to %s", quoted(t.Name, nameMost), moment(t.To)),
		again:  fmt.Sprintf("`sekisho report --send --again --name %s` at a terminal sends all of it once more", t.Name),
		post:   d.inReports,
		tell: func(ctx context.Context, text string) error {
			return d.announce(ctx, sayTask{Channel: d.Policy.Channels.Alerts, Text: text})
		},
	}
	err = s.all(ctx, by)
	return s.sent, err
}
