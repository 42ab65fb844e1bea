package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/bot"
	"sekisho/bot/cmd/wire"
	"sekisho/bot/cmd/wire/health"
	"sekisho/bot/cmd/wire/reports"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

// The secrets that a process is given. Each is easily found again.
var secrets = map[string]string{
	"SLACK_BOT_TOKEN":       "xoxb-test-SPILT-bot-token",
	"SLACK_APP_TOKEN":       "xapp-test-SPILT-app-token",
	"SLACK_SIGNING_SECRET":  "test-SPILT-signing-secret",
	"SEKISHO_PEPPER":        "test-SPILT-pepper-of-thirty-two-bytes",
	"the Redis password":    "test-SPILT-redis-password",
	"AWS_SECRET_ACCESS_KEY": "test-SPILT-aws-secret-key",
	"AWS_SESSION_TOKEN":     "test-SPILT-aws-session-token",
	"the response URL":      "test-SPILT-response-url",
	"the socket's ticket":   "test-SPILT-ticket",
	"the upload URL":        "test-SPILT-upload-url", // whoever has it can put bytes there
	"SLACK_CONFIG_TOKEN":    "test-SPILT-config-token",
}

const (
	owner  = "U0HANA"
	other  = "U0BEN" // who may approve
	webID  = "i-0aaaaaaaaaaaaaaa1"
	gpuID  = "i-0bbbbbbbbbbbbbbb2" // which needs an approval
	alerts = "C0ALERTS"
)

// spill collects everything that leaves the process, by place.
type spill struct {
	mu     sync.Mutex
	places map[string]*bytes.Buffer
}

func (s *spill) add(place, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.places[place] == nil {
		s.places[place] = new(bytes.Buffer)
	}
	fmt.Fprintln(s.places[place], text)
}

func (s *spill) err(err error) {
	if err != nil {
		s.add("an error", err.Error())
	}
}

// Write takes the log.
func (s *spill) Write(p []byte) (int, error) {
	s.add("the log", string(p))
	return len(p), nil
}

// place is one place of a spill, to be written to.
type place struct {
	*spill
	name string
}

func (p place) Write(b []byte) (int, error) {
	p.add(p.name, string(b))
	return len(b), nil
}

// away are the ways in which a server fails; the empty one works.
const (
	works    = ""
	closed   = "closed"   // nobody listens
	echo     = "echo"     // 500, and an error page that repeats the request, as proxies do
	page     = "page"     // 200 with such a page, where JSON or XML is expected
	says     = "says"     // AWS: refuses what would change something, in words that repeat it
	unsigned = "unsigned" // AWS: takes no signature, and repeats what was signed
	wrong    = "wrong"    // Redis: the password is another
)

// TestSecretsStayInside drives every adapter and the whole way of a pass, an
// access key and a report, with everything around the process working, failing
// in turn, and failing at once.
func TestSecretsStayInside(t *testing.T) {
	for _, c := range []struct{ slack, aws, redis string }{
		{works, works, works},
		{closed, works, works}, {echo, works, works}, {page, works, works},
		{works, closed, works}, {works, echo, works}, {works, page, works}, {works, says, works}, {works, unsigned, works},
		{works, works, closed}, {works, works, wrong},
		{closed, closed, closed}, {echo, echo, wrong}, {page, says, works},
	} {
		t.Run(fmt.Sprintf("slack %s, aws %s, redis %s", c.slack, c.aws, c.redis), func(t *testing.T) {
			t.Parallel()
			p := newProcess(t, c.slack, c.aws, c.redis)
			p.drive()
			p.look(c.slack == works && c.aws == works && c.redis == works)
			if c.slack == works && c.redis == works {
				p.reported(c.aws)
			}
		})
	}
}

// process is the whole program in a world that may be broken.
type process struct {
	*wire.App
	t        *testing.T
	out      *spill
	cloud    *awssim.Cloud
	redis    *miniredis.Miniredis
	queue    string // its URL
	response string // a response URL

	mu       sync.Mutex
	codes    []string // every code that a person or a tag was given
	user     string   // who types and clicks
	asked    int
	rejected int // mails
}

