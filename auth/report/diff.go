package report

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Diff says what changed from one report to a later one. Without an earlier one
// (nil) it says what would be compared next time.
func Diff(before *Report, now Report) Changes {
	c := Changes{
		UsersAdded: []string{}, UsersRemoved: []string{}, Opened: []UserFinding{}, Closed: []UserFinding{}, Crossed: []Crossed{},
		Policy: append([]PolicyChange{}, now.Policy.Changes...), Lapsing: lapsing(now), NotCompared: []string{},
	}
	if before != nil && before.Account != now.Account && before.Account != "" && now.Account != "" {
		c.NotCompared = append(c.NotCompared, "the report before is about the account "+before.Account)
		before = nil
	}
	c.Headline = headline(before, now)
	if before == nil {
		return c
	}
	c.Since = &Before{before.Period, before.Provenance.Generated}
	if len(c.Policy) == 0 && before.Policy.Hash != now.Policy.Hash {
		c.Policy = append(c.Policy, PolicyChange{now.Provenance.Generated, before.Policy.Hash, now.Policy.Hash})
	}
	if c.compares("users", before.Users.Source, now.Users.Source) {
		c.users(before.Users, now.Users)
	}
	if c.compares("access keys", before.Keys.Source, now.Keys.Source) {
		if before.Keys.From == now.Keys.From {
			c.keys(before.Keys, now.Keys)
		} else { // the dates of the two differ
			c.NotCompared = append(c.NotCompared, "access keys: the two reports have them from different sources")
		}
	}
	return c
}

// compares says whether both reports know about something.
func (c *Changes) compares(what string, before, now Source) bool {
	if now.Status == LeftOut {
		return false // nobody asked
	}
	for _, s := range []struct {
		which string
		Source
	}{{"the report before", before}, {"this report", now}} {
		if !s.Usable() {
			c.NotCompared = append(c.NotCompared, what+": "+s.which+" does not have them")
			return false
		}
	}
	return true
}

func (c *Changes) users(before, now Users) {
	had, have := named(before.List), named(now.List)
	for _, u := range now.List {
		if _, ok := had[u.Name]; !ok {
			c.UsersAdded = append(c.UsersAdded, u.Name)
		}
	}
	for _, u := range before.List {
		if _, ok := have[u.Name]; !ok {
			c.UsersRemoved = append(c.UsersRemoved, u.Name)
		}
	}
	slices.Sort(c.UsersAdded)
	slices.Sort(c.UsersRemoved)
	unknown := func(f Finding) bool {
		is := func(n FindingCount) bool { return n.Finding == f && n.Unknown }
		return slices.ContainsFunc(before.Findings, is) || slices.ContainsFunc(now.Findings, is)
	}
	was, is := found(before), found(now)
	for _, f := range sorted(is) {
		if !was[f] && !unknown(f.Finding) {
			c.Opened = append(c.Opened, f)
		}
	}
	for _, f := range sorted(was) {
		if !is[f] && !unknown(f.Finding) {
			c.Closed = append(c.Closed, f)
		}
	}
}

func named(users []User) map[string]User {
	all := make(map[string]User, len(users))
	for _, u := range users {
		all[u.Name] = u
	}
	return all
}

func found(u Users) map[UserFinding]bool {
	all := map[UserFinding]bool{}
	if u.Root != nil {
		for _, f := range u.Root.Findings {
			all[UserFinding{RootUser, f}] = true
		}
	}
	for _, user := range u.List {
		for _, f := range user.Findings {
			all[UserFinding{user.Name, f}] = true
		}
	}
	return all
}

func sorted(all map[UserFinding]bool) []UserFinding {
	list := make([]UserFinding, 0, len(all))
	for f := range all {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b UserFinding) int {
		return cmp.Or(strings.Compare(a.User, b.User), strings.Compare(string(a.Finding), string(b.Finding)))
	})
	return list
}

// keyOf tells a key by its user and when it was made: the credential report knows
// no ids.
type keyOf struct {
	user string
	made time.Time
}

func of(k Key) keyOf { return keyOf{k.User, k.Created.UTC()} }

func (c *Changes) keys(before, now Keys) {
	had := make(map[keyOf][]Key, len(before.List)) // a user's two may have been made within a second
	for _, k := range before.List {
		had[of(k)] = append(had[of(k)], k)
	}
	kept := 0
	for _, k := range now.List {
		same := had[of(k)]
		if len(same) == 0 {
			c.KeysAdded++
			continue
		}
		was := same[0]
		had[of(k)] = same[1:]
		kept++
		for _, line := range lines(now.MaxAge) {
			if k.Active && was.Age < line && k.Age >= line {
				c.Crossed = append(c.Crossed, Crossed{k.ID, k.User, line, k.Age})
				break
			}
		}
	}
	c.KeysRemoved = len(before.List) - kept
}

// lines are the ages that matter, the highest first: one is crossed at a time.
func lines(maxAge int) []int {
	all := []int{365, 180, 90, maxAge}
	slices.SortFunc(all, func(a, b int) int { return cmp.Compare(b, a) })
	return slices.Compact(all)
}

func lapsing(r Report) []ExemptKey {
	list := []ExemptKey{}
	for _, e := range r.Keys.Exempt {
		if e.Until != nil && e.Until.Before(r.Provenance.Generated.Add(soon)) {
			list = append(list, e)
		}
	}
	return list
}

// headline is what can be read in five seconds. A figure of a part that nobody
// asked for is none.
func headline(before *Report, now Report) []Figure {
	all := []Figure{}
	add := func(s Section, id, label, better string, of func(Report) *float64, comparable func(a, b Report) bool) {
		if now.source(s).Status == LeftOut {
			return
		}
		f := Figure{ID: id, Label: label, Now: of(now), Better: better}
		if before != nil && comparable(*before, now) {
			f.Before = of(*before)
		}
		all = append(all, f)
	}
	add(AboutStarts, "starts_refused", "Starts refused", "down", func(r Report) *float64 { return whole(r.Starts.Source, r.Starts.RefusedTotal()) }, sameLength)
	add(AboutKeys, "keys_too_old", "Access keys too old", "down", func(r Report) *float64 { return whole(r.Keys.Source, r.Keys.Old) }, sameAge)
	add(AboutUsers, "score", "Security score", "up", func(r Report) *float64 {
		if r.Score == nil {
			return nil
		}
		total := r.Score.Total
		return &total
	}, sameFindings)
	return all
}

// sameLength says whether two periods are about equally long: more happens in a
// longer one.
func sameLength(a, b Report) bool {
	if a.Starts.Status != b.Starts.Status {
		return false
	}
	x, y := a.Period.To.Sub(a.Period.From), b.Period.To.Sub(b.Period.From)
	return 10*min(x, y) >= 9*max(x, y)
}

// sameAge says whether two reports know the same of the keys, and call the same
// ones old.
func sameAge(a, b Report) bool {
	return a.Keys.Status == b.Keys.Status && a.Keys.From == b.Keys.From && a.Keys.MaxAge == b.Keys.MaxAge
}

// sameFindings says whether two reports could find the same: what cannot be known
// costs nothing.
func sameFindings(a, b Report) bool {
	return slices.EqualFunc(a.Users.Findings, b.Users.Findings, func(x, y FindingCount) bool {
		return x.Finding == y.Finding && x.Points == y.Points && x.Unknown == y.Unknown
	})
}

func whole(s Source, n int) *float64 {
	if !s.Usable() {
		return nil
	}
	v := float64(n)
	return &v
}
