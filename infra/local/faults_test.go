package local

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/slack-go/slack"
)

// onAndOff switches a fault on, looks, and switches it off and looks again.
func onAndOff(t *testing.T, base, fault string, look func(on bool)) {
	t.Helper()
	for _, on := range []bool{true, false} {
		if status, code := post(t, base, "fault", faultInput{fault, on}); status != 204 {
			t.Fatalf("switching %s: %d %s", fault, status, code)
		}
		look(on)
	}
}

func wantError(t *testing.T, on bool, err error, code string) {
	t.Helper()
	if on && (err == nil || err.Error() != code) || !on && err != nil {
		t.Errorf("switched on: %v; got %v, want %s only then", on, err, code)
	}
}

func TestTheBotLacksAScope(t *testing.T) {
	_, base := newWorld(t, Options{})
	client := slack.New(botToken, slack.OptionAPIURL(base+"/slack/api/"))
	onAndOff(t, base, scopeLacking, func(on bool) {
		_, err := client.GetUploadURLExternalContext(t.Context(), slack.GetUploadURLExternalParameters{FileName: "keys.csv", FileSize: 1})
		wantError(t, on, err, "missing_scope")
		_, _, err = client.PostMessageContext(t.Context(), "C0OPS", slack.MsgOptionText("still here", false))
		wantError(t, false, err, "")
	})
}

func TestTheBotIsOutsideOfAChannel(t *testing.T) {
	_, base := newWorld(t, Options{})
	client := slack.New(botToken, slack.OptionAPIURL(base+"/slack/api/"))
	onAndOff(t, base, botOutside, func(on bool) {
		for channel, outside := range map[string]bool{"C0ALERTS": on, "C0OPS": false} {
			_, _, err := client.PostMessageContext(t.Context(), channel, slack.MsgOptionText("hello", false))
			wantError(t, outside, err, "not_in_channel")
		}
	})
}

func TestAWSDeniesToStop(t *testing.T) {
	w, base := newWorld(t, Options{})
	client := newReader(t, w)
	onAndOff(t, base, stopDenied, func(on bool) {
		_, err := client.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{"i-0b7a30000000000a1"}})
		refused, _ := asAPIError(err)
		if on && (refused == nil || refused.ErrorCode() != "UnauthorizedOperation") || !on && err != nil {
			t.Errorf("switched on: %v; got %v", on, err)
		}
	})
}

func TestADisabledRuleBringsNothing(t *testing.T) {
	w, base := newWorld(t, Options{SweepEvery: time.Hour})
	started := make(chan struct{}, 2)
	w.AWS.OnEvent(func(event []byte) {
		if strings.Contains(string(event), `"state":"running"`) {
			started <- struct{}{}
		}
	})
	ids := []string{"i-0b7a30000000000a1", "i-0b7a30000000000b2"}
	onAndOff(t, base, ruleDisabled, func(on bool) {
		if err := w.AWS.StartInstance(ids[0]); err != nil {
			t.Fatal(err)
		}
		ids = ids[1:]
		<-started
		if n := len(w.AWS.Queue(w.queue).Visible); (n == 0) != on {
			t.Errorf("switched on: %v; %d events wait in the queue", on, n)
		}
	})
}

// TestTheAppIsInstalledWithWhatThePageOffers exports the manifest, with the token of the world's environment.
func TestTheAppIsInstalledWithWhatThePageOffers(t *testing.T) {
	w, base := newWorld(t, Options{})
	env := useEnvironment(t, w)
	m, err := slack.New(botToken, slack.OptionAPIURL(base+"/slack/api/")).ExportManifest(env["SLACK_CONFIG_TOKEN"], "A0SEKISHO")
	if err != nil {
		t.Fatal(err)
	}
	got := m.Features
	if len(got.SlashCommands) != len(w.opts.Commands) || len(got.Shortcuts) != len(w.opts.Shortcuts) {
		t.Fatalf("the app is installed with %+v", got)
	}
	for i, c := range w.opts.Commands {
		if is := got.SlashCommands[i]; is.Command != c.Name || is.UsageHint != c.Usage || is.Description != c.Help {
			t.Errorf("%s is installed as %+v", c.Name, is)
		}
	}
	if is, s := got.Shortcuts[0], w.opts.Shortcuts[0]; is.CallbackID != s.CallbackID || is.Name != s.Name || is.Description != s.About {
		t.Errorf("%s is installed as %+v", s.Name, is)
	}
}

func TestAClickWithoutInteractivityIsExplained(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	w.Slack.SetInteractivity(false)
	if _, code := post(t, base, "shortcut", shortcutInput{"U0HANA", "ec2_pass"}); code != "interactivity_disabled" {
		t.Errorf("the page is told %q", code)
	}
}
