package lambdasim_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"sekisho/infra/local/lambdasim"
)

// answerURL answers as the path says, and otherwise with the request itself.
func answerURL(_ context.Context, r events.LambdaFunctionURLRequest) (any, error) {
	switch r.RawPath {
	case "/fail":
		return nil, errors.New("no luck")
	case "/bare":
		return map[string]string{"bare": "answer"}, nil
	case "/binary":
		return events.LambdaFunctionURLResponse{StatusCode: 201, Body: "AAEC", IsBase64Encoded: true, Cookies: []string{"a=b"}}, nil
	case "/broken":
		return events.LambdaFunctionURLResponse{StatusCode: 200, Body: "%", IsBase64Encoded: true}, nil
	}
	text, err := json.Marshal(r)
	return events.LambdaFunctionURLResponse{StatusCode: 418, Body: string(text), Headers: map[string]string{"X-Test": "yes"}}, err
}

func fetch(t *testing.T, h http.Handler, r *http.Request) (*http.Response, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	body, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Result(), string(body)
}

func TestAFunctionURL(t *testing.T) {
	h := deploy(t, lambdasim.Function{Handler: "url"}).URL("test")
	for _, c := range []struct {
		kind, body, want string
		base64           bool
	}{
		{"application/x-www-form-urlencoded", "a=b", "YT1i", true},
		{"application/json; charset=utf-8", `{"a":1}`, `{"a":1}`, false},
		{"text/plain", "plain", "plain", false},
		{"", "?", "Pw==", true},
		{"text/plain", "", "", false},
	} {
		r := httptest.NewRequest(http.MethodPost, "/slack/com%20mands?x=1&x=2&y=%26", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		r.Header.Add("X-Two", "one")
		r.Header.Add("X-Two", "two")
		r.AddCookie(&http.Cookie{Name: "k", Value: "v"})
		answer, text := fetch(t, h, r)
		if answer.StatusCode != 418 || answer.Header.Get("X-Test") != "yes" {
			t.Errorf("%d %v", answer.StatusCode, answer.Header)
		}
		var got events.LambdaFunctionURLRequest
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got.Body != c.want || got.IsBase64Encoded != c.base64 {
			t.Errorf("%s: body %q, base64 %v", c.kind, got.Body, got.IsBase64Encoded)
		}
		if got.Version != "2.0" || got.RawPath != "/slack/com%20mands" || got.RawQueryString != "x=1&x=2&y=%26" || got.QueryStringParameters["x"] != "1,2" ||
			got.Headers["x-two"] != "one,two" || got.Headers["host"] != "example.com" || len(got.Cookies) != 1 || got.Cookies[0] != "k=v" {
			t.Errorf("the request is %+v", got)
		}
		if m := got.RequestContext.HTTP; m.Method != "POST" || m.Path != "/slack/com mands" || m.SourceIP != "192.0.2.1" {
			t.Errorf("requestContext.http is %+v", m)
		}
	}
}

func TestAFunctionURLsAnswers(t *testing.T) {
	h := deploy(t, lambdasim.Function{Handler: "url"}).URL("test")
	for path, want := range map[string]struct {
		status int
		body   string
	}{
		"/fail":   {502, `{"Message":"Internal Server Error"}`},
		"/bare":   {200, `{"bare":"answer"}`},
		"/binary": {201, "\x00\x01\x02"},
		"/broken": {502, `{"Message":"Internal Server Error"}`},
	} {
		answer, text := fetch(t, h, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.StatusCode != want.status || text != want.body {
			t.Errorf("%s: %d %q", path, answer.StatusCode, text)
		}
		if cookies := answer.Header.Values("Set-Cookie"); (len(cookies) == 1) != (path == "/binary") {
			t.Errorf("%s: cookies %v", path, cookies)
		}
	}
	// What fits as it is does not as base64 in JSON.
	for size, kind := range map[int]string{6<<20 + 1: "text/plain", 5 << 20: "image/png"} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", size)))
		r.Header.Set("Content-Type", kind)
		if answer, _ := fetch(t, h, r); answer.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("%d bytes of %s: %d", size, kind, answer.StatusCode)
		}
	}
}

func TestAThrottledFunctionURL(t *testing.T) {
	s := deploy(t, lambdasim.Function{Reserved: 1, Timeout: patience})
	d := newDoor(t)
	done := make(chan error)
	go func() {
		_, err := call(t.Context(), s, "get", d.url)
		done <- err
	}()
	<-d.entered
	if answer, _ := fetch(t, s.URL("test"), httptest.NewRequest(http.MethodGet, "/", nil)); answer.StatusCode != http.StatusTooManyRequests {
		t.Errorf("%d, want 429", answer.StatusCode)
	}
	close(d.open)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
