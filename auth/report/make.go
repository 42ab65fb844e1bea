package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// Maker makes reports.
type Maker struct {
	Policy      *auth.Policy
	WhoAmI      func(context.Context) (purge.Self, error)
	Trail       TrailReader
	Credentials CredentialReader
	Keys        KeyReader // nil where the policy has no keys: part
	Directory   auth.Directory
	Now         func() time.Time
}

// Order is which report is to be made.
type Order struct {
	Name   string // of the policy's report; empty where somebody asked
	Period Period
	CIS    string    // one of Versions
	Only   []Section // all where it is empty
}

func (o Order) wants(s Section) bool { return len(o.Only) == 0 || slices.Contains(o.Only, s) }

// Make makes a report and compares it with the one before (nil where there is
// none). What AWS does not show is a Problem in it. It fails where the trail
// cannot be reached: the report can wait. Progress is told what is being read.
func (m *Maker) Make(ctx context.Context, o Order, before *Report, progress func(what string)) (Report, error) {
	now := m.Now().UTC().Truncate(time.Second)
	r := Report{
		Schema: Schema, Name: o.Name, Period: Period{o.Period.From.UTC(), o.Period.To.UTC()},
		Policy:     Policy{Hash: m.Policy.Hash, Changes: []PolicyChange{}},
		Provenance: Provenance{Generated: now, CIS: o.CIS, CredentialReport: CredentialSource{Lacks: []string{}}, Problems: []Problem{}},
	}
	self, err := m.WhoAmI(ctx)
	if r.Account = self.Account; err != nil {
		r.unread("", "which account this is", err, "sts:GetCallerIdentity")
	}
	if err := m.fromTrail(ctx, o, &r, progress); err != nil {
		return Report{}, err
	}
	credentials := m.fromCredentials(ctx, o, &r, progress)
	m.fromKeys(ctx, o, &r, credentials, progress)
	if err := context.Cause(ctx); err != nil {
		return Report{}, err // what is missing is missing for that reason
	}
	m.name(ctx, &r)
	r.Changes = Diff(before, r)
	return r, nil
}

func (r *Report) problem(s Section, what, next string) {
	r.Provenance.Problems = append(r.Provenance.Problems, Problem{Section: s, What: what, Next: next})
}

// unread notes what AWS did not show, and says so of the section: it lacks a
// permission, or has no answer now.
func (r *Report) unread(s Section, what string, err error, permissions string) Source {
	p := Problem{
		Section: s, What: fmt.Sprintf("%s could not be read: %v", what, err), Passing: true,
		Next: "make a report later, with `sekisho report` or `/sekisho report`; if it stays so, the bot's log says more",
	}
	var denied *purge.Denied
	if errors.As(err, &denied) {
		p = Problem{
			Section: s, What: fmt.Sprintf("%s could not be read: AWS does not let the bot call %s", what, denied.Action),
			Next: "allow the bot's role " + permissions,
		}
	}
	r.Provenance.Problems = append(r.Provenance.Problems, p)
	return Source{Unknown, p.What}
}

// fromTrail counts starts, and what was done about keys.
func (m *Maker) fromTrail(ctx context.Context, o Order, r *Report, progress func(string)) error {
	t := newTally(r.Period)
	progress("the trail")
	err := m.Trail.Since(ctx, r.Period.From.Add(-margin), func(e auth.Entry) error { t.add(e); return nil })
	if err != nil && !errors.Is(err, auth.ErrTampered) {
		return fmt.Errorf("reading the trail: %w", err)
	}
	t.entries.Whole = err == nil
	r.Keys, r.Provenance.Trail = t.keys, t.entries
	r.Policy.Changes = append(r.Policy.Changes, t.policy...)
	r.Keys.Kept, r.Keys.Exempted = append([]KeyWord{}, r.Keys.Kept...), append([]KeyWord{}, r.Keys.Exempted...)
	from := Source{Status: Known}
	switch {
	case err != nil:
		from = Source{Partly, "the trail is not whole: " + err.Error()}
		r.problem(AboutStarts, from.Why, "run `sekisho audit verify`, keep what Redis holds, and find out who could write to it")
	case t.trimmed > 0 && t.entries.First == t.trimmed+1 && t.begins.After(r.Period.From):
		from = Source{Partly, fmt.Sprintf("the trail begins at %s: older entries were let go, as the policy's `trail.keep` says", t.begins.UTC().Format(time.RFC3339))}
	}
	if !o.wants(AboutStarts) {
		from, t = Source{Status: LeftOut}, newTally(Period{})
	}
	r.Starts = t.sum()
	r.Starts.Source = from
	return nil
}

