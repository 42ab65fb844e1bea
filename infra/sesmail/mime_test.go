package sesmail_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"flag"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/cryptotest"
	"time"

	"sekisho/auth/report"
	"sekisho/infra/sesmail"
)

var update = flag.Bool("update", false, "write the golden file anew")

const golden = "testdata/weekly.eml"

func weekly(t *testing.T) report.Mail {
	t.Helper()
	picture, err := os.ReadFile("testdata/starts.png")
	if err != nil {
		t.Fatal(err)
	}
	return report.Mail{
		From:    "Sekisho 関所 <bot@example.com>",
		To:      []string{"Jörg Größe <joerg@example.com>", "security@example.org"},
		Subject: "Sekisho report · weekly · account 123456789012 · 16–23 Nov 2026",
		Text: "Starts: 12, of which 3 were stopped ▲\n\n.\nFrom here on all is well.\n" +
			strings.Repeat("A line that is longer than a line of mail may be, and = signs. ", 20) + "\n",
		HTML: `<p>Starts: 12 ▲</p><img src="cid:starts.png" alt="Starts by day"><img src="cid:keys.png" alt="Keys">` + "\n",
		Inline: []report.File{
			{Name: "starts.png", Type: "image/png", Content: picture},
			{Name: "keys.png", Type: "image/png", Content: picture[:60]},
		},
		Attached: []report.File{
			{Name: "report-weekly.json", Type: "application/json", Content: []byte("{\"name\":\n\"weekly ▲\"}")},
			{Name: "report.csv", Type: "text/csv; charset=utf-8", Content: []byte("section,what\r\nstarts,12\n")},
		},
	}
}

// The bubble's clock and the seed make each byte what it is, wherever it is written.
func TestTheMailIsAsWritten(t *testing.T) {
	here := time.Local
	t.Cleanup(func() { time.Local = here })
	time.Local = time.FixedZone("Tokyo", 9*60*60)
	cryptotest.SetGlobalRandom(t, 1)
	inWorld(t, func(t *testing.T, m *sesmail.Mailer, s *ses) {
		if _, err := m.Send(t.Context(), weekly(t)); err != nil {
			t.Fatal(err)
		}
		got, _ := s.seen()
		raw := got[0].Content.Raw.Data
		if *update {
			if err := os.WriteFile(golden, raw, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(raw, want) {
			t.Errorf("the mail is not %s (-update writes it):\n%s", golden, raw)
		}
	}, taken)
}

func TestTheMailIsReadAsItWasMeant(t *testing.T) {
	raw, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	m, sent := parsed(t, raw), weekly(t)
	wantEqual(t, "headers", slices.Sorted(maps.Keys(m.Header)),
		[]string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"})
	wantEqual(t, "Auto-Submitted", m.Header.Get("Auto-Submitted"), "auto-generated")
	wantEqual(t, "Date", m.Header.Get("Date"), "Sat, 01 Jan 2000 00:00:00 +0000")
	wantEqual(t, "subject", decoded(t, m.Header.Get("Subject")), sent.Subject)
	from, to := addresses(t, m, "From"), addresses(t, m, "To")
	wantEqual(t, "from", from, []netmail.Address{{Name: "Sekisho 関所", Address: "bot@example.com"}})
	wantEqual(t, "to", to, []netmail.Address{
		{Name: "Jörg Größe", Address: "joerg@example.com"}, {Address: "security@example.org"},
	})
	if id := m.Header.Get("Message-Id"); !strings.HasSuffix(id, "@example.com>") {
		t.Errorf("the message id says where it was written: %s", id)
	}

	mixed := parts(t, "multipart/mixed", m.Header.Get("Content-Type"), m.Body)
	if len(mixed) != 3 {
		t.Fatalf("%d parts, want what is read and two files", len(mixed))
	}
	related := parts(t, "multipart/related", mixed[0].header("Content-Type"), mixed[0].body())
	if len(related) != 3 {
		t.Fatalf("%d parts, want the texts and two pictures", len(related))
	}
	texts := parts(t, "multipart/alternative", related[0].header("Content-Type"), related[0].body())
	if len(texts) != 2 {
		t.Fatalf("%d parts, want text and HTML", len(texts))
	}
	for i, want := range []string{sent.Text, sent.HTML} { // the better one last
		kind := []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"}[i]
		wantEqual(t, "type", texts[i].header("Content-Type"), kind)
		wantEqual(t, kind, strings.ReplaceAll(string(texts[i].content(t)), "\r\n", "\n"), want)
	}
	for i, f := range sent.Inline {
		related[i+1].wantFile(t, f, "inline")
		wantEqual(t, "Content-ID", related[i+1].header("Content-Id"), "<"+f.Name+">")
	}
	for i, f := range sent.Attached {
		mixed[i+1].wantFile(t, f, "attachment")
	}
}

// https://www.rfc-editor.org/rfc/rfc5322#section-2.1.1
func TestEveryServerTakesTheLines(t *testing.T) {
	raw, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(raw), "\r\n"), "\r\n") {
		if len(line) > 78 || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' && c != '\t' || c > '~' }) {
			t.Errorf("no line of mail: %q", line)
		}
	}
}

