package bot_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"sekisho/auth"
)

// live finds what Slack would act on in a text: a broadcast, a mention, a
// link. Dates, and the name of the alerts' channel, are what answers may hold.
var (
	live = regexp.MustCompile(`<[!@#]|<\w+:[^>]*>`)
	ours = regexp.MustCompile(`<!date\^\d+\^[^|<>]+\|[^<>]+>|<#` + alerts + `>`)
)

// FuzzSlash drives what a person types through the whole path: the signed
// form, the command, the rules, the store, the rendered answer. Whatever it
// is, the answer is private, a sentence, and nothing in it is live.
func FuzzSlash(f *testing.F) {
	w := newWorld(f)
	h := door(f, w)
	w.ec2.instances["i-0bbbbbbbbbbbbbbb2"] = auth.Instance{
		ID: "i-0bbbbbbbbbbbbbbb2", Type: "t3.small", State: auth.Stopped, Region: "eu-central-1",
		Tags: map[string]string{"Name": "<!channel> `<https://test.invalid|db>`", "Sekisho": guarded},
	}
	for _, text := range []string{
		"", "web-1", "wbe-1", webID, "i-0123", "help", "HELP me", "mine", "revoke", "revoke web-1", "list 2", "<@U0BEN>", "<!channel>",
		"`", "\u202eweb", "🎫", "\x00", "\xff\xfe", "a\nb", "*", strings.Repeat("é", 300), "&lt;!here&gt;", "https://test.invalid",
	} {
		f.Add(text, "1.1")
	}
	f.Fuzz(func(t *testing.T, text, trigger string) {
		trigger = strings.Join(strings.Fields(trigger), "") // Slack's has no blanks, and the store insists
		w.redis.FlushAll()
		w.forget()
		form := slashBody("t"+trigger, text)
		status, body := send(h, signed("/slack/commands", form))
		if body == "" && len(w.views.opened) == 1 {
			body = `{"response_type":"ephemeral","text":"the form"}`
		}
		said := ephemeral(t, status, body)
		if found := live.FindString(ours.ReplaceAllString(unquoted(body), "")); found != "" {
			t.Fatalf("%q is answered with something live (%s): %s", text, found, body)
		}
		if strings.Contains(said, "logged") {
			t.Fatalf("%q is a fault: %s", text, w.log)
		}
		if len(body) >= 20<<10 {
			t.Fatalf("%q is answered with %d bytes", text, len(body))
		}

		// The form itself, spoilt: an answer or a refusal, never a crash.
		status, body = send(h, signed("/slack/commands", form[:len(form)/2]+text))
		if status != http.StatusOK && status != http.StatusBadRequest || body == "" {
			t.Fatalf("half a form with %q: %d %q", text, status, body)
		}
		// The same text as a button's id and value.
		status, body = send(h, signed("/slack/interactions", clickBody("c"+trigger, "pass_"+text, trigger)))
		if status != http.StatusOK || body != "" {
			t.Fatalf("a click on %q: %d %q", text, status, body)
		}
		// And as what was put into a form.
		status, body = send(h, signed("/slack/interactions", url.Values{"payload": {filledIn("f"+trigger, text)}}.Encode()))
		if status != http.StatusOK || !strings.Contains(body, `"response_action":`) || strings.Contains(body, "logged") {
			t.Fatalf("a form with %q: %d %s: %s", text, status, body, w.log)
		}
		if found := live.FindString(ours.ReplaceAllString(unquoted(body), "")); found != "" {
			t.Fatalf("a form with %q is answered with something live (%s): %s", text, found, body)
		}
	})
}

// filledIn is the form in which a pass is asked for, with the text in every field.
func filledIn(trigger, text string) string {
	values := make(map[string]any)
	for _, id := range []string{"name", "why"} {
		values[id] = map[string]any{id: map[string]string{"type": "plain_text_input", "value": text}}
	}
	values["long"] = map[string]any{"long": map[string]any{"selected_option": map[string]string{"value": "5m0s"}}}
	return interaction("view_submission", map[string]any{"trigger_id": trigger, "view": map[string]any{
		"type": "modal", "callback_id": "ask", "private_metadata": "C0OPS", "state": map[string]any{"values": values},
	}})
}

// unquoted undoes JSON's escapes of the signs that matter here.
func unquoted(body string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(body)
}

// What a button of an older or forged message may hold.
func TestForgedButtonValues(t *testing.T) {
	for action, values := range map[string][]string{
		"pass_get":    {"", "i-", "../../etc", strings.Repeat("i-0", 600), "i-0aaaaaaaaaaaaaaa1 x", "<!channel>"},
		"pass_page":   {"", "-1", "99999999999999999999", "9223372036854775807", "1; drop"},
		"pass_start":  {"", " ", webID, webID + " ", webID + " x y", "x y"},
		"pass_revoke": {"", "i-", "<!channel>", strings.Repeat("x", 2000)},
	} {
		for _, value := range values {
			w := newWorld(t)
			w.desk.Policy.Passes.StartNow = true
			if status, _ := send(door(t, w), signed("/slack/interactions", clickBody("1.1", action, value))); status != http.StatusOK {
				t.Errorf("%s %.40q: %d", action, value, status)
			}
			if answer := w.chat.answered(t); answer.text == "" || strings.Contains(answer.text, "<!") || strings.Contains(answer.text, "logged") {
				t.Errorf("%s %.40q is answered with %q", action, value, answer.text)
			}
			if len(w.queue.tasks) > 0 {
				t.Errorf("%s %.40q put a task in the queue: %s", action, value, w.queue.tasks[0])
			}
		}
	}
}

// A double field must not let one part of a form be checked and another used.
func TestTheFirstOfADoubledFieldCounts(t *testing.T) {
	w := newWorld(t)
	form := slashBody("1.1", "mine") + "&" + url.Values{"text": {"web-1"}, "user_id": {"U0BEN"}}.Encode()
	status, body := send(door(t, w), signed("/slack/commands", form))
	if text := ephemeral(t, status, body); !strings.Contains(text, "no live pass") {
		t.Errorf("answered with %q", text)
	}
}
