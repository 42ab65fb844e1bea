package commands

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"
)

// sectionText is how long a section's text may be:
// https://docs.slack.dev/reference/block-kit/blocks/section-block
const sectionText = 3000

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// quoted shows text that somebody else wrote (a name, a tag, what was typed)
// as code, so that it can neither format, nor mention, nor link:
// https://docs.slack.dev/messaging/formatting-message-text#escaping
// It is cut after most runes; or earlier, since a message has room for twice as
// many characters at the most, and an escaped sign is several.
func quoted(text string, most int) string {
	text = Clean(text, most)
	if text == blank {
		return text
	}
	var out strings.Builder
	room := 2 * most
	for _, r := range strings.ReplaceAll(text, "`", "'") {
		sign := escaper.Replace(string(r))
		if room -= utf8.RuneCountInString(sign); room < 0 {
			out.WriteRune('…')
			break
		}
		out.WriteString(sign)
	}
	return "`" + out.String() + "`"
}

const blank = "(blank)"

// Clean is text that somebody else wrote, for where Slack shows it as it
// stands: on one line, without what cannot be seen, cut after most runes.
func Clean(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), r == unicode.ReplacementChar:
			return -1
		case unicode.Is(unicode.Cf, r) && r != '\u200d': // unseen, or turns the text around; the joiner makes emoji
			return -1
		}
		return r
	}, text)
	if len(text) > most {
		if runes := []rune(text); len(runes) > most {
			text = string(runes[:most-1]) + "…"
		}
	}
	if text = strings.TrimSpace(text); text == "" {
		return blank
	}
	return text
}

// escaped is text of the bot's own that repeats others' words, such as addresses.
func escaped(text string, most int) string { return escaper.Replace(Clean(text, most)) }

// nameMost is how much of a name is shown.
const nameMost = 80

// name shows an instance's name.
func name(text string) string { return quoted(text, nameMost) }

// at shows a time in the reader's own zone, with UTC for clients that cannot:
// https://docs.slack.dev/messaging/formatting-message-text#date-formatting
func at(t time.Time, form string) string {
	return fmt.Sprintf("<!date^%d^%s|%s>", t.Unix(), form, t.UTC().Format("2006-01-02 15:04:05 UTC"))
}

func clock(t time.Time) string  { return at(t, "{time}") }
func moment(t time.Time) string { return at(t, "{date_short_pretty} at {time_secs}") }

// person mentions a Slack user by id.
func person(id string) string { return "<@" + id + ">" }

// span says a time in words: "45 seconds", "10 minutes", "2 hours".
func span(d time.Duration) string {
	n, unit := int(d.Round(time.Second)/time.Second), "second"
	switch {
	case d >= 2*time.Hour || d == time.Hour:
		n, unit = int(d.Round(time.Hour)/time.Hour), "hour"
	case d >= 2*time.Minute || d == time.Minute:
		n, unit = int(d.Round(time.Minute)/time.Minute), "minute"
	}
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// words is a mrkdwn text whose URLs and names Slack leaves alone.
func words(text string) *slack.TextBlockObject {
	if utf8.RuneCountInString(text) > sectionText {
		text = string([]rune(text)[:sectionText-1]) + "…"
	}
	return slack.NewTextBlockObject(slack.MarkdownType, text, false, true)
}

func section(text string) *slack.SectionBlock { return slack.NewSectionBlock(words(text), nil, nil) }

func small(texts ...string) *slack.ContextBlock {
	parts := make([]slack.MixedElement, len(texts))
	for n, t := range texts {
		parts[n] = words(t)
	}
	return slack.NewContextBlock("", parts...)
}

// button carries an id as its value and nothing else.
func button(action, id, label string) *slack.ButtonBlockElement {
	return slack.NewButtonBlockElement(action, id, plain(label))
}

func beside(text string, b *slack.ButtonBlockElement) *slack.SectionBlock {
	return slack.NewSectionBlock(words(text), nil, slack.NewAccessory(b))
}

func confirm(title, text, yes, no string) *slack.ConfirmationBlockObject {
	return slack.NewConfirmationBlockObject(plain(title), plain(text), plain(yes), plain(no))
}

// say is a message of one paragraph.
func say(text string) Message { return Message{Text: text, Blocks: []slack.Block{section(text)}} }

// plain is a text that Slack shows as it stands.
func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, true, false)
}

// modal is a form; what it is about stands in its metadata, an id.
func modal(callback, about, title, submit string, blocks ...slack.Block) slack.ModalViewRequest {
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: callback, PrivateMetadata: about,
		Title: plain(title), Submit: plain(submit), Close: plain("Cancel"), Blocks: slack.Blocks{BlockSet: blocks},
	}
}

// Modal shows a message that only one person may see where there is no channel
// to say it in. What is clicked in it would find no message to answer, so it
// has no buttons.
func (m Message) Modal() slack.ModalViewRequest {
	var blocks []slack.Block
	for _, b := range m.Blocks {
		switch b := b.(type) {
		case *slack.ActionBlock:
			continue
		case *slack.SectionBlock:
			bare := *b
			bare.Accessory = nil
			blocks = append(blocks, &bare)
		default:
			blocks = append(blocks, b)
		}
	}
	return slack.ModalViewRequest{Type: slack.VTModal, Title: plain("Sekisho"), Close: plain("Close"), Blocks: slack.Blocks{BlockSet: blocks}}
}
