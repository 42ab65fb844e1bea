package commands_test

import (
	"os"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"sekisho/commands"
)

// What Slack is told of the commands and what this program answers are one
// list.
func TestTheManifestNamesTheCommands(t *testing.T) {
	text, err := os.ReadFile("../manifest.yml")
	if err != nil {
		t.Fatal(err)
	}
	type command struct {
		Command     string
		Description string
		UsageHint   string `yaml:"usage_hint"`
	}
	var manifest struct {
		Features struct {
			SlashCommands []command `yaml:"slash_commands"`
		}
	}
	if err := yaml.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	var ours []command
	for _, c := range commands.Commands() {
		ours = append(ours, command{c.Name, c.About, c.Usage})
	}
	theirs := manifest.Features.SlashCommands
	for n := range max(len(ours), len(theirs)) {
		switch {
		case n >= len(ours):
			t.Errorf("the manifest names %s, which nothing answers", theirs[n].Command)
		case n >= len(theirs):
			t.Errorf("the manifest does not name %s", ours[n].Command)
		case ours[n] != theirs[n]:
			t.Errorf("commands.Commands() has\n%+v\nmanifest.yml has\n%+v", ours[n], theirs[n])
		}
	}
}

// Slack's limits of a slash command:
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
	for _, j := range commands.Jobs() {
		entry("the job "+j.Source+" "+j.DetailType, j.Source != "" && j.DetailType != "" && j.Run != nil)
	}
}
