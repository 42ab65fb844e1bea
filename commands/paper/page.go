package paper

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/auth/report"
)

// page is a report in words: what HTML and Text show. What others wrote is
// cleaned in it, and cut.
type page struct {
	Title    string
	Period   string
	Problems []problem
	Figures  []figure
	Compared string // with what the figures are
	Parts    []part
}

// problem is what could not be read, and what to do.
type problem struct{ Where, What, Next string }

// figure is one of the numbers that can be read in five seconds.
type figure struct {
	Label string
	Value string
	Trend phrase
}

// part is a chapter of the page.
type part struct {
	Title  string
	Gap    string // what is missing in it, and why
	Blocks []block
}

// block is some lines, and a table beneath them.
type block struct {
	Title   string
	Tone    tone
	Lines   []phrase
	Columns []string
	Rows    [][]phrase // of as many as there are Columns
	More    string     // which rows are not shown
	Picture string     // name of the file that shows the same as the table
}

// Right says whether a column is of numbers.
func (b block) Right(column int) bool { return len(b.Rows) > 0 && b.Rows[0][column].Tone == digits }

// phrase is a text with its tone.
type phrase struct {
	Text string
	Tone tone
}

// tone is how something is shown besides what it says. What it says must be
// enough: colours are not seen by all.
type tone string

const (
	fine   tone = "fine"
	bad    tone = "bad"
	faint  tone = "faint"
	code   tone = "code"   // an identifier
	short  tone = "short"  // a few words that belong together
	digits tone = "digits" // a number
	bars   tone = "bars"
)

func plain(text string) phrase                   { return phrase{Text: text} }
func plainf(format string, values ...any) phrase { return phrase{Text: fmt.Sprintf(format, values...)} }
func finef(format string, values ...any) phrase  { return phrase{fmt.Sprintf(format, values...), fine} }
func badf(format string, values ...any) phrase   { return phrase{fmt.Sprintf(format, values...), bad} }

func note(text string) phrase   { return plain(clean(text, noteMost)) }
func when(t time.Time) phrase   { return phrase{moment(t), short} }
func number(n int) phrase       { return phrase{strconv.Itoa(n), digits} }
func ageOf(days int) phrase     { return phrase{plural(days, "day", "days"), digits} }
func lines(all ...phrase) block { return block{Lines: all} }

// with has more lines.
func (b block) with(more ...phrase) block {
	b.Lines = append(b.Lines, more...)
	return b
}

// drawnIn says which file shows the same.
func (b block) drawnIn(picture string) block {
	b.Picture = picture
	return b
}

// id shows an identifier of AWS's.
func id(text string) phrase {
	if text == "" {
		return phrase{"–", faint}
	}
	return phrase{clean(text, nameMost), code}
}

// rowsMost is how many rows of a list are shown.
const rowsMost = 25

// composer composes a page of which no list has more rows than most.
type composer struct {
	report.Report
	findings findings
	most     int
}

func compose(r report.Report, most int) page {
	c := composer{r, findingsOf(r), most}
	return page{
		Title: Title(r), Period: "From " + moment(r.Period.From) + " to " + moment(r.Period.To) + ". All times are in UTC.",
		Problems: c.problems(), Figures: c.figures(), Compared: c.compared(),
		Parts: slices.DeleteFunc([]part{
			c.section(report.AboutStarts, r.Starts.Source, c.starts),
			c.section(report.AboutKeys, r.Keys.Source, c.keys),
			c.section(report.AboutUsers, r.Users.Source, c.users),
			c.score(), c.changes(), c.provenance(),
		}, func(p part) bool { return p.Title == "" }),
	}
}

// section is a part that can be left out, and be unread.
func (c composer) section(s report.Section, from report.Source, blocks func() []block) part {
	p := part{Title: sectionName(s)}
	switch {
	case from.Status == report.LeftOut:
		return part{}
	case !from.Usable():
		p.Gap = "Not known: " + sentence(from.Why)
		return p
	case from.Status == report.Partly:
		p.Gap = "Not complete: " + sentence(from.Why)
	}
	p.Blocks = said(blocks())
	return p
}

// said are the blocks that say something.
func said(all []block) []block {
	return slices.DeleteFunc(all, func(b block) bool { return len(b.Lines)+len(b.Rows) == 0 })
}

func (c composer) problems() []problem {
	var all []problem
	list := c.Provenance.Problems
	for _, p := range list[:min(c.most, len(list))] {
		all = append(all, problem{sectionName(p.Section), sentence(p.What), sentence(p.Next)})
	}
	if more := len(list) - c.most; more > 0 {
		all = append(all, problem{"More", plural(more, "further problem", "further problems") + ".", "Read them in the JSON."})
	}
	return all
}

func (c composer) figures() []figure {
	var all []figure
	for _, f := range c.Changes.Headline[:min(c.most, len(c.Changes.Headline))] {
		shown := figure{Label: clean(f.Label, nameMost), Value: "not known"}
		if f.Now != nil {
			shown.Value = decimal(*f.Now)
		}
		if c.Changes.Since != nil {
			shown.Trend = trend(f)
		}
		all = append(all, shown)
	}
	return all
}

// compared says what the figures are compared with.
func (c composer) compared() string {
	switch {
	case c.Changes.Since != nil:
		return "Compared with the report on " + days(c.Changes.Since.Period) + "."
	case len(c.Changes.NotCompared) > 0:
		return "Nothing to compare with."
	}
	return "First report: nothing to compare with."
}

// table shows the first of a list.
func table[T any](c composer, title string, list []T, columns []string, row func(T) []phrase) block {
	b := block{Title: title, Columns: columns}
	for _, v := range list[:min(c.most, len(list))] {
		b.Rows = append(b.Rows, row(v))
	}
	if more := len(list) - c.most; more > 0 {
		b.More = fmt.Sprintf("… and %d more, in the CSV and the JSON.", more)
	}
	return b
}

// names is a list in a sentence.
func (c composer) names(list []string) string {
	var all []string
	for _, n := range list[:min(c.most, len(list))] {
		all = append(all, user(n))
	}
	text := strings.Join(all, ", ")
	if more := len(list) - c.most; more > 0 {
		text += fmt.Sprintf(" and %d more, in the CSV and the JSON", more)
	}
	return text
}
