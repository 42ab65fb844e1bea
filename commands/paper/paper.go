// Package paper writes a report for where Slack is not: HTML for mail, text for
// terminals and for mail, CSV for spreadsheets. Each is a pure function of the
// report's value. HTML and Text show the same page, each in its way; CSV and
// the report's JSON leave nothing out.
package paper

import (
	"cmp"
	"strings"
	"time"

	"sekisho/auth/report"
)

// Title names the report, as a mail's subject does: "Sekisho report · weekly ·
// account 123456789012 · 16–23 Nov 2026".
func Title(r report.Report) string {
	parts := []string{"Sekisho report"}
	if r.Name != "" {
		parts = append(parts, clean(r.Name, nameMost))
	}
	account := "unknown account"
	if r.Account != "" {
		account = "account " + clean(r.Account, nameMost)
	}
	return strings.Join(append(parts, account, days(r.Period)), " · ")
}

// days is a period by its dates: "16–23 Nov 2026".
func days(p report.Period) string {
	from, to := p.From.UTC(), p.To.UTC()
	switch {
	case date(from) == date(to):
		return date(to)
	case from.Format("Jan 2006") == to.Format("Jan 2006"):
		return from.Format("2–") + date(to)
	case from.Year() == to.Year():
		return from.Format("2 Jan – ") + date(to)
	}
	return date(from) + " – " + date(to)
}

func date(t time.Time) string   { return t.UTC().Format("2 Jan 2006") }
func moment(t time.Time) string { return t.UTC().Format("2 Jan 2006 15:04") }

// person is a Slack user by name and id: names can be chosen, and alike.
func person(id, name string) string {
	switch {
	case id == "":
		return "nobody: no pass was shown"
	case name == "":
		return clean(id, nameMost)
	}
	return clean(name, nameMost) + " (" + clean(id, nameMost) + ")"
}

// user is an IAM user by name. No user's name can have a space, so none can
// pass for root.
func user(name string) string {
	if name == report.RootUser {
		return "the root user"
	}
	return clean(name, nameMost)
}

// exemptBy is what exempts a key from the purge.
func exemptBy(k report.ExemptKey) string { return cmp.Or(k.By, "somebody's word") }
