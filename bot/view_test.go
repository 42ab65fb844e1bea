package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/commands"
)

// deliver brings a payload in and, when all is done that it asks for, gives
// what Slack reads: the body, or the acknowledgement's payload.
type deliver func(envelope, payload string) string

// overBothDoors runs a test over HTTP and over Socket Mode.
func overBothDoors(t *testing.T, test func(t *testing.T, w *world, through string, send deliver)) {
	t.Run("http", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := worldOn(t, nil)
			h := door(t, w)
			test(t, w, "http", func(envelope, payload string) string {
				t.Helper()
				r := signed("/slack/interactions", url.Values{"payload": {payload}}.Encode())
				if envelope == "events_api" {
					r = signed("/slack/events", payload)
				}
				answer := httptest.NewRecorder()
				h.ServeHTTP(answer, r)
				if answer.Code != http.StatusOK {
					t.Errorf("%s is answered with %d %s", payload, answer.Code, answer.Body)
				}
				if kind := answer.Header().Get("Content-Type"); answer.Body.Len() > 0 && !strings.HasPrefix(kind, "application/json") {
					t.Errorf("%s is answered with %s, which Slack does not read", payload, kind)
				}
				return answer.Body.String()
			})
		})
	})
	t.Run("socket", func(t *testing.T) {
		socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
			c := s.accept()
			sent := 0
			test(t, w, "socket", func(envelope, payload string) string {
				t.Helper()
				sent++
				id := fmt.Sprint("e", sent)
				c.envelope(envelope, id, payload)
				a := c.ack()
				if a.ID != id {
					t.Errorf("%s is acknowledged as %q", payload, a.ID)
				}
				synctest.Wait()
				return string(a.Payload)
			})
			go c.CloseRead(t.Context())
		})
	})
}

