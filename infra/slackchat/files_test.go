package slackchat_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
