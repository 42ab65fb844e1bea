package slacksim

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	maxModals = 3 // open at once for one person; https://docs.slack.dev/surfaces/modals#view_stack

	// The limits of a view, in characters but for maxView.
	// https://docs.slack.dev/reference/views/modal-views , https://docs.slack.dev/reference/views/home-tab-views
	maxViewLabel = 24      // title, submit, close
	maxMetadata  = 3_000   // private_metadata
	maxViewName  = 255     // callback_id, external_id
	maxView      = 250_000 // bytes; https://docs.slack.dev/reference/methods/views.open

	typeModal = "modal"
	typeHome  = "home"
)

// View is a modal or a Home tab as its viewer sees it.
type View struct {
	ID, Type, CallbackID  string            // Type: "modal" or "home"
	Title, Submit, Close  string            // labels; empty Submit: no button
	Blocks                json.RawMessage   // as the bot sent them, block_id and action_id filled in
	Errors                map[string]string // block_id → what was wrong with the last submission; "" → with all of it
	PrivateMetadata, Hash string
}

// Views returns the modals that user has open, the topmost last. Only the topmost can be acted on.
func (w *Workspace) Views(user string) []View {
	w.mu.Lock()
	defer w.mu.Unlock()
	var open []View
	for _, v := range w.modals[user] {
		open = append(open, v.View)
	}
	return open
}

// Home returns the Home tab that the bot published for user, and whether it did.
func (w *Workspace) Home(user string) (View, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if v := w.homes[user]; v != nil {
		return v.View, true
	}
	return View{}, false
}

// CloseView is user closing the topmost modal. The app hears nothing of it: notify_on_close is not part of this workspace.
func (w *Workspace) CloseView(user, viewID string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, v, err := w.viewer(user, viewID)
	if err == nil && v.Type == typeHome {
		err = fmt.Errorf("%s is a Home tab, which cannot be closed", viewID)
	}
	if err != nil {
		return fmt.Errorf("closing a view: %w", err)
	}
	if v.sent["clear_on_close"] == true {
		w.clearModals(user)
	} else {
		w.closeModal(v)
	}
	return nil
}

// view is a View with what its viewer does not see.
type view struct {
	View
	sent       object // what the bot sent
	externalID string

	user     string
	root     string // id of the lowest modal of the stack; a Home tab's own
	previous string // id of the modal below
}

// checkView checks a view of the type kind as a bot sends it. It expects w.mu to be held.
func (w *Workspace) checkView(raw, kind string) (*view, error) {
	if len(raw) > maxView {
		return nil, fail("view_too_large")
	}
	var sent object
	if err := decode([]byte(raw), &sent); err != nil || sent == nil {
		return nil, fail("invalid_arguments", "[ERROR] must be an object [json-pointer:/view]")
	}
	const at = "/view"
	c := &checker{w: w, view: true, blockIDs: map[string]bool{}}
	if sent["type"] != kind {
		c.wrong(at+"/type", "must be one of: %s", kind)
	}
	v := &view{sent: sent}
	v.Type = kind
	v.CallbackID = c.text(at, sent, "callback_id", 0, maxViewName)
	v.externalID = c.text(at, sent, "external_id", 0, maxViewName)
	v.PrivateMetadata = c.text(at, sent, "private_metadata", 0, maxMetadata)
	if kind == typeModal {
		if sent["title"] == nil {
			c.wrong(at, "missing required field: title")
		}
		v.Title = c.label(at, sent, "title")
		v.Submit = c.label(at, sent, "submit")
		v.Close = c.label(at, sent, "close")
	}
	c.blocks(at, sent, maxViewBlocks)
	blocks, _ := sent["blocks"].([]any)
	for i, b := range blocks {
		if b, ok := b.(object); ok && b["type"] == "input" && kind == typeModal && sent["submit"] == nil {
			c.wrong(fmt.Sprintf("%s/blocks/%d/input", at, i), "must define `submit` to use an `input` block in modals")
		}
	}
	if len(c.problems) > 0 {
		return nil, fail("invalid_arguments", c.problems...)
	}
	v.Blocks = fillIDs(blocks)
	return v, nil
}

// label checks an optional label of a view and returns its text.
func (c *checker) label(at string, sent object, key string) string {
	if sent[key] == nil {
		return ""
	}
	c.textField(at, sent, key, 1, maxViewLabel, "plain_text")
	label, _ := sent[key].(object)
	text, _ := label["text"].(string)
	return text
}

// The functions below expect w.mu to be held.

// viewsOpen puts a modal in front of the person whose interaction the trigger id came with, on top of what they have open.
// https://docs.slack.dev/reference/methods/views.open
func viewsOpen(w *Workspace, a args) (result, error) {
	v, err := w.checkView(a["view"], typeModal)
	if err != nil {
		return nil, err
	}
	t := w.triggers[a["trigger_id"]]
	switch {
	case t == nil:
		return nil, fail("invalid_trigger_id")
	case t.used:
		return nil, fail("exchanged_trigger_id")
	case w.opts.Now().After(t.expires):
		return nil, fail("expired_trigger_id")
	}
	if err := w.pushModal(t.user, v); err != nil {
		return nil, err
	}
	t.used = true // only now: that a refused view spends no trigger id is inferred
	return result{"view": w.wireView(v, nil)}, nil
}

