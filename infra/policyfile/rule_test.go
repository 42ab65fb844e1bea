package policyfile_test

import (
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/infra/policyfile"
)

// badRules are the changes to rules, people and trail.
var badRules = []change{
	{"everyone who approves", "by: [U0HANA, U0MIA]", "by: [everyone]", `sekisho.yml:38:20: rules[1].approve.by[0]: "everyone" is not a user or a user group
        approve: {by: [everyone], reason: optional}
                       ^
    write the ids of users (U…) and user groups (S…); everyone, and whoever joins a channel, is too open for this`},
	{"channel that approves", "by: [U0HANA, U0MIA]", "by: [C0ROOM]", `sekisho.yml:38:20: rules[1].approve.by[0]: "C0ROOM" is not a user or a user group
        approve: {by: [C0ROOM], reason: optional}
                       ^
    write the ids of users (U…) and user groups (S…); everyone, and whoever joins a channel, is too open for this`},
	{"nobody to approve", "by: [U0HANA, U0MIA]", "by: []", `sekisho.yml:38:19: rules[1].approve.by is an empty list: nobody could approve
        approve: {by: [], reason: optional}
                      ^
    write by: with the ids of users and user groups, such as [U0123ABCD, S0123ABCD]`},
	{"approvers left out", "{by: [U0HANA, U0MIA], reason: optional}", "{reason: optional}", `sekisho.yml:38:5: rules[1].approve has no by
        approve: {reason: optional}
        ^
    write by: with the ids of users and user groups, such as [U0123ABCD, S0123ABCD]`},
	{"approver twice", "by: [U0HANA, U0MIA]", "by: [U0HANA, U0MIA, U0HANA]", `sekisho.yml:38:35: rules[1].approve.by[2] repeats rules[1].approve.by[0]
        approve: {by: [U0HANA, U0MIA, U0HANA], reason: optional}
                                      ^
    take it out, or write what was meant`},
	{"fewer approvers than needed", "by: [U0HANA, U0MIA]", "count: 3, by: [U0HANA, U0MIA]", `sekisho.yml:38:22: rules[1].approve.count is 3, but by names only 2
        approve: {count: 3, by: [U0HANA, U0MIA], reason: optional}
                         ^
    name more users, or a user group, in by, or write a smaller count`},
	{"asker who alone approves", "ask: [S0ML, C0ROOM, G0ROOM, U0HANA]\n    approve: {by: [U0HANA, U0MIA]", "ask: [U0MIA]\n    approve: {by: [U0MIA]", `sekisho.yml:38:15: rules[1].approve.by: nobody could approve: nobody decides their own request
        approve: {by: [U0MIA], reason: optional}
                  ^
    name more users, or a user group, in by`},
	{"askers short of one another", "ask: [S0ML, C0ROOM, G0ROOM, U0HANA]\n    approve: {", "ask: [U0HANA, U0MIA]\n    approve: {count: 2, ", `sekisho.yml:38:25: rules[1].approve.by: nobody could approve: nobody decides their own request
        approve: {count: 2, by: [U0HANA, U0MIA], reason: optional}
                            ^
    name more users, or a user group, in by`},
	{"approval without a channel", "approvals: C0APPROVE, ", "", `sekisho.yml:32:5: rules[0].approve has no channel to ask in
        approve: {by: [S0LEADS, U0HANA], count: 20, within: 2h, reason: required, confirm: true}
        ^
    write slack.channels.approvals: and the id of the channel where approvers are asked
sekisho.yml:38:5: rules[1].approve has no channel to ask in
        approve: {by: [U0HANA, U0MIA], reason: optional}
        ^
    write slack.channels.approvals: and the id of the channel where approvers are asked`},
	{"no approvals at all", "count: 20", "count: 0", `sekisho.yml:32:45: rules[0].approve.count is out of range
        approve: {by: [S0LEADS, U0HANA], count: 0, within: 2h, reason: required, confirm: true}
                                                ^
    write a whole number from 1 to 20`},
	{"too many approvals", "count: 20", "count: 21", `sekisho.yml:32:45: rules[0].approve.count is out of range
        approve: {by: [S0LEADS, U0HANA], count: 21, within: 2h, reason: required, confirm: true}
                                                ^
    write a whole number from 1 to 20`},
	{"request too short-lived", "within: 2h", "within: 4s", `sekisho.yml:32:57: rules[0].approve.within cannot be "4s"
        approve: {by: [S0LEADS, U0HANA], count: 20, within: 4s, reason: required, confirm: true}
                                                            ^
    write a duration from 5s to 24h`},
	{"request too long-lived", "within: 2h", "within: 24h1s", `sekisho.yml:32:57: rules[0].approve.within cannot be "24h1s"
        approve: {by: [S0LEADS, U0HANA], count: 20, within: 24h1s, reason: required, confirm: true}
                                                            ^
    write a duration from 5s to 24h`},
	{"reason that is a truth value", "reason: required", "reason: true", `sekisho.yml:32:69: rules[0].approve.reason is a truth value, not one word
        approve: {by: [S0LEADS, U0HANA], count: 20, within: 2h, reason: true, confirm: true}
                                                                        ^
    write optional or required`},
	{"reason of another kind", "reason: required", "reason: always", `sekisho.yml:32:69: rules[0].approve.reason cannot be "always"
        approve: {by: [S0LEADS, U0HANA], count: 20, within: 2h, reason: always, confirm: true}
                                                                        ^
    write optional or required`},
	{"approve that is a truth value", "{by: [U0HANA, U0MIA], reason: optional}", "true", `sekisho.yml:38:14: rules[1].approve is a truth value, not a mapping
        approve: true
                 ^
    write its fields below it, indented, or as {name: value}`},
	{"approve without a value", "{by: [U0HANA, U0MIA], reason: optional}", "", `sekisho.yml:38:5: rules[1].approve has no value
        approve: 
        ^
    write its fields below it, indented, or as {name: value}`},
	{"unknown field of approve", "reason: optional", "reasons: optional", `sekisho.yml:38:36: rules[1].approve has no field "reasons"
        approve: {by: [U0HANA, U0MIA], reasons: optional}
                                       ^
    did you mean reason?`},
	{"rule's pass too short-lived", "ttl: 15m", "ttl: 30s", `sekisho.yml:33:10: rules[0].ttl cannot be "30s"
        ttl: 30s
             ^
    write a duration from 1m to 24h`},
	{"rule's pass too long-lived", "ttl: 15m", "ttl: 25h", `sekisho.yml:33:10: rules[0].ttl cannot be "25h"
        ttl: 25h
             ^
    write a duration from 1m to 24h`},
	{"break glass without approve", "    approve: {by: [U0HANA, U0MIA], reason: optional}\n", "", `sekisho.yml:39:5: rules[1].break_glass: nobody needs to approve here, so there is nothing to go around
        break_glass: {by: [U0MIA]}
        ^
    take it out, or write approve: in this rule`},
	{"break glass for everyone", "by: [U0MIA]}", "by: [everyone]}", `sekisho.yml:40:24: rules[1].break_glass.by[0]: "everyone" is not a user or a user group
        break_glass: {by: [everyone]}
                           ^
    write the ids of users (U…) and user groups (S…); everyone, and whoever joins a channel, is too open for this`},
	{"break glass for nobody", "by: [U0MIA]}", "by: []}", `sekisho.yml:40:23: rules[1].break_glass.by is an empty list: nobody could break the glass
        break_glass: {by: []}
                          ^
    write by: with the ids of users and user groups, such as [U0123ABCD, S0123ABCD]`},
	{"break glass longer than the rule", "ttl: 10m", "ttl: 15m1s", `sekisho.yml:34:47: rules[0].break_glass.ttl is longer than the 15m that the rule's other passes live
        break_glass: {by: [S0ONCALL, W0BOB], ttl: 15m1s}
                                                  ^
    write 15m or less: what nobody approved should end sooner`},
	{"break glass too short-lived", "ttl: 10m", "ttl: 59s", `sekisho.yml:34:47: rules[0].break_glass.ttl cannot be "59s"
        break_glass: {by: [S0ONCALL, W0BOB], ttl: 59s}
                                                  ^
    write a duration from 1m to 24h`},
	{"unknown condition", "types:", "type:", `sekisho.yml:27:7: rules[0].match has no field "type"
          type: [p5.*, "g?.xlarge"]
          ^
    did you mean types?`},
	{"no types", `types: [p5.*, "g?.xlarge"]`, "types: []", `sekisho.yml:27:14: rules[0].match.types is an empty list: does that match nothing, or everything?
          types: []
                 ^
    write at least one, or take it out to match everything`},
	{"type in capitals", "p5.*", "P5.*", `sekisho.yml:27:15: rules[0].match.types[0]: "P5.*" is not a pattern of instance types
          types: [P5.*, "g?.xlarge"]
                  ^
    write 1 to 128 characters in small letters, such as p5.* or g6.xlarge`},
	{"type too long", "p5.*", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", `sekisho.yml:27:15: rules[0].match.types[0]: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…" is not a pattern of instance types
          types: [aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…
                  ^
    write 1 to 128 characters in small letters, such as p5.* or g6.xlarge`},
	{"name of two lines", "names: [prod-*]", `names: ["prod\n*"]`, `sekisho.yml:30:15: rules[0].match.names[0]: "prod\n*" is not a pattern of names
          names: ["prod\n*"]
                  ^
    write 1 to 256 characters, such as prod-*`},
	{"name empty", "names: [prod-*]", `names: [""]`, `sekisho.yml:30:15: rules[0].match.names[0]: "" is not a pattern of names
          names: [""]
                  ^
    write 1 to 256 characters, such as prod-*`},
	{"account without quotes", `"111122223333"`, "111122223333", `sekisho.yml:28:18: rules[0].match.accounts[0] is a number, not an AWS account id
          accounts: [111122223333, "012345678901"]
                     ^
    write all 12 digits in quotes, such as "012345678901": YAML takes zeros from the front of a number`},
	{"account without quotes or its zero", `"012345678901"`, "012345670123", `sekisho.yml:28:34: rules[0].match.accounts[1] is a number, not an AWS account id
          accounts: ["111122223333", 012345670123]
                                     ^
    write all 12 digits in quotes, such as "012345678901": YAML takes zeros from the front of a number`},
	{"account without its zero", `"012345678901"`, `"12345678901"`, `sekisho.yml:28:34: rules[0].match.accounts[1]: "12345678901" is not an AWS account id
          accounts: ["111122223333", "12345678901"]
                                     ^
    write all 12 digits in quotes, such as "012345678901": YAML takes zeros from the front of a number`},
	{"account with dashes", `"012345678901"`, `"0123-4567-8901"`, `sekisho.yml:28:34: rules[0].match.accounts[1]: "0123-4567-8901" is not an AWS account id
          accounts: ["111122223333", "0123-4567-8901"]
                                     ^
    write all 12 digits in quotes, such as "012345678901": YAML takes zeros from the front of a number`},
	{"availability zone", "eu-central-1", "eu-central-1a", `sekisho.yml:29:17: rules[0].match.regions[0]: "eu-central-1a" is not an AWS region
          regions: [eu-central-1a, us-gov-west-1]
                    ^
    write its code, such as eu-central-1, without the letter of an availability zone`},
	{"region's city", "eu-central-1", "Frankfurt", `sekisho.yml:29:17: rules[0].match.regions[0]: "Frankfurt" is not an AWS region
          regions: [Frankfurt, us-gov-west-1]
                    ^
    write its code, such as eu-central-1, without the letter of an availability zone`},
	{"region of two words", "eu-central-1", "eu-1", `sekisho.yml:29:17: rules[0].match.regions[0]: "eu-1" is not an AWS region
          regions: [eu-1, us-gov-west-1]
                    ^
    write its code, such as eu-central-1, without the letter of an availability zone`},
	{"hours without a zone", ", zone: UTC", "", `sekisho.yml:36:31: rules[1].match.hours has no zone
        match: {names: ["dev-*"], hours: {from: "22:30", to: "06:00"}}
                                  ^
    write zone: and the name of a time zone, such as Europe/Berlin`},
	{"hours without an end", `to: "06:00", `, "", `sekisho.yml:36:31: rules[1].match.hours has no to
        match: {names: ["dev-*"], hours: {from: "22:30", zone: UTC}}
                                  ^
    write to: and a time of the day, such as "18:00"`},
	{"hours of one digit", `"08:00"`, `"8:00"`, `sekisho.yml:31:21: rules[0].match.hours.from: "8:00" is not a time of the day
          hours: {from: "8:00", to: "24:00", days: [mon, sun], zone: Europe/Berlin}
                        ^
    write hours and minutes with two digits each, from 00:00 to 23:59`},
	{"hour that is a number", `"08:00"`, `8`, `sekisho.yml:31:21: rules[0].match.hours.from is a number, not a time of the day
          hours: {from: 8, to: "24:00", days: [mon, sun], zone: Europe/Berlin}
                        ^
    write hours and minutes with two digits each, from 00:00 to 23:59`},
	{"begin at the day's end", `"08:00"`, `"24:00"`, `sekisho.yml:31:21: rules[0].match.hours.from: "24:00" is not a time of the day
          hours: {from: "24:00", to: "24:00", days: [mon, sun], zone: Europe/Berlin}
                        ^
    write hours and minutes with two digits each, from 00:00 to 23:59`},
	{"end after the day's end", `"24:00"`, `"24:01"`, `sekisho.yml:31:34: rules[0].match.hours.to: "24:01" is not a time of the day
          hours: {from: "08:00", to: "24:01", days: [mon, sun], zone: Europe/Berlin}
                                     ^
    write hours and minutes with two digits each, from 00:00 to 24:00`},
	{"minute 60", `"08:00"`, `"08:60"`, `sekisho.yml:31:21: rules[0].match.hours.from: "08:60" is not a time of the day
          hours: {from: "08:60", to: "24:00", days: [mon, sun], zone: Europe/Berlin}
                        ^
    write hours and minutes with two digits each, from 00:00 to 23:59`},
	{"hours of no length", `to: "06:00"`, `to: "22:30"`, `sekisho.yml:36:58: rules[1].match.hours.to is the same time as from
        match: {names: ["dev-*"], hours: {from: "22:30", to: "22:30", zone: UTC}}
                                                             ^
    write from: "00:00", to: "24:00" for the whole day`},
	{"day's name in full", "days: [mon, sun]", "days: [monday, sun]", `sekisho.yml:31:50: rules[0].match.hours.days[0] cannot be "monday"
          hours: {from: "08:00", to: "24:00", days: [monday, sun], zone: Europe/Berlin}
                                                     ^
    write mon, tue, wed, thu, fri, sat or sun`},
	{"day twice", "days: [mon, sun]", "days: [mon, sun, mon]", `sekisho.yml:31:60: rules[0].match.hours.days[2] repeats rules[0].match.hours.days[0]
          hours: {from: "08:00", to: "24:00", days: [mon, sun, mon], zone: Europe/Berlin}
                                                               ^
    take it out, or write what was meant`},
	{"no days", "days: [mon, sun]", "days: []", `sekisho.yml:31:49: rules[0].match.hours.days is an empty list: does that match nothing, or everything?
          hours: {from: "08:00", to: "24:00", days: [], zone: Europe/Berlin}
                                                    ^
    write at least one, or take it out to match everything`},
	{"zone unknown", "Europe/Berlin", "Europe/Atlantis", `sekisho.yml:31:67: rules[0].match.hours.zone: "Europe/Atlantis" is not a time zone
          hours: {from: "08:00", to: "24:00", days: [mon, sun], zone: Europe/Atlantis}
                                                                      ^
    write a name of the IANA database, such as Europe/Berlin or UTC`},
	{"zone of the machine", "Europe/Berlin", "Local", `sekisho.yml:31:67: rules[0].match.hours.zone: "Local" is not a time zone
          hours: {from: "08:00", to: "24:00", days: [mon, sun], zone: Local}
                                                                      ^
    write a name of the IANA database, such as Europe/Berlin or UTC`},
	{"zone empty", "Europe/Berlin", `""`, `sekisho.yml:31:67: rules[0].match.hours.zone: "" is not a time zone
          hours: {from: "08:00", to: "24:00", days: [mon, sun], zone: ""}
                                                                      ^
    write a name of the IANA database, such as Europe/Berlin or UTC`},
	{"rule in another's shadow", `{names: ["dev-*"], hours: {from: "22:30", to: "06:00", zone: UTC}}`, `{names: [prod-db, "prod-?"], tags: {Team: ml, "cost:centre": "", App: x}, types: [p5.large], accounts: ["111122223333"], regions: [eu-central-1], hours: {from: "09:00", to: "17:00", days: [mon], zone: Europe/Berlin}}`, `sekisho.yml:35:11: rule "team" can never match: rule "on call" on line 23 matches all that it does
      - name: team
              ^
    put the narrower rule first, or make one rule of the two`},
	{"rule after one that matches everything", "  - {name: rest, match: {}, ask: [everyone]}", "  - {name: rest, match: {}, ask: [everyone]}\n  - {name: more, match: {}, ask: [U0MIA]}", `sekisho.yml:42:12: rule "more" can never match: rule "rest" on line 41 matches all that it does
      - {name: more, match: {}, ask: [U0MIA]}
               ^
    put the narrower rule first, or make one rule of the two`},
	{"user by name", "W0BOB: [session/bob]", "bob: [session/bob]", `sekisho.yml:47:5: people.principals: "bob" is not a Slack user id
        bob: [session/bob]
        ^
    write the member id from the person's profile, such as U0123ABCD`},
	{"user group as a user", "W0BOB: [session/bob]", "S0ML: [session/bob]", `sekisho.yml:47:5: people.principals: "S0ML" is not a Slack user id
        S0ML: [session/bob]
        ^
    write the member id from the person's profile, such as U0123ABCD`},
	{"user of no principal", "W0BOB: [session/bob]", "W0BOB: []", `sekisho.yml:47:12: people.principals.W0BOB is an empty list: it says nothing of the user
        W0BOB: []
               ^
    write the principals of each user, such as U0123ABCD: [user/hana, session/hana@example.com], or take it out`},
	{"principals of nobody", "principals:\n    U0HANA: [user/hana, session/hana@example.com]\n    W0BOB: [session/bob]", "principals: {}", `sekisho.yml:45:15: people.principals has nobody in it
      principals: {}
                  ^
    write the principals of each user, such as U0123ABCD: [user/hana, session/hana@example.com], or take it out`},
	{"principal of two", "W0BOB: [session/bob]", "W0BOB: [session/bob, USER]", `sekisho.yml:47:26: people.principals.W0BOB[1]: "USER" is not a principal
        W0BOB: [session/bob, USER]
                             ^
    write user/NAME for an IAM user, or session/NAME for the session of a role, such as session/hana@example.com`},
	{"principal that is a role", "session/bob", "role/bob", `sekisho.yml:47:13: people.principals.W0BOB[0]: "role/bob" is not a principal
        W0BOB: [role/bob]
                ^
    write user/NAME for an IAM user, or session/NAME for the session of a role, such as session/hana@example.com`},
	{"principal that is an ARN", "session/bob", "arn:aws:iam::111122223333:user/bob", `sekisho.yml:47:13: people.principals.W0BOB[0]: "arn:aws:iam::111122223333:user/bob" is not a principal
        W0BOB: [arn:aws:iam::111122223333:user/bob]
                ^
    write user/NAME for an IAM user, or session/NAME for the session of a role, such as session/hana@example.com`},
	{"principal claimed by two", "session/bob", "session/Hana@example.com", `sekisho.yml:47:13: people.principals.W0BOB[0]: "session/Hana@example.com" is people.principals.U0HANA[1] already
        W0BOB: [session/Hana@example.com]
                ^
    let each principal stand for one person`},
	{"principal listed twice", "session/bob", "session/bob, session/bob", `sekisho.yml:47:26: people.principals.W0BOB[1]: "session/bob" is people.principals.W0BOB[0] already
        W0BOB: [session/bob, session/bob]
                             ^
    let each principal stand for one person`},
	{"mismatch", "on_mismatch: stop", "on_mismatch: ignore", `sekisho.yml:44:16: people.on_mismatch cannot be "ignore"
      on_mismatch: ignore
                   ^
    write alert or stop`},
	{"people matched by mail", "match_email: true", "match_email: 1", `sekisho.yml:43:16: people.match_email is a number, not true or false
      match_email: 1
                   ^
    write true or false`},
	{"trail kept too shortly", "keep: 3650d", "keep: 167h59m", `sekisho.yml:48:15: trail.keep cannot be "167h59m"
    trail: {keep: 167h59m}
                  ^
    write a duration from 7d to 3650d`},
	{"trail kept too long", "keep: 3650d", "keep: 3651d", `sekisho.yml:48:15: trail.keep cannot be "3651d"
    trail: {keep: 3651d}
                  ^
    write a duration from 7d to 3650d`},
	{"loud channel's name", "C0LOUD", "loud", `sekisho.yml:4:86: slack.channels.break_glass: "loud" is not a channel id
      channels: {alerts: C0ALERTS, approvals: C0APPROVE, reports: G0REPORT, break_glass: loud, keys: C0KEYS}
                                                                                         ^
    write the id that Slack shows at the end of the channel's details, such as C0123ABCD (#name would be a comment)`},
}

// approved is minimal with a rule whose passes must be approved; RULE stands
// for the rest of that rule.
var approved = strings.NewReplacer("C0ALERTS", "C0ALERTS, approvals: C0APPROVE", "ask: [everyone]", "RULE").Replace(minimal)

func TestBreakGlassLastsNoLongerThanPasses(t *testing.T) {
	const rule = "ask: [everyone], approve: {by: [U0HANA]}, break_glass: {by: [U0MIA], ttl: 11m}"
	text := strings.Replace(approved, "RULE", rule, 1)
	for passes, longest := range map[string]string{"": "10m", "passes: {ttl: 1m}\n": "1m", "passes: {ttl: 10m30s}\n": "10m30s"} {
		wrong(t, text+passes, "sekisho.yml:7:96: rules[0].break_glass.ttl is longer than the "+longest+" that the rule's other passes live\n"+
			"      - {name: everyone, "+rule+"}\n"+strings.Repeat(" ", 99)+"^\n    write "+longest+" or less: what nobody approved should end sooner")
	}
	same(t, parse(t, text+"passes: {ttl: 11m}\n").Rules[0].BreakGlass, &auth.BreakGlass{By: []string{"U0MIA"}, TTL: 11 * time.Minute})
	p := parse(t, strings.Replace(text, ", ttl: 11m", "", 1)+"passes: {ttl: 90s}\n")
	same(t, p.Rules[0].BreakGlass.TTL, 90*time.Second)
}

func TestParseTakesRulesThatSomebodyCanApprove(t *testing.T) {
	for _, rule := range []string{
		"ask: [U0HANA], approve: {by: [U0HANA, U0MIA]}",
		"ask: [U0HANA, U0MIA], approve: {by: [U0HANA]}", // Mia's requests, by Hana
		"ask: [everyone], approve: {by: [U0HANA]}",
		"ask: [C0ROOM], approve: {by: [U0HANA, U0MIA], count: 2}",
		"ask: [U0HANA], approve: {by: [U0HANA, S0LEADS]}",
		"ask: [U0HANA], approve: {by: [S0LEADS], count: 20}",
	} {
		if _, err := policyfile.Parse("sekisho.yml", []byte(strings.Replace(approved, "RULE", rule, 1))); err != nil {
			t.Error(err)
		}
	}
}

// Other readers of YAML take 10:30 for the number 630.
func TestParseTakesHoursWithoutQuotes(t *testing.T) {
	const hours = "hours: {from: 08:05, to: 10:30, zone: UTC}"
	for _, text := range []string{
		strings.Replace(minimal, "ask:", "match: {"+hours+"}, ask:", 1),
		strings.Replace(minimal, "ask:", "match: {hours: {to: 10:30, from: 08:05, zone: UTC}}, ask:", 1),
	} {
		h := parse(t, text).Rules[0].Match.Hours
		if h.From != 8*60+5 || h.To != 10*60+30 {
			t.Errorf("%s: %s", text, h)
		}
	}
}

// Two files differ in their hash when they differ at all.
func TestParseNamesTheFilesText(t *testing.T) {
	a, b := parse(t, minimal), parse(t, minimal+"\n")
	if a.Hash == b.Hash || a.Hash != parse(t, minimal).Hash {
		t.Errorf("%s and %s", a.Hash, b.Hash)
	}
}
