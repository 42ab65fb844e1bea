package slacksim

import (
	"bytes"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"
)

const csv = "user,age\ndeploy,91\n"

// picture is a PNG of one pixel.
func picture(t *testing.T) string {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func announce(t *testing.T, api *slack.Client, name string, size int) (id, address string) {
	t.Helper()
	u, err := api.GetUploadURLExternalContext(t.Context(), slack.GetUploadURLExternalParameters{FileName: name, FileSize: size})
	if err != nil {
		t.Fatal(err)
	}
	return u.FileID, u.UploadURL
}

// upload does the first two steps.
func upload(t *testing.T, api *slack.Client, name, data string) (id string) {
	t.Helper()
	id, address := announce(t, api, name, len(data))
	if err := send(t, api, address, data); err != nil {
		t.Fatal(err)
	}
	return id
}

// send uploads as slack-go does, which is multipart.
func send(t *testing.T, api *slack.Client, address, data string) error {
	return api.UploadToURL(t.Context(), slack.UploadToURLParameters{UploadURL: address, Reader: strings.NewReader(data), Filename: "any"})
}

// sendRaw uploads the bytes alone and returns the status and the answer.
func sendRaw(t *testing.T, address, data string) (int, string) {
	t.Helper()
	resp, err := http.Post(address, "application/octet-stream", strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// complete does the last step. Without a channel the files stay private.
func complete(t *testing.T, api *slack.Client, channel string, ids ...string) error {
	t.Helper()
	p := slack.CompleteUploadExternalParameters{Channel: channel}
	for _, id := range ids {
		p.Files = append(p.Files, slack.FileSummary{ID: id, Title: "Title of " + id})
	}
	_, err := api.CompleteUploadExternalContext(t.Context(), p)
	return err
}

func TestFileIsSharedInAThread(t *testing.T) {
	now := newClock()
	w, api := open(t, Options{Now: now.Now})
	_, parent, err := api.PostMessage("C0OPS", text("the report"))
	if err != nil {
		t.Fatal(err)
	}
	id := upload(t, api, "keys.csv", csv)
	now.Advance(time.Minute)
	done, err := api.CompleteUploadExternalContext(t.Context(), slack.CompleteUploadExternalParameters{
		Files: []slack.FileSummary{{ID: id, Title: "Access keys"}}, Channel: "C0OPS", ThreadTimestamp: parent, InitialComment: "as CSV",
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(done.Files) != 1 || done.Files[0] != (slack.FileSummary{ID: id, Title: "Access keys"}) {
		t.Errorf("the answer names %+v", done.Files)
	}
	want := File{ID: id, Name: "keys.csv", Title: "Access keys", MIME: "text/csv", Size: len(csv), At: now.Now()}
	all := w.Messages("C0OPS", "U0BEN")
	m := all[len(all)-1]
	if len(all) != 2 || m.ThreadTS != parent || m.Text != "as CSV" || m.User != w.Bot().ID {
		t.Errorf("shared as %+v", m)
	}
	if len(m.Files) != 1 || m.Files[0] != want {
		t.Errorf("the message has %+v, want %+v", m.Files, want)
	}
	if f, data, ok := w.File(id); !ok || f != want || string(data) != csv {
		t.Errorf("File: %+v, %q, %v", f, data, ok)
	}
}

func TestFilesAreSharedInDirectMessages(t *testing.T) {
	w, api := open(t, Options{})
	im, _, _, err := api.OpenConversation(&slack.OpenConversationParameters{Users: []string{"U0HANA"}})
	if err != nil {
		t.Fatal(err)
	}
	first, second := upload(t, api, "a.csv", csv), upload(t, api, "b.csv", csv)
	if err := complete(t, api, im.ID, first, second); err != nil {
		t.Fatal(err)
	}
	m := only(t, w.Messages(im.ID, "U0HANA"))
	if len(m.Files) != 2 || m.Files[0].ID != first || m.Files[1].ID != second || m.Text != "" {
		t.Errorf("got %+v", m)
	}
	if seen := w.Messages(im.ID, "U0BEN"); len(seen) != 0 {
		t.Errorf("somebody else sees %+v", seen)
	}
	wantCode(t, "a person in place of a channel", complete(t, api, "U0HANA", upload(t, api, "c.csv", csv)), "channel_not_found")
}

func TestFileWithoutAChannelIsPrivate(t *testing.T) {
	w, api := open(t, Options{})
	id := upload(t, api, "keys.csv", csv)
	if _, err := api.CompleteUploadExternalContext(t.Context(), slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: id}}}); err != nil {
		t.Fatal(err)
	}
	if f, _, ok := w.File(id); !ok || f.Title != "keys.csv" {
		t.Errorf("got %+v, %v; want it to have its name as title", f, ok)
	}
	if all := w.all(); len(all) != 0 {
		t.Errorf("somebody sees %+v", all)
	}
}

func TestFileIsSeenOnlyWhenComplete(t *testing.T) {
	w, api := open(t, Options{})
	id, address := announce(t, api, "keys.csv", len(csv))
	wantCode(t, "completing before the bytes came", complete(t, api, "C0OPS", id), "file_not_found")
	if err := send(t, api, address, csv); err != nil {
		t.Fatal(err)
	}
	if f, _, ok := w.File(id); ok {
		t.Errorf("an upload is seen as %+v", f)
	}
	if all := w.all(); len(all) != 0 {
		t.Errorf("it made %+v", all)
	}
	if _, _, ok := w.File("F0NONE"); ok {
		t.Error("there is a file that nobody uploaded")
	}
	wantCode(t, "completing", complete(t, api, "C0OPS", id), "")
	wantCode(t, "completing again", complete(t, api, "C0OPS", id), "file_not_found")
	only(t, w.Messages("C0OPS", "U0BEN"))
}

func TestUploadURL(t *testing.T) {
	w, api := open(t, Options{})
	_, address := announce(t, api, "keys.csv", len(csv))
	for what, data := range map[string]string{"a byte more": csv + "x", "a byte less": csv[1:], "nothing": ""} {
		if status, _ := sendRaw(t, address, data); status != http.StatusBadRequest {
			t.Errorf("%s than announced: %d", what, status)
		}
		if status, ok := errors.AsType[slack.StatusCodeError](send(t, api, address, data)); !ok || status.Code != http.StatusBadRequest {
			t.Errorf("%s than announced, by slack-go: %v", what, status)
		}
	}
	if status, body := sendRaw(t, address, csv); status != http.StatusOK || body != "OK - "+strconv.Itoa(len(csv)) {
		t.Errorf("raw bytes: %d %s", status, body)
	}
	if status, _ := sendRaw(t, address, csv); status != http.StatusNotFound {
		t.Errorf("a second time: %d", status)
	}
	if status, _ := sendRaw(t, w.base+"/upload/any", csv); status != http.StatusNotFound {
		t.Errorf("an address that was never given: %d", status)
	}
	resp, err := http.Post(address, "multipart/form-data; boundary=b", strings.NewReader("--b--\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("a form without a file: %d", resp.StatusCode)
	}
}

func TestUploadURLRefusals(t *testing.T) {
	w, _ := open(t, Options{})
	for _, tc := range []struct{ name, filename, length, alt, code string }{
		{"a byte", "a", "1", "", ""},
		{"no name", "", "1", "", "missing_argument"},
		{"no length", "a", "", "", "missing_argument"},
		{"an empty file", "a", "0", "", "missing_argument"},
		{"less than nothing", "a", "-1", "", "invalid_arguments"},
		{"no number", "a", "1k", "", "invalid_arguments"},
		{"the largest file", "a", strconv.Itoa(maxFile), "", ""},
		{"too large a file", "a", strconv.Itoa(maxFile + 1), "", "file_upload_size_restricted"},
		{"the longest description", "a", "1", long(1_000), ""},
		{"too long a description", "a", "1", long(1_001), "alt_txt_too_large"},
	} {
		form := url.Values{"filename": {tc.filename}, "length": {tc.length}, "alt_txt": {tc.alt}}
		if got := call(t, w, "files.getUploadURLExternal", form); got.Error != tc.code {
			t.Errorf("%s: got %q, want %q", tc.name, got.Error, tc.code)
		}
	}
}

// answerOf is what these tests read of an answer that slack-go does not show.
type answerOf struct {
	Error   string
	Files   []wired
	Message struct {
		Subtype string
		Files   []wired
	}
}

type wired struct {
	ID, Mimetype, Permalink string
	URLPrivate              string `json:"url_private"`
}

func call(t *testing.T, w *Workspace, method string, form url.Values) answerOf {
	t.Helper()
	form.Set("token", "xoxb-test-bot")
	resp, err := http.PostForm(w.base+"/api/"+method, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var out answerOf
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCompletionIsRefused also shows that a refused completion spends nothing: the same file can then be completed.
func TestCompletionIsRefused(t *testing.T) {
	for _, tc := range []struct {
		name string
		set  func(*slack.CompleteUploadExternalParameters)
		code string
	}{
		{"an unknown channel", func(p *slack.CompleteUploadExternalParameters) { p.Channel = "C0NONE" }, "channel_not_found"},
		{"a channel without the bot", func(p *slack.CompleteUploadExternalParameters) { p.Channel = "C0NOBOT" }, "not_in_channel"},
		{"a private channel without the bot", func(p *slack.CompleteUploadExternalParameters) { p.Channel = "C0HIDDEN" }, "channel_not_found"},
		{"a thread that is not", func(p *slack.CompleteUploadExternalParameters) { p.ThreadTimestamp = "1.000001" }, "thread_not_found"},
		{"the longest comment", func(p *slack.CompleteUploadExternalParameters) { p.InitialComment = long(40_000) }, ""},
		{"too long a comment", func(p *slack.CompleteUploadExternalParameters) { p.InitialComment = long(40_001) }, "msg_too_long"},
		{"an unknown file beside it", func(p *slack.CompleteUploadExternalParameters) {
			p.Files = append(p.Files, slack.FileSummary{ID: "F0NONE"})
		}, "file_not_found"},
		{"the same file twice", func(p *slack.CompleteUploadExternalParameters) { p.Files = append(p.Files, p.Files[0]) }, "file_not_found"},
		{"no files", func(p *slack.CompleteUploadExternalParameters) { p.Files = nil }, "invalid_arguments"},
		{"several channels", func(p *slack.CompleteUploadExternalParameters) { p.Channels = []string{"C0OPS", "C0SECRET"} }, "invalid_arguments"},
		{"blocks", func(p *slack.CompleteUploadExternalParameters) { p.Blocks.BlockSet = []slack.Block{section("x")} }, "invalid_arguments"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w, api := open(t, Options{})
			id := upload(t, api, "keys.csv", csv)
			p := slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: id}}, Channel: "C0OPS"}
			tc.set(&p)
			_, err := api.CompleteUploadExternalContext(t.Context(), p)
			wantCode(t, "files.completeUploadExternal", err, tc.code)
			if tc.code == "" {
				return
			}
			if _, _, ok := w.File(id); ok || len(w.all()) != 0 {
				t.Error("the file is seen all the same")
			}
			wantCode(t, "the second try", complete(t, api, "C0OPS", id), "")
		})
	}
}

func TestFilesNeedTheBotsToken(t *testing.T) {
	w, api := open(t, Options{})
	id := upload(t, api, "keys.csv", csv)
	for token, code := range map[string]string{"xoxb-other": "invalid_auth", "xapp-test-app": "not_allowed_token_type"} {
		stranger := slack.New(token, slack.OptionAPIURL(w.base+"/api/"))
		_, err := stranger.GetUploadURLExternalContext(t.Context(), slack.GetUploadURLExternalParameters{FileName: "a", FileSize: 1})
		wantCode(t, "files.getUploadURLExternal", err, code)
		wantCode(t, "files.completeUploadExternal", complete(t, stranger, "C0OPS", id), code)
	}
	w.FailNext("files.completeUploadExternal", "missing_scope", 1)
	wantCode(t, "without files:write", complete(t, api, "C0OPS", id), "missing_scope")
	wantCode(t, "with it", complete(t, api, "C0OPS", id), "")
}

func TestFilesAndMessagesTabOff(t *testing.T) {
	o := town(Options{})
	o.Users[0].DMBlocked = true
	w := New(o)
	api := serve(t, w)
	im, _, _, err := api.OpenConversation(&slack.OpenConversationParameters{Users: []string{"U0HANA"}})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, "sharing", complete(t, api, im.ID, upload(t, api, "keys.csv", csv)), "messages_tab_disabled")
}

