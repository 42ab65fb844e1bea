package slackchat

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
	"github.com/slack-go/slack"

	"sekisho/auth/doctor"
)

// helloWithin is how long a new socket may take to open and Slack to greet on it.
const helloWithin = 5 * time.Second

var errNoHello = errors.New("no hello from Slack within 5 s")

// Look looks at the app for the doctor. It changes nothing.
type Look struct {
	chat        *Chat
	configToken string
}

var _ doctor.Slack = (*Look)(nil)

// NewLook looks through the Chat's client. configToken is an app configuration
// token, or empty: https://docs.slack.dev/app-manifests/configuring-apps-with-app-manifests
func NewLook(chat *Chat, configToken string) *Look { return &Look{chat, configToken} }

// App keeps the promise of doctor.Slack.
func (l *Look) App(ctx context.Context) (doctor.AppFacts, error) {
	var answer *slack.AuthTestResponse
	err := l.chat.patiently(ctx, func() (err error) {
		answer, err = l.chat.api().AuthTestContext(ctx)
		return err
	})
	if err != nil {
		return doctor.AppFacts{}, fmt.Errorf("auth.test: %w", l.chat.plain(err))
	}
	facts := doctor.AppFacts{Team: answer.Team, Bot: answer.User}
	for scope := range strings.SplitSeq(answer.Header.Get("X-OAuth-Scopes"), ",") {
		if scope = strings.TrimSpace(scope); scope != "" {
			facts.Scopes = append(facts.Scopes, scope)
		}
	}
	facts.Clock, _ = http.ParseTime(answer.Header.Get("Date"))
	return facts, nil
}

// Channel keeps the promise of doctor.Slack.
func (l *Look) Channel(ctx context.Context, id string) (string, error) {
	return l.chat.Channel(ctx, id)
}

// Socket keeps the promise of doctor.Slack. While it is open Slack may choose it
// for a click, which is then lost: it closes at once.
func (l *Look) Socket(ctx context.Context) (doctor.SocketFacts, error) {
	var address string
	err := l.chat.patiently(ctx, func() (err error) {
		_, address, err = l.chat.api().StartSocketModeContext(ctx)
		return err
	})
	if code := refusal(err).Err; code != "" {
		return doctor.SocketFacts{}, fmt.Errorf("apps.connections.open: %s: switch Socket Mode on in the app's settings, "+
			"and make an app-level token (xapp-…) with the scope connections:write", code)
	}
	if err != nil {
		return doctor.SocketFacts{}, fmt.Errorf("apps.connections.open: %w", ticketless(err))
	}
	facts, err := l.greeting(ctx, address)
	if err != nil {
		return doctor.SocketFacts{}, fmt.Errorf("opening a Socket Mode connection: %w", err)
	}
	return facts, nil
}

// greeting opens the socket, reads Slack's first words and closes it.
func (l *Look) greeting(ctx context.Context, address string) (doctor.SocketFacts, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, helloWithin, errNoHello)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: l.chat.http})
	if err != nil {
		return doctor.SocketFacts{}, late(ctx, ticketless(err))
	}
	defer ws.CloseNow()
	var first struct {
		Type        string `json:"type"`
		Reason      string `json:"reason"` // of a disconnect
		Connections int    `json:"num_connections"`
		Info        struct {
			App string `json:"app_id"`
		} `json:"connection_info"`
	}
	if err := wsjson.Read(ctx, ws, &first); err != nil {
		return doctor.SocketFacts{}, late(ctx, err)
	}
	// Without a close frame Slack goes on sending to a connection that is gone:
	// https://github.com/slackapi/python-slack-sdk/issues/1940
	_ = ws.Close(websocket.StatusNormalClosure, "")
	if first.Type != "hello" {
		return doctor.SocketFacts{}, fmt.Errorf("instead of a hello Slack said %q %q", first.Type, first.Reason)
	}
	return doctor.SocketFacts{App: first.Info.App, Connections: first.Connections}, nil
}

// late says whose the deadline was, where it was one.
func late(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// ticketless takes the URL out of an error: it holds the ticket that opens the socket.
func ticketless(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// unusable are the answers to an app configuration token that is of no more use;
// it lives for 12 hours: https://docs.slack.dev/reference/methods/apps.manifest.export
var unusable = []string{"not_authed", "invalid_auth", "token_expired", "token_revoked", "not_allowed_token_type"}

// Installed keeps the promise of doctor.Slack.
func (l *Look) Installed(ctx context.Context, app string) (doctor.Manifest, error) {
	if l.configToken == "" {
		return doctor.Manifest{}, fmt.Errorf("the app's settings: %w without an app configuration token", doctor.ErrUnseen)
	}
	if app == "" {
		var err error
		if app, err = l.app(ctx); err != nil {
			return doctor.Manifest{}, err
		}
	}
	var m *slack.Manifest
	err := l.chat.patiently(ctx, func() (err error) {
		m, err = l.chat.api().ExportManifestContext(ctx, l.configToken, app)
		return err
	})
	if code := refusal(err).Err; slices.Contains(unusable, code) {
		return doctor.Manifest{}, fmt.Errorf("the app's settings: %w: apps.manifest.export: %s: make a new app configuration token",
			doctor.ErrUnseen, code)
	}
	if err != nil {
		return doctor.Manifest{}, fmt.Errorf("apps.manifest.export: %w", l.chat.plain(err))
	}
	return installed(m), nil
}

// app finds the app's id, which a process without the socket is not told.
func (l *Look) app(ctx context.Context) (id string, err error) {
	err = l.chat.patiently(ctx, func() error {
		me, err := l.chat.api().AuthTestContext(ctx)
		if err != nil {
			return err
		}
		bot, err := l.chat.api().GetBotInfoContext(ctx, slack.GetBotInfoParameters{Bot: me.BotID})
		if err == nil {
			id = bot.AppID
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("finding the app's id by bots.info: %w", l.chat.plain(err))
	}
	return id, nil
}

func installed(m *slack.Manifest) doctor.Manifest {
	out := doctor.Manifest{Scopes: m.OAuthConfig.Scopes.Bot, SocketMode: m.Settings.SocketModeEnabled}
	for _, c := range m.Features.SlashCommands {
		out.Commands = append(out.Commands, c.Command)
	}
	for _, s := range m.Features.Shortcuts {
		out.Shortcuts = append(out.Shortcuts, s.CallbackID)
	}
	if e := m.Settings.EventSubscriptions; e != nil {
		out.Events = e.BotEvents
	}
	if i := m.Settings.Interactivity; i != nil {
		out.Interactivity = i.IsEnabled
	}
	return out
}
