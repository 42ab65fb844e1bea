package slacksim

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"
)

func plain(s string) *slack.TextBlockObject {
	return slack.NewTextBlockObject("plain_text", s, false, false)
}

// form is the modal that most tests open: a reason of at least four characters, a duration that is chosen already, an
// optional note, and a button.
func form() slack.ModalViewRequest {
	why := slack.NewPlainTextInputBlockElement(plain("e.g. the demo"), "text")
	why.MinLength, why.MaxLength = 4, 20
	hour, day := slack.NewOptionBlockObject("1h", plain("an hour"), nil), slack.NewOptionBlockObject("1d", plain("a day"), nil)
	long := slack.NewOptionsSelectBlockElement("static_select", nil, "pick", hour, day)
	long.InitialOption = hour
	note := slack.NewInputBlock("note", plain("Note"), nil, slack.NewPlainTextInputBlockElement(nil, "text"))
	note.Optional = true
	return slack.ModalViewRequest{
		Type: slack.VTModal, Title: plain("Ask for a pass"), Submit: plain("Ask"), Close: plain("Cancel"),
		CallbackID: "ask", PrivateMetadata: "i-0123456789abcdef0",
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewInputBlock("why", plain("Why"), nil, why),
			slack.NewInputBlock("long", plain("For how long"), nil, long),
			note,
			slack.NewActionBlock("more", button("explain", "Explain")),
		}},
	}
}

// triggerFor returns a trigger id as an interaction of user would carry it.
func triggerFor(w *Workspace, user string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.newTrigger(user)
}

// opened opens the modal for hana and returns it as she sees it.
func opened(t *testing.T, w *Workspace, api *slack.Client, modal slack.ModalViewRequest) View {
	t.Helper()
	if _, err := api.OpenView(triggerFor(w, "U0HANA"), modal); err != nil {
		t.Fatal(err)
	}
	views := w.Views("U0HANA")
	return views[len(views)-1]
}

// code is the error's first word: slack-go appends the lines of response_metadata.
func code(err error) error {
	if err == nil {
		return nil
	}
	word, _, _ := strings.Cut(err.Error(), " ")
	return &apiError{code: strings.TrimSuffix(word, ":")}
}

func TestShortcutOpensAModal(t *testing.T) {
	w, api := open(t, Options{})
	shortcuts := make(chan slack.InteractionCallback, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		got := e.Data.(slack.InteractionCallback)
		if _, err := api.OpenView(got.TriggerID, form()); err != nil {
			t.Error(err)
		}
		shortcuts <- got
		c.Ack(*e.Request)
	})
	if err := w.Shortcut(t.Context(), "U0HANA", "ask_for_a_pass"); err != nil {
		t.Fatal(err)
	}
	got := receive(t, shortcuts)
	if got.Type != slack.InteractionTypeShortcut || got.CallbackID != "ask_for_a_pass" || got.User.ID != "U0HANA" ||
		got.Team.ID != "T0LOCAL" || got.ActionTs == "" || got.Channel.ID != "" || got.ResponseURL != "" {
		t.Errorf("the bot received %+v", got)
	}
	views := w.Views("U0HANA")
	if len(views) != 1 {
		t.Fatalf("hana has %d modals open", len(views))
	}
	v := views[0]
	if v.Type != "modal" || v.Title != "Ask for a pass" || v.Submit != "Ask" || v.Close != "Cancel" || v.CallbackID != "ask" ||
		v.PrivateMetadata != "i-0123456789abcdef0" || !strings.HasPrefix(v.ID, "V") || v.Hash == "" || len(v.Errors) != 0 {
		t.Errorf("hana sees %+v", v)
	}
	if seen := w.Views("U0BEN"); len(seen) != 0 {
		t.Errorf("ben sees %+v", seen)
	}
}

func TestViewIDsAreFilledIn(t *testing.T) {
	v, err := New(Options{}).checkView(jsonModal("", jsonInput("", jsonTextInput(""))), typeModal)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []struct {
		ID      string `json:"block_id"`
		Element struct {
			ID string `json:"action_id"`
		}
	}
	if err := json.Unmarshal(v.Blocks, &blocks); err != nil || blocks[0].ID == "" || blocks[0].Element.ID == "" {
		t.Errorf("the blocks are %s, %v", v.Blocks, err)
	}
}