func TestSharingIsPaced(t *testing.T) {
	now := newClock()
	_, api := open(t, Options{Now: now.Now, Limits: Limits{PostBurst: 1}})
	if _, _, err := api.PostMessage("C0OPS", text("x")); err != nil {
		t.Fatal(err)
	}
	id := upload(t, api, "keys.csv", csv)
	if limited, ok := errors.AsType[*slack.RateLimitedError](complete(t, api, "C0OPS", id)); !ok || limited.RetryAfter != time.Second {
		t.Errorf("got %v, want a rate limit of 1 s", limited)
	}
	wantCode(t, "in another channel", complete(t, api, "C0SECRET", upload(t, api, "b.csv", csv)), "")
	wantCode(t, "privately", complete(t, api, "", upload(t, api, "c.csv", csv)), "")
	now.Advance(time.Second)
	wantCode(t, "after the second", complete(t, api, "C0OPS", id), "")
}

func TestFaultsOfUploads(t *testing.T) {
	w, api := open(t, Options{})
	id, address := announce(t, api, "keys.csv", len(csv))
	w.RateLimit(UploadURL, 1, 3*time.Second)
	w.FailNext(UploadURL, "internal_error", 1)
	if limited, ok := errors.AsType[*slack.RateLimitedError](send(t, api, address, csv)); !ok || limited.RetryAfter != 3*time.Second {
		t.Errorf("got %v, want a rate limit of 3 s", limited)
	}
	if status, ok := errors.AsType[slack.StatusCodeError](send(t, api, address, csv)); !ok || status.Code != http.StatusBadRequest {
		t.Errorf("got %v, want 400", status)
	}
	wantCode(t, "the third", send(t, api, address, csv), "")
	wantCode(t, "completing", complete(t, api, "C0OPS", id), "")
	w.Away(true)
	if status, _ := sendRaw(t, address, csv); status != http.StatusServiceUnavailable {
		t.Errorf("while Slack is away: %d", status)
	}

	var got []string
	for _, c := range w.Calls() {
		got = append(got, strings.TrimSpace(c.Method+" "+c.Channel+" "+c.Error))
	}
	want := "files.getUploadURLExternal, upload_url  ratelimited, upload_url  internal_error, upload_url, files.completeUploadExternal C0OPS"
	if strings.Join(got, ", ") != want {
		t.Errorf("the calls were %q, want %q", got, want)
	}
}

