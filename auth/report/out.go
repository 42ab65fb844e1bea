package report

import (
	"context"
	"errors"
)

// File is something that people open.
type File struct {
	Name    string // such as starts.png
	Title   string // what it shows, in words: also for those who cannot see it
	Type    string // MIME type
	Content []byte
}

// Mail is a report as mail. Nothing in it is fetched from elsewhere.
type Mail struct {
	From             string
	To               []string
	Subject          string
	Text             string
	HTML             string // shows Inline by cid:NAME
	Inline           []File
	Attached         []File
	ConfigurationSet string // of SES; empty: the identity's own
}

// Mailer sends mail.
type Mailer interface {
	// Send hands the mail over and returns the id that SES gives it. The error is
	// a *MailRefusal where SES will not take it, however often it is tried, and
	// wraps ErrUnsure where it may have been taken. Else it was not.
	Send(ctx context.Context, m Mail) (id string, err error)
}

// ErrUnsure: it is not known whether something was sent.
var ErrUnsure = errors.New("it is not known whether this was sent")

// MailRefusal is why SES does not take a mail, and what to do.
type MailRefusal struct {
	Why  string // what SES says
	Next string
}

func (r *MailRefusal) Error() string { return "SES does not take the mail: " + r.Why + "; " + r.Next }

// SlackFile is a file that Slack has been handed.
type SlackFile struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}
