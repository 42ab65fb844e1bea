package local

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/slack-go/slack"

	"sekisho/infra/local/browsertest"
)

// TestStory walks through the page as the demo's visitor does, and sees every step tick itself off.
func TestStory(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	tab := browsertest.Tab(t)
	ticked := func(step string) browsertest.Step {
		return browsertest.Until(`document.querySelector('[data-testid="step-` + step + `"]').dataset.progress === "done"`)
	}
	browsertest.Do(t, tab, browsertest.Visit(base),
		browsertest.Until(`document.querySelector('[data-testid="status"]').innerText.includes("on duty")`),
		browsertest.Say("/ec2-pass web-1"), browsertest.Seen("ephemeral"), ticked("ask"),
	)
	if left := browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="composer"]').value`); left != "" {
		t.Errorf("the composer still holds %q", left)
	}
	pass := browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="ephemeral"] pre [data-testid="code"]').textContent`)
	if pass != passCode {
		t.Fatalf("the code is shown as %q", pass)
	}
	browsertest.Do(t, tab,
		browsertest.Write("tag-value-web-1", pass), browsertest.Click("tag-set-web-1"), browsertest.Seen("tag-web-1-Auth"),
		browsertest.Click("start-web-1"), browsertest.Becomes("web-1", "running"), ticked("show"),
		browsertest.Click("stop-web-1"), browsertest.Becomes("web-1", "stopped"),
		browsertest.Click("start-web-1"), ticked("sneak"), browsertest.Becomes("web-1", "stopped"),
		browsertest.Until(`document.querySelector('[data-testid="channel-C0ALERTS"]').classList.contains("has-unread")`),
		browsertest.Click("channel-C0ALERTS"), browsertest.Seen("message"), ticked("read"),
		browsertest.Until(`!document.querySelector('[data-testid="channel-C0ALERTS"]').classList.contains("has-unread")`),
	)

	// A reload keeps what was reached, and another person does not see the pass.
	browsertest.Do(t, tab, browsertest.Visit(base), ticked("read"), browsertest.Click("person-U0BEN"), browsertest.Until(`document.body.dataset.ready === "U0BEN"`))
	if n := browsertest.Eval[int](t, tab, `document.querySelectorAll('[data-testid="ephemeral"]').length`); n != 0 {
		t.Error("somebody else's ephemeral message is on the page")
	}
}

// TestConfirmFlow: a button with a question asks it, and only yes is delivered.
func TestConfirmFlow(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Say("/ec2-pass web-1"), browsertest.Click("btn-pass_start"), browsertest.Seen("confirm-cancel"))
	if title := browsertest.Eval[string](t, tab, `document.querySelector("dialog[open] h2").textContent`); title != "Start this instance?" {
		t.Errorf("the dialog asks %q", title)
	}
	browsertest.Do(t, tab, browsertest.Click("confirm-cancel"), browsertest.Until(`!document.querySelector("dialog")`))
	browsertest.Do(t, tab, browsertest.Click("btn-pass_revoke"), browsertest.Until(`document.querySelector('[data-testid="channel-C0ALERTS"] .unread').textContent === "1"`))
	browsertest.Do(t, tab, browsertest.Click("btn-pass_start"), browsertest.Click("confirm-ok"),
		browsertest.Until(`document.querySelector('[data-testid="channel-C0ALERTS"] .unread').textContent === "2"`))
	told := w.Slack.Messages("C0ALERTS", "U0HANA")
	if !strings.Contains(told[0].Text, "pass_revoke") || !strings.Contains(told[1].Text, "pass_start") {
		t.Errorf("delivered: %q, %q; the cancelled press must not be among them", told[0].Text, told[1].Text)
	}
}

// TestRefusalIsShown: what EC2 refuses is a note and a line in the journal, with EC2's own code.
func TestRefusalIsShown(t *testing.T) {
	_, base := newWorld(t, Options{BootTime: time.Hour, StopTime: time.Hour})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Click("launch"), browsertest.Becomes("new-1", "pending"), browsertest.Click("stop-new-1"), browsertest.Seen("toast"))
	for _, where := range []string{"toast", "log-entry"} {
		if text := browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="`+where+`"]').innerText`); !strings.Contains(text, "IncorrectInstanceState") {
			t.Errorf("the %s says %q", where, text)
		}
	}
	browsertest.Do(t, tab, browsertest.Click("terminate-new-1"), browsertest.Click("confirm-ok"), browsertest.Becomes("new-1", "shutting-down"))
}

