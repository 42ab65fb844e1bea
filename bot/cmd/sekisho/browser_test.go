package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/chromedp/chromedp"

	"sekisho/infra/local/browsertest"
)

var pageAddress = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// TestTheDemoInABrowser starts `sekisho demo` as a person does, and walks
// through the story on its page. With PICTURES=DIR it leaves pictures there.
func TestTheDemoInABrowser(t *testing.T) {
	tab := browsertest.Tab(t)
	w := &world{t: t, env: append(os.Environ(), "HOME="+t.TempDir())}
	demo := w.run([]string{"demo", "--listen", "127.0.0.1:0"})
	demo.waitFor("Ctrl-C ends it")
	address := pageAddress.FindString(demo.said.String())
	onDuty := `document.querySelector('[data-testid="status"]').innerText.includes("on duty")`
	ticked := func(step string) browsertest.Step {
		return browsertest.Until(`document.querySelector('[data-testid="step-` + step + `"]').dataset.progress === "done"`)
	}
	shows := func(text string) browsertest.Step {
		return browsertest.Until("document.body.innerText.replace(/\\s+/g, ' ').includes(`" + text + "`)")
	}

	browsertest.Do(t, tab, browsertest.Visit(address), browsertest.Until(onDuty),
		browsertest.Say("/ec2-pass web-1"), browsertest.Seen("code"), ticked("ask"))
	picture(t, tab, "pass")
	code := browsertest.Eval[string](t, tab, `document.body.innerText.match(/\b[A-Z0-9]{31}\b/)[0]`)

	browsertest.Do(t, tab,
		browsertest.Write("tag-value-web-1", code), browsertest.Click("tag-set-web-1"), browsertest.Seen("tag-web-1-Auth"),
		browsertest.Click("start-web-1"), browsertest.Becomes("web-1", "running"),
		browsertest.Until(`!document.querySelector('[data-testid="tag-web-1-Auth"]')`), ticked("show"))
	browsertest.Do(t, tab,
		browsertest.Click("start-gpu-1"), browsertest.Becomes("gpu-1", "stopped"),
		browsertest.Click("launch"), browsertest.Becomes("new-1", "pending"), browsertest.Becomes("new-1", "stopped"),
		browsertest.Click("channel-C0ALERTS"),
		shows("was let in"), shows("gpu-1 is stopped"), shows("new-1 is stopped"), shows("no pass"), ticked("read"))
	picture(t, tab, "alerts")

	browsertest.Do(t, tab, browsertest.Click("channel-C0OPS"), browsertest.Click("dismiss"),
		browsertest.Say("/ec2-pass gpu-1"), browsertest.Click("btn-pass_start"), browsertest.Seen("confirm-ok"))
	picture(t, tab, "confirm")
	browsertest.Do(t, tab, browsertest.Click("confirm-ok"), browsertest.Becomes("gpu-1", "running"), shows("EC2 is starting"))

	browsertest.Do(t, tab, browsertest.Say("/ec2-pass"), shows("Guarded instances"), browsertest.Say("/ec2-pass help"), shows("How to start a guarded instance"))
	picture(t, tab, "list")
	browsertest.Do(t, tab, browsertest.Click("person-U0BEN"), browsertest.Until(`document.body.dataset.ready === "U0BEN"`),
		browsertest.Until(`!document.body.innerText.includes("`+code+`")`))
	if code := demo.stop(); code != 0 {
		t.Errorf("the demo ended with %d", code)
	}
}

// picture saves what the page shows, for the eye.
func picture(t *testing.T, tab context.Context, name string) {
	dir := os.Getenv("PICTURES")
	if dir == "" {
		return
	}
	browsertest.Do(t, tab, browsertest.Until(`!document.getAnimations().some(a => a.playState === "running")`))
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}
