package wire_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/mail"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/commands"
)

const reportsRoom = "C0REPORT"

// reports goes the ways of a report: due, due again, sent once more, put off
// and told of, asked for, printed, and its mail come back.
func (p *process) reports() {
	ctx := p.t.Context()
	end := time.Now().UTC().Truncate(time.Second).Add(time.Second) // not before the trail's last entry
	event := func(source, kind string, detail any) {
		text, _ := json.Marshal(map[string]any{"id": "report", "source": source, "detail-type": kind, "time": end, "detail": detail})
		p.out.err(p.Bot.Event(ctx, text))
	}
	// Older ones first: AWS that shows nothing is waited for, up to a quarter of an hour.
	_, err := p.Desk.SendReport(ctx, auth.Actor{User: "terminal:hana", Door: "terminal"}, commands.ReportTask{Name: "weekly", To: end.Add(-30 * time.Minute), AsItIs: true})
	p.out.err(err)
	event("sekisho.task", "Send a report", map[string]any{"name": "weekly", "to": end.Add(-20 * time.Minute), "try": 7}) // of which people are told
	for _, name := range []string{"weekly", "weekly", "yearly"} {
		event("sekisho.schedule", "Report", map[string]string{"name": name})
	}

	p.ask("/sekisho", "report") // who may not
	p.user = other
	p.ask("/sekisho", "report")
	p.ask("/sekisho", "report keys 30d")
	p.user = owner
	for _, task := range p.tasks() {
		if strings.Contains(task, `"detail-type":"Report to somebody"`) {
			p.out.err(p.Bot.Event(ctx, []byte(task)))
		}
	}
	reply, err := p.Desk.Passes.Pepper.Seal(rand.Reader, "report for "+other+" "+p.response)
	p.out.err(err)
	for n, reply := range []string{reply, p.response} { // also where no queue holds a task, and where nothing is sealed
		event("sekisho.task", "Report to somebody", map[string]any{
			"id": fmt.Sprint("asked ", n), "reply": reply, "to": end, "wanted": map[string]any{"since": end.AddDate(0, 0, -1)},
		})
	}

	came := map[string]any{"bouncedRecipients": []any{map[string]string{"emailAddress": "security@example.com", "diagnosticCode": "smtp; 550 no such user"}}}
	event("aws.ses", "Email Bounced", map[string]any{"mail": map[string]string{"messageId": "m1", "source": "bot@example.com"}, "bounce": came})
	event("aws.ses", "Email Bounced", p.response)

	p.print(report.Order{CIS: auth.DefaultReport().CIS, Period: report.Period{From: end.AddDate(0, 0, -7), To: end}})
	for _, name := range []string{"hangs-up.txt", "repeats.txt", "unreadable.txt", "elsewhere.txt"} {
		_, err := p.Desk.Files.Upload(ctx, report.File{Name: name, Title: "A test", Content: []byte("test")})
		p.out.err(err)
	}
	_, err = p.Desk.Reports.Mailer.Send(ctx, report.Mail{From: "bot@example.com", To: []string{"nobody"}})
	p.out.err(err)
}

// tasks are what the queue holds.
func (p *process) tasks() []string {
	q := p.cloud.Queue(p.queue)
	return slices.Concat(q.Visible, q.Delayed, q.InFlight)
}

// print does what `sekisho report` does, in each form.
func (p *process) print(o report.Order) {
	to, out := p.Desk.Reports, place{p.out, "standard output"}
	r, err := to.Maker.Make(p.t.Context(), o, nil, func(what string) { p.out.add("standard output", what) })
	if err != nil {
		p.out.err(err)
		return
	}
	pictures, err := to.Draw(r)
	whole, encoded := r.Encode()
	out.Write(whole)
	p.out.err(errors.Join(err, encoded, to.Text(out, r), to.CSV(out, r), to.HTML(out, r, pictures)))
}

// hurried waits no minutes for what does not come.
type hurried struct {
	report.CredentialReader
	report.Mailer
}

func (h hurried) Credentials(ctx context.Context) (report.Credentials, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return h.CredentialReader.Credentials(ctx)
}

func (h hurried) Send(ctx context.Context, m report.Mail) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return h.Mailer.Send(ctx, m)
}

