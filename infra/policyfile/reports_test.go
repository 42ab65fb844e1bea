package policyfile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/infra/policyfile"
)

// badReports are the changes to reports.
var badReports = []change{
	{"unknown field of a report", "    tables: text", "    table: text", `sekisho.yml:71:5: reports[0] has no field "table"
        table: text
        ^
    did you mean tables?`},
	{"report's name left out", "name: Weekly_1-all\n    every", "every", `sekisho.yml:64:5: reports[0] has no name
      - every: 366d
        ^
    write name: and a word for the report, by which its schedule calls it`},
	{"report's name empty", "name: Weekly_1-all", `name: ""`, `sekisho.yml:64:11: reports[0].name: "" is not a report's name
      - name: ""
              ^
    write 1 to 40 letters, digits, - and _, such as weekly`},
	{"report's name of words", "name: Weekly_1-all", "name: every week", `sekisho.yml:64:11: reports[0].name: "every week" is not a report's name
      - name: every week
              ^
    write 1 to 40 letters, digits, - and _, such as weekly`},
	{"report's name too long", "name: Weekly_1-all", "name: " + strings.Repeat("a", 41), `sekisho.yml:64:11: reports[0].name: "` + strings.Repeat("a", 41) + `" is not a report's name
      - name: ` + strings.Repeat("a", 41) + `
              ^
    write 1 to 40 letters, digits, - and _, such as weekly`},
	{"report's name that is a number", "name: Weekly_1-all", "name: 1", `sekisho.yml:64:11: reports[0].name is a number, not a report's name
      - name: 1
              ^
    write 1 to 40 letters, digits, - and _, such as weekly`},
	{"report's name twice", "name: daily", "name: Weekly_1-all", `sekisho.yml:72:12: reports[1].name: there is a report "Weekly_1-all" already
      - {name: Weekly_1-all, every: 1d, mail: {from: bot@example.com, to: [root@example.com]}, slack: false}
               ^
    give each report a name of its own`},
	{"every left out", "    every: 366d\n", "", `sekisho.yml:64:5: reports[0] has no every
      - name: Weekly_1-all
        ^
    write every: and how long it is from one report to the next, such as 7d`},
	{"every too short", "every: 366d", "every: 23h59m", `sekisho.yml:65:12: reports[0].every cannot be "23h59m"
        every: 23h59m
               ^
    write a duration from 1d to 366d`},
	{"every too long", "every: 366d", "every: 366d1s", `sekisho.yml:65:12: reports[0].every cannot be "366d1s"
        every: 366d1s
               ^
    write a duration from 1d to 366d`},
	{"every as a word", "every: 366d", "every: weekly", `sekisho.yml:65:12: reports[0].every: "weekly" is not a duration
        every: weekly
               ^
    write a number and a unit, such as 30s, 10m, 4h or 90d`},
	{"slack as a channel", "slack: true", "slack: C0REPORT", `sekisho.yml:66:12: reports[0].slack is text, not true or false
        slack: C0REPORT
               ^
    write true or false`},
	{"report that goes nowhere", "every: 1d, mail: {from: bot@example.com, to: [root@example.com]}, slack: false", "every: 1d, slack: false", `sekisho.yml:72:5: reports[1] goes nowhere
      - {name: daily, every: 1d, slack: false}
        ^
    write slack: true, or mail: {from: bot@example.com, to: [security@example.com]}, or both`},
	{"report without its channel", ", reports: G0REPORT", "", `sekisho.yml:66:5: reports[0].slack has no channel to write to
        slack: true
        ^
    write slack.channels.reports: and the id of the channel that gets the reports`},
	{"mail without from", "from: 関所 <bot@example.com>, ", "", `sekisho.yml:67:5: reports[0].mail has no from
        mail: {to: [security@example.com, Ann <ann@example.com>], configuration_set: reports-1_x}
        ^
    write from: and an address that is verified in SES, such as bot@example.com`},
	{"mail to nobody", "to: [root@example.com]", "to: []", `sekisho.yml:72:64: reports[1].mail.to is an empty list: nobody would get the mail
      - {name: daily, every: 1d, mail: {from: bot@example.com, to: []}, slack: false}
                                                                   ^
    write to: with addresses, such as [security@example.com]`},
	{"mail without to", ", to: [root@example.com]", "", `sekisho.yml:72:30: reports[1].mail has no to
      - {name: daily, every: 1d, mail: {from: bot@example.com}, slack: false}
                                 ^
    write to: with addresses, such as [security@example.com]`},
	{"mail as an address", "mail: {from: bot@example.com, to: [root@example.com]}", "mail: root@example.com", `sekisho.yml:72:36: reports[1].mail is text, not a mapping
      - {name: daily, every: 1d, mail: root@example.com, slack: false}
                                       ^
    write its fields below it, indented, or as {name: value}`},
	{"mail to an address alone", "to: [root@example.com]", "to: root@example.com", `sekisho.yml:72:64: reports[1].mail.to is text, not a list
      - {name: daily, every: 1d, mail: {from: bot@example.com, to: root@example.com}, slack: false}
                                                                   ^
    write a list, such as [one, two], or one - item on each line`},
	{"mail from two", "from: bot@example.com", `from: "bot@example.com, root@example.com"`, `sekisho.yml:72:43: reports[1].mail.from: "bot@example.com, root@example.com" is not an address for mail
      - {name: daily, every: 1d, mail: {from: "bot@example.com, root@example.com", to: [root@example.com]}, slack: false}
                                              ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail to no address", "[root@example.com]", "[root]", `sekisho.yml:72:65: reports[1].mail.to[0]: "root" is not an address for mail
      - {name: daily, every: 1d, mail: {from: bot@example.com, to: [root]}, slack: false}
                                                                    ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail to a group", "[root@example.com]", `["all: root@example.com;"]`, `sekisho.yml:72:65: reports[1].mail.to[0]: "all: root@example.com;" is not an address for mail
      - {name: daily, every: 1d, mail: {from: bot@example.com, to: ["all: root@example.com;"]}, slack: false}
                                                                    ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail to a comment", "[root@example.com]", "[root@example.com (all)]", `sekisho.yml:72:65: reports[1].mail.to[0]: "root@example.com (all)" is not an address for mail
      - {name: daily, every: 1d, mail: {from: bot@example.com, to: [root@example.com (all)]}, slack: false}
                                                                    ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail to what needs quotes", "[root@example.com]", `['"the root"@example.com']`, `sekisho.yml:72:65: reports[1].mail.to[0]: "\"the root\"@example.com" is not an address for mail
      - {name: daily, every: 1d, mail: {from: bot@example.com, to: ['"the root"@example.com']}, slack: false}
                                                                    ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail to a name alone", "[root@example.com]", "[Root <root>]", `sekisho.yml:72:65: reports[1].mail.to[0]: "Root <root>" is not an address for mail
      - {name: daily, every: 1d, mail: {from: bot@example.com, to: [Root <root>]}, slack: false}
                                                                    ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail with a header in a name", "from: bot@example.com", `from: "=?utf-8?q?a=0ABcc:?= <bot@example.com>"`, `sekisho.yml:72:43: reports[1].mail.from: "=?utf-8?q?a=0ABcc:?= <bot@example.com>" is not an address for mail
      - {name: daily, every: 1d, mail: {from: "=?utf-8?q?a=0ABcc:?= <bot@example.com>", to: [root@example.com]}, slack: fals…
                                              ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail with a tab in a name", "from: bot@example.com", `from: "\"a\tb\" <bot@example.com>"`, `sekisho.yml:72:43: reports[1].mail.from: "\"a\tb\" <bot@example.com>" is not an address for mail
      - {name: daily, every: 1d, mail: {from: "\"a\tb\" <bot@example.com>", to: [root@example.com]}, slack: false}
                                              ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail of two lines", "from: bot@example.com", `from: "bot@example.com\n"`, `sekisho.yml:72:43: reports[1].mail.from: "bot@example.com\n" is not an address for mail
      - {name: daily, every: 1d, mail: {from: "bot@example.com\n", to: [root@example.com]}, slack: false}
                                              ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail to a box that is not ASCII", "[root@example.com]", "[hanä@example.com]", `sekisho.yml:72:65: reports[1].mail.to[0]: "hanä@example.com" is not an address for mail
      - {name: daily, every: 1d, mail: {from: bot@example.com, to: [hanä@example.com]}, slack: false}
                                                                    ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"mail to a domain that is not ASCII", "[root@example.com]", "[root@例え.example]", `sekisho.yml:72:65: reports[1].mail.to[0]: "root@例え.example" is not an address for mail
      - {name: daily, every: 1d, mail: {from: bot@example.com, to: [root@例え.example]}, slack: false}
                                                                    ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"address too long", "[root@example.com]", "[" + strings.Repeat("a", 309) + "@example.com]", `sekisho.yml:72:65: reports[1].mail.to[0]: "` + strings.Repeat("a", 60) + `…" is not an address for mail
    …{name: daily, every: 1d, mail: {from: bot@example.com, to: [` + strings.Repeat("a", 60) + `…
                                                                 ^
    write ann@example.com, or Ann <ann@example.com>: at most 320 characters, and ASCII but for the name`},
	{"recipient twice", "Ann <ann@example.com>", "Security <Security@Example.com>", `sekisho.yml:67:67: reports[0].mail.to[1] repeats reports[0].mail.to[0]
    …il: {from: 関所 <bot@example.com>, to: [security@example.com, Security <Security@Example.com>], configuration_set: reports…
                　　                                               ^
    take it out, or write what was meant`},
	{"configuration set of words", "reports-1_x", "reports.1", `sekisho.yml:67:110: reports[0].mail.configuration_set: "reports.1" is not the name of a configuration set
        mail: {from: 関所 <bot@example.com>, to: [security@example.com, Ann <ann@example.com>], configuration_set: reports.1}
                     　　                                                                                          ^
    write 1 to 64 letters, digits, - and _, as SES shows it`},
	{"configuration set empty", "configuration_set: reports-1_x", `configuration_set: ""`, `sekisho.yml:67:110: reports[0].mail.configuration_set: "" is not the name of a configuration set
        mail: {from: 関所 <bot@example.com>, to: [security@example.com, Ann <ann@example.com>], configuration_set: ""}
                     　　                                                                                          ^
    write 1 to 64 letters, digits, - and _, as SES shows it`},
	{"configuration set too long", "reports-1_x", strings.Repeat("a", 65), `sekisho.yml:67:110: reports[0].mail.configuration_set: "` + strings.Repeat("a", 60) + `…" is not the name of a configuration set
    …ity@example.com, Ann <ann@example.com>], configuration_set: ` + strings.Repeat("a", 60) + `…
                                                                 ^
    write 1 to 64 letters, digits, - and _, as SES shows it`},
	{"keep nothing", "keep: 400", "keep: 0", `sekisho.yml:68:11: reports[0].keep is out of range
        keep: 0
              ^
    write a whole number from 1 to 400`},
	{"keep too many", "keep: 400", "keep: 401", `sekisho.yml:68:11: reports[0].keep is out of range
        keep: 401
              ^
    write a whole number from 1 to 400`},
	{"benchmark as a number", `cis: "1.4"`, "cis: 1.4", `sekisho.yml:69:10: reports[0].cis is a number with a fraction, not a version of the CIS AWS Foundations Benchmark that is known here
        cis: 1.4
             ^
    write one of "1.4", "1.5", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", with its quotes: YAML would take it for a number`},
	{"benchmark not known", `cis: "1.4"`, `cis: "1.3"`, `sekisho.yml:69:10: reports[0].cis: "1.3" is not a version of the CIS AWS Foundations Benchmark that is known here
        cis: "1.3"
             ^
    write one of "1.4", "1.5", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0", with its quotes: YAML would take it for a number`},
	{"report for everyone to ask for", "ask: [S0AUDIT, U0HANA]", "ask: [everyone]", `sekisho.yml:70:11: reports[0].ask[0]: "everyone" is not a user or a user group
        ask: [everyone]
              ^
    write the ids of users (U…) and user groups (S…); everyone, and whoever joins a channel, is too open for this`},
	{"report for a channel to ask for", "ask: [S0AUDIT, U0HANA]", "ask: [C0ALERTS]", `sekisho.yml:70:11: reports[0].ask[0]: "C0ALERTS" is not a user or a user group
        ask: [C0ALERTS]
              ^
    write the ids of users (U…) and user groups (S…); everyone, and whoever joins a channel, is too open for this`},
	{"report for nobody to ask for", "ask: [S0AUDIT, U0HANA]", "ask: []", `sekisho.yml:70:10: reports[0].ask is an empty list: nobody more could ask for it
        ask: []
             ^
    write the ids of users and user groups, such as [U0123ABCD, S0123ABCD], or take it out`},
	{"who may ask for it twice", "ask: [S0AUDIT, U0HANA]", "ask: [U0HANA, U0HANA]", `sekisho.yml:70:19: reports[0].ask[1] repeats reports[0].ask[0]
        ask: [U0HANA, U0HANA]
                      ^
    take it out, or write what was meant`},
	{"tables", "tables: text", "tables: csv", `sekisho.yml:71:13: reports[0].tables cannot be "csv"
        tables: csv
                ^
    write data_table, table or text`},
}

// withReports is a policy with these reports, each in braces, and a channel for them.
func withReports(all ...string) string {
	return strings.Replace(minimal, "C0ALERTS", "C0ALERTS, reports: C0REPORT", 1) + "reports:\n  - {" + strings.Join(all, "}\n  - {") + "}\n"
}

func TestReportsTakeDefaults(t *testing.T) {
	weekly := auth.DefaultReport()
	weekly.Name, weekly.Every, weekly.Slack = "weekly", 7*24*time.Hour, true
	daily := auth.DefaultReport()
	daily.Name, daily.Every = "daily", 24*time.Hour
	daily.Mail = &auth.MailPolicy{From: "bot@example.com", To: []string{"ann@example.com"}}
	got := parse(t, withReports("name: weekly, every: 7d, slack: true", "name: daily, every: 1d, mail: {from: bot@example.com, to: [ann@example.com]}"))
	same(t, got.Reports, []auth.ReportPolicy{weekly, daily})
	same(t, got.Channels.Reports, "C0REPORT")
}

// What is written of the channel before there are reports is kept, and mail
// needs no channel.
func TestReportsAndTheirChannel(t *testing.T) {
	got := parse(t, strings.Replace(minimal, "C0ALERTS", "C0ALERTS, reports: C0REPORT", 1))
	same(t, got.Channels.Reports, "C0REPORT")
	same(t, got.Reports, []auth.ReportPolicy(nil))
	mail := strings.Replace(withReports("name: a, every: 1d, mail: {from: bot@example.com, to: [ann@example.com]}"), ", reports: C0REPORT", "", 1)
	same(t, parse(t, mail).Channels.Reports, "")
	wrong(t, strings.Replace(withReports("name: a, every: 1d, slack: true", "name: b, every: 1d, slack: true"), ", reports: C0REPORT", "", 1),
		`sekisho.yml:9:26: reports[0].slack has no channel to write to
      - {name: a, every: 1d, slack: true}
                             ^
    write slack.channels.reports: and the id of the channel that gets the reports
sekisho.yml:10:26: reports[1].slack has no channel to write to
      - {name: b, every: 1d, slack: true}
                             ^
    write slack.channels.reports: and the id of the channel that gets the reports`)
}

func TestParseTakesReportsAtTheirLimits(t *testing.T) {
	long := "name: " + strings.Repeat("a", 40) + ", every: 1d, "
	mails := []string{
		"from: bot@example.com, to: [" + strings.Join(addresses(50), ", ") + "]",
		"from: <bot@example.com>, to: [" + strings.Repeat("a", 308) + "@example.com]",
		"from: '\"Sekisho, bot\" <bot@example.com>', to: ['関所 <a@example.com>', a.b+c=d@xn--r8jz45g.example]",
		"from: bot@example.com, to: [bot@example.com], configuration_set: " + strings.Repeat("Z", 64),
	}
	for _, mail := range mails {
		parse(t, withReports(long+"mail: {"+mail+"}"))
	}
	for _, more := range []string{"keep: 1", "keep: 400", "tables: data_table", "tables: table", "ask: [W0BOB]"} {
		parse(t, withReports(long+"slack: true, "+more))
	}
	for _, version := range report.Versions() {
		same(t, parse(t, withReports(long+`slack: true, cis: "`+version+`"`)).Reports[0].CIS, version)
	}
	if n := len(parse(t, withReports(manyReports(20)...)).Reports); n != 20 {
		t.Errorf("of 20 reports %d are there", n)
	}
}

func addresses(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("ann+%d@example.com", i))
	}
	return all
}

func manyReports(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("name: r%d, every: 1d, slack: true", i))
	}
	return all
}

func TestParseRefusesTooMany(t *testing.T) {
	for text, want := range map[string]string{
		withReports(manyReports(21)...): "sekisho.yml:9:3: reports is a list of 21\n",
		withReports("name: a, every: 1d, mail: {from: bot@example.com, to: [" + strings.Join(addresses(51), ", ") + "]}"): "sekisho.yml:9:60: reports[0].mail.to is a list of 51\n",
	} {
		if _, err := policyfile.Parse("sekisho.yml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
	}
}

func TestParseRefusesReportsWithoutAnything(t *testing.T) {
	wrong(t, minimal+"reports: []\n", `sekisho.yml:8:10: reports is an empty list: nobody would get a report
    reports: []
             ^
    write at least one, such as - {name: weekly, every: 7d, slack: true}, or take it out`)
	wrong(t, minimal+"reports:\n", `sekisho.yml:8:1: reports has no value
    reports:
    ^
    write a list, such as [one, two], or one - item on each line`)
}

// A report of a year of which the trail keeps a month would count too little.
func TestReportsNeedAsLongATrail(t *testing.T) {
	const year = "name: yearly, every: 366d, slack: true"
	parse(t, withReports(year)) // 400 days are kept
	parse(t, withReports(year)+"trail: {keep: 368d}\n")
	_, err := policyfile.Parse("sekisho.yml", []byte(withReports(year)+"trail: {keep: 367d}\n"))
	for _, want := range []string{"reports[0].every is 366d, but the trail is kept for 367d", "write 365d or less, or trail: {keep: 368d} or more"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
