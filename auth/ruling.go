package auth

import (
	"context"
	"slices"
	"time"
)

// Case is what is decided about: somebody's wish to start an instance.
type Case struct {
	Asker    string
	Instance Instance
	At       time.Time // when it was asked, for rules with hours
	Why      string    // the asker's reason
	Approved []string  // who has approved so far
	Clicker  string    // who would decide about it now; empty where nobody would
}

// Ruling is what the policy says of a case.
type Ruling struct {
	Rule    *Rule    // the one that decides; nil where none is for the instance
	Skipped []string // why each rule before it is not for the instance, in order
	// Refused says why the asker cannot have a pass, even if everybody agreed.
	Refused Reason
	// Unfit says why the clicker may neither approve nor deny.
	Unfit Reason
	// Counted are the approvals that count: of people who may approve now.
	Counted []string
	Missing int // how many more are needed; 0: the pass may be given out
	TTL     time.Duration
	// MayBreakGlass says that the asker may have a pass without any approval.
	MayBreakGlass bool
}

// Rule finds the rule that decides about the instance.
func (p *Policy) Rule(i Instance, at time.Time) (rule *Rule, skipped []string) {
	for n := range p.Rules {
		miss := p.Rules[n].Match.Misses(i, at)
		if miss == "" {
			return &p.Rules[n], skipped
		}
		skipped = append(skipped, miss)
	}
	return nil, skipped
}

// Decide is the one place that says who may have a pass, who may decide about
// it, and whether enough have. It is asked when a pass is requested, at every
// click, and again before the pass is given out.
func (p *Policy) Decide(c Case, who Roster) Ruling {
	rule, skipped := p.Rule(c.Instance, c.At)
	r := Ruling{Rule: rule, Skipped: skipped, Refused: NoRule, Unfit: NotApprover}
	if rule == nil {
		return r
	}
	r.TTL = rule.TTL
	if r.TTL == 0 {
		r.TTL = p.Passes.TTL
	}
	r.MayBreakGlass = rule.BreakGlass != nil && who.Decider(rule.BreakGlass.By, c.Asker)
	r.Refused = ""
	if !who.In(rule.Ask, c.Asker) {
		r.Refused = NotAllowed
	}
	if rule.Approve == nil {
		return r
	}
	a := rule.Approve
	for _, user := range c.Approved {
		if user != c.Asker && who.Decider(a.By, user) && !slices.Contains(r.Counted, user) {
			r.Counted = append(r.Counted, user)
		}
	}
	r.Missing = max(0, a.Count-len(r.Counted))
	switch {
	case r.Refused != "":
	case a.Reason && c.Why == "":
		r.Refused = NeedsReason
	case who.candidates(a.By, c.Asker) < a.Count:
		r.Refused = NoApprovers
	}
	switch {
	case c.Clicker == "":
	case c.Clicker == c.Asker:
		r.Unfit = OwnRequest
	case !who.Decider(a.By, c.Clicker):
		r.Unfit = NotApprover
	case slices.Contains(r.Counted, c.Clicker):
		r.Unfit = AlreadyApproved
	default:
		r.Unfit = ""
	}
	return r
}

// candidates counts the people whom the list names, the asker left out. It
// knows of those who may not decide only if they were looked up.
func (r Roster) candidates(list []string, asker string) int {
	found := map[string]bool{}
	add := func(user string) {
		p, known := r.People[user]
		if user != asker && (!known || p.Decides()) {
			found[user] = true
		}
	}
	for _, id := range list {
		if !IsGroup(id) {
			add(id)
		}
		for _, user := range r.Groups[id] {
			add(user)
		}
	}
	return len(found)
}

// Referee decides cases with what Slack says of people.
type Referee struct {
	Policy    *Policy
	Directory Directory
}

// Rule finds the rule, looks up the people that it needs, and decides.
func (r *Referee) Rule(ctx context.Context, c Case) (Ruling, error) {
	rule, skipped := r.Policy.Rule(c.Instance, c.At)
	if rule == nil {
		return Ruling{Skipped: skipped, Refused: NoRule, Unfit: NotApprover}, nil
	}
	who, err := r.roster(ctx, rule, c)
	if err != nil {
		return Ruling{}, err
	}
	return r.Policy.Decide(c, who), nil
}

// roster looks up what the decision needs, and no more: a rule that asks
// nobody's approval and names the asker costs no call to Slack.
func (r *Referee) roster(ctx context.Context, rule *Rule, c Case) (Roster, error) {
	who := Roster{People: make(map[string]Person), Groups: make(map[string][]string)}
	if !who.In(rule.Ask, c.Asker) {
		if err := who.addGroups(ctx, r.Directory, rule.Ask); err != nil {
			return Roster{}, err
		}
	}
	if rule.Approve != nil {
		if err := who.addGroups(ctx, r.Directory, rule.Approve.By); err != nil {
			return Roster{}, err
		}
		if err := who.addPeople(ctx, r.Directory, append(slices.Clone(c.Approved), c.Clicker)); err != nil {
			return Roster{}, err
		}
	}
	if rule.BreakGlass != nil {
		if err := who.addGroups(ctx, r.Directory, rule.BreakGlass.By); err != nil {
			return Roster{}, err
		}
		if who.In(rule.BreakGlass.By, c.Asker) {
			return who, who.addPeople(ctx, r.Directory, []string{c.Asker})
		}
	}
	return who, nil
}
