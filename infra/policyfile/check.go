package policyfile

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"sekisho/auth"
)

const (
	whatToGuard = "write tags: {KEY: VALUE}, instances: [i-…] or all: true"
	whoMayAsk   = "write ask: with the ids of users, user groups or channels, such as [U0123ABCD, S0123ABCD], or [everyone]"
)

// version reads the number of the schema. New keys do not change it; a file
// with another number was written for another Sekisho.
func version(v value) bool {
	const instead = "write version: 1; a file with another version is for another release of Sekisho"
	n, ok := v.number("a whole number", instead)
	if ok && n != 1 {
		return v.wrong(instead, "version %d is not known here", n)
	}
	return ok
}

// shaped reads text of which fits says whether it has the right shape.
func shaped[T ~string](to *T, wanted, instead string, fits func(string) bool) read {
	return func(v value) bool {
		text, ok := v.text(wanted, instead)
		if ok && !fits(text) {
			return v.wrong(instead, "%s: %s is not %s", v, quote(text), wanted)
		}
		*to = T(text)
		return ok
	}
}

func channel(to *string) read {
	return shaped(to, "a channel id",
		"write the id that Slack shows at the end of the channel's details, such as C0123ABCD (#name would be a comment)",
		func(text string) bool { return slackID(text, "CG") })
}

func asker(to *string) read {
	return shaped(to, "a Slack id",
		"write the id of a user (U…, in their profile), a user group (S…) or a channel (C…: its members), or everyone",
		func(text string) bool { return text == auth.Everyone || slackID(text, "UWSCG") })
}

func decider(to *string) read {
	return shaped(to, "a user or a user group",
		"write the ids of users (U…) and user groups (S…); everyone, and whoever joins a channel, is too open for this",
		func(text string) bool { return slackID(text, "UWS") })
}

func instance(to *string) read {
	return shaped(to, "an instance id", "write i- and 17 hexadecimal digits (8 on instances from before 2018)", auth.IsInstanceID)
}

func ruleName(to *string) read {
	return shaped(to, "a name", "write a word or a few, at most 80 characters on one line", func(text string) bool {
		return strings.TrimSpace(text) != "" && utf8.RuneCountInString(text) <= 80 && !strings.ContainsFunc(text, unicode.IsControl)
	})
}

// passTag reads the key of a tag that people set, so not one of AWS's own.
func passTag(to *string) read {
	return shaped(to, "a tag key that can be set", "write 1 to 128 characters that do not begin with aws:", func(text string) bool {
		return tagKey(text) && settable(text)
	})
}

// settable says whether people can set a tag with this key: AWS keeps some for itself.
func settable(key string) bool { return len(key) < 4 || !strings.EqualFold(key[:4], "aws:") }

// tagKey and tagValue keep EC2's limits:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
func tagKey(text string) bool   { return text != "" && tagText(text, 128) }
func tagValue(text string) bool { return tagText(text, 256) }

func tagText(text string, longest int) bool {
	return utf8.RuneCountInString(text) <= longest && !strings.ContainsFunc(text, unicode.IsControl)
}

// slackID says whether the text has the shape of an id of the kinds that begin
// with these letters. Slack promises no length.
func slackID(text, kinds string) bool {
	if len(text) < 2 || len(text) > 24 || !strings.Contains(kinds, text[:1]) {
		return false
	}
	return !strings.ContainsFunc(text, func(r rune) bool { return (r < '0' || r > '9') && (r < 'A' || r > 'Z') })
}

// tags reads tag keys and the values that they must have.
func tags(to *map[string]string) read {
	return func(v value) bool {
		entries, ok := v.entries()
		*to = make(map[string]string, len(entries))
		for _, e := range entries {
			if !tagKey(e.name) {
				ok = v.f.add(e.key, "write 1 to 128 characters", "%s: %s is not a tag key", v, quote(e.name))
				continue
			}
			var tag string
			ok = shaped(&tag, "a tag value", `write at most 256 characters, in quotes where YAML would not take them for text: "", "true", "5"`, tagValue)(e.value) && ok
			(*to)[e.name] = tag
		}
		return ok
	}
}

func truth(to *bool) read {
	return func(v value) bool {
		b, ok := v.truth()
		*to = b
		return ok
	}
}

// often is the most that a count of events may be. Where more seems right, a
// limit is not what is wanted.
const often = 10000

// count reads a whole number from 1 to most.
func count(to *int, most int) read {
	instead := fmt.Sprintf("write a whole number from 1 to %d", most)
	return func(v value) bool {
		n, ok := v.number("a whole number", instead)
		if ok && (n < 1 || n > most) {
			return v.wrong(instead, "%s is out of range", v)
		}
		*to = n
		return ok
	}
}

// duration reads a duration between two others, which are in it.
func duration(to *time.Duration, least, most string) read {
	const instead = "write a number and a unit, such as 30s, 10m, 4h or 90d"
	low, _ := parseDuration(least)
	high, _ := parseDuration(most)
	return func(v value) bool {
		text, ok := v.text("a duration", instead)
		if !ok {
			return false
		}
		d, ok := parseDuration(text)
		if !ok {
			return v.wrong(instead, "%s: %s is not a duration", v, quote(text))
		}
		if d < low || d > high {
			return v.wrong("write a duration from "+least+" to "+most, "%s cannot be %s", v, quote(text))
		}
		*to = d
		return true
	}
}

// parseDuration reads Go's durations, with days in front: 90d, 1d12h. A sum too
// large for a time.Duration comes out negative, and so below any minimum.
func parseDuration(text string) (time.Duration, bool) {
	days, rest, ok := strings.Cut(text, "d")
	if !ok {
		d, err := time.ParseDuration(text)
		return d, err == nil
	}
	n, err := strconv.ParseUint(days, 10, 16) // 65535 days are 2⁶² ns, and some
	if err != nil {
		return 0, false
	}
	var more time.Duration
	if rest != "" {
		more, err = time.ParseDuration(rest)
	}
	return time.Duration(n)*24*time.Hour + more, err == nil && more >= 0
}

// guardMakesSense refuses a guard that does nothing, or less than it seems to.
func guardMakesSense(g *auth.Guard) read {
	return func(v value) bool {
		except, hasExcept := v.get("except")
		switch {
		case g.All && (len(g.Tags) > 0 || len(g.Instances) > 0):
			return v.f.add(v.key, "keep all: true, or take it out", "%s has all, which leaves nothing for tags and instances to add", v)
		case !g.All && len(g.Tags) == 0 && len(g.Instances) == 0:
			return v.f.add(v.key, whatToGuard, "%s guards nothing", v)
		case !g.All && hasExcept:
			return v.f.add(except.key, "write all: true, or take except out", "%s needs all: true", except)
		}
		return true
	}
}

// passTagIsApart refuses a tag that is both the guard's and the pass's: to set
// the code would be to take the instance out of the guard.
func passTagIsApart(g *auth.GatePolicy) read {
	return func(v value) bool {
		if _, both := g.Guard.Tags[g.PassTag]; !both {
			return true
		}
		at, written := v.get("pass_tag")
		if !written {
			at, _ = v.get("guard")
		}
		return v.f.add(at.key, "guard by another tag, or name another pass_tag",
			"tag %s says both what is guarded and what the pass is", quote(g.PassTag))
	}
}
