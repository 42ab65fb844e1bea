package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/redis/go-redis/v9"

	"sekisho/infra/local"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/lambdasim"
	"sekisho/infra/local/slacksim"
	"sekisho/infra/redisstore/redistest"
)

// faulty is the variable of a function whose first call of Slack panics.
const faulty = "SEKISHO_TEST_FAULTY"

// TestMain makes the test binary the function itself when Lambda's variable is
// there, so that the tests drive the real thing.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	if os.Getenv(faulty) != "" {
		panicOnce()
	}
	main()
}

// panicOnce puts a panic into the transport that Slack's client uses.
func panicOnce() {
	var before atomic.Bool
	http.DefaultTransport.(*http.Transport).Proxy = func(*http.Request) (*url.URL, error) {
		if !before.Swap(true) {
			panic("test: a fault")
		}
		return nil, nil
	}
}

const (
	// patience bounds every wait; nothing waits for it to pass.
	patience = time.Minute

	// name is the function's; each test deploys one.
	name = "sekisho"

	web = "web-1"

	signingSecret = "test-local-signing-secret" // the world's
)

const policy = `
version: 1
slack: {channels: {alerts: C0ALERTS}}
gate: {mode: enforce, guard: {tags: {Sekisho: guarded}}, when_unavailable: stop}
rules: [{name: everyone, ask: [everyone]}]
`

// world is the local world and a real Redis, for a function to run in.
type world struct {
	*local.World
	t     *testing.T
	ctx   context.Context
	redis string
	env   []string
	// events has those of AWS, for the tests that hand them over themselves.
	events chan []byte
}

func open(t *testing.T) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	w, err := local.New(local.Options{BootTime: 50 * time.Millisecond, StopTime: 50 * time.Millisecond, SweepEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	if _, err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sekisho.yml")
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	events := make(chan []byte, 100)
	w.AWS.OnEvent(func(event []byte) { events <- event })
	addr := redistest.Server(t)
	return &world{World: w, t: t, ctx: ctx, redis: addr, events: events, env: append(w.Env(),
		"SEKISHO_CONFIG="+file, "REDIS_URL=redis://"+addr, "SEKISHO_PEPPER=test-pepper-test-pepper-test-pepper",
		"SEKISHO_KEYS_QUEUE_URL="+w.AWS.CreateQueue("sekisho-keys", time.Minute, "", 0),
	)}
}

func (w *world) do(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// variable is one of the function's environment.
func (w *world) variable(name string) string {
	w.t.Helper()
	for _, e := range w.env {
		if value, ok := strings.CutPrefix(e, name+"="); ok {
			return value
		}
	}
	w.t.Fatalf("there is no variable %s", name)
	return ""
}

// function is bootstrap as a Lambda.
type function struct {
	*lambdasim.Service
	*world
}

// deploy gives the world a function that opens these doors, with this
// environment besides.
func (w *world) deploy(doors string, timeout time.Duration, env ...string) *function {
	w.t.Helper()
	program, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := lambdasim.New(lambdasim.Function{
		Name: name, Program: program, Timeout: timeout, Grace: patience, // of the margin package bot says more
		Env:       append(append(w.env[:len(w.env):len(w.env)], "SEKISHO_DOORS="+doors), env...),
		OnFailure: func(record []byte) { w.t.Errorf("an event was given up: %s", record) },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		if w.t.Failed() {
			w.t.Logf("the function said:\n%s", s.Logs(name))
		}
		s.Close()
	})
	return &function{s, w}
}

func (f *function) invoke(payload string) (string, error) {
	answer, err := f.Invoke(f.ctx, name, []byte(payload))
	return string(answer), err
}

// post sends Slack's form to the function's URL; signed is the body that its
// signature is of.
func (f *function) post(body, signed string) (status int, text string) {
	return f.postWith(signingSecret, body, signed)
}

func (f *function) postWith(secret, body, signed string) (status int, text string) {
	r := httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader(body))
	stamp := fmt.Sprint(time.Now().Unix())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", slacksim.Sign(secret, stamp, signed))
	w := httptest.NewRecorder()
	f.URL(name).ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// ask is the form of a slash command of Hana's.
func ask(trigger, text string) string {
	return url.Values{
		"command": {"/ec2-pass"}, "text": {text}, "user_id": {"U0HANA"}, "channel_id": {"C0OPS"}, "trigger_id": {trigger},
	}.Encode()
}

// start starts web-1.
func (w *world) start() {
	w.t.Helper()
	w.do(w.AWS.StartInstance(w.instance(web).ID))
}

// event waits for the event of web-1's being in this state.
func (w *world) event(state string) string {
	w.t.Helper()
	for {
		select {
		case e := <-w.events:
			if bytes.Contains(e, []byte(`"state":"`+state+`"`)) {
				return string(e)
			}
		case <-w.ctx.Done():
			w.t.Fatalf("no event says that %s is %s", web, state)
		}
	}
}

func (w *world) instance(name string) awssim.Instance {
	w.t.Helper()
	for _, i := range w.AWS.Instances() {
		if i.Name == name {
			return i
		}
	}
	w.t.Fatalf("there is no instance %s", name)
	return awssim.Instance{}
}

// untilStopped waits for web-1 to be stopped by the function.
func (w *world) untilStopped() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	changes := w.AWS.Changes(ctx)
	for w.instance(web).State != "stopped" {
		select {
		case <-changes:
		case <-ctx.Done():
			w.t.Fatalf("%s was never stopped: it is %s", web, w.instance(web).State)
		}
	}
}

// card waits for a message in the alerts channel.
func (w *world) card(text string) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	if _, err := w.Slack.Wait(ctx, func(all []slacksim.Message) bool {
		for _, m := range all {
			if m.Channel == "C0ALERTS" && strings.Contains(m.Text, text) {
				return true
			}
		}
		return false
	}); err != nil {
		w.t.Fatalf("no card with %q: %v", text, err)
	}
}

