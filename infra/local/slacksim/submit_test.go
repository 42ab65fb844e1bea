package slacksim

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

// typed is what hana writes into the form.
func typed(why string) map[string]map[string]Input {
	return map[string]map[string]Input{"why": {"text": {Value: why}}}
}

// checkSubmission compares what the bot received with the form and typed("for the demo").
func checkSubmission(t *testing.T, raw []byte, v View) {
	t.Helper()
	var got slack.InteractionCallback
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Type != slack.InteractionTypeViewSubmission || got.User.ID != "U0HANA" || got.User.TeamID != "T0LOCAL" || got.Team.ID != "T0LOCAL" ||
		got.APIAppID == "" || got.TriggerID == "" || got.Token == "" {
		t.Errorf("the bot received %+v", got)
	}
	if s := got.View; s.ID != v.ID || s.TeamID != "T0LOCAL" || s.Type != "modal" || s.CallbackID != "ask" || s.Hash != v.Hash ||
		s.PrivateMetadata != "i-0123456789abcdef0" || s.Title.Text != "Ask for a pass" || s.Submit.Text != "Ask" || len(s.Blocks.BlockSet) != 4 {
		t.Errorf("the view is %+v", s)
	}
	var state struct {
		View struct {
			State json.RawMessage `json:"state"`
		} `json:"view"`
		ResponseURLs json.RawMessage `json:"response_urls"`
	}
	json.Unmarshal(raw, &state)
	const want = `{"values":{"long":{"pick":{"selected_option":{"text":{"emoji":false,"text":"an hour","type":"plain_text"},"value":"1h"},"type":"static_select"}},` +
		`"note":{"text":{"type":"plain_text_input","value":null}},"why":{"text":{"type":"plain_text_input","value":"for the demo"}}}}`
	if string(state.View.State) != want || string(state.ResponseURLs) != "[]" {
		t.Errorf("the state is %s, want %s; response_urls %s", state.View.State, want, state.ResponseURLs)
	}
}

func TestSubmitOverSocket(t *testing.T) {
	w, api := open(t, Options{})
	v := opened(t, w, api, form())
	payloads := make(chan []byte, 1)
	accepts := make(chan bool, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		payloads <- e.Request.Payload
		accepts <- e.Request.AcceptsResponsePayload
		c.Ack(*e.Request)
	})
	if err := w.Submit(t.Context(), "U0HANA", v.ID, typed("for the demo")); err != nil {
		t.Fatal(err)
	}
	checkSubmission(t, receive(t, payloads), v)
	if !receive(t, accepts) {
		t.Error("the envelope takes no answer")
	}
	if open := w.Views("U0HANA"); len(open) != 0 {
		t.Errorf("the modal stayed: %+v", open)
	}
}

func TestSubmitOverHTTP(t *testing.T) {
	w, api := open(t, Options{})
	v := opened(t, w, api, form())
	payloads := make(chan string, 1)
	app(t, w, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/slack/interactions" {
			t.Errorf("called %s", r.URL.Path)
		}
		payloads <- r.PostFormValue("payload")
	})
	if err := w.Submit(t.Context(), "U0HANA", v.ID, typed("for the demo")); err != nil {
		t.Fatal(err)
	}
	checkSubmission(t, []byte(receive(t, payloads)), v)
	if open := w.Views("U0HANA"); len(open) != 0 {
		t.Errorf("the modal stayed: %+v", open)
	}
}

