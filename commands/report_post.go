package commands

import (
	"context"
	"errors"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
)

// freshFile is how long Slack may need before it shows a file that was just
// uploaded. It names no time, and refuses the message until then (seen by
// others; https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object
// is silent).
const freshFile = 3 * time.Second

// form is one way to show a report in Slack.
type form struct {
	tables auth.TableForm
	images []report.SlackFile
	bare   bool // there are no files below
}

// forms are the ways to try, the best first: not every workspace takes every
// block, and Slack does not say which one it does not take.
func forms(first auth.TableForm, images []report.SlackFile) []form {
	tables := []auth.TableForm{auth.DataTable, auth.Table, auth.TextTable}
	for len(tables) > 1 && tables[0] != first {
		tables = tables[1:]
	}
	var all []form
	if len(images) > 0 {
		all = append(all, form{tables: tables[0], images: images})
		for _, t := range tables {
			all = append(all, form{tables: t, images: images})
		}
	}
	for _, t := range tables {
		all = append(all, form{tables: t})
	}
	return all
}

// inAForm posts the card in the best form that Slack takes.
func (s *sending) inAForm(ctx context.Context, images []report.SlackFile) (p posted, err error) {
	for n, f := range forms(s.policy.Tables, images) {
		if n == 1 && len(f.images) > 0 {
			if err := s.desk.Gate.Pause(ctx, freshFile); err != nil {
				return posted{}, err
			}
		}
		text, blocks := reportCard(s.desk.Reports.Title(s.report), s.report, f)
		p, err = s.post(ctx, text, blocks)
		if p.Pictures = len(f.images) > 0; !errors.Is(err, auth.ErrBlocks) {
			return p, err
		}
		s.desk.Log.InfoContext(ctx, "Slack does not take the report in this form", "tables", f.tables, "pictures", len(f.images), "error", err)
	}
	return p, err
}

// inReports says something in the channel of reports; where the bot cannot write
// there, in the alerts.
func (d *Desk) inReports(ctx context.Context, text string, blocks []slack.Block) (posted, error) {
	channel, ts, err := d.postCard(ctx, d.Policy.Channels.Reports, text, blocks)
	return posted{Channel: channel, TS: ts}, err
}
