package bot

import (
	"encoding/json"
	"net/url"
	"os"
	"reflect"
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
	if err != nil || name != "/ec2-pass" || !reflect.DeepEqual(r, want) {
		t.Errorf("the form: %q %+v, %v", name, r, err)
	}
	name, r, err = slashPayload(json.RawMessage(recorded(t, "slash.json")))
	if err != nil || name != "/ec2-pass" || !reflect.DeepEqual(r, want) {
		t.Errorf("the envelope: %q %+v, %v", name, r, err)
	}
}

// An interaction means the same whichever way it came.
func TestFormAndEnvelopeAgreeOnAnInteraction(t *testing.T) {
	const trigger = "12321423423.333649436676.d8c1bb837935619ccad0f624c448ffb3"
	for name, want := range map[string]call{
		"click.json": {kindClick, "pass_get:3", commands.Request{
			ID: trigger, User: "U123ABC456", Channel: "C123ABC456", Value: "i-0aaaaaaaaaaaaaaa1",
			ResponseURL: "https://hooks.slack.com/actions/T123ABC456/1232321423432/D09sSasdasdAS9091209",
		}},
		"home.json": {kindClick, "pass_revoke:0", commands.Request{
			ID: trigger, User: "U123ABC456", Value: "i-0aaaaaaaaaaaaaaa1", Home: true,
		}},
		"form.json": {kindForm, "ask", commands.Request{
			ID: trigger, User: "U123ABC456", Value: "C123ABC456",
			Fields: map[string]string{"instance": "i-0aaaaaaaaaaaaaaa1", "why": "the nightly <!here> build 🎫", "long": "5m0s", "other": ""},
		}},
		"shortcut.json": {kindShortcut, "ec2_pass", commands.Request{ID: trigger, User: "U123ABC456"}},
	} {
		payload := recorded(t, name)
		c, err := interactionForm(url.Values{"payload": {payload}}.Encode())
		if err != nil || !reflect.DeepEqual(c, want) {
			t.Errorf("%s as a form: %+v, %v", name, c, err)
		}
		c, err = interaction(json.RawMessage(payload))
		if err != nil || !reflect.DeepEqual(c, want) {
			t.Errorf("%s in an envelope: %+v, %v", name, c, err)
		}
	}
}

func TestNotice(t *testing.T) {
	kind, r, challenge, err := notice(json.RawMessage(recorded(t, "home_opened.json")))
	want := commands.Request{ID: "Ev123ABC456", User: "U123ABC456", Channel: "D123ABC456"}
	if kind != "app_home_opened" || !reflect.DeepEqual(r, want) || challenge != "" || err != nil {
		t.Errorf("an event: %q %+v %q, %v", kind, r, challenge, err)
	}
	kind, r, challenge, err = notice(json.RawMessage(recorded(t, "url_verification.json")))
	if kind != "" || !reflect.DeepEqual(r, commands.Request{}) || challenge != "test-challenge" || err != nil {
		t.Errorf("the challenge: %q %+v %q, %v", kind, r, challenge, err)
	}
	// Only Slack's question is repeated.
	if _, _, challenge, _ = notice(json.RawMessage(`{"type":"event_callback","challenge":"x","event":{"type":"t","user":"U"}}`)); challenge != "" {
		t.Errorf("an event's own word is repeated: %q", challenge)
	}
}

// FuzzInteraction: whatever a payload holds, it is a whole call or an error,
// the same by both ways.
func FuzzInteraction(f *testing.F) {
	for _, name := range []string{"click.json", "home.json", "form.json", "shortcut.json"} {
		f.Add(recorded(f, name))
	}
	f.Add(`{"type":"block_actions","user":{"id":"U"},"trigger_id":"1","actions":[{}]}`)
	f.Add(`{"type":"view_submission","user":null}`)
	f.Add(`{"type":"view_submission","user":{"id":"U"},"trigger_id":"1","view":{"state":{"values":{"b":{"a":{"selected_option":null},"c":{"value":null}},"d":null}}}}`)
	f.Add(`{"type":"shortcut","callback_id":7}`)
	f.Add(`{"actions":[[]]}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, payload string) {
		c, err := interaction(json.RawMessage(payload))
		if err == nil && (c.User == "" || c.ID == "") {
			t.Fatalf("a call by nobody or without a trigger: %+v", c)
		}
		if err == nil && c.kind != kindClick && c.kind != kindForm && c.kind != kindShortcut {
			t.Fatalf("nothing is done about the kind of %+v", c)
		}
		if err != nil && !reflect.DeepEqual(c, call{}) {
			t.Fatalf("an error beside %+v", c)
		}
		other, otherErr := interactionForm(url.Values{"payload": {payload}}.Encode())
		// Of several inputs in one block, which no form of ours has, any may count.
		if len(c.Fields) != len(other.Fields) {
			t.Fatalf("the form has %v, the envelope %v", other.Fields, c.Fields)
		}
		c.Fields, other.Fields = nil, nil
		if !reflect.DeepEqual(c, other) || (otherErr == nil) != (err == nil) {
			t.Fatalf("the form says %+v %v, the envelope %+v %v", other, otherErr, c, err)
		}
	})
}

// FuzzNotice: whatever a body holds, it is an event of somebody's, a challenge,
// or an error, and never two of them.
func FuzzNotice(f *testing.F) {
	f.Add(recorded(f, "home_opened.json"))
	f.Add(recorded(f, "url_verification.json"))
	f.Add(`{"type":"url_verification","event":{"type":"app_home_opened","user":"U"}}`)
	f.Add(`{"event":{"type":"app_home_opened","user":{"id":"U"}}}`)
	f.Add(`{"event_id":"Ev1","event":{"type":"app_home_opened"}}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		kind, r, challenge, err := notice(json.RawMessage(body))
		switch {
		case err != nil && (kind != "" || challenge != ""):
			t.Fatalf("an error beside %q %+v %q", kind, r, challenge)
		case challenge != "" && (kind != "" || r.User != ""):
			t.Fatalf("a challenge beside %q %+v", kind, r)
		case kind != "" && r.User == "":
			t.Fatalf("an event of nobody's: %q %+v", kind, r)
		}
	})
}