// TestAnswersToSubmissions sends each answer over a socket and over HTTP.
func TestAnswersToSubmissions(t *testing.T) {
	done := slack.ModalViewRequest{Type: slack.VTModal, Title: plain("Thanks"), Blocks: slack.Blocks{BlockSet: []slack.Block{section("Asked.")}}}
	untitled := done
	untitled.Title = nil
	wrong := func(block string) *slack.ViewSubmissionResponse {
		return slack.NewErrorsViewSubmissionResponse(map[string]string{block: "Not that."})
	}
	for _, tc := range []struct {
		name   string
		answer any
		titles string // of the modals afterwards, the topmost last; a first modal "Below" lies under the form
		block  string // where an error is shown; "-": nowhere
		code   string
	}{
		{"nothing", nil, "Below", "-", ""},
		{"an empty object", map[string]any{}, "Below", "-", ""},
		{"clear", slack.NewClearViewSubmissionResponse(), "", "-", ""},
		{"update", slack.NewUpdateViewSubmissionResponse(&done), "Below,Thanks", "-", ""},
		{"push", slack.NewPushViewSubmissionResponse(&done), "Below,Ask for a pass,Thanks", "-", ""},
		{"errors", wrong("why"), "Below,Ask for a pass", "why", ""},
		{"errors for no block", wrong("none"), "Below,Ask for a pass", "", codeView},
		{"errors for a block without input", wrong("more"), "Below,Ask for a pass", "", codeView},
		{"errors without errors", slack.NewErrorsViewSubmissionResponse(nil), "Below,Ask for a pass", "", codeView},
		{"update with a bad view", slack.NewUpdateViewSubmissionResponse(&untitled), "Below,Ask for a pass", "", codeView},
		{"update without a view", slack.NewUpdateViewSubmissionResponse(nil), "Below,Ask for a pass", "", codeView},
		{"no such action", map[string]any{"response_action": "close"}, "Below,Ask for a pass", "", codeView},
		{"a message", map[string]any{"text": "thanks"}, "Below,Ask for a pass", "", codeView},
	} {
		for _, over := range []string{"socket", "http"} {
			t.Run(tc.name+" over "+over, func(t *testing.T) {
				w, api := open(t, Options{})
				below := form()
				below.Title = plain("Below")
				opened(t, w, api, below)
				v := opened(t, w, api, form())
				if over == "socket" {
					listen(t, api, answerWith(t, tc.answer))
				} else {
					app(t, w, func(rw http.ResponseWriter, _ *http.Request) {
						rw.Header().Set("Content-Type", "application/json")
						if tc.answer != nil {
							json.NewEncoder(rw).Encode(tc.answer)
						}
					})
				}
				err := w.Submit(t.Context(), "U0HANA", v.ID, typed("for the demo"))
				if tc.code != "" {
					wantDelivery(t, err, tc.code)
				} else if err != nil {
					t.Error(err)
				}
				var titles []string
				for _, v := range w.Views("U0HANA") {
					titles = append(titles, v.Title)
				}
				if got := strings.Join(titles, ","); got != tc.titles {
					t.Errorf("hana sees %s, want %s", got, tc.titles)
				}
				shown := "-"
				for _, v := range w.Views("U0HANA") {
					for block := range v.Errors {
						shown = block
					}
				}
				if shown != tc.block {
					t.Errorf("an error is shown at %q, want %q", shown, tc.block)
				}
			})
		}
	}
}

// TestErrorsThenSuccess corrects what the bot objected to: the error goes away.
func TestErrorsThenSuccess(t *testing.T) {
	w, api := open(t, Options{})
	v := opened(t, w, api, form())
	answers := make(chan any, 2)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) { c.Ack(*e.Request, <-answers) })
	answers <- slack.NewErrorsViewSubmissionResponse(map[string]string{"why": "Say more."})
	if err := w.Submit(t.Context(), "U0HANA", v.ID, typed("demo")); err != nil {
		t.Fatal(err)
	}
	if got := w.Views("U0HANA")[0]; got.Errors["why"] != "Say more." || got.Hash != v.Hash {
		t.Errorf("hana sees %+v", got)
	}
	next := form()
	answers <- slack.NewUpdateViewSubmissionResponse(&next)
	if err := w.Submit(t.Context(), "U0HANA", v.ID, typed("the demo on Friday")); err != nil {
		t.Fatal(err)
	}
	if got := w.Views("U0HANA")[0]; len(got.Errors) != 0 || got.ID != v.ID || got.Hash == v.Hash {
		t.Errorf("hana sees %+v", got)
	}
}

