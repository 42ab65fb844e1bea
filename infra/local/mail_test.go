package local

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
)

const recipient = "security@example.com"

// sendMail sends it as the bot does, and returns SES's id.
func sendMail(t *testing.T, w *World, raw string) string {
	t.Helper()
	sent, err := trySend(t, w, raw)
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(sent.MessageId)
}

func trySend(t *testing.T, w *World, raw string) (*sesv2.SendEmailOutput, error) {
	t.Helper()
	useEnvironment(t, w)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	client := sesv2.NewFromConfig(cfg, func(o *sesv2.Options) { o.Retryer = aws.NopRetryer{} })
	return client.SendEmail(t.Context(), &sesv2.SendEmailInput{
		FromEmailAddress: aws.String(sender),
		Destination:      &types.Destination{ToAddresses: []string{recipient}},
		Content:          &types.EmailContent{Raw: &types.RawMessage{Data: []byte(raw)}},
	})
}

// square is a picture, and enough of it to be seen.
func square(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 320, 120))
	for i := range m.Pix {
		m.Pix[i] = []byte{0, 96, 160, 255}[i%4]
	}
	var out bytes.Buffer
	if err := png.Encode(&out, m); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// keysFile is an attachment in which every byte counts.
const keysFile = "user,key\r\nben,\"=1+1\"\r\nJos\u00e9,\u2713\r\n"

// report is a mail as the bot writes them: multipart/mixed(related(alternative(text, HTML), picture), file).
func report(t *testing.T, page string) string {
	t.Helper()
	lines := []string{
		"From: Sekisho <" + sender + ">",
		"To: " + recipient,
		"Subject: " + mime.QEncoding.Encode("utf-8", "Weekly report · 3 findings"),
		"MIME-Version: 1.0",
		"Content-Type: multipart/mixed; boundary=outer", "",
		"--outer", "Content-Type: multipart/related; boundary=middle", "",
		"--middle", "Content-Type: multipart/alternative; boundary=inner", "",
		"--inner", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "",
		"Starts: 12 admitted =C2=B7 3 refused=", " (soft)", "",
		"--inner", "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: base64", "",
		encoded([]byte(page)),
		"--inner--",
		"--middle", "Content-Type: image/png", "Content-ID: <starts.png>", "Content-Disposition: inline; filename=starts.png", "Content-Transfer-Encoding: base64", "",
		encoded(square(t)),
		"--middle--",
		"--outer", "Content-Type: text/csv", "Content-Disposition: attachment; filename*=utf-8''keys%20%E2%9C%93.csv", "Content-Transfer-Encoding: base64", "",
		encoded([]byte(keysFile)),
		"--outer--", "",
	}
	return strings.Join(lines, "\r\n")
}