// show posts as the bot would; the step ends when the page shows n messages.
func (w *World) show(t *testing.T, n int, options ...slack.MsgOption) browsertest.Step {
	t.Helper()
	client := slack.New(botToken, slack.OptionAPIURL(w.base+"/slack/api/"))
	if _, _, err := client.PostMessageContext(t.Context(), home, options...); err != nil {
		t.Fatal(err)
	}
	return browsertest.Until(fmt.Sprintf(`document.querySelectorAll('[data-testid="message"]').length === %d`, n))
}

// TestMarkup: what a message says, and the HTML that must come of it.
func TestMarkup(t *testing.T) {
	w, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), w.show(t, 1, slack.MsgOptionText("the page is there", false)))
	const a = `target="_blank" rel="noopener noreferrer"`
	cases := []struct{ name, text, html string }{
		{"an element", `<img src=x onerror="document.title=1">`, `&lt;img src=x onerror="document.title=1"&gt;`},
		{"an escaped element", `&lt;script&gt;alert(1)&lt;/script&gt;`, `&lt;script&gt;alert(1)&lt;/script&gt;`},
		{"doubly escaped", `&amp;lt;b&amp;gt;`, `&amp;lt;b&amp;gt;`},
		{"a script's address", `<javascript:alert(1)|click me>`, `&lt;javascript:alert(1)|click me&gt;`},
		{"a script in capitals", "<JaVaScRiPt:alert(1)>", `&lt;JaVaScRiPt:alert(1)&gt;`},
		{"data", `<data:text/html,hello|x>`, `&lt;data:text/html,hello|x&gt;`},
		{"a relative address", `<//evil.example|x>`, `&lt;//evil.example|x&gt;`},
		{"a link", `<https://example.com/?a=1&amp;b=2|a &amp; b>`, `<a href="https://example.com/?a=1&amp;b=2" ` + a + `>a &amp; b</a>`},
		{"a link that breaks out", `<https://example.com/"onmouseover="alert(1)|x>`, `<a href="https://example.com/%22onmouseover=%22alert(1)" ` + a + `>x</a>`},
		{"mail", `<mailto:a@example.com|write>`, `<a href="mailto:a@example.com" ` + a + `>write</a>`},
		{"never closed", `*bold _and <https://example.com`, `*bold _and &lt;https://example.com`},
		{"styles", `*b* _i_ ~s~ *_both_*`, `<strong>b</strong> <em>i</em> <s>s</s> <strong><em>both</em></strong>`},
		{"not styles", `2*3*4 snake_case_name a ~ b ~ c`, `2*3*4 snake_case_name a ~ b ~ c`},
		{"a link in bold", `*see <https://example.com/*x*|it>*`, `<strong>see <a href="https://example.com/*x*" ` + a + `>it</a></strong>`},
		{"people and places", `<@U0BEN> in <#C0ALERTS>`, `<span class="mention">@Ben Okafor</span> in <span class="mention">#checkpoint-alerts</span>`},
		{"a group", `<!subteam^S0LEADS> and <!subteam^S0NONE|@them>`, `<span class="mention">@leads</span> and <span class="mention">@them</span>`},
		{"a hostile label", `<@U0NOBODY|&lt;img src=x&gt;>`, `<span class="mention">@&lt;img src=x&gt;</span>`},
		{"quote", "&gt; one\n&gt; two\nthree", `<blockquote>one<br>two</blockquote>three`},
		{"unknown emoji", `:nothing_like_it: 12:30:45`, `:nothing_like_it: 12:30:45`},
		{"a date with a bad address", `<!date^0^{date_num}^javascript:alert(1)|x>`, `<time datetime="1970-01-01T00:00:00.000Z" title="Thursday, January 1st, 1970 at 9:00:00 AM (Asia/Tokyo)" data-seconds="0" data-format="{date_num}" data-zone="Asia/Tokyo">1970-01-01</time>`},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			encoded, _ := json.Marshal(tc.text)
			if got := render[string](t, tab, `holder.append(mrkdwn(`+string(encoded)+`, view)); return holder.innerHTML`); got != tc.html {
				t.Errorf("%s\nbecame %s\nwant   %s", tc.text, got, tc.html)
			}
		})
	}
	if got := render[string](t, tab, "holder.append(mrkdwn('```a *b* &lt;c&gt;\\n  d```', view)); return holder.querySelector('pre').textContent"); got != "a *b* <c>\n  d" {
		t.Errorf("preformatted text became %q", got)
	}
	// As long and as crooked as Slack allows: it must not hang.
	if n := render[int](t, tab, "const from = Date.now(); mrkdwn('*a <'.repeat(750), view); mrkdwn('_'.repeat(3000), view); return Date.now() - from"); n > 1000 {
		t.Errorf("3,000 crooked characters took %d ms", n)
	}
}

