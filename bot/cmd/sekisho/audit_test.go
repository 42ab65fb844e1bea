package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"sekisho/auth"
)

const trailLog = "sekisho:{trail}:log"

// tampered is what `sekisho audit verify` says of a trail that is not whole.
func (w *world) tampered(args ...string) string {
	w.t.Helper()
	p := w.run(append([]string{"audit", "verify"}, args...))
	if code := p.end(); code != 1 {
		w.t.Errorf("audit verify ended with %d: %s", code, p.said)
	}
	return p.said.String()
}

func TestTheTrailCannotBeQuietlyEdited(t *testing.T) {
	w := open(t, "enforce", "stop")
	if text := w.audited("verify"); !strings.Contains(text, "The trail is empty") {
		t.Errorf("before anything happened: %s", text)
	}
	bot := w.serve()
	for _, name := range []string{"web-1", "gpu-1", "db-1"} {
		w.pass(hana, name)
	}
	w.audit("is whole")
	printed := filepath.Join(t.TempDir(), "log")
	w.do(os.WriteFile(printed, []byte(bot.said.String()), 0o600))
	if text := w.audited("verify", "--log", printed); !strings.Contains(text, "It agrees with the 4 entries") {
		t.Errorf("against what was printed: %s", text)
	}

	client := redis.NewClient(&redis.Options{Addr: w.redis})
	defer client.Close()
	all, err := client.XRange(w.ctx, trailLog, "-", "+").Result()
	w.do(err)
	if len(all) != 4 {
		t.Fatalf("%d entries: a policy and three passes should be there", len(all))
	}
	third, last := all[2], all[3]
	restore := func(m redis.XMessage) {
		// A stream takes no entry in its middle: what came behind is put back as well.
		w.do(client.XTrimMinID(w.ctx, trailLog, "9999999").Err())
		w.do(client.Del(w.ctx, trailLog).Err())
		for _, e := range all {
			if e.ID == m.ID {
				e = m
			}
			w.do(client.XAdd(w.ctx, &redis.XAddArgs{Stream: trailLog, ID: e.ID, Values: e.Values}).Err())
		}
	}

	w.do(client.XDel(w.ctx, trailLog, third.ID).Err())
	if text := w.tampered(); !strings.Contains(text, "after entry 2 comes 4") {
		t.Errorf("an entry was dropped: %s", text)
	}
	edited := third
	edited.Values = map[string]any{"e": strings.Replace(third.Values["e"].(string), hana, ben, 1)}
	restore(edited)
	if text := w.tampered(); !strings.Contains(text, "entry 3 (pass.issue") || !strings.Contains(text, "was edited") {
		t.Errorf("an entry was edited: %s", text)
	}
	restore(third)
	w.audit("is whole")
	w.do(client.XDel(w.ctx, trailLog, last.ID).Err())
	if text := w.tampered(); !strings.Contains(text, "entries at the end were dropped") {
		t.Errorf("the last entry was dropped: %s", text)
	}
	// Whoever sets the head back, too, is found by the lines that the bot printed.
	var before auth.Entry
	w.do(json.Unmarshal([]byte(third.Values["e"].(string)), &before))
	w.do(client.HSet(w.ctx, "sekisho:{trail}:head", "seq", before.Seq, "hash", before.Hash).Err())
	w.audit("is whole")
	if text := w.tampered("--log", printed); !strings.Contains(text, "are gone (numbers [4])") {
		t.Errorf("against what was printed: %s", text)
	}
}

func TestTheTrailIsExported(t *testing.T) {
	w := open(t, "enforce", "stop")
	w.serve()
	w.command(hana, "web-1 for =HYPERLINK(1)")
	csv := w.audited("export", "--format", "csv")
	if !strings.HasPrefix(csv, "seq,time,act,outcome,") || !strings.Contains(csv, ",'=HYPERLINK(1),") {
		t.Errorf("as a table, where a reason must not be a formula: %s", csv)
	}
	if text := w.audited("find", "--user", hana); !strings.Contains(text, "pass.issue") {
		t.Errorf("of one person: %s", text)
	}
	if text := w.audited("find", "--instance", w.instance("db-1").ID); !strings.Contains(text, "nothing since") {
		t.Errorf("of an instance of which there is nothing: %s", text)
	}
}
