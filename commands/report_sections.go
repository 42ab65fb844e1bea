package commands

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
)

func brokenGlasses(s report.Starts) string {
	if !s.Usable() || len(s.BreakGlass) == 0 {
		return ""
	}
	lines := []string{fmt.Sprintf(":rotating_light: *Without approval (break-glass): %d*", len(s.BreakGlass))}
	for _, b := range s.BreakGlass[:min(reportMost, len(s.BreakGlass))] {
		lines = append(lines, fmt.Sprintf("• %s, %s, %s: %s", moment(b.At), who(b.User, b.Name), name(b.Instance), quoted(b.Why, 200)))
	}
	return strings.Join(andMore(lines, len(s.BreakGlass)), "\n")
}

// andMore adds how many were left out; the first line is a title.
func andMore(lines []string, of int) []string {
	if more := of - (len(lines) - 1); more > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more: see the files", more))
	}
	return lines
}

// who names a person without calling them: a report is no reason to be notified.
func who(user, called string) string { return name(cmp.Or(called, user, "nobody's pass")) }

// unknownPart is the paragraph of a section that was not read; ok is false where
// there are figures.
func unknownPart(title string, s report.Source) (text string, ok bool) {
	switch s.Status {
	case report.LeftOut:
		return "", true
	case report.Unknown:
		return fmt.Sprintf("*%s* — not known: %s", title, quoted(s.Why, 300)), true
	}
	return "", false
}

// gap says what a section lacks of what it should have.
func gap(s report.Source) string {
	if s.Status != report.Partly {
		return ""
	}
	return "\n*Not complete:* " + quoted(s.Why, 300)
}

func aboutStarts(s report.Starts) string {
	if text, none := unknownPart("Starts", s.Source); none {
		return text
	}
	if s.Total == 0 && s.Passes.Asked == 0 {
		return "*Starts* — none, and nobody asked for a pass."
	}
	text := fmt.Sprintf("*Starts* — %d: %d let in, %d refused", s.Total, s.Admitted, s.RefusedTotal())
	if why := counts(s.Refused); why != "" {
		text += " (" + why + ")"
	}
	text += "."
	if s.Observed > 0 {
		text += fmt.Sprintf(" :eyes: *%d of these ran on: observe mode.*", s.Observed)
	}
	if s.Unstopped > 0 {
		text += fmt.Sprintf(" *Left running, or not stopped in time: %d.*", s.Unstopped)
	}
	if s.Swept > 0 {
		text += fmt.Sprintf(" Found by the sweep alone: %d.", s.Swept)
	}
	text += gap(s.Source)
	p := s.Passes
	text += fmt.Sprintf("\nPasses asked for: %d; %d at once, %d approved, %d denied, %d lapsed, %d withdrawn, %d turned down by the policy.",
		p.Asked, p.AtOnce, p.Approved, p.Denied, p.Lapsed, p.Withdrawn, p.Turned)
	if d := s.Decisions; d.Median != nil {
		text += fmt.Sprintf("\nDecided after %s in the median; %d%% within 5 seconds; never answered: %d.",
			span(time.Duration(*d.Median)*time.Second), d.Share5s, d.NoAnswers)
	} else if d.NoAnswers > 0 {
		text += fmt.Sprintf("\nNever answered: %d.", d.NoAnswers)
	}
	return text
}

// counts lists what was counted, the most frequent first.
func counts(by map[string]int) string {
	type one struct {
		what string
		n    int
	}
	var all []one
	for what, n := range by {
		all = append(all, one{what, n})
	}
	slices.SortFunc(all, func(a, b one) int { return cmp.Or(cmp.Compare(b.n, a.n), cmp.Compare(a.what, b.what)) })
	var parts []string
	for _, o := range all[:min(reportMost, len(all))] {
		parts = append(parts, fmt.Sprintf("%d %s", o.n, strings.ReplaceAll(Clean(o.what, 40), "_", " ")))
	}
	return strings.Join(parts, ", ")
}

func aboutKeys(k report.Keys) string {
	text, none := unknownPart("Access keys", k.Source)
	if k.Status == report.LeftOut {
		return ""
	}
	if !none {
		text = fmt.Sprintf("*Access keys* — %d; active: %d; *active for %d days or more: %d*.", k.Total, k.Active, k.MaxAge, k.Old) + gap(k.Source)
	}
	text += fmt.Sprintf("\nIn this period: %d warned of, %d deactivated, %d deleted, %d reactivated, %d kept, %d exempted.",
		k.Warned, k.Deactivated, k.Deleted, k.Reactivated, len(k.Kept), len(k.Exempted))
	if len(k.Exempt) > 0 {
		text += fmt.Sprintf("\nExempt now: %d.", len(k.Exempt))
	}
	if len(k.Due) > 0 {
		lines := []string{fmt.Sprintf("\nDue within 14 days: %d", len(k.Due))}
		if k.Mode != string(auth.Enforce) {
			lines[0] = fmt.Sprintf("\nWould be due within 14 days, but for observe mode: %d", len(k.Due))
		}
		for _, d := range k.Due[:min(reportMost, len(k.Due))] {
			lines = append(lines, fmt.Sprintf("• %s: %s %s", keyOf(d.ID, d.User), d.Do, moment(d.At)))
		}
		text += strings.Join(andMore(lines, len(k.Due)), "\n")
	}
	return text
}

