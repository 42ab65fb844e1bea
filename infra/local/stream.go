package local

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// stillThere is how often a silent stream says so, for the page to notice a world that has gone.
const stillThere = 15 * time.Second

// serveStream sends snapshots as server-sent events, one now and one whenever something changed, as the person in "as"
// sees them; the first of the cast if nobody is named.
// https://html.spec.whatwg.org/multipage/server-sent-events.html
func (w *World) serveStream(rw http.ResponseWriter, r *http.Request) {
	viewer := r.URL.Query().Get("as")
	everybody := cast()
	if viewer == "" {
		viewer = everybody[0].ID
	}
	if !slices.ContainsFunc(everybody, func(p person) bool { return p.ID == viewer }) {
		writeRefusal(rw, http.StatusNotFound, "user_not_found", fmt.Sprintf("nobody here is %q", viewer))
		return
	}
	rw.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(rw)
	changes := w.subscribe(r.Context())
	pulse := time.NewTicker(stillThere)
	defer pulse.Stop()
	for {
		state, err := json.Marshal(w.snapshot(viewer))
		if err != nil {
			panic("local: a snapshot can't be encoded: " + err.Error()) // unreachable: blocks were JSON when they came
		}
		if _, err := fmt.Fprintf(rw, "data: %s\n\n", state); err != nil {
			return // the page was closed
		}
		if err := out.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-changes:
		case <-pulse.C:
		}
	}
}
