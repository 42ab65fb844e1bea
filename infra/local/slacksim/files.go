package slacksim

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	// maxFile is the largest file that is taken, in bytes, since it is kept in memory. Slack takes 1 GB.
	maxFile = 16 << 20

	maxAltTxt = 1_000 // characters; https://docs.slack.dev/reference/methods/files.getUploadURLExternal
)

// File is a file that was uploaded and completed. It is seen where a message shares or shows it; otherwise it is the bot's own.
type File struct {
	ID    string    // "F0ABCDEFGH"
	Name  string    // "keys.csv"
	Title string    // the name again when the bot gave none
	MIME  string    // "text/csv"; that of a picture tells what its bytes are
	Size  int       // bytes
	At    time.Time // of its completion
}

// file is a file on its way through the three steps of an upload.
type file struct {
	File
	data []byte // nil until they came
	done bool   // completed: until then nobody sees it
}

// File returns a file and its bytes, which are not to be changed, and whether there is one that was completed.
func (w *Workspace) File(id string) (File, []byte, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.files[id]; f != nil && f.done {
		return f.File, f.data, true
	}
	return File{}, nil, false
}

// filesGetUploadURL is the first step: a file is announced.
// https://docs.slack.dev/reference/methods/files.getUploadURLExternal
func filesGetUploadURL(w *Workspace, a args) (result, error) {
	size, err := strconv.Atoi(a["length"])
	switch {
	case a["filename"] == "" || a["length"] == "" || a["length"] == "0":
		return nil, fail("missing_argument")
	case err != nil || size < 0:
		return nil, fail("invalid_arguments", "[ERROR] must be a number of bytes [json-pointer:/length]")
	case size > maxFile:
		return nil, fail("file_upload_size_restricted")
	case utf8.RuneCountInString(a["alt_txt"]) > maxAltTxt:
		return nil, fail("alt_txt_too_large")
	}
	f := &file{File: File{ID: "F0" + rand.Text()[:9], Name: a["filename"], Size: size}}
	token := rand.Text()
	w.files[f.ID], w.uploads[token] = f, f
	return result{"upload_url": w.base + "/upload/" + token, "file_id": f.ID}, nil
}

// serveUpload is POST /upload/<token>, the second step: the bytes. It takes w.mu itself.
func (w *Workspace) serveUpload(rw http.ResponseWriter, r *http.Request) {
	call := Call{Method: UploadURL}
	n, err := w.receive(rw, r)
	if err != nil {
		w.refuse(rw, call, err)
		return
	}
	w.record(call)
	rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(rw, "OK - %d", n)
}

// receive takes the bytes of an announced file. Slack documents no refusal but that its status is not 200; that one which was
// refused can be sent again is inferred.
func (w *Workspace) receive(rw http.ResponseWriter, r *http.Request) (int, error) {
	data, err := readUpload(rw, r)
	if err != nil {
		return 0, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.faults.next(UploadURL); err != nil {
		return 0, err
	}
	token := r.PathValue("token")
	f := w.uploads[token]
	switch {
	case f == nil:
		return 0, fail("expired_url")
	case len(data) != f.Size:
		return 0, fail("invalid_payload", fmt.Sprintf("[ERROR] %d bytes came and %d were announced", len(data), f.Size))
	}
	delete(w.uploads, token)
	f.data, f.MIME = data, mimeType(f.Name, data)
	return len(data), nil
}

// readUpload reads a file sent as it is, or as the first file of a multipart form.
func readUpload(rw http.ResponseWriter, r *http.Request) ([]byte, error) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxFile+maxBody)
	form, err := r.MultipartReader()
	if errors.Is(err, http.ErrNotMultipart) {
		return io.ReadAll(r.Body)
	}
	for err == nil {
		var part *multipart.Part
		if part, err = form.NextPart(); err == nil && part.FileName() != "" {
			return io.ReadAll(part)
		}
	}
	return nil, fmt.Errorf("looking for a file in the form: %w", err)
}

