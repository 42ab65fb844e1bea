package slackchat_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"sekisho/infra/local/slacksim"
)

// command has hana type a command, and gives its response URL.
func command(t *testing.T, w *slacksim.Workspace) string {
	t.Helper()
	urls := make(chan string, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { urls <- r.FormValue("response_url") }))
	defer app.Close()
	w.DeliverTo(app.URL)
	if err := w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""); err != nil {
		t.Fatal(err)
	}
	return <-urls
}

func TestRespond(t *testing.T) {
	w, chat, _ := open(t)
	to := command(t, w)
	for _, answer := range []struct {
		text    string
		replace bool
	}{{"first", false}, {"second", false}, {"third", true}} {
		if err := chat.Respond(t.Context(), to, answer.text, blocks(answer.text+" in a block"), answer.replace); err != nil {
			t.Fatal(err)
		}
	}
	all := w.Messages("C0OPS", "U0HANA")
	if len(all) != 2 || !all[0].Ephemeral || all[0].To != "U0HANA" {
		t.Fatalf("hana sees %+v, want two private answers", all)
	}
	says(t, all[0], "third", "") // in the place of the first
	says(t, all[1], "second", "")
}

func TestRespondGoesToSlackAlone(t *testing.T) {
	refused := []string{
		"https://hooks.slack.com.evil.example/SECRET", "https://hooks.slack.com@evil.example/SECRET",
		"https://hooks.slack.com:SECRET@evil.example/", "https://hooks.slack.com:443@evil.example/SECRET",
		`https://hooks.slack.com\@evil.example/SECRET`, "http://hooks.slack.com/SECRET", "//hooks.slack.com/SECRET",
		"https://evil.example/https://hooks.slack.com/SECRET", "https://hooks.slack.com", "http://slack.test:81/SECRET", "",
	}
	var went []string
	chat := chat(&http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		went = append(went, r.URL.String())
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
	})}, "http://slack.test")
	for _, to := range refused {
		err := chat.Respond(t.Context(), to, "private", nil, false)
		if err == nil || !strings.Contains(err.Error(), "does not point to Slack") || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v, want a refusal", to, err)
		}
	}
	allowed := []string{"https://hooks.slack.com/commands/T0/1/x", "http://slack.test/response/x"}
	for _, to := range allowed {
		if err := chat.Respond(t.Context(), to, "private", nil, false); err != nil {
			t.Errorf("%s: %v", to, err)
		}
	}
	if !slices.Equal(went, allowed) {
		t.Errorf("answers went to %q, want %q", went, allowed)
	}
}

// A response URL lets anybody answer for half an hour, the token for ever.
func TestErrorsKeepSecrets(t *testing.T) {
	w, served, _ := open(t)
	to := command(t, w)
	const hook = "http://slack.test/response/x"
	broken := chat(&http.Client{Transport: transport(func(*http.Request) (*http.Response, error) {
		return nil, errors.New("no network")
	})}, "http://slack.test")
	repeating := chat(&http.Client{Transport: inProcess(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		said, _ := io.ReadAll(r.Body)
		http.Error(rw, r.URL.String()+" refused "+string(said), http.StatusBadGateway)
	}))}, "http://slack.test")
	_, post := broken.Post(t.Context(), "C0OPS", "", "the-text", nil)
	for want, err := range map[string]error{
		"status 404":          served.Respond(t.Context(), to+"x", "the-text", nil, false),
		"status 400":          served.Respond(t.Context(), to, "", nil, false),
		"status 502":          repeating.Respond(t.Context(), hook, "the-text", nil, false),
		"request: no network": broken.Respond(t.Context(), hook, "the-text", nil, false),
		"posting in C0OPS: it is not known whether this was sent: no network": post,
		"in C0OPS: no network": broken.Update(t.Context(), "C0OPS", "1.1", "the-text", nil),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
			continue
		}
		for _, secret := range []string{"/response", "://", token, "the-text"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error holds %q: %v", secret, err)
			}
		}
	}
}
