package auth

import "time"

// ReportPolicy is one report that goes out by a schedule.
type ReportPolicy struct {
	Name   string // by which the schedule's event calls it
	Every  time.Duration
	Slack  bool        // into Channels.Reports
	Mail   *MailPolicy // nil: no mail
	Keep   int         // how many reports are kept to compare with
	CIS    string      // version of the CIS AWS Foundations Benchmark whose numbers are given
	Ask    []string    // Slack ids of users and user groups who may ask for it, besides those who decide about keys
	Tables TableForm
}

// MailPolicy is where a report goes by mail. The addresses must be verified in SES.
type MailPolicy struct {
	From             string
	To               []string // 50 at most
	ConfigurationSet string   // of SES, which says where its events go; may be empty
}

// TableForm is how Slack is given a table. Not every workspace has the newer forms;
// where Slack refuses one, the next is taken.
type TableForm string

const (
	DataTable TableForm = "data_table" // can be sorted, https://docs.slack.dev/reference/block-kit/blocks/data-table-block
	Table     TableForm = "table"
	TextTable TableForm = "text"
)

// DefaultReport is a report with everything that the operator may leave unsaid.
func DefaultReport() ReportPolicy {
	return ReportPolicy{Keep: 26, CIS: "7.0", Tables: DataTable}
}

// Report finds the policy's report of that name.
func (p *Policy) Report(name string) (ReportPolicy, bool) {
	for _, r := range p.Reports {
		if r.Name == name {
			return r, true
		}
	}
	return ReportPolicy{}, false
}

// FirstReport is the one that is meant where nobody says which.
func (p *Policy) FirstReport() (ReportPolicy, bool) {
	if len(p.Reports) == 0 {
		return ReportPolicy{}, false
	}
	return p.Reports[0], true
}
