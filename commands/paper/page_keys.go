package paper

import (
	"fmt"

	"sekisho/auth"
	"sekisho/auth/report"
)

func (c composer) keys() []block {
	k := c.Keys
	words := func(w report.KeyWord) []phrase {
		return []phrase{when(w.At), plain(user(w.User)), id(w.ID), plain(person(w.By, w.Name)), note(w.Note)}
	}
	due := "Ending within 14 days"
	if k.Mode == string(auth.Observe) {
		due = "Would end within 14 days, but for observe mode"
	}
	spoken := []string{"When", "User", "Key", "Who", "Until when, and why"}
	return []block{
		c.tooOld(),
		c.bands(),
		table(c, due, k.Due, []string{"When", "What", "User", "Key", "Age"}, func(d report.DueKey) []phrase {
			return []phrase{when(d.At), plain(ending(k, d.Do)), plain(user(d.User)), id(d.ID), ageOf(d.Age)}
		}),
		c.exempt("Exempt: the bot does not end them", k.Exempt),
		table(c, "Kept: somebody gave them some days more", k.Kept, spoken, words),
		table(c, "Exempted in this period", k.Exempted, spoken, words),
		table(c, "All keys, the oldest first", k.List, []string{"User", "Key", "State", "Last used", "Age"}, func(k report.Key) []phrase {
			state := phrase{"active", short}
			if !k.Active {
				state = phrase{"inactive", faint}
			}
			which := id(k.ID)
			if k.ID == "" { // the credential report has none
				which = phrase{"made " + date(k.Created), short}
			}
			return []phrase{plain(user(k.User)), which, state, c.ago(k.LastUsed), ageOf(k.Age)}
		}),
	}
}

func (c composer) tooOld() block {
	k := c.Keys
	if k.Total == 0 {
		return lines(finef("✓ There is no access key. That is as good as it gets.")).drawnIn("keys.png")
	}
	b := lines(plainf("%s, %d of them active.", plural(k.Total, "access key", "access keys"), k.Active))
	old := finef("✓ No active one is %d days old or older.", k.MaxAge)
	if k.Old > 0 {
		old = badf("✗ %s %d days old or older.", plural(k.Old, "active one is", "active ones are"), k.MaxAge)
	}
	b.Lines = append(b.Lines, old)
	if k.From == "credential_report" {
		b.Lines = append(b.Lines, plain("Read from IAM's credential report, which knows no key's id."))
	}
	return b.with(plainf("In this period: %d warned about, %d deactivated, %d reactivated, %d deleted.",
		k.Warned, k.Deactivated, k.Reactivated, k.Deleted))
}

func (c composer) bands() block {
	tallest := 0
	for _, b := range c.Keys.Bands {
		tallest = max(tallest, b.Active+b.Inactive)
	}
	if tallest == 0 {
		return block{}
	}
	return table(c, "Access keys by age", c.Keys.Bands, []string{"Age", "Active", "Inactive", "█ active ▒ inactive"}, func(b report.Band) []phrase {
		return []phrase{plain(band(b)), number(b.Active), number(b.Inactive), bar(b.Active, b.Inactive, tallest)}
	}).drawnIn("keys.png")
}

// exempt lists keys that the bot leaves alone.
func (c composer) exempt(title string, list []report.ExemptKey) block {
	return table(c, title, list, []string{"User", "Key", "Until", "By", "Age"}, func(k report.ExemptKey) []phrase {
		until := phrase{"for good", short}
		if k.Until != nil {
			until.Text = date(*k.Until)
		}
		return []phrase{plain(user(k.User)), id(k.ID), until, note(exemptBy(k)), ageOf(k.Age)}
	})
}

// crossed lists keys that have passed an age since the report before.
func (c composer) crossed() block {
	return table(c, "Access keys that have passed an age", c.Changes.Crossed, []string{"User", "Key", "Passed", "Age"}, func(k report.Crossed) []phrase {
		return []phrase{plain(user(k.User)), id(k.ID), plain(fmt.Sprintf("%d days", k.Line)), ageOf(k.Age)}
	})
}