func TestFileTypes(t *testing.T) {
	pic := picture(t)
	for _, tc := range []struct{ name, data, want string }{
		{"chart.png", pic, "image/png"},
		{"chart", pic, "image/png"},
		{"keys.csv", pic, "image/png"},
		{"chart.png", csv, "text/plain"},
		{"KEYS.CSV", csv, "text/csv"},
		{"keys.json", `[{"user":"deploy"}]`, "application/json"},
		{"keys.md", "# Keys", "text/markdown"},
		{"keys.txt", csv, "text/plain"},
		{"a.gif", "GIF89a", "image/gif"},
		{"a.jpg", "\xff\xd8\xff", "image/jpeg"},
	} {
		if got := mimeType(tc.name, []byte(tc.data)); got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.name, got, tc.want)
		}
	}
}

// TestFilesOnTheWire reads what slack-go does not show: a file's addresses, and the message that shares it.
func TestFilesOnTheWire(t *testing.T) {
	w, api := open(t, Options{})
	id := upload(t, api, "the chart.png", picture(t))
	done := call(t, w, "files.completeUploadExternal", url.Values{"files": {`[{"id":"` + id + `"}]`}, "channel_id": {"C0OPS"}})
	want := wired{ID: id, Mimetype: "image/png",
		URLPrivate: "https://files.slack.com/files-pri/T0LOCAL-" + id + "/the%20chart.png",
		Permalink:  "https://sekisho-local.slack.com/files/U0SEKISHO/" + id + "/the%20chart.png"}
	if len(done.Files) != 1 || done.Files[0] != want {
		t.Errorf("completed as %+v, want %+v", done, want)
	}
	m := only(t, w.Messages("C0OPS", "U0BEN"))
	updated := call(t, w, "chat.update", url.Values{"channel": {"C0OPS"}, "ts": {m.TS}, "text": {"x"}}).Message
	if updated.Subtype != "file_share" || len(updated.Files) != 1 || updated.Files[0] != want {
		t.Errorf("the message is %+v", updated)
	}
	for _, address := range []string{want.URLPrivate, want.Permalink} {
		_, _, err := api.PostMessage("C0OPS", slack.MsgOptionBlocks(slack.NewImageBlockSlackFile(&slack.SlackFileObject{URL: address}, "a chart", "", nil)))
		wantCode(t, address, err, "")
	}
}

