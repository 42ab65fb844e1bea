package bot

import (
	"net/url"
	"testing"
)

// FuzzSlashForm: reading only some fields of a form gives what reading all of
// it would.
func FuzzSlashForm(f *testing.F) {
	f.Add(recorded(f, "slash.form"))
	f.Add("command=%2Fec2-pass&text=web-1+%26+more&user_id=U1&trigger_id=1&text=second")
	f.Add("command=/ec2-pass&user_id=U1&trigger_id=1&text=%zz")
	f.Add("command=/ec2-pass&user_id=&trigger_id&user_id=U2")
	f.Add("=&&text==a=b")
	f.Fuzz(func(t *testing.T, body string) {
		all, err := url.ParseQuery(body)
		if err != nil {
			return // what is not a form may be passed over, where it is not read
		}
		name, r, err := slashForm(body)
		whole := all.Get("command") != "" && all.Get("user_id") != "" && all.Get("trigger_id") != ""
		if err != nil {
			if whole && !escapedNames(body) {
				t.Fatalf("%q: %v", body, err)
			}
			return
		}
		if name != all.Get("command") || r.User != all.Get("user_id") || r.Text != all.Get("text") || r.ID != all.Get("trigger_id") {
			t.Fatalf("%q was read as %q %+v", body, name, r)
		}
	})
}
