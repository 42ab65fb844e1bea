package sesmail

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"sekisho/auth/report"
)

// write writes the letter as MIME:
//
//	mixed
//	├ related
//	│ ├ alternative: text, HTML
//	│ └ pictures, by Content-ID
//	└ attachments
//
// SES puts a Message-ID and a Date of its own in the place of these.
func (l letter) write(w io.Writer, now time.Time) error {
	m := mail.NewMsg(mail.WithNoDefaultUserAgent()) // it would tell the library's version
	m.FromMailAddress(l.from)
	m.ToMailAddress(l.to...)
	m.Subject(line(l.Subject))
	m.SetDateWithValue(now.UTC())
	m.SetMessageIDWithValue(rand.Text() + l.from.Address[strings.LastIndexByte(l.from.Address, '@'):])
	// No answer about an absence: https://www.rfc-editor.org/rfc/rfc3834#section-5
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetBodyString(mail.TypeTextPlain, l.Text)
	m.AddAlternativeString(mail.TypeTextHTML, l.HTML)
	for _, f := range l.Inline {
		kind, err := contentType(f)
		if err != nil {
			return err
		}
		m.EmbedReadSeeker(f.Name, bytes.NewReader(f.Content), kind)
	}
	for _, f := range l.Attached {
		kind, err := contentType(f)
		if err != nil {
			return err
		}
		m.AttachReadSeeker(f.Name, bytes.NewReader(f.Content), kind)
	}
	_, err := m.WriteTo(w)
	return err
}

// line is the text on one line, with nothing in it that a reader would decode.
func line(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "=?", "= ?")
}

// contentType says the file's, and refuses a name or a type that would have to
// be quoted: both stand in headers, and the name in the HTML too.
func contentType(f report.File) (mail.FileOption, error) {
	if f.Name == "" || strings.Trim(f.Name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != "" {
		return nil, fmt.Errorf("a file's name is letters, digits, dots, _ and -, and not %q", f.Name)
	}
	kind, parameters, err := mime.ParseMediaType(f.Type)
	if err != nil {
		return nil, fmt.Errorf("the type of %s: %q: %w", f.Name, f.Type, err)
	}
	return mail.WithFileContentType(mail.ContentType(mime.FormatMediaType(kind, parameters))), nil
}
