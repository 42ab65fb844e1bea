package main

import (
	"os"
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
	demo := w.run([]string{"demo", "--listen", "127.0.0.1:0", "--log"})
	browsertest.Do(t, tab, visit(demo), browsertest.Say("/ec2-pass web-1"), codeShown(), ticked("ask"))
	browsertest.Picture(t, tab, "pass")
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
	browsertest.Picture(t, tab, "alerts")

	browsertest.Do(t, tab, browsertest.Click("channel-C0OPS"), browsertest.Click("dismiss"),
		browsertest.Say("/ec2-pass web-1"), shows("already running"),
		browsertest.Click("stop-web-1"), browsertest.Becomes("web-1", "stopped"),
		browsertest.Say("/ec2-pass web-1"), browsertest.Click("btn-pass_start"), asked())
	browsertest.Picture(t, tab, "confirm")
	browsertest.Do(t, tab, browsertest.Click("confirm-ok"), browsertest.Becomes("web-1", "running"), shows("EC2 is starting"))

	browsertest.Do(t, tab, browsertest.Say("/ec2-pass list"), shows("Guarded instances"), browsertest.Say("/ec2-pass help"), shows("How to start a guarded instance"))
	browsertest.Picture(t, tab, "list")
	browsertest.Do(t, tab, be(ben), browsertest.Until(`!document.body.innerText.includes("`+code+`")`))
	if code := demo.stop(); code != 0 {
		t.Errorf("the demo ended with %d", code)
	}
}

// TestTwoPeopleInABrowser: one asks, another approves, and the pass is shown to
// the first alone; then a denial, a form, the Home tab and a broken glass.
func TestTwoPeopleInABrowser(t *testing.T) {
	tab := browsertest.Tab(t)
	w := &world{t: t, env: append(os.Environ(), "HOME="+t.TempDir())}
	demo := w.run([]string{"demo", "--listen", "127.0.0.1:0", "--log"})
	approvalsRoom := browsertest.Click("channel-C0APPROVE")

	browsertest.Do(t, tab, visit(demo),
		browsertest.Say("/ec2-pass gpu-1 for the nightly training"), shows("@leads to let you start gpu-1"),
		approvalsRoom, shows("asks to start gpu-1"),
		browsertest.Click("btn-request_approve"), asked(), browsertest.Click("confirm-ok"), shows("somebody else must decide"))
	browsertest.Do(t, tab, be(ben), approvalsRoom, browsertest.Seen("btn-request_approve"))
	browsertest.Picture(t, tab, "card")
	browsertest.Do(t, tab, browsertest.Click("btn-request_approve"), asked(),
		browsertest.Click("confirm-ok"), shows("You approved gpu-1"), shows("approved by @Ben Okafor"),
		browsertest.Until(`!document.querySelector('[data-testid="btn-request_approve"]')`))
	browsertest.Picture(t, tab, "approved")
	browsertest.Do(t, tab, be(hana), browsertest.Click("channel-D0HANA"), browsertest.Click("btn-request_show"), codeShown())
	browsertest.Picture(t, tab, "shown")
	code := browsertest.Eval[string](t, tab, `document.body.innerText.match(/\b[A-Z0-9]{31}\b/)[0]`)
	browsertest.Do(t, tab, browsertest.Write("tag-value-gpu-1", code), browsertest.Click("tag-set-gpu-1"), browsertest.Seen("tag-gpu-1-Auth"),
		browsertest.Click("start-gpu-1"), browsertest.Becomes("gpu-1", "running"),
		browsertest.Until(`!document.querySelector('[data-testid="tag-gpu-1-Auth"]')`),
		browsertest.Click("channel-C0ALERTS"), shows("was let in: gpu-1"))
	browsertest.Do(t, tab, browsertest.Click("stop-gpu-1"), browsertest.Becomes("gpu-1", "stopped"))

	browsertest.Do(t, tab, browsertest.Click("channel-C0OPS"), browsertest.Say("/ec2-pass"), browsertest.Seen("modal"))
	browsertest.Picture(t, tab, "form")
	browsertest.Do(t, tab, closed(), browsertest.Say("/ec2-pass gpu-1 for another night"), shows("another night"),
		be(ben), browsertest.Click("nav-home"), shows("Waiting for your decision (1)"))
	browsertest.Picture(t, tab, "home")
	browsertest.Do(t, tab, approvalsRoom, browsertest.Click("btn-request_deny"), browsertest.Seen("modal"),
		browsertest.Write("field-why", "The budget is used up"))
	browsertest.Picture(t, tab, "deny")
	browsertest.Do(t, tab, browsertest.Click("modal-submit"), shows("You denied gpu-1"), closed(), shows("Denied by @Ben Okafor"),
		be(hana), browsertest.Click("channel-D0HANA"), shows("@Ben Okafor denied"))

	browsertest.Do(t, tab, be("U0ROSA"), browsertest.Click("channel-C0OPS"), browsertest.Say("/ec2-pass break-glass gpu-1 for the outage"),
		browsertest.Click("btn-request_break"), asked())
	browsertest.Picture(t, tab, "break")
	browsertest.Do(t, tab, browsertest.Click("confirm-ok"), codeShown(), browsertest.Click("channel-C0ALERTS"), shows("took a pass for gpu-1"))
	if code := demo.stop(); code != 0 {
		t.Errorf("the demo ended with %d", code)
	}
}

// visit opens the demo's page once the bot is there.
func visit(demo *program) browsertest.Step {
	demo.waitFor("Ctrl-C ends it")
	return chromedp.Steps(browsertest.Visit(pageAddress.FindString(demo.said.String())),
		browsertest.Until(`document.querySelector('[data-testid="status"]').innerText.includes("on duty")`))
}

// be looks at the page as another person.
func be(user string) browsertest.Step {
	return chromedp.Steps(browsertest.Click("person-"+user), browsertest.Until(`document.body.dataset.ready === "`+user+`"`))
}

// codeShown waits until a code can be read.
func codeShown() browsertest.Step {
	return browsertest.Until("/\\b[A-Z0-9]{31}\\b/.test(document.body.innerText)")
}

// asked waits for a confirm dialog, and until it stands still.
func asked() browsertest.Step {
	return chromedp.Steps(browsertest.Seen("confirm-ok"), browsertest.Until(`!document.getAnimations().some((a) => a.playState === "running")`))
}

// closed closes the modal.
func closed() browsertest.Step {
	return chromedp.Steps(browsertest.Click("modal-close"), browsertest.Until(`!document.querySelector('[data-testid="modal"]')`))
}

func ticked(step string) browsertest.Step {
	return browsertest.Until(`document.querySelector('[data-testid="step-` + step + `"]').dataset.progress === "done"`)
}

func shows(text string) browsertest.Step {
	return browsertest.Until("document.body.innerText.replace(/\\s+/g, ' ').includes(`" + text + "`)")
}