// render runs the page's own modules: mrkdwn, blocks and a view like Hana's.
func render[T any](t *testing.T, tab context.Context, body string) T {
	t.Helper()
	value, err := chromedp.Run(tab, chromedp.Evaluate[T](`(async () => {
		const { mrkdwn } = await import("/mrkdwn.js");
		const { renderBlocks } = await import("/blocks.js");
		const { slackDate } = await import("/dates.js");
		const view = {
			me: "U0HANA", zone: "Asia/Tokyo", now: () => new Date("2026-03-01T12:00:00Z"),
			people: new Map([["U0BEN", { realName: "Ben Okafor" }]]),
			groups: new Map([["S0LEADS", { handle: "leads", members: ["U0BEN"] }]]), channels: new Map([["C0ALERTS", { name: "checkpoint-alerts" }]]),
		};
		const holder = document.createElement("div");
		`+body+`
	})()`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("in the browser: %v", err)
	}
	return value
}

// TestDates: the viewer's zone decides what day it is.
func TestDates(t *testing.T) {
	_, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base))
	at := time.Date(2026, 3, 1, 23, 5, 9, 0, time.UTC).Unix() // 8:05:09 on the 2nd in Tokyo, 18:05:09 on the 1st in New York
	for _, tc := range []struct{ format, zone, now, want string }{
		{"{date_num} {time_secs}", "Asia/Tokyo", "2026-03-01T12:00:00Z", "2026-03-02 8:05:09 AM"},
		{"{date_num} {time_secs}", "America/New_York", "2026-03-01T12:00:00Z", "2026-03-01 6:05:09 PM"},
		{"{date_short_pretty} at {time}", "Asia/Tokyo", "2026-03-01T12:00:00Z", "tomorrow at 8:05 AM"},
		{"{date_short_pretty} at {time}", "Europe/London", "2026-03-01T12:00:00Z", "today at 11:05 PM"},
		{"{date_pretty}", "Europe/London", "2026-03-02T00:00:00Z", "yesterday"},
		{"{date_pretty}", "Europe/London", "2026-03-09T00:00:00Z", "March 1st, 2026"},
		{"{date} | {date_short} | {date_long}", "Asia/Tokyo", "2026-03-01T12:00:00Z", "March 2nd, 2026 | Mar 2, 2026 | Monday, March 2nd, 2026"},
		{"{date_long_pretty} {ago}", "Europe/London", "2026-03-01T22:00:00Z", "today in 1 hour"},
		{"{ago}", "Europe/London", "2026-03-01T23:08:20Z", "3 minutes ago"},
		{"{constructor} {nothing}", "Europe/London", "2026-03-01T22:00:00Z", "{constructor} {nothing}"},
	} {
		got := render[string](t, tab, fmt.Sprintf(`return slackDate(%d, %q, %q, new Date(%q))`, at, tc.format, tc.zone, tc.now))
		if got != tc.want {
			t.Errorf("%s in %s: %q, want %q", tc.format, tc.zone, got, tc.want)
		}
	}

	// And on the page, the same message for two people.
	w, base := newWorld(t, Options{})
	browsertest.Do(t, tab, browsertest.Visit(base), w.show(t, 1, slack.MsgOptionText(fmt.Sprintf("<!date^%d^{date_num} {time}|then>", at), false)))
	const shown = `document.querySelector('[data-testid="message"] .content time').textContent`
	if got := browsertest.Eval[string](t, tab, shown); got != "2026-03-02 8:05 AM" {
		t.Errorf("in Tokyo it reads %q", got)
	}
	browsertest.Do(t, tab, browsertest.Click("person-U0ROSA"), browsertest.Until(shown+` === "2026-03-01 6:05 PM"`))
}

