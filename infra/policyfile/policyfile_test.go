package policyfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/infra/policyfile"
)

// minimal is all that must be written.
const minimal = `version: 1
slack: {channels: {alerts: C0ALERTS}}
gate:
  guard: {all: true}
  when_unavailable: stop
rules:
  - {name: everyone, ask: [everyone]}
`

func TestLoadEverything(t *testing.T) {
	got, err := policyfile.Load("testdata/sekisho.yml")
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, auth.Policy{
		Alerts: "C0ALERTS",
		Gate: auth.GatePolicy{
			Mode: auth.Enforce,
			Guard: auth.Guard{
				Tags:      map[string]string{"Sekisho": "guarded", "aws:autoscaling:groupName": ""},
				Instances: []string{"i-0123456789abcdef0", "i-01234567"},
			},
			PassTag:         "Pass",
			WhenUnavailable: auth.AllowUnjudged,
			CannotStop: map[auth.Obstacle]auth.Answer{
				auth.AutoScaling: auth.StopAnyway, auth.SpotOneTime: auth.Terminate,
				auth.InstanceStore: auth.Leave, auth.StopProtected: auth.StopAnyway,
			},
			Lock: auth.Lock{After: 3, Within: 90 * time.Minute, For: 36 * time.Hour},
		},
		Passes: auth.PassPolicy{
			TTL:      24 * time.Hour,
			StartNow: true,
			Limit:    auth.Limit{Person: 1, Instance: 2, Per: 90 * 24 * time.Hour},
		},
		Rules: []auth.Rule{{Name: "on call", Ask: []string{"U0ALICE", "W0BOB", "everyone"}}},
	})
}

func TestParseTakesDefaults(t *testing.T) {
	want := auth.Defaults()
	want.Alerts = "C0ALERTS"
	want.Gate.Guard.All = true
	want.Gate.WhenUnavailable = auth.StopUnjudged
	want.Rules = []auth.Rule{{Name: "everyone", Ask: []string{"everyone"}}}
	for name, text := range map[string]string{
		"as it is":          minimal,
		"with CRLF":         strings.ReplaceAll("# a comment\n"+minimal, "\n", "\r\n"),
		"with a BOM":        "\ufeff" + minimal,
		"between documents": "---\n" + minimal + "---\n# nothing\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := policyfile.Parse("sekisho.yml", []byte(text))
			if err != nil {
				t.Fatal(err)
			}
			same(t, got, want)
		})
	}
}

func TestGuardAllExcept(t *testing.T) {
	got := parse(t, strings.Replace(minimal, "{all: true}", "{all: true, except: [i-01234567]}", 1))
	same(t, got.Gate.Guard, auth.Guard{All: true, Except: []string{"i-01234567"}})
}

func TestLoadSaysWhichFileIsNotThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nowhere.yml")
	_, err := policyfile.Load(path)
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != path+": it cannot be read: no such file or directory" {
		t.Errorf("got %v", err)
	}
}

func TestLoadStopsAtALargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.yml")
	if err := os.WriteFile(path, []byte(minimal+strings.Repeat("#", 1<<20-len(minimal))), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := policyfile.Load(path); err != nil {
		t.Errorf("1 MiB: %v", err)
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = file.WriteString("#")
	}
	if err != nil {
		t.Fatal(err)
	}
	file.Close()
	if _, err := policyfile.Load(path); err == nil || err.Error() != path+": the file is too large\n    keep it below 1 MiB" {
		t.Errorf("1 MiB and a byte: %v", err)
	}
}

// What a parser could be made to choke on ends soon, in a policy or an error.
func TestParseSurvivesHostileText(t *testing.T) {
	for name, piece := range map[string]string{
		"lists": "[", "closed lists": "[]", "mappings": "{a: ", "dashes": "- ", "question marks": "? ", "anchors": "&a ",
		"tags": "!!a ", "items": "- a\n", "keys": "a: 1\n", "braces": "{", "both": "- ? ", "brackets in a list": "-\n [", "ends": "]",
		"documents": "---\n", "colons": "a: ", "aliases": "*a ", "quotes": "\"", "tabs": "\t",
	} {
		t.Run(name, func(t *testing.T) {
			for _, head := range []string{"", "a: ["} {
				text := head + strings.Repeat(piece, 1<<16/len(piece))
				_, err := policyfile.Parse("sekisho.yml", []byte(text))
				if err == nil || len(err.Error()) > 10_000 {
					t.Errorf("head %q: not a short error", head)
				}
			}
		})
	}
}

func parse(t *testing.T, text string) auth.Policy {
	t.Helper()
	p, err := policyfile.Parse("sekisho.yml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}
