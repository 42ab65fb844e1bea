package commands

import (
	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
)

var Begins = begins

// ReportCard is a report's message.
func ReportCard(title string, r report.Report, tables auth.TableForm, images ...report.SlackFile) (string, []slack.Block) {
	return reportCard(title, r, form{tables: tables, images: images})
}