// file is the part of Slack that takes files. Their names say how it fails.
func (p *process) file(w http.ResponseWriter, r *http.Request, body []byte) {
	form, _ := url.ParseQuery(string(body))
	form.Del("token") // which is where it belongs
	switch path.Base(r.URL.Path) {
	case "files.getUploadURLExternal":
		p.out.add("a file's name", form.Encode())
		name, at := form.Get("filename"), "http://"+r.Host
		switch name {
		case "unreadable.txt":
			name += "\x7f"
		case "elsewhere.txt":
			at = "https://elsewhere.test"
		}
		json.NewEncoder(w).Encode(map[string]any{"ok": true, "file_id": "F0TEST", "upload_url": at + "/upload/" + secrets["the upload URL"] + "/" + name})
	case "files.completeUploadExternal":
		p.out.add("a file's name", form.Encode())
		io.WriteString(w, `{"ok":true,"files":[{"id":"F0TEST"}]}`)
	case "hangs-up.txt":
		panic(http.ErrAbortHandler)
	case "repeats.txt":
		http.Error(w, "cannot POST "+r.URL.String(), http.StatusInternalServerError)
	default:
		p.out.add("a file", string(body))
		io.WriteString(w, "OK")
	}
}

// readMail reads the mails that were sent, as their recipients do.
func (p *process) readMail() {
	for _, sent := range p.cloud.Mails() {
		m, err := mail.ReadMessage(bytes.NewReader(sent.Raw))
		if err == nil {
			err = readPart(place{p.out, "a mail"}, textproto.MIMEHeader(m.Header), m.Body)
		}
		if err != nil {
			p.t.Errorf("a mail cannot be read: %v", err)
		}
	}
}

func readPart(w io.Writer, header textproto.MIMEHeader, body io.Reader) error {
	for name, values := range header {
		text, err := new(mime.WordDecoder).DecodeHeader(strings.Join(values, ", "))
		if err != nil {
			return err
		}
		fmt.Fprintln(w, name, text)
	}
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		return err
	}
	if !strings.HasPrefix(kind, "multipart/") {
		if header.Get("Content-Transfer-Encoding") == "base64" {
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		text, err := io.ReadAll(body)
		fmt.Fprintf(w, "%s\n", text)
		return err
	}
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		part, err := parts.NextPart() // which undoes quoted-printable
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = readPart(w, part.Header, part)
		}
		if err != nil {
			return err
		}
	}
}

// unpacked is a value of Redis's in clear: reports are kept compressed.
func unpacked(t *testing.T, value string) string {
	if !strings.HasPrefix(value, "\x1f\x8b") {
		return value
	}
	r, err := gzip.NewReader(strings.NewReader(value))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// reported looks whether there were reports to look into, with what AWS said
// where it was read and where it refused.
func (p *process) reported(awsIs string) {
	holds := func(place, what string) {
		p.t.Helper()
		if text := p.text(place); !strings.Contains(text, what) {
			p.t.Errorf("%s does not hold %q: the test does not do what it says\n%s", place, what, text)
		}
	}
	holds("a message in "+reportsRoom, "Security+score")
	holds("a message in D0HANA", "Security+score")
	switch awsIs {
	case works:
		for _, place := range []string{"a file", "a mail", "standard output", "Redis"} {
			holds(place, report.Schema)
			holds(place, owner)
		}
		holds("the queue", "Report to somebody")
	case says:
		holds("a file", "InvalidParameterValue")
		holds("a message in "+alerts, "MessageRejected")
		holds("a message in "+alerts, "SES%3A+InvalidParameterValue")
	case unsigned:
		holds("a file", "SignatureDoesNotMatch")
		holds("an error", "SES: SignatureDoesNotMatch")
	}
}

// examined does what `sekisho doctor` and `/sekisho doctor` do.
func (p *process) examined() {
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*time.Second) // for what is away
	defer cancel()
	for _, l := range p.Desk.Doctor.Examine(ctx) {
		p.out.add("the doctor", l.Says+" "+l.Do)
	}
	p.ask("/sekisho", "doctor")
	p.user = other
	p.ask("/sekisho", "doctor")
	p.user = owner
	for _, task := range p.tasks() {
		if strings.Contains(task, `"detail-type":"Examine for somebody"`) {
			p.out.err(p.Bot.Event(ctx, []byte(task)))
		}
	}
}
