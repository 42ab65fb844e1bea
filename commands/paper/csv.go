package paper

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"sekisho/auth/report"
)

// CSV writes every fact of the report as one row, for spreadsheets and scripts:
//
//	section  starts, keys, users, score, changes or report
//	what     the fact's name, such as refused_for
//	who      the person, user, key, instance, day or finding that it is about
//	value    a number, a name or a time (RFC 3339, in UTC); empty where it is not known
//	note     more about it, in words
//
// Of a section that was left out or not read there is its status only; and of keys
// that were not read, what the trail says.
func CSV(w io.Writer, r report.Report) error {
	s := sheet{out: csv.NewWriter(w), findings: findingsOf(r)}
	s.out.Write([]string{"section", "what", "who", "value", "note"}) // an error stays in out
	s.report(r)
	for _, part := range []struct {
		section report.Section
		source  report.Source
		facts   func(report.Report)
	}{
		{report.AboutStarts, r.Starts.Source, s.starts},
		{report.AboutKeys, r.Keys.Source, s.keys},
		{report.AboutUsers, r.Users.Source, s.users},
	} {
		s.fact(string(part.section), "status", "", string(part.source.Status), part.source.Why)
		switch {
		case part.source.Usable():
			part.facts(r)
		case part.section == report.AboutKeys && part.source.Status == report.Unknown:
			s.ended(r.Keys)
		}
	}
	s.score(r.Score)
	s.changes(r.Changes)
	s.out.Flush()
	return s.out.Error()
}

// sheet is where facts go.
type sheet struct {
	out      *csv.Writer
	findings findings
}

// fact writes one row. The value is a text, a number, a time or a yes or no.
func (s sheet) fact(section, what, who string, value any, note string) {
	s.out.Write([]string{section, what, cell(who), written(value), cell(note)})
}

func written(value any) string {
	switch v := value.(type) {
	case int:
		return strconv.Itoa(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return decimal(v)
	case bool:
		if v {
			return "yes"
		}
		return "no"
	case time.Time:
		return v.UTC().Format(time.RFC3339)
	case string:
		return cell(v)
	}
	panic("paper: no form for such a value in CSV")
}

// orEmpty is what the pointer points to; nothing where that is not known.
func orEmpty[T any](p *T) any {
	if p == nil {
		return ""
	}
	return *p
}

// cellMost is how many characters are written into one cell, before cell makes
// them half as many more at the most; Excel takes 32,767:
// https://support.microsoft.com/en-us/office/excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3
const cellMost = 21_000

// cell keeps a spreadsheet from taking what somebody wrote for a formula: also in
// the middle, as there are countries in which Excel begins a new cell at a
// semicolon.
func cell(text string) string {
	if text == "" {
		return ""
	}
	var safe strings.Builder
	begins := true
	for _, r := range clean(text, cellMost) { // a tab or a line's end is a space by now
		switch {
		case begins && strings.ContainsRune("=+-@", r):
			safe.WriteByte('\'')
			begins = false
		case r == ';' || r == '|':
			begins = true
		case r != ' ' && r != '"':
			begins = false
		}
		safe.WriteRune(r)
	}
	return safe.String()
}

// report is what the report is about, and what it comes from.
func (s sheet) report(r report.Report) {
	fact := func(what, who string, value any, note string) { s.fact("report", what, who, value, note) }
	p := r.Provenance
	fact("name", "", r.Name, "")
	fact("account", "", r.Account, "")
	fact("from", "", r.Period.From, "")
	fact("to", "", r.Period.To, "the period is without it")
	fact("generated", "", p.Generated, "")
	fact("cis_version", "", p.CIS, "CIS AWS Foundations Benchmark")
	fact("credential_report_made", "", orEmpty(p.CredentialReport.Made), "")
	for _, column := range p.CredentialReport.Lacks {
		fact("credential_report_lacks", "", column, "")
	}
	fact("trail_entries", "", p.Trail.Entries, "")
	fact("trail_first", "", p.Trail.First, "")
	fact("trail_last", "", p.Trail.Last, "")
	fact("trail_whole", "", p.Trail.Whole, "")
	fact("policy", "", r.Policy.Hash, "")
	for _, c := range r.Policy.Changes {
		fact("policy_changed", "", c.At, "from "+c.From+" to "+c.To)
	}
	for _, problem := range p.Problems {
		fact("problem", string(problem.Section), problem.What, "what to do: "+problem.Next)
	}
}