// tellsLater wants the telling to be in the queue: the invocation that failed
// may have told it, and holds the card for a while.
func (w *world) tellsLater() {
	w.t.Helper()
	q := w.AWS.Queue(w.variable("SEKISHO_QUEUE_URL"))
	if !slices.ContainsFunc(q.Delayed, func(task string) bool { return strings.Contains(task, `"Tell about a start"`) }) {
		w.t.Errorf("nobody will tell: the queue has %q", q.Delayed)
	}
}

// survives wants the function's one process to be there still.
func (f *function) survives() {
	f.t.Helper()
	if n := f.Started(name); n != 1 {
		f.t.Errorf("%d processes were started: the first did not survive", n)
	}
}

func TestAFunctionURLAnswersSlack(t *testing.T) {
	f := open(t).deploy("http", 10*time.Second)
	help := ask("1.1.test", "help")
	if status, text := f.post(help, help); status != http.StatusOK || !strings.Contains(text, "break-glass") {
		t.Errorf("help: %d %s", status, text)
	}
	pass := ask("1.2.test", web)
	status, text := f.post(pass, pass)
	if status != http.StatusOK || !regexp.MustCompile("```[A-Z0-9]{31}```").MatchString(text) || !strings.Contains(text, "ephemeral") {
		t.Errorf("a pass: %d %s", status, text)
	}
	if status, text := f.post(pass, pass); status != http.StatusOK || !strings.Contains(text, "answered already") {
		t.Errorf("the same command again: %d %s", status, text)
	}
	if status, text := f.post(strings.Replace(pass, "U0HANA", "U0BEN", 1), pass); status != http.StatusUnauthorized {
		t.Errorf("a forged command: %d %s", status, text)
	}
	if _, err := f.invoke(`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":{}}`); err == nil || !strings.Contains(err.Error(), "SEKISHO_DOORS") {
		t.Errorf("an event at a function that opens only http: %v", err)
	}
	f.survives()
	if strings.Contains(f.Logs(name), "panic") {
		t.Error("something panicked")
	}
}

func TestEventsReachTheGate(t *testing.T) {
	f := open(t).deploy("gate", 10*time.Second)
	f.AWS.OnEvent(func(event []byte) {
		if err := f.InvokeAsync(name, event); err != nil {
			t.Errorf("an event: %v", err)
		}
	})
	f.start()
	f.untilStopped()
	f.card("is stopped")
	if status, text := f.post(ask("1.1.test", "help"), ""); status != http.StatusForbidden || !strings.Contains(text, "SEKISHO_DOORS") {
		t.Errorf("a request at a function that opens only events: %d %s", status, text)
	}
}

