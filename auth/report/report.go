// Package report makes the account's report: what happened at the checkpoint,
// how old the access keys are, which IAM users are a risk, and what changed
// since the report before.
//
// A Report is one value. Slack, mail, terminal and file show it, and know
// nothing besides. What could not be read is said in it, never left out.
package report

import (
	"slices"
	"time"
)

// Schema names the report's form. A new key does not change it; another meaning
// of an old one would. The form is written down in schema.json.
const Schema = "sekisho.report/v1"

// Report is what people get. Times are in UTC; ages are in whole days.
type Report struct {
	Schema     string     `json:"schema"`
	Name       string     `json:"name"`    // as in the policy; empty where somebody asked for it
	Account    string     `json:"account"` // 12 digits; empty where AWS did not say
	Period     Period     `json:"period"`
	Starts     Starts     `json:"starts"`
	Keys       Keys       `json:"keys"`
	Users      Users      `json:"users"`
	Score      *Score     `json:"score"`  // null where the users are not known
	Policy     Policy     `json:"policy"` // of the bot
	Changes    Changes    `json:"changes"`
	Provenance Provenance `json:"provenance"`
}

// Period is the time that is reported on: from From, up to and without To.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Holds says whether the time lies in it.
func (p Period) Holds(t time.Time) bool { return !t.Before(p.From) && t.Before(p.To) }

// Status says how much of a section is known.
type Status string

const (
	Known   Status = "read"
	Partly  Status = "partly"   // Why says what is missing
	Unknown Status = "unread"   // Why says what kept it from being read
	LeftOut Status = "left_out" // nobody asked for it
)

// Source is where a section stands. Its figures mean nothing where it is
// Unknown or LeftOut.
type Source struct {
	Status Status `json:"status"`
	Why    string `json:"why,omitempty"`
}

// Usable says whether the section's figures mean anything.
func (s Source) Usable() bool { return s.Status == Known || s.Status == Partly }

// Section is a part that can be asked for by itself.
type Section string

const (
	AboutStarts Section = "starts"
	AboutKeys   Section = "keys"
	AboutUsers  Section = "users"
)

func (r Report) source(s Section) Source {
	switch s {
	case AboutStarts:
		return r.Starts.Source
	case AboutKeys:
		return r.Keys.Source
	}
	return r.Users.Source
}

// Sections lists them all, in the order in which they are shown.
func Sections() []Section { return []Section{AboutStarts, AboutKeys, AboutUsers} }

// Policy is which policy was in force at the end, and when it changed.
type Policy struct {
	Hash    string         `json:"hash"`
	Changes []PolicyChange `json:"changes"`
}

// PolicyChange is one change of the policy, by the hashes of its text.
type PolicyChange struct {
	At   time.Time `json:"at"`
	From string    `json:"from"`
	To   string    `json:"to"`
}

// Passing says whether something could not be read that perhaps can be read soon.
func (r Report) Passing() bool {
	return slices.ContainsFunc(r.Provenance.Problems, func(p Problem) bool { return p.Passing })
}

// Provenance is where the report comes from, so that it can be held against it.
type Provenance struct {
	Generated        time.Time        `json:"generated"`
	CIS              string           `json:"cis"` // version of the CIS AWS Foundations Benchmark
	Trail            TrailRead        `json:"trail"`
	CredentialReport CredentialSource `json:"credential_report"`
	Problems         []Problem        `json:"problems"`
}

// TrailRead is what of the trail was read.
type TrailRead struct {
	Entries int   `json:"entries"`
	First   int64 `json:"first"` // number of the first entry; 0 where there was none
	Last    int64 `json:"last"`
	Whole   bool  `json:"whole"` // each entry read follows the one before, as it was written
}

// CredentialSource is which of IAM's credential reports was read; AWS makes one
// every 4 hours at most:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
type CredentialSource struct {
	Made  *time.Time `json:"made"`  // null where none was read
	Lacks []string   `json:"lacks"` // columns that it should have and has not, or that cannot be read
}

// Problem is what could not be read, and what to do.
type Problem struct {
	Section Section `json:"section"`
	What    string  `json:"what"`
	Next    string  `json:"next"`
	Passing bool    `json:"passing"` // it may be gone when it is tried again
}
