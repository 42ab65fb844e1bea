package awssim

import (
	"encoding/base64"
	"net/http"
)

// The states of GenerateCredentialReport.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GenerateCredentialReport.html
const (
	reportStarted    = "STARTED"
	reportInProgress = "INPROGRESS"
	reportComplete   = "COMPLETE"
)

// iamGenerateCredentialReport begins a report, unless there is one that is good still.
func (c *Cloud) iamGenerateCredentialReport(form) (any, error) {
	type result struct {
		State       string
		Description string `xml:",omitempty"`
	}
	c.awaitReport()
	switch r := &c.report; {
	case r.pending:
		return result{State: reportInProgress}, nil
	case r.fresh(c.opts.Now()):
		return result{State: reportComplete}, nil
	default:
		r.pending, r.left = true, r.takes
		return result{reportStarted, "No report exists. Starting a new report generation task"}, nil
	}
}

// iamGetCredentialReport never makes a report.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html
func (c *Cloud) iamGetCredentialReport(form) (any, error) {
	c.awaitReport()
	switch r := &c.report; {
	case r.pending:
		return nil, &APIError{"ReportInProgress", "The credential report is still being made.", http.StatusNotFound}
	case r.content == nil:
		return nil, &APIError{"ReportNotPresent", "There is no credential report. Generate one.", http.StatusGone}
	case !r.fresh(c.opts.Now()):
		return nil, &APIError{"ReportExpired", "The credential report is older than four hours. Generate a new one.", http.StatusGone}
	default:
		return struct{ Content, ReportFormat, GeneratedTime string }{
			base64.StdEncoding.EncodeToString(r.content), "text/csv", iamTime(r.made),
		}, nil
	}
}
