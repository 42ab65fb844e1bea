package slacksim

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of Block Kit, wherever blocks stand. Lengths are in characters, and a length field without a minimum may be empty.
const (
	maxBlocks     = 50  // in a message; https://docs.slack.dev/reference/block-kit/blocks
	maxViewBlocks = 100 // in a modal or Home tab

	// maxMessageText is the sum of all text in the blocks, tables aside. Slack documents only the code that it answers,
	// msg_blocks_too_long; the number was measured by others.
	// https://github.com/slackapi/bolt-js/issues/2509
	maxMessageText = 13_200

	maxBlockID  = 255 // https://docs.slack.dev/reference/block-kit/blocks
	maxActionID = 255 // https://docs.slack.dev/reference/block-kit/block-elements/button-element

	maxSectionText   = 3_000 // https://docs.slack.dev/reference/block-kit/blocks/section-block
	maxSectionFields = 10
	maxFieldText     = 2_000

	maxContextElements = 10     // https://docs.slack.dev/reference/block-kit/blocks/context-block
	maxActionElements  = 25     // https://docs.slack.dev/reference/block-kit/blocks/actions-block
	maxContextActions  = 5      // https://docs.slack.dev/reference/block-kit/blocks/context-actions-block
	maxHeaderText      = 150    // https://docs.slack.dev/reference/block-kit/blocks/header-block
	maxMarkdownText    = 12_000 // all of the message's; https://docs.slack.dev/reference/block-kit/blocks/markdown-block
	maxText            = 3_000  // any text object; https://docs.slack.dev/reference/block-kit/composition-objects/text-object

	maxImageURL   = 3_000 // https://docs.slack.dev/reference/block-kit/blocks/image-block
	maxImageAlt   = 2_000
	maxImageTitle = 2_000

	maxButtonText  = 75 // https://docs.slack.dev/reference/block-kit/block-elements/button-element
	maxButtonValue = 2_000
	maxButtonURL   = 3_000
	maxButtonLabel = 75 // accessibility_label

	maxSelectOptions   = 100 // https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
	maxOverflowOptions = 5   // https://docs.slack.dev/reference/block-kit/block-elements/overflow-menu-element
	maxPlaceholder     = 150
	maxRadioOptions    = 10 // https://docs.slack.dev/reference/block-kit/block-elements/radio-button-group-element
	maxOptionText      = 75 // and of its description; https://docs.slack.dev/reference/block-kit/composition-objects/option-object
	maxOptionValue     = 150

	maxConfirmTitle  = 100 // https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object
	maxConfirmText   = 300
	maxConfirmButton = 30
)

type object = map[string]any

// checkBlocks checks a message's blocks and returns them with every missing block_id and action_id filled in, as Slack does.
// raw is JSON text; empty text, null and an empty array are no blocks. It expects w.mu to be held.
func (w *Workspace) checkBlocks(raw string) (json.RawMessage, error) {
	if strings.TrimSpace(raw) == "" {
		return nil, nil
	}
	var blocks []any
	if err := decode([]byte(raw), &blocks); err != nil {
		return nil, fail("invalid_blocks_format")
	}
	if len(blocks) == 0 {
		return nil, nil
	}
	c := &checker{w: w, blockIDs: map[string]bool{}}
	c.blocks("", object{"blocks": blocks}, maxBlocks)
	if c.markdown > maxMarkdownText {
		c.wrong("/blocks", "markdown blocks together must be less than %d characters", maxMarkdownText+1)
	}
	switch {
	case len(c.problems) > 0:
		return nil, fail("invalid_blocks", c.problems...)
	case c.tables > 1:
		// The code is Slack's, wherever the tables stand.
		return nil, fail("invalid_attachments", "[ERROR] only_one_table_allowed")
	case c.total > maxMessageText:
		return nil, fail("msg_blocks_too_long")
	}
	return fillIDs(blocks), nil
}