func TestAQueuesEventsReachTheGate(t *testing.T) {
	f := open(t).deploy("gate", 10*time.Second)
	q := lambdasim.SQS{URL: f.variable("SEKISHO_QUEUE_URL"), Client: sqs.New(sqs.Options{
		Region: f.variable("AWS_REGION"), BaseEndpoint: aws.String(f.variable("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(f.variable("AWS_ACCESS_KEY_ID"), f.variable("AWS_SECRET_ACCESS_KEY"), ""),
	})}
	ctx, cancel := context.WithCancel(f.ctx)
	polled := make(chan error, 1)
	go func() { polled <- f.Poll(ctx, name, q, 10) }()
	f.start()
	f.untilStopped()
	f.card("is stopped")
	cancel()
	if err := <-polled; err != nil {
		t.Error(err)
	}
}

const (
	sweepEvent   = `{"version":"0","source":"sekisho.schedule","detail-type":"Sweep","detail":{}}`
	unknownEvent = `{"version":"0","source":"aws.s3","detail-type":"Object Created","detail":{}}`
	badEvent     = `{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":"?"}`
)

func TestABatchNamesWhatFailed(t *testing.T) {
	f := open(t).deploy("gate", 10*time.Second)
	record := func(id, body string) map[string]string {
		return map[string]string{"messageId": id, "eventSource": "aws:sqs", "body": body}
	}
	batch, err := json.Marshal(map[string]any{"Records": []any{
		record("good", sweepEvent), record("unknown", unknownEvent), record("bad", badEvent),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if answer, err := f.invoke(string(batch)); err != nil || answer != `{"batchItemFailures":[{"itemIdentifier":"bad"}]}` {
		t.Errorf("a batch with one bad message: %s, %v", answer, err)
	}
}

// One bad record of a stream holds up neither what came before it nor what
// comes after.
func TestAStreamsEventsReachTheGate(t *testing.T) {
	f := open(t).deploy("gate", 10*time.Second)
	f.start()
	var given []string
	err := f.Stream(f.ctx, name, lambdasim.Mapping{
		MaximumRetryAttempts: 1, BisectBatchOnFunctionError: true, OnFailure: func(record []byte) { given = append(given, string(record)) },
	}, []lambdasim.Record{
		{PartitionKey: "i-1", Data: []byte(f.event("pending"))},
		{PartitionKey: "i-2", Data: []byte(badEvent)},
		{PartitionKey: "i-3", Data: []byte(unknownEvent)},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.untilStopped()
	if len(given) != 1 || !strings.Contains(given[0], `"batchSize":1`) || !strings.Contains(given[0], "RetryAttemptsExhausted") {
		t.Errorf("given up: %s", given)
	}
	f.survives()
}

func TestAnInvocationThatFailsIsNotTheLast(t *testing.T) {
	w := open(t)
	redis := redistest.NewProxy(t, w.redis)
	f := w.deploy("gate", 20*time.Second, "REDIS_URL=redis://"+redis.Addr)
	if _, err := f.invoke(badEvent); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("a malformed event: %v", err)
	}
	redis.Cut()
	if _, err := f.invoke(sweepEvent); err == nil || !strings.Contains(err.Error(), "the store is away") {
		t.Errorf("Redis is away: %v", err)
	}
	redis.Mend()
	if _, err := f.invoke(sweepEvent); err != nil {
		t.Errorf("Redis is back: %v", err)
	}
	f.survives()
}

func TestAPanicIsNotTheLast(t *testing.T) {
	f := open(t).deploy("gate", 20*time.Second, faulty+"=1")
	f.start()
	if _, err := f.invoke(f.event("pending")); err == nil || !strings.Contains(err.Error(), "panic: test: a fault") {
		t.Errorf("a panic: %v", err)
	}
	if _, err := f.invoke(f.event("stopped")); err != nil {
		t.Errorf("after a panic: %v", err)
	}
	f.tellsLater()
	f.survives()
}

// The function answers with an error before Lambda ends it without one.
func TestRedisHangsUntilTheDeadline(t *testing.T) {
	w := open(t)
	admin := redis.NewClient(&redis.Options{Addr: w.redis})
	defer admin.Close()
	f := w.deploy("gate", 3*time.Second) // less than Redis is waited for
	f.start()
	w.do(admin.Do(w.ctx, "CLIENT", "PAUSE", patience.Milliseconds(), "WRITE").Err())
	if _, err := f.invoke(f.event("pending")); err == nil || !strings.Contains(err.Error(), "time is up") {
		t.Errorf("Redis hangs: %v", err)
	}
	w.do(admin.Do(w.ctx, "CLIENT", "UNPAUSE").Err())
	if _, err := f.invoke(sweepEvent); err != nil {
		t.Errorf("Redis answers again: %v", err)
	}
	f.survives()
}

func TestSlackHangsUntilTheDeadline(t *testing.T) {
	w := open(t)
	var hangs atomic.Bool
	api, err := url.Parse(w.variable("SLACK_API_URL"))
	w.do(err)
	forward := httputil.NewSingleHostReverseProxy(api)
	slack := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if hangs.Load() {
			io.Copy(io.Discard, r.Body) // or the caller's leaving is not noticed
			<-r.Context().Done()
			return
		}
		forward.ServeHTTP(rw, r)
	}))
	t.Cleanup(slack.Close)
	f := w.deploy("gate", 5*time.Second, "SLACK_API_URL="+slack.URL+"/")
	f.start()
	hangs.Store(true)
	if _, err := f.invoke(f.event("pending")); err == nil || !strings.Contains(err.Error(), "time is up") {
		t.Errorf("Slack hangs: %v", err)
	}
	f.untilStopped() // people could not be told; it was done all the same
	hangs.Store(false)
	if _, err := f.invoke(f.event("stopped")); err != nil {
		t.Errorf("Slack answers again: %v", err)
	}
	f.tellsLater()
	f.survives()
}

// A log that is not all JSON cannot be searched by its fields.
func TestEveryLineIsJSON(t *testing.T) {
	w := open(t)
	f := w.deploy("gate", 20*time.Second, "REDIS_URL=redis://127.0.0.1:1") // where nobody listens
	if _, err := f.invoke(sweepEvent); err == nil {
		t.Fatal("the sweep did not fail")
	}
	ill := w.deploy("nowhere", 10*time.Second)
	if _, err := ill.invoke(sweepEvent); err == nil {
		t.Fatal("a function of no door was started")
	}
	all := f.Logs(name) + ill.Logs(name)
	for line := range strings.Lines(all) {
		if !json.Valid([]byte(line)) {
			t.Errorf("this line is not: %s", line)
		}
	}
	for _, want := range []string{`"msg":"an invocation failed","error":"event`, `"level":"WARN","msg":"go-redis"`, `"level":"WARN","msg":"{\"errorMessage\"`, `"msg":"the function cannot start"`} {
		if !strings.Contains(all, want) {
			t.Errorf("no line has %s:\n%s", want, all)
		}
	}
}

// The secrets are there before the first invocation is asked for.
func TestSecretsAndPolicyByReference(t *testing.T) {
	const secret = "test-secret-out-of-the-vault"
	w := open(t)
	w.AWS.PutParameter("/sekisho/pepper", "test-pepper-test-pepper-test-pepper", true)
	w.AWS.PutParameter("/sekisho/policy", policy, false)
	arn := w.AWS.PutSecret("sekisho/slack", `{"signing_secret":"`+secret+`"}`)
	f := w.deploy("http", 10*time.Second,
		"SEKISHO_PEPPER=ssm:/sekisho/pepper", "SEKISHO_CONFIG=ssm:/sekisho/policy", "SLACK_SIGNING_SECRET="+arn+":signing_secret")
	pass := ask("1.2.test", web)
	if status, text := f.postWith(secret, pass, pass); status != http.StatusOK || !strings.Contains(text, "one-time pass") {
		t.Errorf("signed with the secret: %d %s", status, text)
	}
	if status, text := f.post(pass, pass); status != http.StatusUnauthorized {
		t.Errorf("signed with another: %d %s", status, text)
	}
}

// Lambda starts bootstrap, whatever the handler is.
func TestTheHandlerNamesTheProgram(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	bootstrap := filepath.Join(root, "bootstrap")
	if err := os.Symlink(program, bootstrap); err != nil {
		t.Fatal(err)
	}
	s, err := lambdasim.New(lambdasim.Function{Name: name, Program: bootstrap, Handler: "sekisho"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, err := s.Invoke(t.Context(), name, []byte("{}")); err == nil || !strings.Contains(s.Logs(name), "is it in the package") {
		t.Errorf("without the program: %v; it said %s", err, s.Logs(name))
	}
	if err := os.WriteFile(filepath.Join(root, "sekisho"), []byte("#!/bin/sh\necho the whole program\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Invoke(t.Context(), name, []byte("{}")); err == nil || !strings.Contains(s.Logs(name), "the whole program\n") {
		t.Errorf("with it: %v; it said %s", err, s.Logs(name))
	}
}
