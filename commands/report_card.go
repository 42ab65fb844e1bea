package commands

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth/report"
)

// reportMost is how many things one paragraph of a report names; the files have
// all of them.
const reportMost = 5

// reportCard says in a message what is most worth knowing. Its size does not
// depend on the account's.
func reportCard(title string, r report.Report, f form) (string, []slack.Block) {
	text := title + ": " + figuresInWords(r.Changes)
	blocks := []slack.Block{slack.NewHeaderBlock(plain(clean(title, headerMost))), reportFigures(r), reportPeriod(r)}
	for _, p := range r.Provenance.Problems[:min(reportMost, len(r.Provenance.Problems))] {
		blocks = append(blocks, section(fmt.Sprintf(":warning: *Not complete.* %s\n*Next:* %s.", quoted(p.What, 600), escaped(p.Next, 600))))
	}
	if paragraph := brokenGlasses(r.Starts); paragraph != "" {
		blocks = append(blocks, section(paragraph))
	}
	for _, i := range f.images {
		blocks = append(blocks, slack.NewImageBlockSlackFile(&slack.SlackFileObject{ID: i.ID}, clean(i.Title, 1000), "", nil))
	}
	for _, paragraph := range []string{aboutStarts(r.Starts), aboutKeys(r.Keys), aboutUsers(r), aboutChanges(r)} {
		if paragraph != "" {
			blocks = append(blocks, section(paragraph))
		}
	}
	blocks = append(blocks, tableOf(r).blocks(f.tables)...)
	return text, append(blocks, reportOrigin(r))
}

// headerMost is how long a header may be:
// https://docs.slack.dev/reference/block-kit/blocks/header-block
const headerMost = 150

// reportFigures are the three numbers, each with where it comes from.
func reportFigures(r report.Report) *slack.SectionBlock {
	var fields []*slack.TextBlockObject
	for _, f := range r.Changes.Headline {
		now := "not known"
		if f.Now != nil {
			now = "*" + number(*f.Now) + "*"
		}
		fields = append(fields, words(fmt.Sprintf("%s: %s\n%s", f.Label, now, trend(f, r.Changes.Since != nil))))
	}
	return slack.NewSectionBlock(nil, fields, nil)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// trend says in words and by shape which way a figure went, and whether that is
// good.
func trend(f report.Figure, compared bool) string {
	switch {
	case f.Now == nil || f.Before == nil && compared:
		return "nothing to compare"
	case f.Before == nil:
		return "first report"
	case *f.Now == *f.Before:
		return "= as before"
	}
	way, better := "▲", "up"
	if *f.Now < *f.Before {
		way, better = "▼", "down"
	}
	verdict := "worse"
	if better == f.Better {
		verdict = "better"
	}
	return fmt.Sprintf("%s %s, was %s", way, verdict, number(*f.Before))
}

func figuresInWords(c report.Changes) string {
	var all []string
	for _, f := range c.Headline {
		if f.Now != nil {
			all = append(all, f.Label+": "+number(*f.Now))
		}
	}
	return strings.Join(all, ", ")
}

func reportPeriod(r report.Report) *slack.ContextBlock {
	const form = "{date_short_pretty} {time}"
	text := fmt.Sprintf("AWS account %s · %s to %s", cmp.Or(r.Account, "unknown"), at(r.Period.From, form), at(r.Period.To, form))
	if since := r.Changes.Since; since != nil {
		text += " · compared with the report up to " + at(since.Period.To, form)
	} else {
		text += " · the first report: there is nothing to compare with"
	}
	return small(text)
}

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
		lines = append(lines, fmt.Sprintf("… and %d more: see the files below", more))
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

func aboutStarts(s report.Starts) string {
	if text, none := unknownPart("Starts", s.Source); none {
		return text
	}
	if s.Total == 0 && s.Passes.Asked == 0 {
		return "*Starts* — none, and nobody asked for a pass."
	}
	text := fmt.Sprintf("*Starts* — %d: %d admitted, %d refused", s.Total, s.Admitted, s.RefusedTotal())
	if why := counts(s.Refused); why != "" {
		text += " (" + why + ")"
	}
	text += fmt.Sprintf(". Caught by the sweep: %d. *Could not be stopped: %d.*", s.Swept, s.Unstopped)
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
		parts = append(parts, fmt.Sprintf("%d %s", o.n, strings.ReplaceAll(clean(o.what, 40), "_", " ")))
	}
	return strings.Join(parts, ", ")
}

func aboutKeys(k report.Keys) string {
	text, none := unknownPart("Access keys", k.Source)
	if k.Status == report.LeftOut {
		return ""
	}
	if !none {
		text = fmt.Sprintf("*Access keys* — %d, of which %d are active, and *%d of these %d days old or more*.", k.Total, k.Active, k.Old, k.MaxAge)
	}
	text += fmt.Sprintf("\nIn this period: %d warned of, %d deactivated, %d deleted, %d reactivated, %d kept, %d exempted.",
		k.Warned, k.Deactivated, k.Deleted, k.Reactivated, len(k.Kept), len(k.Exempted))
	if len(k.Exempt) > 0 {
		text += fmt.Sprintf("\nExempt now: %d.", len(k.Exempt))
	}
	if len(k.Due) > 0 {
		lines := []string{fmt.Sprintf("\nDue within 14 days: %d", len(k.Due))}
		for _, d := range k.Due[:min(reportMost, len(k.Due))] {
			lines = append(lines, fmt.Sprintf("• %s of %s: %s %s", keyName(d.ID), name(d.User), d.Do, moment(d.At)))
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
		mfa := "*no MFA*"
		if root.MFA {
			mfa = "MFA"
		}
		used := "never used, as far as AWS knows"
		if root.LastUsed != nil {
			used = "last used " + at(*root.LastUsed, "{date_short_pretty}")
		}
		lines = append(lines, fmt.Sprintf("Root: %d access %s, %s, %s.", root.AccessKeys, plural(root.AccessKeys, "key", "keys"), mfa, used))
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
	add(len(c.Crossed), "key crossed a line", "keys crossed a line", firstOf(c.Crossed, func(k report.Crossed) string {
		return fmt.Sprintf("%s of %s (%d days)", keyName(k.ID), name(k.User), k.Line)
	}))
	add(len(c.Policy), "change of the policy", "changes of the policy", firstOf(c.Policy, func(p report.PolicyChange) string { return moment(p.At) }))
	add(len(c.Lapsing), "exemption lapses within 14 days", "exemptions lapse within 14 days", firstOf(c.Lapsing, func(e report.ExemptKey) string {
		return keyName(e.ID) + " of " + name(e.User)
	}))
	for _, n := range c.NotCompared {
		lines = append(lines, "• not compared: "+clean(n, 200))
	}
	switch {
	case c.Since == nil && len(lines) == 0:
		return ""
	case len(lines) == 0:
		lines = []string{"nothing"}
	}
	return "*Changes since the last report*\n" + strings.Join(lines, "\n")
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

// reportOrigin says what the report can be held against.
func reportOrigin(r report.Report) *slack.ContextBlock {
	p := r.Provenance
	whole := "whole"
	if !p.Trail.Whole {
		whole = "*not whole*"
	}
	text := fmt.Sprintf("Made %s from %d entries of the trail (%d to %d, %s)", moment(p.Generated), p.Trail.Entries, p.Trail.First, p.Trail.Last, whole)
	if made := p.CredentialReport.Made; made != nil {
		text += fmt.Sprintf(" and IAM's credential report of %s (AWS makes one every 4 hours at most)", moment(*made))
	}
	return small(text + ". The files below have everything.")
}
