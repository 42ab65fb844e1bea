package local

import (
	"bytes"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"
)

const (
	trailLength = 500      // entries that are kept; the oldest go first
	maxLine     = 64 << 10 // bytes; no entry is nearly as long
)

// trailEntry is what the page shows of an entry of the bot's trail, by the names of auth.Entry.
type trailEntry struct {
	Seq       int64     `json:"seq"`
	Time      time.Time `json:"time"`
	Act       string    `json:"act"`     // "pass.issue"
	Outcome   string    `json:"outcome"` // "done" or "refused"
	Decided   string    `json:"decided_by,omitempty"`
	Submitted string    `json:"submitted_by,omitempty"`
	Instance  string    `json:"instance,omitempty"`
	Request   string    `json:"request,omitempty"`
	Key       string    `json:"key,omitempty"`
	IAMUser   string    `json:"iam_user,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Rule      string    `json:"rule,omitempty"`
	Note      string    `json:"note,omitempty"`
}

// TrailWriter takes what the bot writes on stdout: its trail, a line of JSON for each entry. Other lines are passed over, and
// so is an entry without a number, which comes again when it has one. Each bot needs a writer of its own.
func (w *World) TrailWriter() io.Writer { return &trailWriter{world: w} }

type trailWriter struct {
	world *World

	mu   sync.Mutex
	rest []byte // the beginning of a line
}

func (t *trailWriter) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rest = append(t.rest, p...)
	for {
		line, rest, whole := bytes.Cut(t.rest, []byte("\n"))
		if !whole {
			break
		}
		t.rest = rest
		t.world.read(line)
	}
	if len(t.rest) > maxLine {
		t.rest = nil
	}
	return len(p), nil
}

// read takes one line.
func (w *World) read(line []byte) {
	var e trailEntry
	if json.Unmarshal(line, &e) != nil || e.Seq == 0 || e.Act == "" {
		return
	}
	w.mu.Lock()
	w.trail = append(w.trail, e)
	if extra := len(w.trail) - trailLength; extra > 0 {
		w.trail = slices.Delete(w.trail, 0, extra)
	}
	w.mu.Unlock()
	w.changed()
}

// entries is the trail, oldest first.
func (w *World) entries() []trailEntry {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]trailEntry{}, w.trail...) // never null on the page
}
