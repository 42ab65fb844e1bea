package bot_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/bot"
	"sekisho/infra/local/slacksim"
)

const testSecret = "test-signing-secret"

// door is the http door of a world.
func door(t testing.TB, w *world) *bot.HTTP {
	t.Helper()
	v, err := bot.NewVerifier(testSecret, w.desk.Now)
	if err != nil {
		t.Fatal(err)
	}
	return &bot.HTTP{Bot: w.Bot, Verify: v, Ready: &bot.Readiness{Now: w.desk.Now, Log: w.desk.Log}}
}

// signed is a request as Slack sends it.
func signed(path, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	stamp := strconv.FormatInt(noon.Unix(), 10)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", slacksim.Sign(testSecret, stamp, body))
	return r
}

const responseURL = "https://hooks.slack.com/commands/T0TEST/1/test"

// slashBody is the form of `/ec2-pass text`.
func slashBody(trigger, text string) string {
	return url.Values{
		"token": {"deprecated"}, "team_id": {"T0TEST"}, "channel_id": {"C0OPS"}, "user_id": {hana}, "user_name": {"hana"},
		"command": {"/ec2-pass"}, "text": {text}, "response_url": {responseURL}, "trigger_id": {trigger},
	}.Encode()
}

// clickBody is the form of a click.
func clickBody(trigger, action, value string) string {
	payload, _ := json.Marshal(map[string]any{
		"type": "block_actions", "user": map[string]string{"id": hana}, "channel": map[string]string{"id": "C0OPS"},
		"trigger_id": trigger, "response_url": responseURL,
		"actions": []map[string]string{{"type": "button", "action_id": action, "block_id": "b", "value": value}},
	})
	return url.Values{"payload": {string(payload)}}.Encode()
}

// send gives the door's whole answer.
func send(h http.Handler, r *http.Request) (status int, body string) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// ephemeral reads an answer to a slash command, which must be private.
func ephemeral(t testing.TB, status int, body string) (text string) {
	t.Helper()
	var answer struct {
		Type string `json:"response_type"`
		Text string `json:"text"`
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("the answer is %d %s: %v", status, body, err)
	}
	if answer.Type != "ephemeral" {
		t.Fatalf("the answer is not private: %s", body)
	}
	if strings.TrimSpace(answer.Text) == "" {
		t.Fatalf("the answer says nothing: %s", body)
	}
	return answer.Text
}

func TestASignedCommandIsAnsweredInPrivate(t *testing.T) {
	w := newWorld(t)
	status, body := send(door(t, w), signed("/slack/commands", slashBody("1.1", "web-1")))
	if text := ephemeral(t, status, body); !strings.Contains(text, "one-time pass") {
		t.Errorf("the answer is %q", text)
	}
}

func TestAnUnsignedRequestIsTurnedAwayBeforeItIsRead(t *testing.T) {
	for name, spoil := range map[string]func(*http.Request){
		"unsigned":        func(r *http.Request) { r.Header.Del("X-Slack-Signature") },
		"no time":         func(r *http.Request) { r.Header.Del("X-Slack-Request-Timestamp") },
		"a tampered body": func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(slashBody("1.1", "web-2"))) },
		"a tampered path": func(r *http.Request) { r.Header.Set("X-Slack-Signature", "v0="+strings.Repeat("0", 64)) },
		"an old request":  func(r *http.Request) { r.Header.Set("X-Slack-Request-Timestamp", "1799999000") },
		"a signature twice": func(r *http.Request) {
			r.Header["X-Slack-Signature"] = []string{"v0=", r.Header.Get("X-Slack-Signature")}
		},
	} {
		for path, body := range map[string]string{
			"/slack/commands":     slashBody("1.1", "unread-text"),
			"/slack/interactions": clickBody("1.1", "pass_get", webID),
			"/slack/events":       happened("app_home_opened"),
		} {
			w := newWorld(t)
			r := signed(path, body)
			spoil(r)
			status, answer := send(door(t, w), r)
			if status != http.StatusUnauthorized {
				t.Errorf("%s at %s: %d %s", name, path, status, answer)
			}
			if keys := w.redis.Keys(); len(keys) > 0 {
				t.Errorf("%s at %s reached the store: %v", name, path, keys)
			}
			if len(w.views.homes) > 0 {
				t.Errorf("%s at %s published a Home tab", name, path)
			}
			log := w.log.String()
			if !strings.Contains(log, "turned away") {
				t.Errorf("%s at %s: nothing in the log", name, path)
			}
			if strings.Contains(log, "unread-text") || strings.Contains(log, hana) {
				t.Errorf("%s at %s: the log quotes an unverified request: %s", name, path, log)
			}
		}
	}
}

