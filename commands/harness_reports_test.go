package commands_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/auth/report/reporttest"
	"sekisho/commands"
	"sekisho/commands/paper"
	"sekisho/infra/local/slacksim"
	"sekisho/infra/slackchat"
)

const (
	reportsChannel = "C0REPORT"
	week           = 7 * day
	reportTask     = "Send a report"
	askedTask      = "Report to somebody"
)

// reportOffice is an office that reports every week, over a Slack with all of
// its limits. Tom may ask for a report; so may ben and mai, who decide about keys.
type reportOffice struct {
	*keyOffice
	slack       *workspace
	memory      *reporttest.Memory
	credentials *credentials
	mail        *mailbox
}

func newReportOffice(t testing.TB) *reportOffice {
	t.Helper()
	o := &reportOffice{
		keyOffice: newKeyOffice(t), memory: reporttest.NewMemory(), mail: new(mailbox),
		credentials: &credentials{rows: []report.Credential{credential(report.RootUser), credential("ben"), credential("hana")}},
	}
	o.slack = newWorkspace(t, o.chat, o.clock)
	o.Policy.Channels.Reports = reportsChannel
	weekly := auth.DefaultReport()
	weekly.Name, weekly.Every, weekly.Slack, weekly.Ask = "weekly", week, true, []string{tom}
	weekly.Mail = &auth.MailPolicy{From: "Sekisho <bot@example.test>", To: []string{"security@example.test"}}
	o.Policy.Reports = []auth.ReportPolicy{weekly}
	o.iam.add("ben", 10*day)
	o.iam.add("hana", 120*day)
	o.process(nil)
	return o
}

// beside is another process in the same world.
func (o *reportOffice) beside() *reportOffice {
	o.t.Helper()
	b := *o
	b.keyOffice = o.keyOffice.beside()
	b.Policy.Channels, b.Policy.Reports = o.Policy.Channels, o.Policy.Reports
	b.process(nil)
	return &b
}

// process is who works at the Desk from now on; with a fuse, until it blows.
func (o *reportOffice) process(f *fuse) {
	d, chat := o.Desk, fusedSlack{o.slack, f}
	store, firsts := fusedStore{o.memory, f}, keyStore(o.t, o.redis)
	d.Chat, d.Private, d.Files = chat, chat, chat
	d.Queue, d.Firsts, d.Trail = fusedQueue{o.queue, f}, fusedFirsts{firsts, f}, fusedTrail{o.trail, f}
	d.Reports = &commands.Reports{
		Maker: &report.Maker{
			Policy: o.Policy, WhoAmI: o.iam.WhoAmI, Trail: o.trail, Credentials: o.credentials, Keys: o.Purge,
			Directory: o.people, Now: o.clock.Now,
		},
		Snapshots: store, Deliveries: store, Mailer: fusedMail{o.mail, f},
		Draw: drawn, HTML: paper.HTML, Text: paper.Text, CSV: paper.CSV, Title: paper.Title,
	}
}

// due is the schedule's event of that time.
func (o *reportOffice) due(at time.Time) error {
	o.t.Helper()
	return o.scheduled("weekly", at)
}

func (o *reportOffice) scheduled(name string, at time.Time) error {
	o.t.Helper()
	detail, _ := json.Marshal(map[string]string{"name": name})
	return o.run(commands.Event{ID: "test-report", Source: "sekisho.schedule", DetailType: "Report", Time: at, Detail: detail})
}

// report sends the report that is due now, and all of it.
func (o *reportOffice) report() {
	o.t.Helper()
	if err := o.due(o.clock.Now()); err != nil {
		o.t.Fatal(err)
	}
	if kinds := o.queue.kinds(); len(kinds) > 0 {
		o.t.Fatalf("left to do: %v; %s", kinds, o.log)
	}
}

// finish runs the queue's tasks, each in its time, until none is left.
func (o *reportOffice) finish() {
	o.t.Helper()
	for n := 0; len(o.queue.tasks) > 0; n++ {
		if n == 100 {
			o.t.Fatalf("there is no end of %v; %s", o.queue.kinds(), o.log)
		}
		o.pass(o.queue.tasks[0].after)
	}
}

// kept is the report that is kept for that time.
func (o *reportOffice) kept(to time.Time) report.Report {
	o.t.Helper()
	text, end, err := o.memory.Snapshot(o.t.Context(), "weekly", to.Add(time.Second))
	if err != nil || !end.Equal(to) {
		o.t.Fatalf("kept is a report up to %s, %v", end, err)
	}
	r, err := report.Decode(text)
	if err != nil {
		o.t.Fatal(err)
	}
	return *r
}

// arrived is what of a report is there.
type arrived struct {
	cards  []slacksim.Message // the report itself
	stands []slacksim.Message // a message that there is for its thread alone
	files  map[string]int     // in threads, by extension
	shared []slacksim.Message // the messages that share them
	mails  []report.Mail
}

// in is what has arrived in the channel.
func (o *reportOffice) in(channel, viewer string) arrived {
	a := arrived{files: make(map[string]int), mails: o.mail.all()}
	for _, m := range o.slack.Messages(channel, viewer) {
		switch {
		case len(m.Files) > 0:
			a.shared = append(a.shared, m)
			for _, f := range m.Files {
				a.files[path.Ext(f.Name)]++
			}
		case strings.Contains(string(m.Blocks), `"type":"header"`):
			a.cards = append(a.cards, m)
		case strings.Contains(m.Text, "its data is in this thread"):
			a.stands = append(a.stands, m)
		}
	}
	return a
}

func (o *reportOffice) arrived() arrived { return o.in(reportsChannel, ben) }

// wantOnce wants one whole report to be there, with pictures and mail, and gives it.
func (o *reportOffice) wantOnce(when string) arrived {
	o.t.Helper()
	return o.wantTimes(when, 1)
}

