package report

import (
	"cmp"
	"time"
)

// Changes is what differs from the report before. It follows from the two
// reports and nothing else: see Diff.
type Changes struct {
	Since        *Before        `json:"since"` // null: there is nothing to compare with
	Headline     []Figure       `json:"headline"`
	UsersAdded   []string       `json:"users_added"`
	UsersRemoved []string       `json:"users_removed"`
	Opened       []UserFinding  `json:"findings_new"`
	Closed       []UserFinding  `json:"findings_closed"`
	Crossed      []Crossed      `json:"keys_crossed"`
	KeysAdded    int            `json:"keys_added"`
	KeysRemoved  int            `json:"keys_removed"`
	Policy       []PolicyChange `json:"policy"`
	Lapsing      []ExemptKey    `json:"exemptions_lapsing"` // within 14 days
	NotCompared  []string       `json:"not_compared"`       // and why
}

// Before is the report that is compared with.
type Before struct {
	Period    Period    `json:"period"`
	Generated time.Time `json:"generated"`
}

// Figure is one of the headline's numbers.
type Figure struct {
	ID     string   `json:"id"` // starts_refused, keys_too_old, score
	Label  string   `json:"label"`
	Now    *float64 `json:"now"`    // null where it is not known
	Before *float64 `json:"before"` // null where there was none, or one that cannot be compared
	// Better says which way is the good one: up or down.
	Better string `json:"better"`
}

// Way is which way the figure went, -1, 0 or 1, and whether that is good; ok is
// false where there is nothing to compare.
func (f Figure) Way() (way int, good, ok bool) {
	if f.Now == nil || f.Before == nil {
		return 0, false, false
	}
	way = cmp.Compare(*f.Now, *f.Before)
	return way, way > 0 && f.Better == "up" || way < 0 && f.Better == "down", true
}

// UserFinding is one user's finding; root's is of the user <root_account>.
type UserFinding struct {
	User    string  `json:"user"`
	Finding Finding `json:"finding"`
}

// Crossed is a key that has passed an age since.
type Crossed struct {
	ID   string `json:"id"`
	User string `json:"user"`
	Line int    `json:"line_days"`
	Age  int    `json:"age_days"`
}