func newProcess(t *testing.T, slackIs, awsIs, redisIs string) *process {
	p := &process{t: t, user: owner, out: &spill{places: make(map[string]*bytes.Buffer)}}
	p.redis = miniredis.RunT(t)
	password := secrets["the Redis password"]
	p.redis.RequireUserAuth("sekisho", password)
	if redisIs == wrong {
		p.redis.RequireUserAuth("sekisho", "another")
	}
	redisURL := "redis://sekisho:" + password + "@" + p.redis.Addr()
	if redisIs == closed {
		p.redis.Close()
	}

	p.cloud = awssim.New(awssim.Options{})
	t.Cleanup(p.cloud.Close)
	p.cloud.Add(awssim.Instance{ID: webID, Name: "web-1", Tags: map[string]string{"Sekisho": "guarded"}})
	p.cloud.Add(awssim.Instance{ID: gpuID, Name: "gpu-1", Tags: map[string]string{"Sekisho": "guarded", "Team": "ml"}})
	amazon := serve(t, awsIs, p.amazon(awsIs))
	p.cloud.SetBaseURL(amazon)
	chat := serve(t, slackIs, http.HandlerFunc(p.slack))
	p.cloud.VerifyIdentity("example.com")
	p.queue = p.cloud.CreateQueue("sekisho", time.Minute, "", 0)
	p.response = chat + "/commands/T0TEST/" + secrets["the response URL"]

	env := map[string]string{
		"SEKISHO_CONFIG": policy(t), "REDIS_URL": redisURL, "SLACK_API_URL": chat + "/api/",
		"SEKISHO_QUEUE_URL": p.queue,
	}
	for name, value := range secrets {
		env[name] = value
	}
	if slackIs == works && awsIs == works && redisIs == works {
		refer(t, env, p.cloud)
	}
	config := func(string) aws.Config {
		return aws.Config{
			Region: "eu-central-1", BaseEndpoint: &amazon, Retryer: func() aws.Retryer { return aws.NopRetryer{} },
			Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTESTTEST", secrets["AWS_SECRET_ACCESS_KEY"], secrets["AWS_SESSION_TOKEN"]),
		}
	}
	app, err := wire.New(t.Context(), wire.Config{
		Env: func(name string) string { return env[name] }, Doors: bot.Doors{Socket: true, HTTP: true, Gate: true, Keys: true},
		AWS:   config,
		Log:   slog.New(bot.LogHandler(slog.NewTextHandler(p.out, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		Lines: place{p.out, "the trail"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { app.Close() })
	reports.Add(app, config)
	if err := health.Add(app, func(name string) string { return env[name] }, config); err != nil {
		t.Fatal(err)
	}
	if awsIs != works {
		r := app.Desk.Reports
		h := hurried{r.Maker.Credentials, r.Mailer}
		r.Maker.Credentials, r.Mailer = h, h
	}
	p.App = app
	return p
}

func policy(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "sekisho.yml")
	err := os.WriteFile(path, []byte(`version: 1
slack:
  channels: {alerts: C0ALERTS, approvals: C0APPROVE, reports: C0REPORT}
gate:
  mode: enforce
  guard: {tags: {Sekisho: guarded}}
  when_unavailable: stop
passes: {start_now: true}
rules:
  - {name: gpu, match: {tags: {Team: ml}}, ask: [S0ML, everyone], approve: {by: [S0LEADS, U0BEN]}, break_glass: {by: [U0HANA]}}
  - {name: everyone, ask: [everyone]}
keys: {mode: enforce, grace: 0s, decide: [S0LEADS], warn: [], first_run: at_once}
reports:
  - {name: weekly, every: 7d, slack: true, mail: {from: Sekisho <bot@example.com>, to: [security@example.com]}, ask: [U0BEN]}
admins: [U0BEN]
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// serve is the address of a server that works like this, or fails as it is told.
func serve(t *testing.T, fails string, working http.Handler) (base string) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails != echo && fails != page {
			working.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		if fails == echo {
			w.WriteHeader(http.StatusInternalServerError)
		}
		fmt.Fprintf(w, "<html>%s was not found here: %s %v</html>", r.URL, body, r.Header)
	}))
	t.Cleanup(s.Close)
	if fails == closed {
		s.Close()
	}
	return s.URL
}

// slack is a Slack that takes everything, and opens no socket.
func (p *process) slack(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	switch method := strings.TrimPrefix(r.URL.Path, "/api/"); {
	case strings.HasPrefix(r.URL.Path, "/commands/"):
		p.out.add("a private answer", string(body))
		io.WriteString(w, "ok")
	case method == "apps.connections.open":
		// Nothing listens on port 1: dialling fails with words of the transport's.
		fmt.Fprintf(w, `{"ok":true,"url":"ws://127.0.0.1:1/link?ticket=%s"}`, secrets["the socket's ticket"])
	case method == "views.open": // its viewer's alone, as a private answer is
		p.out.add("a modal", string(body))
		io.WriteString(w, `{"ok":true}`)
	case method == "views.publish":
		p.out.add("the Home tab", string(body))
		io.WriteString(w, `{"ok":true}`)
	case method == "conversations.open":
		io.WriteString(w, `{"ok":true,"channel":{"id":"D0HANA"}}`)
	case method == "users.info":
		form, _ := url.ParseQuery(string(body))
		fmt.Fprintf(w, `{"ok":true,"user":{"id":%q,"team_id":"T0TEST"}}`, form.Get("user"))
	case method == "usergroups.users.list":
		io.WriteString(w, `{"ok":true,"users":["U0BEN","U0ROSA"]}`)
	case method == "auth.test":
		io.WriteString(w, `{"ok":true,"team_id":"T0TEST"}`)
	case strings.HasPrefix(method, "files."), strings.HasPrefix(method, "/upload/"):
		p.file(w, r, body)
	default:
		form, _ := url.ParseQuery(string(body))
		form.Del("token") // which is where it belongs
		p.out.add("a message in "+form.Get("channel"), form.Encode())
		io.WriteString(w, `{"ok":true,"channel":"C0ALERTS","ts":"1800000000.000001"}`)
	}
}

// amazon is the cloud. It notes the codes that are put into tags; told to, it
// refuses what would change something in words that repeat the request.
func (p *process) amazon(fails string) http.Handler {
	working := p.cloud.Handler()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		form, _ := url.ParseQuery(string(body))
		if form.Get("Action") == "CreateTags" {
			p.code(form.Get("Tag.1.Value"))
		}
		action, mail := form.Get("Action"), strings.HasPrefix(r.URL.Path, "/v2/email/")
		switch signed := r.Header.Get("Authorization"); {
		case fails == unsigned:
			refuse(w, r, "SignatureDoesNotMatch", fmt.Sprintf("The Canonical String should have been '%s %s %v'", r.Method, r.URL, r.Header))
		case fails == says && mail:
			refuse(w, r, p.rejection(), fmt.Sprintf("Email address is not verified: %s %s", signed, body))
		case fails == says && action != "" && !strings.HasPrefix(action, "Describe"):
			refuse(w, r, "InvalidParameterValue", fmt.Sprintf("Value (%s %s) for parameter value is invalid", signed, body))
		default:
			working.ServeHTTP(w, r)
		}
	})
}

// rejection is SES's code for a mail: of the first, that it will never be taken.
func (p *process) rejection() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rejected++; p.rejected == 1 {
		return "MessageRejected"
	}
	return "InvalidParameterValue"
}

// refuse answers in the form of the service that is called.
func refuse(w http.ResponseWriter, r *http.Request, code, words string) {
	w.Header().Set("X-Amzn-Errortype", code)
	w.WriteHeader(http.StatusBadRequest)
	var escaped bytes.Buffer
	xml.EscapeText(&escaped, []byte(words))
	answer := "<Error><Code>" + code + "</Code><Message>" + escaped.String() + "</Message></Error>"
	switch {
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		json.NewEncoder(w).Encode(map[string]string{"__type": code, "message": words})
	case strings.Contains(r.Header.Get("Authorization"), "/ec2/"):
		fmt.Fprintf(w, "<Response><Errors>%s</Errors><RequestID>1</RequestID></Response>", answer)
	default:
		fmt.Fprintf(w, "<ErrorResponse>%s<RequestId>1</RequestId></ErrorResponse>", answer)
	}
}

func (p *process) code(c string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.codes = append(p.codes, c)
}

// drive goes every way there is. What fails is what should.
func (p *process) drive() {
	ctx, t := p.t.Context(), p.t
	p.request("/slack/commands", url.Values{"text": {p.response}}, false)
	first := p.command("web-1")
	for _, text := range []string{"", "mine", "help", "revoke db-1", "<@U0BEN>", webID[:9]} {
		p.command(text)
	}
	p.click("launch", "x")
	p.click("pass_page:next", "1")

	// A start with the pass, its duplicates, and one with the pass spent.
	for range 2 {
		p.cloud.SetTag(webID, "Auth", first)
		if err := p.cloud.StartInstance(webID); err != nil {
			t.Log(err)
		}
		p.event("pending")
		p.event("running")
		p.cloud.StopInstance(webID)
		p.event("stopped")
	}

	// Start it now, revoke, and every task.
	second := p.command(webID)
	if values := startButton.FindStringSubmatch(p.text("the owner's answer")); second != "" && values != nil {
		p.click("pass_start", values[1])
	}
	p.click("pass_get:1", webID)
	p.click("pass_revoke", webID)
	detail, _ := json.Marshal(map[string]any{
		"user": owner, "instance": webID, "request": "1.1", "response_url": p.response, "launch": 1, "stage": 50,
		"channel": alerts, "text": "said later", "pass": p.passID(),
	})
	for _, task := range []string{"Confirm a stop", "Tell about a start", "Settle a start", "Say", "Start for the owner", "unknown"} {
		p.out.err(p.Bot.Event(ctx, []byte(`{"source":"sekisho.task","detail-type":"`+task+`","detail":`+string(detail)+`}`)))
		p.out.err(p.Bot.Event(ctx, []byte(`{"source":"sekisho.task","detail-type":"`+task+`","detail":["`+p.response+`"]}`)))
	}
	p.out.err(p.Bot.Event(ctx, []byte(`{"source":"sekisho.schedule","detail-type":"Sweep","detail":{}}`)))
	p.out.err(p.Bot.Event(ctx, []byte(p.response)))

	p.approvals()
	p.keys()
	p.reports()
	p.examined()

	// What is left of the adapters.
	p.send(httptest.NewRequest(http.MethodGet, "/readyz", nil), "the readiness")
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	p.out.err(p.Socket.Run(short))
	p.out.err(p.Queue.Send(ctx, p.response, 0))
	p.out.err(p.Queue.Receive(ctx, func(context.Context, string, string, time.Time) error { return errors.New("kept") }))
	blocks := []slack.Block{slack.NewDividerBlock()}
	_, err := p.Desk.Chat.Post(ctx, alerts, "", "x", blocks)
	p.out.err(err)
	p.out.err(p.Desk.Chat.Update(ctx, alerts, "1.1", "x", blocks))
	p.out.err(p.Desk.Chat.Respond(ctx, p.response, "x", blocks, true))
	p.out.err(p.Desk.Chat.Respond(ctx, "https://elsewhere.test/"+p.response, "x", blocks, true))
	p.out.err(p.Desk.Chat.Respond(ctx, p.response+"\x7f", "x", blocks, true))
	p.out.err(p.Store.Ping(ctx))
	_, err = p.Desk.Passes.Store.VoidPass(ctx, webID, owner, time.Now())
	p.out.err(err)
	p.out.err(p.Desk.Starter.Start(ctx, webID, "Auth", first))
	p.out.err(p.Desk.Gate.Stopper.Untag(ctx, webID, "Auth", first))
	_, err = p.Desk.Directory.Members(ctx, "C0ROOM")
	p.out.err(err)
	p.out.err(p.Desk.Private.Whisper(ctx, alerts, owner, "x", blocks))
	p.out.err(p.CheckSlack(ctx))
	p.out.err(p.Desk.NoticePolicy(ctx))
	_, err = p.Trail.Verify(ctx, func(auth.Entry) {})
	p.out.err(err)
	_, err = p.Desk.Trail.Trim(ctx, time.Now(), time.Now())
	p.out.err(err)
	p.Flush()
	p.out.add("the App", fmt.Sprintf("%v %+v", p.Desk.Gate, p.Desk.Passes.Pepper))
}

// approvals goes the ways of a request: asked for, approved, shown twice,
// denied, lapsed, with the glass broken, and looked after.
func (p *process) approvals() {
	id := func() string { // of the open request
		all, err := p.Desk.Requests.Store.Requests(p.t.Context())
		p.out.err(err)
		for _, r := range all {
			if r.Open() {
				return r.ID
			}
		}
		return gpuID + "/none"
	}
	attend := func() {
		detail, _ := json.Marshal(map[string]any{"id": id(), "again": true, "entry": map[string]any{"act": "request.ask", "note": "x"}, "named": map[string]any{"Instance": webID}})
		for _, task := range []string{"Look after a request", "Record", "Name a caller"} {
			p.out.err(p.Bot.Event(p.t.Context(), []byte(`{"source":"sekisho.task","detail-type":"`+task+`","detail":`+string(detail)+`}`)))
		}
	}
	p.command("gpu-1 for the nightly training")
	attend()
	p.click("request_approve", id()) // one's own
	p.user = other
	p.click("request_deny", id())
	p.click("request_approve", id())
	p.home("request_approve", id())
	p.user = owner
	request := id()
	attend()
	p.click("request_show", request)
	p.home("request_show", request)
	attend()
	p.command("break-glass gpu-1 for the outage")
	p.click("request_break", id())
	attend()
	p.command("gpu-1 once more")
	p.user = other
	p.form("deny", id(), map[string]any{"why": map[string]any{"why": map[string]any{"value": "because"}}})
	p.user = owner
	p.form("ask", "C0OPS", map[string]any{
		"instance": map[string]any{"instance": map[string]any{"selected_option": map[string]string{"value": webID}}},
		"long":     map[string]any{"long": map[string]any{"selected_option": map[string]string{"value": "0"}}},
	})
	attend()
	event := `{"type":"event_callback","event_id":"Ev1","event":{"type":"app_home_opened","user":"U0HANA","tab":"home"}}`
	p.signed("/slack/events", event)
	p.out.err(p.Bot.Event(p.t.Context(), []byte(`{"id":"ct","source":"aws.ec2","detail-type":"AWS API Call via CloudTrail","detail":{"eventName":"StartInstances","eventTime":"2026-01-01T00:00:00Z",
		"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/hana"},"responseElements":{"instancesSet":{"items":[{"instanceId":"`+webID+`"}]}}}}`)))
}

// keys goes the ways of an access key: Config's event, the sweep and its hold,
// every button, the lists, and what is left of the adapter.
func (p *process) keys() {
	ctx := p.t.Context()
	long := time.Now().Add(-100 * 24 * time.Hour)
	for _, user := range []string{"hana", "ben"} {
		_, err := p.cloud.AddUser(awssim.User{Name: user, Created: long, Keys: []awssim.AccessKey{{ID: "AKIATESTTESTOF" + strings.ToUpper(user), Active: true, Created: long}}})
		if err != nil {
			p.t.Error(err)
		}
	}
	event := func(source, kind, detail string) {
		p.out.err(p.Bot.Event(ctx, []byte(`{"id":"keys","source":"`+source+`","detail-type":"`+kind+`","detail":`+detail+`}`)))
	}
	for _, resource := range []string{"AIDATEST", "AKIATESTTESTOFHANA"} {
		event("aws.config", "Config Rules Compliance Change", `{"messageType":"ComplianceChangeNotification","configRuleName":"access-keys-rotated","awsAccountId":"111122223333",
			"awsRegion":"eu-central-1","resourceId":"`+resource+`","newEvaluationResult":{"complianceType":"NON_COMPLIANT"}}`)
	}
	for range 2 {
		event("sekisho.schedule", "Keys", `{}`)
	}
	p.user = other
	for _, action := range []string{"key_off", "key_undo", "key_keep", "key_exempt", "keys_hold"} {
		p.click(action, "AKIATESTTESTOFHANA")
	}
	why := map[string]any{"why": map[string]any{"value": "because"}}
	until := map[string]any{"until": map[string]any{"selected_date": time.Now().AddDate(0, 1, 0).Format(time.DateOnly)}}
	p.form("key_keep", "AKIATESTTESTOFHANA", map[string]any{"why": why})
	p.form("key_exempt", "AKIATESTTESTOFHANA", map[string]any{"why": why, "until": until})
	for _, text := range []string{"keys", "keys ben", "keys nobody", "help"} {
		p.ask("/sekisho", text)
	}
	p.user = owner
	p.ask("/sekisho", "keys")
	event("sekisho.task", "Look after an access key", `{"id":"AKIATESTTESTOFBEN","user":"ben"}`)
	event("sekisho.task", "List the access keys", `{"reply":"`+p.response+`"}`)
	keys := p.Desk.Purge
	_, err := keys.WhoAmI(ctx)
	p.out.err(err)
	_, err = keys.Finder.Named(ctx, "eu-central-1", "AIDATEST")
	p.out.err(err)
	p.out.err(keys.Ender.Deactivate(ctx, "hana", "AKIATESTTESTOFHANA"))
	p.out.err(keys.Ender.Reactivate(ctx, "hana", "AKIATESTTESTOFHANA"))
	p.out.err(keys.Ender.Delete(ctx, "hana", "AKIATESTTESTOFHANA"))
	_, err = keys.Store.Records(ctx)
	p.out.err(err)
}

var (
	shownCode   = regexp.MustCompile("```([3-9A-Y]{31})```")
	startButton = regexp.MustCompile(`"action_id":"pass_start".*?"value":"([^"]*)"`)
)

// command types `/ec2-pass text` and gives the code that it shows, if any.
func (p *process) command(text string) (code string) { return p.ask("/ec2-pass", text) }

func (p *process) ask(command, text string) (code string) {
	body := p.request("/slack/commands", url.Values{
		"command": {command}, "text": {text}, "user_id": {p.user}, "channel_id": {"C0OPS"}, "trigger_id": {p.trigger()},
		"response_url": {p.response}, "token": {"deprecated"},
	}, true)
	if shown := shownCode.FindStringSubmatch(body); shown != nil {
		p.code(shown[1])
		return shown[1]
	}
	return ""
}

func (p *process) click(action, value string) {
	p.interact(map[string]any{
		"type": "block_actions", "response_url": p.response, "actions": []map[string]string{{"action_id": action, "value": value}},
	})
}

// home clicks on the Home tab, where there is no response URL.
func (p *process) home(action, value string) {
	p.interact(map[string]any{
		"type": "block_actions", "view": map[string]string{"type": "home"}, "actions": []map[string]string{{"action_id": action, "value": value}},
	})
}

func (p *process) form(callback, about string, values map[string]any) {
	p.interact(map[string]any{
		"type": "view_submission", "view": map[string]any{"callback_id": callback, "private_metadata": about, "state": map[string]any{"values": values}},
	})
}

func (p *process) interact(what map[string]any) {
	what["user"], what["trigger_id"] = map[string]string{"id": p.user}, p.trigger()
	payload, _ := json.Marshal(what)
	body := p.request("/slack/interactions", url.Values{"payload": {string(payload)}}, true)
	p.shown(body + p.text("a private answer") + p.text("a modal"))
}

// shown notes the codes that somebody was shown.
func (p *process) shown(text string) {
	text, _ = url.QueryUnescape(text)
	for _, c := range shownCode.FindAllStringSubmatch(text, -1) {
		p.code(c[1])
	}
}

func (p *process) trigger() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	return strconv.Itoa(p.asked)
}

func (p *process) request(path string, form url.Values, signed bool) string {
	if signed {
		return p.signed(path, form.Encode())
	}
	return p.send(httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode())), "the owner's answer")
}

