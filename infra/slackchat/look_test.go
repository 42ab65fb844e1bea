package slackchat_test

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/slack-go/slack"

	"sekisho/auth/doctor"
	"sekisho/infra/local/slacksim"
	"sekisho/infra/slackchat"
)

const (
	appToken    = "xapp-test-app"
	configToken = "xoxe.xoxp-test-config"
)

// lookAt gives a Look at a workspace.
func lookAt(t *testing.T, o slacksim.Options, config string) (*slacksim.Workspace, *slackchat.Look) {
	t.Helper()
	o.BotToken, o.AppToken, o.ConfigToken = token, appToken, configToken
	w := slacksim.New(o)
	server := httptest.NewServer(w.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(w.Close)
	w.Serve(server.URL)
	return w, look(server.Client(), server.URL, config)
}

func look(client *http.Client, base, config string) *slackchat.Look {
	api := slack.New(token, slack.OptionAPIURL(base+"/api/"), slack.OptionHTTPClient(client), slack.OptionAppLevelToken(appToken))
	return slackchat.NewLook(slackchat.New(func() *slack.Client { return api }, client, base+"/api/"), config)
}

func TestLookAtTheApp(t *testing.T) {
	w, look := lookAt(t, slacksim.Options{Scopes: []string{"chat:write", "commands"}}, "")
	f, err := look.App(t.Context())
	if err != nil || f.Bot != "sekisho" || f.Team == "" || time.Since(f.Clock).Abs() > time.Minute {
		t.Errorf("got %+v, %v", f, err)
	}
	if got := strings.Join(f.Scopes, " "); got != "chat:write commands" {
		t.Errorf("the scopes are %q", got)
	}
	w.FailNext("auth.test", "token_revoked", 1)
	_, err = look.App(t.Context())
	wantError(t, err, "auth.test: token_revoked")
}

func TestLookIsPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := town()
		defer w.Close()
		w.RateLimit("auth.test", 1, 2*time.Second)
		w.RateLimit("apps.connections.open", 1, 2*time.Second)
		look, begun := look(&http.Client{Transport: inProcess(w.Handler())}, "http://slack.test", ""), time.Now()
		if _, err := look.App(t.Context()); err != nil || time.Since(begun) != 2*time.Second {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		_, err := look.Socket(t.Context()) // which nobody serves
		wantError(t, err, "opening a Socket Mode connection: ")
	})
}

func TestLookAtAChannel(t *testing.T) {
	_, look := lookAt(t, slacksim.Options{Channels: []slacksim.Channel{{ID: "C0OPS", Name: "ops"}}}, "")
	if name, err := look.Channel(t.Context(), "C0OPS"); err != nil || name != "ops" {
		t.Errorf("got %q, %v", name, err)
	}
	_, err := look.Channel(t.Context(), "C0NONE")
	wantError(t, err, "channel_not_found")
}

func TestLookAtTheSocket(t *testing.T) {
	w, look := lookAt(t, slacksim.Options{}, "")
	f, err := look.Socket(t.Context())
	if err != nil || f != (doctor.SocketFacts{App: "A0SEKISHO", Connections: 1}) {
		t.Errorf("got %+v, %v", f, err)
	}
	for _, code := range []string{"invalid_auth", "link_disabled"} {
		w.FailNext("apps.connections.open", code, 1)
		_, err := look.Socket(t.Context())
		wantError(t, err, "apps.connections.open: "+code+": switch Socket Mode on")
	}
}

// greeted looks at a Slack that says this first, and tells how the look ended the connection.
func greeted(t *testing.T, first string) (f doctor.SocketFacts, err, closed error) {
	t.Helper()
	mux, ended := http.NewServeMux(), make(chan error, 1)
	server := httptest.NewServer(mux)
	defer server.Close()
	mux.HandleFunc("/api/apps.connections.open", func(rw http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer "+appToken {
			t.Errorf("the token was %q", got)
		}
		io.WriteString(rw, ticket(server.URL))
	})
	mux.HandleFunc("/link", func(rw http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(rw, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer ws.CloseNow()
		if err := ws.Write(r.Context(), websocket.MessageText, []byte(first)); err != nil {
			t.Error(err)
		}
		_, _, err = ws.Read(r.Context())
		ended <- err
	})
	f, err = look(server.Client(), server.URL, "").Socket(t.Context())
	return f, err, <-ended
}

func ticket(base string) string {
	return `{"ok":true,"url":"ws` + strings.TrimPrefix(base, "http") + `/link?ticket=test-ticket"}`
}

