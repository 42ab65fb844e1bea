package commands_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/commands"
	"sekisho/infra/local/slacksim"
)

var update = flag.Bool("update", false, "write the golden files anew")

// shown is one message, as it is sent.
type shown struct {
	file, name string // where in testdata it is kept
	text       string
	blocks     []slack.Block
	kind       kind
	view       slack.ModalViewRequest // of a modal
}

// limits is instead of a file, for what is there to be long and not to be read.
const limits = ""

// kind is the way on which something is shown, which decides how long it may be.
type kind int

const (
	answered kind = iota // answers a command, in its acknowledgement
	posted
	modal
	homeTab
)

func (m shown) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"text": m.text, "blocks": m.blocks})
}

// everyMessage makes a message of each kind, about an instance of this name.
func everyMessage(t testing.TB, instanceName string) []shown {
	var all []shown
	add := func(file, name, text string, blocks []slack.Block) {
		all = append(all, shown{file: file, name: name, text: text, blocks: blocks, kind: posted})
	}
	message := func(file, name string, m commands.Message) {
		all = append(all, shown{file: file, name: name, text: m.Text, blocks: m.Blocks})
	}

	passPages(t, instanceName, message)
	lists(instanceName, message)
	answers(t, instanceName, message)
	refusals(instanceName, message)
	cards(instanceName, add)
	requestMessages(instanceName, message, add)
	callers(instanceName, add)
	keyCards(instanceName, add)
	keyPages(t, instanceName, message)
	reportCards(t, instanceName, add)
	reportPages(t, instanceName, message)
	homes(instanceName, func(file, name string, blocks []slack.Block) {
		all = append(all, shown{file: file, name: name, blocks: blocks, kind: homeTab})
	})
	view := func(file, name string, v slack.ModalViewRequest) {
		label := strings.Join([]string{v.CallbackID, v.PrivateMetadata, v.Title.Text}, ", ")
		all = append(all, shown{file: file, name: name, text: label, blocks: v.Blocks.BlockSet, kind: modal, view: v})
	}
	forms(instanceName, view)
	keyForms(t, instanceName, view)
	return all
}

func web(name string) auth.Instance {
	i := newCloud(&clock{now: noon}).get(webID)
	i.Tags["Name"] = name
	return i
}

