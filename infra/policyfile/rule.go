package policyfile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"sekisho/auth"
)

const whoMayDecide = "write by: with the ids of users and user groups, such as [U0123ABCD, S0123ABCD]"

func rule(r *auth.Rule) read {
	return then(
		mapping(
			must("name", "write name: and a word for the rule, which people are shown", ruleName(&r.Name)),
			may("match", match(&r.Match)),
			must("ask", whoMayAsk, then(
				list(&r.Ask, asker),
				some("nobody may ask for a pass", whoMayAsk))),
			may("approve", part(&r.Approve, auth.Approve{Count: 1, Within: time.Hour}, approve)),
			may("ttl", passLife(&r.TTL)),
			may("break_glass", part(&r.BreakGlass, auth.BreakGlass{TTL: 5 * time.Minute}, breakGlass)),
		),
		canBeApproved(r),
		glassIsThere(r),
	)
}

// passLife reads how long a pass lives.
func passLife(to *time.Duration) read { return duration(to, "1m", "24h") }

func approve(a *auth.Approve) read {
	return mapping(
		must("by", whoMayDecide, deciders(&a.By, "nobody could approve")),
		may("count", count(&a.Count, 20)),
		may("within", duration(&a.Within, "5s", "24h")), // more would outlive what the store knows of a pass
		may("reason", func(v value) bool {
			var word string
			ok := choice(&word, "optional", "required")(v)
			a.Reason = word == "required"
			return ok
		}),
		may("confirm", truth(&a.Confirm)),
	)
}

func breakGlass(b *auth.BreakGlass) read {
	return mapping(
		must("by", whoMayDecide, deciders(&b.By, "nobody could break the glass")),
		may("ttl", passLife(&b.TTL)),
	)
}

func deciders(to *[]string, nobody string) read {
	return then(list(to, decider), some(nobody, whoMayDecide), distinct(to))
}

// canBeApproved refuses an approval that nobody could ever get. A user group
// may have any number of members, so it speaks only where there is none.
func canBeApproved(r *auth.Rule) read {
	return func(v value) bool {
		a := r.Approve
		if a == nil || slices.ContainsFunc(a.By, auth.IsGroup) {
			return true
		}
		at, _ := v.get("approve")
		if n := len(a.By); n < a.Count {
			number, _ := at.get("count")
			return number.wrong("name more users, or a user group, in by, or write a smaller count",
				"%s is %d, but by names only %d", number, a.Count, n)
		}
		for _, asker := range r.Ask {
			others := len(a.By)
			if slices.Contains(a.By, asker) {
				others--
			}
			if others >= a.Count {
				return true
			}
		}
		by, _ := at.get("by")
		return v.f.add(by.key, "name more users, or a user group, in by",
			"%s: nobody could approve: nobody decides their own request", by)
	}
}

// glassIsThere refuses a way around nothing.
func glassIsThere(r *auth.Rule) read {
	return func(v value) bool {
		if r.BreakGlass == nil || r.Approve != nil {
			return true
		}
		at, _ := v.get("break_glass")
		return v.f.add(at.key, "take it out, or write approve: in this rule",
			"%s: nobody needs to approve here, so there is nothing to go around", at)
	}
}

// requestsHaveAChannel refuses rules whose approvers nobody could ask.
func requestsHaveAChannel(p *auth.Policy) read {
	return func(v value) bool {
		if p.Channels.Approvals != "" {
			return true
		}
		ok := true
		for _, rule := range rulesOf(v) {
			if at, written := rule.get("approve"); written {
				ok = v.f.add(at.key, "write slack.channels.approvals: and the id of the channel where approvers are asked",
					"%s has no channel to ask in", at)
			}
		}
		return ok
	}
}

// brokenGlassIsShort refuses passes that live longer for want of approval. A
// lifetime that nobody wrote gives way.
func brokenGlassIsShort(p *auth.Policy) read {
	return func(v value) bool {
		ok := true
		for i, rule := range rulesOf(v) {
			r := p.Rules[i]
			longest := cmp.Or(r.TTL, p.Passes.TTL)
			if r.BreakGlass == nil || r.BreakGlass.TTL <= longest {
				continue
			}
			glass, _ := rule.get("break_glass")
			if at, written := glass.get("ttl"); written {
				ok = at.wrong("write "+short(longest)+" or less: what nobody approved should end sooner",
					"%s is longer than the %s that the rule's other passes live", at, short(longest))
			}
			r.BreakGlass.TTL = longest
		}
		return ok
	}
}

func rulesOf(file value) []value {
	rules, _ := file.get("rules")
	items, _ := rules.items()
	return items
}

// short writes a duration without the units of which there are none: 10m, 1h30m, 90d.
func short(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	text := d.String()
	for _, none := range []string{"0s", "0m"} {
		if rest := strings.TrimSuffix(text, none); strings.HasSuffix(rest, "m") || strings.HasSuffix(rest, "h") {
			text = rest
		}
	}
	return text
}
