package slacksim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"
)

// codeView is an answer to a submission that Slack can do nothing with. Slack has no word for it: the person sees what
// they see when nobody answers.
const codeView = "invalid_view_response"

// What a modal says when the app did not take its submission. The wording is ours.
const viewTrouble = "We had some trouble connecting. Try again?"

// Input is what a person typed or picked.
type Input struct {
	Value    string // typed, in a plain_text_input
	Selected string // the value of the option picked; empty: none
	Date     string // picked in a datepicker, "2026-12-24"; empty: none
}

// Submit is user pressing the submit button of their topmost modal with values in its inputs, by block_id, then action_id.
// An input that values does not name is left as the bot sent it.
//
// As in Slack, what is missing, too short or too long never reaches the app: the error says so, and the view's Errors too.
// Otherwise Submit returns when the app has acknowledged and the modal has followed the answer. When the app does not take
// the submission, or answers what cannot be done, the modal stays, its Errors say so under the empty id, and the error is
// a *DeliveryError.
//
// https://docs.slack.dev/surfaces/modals#handling_submissions
func (w *Workspace) Submit(ctx context.Context, user, viewID string, values map[string]map[string]Input) error {
	w.mu.Lock()
	payload, err := w.submission(user, viewID, values)
	w.mu.Unlock()
	if err != nil {
		return fmt.Errorf("submitting %s: %w", viewID, err)
	}
	what := "the modal " + viewID
	a, err := w.interact(ctx, what, payload, true)
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.modal(func(v *view) bool { return v.ID == viewID })
	if v == nil {
		return err // closed in the meantime: nobody is left to see the answer
	}
	if err == nil {
		if bad := w.follow(v, a); bad != nil {
			err = &DeliveryError{What: what, Code: codeView, Why: bad}
		}
	}
	if _, failed := errors.AsType[*DeliveryError](err); failed {
		v.Errors = map[string]string{"": viewTrouble}
		w.changed()
	}
	return err
}

// The functions below expect w.mu to be held.

// submission builds the view_submission payload.
// https://docs.slack.dev/reference/interaction-payloads/view-interactions-payload
func (w *Workspace) submission(user, viewID string, values map[string]map[string]Input) (map[string]any, error) {
	u, v, err := w.viewer(user, viewID)
	if err != nil {
		return nil, err
	}
	if v.Submit == "" {
		return nil, errors.New("it has no submit button")
	}
	state, wrong, err := fillIn(v.Blocks, values)
	if err != nil {
		return nil, err
	}
	v.Errors = wrong
	w.changed()
	if len(wrong) > 0 {
		return nil, fmt.Errorf("an input is wrong, and so Slack sends nothing: %v", wrong)
	}
	payload := w.interaction("view_submission", u)
	payload["view"] = w.wireView(v, state)
	payload["response_urls"] = []any{}
	return payload, nil
}

// follow does with the modal what the app answered to its submission.
// https://docs.slack.dev/surfaces/modals#response_actions
func (w *Workspace) follow(v *view, a answer) error {
	if a.empty() {
		w.closeModal(v)
		return nil
	}
	var said struct {
		Action string            `json:"response_action"`
		View   json.RawMessage   `json:"view"`
		Errors map[string]string `json:"errors"`
	}
	if !a.json {
		return fmt.Errorf("the answer is not JSON by its Content-Type: %.100q", a.body)
	}
	if err := json.Unmarshal(a.body, &said); err != nil {
		return fmt.Errorf("decoding the answer: %w", err)
	}
	switch said.Action {
	case "clear":
		w.clearModals(v.user)
		return nil
	case "errors":
		return w.showErrors(v, said.Errors)
	case "push", "update":
		next, err := w.checkView(string(said.View), typeModal)
		if err != nil {
			return err
		}
		if said.Action == "push" {
			return w.pushModal(v.user, next)
		}
		return w.replaceView(v, next)
	default:
		return fmt.Errorf("there is no response_action %q", said.Action)
	}
}

func (w *Workspace) showErrors(v *view, wrong map[string]string) error {
	if len(wrong) == 0 {
		return errors.New("response_action errors without errors")
	}
	for _, id := range slices.Sorted(maps.Keys(wrong)) {
		if !slices.ContainsFunc(parse(v.Blocks), func(b object) bool { return b["type"] == "input" && b["block_id"] == id }) {
			return fmt.Errorf("errors for %q, which is no input block of the view", id)
		}
	}
	v.Errors = wrong
	w.changed()
	return nil
}

