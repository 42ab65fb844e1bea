package policyfile_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/infra/policyfile"
)

// change is a piece of testdata/sekisho.yml that is replaced by something
// wrong, and all that is then said.
type change struct{ name, piece, instead, want string }

// bad lists what can be wrong outside of rules, people, trail, keys and reports,
// and some of what can be wrong in rules.
var bad = []change{
	{"unknown field", "when_unavailable:", "when-unavailable:", `sekisho.yml:11:3: gate has no field "when-unavailable"
      when-unavailable: allow
      ^
    did you mean when_unavailable?`},
	{"unknown field, nothing near", "  mode: enforce", "  mode: enforce\n  colour: red", `sekisho.yml:7:3: gate has no field "colour"
      colour: red
      ^
    it has mode, guard, pass_tag, when_unavailable, cannot_stop, lock`},
	{"unknown obstacle", "instance_store:", "instance_stores:", `sekisho.yml:15:5: gate.cannot_stop has no field "instance_stores"
        instance_stores: leave
        ^
    did you mean instance_store?`},
	{"list for text", "pass_tag: Pass", "pass_tag: [Pass]", `sekisho.yml:10:13: gate.pass_tag is a list, not a tag key that can be set
      pass_tag: [Pass]
                ^
    write 1 to 128 characters that do not begin with aws:`},
	{"text for a mapping", "lock: {after: 3, within: 1h30m, for: 1d12h}", "lock: soon", `sekisho.yml:17:9: gate.lock is text, not a mapping
      lock: soon
            ^
    write its fields below it, indented, or as {name: value}`},
	{"text for a list", "ask: [U0ALICE, W0BOB, everyone]", "ask: everyone", `sekisho.yml:24:10: rules[0].ask is text, not a list
        ask: everyone
             ^
    write a list, such as [one, two], or one - item on each line`},
	{"text for a number", "after: 3", `after: "3"`, `sekisho.yml:17:17: gate.lock.after is text, not a whole number
      lock: {after: "3", within: 1h30m, for: 1d12h}
                    ^
    write a whole number from 1 to 10000`},
	{"fraction for a number", "after: 3", "after: 1.5", `sekisho.yml:17:17: gate.lock.after is a number with a fraction, not a whole number
      lock: {after: 1.5, within: 1h30m, for: 1d12h}
                    ^
    write a whole number from 1 to 10000`},
	{"text for a truth value", "start_now: true", "start_now: yes", `sekisho.yml:20:14: passes.start_now is text, not true or false
      start_now: yes
                 ^
    write true or false`},
	{"truth value for text", "Sekisho: guarded", "Sekisho: true", `sekisho.yml:8:21: gate.guard.tags.Sekisho is a truth value, not a tag value
        tags: {Sekisho: true, "aws:autoscaling:groupName": ""}
                        ^
    write at most 256 characters, in quotes where YAML would not take them for text: "", "true", "5"`},
	{"no value", "alerts: C0ALERTS", "alerts: #alerts\n", `sekisho.yml:4:14: slack.channels.alerts has no value
      channels: {alerts: #alerts
                 ^
    write the id that Slack shows at the end of the channel's details, such as C0123ABCD (#name would be a comment)`},
	{"duration without a unit", "ttl: 24h", "ttl: 24", `sekisho.yml:19:8: passes.ttl is a number, not a duration
      ttl: 24
           ^
    write a number and a unit, such as 30s, 10m, 4h or 90d`},
	{"no duration", "ttl: 24h", "ttl: 10 minutes", `sekisho.yml:19:8: passes.ttl: "10 minutes" is not a duration
      ttl: 10 minutes
           ^
    write a number and a unit, such as 30s, 10m, 4h or 90d`},
	{"half a duration", "ttl: 24h", "ttl: 1d-1h", `sekisho.yml:19:8: passes.ttl: "1d-1h" is not a duration
      ttl: 1d-1h
           ^
    write a number and a unit, such as 30s, 10m, 4h or 90d`},
	{"negative duration", "per: 90d", "per: -5m", `sekisho.yml:21:40: passes.limit.per cannot be "-5m"
      limit: {person: 1, instance: 2, per: -5m}
                                           ^
    write a duration from 1s to 365d`},
	{"pass too short-lived", "ttl: 24h", "ttl: 59s", `sekisho.yml:19:8: passes.ttl cannot be "59s"
      ttl: 59s
           ^
    write a duration from 1m to 24h`},
	{"pass too long-lived", "ttl: 24h", "ttl: 1d1s", `sekisho.yml:19:8: passes.ttl cannot be "1d1s"
      ttl: 1d1s
           ^
    write a duration from 1m to 24h`},
	{"duration that overflows", "within: 1h30m", "within: 65535d2562047h", `sekisho.yml:17:28: gate.lock.within cannot be "65535d2562047h"
      lock: {after: 3, within: 65535d2562047h, for: 1d12h}
                               ^
    write a duration from 1s to 365d`},
	{"number too small", "person: 1", "person: 0", `sekisho.yml:21:19: passes.limit.person is out of range
      limit: {person: 0, instance: 2, per: 90d}
                      ^
    write a whole number from 1 to 10000`},
	{"number too large", "person: 1", "person: 18446744073709551615", `sekisho.yml:21:19: passes.limit.person is out of range
      limit: {person: 18446744073709551615, instance: 2, per: 90d}
                      ^
    write a whole number from 1 to 10000`},
	{"mode", "mode: enforce", "mode: enforced", `sekisho.yml:6:9: gate.mode cannot be "enforced"
      mode: enforced
            ^
    write observe or enforce`},
	{"when_unavailable", "when_unavailable: allow", "when_unavailable: maybe", `sekisho.yml:11:21: gate.when_unavailable cannot be "maybe"
      when_unavailable: maybe
                        ^
    write stop or allow`},
	{"answer to another obstacle", "instance_store: leave", "instance_store: stop", `sekisho.yml:15:21: gate.cannot_stop.instance_store cannot be "stop"
        instance_store: stop
                        ^
    write leave or terminate`},
	{"channel's name", "C0ALERTS", `"#alerts"`, `sekisho.yml:4:22: slack.channels.alerts: "#alerts" is not a channel id
      channels: {alerts: "#alerts", approvals: C0APPROVE, reports: G0REPORT, break_glass: C0LOUD, keys: C0KEYS}
                         ^
    write the id that Slack shows at the end of the channel's details, such as C0123ABCD (#name would be a comment)`},
	{"direct message", "G0REPORT", "D0REPORT", `sekisho.yml:4:63: slack.channels.reports: "D0REPORT" is not a channel id
      channels: {alerts: C0ALERTS, approvals: C0APPROVE, reports: D0REPORT, break_glass: C0LOUD, keys: C0KEYS}
                                                                  ^
    write the id that Slack shows at the end of the channel's details, such as C0123ABCD (#name would be a comment)`},
	{"person's name", "W0BOB", "bob", `sekisho.yml:24:20: rules[0].ask[1]: "bob" is not a Slack id
        ask: [U0ALICE, bob, everyone]
                       ^
    write the id of a user (U…, in their profile), a user group (S…) or a channel (C…: its members), or everyone`},
	{"instance id", "i-01234567]", "i-012345678]", `sekisho.yml:9:38: gate.guard.instances[1]: "i-012345678" is not an instance id
        instances: [i-0123456789abcdef0, i-012345678]
                                         ^
    write i- and 17 hexadecimal digits (8 on instances from before 2018)`},
	{"tag key of AWS", "pass_tag: Pass", "pass_tag: AWS:Pass", `sekisho.yml:10:13: gate.pass_tag: "AWS:Pass" is not a tag key that can be set
      pass_tag: AWS:Pass
                ^
    write 1 to 128 characters that do not begin with aws:`},
	{"tag value too long", "Sekisho: guarded", "Sekisho: " + strings.Repeat("a", 257), `sekisho.yml:8:21: gate.guard.tags.Sekisho: "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…" is not a tag value
        tags: {Sekisho: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…
                        ^
    write at most 256 characters, in quotes where YAML would not take them for text: "", "true", "5"`},
	{"tag key empty", "Sekisho: guarded", `"": guarded`, `sekisho.yml:8:12: gate.guard.tags: "" is not a tag key
        tags: {"": guarded, "aws:autoscaling:groupName": ""}
               ^
    write 1 to 128 characters`},
	{"pass tag that guards", "pass_tag: Pass", "pass_tag: Sekisho", `sekisho.yml:10:3: tag "Sekisho" says both what is guarded and what the pass is
      pass_tag: Sekisho
      ^
    guard by another tag, or name another pass_tag`},
	{"guards nothing", "    tags: {Sekisho: guarded, \"aws:autoscaling:groupName\": \"\"}\n    instances: [i-0123456789abcdef0, i-01234567]", "    all: false", `sekisho.yml:7:3: gate.guard guards nothing
      guard:
      ^
    write tags: {KEY: VALUE}, instances: [i-…] or all: true`},
	{"except without all", "    instances: [", "    except: [", `sekisho.yml:9:5: gate.guard.except needs all: true
        except: [i-0123456789abcdef0, i-01234567]
        ^
    write all: true, or take except out`},
	{"key with colons in braces", `"aws:autoscaling:groupName"`, "aws:autoscaling:groupName", `sekisho.yml:8:30: gate.guard.tags: it is not clear where this key ends
        tags: {Sekisho: guarded, aws:autoscaling:groupName: ""}
                                 ^
    put a space after the colon, or quotes around a key that has colons in it`},
	{"key twice", "pass_tag: Pass", "mode: observe", `sekisho.yml:10:3: gate has "mode" twice
      mode: observe
      ^
    keep one; the other is on line 6`},
	{"key that is no text", "pass_tag: Pass", "1: Pass", `sekisho.yml:10:3: gate has a key that is not plain text
      1: Pass
      ^
    write a plain word, or put it in quotes`},
	{"merge key", "pass_tag: Pass", "<<: {pass_tag: Pass}", `sekisho.yml:10:3: gate has a key that is not plain text
      <<: {pass_tag: Pass}
      ^
    write a plain word, or put it in quotes`},
	{"rule's name twice", "name: team", "name: on call", `sekisho.yml:35:11: rules[1].name: there is a rule "on call" already
      - name: on call
              ^
    give each rule a name of its own`},
	{"rule without a word for a name", "name: on call", `name: " "`, `sekisho.yml:23:11: rules[0].name: " " is not a name
      - name: " "
              ^
    write a word or a few, at most 80 characters on one line`},
	{"rule for nobody", "ask: [U0ALICE, W0BOB, everyone]", "ask: []", `sekisho.yml:24:10: rules[0].ask is an empty list: nobody may ask for a pass
        ask: []
             ^
    write ask: with the ids of users, user groups or channels, such as [U0123ABCD, S0123ABCD], or [everyone]`},
	{"rule's ask left out", "    ask: [U0ALICE, W0BOB, everyone]\n", "", `sekisho.yml:23:5: rules[0] has no ask
      - name: on call
        ^
    write ask: with the ids of users, user groups or channels, such as [U0123ABCD, S0123ABCD], or [everyone]`},
	{"alerts left out", "alerts: C0ALERTS, ", "", `sekisho.yml:4:3: slack.channels has no alerts
      channels: {approvals: C0APPROVE, reports: G0REPORT, break_glass: C0LOUD, keys: C0KEYS}
      ^
    write alerts: and the id of the channel that is told of refused starts`},
	{"guard left out", "  guard:\n    tags: {Sekisho: guarded, \"aws:autoscaling:groupName\": \"\"}\n    instances: [i-0123456789abcdef0, i-01234567]\n", "", `sekisho.yml:5:1: gate has no guard
    gate:
    ^
    write tags: {KEY: VALUE}, instances: [i-…] or all: true`},
	{"when_unavailable left out", "  when_unavailable: allow\n", "", `sekisho.yml:5:1: gate has no when_unavailable
    gate:
    ^
    write when_unavailable: stop, or allow. Either can hurt while the store is away: stop ends starts that have
    a good pass, allow lets everything in. So it has no default: the choice is yours, and must be written down`},
	{"version left out", "version: 1\n", "", `sekisho.yml:2:1: the file has no version
    slack:
    ^
    write version: 1`},
	{"another version", "version: 1", "version: 2", `sekisho.yml:2:10: version 2 is not known here
    version: 2
             ^
    write version: 1; a file with another version is for another release of Sekisho`},
	{"anchor", "pass_tag: Pass", "pass_tag: &tag Pass", `sekisho.yml:10:13: gate.pass_tag is an anchor, which is not read here
      pass_tag: &tag Pass
                ^
    write the value itself`},
	{"alias", "pass_tag: Pass", "pass_tag: *tag", `sekisho.yml:10:13: gate.pass_tag is an alias, which is not read here
      pass_tag: *tag
                ^
    write the value itself, in quotes where it begins with *`},
	{"YAML tag", "pass_tag: Pass", "pass_tag: !!str Pass", `sekisho.yml:10:13: gate.pass_tag is a YAML tag, which is not read here
      pass_tag: !!str Pass
                ^
    write the value itself`},
	{"second document", "passes:", "---\npasses:", `sekisho.yml:19:1: a second document begins here
    passes:
    ^
    keep one policy in one file, without a line of ---`},
	{"bracket left open", "for: 1d12h}", "for: 1d12h", `sekisho.yml:18:1: not YAML: ',' or '}' must be specified
    passes:
    ^
    look for a wrong indent, quote, bracket or colon here or just above`},
	{"tab", "  mode: enforce", "\tmode: enforce", `sekisho.yml:6:1: not YAML: found character '	' that cannot start any token
    	mode: enforce
    ^
    look for a wrong indent, quote, bracket or colon here or just above`},
	{"too deep", "mode: enforce", "mode: [[[[[[[[[[[[[[[[[[[[[enforce]]]]]]]]]]]]]]]]]]]]]", `sekisho.yml:6:29: brackets or dashes are nested too deeply
      mode: [[[[[[[[[[[[[[[[[[[[[enforce]]]]]]]]]]]]]]]]]]]]]
                                ^
    write it flatter; a policy needs six levels`},
	{"no UTF-8", "on call", "on \xff call", `sekisho.yml:23:14: this is not UTF-8
      - name: on � call
                 ^
    save the file as UTF-8`},
	{"characters two cells wide", "- name: on call", "- {name: 当番, asks: [], ask: [everyone]}\n  - name: on call", `sekisho.yml:23:16: rules[0] has no field "asks"
      - {name: 当番, asks: [], ask: [everyone]}
               　　  ^
    did you mean ask?`},
	{"what would steer a terminal", "mode: enforce", "mode: \"\\e[31m\" # \x1b[31m", `sekisho.yml:6:9: gate.mode cannot be "\x1b[31m"
      mode: "\e[31m" # �[31m
            ^
    write observe or enforce`},
	{"long line", `"aws:autoscaling:groupName": ""`, `a: "` + strings.Repeat("関", 99) + `", Sekisho: ""`, `sekisho.yml:8:136: gate.guard.tags has "Sekisho" twice
    …, a: "` + strings.Repeat("関", 99) + `", Sekisho: ""}
           ` + strings.Repeat("\u3000", 99) + `   ^
    keep one; the other is on line 8`},
}

