package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sekisho/infra/local"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

// TestMain makes the test binary the function itself when Lambda's variable is
// there, so that the tests drive the real thing through the Runtime API.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

const patience = time.Minute

// function is a running bootstrap and the Runtime API that it polls:
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
type function struct {
	t       *testing.T
	world   *local.World
	invokes chan invocation
	answers chan answer
}

type invocation struct {
	id      string
	payload []byte
}

type answer struct {
	failed bool
	body   string
}

// start runs the function in a world of its own with these doors open, and with
// more variables if asked.
func start(t *testing.T, doors string, more ...func(*local.World) []string) *function {
	t.Helper()
	f := &function{t: t, invokes: make(chan invocation, 1), answers: make(chan answer, 1)}
	api := httptest.NewServer(http.HandlerFunc(f.runtimeAPI))
	t.Cleanup(api.Close)
	var err error
	if f.world, err = local.New(local.Options{BootTime: 50 * time.Millisecond, StopTime: 50 * time.Millisecond, SweepEvery: time.Hour}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.world.Close() })
	if _, err := f.world.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	policy := filepath.Join(t.TempDir(), "sekisho.yml")
	os.WriteFile(policy, []byte(`
version: 1
slack: {channels: {alerts: C0ALERTS}}
gate: {mode: enforce, guard: {tags: {Sekisho: guarded}}, when_unavailable: stop}
rules: [{name: everyone, ask: [everyone]}]
`), 0o600)
	var said bytes.Buffer
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(f.world.Env(),
		"AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"), "AWS_LAMBDA_FUNCTION_NAME=test",
		"SEKISHO_CONFIG="+policy, "SEKISHO_DOORS="+doors, "REDIS_URL=redis://"+miniredis.RunT(t).Addr(),
		"SEKISHO_PEPPER=test-pepper-test-pepper-test-pepper",
	)
	for _, variables := range more {
		cmd.Env = append(cmd.Env, variables(f.world)...)
	}
	cmd.Stderr, cmd.Stdout = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("the function said:\n%s", &said)
		}
	})
	return f
}

func (f *function) runtimeAPI(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/invocation/next"):
		select {
		case i := <-f.invokes:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", i.id)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(30*time.Second).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:111122223333:function:test")
			w.Write(i.payload)
		case <-r.Context().Done():
		}
	case strings.HasSuffix(path, "/response"), strings.HasSuffix(path, "/error"):
		body, _ := io.ReadAll(r.Body)
		f.answers <- answer{strings.HasSuffix(path, "/error"), string(body)}
		w.WriteHeader(http.StatusAccepted)
	default:
		http.NotFound(w, r)
	}
}

// invoke sends one payload and returns the function's answer.
func (f *function) invoke(payload any) answer {
	f.t.Helper()
	text, ok := payload.([]byte)
	if !ok {
		var err error
		if text, err = json.Marshal(payload); err != nil {
			f.t.Fatal(err)
		}
	}
	f.invokes <- invocation{"test-request", text}
	select {
	case a := <-f.answers:
		return a
	case <-time.After(patience):
		f.t.Fatal("the function never answered")
		return answer{}
	}
}

// card waits for a message in the alerts channel.
func (f *function) card(text string) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := f.world.Slack.Wait(ctx, func(all []slacksim.Message) bool {
		for _, m := range all {
			if m.Channel == "C0ALERTS" && strings.Contains(m.Text, text) {
				return true
			}
		}
		return false
	}); err != nil {
		f.t.Fatalf("no card with %q: %v", text, err)
	}
}

func signed(body string) map[string]any { return signedWith("test-local-signing-secret", body) }

func signedWith(secret, body string) map[string]any {
	stamp := fmt.Sprint(time.Now().Unix())
	return map[string]any{
		"version": "2.0", "rawPath": "/slack/commands", "isBase64Encoded": true,
		"headers": map[string]string{
			"x-slack-request-timestamp": stamp,
			"x-slack-signature":         slacksim.Sign(secret, stamp, body),
		},
		"requestContext": map[string]any{"http": map[string]string{"method": "POST", "path": "/slack/commands"}},
		"body":           base64.StdEncoding.EncodeToString([]byte(body)),
	}
}