func (p *process) signed(path, body string) string {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", slacksim.Sign(secrets["SLACK_SIGNING_SECRET"], stamp, body))
	return p.send(r, "the owner's answer")
}

func (p *process) send(r *http.Request, place string) string {
	w := httptest.NewRecorder()
	p.HTTP.ServeHTTP(w, r)
	p.out.add(place, w.Body.String())
	return w.Body.String()
}

func (p *process) event(state string) {
	event, _ := json.Marshal(map[string]any{
		"id": "test", "source": "aws.ec2", "detail-type": "EC2 Instance State-change Notification", "region": "eu-central-1",
		"time": time.Now().UTC().Add(time.Second).Truncate(time.Second), "detail": map[string]string{"instance-id": webID, "state": state},
	})
	p.out.err(p.Bot.Event(p.t.Context(), event))
}

// passID is the id of the owner's live pass, so that a task can start with it.
func (p *process) passID() string {
	p.command(webID)
	live, err := p.Desk.Passes.Live(p.t.Context(), owner, []string{webID})
	p.out.err(err)
	if len(live) == 0 {
		return ""
	}
	return live[0].ID
}

func (p *process) text(place string) string {
	p.out.mu.Lock()
	defer p.out.mu.Unlock()
	if b := p.out.places[place]; b != nil {
		return b.String()
	}
	return ""
}