// TestSlackChecksInputs: what the form itself forbids never reaches the bot.
func TestSlackChecksInputs(t *testing.T) {
	w, api := open(t, Options{})
	v := opened(t, w, api, form())
	app(t, w, func(http.ResponseWriter, *http.Request) { t.Error("the bot was asked") })
	pick := func(value string) map[string]map[string]Input {
		return map[string]map[string]Input{"why": {"text": {Value: "demo"}}, "long": {"pick": {Selected: value}}}
	}
	for _, tc := range []struct {
		name   string
		values map[string]map[string]Input
		block  string // where the person is told; empty: the caller's mistake
		why    string
	}{
		{"nothing typed", nil, "why", "required"},
		{"an empty text", typed(""), "why", "required"},
		{"too short", typed("ééé"), "why", "at least 4"},
		{"too long", typed(long(21)), "why", "at most 20"},
		{"nothing picked", pick(""), "long", "required"},
		{"no such option", pick("1w"), "", "no option"},
		{"no such block", map[string]map[string]Input{"none": {"text": {Value: "x"}}}, "", "no input"},
		{"a button", map[string]map[string]Input{"more": {"explain": {Value: "x"}}}, "", "no input"},
		{"typed into a select", map[string]map[string]Input{"long": {"pick": {Value: "1h"}}}, "", "typed"},
		{"a date in a text", map[string]map[string]Input{"why": {"text": {Date: "2026-12-24"}}}, "", "no date"},
		{"picked in a text", map[string]map[string]Input{"why": {"text": {Selected: "1h"}}}, "", "picked"},
	} {
		err := w.Submit(t.Context(), "U0HANA", v.ID, tc.values)
		if err == nil || !strings.Contains(err.Error(), tc.why) {
			t.Errorf("%s: got %v, want %q", tc.name, err, tc.why)
		}
		if told := w.Views("U0HANA")[0].Errors[tc.block]; tc.block != "" && !strings.Contains(told, tc.why) {
			t.Errorf("%s: hana is told %q at %s", tc.name, told, tc.block)
		}
	}
}

// TestTheLastLengths submits the shortest and the longest text that the form takes, and changes what was chosen.
func TestTheLastLengths(t *testing.T) {
	w, api := open(t, Options{})
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		s := e.Data.(slack.InteractionCallback).View.State.Values
		if s["long"]["pick"].SelectedOption.Value != "1d" || s["note"]["text"].Value != "x" {
			t.Errorf("the state is %+v", s)
		}
		c.Ack(*e.Request)
	})
	for _, n := range []int{4, 20} {
		values := typed(long(n))
		values["long"] = map[string]Input{"pick": {Selected: "1d"}}
		values["note"] = map[string]Input{"text": {Value: "x"}}
		if err := w.Submit(t.Context(), "U0HANA", opened(t, w, api, form()).ID, values); err != nil {
			t.Errorf("%d characters: %v", n, err)
		}
	}
}

// TestDates submits a required date and an optional one beside it.
func TestDates(t *testing.T) {
	w, api := open(t, Options{})
	until := slack.NewDatePickerBlockElement("date")
	until.Placeholder = plain("Pick a day")
	since := slack.NewDatePickerBlockElement("date")
	since.InitialDate = "2026-12-01"
	modal := slack.ModalViewRequest{Type: slack.VTModal, Title: plain("Keep it"), Submit: plain("Keep"), Blocks: slack.Blocks{BlockSet: []slack.Block{
		slack.NewInputBlock("until", plain("Until"), nil, until),
		slack.NewInputBlock("since", plain("Since"), nil, since).WithOptional(true),
	}}}
	payloads := make(chan []byte, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		payloads <- e.Request.Payload
		c.Ack(*e.Request)
	})
	v := opened(t, w, api, modal)
	for name, tc := range map[string]struct {
		until Input
		told  string // in the modal; empty: the caller's mistake
		why   string
	}{
		"no date":        {Input{}, "Please complete this required field.", "required"},
		"no such day":    {Input{Date: "2026-02-30"}, "", "no date"},
		"a moment":       {Input{Date: "2026-12-24T12:00:00Z"}, "", "no date"},
		"a typed date":   {Input{Value: "2026-12-24"}, "", "typed"},
		"a picked value": {Input{Selected: "2026-12-24"}, "", "picked"},
	} {
		err := w.Submit(t.Context(), "U0HANA", v.ID, map[string]map[string]Input{"until": {"date": tc.until}})
		if err == nil || !strings.Contains(err.Error(), tc.why) {
			t.Errorf("%s: got %v, want %q", name, err, tc.why)
		}
		if told := w.Views("U0HANA")[0].Errors["until"]; tc.told != "" && told != tc.told {
			t.Errorf("%s: hana is told %q", name, told)
		}
	}
	for _, tc := range []struct{ since, state string }{
		{"2026-12-02", `{"selected_date":"2026-12-02","type":"datepicker"}`},
		{"", `{"selected_date":null,"type":"datepicker"}`},
	} {
		v := opened(t, w, api, modal)
		values := map[string]map[string]Input{"until": {"date": {Date: "2026-12-24"}}, "since": {"date": {Date: tc.since}}}
		if err := w.Submit(t.Context(), "U0HANA", v.ID, values); err != nil {
			t.Fatal(err)
		}
		raw := receive(t, payloads)
		var got slack.InteractionCallback
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if state := got.View.State.Values; state["until"]["date"].SelectedDate != "2026-12-24" || state["since"]["date"].SelectedDate != tc.since {
			t.Errorf("the bot reads %+v", state)
		}
		if want := `"since":{"date":` + tc.state + `}`; !strings.Contains(string(raw), want) {
			t.Errorf("no %s in %s", want, raw)
		}
	}
	// What nobody touched is submitted as the bot proposed it.
	v = opened(t, w, api, modal)
	if err := w.Submit(t.Context(), "U0HANA", v.ID, map[string]map[string]Input{"until": {"date": {Date: "2026-12-24"}}}); err != nil {
		t.Fatal(err)
	}
	if raw := receive(t, payloads); !strings.Contains(string(raw), `"selected_date":"2026-12-01"`) {
		t.Errorf("the initial date is lost: %s", raw)
	}
}

