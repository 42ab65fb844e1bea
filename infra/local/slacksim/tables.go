package slacksim

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// The limits of tables.
const (
	maxTableRows  = 100 // https://docs.slack.dev/reference/block-kit/blocks/table-block
	maxTableCells = 20  // in a row; as many column_settings

	// maxTableText is the sum of all cells, in characters. With one table in a message it is the message's as well.
	maxTableText = 10_000

	// The first limits of data_table. Slack has since doubled maxDataRows and maxTableText for it: what keeps to these is taken
	// everywhere. https://docs.slack.dev/reference/block-kit/blocks/data-table-block
	minDataRows     = 2   // the header and one of data
	maxDataRows     = 101 // the header and 100 of data
	maxDataPageSize = 100
)

// table takes no raw_number: Slack did not for long and documents it now, and raw_text is taken by both.
func (c *checker) table(at string, b object) {
	c.tables++
	c.rows(at, b, 1, maxTableRows, "raw_text", "rich_text")
	if b["column_settings"] == nil {
		return
	}
	for i, setting := range c.list(at, b, "column_settings", 0, maxTableCells) {
		if setting != nil { // null skips a column
			c.columnSetting(fmt.Sprintf("%s/column_settings/%d", at, i), setting)
		}
	}
}

func (c *checker) columnSetting(at string, v any) {
	setting, ok := v.(object)
	if !ok {
		c.wrong(at, "must be an object")
		return
	}
	if align, given := setting["align"]; given && align != "left" && align != "center" && align != "right" {
		c.wrong(at+"/align", "must be one of: left, center, right")
	}
	if wrapped, given := setting["is_wrapped"]; given {
		if _, ok := wrapped.(bool); !ok {
			c.wrong(at+"/is_wrapped", "must be a boolean")
		}
	}
}

// dataTable takes no action_cell, which Slack does: here nobody could press it.
func (c *checker) dataTable(at string, b object) {
	c.tables++
	c.text(at, b, "caption", 1, maxText)
	rows := c.rows(at, b, minDataRows, maxDataRows, "raw_text", "raw_number", "rich_text")
	columns := 0
	for i, row := range rows {
		if i == 0 {
			columns = len(row)
			c.header(at+"/rows/0", row)
		} else if len(row) != columns {
			c.wrong(fmt.Sprintf("%s/rows/%d", at, i), "must have as many cells as the header: %d", columns)
		}
	}
	c.number(at, b, "page_size", 1, maxDataPageSize)
	c.number(at, b, "row_header_column_index", 0, max(columns-1, 0))
}

func (c *checker) header(at string, row []any) {
	for i, v := range row {
		if cell, ok := v.(object); ok && cell["type"] != "raw_text" {
			c.wrong(fmt.Sprintf("%s/%d/type", at, i), "must be one of: raw_text")
		}
	}
}

// rows checks the rows of a table, whose cells may be of the given kinds, and returns them.
func (c *checker) rows(at string, b object, least, most int, kinds ...string) [][]any {
	var rows [][]any
	length := 0
	for i, v := range c.list(at, b, "rows", least, most) {
		at := fmt.Sprintf("%s/rows/%d", at, i)
		row, ok := v.([]any)
		if !ok || len(row) == 0 || len(row) > maxTableCells {
			c.wrong(at, "must be an array of 1 to %d cells", maxTableCells)
		}
		for i, v := range row {
			length += c.cell(fmt.Sprintf("%s/%d", at, i), v, kinds)
		}
		rows = append(rows, row)
	}
	if length > maxTableText {
		c.wrong(at+"/rows", "cells together must be less than %d characters", maxTableText+1)
	}
	return rows
}

// cell checks one cell and returns the number of its characters. That a number without a text counts as it is written is
// inferred.
func (c *checker) cell(at string, v any, kinds []string) int {
	cell, _ := v.(object)
	kind, _ := cell["type"].(string)
	if !slices.Contains(kinds, kind) {
		c.wrong(at+"/type", "must be one of: %s", strings.Join(kinds, ", "))
		return 0
	}
	switch kind {
	case "raw_text":
		return utf8.RuneCountInString(c.text(at, cell, "text", 1, maxTableText))
	case "raw_number":
		value, ok := cell["value"].(json.Number)
		if !ok {
			c.wrong(at+"/value", "must be a number")
		}
		if cell["text"] != nil {
			return utf8.RuneCountInString(c.text(at, cell, "text", 1, maxTableText))
		}
		return len(value)
	default: // rich_text, of which only the length of its texts is checked
		c.list(at, cell, "elements", 1, maxBlocks)
		return c.richText(at, cell)
	}
}

// richText returns the characters of all texts in v: an empty one is refused.
func (c *checker) richText(at string, v any) int {
	length := 0
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			length += c.richText(fmt.Sprintf("%s/%d", at, i), e)
		}
	case object:
		if v["type"] == "text" || v["text"] != nil {
			return utf8.RuneCountInString(c.text(at, v, "text", 1, maxTableText))
		}
		length = c.richText(at+"/elements", v["elements"])
	}
	return length
}
