package commands_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"sekisho/commands"
)

// What Slack is told of the commands, shortcuts and events, and what this
// program answers, are one list.
func TestTheManifestNamesWhatIsAnswered(t *testing.T) {
	text, err := os.ReadFile("../manifest.yml")
	if err != nil {
		t.Fatal(err)
	}
	type command struct {
		Command     string
		Description string
		UsageHint   string `yaml:"usage_hint"`
	}
	type shortcut struct {
		Name, Type, Description string
		CallbackID              string `yaml:"callback_id"`
	}
	var manifest struct {
		Features struct {
			SlashCommands []command `yaml:"slash_commands"`
			Shortcuts     []shortcut
		}
		OAuth struct {
			Scopes struct{ Bot []string }
		} `yaml:"oauth_config"`
		Settings struct {
			EventSubscriptions struct {
				BotEvents []string `yaml:"bot_events"`
			} `yaml:"event_subscriptions"`
		}
	}
	if err := yaml.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	var ours []command
	for _, c := range commands.Commands() {
		ours = append(ours, command{c.Name, c.About, c.Usage})
	}
	sameList(t, "the commands", ours, manifest.Features.SlashCommands)
	var shortcuts []shortcut
	for _, c := range commands.Shortcuts() {
		shortcuts = append(shortcuts, shortcut{Name: c.Name, Type: "global", Description: c.About, CallbackID: c.Callback})
	}
	sameList(t, "the shortcuts", shortcuts, manifest.Features.Shortcuts)
	var notices []string
	for _, n := range commands.Notices() {
		notices = append(notices, n.Type)
	}
	sameList(t, "the scopes", commands.Scopes(), manifest.OAuth.Scopes.Bot)
	sameList(t, "the events", notices, manifest.Settings.EventSubscriptions.BotEvents)
}

func sameList[T comparable](t *testing.T, what string, ours, theirs []T) {
	t.Helper()
	if !slices.Equal(ours, theirs) {
		t.Errorf("of %s, this program has\n%+v\nmanifest.yml has\n%+v", what, ours, theirs)
	}
}

// Slack's limits of commands and shortcuts:
// https://docs.slack.dev/reference/app-manifest
func TestTheCommandsKeepTheManifestsLimits(t *testing.T) {
	for _, c := range commands.Commands() {
		if !strings.HasPrefix(c.Name, "/") || len(c.Name) > 32 || c.Name != strings.ToLower(c.Name) {
			t.Errorf("the name %q", c.Name)
		}
		if c.About == "" || len(c.About) > 2000 || len(c.Usage) > 1000 {
			t.Errorf("%s: a description of %d and a usage of %d bytes", c.Name, len(c.About), len(c.Usage))
		}
	}
	for _, c := range commands.Shortcuts() {
		if c.Name == "" || len(c.Name) > 24 || c.About == "" || len(c.About) > 150 || len(c.Callback) > 255 {
			t.Errorf("%s: a name of %d, a description of %d and an id of %d bytes", c.Callback, len(c.Name), len(c.About), len(c.Callback))
		}
	}
}

// The lists are what the bot is made of: an entry that lacks a part, or that
// is there twice, would be found only when it is used.
func TestTheListsAreWhole(t *testing.T) {
	seen := make(map[string]bool)
	entry := func(name string, whole bool) {
		t.Helper()
		if !whole || seen[name] {
			t.Errorf("%s is incomplete or there twice", name)
		}
		seen[name] = true
	}
	for _, c := range commands.Commands() {
		entry("the command "+c.Name, c.Name != "" && c.Answers != nil)
	}
	for _, b := range commands.Buttons() {
		// The bot cuts an action at its first colon.
		entry("the button "+b.Action, b.Action != "" && b.Answers != nil && !strings.Contains(b.Action, ":"))
	}
	for _, f := range commands.Forms() {
		entry("the form "+f.Callback, f.Callback != "" && f.Answers != nil)
	}
	for _, c := range commands.Shortcuts() {
		entry("the shortcut "+c.Callback, c.Callback != "" && c.Answers != nil)
	}
	for _, n := range commands.Notices() {
		entry("the notice "+n.Type, n.Type != "" && n.Run != nil)
	}
	for _, j := range commands.Jobs() {
		entry("the job "+j.Source+" "+j.DetailType, j.Source != "" && j.DetailType != "" && j.Run != nil)
	}
}