// Whatever stands in a value, no header comes of it and nobody else is sent to.
func TestNothingIsInjected(t *testing.T) {
	evil := []string{
		"\r\nBcc: eve@example.net", "\nBcc: eve@example.net\n\nhello", "\r\n\r\n<b>hello</b>", "\rBcc: eve@example.net",
		"\u2028Bcc: eve@example.net", "\r\n", "\x00", "\x1b[31m", "=?utf-8?q?=0D=0ABcc:_eve@example.net?=",
		`"; filename="eve.exe`, `" <eve@example.net>, "`, ", eve@example.net", strings.Repeat("x", 2000), strings.Repeat("関", 500),
	}
	attach := func(m *report.Mail, name, kind string) { m.Attached = []report.File{{Name: name, Type: kind}} }
	for where, put := range map[string]func(*report.Mail, string){
		"subject":          func(m *report.Mail, e string) { m.Subject = "report " + e },
		"sender's name":    func(m *report.Mail, e string) { m.From = "Bot " + e + " <bot@example.com>" },
		"sender quoted":    func(m *report.Mail, e string) { m.From = `"Bot ` + e + `" <bot@example.com>` },
		"sender":           func(m *report.Mail, e string) { m.From = "bot@example.com" + e },
		"recipient's name": func(m *report.Mail, e string) { m.To[0] = "Ann " + e + " <ann@example.com>" },
		"recipient":        func(m *report.Mail, e string) { m.To[0] = e + "ann@example.com" },
		"picture's name":   func(m *report.Mail, e string) { m.Inline = []report.File{{Name: "a.png" + e, Type: "image/png"}} },
		"file's name":      func(m *report.Mail, e string) { attach(m, e+"a.json", "text/plain") },
		"file's type":      func(m *report.Mail, e string) { attach(m, "a.json", "text/plain"+e) },
		"type's parameter": func(m *report.Mail, e string) { attach(m, "a.json", `text/plain; a="`+e+`"`) },
		"text":             func(m *report.Mail, e string) { m.Text = e },
		"configuration":    func(m *report.Mail, e string) { m.ConfigurationSet = e },
	} {
		for _, e := range evil {
			inWorld(t, func(t *testing.T, m *sesmail.Mailer, s *ses) {
				mail := mail()
				put(&mail, e)
				_, err := m.Send(t.Context(), mail)
				got, _ := s.seen()
				if errors.Is(err, report.ErrUnsure) || (err != nil) != (len(got) == 0) {
					t.Fatalf("%s %.40q: %v, %d requests", where, e, err, len(got))
				}
				if err == nil {
					clean(t, where, got[0])
				}
			}, taken)
		}
	}
}

// What would have to be quoted is a mistake of ours, and not SES's to refuse.
func TestAFileThatNeedsQuotesIsNotSent(t *testing.T) {
	for _, f := range []report.File{
		{Type: "text/csv"},
		{Name: "a b.csv", Type: "text/csv"},
		{Name: "../a.csv", Type: "text/csv"},
		{Name: "größe.csv", Type: "text/csv"},
		{Name: "a.csv"},
		{Name: "a.csv", Type: "csv, text"},
	} {
		for _, mail := range []report.Mail{{Inline: []report.File{f}}, {Attached: []report.File{f}}} {
			inWorld(t, func(t *testing.T, m *sesmail.Mailer, s *ses) {
				mail.From, mail.To = "bot@example.com", []string{"ann@example.com"}
				_, err := m.Send(t.Context(), mail)
				_, refusal := errors.AsType[*report.MailRefusal](err)
				if got, _ := s.seen(); err == nil || refusal || len(got) != 0 {
					t.Errorf("%q of type %q: %v, %d requests", f.Name, f.Type, err, len(got))
				}
			}, taken)
		}
	}
}