// checker reads the blocks of one message or view and collects all that is wrong, as Slack answers it.
type checker struct {
	w         *Workspace
	view      bool // the blocks stand in a modal or Home tab
	problems  []string
	blockIDs  map[string]bool // of the whole message or view
	actionIDs map[string]bool // of the block being read: the same action may be offered by several blocks
	tables    int
	markdown  int  // characters in markdown blocks
	total     int  // characters of text in all blocks but tables
	tooSoon   bool // a file that is shown is not ready yet
}

func (c *checker) wrong(at, format string, a ...any) {
	c.problems = append(c.problems, fmt.Sprintf("[ERROR] %s [json-pointer:%s]", fmt.Sprintf(format, a...), at))
}

// blocks checks the field "blocks" of what stands at the pointer at.
func (c *checker) blocks(at string, whole object, most int) {
	for at, b := range c.objects(at, whole, "blocks", 0, most) {
		c.block(at, b)
	}
}

// viewOnly says of the blocks that cannot stand everywhere whether they belong in a view or in a message. Slack takes input in
// messages too: here nobody could fill it in. That data_table is for messages is inferred.
var viewOnly = map[string]bool{"input": true, "markdown": false, "table": false, "data_table": false}

func (c *checker) block(at string, b object) {
	c.actionIDs = map[string]bool{}
	if id := c.text(at, b, "block_id", 0, maxBlockID); id != "" {
		if c.blockIDs[id] {
			c.wrong(at+"/block_id", "block_id %q already exists", id)
		}
		c.blockIDs[id] = true
	}
	kind, _ := b["type"].(string)
	if only, limited := viewOnly[kind]; limited && only != c.view || c.w.faults.unknown[kind] {
		c.wrong(at+"/type", "unsupported type: %v", kind)
		return
	}
	switch kind {
	case "section":
		c.section(at, b)
	case "actions":
		for at, e := range c.objects(at, b, "elements", 1, maxActionElements) {
			c.element(at, e, inActions)
		}
	case "context":
		for at, e := range c.objects(at, b, "elements", 1, maxContextElements) {
			if e["type"] == "image" {
				c.image(at, e)
			} else {
				c.textObject(at, e, 1, maxText, "mrkdwn", "plain_text")
			}
		}
	case "header":
		c.textField(at, b, "text", 1, maxHeaderText, "plain_text")
	case "divider":
	case "image":
		c.image(at, b)
		if b["title"] != nil {
			c.textField(at, b, "title", 1, maxImageTitle, "plain_text")
		}
	case "markdown":
		n := utf8.RuneCountInString(c.text(at, b, "text", 1, maxMarkdownText))
		c.markdown += n
		c.total += n
	case "table":
		c.table(at, b)
	case "data_table":
		c.dataTable(at, b)
	case "rich_text":
		for range c.objects(at, b, "elements", 1, maxBlocks) { // what is inside is not checked
		}
	case "context_actions":
		for range c.objects(at, b, "elements", 1, maxContextActions) { // what is inside is not checked
		}
	case "input":
		c.input(at, b)
	case "file", "video":
		// Slack knows them; no limit of theirs is kept here.
	default:
		c.wrong(at+"/type", "unsupported type: %v", b["type"])
	}
}

func (c *checker) section(at string, b object) {
	if b["text"] == nil && b["fields"] == nil {
		c.wrong(at, "missing required field: text or fields")
	}
	if b["text"] != nil {
		c.textField(at, b, "text", 1, maxSectionText, "mrkdwn", "plain_text")
	}
	if b["fields"] != nil {
		for at, f := range c.objects(at, b, "fields", 1, maxSectionFields) {
			c.textObject(at, f, 1, maxFieldText, "mrkdwn", "plain_text")
		}
	}
	if b["accessory"] == nil {
		return
	}
	at += "/accessory"
	if e, ok := b["accessory"].(object); ok {
		c.element(at, e, inSection)
	} else {
		c.wrong(at, "must be an object")
	}
}

