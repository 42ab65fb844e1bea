package local

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/slack-go/slack"

	"sekisho/infra/local/browsertest"
)

const (
	noModal  = `!document.querySelector('[data-testid="modal"]')`
	escape   = "\u001b"
	gpu1     = "i-0b7a30000000000b2"
	connects = `document.querySelector('[data-testid="status"]').innerText.includes("on duty")`
)

// openAskModal opens the stand-in's modal from the shortcuts.
func openAskModal() browsertest.Step {
	return chromedp.Steps(browsertest.Click("shortcuts"), browsertest.Click("shortcut-ec2_pass"), browsertest.Seen("modal"))
}

// says waits until an element's text is this.
func says(id, text string) browsertest.Step {
	return browsertest.Until(`document.querySelector('[data-testid="` + id + `"]')?.innerText.trim() === ` + "`" + text + "`")
}

func textOf(t *testing.T, tab context.Context, id string) string {
	t.Helper()
	return browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="`+id+`"]').value`)
}

// told waits until the stand-in has told something about what was done.
func told(n string) browsertest.Step {
	return browsertest.Until(`document.querySelector('[data-testid="channel-C0ALERTS"] .unread').textContent === "` + n + `"`)
}

// TestModal fills one in as people do: wrong, wrong again, and right.
func TestModal(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Until(connects), openAskModal())
	if title := browsertest.Eval[string](t, tab, `document.querySelector("dialog[open] h2").textContent`); title != "Ask for a pass" {
		t.Errorf("the modal's title is %q", title)
	}
	if others := w.snapshot("U0BEN").Views; len(others) != 0 {
		t.Errorf("somebody else sees it too: %+v", others)
	}
	browsertest.Picture(t, tab, "modal")

	// Slack itself finds what is missing, and the first such field has the focus.
	browsertest.Do(t, tab, browsertest.Click("modal-submit"), browsertest.Seen("error-instance"), browsertest.Seen("error-reason"),
		browsertest.Until(`document.activeElement.dataset.testid === "field-instance"`))
	if browsertest.Eval[bool](t, tab, `document.querySelector('[data-testid="error-ticket"]').checkVisibility()`) {
		t.Error("an optional field is complained about")
	}
	if browsertest.Eval[bool](t, tab, `document.querySelector('[data-testid="modal-problem"]').checkVisibility()`) {
		t.Error("what is wrong with fields is said of the whole modal, too")
	}
	browsertest.Picture(t, tab, "modal-missing")

	// Typing searches; Enter picks, and submits nothing.
	browsertest.Do(t, tab, browsertest.Write("field-instance", "GP"), browsertest.Seen("option-"+gpu1))
	if n := browsertest.Eval[int](t, tab, `document.querySelectorAll(".choice").length`); n != 1 {
		t.Errorf("%d choices match GP, want 1", n)
	}
	browsertest.Picture(t, tab, "modal-search")
	browsertest.Do(t, tab, browsertest.Until(`document.addEventListener("submit", () => { window.submitted = true; }), true`),
		browsertest.Press("field-instance", "\r"))
	if got := textOf(t, tab, "field-instance"); got != "gpu-1" {
		t.Errorf("picked %q", got)
	}
	if browsertest.Eval[bool](t, tab, `window.submitted === true`) {
		t.Error("Enter in the list submitted the modal")
	}
	// The list's Escape is not the modal's, and what is typed but not picked does not stay.
	browsertest.Do(t, tab, browsertest.Write("field-instance", "web"), browsertest.Seen("option-i-0b7a30000000000a1"),
		browsertest.Press("field-instance", escape), browsertest.Until(`!document.querySelector(".choice")?.checkVisibility()`))
	if got := textOf(t, tab, "field-instance"); got != "gpu-1" {
		t.Errorf("after Escape the field says %q", got)
	}

	// The bot finds something wrong: its words stand under the field, as words; everything entered stays.
	browsertest.Do(t, tab, browsertest.Write("field-reason", "no"), browsertest.Click("option-now"), browsertest.Write("field-ticket", "T-1"),
		browsertest.Click("modal-submit"), says("error-reason", "Say more than <b>no</b>."))
	for id, want := range map[string]string{"field-instance": "gpu-1", "field-reason": "no", "field-ticket": "T-1"} {
		if got := textOf(t, tab, id); got != want {
			t.Errorf("%s now says %q, want %q", id, got, want)
		}
	}
	browsertest.Picture(t, tab, "modal-errors")

	// A button in it is delivered, and leaves it open.
	browsertest.Do(t, tab, browsertest.Click("btn-modal_help"), told("1"), browsertest.Seen("modal"))

	long := strings.Repeat("x", 151)
	browsertest.Do(t, tab, browsertest.Write("field-reason", long))
	if got := textOf(t, tab, "field-reason"); len(got) != 150 {
		t.Errorf("a field of at most 150 characters took %d", len(got))
	}
	browsertest.Do(t, tab, browsertest.Write("field-reason", "training"), browsertest.Click("modal-submit"), browsertest.Until(noModal), told("2"))
	got := w.Slack.Messages("C0ALERTS", "U0HANA")
	if want := "<@U0HANA> asked for " + gpu1 + " (now): training, until " + firstDate; got[1].Text != want {
		t.Errorf("submitted %q, want %q", got[1].Text, want)
	}
}

