package slacksim

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func jsonModal(extra string, blocks ...string) string {
	return `{"type":"modal","title":` + jsonText("plain_text", "Pass") + `,"submit":` + jsonText("plain_text", "Ask") + extra +
		`,"blocks":[` + strings.Join(blocks, ",") + `]}`
}

func jsonInput(extra, element string) string {
	return `{"type":"input","label":` + jsonText("plain_text", "Why") + extra + `,"element":` + element + `}`
}

func jsonTextInput(extra string) string { return `{"type":"plain_text_input"` + extra + `}` }

func jsonOption(kind, text, value string) string {
	return `{"text":` + jsonText(kind, text) + `,"value":"` + value + `"}`
}

func jsonPick(kind, extra string, options ...string) string {
	return `{"type":"` + kind + `","options":[` + strings.Join(options, ",") + `]` + extra + `}`
}

// TestViewLimits tries every limit of a view on both sides.
func TestViewLimits(t *testing.T) {
	p := func(n int) string { return jsonText("plain_text", long(n)) }
	title := func(title string) string { return `{"type":"modal","title":` + title + `,"blocks":[]}` }
	hour := jsonOption("plain_text", "an hour", "1h")
	pick := func(kind, extra string, options ...string) string {
		return jsonModal("", jsonInput("", jsonPick(kind, extra, options...)))
	}
	date := func(extra string) string { return `{"type":"datepicker"` + extra + `}` }
	day := func(day string) string { return jsonModal("", jsonInput("", date(`,"initial_date":`+day))) }
	text := func(extra string) string { return jsonModal("", jsonInput("", jsonTextInput(extra))) }
	const element = "[json-pointer:/view/blocks/0/element"
	for _, tc := range []struct{ name, good, bad, wrong string }{
		{"type", jsonModal(""), strings.Replace(jsonModal(""), "modal", "home", 1), "must be one of: modal [json-pointer:/view/type]"},
		{"title", title(p(24)), title(p(25)), "must be less than 25 characters [json-pointer:/view/title/text]"},
		{"empty title", title(p(1)), title(p(0)), "must be more than 0 characters [json-pointer:/view/title/text]"},
		{"title markup", title(p(1)), title(jsonText("mrkdwn", "x")), "must be one of: plain_text [json-pointer:/view/title/type]"},
		{"no title", jsonModal(""), `{"type":"modal","blocks":[]}`, "missing required field: title [json-pointer:/view]"},
		{"no blocks", jsonModal(""), `{"type":"modal","title":` + p(1) + `}`, "missing required field: blocks [json-pointer:/view]"},
		{"submit", jsonModal(`,"submit":` + p(24)), jsonModal(`,"submit":` + p(25)), "must be less than 25 characters [json-pointer:/view/submit/text]"},
		{"close", jsonModal(`,"close":` + p(24)), jsonModal(`,"close":` + p(25)), "must be less than 25 characters [json-pointer:/view/close/text]"},
		{"submit beside input", text(""), `{"type":"modal","title":` + p(1) + `,"blocks":[{"type":"divider"},` + jsonInput("", jsonTextInput("")) + `]}`,
			"must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/1/input]"},
		{"callback_id", jsonModal(`,"callback_id":"` + long(255) + `"`), jsonModal(`,"callback_id":"` + long(256) + `"`), "must be less than 256 characters [json-pointer:/view/callback_id]"},
		{"external_id", jsonModal(`,"external_id":"` + long(255) + `"`), jsonModal(`,"external_id":"` + long(256) + `"`), "must be less than 256 characters [json-pointer:/view/external_id]"},
		{"private_metadata", jsonModal(`,"private_metadata":"` + long(3000) + `"`), jsonModal(`,"private_metadata":"` + long(3001) + `"`), "must be less than 3001 characters [json-pointer:/view/private_metadata]"},
		{"blocks", jsonModal("", many(100, `{"type":"divider"}`)), jsonModal("", many(101, `{"type":"divider"}`)), "no more than 100 items allowed [json-pointer:/view/blocks]"},
		{"block_id twice", jsonModal("", `{"type":"divider","block_id":"a"}`), jsonModal("", many(2, `{"type":"divider","block_id":"a"}`)), `block_id "a" already exists [json-pointer:/view/blocks/1/block_id]`},
		{"markdown in a view", jsonModal("", jsonSection("x")), jsonModal("", `{"type":"markdown","text":"x"}`), "unsupported type: markdown [json-pointer:/view/blocks/0/type]"},

		{"label", jsonModal("", `{"type":"input","label":`+p(2000)+`,"element":`+jsonTextInput("")+`}`), jsonModal("", `{"type":"input","label":`+p(2001)+`,"element":`+jsonTextInput("")+`}`), "must be less than 2001 characters [json-pointer:/view/blocks/0/label/text]"},
		{"no label", text(""), jsonModal("", `{"type":"input","element":`+jsonTextInput("")+`}`), "must be a text object [json-pointer:/view/blocks/0/label]"},
		{"hint", jsonModal("", jsonInput(`,"hint":`+p(2000), jsonTextInput(""))), jsonModal("", jsonInput(`,"hint":`+p(2001), jsonTextInput(""))), "must be less than 2001 characters [json-pointer:/view/blocks/0/hint/text]"},
		{"optional", jsonModal("", jsonInput(`,"optional":true`, jsonTextInput(""))), jsonModal("", jsonInput(`,"optional":"true"`, jsonTextInput(""))), "must be a boolean [json-pointer:/view/blocks/0/optional]"},
		{"element", text(""), jsonModal("", `{"type":"input","label":`+p(1)+`}`), "missing required field: element [json-pointer:/view/blocks/0]"},
		{"a button as input", text(""), jsonModal("", jsonInput("", jsonButton(""))), "unsupported type: button " + element + "/type]"},
		{"an input outside input", jsonModal("", jsonActions(jsonPick("static_select", "", hour))), jsonModal("", jsonActions(jsonTextInput(""))), "unsupported type: plain_text_input [json-pointer:/view/blocks/0/elements/0/type]"},
		{"placeholder", text(`,"placeholder":` + p(150)), text(`,"placeholder":` + p(151)), "must be less than 151 characters " + element + "/placeholder/text]"},
		{"max_length", text(`,"max_length":3000`), text(`,"max_length":3001`), "must be a number from 1 to 3000 " + element + "/max_length]"},
		{"no max_length", text(`,"max_length":1`), text(`,"max_length":0`), "must be a number from 1 to 3000 " + element + "/max_length]"},
		{"min_length", text(`,"min_length":3000`), text(`,"min_length":3001`), "must be a number from 0 to 3000 " + element + "/min_length]"},
		{"min_length as text", text(`,"min_length":1`), text(`,"min_length":"1"`), "must be a number from 0 to 3000 " + element + "/min_length]"},
		{"min over max", text(`,"min_length":5,"max_length":5`), text(`,"min_length":6,"max_length":5`), "must not be more than max_length " + element + "/min_length]"},
		{"initial_value", text(`,"max_length":5,"initial_value":"ééééé"`), text(`,"max_length":5,"initial_value":"éééééé"`), "must be less than 6 characters " + element + "/initial_value]"},
		{"options", pick("static_select", "", many(100, hour)), pick("static_select", "", many(101, hour)), "no more than 100 items allowed " + element + "/options]"},
		{"no options", pick("static_select", "", hour), pick("static_select", ""), "no fewer than 1 items allowed " + element + "/options]"},
		{"option text", pick("static_select", "", jsonOption("plain_text", long(75), "v")), pick("static_select", "", jsonOption("plain_text", long(76), "v")), "must be less than 76 characters " + element + "/options/0/text/text]"},
		{"option value", pick("static_select", "", jsonOption("plain_text", "o", long(150))), pick("static_select", "", jsonOption("plain_text", "o", long(151))), "must be less than 151 characters " + element + "/options/0/value]"},
		{"option markup", pick("radio_buttons", "", jsonOption("mrkdwn", "o", "v")), pick("static_select", "", jsonOption("mrkdwn", "o", "v")), "must be one of: plain_text " + element + "/options/0/text/type]"},
		{"radio buttons", pick("radio_buttons", "", many(10, hour)), pick("radio_buttons", "", many(11, hour)), "no more than 10 items allowed " + element + "/options]"},
		{"initial_option", pick("static_select", `,"initial_option":`+hour, hour), pick("static_select", `,"initial_option":`+jsonOption("plain_text", "one hour", "1h"), hour), "must be one of the options " + element + "/initial_option]"},
		{"initial radio button", pick("radio_buttons", `,"initial_option":`+hour, hour), pick("radio_buttons", `,"initial_option":`+jsonOption("plain_text", "an hour", "2h"), hour), "must be one of the options " + element + "/initial_option]"},
		{"initial_date", day(`"2028-02-29"`), day(`"2026-02-29"`), "must be a date in the format YYYY-MM-DD " + element + "/initial_date]"},
		{"initial_date with a time", day(`"2026-12-24"`), day(`"2026-12-24T00:00:00Z"`), "must be a date in the format YYYY-MM-DD " + element + "/initial_date]"},
		{"short initial_date", day(`"2026-01-02"`), day(`"2026-1-2"`), "must be a date in the format YYYY-MM-DD " + element + "/initial_date]"},
		{"initial_date as a number", jsonModal("", jsonInput("", date(""))), day("20261224"), "must be a date in the format YYYY-MM-DD " + element + "/initial_date]"},
		{"datepicker's placeholder", jsonModal("", jsonInput("", date(`,"placeholder":`+p(150)))), jsonModal("", jsonInput("", date(`,"placeholder":`+p(151)))), "must be less than 151 characters " + element + "/placeholder/text]"},
		{"datepicker in actions", jsonModal("", jsonActions(date(`,"initial_date":"2026-12-24"`))), jsonModal("", jsonActions(date(`,"initial_date":"24.12.2026"`))), "must be a date in the format YYYY-MM-DD [json-pointer:/view/blocks/0/elements/0/initial_date]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if _, err := New(Options{}).checkView(tc.good, typeModal); err != nil {
				t.Errorf("refused what Slack takes: %v", err)
			}
			_, err := New(Options{}).checkView(tc.bad, typeModal)
			refusal, ok := errors.AsType[*apiError](err)
			if !ok || refusal.code != "invalid_arguments" {
				t.Fatalf("got %v, want invalid_arguments", err)
			}
			if want := "[ERROR] " + tc.wrong; !slices.Equal(refusal.lines, []string{want}) {
				t.Errorf("it says %q, want only %q", refusal.lines, want)
			}
		})
	}
}

