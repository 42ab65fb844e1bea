package slacksim

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"
)

func jsonTable(kind string, rows, cells int, extra string) string {
	row := `[` + many(cells, jsonText("raw_text", "x")) + `]`
	return `{"type":"` + kind + `"` + extra + `,"rows":[` + many(rows, row) + `]}`
}

func jsonDataTable(rows, cells int, extra string) string {
	return jsonTable("data_table", rows, cells, `,"caption":"c"`+extra)
}

// jsonCells is a table of one row, and jsonData one of a header and one row.

func jsonCells(cells ...string) string {
	return `{"type":"table","rows":[[` + strings.Join(cells, ",") + `]]}`
}

func jsonData(header, row string) string {
	return `{"type":"data_table","caption":"c","rows":[[` + header + `],[` + row + `]]}`
}

func jsonRich(text string) string {
	return `{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[` + jsonText("text", text) + `]}]}`
}

// TestTableLimits is TestBlockLimits for tables.
func TestTableLimits(t *testing.T) {
	raw := jsonText("raw_text", "x")
	number := `{"type":"raw_number","value":-1.5}`
	for _, tc := range []struct{ name, good, bad, wrong string }{
		{"rows", jsonTable("table", 100, 2, ""), jsonTable("table", 101, 2, ""), "no more than 100 items allowed [json-pointer:/blocks/0/rows]"},
		{"no rows", jsonTable("table", 1, 2, ""), jsonTable("table", 0, 2, ""), "no fewer than 1 items allowed [json-pointer:/blocks/0/rows]"},
		{"cells", jsonTable("table", 1, 20, ""), jsonTable("table", 1, 21, ""), "must be an array of 1 to 20 cells [json-pointer:/blocks/0/rows/0]"},
		{"no cells", jsonTable("table", 1, 1, ""), jsonTable("table", 1, 0, ""), "must be an array of 1 to 20 cells [json-pointer:/blocks/0/rows/0]"},
		{"kinds of cells", jsonCells(raw, jsonRich("x")), jsonCells(raw, number), "must be one of: raw_text, rich_text [json-pointer:/blocks/0/rows/0/1/type]"},
		{"a cell that is none", jsonCells(raw), jsonCells("null"), "must be one of: raw_text, rich_text [json-pointer:/blocks/0/rows/0/0/type]"},
		{"an empty cell", jsonCells(jsonText("raw_text", " ")), jsonCells(jsonText("raw_text", "")), "must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]"},
		{"an empty rich cell", jsonCells(jsonRich(" ")), jsonCells(jsonRich("")), "must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/elements/0/elements/0/text]"},
		{"no rich elements", jsonCells(jsonRich("x")), jsonCells(`{"type":"rich_text","elements":[]}`), "no fewer than 1 items allowed [json-pointer:/blocks/0/rows/0/0/elements]"},
		{"text of all cells", jsonCells(jsonText("raw_text", long(6_000)), jsonRich(long(4_000))), jsonCells(jsonText("raw_text", long(6_000)), jsonRich(long(4_001))), "cells together must be less than 10001 characters [json-pointer:/blocks/0/rows]"},
		{"column settings", jsonTable("table", 1, 1, `,"column_settings":[`+many(20, `null`)+`]`), jsonTable("table", 1, 1, `,"column_settings":[`+many(21, `null`)+`]`), "no more than 20 items allowed [json-pointer:/blocks/0/column_settings]"},
		{"alignment", jsonTable("table", 1, 1, `,"column_settings":[{"align":"right"}]`), jsonTable("table", 1, 1, `,"column_settings":[{"align":""}]`), "must be one of: left, center, right [json-pointer:/blocks/0/column_settings/0/align]"},
		{"wrapping", jsonTable("table", 1, 1, `,"column_settings":[{"is_wrapped":true}]`), jsonTable("table", 1, 1, `,"column_settings":[{"is_wrapped":1}]`), "must be a boolean [json-pointer:/blocks/0/column_settings/0/is_wrapped]"},
		{"a setting that is none", jsonTable("table", 1, 1, `,"column_settings":[{}]`), jsonTable("table", 1, 1, `,"column_settings":["right"]`), "must be an object [json-pointer:/blocks/0/column_settings/0]"},

		{"data rows", jsonDataTable(101, 2, ""), jsonDataTable(102, 2, ""), "no more than 101 items allowed [json-pointer:/blocks/0/rows]"},
		{"a header alone", jsonDataTable(2, 2, ""), jsonDataTable(1, 2, ""), "no fewer than 2 items allowed [json-pointer:/blocks/0/rows]"},
		{"data columns", jsonDataTable(2, 20, ""), jsonDataTable(2, 21, ""), "must be an array of 1 to 20 cells [json-pointer:/blocks/0/rows/1]"},
		{"caption", jsonDataTable(2, 2, ""), jsonTable("data_table", 2, 2, ""), "missing required field: caption [json-pointer:/blocks/0]"},
		{"an empty caption", jsonDataTable(2, 2, ""), jsonTable("data_table", 2, 2, `,"caption":""`), "must be more than 0 characters [json-pointer:/blocks/0/caption]"},
		{"page", jsonDataTable(2, 2, `,"page_size":100`), jsonDataTable(2, 2, `,"page_size":101`), "must be a number from 1 to 100 [json-pointer:/blocks/0/page_size]"},
		{"an empty page", jsonDataTable(2, 2, `,"page_size":1`), jsonDataTable(2, 2, `,"page_size":0`), "must be a number from 1 to 100 [json-pointer:/blocks/0/page_size]"},
		{"row header", jsonDataTable(2, 2, `,"row_header_column_index":1`), jsonDataTable(2, 2, `,"row_header_column_index":2`), "must be a number from 0 to 1 [json-pointer:/blocks/0/row_header_column_index]"},
		{"a rich header", jsonData(raw, jsonRich("x")), jsonData(jsonRich("x"), raw), "must be one of: raw_text [json-pointer:/blocks/0/rows/0/0/type]"},
		{"a number as header", jsonData(raw, number), jsonData(number, number), "must be one of: raw_text [json-pointer:/blocks/0/rows/0/0/type]"},
		{"kinds of data", jsonData(raw, number), jsonData(raw, `{"type":"action_cell"}`), "must be one of: raw_text, raw_number, rich_text [json-pointer:/blocks/0/rows/1/0/type]"},
		{"a number", jsonData(raw, number), jsonData(raw, `{"type":"raw_number","value":"1"}`), "must be a number [json-pointer:/blocks/0/rows/1/0/value]"},
		{"text of a number", jsonData(raw, `{"type":"raw_number","value":1,"text":"1"}`), jsonData(raw, `{"type":"raw_number","value":1,"text":""}`), "must be more than 0 characters [json-pointer:/blocks/0/rows/1/0/text]"},
		{"rows of one length", jsonData(raw+","+raw, raw+","+raw), jsonData(raw+","+raw, raw), "must have as many cells as the header: 2 [json-pointer:/blocks/0/rows/1]"},
		{"text of all data", jsonData(jsonText("raw_text", long(9_996)), number), jsonData(jsonText("raw_text", long(9_997)), number), "cells together must be less than 10001 characters [json-pointer:/blocks/0/rows]"},
		{"text over numbers", jsonData(jsonText("raw_text", long(9_999)), `{"type":"raw_number","value":1000,"text":"k"}`), jsonData(jsonText("raw_text", long(9_999)), `{"type":"raw_number","value":1000,"text":"1k"}`), "cells together must be less than 10001 characters [json-pointer:/blocks/0/rows]"},
	} {
		t.Run(tc.name, func(t *testing.T) { tryLimit(t, New(Options{}), tc.good, tc.bad, tc.wrong) })
	}
}