func (o *reportOffice) wantTimes(when string, n int) arrived {
	o.t.Helper()
	a := o.arrived()
	if len(a.cards) != n || len(a.stands) > 0 || a.files[".csv"] != n || a.files[".json"] != n || len(a.files) != 2 || len(a.mails) != n {
		o.t.Fatalf("%s: %d cards, %d stands, files %v, %d mails; %s", when, len(a.cards), len(a.stands), a.files, len(a.mails), o.log)
	}
	for k, card := range a.cards {
		if got := strings.Count(string(card.Blocks), `"slack_file"`); got != 2 || a.shared[k].ThreadTS != card.TS {
			o.t.Errorf("%s: %d pictures in the message, its files are in %q", when, got, a.shared[k].ThreadTS)
		}
	}
	return a
}

// alerts are the messages in the alerts' channel, the oldest first.
func (o *reportOffice) alerts() (all []string) {
	for _, m := range o.slack.Messages(alerts, ben) {
		all = append(all, m.Text)
	}
	return all
}

// wantAlerts wants these words, one alert each, and no other alert.
func (o *reportOffice) wantAlerts(when string, words ...string) {
	o.t.Helper()
	all := o.alerts()
	fits := len(all) == len(words)
	for n := 0; fits && n < len(words); n++ {
		fits = strings.Contains(all[n], words[n])
	}
	if !fits {
		o.t.Errorf("%s, alerts:\n%s\nand not:\n%s", when, strings.Join(all, "\n"), strings.Join(words, "\n"))
	}
}

// drawn are two pictures, of a pixel each.
func drawn(report.Report) (all []report.File, err error) {
	for _, name := range []string{"starts", "keys"} {
		var out bytes.Buffer
		err = errors.Join(err, png.Encode(&out, image.NewGray(image.Rect(0, 0, 1, 1))))
		all = append(all, report.File{Name: name + ".png", Title: "A picture of the " + name, Type: "image/png", Content: out.Bytes()})
	}
	return all, err
}

// credential is a user with a password and no MFA, or root with it.
func credential(user string) report.Credential {
	return report.Credential{
		User: user, Created: noon.Add(-300 * day), Password: true, PasswordSet: noon.Add(-day), PasswordUsed: noon.Add(-30 * day),
		MFA: user == report.RootUser,
	}
}

// credentials is IAM's credential report.
type credentials struct {
	mu     sync.Mutex
	rows   []report.Credential
	err    error
	during func()
}

func (c *credentials) Credentials(context.Context) (report.Credentials, error) {
	c.mu.Lock()
	during := c.during
	c.mu.Unlock()
	if during != nil {
		during()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return report.Credentials{Made: noon.Add(-time.Hour), Rows: slices.Clone(c.rows)}, c.err
}

// mailbox is SES: it takes mail, or fails as it is told.
type mailbox struct {
	mu   sync.Mutex
	sent []report.Mail
	fail error
	// late fails after the mail was taken.
	late error
	asks int
}

func (m *mailbox) Send(_ context.Context, mail report.Mail) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asks++
	if m.fail != nil {
		return "", m.fail
	}
	m.sent = append(m.sent, mail)
	return "test-mail", m.late
}

func (m *mailbox) all() []report.Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.sent)
}

// workspace is Slack, within all of its limits but its pace. What goes through
// response URLs is the chat's: nobody typed a command here.
type workspace struct {
	*slacksim.Workspace
	*chat
	client *slack.Client
	net    *inProcess
	mu     sync.Mutex
	direct map[string]string // the channels of direct messages, by user
}

func newWorkspace(t testing.TB, c *chat, now *clock) *workspace {
	w := &workspace{chat: c, direct: make(map[string]string)}
	options := slacksim.Options{Limits: slacksim.Limits{PostEvery: -1}, Now: now.Now}
	for _, id := range []string{hana, ben, mai, tom, outsider} {
		options.Users = append(options.Users, slacksim.User{ID: id, Name: strings.ToLower(id[2:])})
	}
	for _, id := range []string{alerts, reportsChannel, keysChannel} {
		options.Channels = append(options.Channels, slacksim.Channel{ID: id, Name: strings.ToLower(id[2:])})
	}
	w.Workspace = slacksim.New(options)
	t.Cleanup(w.Close)
	w.net = &inProcess{Handler: w.Handler()}
	w.client = slack.New("xoxb-test-bot", slack.OptionAPIURL("http://slack.test/api/"),
		slack.OptionHTTPClient(&http.Client{Transport: w.net}))
	return w
}

// unplug takes the network to Slack away, or gives it back.
func (w *workspace) unplug(out bool) { w.net.out.Store(out) }

// inProcess calls a handler as if it were far away.
type inProcess struct {
	http.Handler
	out  atomic.Bool
	lose func(path string) bool // says whether this request's answer is lost
}

func (p *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if p.out.Load() {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("no route to Slack")}
	}
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	if r.Body != nil {
		io.Copy(io.Discard, r.Body)
		r.Body.Close()
	}
	if p.lose != nil && p.lose(r.URL.Path) {
		return nil, io.ErrUnexpectedEOF
	}
	return answer.Result(), nil
}

// bot is the bot's way to Slack, which remembers no pace.
func (w *workspace) bot() *slackchat.Chat {
	return slackchat.New(func() *slack.Client { return w.client }, nil, "")
}

// note remembers where the user is written to.
func (w *workspace) note(user, channel string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.direct[user] = channel
}

// dm is what the bot has written to the user.
func (o *reportOffice) dm(user string) arrived {
	o.slack.mu.Lock()
	channel := o.slack.direct[user]
	o.slack.mu.Unlock()
	return o.in(channel, user)
}