// filesComplete is the third step: the files appear, in a channel or, without one, as the bot's own. A refused call
// changes nothing.
// https://docs.slack.dev/reference/methods/files.completeUploadExternal
func filesComplete(w *Workspace, a args) (result, error) {
	if a["channels"] != "" || a["blocks"] != "" {
		return nil, fail("invalid_arguments", "[ERROR] this workspace shares files with channel_id and initial_comment only")
	}
	var named []struct {
		ID    string `json:"id"`
		Title string `json:"title"`
	}
	if err := json.Unmarshal([]byte(a["files"]), &named); err != nil || len(named) == 0 {
		return nil, fail("invalid_arguments", "[ERROR] must be an array of files [json-pointer:/files]")
	}
	var done []*file
	for _, n := range named {
		f := w.files[n.ID]
		// That "can only be called once" ends in this code is inferred: the upload is no more to be found.
		if f == nil || f.data == nil || f.done || slices.Contains(done, f) {
			return nil, fail("file_not_found")
		}
		done = append(done, f)
	}
	m, err := w.share(a)
	if err != nil {
		return nil, err
	}
	wire := []any{}
	for i, f := range done {
		f.done, f.Title, f.At = true, named[i].Title, w.opts.Now()
		setDefault(&f.Title, f.Name)
		m.Files = append(m.Files, f.File)
		wire = append(wire, w.wireFile(f.File))
	}
	if m.Channel != "" {
		w.add(m)
	}
	return result{"files": wire}, nil
}

// share prepares the message that shares files. Without channel_id it has no channel.
func (w *Workspace) share(a args) (Message, error) {
	m := Message{User: w.bot.ID, Text: a["initial_comment"]}
	if a["channel_id"] == "" {
		return m, nil
	}
	r, err := w.openRoom(a["channel_id"])
	if err != nil {
		return m, err
	}
	m.Channel = r.ID
	if m.ThreadTS, err = w.thread(r, a["thread_ts"]); err != nil {
		return m, err
	}
	if utf8.RuneCountInString(m.Text) > maxPostText {
		return m, fail("msg_too_long")
	}
	return m, w.pace(r.ID) // that a share is paced as any message is inferred
}

// shownTypes are those that an image can show.
var shownTypes = []string{"image/png", "image/jpeg", "image/gif"}

// slackFile checks the file that an image shows.
// https://docs.slack.dev/reference/block-kit/composition-objects/slack-file-object
func (c *checker) slackFile(at string, v any) {
	ref, _ := v.(object)
	if (ref["id"] == nil) == (ref["url"] == nil) {
		c.wrong(at, "must have one of: id, url")
		return
	}
	f := c.w.shown(ref)
	good := f != nil && slices.Contains(shownTypes, f.MIME)
	if good && !c.tooSoon && c.w.faults.filesUnready > 0 {
		c.w.faults.filesUnready-- // once for a post, however many files it shows
		c.tooSoon = true
	}
	if !good || c.tooSoon {
		c.wrong(at, "invalid slack file")
	}
}

// shown finds the completed file that an image means by its id, or by one of its two addresses.
func (w *Workspace) shown(ref object) *file {
	for _, f := range w.files {
		if f.done && (ref["id"] == f.ID || ref["url"] == w.privateURL(f.File) || ref["url"] == w.permalink(f.File)) {
			return f
		}
	}
	return nil
}

// The addresses of a file are Slack's own, so that nothing can be fetched there.

func (w *Workspace) privateURL(f File) string {
	return fmt.Sprintf("https://files.slack.com/files-pri/%s-%s/%s", w.opts.TeamID, f.ID, url.PathEscape(f.Name))
}

func (w *Workspace) permalink(f File) string {
	return fmt.Sprintf("https://%s.slack.com/files/%s/%s/%s", teamDomain, w.bot.ID, f.ID, url.PathEscape(f.Name))
}

// wireFile is the file as the Web API and interaction payloads show it.
func (w *Workspace) wireFile(f File) map[string]any {
	return map[string]any{
		"id": f.ID, "name": f.Name, "title": f.Title, "mimetype": f.MIME, "size": f.Size, "mode": "hosted",
		"created": f.At.Unix(), "timestamp": f.At.Unix(), "user": w.bot.ID,
		"url_private": w.privateURL(f), "permalink": w.permalink(f),
	}
}

// textTypes are those of files that the bytes alone do not tell from other text.
var textTypes = map[string]string{".csv": "text/csv", ".json": "application/json", ".md": "text/markdown"}

func mimeType(name string, data []byte) string {
	found, _, _ := mime.ParseMediaType(http.DetectContentType(data))
	if t := textTypes[strings.ToLower(path.Ext(name))]; found == "text/plain" && t != "" {
		return t
	}
	return found
}