func TestTriggerIDs(t *testing.T) {
	now := newClock()
	w, api := open(t, Options{Now: now.Now})
	try := func(trigger string) error { _, err := api.OpenView(trigger, form()); return err }

	wantCode(t, "a made-up trigger", try("1.2.abc"), "invalid_trigger_id")
	first := triggerFor(w, "U0HANA")
	bad := form()
	bad.Title = nil
	_, err := api.OpenView(first, bad)
	wantCode(t, "a bad view", code(err), "invalid_arguments")
	now.Advance(3 * time.Second)
	wantCode(t, "after 3 s", try(first), "")
	wantCode(t, "used again", try(first), "exchanged_trigger_id")
	late := triggerFor(w, "U0HANA")
	now.Advance(3*time.Second + time.Millisecond)
	wantCode(t, "after more than 3 s", try(late), "expired_trigger_id")
}

func TestModalsPileUp(t *testing.T) {
	w, api := open(t, Options{})
	first := opened(t, w, api, form())
	second := opened(t, w, api, form())
	third, err := api.OpenView(triggerFor(w, "U0HANA"), form())
	if err != nil {
		t.Fatal(err)
	}
	if third.RootViewID != first.ID || third.PreviousViewID != second.ID {
		t.Errorf("the third is %+v", third.View)
	}
	_, err = api.OpenView(triggerFor(w, "U0HANA"), form())
	wantCode(t, "a fourth", err, "push_limit_reached")
	_, err = api.OpenView(triggerFor(w, "U0BEN"), form())
	wantCode(t, "somebody else's first", err, "")

	if err := w.CloseView("U0HANA", second.ID); err == nil || !strings.Contains(err.Error(), "lies under another") {
		t.Errorf("closing a covered modal: %v", err)
	}
	if err := w.CloseView("U0HANA", third.ID); err != nil {
		t.Error(err)
	}
	if err := w.CloseView("U0BEN", second.ID); err == nil {
		t.Error("ben closed hana's modal")
	}
	if open := w.Views("U0HANA"); len(open) != 2 || open[1].ID != second.ID {
		t.Errorf("hana sees %+v", open)
	}
	last := form()
	last.ClearOnClose = true
	if err := w.CloseView("U0HANA", opened(t, w, api, last).ID); err != nil {
		t.Error(err)
	}
	if open := w.Views("U0HANA"); len(open) != 0 {
		t.Errorf("after clear_on_close hana sees %+v", open)
	}
}

func TestViewsUpdate(t *testing.T) {
	w, api := open(t, Options{})
	named := form()
	named.ExternalID = "ask-1"
	v := opened(t, w, api, named)
	_, err := api.OpenView(triggerFor(w, "U0HANA"), named)
	wantCode(t, "a second of the same external id", err, "duplicate_external_id")

	next := slack.ModalViewRequest{Type: slack.VTModal, Title: plain("Thanks"), ExternalID: "ask-1",
		Blocks: slack.Blocks{BlockSet: []slack.Block{section("Asked.")}}}
	_, err = api.UpdateView(next, "", "1.other", v.ID)
	wantCode(t, "another hash", err, "hash_conflict")
	_, err = api.UpdateView(next, "", v.Hash, "V0NONE")
	wantCode(t, "an unknown view", err, "not_found")
	_, err = api.UpdateView(next, "ask-2", "", "")
	wantCode(t, "an unknown external id", err, "not_found")
	bad := next
	bad.Title = nil
	_, err = api.UpdateView(bad, "", "", v.ID)
	wantCode(t, "a bad view", code(err), "invalid_arguments")

	changes := w.Changes(t.Context())
	if _, err := api.UpdateView(next, "", v.Hash, v.ID); err != nil {
		t.Fatal(err)
	}
	receive(t, changes)
	after := w.Views("U0HANA")[0]
	if after.ID != v.ID || after.Title != "Thanks" || after.Submit != "" || after.Hash == v.Hash {
		t.Errorf("hana sees %+v", after)
	}
	_, err = api.UpdateView(next, "", v.Hash, v.ID)
	wantCode(t, "the hash of before", err, "hash_conflict")
	_, err = api.UpdateView(next, "ask-1", "", "")
	wantCode(t, "by external id", err, "")
}

