package paper

import (
	"cmp"
	"fmt"

	"sekisho/auth/report"
)

func (s sheet) starts(r report.Report) {
	fact := func(what, who string, value any, note string) { s.fact("starts", what, who, value, note) }
	t, p, d := r.Starts, r.Starts.Passes, r.Starts.Decisions
	for _, g := range t.BreakGlass {
		fact("break_glass", g.User, g.At, person(g.User, g.Name)+", "+g.Instance+": "+g.Why)
	}
	fact("total", "", t.Total, "")
	fact("admitted", "", t.Admitted, "")
	fact("refused", "", t.RefusedTotal(), "")
	for _, reason := range reasons(t) {
		fact("refused_for", reason, t.Refused[reason], because(reason))
	}
	fact("swept", "", t.Swept, "found by the sweep only")
	fact("observed", "", t.Observed, "refused, and let run: observe mode")
	fact("unstopped", "", t.Unstopped, "refused, and could not be stopped")
	for _, day := range t.Days {
		fact("day_admitted", day.Date, day.Admitted, "")
		fact("day_refused", day.Date, day.Refused, "")
	}
	fact("passes_asked", "", p.Asked, "")
	fact("passes_at_once", "", p.AtOnce, "given without approval")
	fact("requests", "", p.Requests, "needed an approval")
	fact("requests_approved", "", p.Approved, "")
	fact("requests_denied", "", p.Denied, "")
	fact("requests_lapsed", "", p.Lapsed, "nobody decided in time, or the pass was not fetched")
	fact("requests_withdrawn", "", p.Withdrawn, "")
	fact("requests_turned_down", "", p.Turned, "by the policy, at once; not who asked twice, or too often")
	fact("requests_never_answered", "", d.NoAnswers, "")
	fact("decisions", "", d.Count, "")
	fact("decisions_median_seconds", "", orEmpty(d.Median), "from the asking to the decision")
	fact("decisions_under_5s", "", d.Under5s, "")
	fact("decisions_under_5s_percent", "", d.Share5s, "")
	fact("clicks_refused", "", d.RefusedClicks, "of people who may not decide, or too late")
	for _, p := range t.People {
		who := person(p.User, p.Name)
		fact("person_asked", p.User, p.Asked, who)
		fact("person_admitted", p.User, p.Admitted, who)
		fact("person_refused", p.User, p.Refused, who)
		fact("person_approved", p.User, p.Approved, who)
		fact("person_denied", p.User, p.Denied, who)
	}
	for _, i := range t.Instances {
		fact("instance_admitted", i.ID, i.Admitted, "")
		fact("instance_refused", i.ID, i.Refused, "")
	}
}

func (s sheet) keys(r report.Report) {
	fact := func(what, who string, value any, note string) { s.fact("keys", what, who, value, note) }
	k := r.Keys
	fact("read_from", "", k.From, "")
	fact("total", "", k.Total, "")
	fact("active", "", k.Active, "")
	fact("max_age_days", "", k.MaxAge, "")
	fact("too_old", "", k.Old, "active, and as old as that or older")
	for _, b := range k.Bands {
		fact("band_active", band(b), b.Active, "")
		fact("band_inactive", band(b), b.Inactive, "")
	}
	s.ended(k)
	for _, d := range k.Due {
		fact("due", d.ID, d.At, fmt.Sprintf("%s; of %s; %s old", ending(k, d.Do), d.User, plural(d.Age, "day", "days")))
	}
	s.exempt("keys", "exempt", k.Exempt)
	for _, key := range k.List {
		// The credential report has no ids; a user's two keys were made at two times.
		id := cmp.Or(key.ID, key.User+" "+written(key.Created))
		fact("key_user", id, key.User, "")
		fact("key_active", id, key.Active, "of "+key.User)
		fact("key_created", id, key.Created, "of "+key.User)
		fact("key_age_days", id, key.Age, "of "+key.User)
		fact("key_last_used", id, orEmpty(key.LastUsed), "of "+key.User)
	}
}

// ended is what became of keys, by the policy and the trail.
func (s sheet) ended(k report.Keys) {
	fact := func(what, who string, value any, note string) { s.fact("keys", what, who, value, note) }
	fact("mode", "", k.Mode, "of the policy; observe only says what would be done")
	fact("warned", "", k.Warned, "")
	fact("deactivated", "", k.Deactivated, "")
	fact("reactivated", "", k.Reactivated, "")
	fact("deleted", "", k.Deleted, "")
	for _, w := range k.Kept {
		fact("kept", w.ID, w.At, "of "+w.User+"; by "+person(w.By, w.Name)+"; "+w.Note)
	}
	for _, w := range k.Exempted {
		fact("exempted", w.ID, w.At, "of "+w.User+"; by "+person(w.By, w.Name)+"; "+w.Note)
	}
}

