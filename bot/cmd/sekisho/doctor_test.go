package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"sekisho/auth/doctor"
	"sekisho/infra/local/slacksim"
)

const clinicPolicy = `
version: 1
slack: {channels: {alerts: C0ALERTS, approvals: C0APPROVE, keys: C0KEYS, reports: C0REPORT}}
gate: {mode: enforce, guard: {tags: {Sekisho: guarded}}, when_unavailable: stop}
passes: {start_now: true}
rules: [{name: everyone, ask: [everyone]}]
keys: {mode: enforce, decide: [S0SECURITY]}
reports: [{name: weekly, every: 7d, slack: true, mail: {from: bot@example.com, to: [security@example.com], configuration_set: events}}]
admins: [S0LEADS]
`

// clinic is a world in which everything is as it must be: a Redis that keeps
// what it is given, and a bot that has swept.
type clinic struct {
	*world
	redis *redis.Client
}

func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{world: open(t, "enforce", "stop")}
	c.do(os.WriteFile(c.policy, []byte(clinicPolicy), 0o600))
	c.redis = redis.NewClient(&redis.Options{Addr: c.world.redis})
	t.Cleanup(func() { c.redis.Close() })
	c.set("appendonly", "yes")
	return c
}

func (c *clinic) set(setting, value string) {
	c.t.Helper()
	c.do(c.redis.ConfigSet(context.Background(), setting, value).Err())
}

// examine runs `sekisho doctor --json`.
func (c *clinic) examine(env ...string) (lines []doctor.Line, code int) {
	c.t.Helper()
	p := c.run([]string{"doctor", "--json"}, env...)
	code = p.end()
	text := p.said.String()
	var out struct {
		Healthy bool
		Checks  []doctor.Line
	}
	if err := json.NewDecoder(strings.NewReader(text[strings.Index(text, "{\n"):])).Decode(&out); err != nil {
		c.t.Fatalf("%v: %s", err, text)
	}
	if out.Healthy != (code == 0) {
		c.t.Errorf("healthy: %v, and the exit code is %d", out.Healthy, code)
	}
	return out.Checks, code
}

func signs(lines []doctor.Line) (all []string) {
	for _, l := range lines {
		if l.Outcome != doctor.Good {
			all = append(all, l.Sign()+" "+l.Check)
		}
	}
	return all
}

// In a world that is well built everything is good; each thing that breaks
// turns its own line, and no other, until it is mended.
func TestTheDoctor(t *testing.T) {
	c := newClinic(t)
	sweep := c.run([]string{"sweep"})
	if code := sweep.end(); code != 0 {
		t.Fatalf("exit code %d: %s", code, sweep.said)
	}
	expect := func(what string, want ...string) {
		t.Helper()
		lines, code := c.examine()
		if got := signs(lines); !slices.Equal(got, want) || (code == 0) != (len(want) == 0) {
			t.Errorf("%s: exit code %d, not good: %q, want %q", what, code, got, want)
			for _, l := range lines {
				if l.Outcome != doctor.Good {
					t.Logf("%+v", l)
				}
			}
		}
	}
	expect("a well built world")
	for _, fault := range []struct {
		what        string
		begin, mend func()
		want        string
	}{
		{"a missing scope", func() { c.fault("scope-lacking", true) }, func() { c.fault("scope-lacking", false) }, "✗ slack.scopes"},
		{"the bot is not in a channel", func() { c.fault("bot-outside", true) }, func() { c.fault("bot-outside", false) }, "✗ slack.channel.alerts"},
		{"a missing permission", func() { c.fault("stop-denied", true) }, func() { c.fault("stop-denied", false) }, "✗ aws.allowed.ec2:StopInstances"},
		{"a disabled rule", func() { c.fault("rule-disabled", true) }, func() { c.fault("rule-disabled", false) },
			"✗ aws.rule.starts"},
		{"SES's sandbox", func() { c.fault("ses-sandbox", true) }, func() { c.fault("ses-sandbox", false) }, "✗ ses.sandbox"},
		{"an evicting Redis", func() { c.set("maxmemory-policy", "allkeys-lru") }, func() { c.set("maxmemory-policy", "noeviction") }, "✗ redis.eviction"},
		{"a Redis that keeps nothing", func() { c.set("appendonly", "no") }, func() { c.set("appendonly", "yes") }, "✗ redis.persistence"},
		{"Interactivity is off", func() { c.Slack.SetInteractivity(false) }, func() { c.Slack.SetInteractivity(true) }, "✗ slack.interactivity"},
		{"Config in two Regions", func() { c.AWS.PutKeyRule("us-east-1", "access-keys-rotated") }, func() { c.AWS.RemoveKeyRule("us-east-1", "access-keys-rotated") }, "✗ aws.config"},
	} {
		fault.begin()
		expect(fault.what, fault.want)
		fault.mend()
	}
	expect("everything mended")
}

func (c *clinic) fault(name string, on bool) {
	c.t.Helper()
	c.do(c.Break(name, on))
}

// What keeps the program from starting is the doctor's to say, too.
func TestTheDoctorNamesWhatIsNotSet(t *testing.T) {
	c := newClinic(t)
	lines, code := c.examine("SLACK_APP_TOKEN=", "SEKISHO_PEPPER=short")
	var said []string
	for _, l := range lines {
		said = append(said, l.Says)
	}
	if text := strings.Join(said, "\n"); code != 1 || len(lines) != 2 || !strings.Contains(text, "SLACK_APP_TOKEN is not set") || !strings.Contains(text, "SEKISHO_PEPPER") {
		t.Errorf("exit code %d: %s", code, text)
	}
}

// For people it is text, and nothing in it is a secret.
func TestTheDoctorAtATerminal(t *testing.T) {
	c := newClinic(t)
	p := c.run([]string{"doctor"})
	if code := p.end(); code != 1 { // no sweep yet
		t.Errorf("exit code %d", code)
	}
	text := p.said.String()
	for _, want := range []string{"✓ the bot is @sekisho", "✗ no sweep was ever finished", "\n  → look at the schedule", "may call ec2:StopInstances"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	for _, entry := range c.env {
		name, value, _ := strings.Cut(entry, "=")
		if (strings.HasSuffix(name, "_TOKEN") || strings.Contains(name, "SECRET") || name == "SEKISHO_PEPPER") && value != "" && strings.Contains(text, value) {
			t.Errorf("it says the value of %s", name)
		}
	}
}

// The same from Slack, for those whom the policy names.
func TestTheDoctorInSlack(t *testing.T) {
	c := newClinic(t)
	c.serve()
	c.do(c.Slack.Command(c.ctx, hana, ops, "/sekisho", "doctor"))
	c.do(c.Slack.Command(c.ctx, ben, ops, "/sekisho", "doctor"))
	for user, want := range map[string][]string{
		hana: {"does not name you among those who look after it"},
		ben:  {"Sekisho needs you: 1 of", "✗ no sweep was ever finished", "→ look at the schedule", "✓ the bot is in #checkpoint-alerts"},
	} {
		c.seen(func(m slacksim.Message) bool { return m.Channel == ops && m.To == user && holds(m, want) }, want)
	}
}
