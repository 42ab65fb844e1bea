package paper

import (
	"strings"
	"unicode"
)

// How many characters of a name, or of a longer text, a page shows.
const (
	nameMost = 80
	noteMost = 240
)

// sentence is a longer text that somebody else wrote, with its full stop.
func sentence(text string) string { return strings.TrimSuffix(clean(text, noteMost), ".") + "." }

// clean is text that somebody else wrote, on one line, cut after most runes and
// without what a terminal obeys or nobody sees.
func clean(text string, most int) string {
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
	if text = strings.TrimSpace(text); text == "" {
		return "(blank)"
	}
	if len(text) > most {
		if runes := []rune(text); len(runes) > most {
			return string(runes[:most-1]) + "…"
		}
	}
	return text
}