func TestAFunctionURLAnswersSlack(t *testing.T) {
	f := start(t, "http")
	const ask = "command=%2Fec2-pass&text=web-1&user_id=U0HANA&channel_id=C0OPS&trigger_id=1.2.test"
	first := f.invoke(signed(ask))
	if first.failed || !strings.Contains(first.body, `"statusCode":200`) || !strings.Contains(first.body, "one-time pass") || !strings.Contains(first.body, "ephemeral") {
		t.Errorf("a signed command: %+v", first)
	}
	again := f.invoke(signed(ask))
	if !strings.Contains(again.body, "answered already") {
		t.Errorf("the same command again: %+v", again)
	}
	forged := signed(ask)
	forged["body"] = base64.StdEncoding.EncodeToString([]byte(strings.Replace(ask, "U0HANA", "U0BEN", 1)))
	if a := f.invoke(forged); !strings.Contains(a.body, `"statusCode":401`) {
		t.Errorf("a forged command: %+v", a)
	}
	if a := f.invoke([]byte(`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":{}}`)); !a.failed {
		t.Errorf("an event at a function that opens only http: %+v", a)
	}
}

// The secrets are there before the first invocation is asked for.
func TestSecretsAndPolicyByReference(t *testing.T) {
	const secret = "test-secret-out-of-the-vault"
	f := start(t, "http", func(w *local.World) []string {
		w.AWS.PutParameter("/sekisho/pepper", "test-pepper-test-pepper-test-pepper", true)
		w.AWS.PutParameter("/sekisho/policy", "version: 1\nslack: {channels: {alerts: C0ALERTS}}\n"+
			"gate: {guard: {tags: {Sekisho: guarded}}, when_unavailable: stop}\nrules: [{name: everyone, ask: [everyone]}]\n", false)
		arn := w.AWS.PutSecret("sekisho/slack", `{"signing_secret":"`+secret+`"}`)
		return []string{"SEKISHO_PEPPER=ssm:/sekisho/pepper", "SEKISHO_CONFIG=ssm:/sekisho/policy", "SLACK_SIGNING_SECRET=" + arn + ":signing_secret"}
	})
	const ask = "command=%2Fec2-pass&text=web-1&user_id=U0HANA&channel_id=C0OPS&trigger_id=1.2.test"
	if a := f.invoke(signedWith(secret, ask)); !strings.Contains(a.body, `"statusCode":200`) || !strings.Contains(a.body, "one-time pass") {
		t.Errorf("signed with the secret: %+v", a)
	}
	if a := f.invoke(signed(ask)); !strings.Contains(a.body, `"statusCode":401`) {
		t.Errorf("signed with another: %+v", a)
	}
}

func TestEventsReachTheGate(t *testing.T) {
	f := start(t, "events")
	events := make(chan []byte, 100)
	f.world.AWS.OnEvent(func(text []byte) { events <- text })
	web := find(t, f.world, "web-1")
	if err := f.world.AWS.StartInstance(web.ID); err != nil {
		t.Fatal(err)
	}
	for stopped := false; !stopped; {
		e := <-events
		if a := f.invoke(e); a.failed {
			t.Fatalf("event %s: %+v", e, a)
		}
		stopped = bytes.Contains(e, []byte(`"stopped"`))
	}
	f.card("is stopped")
	if i := find(t, f.world, "web-1"); i.State != "stopped" {
		t.Errorf("web-1 is %s", i.State)
	}
	if a := f.invoke(signed("command=%2Fec2-pass")); !strings.Contains(a.body, `"statusCode":403`) {
		t.Errorf("a request at a function that opens only events: %+v", a)
	}
}

func TestABatchNamesWhatFailed(t *testing.T) {
	f := start(t, "events")
	record := func(id, body string) map[string]string {
		return map[string]string{"messageId": id, "eventSource": "aws:sqs", "body": body}
	}
	a := f.invoke(map[string]any{"Records": []any{
		record("good", `{"version":"0","source":"sekisho.schedule","detail-type":"Sweep","detail":{}}`),
		record("unknown", `{"version":"0","source":"aws.s3","detail-type":"Object Created","detail":{}}`),
		record("bad", `{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":"?"}`),
	}})
	if a.failed || a.body != `{"batchItemFailures":[{"itemIdentifier":"bad"}]}` {
		t.Errorf("a batch with one bad message: %+v", a)
	}
}

func find(t *testing.T, w *local.World, name string) awssim.Instance {
	t.Helper()
	for _, i := range w.AWS.Instances() {
		if i.Name == name {
			return i
		}
	}
	t.Fatalf("there is no instance %s", name)
	return awssim.Instance{}
}
