package paper

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"sekisho/auth/report"
)

func (c composer) users() []block {
	u := c.Users
	all := lines(plainf("%s besides root.", plural(u.Total, "IAM user", "IAM users")))
	all.Title = "Users"
	if len(u.Added) > 0 {
		all = all.with(plainf("New in this period: %s.", c.names(u.Added)))
	}
	return []block{
		c.root(),
		all,
		table(c, "Findings", u.Findings, []string{"Finding", "CIS", "Users", "Points"}, func(f report.FindingCount) []phrase {
			return []phrase{plain(c.findings.title(f.Finding)), cisNumber(f), counted(f), number(f.Points)}
		}),
		c.atRisk(),
	}
}

func cisNumber(f report.FindingCount) phrase {
	if f.CIS == "" {
		return phrase{"–", faint}
	}
	return phrase{clean(f.CIS, nameMost), short}
}

// counted is how many users have a finding.
func counted(f report.FindingCount) phrase {
	switch {
	case f.Unknown:
		return phrase{"? not known", short}
	case f.Users == 0:
		return finef("✓ none")
	}
	return badf("✗ %d", f.Users)
}

// root is the root user, who can do everything.
func (c composer) root() block {
	r := c.Users.Root
	if r == nil {
		return block{Title: "Root", Lines: []phrase{badf("? IAM's credential report shows no root user: nothing is known of it.")}}
	}
	b := block{Title: fmt.Sprintf("Root: score %d of 100", r.Score)}
	mfa, keys, used := finef("✓ MFA is on."), finef("✓ No active access key."), plain("Never used, as far as AWS knows.")
	switch {
	case c.findings[report.RootNoMFA].Unknown:
		mfa = badf("? Whether it has MFA is not known.")
	case !r.MFA:
		mfa = badf("✗ No MFA.")
	}
	switch {
	case c.findings[report.RootKey].Unknown:
		keys = badf("? Whether it has access keys is not known.")
	case r.AccessKeys > 0:
		keys = badf("✗ %s.", plural(r.AccessKeys, "active access key", "active access keys"))
	}
	switch {
	case c.findings[report.RootUsed].Unknown:
		used = badf("? When it was last used is not known.")
	case r.LastUsed != nil:
		used = plainf("Last used %s, %s.", c.ago(r.LastUsed).Text, moment(*r.LastUsed))
	}
	b.Lines = append(b.Lines, mfa, keys, used)
	for _, f := range r.Findings {
		b.Lines = append(b.Lines, badf("✗ Finding: %s.", c.findings.long(f)))
	}
	return b
}

// atRisk are the users about whom there is a finding.
func (c composer) atRisk() block {
	var list []report.User
	for _, u := range c.Users.List {
		if len(u.Findings) > 0 {
			list = append(list, u)
		}
	}
	if len(list) == 0 {
		return lines(finef("✓ No user has any of the findings that could be looked for."))
	}
	return table(c, "Users with findings, the lowest score first", list, []string{"User", "Findings", "Last used", "Score"},
		func(u report.User) []phrase {
			var all []string
			for _, f := range u.Findings {
				all = append(all, c.findings.long(f))
			}
			return []phrase{plain(user(u.Name)), plain(strings.Join(all, "; ")), c.ago(u.LastUsed), number(u.Score)}
		})
}

// ago is how long before the report something was.
func (c composer) ago(t *time.Time) phrase {
	if t == nil {
		return phrase{"–", faint}
	}
	days := int(c.Provenance.Generated.Sub(*t) / (24 * time.Hour))
	if days <= 0 {
		return phrase{"within a day", short}
	}
	return phrase{plural(days, "day", "days") + " ago", short}
}

// score shows its sums, so that it can be argued with.
func (c composer) score() part {
	s := c.Score
	if s == nil {
		return part{}
	}
	p := part{Title: fmt.Sprintf("Security score: %s of 100", decimal(s.Total))}
	for _, f := range c.Users.Findings {
		if f.Unknown {
			p.Gap = "Not complete: findings that could not be looked for cost nothing here, so that the score may be too good."
		}
	}
	sum := 0
	for _, l := range s.Lost {
		sum += l.Sum
	}
	mean := plain("Users' mean: 100, as there is no user who could lose anything.")
	if s.Users > 0 {
		mean = plainf("Users' mean: 100 − %d ÷ %d = %s (points lost together, shared by all users).", sum, s.Users, decimal(s.Mean))
	}
	sums := lines(mean, plain("Total: the users' mean, as nothing is known of root."))
	if s.Root != nil {
		sums = lines(mean,
			plainf("Root: 100 − %d = %d.", 100-*s.Root, *s.Root),
			plainf("Total: the lower of the two, %s: an account is not better than its root.", decimal(s.Total)))
	}
	p.Blocks = said([]block{
		table(c, "What users lose", s.Lost, []string{"Finding", "Points", "Times", "Lost"}, func(l report.Lost) []phrase {
			times, lost := phrase{"× " + strconv.Itoa(l.Times), digits}, phrase{"= " + strconv.Itoa(l.Sum), digits}
			return []phrase{plain(c.findings.title(l.Finding)), number(l.Points), times, lost}
		}),
		sums,
	})
	return p
}
