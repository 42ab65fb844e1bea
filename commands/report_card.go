package commands

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"sekisho/auth/report"
)

// How much of everything the message shows; the files have all of it. Together it
// stays within the 13,200 characters that Slack takes, as others have measured it:
// https://github.com/slackapi/bolt-js/issues/2509
const (
	reportMost    = 5 // things that a paragraph names
	problemsMost  = 3
	paragraphMost = 1500 // characters of a paragraph that lists what others named
	changesMost   = 2000
)

// reportCard says in a message what is most worth knowing. Its size does not
// depend on the account's.
func reportCard(title string, r report.Report, f form) (string, []slack.Block) {
	text := title + ": " + figuresInWords(r.Changes)
	blocks := []slack.Block{slack.NewHeaderBlock(plain(Clean(title, headerMost))), reportFigures(r), reportPeriod(r)}
	problems := r.Provenance.Problems
	for _, p := range problems[:min(problemsMost, len(problems))] {
		blocks = append(blocks, section(fmt.Sprintf(":warning: *Not complete.* %s\n*Next:* %s.", quoted(p.What, 250), escaped(p.Next, 300))))
	}
	if more := len(problems) - problemsMost; more > 0 {
		blocks = append(blocks, small(fmt.Sprintf("… and %d more of these: see the files", more)))
	}
	if paragraph := brokenGlasses(r.Starts); paragraph != "" {
		blocks = append(blocks, section(wholeLines(paragraph, paragraphMost)))
	}
	for _, i := range f.images {
		blocks = append(blocks, slack.NewImageBlockSlackFile(&slack.SlackFileObject{ID: i.ID}, Clean(i.Title, 1000), "", nil))
	}
	for _, paragraph := range []string{
		aboutStarts(r.Starts), wholeLines(aboutKeys(r.Keys), paragraphMost), aboutUsers(r), wholeLines(aboutChanges(r), changesMost),
	} {
		if paragraph != "" {
			blocks = append(blocks, section(paragraph))
		}
	}
	blocks = append(blocks, tableOf(r).blocks(f.tables)...)
	return text, append(blocks, reportOrigin(r, f))
}

// wholeLines is as many lines of the text as fit: half a date or half a name would
// be no text.
func wholeLines(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	const rest = "… the rest is in the files"
	var kept strings.Builder
	room := most - len(rest)
	for line := range strings.Lines(text) {
		if room -= utf8.RuneCountInString(line); room < 0 {
			break
		}
		kept.WriteString(line)
	}
	return kept.String() + rest
}

// headerMost is how long a header may be:
// https://docs.slack.dev/reference/block-kit/blocks/header-block
const headerMost = 150

// reportFigures are the numbers that can be read in five seconds, each with where
// it comes from.
func reportFigures(r report.Report) *slack.SectionBlock {
	var fields []*slack.TextBlockObject
	for _, f := range r.Changes.Headline {
		now := "not known"
		if f.Now != nil {
			now = "*" + number(*f.Now) + "*"
		}
		fields = append(fields, words(fmt.Sprintf("%s: %s\n%s", f.Label, now, trend(f, r.Changes.Since != nil))))
	}
	return slack.NewSectionBlock(nil, fields, nil)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// trend says in words and by shape which way a figure went, and whether that is
// good.
func trend(f report.Figure, compared bool) string {
	way, good, ok := f.Way()
	switch {
	case !ok && compared:
		return "not comparable"
	case !ok:
		return "no earlier report"
	case way == 0:
		return "= as before"
	}
	shape, verdict := "▲", "worse"
	if way < 0 {
		shape = "▼"
	}
	if good {
		verdict = "better"
	}
	return fmt.Sprintf("%s %s, was %s", shape, verdict, number(*f.Before))
}

func figuresInWords(c report.Changes) string {
	var all []string
	for _, f := range c.Headline {
		if f.Now != nil {
			all = append(all, f.Label+": "+number(*f.Now))
		}
	}
	return strings.Join(all, ", ")
}

func reportPeriod(r report.Report) *slack.ContextBlock {
	const form = "{date_short_pretty} {time}"
	text := fmt.Sprintf("AWS account %s · %s to %s", cmp.Or(r.Account, "unknown"), at(r.Period.From, form), at(r.Period.To, form))
	if since := r.Changes.Since; since != nil {
		text += " · compared with the report up to " + at(since.Period.To, form)
	} else {
		text += " · there is nothing to compare with yet"
	}
	return small(text)
}

// reportOrigin says what the report can be held against.
func reportOrigin(r report.Report, f form) *slack.ContextBlock {
	p := r.Provenance
	text := fmt.Sprintf("Made %s from %d %s of the trail", moment(p.Generated), p.Trail.Entries, plural(p.Trail.Entries, "entry", "entries"))
	switch {
	case !p.Trail.Whole:
		text += ", which is *not whole*,"
	case p.Trail.Entries > 0:
		text += fmt.Sprintf(" (from number %d on, whole)", p.Trail.First)
	}
	if made := p.CredentialReport.Made; made != nil {
		text += fmt.Sprintf(" and IAM's credential report of %s (AWS makes one every 4 hours at most)", moment(*made))
	}
	if f.bare {
		return small(text + ". I cannot write you direct messages, so there are no files: `sekisho report` at a terminal prints everything.")
	}
	return small(text + ". The files below have everything.")
}
