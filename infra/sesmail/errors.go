package sesmail

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"sekisho/auth/report"
)

// failed is the one place that understands SES's errors:
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html#API_SendEmail_Errors
// It says again where the mail was certainly not taken, and may soon be. gone says
// that the request may have gone out.
func (l letter) failed(err error, gone bool) (again bool, _ error) {
	status := 0
	if answer, ok := errors.AsType[*smithyhttp.ResponseError](err); ok {
		status = answer.HTTPStatusCode()
	}
	code, said, err := plain(err)
	next := l.next(code, said)
	switch {
	case next != "":
		return false, &report.MailRefusal{Why: err.Error(), Next: next}
	case !gone, status == http.StatusTooManyRequests, strings.Contains(code, "Throttl"):
		return true, fmt.Errorf("SES: %w", err)
	case status >= 300 && status < 500:
		return false, fmt.Errorf("SES: %w", err)
	}
	return false, fmt.Errorf("%w (SES: %w)", report.ErrUnsure, err)
}

// plain keeps of an error what says something, and no secret: to a signature
// that it does not like AWS may answer with all that was signed, the session
// token among it.
func plain(err error) (code, said string, _ error) {
	if e, ok := errors.AsType[smithy.APIError](err); ok {
		if code, said = e.ErrorCode(), e.ErrorMessage(); strings.Contains(code, "Signature") {
			return code, "", errors.New(code)
		}
		return code, said, errors.New(code + ": " + said)
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return "", "", e
	}
	return "", "", err
}

// next says what to do about what stays refused, however often it is tried.
func (l letter) next(code, said string) string {
	switch code {
	case "MessageRejected":
		if strings.Contains(said, "not verified") {
			return l.verify(said)
		}
		if strings.Contains(said, "Sending paused") {
			return paused
		}
		return "look at the report's text and files: it is their content that SES does not take"
	case "MailFromDomainNotVerifiedException":
		return "put the MX record of " + l.from.Address + "'s MAIL FROM domain back into DNS, as SES's console shows it, " +
			"or take that domain off the identity"
	case "SendingPausedException":
		return paused
	case "AccountSuspendedException":
		return "answer AWS in AWS Support, or send from another account: this one is kept from sending for good"
	case "LimitExceededException":
		return quota
	case "TooManyRequestsException", "ThrottlingException", "Throttling":
		if strings.Contains(said, "Daily message quota") {
			return quota
		}
	case "NotFoundException":
		if l.ConfigurationSet == "" {
			return "give " + l.from.Address + " another default configuration set in SES, or none"
		}
		return "make the configuration set " + l.ConfigurationSet + " in SES, in the bot's region, or name another in sekisho.yml"
	case "AccessDeniedException", "AccessDenied":
		what := "the identity of " + l.from.Address
		if l.ConfigurationSet != "" {
			what += " and on the configuration set " + l.ConfigurationSet
		}
		return "allow the bot's role ses:SendEmail and ses:SendRawEmail on " + what
	case "BadRequestException":
		return "correct the report's mail: in sekisho.yml"
	}
	return ""
}

const (
	paused = "see why in SES's console, under Account dashboard and Reputation metrics, and resume sending there, " +
		"for the account or for its configuration set"
	quota = "wait, 24 hours at most, or ask for a higher sending quota: " +
		"https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-request-increase.html"
	production = "https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html"
)

// verify names whom SES has not verified. Recipients need it in the sandbox only.
func (l letter) verify(said string) string {
	failed := strings.FieldsFunc(said, func(c rune) bool { return strings.ContainsRune(` ,;:<>"`, c) })
	lacks := func(address string) bool {
		for _, word := range failed {
			if strings.EqualFold(strings.TrimRight(word, ".…"), address) {
				return true
			}
		}
		return false
	}
	var steps []string
	if lacks(l.from.Address) {
		steps = append(steps, "verify the sender "+l.from.Address+", or its domain, in SES in that region")
	}
	var to []string
	for _, a := range l.to {
		if lacks(a.Address) {
			to = append(to, a.Address)
		}
	}
	if len(to) > 0 {
		steps = append(steps, "SES's sandbox sends to verified addresses only: verify "+strings.Join(to, ", ")+
			" in that region, or leave the sandbox by asking AWS for production access ("+production+")")
	}
	if len(steps) == 0 {
		return "verify these identities in SES in that region"
	}
	return strings.Join(steps, "; ")
}
