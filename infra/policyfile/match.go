package policyfile

import (
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a container from scratch has no time zones, and hours must mean the same there

	"sekisho/auth"
)

func match(m *auth.Match) read {
	return mapping(
		may("tags", tags(&m.Tags)),
		may("types", filled(&m.Types, typePattern)),
		may("accounts", filled(&m.Accounts, account)),
		may("regions", filled(&m.Regions, region)),
		may("names", filled(&m.Names, namePattern)),
		may("hours", part(&m.Hours, auth.Hours{}, hours)),
	)
}

// typePattern reads a pattern of instance types, none of which has capitals:
// https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html
func typePattern(to *string) read {
	return shaped(to, "a pattern of instance types", "write 1 to 128 characters in small letters, such as p5.* or g6.xlarge",
		func(text string) bool { return tagKey(text) && text == strings.ToLower(text) })
}

func namePattern(to *string) read {
	return shaped(to, "a pattern of names", "write 1 to 256 characters, such as prod-*",
		func(text string) bool { return text != "" && tagValue(text) })
}

func account(to *string) read {
	return shaped(to, "an AWS account id",
		`write all 12 digits in quotes, such as "012345678901": YAML takes zeros from the front of a number`,
		func(text string) bool { return len(text) == 12 && only(digits, text) })
}

// region reads the name of a region. The list of those that there are grows.
func region(to *string) read {
	return shaped(to, "an AWS region", "write its code, such as eu-central-1, without the letter of an availability zone",
		func(text string) bool {
			words := strings.Split(text, "-")
			last := len(words) - 1
			return last >= 2 && only(digits, words[last]) &&
				!slices.ContainsFunc(words[:last], func(word string) bool { return !only(smallLetters, word) })
		})
}

const (
	digits       = "0123456789"
	smallLetters = "abcdefghijklmnopqrstuvwxyz"
	wordLetters  = smallLetters + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + digits + "-_"
)

// only says whether the text has something in it, and nothing but these characters.
func only(these, text string) bool { return text != "" && strings.Trim(text, these) == "" }

func hours(h *auth.Hours) read {
	return then(
		mapping(
			must("from", `write from: and a time of the day, such as "08:00"`, clock(&h.From, "23:59")),
			must("to", `write to: and a time of the day, such as "18:00"`, clock(&h.To, "24:00")),
			may("days", then(filled(&h.Days, day), distinct(&h.Days))),
			must("zone", "write zone: and the name of a time zone, such as Europe/Berlin", zone(&h.Zone)),
		),
		hoursPass(h),
	)
}

// clock reads a time of the day as minutes after midnight.
func clock(to *int, latest string) read {
	instead := "write hours and minutes with two digits each, from 00:00 to " + latest
	return func(v value) bool {
		text, ok := v.text("a time of the day", instead)
		if !ok {
			return false
		}
		h, m, _ := strings.Cut(text, ":")
		if len(h) != 2 || len(m) != 2 || !only(digits, h+m) || m > "59" || text > latest {
			return v.wrong(instead, "%s: %s is not a time of the day", v, quote(text))
		}
		hour, _ := strconv.Atoi(h)
		minute, _ := strconv.Atoi(m)
		*to = hour*60 + minute
		return true
	}
}

func day(to *time.Weekday) read {
	week := []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	return func(v value) bool {
		var word string
		ok := choice(&word, week...)(v)
		*to = time.Weekday((slices.Index(week, word) + 1) % 7)
		return ok
	}
}

// zone reads the name of a time zone. Local, which Go knows too, would mean
// something else on each machine.
func zone(to **time.Location) read {
	const instead = "write a name of the IANA database, such as Europe/Berlin or UTC"
	return func(v value) bool {
		text, ok := v.text("a time zone", instead)
		if !ok {
			return false
		}
		at, err := time.LoadLocation(text)
		if err != nil || text == "" || text == "Local" {
			return v.wrong(instead, "%s: %s is not a time zone", v, quote(text))
		}
		*to = at
		return true
	}
}

// hoursPass refuses hours that end as they begin: none, or a whole day?
func hoursPass(h *auth.Hours) read {
	return func(v value) bool {
		if h.From != h.To {
			return true
		}
		to, _ := v.get("to")
		return to.wrong(`write from: "00:00", to: "24:00" for the whole day`, "%s is the same time as from", to)
	}
}
