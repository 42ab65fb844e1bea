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

// known is a value that rests on what the finding rests on; nothing where that is
// not known.
func (all findings) known(f report.Finding, value any) any {
	if all[f].Unknown {
		return ""
	}
	return value
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

// ending is what the bot does with a key: "deactivate" or, in observe mode, "would
// be deactivated".
func ending(k report.Keys, do string) string {
	if k.Mode == string(auth.Observe) {
		do = "would be " + do + "d"
	}
	return clean(do, nameMost)
}

// trend says what became of a figure, with a sign, in words, and whether that is
// good.
func trend(f report.Figure) phrase {
	way, good, ok := f.Way()
	switch {
	case f.Before == nil:
		return plain("nothing to compare with")
	case !ok:
		return plain(decimal(*f.Before) + " last time")
	case way == 0:
		return plain("= as last time")
	}
	moved := "▲ up"
	if way < 0 {
		moved = "▼ down"
	}
	moved += fmt.Sprintf(" %s from %s: ", decimal(math.Abs(*f.Now-*f.Before)), decimal(*f.Before))
	if good {
		return phrase{moved + "better", fine}
	}
	return phrase{moved + "worse", bad}
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
