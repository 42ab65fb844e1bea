package slacksim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"
)

// The builders below write blocks as JSON, so that a test can write what slack-go would not.

func jsonText(kind, text string) string {
	return fmt.Sprintf(`{"type":%q,"text":%q}`, kind, text)
}

func jsonSection(text string) string {
	return `{"type":"section","text":` + jsonText("mrkdwn", text) + `}`
}

func jsonButton(extra string) string {
	return `{"type":"button","text":` + jsonText("plain_text", "Go") + extra + `}`
}

func jsonActions(elements ...string) string {
	return `{"type":"actions","elements":[` + strings.Join(elements, ",") + `]}`
}

func jsonConfirm(title, text, confirm, deny int) string {
	p := func(n int) string { return jsonText("plain_text", long(n)) }
	return jsonActions(jsonButton(`,"confirm":{"title":` + p(title) + `,"text":` + p(text) + `,"confirm":` + p(confirm) + `,"deny":` + p(deny) + `}`))
}

func jsonSelect(options int) string {
	o := `{"text":` + jsonText("plain_text", "o") + `,"value":"v"}`
	return jsonActions(`{"type":"static_select","options":[` + many(options, o) + `]}`)
}

func many(n int, s string) string { return strings.Join(slices.Repeat([]string{s}, n), ",") }

