package paper

import (
	"strings"

	"sekisho/commands"
)

// How many characters of a name, or of a longer text, a page shows.
const (
	nameMost = 80
	noteMost = 240
)

// sentence is a longer text that somebody else wrote, with its full stop.
func sentence(text string) string { return strings.TrimSuffix(clean(text, noteMost), ".") + "." }

// clean is text that somebody else wrote, as it is shown everywhere.
func clean(text string, most int) string { return commands.Clean(text, most) }
