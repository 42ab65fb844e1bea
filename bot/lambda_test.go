package bot_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sekisho/auth"
	"sekisho/bot"
	"sekisho/infra/local/slacksim"
)

// function is a world as a Lambda that opens the doors.
func function(t testing.TB, doors string) (*world, *bot.Lambda) {
	t.Helper()
	w := newWorld(t)
	open, err := bot.ReadDoors(doors)
	if err != nil {
		t.Fatal(err)
	}
	w.Bot = bot.New(w.desk, open)
	l := &bot.Lambda{Bot: w.Bot}
	if open.HTTP {
		l.HTTP = door(t, w)
	}
	return w, l
}

// recordedURL is a function URL's request with this body, signed.
func recordedURL(t testing.TB, path, body string, base64d bool) []byte {
	t.Helper()
	var r events.LambdaFunctionURLRequest
	if err := json.Unmarshal(fixture(t, "lambda/function_url.json"), &r); err != nil {
		t.Fatal(err)
	}
	stamp := strconv.FormatInt(noon.Unix(), 10)
	r.RawPath, r.RequestContext.HTTP.Path = path, path
	r.Headers["x-slack-request-timestamp"] = stamp
	r.Headers["x-slack-signature"] = slacksim.Sign(testSecret, stamp, body)
	r.Body, r.IsBase64Encoded = body, base64d
	if base64d {
		r.Body = base64.StdEncoding.EncodeToString([]byte(body))
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// invoke gives the function URL's answer.
func invoke(t testing.TB, l *bot.Lambda, payload []byte) events.LambdaFunctionURLResponse {
	t.Helper()
	out, err := l.Invoke(t.Context(), payload)
	if err != nil {
		t.Fatalf("the invocation failed: %v", err)
	}
	var a events.LambdaFunctionURLResponse
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return a
}

func TestAFunctionURLsRequest(t *testing.T) {
	for name, base64d := range map[string]bool{"base64": true, "plain": false} {
		t.Run(name, func(t *testing.T) {
			w, l := function(t, "http")
			a := invoke(t, l, recordedURL(t, "/slack/commands", slashBody("1.1", "web-1"), base64d))
			if text := ephemeral(t, a.StatusCode, a.Body); !strings.Contains(text, "one-time pass") {
				t.Errorf("answered with %q", text)
			}
			if a.Headers["Content-Type"] != "application/json; charset=utf-8" {
				t.Errorf("headers: %v", a.Headers)
			}
			a = invoke(t, l, recordedURL(t, "/slack/interactions", clickBody("1.2", "pass_revoke", webID), base64d))
			if answer := w.chat.answered(t); a.StatusCode != http.StatusOK || !strings.Contains(answer.text, "revoked") {
				t.Errorf("a click: %d, answered with %q", a.StatusCode, answer.text)
			}
			form := url.Values{"payload": {submitted("deny", "")}}.Encode()
			a = invoke(t, l, recordedURL(t, "/slack/interactions", form, base64d))
			if a.StatusCode != http.StatusOK || !strings.Contains(a.Body, `"response_action":"errors"`) || a.Headers["Content-Type"] != "application/json; charset=utf-8" {
				t.Errorf("a form: %d %s %s", a.StatusCode, a.Headers, a.Body)
			}
			a = invoke(t, l, recordedURL(t, "/slack/events", happened("app_home_opened"), base64d))
			if a.StatusCode != http.StatusOK || a.Body != "" || len(w.views.homes) != 1 {
				t.Errorf("an event: %d %q, and %d Home tabs", a.StatusCode, a.Body, len(w.views.homes))
			}
			if a = invoke(t, l, recordedURL(t, "/slack/events", string(fixture(t, "url_verification.json")), base64d)); a.Body != "test-challenge" {
				t.Errorf("the challenge: %d %q", a.StatusCode, a.Body)
			}
			for _, e := range w.trail.take() {
				if e.Door != "http" {
					t.Errorf("the trail has the door %q", e.Door)
				}
			}
		})
	}
}

func TestAFunctionURLIsPublic(t *testing.T) {
	w, l := function(t, "http")
	body := slashBody("1.1", "web-1")
	spoilt := func(change func(*events.LambdaFunctionURLRequest)) []byte {
		var r events.LambdaFunctionURLRequest
		if err := json.Unmarshal(recordedURL(t, "/slack/commands", body, true), &r); err != nil {
			t.Fatal(err)
		}
		change(&r)
		text, _ := json.Marshal(r)
		return text
	}
	for name, c := range map[string]struct {
		payload []byte
		want    int
	}{
		"unsigned":     {spoilt(func(r *events.LambdaFunctionURLRequest) { delete(r.Headers, "x-slack-signature") }), http.StatusUnauthorized},
		"tampered":     {spoilt(func(r *events.LambdaFunctionURLRequest) { r.Body = "dGV4dD14" }), http.StatusUnauthorized},
		"no base64":    {spoilt(func(r *events.LambdaFunctionURLRequest) { r.Body = "%%%" }), http.StatusBadRequest},
		"not decoded":  {spoilt(func(r *events.LambdaFunctionURLRequest) { r.IsBase64Encoded = false }), http.StatusUnauthorized},
		"too large":    {spoilt(func(r *events.LambdaFunctionURLRequest) { r.Body = strings.Repeat("AAAA", 1<<19) }), http.StatusRequestEntityTooLarge},
		"another path": {spoilt(func(r *events.LambdaFunctionURLRequest) { r.RawPath = "/admin" }), http.StatusNotFound},
	} {
		if a := invoke(t, l, c.payload); a.StatusCode != c.want {
			t.Errorf("%s: %d, want %d: %s", name, a.StatusCode, c.want, a.Body)
		}
	}
	if keys := w.redis.Keys(); len(keys) > 0 {
		t.Errorf("something reached the store: %v", keys)
	}
	if all := w.trail.take(); len(all) != 1 || all[0].Act != auth.ActDoor {
		t.Errorf("the trail has %+v", all)
	}
}

// batchOf is an SQS batch of these bodies, with message ids m0, m1, …
func batchOf(t testing.TB, bodies ...string) []byte {
	t.Helper()
	var b events.SQSEvent
	if err := json.Unmarshal(fixture(t, "lambda/sqs.json"), &b); err != nil {
		t.Fatal(err)
	}
	like := b.Records[0]
	b.Records = nil
	for n, body := range bodies {
		m := like
		m.MessageId, m.Body = "m"+strconv.Itoa(n), body
		b.Records = append(b.Records, m)
	}
	text, err := json.Marshal(b)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestOnlyFailedMessagesComeAgain(t *testing.T) {
	w, l := function(t, "events")
	w.ec2.up(webID, noon)
	good, unknown := string(fixture(t, "events/pending.json")), `{"source":"aws.s3","detail-type":"x"}`
	out, err := l.Invoke(t.Context(), batchOf(t, "no event", good, unknown, `{"source":"aws.ec2"}`))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"batchItemFailures":[{"itemIdentifier":"m0"},{"itemIdentifier":"m3"}]}`; string(out) != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
	if len(w.ec2.stopped) != 1 {
		t.Errorf("the good message was not handled")
	}
}

// An answer of null would tell SQS that nothing failed only by luck.
func TestABatchWithoutFailuresSaysSo(t *testing.T) {
	_, l := function(t, "events")
	out, err := l.Invoke(t.Context(), batchOf(t, `{"source":"aws.s3","detail-type":"x"}`))
	if want := `{"batchItemFailures":[]}`; err != nil || string(out) != want {
		t.Errorf("%s, %v", out, err)
	}
}

// A slow message must not use up the time of the others.
func TestABatchIsHandledAllAtOnce(t *testing.T) {
	w, l := function(t, "events")
	w.ec2.up(webID, noon)
	const size = 3
	var here atomic.Int32
	all := make(chan struct{})
	w.ec2.before = func(context.Context) error {
		if here.Add(1) == size {
			close(all)
		}
		select {
		case <-all:
			return nil
		case <-time.After(10 * time.Second):
			return errors.New("no other message is being handled")
		}
	}
	one := string(fixture(t, "events/pending.json"))
	out, err := l.Invoke(t.Context(), batchOf(t, one, one, one))
	if err != nil || strings.Contains(string(out), "m0") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestEventBridgeInvokesDirectly(t *testing.T) {
	w, l := function(t, "events")
	w.ec2.up(webID, noon)
	if _, err := l.Invoke(t.Context(), fixture(t, "events/pending.json")); err != nil {
		t.Fatal(err)
	}
	if len(w.ec2.stopped) != 1 {
		t.Error("the event was not handled")
	}
	w.ec2.before = func(context.Context) error { return context.DeadlineExceeded }
	if _, err := l.Invoke(t.Context(), fixture(t, "events/pending.json")); err == nil {
		t.Error("a failed event is no error: Lambda would not try it again")
	}
}

func TestAClosedDoorRefuses(t *testing.T) {
	url := recordedURL(t, "/slack/commands", slashBody("1.1", "web-1"), true)
	w, l := function(t, "events")
	if a := invoke(t, l, url); a.StatusCode != http.StatusForbidden || len(w.redis.Keys()) > 0 {
		t.Errorf("the http door is closed, and still: %d %s", a.StatusCode, a.Body)
	}
	w, l = function(t, "http")
	w.ec2.up(webID, noon)
	for name, payload := range map[string][]byte{
		"an event": fixture(t, "events/pending.json"), "a batch": batchOf(t, string(fixture(t, "events/pending.json"))),
		"a forged mix": []byte(`{"requestContext":{},"source":"aws.ec2","detail-type":"x"}`),
	} {
		if _, err := l.Invoke(t.Context(), payload); err == nil || !strings.Contains(err.Error(), "SEKISHO_DOORS") {
			t.Errorf("the events door is closed, and %s: %v", name, err)
		}
	}
	if len(w.ec2.stopped) > 0 {
		t.Error("an event was handled behind a closed door")
	}
}

func TestAnInvocationThatCannotBeRead(t *testing.T) {
	_, l := function(t, "http,events")
	for _, payload := range []string{"", "null", "[]", "{}", `{"Records":[]}`, `{"Records":[{"eventSource":"aws:s3"}]}`, `{"requestContext":{"http":{}},"body":7}`} {
		if out, err := l.Invoke(t.Context(), []byte(payload)); err == nil {
			t.Errorf("%q is no error: %s", payload, out)
		}
	}
}