func clean(t *testing.T, where string, got request) {
	t.Helper()
	m := parsed(t, got.Content.Raw.Data)
	wantEqual(t, where+": headers", slices.Sorted(maps.Keys(m.Header)),
		[]string{"Auto-Submitted", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Subject", "To"})
	to, from := addresses(t, m, "To"), addresses(t, m, "From")
	if len(from) != 1 || len(to) != 2 || strings.Contains(to[0].Address, "eve") || to[1].Address != "ben@example.org" {
		t.Errorf("%s: from %q to %q", where, from, to)
	}
	if where != "recipient" && !slices.Equal(got.Destination.ToAddresses, []string{"ann@example.com", "ben@example.org"}) {
		t.Errorf("%s: sent to %q", where, got.Destination.ToAddresses)
	}
	wellFormed(t, where, m.Header.Get("Content-Type"), m.Body)
	if subject := decoded(t, m.Header.Get("Subject")); strings.ContainsAny(subject, "\r\n") {
		t.Errorf("%s: the subject has lines: %q", where, subject)
	}
}

func wellFormed(t *testing.T, where, contentType string, body io.Reader) {
	t.Helper()
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Errorf("%s: type %q: %v", where, contentType, err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		return
	}
	for _, p := range parts(t, kind, contentType, body) {
		for header := range p.Header {
			if !strings.HasPrefix(header, "Content-") {
				t.Errorf("%s: a part has the header %s", where, header)
			}
		}
		wellFormed(t, where, p.header("Content-Type"), p.body())
	}
}

func parsed(t *testing.T, raw []byte) *netmail.Message {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatalf("%v:\n%s", err, raw)
	}
	return m
}

func addresses(t *testing.T, m *netmail.Message, header string) []netmail.Address {
	t.Helper()
	list, err := m.Header.AddressList(header)
	if err != nil {
		t.Errorf("%s: %v", header, err)
	}
	var all []netmail.Address
	for _, a := range list {
		all = append(all, *a)
	}
	return all
}

func decoded(t *testing.T, text string) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(text)
	if err != nil {
		t.Error(err)
	}
	return text
}

// part is one of a multipart, with its content as it was transferred.
type part struct {
	*multipart.Part
	raw []byte
}

func parts(t *testing.T, kind, contentType string, body io.Reader) []part {
	t.Helper()
	got, parameters, err := mime.ParseMediaType(contentType)
	if err != nil || got != kind {
		t.Fatalf("type %q, error %v; want %s", contentType, err, kind)
	}
	var all []part
	for r := multipart.NewReader(body, parameters["boundary"]); ; {
		p, err := r.NextRawPart()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, part{p, raw})
	}
}

func (p part) header(name string) string { return p.Header.Get(name) }
func (p part) body() io.Reader           { return bytes.NewReader(p.raw) }

func (p part) content(t *testing.T) []byte {
	t.Helper()
	r := p.body()
	switch p.header("Content-Transfer-Encoding") {
	case "base64":
		r = base64.NewDecoder(base64.StdEncoding, r)
	case "quoted-printable":
		r = quotedprintable.NewReader(r)
	default:
		t.Errorf("transferred as %q", p.header("Content-Transfer-Encoding"))
	}
	content, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return content
}

func (p part) wantFile(t *testing.T, f report.File, how string) {
	t.Helper()
	disposition, named, err := mime.ParseMediaType(p.header("Content-Disposition"))
	if err != nil || disposition != how || named["filename"] != f.Name {
		t.Errorf("%s: Content-Disposition %q, error %v", f.Name, p.header("Content-Disposition"), err)
	}
	kind, _, _ := strings.Cut(p.header("Content-Type"), "; name=")
	wantEqual(t, f.Name+": type", kind, f.Type)
	if !bytes.Equal(p.content(t), f.Content) {
		t.Errorf("%s: the content is another", f.Name)
	}
}
