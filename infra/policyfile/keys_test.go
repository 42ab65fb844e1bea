package policyfile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/infra/policyfile"
)

// badKeys are the changes to keys.
var badKeys = []change{
	{"unknown field of keys", "owner_tag: Owner", "owners: Owner", `sekisho.yml:62:3: keys has no field "owners"
      owners: Owner
      ^
    it has mode, max_age, grace, first_run, warn, unused, cap, exempt, decide, owner_tag`},
	{"mode of keys", "mode: enforce\n  max_age", "mode: delete\n  max_age", `sekisho.yml:50:9: keys.mode cannot be "delete"
      mode: delete
            ^
    write observe or enforce`},
	{"max_age too short", "max_age: 100d", "max_age: 23h59m", `sekisho.yml:51:12: keys.max_age cannot be "23h59m"
      max_age: 23h59m
               ^
    write a duration from 1d to 3650d`},
	{"max_age too long", "max_age: 100d", "max_age: 3651d", `sekisho.yml:51:12: keys.max_age cannot be "3651d"
      max_age: 3651d
               ^
    write a duration from 1d to 3650d`},
	{"max_age without a unit", "max_age: 100d", "max_age: 100", `sekisho.yml:51:12: keys.max_age is a number, not a duration
      max_age: 100
               ^
    write a number and a unit, such as 30s, 10m, 4h or 90d`},
	{"grace too long", "grace: 0s", "grace: 365d1s", `sekisho.yml:52:10: keys.grace cannot be "365d1s"
      grace: 365d1s
             ^
    write a duration from 0s to 365d`},
	{"grace negative", "grace: 0s", "grace: -1s", `sekisho.yml:52:10: keys.grace cannot be "-1s"
      grace: -1s
             ^
    write a duration from 0s to 365d`},
	{"grace without a unit", "grace: 0s", "grace: 0", `sekisho.yml:52:10: keys.grace is a number, not a duration
      grace: 0
             ^
    write a number and a unit, such as 30s, 10m, 4h or 90d`},
	{"first_run", "first_run: at_once", "first_run: later", `sekisho.yml:53:14: keys.first_run cannot be "later"
      first_run: later
                 ^
    write gentle or at_once`},
	{"warning too short", ", 1h]", ", 59m]", `sekisho.yml:54:26: keys.warn[3] cannot be "59m"
      warn: [1d, 3d12h, 21d, 59m]
                             ^
    write a duration from 1h to 90d`},
	{"warning too long", ", 1h]", ", 90d1s]", `sekisho.yml:54:26: keys.warn[3] cannot be "90d1s"
      warn: [1d, 3d12h, 21d, 90d1s]
                             ^
    write a duration from 1h to 90d`},
	{"warning twice", ", 1h]", ", 1h, 24h]", `sekisho.yml:54:30: keys.warn[4] repeats keys.warn[0]
      warn: [1d, 3d12h, 21d, 1h, 24h]
                                 ^
    take it out, or write what was meant`},
	{"too many warnings", ", 1h]", ", 1h, 2h, 3h, 4h, 5h, 6h, 7h, 8h]", `sekisho.yml:54:9: keys.warn is a list of 11
      warn: [1d, 3d12h, 21d, 1h, 2h, 3h, 4h, 5h, 6h, 7h, 8h]
            ^
    write at most 10`},
	{"gentle without a warning", "first_run: at_once\n  warn: [1d, 3d12h, 21d, 1h]", "first_run: gentle\n  warn: []", `sekisho.yml:54:9: keys.warn is an empty list, but first_run: gentle is to warn of every key
      warn: []
            ^
    write at least one, or first_run: at_once as well: then keys end unannounced`},
	{"gentle by default without a warning", "  first_run: at_once\n  warn: [1d, 3d12h, 21d, 1h]", "  warn: []", `sekisho.yml:53:9: keys.warn is an empty list, but first_run: gentle is to warn of every key
      warn: []
            ^
    write at least one, or first_run: at_once as well: then keys end unannounced`},
	{"warnings as long as a key's life", "max_age: 100d", "max_age: 3d12h", `sekisho.yml:54:14: keys.warn[1] is not shorter than max_age, which is 84h
      warn: [1d, 3d12h, 21d, 1h]
                 ^
    write less than 84h, or a longer max_age
sekisho.yml:54:21: keys.warn[2] is not shorter than max_age, which is 84h
      warn: [1d, 3d12h, 21d, 1h]
                        ^
    write less than 84h, or a longer max_age`},
	{"usual warnings longer than a key's life", "max_age: 100d\n  grace: 0s\n  first_run: at_once\n  warn: [1d, 3d12h, 21d, 1h]", "max_age: 14d", `sekisho.yml:51:12: keys.max_age is 14d, but where warn is not written, the first warning comes 14d before the end
      max_age: 14d
               ^
    write warn: with warnings shorter than 14d, or a longer max_age`},
	{"unused too short", "unused: 45d", "unused: 23h", `sekisho.yml:55:11: keys.unused cannot be "23h"
      unused: 23h
              ^
    write a duration from 1d to 3650d`},
	{"unused too long", "unused: 45d", "unused: 3651d", `sekisho.yml:55:11: keys.unused cannot be "3651d"
      unused: 3651d
              ^
    write a duration from 1d to 3650d`},
	{"unused as long as max_age", "unused: 45d", "unused: 100d", `sekisho.yml:55:11: keys.unused is 100d, but every key is at its max_age of 100d before
      unused: 100d
              ^
    write less than 100d, or take it out`},
	{"unused as long as the longest warning", "unused: 45d", "unused: 21d", `sekisho.yml:55:11: keys.unused is 21d, but the first warning comes 21d before the end
      unused: 21d
              ^
    write more than 21d, or shorter warnings`},
	{"cap on no keys", "keys: 10000", "keys: 0", `sekisho.yml:56:15: keys.cap.keys is out of range
      cap: {keys: 0, share: 100%}
                  ^
    write a whole number from 1 to 10000`},
	{"cap too large", "keys: 10000", "keys: 10001", `sekisho.yml:56:15: keys.cap.keys is out of range
      cap: {keys: 10001, share: 100%}
                  ^
    write a whole number from 1 to 10000`},
	{"share without its sign", "share: 100%", "share: 20", `sekisho.yml:56:29: keys.cap.share is a number, not a percentage
      cap: {keys: 10000, share: 20}
                                ^
    write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2`},
	{"share as a fraction", "share: 100%", "share: 0.2", `sekisho.yml:56:29: keys.cap.share is a number with a fraction, not a percentage
      cap: {keys: 10000, share: 0.2}
                                ^
    write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2`},
	{"share as text without its sign", "share: 100%", `share: "20"`, `sekisho.yml:56:29: keys.cap.share cannot be "20"
      cap: {keys: 10000, share: "20"}
                                ^
    write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2`},
	{"share of nothing", "share: 100%", "share: 0%", `sekisho.yml:56:29: keys.cap.share cannot be "0%"
      cap: {keys: 10000, share: 0%}
                                ^
    write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2`},
	{"share of more than all", "share: 100%", "share: 101%", `sekisho.yml:56:29: keys.cap.share cannot be "101%"
      cap: {keys: 10000, share: 101%}
                                ^
    write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2`},
	{"share too long for a number", "share: 100%", "share: 18446744073709551636%", `sekisho.yml:56:29: keys.cap.share cannot be "18446744073709551636%"
      cap: {keys: 10000, share: 18446744073709551636%}
                                ^
    write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2`},
	{"share with a fraction", "share: 100%", "share: 12.5%", `sekisho.yml:56:29: keys.cap.share cannot be "12.5%"
      cap: {keys: 10000, share: 12.5%}
                                ^
    write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2`},
	{"share negative", "share: 100%", "share: -20%", `sekisho.yml:56:29: keys.cap.share cannot be "-20%"
      cap: {keys: 10000, share: -20%}
                                ^
    write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2`},
	{"share with another sign", "share: 100%", "share: +20%", `sekisho.yml:56:29: keys.cap.share cannot be "+20%"
      cap: {keys: 10000, share: +20%}
                                ^
    write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2`},
	{"exemption of nobody", "{user: break-glass*}", "{}", `sekisho.yml:58:7: keys.exempt[0] does not say who is exempt
        - {}
          ^
    write one or more of user: NAME, path: /PATH/ and tag: KEY=VALUE`},
	{"exemption that is text", "{user: break-glass*}", "break-glass*", `sekisho.yml:58:7: keys.exempt[0] is text, not a mapping
        - break-glass*
          ^
    write its fields below it, indented, or as {name: value}`},
	{"exemption of a group", "{user: break-glass*}", "{group: admins}", `sekisho.yml:58:8: keys.exempt[0] has no field "group"
        - {group: admins}
           ^
    it has user, path, tag`},
	{"user empty", "{user: break-glass*}", `{user: ""}`, `sekisho.yml:58:14: keys.exempt[0].user: "" is not a pattern of IAM user names
        - {user: ""}
                 ^
    write 1 to 64 letters, digits and _ + = , . @ -, with * for any of them, such as break-glass*`},
	{"user with a kind", "{user: break-glass*}", "{user: user/hana}", `sekisho.yml:58:14: keys.exempt[0].user: "user/hana" is not a pattern of IAM user names
        - {user: user/hana}
                 ^
    write 1 to 64 letters, digits and _ + = , . @ -, with * for any of them, such as break-glass*`},
	{"user too long", "{user: break-glass*}", "{user: " + strings.Repeat("a", 65) + "}", `sekisho.yml:58:14: keys.exempt[0].user: "` + strings.Repeat("a", 60) + `…" is not a pattern of IAM user names
        - {user: ` + strings.Repeat("a", 65) + `}
                 ^
    write 1 to 64 letters, digits and _ + = , . @ -, with * for any of them, such as break-glass*`},
	{"user that begins like an alias", "{user: break-glass*}", "{user: *-robot}", `sekisho.yml:58:14: keys.exempt[0].user is an alias, which is not read here
        - {user: *-robot}
                 ^
    write the value itself, in quotes where it begins with *`},
	{"path left open at its end", "{user: break-glass*}", "{path: /service}", `sekisho.yml:58:14: keys.exempt[0].path: "/service" is not the beginning of IAM paths
        - {path: /service}
                 ^
    write it from slash to slash, such as /service/, and without *: it stands for all paths that begin with it`},
	{"path left open at its beginning", "{user: break-glass*}", "{path: service/}", `sekisho.yml:58:14: keys.exempt[0].path: "service/" is not the beginning of IAM paths
        - {path: service/}
                 ^
    write it from slash to slash, such as /service/, and without *: it stands for all paths that begin with it`},
	{"path with a pattern", "{user: break-glass*}", "{path: /service/*/}", `sekisho.yml:58:14: keys.exempt[0].path: "/service/*/" is not the beginning of IAM paths
        - {path: /service/*/}
                 ^
    write it from slash to slash, such as /service/, and without *: it stands for all paths that begin with it`},
	{"path with a space", "{user: break-glass*}", "{path: /service desk/}", `sekisho.yml:58:14: keys.exempt[0].path: "/service desk/" is not the beginning of IAM paths
        - {path: /service desk/}
                 ^
    write it from slash to slash, such as /service/, and without *: it stands for all paths that begin with it`},
	{"path that is not ASCII", "{user: break-glass*}", "{path: /dépôt/}", `sekisho.yml:58:14: keys.exempt[0].path: "/dépôt/" is not the beginning of IAM paths
        - {path: /dépôt/}
                 ^
    write it from slash to slash, such as /service/, and without *: it stands for all paths that begin with it`},
	{"path empty", "{user: break-glass*}", `{path: ""}`, `sekisho.yml:58:14: keys.exempt[0].path: "" is not the beginning of IAM paths
        - {path: ""}
                 ^
    write it from slash to slash, such as /service/, and without *: it stands for all paths that begin with it`},
	{"path too long", "{user: break-glass*}", "{path: /" + strings.Repeat("a", 511) + "/}", `sekisho.yml:58:14: keys.exempt[0].path: "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…" is not the beginning of IAM paths
        - {path: /` + strings.Repeat("a", 106) + `…
                 ^
    write it from slash to slash, such as /service/, and without *: it stands for all paths that begin with it`},
	{"tag's key alone", "{user: break-glass*}", "{tag: sekisho-exempt}", `sekisho.yml:58:13: keys.exempt[0].tag: "sekisho-exempt" is a tag key alone
        - {tag: sekisho-exempt}
                ^
    write "sekisho-exempt=*" for the tag with whatever value`},
	{"tag as a mapping", "{user: break-glass*}", "{tag: {sekisho-exempt: yes}}", `sekisho.yml:58:13: keys.exempt[0].tag is a mapping, not a tag key and a pattern of its value
        - {tag: {sekisho-exempt: yes}}
                ^
    write KEY=VALUE, such as sekisho-exempt=*; * is for any characters of the value, not of the key`},
	{"tag without a key", "{user: break-glass*}", "{tag: =yes}", `sekisho.yml:58:13: keys.exempt[0].tag: "=yes" is not a tag key and a pattern of its value
        - {tag: =yes}
                ^
    write KEY=VALUE, such as sekisho-exempt=*; * is for any characters of the value, not of the key`},
	{"tag key with a pattern", "{user: break-glass*}", "{tag: sekisho-*=yes}", `sekisho.yml:58:13: keys.exempt[0].tag: "sekisho-*=yes" is not a tag key and a pattern of its value
        - {tag: sekisho-*=yes}
                ^
    write KEY=VALUE, such as sekisho-exempt=*; * is for any characters of the value, not of the key`},
	{"tag key alone with a pattern", "{user: break-glass*}", "{tag: sekisho-*}", `sekisho.yml:58:13: keys.exempt[0].tag: "sekisho-*" is not a tag key and a pattern of its value
        - {tag: sekisho-*}
                ^
    write KEY=VALUE, such as sekisho-exempt=*; * is for any characters of the value, not of the key`},
	{"tag key too long", "{user: break-glass*}", "{tag: " + strings.Repeat("k", 129) + "=yes}", `sekisho.yml:58:13: keys.exempt[0].tag: "` + strings.Repeat("k", 60) + `…" is not a tag key and a pattern of its value
        - {tag: ` + strings.Repeat("k", 108) + `…
                ^
    write KEY=VALUE, such as sekisho-exempt=*; * is for any characters of the value, not of the key`},
	{"tag with what IAM takes in none", "{user: break-glass*}", `{tag: "sekisho-exempt=#1"}`, `sekisho.yml:58:13: keys.exempt[0].tag: "sekisho-exempt=#1" is not a tag key and a pattern of its value
        - {tag: "sekisho-exempt=#1"}
                ^
    write KEY=VALUE, such as sekisho-exempt=*; * is for any characters of the value, not of the key`},
	{"tag too long", "{user: break-glass*}", "{tag: k=" + strings.Repeat("v", 257) + "}", `sekisho.yml:58:13: keys.exempt[0].tag: "k=vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv…" is not a tag key and a pattern of its value
        - {tag: k=` + strings.Repeat("v", 106) + `…
                ^
    write KEY=VALUE, such as sekisho-exempt=*; * is for any characters of the value, not of the key`},
	{"everybody exempt by name", "{user: break-glass*}", `{user: "**"}`, `sekisho.yml:58:7: keys.exempt[0]: this exempts every user
        - {user: "**"}
          ^
    leave keys: out, or narrow it`},
	{"everybody exempt by path", "{user: break-glass*}", `{user: "*", path: /}`, `sekisho.yml:58:7: keys.exempt[0]: this exempts every user
        - {user: "*", path: /}
          ^
    leave keys: out, or narrow it`},
	{"exemptions in another's shadow", "exempt:\n    - {user: break-glass*}\n    - {path", "exempt:\n    - {user: break-glass*}\n    - {user: Break-Glass-1}\n    - {path: /service/, tag: team=sre, user: x}\n    - {path", `sekisho.yml:59:7: keys.exempt[1] exempts nobody more: keys.exempt[0] on line 58 covers all that it does
        - {user: Break-Glass-1}
          ^
    take it out, or write what was meant`},
	{"exemption in another's shadow", `{user: "?*-robot", path: /build/, tag: "sekisho-exempt=until 2027-*"}`, "{user: BREAK-GLASS-?, path: /build/}", `sekisho.yml:60:7: keys.exempt[2] exempts nobody more: keys.exempt[0] on line 58 covers all that it does
        - {user: BREAK-GLASS-?, path: /build/}
          ^
    take it out, or write what was meant`},
	{"nobody to decide on keys", "decide: [S0SECURITY, U0HANA]", "decide: []", `sekisho.yml:61:11: keys.decide is an empty list: nobody could press the buttons
      decide: []
              ^
    write the ids of users and user groups, such as [U0123ABCD, S0123ABCD], or take it out for no buttons`},
	{"everyone who decides on keys", "decide: [S0SECURITY, U0HANA]", "decide: [everyone]", `sekisho.yml:61:12: keys.decide[0]: "everyone" is not a user or a user group
      decide: [everyone]
               ^
    write the ids of users (U…) and user groups (S…); everyone, and whoever joins a channel, is too open for this`},
	{"channel that decides on keys", "decide: [S0SECURITY, U0HANA]", "decide: [C0ROOM]", `sekisho.yml:61:12: keys.decide[0]: "C0ROOM" is not a user or a user group
      decide: [C0ROOM]
               ^
    write the ids of users (U…) and user groups (S…); everyone, and whoever joins a channel, is too open for this`},
	{"who decides on keys twice", "decide: [S0SECURITY, U0HANA]", "decide: [U0HANA, U0HANA]", `sekisho.yml:61:20: keys.decide[1] repeats keys.decide[0]
      decide: [U0HANA, U0HANA]
                       ^
    take it out, or write what was meant`},
	{"owner_tag of AWS", "owner_tag: Owner", "owner_tag: Aws:owner", `sekisho.yml:62:14: keys.owner_tag: "Aws:owner" is not a key of a tag that can be set in IAM
      owner_tag: Aws:owner
                 ^
    write 1 to 128 letters, digits, spaces and _ . : / = + - @ that do not begin with aws:`},
	{"owner_tag empty", "owner_tag: Owner", `owner_tag: ""`, `sekisho.yml:62:14: keys.owner_tag: "" is not a key of a tag that can be set in IAM
      owner_tag: ""
                 ^
    write 1 to 128 letters, digits, spaces and _ . : / = + - @ that do not begin with aws:`},
	{"owner_tag with a pattern", "owner_tag: Owner", "owner_tag: owner*", `sekisho.yml:62:14: keys.owner_tag: "owner*" is not a key of a tag that can be set in IAM
      owner_tag: owner*
                 ^
    write 1 to 128 letters, digits, spaces and _ . : / = + - @ that do not begin with aws:`},
	{"owner_tag too long", "owner_tag: Owner", "owner_tag: " + strings.Repeat("k", 129) + "", `sekisho.yml:62:14: keys.owner_tag: "` + strings.Repeat("k", 60) + `…" is not a key of a tag that can be set in IAM
      owner_tag: ` + strings.Repeat("k", 107) + `…
                 ^
    write 1 to 128 letters, digits, spaces and _ . : / = + - @ that do not begin with aws:`},
	{"keys' channel's name", "keys: C0KEYS", "keys: keys", `sekisho.yml:4:100: slack.channels.keys: "keys" is not a channel id
      channels: {alerts: C0ALERTS, approvals: C0APPROVE, reports: G0REPORT, break_glass: C0LOUD, keys: keys}
                                                                                                       ^
    write the id that Slack shows at the end of the channel's details, such as C0123ABCD (#name would be a comment)`},
}

