package local

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"sekisho/auth"
	"sekisho/infra/local/browsertest"
)

// shown is whether what has the test id can be seen.
func shown(t *testing.T, tab context.Context, id string) bool {
	t.Helper()
	return browsertest.Eval[bool](t, tab, `document.querySelector('[data-testid="`+id+`"]').checkVisibility()`)
}

// pictures saves the console in the sizes that it is looked at in.
func pictures(t *testing.T, tab context.Context, name string) {
	t.Helper()
	sizes(t, tab, name, ".console")
}

// sizes saves what the page shows there, and fails where something is wider than the window.
func sizes(t *testing.T, tab context.Context, name, where string) {
	t.Helper()
	for _, size := range [][2]int64{{1700, 1000}, {1280, 800}, {960, 760}, {400, 800}} {
		browsertest.Do(t, tab, chromedp.EmulateViewport(size[0], size[1]), browsertest.Until(`document.querySelector("`+where+`").scrollIntoView(), true`))
		wide := browsertest.Eval[int](t, tab, `Math.max(...[...document.querySelectorAll("html, .pane, .messages, .console-head")].map((n) => n.scrollWidth - n.clientWidth))`)
		if wide > 0 {
			t.Errorf("%s at %d pixels: it is %d pixels too wide", name, size[0], wide)
		}
		browsertest.Picture(t, tab, fmt.Sprintf("%s-%d", name, size[0]))
	}
	browsertest.Do(t, tab, chromedp.EmulateViewport(1400, 900))
}

// TestTabs by pointer and by keyboard: one panel at a time, and one tab in the order of focus.
func TestTabs(t *testing.T) {
	_, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base))
	open := func(want string) {
		t.Helper()
		got := browsertest.Eval[string](t, tab, `[
			[...document.querySelectorAll('[role="tab"][aria-selected="true"]')].map((n) => n.id),
			[...document.querySelectorAll('[role="tab"][tabindex="0"]')].map((n) => n.id),
			[...document.querySelectorAll('[role="tabpanel"]')].filter((n) => n.checkVisibility()).map((n) => n.getAttribute("aria-labelledby")),
		].join()`)
		if got != want+","+want+","+want {
			t.Errorf("open is %s, want %s", got, want)
		}
	}
	press := func(on, key string) {
		t.Helper()
		browsertest.Do(t, tab, browsertest.Press(on, key))
	}
	const left, right, first, last = "\u0302", "\u0303", "\u0306", "\u0305"
	open("tab-ec2")
	pictures(t, tab, "ec2")
	press("tab-ec2", right)
	open("tab-iam")
	press("tab-iam", right)
	open("tab-trail")
	press("tab-trail", right)
	open("tab-mail")
	press("tab-mail", right)
	open("tab-ec2")
	press("tab-ec2", left)
	open("tab-mail")
	press("tab-mail", first)
	open("tab-ec2")
	press("tab-ec2", last)
	open("tab-mail")
	if shown(t, tab, "launch") || shown(t, tab, "keys-sweep") {
		t.Error("a button of another tab is there")
	}
	browsertest.Do(t, tab, browsertest.Click("tab-iam"))
	open("tab-iam")
	if shown(t, tab, "launch") || !shown(t, tab, "keys-sweep") {
		t.Error("the button is not the tab's own")
	}
	// The story points at an instance, wherever one is.
	browsertest.Do(t, tab, browsertest.Until(`sessionStorage.setItem("story", document.body.dataset.ready && sessionStorage.getItem("story").split("|")[0] + "|ask"), true`),
		browsertest.Visit(base), browsertest.Click("tab-iam"), browsertest.ClickOn(`[data-testid="step-show"] .link`))
	open("tab-ec2")
}

