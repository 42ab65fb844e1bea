package policyfile_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
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
		Hash:     sum(t, "testdata/sekisho.yml"),
		Channels: auth.Channels{Alerts: "C0ALERTS", Approvals: "C0APPROVE", BreakGlass: "C0LOUD", Keys: "C0KEYS", Reports: "G0REPORT"},
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
		Rules: []auth.Rule{
			{
				Name: "on call",
				Match: auth.Match{
					Tags:     map[string]string{"Team": "ml", "cost:centre": ""},
					Types:    []string{"p5.*", "g?.xlarge"},
					Accounts: []string{"111122223333", "012345678901"},
					Regions:  []string{"eu-central-1", "us-gov-west-1"},
					Names:    []string{"prod-*"},
					Hours: &auth.Hours{
						From: 8 * 60, To: 24 * 60, Days: []time.Weekday{time.Monday, time.Sunday}, Zone: zone(t, "Europe/Berlin"),
					},
				},
				Ask: []string{"U0ALICE", "W0BOB", "everyone"},
				Approve: &auth.Approve{
					By: []string{"S0LEADS", "U0HANA"}, Count: 20, Within: 2 * time.Hour, Reason: true, Confirm: true,
				},
				TTL:        15 * time.Minute,
				BreakGlass: &auth.BreakGlass{By: []string{"S0ONCALL", "W0BOB"}, TTL: 10 * time.Minute},
			},
			{
				Name: "team",
				Match: auth.Match{
					Names: []string{"dev-*"}, Hours: &auth.Hours{From: 22*60 + 30, To: 6 * 60, Zone: zone(t, "UTC")},
				},
				Ask:        []string{"S0ML", "C0ROOM", "G0ROOM", "U0HANA"},
				Approve:    &auth.Approve{By: []string{"U0HANA", "U0MIA"}, Count: 1, Within: time.Hour},
				TTL:        3 * time.Minute,
				BreakGlass: &auth.BreakGlass{By: []string{"U0MIA"}, TTL: 3 * time.Minute}, // not the usual 5, which would be longer
			},
			{Name: "rest", Ask: []string{"everyone"}},
		},
		People: auth.PeoplePolicy{
			Principals: map[string][]auth.Principal{
				"U0HANA": {"user/hana", "session/hana@example.com"}, "W0BOB": {"session/bob"},
			},
			MatchEmail: true,
			OnMismatch: auth.StopMismatch,
		},
		Trail: auth.TrailPolicy{Keep: 3650 * 24 * time.Hour},
		Keys: &auth.KeyPolicy{
			Mode:     auth.Enforce,
			MaxAge:   100 * 24 * time.Hour,
			Grace:    0,
			FirstRun: auth.AtOnce,
			Warn:     []time.Duration{21 * 24 * time.Hour, 84 * time.Hour, 24 * time.Hour, time.Hour},
			Unused:   45 * 24 * time.Hour,
			Cap:      auth.KeyCap{Keys: 10000, Share: 100},
			Exempt: []auth.KeyExemption{
				{User: "break-glass*"},
				{Path: "/service/", TagKey: "team", TagValue: "*"},
				{User: "?*-robot", Path: "/build/", TagKey: "sekisho-exempt", TagValue: "until 2027-*"},
			},
			Decide:   []string{"S0SECURITY", "U0HANA"},
			OwnerTag: "Owner",
		},
		Reports: []auth.ReportPolicy{
			{
				Name: "Weekly_1-all", Every: 366 * 24 * time.Hour, Slack: true,
				Mail: &auth.MailPolicy{
					From: "関所 <bot@example.com>", To: []string{"security@example.com", "Ann <ann@example.com>"}, ConfigurationSet: "reports-1_x",
				},
				Keep: 400, CIS: "1.4", Ask: []string{"S0AUDIT", "U0HANA"}, Tables: auth.TextTable,
			},
			{
				Name: "daily", Every: 24 * time.Hour, Mail: &auth.MailPolicy{From: "bot@example.com", To: []string{"root@example.com"}},
				Keep: 26, CIS: "7.0", Tables: auth.DataTable,
			},
		},
	})
}

// sum is what sha256sum says of the file, cut short.
func sum(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(text))[:12]
}

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestParseTakesDefaults(t *testing.T) {
	want := auth.Defaults()
	want.Channels = auth.Channels{Alerts: "C0ALERTS", BreakGlass: "C0ALERTS", Keys: "C0ALERTS"}
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
			want.Hash = fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:12]
			same(t, got, want)
		})
	}
}

func TestRuleTakesDefaults(t *testing.T) {
	text := strings.Replace(minimal, "C0ALERTS", "C0ALERTS, approvals: C0APPROVE", 1)
	got := parse(t, strings.Replace(text, "ask: [everyone]", "ask: [everyone], approve: {by: [U0HANA]}, break_glass: {by: [S0ONCALL]}", 1))
	same(t, got.Rules, []auth.Rule{{
		Name:       "everyone",
		Ask:        []string{"everyone"},
		Approve:    &auth.Approve{By: []string{"U0HANA"}, Count: 1, Within: time.Hour},
		BreakGlass: &auth.BreakGlass{By: []string{"S0ONCALL"}, TTL: 5 * time.Minute},
	}})
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