func (c *checker) image(at string, b object) {
	url, file := b["image_url"], b["slack_file"]
	switch {
	case url != nil && file != nil:
		c.wrong(at, "must have only one of: image_url, slack_file")
	case file != nil:
		c.slackFile(at+"/slack_file", file)
	default:
		c.text(at, b, "image_url", 1, maxImageURL)
	}
	c.text(at, b, "alt_text", 1, maxImageAlt)
}

// Where an element stands decides which are allowed there.
const (
	inActions = "actions"
	inSection = "section"
	inInput   = "input"
)

// elementTypes are the elements that actions and section blocks take.
var elementTypes = []string{
	"button", "checkboxes", "datepicker", "overflow", "radio_buttons", "timepicker", "workflow_button",
	"static_select", "external_select", "users_select", "conversations_select", "channels_select",
	"multi_static_select", "multi_external_select", "multi_users_select", "multi_conversations_select", "multi_channels_select",
}

func (c *checker) element(at string, e object, where string) {
	kind, _ := e["type"].(string)
	switch {
	case kind == "image" && where == inSection:
		c.image(at, e)
		return
	case kind == "datetimepicker" && where == inActions:
	case where == inInput && slices.Contains(inputTypes, kind):
	case where == inInput, !slices.Contains(elementTypes, kind):
		c.wrong(at+"/type", "unsupported type: %v", e["type"])
		return
	}
	if id := c.text(at, e, "action_id", 0, maxActionID); id != "" {
		if c.actionIDs[id] {
			c.wrong(at+"/action_id", "action_id %q already exists", id)
		}
		c.actionIDs[id] = true
	}
	if e["confirm"] != nil {
		c.confirm(at, e)
	}
	switch kind {
	case "button":
		c.textField(at, e, "text", 1, maxButtonText, "plain_text")
		c.text(at, e, "value", 0, maxButtonValue)
		c.text(at, e, "url", 0, maxButtonURL)
		c.text(at, e, "accessibility_label", 0, maxButtonLabel)
		if style, given := e["style"]; given && style != "primary" && style != "danger" {
			c.wrong(at+"/style", "must be one of: primary, danger")
		}
	case "overflow":
		c.options(at, e, maxOverflowOptions, "plain_text")
	case "plain_text_input":
		c.textInput(at, e)
	case "datepicker":
		c.datePicker(at, e)
	case "radio_buttons":
		c.options(at, e, maxRadioOptions, "plain_text", "mrkdwn")
		c.initialOption(at, e)
	case "static_select", "multi_static_select":
		c.placeholder(at, e)
		if e["option_groups"] == nil {
			c.options(at, e, maxSelectOptions, "plain_text")
		} else {
			for at, g := range c.objects(at, e, "option_groups", 1, maxSelectOptions) {
				c.textField(at, g, "label", 1, maxOptionText, "plain_text")
				c.options(at, g, maxSelectOptions, "plain_text")
			}
		}
		c.initialOption(at, e)
	}
}

// options checks the options of an element or option group; kinds are the text objects that may name them.
func (c *checker) options(at string, e object, most int, kinds ...string) {
	for at, o := range c.objects(at, e, "options", 1, most) {
		c.textField(at, o, "text", 1, maxOptionText, kinds...)
		c.text(at, o, "value", 1, maxOptionValue)
		if o["description"] != nil {
			c.textField(at, o, "description", 1, maxOptionText, kinds...)
		}
	}
}

func (c *checker) confirm(at string, e object) {
	at += "/confirm"
	d, ok := e["confirm"].(object)
	if !ok {
		c.wrong(at, "must be an object")
		return
	}
	c.textField(at, d, "title", 1, maxConfirmTitle, "plain_text")
	c.textField(at, d, "text", 1, maxConfirmText, "plain_text", "mrkdwn")
	c.textField(at, d, "confirm", 1, maxConfirmButton, "plain_text")
	c.textField(at, d, "deny", 1, maxConfirmButton, "plain_text")
}

