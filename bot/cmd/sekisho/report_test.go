package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

const reportsRoom = "C0REPORT"

// openReports is a world whose policy reports weekly; Ben and Rosa may ask, too.
func openReports(t *testing.T) *world {
	t.Helper()
	w := openKeys(t, "{mode: enforce, decide: [S0SECURITY]}")
	text, err := os.ReadFile(w.policy)
	w.do(err)
	policy := strings.Replace(string(text), "alerts: C0ALERTS,", "alerts: C0ALERTS, reports: C0REPORT,", 1) + `reports:
  - {name: weekly, every: 7d, slack: true, mail: {from: bot@example.com, to: [security@example.com]}}
`
	w.do(os.WriteFile(w.policy, []byte(policy), 0o600))
	return w
}

// due has the schedule ask for the report up to that time.
func (w *world) due(to time.Time) {
	w.t.Helper()
	event, err := json.Marshal(map[string]any{
		"version": "0", "id": "e-" + to.Format(time.RFC3339), "source": "sekisho.schedule", "detail-type": "Report",
		"time": to.Format(time.RFC3339), "detail": map[string]string{"name": "weekly"},
	})
	w.do(err)
	w.AWS.Send(w.variable("SEKISHO_QUEUE_URL"), string(event))
}

// variable is one of the bot's environment.
func (w *world) variable(name string) string {
	for _, v := range w.env {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	w.t.Fatalf("the bot has no %s", name)
	return ""
}

// thread waits for the files below a message.
func (w *world) thread(m slacksim.Message) map[string][]byte {
	w.t.Helper()
	below := w.seen(func(s slacksim.Message) bool {
		return s.Channel == m.Channel && s.ThreadTS == m.TS && len(s.Files) > 0
	}, []string{"files"})
	files := map[string][]byte{}
	for _, f := range below.Files {
		_, content, ok := w.Slack.File(f.ID)
		if !ok {
			w.t.Fatalf("Slack has no file %s", f.ID)
		}
		files[filepath.Ext(f.Name)] = content
	}
	return files
}

// mails waits until so many have been sent.
func (w *world) mails(n int) []awssim.Mail {
	w.t.Helper()
	changes := w.AWS.Changes(w.ctx)
	for len(w.AWS.Mails()) < n {
		select {
		case <-changes:
		case <-w.ctx.Done():
			w.t.Fatalf("%d mails, not %d", len(w.AWS.Mails()), n)
		}
	}
	return w.AWS.Mails()
}

// parts are a mail's, by their types.
func parts(t *testing.T, header mail.Header, body io.Reader) map[string][]byte {
	t.Helper()
	kind, params, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	if !strings.HasPrefix(kind, "multipart/") {
		if strings.EqualFold(header.Get("Content-Transfer-Encoding"), "base64") {
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		content, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		all[kind] = content
		return all
	}
	for r := multipart.NewReader(body, params["boundary"]); ; {
		p, err := r.NextPart() // which undoes quoted-printable
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		for kind, content := range parts(t, mail.Header(p.Header), p) {
			all[kind] = content
		}
	}
}

// valid holds a report against its schema, and reads it.
func valid(t *testing.T, text []byte) *report.Report {
	t.Helper()
	file, err := os.Open("../../../auth/report/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	document, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("not valid against the schema: %v\n%s", err, text)
	}
	r, err := report.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// trailSays counts the judged starts in the trail as it is exported.
func (w *world) trailSays() (admitted int, refused map[string]int) {
	w.t.Helper()
	refused = map[string]int{}
	for line := range strings.Lines(w.says(0, "audit", "export")) {
		var e auth.Entry
		w.do(json.Unmarshal([]byte(line), &e))
		switch {
		case e.Act != auth.ActStart:
		case e.Outcome == auth.Done:
			admitted++
		default:
			refused[e.Reason]++
		}
	}
	return admitted, refused
}

// A week passes: the report stands in Slack with its pictures and its data, and
// comes by mail; both say what the trail says. The next one says what changed,
// which is what the terminal says of the two.
func TestAReportArrives(t *testing.T) {
	w := openReports(t)
	w.serve()
	w.do(w.AWS.SetTag(w.instance("web-1").ID, "Auth", w.pass(hana, "web-1")))
	w.do(w.AWS.StartInstanceAs(w.instance("web-1").ID, "hana"))
	w.card("was let in", "web-1")
	w.do(w.AWS.StartInstance(w.instance("gpu-1").ID))
	w.untilState("gpu-1", "stopped")
	w.card("gpu-1", "stopped")

	to := time.Now().UTC().Truncate(time.Second).Add(time.Second) // not before the last entry
	w.due(to)
	card := w.message(reportsRoom, "Sekisho report · weekly", "Starts refused: *1*", "2: 1 let in, 1 refused (1 no tag)", "Security score", "no earlier report", "image", "data_table")
	first := w.thread(card)
	r := valid(t, first[".json"])
	admitted, refused := w.trailSays()
	if r.Starts.Admitted != 1 || r.Starts.Total != 2 || r.Starts.Admitted != admitted || !reflect.DeepEqual(r.Starts.Refused, refused) {
		t.Errorf("the report says %d and %v, the trail %d and %v", r.Starts.Admitted, r.Starts.Refused, admitted, refused)
	}
	if !strings.Contains(string(first[".csv"]), "starts,refused_for,no_tag,1,") {
		t.Errorf("the CSV: %s", first[".csv"])
	}
	m, err := mail.ReadMessage(bytes.NewReader(w.mails(1)[0].Raw))
	w.do(err)
	got := parts(t, m.Header, m.Body)
	if !bytes.Equal(got["application/json"], first[".json"]) {
		t.Errorf("the mail's JSON is another than Slack's")
	}
	if !bytes.HasPrefix(got["image/png"], []byte("\x89PNG")) || !bytes.Contains(got["text/html"], []byte("cid:starts.png")) || !bytes.Contains(got["text/plain"], []byte("Starts refused")) {
		t.Errorf("the mail has no picture, HTML or text: %s", got["text/html"])
	}

	// Sent once, and once more only if somebody wants it.
	if text := w.says(0, "report", "--send"); !strings.Contains(text, "was sent before") {
		t.Errorf("sent again: %s", text)
	}
	if text := w.says(0, "report", "--send", "--again"); !strings.Contains(text, "Slack C0REPORT; mail to security@example.com") {
		t.Errorf("wanted once more: %s", text)
	}
	w.mails(2)

	w.AWS.ForgetReport() // IAM makes a new one after 4 hours
	_, err = w.AWS.AddUser(awssim.User{Name: "newcomer", PasswordEnabled: true})
	w.do(err)
	w.due(to.Add(time.Minute))
	card = w.message(reportsRoom, "1 new user: `newcomer`", "compared with the report up to")
	second := w.thread(card)
	after := valid(t, second[".json"])
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.json"), filepath.Join(dir, "b.json")
	w.do(os.WriteFile(a, first[".json"], 0o600))
	w.do(os.WriteFile(b, second[".json"], 0o600))
	var changes report.Changes
	w.do(json.Unmarshal([]byte(w.says(0, "report", "diff", a, b, "--format", "json")), &changes))
	if !reflect.DeepEqual(changes, after.Changes) {
		t.Errorf("the diff is\n%+v\nand the second report has\n%+v", changes, after.Changes)
	}
	if text := w.says(0, "report", "diff", a, b); !strings.Contains(text, "newcomer") {
		t.Errorf("the diff in words: %s", text)
	}
	w.audit("The trail is whole")
}

// Whoever may ask gets a report as a direct message, others a sentence; the
// terminal prints one in every form.
func TestAReportOnDemand(t *testing.T) {
	w := openReports(t)
	w.serve()
	w.pass(hana, "web-1")
	w.do(w.Slack.Command(w.ctx, hana, ops, "/sekisho", "report"))
	w.answer(hana, ops, "does not name you among those who may ask for a report")
	w.do(w.Slack.Command(w.ctx, ben, ops, "/sekisho", "report users 30d"))
	w.answer(ben, ops, "Your report is in your direct messages")
	m := w.direct(ben, "Sekisho report", "IAM users", "Security score")
	if text := readable(m); strings.Contains(text, "Passes asked for") {
		t.Errorf("nobody asked about starts: %s", text)
	}
	if r := valid(t, w.thread(m)[".json"]); r.Starts.Status != report.LeftOut || r.Users.Total != 4 {
		t.Errorf("%d users, starts %s", r.Users.Total, r.Starts.Status)
	}
	for format, want := range map[string]string{"text": "Sekisho report", "csv": "section,what,who,value,note", "html": "<html", "json": report.Schema} {
		text := w.says(0, "report", "--format", format)
		if !strings.Contains(text, want) {
			t.Errorf("%s: %s", format, text)
		}
		if format == "json" {
			if r := valid(t, []byte(text)); r.Starts.Passes.AtOnce != 1 {
				t.Errorf("passes: %+v", r.Starts.Passes)
			}
		}
	}
	if text := w.says(1, "report", "--since", "yesterday"); !strings.Contains(text, "--since") {
		t.Errorf("a wrong time: %s", text)
	}
	found := w.audited("find", "--user", ben)
	if !strings.Contains(strings.Join(strings.Fields(found), " "), "report.ask done U0BEN") {
		t.Errorf("the trail does not say who asked: %s", found)
	}
}

// What AWS refuses is said, in Slack's message, the mail and the alerts, and the
// rest is there.
func TestAReportWithGaps(t *testing.T) {
	w := openReports(t)
	w.AWS.Fail("GenerateCredentialReport", "AccessDenied", 9)
	w.AWS.Fail("GetCredentialReport", "AccessDenied", 9)
	w.AWS.SetSandbox(true)
	w.serve()
	w.due(time.Now().UTC())
	card := w.message(reportsRoom, "Not complete", "iam:GenerateCredentialReport", "allow the bot's role")
	if r := valid(t, w.thread(card)[".json"]); r.Users.Status != report.Unknown || r.Keys.Status != report.Known || r.Score != nil {
		t.Errorf("users %s, keys %s, score %v", r.Users.Status, r.Keys.Status, r.Score)
	}
	w.card("The report `weekly`", "its mail was not sent", "security@example.com", "sandbox")
}
