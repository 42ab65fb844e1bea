package policyfile

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// atMost is how many faults an error lists. Whoever has more has another file.
const atMost = 10

// position is a place in the file, in lines and characters from 1; zero is the
// file as a whole.
type position struct{ line, column int }

// fault is one thing that is wrong.
type fault struct {
	at      position
	what    string
	instead string // what to write, or what to do
}

// faults is the error: all that is wrong with one file.
type faults struct {
	name  string
	lines []string // of the file
	list  []fault
}

// add is always false, for a read to return.
func (f *faults) add(at position, instead, what string, args ...any) bool {
	f.list = append(f.list, fault{at, fmt.Sprintf(what, args...), instead})
	return false
}

// Error lists the faults in the file's order.
func (f *faults) Error() string {
	list := slices.Clone(f.list)
	slices.SortStableFunc(list, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.at.line, b.at.line), cmp.Compare(a.at.column, b.at.column))
	})
	var b strings.Builder
	for i, one := range list[:min(len(list), atMost)] {
		if i > 0 {
			b.WriteByte('\n')
		}
		f.render(&b, one)
	}
	if more := len(list) - atMost; more > 0 {
		fmt.Fprintf(&b, "\n%s: and %d more", f.name, more)
	}
	return b.String()
}

func (f *faults) render(b *strings.Builder, one fault) {
	b.WriteString(f.name)
	if one.at.line > 0 {
		fmt.Fprintf(b, ":%d:%d", one.at.line, one.at.column)
	}
	b.WriteString(": " + printable(one.what))
	if line, ok := f.line(one.at.line); ok {
		text, caret := excerpt(line, one.at.column)
		b.WriteString("\n    " + text + "\n    " + caret)
	}
	b.WriteString("\n    " + strings.ReplaceAll(one.instead, "\n", "\n    "))
}

// line gives a line that may be repeated. One that looks as if it held a secret
// may not, and neither may the one below, where its value could stand.
func (f *faults) line(n int) (string, bool) {
	if n < 1 || n > len(f.lines) || secretive(f.lines[n-1]) || n > 1 && secretive(f.lines[n-2]) {
		return "", false
	}
	return f.lines[n-1], true
}

// excerpt cuts a long line down to what is around the column, counted from 1,
// and makes the line below it, with a caret under the column.
func excerpt(line string, column int) (text, caret string) {
	const widest = 120
	runes := []rune(printable(line))
	at := max(0, min(column-1, len(runes)))
	from, to := 0, len(runes)
	if to > widest {
		from = min(max(at-widest/2, 0), to-widest)
		to = from + widest
	}
	text, caret = string(runes[from:to]), strings.Map(blank, string(runes[from:at]))+"^"
	if from > 0 {
		text, caret = "…"+text, " "+caret
	}
	if to < len(runes) {
		text += "…"
	}
	return text, caret
}

// blank is a space as wide as the rune: the ideographic one for what takes two
// cells of a terminal.
func blank(r rune) rune {
	switch {
	case r == '\t':
		return r
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= '\u3000' && r <= '\u303f' || r >= '\uff01' && r <= '\uff60':
		return '\u3000'
	}
	return ' '
}

// printable keeps what would steer a terminal out of a message.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && !unicode.IsGraphic(r) {
			return utf8.RuneError
		}
		return r
	}, text)
}

// quote shows a piece of the file in a sentence.
func quote(text string) string {
	if runes := []rune(text); len(runes) > 60 {
		text = string(runes[:60]) + "…"
	}
	return strconv.Quote(text)
}
