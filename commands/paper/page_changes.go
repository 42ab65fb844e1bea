package paper

import (
	"sekisho/auth/report"
)

// changes is what differs from the report before.
func (c composer) changes() part {
	d := c.Changes
	p := part{Title: "Changes since the report before"}
	first := lines(plain(c.compared()))
	for _, why := range d.NotCompared[:min(c.most, len(d.NotCompared))] {
		first = first.with(badf("? Not compared: %s", sentence(why)))
	}
	found := func(title string, list []report.UserFinding) block {
		return table(c, title, list, []string{"User", "Finding"}, func(f report.UserFinding) []phrase {
			return []phrase{plain(user(f.User)), plain(c.findings.long(f.Finding))}
		})
	}
	all := said([]block{
		c.cameAndWent(),
		found("✗ New findings", d.Opened),
		found("✓ Findings that are gone", d.Closed),
		c.crossed(),
		c.exempt("Exemptions that lapse within 14 days", d.Lapsing),
		table(c, "The policy was changed", d.Policy, []string{"When", "From", "To"}, func(p report.PolicyChange) []phrase {
			return []phrase{when(p.At), id(p.From), id(p.To)}
		}),
	})
	if len(all) == 0 && d.Since != nil {
		first = first.with(plain("Nothing else has changed."))
	}
	p.Blocks = append([]block{first}, all...)
	return p
}

// cameAndWent are the users and keys that are new or gone.
func (c composer) cameAndWent() block {
	d, b := c.Changes, block{}
	if len(d.UsersAdded) > 0 {
		b.Lines = append(b.Lines, plainf("New users: %s.", c.names(d.UsersAdded)))
	}
	if len(d.UsersRemoved) > 0 {
		b.Lines = append(b.Lines, plainf("Users who are gone: %s.", c.names(d.UsersRemoved)))
	}
	if d.KeysAdded+d.KeysRemoved > 0 {
		b.Lines = append(b.Lines, plainf("Access keys: %d new, %d gone.", d.KeysAdded, d.KeysRemoved))
	}
	return b
}

// provenance is where all this comes from.
func (c composer) provenance() part {
	p := c.Provenance
	account := plain("Account: not known; AWS did not say.")
	if c.Account != "" {
		account = plainf("Account: %s.", clean(c.Account, nameMost))
	}
	made := plain("IAM's credential report: not read.")
	if at := p.CredentialReport.Made; at != nil {
		made = plainf("IAM's credential report: of %s, %s old when this was made.", moment(*at), span(p.Generated.Sub(*at)))
	}
	return part{Title: "Where this comes from", Blocks: []block{lines(
		account,
		plainf("Period: %s up to and without %s.", moment(c.Period.From), moment(c.Period.To)),
		plainf("Made: %s.", moment(p.Generated)),
		made,
		c.trail(),
		plainf("Policy: %s; changed %s in this period.", clean(c.Policy.Hash, nameMost), plural(len(c.Policy.Changes), "time", "times")),
		plainf("Findings by the CIS AWS Foundations Benchmark %s.", clean(p.CIS, nameMost)),
	)}}
}

func (c composer) trail() phrase {
	t := c.Provenance.Trail
	switch {
	case !t.Whole:
		return badf("✗ Trail: %s read, and it is NOT whole after number %d.", plural(t.Entries, "entry", "entries"), t.Last)
	case t.Entries == 0:
		return plain("Trail: no entry in this time.")
	}
	return finef("✓ Trail: %s, number %d to %d, whole.", plural(t.Entries, "entry", "entries"), t.First, t.Last)
}
