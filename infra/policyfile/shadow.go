package policyfile

import (
	"slices"
	"strings"
	"time"

	"sekisho/auth"
)

// rulesCanMatch refuses rules whose turn never comes: the first rule that
// matches decides.
func rulesCanMatch(rules *[]auth.Rule) read {
	return func(v value) bool {
		items, ok := v.items()
		for i, r := range *rules {
			name, _ := items[i].get("name")
			before := (*rules)[:i]
			if slices.ContainsFunc(before, func(b auth.Rule) bool { return b.Name == r.Name }) {
				ok = name.wrong("give each rule a name of its own", "%s: there is a rule %s already", name, quote(r.Name))
				continue
			}
			over := slices.IndexFunc(before, func(b auth.Rule) bool { return covers(b.Match, r.Match) })
			if over < 0 {
				continue
			}
			first, _ := items[over].get("name")
			ok = name.wrong("put the narrower rule first, or make one rule of the two",
				"rule %s can never match: rule %s on line %d matches all that it does",
				quote(r.Name), quote(before[over].Name), first.at.line)
		}
		return ok
	}
}

// covers says whether a matches whatever b does. It holds them against each
// other one condition at a time, so true is certain and false is not.
func covers(a, b auth.Match) bool {
	for key, needed := range a.Tags {
		if has, ok := b.Tags[key]; !ok || has != needed {
			return false
		}
	}
	return coversEach(a.Types, b.Types) && coversEach(a.Accounts, b.Accounts) && coversEach(a.Regions, b.Regions) &&
		coversEach(a.Names, b.Names) && coversHours(a.Hours, b.Hours)
}

// coversEach says whether each of the patterns in b has one in a that covers
// it. No pattern is every text, as in auth.
func coversEach(a, b []string) bool {
	if len(a) == 0 {
		return true
	}
	if len(b) == 0 {
		b = []string{"*"}
	}
	return !slices.ContainsFunc(b, func(narrow string) bool {
		return !slices.ContainsFunc(a, func(wide string) bool { return coversPattern(wide, narrow) })
	})
}

// coversPattern takes the pattern b for a text that a is to match. A * in it
// stands for any number of characters, though, and so for no ? in a.
func coversPattern(a, b string) bool {
	return a == b || auth.Like(a, b) && !(strings.Contains(a, "?") && strings.Contains(b, "*"))
}

func coversHours(a, b *auth.Hours) bool {
	if a == nil || b == nil {
		return a == nil
	}
	return a.Zone.String() == b.Zone.String() && a.From <= b.From && end(b) <= end(a) && coversDays(a.Days, b.Days)
}

// end is when the hours end, in minutes after the midnight before they begin.
func end(h *auth.Hours) int {
	if h.To < h.From {
		return h.To + 24*60
	}
	return h.To
}

func coversDays(a, b []time.Weekday) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == 0
	}
	return !slices.ContainsFunc(b, func(day time.Weekday) bool { return !slices.Contains(a, day) })
}
