package slacksim

import (
	"errors"
	"net/http"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/slack-go/slack"
)

// repositorys is the manifest that operators paste.
func repositorys(t *testing.T) *slack.Manifest {
	t.Helper()
	source, err := os.ReadFile("../../../manifest.yml")
	if err != nil {
		t.Fatal(err)
	}
	var m slack.Manifest
	if err := yaml.Unmarshal(source, &m); err != nil {
		t.Fatal(err)
	}
	return &m
}

func export(t *testing.T, api *slack.Client) *slack.Manifest {
	t.Helper()
	m, err := api.ExportManifest("xoxe.xoxp-test-config", appID)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// wordless leaves of a manifest what the app can do, which is also what must be the same everywhere.
func wordless(m *slack.Manifest) *slack.Manifest {
	m.Metadata, m.Display.Description, m.Display.BackgroundColor = slack.ManifestMetadata{}, "", ""
	for i := range m.Features.SlashCommands {
		m.Features.SlashCommands[i].Description, m.Features.SlashCommands[i].UsageHint = "", ""
	}
	for i := range m.Features.Shortcuts {
		m.Features.Shortcuts[i].Name, m.Features.Shortcuts[i].Description = "", ""
	}
	return m
}

// TestTheAppIsInstalledAsManifestYMLSays compares what a workspace has by default.
func TestTheAppIsInstalledAsManifestYMLSays(t *testing.T) {
	_, api := open(t, Options{})
	got, want := wordless(export(t, api)), wordless(repositorys(t))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("a workspace has by default\n%+v\nand manifest.yml says\n%+v", got, want)
	}
}

func TestExportFollowsTheSettings(t *testing.T) {
	w, api := open(t, Options{
		Commands:  []Command{{"/gate", "Opens it", "[name]"}},
		Shortcuts: []Shortcut{{"open_gate", "Open the gate", "At once"}},
		Events:    []string{"app_home_opened", "app_uninstalled"},
	})
	w.SetScopes("commands")
	w.SetInteractivity(false)
	w.Disconnect(reasonLinkDisabled)
	m := export(t, api)
	command := slack.ManifestSlashCommand{Command: "/gate", Description: "Opens it", UsageHint: "[name]"}
	shortcut := slack.Shortcut{Name: "Open the gate", CallbackID: "open_gate", Description: "At once", Type: slack.GlobalShortcut}
	if got := m.Features; !slices.Equal(got.SlashCommands, []slack.ManifestSlashCommand{command}) ||
		!slices.Equal(got.Shortcuts, []slack.Shortcut{shortcut}) {
		t.Errorf("the features are %+v", got)
	}
	if s := m.Settings; s.Interactivity.IsEnabled || s.SocketModeEnabled || len(s.EventSubscriptions.BotEvents) != 2 {
		t.Errorf("the settings are %+v", s)
	}
	if got := m.OAuthConfig.Scopes.Bot; !slices.Equal(got, []string{"commands"}) {
		t.Errorf("the scopes are %v", got)
	}
	w.SetInteractivity(true)
	w.Reenable()
	if s := export(t, api).Settings; !s.Interactivity.IsEnabled || !s.SocketModeEnabled || s.Interactivity.RequestUrl != "" {
		t.Errorf("switched on again, the settings are %+v", s)
	}

	w.DeliverTo("https://bot.example.com")
	m = export(t, api)
	if s := m.Settings; s.SocketModeEnabled || s.Interactivity.RequestUrl != "https://bot.example.com/slack/interactions" ||
		s.EventSubscriptions.RequestUrl != "https://bot.example.com/slack/events" ||
		m.Features.SlashCommands[0].Url != "https://bot.example.com/slack/commands" {
		t.Errorf("over HTTP, the manifest is %+v", m)
	}
}

func TestExportRefuses(t *testing.T) {
	w, api := open(t, Options{})
	for _, c := range []struct{ what, token, app, code string }{
		{"the bot token", "xoxb-test-bot", appID, "not_allowed_token_type"},
		{"the app-level token", "xapp-test-app", appID, "not_allowed_token_type"},
		{"an unknown token", "xoxe.xoxp-test-other", appID, "invalid_auth"},
		{"no token", "", appID, "not_authed"},
		{"no app", "xoxe.xoxp-test-config", "", "invalid_app_id"},
		{"another app", "xoxe.xoxp-test-config", "A0OTHER", "app_not_found"},
	} {
		_, err := api.ExportManifest(c.token, c.app)
		wantCode(t, c.what, err, c.code)
	}
	_, _, err := slack.New("xoxe.xoxp-test-config", slack.OptionAPIURL(w.base+"/api/")).PostMessage("C0OPS", text("x"))
	wantCode(t, "posting with the configuration token", err, "not_allowed_token_type")
}

func TestWithoutInteractivityNothingReachesTheApp(t *testing.T) {
	w, api := open(t, Options{})
	v := opened(t, w, api, form())
	reached := 0
	app(t, w, func(http.ResponseWriter, *http.Request) { reached++ })
	_, ts, err := api.PostMessage("C0OPS", card())
	if err != nil {
		t.Fatal(err)
	}
	act := func(check func(what string, err error)) {
		check("a click", w.Click(t.Context(), "U0HANA", "C0OPS", ts, "decide", "approve"))
		check("a shortcut", w.Shortcut(t.Context(), "U0HANA", "ec2_pass"))
		check("a form", w.Submit(t.Context(), "U0HANA", v.ID, typed("for the demo")))
	}
	w.SetInteractivity(false)
	act(func(what string, err error) {
		wantDelivery(t, err, codeSilent)
		if !errors.Is(err, ErrNotInteractive) {
			t.Errorf("%s: %v", what, err)
		}
	})
	if reached != 0 {
		t.Errorf("the app was sent %d interactions", reached)
	}
	if err := w.Command(t.Context(), "U0HANA", "C0OPS", "/ec2-pass", ""); err != nil || reached != 1 {
		t.Errorf("a command, which is no interaction: %v", err)
	}
	w.SetInteractivity(true)
	act(func(what string, err error) { wantCode(t, what+", switched on again", err, "") })
	if reached != 4 {
		t.Errorf("the app was sent %d requests, want 4", reached)
	}
}

func TestOnlyWhatTheAppSubscribedToIsSent(t *testing.T) {
	for _, events := range [][]string{{"app_home_opened"}, {}} {
		w, _ := open(t, Options{Events: events})
		sent := 0
		app(t, w, func(http.ResponseWriter, *http.Request) { sent++ })
		if err := w.OpenHome(t.Context(), "U0HANA"); err != nil || sent != len(events) {
			t.Errorf("subscribed to %v, the app was sent %d events; %v", events, sent, err)
		}
	}
}