func home(text string) slack.HomeTabViewRequest {
	return slack.HomeTabViewRequest{Type: slack.VTHomeTab, CallbackID: "home", Blocks: slack.Blocks{BlockSet: []slack.Block{
		section(text), slack.NewActionBlock("do", button("ask", "Ask for a pass")),
	}}}
}

func TestViewsPublish(t *testing.T) {
	w, api := open(t, Options{})
	if _, published := w.Home("U0HANA"); published {
		t.Error("hana has a Home tab that nobody published")
	}
	first, err := api.PublishView("U0HANA", home("one"), "")
	if err != nil {
		t.Fatal(err)
	}
	_, err = api.PublishView("U0HANA", home("two"), "1.other")
	wantCode(t, "another hash", err, "hash_conflict")
	second, err := api.PublishView("U0HANA", home("two"), first.Hash)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := w.Home("U0HANA")
	if got.Type != "home" || got.ID != first.ID || got.Hash != second.Hash || got.Hash == first.Hash || !strings.Contains(string(got.Blocks), "two") {
		t.Errorf("hana sees %+v", got)
	}
	if _, published := w.Home("U0BEN"); published {
		t.Error("ben has hana's Home tab")
	}
	for _, user := range []string{"U0NOBODY", "U0GONE", w.Bot().ID} {
		_, err = api.PublishView(user, home("x"), "")
		wantCode(t, user, code(err), "invalid_arguments")
	}
	modal := home("x")
	modal.Type = slack.VTModal
	_, err = api.PublishView("U0HANA", modal, "")
	wantCode(t, "a modal as Home", code(err), "invalid_arguments")
	if err := w.CloseView("U0HANA", got.ID); err == nil {
		t.Error("hana closed her Home tab")
	}
}

// TestClickView presses a button in a modal and one in a Home tab.
func TestClickView(t *testing.T) {
	w, api := open(t, Options{})
	if _, err := api.PublishView("U0HANA", home("one"), ""); err != nil {
		t.Fatal(err)
	}
	tab, _ := w.Home("U0HANA")
	modal := opened(t, w, api, form())
	clicks := make(chan []byte, 1)
	listen(t, api, func(c *socketmode.Client, e socketmode.Event) {
		clicks <- e.Request.Payload
		c.Ack(*e.Request)
	})
	for _, tc := range []struct{ view, block, action string }{{modal.ID, "more", "explain"}, {tab.ID, "do", "ask"}} {
		if err := w.ClickView(t.Context(), "U0HANA", tc.view, tc.block, tc.action); err != nil {
			t.Fatal(err)
		}
		raw := receive(t, clicks)
		var got slack.InteractionCallback
		var keys map[string]any
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		json.Unmarshal(raw, &keys)
		for _, key := range []string{"channel", "message", "response_url"} {
			if keys[key] != nil {
				t.Errorf("a click in a view has a %s: %v", key, keys[key])
			}
		}
		if got.Type != slack.InteractionTypeBlockActions || got.User.ID != "U0HANA" || got.TriggerID == "" ||
			got.Container.Type != "view" || got.Container.ViewID != tc.view || got.View.ID != tc.view || got.View.Hash == "" {
			t.Errorf("the bot received %+v", got)
		}
		if a := got.ActionCallback.BlockActions[0]; a.ActionID != tc.action || a.BlockID != tc.block || a.Value != "r-1" || a.ActionTs == "" {
			t.Errorf("the action is %+v", a)
		}
		if picked := got.View.State.Values["long"]["pick"].SelectedOption.Value; tc.view == modal.ID && picked != "1h" {
			t.Errorf("the state is %+v", got.View.State)
		}
		_, err := api.OpenView(got.TriggerID, form()) // a click may open a modal
		wantCode(t, "opening from a click", err, "")
		if err := w.CloseView("U0HANA", w.Views("U0HANA")[1].ID); err != nil {
			t.Fatal(err)
		}
	}
	for what, err := range map[string]error{
		"no such button":       w.ClickView(t.Context(), "U0HANA", modal.ID, "more", "none"),
		"an input":             w.ClickView(t.Context(), "U0HANA", modal.ID, "why", "text"),
		"somebody else's":      w.ClickView(t.Context(), "U0BEN", modal.ID, "more", "explain"),
		"somebody else's Home": w.ClickView(t.Context(), "U0BEN", tab.ID, "do", "ask"),
	} {
		if err == nil {
			t.Errorf("%s could be clicked", what)
		}
	}
}