// encoded is base64 in lines.
func encoded(data []byte) string {
	var out strings.Builder
	for text := base64.StdEncoding.EncodeToString(data); text != ""; {
		n := min(76, len(text))
		out.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
	return out.String()
}

const weekly = `<!doctype html><html><head><title>Weekly</title></head><body><h1>Weekly</h1>
<p><img src="cid:starts.png" alt="Starts per day"> <a href="https://example.com/">more</a></p></body></html>`

// get reads what the page would, and fails unless the answer has the status.
func get(t *testing.T, base, path string, status int) (http.Header, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != status {
		t.Fatalf("%s: %d %v, want %d: %.200s", path, answer.StatusCode, err, status, body)
	}
	return answer.Header, body
}

func openLetter(t *testing.T, base, id string) letterView {
	t.Helper()
	_, body := get(t, base, "/world/mail/"+id, http.StatusOK)
	var l letterView
	if err := json.Unmarshal(body, &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestMailIsServed(t *testing.T) {
	w, base := newWorld(t, Options{})
	id := sendMail(t, w, report(t, weekly))
	listed := w.snapshot("U0HANA").Mails
	line := mailView{ID: id, Subject: "Weekly report · 3 findings", From: sender, To: recipient}
	if len(listed) != 1 || listed[0].At.IsZero() {
		t.Fatalf("the list is %+v", listed)
	}
	if line.At = listed[0].At; listed[0] != line {
		t.Errorf("the list says %+v, want %+v", listed[0], line)
	}
	l := openLetter(t, base, id)
	want := []attachmentView{{3, "keys ✓.csv", "text/csv", len(keysFile)}}
	if !l.HTML || l.Text == nil || *l.Text != "Starts: 12 admitted · 3 refused (soft)\r\n" || l.From != "Sekisho <bot@example.com>" {
		t.Errorf("opened: %+v", l)
	}
	if !slices.Equal(l.Attachments, want) || l.Problem != "" {
		t.Errorf("attached: %+v %s", l.Attachments, l.Problem)
	}
	h, body := get(t, base, "/world/mail/"+id+"/html", http.StatusOK)
	if h.Get("Content-Security-Policy") != letterPolicy || h.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("the HTML comes with %q", h)
	}
	if picture := `<img src="/world/mail/` + id + `/part/2" alt=`; !strings.Contains(string(body), picture) {
		t.Errorf("no %s in %s", picture, body)
	}
	h, body = get(t, base, "/world/mail/"+id+"/part/2", http.StatusOK)
	if !bytes.Equal(body, square(t)) || h.Get("Content-Type") != "image/png" || h.Get("Content-Disposition") != "" {
		t.Errorf("the picture: %q, %d bytes", h, len(body))
	}
	h, body = get(t, base, "/world/mail/"+id+"/part/3", http.StatusOK)
	if string(body) != keysFile || h.Get("Content-Disposition") != "attachment; filename*=utf-8''keys%20%E2%9C%93.csv" || h.Get("Content-Security-Policy") != harmless {
		t.Errorf("the file: %q, %q", h, body)
	}
	if _, body = get(t, base, "/world/mail/"+id+"/source", http.StatusOK); string(body) != report(t, weekly) {
		t.Error("the source is not what was sent")
	}
	for _, path := range []string{"none", "none/html", id + "/part/4", id + "/part/-1", id + "/part/x"} {
		get(t, base, "/world/mail/"+path, http.StatusNotFound)
	}
}

func TestLetters(t *testing.T) {
	deep := "Content-Type: multipart/mixed; boundary=b0\n\n"
	for i := range maxDepth + 1 {
		deep += fmt.Sprintf("--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n", i, i+1)
	}
	many := "Content-Type: multipart/mixed; boundary=b\n\n" + strings.Repeat("--b\n\nx\n", maxParts+1) + "--b--\n"
	mixed := func(headers, body string) string {
		return "Content-Type: multipart/mixed; boundary=b\n\n--b\n" + headers + "\n\n" + body + "\n--b--\n"
	}
	for _, tc := range []struct{ name, raw, kind, words, file, problem string }{
		{"no MIME", "Subject: x\n\nplain\n", "text/plain", "plain\n", "", ""},
		{"Latin-1", "Content-Type: text/html; charset=ISO-8859-1\nContent-Transfer-Encoding: Quoted-Printable\n\n<b>caf=E9</b>", "text/html", "<b>café</b>", "", ""},
		{"what is no UTF-8", "\n\xff!", "text/plain", "\uFFFD!", "", ""},
		{"a name with folders", mixed(`Content-Disposition: attachment; filename="..\\a/../b.txt"`, "x"), "text/plain", "x", "b.txt", ""},
		{"a name in words", mixed(`Content-Type: text/plain; name="=?utf-8?q?caf=C3=A9?="`, "x"), "text/plain", "x", "café", ""},
		{"broken base64", mixed("Content-Transfer-Encoding: base64", "YWJjY!Jj"), "text/plain", "abc", "", "part 1 of the mail: illegal base64"},
		{"an end that is missing", "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx", "text/plain", "x", "", "unexpected EOF"},
		{"no boundary", "Content-Type: multipart/mixed\n\n--b\n\nx", "", "", "", "boundary"},
		{"a type that is none", "Content-Type: ;\n\nx", "", "", "", `Content-Type ";"`},
		{"too deep", deep, "", "", "", "more than 10 deep"},
		{"too many", many, "text/plain", "x", "", "more than 100 parts"},
		{"no header", "nothing", "", "", "", "the mail's header"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			l, err := readLetter([]byte(tc.raw))
			if text := fmt.Sprint(err); tc.problem == "" && err != nil || !strings.Contains(text, tc.problem) || len(text) > 200 {
				t.Errorf("the problem is %v", err)
			}
			var p part
			if len(l.parts) > 0 {
				p = l.parts[0]
			}
			if p.kind != tc.kind || p.words() != tc.words || p.name != tc.file || len(l.parts) > maxParts {
				t.Errorf("%d parts, the first is %+v: %q", len(l.parts), p, p.words())
			}
		})
	}
}

func TestWhatIsRead(t *testing.T) {
	l, err := readLetter([]byte("Content-Type: multipart/mixed; boundary=b\n\n" +
		"--b\nContent-Type: text/html\nContent-Disposition: attachment; filename=a.html\n\nkept\n" +
		"--b\nContent-Type: text/html\n\nread\n--b\nContent-Type: text/html\n\nsecond\n--b--\n"))
	if err != nil || l.html == nil || l.html.words() != "read" || l.text != nil {
		t.Errorf("%v: %+v", err, l)
	}
}

func TestPicturesOfALetterAreFound(t *testing.T) {
	l := letter{html: &part{}, parts: []part{{cid: "a"}, {cid: "a b@x"}, {}}}
	for in, want := range map[string]string{
		`src="cid:a"`:                      `src="/world/mail/M/part/0"`,
		`SRC=CID:a`:                        `SRC=/world/mail/M/part/0`,
		`url(cid:a%20b@x)`:                 `url(/world/mail/M/part/1)`,
		`src="cid:a&#32;b@x"`:              `src="/world/mail/M/part/1"`,
		`src="cid:ab" "cid:" "acid:a"`:     `src="cid:ab" "cid:" "acid:a"`,
		`<HEAD><LINK a><iframe><frameset>`: `<HEAD><base target="_blank"><no-LINK a><no-iframe><no-frameset>`,
		`<header>`:                         `<header>`,
	} {
		l.html.data = []byte(in)
		if got := l.page("M"); got != want {
			t.Errorf("%s became %s", in, got)
		}
	}
}

func TestBounce(t *testing.T) {
	w, base := newWorld(t, Options{})
	id := sendMail(t, w, report(t, weekly))
	if status, code := post(t, base, "mail/bounce", bounceInput{id}); status != http.StatusNoContent {
		t.Fatalf("answered %d %s", status, code)
	}
	var e struct {
		Source string
		Detail struct {
			EventType string
			Mail      struct{ MessageID string }
		}
	}
	waiting := w.AWS.Queue(w.queue).Visible
	if len(waiting) != 1 {
		t.Fatalf("the queue holds %q", waiting)
	}
	if err := json.Unmarshal([]byte(waiting[0]), &e); err != nil {
		t.Fatal(err)
	}
	if e.Source != "aws.ses" || e.Detail.EventType != "Bounce" || e.Detail.Mail.MessageID != id {
		t.Errorf("SES told %s", waiting[0])
	}
	s := w.snapshot("U0HANA")
	if !s.Mails[0].Bounced {
		t.Error("the list does not say so")
	}
	if last := s.Log[len(s.Log)-1]; last.Kind != "bounce" || last.Name != recipient {
		t.Errorf("the journal says %+v", last)
	}
	if _, code := post(t, base, "mail/bounce", bounceInput{"none"}); code != "NotFoundException" {
		t.Errorf("a mail that is none: %q", code)
	}
}

func TestSESInItsSandbox(t *testing.T) {
	w, base := newWorld(t, Options{})
	sendMail(t, w, report(t, weekly))
	post(t, base, "fault", faultInput{"ses-sandbox", true})
	_, err := trySend(t, w, report(t, weekly))
	if api, ok := asAPIError(err); !ok || api.ErrorCode() != "MessageRejected" || !strings.Contains(api.ErrorMessage(), recipient) {
		t.Errorf("in the sandbox: %v", err)
	}
	called := func(e entry) bool {
		return e.Kind == "call" && e.Name == recipient && e.Detail == "SendEmail" && e.Code == "MessageRejected"
	}
	if log := w.snapshot("U0HANA").Log; !slices.ContainsFunc(log, called) {
		t.Errorf("the journal is %+v", log)
	}
	post(t, base, "fault", faultInput{"ses-sandbox", false})
	sendMail(t, w, report(t, weekly))
	if n := len(w.AWS.Mails()); n != 2 {
		t.Errorf("%d mails were sent, want 2", n)
	}
}
