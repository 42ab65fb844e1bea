package commands

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"sekisho/auth/report"
)

// toMail sends the mail. Why SES does not take one is told to people, and it is
// not tried again.
func (s *sending) toMail(ctx context.Context, pictures []report.File) error {
	to := strings.Join(s.policy.Mail.To, ", ")
	r, err := s.part(ctx, partMail, func(ctx context.Context) (string, error) {
		m, err := s.mail(pictures)
		if err != nil {
			return "", err
		}
		id, err := s.desk.Reports.Mailer.Send(ctx, m)
		var refused *report.MailRefusal
		if errors.As(err, &refused) {
			return mailRefused, s.mailRefused(ctx, refused)
		}
		return id, err
	})
	switch {
	case err != nil:
	case r.doubt:
		s.sent.add(true, "mail to %s: not known whether it was taken", to)
	case r.ref == mailRefused:
		s.sent.add(true, "mail to %s: refused by SES", to)
	default:
		s.sent.add(false, "mail to %s", to)
	}
	return err
}

// mailRefused stands where a mail's id would.
const mailRefused = "refused"

func (s *sending) mail(pictures []report.File) (report.Mail, error) {
	var text, html bytes.Buffer
	if err := errors.Join(s.desk.Reports.Text(&text, s.report), s.desk.Reports.HTML(&html, s.report, pictures)); err != nil {
		return report.Mail{}, fmt.Errorf("writing the report's mail: %w", err)
	}
	files, err := s.files()
	if err != nil {
		return report.Mail{}, err
	}
	to := s.policy.Mail
	return report.Mail{
		From: to.From, To: to.To, ConfigurationSet: to.ConfigurationSet, Subject: s.desk.Reports.Title(s.report),
		Text: text.String(), HTML: html.String(), Inline: pictures, Attached: files,
	}, nil
}

func (s *sending) mailRefused(ctx context.Context, r *report.MailRefusal) error {
	s.desk.Log.ErrorContext(ctx, "SES does not take the report's mail", "report", s.policy.Name, "error", r)
	return s.tell(ctx, fmt.Sprintf(":incoming_envelope: *%s: its mail was not sent.* SES says: %s.\n*Next:* %s. Then: %s.",
		s.called, quoted(r.Why, 500), escaped(r.Next, 800), s.again))
}