func passPages(t testing.TB, name string, add func(file, name string, m commands.Message)) {
	o := newOffice(t)
	pass, err := o.Passes.Issue(t.Context(), auth.NewPass{Instance: webID, User: hana, Request: "request", Rule: "operators"}, 10*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	add("pass", "with start it now", commands.PassPage(o.Policy, web(name), pass, true))
	add("pass", "without", commands.PassPage(o.Policy, web(name), pass, false))
	o.Policy.Gate.Mode, o.Policy.Gate.PassTag = auth.Observe, "Start pass"
	add("pass", "observe mode, another tag", commands.PassPage(o.Policy, web(name), pass, false))
}

func lists(name string, add func(file, name string, m commands.Message)) {
	states := []auth.State{auth.Stopped, auth.Running, auth.Pending, auth.Stopping}
	var many []auth.Instance
	for n := range 25 {
		i := web(name)
		i.ID, i.State = fmt.Sprintf("i-0000000000000%04d", n), states[n%len(states)]
		many = append(many, i)
	}
	add("list", "empty", commands.ListOf(nil, 0))
	add("list", "one page", commands.ListOf(many[:4], 0))
	add("list", "page 1 of 3", commands.ListOf(many, 0))
	add("list", "page 2 of 3", commands.ListOf(many, 1))
	add("list", "a page too far", commands.ListOf(many, 9))

	names := map[string]string{webID: name}
	mine := func(n int) (all []auth.PassRecord) {
		for range n {
			all = append(all, auth.PassRecord{Instance: webID, User: hana, State: auth.PassLive, Issued: noon, Deadline: noon.Add(10 * time.Minute)})
		}
		return all
	}
	add("mine", "none", commands.MinePage(nil, names))
	add("mine", "two", commands.MinePage(mine(2), names))
	add("mine", "a hundred", commands.MinePage(mine(100), names))

	add("find", "two of a name", commands.Ambiguous(name, many[:2]))
	add("find", "nine of a name", commands.Ambiguous(name, many[:9]))
}

// answers are what an office says to /ec2-pass and to clicks.
func answers(t testing.TB, name string, add func(file, name string, m commands.Message)) {
	o := newOffice(t)
	o.Policy.Passes.Limit = auth.Limit{Person: 100, Instance: 100, Per: time.Minute}
	o.ec2.tag(webID, "Name", name)
	add("help", "help", o.ask(hana, "help"))

	for _, c := range []struct{ name, text string }{
		{"a mention", "<@U0BEN>"},
		{"too long", name + fmt.Sprintf("%0300d", 0)},
		{"an id that is none", "i-123"},
		{"an unknown name", "no-such-" + name},
		{"an unknown name close to another", string(append([]rune(name), 'x'))},
		{"revoke what", "revoke"},
		{"revoke an unknown name", "revoke no-such-" + name},
		{"revoke by id, holding none", "revoke " + webID},
	} {
		add("find", c.name, o.ask(hana, c.text))
	}

	page := o.ask(hana, webID)
	start, revoke := buttonValue(t, page, "pass_start"), buttonValue(t, page, "pass_revoke")
	add("revoke", "by button", o.click(hana, "pass_revoke", revoke))
	o.ask(hana, webID)
	add("revoke", "by name", o.ask(hana, "revoke "+name))

	add("start", "the pass is gone", o.click(hana, "pass_start", start))
	start = buttonValue(t, o.ask(hana, webID), "pass_start")
	add("start", "begun", o.click(hana, "pass_start", start))
	if err := o.work("Start for the owner"); err != nil {
		t.Fatal(err)
	}
	s := o.chat.next(t, "respond")
	add("start", "done", commands.Message{Text: s.text, Blocks: s.blocks})
	o.ec2.change(webID, func(i *auth.Instance) { i.State = auth.Stopped })
	start = buttonValue(t, o.ask(hana, webID), "pass_start")
	o.click(hana, "pass_start", start)
	o.ec2.fail["Start"] = auth.ErrNotYet
	if err := o.work("Start for the owner"); err != nil {
		t.Fatal(err)
	}
	s = o.chat.next(t, "respond")
	add("start", "not taken", commands.Message{Text: s.text, Blocks: s.blocks})
	o.Policy.Passes.StartNow = false
	add("start", "switched off", o.click(hana, "pass_start", start))
	add("start", "an old button", o.click(hana, "pass_start", "x"))
}

// refusedPeople is every reason for which a person does not get what they want.
var refusedPeople = []auth.Reason{
	auth.NotAllowed, auth.NotGuarded, auth.AlreadyUp, auth.Gone, auth.TooManyPerson, auth.TooManyInstance,
	auth.Locked, auth.Replayed, auth.NoPass, auth.NoRule, auth.NeedsReason, auth.NoApprovers, auth.AlreadyAsked,
	auth.NoBreakGlass, auth.NoRequest, auth.OwnRequest, auth.NotApprover, auth.TooLate, auth.AlreadyApproved,
	auth.NotYours, auth.NotApproved, auth.PolicyChanged, auth.Spent,
	auth.NoKey, auth.NoDecider, auth.OwnKey, auth.KeyMoved, auth.KeyObserve, auth.BadDate, auth.NoReader, auth.NoAdmin,
}

func refusals(name string, add func(file, name string, m commands.Message)) {
	for _, reason := range refusedPeople {
		m, _ := commands.Sorry(&auth.Refusal{Reason: reason, Wait: 90 * time.Second, Rule: &auth.Rule{Name: name}})
		add("refused", string(reason), m)
	}
	m, _ := commands.Sorry(fmt.Errorf("reading: %w", auth.ErrUnavailable))
	add("refused", "the store is away", m)
	m, _ = commands.Sorry(fmt.Errorf("describing: %w", auth.ErrNoInstance))
	add("refused", "no such instance", m)
	m, _ = commands.Sorry(fmt.Errorf("describing: %w", context.DeadlineExceeded))
	add("refused", "too slow", m)
	m, _ = commands.Sorry(fmt.Errorf("a fault"))
	add("refused", "a fault", m)
}

// cards are the card and the thread's line of every reason at every stage.
func cards(name string, add func(file, name, text string, blocks []slack.Block)) {
	p := testPolicy()
	start := auth.Start{Instance: webID, Launch: noon, Decided: noon.Add(time.Second), StageAt: noon.Add(45 * time.Second)}
	show := func(file, label string, s auth.Start) {
		i := web(name)
		i.State = auth.Running
		text, blocks := commands.StartCard(p, i, s)
		add(file, label, text, blocks)
		if line := commands.ThreadLine(p, i, s); line != "" {
			add(file, label+", in the thread", line, []slack.Block{commands.Section(line)})
		}
	}
	stages := []struct {
		name  string
		stage auth.Stage
	}{
		{"decided", auth.Decided}, {"watched", auth.Watched}, {"unstopped", auth.Unstopped}, {"left alone", auth.LeftAlone},
		{"stop asked", auth.StopAsked}, {"stuck", auth.Stuck}, {"ended", auth.Ended},
	}
	for _, reason := range []auth.Reason{
		auth.NoTag, auth.Unknown, auth.Expired, auth.Used, auth.OtherInstance, auth.Voided, auth.Locked, auth.Unjudged,
	} {
		s := start
		s.Reason = reason
		switch reason {
		case auth.Expired, auth.Used, auth.Voided:
			s.User = hana
		}
		for _, at := range stages {
			s.Stage, s.Note = at.stage, ""
			if at.stage == auth.LeftAlone {
				s.Note = string(auth.AutoScaling)
			}
			show("card_"+string(reason), at.name, s)
		}
	}
	refused := start
	refused.Reason = auth.NoTag
	for _, o := range auth.Obstacles() {
		s := refused
		s.Note = string(o)
		for _, at := range []int{3, 4} {
			s.Stage = stages[at].stage
			show("card_obstacle", string(o)+", "+stages[at].name, s)
		}
	}
	locking := start
	locking.Reason, locking.Stage, locking.Note = auth.Unknown, auth.StopAsked, string(auth.Locked)
	show("card_unknown", "the one that locks", locking)
	stuck := refused
	stuck.Stage, stuck.Note = auth.Stuck, "stopping: "+name
	show("card_no_tag", "stuck with an error", stuck)

	admitted := start
	admitted.Admitted, admitted.Reason, admitted.User = true, auth.Pass, hana
	for _, at := range stages[:1] {
		admitted.Stage = at.stage
		show("card_pass", at.name, admitted)
	}
	admitted.Stage = auth.TagGone
	show("card_pass", "tag gone", admitted)
	p.Gate.Mode = auth.Observe
	admitted.Stage = auth.Watched
	show("card_pass", "observe mode", admitted)
	p.Gate.WhenUnavailable = auth.AllowUnjudged
	admitted.Reason, admitted.User, admitted.Stage = auth.Unjudged, "", auth.Decided
	show("card_pass", "let in without a judgement", admitted)

	// EC2 did not answer when the card was written: all that is known is the id.
	text, blocks := commands.StartCard(testPolicy(), auth.Instance{ID: webID}, refused)
	add("card_no_tag", "of an instance that cannot be described", text, blocks)

	var names []string
	for range 25 {
		names = append(names, name)
	}
	for _, n := range []int{1, 20, 25} {
		line := commands.AdoptedText(names[:n])
		add("adopted", strconv.Itoa(n), line, []slack.Block{commands.Section(line)})
	}
}

// TestGolden shows every message as it is, one line for each block.
// `go test ./commands -update` writes the files anew.
func TestGolden(t *testing.T) {
	var files []string
	got := make(map[string]*bytes.Buffer)
	seen := make(map[string]bool)
	for _, m := range everyMessage(t, "web-1") {
		if m.file == limits {
			continue
		}
		if key := m.file + ": " + m.name; seen[key] {
			t.Errorf("there are two messages %s", key)
		} else {
			seen[key] = true
		}
		file, known := got[m.file]
		if !known {
			file = new(bytes.Buffer)
			files, got[m.file] = append(files, m.file), file
		}
		before := "{"
		if known {
			before = ","
		}
		fmt.Fprintf(file, "%s%s: {\n \"text\": %s,\n \"blocks\": [", before, line(t, m.name), line(t, m.text))
		for n, b := range m.blocks {
			if n > 0 {
				file.WriteByte(',')
			}
			fmt.Fprintf(file, "\n  %s", line(t, b))
		}
		file.WriteString("\n ]\n}")
	}
	for _, file := range files {
		got[file].WriteString("}\n")
		compare(t, "testdata/"+file+".json", got[file].Bytes())
	}
	if kept, _ := os.ReadDir("testdata"); len(kept) != len(files) {
		t.Errorf("testdata has %d files, for %d that are used", len(kept), len(files))
	}
}

// line is the value as one line of JSON, with the signs that matter to Slack
// left readable.
func line(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var plain any // slack-go's own marshalling escapes what the encoder here would not
	if err := json.Unmarshal(text, &plain); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(plain); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(out.Bytes())
}

func compare(t *testing.T, path string, got []byte) {
	t.Helper()
	if !json.Valid(got) {
		t.Fatalf("%s would not be JSON", path)
	}
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("%v: `go test ./commands -update` writes it", err)
	} else if n, is, was := firstDifference(got, want); n > 0 {
		t.Errorf("%s:%d: is   %s\nwas  %s\n`go test ./commands -update` accepts it", path, n, is, was)
	}
}

