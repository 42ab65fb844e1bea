package report

import "time"

// Keys is how old the access keys are, and what became of them.
type Keys struct {
	Source
	Mode   string `json:"mode"` // of the policy: observe, which only says what would be done, or enforce; empty: none
	From   string `json:"from"` // iam: each key was read; credential_report: its two columns
	Total  int    `json:"total"`
	Active int    `json:"active"`
	MaxAge int    `json:"max_age_days"` // of the policy; 90 where it has none
	Old    int    `json:"too_old"`      // active, and as old or older
	Bands  []Band `json:"bands"`        // by age, the youngest first

	// From the trail, within the period.
	Warned      int       `json:"warned"`
	Deactivated int       `json:"deactivated"`
	Reactivated int       `json:"reactivated"`
	Deleted     int       `json:"deleted"`
	Kept        []KeyWord `json:"kept"`     // somebody gave the key some days more
	Exempted    []KeyWord `json:"exempted"` // somebody spared it until a date

	Exempt []ExemptKey `json:"exempt"` // at the end, by the policy or by somebody's word; the oldest first
	Due    []DueKey    `json:"due"`    // ends within 14 days; the soonest first
	List   []Key       `json:"list"`   // all; the oldest first
}

// Band is how many keys are so old.
type Band struct {
	From     int `json:"from_days"`
	To       int `json:"to_days"` // without; 0: without end
	Active   int `json:"active"`
	Inactive int `json:"inactive"`
}

// Key is one access key.
type Key struct {
	ID       string     `json:"id"` // AKIA…; empty where only the credential report was read
	User     string     `json:"user"`
	Active   bool       `json:"active"`
	Created  time.Time  `json:"created"`
	Age      int        `json:"age_days"`
	LastUsed *time.Time `json:"last_used"` // null where it was never used, or that was not read
}

// KeyWord is somebody's word about a key.
type KeyWord struct {
	At   time.Time `json:"at"`
	ID   string    `json:"id"`
	User string    `json:"user"`
	By   string    `json:"by"` // Slack user id
	Name string    `json:"name,omitempty"`
	Note string    `json:"note"` // until when, and why
}

// ExemptKey is a key that the purge leaves alone.
type ExemptKey struct {
	ID    string     `json:"id"`
	User  string     `json:"user"`
	Age   int        `json:"age_days"`
	By    string     `json:"by"`    // the policy's line; empty: somebody's word
	Until *time.Time `json:"until"` // null: for good
}

// DueKey is a key that ends soon.
type DueKey struct {
	ID   string    `json:"id"`
	User string    `json:"user"`
	Age  int       `json:"age_days"`
	Do   string    `json:"do"` // deactivate or delete
	At   time.Time `json:"at"`
}
