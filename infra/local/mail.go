package local

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/infra/local/awssim"
)

// mailView is a mail as the list shows it.
type mailView struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Bounced bool      `json:"bounced"`
}

// mails are those that SES took, oldest first.
func (w *World) mails() []mailView {
	views := []mailView{} // never null on the page
	sent := w.AWS.Mails()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range sent {
		views = append(views, mailView{m.ID, m.At, m.From, strings.Join(m.To, ", "), subject(m.Raw), w.bounced[m.ID]})
	}
	return views
}

// letterView is a mail that was opened.
type letterView struct {
	Subject     string           `json:"subject"`
	From        string           `json:"from"` // this and the next as the mail says, not as SES was told
	To          string           `json:"to"`
	Size        int              `json:"size"` // bytes, as it was sent
	HTML        bool             `json:"html"` // there is such a part
	Text        *string          `json:"text"`
	Attachments []attachmentView `json:"attachments"`
	Problem     string           `json:"problem"` // why there may be less than was sent
}

type attachmentView struct {
	Part int    `json:"part"`
	Name string `json:"name"`
	Type string `json:"type"`
	Size int    `json:"size"` // bytes
}

// withMail serves something of one mail, named in the path.
func (w *World) withMail(serve func(http.ResponseWriter, *http.Request, awssim.Mail)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		m, found := w.AWS.Mail(r.PathValue("id"))
		if !found {
			writeRefusal(rw, http.StatusNotFound, "mail_not_found", "SES keeps no such mail here.")
			return
		}
		serve(rw, r, m)
	}
}

func serveLetter(rw http.ResponseWriter, _ *http.Request, m awssim.Mail) {
	l, err := readLetter(m.Raw)
	view := letterView{
		Subject: l.subject, From: l.from, To: l.to, Size: len(m.Raw), HTML: l.html != nil,
		Attachments: []attachmentView{}, // never null on the page
	}
	if err != nil {
		view.Problem = err.Error()
	}
	if l.text != nil {
		text := l.text.words()
		view.Text = &text
	}
	for i := range l.parts {
		p := &l.parts[i]
		if p == l.html || p == l.text || l.html != nil && p.cid != "" && !p.attached {
			continue // it is read, or seen in what is read
		}
		view.Attachments = append(view.Attachments, attachmentView{i, fileName(*p, i), p.kind, len(p.data)})
	}
	rw.Header().Set("Content-Type", "application/json")
	json.NewEncoder(rw).Encode(view) // a page that has gone needs no answer
}

func fileName(p part, i int) string {
	if p.name != "" {
		return p.name
	}
	return fmt.Sprintf("part-%d", i+1)
}

// letterPolicy lets a mail's HTML show its own words and pictures. Scripts do not run, and nothing is loaded from elsewhere;
// a link opens in a tab of its own.
const letterPolicy = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

func serveLetterHTML(rw http.ResponseWriter, _ *http.Request, m awssim.Mail) {
	l, _ := readLetter(m.Raw) // its problem is shown beside it
	if l.html == nil {
		writeRefusal(rw, http.StatusNotFound, "no_html", "This mail has no HTML part.")
		return
	}
	h := rw.Header()
	h.Set("Content-Security-Policy", letterPolicy)
	h.Set("X-DNS-Prefetch-Control", "off")
	h.Set("Content-Type", "text/html; charset=utf-8")
	rw.Write([]byte(l.page(m.ID)))
}

var (
	cidAddress = regexp.MustCompile(`(?i)\bcid:([^\s"'()<>]+)`)
	headTag    = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)
	outerTag   = regexp.MustCompile(`(?i)<(link|i?frame)`)
)

// page is the HTML with its own pictures found. Links open elsewhere, since the frame may not leave the mail.
func (l letter) page(id string) string {
	// A browser connects to the host of a link or a frame before it asks the policy.
	text := outerTag.ReplaceAllString(l.html.words(), "<no-$1")
	text = headTag.ReplaceAllString(text, `$0<base target="_blank">`)
	return cidAddress.ReplaceAllStringFunc(text, func(address string) string {
		cid, err := url.PathUnescape(html.UnescapeString(address[len("cid:"):]))
		i := slices.IndexFunc(l.parts, func(p part) bool { return p.cid == cid })
		if err != nil || i < 0 {
			return address
		}
		return fmt.Sprintf("/world/mail/%s/part/%d", url.PathEscape(id), i)
	})
}

func serveLetterPart(rw http.ResponseWriter, r *http.Request, m awssim.Mail) {
	l, _ := readLetter(m.Raw)
	i, err := strconv.Atoi(r.PathValue("part"))
	if err != nil || i < 0 || i >= len(l.parts) {
		writeRefusal(rw, http.StatusNotFound, "no_part", "This mail has no such part.")
		return
	}
	rw.Header().Set("Cross-Origin-Resource-Policy", "cross-origin") // a frame in a sandbox is of no origin
	writeFile(rw, fileName(l.parts[i], i), l.parts[i].kind, l.parts[i].data)
}

func serveLetterSource(rw http.ResponseWriter, _ *http.Request, m awssim.Mail) {
	writeFile(rw, "mail.eml", "message/rfc822", m.Raw)
}

type bounceInput struct {
	Mail string `json:"mail"` // id
}

// bounce is the recipient's server not taking a mail, of which SES tells by an event.
func (w *World) bounce(_ context.Context, in bounceInput) error {
	m, _ := w.AWS.Mail(in.Mail)
	if err := w.AWS.Bounce(in.Mail); err != nil {
		return w.notDone(err, entry{Detail: "SES: bounce refused"})
	}
	w.mu.Lock()
	w.bounced[in.Mail] = true
	w.mu.Unlock()
	w.journal.add(entry{Kind: "bounce", Name: strings.Join(m.To, ", ")})
	w.changed()
	return nil
}