func (c *slackConn) envelope(kind, id, payload string) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"type":%q,"envelope_id":%q,"accepts_response_payload":true,"payload":%s}`, kind, id, payload))
}

// interaction is a payload of this type by hana, with what it holds besides.
func interaction(kind string, more map[string]any) string {
	p := map[string]any{"type": kind, "user": map[string]string{"id": hana}, "trigger_id": "1.1"}
	maps.Copy(p, more)
	text, _ := json.Marshal(p)
	return string(text)
}

// submitted is a form with one field, why.
func submitted(callback, why string) string {
	return interaction("view_submission", map[string]any{"view": map[string]any{
		"type": "modal", "callback_id": callback, "private_metadata": "about this",
		"state": map[string]any{"values": map[string]any{"why": map[string]any{"why": map[string]string{"type": "plain_text_input", "value": why}}}},
	}})
}

// clicked is a click where there is no channel: in a view of this type.
func clicked(action, view string) string {
	return interaction("block_actions", map[string]any{
		"view": map[string]string{"type": view}, "actions": []map[string]string{{"action_id": action, "value": "7"}},
	})
}

// clickedInAMessage is a click that can be answered where it was made.
func clickedInAMessage(action string) string {
	return interaction("block_actions", map[string]any{
		"response_url": responseURL, "actions": []map[string]string{{"action_id": action, "value": "7"}},
	})
}

func chosen(callback string) string {
	return interaction("shortcut", map[string]any{"callback_id": callback})
}

func happened(kind string) string {
	return fmt.Sprintf(`{"type":"event_callback","event_id":"Ev1","event":{"type":%q,"user":%q,"tab":"home"}}`, kind, hana)
}

// handler always answers with m and err.
func handler(m commands.Message, err error) func(context.Context, *commands.Desk, commands.Request) (commands.Message, error) {
	return func(context.Context, *commands.Desk, commands.Request) (commands.Message, error) { return m, err }
}

// page has what a modal can show, and buttons, which it cannot.
func page(text string) commands.Message {
	plain := func(text string) *slack.TextBlockObject {
		return slack.NewTextBlockObject(slack.PlainTextType, text, true, false)
	}
	words := slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
	button := slack.NewButtonBlockElement("test_more", "7", plain("More"))
	return commands.Message{Text: text, Blocks: []slack.Block{
		slack.NewSectionBlock(words, nil, slack.NewAccessory(button)), slack.NewActionBlock("", button),
	}}
}

// What a form may be answered with:
// https://docs.slack.dev/surfaces/modals#response_actions
func TestAFormsAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		answer commands.Message
		want   string // JSON; empty: the modal closes
	}{
		"errors": {
			commands.Message{Wrong: map[string]string{"why": "Say why."}},
			`{"response_action":"errors","errors":{"why":"Say why."}}`,
		},
		"errors before a page": {
			commands.Message{Text: "a page", Wrong: map[string]string{"why": "Say why."}},
			`{"response_action":"errors","errors":{"why":"Say why."}}`,
		},
		"a page in its place": {
			page("Done."),
			`{"response_action":"update","view":{
				"type":"modal","title":{"type":"plain_text","text":"Sekisho","emoji":true},"close":{"type":"plain_text","text":"Close","emoji":true},
				"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"Done.","verbatim":true}}]
			}}`,
		},
		"nothing": {commands.Message{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
				w.AddForm(commands.Form{Callback: "test", Answers: handler(c.answer, nil)})
				got := send("interactive", submitted("test", "x"))
				if !sameJSON(t, got, c.want) {
					t.Errorf("got  %s\nwant %s", got, c.want)
				}
				if len(w.views.opened) > 0 || len(w.chat.responses) > 0 {
					t.Error("it is answered in another way besides")
				}
			})
		})
	}
}

func sameJSON(t *testing.T, a, b string) bool {
	t.Helper()
	if a == "" || b == "" {
		return a == b
	}
	var x, y any
	if err := errors.Join(json.Unmarshal([]byte(a), &x), json.Unmarshal([]byte(b), &y)); err != nil {
		t.Fatalf("%s, %s: %v", a, b, err)
	}
	return reflect.DeepEqual(x, y)
}

// updated reads a form's answer that is a page, and gives its text.
func updated(t *testing.T, answer string) string {
	t.Helper()
	var said struct {
		Action string `json:"response_action"`
		View   struct {
			Blocks slack.Blocks `json:"blocks"`
		} `json:"view"`
	}
	if err := json.Unmarshal([]byte(answer), &said); err != nil || said.Action != "update" {
		t.Fatalf("the answer is no page: %s: %v", answer, err)
	}
	m := modal{ModalViewRequest: slack.ModalViewRequest{Blocks: said.View.Blocks}}
	return m.texts()
}

// What goes wrong in a form is a sentence in its place, not a modal that
// closes as if all were well.
func TestAFormThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		handler      func(context.Context, *commands.Desk, commands.Request) (commands.Message, error)
		said, logged string
	}{
		"a panic":   {func(context.Context, *commands.Desk, commands.Request) (commands.Message, error) { panic("a mistake") }, "logged", "view_test.go"},
		"a fault":   {handler(commands.Message{}, errors.New("a mistake")), "logged", "a mistake"},
		"a refusal": {handler(commands.Message{}, &auth.Refusal{Reason: auth.OwnRequest}), "asked for this yourself", "own_request"},
	} {
		t.Run(name, func(t *testing.T) {
			overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
				w.AddForm(commands.Form{Callback: "test", Answers: c.handler})
				text := updated(t, send("interactive", submitted("test", "x")))
				if !strings.Contains(text, c.said) || strings.Contains(text, "mistake") {
					t.Errorf("said %q", text)
				}
				if log := w.log.String(); !strings.Contains(log, c.logged) {
					t.Errorf("the log: %s", log)
				}
			})
		})
	}
}

func TestARealFormIsCheckedAndMended(t *testing.T) {
	overBothDoors(t, func(t *testing.T, _ *world, _ string, send deliver) {
		if got := send("interactive", submitted("deny", " ")); !sameJSON(t, got, `{"response_action":"errors","errors":{"why":"Say in a few words why."}}`) {
			t.Errorf("without a reason: %s", got)
		}
		got := send("interactive", submitted("ask", strings.Repeat("é", 501)))
		if !strings.Contains(got, `"errors":{"why":`) || !strings.Contains(got, "501") {
			t.Errorf("with too long a reason: %s", got)
		}
	})
}

// In the Home tab, in a modal and in the shortcuts' menu there is no channel to
// answer in.
func TestWithoutAResponseURLTheAnswerIsAModal(t *testing.T) {
	for name, payload := range map[string]string{
		"a modal": clicked("test:3", "modal"), "the Home tab": clicked("test:3", "home"), "a shortcut": chosen("test"),
	} {
		t.Run(name, func(t *testing.T) {
			overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
				w.ec2.before = func(context.Context) error { return errors.New("EC2 is away") }
				w.AddButton(commands.Button{Action: "test", Answers: handler(page("Done."), nil)})
				w.AddShortcut(commands.Shortcut{Callback: "test", Answers: handler(page("Done."), nil)})
				if got := send("interactive", payload); got != "" {
					t.Errorf("acknowledged with %s", got)
				}
				m := w.views.modal(t)
				if m.trigger != "1.1" || m.Type != slack.VTModal || m.Submit != nil || m.texts() != "Done." {
					t.Errorf("opened with trigger %q: %+v", m.trigger, m)
				}
				if text, _ := json.Marshal(m.Blocks); strings.Contains(string(text), "button") {
					t.Errorf("it has buttons, whose clicks would find no message to answer: %s", text)
				}
				if len(w.chat.responses) > 0 || len(w.views.opened) > 0 {
					t.Error("it is answered twice")
				}
			})
		})
	}
}

// A fault is told in the same places.
func TestWithoutAResponseURLAFaultIsTold(t *testing.T) {
	overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
		broken := func(context.Context, *commands.Desk, commands.Request) (commands.Message, error) { panic("a mistake") }
		w.AddButton(commands.Button{Action: "test", Answers: broken})
		w.AddShortcut(commands.Shortcut{Callback: "test", Answers: broken})
		for _, payload := range []string{clicked("test", "modal"), chosen("test")} {
			send("interactive", payload)
			if text := w.views.modal(t).texts(); !strings.Contains(text, "logged") || strings.Contains(text, "mistake") {
				t.Errorf("%s: said %q", payload, text)
			}
		}
	})
}

// Who opened a modal has said it all: a message beside it would be noise, and
// an empty one an error.
func TestASilentAnswerIsSilent(t *testing.T) {
	overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
		w.AddButton(commands.Button{Action: "test", Answers: handler(commands.Message{}, nil)})
		w.AddShortcut(commands.Shortcut{Callback: "test", Answers: handler(commands.Message{}, nil)})
		for _, payload := range []string{clickedInAMessage("test"), clicked("test", "modal"), chosen("test")} {
			if got := send("interactive", payload); got != "" || len(w.chat.responses) > 0 || len(w.views.opened) > 0 {
				t.Errorf("%s: acknowledged with %q, %d answers and %d modals", payload, got, len(w.chat.responses), len(w.views.opened))
			}
		}
		for _, payload := range []string{clickedInAMessage("ask_open"), clicked("ask_open", "modal"), chosen("ec2_pass")} {
			send("interactive", payload)
			if m := w.views.modal(t); m.CallbackID != "ask" || len(w.chat.responses) > 0 || len(w.views.opened) > 0 {
				t.Errorf("%s: opened %q, with %d answers and %d more modals", payload, m.CallbackID, len(w.chat.responses), len(w.views.opened))
			}
		}
	})
}

// A command may be answered by a modal, too.
func TestASilentCommandIsAcknowledgedWithNothing(t *testing.T) {
	w := newWorld(t)
	status, body := send(door(t, w), signed("/slack/commands", slashBody("1.1", "")))
	if m := w.views.modal(t); status != http.StatusOK || body != "" || m.CallbackID != "ask" || m.trigger != "1.1" {
		t.Errorf("%d %q, and the modal %q for %q", status, body, m.CallbackID, m.trigger)
	}
	socketTest(t, func(t *testing.T, w *world, s *slackEnd, _ func(), _ <-chan error) {
		c := s.accept()
		c.command("e1", "")
		if a := c.ack(); a.ID != "e1" || a.Payload != nil {
			t.Errorf("acknowledged %q with %s", a.ID, a.Payload)
		}
		synctest.Wait()
		if m := w.views.modal(t); m.CallbackID != "ask" || len(w.chat.responses) > 0 {
			t.Errorf("the modal %q, and %d answers", m.CallbackID, len(w.chat.responses))
		}
		go c.CloseRead(t.Context())
	})
}

func TestAClickOnTheHomeTabBringsItUpToDate(t *testing.T) {
	overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
		w.ec2.before = func(context.Context) error { return errors.New("EC2 is away") } // the tab says so
		answered := false
		w.AddButton(commands.Button{Action: "test", Answers: func(context.Context, *commands.Desk, commands.Request) (commands.Message, error) {
			answered = true
			return commands.Message{}, nil
		}})
		w.views.before = func() {
			if !answered {
				t.Error("the tab is published before the click is handled")
			}
		}
		send("interactive", clicked("test", "home"))
		if len(w.views.homes) != 1 || <-w.views.homes != hana {
			t.Errorf("%d Home tabs were published; want hana's", len(w.views.homes))
		}
		for _, payload := range []string{clicked("test", "modal"), clickedInAMessage("test"), submitted("deny", ""), chosen("ec2_pass")} {
			send("interactive", payload)
		}
		if len(w.views.homes) > 0 {
			t.Error("a click elsewhere publishes the Home tab")
		}
	})
}

// The handler is not all that may be wrong about a click.
func TestAPanicWhilePublishingTheHomeTabIsAFaultOfOneClick(t *testing.T) {
	overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
		w.AddButton(commands.Button{Action: "test", Answers: handler(page("Done."), nil)})
		w.ec2.before = func(context.Context) error { panic("a mistake") }
		send("interactive", clicked("test", "home"))
		if text := w.views.modal(t).texts(); text != "Done." {
			t.Errorf("said %q", text)
		}
		if log := w.log.String(); !strings.Contains(log, "a mistake") {
			t.Errorf("the log: %s", log)
		}
	})
}

// What this program does not know, a later or an earlier one does.
func TestTheUnknownIsQuiet(t *testing.T) {
	for payload, c := range map[string]struct{ envelope, logged string }{
		submitted("launch_missiles", "x"):    {"interactive", "launch_missiles"},
		chosen("launch_missiles"):            {"interactive", "launch_missiles"},
		clicked("launch_missiles", "home"):   {"interactive", "launch_missiles"},
		happened("reaction_added"):           {"events_api", ""},
		interaction("message_action", nil):   {"interactive", "message_action"},
		interaction("view_closed", nil):      {"interactive", "view_closed"},
		interaction("block_suggestion", nil): {"interactive", "block_suggestion"},
		interaction("block_actions", nil):    {"interactive", "block_actions"},
	} {
		overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
			if got := send(c.envelope, payload); got != "" {
				t.Errorf("%s: acknowledged with %s", payload, got)
			}
			if len(w.chat.responses)+len(w.chat.posts)+len(w.views.opened)+len(w.views.homes) > 0 {
				t.Errorf("%s: something is said", payload)
			}
			log := w.log.String()
			if !strings.Contains(log, c.logged) || strings.Contains(log, `"level":"ERROR"`) {
				t.Errorf("%s: the log: %s", payload, log)
			}
			if c.envelope == "events_api" && strings.Contains(log, `"level":"WARN"`) {
				t.Errorf("%s is not quiet: %s", payload, log)
			}
		})
	}
}

// Whatever comes in carries the door that it came through, for the trail.
func TestEveryRequestSaysItsDoor(t *testing.T) {
	overBothDoors(t, func(t *testing.T, w *world, through string, send deliver) {
		came := make(chan commands.Request, 1)
		answers := func(_ context.Context, _ *commands.Desk, r commands.Request) (commands.Message, error) {
			came <- r
			return commands.Message{}, nil
		}
		w.AddButton(commands.Button{Action: "test", Answers: answers})
		w.AddForm(commands.Form{Callback: "test", Answers: answers})
		w.AddShortcut(commands.Shortcut{Callback: "test", Answers: answers})
		w.AddNotice(commands.Notice{Type: "test", Run: func(_ context.Context, _ *commands.Desk, r commands.Request) error {
			came <- r
			return nil
		}})
		for payload, want := range map[string]commands.Request{
			clickedInAMessage("test"): {ID: "1.1", Value: "7", ResponseURL: responseURL},
			submitted("test", "x"):    {ID: "1.1", Value: "about this", Fields: map[string]string{"why": "x"}},
			chosen("test"):            {ID: "1.1"},
			happened("test"):          {ID: "Ev1"},
		} {
			envelope := "interactive"
			if want.ID == "Ev1" {
				envelope = "events_api"
			}
			send(envelope, payload)
			want.Door, want.User = through, hana
			if len(came) != 1 {
				t.Fatalf("%s was handled %d times", payload, len(came))
			}
			if r := <-came; !reflect.DeepEqual(r, want) {
				t.Errorf("got  %+v\nwant %+v", r, want)
			}
		}
	})
}

// Slack waits for 3 seconds, whatever was sent.
func TestWhateverIsSlowIsAcknowledgedInTime(t *testing.T) {
	for name, c := range map[string]struct{ envelope, payload string }{
		"a form":          {"interactive", submitted("test", "x")},
		"a click":         {"interactive", clickedInAMessage("test")},
		"a shortcut":      {"interactive", chosen("test")},
		"an event":        {"events_api", happened("test")},
		"the Home tab":    {"interactive", clicked("quick", "home")},
		"opening the tab": {"events_api", happened("app_home_opened")},
	} {
		t.Run(name, func(t *testing.T) {
			overBothDoors(t, func(t *testing.T, w *world, _ string, send deliver) {
				slow := func(ctx context.Context, _ *commands.Desk, _ commands.Request) (commands.Message, error) {
					<-ctx.Done()
					return commands.Message{}, ctx.Err()
				}
				w.AddButton(commands.Button{Action: "test", Answers: slow})
				w.AddButton(commands.Button{Action: "quick", Answers: handler(commands.Message{}, nil)})
				w.AddForm(commands.Form{Callback: "test", Answers: slow})
				w.AddShortcut(commands.Shortcut{Callback: "test", Answers: slow})
				w.AddNotice(commands.Notice{Type: "test", Run: func(ctx context.Context, d *commands.Desk, r commands.Request) error {
					_, err := slow(ctx, d, r)
					return err
				}})
				w.ec2.before = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
				began := time.Now()
				got := send(c.envelope, c.payload)
				if took := time.Since(began); took >= 3*time.Second {
					t.Errorf("acknowledged after %s", took)
				}
				time.Sleep(10 * time.Second) // the bubble's time: over the socket it goes on after the acknowledgement
				switch name {
				case "a form":
					if text := updated(t, got); !strings.Contains(text, "Try again") {
						t.Errorf("said %q", text)
					}
				case "a click":
					if text := w.chat.answered(t).text; !strings.Contains(text, "Try again") {
						t.Errorf("said %q", text)
					}
				case "a shortcut":
					if text := w.views.modal(t).texts(); !strings.Contains(text, "Try again") {
						t.Errorf("said %q", text)
					}
				}
			})
		})
	}
}