// look searches every place for every secret.
func (p *process) look(allWorks bool) {
	t := p.t
	p.out.add("Redis", everything(t, p.redis))
	for _, task := range p.tasks() {
		if task == p.response || strings.Contains(task, `"detail-type":"Start for the owner"`) {
			continue // this test's own; and a worker answers through it
		}
		p.out.add("the queue", task)
	}
	p.readMail()
	places := []string{"the log", "an error", "Redis", "the App", "the readiness", "the owner's answer"}
	if allWorks {
		places = append(places, "a private answer", "a message in "+alerts, "a message in C0APPROVE", "a message in D0HANA", "the Home tab", "a modal", "the trail", "the queue",
			"a message in "+reportsRoom, "a file", "a file's name", "a mail", "standard output")
		if n := strings.Count(p.text("a message in "+alerts), "let+in"); n == 0 {
			t.Errorf("nobody was let in: the test does not do what it says\n%s", p.text("the log"))
		}
		if tagged := p.text("the log"); !strings.Contains(tagged, "started for the owner") {
			t.Errorf("nothing was started for its owner: the test does not do what it says")
		}
	}
	if allWorks && !strings.Contains(p.text("the trail"), `"key.delete"`) {
		t.Errorf("no access key came to its end: the test does not do what it says")
	}
	for _, place := range places {
		if p.text(place) == "" && place != "Redis" {
			t.Errorf("%s: nothing was collected", place)
		}
	}
	for place := range p.out.places {
		text := p.text(place)
		for name, secret := range secrets {
			spilt(t, place, name, text, secret)
		}
		for _, c := range p.codes {
			if c == "" || place == "the owner's answer" || place == "a private answer" || place == "a modal" {
				continue
			}
			spilt(t, place, "a code", text, c)
		}
	}
}