// TestBlocks: each kind of block is drawn, a hostile one harmlessly.
func TestBlocks(t *testing.T) {
	_, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base))
	for _, tc := range []struct{ name, block, want string }{
		{"section", `{"type":"section","text":{"type":"mrkdwn","text":"*a*"},"fields":[{"type":"mrkdwn","text":"f1"},{"type":"plain_text","text":"*f2*"}]}`,
			`holder.querySelector("strong").textContent === "a" && [...holder.querySelectorAll(".field")].map((f) => f.textContent).join() === "f1,*f2*"`},
		{"header", `{"type":"header","text":{"type":"plain_text","text":"<b>no</b> :lock:"}}`,
			`holder.querySelector("h3").textContent === "<b>no</b> " && holder.querySelector("h3 svg")`},
		{"context", `{"type":"context","elements":[{"type":"mrkdwn","text":"small"},{"type":"image","image_url":"https://example.com/x.png","alt_text":"alt"}]}`,
			`holder.innerText.includes("small") && !holder.querySelector("img") && holder.querySelector(".picture").textContent === "alt"`},
		{"divider", `{"type":"divider"}`, `holder.querySelector("hr")`},
		{"link button", `{"type":"actions","elements":[{"type":"button","action_id":"go","url":"https://example.com/","text":{"type":"plain_text","text":"Go"}}]}`,
			`holder.querySelector('a[data-testid="btn-go"]').href === "https://example.com/"`},
		{"hostile link button", `{"type":"actions","elements":[{"type":"button","action_id":"go","url":"javascript:alert(1)","text":{"type":"plain_text","text":"Go"}}]}`,
			`!holder.querySelector("a") && holder.querySelector('button[data-testid="btn-go"]')`},
		{"accessory", `{"type":"section","text":{"type":"plain_text","text":"x"},"accessory":{"type":"button","action_id":"a","style":"danger","text":{"type":"plain_text","text":"A"}}}`,
			`holder.querySelector(".accessory button.danger").textContent === "A"`},
		{"select", `{"type":"actions","elements":[{"type":"static_select","action_id":"s","placeholder":{"type":"plain_text","text":"Pick"},"options":[{"text":{"type":"plain_text","text":"One"},"value":"1"}]}]}`,
			`holder.querySelectorAll("option").length === 2`},
		{"an input in a message", `{"type":"input","block_id":"b","label":{"type":"plain_text","text":"L"},"element":{"type":"plain_text_input","action_id":"a"}}`,
			`holder.innerText.includes("does not draw")`},
		{"table", `{"type":"table","rows":[[{"type":"raw_text","text":"H"}],[{"type":"raw_text","text":"<i>v</i>"}]],"column_settings":[{"align":"right"}]}`,
			`holder.querySelector("th").textContent === "H" && holder.querySelector("td.align-right").textContent === "<i>v</i>"`},
		{"rich text", `{"type":"rich_text","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"b","style":{"bold":true}},{"type":"link","url":"javascript:alert(1)","text":"bad"},{"type":"user","user_id":"U0BEN"}]},{"type":"rich_text_list","style":"bullet","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"item"}]}]},{"type":"rich_text_preformatted","elements":[{"type":"text","text":"pre"}]}]}`,
			`holder.querySelector("strong").textContent === "b" && !holder.querySelector("a") && holder.querySelector("p").textContent === "bbad@Ben Okafor" && holder.querySelector("li").textContent === "item" && holder.querySelector("pre").textContent === "pre"`},
		{"unknown", `{"type":"constructor"}`, `holder.innerText.includes("does not draw")`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			html := render[string](t, tab, `holder.append(...renderBlocks([`+tc.block+`], view, () => {})); return (`+tc.want+`) ? "" : holder.innerHTML`)
			if html != "" {
				t.Errorf("drawn as %s", html)
			}
		})
	}
}

// TestThreads: replies stand under their parent, and can be folded away.
func TestThreads(t *testing.T) {
	w, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), w.show(t, 1, slack.MsgOptionText("parent", false)))
	parent := w.Slack.Messages(home, "U0HANA")[0].TS
	browsertest.Do(t, tab, w.show(t, 1, slack.MsgOptionText("first", false), slack.MsgOptionTS(parent)), browsertest.Seen("reply"))
	browsertest.Do(t, tab, w.show(t, 1, slack.MsgOptionText("second", false), slack.MsgOptionTS(parent)),
		browsertest.Until(`document.querySelector(".thread-toggle").textContent === "2 replies"`),
		browsertest.ClickOn(".thread-toggle"),
		browsertest.Until(`!document.querySelector('[data-testid="reply"]')`))
}

// TestComposer: the hint explains the command and completes an instance's name.
func TestComposer(t *testing.T) {
	_, base := newWorld(t, Options{})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Write("composer", "/e"), browsertest.Seen("hint"))
	if hint := browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="hint"]').innerText`); !strings.Contains(hint, "/ec2-pass [name or i-") {
		t.Errorf("the hint says %q", hint)
	}
	browsertest.Do(t, tab, browsertest.Press("composer", "\t"), browsertest.Press("composer", "gp\t"),
		browsertest.Until(`document.querySelector('[data-testid="composer"]').value === "/ec2-pass gpu-1 "`),
		browsertest.Say("/nothing"), browsertest.Seen("toast"),
		browsertest.Until(`document.querySelector('[data-testid="composer"]').value === "/nothing"`)) // given back, to be corrected
}
