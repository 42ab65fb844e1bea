package commands

import (
	"fmt"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// ownerMessage is what a key's owner is told by direct message, where the change
// concerns them.
func ownerMessage(p *auth.KeyPolicy, r purge.Record, c purge.Change) (m Message, concerns bool) {
	n := fmt.Sprintf("The access key %s of your IAM user *%s*", keyName(r.ID), name(r.User))
	switch c.Verb {
	case purge.Warned:
		m = say(fmt.Sprintf(":hourglass_flowing_sand: %s will be deactivated in %s, %s (`%s` in Sekisho's policy).",
			n, daysLeft(c.Until.Sub(c.At)), moment(c.Until), c.Rule))
		m.Blocks = append(m.Blocks, section(howToRotate(r)))
		if len(p.Decide) > 0 {
			m.Blocks = append(m.Blocks, section("If you need more time, ask "+mentions(p.Decide)+"."))
		}
	case purge.Deactivated:
		m = say(fmt.Sprintf(":lock: %s is deactivated%s. It is deleted %s; until then %s.", n, byWhom(c), moment(c.Until), bringsBack(p)))
	case purge.FoundOff:
		m = say(fmt.Sprintf(":lock: %s is inactive. It is deleted %s, unless somebody reactivates it before.", n, moment(c.Until)))
	case purge.Reactivated, purge.FoundOn:
		how := byWhom(c)
		if c.Verb == purge.FoundOn {
			how = ": somebody reactivated it in AWS"
		}
		m = say(fmt.Sprintf(":unlock: %s is active again%s. It is kept until %s; move away from it by then.", n, how, moment(c.Until)))
	case purge.Deleted:
		m = say(fmt.Sprintf(":wastebasket: %s is deleted. If you still need one, make a new one.", n))
	default:
		return m, false
	}
	return m, true
}

// bringsBack says who can reactivate a key.
func bringsBack(p *auth.KeyPolicy) string {
	if len(p.Decide) == 0 {
		return "those who administer IAM can reactivate it in AWS"
	}
	return mentions(p.Decide) + " can bring it back, with Undo on its card"
}

// howToRotate is AWS's procedure:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id-credentials-access-keys-update.html
func howToRotate(r purge.Record) string {
	first := "Make a second one: " + quoted("aws iam create-access-key --user-name "+r.User, 2*nameMost)
	if len(r.Sight().Others) > 0 {
		first = "You have another key already: use that one, or delete it first (a user has two at most)"
	}
	return "*How to rotate it*\n1. " + first + ".\n2. Put it wherever the old one is used.\n3. See that the old one is not used any more: " +
		fmt.Sprintf("<%s|IAM console>.\n4. Deactivate the old one, wait a day, and delete it.", userURL(r.User)) +
		"\nBetter still: a role, or `aws sso login`, which need no key at all."
}