// text checks a string field of b and returns it. A minimum above zero makes it required.
func (c *checker) text(at string, b object, key string, least, most int) string {
	v, given := b[key]
	if !given && least == 0 {
		return ""
	}
	s, ok := v.(string)
	switch n := utf8.RuneCountInString(s); {
	case !given:
		c.wrong(at, "missing required field: %s", key)
	case !ok:
		c.wrong(at+"/"+key, "must be a string")
	case n < least:
		c.wrong(at+"/"+key, "must be more than %d characters", least-1)
	case n > most:
		c.wrong(at+"/"+key, "must be less than %d characters", most+1)
	}
	return s
}

// number checks a whole-number field that may be absent, and returns it with whether it is there and good.
func (c *checker) number(at string, b object, key string, least, most int) (int, bool) {
	v, given := b[key]
	if !given {
		return 0, false
	}
	n, _ := v.(json.Number)
	i, err := strconv.Atoi(n.String())
	if err != nil || i < least || i > most {
		c.wrong(at+"/"+key, "must be a number from %d to %d", least, most)
		return 0, false
	}
	return i, true
}

func (c *checker) textField(at string, b object, key string, least, most int, kinds ...string) {
	at += "/" + key
	if t, ok := b[key].(object); ok {
		c.textObject(at, t, least, most, kinds...)
	} else {
		c.wrong(at, "must be a text object")
	}
}

func (c *checker) textObject(at string, t object, least, most int, kinds ...string) {
	kind, _ := t["type"].(string)
	if !slices.Contains(kinds, kind) {
		c.wrong(at+"/type", "must be one of: %s", strings.Join(kinds, ", "))
	}
	if _, emoji := t["emoji"]; emoji && kind == "mrkdwn" {
		c.wrong(at+"/emoji", "emoji is for plain_text only")
	}
	c.total += utf8.RuneCountInString(c.text(at, t, "text", least, most))
}

func (c *checker) list(at string, b object, key string, least, most int) []any {
	l, ok := b[key].([]any)
	switch {
	case !ok:
		c.wrong(at, "missing required field: %s", key)
	case len(l) < least:
		c.wrong(at+"/"+key, "no fewer than %d items allowed", least)
	case len(l) > most:
		c.wrong(at+"/"+key, "no more than %d items allowed", most)
	}
	return l
}

// objects yields the objects of an array field, each with its place.
func (c *checker) objects(at string, b object, key string, least, most int) func(yield func(string, object) bool) {
	return func(yield func(string, object) bool) {
		for i, v := range c.list(at, b, key, least, most) {
			at := fmt.Sprintf("%s/%s/%d", at, key, i)
			o, ok := v.(object)
			if !ok {
				c.wrong(at, "must be an object")
			} else if !yield(at, o) {
				return
			}
		}
	}
}

// fillIDs gives every block a block_id and every interactive element an action_id.
func fillIDs(blocks []any) json.RawMessage {
	for _, b := range blocks {
		b := b.(object)
		if b["block_id"] == nil || b["block_id"] == "" {
			b["block_id"] = shortID()
		}
		for _, e := range interactive(b) {
			if e["action_id"] == nil || e["action_id"] == "" {
				e["action_id"] = shortID()
			}
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // keep <@U…> readable
	if err := enc.Encode(blocks); err != nil {
		panic("slacksim: encoding blocks that were just decoded: " + err.Error())
	}
	return bytes.TrimSpace(out.Bytes())
}

// interactive returns what can be acted on in a block.
func interactive(b object) []object {
	var found []object
	if e, ok := b["accessory"].(object); ok && e["type"] != "image" {
		found = append(found, e)
	}
	if e, ok := b["element"].(object); ok && b["type"] == "input" {
		found = append(found, e)
	}
	if list, ok := b["elements"].([]any); ok && b["type"] == "actions" {
		for _, e := range list {
			if e, ok := e.(object); ok {
				found = append(found, e)
			}
		}
	}
	return found
}

// shortID is five characters, as Slack makes them.
func shortID() string { return rand.Text()[:5] }

// decode keeps numbers as they were written.
func decode(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return d.Decode(into)
}
