package purge

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"time"

	"sekisho/auth"
)

// Plan is what is to become of every key of an account.
type Plan struct {
	At       time.Time
	Mode     auth.Mode
	Verdicts []Verdict // the oldest key first
	Limit    int       // how many keys may end by themselves

	records map[string]Filed // of every key that has one
}

// Plan judges every key of the users, by the records of those that have one.
func (j Judge) Plan(users []User, records map[string]Record, now time.Time) Plan {
	p := Plan{At: now, Mode: j.Policy.Mode}
	for _, u := range users {
		for _, k := range u.Keys {
			p.Verdicts = append(p.Verdicts, j.Key(u, k, records[k.ID], now))
		}
	}
	slices.SortStableFunc(p.Verdicts, func(a, b Verdict) int {
		return cmp.Or(a.Key.Created.Compare(b.Key.Created), cmp.Compare(a.Key.ID, b.Key.ID))
	})
	p.Limit = j.Policy.Cap.Of(len(p.Verdicts))
	return p
}

// Ends lists the keys that would end now by themselves.
func (p Plan) Ends() []Verdict {
	var all []Verdict
	for _, v := range p.Verdicts {
		if v.counts() {
			all = append(all, v)
		}
	}
	return all
}

// Over says whether those are more than may end in one run.
func (p Plan) Over() bool { return len(p.Ends()) > p.Limit }

// Begins counts the keys about which people hear for the first time; not those
// that are held, where the plan is.
func (p Plan) Begins(held bool) int {
	n := 0
	for _, v := range p.Verdicts {
		if v.Do != Nothing && p.records[v.Key.ID].Version() == 0 && !(held && v.counts()) {
			n++
		}
	}
	return n
}

// Hold is a run that would have ended more keys than the policy allows, and
// waits for somebody's word.
type Hold struct {
	ID    string    `json:"id"`
	At    time.Time `json:"at"`
	Limit int       `json:"limit"`
	Keys  []Held    `json:"keys"`
	Told  bool      `json:"told,omitempty"`
	By    string    `json:"by,omitempty"` // whoever let it go on: a Slack user id, or terminal:NAME
}

// Held is one of its keys.
type Held struct {
	Ref
	Do Do `json:"do"`
}

// Ref is where a key is found.
type Ref struct {
	ID   string `json:"id"`
	User string `json:"user"` // the IAM user's name, which may have changed since
}

// hold is what of the plan waits. Its id follows from the keys and the day: the
// same keys are asked about once a day.
func (p Plan) hold() Hold {
	h := Hold{At: p.At, Limit: p.Limit}
	sum := sha256.New()
	sum.Write([]byte(p.At.UTC().Format(time.DateOnly)))
	for _, v := range p.Ends() {
		h.Keys = append(h.Keys, Held{Ref{v.Key.ID, v.User.Name}, v.Do})
		sum.Write([]byte(v.Key.ID + string(v.Do)))
	}
	h.ID = base64.RawURLEncoding.EncodeToString(sum.Sum(nil)[:12])
	return h
}

// Record is what has become of one of the plan's keys.
func (p Plan) Record(id string) Record { return p.records[id].Record }