func TestARequestThatIsTooLarge(t *testing.T) {
	w := newWorld(t)
	body := slashBody("1.1", strings.Repeat("x", 1<<20))
	if status, answer := send(door(t, w), signed("/slack/commands", body)); status != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", status, answer)
	}
}

// The query is not covered by the signature: a payload there, on the replay of
// a signed request, would be the attacker's own.
func TestAPayloadInTheQueryIsIgnored(t *testing.T) {
	w := newWorld(t)
	h := door(t, w)
	status, _ := send(h, signed("/slack/interactions?"+clickBody("1.1", "pass_get", webID), "other=field"))
	if status != http.StatusBadRequest {
		t.Errorf("a payload in the query only: %d", status)
	}
	status, answer := send(h, signed("/slack/commands?"+slashBody("1.1", "web-1"), "other=field"))
	if status != http.StatusBadRequest {
		t.Errorf("a command in the query only: %d %s", status, answer)
	}
	if keys := w.redis.Keys(); len(keys) > 0 {
		t.Errorf("the query reached the store: %v", keys)
	}
}

func TestWhatIsNotThere(t *testing.T) {
	h := door(t, newWorld(t))
	for _, c := range []struct{ method, path string }{
		{"GET", "/"}, {"GET", "/slack/commands"}, {"PUT", "/slack/commands"}, {"GET", "/slack/events"},
		{"POST", "/healthz"}, {"POST", "/slack/commands/"}, {"GET", "/../readyz"},
	} {
		if status, body := send(h, httptest.NewRequest(c.method, c.path, nil)); status != http.StatusNotFound || body == "" {
			t.Errorf("%s %s: %d %q", c.method, c.path, status, body)
		}
	}
}

func TestAPanicIsAFaultOfOneRequest(t *testing.T) {
	w := newWorld(t)
	h := door(t, w)
	w.ec2.before = func(context.Context) error { panic("a mistake with a stack") }
	status, body := send(h, signed("/slack/commands", slashBody("1.1", "web-1")))
	text := ephemeral(t, status, body)
	if strings.Contains(text, "mistake") || strings.Contains(text, "goroutine") || strings.Contains(body, ".go:") {
		t.Errorf("the person sees the inside: %s", text)
	}
	if log := w.log.String(); !strings.Contains(log, "a mistake with a stack") || !strings.Contains(log, "harness_test.go") {
		t.Errorf("the log has no stack: %s", log)
	}

	status, _ = send(h, signed("/slack/interactions", clickBody("1.2", "pass_page:next", "1")))
	if answer := w.chat.answered(t); status != http.StatusOK || !strings.Contains(answer.text, "logged") {
		t.Errorf("a click: %d, answered %q", status, answer.text)
	}

	w.ec2.before = nil
	status, body = send(h, signed("/slack/commands", slashBody("1.3", "web-1")))
	if text := ephemeral(t, status, body); !strings.Contains(text, "one-time pass") {
		t.Errorf("the next request: %q", text)
	}
}

// Slack shows its own error after 3 seconds; what takes longer gets a sentence
// of ours before.
func TestASlowHandlerIsAnsweredInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldOn(t, nil)
		h := door(t, w)
		w.ec2.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		began := time.Now()
		status, body := send(h, signed("/slack/commands", slashBody("1.1", "")))
		took := time.Since(began)
		if text := ephemeral(t, status, body); took >= 3*time.Second || !strings.Contains(text, "Try again") {
			t.Errorf("after %s: %q", took, text)
		}
		if log := w.log.String(); !strings.Contains(log, "no answer in time") {
			t.Errorf("the log does not say that it was slow: %s", log)
		}
	})
}

func TestSlacksProbeOfTheCertificate(t *testing.T) {
	if status, body := send(door(t, newWorld(t)), signed("/slack/commands", "ssl_check=1")); status != http.StatusOK || body != "" {
		t.Errorf("%d %q", status, body)
	}
}