func withKeys(keys string) string { return minimal + "keys: {" + keys + "}\n" }

func TestKeysTakeDefaults(t *testing.T) {
	want := auth.DefaultKeys()
	same(t, parse(t, withKeys("")).Keys, &want)
	want.MaxAge, want.FirstRun, want.Cap.Share = 30*24*time.Hour, auth.AtOnce, 5
	same(t, parse(t, withKeys("max_age: 30d, first_run: at_once, cap: {share: 5%}")).Keys, &want)
}

// The louder channel is not for cards.
func TestKeysGoToAlertsWhereTheyHaveNoChannel(t *testing.T) {
	got := parse(t, strings.Replace(minimal, "C0ALERTS", "C0ALERTS, break_glass: C0LOUD", 1)).Channels
	same(t, got, auth.Channels{Alerts: "C0ALERTS", BreakGlass: "C0LOUD", Keys: "C0ALERTS"})
}

func TestParseTakesKeysAtTheirLimits(t *testing.T) {
	const longest = "0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789_+=,.@"
	for _, keys := range []string{
		"max_age: 1d, warn: [23h59m]",
		"max_age: 3650d, warn: [90d, 1h], unused: 3649d",
		"max_age: 14d1s",
		"grace: 365d",
		"mode: enforce, grace: 0s, first_run: at_once, warn: []",
		"warn: [], unused: 1d, first_run: at_once",
		"warn: [1h, 2h, 3h, 4h, 5h, 6h, 7h, 8h, 9h, 10h]",
		"unused: 14d1s",
		"unused: 89d23h",
		"cap: {keys: 1, share: 1%}",
		"exempt: []",
		"exempt: [{user: '" + longest + "'}, {user: '?'}]",
		"exempt: [{path: '/" + strings.Repeat("~", 510) + "/'}]",
		"exempt: [{tag: '" + strings.Repeat("関", 128) + "=" + strings.Repeat("所", 256) + "'}, {tag: k=}, {tag: 'k a:/.-@_+=='}]",
		"exempt: [{user: '*', tag: k=*}, {path: /, tag: l=*}]", // narrow for all that they cover
		"owner_tag: '" + strings.Repeat("関", 128) + "'",
	} {
		if _, err := policyfile.Parse("sekisho.yml", []byte(withKeys(keys))); err != nil {
			t.Error(err)
		}
	}
}