// fillIn returns the state of all that can be filled in in blocks, by block_id and action_id, after values; wrong holds
// what Slack would tell the person, by block_id.
func fillIn(blocks json.RawMessage, values map[string]map[string]Input) (
	state map[string]map[string]any, wrong map[string]string, err error,
) {
	state, wrong = map[string]map[string]any{}, map[string]string{}
	for _, b := range parse(blocks) {
		blockID, _ := b["block_id"].(string)
		for _, e := range interactive(b) {
			if kind, _ := e["type"].(string); !slices.Contains(inputTypes, kind) {
				continue
			}
			actionID, _ := e["action_id"].(string)
			in, given := values[blockID][actionID]
			if !given {
				in = initial(e)
			}
			filled, complaint, err := fillInOne(e, in)
			if err != nil {
				return nil, nil, fmt.Errorf("input %q of block %q: %w", actionID, blockID, err)
			}
			if in == (Input{}) && b["type"] == "input" && b["optional"] != true {
				complaint = "Please complete this required field."
			}
			if complaint != "" {
				wrong[blockID] = complaint
			}
			if state[blockID] == nil {
				state[blockID] = map[string]any{}
			}
			state[blockID][actionID] = filled
		}
	}
	for blockID, actions := range values {
		for actionID := range actions {
			if state[blockID][actionID] == nil {
				return nil, nil, fmt.Errorf("there is no input %q in a block %q", actionID, blockID)
			}
		}
	}
	return state, wrong, nil
}

// fillInOne returns the state of one element, and what Slack would tell the person about it. It fails on what no person
// can do to such an element.
func fillInOne(e object, in Input) (state map[string]any, complaint string, err error) {
	kind := e["type"].(string)
	switch {
	case in.Value != "" && kind != "plain_text_input":
		return nil, "", fmt.Errorf("nothing can be typed into a %s", kind)
	case in.Date != "" && kind != "datepicker":
		return nil, "", fmt.Errorf("no date can be picked in a %s", kind)
	case in.Selected != "" && (kind == "plain_text_input" || kind == "datepicker"):
		return nil, "", fmt.Errorf("no option can be picked in a %s", kind)
	}
	switch kind {
	case "plain_text_input":
		state, complaint = writeText(e, in.Value)
	case "datepicker":
		state, err = pickDate(in.Date)
	default:
		state, err = pickOption(e, in.Selected)
	}
	if err != nil {
		return nil, "", err
	}
	state["type"] = kind
	return state, complaint, nil
}

func writeText(e object, text string) (state map[string]any, complaint string) {
	if text == "" {
		return map[string]any{"value": nil}, ""
	}
	n, least, most := utf8.RuneCountInString(text), length(e, "min_length", 0), length(e, "max_length", maxInputText)
	switch {
	case n < least:
		complaint = fmt.Sprintf("Must be at least %d characters long.", least)
	case n > most:
		complaint = fmt.Sprintf("Must be at most %d characters long.", most)
	}
	return map[string]any{"value": text}, complaint
}

func pickDate(date string) (state map[string]any, err error) {
	if date == "" {
		return map[string]any{"selected_date": nil}, nil
	}
	if !isDate(date) {
		return nil, fmt.Errorf("%q is no date like 2026-12-24", date)
	}
	return map[string]any{"selected_date": date}, nil
}

func pickOption(e object, value string) (state map[string]any, err error) {
	if value == "" {
		return map[string]any{"selected_option": nil}, nil
	}
	all := options(e)
	i := slices.IndexFunc(all, func(o object) bool { return o["value"] == value })
	if i < 0 {
		return nil, fmt.Errorf("it has no option with the value %q", value)
	}
	return map[string]any{"selected_option": all[i]}, nil
}

// initial is how an element stands before anybody touches it.
func initial(e object) Input {
	text, _ := e["initial_value"].(string)
	date, _ := e["initial_date"].(string)
	option, _ := e["initial_option"].(object)
	selected, _ := option["value"].(string)
	return Input{Value: text, Selected: selected, Date: date}
}

// length is a number that checkView has checked.
func length(e object, key string, otherwise int) int {
	if n, ok := e[key].(json.Number); ok {
		i, _ := n.Int64()
		return int(i)
	}
	return otherwise
}

// parse reads blocks that were checked before.
func parse(blocks json.RawMessage) []object {
	var all []object
	if len(blocks) == 0 {
		return nil
	}
	if err := decode(blocks, &all); err != nil {
		panic("slacksim: blocks that were checked cannot be read: " + err.Error())
	}
	return all
}
