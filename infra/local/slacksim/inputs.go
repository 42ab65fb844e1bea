package slacksim

import (
	"reflect"
	"slices"
	"time"
)

// The limits of what a person fills in. Lengths are in characters.
const (
	maxInputLabel = 2_000 // and hint; https://docs.slack.dev/reference/block-kit/blocks/input-block
	maxInputText  = 3_000 // https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
)

// inputTypes are what a person of this workspace can fill in. Slack takes more kinds of elements in an input block; here they are
// refused when the view is opened rather than found unfillable later.
var inputTypes = []string{"plain_text_input", "static_select", "radio_buttons", "datepicker"}

func (c *checker) input(at string, b object) {
	c.textField(at, b, "label", 1, maxInputLabel, "plain_text")
	if b["hint"] != nil {
		c.textField(at, b, "hint", 1, maxInputLabel, "plain_text")
	}
	if v, given := b["optional"]; given {
		if _, ok := v.(bool); !ok {
			c.wrong(at+"/optional", "must be a boolean")
		}
	}
	if e, ok := b["element"].(object); ok {
		c.element(at+"/element", e, inInput)
	} else {
		c.wrong(at, "missing required field: element")
	}
}

func (c *checker) textInput(at string, e object) {
	c.placeholder(at, e)
	least, _ := c.number(at, e, "min_length", 0, maxInputText)
	most, given := c.number(at, e, "max_length", 1, maxInputText)
	if !given {
		most = maxInputText
	}
	if least > most {
		c.wrong(at+"/min_length", "must not be more than max_length")
	}
	c.text(at, e, "initial_value", 0, most)
}

func (c *checker) placeholder(at string, e object) {
	if e["placeholder"] != nil {
		c.textField(at, e, "placeholder", 1, maxPlaceholder, "plain_text")
	}
}

// initialOption must "exactly match" one of the options, all its fields included.
// https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
func (c *checker) initialOption(at string, e object) {
	initial, given := e["initial_option"]
	if given && !slices.ContainsFunc(options(e), func(o object) bool { return reflect.DeepEqual(any(o), initial) }) {
		c.wrong(at+"/initial_option", "must be one of the options")
	}
}

// datePicker: https://docs.slack.dev/reference/block-kit/block-elements/date-picker-element
func (c *checker) datePicker(at string, e object) {
	c.placeholder(at, e)
	if initial, given := e["initial_date"]; given {
		if s, _ := initial.(string); !isDate(s) {
			c.wrong(at+"/initial_date", "must be a date in the format YYYY-MM-DD")
		}
	}
}

func isDate(s string) bool {
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// options returns what can be picked in an element, grouped or not.
func options(e object) []object {
	var found []object
	groups, _ := e["option_groups"].([]any)
	for _, group := range append([]any{e}, groups...) {
		g, _ := group.(object)
		list, _ := g["options"].([]any)
		for _, o := range list {
			if o, ok := o.(object); ok {
				found = append(found, o)
			}
		}
	}
	return found
}
