package paper

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
)

// because says in words why a start was refused.
func because(reason string) string {
	switch auth.Reason(reason) {
	case auth.NoTag:
		return "no pass: the tag was not set"
	case auth.Unknown:
		return "a wrong code"
	case auth.Expired:
		return "an expired pass"
	case auth.Used:
		return "a pass that was spent already"
	case auth.OtherInstance:
		return "another instance's pass"
	case auth.Voided:
		return "a pass that was revoked, or replaced by a newer one"
	case auth.Locked:
		return "locked after too many wrong codes"
	case auth.Unjudged:
		return "Redis was away, so that no pass could be checked"
	}
	return clean(reason, nameMost)
}

// sectionName is what a section is called; what is in none is the report.
func sectionName(s report.Section) string {
	switch s {
	case report.AboutStarts:
		return "Starts"
	case report.AboutKeys:
		return "Access keys"
	case report.AboutUsers:
		return "IAM users"
	}
	return "The report"
}

// findings says what the report's findings are called. They are named by what
// the report itself says of them.
type findings map[report.Finding]report.FindingCount

func findingsOf(r report.Report) findings {
	all := make(findings, len(r.Users.Findings))
	for _, f := range r.Users.Findings {
		all[f.Finding] = f
	}
	return all
}

// title is "a console password without MFA".
func (all findings) title(f report.Finding) string {
	if t := all[f].Title; t != "" {
		return clean(t, nameMost)
	}
	return clean(strings.ReplaceAll(string(f), "_", " "), nameMost)
}

// long is "a console password without MFA (CIS 2.10, 40 points)".
func (all findings) long(f report.Finding) string {
	known, ok := all[f]
	if !ok {
		return all.title(f)
	}
	return fmt.Sprintf("%s (%s, %s)", all.title(f), cis(known), plural(known.Points, "point", "points"))
}

// cis is the recommendation's number: "CIS 2.10".
func cis(f report.FindingCount) string {
	if f.CIS == "" {
		return "no CIS number"
	}
	return "CIS " + clean(f.CIS, nameMost)
}

// band is a range of ages: "30 to 59 days".
func band(b report.Band) string {
	if b.To == 0 {
		return fmt.Sprintf("%d days and more", b.From)
	}
	return fmt.Sprintf("%d to %d days", b.From, b.To-1)
}

// trend says what became of a figure, with a sign, in words, and whether that is
// good.
func trend(f report.Figure) phrase {
	switch {
	case f.Before == nil:
		return phrase{Text: "not known last time"}
	case f.Now == nil:
		return phrase{Text: decimal(*f.Before) + " last time"}
	}
	by := math.Round(10*(*f.Now-*f.Before)) / 10
	sign, way, good := "▲", "up", f.Better == "up"
	switch {
	case by == 0:
		return phrase{Text: "= as last time"}
	case by < 0:
		sign, way, good = "▼", "down", f.Better == "down"
	}
	p := phrase{fmt.Sprintf("%s %s %s from %s: worse", sign, way, decimal(math.Abs(by)), decimal(*f.Before)), bad}
	if good {
		p = phrase{strings.TrimSuffix(p.Text, "worse") + "better", fine}
	}
	return p
}

// decimal is a number with one decimal at the most.
func decimal(f float64) string { return strconv.FormatFloat(math.Round(10*f)/10, 'f', -1, 64) }

// plural is "1 key", "2 keys".
func plural(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + more
}

// span says a time in words: "45 seconds", "10 minutes", "2 hours", "3 days".
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d >= 2*day:
		return plural(int(d/day), "day", "days")
	case d >= 2*time.Hour:
		return plural(int(d.Round(time.Hour)/time.Hour), "hour", "hours")
	case d >= 2*time.Minute:
		return plural(int(d.Round(time.Minute)/time.Minute), "minute", "minutes")
	}
	return plural(int(d.Round(time.Second)/time.Second), "second", "seconds")
}