// exempt writes until when keys are spared.
func (s sheet) exempt(section, what string, list []report.ExemptKey) {
	for _, e := range list {
		until := orEmpty(e.Until)
		if e.Until == nil {
			until = "for good"
		}
		s.fact(section, what, e.ID, until, fmt.Sprintf("of %s; %s old; %s", e.User, plural(e.Age, "day", "days"), exemptBy(e)))
	}
}

func (s sheet) users(r report.Report) {
	fact := func(what, who string, value any, note string) { s.fact("users", what, who, value, note) }
	u := r.Users
	fact("total", "", u.Total, "without root")
	if u.Root != nil {
		fact("active_keys", report.RootUser, s.findings.known(report.RootKey, u.Root.AccessKeys), "")
		fact("mfa", report.RootUser, s.findings.known(report.RootNoMFA, u.Root.MFA), "")
		fact("last_used", report.RootUser, s.findings.known(report.RootUsed, orEmpty(u.Root.LastUsed)), "")
		fact("score", report.RootUser, u.Root.Score, "")
		for _, f := range u.Root.Findings {
			fact("finding", report.RootUser, string(f), s.findings.long(f))
		}
	}
	for _, f := range u.Findings {
		fact("users_with", string(f.Finding), s.findings.known(f.Finding, f.Users), s.findings.long(f.Finding))
	}
	for _, name := range u.Added {
		fact("added", name, "", "")
	}
	for _, user := range u.List {
		fact("created", user.Name, user.Created, "")
		fact("console", user.Name, s.findings.known(report.NoMFA, user.Console), "")
		fact("mfa", user.Name, s.findings.known(report.NoMFA, user.MFA), "")
		fact("active_keys", user.Name, s.findings.known(report.TwoKeys, user.Keys), "")
		fact("last_used", user.Name, orEmpty(user.LastUsed), "")
		fact("score", user.Name, user.Score, "")
		for _, f := range user.Findings {
			fact("finding", user.Name, string(f), s.findings.long(f))
		}
	}
}

func (s sheet) score(score *report.Score) {
	if score == nil {
		return
	}
	fact := func(what, who string, value any, note string) { s.fact("score", what, who, value, note) }
	fact("total", "", score.Total, "the lower of the users' mean and root's")
	fact("users_mean", "", score.Mean, "")
	fact("root", "", orEmpty(score.Root), "")
	fact("users", "", score.Users, "")
	for _, l := range score.Lost {
		sum := plural(l.Points, "point", "points") + " each, " + plural(l.Times, "time", "times")
		fact("lost", string(l.Finding), l.Sum, sum+": "+s.findings.title(l.Finding))
	}
}

func (s sheet) changes(c report.Changes) {
	fact := func(what, who string, value any, note string) { s.fact("changes", what, who, value, note) }
	if c.Since != nil {
		fact("since_from", "", c.Since.Period.From, "")
		fact("since_to", "", c.Since.Period.To, "")
		fact("since_generated", "", c.Since.Generated, "")
		fact("keys_added", "", c.KeysAdded, "")
		fact("keys_removed", "", c.KeysRemoved, "")
	}
	for _, why := range c.NotCompared {
		fact("not_compared", "", why, "")
	}
	for _, f := range c.Headline {
		fact("headline_now", f.ID, orEmpty(f.Now), f.Label)
		fact("headline_before", f.ID, orEmpty(f.Before), f.Label+"; better "+f.Better)
	}
	for _, name := range c.UsersAdded {
		fact("user_added", name, "", "")
	}
	for _, name := range c.UsersRemoved {
		fact("user_removed", name, "", "")
	}
	for _, f := range c.Opened {
		fact("finding_new", f.User, string(f.Finding), s.findings.long(f.Finding))
	}
	for _, f := range c.Closed {
		fact("finding_gone", f.User, string(f.Finding), s.findings.long(f.Finding))
	}
	for _, k := range c.Crossed {
		fact("key_crossed", k.ID, k.Line, fmt.Sprintf("days; of %s; %s old", k.User, plural(k.Age, "day", "days")))
	}
	for _, p := range c.Policy {
		fact("policy_changed", "", p.At, "from "+p.From+" to "+p.To)
	}
	s.exempt("changes", "exemption_lapses", c.Lapsing)
}
