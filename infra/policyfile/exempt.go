package policyfile

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"sekisho/auth"
)

func exemption(e *auth.KeyExemption) read {
	return then(
		mapping(
			may("user", userPattern(&e.User)),
			may("path", pathPrefix(&e.Path)),
			may("tag", tagPattern(e)),
		),
		func(v value) bool {
			if *e != (auth.KeyExemption{}) {
				return true
			}
			return v.wrong("write one or more of user: NAME, path: /PATH/ and tag: KEY=VALUE", "%s does not say who is exempt", v)
		},
	)
}

// userLetters are those of IAM user names, of which there are at most 64:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const userLetters = wordLetters + "+=,.@"

func userPattern(to *string) read {
	return shaped(to, "a pattern of IAM user names",
		"write 1 to 64 letters, digits and _ + = , . @ -, with * for any of them, such as break-glass*",
		func(text string) bool { return only(userLetters+"*?", text) && len(text) <= 64 })
}

// pathPrefix reads what users' paths begin with:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
// A * could be in a path, but whoever writes one means a pattern.
func pathPrefix(to *string) read {
	return shaped(to, "the beginning of IAM paths",
		"write it from slash to slash, such as /service/, and without *: it stands for all paths that begin with it",
		func(text string) bool {
			return strings.HasPrefix(text, "/") && strings.HasSuffix(text, "/") && len(text) <= 512 &&
				!strings.ContainsFunc(text, func(r rune) bool { return r < '!' || r > '~' || r == '*' })
		})
}

// tagPattern reads a tag's key and a pattern of its value, parted by the first =.
func tagPattern(e *auth.KeyExemption) read {
	const (
		wanted  = "a tag key and a pattern of its value"
		instead = "write KEY=VALUE, such as sekisho-exempt=*; * is for any characters of the value, not of the key"
	)
	return func(v value) bool {
		text, ok := v.text(wanted, instead)
		if !ok {
			return false
		}
		key, val, both := strings.Cut(text, "=")
		switch {
		case !userTagKey(key) || !tagValue(val) || !userTagText(val, "*?"):
			return v.wrong(instead, "%s: %s is not %s", v, quote(text), wanted)
		case !both:
			return v.wrong("write "+quote(key+"=*")+" for the tag with whatever value", "%s: %s is a tag key alone", v, quote(text))
		}
		e.TagKey, e.TagValue = key, val
		return true
	}
}

// userTagKey says whether a tag of an IAM user can have this key.
func userTagKey(text string) bool { return tagKey(text) && userTagText(text, "") }

// userTagText keeps to the characters of IAM's tags, and some more:
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html
func userTagText(text, more string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool {
		return !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@"+more, r)
	})
}

// exemptionsAddUp refuses exemptions that leave nothing to do, and those that
// add nothing to an earlier one.
func exemptionsAddUp(list *[]auth.KeyExemption) read {
	return func(v value) bool {
		items, ok := v.items()
		for i, e := range *list {
			if exempts(e, auth.KeyExemption{}) {
				return items[i].wrong("leave keys: out, or narrow it", "%s: this exempts every user", items[i])
			}
			over := slices.IndexFunc((*list)[:i], func(b auth.KeyExemption) bool { return exempts(b, e) })
			if over >= 0 {
				ok = items[i].wrong("take it out, or write what was meant",
					"%s exempts nobody more: %s on line %d covers all that it does", items[i], items[over], items[over].at.line)
			}
		}
		return ok
	}
}

// exempts says whether a is for every user that b is for. True is certain and
// false is not, as with covers.
func exempts(a, b auth.KeyExemption) bool {
	byUser := a.User == "" || coversPattern(strings.ToLower(a.User), strings.ToLower(cmp.Or(b.User, "*")))
	byPath := strings.HasPrefix(cmp.Or(b.Path, "/"), a.Path)
	byTag := a.TagKey == "" || a.TagKey == b.TagKey && coversPattern(a.TagValue, b.TagValue)
	return byUser && byPath && byTag
}
