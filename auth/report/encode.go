package report

import (
	"encoding/json"
	"fmt"
)

// readable is up to which size, in bytes, the file is laid out for people. It
// is half as long without, and a longer one is for programs.
const readable = 1 << 20

// Encode is the report as a file.
func (r Report) Encode() ([]byte, error) {
	text, err := json.Marshal(r)
	if err == nil && len(text) < readable {
		text, err = json.MarshalIndent(r, "", "  ")
	}
	if err != nil {
		return nil, fmt.Errorf("encoding the report: %w", err)
	}
	return append(text, '\n'), nil
}

// Decode reads a report's file. Keys that are not known are passed over: a newer
// Sekisho may have added them.
func Decode(text []byte) (*Report, error) {
	var r Report
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("not a report in JSON: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf(`not a report that is known here: its schema is %q, not %q`, r.Schema, Schema)
	}
	return &r, nil
}