// viewsUpdate changes an open modal. https://docs.slack.dev/reference/methods/views.update
func viewsUpdate(w *Workspace, a args) (result, error) {
	next, err := w.checkView(a["view"], typeModal)
	if err != nil {
		return nil, err
	}
	v := w.modal(func(v *view) bool {
		return v.ID == a["view_id"] || a["external_id"] != "" && v.externalID == a["external_id"]
	})
	switch {
	case v == nil:
		return nil, fail("not_found")
	case a["hash"] != "" && a["hash"] != v.Hash:
		return nil, fail("hash_conflict")
	}
	if err := w.replaceView(v, next); err != nil {
		return nil, err
	}
	return result{"view": w.wireView(v, nil)}, nil
}

// viewsPublish makes or changes somebody's Home tab. That it keeps its id is inferred.
// https://docs.slack.dev/reference/methods/views.publish
func viewsPublish(w *Workspace, a args) (result, error) {
	if u := w.user(a["user_id"]); u == nil || u.Deleted || u.IsBot {
		return nil, fail("invalid_arguments", "[ERROR] invalid `user_id`")
	}
	next, err := w.checkView(a["view"], typeHome)
	if err != nil {
		return nil, err
	}
	v := w.homes[a["user_id"]]
	if v == nil {
		id := newViewID()
		v = &view{View: View{ID: id}, user: a["user_id"], root: id}
	}
	if a["hash"] != "" && a["hash"] != v.Hash {
		return nil, fail("hash_conflict")
	}
	if err := w.replaceView(v, next); err != nil {
		return nil, err
	}
	w.homes[v.user] = v
	return result{"view": w.wireView(v, nil)}, nil
}

// pushModal puts v on top of what user has open.
func (w *Workspace) pushModal(user string, v *view) error {
	open := w.modals[user]
	if len(open) >= maxModals {
		return fail("push_limit_reached")
	}
	v.ID, v.user = newViewID(), user
	v.root = v.ID
	if len(open) > 0 {
		v.root, v.previous = open[0].ID, open[len(open)-1].ID
	}
	if err := w.settleView(v); err != nil {
		return err
	}
	w.modals[user] = append(open, v)
	return nil
}

// replaceView gives v the content of next. What v is and where it stands remains.
func (w *Workspace) replaceView(v, next *view) error {
	next.ID, next.user, next.root, next.previous = v.ID, v.user, v.root, v.previous
	if err := w.settleView(next); err != nil {
		return err
	}
	*v = *next
	return nil
}

// settleView makes sure that no other view has the external id of v, and gives v a hash of its own.
func (w *Workspace) settleView(v *view) error {
	taken := func(other *view) bool {
		return v.externalID != "" && other.externalID == v.externalID && other.ID != v.ID
	}
	if w.modal(taken) != nil || w.home(taken) != nil {
		return fail("duplicate_external_id")
	}
	v.Hash = fmt.Sprintf("%d.%s", w.opts.Now().Unix(), strings.ToLower(rand.Text()[:8]))
	w.changed()
	return nil
}

func (w *Workspace) closeModal(v *view) {
	w.modals[v.user] = slices.DeleteFunc(w.modals[v.user], func(other *view) bool { return other == v })
	w.changed()
}

func (w *Workspace) clearModals(user string) {
	delete(w.modals, user)
	w.changed()
}

// modal finds the open modal that is meant.
func (w *Workspace) modal(meant func(*view) bool) *view {
	for _, open := range w.modals {
		if i := slices.IndexFunc(open, meant); i >= 0 {
			return open[i]
		}
	}
	return nil
}

func (w *Workspace) home(meant func(*view) bool) *view {
	for _, v := range w.homes {
		if meant(v) {
			return v
		}
	}
	return nil
}

// viewer finds who acts and the view they act on: their topmost modal, or their Home tab.
func (w *Workspace) viewer(user, viewID string) (*User, *view, error) {
	u, err := w.person(user)
	if err != nil {
		return nil, nil, err
	}
	if v := w.homes[user]; v != nil && v.ID == viewID {
		return u, v, nil
	}
	open := w.modals[user]
	i := slices.IndexFunc(open, func(v *view) bool { return v.ID == viewID })
	switch {
	case i < 0:
		return nil, nil, fmt.Errorf("%s has no view %s in front of them", user, viewID)
	case i < len(open)-1:
		return nil, nil, fmt.Errorf("the view %s lies under another", viewID)
	}
	return u, open[i], nil
}

// wireView is the view as the Web API and payloads show it; state is what was filled in, by block_id and action_id.
func (w *Workspace) wireView(v *view, state map[string]map[string]any) map[string]any {
	if state == nil {
		state = map[string]map[string]any{}
	}
	out := map[string]any{
		"id": v.ID, "team_id": w.opts.TeamID, "app_id": appID, "app_installed_team_id": w.opts.TeamID, "bot_id": botID,
		"type": v.Type, "callback_id": v.CallbackID, "external_id": v.externalID, "private_metadata": v.PrivateMetadata,
		"title": v.sent["title"], "submit": v.sent["submit"], "close": v.sent["close"], "blocks": v.Blocks,
		"state": map[string]any{"values": state}, "hash": v.Hash,
		"clear_on_close": v.sent["clear_on_close"] == true, "notify_on_close": v.sent["notify_on_close"] == true,
		"root_view_id": v.root, "previous_view_id": nil,
	}
	if v.previous != "" {
		out["previous_view_id"] = v.previous
	}
	return out
}

// newViewID makes a view id as Slack writes them.
func newViewID() string { return "V0" + rand.Text()[:9] }

// trigger is what a trigger id stands for: one modal, soon, for one person.
type trigger struct {
	user    string
	used    bool
	expires time.Time
}
