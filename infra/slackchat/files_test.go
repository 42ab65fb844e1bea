package slackchat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/auth/report"
)

// Whoever has an upload's URL can put bytes there.
func TestErrorsKeepTheUploadURL(t *testing.T) {
	for at, want := range map[string]string{
		"http://slack.test/upload/x":      "uploading keys.csv: no network",
		"http://slack.test/upload/x\x7f":  "invalid control character",
		"https://elsewhere.test/upload/x": "SLACK_API_URL",
	} {
		c := chat(&http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			if strings.HasPrefix(r.URL.Path, "/upload/") {
				return nil, errors.New("no network")
			}
			answer := httptest.NewRecorder()
			json.NewEncoder(answer).Encode(map[string]any{"ok": true, "file_id": "F0TEST", "upload_url": at})
			return answer.Result(), nil
		})}, "http://slack.test")
		_, err := c.Upload(t.Context(), report.File{Name: "keys.csv", Content: []byte("a,b")})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "upload/x") {
			t.Errorf("%q: %v, want %q", at, err, want)
		}
	}
}

// TestFilesThatSlackNeverTakes: whoever shares them is told that trying again is no
// use, and what is.
func TestFilesThatSlackNeverTakes(t *testing.T) {
	for code, c := range map[string]struct {
		never  bool
		advice string
	}{
		"missing_scope":                       {true, "add the scope (files:write) to the app"},
		"not_in_channel":                      {true, "/invite"},
		"file_uploads_disabled":               {true, ""},
		"file_uploads_except_images_disabled": {true, ""},
		"file_type_not_allowed":               {true, ""},
		"file_upload_size_restricted":         {true, ""},
		"service_unavailable":                 {false, ""},
		"invalid_auth":                        {false, ""},
	} {
		no := chat(&http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
			answer := httptest.NewRecorder()
			fmt.Fprintf(answer, `{"ok":false,"error":%q,"needed":"files:write"}`, code)
			return answer.Result(), nil
		})}, "http://slack.test")
		_, uploaded := no.Upload(t.Context(), report.File{Name: "keys.csv", Content: []byte("a,b")})
		shared := no.Share(t.Context(), "C0REPORT", "1.1", []report.SlackFile{{ID: "F1"}})
		for what, err := range map[string]error{"uploading keys.csv: ": uploaded, "sharing files in C0REPORT: ": shared} {
			if err == nil || errors.Is(err, auth.ErrNotReachable) != c.never || errors.Is(err, report.ErrUnsure) ||
				!strings.HasPrefix(err.Error(), what) || !strings.Contains(err.Error(), code) || !strings.Contains(err.Error(), c.advice) {
				t.Errorf("%s: %v", code, err)
			}
		}
	}
}