func TestParseRefusesKeysWithoutAnything(t *testing.T) {
	wrong(t, minimal+"keys:\n", `sekisho.yml:8:1: keys has no value
    keys:
    ^
    write its fields below it, indented, or as {name: value}`)
}

// The first = parts a tag's key from the pattern of its value.
func TestExemptionByTag(t *testing.T) {
	got := parse(t, withKeys("exempt: [{tag: a=b=c*}, {tag: k=}]")).Keys.Exempt
	same(t, got, []auth.KeyExemption{{TagKey: "a", TagValue: "b=c*"}, {TagKey: "k"}})
}

// Whatever exemption is called superfluous, each user for whom it is, is exempt
// by the other.
func TestShadowOfExemptions(t *testing.T) {
	all := manyExemptions()
	known := 0
	for _, first := range all {
		for _, second := range all {
			if !refusedExemptions(t, "keys.exempt[1] exempts nobody more: keys.exempt[0] on line 8 covers all that it does", first, second) {
				continue
			}
			known++
			for _, u := range manyUsers() {
				if u.in(second) && !u.in(first) {
					t.Errorf("{%s} is said to cover {%s}, but not for %+v", first, second, u)
				}
			}
		}
	}
	if known < 500 {
		t.Errorf("only %d of %d pairs are known", known, len(all)*len(all))
	}
}

