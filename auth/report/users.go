package report

import "time"

// Users is what IAM's credential report says of the account's users.
type Users struct {
	Source
	Total    int            `json:"total"` // without root
	Root     *Root          `json:"root"`  // null where the credential report has none
	Findings []FindingCount `json:"findings"`
	Added    []string       `json:"added"` // created within the period
	List     []User         `json:"list"`  // the lowest score first
}

// Root is the account's root user.
type Root struct {
	AccessKeys int        `json:"access_keys"` // active ones
	MFA        bool       `json:"mfa"`
	LastUsed   *time.Time `json:"last_used"` // with password or key; null: not that AWS knew of
	Score      int        `json:"score"`
	Findings   []Finding  `json:"findings"`
}

// User is one IAM user.
type User struct {
	Name     string     `json:"name"`
	Created  time.Time  `json:"created"`
	Console  bool       `json:"console"` // has a password
	MFA      bool       `json:"mfa"`
	Keys     int        `json:"active_keys"`
	LastUsed *time.Time `json:"last_used"` // with password or key
	Score    int        `json:"score"`
	Findings []Finding  `json:"findings"`
}

// Finding is one thing that is wrong with a user.
type Finding string

// Findings, those of root first. Each is a recommendation of the CIS AWS
// Foundations Benchmark, whose numbers stand in cis.go.
const (
	RootKey          Finding = "root_access_key"
	RootNoMFA        Finding = "root_no_mfa"
	RootUsed         Finding = "root_used" // within the period
	NoMFA            Finding = "console_no_mfa"
	PasswordUnused90 Finding = "password_unused_90"
	PasswordUnused45 Finding = "password_unused_45"
	KeyUnused90      Finding = "key_unused_90"
	KeyUnused45      Finding = "key_unused_45"
	KeyOld           Finding = "key_old" // 90 days, as CIS has it
	TwoKeys          Finding = "two_active_keys"
)

// FindingCount is how many users have it.
type FindingCount struct {
	Finding Finding `json:"finding"`
	Title   string  `json:"title"`
	CIS     string  `json:"cis"` // the recommendation's number in the version that the policy names; empty where that has none
	Points  int     `json:"points"`
	Users   int     `json:"users"`
	Unknown bool    `json:"unknown,omitempty"` // the credential report lacks the columns
}

// Score is how well the account is kept, from 0 to 100. The total is the users'
// mean or root's score, whichever is lower: an account is not better than its
// root. The mean is 100 less what is lost, shared by all users.
type Score struct {
	Total float64 `json:"total"` // one decimal
	Mean  float64 `json:"users_mean"`
	Root  *int    `json:"root"` // null where the credential report has no root
	Users int     `json:"users"`
	Lost  []Lost  `json:"lost"` // the most expensive first
}

// Lost is what one finding costs: Points for each of the users, or Sum together.
type Lost struct {
	Finding Finding `json:"finding"`
	Points  int     `json:"points"`
	Times   int     `json:"times"`
	Sum     int     `json:"sum"`
}