func TestAClickIsAnsweredThroughItsResponseURL(t *testing.T) {
	w := newWorld(t)
	h := door(t, w)
	if status, body := send(h, signed("/slack/interactions", clickBody("1.1", "pass_get:3", webID))); status != http.StatusOK || body != "" {
		t.Errorf("the acknowledgement is %d %q", status, body)
	}
	if answer := w.chat.answered(t); answer.url != responseURL || !strings.Contains(answer.text, "one-time pass") {
		t.Errorf("answered at %q with %q", answer.url, answer.text)
	}
}

func TestAnUnknownButtonIsLoggedAndIgnored(t *testing.T) {
	w := newWorld(t)
	if status, body := send(door(t, w), signed("/slack/interactions", clickBody("1.1", "launch_missiles", ""))); status != http.StatusOK || body != "" {
		t.Errorf("%d %q", status, body)
	}
	if len(w.chat.responses) > 0 {
		t.Errorf("answered with %q", w.chat.answered(t).text)
	}
	if !strings.Contains(w.log.String(), "launch_missiles") {
		t.Errorf("not in the log: %s", w.log)
	}
}

func TestAnInteractionThatIsNoClickIsPassedOver(t *testing.T) {
	w := newWorld(t)
	body := url.Values{"payload": {`{"type":"view_closed","user":{"id":"U0HANA"},"trigger_id":"1.1"}`}}.Encode()
	if status, answer := send(door(t, w), signed("/slack/interactions", body)); status != http.StatusOK || answer != "" {
		t.Errorf("%d %q", status, answer)
	}
}

// An unknown command is the manifest's mistake, not silence.
func TestAnUnknownCommandIsAnswered(t *testing.T) {
	w := newWorld(t)
	body := strings.Replace(slashBody("1.1", ""), "%2Fec2-pass", "%2F%3C%21channel%3E", 1)
	status, answer := send(door(t, w), signed("/slack/commands", body))
	if text := ephemeral(t, status, answer); strings.Contains(text, "<!") || !strings.Contains(text, "manifest") {
		t.Errorf("answered with %q", text)
	}
}

func TestTheSameSignedRequestGivesOneCode(t *testing.T) {
	w := newWorld(t)
	h := door(t, w)
	first, again := send2(t, h, slashBody("1.1", "web-1"))
	if !strings.Contains(first, "one-time pass") || strings.Contains(again, "one-time pass") || !strings.Contains(again, "already") {
		t.Errorf("first %q, then %q", first, again)
	}
}

func send2(t *testing.T, h http.Handler, body string) (first, again string) {
	t.Helper()
	status, answer := send(h, signed("/slack/commands", body))
	first = ephemeral(t, status, answer)
	status, answer = send(h, signed("/slack/commands", body))
	return first, ephemeral(t, status, answer)
}

func TestMalformedButSignedGetsASentence(t *testing.T) {
	h := door(t, newWorld(t))
	for path, bodies := range map[string][]string{
		"/slack/commands": {"", "%zz", "command=%2Fec2-pass", "command=%2Fec2-pass&user_id=U1", "user_id=U1&trigger_id=1"},
		"/slack/interactions": {"", "%zz", "payload=", "payload=[]", "payload={", `payload={"type":"block_actions","actions":[{"action_id":"pass_get"}]}`,
			`payload={"type":"block_actions","trigger_id":"1","actions":[{}]}`, `payload={"type":"view_submission","user":{"id":"U1"}}`,
			`payload={"type":"shortcut","trigger_id":"1"}`, `payload={"type":"view_submission","view":{"state":{"values":[]}}}`},
		"/slack/events": {"", "%zz", "[]", "{", "{}", `{"type":"event_callback"}`, `{"event":{"type":"app_home_opened"}}`, `{"event":{"user":"U1"}}`,
			`{"event":{"type":"app_home_opened","user":{"id":"U1"}}}`},
	} {
		for _, body := range bodies {
			if status, answer := send(h, signed(path, body)); status != http.StatusBadRequest || answer == "" {
				t.Errorf("%s %q: %d %q", path, body, status, answer)
			}
		}
	}
}
