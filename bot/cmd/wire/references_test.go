package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/slack-go/slack"

	"sekisho/bot"
	"sekisho/bot/cmd/wire"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

// refer puts every secret of the environment away, each in another way, and
// leaves references in their places.
func refer(t *testing.T, env map[string]string, cloud *awssim.Cloud) {
	t.Helper()
	slackARN := cloud.PutSecret("sekisho/slack", fmt.Sprintf(`{"bot_token":%q,"config_token":%q}`, env["SLACK_BOT_TOKEN"], env["SLACK_CONFIG_TOKEN"]))
	env["SLACK_BOT_TOKEN"], env["SLACK_CONFIG_TOKEN"] = slackARN+":bot_token::", slackARN+":config_token"
	cloud.PutParameter("/sekisho/app-token", env["SLACK_APP_TOKEN"], true)
	env["SLACK_APP_TOKEN"] = "ssm:/sekisho/app-token"
	cloud.PutParameter("/sekisho/redis", env["REDIS_URL"]+"\n", true)
	env["REDIS_URL"] = "arn:aws:ssm:eu-central-1:111122223333:parameter/sekisho/redis"
	env["SEKISHO_PEPPER"] = cloud.PutSecret("sekisho/pepper", env["SEKISHO_PEPPER"])
	env["SLACK_SIGNING_SECRET_FILE"] = filepath.Join(t.TempDir(), "signing-secret")
	put(t, env["SLACK_SIGNING_SECRET_FILE"], env["SLACK_SIGNING_SECRET"]+"\n")
	delete(env, "SLACK_SIGNING_SECRET")
	text, err := os.ReadFile(env["SEKISHO_CONFIG"])
	if err != nil {
		t.Fatal(err)
	}
	cloud.PutParameter("/sekisho/policy", string(text), false)
	env["SEKISHO_CONFIG"] = "ssm:/sekisho/policy"
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// household is a program that is given its secrets by reference, and where they
// are kept.
type household struct {
	*wire.App
	t     *testing.T
	env   map[string]string
	cloud *awssim.Cloud
	redis *miniredis.Miniredis
	out   *spill
	fails string // how AWS does

	mu      sync.Mutex
	now     time.Time
	bearers []string // the tokens that Slack saw
}

func keep(t *testing.T, awsIs string) (*household, error) {
	h := &household{
		t: t, now: time.Now(), redis: miniredis.RunT(t), cloud: awssim.New(awssim.Options{}),
		out: &spill{places: make(map[string]*bytes.Buffer)}, fails: awsIs,
	}
	t.Cleanup(h.cloud.Close)
	h.redis.RequireUserAuth("sekisho", secrets["the Redis password"])
	slackURL := serve(t, works, http.HandlerFunc(h.slack))
	h.env = map[string]string{
		"SEKISHO_CONFIG": policy(t), "SLACK_API_URL": slackURL + "/api/", "SEKISHO_QUEUE_URL": "https://sqs.test/q",
		"REDIS_URL": "redis://sekisho:" + secrets["the Redis password"] + "@" + h.redis.Addr(), "SEKISHO_SECRETS_TTL": "1m",
	}
	maps.Copy(h.env, secrets)
	refer(t, h.env, h.cloud)
	amazon := serve(t, awsIs, http.HandlerFunc(h.amazon))
	var err error
	h.App, err = wire.New(t.Context(), wire.Config{
		Env: func(name string) string { return h.env[name] }, Doors: bot.Doors{Socket: true, HTTP: true, Gate: true, Keys: true},
		AWS: func(string) aws.Config {
			return aws.Config{
				Region: "eu-central-1", BaseEndpoint: &amazon,
				Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTESTTEST", secrets["AWS_SECRET_ACCESS_KEY"], secrets["AWS_SESSION_TOKEN"]),
			}
		},
		Log: slog.New(slog.NewTextHandler(h.out, &slog.HandlerOptions{Level: slog.LevelDebug})), Lines: io.Discard,
		Now: func() time.Time {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.now
		},
	})
	if err == nil {
		t.Cleanup(func() { h.Close() })
	}
	return h, err
}

// amazon keeps secrets, or refuses in words that repeat the request.
func (h *household) amazon(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	h.mu.Lock()
	fails := h.fails
	h.mu.Unlock()
	switch fails {
	case works:
		h.cloud.Handler().ServeHTTP(w, r)
	case unsigned:
		refuse(w, r, "InvalidSignatureException", fmt.Sprintf("The Canonical String should have been '%s %s %v'", r.Method, r.URL, r.Header))
	default:
		refuse(w, r, "AccessDeniedException", fmt.Sprintf("%s %v may not %s", body, r.Header, r.Header.Get("X-Amz-Target")))
	}
}

// slack notes who asks.
func (h *household) slack(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bearers = append(h.bearers, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")+r.PostForm.Get("token"))
	io.WriteString(w, `{"ok":true,"team_id":"T0TEST","url":"ws://127.0.0.1:1/","channel":"C0ALERTS","ts":"1.1","users":["U0BEN"]}`)
}

// pass lets time pass, and the program renew what is old.
func (h *household) pass(d time.Duration) {
	h.mu.Lock()
	h.now = h.now.Add(d)
	h.mu.Unlock()
	h.Renew(h.t.Context())
}

// seen are the tokens that Slack sees when everything speaks to it once.
func (h *household) seen() []string {
	h.t.Helper()
	h.mu.Lock()
	h.bearers = nil
	h.mu.Unlock()
	_, err := h.Desk.Chat.Post(h.t.Context(), alerts, "", "x", []slack.Block{slack.NewDividerBlock()})
	_, err2 := h.Desk.Directory.Members(h.t.Context(), "S"+strconv.FormatInt(time.Now().UnixNano(), 36)) // never remembered
	_, err3 := h.Socket.Open(h.t.Context())
	if err := errors.Join(err, err2, err3); err != nil {
		h.t.Error(err)
	}
	return h.bearers
}

// letsIn says whether a request that is signed with the secret is let in.
func (h *household) letsIn(secret string) bool {
	body := url.Values{"command": {"/ec2-pass"}, "text": {"help"}, "user_id": {owner}, "channel_id": {"C0OPS"}, "trigger_id": {"1"}}.Encode()
	r := httptest.NewRequest(http.MethodPost, "/slack/commands", strings.NewReader(body))
	h.mu.Lock()
	stamp := strconv.FormatInt(h.now.Unix(), 10)
	h.mu.Unlock()
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", slacksim.Sign(secret, stamp, body))
	w := httptest.NewRecorder()
	h.HTTP.ServeHTTP(w, r)
	return w.Code == http.StatusOK
}

// sealed is quiet where no secret has come out.
func (h *household) sealed() {
	h.t.Helper()
	for place := range h.out.places {
		if text := h.out.places[place].String(); strings.Contains(text, "SPILT") {
			h.t.Errorf("%s holds a secret: %s", place, text)
		}
	}
}

// Each secret is changed where it is kept, and the running program follows.
func TestAChangedSecretIsFollowed(t *testing.T) {
	h, err := keep(t, works)
	if err != nil {
		t.Fatal(err)
	}
	oldBot, oldApp, oldSigning := secrets["SLACK_BOT_TOKEN"], secrets["SLACK_APP_TOKEN"], secrets["SLACK_SIGNING_SECRET"]
	wantSeen := func(what, bot, app string) {
		t.Helper()
		if got := h.seen(); !slices.Equal(got, []string{bot, bot, app}) {
			t.Errorf("%s: Slack saw %q", what, got)
		}
	}
	wantSeen("at first", oldBot, oldApp)

	const newBot, newApp, newSigning = "xoxb-test-SPILT-2", "xapp-test-SPILT-2", "test-SPILT-signing-2"
	h.cloud.PutSecret("sekisho/slack", `{"bot_token":"`+newBot+`","config_token":"test-SPILT-config-token"}`)
	h.pass(time.Minute - time.Second)
	wantSeen("before the TTL", oldBot, oldApp)
	h.pass(time.Second)
	wantSeen("with a new bot token", newBot, oldApp)
	h.cloud.PutParameter("/sekisho/app-token", newApp, true)
	h.pass(time.Minute)
	wantSeen("with a new app token", newBot, newApp)
	h.cloud.PutSecret("sekisho/slack", `{"bot_token":"SPILT-3","config_token":"test-SPILT-config-token"}`)
	h.pass(time.Minute)
	wantSeen("with a bot token that is none", newBot, newApp)
	const appBeside = "xapp-test-SPILT-3"
	h.cloud.PutParameter("/sekisho/app-token", appBeside, true)
	h.pass(time.Minute)
	wantSeen("with a new app token beside it", newBot, appBeside)
	h.cloud.PutSecret("sekisho/slack", `{"bot_token":"`+newBot+`","config_token":"test-SPILT-config-token"}`)
	h.pass(time.Minute)
	wantSeen("with the bot token of before", newBot, appBeside)

	put(t, h.env["SLACK_SIGNING_SECRET_FILE"], newSigning)
	if h.letsIn(newSigning) || !h.letsIn(oldSigning) {
		t.Error("the new signing secret is known before it is read")
	}
	h.pass(time.Minute)
	if !h.letsIn(newSigning) || !h.letsIn(oldSigning) {
		t.Error("not both signing secrets are taken")
	}
	h.pass(time.Hour)
	if !h.letsIn(newSigning) || h.letsIn(oldSigning) {
		t.Error("the signing secret of before is taken after an hour")
	}

	h.redis.RequireUserAuth("sekisho", "test-SPILT-redis-2")
	h.redis.Close()
	if err := h.redis.Restart(); err != nil {
		t.Fatal(err)
	}
	if h.Store.Ping(t.Context()) == nil {
		t.Error("Redis takes the old password: the test does not do what it says")
	}
	h.cloud.PutParameter("/sekisho/redis", "redis://sekisho:test-SPILT-redis-2@"+h.redis.Addr(), true)
	h.pass(time.Minute)
	if err := h.Store.Ping(t.Context()); err != nil {
		t.Errorf("with a new Redis password: %v", err)
	}
	h.cloud.PutParameter("/sekisho/redis", "redis://sekisho:test-SPILT-redis-3@elsewhere.test:6379", true)
	h.cloud.PutSecret("sekisho/pepper", "test-SPILT-another-pepper-of-thirty-two")
	h.cloud.PutParameter("/sekisho/policy", "version: 2", false)
	h.pass(time.Minute)
	if err := h.Store.Ping(t.Context()); err != nil {
		t.Errorf("after a move that is for a restart: %v", err)
	}

	log := h.text("the log")
	for line, times := range map[string]int{
		`msg="a secret changed, and the new one is in use" variable=SLACK_BOT_TOKEN`: 1, `the new one is in use" variable=SLACK_APP_TOKEN`: 2,
		`the new one is in use" variable=SLACK_SIGNING_SECRET`: 1, `the new one is in use" variable=REDIS_URL`: 1,
		`stays in use" variable=SLACK_BOT_TOKEN error="SLACK_BOT_TOKEN does not begin with xoxb-`:        2, // for as long as it stood there
		`stays in use" variable=REDIS_URL error="REDIS_URL: it names another Redis than before: restart`: 1,
		`stays in use" variable=SEKISHO_PEPPER error="the pepper seals passes and the trail`:             1, `stays in use" variable=SEKISHO_CONFIG error="the policy is read at the start`: 1,
	} {
		if got := strings.Count(log, line); got != times {
			t.Errorf("the log says %d times, not %d, %s:\n%s", got, times, line, log)
		}
	}
	h.sealed()
}

func (h *household) text(place string) string {
	h.out.mu.Lock()
	defer h.out.mu.Unlock()
	if b := h.out.places[place]; b != nil {
		return b.String()
	}
	return ""
}

// A function reads its secrets again before an invocation; where that fails, it
// goes on with those that it has.
func TestAnInvocationRenews(t *testing.T) {
	h, err := keep(t, works)
	if err != nil {
		t.Fatal(err)
	}
	function := h.Lambda()
	invoke := func() {
		t.Helper()
		h.mu.Lock()
		h.now = h.now.Add(time.Minute)
		h.mu.Unlock()
		if _, err := function.Invoke(t.Context(), []byte(`{"source":"aws.s3","detail-type":"Object Created"}`)); err != nil {
			t.Error(err)
		}
	}
	const newBot = "xoxb-test-SPILT-2"
	h.cloud.PutSecret("sekisho/slack", `{"bot_token":"`+newBot+`","config_token":"test-SPILT-config-token"}`)
	for tries := 0; h.seen()[0] != newBot; tries++ { // what takes longer is there for the next
		if tries == 100 {
			t.Fatal("a hundred invocations go on with the token of before")
		}
		invoke()
	}
	for _, fails := range []string{says, unsigned} {
		h.mu.Lock()
		h.fails = fails
		h.mu.Unlock()
		invoke()
		if got := h.seen(); got[0] != newBot {
			t.Errorf("AWS %s: Slack saw %q", fails, got)
		}
	}
	if log := h.text("the log"); !strings.Contains(log, "secrets could not be read again") || !strings.Contains(log, "secretsmanager:GetSecretValue") {
		t.Errorf("the log does not say that a renewal failed:\n%s", log)
	}
	h.sealed()
}

// Without its secrets the program does not start, and says why for each of them.
func TestReferencesThatCannotBeReadAreNamed(t *testing.T) {
	for _, fails := range []string{closed, echo, page, says, unsigned} {
		t.Run(fails, func(t *testing.T) {
			t.Parallel()
			h, err := keep(t, fails)
			if err == nil {
				t.Fatal("it starts")
			}
			for _, name := range []string{"SLACK_BOT_TOKEN: ", "SLACK_APP_TOKEN: ", "SLACK_CONFIG_TOKEN: ", "REDIS_URL: ", "SEKISHO_PEPPER: ", "SEKISHO_CONFIG: "} {
				if !strings.Contains(err.Error(), name) {
					t.Errorf("%s is not named: %v", name, err)
				}
			}
			for name, secret := range secrets {
				spilt(t, "the error", name, err.Error(), secret)
			}
			h.sealed()
		})
	}
}

// Many renew and use at once.
func TestRenewingWhileAtWork(t *testing.T) {
	h, err := keep(t, works)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for n := range 4 {
		all.Go(func() {
			for i := range 5 {
				h.cloud.PutSecret("sekisho/slack", fmt.Sprintf(`{"bot_token":"xoxb-test-SPILT-%d-%d","config_token":"x"}`, n, i))
				h.pass(time.Minute)
				if !h.letsIn(secrets["SLACK_SIGNING_SECRET"]) {
					t.Error("a signed request is turned back")
				}
				if err := h.Store.Ping(t.Context()); err != nil {
					t.Error(err)
				}
				if _, err := h.Socket.Open(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if !strings.Contains(h.text("the log"), "variable=SLACK_BOT_TOKEN") {
		t.Error("nothing was renewed: the test does not do what it says")
	}
	h.sealed()
}