// Whatever is said to exempt every user, does.
func TestExemptionOfEverybody(t *testing.T) {
	known := 0
	for _, e := range manyExemptions() {
		if !refusedExemptions(t, "keys.exempt[0]: this exempts every user", e) {
			continue
		}
		known++
		for _, u := range manyUsers() {
			if !u.in(e) {
				t.Errorf("{%s} is said to exempt every user, but not %+v", e, u)
			}
		}
	}
	if known != 3 { // by name, by path and by both
		t.Errorf("%d are known", known)
	}
}

// refusedExemptions says whether Parse refuses the exemptions with these words.
// That one exempts every user is no news where other words are looked for.
func refusedExemptions(t *testing.T, with string, all ...auth.KeyExemption) bool {
	t.Helper()
	var list []string
	for _, e := range all {
		list = append(list, written(e))
	}
	_, err := policyfile.Parse("sekisho.yml", []byte(withKeys("exempt: ["+strings.Join(list, ", ")+"]")))
	if err != nil && !strings.Contains(err.Error(), with) && !strings.Contains(err.Error(), "exempts every user") {
		t.Fatal(err)
	}
	return err != nil && strings.Contains(err.Error(), with)
}

// written is the exemption in YAML.
func written(e auth.KeyExemption) string {
	var parts []string
	if e.User != "" {
		parts = append(parts, fmt.Sprintf("user: '%s'", e.User))
	}
	if e.Path != "" {
		parts = append(parts, fmt.Sprintf("path: '%s'", e.Path))
	}
	if e.TagKey != "" {
		parts = append(parts, fmt.Sprintf("tag: '%s=%s'", e.TagKey, e.TagValue))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func manyExemptions() (all []auth.KeyExemption) {
	for _, user := range []string{"", "*", "a*", "?a", "A"} {
		for _, path := range []string{"", "/", "/x/"} {
			for _, tag := range []string{"", "k=", "k=*", "l=*"} {
				key, value, _ := strings.Cut(tag, "=")
				if e := (auth.KeyExemption{User: user, Path: path, TagKey: key, TagValue: value}); e != (auth.KeyExemption{}) {
					all = append(all, e)
				}
			}
		}
	}
	return all
}

// user is what an exemption knows of an IAM user.
type user struct {
	name, path string
	tags       map[string]string
}

func (u user) in(e auth.KeyExemption) bool { return e.Covers(u.name, u.path, u.tags) }

func manyUsers() (all []user) {
	for _, name := range []string{"a", "A", "Ba", "ab", "b"} {
		for _, path := range []string{"/", "/x/", "/x/y/", "/xx/"} {
			for _, tags := range []map[string]string{nil, {"k": ""}, {"k": "v1"}, {"k": "x", "l": ""}} {
				all = append(all, user{name, path, tags})
			}
		}
	}
	return all
}