// TestModalTakesADate: the field shows what the bot proposes; without a date Slack takes nothing.
func TestModalTakesADate(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	tab := browsertest.Tab(t)
	pick := func(date string) browsertest.Step { // as the browser's own calendar does
		return browsertest.Until(`((field) => {
			field.value = "` + date + `";
			return field.dispatchEvent(new Event("input", { bubbles: true }));
		})(document.querySelector('[data-testid="field-until"]'))`)
	}
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Until(connects), openAskModal(),
		browsertest.Write("field-instance", "web\r"), browsertest.Write("field-reason", "maintenance"), browsertest.Click("option-now"))
	if date := textOf(t, tab, "field-until"); date != firstDate {
		t.Errorf("the field proposes %q", date)
	}
	browsertest.Do(t, tab, pick(""), browsertest.Click("modal-submit"), says("error-until", "Please complete this required field."),
		browsertest.Until(`document.activeElement.dataset.testid === "field-until"`))
	browsertest.Picture(t, tab, "modal-date")
	browsertest.Do(t, tab, pick("2028-02-29"), browsertest.Click("modal-submit"), browsertest.Until(noModal), told("1"))
	if got := w.Slack.Messages("C0ALERTS", "U0HANA")[0].Text; !strings.HasSuffix(got, ", until 2028-02-29") {
		t.Errorf("submitted %q", got)
	}
}

// TestModalIsClosed by its button and by Escape, for Slack as well as for the eye.
func TestModalIsClosed(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Until(connects))
	for name, shut := range map[string]browsertest.Step{
		"button": browsertest.Click("modal-close"),
		"Escape": browsertest.Press("field-reason", escape),
	} {
		browsertest.Do(t, tab, openAskModal(), browsertest.Write("field-reason", "half a sen"), shut, browsertest.Until(noModal))
		follow(t, base, "U0HANA", func(s snapshot) bool { return len(s.Views) == 0 })
		browsertest.Do(t, tab, openAskModal())
		if left := textOf(t, tab, "field-reason"); left != "" {
			t.Errorf("%s: a new modal holds %q", name, left)
		}
		browsertest.Do(t, tab, browsertest.Click("modal-close"), browsertest.Until(noModal))
		follow(t, base, "U0HANA", func(s snapshot) bool { return len(s.Views) == 0 })
	}
}

// TestTypingGoesOnAfterAModal that a typed command opened: the composer has the caret back.
func TestTypingGoesOnAfterAModal(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Until(connects), browsertest.Say("/ec2-pass"), browsertest.Seen("modal"),
		browsertest.Click("modal-close"), browsertest.Until(noModal), browsertest.Say("hello"),
		browsertest.Until(`document.querySelector('#messages .content')?.innerText === "hello"`))
}

// TestModalSaysThatNobodyAnswers and can be sent again.
func TestModalSaysThatNobodyAnswers(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Until(connects), openAskModal(),
		browsertest.Write("field-instance", "web\r"), browsertest.Write("field-reason", "maintenance"))
	w.Slack.DropAcks(true)
	browsertest.Do(t, tab, browsertest.Click("modal-submit"),
		browsertest.Until(`document.querySelector('[data-testid="modal-submit"]').disabled`))
	browsertest.Do(t, tab, browsertest.Seen("modal-problem"), browsertest.Until(`!document.querySelector('[data-testid="modal-submit"]').disabled`))
	w.Slack.DropAcks(false)
	browsertest.Do(t, tab, browsertest.Click("modal-submit"), browsertest.Until(noModal))
}

// TestHomeTab is each person's own, and takes the place of a channel.
func TestHomeTab(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	tab := browsertest.Tab(t)
	shows := func(text string) browsertest.Step {
		return browsertest.Until(`document.querySelector('[data-testid="home"]').innerText.includes("` + text + `")`)
	}
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Until(connects), browsertest.Click("nav-home"), browsertest.Seen("home"), shows("@Hana Mori, you have none."))
	browsertest.Picture(t, tab, "home")
	if browsertest.Eval[bool](t, tab, `document.querySelector('[data-testid="composer"]').checkVisibility()`) {
		t.Error("one can type in the Home tab")
	}
	browsertest.Do(t, tab, browsertest.Click("btn-home_ask"), told("1"))
	if got := w.Slack.Messages("C0ALERTS", "U0HANA")[0].Text; got != "<@U0HANA> pressed `home_ask`" {
		t.Errorf("the press arrived as %q", got)
	}
	// The channel behind the Home tab is not in view: what comes there is news.
	browsertest.Do(t, tab, browsertest.Click("channel-C0ALERTS"), browsertest.Seen("message"), browsertest.Click("nav-home"),
		browsertest.Click("btn-home_ask"), told("1"))
	browsertest.Do(t, tab, browsertest.Click("person-U0BEN"), shows("@Ben Okafor, you have none."),
		browsertest.Click("channel-C0OPS"), browsertest.Seen("composer"))
	if browsertest.Eval[bool](t, tab, `document.querySelector('[data-testid="home"]').checkVisibility()`) {
		t.Error("the Home tab covers a channel")
	}
}

