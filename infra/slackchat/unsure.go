package slackchat

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"github.com/slack-go/slack"

	"sekisho/auth/report"
)

// errUnsent: the request never left.
var errUnsent = errors.New("it was not sent")

// unsaid is unreachable for what must not be said twice: it marks an error after
// which something may stand in Slack all the same with report.ErrUnsure.
func (c *Chat) unsaid(err error) error {
	if answered(err) {
		return c.unreachable(err)
	}
	return fmt.Errorf("%w: %w", report.ErrUnsure, c.unreachable(err))
}

// answered says whether Slack certainly did not do what was asked: it said no,
// or the request never reached it.
func answered(err error) bool {
	var (
		limited *slack.RateLimitedError
		status  slack.StatusCodeError
		network *net.OpError
		unknown *net.DNSError
		others  *tls.CertificateVerificationError
	)
	switch no := refusal(err).Err; {
	case no == "internal_error", no == "fatal_error":
		// Some of it may have been done before: https://docs.slack.dev/reference/methods/chat.postMessage#errors
		return false
	case no != "", errors.As(err, &limited):
		return true
	case errors.As(err, &status):
		return status.Code < http.StatusInternalServerError || status.Code == http.StatusServiceUnavailable
	case errors.As(err, &network):
		return network.Op == "dial" || network.Op == "proxyconnect"
	}
	return errors.Is(err, errUnsent) || errors.As(err, &unknown) || errors.As(err, &others)
}
