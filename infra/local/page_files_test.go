package local

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"sekisho/infra/local/browsertest"
)

// upload shares a file as the bot does; without a channel it is only there to be shown.
func upload(t *testing.T, w *World, p slack.UploadFileParameters, data []byte) string {
	t.Helper()
	p.Reader, p.FileSize = bytes.NewReader(data), len(data)
	client := slack.New(botToken, slack.OptionAPIURL(w.base+"/slack/api/"))
	f, err := client.UploadFileContext(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return f.ID
}

func TestFilesAreServed(t *testing.T) {
	w, base := newWorld(t, Options{})
	picture := square(t)
	hostile := []byte("<script>alert(1)</script>")
	for _, tc := range []struct {
		name, kind string
		data       []byte
		kept       string
	}{
		{"starts.png", "image/png", picture, ""},
		{"keys.csv", "text/csv", []byte(keysFile), "attachment; filename=keys.csv"},
		{"a.html", "text/html", hostile, "attachment; filename=a.html"},
		{"a.png", "text/html", hostile, "attachment; filename=a.png"}, // whatever it is called
		{"é\"\n.txt", "text/plain", []byte("x"), "attachment; filename*=utf-8''%C3%A9%22%0A.txt"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			id := upload(t, w, slack.UploadFileParameters{Filename: tc.name}, tc.data)
			h, body := get(t, base, "/world/files/"+id, http.StatusOK)
			if !bytes.Equal(body, tc.data) || h.Get("Content-Type") != tc.kind || h.Get("Content-Disposition") != tc.kept {
				t.Errorf("%d bytes, %q", len(body), h)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Security-Policy") != harmless || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
				t.Errorf("it could be more than it says: %q", h)
			}
		})
	}
	get(t, base, "/world/files/F0NONE", http.StatusNotFound)
}

func text(t *testing.T, tab context.Context, selector string) string {
	t.Helper()
	return browsertest.Eval[string](t, tab, `[...document.querySelectorAll('`+selector+`')].map((n) => n.textContent).join()`)
}

func TestFilesOnThePage(t *testing.T) {
	w, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base))
	id := upload(t, w, slack.UploadFileParameters{Filename: "starts.png"}, square(t))
	browsertest.Do(t, tab, w.show(t, 1, slack.MsgOptionText("report", false), slack.MsgOptionBlocks(
		slack.NewImageBlockSlackFile(&slack.SlackFileObject{ID: id}, "12 admitted, 3 refused", "", slack.NewTextBlockObject("plain_text", "Starts per day", false, false)))),
		browsertest.Until(`document.querySelector('[data-testid="message"] figure [data-testid="picture"]').naturalWidth === 320`))
	if alt := browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="picture"]').alt`); alt != "12 admitted, 3 refused" {
		t.Errorf("without sight it is %q", alt)
	}

	// In its thread: a picture and a file.
	parent := w.Slack.Messages(home, "U0HANA")[0].TS
	upload(t, w, slack.UploadFileParameters{Filename: "keys.png", Title: "Access keys by age", Channel: home, ThreadTimestamp: parent}, square(t))
	upload(t, w, slack.UploadFileParameters{Filename: "keys.csv", Title: "Every key", Channel: home, ThreadTimestamp: parent, InitialComment: "The data"}, []byte(keysFile))
	browsertest.Do(t, tab, browsertest.Seen("file-keys.csv"),
		browsertest.Until(`document.querySelector('[data-testid="file-keys.png"] img').naturalWidth === 320`))
	replies := browsertest.Eval[string](t, tab, `[...document.querySelectorAll('[data-testid="reply"] .content')].map((n) => n.innerText.replace(/\s+/g, " ")).join("|")`)
	want := fmt.Sprintf("Access keys by age keys.png · %d bytes Download|The data Every key keys.csv · %d bytes Download", len(square(t)), len(keysFile))
	if replies != want {
		t.Errorf("the thread says %q, want %q", replies, want)
	}
	if alt := browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="file-keys.png"] img').alt`); alt != "Access keys by age" {
		t.Errorf("without sight it is %q", alt)
	}
	const link = `document.querySelector('[data-testid="download-keys.csv"]')`
	href := browsertest.Eval[string](t, tab, link+`.pathname`)
	if _, body := get(t, base, href, http.StatusOK); string(body) != keysFile || browsertest.Eval[string](t, tab, link+`.download`) != "keys.csv" {
		t.Errorf("downloaded: %q", body)
	}
	// Pictures that come late don't push the newest out of sight.
	if below := browsertest.Eval[int](t, tab, `((list) => list.scrollHeight - list.scrollTop - list.clientHeight)(document.querySelector("#messages"))`); below > 1 {
		t.Errorf("%d pixels are below what is seen", below)
	}
	room(t, tab, "files")
}

