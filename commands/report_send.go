package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
)

// Sent is what became of a report.
type Sent struct {
	New   bool     // something was sent now
	Where []string // where each part went, or why it did not
	Amiss bool     // not everything went where it should
}

func (s *Sent) add(amiss bool, format string, values ...any) {
	s.Amiss = s.Amiss || amiss
	s.Where = append(s.Where, fmt.Sprintf(format, values...))
}

// sending is one report on its way.
type sending struct {
	desk     *Desk
	policy   auth.ReportPolicy
	report   report.Report
	delivery string
	called   string // what people know it as
	again    string // how they have it sent once more
	// post says something where the report goes.
	post func(ctx context.Context, text string, blocks []slack.Block) (posted, error)
	// tell tells people what became of it.
	tell func(ctx context.Context, text string) error
	sent Sent
}

// all sends every part that was not sent yet. One that fails keeps none of the
// others back.
func (s *sending) all(ctx context.Context, by auth.Actor) error {
	pictures, err := s.desk.Reports.Draw(s.report)
	if err != nil { // the numbers are what counts
		s.desk.Log.ErrorContext(ctx, "drawing the report's pictures", "report", s.policy.Name, "error", err)
	}
	var failed []error
	if s.policy.Slack {
		failed = append(failed, s.toSlack(ctx, pictures))
	}
	if s.policy.Mail != nil {
		failed = append(failed, s.toMail(ctx, pictures))
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	_, err = s.part(ctx, partTrail, func(context.Context) (string, error) {
		e := auth.Entry{Act: auth.ActReport, Outcome: auth.Done, Reason: s.policy.Name, Note: s.period() + "; " + strings.Join(s.sent.Where, "; ")}
		if s.sent.Amiss {
			e.Outcome = auth.Refused
		}
		s.desk.record(ctx, by, e)
		return "recorded", nil
	})
	return err
}

func (s *sending) period() string {
	p := s.report.Period
	return p.From.Format(time.RFC3339) + " to " + p.To.Format(time.RFC3339)
}

// files are the data: the CSV, and the whole as JSON.
func (s *sending) files() ([]report.File, error) {
	var table bytes.Buffer
	if err := s.desk.Reports.CSV(&table, s.report); err != nil {
		return nil, fmt.Errorf("writing the report's CSV: %w", err)
	}
	whole, err := s.report.Encode()
	if err != nil {
		return nil, err
	}
	stem := "sekisho-" + strings.TrimPrefix(s.policy.Name+"-", "-") + s.report.Period.To.Format("2006-01-02")
	return []report.File{
		{Name: stem + ".csv", Title: "The report as a table (CSV)", Type: "text/csv; charset=utf-8", Content: table.Bytes()},
		{Name: stem + ".json", Title: "The whole report as JSON", Type: "application/json", Content: whole},
	}, nil
}