func TestViewsThatAreNone(t *testing.T) {
	for name, tc := range map[string]struct{ raw, code string }{
		"no JSON":   {"{", "invalid_arguments"},
		"null":      {"null", "invalid_arguments"},
		"nothing":   {"", "invalid_arguments"},
		"an array":  {"[]", "invalid_arguments"},
		"too large": {jsonModal(`,"x":"` + strings.Repeat("x", maxView) + `"`), "view_too_large"},
	} {
		_, err := New(Options{}).checkView(tc.raw, typeModal)
		if refusal, ok := errors.AsType[*apiError](err); !ok || refusal.code != tc.code {
			t.Errorf("%s: got %v, want %s", name, err, tc.code)
		}
	}
}

// TestHomeNeedsNoButtons: a Home tab has no title, and takes input without a submit button.
func TestHomeNeedsNoButtons(t *testing.T) {
	if _, err := New(Options{}).checkView(`{"type":"home","blocks":[`+jsonInput("", jsonTextInput(""))+`]}`, typeHome); err != nil {
		t.Error(err)
	}
}

func TestInputIsForViews(t *testing.T) {
	_, err := New(Options{}).checkBlocks("[" + jsonInput("", jsonTextInput("")) + "]")
	wantCode(t, "an input in a message", err, "invalid_blocks [ERROR] unsupported type: input [json-pointer:/blocks/0/type]")
}
