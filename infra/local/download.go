package local

import (
	"cmp"
	"mime"
	"net/http"
	"slices"
)

// pictureTypes are those that the page shows. An SVG, which may hold a script, is none.
var pictureTypes = []string{"image/png", "image/jpeg", "image/gif", "image/webp"}

// harmless is the policy of what others wrote: opened by itself, it can do nothing.
const harmless = "sandbox; default-src 'none'; frame-ancestors 'none'"

// serveFile sends a file of the workspace.
func (w *World) serveFile(rw http.ResponseWriter, r *http.Request) {
	f, data, found := w.Slack.File(r.PathValue("id"))
	if !found {
		writeRefusal(rw, http.StatusNotFound, "file_not_found", "This workspace has no such file.")
		return
	}
	writeFile(rw, f.Name, f.MIME, data)
}

// writeFile sends a picture to be shown, anything else to be kept.
func writeFile(rw http.ResponseWriter, name, kind string, data []byte) {
	h := rw.Header()
	h.Set("Content-Security-Policy", harmless)
	h.Set("Content-Type", kind)
	if !slices.Contains(pictureTypes, kind) {
		kept := mime.FormatMediaType("attachment", map[string]string{"filename": name})
		h.Set("Content-Disposition", cmp.Or(kept, "attachment"))
	}
	rw.Write(data) // a page that has gone needs no answer
}
