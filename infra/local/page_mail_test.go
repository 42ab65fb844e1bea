package local

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"sekisho/infra/local/browsertest"
)

// openMail opens the newest mail, and returns the frame with its HTML as a tab of its own.
func openMail(t *testing.T, tab context.Context) context.Context {
	t.Helper()
	browsertest.Do(t, tab, browsertest.Click("tab-mail"), browsertest.Click("mail-open"))
	return browsertest.Mail(t, tab)
}

func TestMailOnThePage(t *testing.T) {
	w, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Click("tab-mail"))
	id := sendMail(t, w, report(t, weekly))
	frame := openMail(t, tab)

	got := browsertest.Eval[string](t, frame,
		`[document.querySelector("h1").textContent, document.images[0].naturalWidth, document.querySelector("base").target].join()`)
	if got != "Weekly,320,_blank" {
		t.Errorf("the frame shows %s", got)
	}
	said := text(t, tab, `[data-testid="mail-reader"]`)
	for _, want := range []string{"Weekly report · 3 findings", "Sekisho <bot@example.com> → security@example.com"} {
		if !strings.Contains(said, want) {
			t.Errorf("the reader says %q, without %q", said, want)
		}
	}
	pictures(t, tab, "mail")

	words := func(want string) browsertest.Step {
		return browsertest.Until(fmt.Sprintf(`document.querySelector('[data-testid="mail-words"]')?.textContent.includes(%q)`, want))
	}
	browsertest.Do(t, tab, browsertest.Click("mail-text"), words("Starts: 12 admitted · 3 refused (soft)"),
		browsertest.Click("mail-source"), words("Content-ID: <starts.png>"), browsertest.Seen("mail-download"))
	pictures(t, tab, "mail-source")

	// The file arrives as it was sent.
	href := browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="download-keys ✓.csv"]').pathname`)
	kept := browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="download-keys ✓.csv"]').download`)
	if _, body := get(t, base, href, http.StatusOK); string(body) != keysFile || kept != "keys ✓.csv" {
		t.Errorf("kept as %q: %q", kept, body)
	}
	if n := browsertest.Eval[int](t, tab, `document.querySelectorAll('[data-testid="mail-attachment"]').length`); n != 1 {
		t.Errorf("%d attachments: the picture in the text is none", n)
	}

	// It bounces once, and the list says so too.
	browsertest.Do(t, tab, browsertest.Click("mail-bounce"), browsertest.Until(`document.querySelector('[data-testid="mail-bounce"]').disabled`),
		browsertest.Click("mail-back"), browsertest.Until(`document.activeElement.dataset.testid === "mail-open"`))
	if row := text(t, tab, `[data-testid="mail-row-bounce"]`); row != "Bounced" {
		t.Errorf("the list says %q", row)
	}
	if waiting := w.AWS.Queue(w.queue).Visible; len(waiting) != 1 || !strings.Contains(waiting[0], "Email Bounced") || !strings.Contains(waiting[0], id) {
		t.Errorf("the queue holds %q", waiting)
	}
	pictures(t, tab, "mails")
}

// TestHostileMail: whatever a mail's HTML holds, no script of it runs, nothing is asked of another host, and the page stays.
func TestHostileMail(t *testing.T) {
	w, base := newWorld(t, Options{})
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 100)
	go func() {
		defer close(asked)
		for {
			c, err := far.Accept()
			if err != nil {
				return
			}
			c.Close()
			asked <- c.RemoteAddr().String()
		}
	}()
	run := `top.postMessage("ran", "*")`
	hostile := strings.NewReplacer("FAR", "http://"+far.Addr().String(), "RUN", run, "HERE", base).Replace(`
<!doctype html><html><head><title>Weekly</title>
<meta http-equiv="refresh" content="0;url=FAR/refresh">
<base href="FAR/">
<LINK rel="preconnect" href="FAR"><link rel="stylesheet" href="FAR/a.css"><link rel="prefetch" href="FAR/a">
<style>@import url(FAR/b.css); @font-face { font-family: f; src: url(FAR/f) } body { background: url(FAR/bg.png); font-family: f }</style>
<script>RUN</script><script src="FAR/a.js"></script><script src="HERE/main.js" type="module"></script>
</head><body onload="RUN"><h1>Weekly</h1>
<img src="FAR/a.png" onerror="RUN"><img src="cid:nothing" onerror="RUN"><img srcset="FAR/b.png 2x"><picture><source srcset="FAR/c.png"><img src="FAR/c.png"></picture>
<iframe src="FAR/frame"></iframe><iframe srcdoc="<script>RUN</script>"></iframe><object data="FAR/o"></object><embed src="FAR/e">
<svg onload="RUN"><image href="FAR/s.png"/><script>RUN</script></svg><video src="FAR/v" poster="FAR/p.png" autoplay></video><audio src="FAR/au" autoplay></audio>
<form action="FAR/form" id="f"><input name="a" autofocus onfocus="RUN"></form><table background="FAR/t.png"><tr><td>x</table>
<a id="away" href="FAR/top" target="_top">away</a> <a id="script" href="javascript:RUN" target="_self">script</a> <a id="ping" href="#" target="_self" ping="FAR/ping">ping</a>
<img src="cid:starts.png" alt="Starts per day"></body></html>`)
	sendMail(t, w, report(t, hostile))
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Until(`addEventListener("message", () => { document.title = "ran" }), true`))
	frame := openMail(t, tab)
	browsertest.Do(t, frame, browsertest.Until(`[...document.images].at(-1).naturalWidth === 320`),
		browsertest.ClickOn("#script"), browsertest.ClickOn("#ping"))
	far.Close()
	for who := range asked {
		t.Errorf("%s came to a host that the mail names", who)
	}
	browsertest.Do(t, frame, browsertest.ClickOn("#away")) // going there is the reader's own will, taking the page along is not
	const inside = `[location.pathname.endsWith("/html"), origin, document.querySelector("h1").textContent].join()`
	if got := browsertest.Eval[string](t, frame, inside); got != "true,null,Weekly" {
		t.Errorf("the frame is %s", got)
	}
	const outside = `[location.origin, document.title, document.querySelectorAll('[data-testid="mail"]').length].join()`
	if got := browsertest.Eval[string](t, tab, outside); got != base+",Sekisho,1" {
		t.Errorf("the page is %s", got)
	}
}