func aboutUsers(r report.Report) string {
	u := r.Users
	if text, none := unknownPart("IAM users", u.Source); none {
		return text
	}
	lines := []string{fmt.Sprintf("*IAM users* — %d, %d of them new.", u.Total, len(u.Added))}
	if root := u.Root; root != nil {
		lines = append(lines, aboutRoot(*root, u.Findings))
	}
	for _, f := range u.Findings {
		switch cis := f.CIS; {
		case f.Unknown:
			lines = append(lines, fmt.Sprintf("• not known: %s", f.Title))
		case f.Users > 0:
			if cis != "" {
				cis = fmt.Sprintf(" (CIS %s, %s)", r.Provenance.CIS, cis)
			}
			lines = append(lines, fmt.Sprintf("• %d × %s%s", f.Users, f.Title, cis))
		}
	}
	return strings.Join(append(lines, arithmetic(*r.Score)), "\n")
}

// aboutRoot says of the root user what is known.
func aboutRoot(root report.Root, findings []report.FindingCount) string {
	known := func(f report.Finding) bool {
		return !slices.ContainsFunc(findings, func(c report.FindingCount) bool { return c.Finding == f && c.Unknown })
	}
	keys, mfa, used := "access keys not known", "MFA not known", "last use not known"
	if known(report.RootKey) {
		keys = fmt.Sprintf("%d access %s", root.AccessKeys, plural(root.AccessKeys, "key", "keys"))
	}
	if known(report.RootNoMFA) {
		if mfa = "*no MFA*"; root.MFA {
			mfa = "MFA"
		}
	}
	if root.LastUsed != nil {
		used = "last used " + at(*root.LastUsed, "{date_short_pretty}")
	} else if known(report.RootUsed) {
		used = "never used, as far as AWS knows"
	}
	return fmt.Sprintf("Root: %s, %s, %s.", keys, mfa, used)
}

// keyOf names a key and its user. The credential report has no ids.
func keyOf(id, user string) string {
	if id == "" {
		return "a key of " + name(user)
	}
	return keyName(id) + " of " + name(user)
}

// arithmetic shows how the score came about, so that it can be argued with.
func arithmetic(s report.Score) string {
	text := fmt.Sprintf("*Security score %s of 100.*", number(s.Total))
	if s.Users > 0 {
		sum := []string{"100"}
		for _, l := range s.Lost {
			sum = append(sum, fmt.Sprintf("%d × %d/%d", l.Points, l.Times, s.Users))
		}
		text += fmt.Sprintf(" Users' mean: %s = %s.", strings.Join(sum, " − "), number(s.Mean))
	}
	if s.Root != nil {
		text += fmt.Sprintf(" Root: %d. The lower one counts.", *s.Root)
	}
	return text
}

func aboutChanges(r report.Report) string {
	c := r.Changes
	var lines []string
	add := func(n int, one, many string, some []string) {
		if n == 0 {
			return
		}
		line := fmt.Sprintf("• %d %s", n, plural(n, one, many))
		if len(some) > 0 {
			line += ": " + strings.Join(some, ", ")
		}
		if n > len(some) && len(some) > 0 {
			line += ", …"
		}
		lines = append(lines, line)
	}
	add(len(c.UsersAdded), "new user", "new users", firstOf(c.UsersAdded, name))
	add(len(c.UsersRemoved), "user gone", "users gone", firstOf(c.UsersRemoved, name))
	add(len(c.Opened), "new finding", "new findings", firstOf(c.Opened, findingName))
	add(len(c.Closed), "finding closed", "findings closed", firstOf(c.Closed, findingName))
	add(c.KeysAdded, "new access key", "new access keys", nil)
	add(c.KeysRemoved, "access key gone", "access keys gone", nil)
	add(len(c.Crossed), "key crossed a line", "keys crossed a line", firstOf(c.Crossed, func(k report.Crossed) string {
		return fmt.Sprintf("%s (%d days)", keyOf(k.ID, k.User), k.Line)
	}))
	add(len(c.Policy), "change of the policy", "changes of the policy", firstOf(c.Policy, func(p report.PolicyChange) string { return moment(p.At) }))
	add(len(c.Lapsing), "exemption lapses within 14 days", "exemptions lapse within 14 days", firstOf(c.Lapsing, func(e report.ExemptKey) string {
		return keyOf(e.ID, e.User)
	}))
	for _, n := range c.NotCompared {
		lines = append(lines, "• not compared: "+Clean(n, 200))
	}
	switch {
	case c.Since == nil && len(lines) == 0:
		return ""
	case len(lines) == 0:
		lines = []string{"nothing"}
	}
	title := "*Changes since the report before*\n"
	if c.Since == nil {
		title = "*Changes in this period*\n"
	}
	return title + strings.Join(lines, "\n")
}

func firstOf[T any](all []T, show func(T) string) []string {
	var some []string
	for _, v := range all[:min(reportMost, len(all))] {
		some = append(some, show(v))
	}
	return some
}

func findingName(f report.UserFinding) string {
	return fmt.Sprintf("%s (%s)", name(f.User), strings.ReplaceAll(string(f.Finding), "_", " "))
}
