package slackdirectory_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"sekisho/infra/slackdirectory"
)

const token = "xoxb-test-bot"

// fakeSlack answers by method. It is a transport, as a bubble's clock stands
// still while anything in it waits for a socket.
type fakeSlack struct {
	mu      sync.Mutex
	answers map[string]reply // by method
	calls   []string         // "users.info U1", in order
	hold    time.Duration    // before each answer
}

// reply answers a call with its form.
type reply func(form url.Values) (*http.Response, error)

func (f *fakeSlack) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	if form.Get("token") != token {
		return nil, errors.New("no token")
	}
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	f.mu.Lock()
	answer, hold := f.answers[method], f.hold
	call := method + " " + form.Get("user") + form.Get("usergroup") + form.Get("channel")
	f.calls = append(f.calls, strings.TrimSpace(call))
	f.mu.Unlock()
	select {
	case <-time.After(hold):
		return answer(form)
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

func (f *fakeSlack) answer(method string, r reply) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answers[method] = r
}

func (f *fakeSlack) holds(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hold = d
}

// count is how often a method was called, of an id or ("") of all.
func (f *fakeSlack) count(method, id string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, call := range f.calls {
		if call == method+" "+id || id == "" && strings.HasPrefix(call, method) {
			n++
		}
	}
	return n
}

func says(body string) reply {
	return func(url.Values) (*http.Response, error) { return response(http.StatusOK, body), nil }
}

func refuses(code string) reply { return says(`{"ok":false,"error":"` + code + `"}`) }

func breaks(status int) reply {
	return func(url.Values) (*http.Response, error) {
		r := response(status, "<html>gone")
		r.Header.Set("Retry-After", "40")
		return r, nil
	}
}

func noNetwork(url.Values) (*http.Response, error) { return nil, errors.New("no network") }

func response(status int, body string) *http.Response {
	return &http.Response{
		StatusCode: status,
		Status:     http.StatusText(status),
		Header:     http.Header{},
		Body:       io.NopCloser(strings.NewReader(body)),
	}
}

// user is a person of the bot's own workspace, with more members on top.
func user(more string) reply {
	return says(`{"ok":true,"user":{"id":"U1","team_id":"T1","name":"hana","profile":{"display_name":"Hana"}` + more + `}}`)
}

// inBubble gives a Directory on a clock that moves only when everything waits,
// and what it logs.
func inBubble(t *testing.T, test func(*testing.T, *slackdirectory.Directory, *fakeSlack, *bytes.Buffer)) {
	synctest.Test(t, func(t *testing.T) {
		f := &fakeSlack{answers: map[string]reply{
			"auth.test":             says(`{"ok":true,"team_id":"T1","user_id":"UBOT"}`),
			"users.info":            user(""),
			"usergroups.users.list": says(`{"ok":true,"users":["U1","U2"]}`),
			"conversations.members": says(`{"ok":true,"members":["U1","U3"],"response_metadata":{"next_cursor":""}}`),
		}}
		log := &bytes.Buffer{}
		api := slack.New(token, slack.OptionAPIURL("http://slack.test/api/"), slack.OptionHTTPClient(&http.Client{Transport: f}))
		test(t, slackdirectory.New(func() *slack.Client { return api }, slog.New(slog.NewTextHandler(log, nil)), time.Now), f, log)
	})
}

func ids(n int) string {
	list, _ := json.Marshal(make([]string, n))
	return string(list)
}
