package slackchat_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"sekisho/auth/report"
)

// TestWhatMayHaveBeenSaid: whoever must not say a thing twice is told whether it
// may have been said, and nothing is tried again here.
func TestWhatMayHaveBeenSaid(t *testing.T) {
	answer := func(status int, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	for name, c := range map[string]struct {
		slack  http.HandlerFunc
		unsure bool
	}{
		"the answer is lost":           {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true},
		"a server on the way is ill":   {answer(502, "bad gateway"), true},
		"an answer that is no answer":  {answer(200, "<html>maintenance</html>"), true},
		"an answer that is cut off":    {answer(200, `{"ok": tr`), true},
		"Slack gave up half-way":       {answer(200, `{"ok":false,"error":"internal_error"}`), true},
		"Slack says no":                {answer(200, `{"ok":false,"error":"not_in_channel"}`), false},
		"Slack does not take the form": {answer(200, `{"ok":false,"error":"invalid_blocks"}`), false},
		"the request is no good":       {answer(400, "bad request"), false},
		"nobody can handle it now":     {answer(503, "unavailable"), false},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				io.Copy(io.Discard, r.Body)
				c.slack(w, r)
			}))
			defer server.Close()
			speaker := chat(http.DefaultClient, server.URL)
			_, posted := speaker.Post(t.Context(), "C0REPORT", "", "hello", nil)
			_, _, direct := speaker.Direct(t.Context(), "U0BEN", "hello", nil)
			shared := speaker.Share(t.Context(), "C0REPORT", "1.1", []report.SlackFile{{ID: "F1"}})
			if n := asked.Load(); n != 3 {
				t.Errorf("Slack was asked %d times", n)
			}
			for what, err := range map[string]error{"Post": posted, "Share": shared} {
				if err == nil || errors.Is(err, report.ErrUnsure) != c.unsure {
					t.Errorf("%s: %v; unsure: want %v", what, err, c.unsure)
				}
			}
			if direct == nil || errors.Is(direct, report.ErrUnsure) { // the channel was asked for, and nothing said yet
				t.Errorf("Direct: %v", direct)
			}
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		server := httptest.NewServer(http.NotFoundHandler())
		server.Close()
		if _, err := chat(http.DefaultClient, server.URL).Post(t.Context(), "C0REPORT", "", "hello", nil); err == nil || errors.Is(err, report.ErrUnsure) {
			t.Errorf("%v", err)
		}
	})
	t.Run("Slack is too busy", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		defer server.Close()
		if _, err := chat(http.DefaultClient, server.URL).Post(t.Context(), "C0REPORT", "", "hello", nil); err == nil || errors.Is(err, report.ErrUnsure) {
			t.Errorf("%v", err)
		}
	})
}
