package policyfile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/auth"
)

// mostWarnings is more than anybody reads.
const mostWarnings = 10

func keys(k *auth.KeyPolicy) read {
	return then(
		mapping(
			may("mode", choice(&k.Mode, auth.Observe, auth.Enforce)),
			may("max_age", duration(&k.MaxAge, "1d", "3650d")),
			may("grace", duration(&k.Grace, "0s", "365d")),
			may("first_run", choice(&k.FirstRun, auth.Gentle, auth.AtOnce)),
			may("warn", warnings(&k.Warn)),
			may("unused", duration(&k.Unused, "1d", "3650d")),
			may("cap", mapping(
				may("keys", count(&k.Cap.Keys, often)),
				may("share", percent(&k.Cap.Share)),
			)),
			may("exempt", then(list(&k.Exempt, exemption), exemptionsAddUp(&k.Exempt))),
			may("decide", then(
				list(&k.Decide, decider),
				some("nobody could press the buttons",
					"write the ids of users and user groups, such as [U0123ABCD, S0123ABCD], or take it out for no buttons"),
				distinct(&k.Decide))),
			may("owner_tag", ownerTag(&k.OwnerTag)),
		),
		warningsFit(k),
		unusedFits(k),
	)
}

// warnings reads how long before its end a key is warned of, in the file's order.
func warnings(to *[]time.Duration) read {
	return func(v value) bool {
		*to = nil // what is written takes the default's place
		return then(list(to, func(one *time.Duration) read { return duration(one, "1h", "90d") }), distinct(to))(v)
	}
}

// warningsFit refuses warnings for which a key's life has no room, and puts the
// longest first.
func warningsFit(k *auth.KeyPolicy) read {
	return func(v value) bool {
		at, written := v.get("warn")
		if !written {
			return usualWarningsFit(k, v)
		}
		if len(k.Warn) == 0 && k.FirstRun == auth.Gentle {
			return at.wrong("write at least one, or first_run: at_once as well: then keys end unannounced",
				"%s is an empty list, but first_run: gentle is to warn of every key", at)
		}
		if !few(mostWarnings)(at) {
			return false
		}
		items, ok := at.items()
		for i, warn := range k.Warn {
			if warn >= k.MaxAge {
				ok = items[i].wrong("write less than "+short(k.MaxAge)+", or a longer max_age",
					"%s is not shorter than max_age, which is %s", items[i], short(k.MaxAge))
			}
		}
		slices.SortFunc(k.Warn, func(a, b time.Duration) int { return cmp.Compare(b, a) })
		return ok
	}
}

// usualWarningsFit refuses a max_age that leaves no room for the warnings that
// there are when none are written.
func usualWarningsFit(k *auth.KeyPolicy, v value) bool {
	if k.Lead() < k.MaxAge {
		return true
	}
	at, _ := v.get("max_age")
	return at.wrong("write warn: with warnings shorter than "+short(k.MaxAge)+", or a longer max_age",
		"%s is %s, but where warn is not written, the first warning comes %s before the end",
		at, short(k.MaxAge), short(k.Lead()))
}

// unusedFits refuses a rule that no key would meet, or that could end one
// before its warning is through.
func unusedFits(k *auth.KeyPolicy) read {
	return func(v value) bool {
		at, written := v.get("unused")
		switch {
		case written && k.Unused >= k.MaxAge:
			return at.wrong("write less than "+short(k.MaxAge)+", or take it out",
				"%s is %s, but every key is at its max_age of %s before", at, short(k.Unused), short(k.MaxAge))
		case written && k.Unused <= k.Lead():
			return at.wrong("write more than "+short(k.Lead())+", or shorter warnings",
				"%s is %s, but the first warning comes %s before the end", at, short(k.Unused), short(k.Lead()))
		}
		return true
	}
}

// percent reads a share from 1% to 100%. Without the sign, 1 could be all or
// next to nothing.
func percent(to *int) read {
	const instead = "write 1% to 100%, whole and with the percent sign: 20%, not 20 or 0.2"
	return func(v value) bool {
		text, ok := v.text("a percentage", instead)
		if !ok {
			return false
		}
		number, signed := strings.CutSuffix(text, "%")
		n, err := strconv.Atoi(number)
		if !signed || !only(digits, number) || err != nil || n < 1 || n > 100 {
			return v.wrong(instead, "%s cannot be %s", v, quote(text))
		}
		*to = n
		return true
	}
}

func ownerTag(to *string) read {
	return shaped(to, "a key of a tag that can be set in IAM",
		"write 1 to 128 letters, digits, spaces and _ . : / = + - @ that do not begin with aws:",
		func(text string) bool { return userTagKey(text) && settable(text) })
}