func jsonImage(fields string) string { return `{"type":"image",` + fields + `}` }

// TestImageLimits is TestBlockLimits for images. There are a picture F1, a table F2, and a picture F3 that was not completed.
func TestImageLimits(t *testing.T) {
	w := New(Options{})
	w.files["F1"] = &file{File: File{ID: "F1", Name: "a.png", MIME: "image/png"}, done: true}
	w.files["F2"] = &file{File: File{ID: "F2", Name: "b.csv", MIME: "text/csv"}, done: true}
	w.files["F3"] = &file{File: File{ID: "F3", Name: "c.png", MIME: "image/png"}}
	const link, alt, shown = `"image_url":"https://example.com/a.png"`, `,"alt_text":"a"`, `"slack_file":{"id":"F1"}`
	good := jsonImage(shown + alt)
	title := func(kind string, n int) string { return jsonImage(link + alt + `,"title":` + jsonText(kind, long(n))) }
	const invalid = "invalid slack file [json-pointer:/blocks/0/slack_file]"
	for _, tc := range []struct{ name, good, bad, wrong string }{
		{"no picture", jsonImage(link + alt), jsonImage(`"alt_text":"a"`), "missing required field: image_url [json-pointer:/blocks/0]"},
		{"two pictures", good, jsonImage(shown + "," + link + alt), "must have only one of: image_url, slack_file [json-pointer:/blocks/0]"},
		{"no alt_text", good, jsonImage(shown), "missing required field: alt_text [json-pointer:/blocks/0]"},
		{"alt_text", jsonImage(shown + `,"alt_text":"` + long(2_000) + `"`), jsonImage(shown + `,"alt_text":"` + long(2_001) + `"`), "must be less than 2001 characters [json-pointer:/blocks/0/alt_text]"},
		{"title", title("plain_text", 2_000), title("plain_text", 2_001), "must be less than 2001 characters [json-pointer:/blocks/0/title/text]"},
		{"kind of title", title("plain_text", 1), title("mrkdwn", 1), "must be one of: plain_text [json-pointer:/blocks/0/title/type]"},
		{"an unknown file", good, jsonImage(`"slack_file":{"id":"F9"}` + alt), invalid},
		{"an unknown address", good, jsonImage(`"slack_file":{"url":"https://example.com/a.png"}` + alt), invalid},
		{"a file that is no picture", good, jsonImage(`"slack_file":{"id":"F2"}` + alt), invalid},
		{"a file not completed", good, jsonImage(`"slack_file":{"id":"F3"}` + alt), invalid},
		{"id and address", good, jsonImage(`"slack_file":{"id":"F1","url":"x"}` + alt), "must have one of: id, url [json-pointer:/blocks/0/slack_file]"},
		{"neither", good, jsonImage(`"slack_file":{}` + alt), "must have one of: id, url [json-pointer:/blocks/0/slack_file]"},
		{"no object", good, jsonImage(`"slack_file":"F1"` + alt), "must have one of: id, url [json-pointer:/blocks/0/slack_file]"},
		{"in a context", `{"type":"context","elements":[` + good + `]}`, `{"type":"context","elements":[` + jsonImage(`"slack_file":{"id":"F2"}`+alt) + `]}`, "invalid slack file [json-pointer:/blocks/0/elements/0/slack_file]"},
	} {
		t.Run(tc.name, func(t *testing.T) { tryLimit(t, w, tc.good, tc.bad, tc.wrong) })
	}
}

func TestFreshFileIsNotReady(t *testing.T) {
	w, api := open(t, Options{})
	id := upload(t, api, "chart.png", picture(t))
	if err := complete(t, api, "", id); err != nil {
		t.Fatal(err)
	}
	shows := func() slack.Block {
		return slack.NewImageBlockSlackFile(&slack.SlackFileObject{ID: id}, "a chart", "", slack.NewTextBlockObject("plain_text", "Keys", false, false))
	}
	post := func(blocks ...slack.Block) error {
		_, _, err := api.PostMessage("C0OPS", slack.MsgOptionBlocks(blocks...))
		return err
	}
	w.FilesUnready(2)
	wantCode(t, "a post that shows it twice", post(shows(), shows()), "invalid_blocks")
	wantCode(t, "one without a file", post(section("x")), "")
	wantRefusal(t, post(shows()), "invalid_blocks", "[ERROR] invalid slack file [json-pointer:/blocks/0/slack_file]")
	wantCode(t, "the third that shows it", post(shows()), "")
	only(t, w.Messages("C0OPS", "U0BEN")[1:])

	w.FilesUnready(1)
	w.FilesUnready(0)
	wantCode(t, "after the fault's end", post(shows()), "")
}
