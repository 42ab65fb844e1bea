package bot

import (
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"sekisho/commands"
)

func recorded(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}

// A command means the same whichever way it came.
func TestFormAndEnvelopeAgreeOnACommand(t *testing.T) {
	want := commands.Request{
		ID: "37053613634.26768298162.440952c06ef4de2653466a48fe495f93", User: "U123ABC456", Channel: "C123ABC456",
		Text:        "web-1 & <!here> 🎫",
		ResponseURL: "https://hooks.slack.com/commands/T123ABC456/37053613554/YMB2ZESDLNjNLqSFZ1quhNAh",
	}
	name, r, err := slashForm(recorded(t, "slash.form"))
	if err != nil || name != "/ec2-pass" || r != want {
		t.Errorf("the form: %q %+v, %v", name, r, err)
	}
	name, r, err = slashPayload(json.RawMessage(recorded(t, "slash.json")))
	if err != nil || name != "/ec2-pass" || r != want {
		t.Errorf("the envelope: %q %+v, %v", name, r, err)
	}
}

func TestFormAndEnvelopeAgreeOnAClick(t *testing.T) {
	payload := recorded(t, "click.json")
	want := commands.Request{
		ID: "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3", User: "U123ABC456", Channel: "C123ABC456",
		Value:       "i-0aaaaaaaaaaaaaaa1",
		ResponseURL: "https://hooks.slack.com/actions/T123ABC456/1232321423432/D09sSasdasdAS9091209",
	}
	action, r, err := interactionForm(url.Values{"payload": {payload}}.Encode())
	if err != nil || action != "pass_get:3" || r != want {
		t.Errorf("the form: %q %+v, %v", action, r, err)
	}
	action, r, err = interaction(json.RawMessage(payload))
	if err != nil || action != "pass_get:3" || r != want {
		t.Errorf("the envelope: %q %+v, %v", action, r, err)
	}
}

// FuzzInteraction: whatever a payload holds, it is a whole click or an error,
// the same by both ways.
func FuzzInteraction(f *testing.F) {
	f.Add(recorded(f, "click.json"))
	f.Add(`{"type":"block_actions","user":{"id":"U"},"trigger_id":"1","actions":[{}]}`)
	f.Add(`{"type":"view_submission","user":null}`)
	f.Add(`{"actions":[[]]}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, payload string) {
		action, r, err := interaction(json.RawMessage(payload))
		if err == nil && (r.User == "" || r.ID == "") {
			t.Fatalf("a click by nobody or without a trigger: %+v", r)
		}
		if err != nil && (action != "" || r != commands.Request{}) {
			t.Fatalf("an error beside %q %+v", action, r)
		}
		other, s, otherErr := interactionForm(url.Values{"payload": {payload}}.Encode())
		if other != action || s != r || (otherErr == nil) != (err == nil) {
			t.Fatalf("the form says %q %+v %v, the envelope %q %+v %v", other, s, otherErr, action, r, err)
		}
	})
}