// TestConsoleActsAsThePerson: CloudTrail names the one whom the page is seen as.
func TestConsoleActsAsThePerson(t *testing.T) {
	w, base := newWorld(t, Options{CloudTrailDelay: 1})
	calls := make(chan []byte, 10)
	w.AWS.OnEvent(func(event []byte) {
		if strings.Contains(string(event), "AWS API Call via CloudTrail") {
			calls <- event
		}
	})
	tab := browsertest.Tab(t)
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Click("person-U0ROSA"), browsertest.Until(`document.body.dataset.ready === "U0ROSA"`),
		browsertest.Click("start-web-1"), browsertest.Becomes("web-1", "running"))
	if call := string(<-calls); !strings.Contains(call, `"arn":"arn:aws:iam::111122223333:user/rosa"`) || !strings.Contains(call, `"StartInstances"`) {
		t.Errorf("Rosa's start is told as %s", call)
	}
	browsertest.Do(t, tab, browsertest.Click("launch"), browsertest.Becomes("new-1", "running"))
	if call := string(<-calls); !strings.Contains(call, `"userName":"rosa"`) || !strings.Contains(call, `"RunInstances"`) {
		t.Errorf("Rosa's launch is told as %s", call)
	}
}

// TestStoryOfApproval: the steps after the first four lead from person to person, and tick as the world shows them done.
func TestStoryOfApproval(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	tab := browsertest.Tab(t)
	bot := slack.New(botToken, slack.OptionAPIURL(base+"/slack/api/"))
	ticked := func(step string) browsertest.Step {
		return browsertest.Until(`document.querySelector('[data-testid="step-` + step + `"]').dataset.progress === "done"`)
	}
	help := func(step string) browsertest.Step {
		return browsertest.ClickOn(`[data-testid="step-` + step + `"] .link`)
	}
	is := func(person, channel string) browsertest.Step {
		return browsertest.Until(`document.body.dataset.ready === "` + person + `" && document.querySelector("[aria-current]").dataset.testid === "` + channel + `"`)
	}
	browsertest.Do(t, tab, browsertest.Visit(base), browsertest.Until(`sessionStorage.setItem("story", "`+w.id+`|ask,show,sneak,read"), true`),
		browsertest.Visit(base), browsertest.Until(connects), browsertest.Click("person-U0BEN"), is("U0BEN", "channel-C0OPS"),
		help("request"), is("U0HANA", "channel-C0OPS"))
	if text := textOf(t, tab, "composer"); !strings.HasPrefix(text, "/ec2-pass gpu-1 ") {
		t.Errorf("typed %q", text)
	}
	browsertest.Picture(t, tab, "story")

	question := slack.NewSectionBlock(words("Hana asks for gpu-1"), nil, nil)
	buttons := slack.NewActionBlock("", slack.NewButtonBlockElement("approve", "1", words("Approve")))
	channel, ts, err := bot.PostMessageContext(t.Context(), "C0APPROVE", slack.MsgOptionText("asked", false), slack.MsgOptionBlocks(question, buttons))
	if err != nil {
		t.Fatal(err)
	}
	browsertest.Do(t, tab, ticked("request"), help("approve"), is("U0BEN", "channel-C0APPROVE"), browsertest.Seen("btn-approve"))
	if browsertest.Eval[string](t, tab, `document.querySelector('[data-testid="step-approve"]').dataset.progress`) == "done" {
		t.Error("an open card counts as approved")
	}
	if _, _, _, err := bot.UpdateMessageContext(t.Context(), channel, ts, slack.MsgOptionText("approved", false), slack.MsgOptionBlocks(question)); err != nil {
		t.Fatal(err)
	}
	browsertest.Do(t, tab, ticked("approve"))
	dm, _, _, err := bot.OpenConversationContext(t.Context(), &slack.OpenConversationParameters{Users: []string{"U0HANA"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := bot.PostMessageContext(t.Context(), dm.ID, slack.MsgOptionText("approved", false)); err != nil {
		t.Fatal(err)
	}
	browsertest.Do(t, tab, help("collect"), is("U0HANA", "channel-"+dm.ID),
		browsertest.Write("tag-value-gpu-1", passCode), browsertest.Click("tag-set-gpu-1"), browsertest.Seen("tag-gpu-1-Auth"),
		browsertest.Click("start-gpu-1"), ticked("collect"),
		// Her direct messages are not Ben's.
		browsertest.Click("person-U0BEN"), is("U0BEN", "channel-C0OPS"))
}