// TestBlockLimits tries every limit on both sides: the last value that Slack takes, and the first that it does not.
func TestBlockLimits(t *testing.T) {
	for _, tc := range []struct {
		name      string
		good, bad string // blocks, without the brackets
		wrong     string // what the refusal must say
	}{
		{"blocks in a message", many(50, `{"type":"divider"}`), many(51, `{"type":"divider"}`), "no more than 50 items allowed [json-pointer:/blocks]"},
		{"section text", jsonSection(long(3000)), jsonSection(long(3001)), "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"},
		{"empty section text", jsonSection("x"), jsonSection(""), "must be more than 0 characters [json-pointer:/blocks/0/text/text]"},
		{"section without anything", jsonSection("x"), `{"type":"section"}`, "missing required field: text or fields [json-pointer:/blocks/0]"},
		{"section fields", `{"type":"section","fields":[` + many(10, jsonText("mrkdwn", "f")) + `]}`, `{"type":"section","fields":[` + many(11, jsonText("mrkdwn", "f")) + `]}`, "no more than 10 items allowed [json-pointer:/blocks/0/fields]"},
		{"field text", `{"type":"section","fields":[` + jsonText("mrkdwn", long(2000)) + `]}`, `{"type":"section","fields":[` + jsonText("mrkdwn", long(2001)) + `]}`, "must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"},
		{"context elements", `{"type":"context","elements":[` + many(10, jsonText("mrkdwn", "c")) + `]}`, `{"type":"context","elements":[` + many(11, jsonText("mrkdwn", "c")) + `]}`, "no more than 10 items allowed [json-pointer:/blocks/0/elements]"},
		{"actions elements", jsonActions(many(25, jsonButton(""))), jsonActions(many(26, jsonButton(""))), "no more than 25 items allowed [json-pointer:/blocks/0/elements]"},
		{"no actions elements", jsonActions(jsonButton("")), jsonActions(), "no fewer than 1 items allowed [json-pointer:/blocks/0/elements]"},
		{"header", `{"type":"header","text":` + jsonText("plain_text", long(150)) + `}`, `{"type":"header","text":` + jsonText("plain_text", long(151)) + `}`, "must be less than 151 characters [json-pointer:/blocks/0/text/text]"},
		{"header markup", `{"type":"header","text":` + jsonText("plain_text", "h") + `}`, `{"type":"header","text":` + jsonText("mrkdwn", "h") + `}`, "must be one of: plain_text [json-pointer:/blocks/0/text/type]"},
		{"text type", jsonSection("x"), `{"type":"section","text":` + jsonText("markdown", "x") + `}`, "must be one of: mrkdwn, plain_text [json-pointer:/blocks/0/text/type]"},
		{"text that is no object", jsonSection("x"), `{"type":"section","text":"x"}`, "must be a text object [json-pointer:/blocks/0/text]"},
		{"emoji in mrkdwn", `{"type":"section","text":{"type":"plain_text","text":"x","emoji":true}}`, `{"type":"section","text":{"type":"mrkdwn","text":"x","emoji":true}}`, "emoji is for plain_text only [json-pointer:/blocks/0/text/emoji]"},
		{"button text", jsonActions(`{"type":"button","text":` + jsonText("plain_text", long(75)) + `}`), jsonActions(`{"type":"button","text":` + jsonText("plain_text", long(76)) + `}`), "must be less than 76 characters [json-pointer:/blocks/0/elements/0/text/text]"},
		{"button value", jsonActions(jsonButton(`,"value":"` + long(2000) + `"`)), jsonActions(jsonButton(`,"value":"` + long(2001) + `"`)), "must be less than 2001 characters [json-pointer:/blocks/0/elements/0/value]"},
		{"button url", jsonActions(jsonButton(`,"url":"` + long(3000) + `"`)), jsonActions(jsonButton(`,"url":"` + long(3001) + `"`)), "must be less than 3001 characters [json-pointer:/blocks/0/elements/0/url]"},
		{"button style", jsonActions(jsonButton(`,"style":"danger"`)), jsonActions(jsonButton(`,"style":"loud"`)), "must be one of: primary, danger [json-pointer:/blocks/0/elements/0/style]"},
		{"action_id", jsonActions(jsonButton(`,"action_id":"` + long(255) + `"`)), jsonActions(jsonButton(`,"action_id":"` + long(256) + `"`)), "must be less than 256 characters [json-pointer:/blocks/0/elements/0/action_id]"},
		{"action_id twice in a block", jsonActions(jsonButton(`,"action_id":"a"`)) + "," + jsonActions(jsonButton(`,"action_id":"a"`)), jsonActions(jsonButton(`,"action_id":"a"`), jsonButton(`,"action_id":"a"`)), `action_id \"a\" already exists [json-pointer:/blocks/0/elements/1/action_id]`},
		{"block_id", `{"type":"divider","block_id":"` + long(255) + `"}`, `{"type":"divider","block_id":"` + long(256) + `"}`, "must be less than 256 characters [json-pointer:/blocks/0/block_id]"},
		{"block_id twice", `{"type":"divider","block_id":"a"},{"type":"divider","block_id":"b"}`, `{"type":"divider","block_id":"a"},{"type":"divider","block_id":"a"}`, `block_id \"a\" already exists [json-pointer:/blocks/1/block_id]`},
		{"confirm title", jsonConfirm(100, 1, 1, 1), jsonConfirm(101, 1, 1, 1), "must be less than 101 characters [json-pointer:/blocks/0/elements/0/confirm/title/text]"},
		{"confirm text", jsonConfirm(1, 300, 1, 1), jsonConfirm(1, 301, 1, 1), "must be less than 301 characters [json-pointer:/blocks/0/elements/0/confirm/text/text]"},
		{"confirm button", jsonConfirm(1, 1, 30, 1), jsonConfirm(1, 1, 31, 1), "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/confirm/text]"},
		{"deny button", jsonConfirm(1, 1, 1, 30), jsonConfirm(1, 1, 1, 31), "must be less than 31 characters [json-pointer:/blocks/0/elements/0/confirm/deny/text]"},
		{"select options", jsonSelect(100), jsonSelect(101), "no more than 100 items allowed [json-pointer:/blocks/0/elements/0/options]"},
		{"accessory", `{"type":"section","text":` + jsonText("mrkdwn", "x") + `,"accessory":` + jsonButton("") + `}`, `{"type":"section","text":` + jsonText("mrkdwn", "x") + `,"accessory":{"type":"lever"}}`, "unsupported type: lever [json-pointer:/blocks/0/accessory/type]"},
		{"markdown of the message", `{"type":"markdown","text":"` + long(6000) + `"},{"type":"markdown","text":"` + long(6000) + `"}`, `{"type":"markdown","text":"` + long(6000) + `"},{"type":"markdown","text":"` + long(6001) + `"}`, "markdown blocks together must be less than 12001 characters [json-pointer:/blocks]"},
		{"known blocks", `{"type":"divider"}`, `{"type":"alert"}`, "unsupported type: alert [json-pointer:/blocks/0/type]"},
		{"a block that is no object", `{"type":"divider"}`, `"divider"`, "must be an object [json-pointer:/blocks/0]"},
	} {
		t.Run(tc.name, func(t *testing.T) { tryLimit(t, New(Options{}), tc.good, tc.bad, tc.wrong) })
	}
}

