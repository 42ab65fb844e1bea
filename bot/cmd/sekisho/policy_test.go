package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// says runs the program and gives what it says; it must end with this code.
func (w *world) says(code int, args ...string) string {
	w.t.Helper()
	p := w.run(args)
	if got := p.end(); got != code {
		w.t.Errorf("%v ended with %d: %s", args, got, p.said)
	}
	return p.said.String()
}

func TestAPolicyIsChecked(t *testing.T) {
	w := open(t, "enforce", "stop", fmt.Sprintf(approvalRules, 1))
	if text := w.says(0, "policy", "check", w.policy); !strings.Contains(text, "is good") || !strings.Contains(text, "rules: gpu, everyone else") {
		t.Errorf("a good one: %s", text)
	}
	bad := filepath.Join(t.TempDir(), "bad.yml")
	w.do(os.WriteFile(bad, []byte("version: 1\nrulez: []\n"), 0o600))
	if text := w.says(1, "policy", "check", bad); !strings.Contains(text, "bad.yml:2:1") || !strings.Contains(text, "^") {
		t.Errorf("a bad one: %s", text)
	}
}

func TestAPolicyIsExplained(t *testing.T) {
	w := open(t, "enforce", "stop", fmt.Sprintf(approvalRules, 1))
	explain := []string{"policy", "explain", w.policy, "--user", ben}
	web := w.says(0, append(explain, "--instance", w.instance("web-1").ID)...)
	for _, want := range []string{`1. gpu: not for it: it has no tag "Team"`, "2. everyone else: decides", "U0BEN may ask", "Nobody needs to approve"} {
		if !strings.Contains(web, want) {
			t.Errorf("web-1, as EC2 has it, lacks %q: %s", want, web)
		}
	}
	gpu := w.says(0, append(explain, "--tag", "Team=ml", "--tag", "Sekisho=guarded", "--type", "p5.48xlarge")...)
	for _, want := range []string{"1. gpu: decides", "1 of S0LEADS must approve within 1h0m0s, and a reason must be given", "may not break the glass", "good for 10m0s"} {
		if !strings.Contains(gpu, want) {
			t.Errorf("what is like gpu-1 lacks %q: %s", want, gpu)
		}
	}
	if text := w.says(0, append(explain, "--type", "t3.nano")...); !strings.Contains(text, "is not guarded") {
		t.Errorf("what is not guarded: %s", text)
	}
	if text := w.says(1, explain...); !strings.Contains(text, "say which instance") {
		t.Errorf("no instance: %s", text)
	}
}

// The references of the environment are followed as `sekisho serve` follows them.
func TestAPolicyIsExplainedByReference(t *testing.T) {
	w := open(t, "enforce", "stop", fmt.Sprintf(approvalRules, 1))
	text, err := os.ReadFile(w.policy)
	w.do(err)
	w.AWS.PutParameter("/sekisho/policy", string(text), false)
	file := filepath.Join(t.TempDir(), "token")
	w.do(os.WriteFile(file, []byte(w.variable("SLACK_BOT_TOKEN")+"\n"), 0o600))
	arn := w.AWS.PutSecret("sekisho/slack", `{"bot_token":"`+w.variable("SLACK_BOT_TOKEN")+`"}`)
	for name, c := range map[string]struct {
		env   []string
		code  int
		wants string
	}{
		"a secret":       {[]string{"SLACK_BOT_TOKEN=" + arn + ":bot_token"}, 0, "1. gpu: decides\n   U0BEN may ask.\n"},
		"a file":         {[]string{"SLACK_BOT_TOKEN=", "SLACK_BOT_TOKEN_FILE=" + file}, 0, "1. gpu: decides\n   U0BEN may ask.\n"},
		"no token":       {[]string{"SLACK_BOT_TOKEN="}, 0, "was not looked up"},
		"no such secret": {[]string{"SLACK_BOT_TOKEN=" + arn + ":none"}, 1, `SLACK_BOT_TOKEN: the secret`},
		"no such policy": {[]string{"SEKISHO_CONFIG=ssm:/none"}, 1, `SEKISHO_CONFIG: there is no parameter "/none"`},
	} {
		p := w.run([]string{"policy", "explain", "--user", ben, "--tag", "Team=ml", "--tag", "Sekisho=guarded"}, append([]string{"SEKISHO_CONFIG=ssm:/sekisho/policy"}, c.env...)...)
		if code := p.end(); code != c.code || !strings.Contains(p.said.String(), c.wants) {
			t.Errorf("%s: ended with %d, lacks %q: %s", name, code, c.wants, p.said)
		}
	}
}

// A policy that names what Slack does not know is found when the bot starts.
func TestAStartFindsWhatSlackDoesNotKnow(t *testing.T) {
	rules := strings.Replace(fmt.Sprintf(approvalRules, 1), "S0LEADS", "S0NOBODY", 1)
	w := open(t, "enforce", "stop", rules)
	bot := w.serve()
	bot.waitFor("S0NOBODY")
	w.holdsAll(w.command(hana, "gpu-1 for the nightly training"), "too few people could")
}