// firstDifference is the number of the first line that differs, 0 if none.
func firstDifference(a, b []byte) (number int, inA, inB []byte) {
	as, bs := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for n := range max(len(as), len(bs)) {
		var x, y []byte
		if n < len(as) {
			x = as[n]
		}
		if n < len(bs) {
			y = bs[n]
		}
		if !bytes.Equal(x, y) {
			return n + 1, x, y
		}
	}
	return 0, nil, nil
}

// slackTakes says whether Slack, with all its limits, takes the messages.
func slackTakes(t *testing.T, all []shown) {
	t.Helper()
	s := slacksim.New(slacksim.Options{
		Channels: []slacksim.Channel{{ID: alerts, Name: "alerts"}}, Users: []slacksim.User{{ID: hana, Name: "hana"}},
		Limits: slacksim.Limits{PostEvery: -1},
	})
	server := httptest.NewServer(s.Handler())
	t.Cleanup(func() { s.Close(); server.Close() })
	client := slack.New("xoxb-test-bot", slack.OptionAPIURL(server.URL+"/api/"))
	open := opener(t, s, client)
	for _, m := range all {
		var err error
		switch m.kind {
		case modal:
			err = open(m.view)
		case homeTab:
			home := slack.HomeTabViewRequest{Type: slack.VTHomeTab, Blocks: slack.Blocks{BlockSet: m.blocks}}
			_, err = client.PublishView(hana, home, "")
		default:
			var ts string
			m.blocks = withPictures(t, client, m.blocks)
			_, ts, err = client.PostMessage(alerts, slack.MsgOptionText(m.text, false), slack.MsgOptionBlocks(m.blocks...))
			if err == nil { // an update takes less text than a post
				_, _, _, err = client.UpdateMessage(alerts, ts, slack.MsgOptionText(m.text, false), slack.MsgOptionBlocks(m.blocks...))
			}
		}
		if err != nil {
			t.Errorf("%s, %s: Slack refuses it: %v", m.file, m.name, err)
		}
		if m.kind != answered {
			continue
		}
		// What answers a command must fit into its acknowledgement:
		// https://docs.slack.dev/apis/events-api/using-socket-mode
		if text, err := json.Marshal(m); err != nil || len(text) >= 20<<10 {
			t.Errorf("%s, %s: %d bytes, %v", m.file, m.name, len(text), err)
		}
		if err := open(commands.Message{Text: m.text, Blocks: m.blocks}.Modal()); err != nil {
			t.Errorf("%s, %s: Slack refuses it as a modal: %v", m.file, m.name, err)
		}
	}
}