// room saves the channel in the sizes that it is looked at in.
func room(t *testing.T, tab context.Context, name string) {
	t.Helper()
	sizes(t, tab, name, ".chat")
}

func TestDataTable(t *testing.T) {
	w, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base))
	table := slack.NewDataTableBlock("Access keys by age").WithPageSize(3)
	words := func(s string) slack.DataTableCell { return slack.NewDataTableRawTextCell(s) }
	table.AddRow(words("User"), words("Days"), words("Last used"), words("What is to be done about it"))
	for _, row := range []struct {
		user string
		days float64
	}{{"hana", 12}, {"ci-deploy", 101}, {"ben", 9}, {"<b>rosa</b>", 100}} {
		days := slack.NewDataTableRawNumberCell(row.days)
		if row.user == "ben" {
			days.WithText("nine")
		}
		table.AddRow(words(row.user), days, words("s3, 20 minutes ago"), words("Nothing yet; it is warned of 14 days before its end"))
	}
	browsertest.Do(t, tab, w.show(t, 1, slack.MsgOptionText("keys", false), slack.MsgOptionBlocks(table)))
	is := func(rows, users, order string) {
		t.Helper()
		got := text(t, tab, `[data-testid="table-range"]`) + " | " + text(t, tab, `[data-testid="data-table"] tbody th`) + " | " +
			browsertest.Eval[string](t, tab, `[...document.querySelectorAll('[data-testid="data-table"] thead th')].slice(0, 2).map((n) => n.ariaSort).join()`)
		if want := rows + " | " + users + " | " + order; got != want {
			t.Errorf("it shows %s, want %s", got, want)
		}
	}
	click := func(id string) {
		t.Helper()
		browsertest.Do(t, tab, browsertest.Click(id))
	}
	if caption := text(t, tab, `[data-testid="data-table"] caption`); caption != "Access keys by age" {
		t.Errorf("the caption is %q", caption)
	}
	is("1–3 of 4", "hana,ci-deploy,ben", "none,none")
	if days := text(t, tab, `[data-testid="data-table"] tbody td:nth-child(2)`); days != "12,101,nine" {
		t.Errorf("the numbers are %s", days)
	}
	click("table-next")
	is("4–4 of 4", "<b>rosa</b>", "none,none")
	click("sort-1") // as numbers
	is("1–3 of 4", "ben,hana,<b>rosa</b>", "none,ascending")
	click("sort-1")
	is("1–3 of 4", "ci-deploy,<b>rosa</b>,hana", "none,descending")
	click("sort-0") // as words
	is("1–3 of 4", "<b>rosa</b>,ben,ci-deploy", "ascending,none")
	click("table-next")
	is("4–4 of 4", "hana", "ascending,none")
	click("table-previous")
	is("1–3 of 4", "<b>rosa</b>,ben,ci-deploy", "ascending,none")
	room(t, tab, "table")

	// What is drawn again for another reason stays as it was sorted.
	browsertest.Do(t, tab, w.show(t, 2, slack.MsgOptionText("more", false)))
	is("1–3 of 4", "<b>rosa</b>,ben,ci-deploy", "ascending,none")
}

func TestTable(t *testing.T) {
	w, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base))
	table := slack.NewTableBlock("").WithColumnSettings(
		slack.ColumnSetting{Align: slack.ColumnAlignmentLeft},
		slack.ColumnSetting{Align: slack.ColumnAlignmentRight},
		slack.ColumnSetting{Align: slack.ColumnAlignmentLeft, IsWrapped: true})
	words := func(s string) slack.TableCell { return slack.NewTableRawTextCell(s) }
	table.AddRow(words("User"), words("Days"), words("Finding"))
	for _, user := range []string{"ben", "rosa"} {
		table.AddRow(words(user), words("140"), words(strings.Repeat("A password without MFA, and nobody used it. ", 3)))
	}
	browsertest.Do(t, tab, w.show(t, 1, slack.MsgOptionText("users", false), slack.MsgOptionBlocks(table)))
	if head := text(t, tab, `.block.table thead th`); head != "User,Days,Finding" {
		t.Errorf("the heading is %s", head)
	}
	if days := text(t, tab, `.block.table tbody td.align-right`); days != "140,140" {
		t.Errorf("to the right stand %s", days)
	}
	room(t, tab, "plain-table")
}
