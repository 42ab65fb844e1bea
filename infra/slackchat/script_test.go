package slackchat_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sekisho/infra/slackchat"
)

// sent is one call as it arrived.
type sent struct {
	method, token string
	form          url.Values     // or
	body          map[string]any // of what is sent as JSON
}

// scripted gives a Chat whose Slack answers as the script says, by method: each
// line in turn, and the last for ever. Lines begin with a brace, or with
// "429 " and seconds. Calls come on the channel.
func scripted(t *testing.T, script map[string][]string) (*slackchat.Chat, <-chan sent) {
	t.Helper()
	calls := make(chan sent, 100)
	slack := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		call := sent{method: strings.TrimPrefix(r.URL.Path, "/api/")}
		said, err := io.ReadAll(r.Body)
		if r.Header.Get("Content-Type") == "application/json" {
			call.token = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			err = json.Unmarshal(said, &call.body)
		} else if err == nil {
			call.form, err = url.ParseQuery(string(said))
			call.token = call.form.Get("token")
		}
		if err != nil {
			t.Error(err)
		}
		calls <- call
		lines := script[call.method]
		if len(lines) == 0 {
			t.Errorf("%s was called", call.method)
			return
		}
		if len(lines) > 1 {
			script[call.method] = lines[1:]
		}
		if seconds, limited := strings.CutPrefix(lines[0], "429 "); limited {
			rw.Header().Set("Retry-After", seconds)
			rw.WriteHeader(http.StatusTooManyRequests)
			return
		}
		io.WriteString(rw, lines[0])
	})
	return chat(&http.Client{Transport: inProcess(slack)}, "http://slack.test"), calls
}

func refuses(code string) string { return `{"ok":false,"error":"` + code + `"}` }

// unreached gives a Chat that has no network.
func unreached() *slackchat.Chat {
	return chat(&http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		return nil, io.ErrUnexpectedEOF
	})}, "http://slack.test")
}

// took drains the calls made so far, by method.
func took(calls <-chan sent) (methods []string) {
	for {
		select {
		case c := <-calls:
			methods = append(methods, c.method)
		default:
			return methods
		}
	}
}