func TestParseSaysWhatIsWrong(t *testing.T) {
	good, err := os.ReadFile("testdata/sekisho.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range slices.Concat(bad, badRules, badKeys, badReports) {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(string(good), c.piece) {
				t.Fatalf("the good file has no %q", c.piece)
			}
			wrong(t, strings.Replace(string(good), c.piece, c.instead, 1), c.want)
		})
	}
}

// wrong wants the text to be refused with these words.
func wrong(t *testing.T, text, want string) {
	t.Helper()
	p, err := policyfile.Parse("sekisho.yml", []byte(text))
	if err == nil {
		t.Fatal("not refused")
	}
	if err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	same(t, p, auth.Policy{})
}

func TestParseSaysAllThatIsWrongInTheFilesOrder(t *testing.T) {
	wrong(t, `gate: {guard: {}, mode: on}
slack:
rules:
- ask: [U0ALICE, me]
`, `sekisho.yml:1:1: gate has no when_unavailable
    gate: {guard: {}, mode: on}
    ^
    write when_unavailable: stop, or allow. Either can hurt while the store is away: stop ends starts that have
    a good pass, allow lets everything in. So it has no default: the choice is yours, and must be written down
sekisho.yml:1:1: the file has no version
    gate: {guard: {}, mode: on}
    ^
    write version: 1
sekisho.yml:1:8: gate.guard guards nothing
    gate: {guard: {}, mode: on}
           ^
    write tags: {KEY: VALUE}, instances: [i-…] or all: true
sekisho.yml:1:25: gate.mode cannot be "on"
    gate: {guard: {}, mode: on}
                            ^
    write observe or enforce
sekisho.yml:2:1: slack has no value
    slack:
    ^
    write its fields below it, indented, or as {name: value}
sekisho.yml:4:3: rules[0] has no name
    - ask: [U0ALICE, me]
      ^
    write name: and a word for the rule, which people are shown
sekisho.yml:4:18: rules[0].ask[1]: "me" is not a Slack id
    - ask: [U0ALICE, me]
                     ^
    write the id of a user (U…, in their profile), a user group (S…) or a channel (C…: its members), or everyone`)
}