// A connection that only dies would be sent payloads for a long time.
func TestLookSaysGoodbye(t *testing.T) {
	f, err, closed := greeted(t, `{"type":"hello","num_connections":7,"connection_info":{"app_id":"A0OTHER"}}`)
	if err != nil || f != (doctor.SocketFacts{App: "A0OTHER", Connections: 7}) {
		t.Errorf("got %+v, %v", f, err)
	}
	if websocket.CloseStatus(closed) != websocket.StatusNormalClosure {
		t.Errorf("it ended with %v", closed)
	}
	_, err, closed = greeted(t, `{"type":"disconnect","reason":"too_many_websockets"}`)
	wantError(t, err, `opening a Socket Mode connection: instead of a hello Slack said "disconnect" "too_many_websockets"`)
	if websocket.CloseStatus(closed) != websocket.StatusNormalClosure {
		t.Errorf("it ended with %v", closed)
	}
}

// link answers for apps.connections.open, and hands the socket's request on.
func link(socket transport) *http.Client {
	return &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		if r.URL.Path == "/link" {
			return socket(r)
		}
		w := httptest.NewRecorder()
		io.WriteString(w, ticket("http://slack.test"))
		return w.Result(), nil
	})}
}

// A Slack that does not greet is left after 5 seconds.
func TestLookAtASilentSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := link(func(r *http.Request) (*http.Response, error) {
			near, far := net.Pipe()
			go io.Copy(io.Discard, far)
			// https://www.rfc-editor.org/rfc/rfc6455#section-4.2.2
			sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
			return &http.Response{StatusCode: http.StatusSwitchingProtocols, Body: near, Header: http.Header{
				"Upgrade": {"websocket"}, "Connection": {"Upgrade"},
				"Sec-Websocket-Accept": {base64.StdEncoding.EncodeToString(sum[:])},
			}}, nil
		})
		begun := time.Now()
		_, err := look(silent, "http://slack.test", "").Socket(t.Context())
		wantError(t, err, "opening a Socket Mode connection: no hello from Slack within 5 s")
		if took := time.Since(begun); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// The ticket opens a connection that reads what the workspace says to the bot.
func TestLookKeepsTheTicket(t *testing.T) {
	for name, socket := range map[string]transport{
		"no network": func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF },
		"refused":    inProcess(http.NotFoundHandler()),
	} {
		_, err := look(link(socket), "http://slack.test", "").Socket(t.Context())
		wantError(t, err, "opening a Socket Mode connection: ")
		if err != nil && strings.Contains(err.Error(), "ticket") {
			t.Errorf("%s: the error holds the ticket: %v", name, err)
		}
	}
}

func TestInstalled(t *testing.T) {
	w, look := lookAt(t, slacksim.Options{
		Scopes: []string{"chat:write"}, Commands: []slacksim.Command{{Name: "/one"}, {Name: "/two"}},
		Shortcuts: []slacksim.Shortcut{{CallbackID: "first"}}, Events: []string{"app_home_opened"},
	}, configToken)
	m, err := look.Installed(t.Context(), "A0SEKISHO")
	want := doctor.Manifest{
		Scopes: []string{"chat:write"}, Commands: []string{"/one", "/two"}, Events: []string{"app_home_opened"},
		Shortcuts: []string{"first"}, Interactivity: true, SocketMode: true,
	}
	if err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, %v", m, err)
	}
	w.SetInteractivity(false)
	w.Disconnect("link_disabled")
	want.Interactivity, want.SocketMode = false, false
	if m, err := look.Installed(t.Context(), "A0SEKISHO"); err != nil || !reflect.DeepEqual(m, want) {
		t.Errorf("got %+v, %v", m, err)
	}
	_, err = look.Installed(t.Context(), "A0NONE")
	wantError(t, err, "apps.manifest.export: app_not_found")
	if errors.Is(err, doctor.ErrUnseen) {
		t.Error("an app that is not there counts as unseen")
	}
}

// A process without the socket is not told its app's id.
func TestInstalledWithoutAnID(t *testing.T) {
	w, look := lookAt(t, slacksim.Options{}, configToken)
	if m, err := look.Installed(t.Context(), ""); err != nil || !m.SocketMode {
		t.Errorf("got %+v, %v", m, err)
	}
	w.SetScopes("chat:write")
	_, err := look.Installed(t.Context(), "")
	wantError(t, err, "bots.info", "missing_scope")
}

func TestInstalledUnseen(t *testing.T) {
	for config, want := range map[string]string{"": "without an app configuration token", "xoxe.xoxp-test-old": "invalid_auth: make a new"} {
		_, look := lookAt(t, slacksim.Options{}, config)
		_, err := look.Installed(t.Context(), "A0SEKISHO")
		wantError(t, err, want)
		if !errors.Is(err, doctor.ErrUnseen) || config != "" && strings.Contains(err.Error(), config) {
			t.Errorf("%q: %v", config, err)
		}
	}
}
