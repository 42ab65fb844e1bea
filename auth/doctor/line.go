package doctor

// Outcome is what was found.
type Outcome string

const (
	Good    Outcome = "good"
	Bad     Outcome = "bad"
	Unknown Outcome = "unknown" // could not be seen, or there is nothing to see
)

// Line is one thing that was looked at.
type Line struct {
	Check   string  `json:"check"` // names it for other programs, "redis.eviction"
	Outcome Outcome `json:"outcome"`
	Says    string  `json:"says"`         // what was found, in a few words and without a secret
	Do      string  `json:"do,omitempty"` // what to do about it
}

// Sign is the line's mark.
func (l Line) Sign() string {
	switch l.Outcome {
	case Good:
		return "✓"
	case Bad:
		return "✗"
	}
	return "–"
}

// Healthy says whether nothing is bad.
func Healthy(lines []Line) bool {
	for _, l := range lines {
		if l.Outcome == Bad {
			return false
		}
	}
	return true
}