func TestUnsubmittable(t *testing.T) {
	w, api := open(t, Options{})
	if _, err := api.PublishView("U0HANA", home("x"), ""); err != nil {
		t.Fatal(err)
	}
	tab, _ := w.Home("U0HANA")
	app(t, w, func(http.ResponseWriter, *http.Request) { t.Error("the bot was asked") })
	read := slack.ModalViewRequest{Type: slack.VTModal, Title: plain("Read"), Blocks: slack.Blocks{BlockSet: []slack.Block{section("x")}}}
	v := opened(t, w, api, read)
	for what, err := range map[string]error{
		"a modal without a submit button": w.Submit(t.Context(), "U0HANA", v.ID, nil),
		"a Home tab":                      w.Submit(t.Context(), "U0HANA", tab.ID, nil),
		"somebody else's modal":           w.Submit(t.Context(), "U0BEN", v.ID, nil),
		"an unknown view":                 w.Submit(t.Context(), "U0HANA", "V0NONE", nil),
	} {
		if err == nil {
			t.Errorf("%s was submitted", what)
		}
	}
}

// TestUntakenSubmissions: the person sees that it did not work, and keeps the modal.
func TestUntakenSubmissions(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for _, tc := range []struct {
		name   string
		handle http.HandlerFunc // nil: nobody listens
		code   string
	}{
		{"nobody", nil, "dispatch_failed"},
		{"an error", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(500) }, "dispatch_failed"},
		{"another success", func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(202) }, "dispatch_failed"},
		{"too slow", func(rw http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}, "operation_timeout"},
		{"JSON that says it is text", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/plain")
			io.WriteString(rw, `{"response_action":"clear"}`)
		}, codeView},
		{"plain text", func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "ok") }, codeView},
		{"broken JSON", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "application/json")
			io.WriteString(rw, "{")
		}, codeView},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var limits Limits
			if tc.code == "operation_timeout" {
				limits.AckIn = 20 * time.Millisecond
			}
			w, api := open(t, Options{Limits: limits})
			v := opened(t, w, api, form())
			if tc.handle != nil {
				app(t, w, tc.handle)
			}
			wantDelivery(t, w.Submit(t.Context(), "U0HANA", v.ID, typed("for the demo")), tc.code)
			if open := w.Views("U0HANA"); len(open) != 1 || open[0].Errors[""] == "" {
				t.Errorf("hana sees %+v", open)
			}
		})
	}
}

// TestTheAnswerComesLate: a modal that the person closed meanwhile stays closed.
func TestTheAnswerComesLate(t *testing.T) {
	w, api := open(t, Options{})
	v := opened(t, w, api, form())
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		if err := w.CloseView("U0HANA", v.ID); err != nil {
			t.Error(err)
		}
		next := form()
		c.Ack(*e.Request, slack.NewUpdateViewSubmissionResponse(&next))
	})
	if err := w.Submit(t.Context(), "U0HANA", v.ID, typed("for the demo")); err != nil {
		t.Error(err)
	}
	if open := w.Views("U0HANA"); len(open) != 0 {
		t.Errorf("the modal came back: %+v", open)
	}
}