// tryLimit tries two sets of blocks, without the brackets: one that w must take, and one that it must refuse and say why.
func tryLimit(t *testing.T, w *Workspace, good, bad, wrong string) {
	t.Helper()
	if _, err := w.checkBlocks("[" + good + "]"); err != nil {
		t.Errorf("refused what Slack takes: %v", err)
	}
	_, err := w.checkBlocks("[" + bad + "]")
	refusal, ok := errors.AsType[*apiError](err)
	if !ok || refusal.code != "invalid_blocks" {
		t.Fatalf("got %v, want invalid_blocks", err)
	}
	if want := "[ERROR] " + strings.ReplaceAll(wrong, `\"`, `"`); !slices.Contains(refusal.lines, want) {
		t.Errorf("it says %q, want %q", refusal.lines, want)
	}
}

func TestBlocksTogether(t *testing.T) {
	wide := func(n int) string {
		return "[" + jsonSection(long(3000)) + "," + many(3, jsonSection(long(3000))) + "," + jsonSection(long(n)) + "]"
	}
	for _, tc := range []struct{ name, blocks, code string }{
		{"as much text as fits", wide(1200), ""},
		{"one character more", wide(1201), "msg_blocks_too_long"},
		{"two tables", "[" + jsonTable("table", 1, 1, "") + "," + jsonDataTable(2, 1, "") + "]", "invalid_attachments"},
		{"no array", `{"type":"divider"}`, "invalid_blocks_format"},
		{"no JSON", `[{`, "invalid_blocks_format"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := New(Options{}).checkBlocks(tc.blocks)
			got := ""
			if e, ok := errors.AsType[*apiError](err); ok {
				got = e.code
			}
			if got != tc.code {
				t.Errorf("got %v, want %q", err, tc.code)
			}
		})
	}
}

func TestMissingIDsAreFilledIn(t *testing.T) {
	out, err := New(Options{}).checkBlocks("[" + jsonSection("x") + "," + jsonActions(jsonButton(""), jsonButton(`,"action_id":"mine"`)) + "]")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []struct {
		ID       string `json:"block_id"`
		Elements []struct {
			ID string `json:"action_id"`
		}
	}
	if err := json.Unmarshal(out, &blocks); err != nil {
		t.Fatal(err)
	}
	if blocks[0].ID == "" || blocks[1].ID == "" || blocks[0].ID == blocks[1].ID {
		t.Errorf("block ids %q and %q", blocks[0].ID, blocks[1].ID)
	}
	if e := blocks[1].Elements; e[0].ID == "" || e[1].ID != "mine" {
		t.Errorf("action ids %+v", e)
	}
}

// TestInvalidBlocksReachTheClient checks that slack-go shows a bot's log what was wrong.
func TestInvalidBlocksReachTheClient(t *testing.T) {
	_, api := open(t, Options{})
	_, _, err := api.PostMessage("C0OPS", slack.MsgOptionBlocks(section(long(3001))))
	refusal, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok || refusal.Err != "invalid_blocks" {
		t.Fatalf("got %v", err)
	}
	want := []string{"[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"}
	if !slices.Equal(refusal.ResponseMetadata.Messages, want) {
		t.Errorf("response_metadata.messages is %q, want %q", refusal.ResponseMetadata.Messages, want)
	}
}