func TestParseCountsLinesThatEndInCRLF(t *testing.T) {
	text := strings.Replace(minimal, "{name: everyone, ask: [everyone]}", "{name: everyone} # all", 1)
	wrong(t, strings.ReplaceAll("# a comment\n"+text, "\n", "\r\n"), `sekisho.yml:8:5: rules[0] has no ask
      - {name: everyone} # all
        ^
    write ask: with the ids of users, user groups or channels, such as [U0123ABCD, S0123ABCD], or [everyone]`)
}

func TestParseTakesAllAlone(t *testing.T) {
	for _, more := range []string{"tags: {Sekisho: guarded}", "instances: [i-01234567]"} {
		guard := "guard: {all: true, " + more + "}"
		wrong(t, strings.Replace(minimal, "guard: {all: true}", guard, 1),
			"sekisho.yml:4:3: gate.guard has all, which leaves nothing for tags and instances to add\n      "+guard+"\n      ^\n    keep all: true, or take it out")
	}
}

func TestParseListsTenFaults(t *testing.T) {
	text := minimal + "passes: {ttl: 0s}\n"
	for i := range 12 {
		text += fmt.Sprintf("field%d: 1\n", i)
	}
	_, err := policyfile.Parse("sekisho.yml", []byte(text))
	if err == nil {
		t.Fatal("not refused")
	}
	lines := strings.Split(err.Error(), "\n")
	if n := strings.Count(err.Error(), "sekisho.yml:"); n != 11 || lines[len(lines)-1] != "sekisho.yml: and 3 more" {
		t.Errorf("%d lines name the file, the last being %q", n, lines[len(lines)-1])
	}
}

