package sesmail

import (
	"errors"
	"fmt"
	"net/mail"

	"sekisho/auth/report"
)

// letter is a mail whose addresses were read.
type letter struct {
	report.Mail
	from *mail.Address
	to   []*mail.Address
}

// address reads the addresses. Its error is a *report.MailRefusal.
func address(m report.Mail) (letter, error) {
	if len(m.To) == 0 || len(m.To) > mostTo {
		return letter{}, &report.MailRefusal{
			Why:  fmt.Sprintf("it has %d recipients, and SES takes 1 to %d (%s)", len(m.To), mostTo, quotas),
			Next: "name a mailing list under the report's mail: to: in sekisho.yml",
		}
	}
	from, err := parse(m.From)
	if err != nil {
		return letter{}, err
	}
	l := letter{Mail: m, from: from}
	for _, text := range m.To {
		a, err := parse(text)
		if err != nil {
			return letter{}, err
		}
		l.to = append(l.to, a)
	}
	return l, nil
}

var errQuoted = errors.New("it needs quotes")

func parse(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	if err == nil && (&mail.Address{Address: a.Address}).String() != "<"+a.Address+">" {
		err = errQuoted // without them SES might see two
	}
	if err != nil {
		return nil, &report.MailRefusal{
			Why:  fmt.Sprintf("%q is no address for mail (%v)", text, err),
			Next: `write it in sekisho.yml as ann@example.com or as "Ann <ann@example.com>"`,
		}
	}
	return a, nil
}

// sender is written as in the From header: whichever of the two SES shows, it is the same.
func (l letter) sender() string {
	if l.from.Name == "" {
		return l.from.Address
	}
	return l.from.String()
}

func (l letter) recipients() []string {
	all := make([]string, len(l.to))
	for i, a := range l.to {
		all[i] = a.Address
	}
	return all
}