// fromCredentials reads the users. It returns the credential report where there
// is one; where there is none, the access keys are not known from it either.
func (m *Maker) fromCredentials(ctx context.Context, o Order, r *Report, progress func(string)) *Credentials {
	r.Users = Users{Source: Source{Status: LeftOut}, Findings: []FindingCount{}, Added: []string{}, List: []User{}}
	if !o.wants(AboutUsers) && (!o.wants(AboutKeys) || m.Keys != nil) {
		return nil
	}
	progress("IAM's credential report")
	c, err := m.Credentials.Credentials(ctx)
	if err != nil {
		about := AboutKeys
		if o.wants(AboutUsers) {
			about = AboutUsers
		}
		r.Keys.Source = r.unread(about, "IAM's credential report", err, "iam:GenerateCredentialReport and iam:GetCredentialReport")
		if o.wants(AboutUsers) {
			r.Users.Source = r.Keys.Source
		}
		return nil
	}
	made := c.Made.UTC()
	r.Provenance.CredentialReport = CredentialSource{&made, append([]string{}, c.Lacks...)}
	if !o.wants(AboutUsers) {
		return &c
	}
	i := newInspector(c, r.Period, o.CIS, r.Provenance.Generated)
	r.Users, r.Score = i.users(c.Rows)
	r.Users.Status = Known
	if len(i.unknown) > 0 {
		r.Users.Source = Source{Partly, fmt.Sprintf("some findings need columns that IAM's credential report lacks, or has in a form that is not known: %q", c.Lacks)}
		r.problem(AboutUsers, r.Users.Why, "look whether a newer Sekisho knows the report's new form")
	}
	return &c
}

// fromKeys reads the access keys, each with its place in the purge or, without
// one, as the credential report has them.
func (m *Maker) fromKeys(ctx context.Context, o Order, r *Report, c *Credentials, progress func(string)) {
	k := &r.Keys
	k.MaxAge, k.Bands, k.Exempt, k.Due, k.List = 90, []Band{}, []ExemptKey{}, []DueKey{}, []Key{}
	if m.Policy.Keys != nil {
		k.MaxAge, k.Mode = int(m.Policy.Keys.MaxAge/day), string(m.Policy.Keys.Mode)
	}
	if !o.wants(AboutKeys) {
		k.Source = Source{Status: LeftOut}
		return
	}
	var err error
	if m.Keys != nil {
		var plan purge.Plan
		if plan, err = m.plan(ctx, progress); err == nil {
			k.From, k.Source = "iam", Source{Status: Known}
			k.aged(plan, r.Provenance.Generated)
			return
		}
		k.Source = r.unread(AboutKeys, "the access keys", err, "iam:ListUsers, iam:GetUser, iam:ListAccessKeys and iam:GetAccessKeyLastUsed")
	}
	if c == nil {
		return
	}
	lacks := func(column string) bool { return slices.Contains(c.Lacks, column) }
	k.From = "credential_report"
	switch {
	case err != nil:
		k.Status, k.Why = Partly, k.Why+"; ages are from IAM's credential report, what is exempt or due is not known"
	case slices.ContainsFunc(both("active", "last_rotated"), lacks):
		k.Source = Source{Partly, fmt.Sprintf("the ages need columns that IAM's credential report lacks, or has in a form that is not known: %q", c.Lacks)}
	default:
		k.Status = Known
	}
	k.agedBy(c.Rows, r.Provenance.Generated)
}

// keysWithin is how long the reading of all keys may take. IAM answers some calls
// a second; what takes longer is said in the report, which has to be sent, too.
const keysWithin = 8 * time.Minute

func (m *Maker) plan(ctx context.Context, progress func(string)) (purge.Plan, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, keysWithin, fmt.Errorf("IAM took longer than %v", keysWithin))
	defer cancel()
	plan, err := m.Keys.Read(ctx, func(done, total int) { progress(fmt.Sprintf("the access keys of %d of %d IAM users", done, total)) })
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	}
	return plan, err
}

// namedAtMost bounds how many people are looked up in Slack: the busiest.
const namedAtMost = 50

// name adds people's names where Slack knows them: mail and files cannot show a
// Slack id as a name.
func (m *Maker) name(ctx context.Context, r *Report) {
	known, away := map[string]string{}, false // Slack may be
	named := func(user string) string {
		if name, ok := known[user]; ok || user == "" || len(known) >= namedAtMost {
			return name
		}
		var p auth.Person // whose id has to do, without a name
		if !away {
			var err error
			if p, err = m.Directory.Person(ctx, user); err != nil {
				p, away = auth.Person{}, !errors.Is(err, auth.ErrNobody)
			}
		}
		known[user] = p.Name
		return p.Name
	}
	for n := range r.Starts.BreakGlass {
		r.Starts.BreakGlass[n].Name = named(r.Starts.BreakGlass[n].User)
	}
	for _, words := range [][]KeyWord{r.Keys.Kept, r.Keys.Exempted} {
		for n := range words {
			words[n].Name = named(words[n].By)
		}
	}
	for n := range r.Starts.People {
		r.Starts.People[n].Name = named(r.Starts.People[n].User)
	}
}
