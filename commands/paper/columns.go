package paper

import (
	"strings"
	"unicode"
)

// between stands between two columns of a table.
const between = "  "

// rows writes the block's table. What is too wide for its column goes on in the
// next line of it.
func (t *typist) rows(b block) {
	if len(b.Rows) == 0 {
		return
	}
	table := b.Rows
	if len(b.Columns) > 0 {
		head := make([]phrase, len(b.Columns))
		for n, name := range b.Columns {
			head[n] = plain(name)
		}
		table = append([][]phrase{head}, table...)
	}
	widths := fit(table)
	for _, row := range table {
		cells, height := make([][]string, len(row)), 1
		for n, p := range row {
			cells[n] = wrap(p.Text, widths[n])
			height = max(height, len(cells[n]))
		}
		for l := range height {
			line := ""
			for n, cell := range cells {
				text := ""
				if l < len(cell) {
					text = cell[l]
				}
				space := strings.Repeat(" ", widths[n]-width(text))
				if b.Right(n) {
					line += between + space + text
				} else {
					line += between + text + space
				}
			}
			t.line(line)
		}
	}
}

// fit is how wide each column may be: the widest give way.
func fit(table [][]phrase) []int {
	widths := make([]int, len(table[0]))
	sum := len(between) * len(widths)
	for n := range widths {
		for _, row := range table {
			widths[n] = max(widths[n], width(row[n].Text))
		}
		sum += widths[n]
	}
	for ; sum > columns; sum-- {
		widest := 0
		for n := range widths {
			if widths[n] > widths[widest] {
				widest = n
			}
		}
		widths[widest]--
	}
	return widths
}

// wrap breaks a text into lines that are at most so wide, between words where
// it can.
func wrap(text string, most int) []string {
	var all []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && width(line)+1+width(word) <= most {
			line += " " + word
			continue
		}
		if line != "" {
			all = append(all, line)
		}
		for line = word; width(line) > most; {
			at := cut(line, most)
			all = append(all, line[:at])
			line = line[at:]
		}
	}
	return append(all, line)
}

// cut is after how many bytes the text is as wide as it may be; at least one
// sign is.
func cut(text string, most int) int {
	wide := 0
	for at, r := range text {
		if wide += widthOf(r); wide > most && at > 0 {
			return at
		}
	}
	return len(text)
}

// width is how many columns a terminal takes for a text.
func width(text string) int {
	sum := 0
	for _, r := range text {
		sum += widthOf(r)
	}
	return sum
}

// widthOf is right for what names are written in, and may be wrong for emoji.
func widthOf(r rune) int {
	switch {
	case r < 0x300:
		return 1
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), r >= 0xff01 && r <= 0xff60:
		return 2
	}
	return 1
}