// everything is all that stands in Redis. Its own Dump cuts long values short.
func everything(t *testing.T, m *miniredis.Miniredis) string {
	var all strings.Builder
	for _, key := range m.Keys() {
		fmt.Fprintln(&all, key)
		switch kind := m.Type(key); kind {
		case "string":
			value, _ := m.Get(key)
			fmt.Fprintln(&all, value)
		case "hash":
			fields, _ := m.HKeys(key)
			for _, f := range fields {
				fmt.Fprintln(&all, f, unpacked(t, m.HGet(key, f)))
			}
		case "zset":
			members, _ := m.ZMembers(key)
			fmt.Fprintln(&all, members)
		case "stream":
			entries, _ := m.Stream(key)
			fmt.Fprintln(&all, entries)
		default:
			t.Fatalf("%s is a %s, which this test does not look into", key, kind)
		}
	}
	return all.String()
}

func spilt(t *testing.T, place, name, text, secret string) {
	t.Helper()
	at := strings.Index(text, secret)
	if at < 0 {
		at = strings.Index(text, url.QueryEscape(secret))
	}
	if at >= 0 {
		t.Errorf("%s holds %s: …%s…", place, name, text[max(0, at-300):min(len(text), at+len(secret)+60)])
	}
}

// What is wrong with the settings is said without their values.
func TestAMalformedSecretIsNotQuoted(t *testing.T) {
	good := map[string]string{
		"SEKISHO_CONFIG": policy(t), "REDIS_URL": "redis://localhost:6379", "SEKISHO_QUEUE_URL": "https://sqs.test/q",
		"SLACK_BOT_TOKEN": "xoxb-test", "SLACK_APP_TOKEN": "xapp-test", "SLACK_SIGNING_SECRET": "test",
		"SEKISHO_PEPPER": strings.Repeat("test", 8),
	}
	for name, values := range map[string][]string{
		"SLACK_BOT_TOKEN": {"SPILT-token", "xapp-SPILT", " xoxb-SPILT"},
		"SLACK_APP_TOKEN": {"SPILT-token", "xoxb-SPILT"},
		"SEKISHO_PEPPER":  {"SPILT"},
		"REDIS_URL": {"SPILT", "http://user:SPILT@host", "redis://user:SPILT@host:port:port", "redis://:SPILT@h/notanumber",
			"redis://user:SPILT@host?SPILT=1", "redis://user:SPILT%zz@host", "rediss://:SPILT@[::1"},
	} {
		for _, value := range values {
			_, err := wire.New(t.Context(), wire.Config{
				Doors: bot.Doors{Socket: true, HTTP: true, Gate: true, Keys: true}, Log: slog.New(slog.DiscardHandler),
				AWS: func(string) aws.Config { return aws.Config{} },
				Env: func(asked string) string {
					if asked == name {
						return value
					}
					return good[asked]
				},
			})
			if err == nil {
				t.Errorf("%s=%q is taken", name, value)
			} else if !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "SPILT") {
				t.Errorf("%s=%q: %v", name, value, err)
			}
		}
	}
}