// TestKeysOnThePage ages, uses, deactivates and deletes keys as the demo's visitor does.
func TestKeysOnThePage(t *testing.T) {
	w, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	row := func(key, words string) browsertest.Step {
		return browsertest.Until(`document.querySelector('[data-testid="key-` + key + `"]')?.innerText.replace(/\s+/g, " ").includes("` + words + `")`)
	}
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Click("tab-iam"),
		row("W4B2", "…W4B2 Active 40 days s3 20 minutes ago"), row("K6B5", "Inactive 70 days s3 41 days ago"), row("T5R6", "Active 60 days never"))
	if browsertest.Eval[bool](t, tab, `document.querySelector('[data-testid="key-W4B2"] .old-word').checkVisibility()`) {
		t.Error("a key of 40 days is called too old")
	}

	browsertest.Do(t, tab, browsertest.Click("key-age-W4B2"), row("W4B2", "140 days"), row("W4B2", "older than 90 days"))
	all := w.events(t)
	if len(all) != 1 || all[0].Source != "aws.config" || all[0].Detail.ResourceID != "AIDAEXAMPLEBENX234567" || all[0].Detail.New.Type != "NON_COMPLIANT" {
		t.Errorf("the queue holds %+v", all)
	}
	browsertest.Do(t, tab, browsertest.Click("key-use-W4B2"), row("W4B2", "seconds ago"))
	browsertest.Do(t, tab, browsertest.Click("keys-sweep"), browsertest.Until(`document.querySelector('[data-testid="log-entry"]')?.innerText.includes("Keys")`))
	if all = w.events(t); len(all) != 2 || all[1].DetailType != "Keys" {
		t.Errorf("the queue holds %+v", all)
	}
	pictures(t, tab, "iam")

	browsertest.Do(t, tab, browsertest.Click("key-deactivate-W4B2"), row("W4B2", "Inactive"),
		browsertest.Until(`document.querySelector('[data-testid="key-use-W4B2"]').disabled`), browsertest.Click("key-activate-W4B2"), row("W4B2", "Active"))
	if !browsertest.Eval[bool](t, tab, `document.querySelector('[data-testid="key-create-ben"]').disabled`) {
		t.Error("ben may have a third key")
	}
	browsertest.Do(t, tab, browsertest.Click("key-delete-K6B5"), browsertest.Click("confirm-cancel"), browsertest.Seen("key-K6B5"),
		browsertest.Click("key-delete-K6B5"), browsertest.Click("confirm-ok"), browsertest.Until(`!document.querySelector('[data-testid="key-K6B5"]')`),
		browsertest.Click("key-create-ben"), browsertest.Until(`document.querySelectorAll('[data-testid="user-ben"] .key').length === 2`))
	if u, _ := w.AWS.User("ben"); len(u.Keys) != 2 || u.Keys[0].ID != bensKey {
		t.Errorf("ben has %+v", u.Keys)
	}
	// What stands above the users stays there, however often they are drawn.
	if heads := browsertest.Eval[int](t, tab, `document.querySelectorAll('[data-testid="users"] > thead, [data-testid="users"] > caption').length`); heads != 2 {
		t.Errorf("the table has %d of its two headings", heads)
	}
}

// TestTrailOnThePage grows while it is looked at, newest first, in the viewer's time, and what it says are words.
func TestTrailOnThePage(t *testing.T) {
	w, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	out := w.TrailWriter()
	at := time.Date(2026, 3, 1, 23, 5, 9, 0, time.UTC)
	write := func(e auth.Entry) {
		t.Helper()
		e.Time = at.Add(time.Duration(e.Seq) * time.Minute)
		fmt.Fprint(out, line(t, e))
	}
	first := func(words string) browsertest.Step {
		return browsertest.Until(`document.querySelector('[data-testid="trail-entry"]')?.innerText.replace(/\s+/g, " ") === "` + words + `"`)
	}
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Click("tab-trail"))
	write(auth.Entry{Seq: 1, Act: auth.ActPassIssue, Outcome: auth.Done, Submitted: "U0HANA", Instance: "i-0b7a30000000000a1"})
	browsertest.Do(t, tab, first("08:06:09 done pass.issue Hana Mori web-1"))
	write(auth.Entry{Seq: 2, Act: auth.ActStart, Outcome: auth.Refused, Instance: "i-0b7a30000000000a1", Reason: "no_pass", Note: "<b>launched</b> 2026-03-01"})
	browsertest.Do(t, tab, first("08:07:09 refused start.judge Sekisho web-1 no_pass <b>launched</b> 2026-03-01"))
	write(auth.Entry{Seq: 3, Act: auth.ActApprove, Outcome: auth.Done, Decided: "U0BEN", Submitted: "U0HANA", Request: "7QK2M", Instance: gpu1, Reason: "wanted tonight"})
	browsertest.Do(t, tab, first("08:08:09 done request.approve Ben Okafor for Hana Mori gpu-1 request 7QK2M wanted tonight"))
	write(auth.Entry{Seq: 4, Act: "key.deactivate", Outcome: auth.Done, Key: bensKey, IAMUser: "ben", Reason: "older than 90d"})
	browsertest.Do(t, tab, first("08:09:09 done key.deactivate Sekisho ben …W4B2 older than 90d"))
	if n := browsertest.Eval[string](t, tab, `document.querySelector("#trail-count").textContent`); n != "4" {
		t.Errorf("the tab counts %q", n)
	}
	for outcome, shape := range map[string]string{"done": "5.2", "refused": "5.8"} { // a tick, a cross
		drawn := browsertest.Eval[string](t, tab, `document.querySelector('[data-outcome="`+outcome+`"] .trail-outcome svg').innerHTML`)
		if !strings.Contains(drawn, "M"+shape) {
			t.Errorf("%s is drawn as %s", outcome, drawn)
		}
	}
	pictures(t, tab, "trail")
	browsertest.Do(t, tab, browsertest.Click("person-U0ROSA"), first("18:09:09 done key.deactivate Sekisho ben …W4B2 older than 90d"))
}