// withPictures are the blocks, whose pictures Slack has been handed.
func withPictures(t *testing.T, client *slack.Client, blocks []slack.Block) []slack.Block {
	t.Helper()
	pictures, err := drawn(report.Report{})
	if err != nil {
		t.Fatal(err)
	}
	blocks = slices.Clone(blocks)
	for n, b := range blocks {
		i, ok := b.(*slack.ImageBlock)
		if !ok {
			continue
		}
		picture := pictures[0].Content
		up, err := client.UploadFile(slack.UploadFileParameters{
			Reader: bytes.NewReader(picture), FileSize: len(picture), Filename: "starts.png",
		})
		if err != nil {
			t.Fatal(err)
		}
		shown := *i
		shown.SlackFile = &slack.SlackFileObject{ID: up.ID}
		blocks[n] = &shown
	}
	return blocks
}

// opener opens a modal and closes it again. A modal needs somebody's click,
// which is a shortcut here.
func opener(t *testing.T, s *slacksim.Workspace, client *slack.Client) func(slack.ModalViewRequest) error {
	triggers := make(chan string, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var payload struct {
			Trigger string `json:"trigger_id"`
		}
		if err := json.Unmarshal([]byte(r.FormValue("payload")), &payload); err != nil {
			t.Error(err)
		}
		triggers <- payload.Trigger
	}))
	t.Cleanup(app.Close)
	s.DeliverTo(app.URL)
	return func(v slack.ModalViewRequest) error {
		if err := s.Shortcut(t.Context(), hana, "ec2_pass"); err != nil {
			return err
		}
		opened, err := client.OpenView(<-triggers, v)
		if err != nil {
			return err
		}
		return s.CloseView(hana, opened.ID)
	}
}

func TestSlackTakesEveryMessage(t *testing.T) {
	slackTakes(t, everyMessage(t, "web-1"))
}
