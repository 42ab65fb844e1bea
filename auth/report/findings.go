package report

import (
	"cmp"
	"slices"
	"time"
)

const day = 24 * time.Hour

// days is an age in whole days.
func days(from, to time.Time) int { return int(to.Sub(from) / day) }

// inspector looks for findings in the credential report.
type inspector struct {
	period  Period
	now     time.Time
	cis     string
	unknown map[Finding]bool // the report lacks the columns for it
}

func newInspector(c Credentials, p Period, cis string, now time.Time) inspector {
	i := inspector{period: p, now: now, cis: cis, unknown: map[Finding]bool{}}
	for _, k := range kinds() {
		for _, column := range k.needs {
			if slices.Contains(c.Lacks, column) {
				i.unknown[k.finding] = true
			}
		}
	}
	return i
}

// users is the section, with the score that follows from it.
func (i inspector) users(rows []Credential) (Users, *Score) {
	u := Users{Findings: []FindingCount{}, Added: []string{}, List: make([]User, 0, len(rows))}
	for _, row := range rows {
		if row.User == RootUser {
			u.Root = i.root(row)
			continue
		}
		user := i.user(row)
		u.List = append(u.List, user)
		if i.period.Holds(user.Created) {
			u.Added = append(u.Added, user.Name)
		}
	}
	u.Total = len(u.List)
	slices.Sort(u.Added)
	slices.SortFunc(u.List, func(a, b User) int { return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Name, b.Name)) })
	u.Findings = i.counted(u)
	return u, score(u)
}

func (i inspector) root(c Credential) *Root {
	r := &Root{MFA: c.MFA, LastUsed: lastUsed(c)}
	for _, k := range c.Keys {
		if k.Active {
			r.AccessKeys++
		}
	}
	used := r.LastUsed != nil && !r.LastUsed.Before(i.period.From)
	// A root user without any credential, as member accounts may have it, needs no MFA.
	r.Findings = i.those(map[Finding]bool{RootKey: r.AccessKeys > 0, RootNoMFA: !c.MFA && (c.Password || r.AccessKeys > 0), RootUsed: used})
	r.Score = 100 - cost(r.Findings)
	return r
}

func (i inspector) user(c Credential) User {
	u := User{Name: c.User, Created: c.Created.UTC(), Console: c.Password, MFA: c.MFA, LastUsed: lastUsed(c)}
	found := map[Finding]bool{NoMFA: c.Password && !c.MFA}
	if since := latest(c.PasswordUsed, c.PasswordSet, c.Created); c.Password && !since.IsZero() {
		idle := days(since, i.now)
		found[PasswordUnused90], found[PasswordUnused45] = idle >= 90, idle >= 45 && idle < 90
	}
	idlest := 0
	for _, k := range c.Keys {
		if !k.Active {
			continue
		}
		u.Keys++
		if since := latest(k.Used, k.Rotated); !since.IsZero() {
			idlest = max(idlest, days(since, i.now))
		}
		found[KeyOld] = found[KeyOld] || !k.Rotated.IsZero() && days(k.Rotated, i.now) > 90
	}
	found[KeyUnused90], found[KeyUnused45] = idlest >= 90, idlest >= 45 && idlest < 90
	found[TwoKeys] = u.Keys == 2
	u.Findings = i.those(found)
	u.Score = 100 - cost(u.Findings)
	return u
}

// those are the findings that there are and that can be known.
func (i inspector) those(found map[Finding]bool) []Finding {
	list := []Finding{}
	for _, k := range kinds() {
		if found[k.finding] && !i.unknown[k.finding] {
			list = append(list, k.finding)
		}
	}
	return list
}

// counted is every kind of finding, those that nobody has too.
func (i inspector) counted(u Users) []FindingCount {
	times := map[Finding]int{}
	for _, user := range u.List {
		for _, f := range user.Findings {
			times[f]++
		}
	}
	if u.Root != nil {
		for _, f := range u.Root.Findings {
			times[f]++
		}
	}
	var all []FindingCount
	for _, k := range kinds() {
		all = append(all, FindingCount{
			Finding: k.finding, Title: k.title, CIS: numbers(i.cis)[k.finding], Points: k.points,
			Users: times[k.finding], Unknown: i.unknown[k.finding],
		})
	}
	return all
}

func lastUsed(c Credential) *time.Time {
	t := latest(c.PasswordUsed, c.Keys[0].Used, c.Keys[1].Used).UTC()
	if t.IsZero() {
		return nil
	}
	return &t
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }
