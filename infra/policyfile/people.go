package policyfile

import (
	"strings"

	"sekisho/auth"
)

const whoIsWho = "write the principals of each user, such as U0123ABCD: [user/hana, session/hana@example.com], or take it out"

func people(p *auth.PeoplePolicy) read {
	return mapping(
		may("match_email", truth(&p.MatchEmail)),
		may("on_mismatch", choice(&p.OnMismatch, auth.AlertMismatch, auth.StopMismatch)),
		may("principals", principals(&p.Principals)),
	)
}

// principals reads who is who in AWS, where everybody is one person at most.
func principals(to *map[string][]auth.Principal) read {
	return func(v value) bool {
		entries, ok := v.entries()
		if ok && len(entries) == 0 {
			return v.wrong(whoIsWho, "%s has nobody in it", v)
		}
		*to = make(map[string][]auth.Principal, len(entries))
		first := make(map[string]value) // by principal, without its case, in which no two differ
		for _, e := range entries {
			if !slackID(e.name, "UW") {
				ok = v.f.add(e.key, "write the member id from the person's profile, such as U0123ABCD",
					"%s: %s is not a Slack user id", v, quote(e.name))
				continue
			}
			var theirs []auth.Principal
			if !then(list(&theirs, principal), some("it says nothing of the user", whoIsWho))(e.value) {
				ok = false
				continue
			}
			items, _ := e.items()
			for i, one := range theirs {
				folded := strings.ToLower(string(one))
				if before, taken := first[folded]; taken {
					ok = items[i].wrong("let each principal stand for one person",
						"%s: %s is %s already", items[i], quote(string(one)), before)
					continue
				}
				first[folded] = items[i]
			}
			(*to)[e.name] = theirs
		}
		return ok
	}
}

func principal(to *auth.Principal) read {
	return shaped(to, "a principal",
		"write user/NAME for an IAM user, or session/NAME for the session of a role, such as session/hana@example.com",
		auth.IsPrincipal)
}
