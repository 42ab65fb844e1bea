package auth

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Everyone in a rule's Ask stands for all members of the workspace.
const Everyone = "everyone"

// Rule says who may ask for a pass for which instances, and who must agree.
// The first rule whose Match covers the instance decides; a person whom it
// does not let ask is not passed on to the next one.
type Rule struct {
	Name       string
	Match      Match
	Ask        []string      // Slack ids of users (U…, W…), user groups (S…) and channels (C…, G…: their members), or Everyone
	Approve    *Approve      // nil: nobody needs to agree
	TTL        time.Duration // of its passes; 0: as PassPolicy says
	BreakGlass *BreakGlass   // nil: there is no way around Approve
}

// Named is every Slack id that the rule names.
func (r Rule) Named() []string {
	all := slices.Clone(r.Ask)
	if r.Approve != nil {
		all = append(all, r.Approve.By...)
	}
	if r.BreakGlass != nil {
		all = append(all, r.BreakGlass.By...)
	}
	return all
}

// Approve says who must agree before a pass is given out.
type Approve struct {
	By      []string      // Slack ids of users and user groups
	Count   int           // how many of them, each another person; 1 at least
	Within  time.Duration // a request lapses after this time, and so does an approval that is not made use of
	Reason  bool          // asking needs a reason
	Confirm bool          // approving needs a second click
}

// BreakGlass says who may have a pass without anybody's approval, loudly.
type BreakGlass struct {
	By  []string      // Slack ids of users and user groups
	TTL time.Duration // of such a pass
}

// Match says which instances a rule is for. What is empty matches everything;
// what is there must match all together.
type Match struct {
	Tags     map[string]string // all of them
	Types    []string          // patterns, such as p5.*
	Accounts []string
	Regions  []string
	Names    []string // patterns of the Name tag, such as prod-*
	Hours    *Hours
}

// Hours is a time of the day on some days of the week.
type Hours struct {
	From, To int            // minutes after midnight; To may be 1440, and lies on the next day where it is not after From
	Days     []time.Weekday // on which From lies; empty: every day
	Zone     *time.Location
}

// Misses says in a few words why the rule is not for the instance at this
// time; it is empty where it is.
func (m Match) Misses(i Instance, at time.Time) string {
	for _, k := range sortedKeys(m.Tags) {
		if have, ok := i.Tags[k]; !ok {
			return fmt.Sprintf("it has no tag %q", k)
		} else if have != m.Tags[k] {
			return fmt.Sprintf("its tag %q is %q, not %q", k, have, m.Tags[k])
		}
	}
	switch {
	case !anyPattern(m.Types, i.Type):
		return fmt.Sprintf("its type %s is none of %s", i.Type, strings.Join(m.Types, ", "))
	case len(m.Accounts) > 0 && !slices.Contains(m.Accounts, i.Account):
		return fmt.Sprintf("its account %s is none of %s", i.Account, strings.Join(m.Accounts, ", "))
	case len(m.Regions) > 0 && !slices.Contains(m.Regions, i.Region):
		return fmt.Sprintf("its region %s is none of %s", i.Region, strings.Join(m.Regions, ", "))
	case !anyPattern(m.Names, i.Tags["Name"]):
		return fmt.Sprintf("its name %q is none of %s", i.Tags["Name"], strings.Join(m.Names, ", "))
	case m.Hours != nil && !m.Hours.Holds(at):
		return fmt.Sprintf("it is %s, which is not %s", at.In(m.Hours.Zone).Format("Mon 15:04 MST"), m.Hours)
	}
	return ""
}

// Holds says whether the time is within the hours.
func (h Hours) Holds(t time.Time) bool {
	t = t.In(h.Zone)
	minute := t.Hour()*60 + t.Minute()
	day := t.Weekday()
	on := func(d time.Weekday) bool { return len(h.Days) == 0 || slices.Contains(h.Days, d) }
	if h.From < h.To {
		return on(day) && h.From <= minute && minute < h.To
	}
	return on(day) && minute >= h.From || on((day+6)%7) && minute < h.To // begun yesterday
}

// String is the hours as the policy writes them.
func (h Hours) String() string {
	days := "every day"
	if len(h.Days) > 0 {
		var names []string
		for _, d := range h.Days {
			names = append(names, strings.ToLower(d.String()[:3]))
		}
		days = strings.Join(names, ", ")
	}
	return fmt.Sprintf("%02d:%02d–%02d:%02d (%s, %s)", h.From/60, h.From%60, h.To/60, h.To%60, days, h.Zone)
}

// anyPattern says whether one of the patterns matches the text, or there is none.
func anyPattern(patterns []string, text string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return Like(p, text) })
}

// Like says whether the text matches the pattern, in which * stands for any
// characters and ? for any one.
func Like(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, back := -1, 0 // the last * seen, and up to where it has eaten
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, back = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