func dataTable() *slack.DataTableBlock {
	return slack.NewDataTableBlock("Access keys", slack.DataTableBlockOptionBlockID("keys")).WithPageSize(10).
		AddRow(slack.NewDataTableRawTextCell("user"), slack.NewDataTableRawTextCell("age")).
		AddRow(slack.NewDataTableRawTextCell("deploy"), slack.NewDataTableRawNumberCell(91).WithText("91 days"))
}

func plainTable() *slack.TableBlock {
	right := slack.ColumnSetting{Align: slack.ColumnAlignmentRight}
	return slack.NewTableBlock("keys").WithColumnSettings(slack.ColumnSetting{Align: slack.ColumnAlignmentLeft, IsWrapped: true}, right).
		AddRow(slack.NewTableRawTextCell("user"), slack.NewTableRawTextCell("age")).
		AddRow(slack.NewTableRawTextCell("deploy"), slack.NewTableRichTextCell(
			slack.NewRichTextSection(slack.NewRichTextSectionTextElement("91", &slack.RichTextSectionTextStyle{Bold: true}))))
}

// TestTablesAsTheClientWritesThem posts what slack-go builds; it reaches the viewer as it was sent.
func TestTablesAsTheClientWritesThem(t *testing.T) {
	for name, block := range map[string]slack.Block{"table": plainTable(), "data_table": dataTable()} {
		w, api := open(t, Options{})
		if _, _, err := api.PostMessage("C0OPS", slack.MsgOptionBlocks(block)); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sent, err := json.Marshal([]slack.Block{block})
		if err != nil {
			t.Fatal(err)
		}
		var want, got any
		if err := errors.Join(json.Unmarshal(sent, &want), json.Unmarshal(only(t, w.Messages("C0OPS", "U0BEN")).Blocks, &got)); err != nil {
			t.Fatal(err)
		}
		if string(mustJSON(got)) != string(mustJSON(want)) {
			t.Errorf("%s: sent %s, got %s", name, mustJSON(want), mustJSON(got))
		}
	}
}

func TestOneTableInAMessage(t *testing.T) {
	_, api := open(t, Options{})
	second := slack.NewTableBlock("more").AddRow(slack.NewTableRawTextCell("x"))
	_, _, err := api.PostMessage("C0OPS", slack.MsgOptionBlocks(dataTable(), second))
	wantRefusal(t, err, "invalid_attachments", "[ERROR] only_one_table_allowed")
}

func TestUnknownBlocks(t *testing.T) {
	w, api := open(t, Options{})
	post := func(b slack.Block) error {
		_, _, err := api.PostMessage("C0OPS", text("fallback"), slack.MsgOptionBlocks(section("x"), b))
		return err
	}
	w.UnknownBlocks("data_table")
	wantRefusal(t, post(dataTable()), "invalid_blocks", "[ERROR] unsupported type: data_table [json-pointer:/blocks/1/type]")
	wantCode(t, "a table beside it", post(plainTable()), "")
	w.UnknownBlocks("data_table", "table")
	wantCode(t, "data_table where both are unknown", post(dataTable()), "invalid_blocks")
	wantRefusal(t, post(plainTable()), "invalid_blocks", "[ERROR] unsupported type: table [json-pointer:/blocks/1/type]")
	w.UnknownBlocks()
	wantCode(t, "data_table", post(dataTable()), "")
	wantCode(t, "table", post(plainTable()), "")
}

// wantRefusal wants what slack-go makes of a code and its only line.
func wantRefusal(t *testing.T, err error, code, line string) {
	t.Helper()
	refusal, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok || refusal.Err != code || !slices.Equal(refusal.ResponseMetadata.Messages, []string{line}) {
		t.Errorf("got %v %q, want %s %q", err, refusal.ResponseMetadata.Messages, code, line)
	}
}
