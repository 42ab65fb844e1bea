package policyfile

import (
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sekisho/auth"
	"sekisho/auth/report"
)

const (
	mostReports    = 20
	mostRecipients = 50  // of one mail: https://docs.aws.amazon.com/ses/latest/dg/quotas.html
	longestAddress = 320 // 64, @ and 255: https://www.rfc-editor.org/rfc/rfc5321#section-4.5.3.1
)

const (
	whereTo = "write slack: true, or mail: {from: bot@example.com, to: [security@example.com]}, or both"
	toWhom  = "write to: with addresses, such as [security@example.com]"
)

func reports(all *[]auth.ReportPolicy) read {
	return then(
		list(all, reportPolicy),
		some("nobody would get a report", "write at least one, such as - {name: weekly, every: 7d, slack: true}, or take it out"),
		few(mostReports),
		reportsAreApart(all),
	)
}

func reportPolicy(r *auth.ReportPolicy) read {
	*r = auth.DefaultReport()
	return then(
		mapping(
			must("name", "write name: and a word for the report, by which its schedule calls it", reportName(&r.Name)),
			must("every", "write every: and how long it is from one report to the next, such as 7d", duration(&r.Every, "1d", "366d")),
			may("slack", truth(&r.Slack)),
			may("mail", part(&r.Mail, auth.MailPolicy{}, mailPolicy)),
			may("keep", count(&r.Keep, 400)),
			may("cis", benchmark(&r.CIS)),
			may("ask", then(
				list(&r.Ask, decider),
				some("nobody more could ask for it",
					"write the ids of users and user groups, such as [U0123ABCD, S0123ABCD], or take it out"),
				distinct(&r.Ask))),
			may("tables", choice(&r.Tables, auth.DataTable, auth.Table, auth.TextTable)),
		),
		goesSomewhere(r),
	)
}

func mailPolicy(m *auth.MailPolicy) read {
	return mapping(
		must("from", "write from: and an address that is verified in SES, such as bot@example.com", address(&m.From)),
		must("to", toWhom, recipients(&m.To)),
		may("configuration_set", configurationSet(&m.ConfigurationSet)),
	)
}

// reportName keeps to what needs no quotes in a schedule's event.
func reportName(to *string) read {
	return shaped(to, "a report's name", "write 1 to 40 letters, digits, - and _, such as weekly",
		func(text string) bool { return only(wordLetters, text) && len(text) <= 40 })
}

// configurationSet keeps SES's limits:
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateConfigurationSet.html
func configurationSet(to *string) read {
	return shaped(to, "the name of a configuration set", "write 1 to 64 letters, digits, - and _, as SES shows it",
		func(text string) bool { return only(wordLetters, text) && len(text) <= 64 })
}

// benchmark reads a version of the CIS AWS Foundations Benchmark.
func benchmark(to *string) read {
	known := report.Versions()
	return shaped(to, "a version of the CIS AWS Foundations Benchmark that is known here",
		`write one of "`+strings.Join(known, `", "`)+`", with its quotes: YAML would take it for a number`,
		func(text string) bool { return slices.Contains(known, text) })
}

func address(to *string) read {
	return shaped(to, "an address for mail",
		"write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name",
		func(text string) bool { return bareAddress(text) != "" })
}

// bareAddress takes the address out of ann@example.com or Ann <ann@example.com>.
// It is empty for all else, and for what SES does not take:
// https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html
func bareAddress(text string) string {
	a, err := mail.ParseAddress(text)
	if err != nil || utf8.RuneCountInString(text) > longestAddress || strings.ContainsFunc(a.Name, unicode.IsControl) {
		return ""
	}
	plain := text == a.Address || strings.HasSuffix(text, "<"+a.Address+">") // no quotes, group or comment
	if !plain || strings.ContainsFunc(a.Address, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return a.Address
}

// recipients reads addresses, of which no two are one person's.
func recipients(to *[]string) read {
	return then(
		list(to, address),
		some("nobody would get the mail", toWhom),
		few(mostRecipients),
		func(v value) bool {
			var bare []string
			for _, text := range *to {
				bare = append(bare, strings.ToLower(bareAddress(text)))
			}
			return distinct(&bare)(v)
		},
	)
}

// goesSomewhere refuses a report that nobody would see.
func goesSomewhere(r *auth.ReportPolicy) read {
	return func(v value) bool {
		if r.Slack || r.Mail != nil {
			return true
		}
		return v.wrong(whereTo, "%s goes nowhere", v)
	}
}

// reportsAreApart refuses two reports of one name.
func reportsAreApart(all *[]auth.ReportPolicy) read {
	return func(v value) bool {
		items, ok := v.items()
		for i, r := range *all {
			if slices.ContainsFunc((*all)[:i], func(b auth.ReportPolicy) bool { return b.Name == r.Name }) {
				name, _ := items[i].get("name")
				ok = name.wrong("give each report a name of its own", "%s: there is a report %s already", name, quote(r.Name))
			}
		}
		return ok
	}
}

// reportsHaveAChannel refuses reports that have no place in Slack to go to.
func reportsHaveAChannel(p *auth.Policy) read {
	return func(v value) bool {
		if p.Channels.Reports != "" || len(p.Reports) == 0 {
			return true
		}
		all, _ := v.get("reports")
		items, ok := all.items()
		for i, r := range p.Reports {
			if r.Slack {
				at, _ := items[i].get("slack")
				ok = v.f.add(at.key, "write slack.channels.reports: and the id of the channel that gets the reports",
					"%s has no channel to write to", at)
			}
		}
		return ok
	}
}

// reportsHaveATrail refuses a period of which the trail would have forgotten the
// beginning. Two days more are read: what was asked before is decided in it.
func reportsHaveATrail(p *auth.Policy) read {
	return func(v value) bool {
		if len(p.Reports) == 0 {
			return true
		}
		all, _ := v.get("reports")
		items, ok := all.items()
		for i, r := range p.Reports {
			if every, _ := items[i].get("every"); r.Every+48*time.Hour > p.Trail.Keep {
				ok = every.wrong("write "+short(p.Trail.Keep-48*time.Hour)+" or less, or trail: {keep: "+short(r.Every+48*time.Hour)+"} or more",
					"%s is %s, but the trail is kept for %s", every, short(r.Every), short(p.Trail.Keep))
			}
		}
		return ok
	}
}
