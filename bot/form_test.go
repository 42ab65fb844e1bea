package bot

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzSlashForm: reading only some fields of a form gives what reading all of
// it would.
func FuzzSlashForm(f *testing.F) {
	f.Add(recorded(f, "slash.form"))
	f.Add("command=%2Fec2-pass&text=web-1+%26+more&user_id=U1&trigger_id=1&text=second&user_id=U2")
	f.Add("command=/ec2-pass&user_id=U1&trigger_id=1&text=%zz")
	f.Add("command=/ec2-pass&user_id=U1&trigger_id=1&other=%zz")
	f.Add("command=/ec2-pass&user_id&trigger_id=1")
	f.Add("=&&text==a=b")
	f.Fuzz(func(t *testing.T, body string) {
		all, err := url.ParseQuery(body)
		name, r, readErr := slashForm(body)
		if err != nil || strings.ContainsAny(names(body), "%+") {
			return // not what Slack sends: its fields' names need no escapes
		}
		first := func(key string) string {
			n := slices.IndexFunc(all[key], func(value string) bool { return value != "" })
			if n < 0 {
				return ""
			}
			return all[key][n]
		}
		if whole := first("command") != "" && first("user_id") != "" && first("trigger_id") != ""; whole != (readErr == nil) {
			t.Fatalf("%q: %v", body, readErr)
		}
		if readErr == nil && (name != first("command") || r.User != first("user_id") || r.ID != first("trigger_id") ||
			r.Text != first("text") || r.Channel != first("channel_id") || r.ResponseURL != first("response_url")) {
			t.Fatalf("%q was read as %q %+v", body, name, r)
		}
	})
}

// names gives the names of a form's fields, one after another.
func names(body string) string {
	var all strings.Builder
	for pair := range strings.SplitSeq(body, "&") {
		name, _, _ := strings.Cut(pair, "=")
		all.WriteString(name)
	}
	return all.String()
}
