package paper

import (
	"io"
	"strings"

	"sekisho/auth/report"
)

// Text writes the report for a terminal, and as the text part of a mail.
func Text(w io.Writer, r report.Report) error {
	p := compose(r, rowsMost)
	var t typist
	t.heading(p.Title, '═')
	t.say(0, p.Period)
	if len(p.Problems) > 0 {
		t.heading("!! Not everything could be read", '─')
		for _, problem := range p.Problems {
			t.say(2, problem.Where+": "+problem.What)
			t.say(4, "What to do: "+problem.Next)
		}
	}
	t.line("")
	t.figures(p.Figures)
	t.line("")
	t.say(0, p.Compared)
	for _, part := range p.Parts {
		t.part(part)
	}
	_, err := io.WriteString(w, t.out.String())
	return err
}

// Changes writes only what changed, in the same words.
func Changes(w io.Writer, r report.Report) error {
	c := composer{r, findingsOf(r), rowsMost}
	var t typist
	t.heading(Title(r), '═')
	t.figures(c.figures())
	t.part(c.changes())
	_, err := io.WriteString(w, t.out.String())
	return err
}

// typist writes lines of at most so many columns.
type typist struct{ out strings.Builder }

const columns = 100

func (t *typist) line(text string) {
	t.out.WriteString(strings.TrimRight(text, " "))
	t.out.WriteByte('\n')
}

// say writes a paragraph.
func (t *typist) say(indent int, text string) {
	for _, line := range wrap(text, columns-indent) {
		t.line(strings.Repeat(" ", indent) + line)
	}
}

func (t *typist) heading(text string, under rune) {
	if t.out.Len() > 0 {
		t.line("")
	}
	longest := 0
	for _, line := range wrap(text, columns) {
		t.line(line)
		longest = max(longest, width(line))
	}
	t.line(strings.Repeat(string(under), longest))
}

func (t *typist) figures(all []figure) {
	var b block
	for _, f := range all {
		b.Rows = append(b.Rows, []phrase{{f.Value, digits}, plain(f.Label), f.Trend})
	}
	t.rows(b)
}

func (t *typist) part(p part) {
	t.heading(p.Title, '─')
	if p.Gap != "" {
		t.say(0, "!! "+p.Gap)
	}
	for n, b := range p.Blocks {
		if n > 0 || p.Gap != "" {
			t.line("")
		}
		if b.Title != "" {
			t.say(0, b.Title)
		}
		for _, l := range b.Lines {
			t.say(0, l.Text)
		}
		t.rows(b)
		if b.More != "" {
			t.say(2, b.More)
		}
	}
}