func TestParseWithoutAPolicy(t *testing.T) {
	const empty = "sekisho.yml: the file is empty\n    begin it with version: 1"
	for text, want := range map[string]string{
		"":            empty,
		"# later\n":   empty,
		"---\n...\n":  empty,
		"- version\n": "sekisho.yml:1:1: the file is a list, not a mapping\n    - version\n    ^\n    write its fields below it, indented, or as {name: value}",
		minimal[:strings.Index(minimal, "  - {")] + "  []\n": "sekisho.yml:7:3: rules is an empty list: there is no rule, so that nobody may ask for a pass\n" +
			"      []\n      ^\n    write at least one, such as - {name: everyone, ask: [everyone]}",
		minimal[:strings.Index(minimal, "rules:")]: "sekisho.yml:1:1: the file has no rules\n    version: 1\n    ^\n" +
			"    write rules: with who may ask, such as - {name: everyone, ask: [everyone]}",
		"%YAML 1.2\n---\n":             "sekisho.yml:1:1: the file is a YAML directive, which is not read here\n    %YAML 1.2\n    ^\n    write the value itself",
		strings.Repeat("a: 1\n", 5001): "sekisho.yml:5001:2: there are too many keys\n    a: 1\n     ^\n    a policy has at most 5000",
	} {
		wrong(t, text, want)
	}
}
