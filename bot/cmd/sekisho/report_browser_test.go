package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/infra/local/browsertest"
)

// TestAReportInABrowser: a week passes at a click, the report appears in its
// channel with pictures, table and data, its mail can be opened beside it, and
// both say what the trail says.
func TestAReportInABrowser(t *testing.T) {
	tab := browsertest.Tab(t)
	w := &world{t: t, env: append(os.Environ(), "HOME="+t.TempDir())}
	demo := w.run([]string{"demo", "--listen", "127.0.0.1:0", "--log"})
	browsertest.Do(t, tab, visit(demo), browsertest.Say("/ec2-pass web-1"), browsertest.Click("btn-pass_start"), asked(), browsertest.Click("confirm-ok"),
		browsertest.Becomes("web-1", "running"), browsertest.Click("start-gpu-1"), browsertest.Becomes("gpu-1", "stopped"),
		browsertest.Click("channel-C0ALERTS"), shows("was let in"), shows("gpu-1 is stopped"))
	browsertest.Do(t, tab, browsertest.Click("tab-mail"), browsertest.Click("week-passes"), browsertest.Click("channel-C0REPORT"),
		shows("Sekisho report · weekly"), shows("IAM users with the lowest score"),
		browsertest.Until(`[...document.querySelectorAll('[data-testid="picture"]')].filter((i) => i.naturalWidth === 1200).length === 2`))
	admitted, refused := printedStarts(t, demo.said.String())
	browsertest.Do(t, tab, ticked("report"), shows(fmt.Sprintf("Starts refused: %d", refused)), shows(fmt.Sprintf("%d: %d let in, %d refused", admitted+refused, admitted, refused)))

	// The mail beside it.
	browsertest.Do(t, tab, browsertest.Click("mail-open"))
	frame := browsertest.Mail(t, tab)
	browsertest.Eval[bool](t, tab, `(document.querySelector('[data-testid="picture"]').closest(".message").scrollIntoView(), true)`)
	browsertest.Picture(t, tab, "report")
	if text := browsertest.Eval[string](t, frame, `document.body.innerText`); !strings.Contains(text, fmt.Sprintf("%d starts: %d let in, %d refused", admitted+refused, admitted, refused)) {
		t.Errorf("the mail says\n%s", text)
	}
	if wide := browsertest.Eval[bool](t, frame, `[...document.images].length === 2 && [...document.images].every((i) => i.naturalWidth === 1200)`); !wide {
		t.Errorf("the mail shows no pictures")
	}

	// The data, in Slack's thread and at the mail, is one.
	got := browsertest.Eval[string](t, tab, `(() => {
		const links = [...document.querySelectorAll('a[download$=".json"]')].map((a) => a.href);
		return JSON.stringify(links.map((url) => { const x = new XMLHttpRequest(); x.open("GET", url, false); x.send(); return x.responseText; }));
	})()`)
	var files []string
	if err := json.Unmarshal([]byte(got), &files); err != nil || len(files) != 2 || files[0] != files[1] {
		t.Fatalf("%d files, %v, one: %v", len(files), err, len(files) == 2 && files[0] == files[1])
	}
	r := valid(t, []byte(files[0]))
	if r.Starts.Admitted != admitted || r.Starts.RefusedTotal() != refused || r.Starts.Total != admitted+refused {
		t.Errorf("the trail has %d and %d, the JSON %+v", admitted, refused, r.Starts)
	}
	browsertest.Do(t, tab, browsertest.Click("channel-C0OPS"), be(ben), browsertest.Click("channel-C0OPS"), browsertest.Say("/sekisho report keys"),
		shows("Your report is in your direct messages"), browsertest.Click("channel-D0BEN"), shows("The oldest access keys"))
	browsertest.Picture(t, tab, "report-asked")
	if code := demo.stop(); code != 0 {
		t.Errorf("the demo ended with %d", code)
	}
}

// printedStarts counts the judged starts in the trail that the bot printed.
func printedStarts(t *testing.T, log string) (admitted, refused int) {
	t.Helper()
	seen := map[int64]bool{} // the demo shows the lines, too
	for line := range strings.Lines(log) {
		var e auth.Entry
		if json.Unmarshal([]byte(line), &e) != nil || e.Act != auth.ActStart || seen[e.Seq] {
			continue
		}
		seen[e.Seq] = true
		if e.Outcome == auth.Done {
			admitted++
		} else {
			refused++
		}
	}
	if admitted == 0 || refused == 0 {
		t.Fatalf("%d were let in and %d refused: the story needs both", admitted, refused)
	}
	return admitted, refused
}
