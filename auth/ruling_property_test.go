package auth_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/auth"
)

var (
	staff    = []string{hana, ben, chiyo, dan, "U0EMI", "U0FUMI"}
	circles  = []string{leads, "S0OPS", "C0OPS"}
	envs     = []string{"prod", "dev"}
	someone  = rapid.SampledFrom(append(slices.Clone(staff), circles...))
	someones = rapid.OneOf(rapid.SliceOfNDistinct(someone, 0, 4, rapid.ID), rapid.SliceOfNDistinct(someone, 4, 9, rapid.ID))
	askers   = rapid.OneOf(rapid.Just([]string{auth.Everyone}), someones)
	people   = rapid.Custom(drawPeople)
	groups   = rapid.MapOfN(rapid.SampledFrom(circles), rapid.SliceOfNDistinct(rapid.SampledFrom(staff), 0, 5, rapid.ID), 0, 3)
	rulesets = rapid.SliceOfN(rapid.Custom(drawRule), 0, 3)
)

// drawPeople knows most of the staff, most of them full members.
func drawPeople(t *rapid.T) map[string]auth.Person {
	all := make(map[string]auth.Person)
	for _, user := range staff {
		p := auth.Person{ID: user}
		switch rapid.IntRange(0, 19).Draw(t, user) {
		case 0:
			p.Bot = true
		case 1:
			p.Guest = true
		case 2:
			p.Deactivated = true
		case 3:
			p.Outside = true
		case 4:
			continue
		}
		all[user] = p
	}
	return all
}

func drawRule(t *rapid.T) auth.Rule {
	r := auth.Rule{
		Name: rapid.StringMatching(`[a-z]{3}`).Draw(t, "name"), Ask: askers.Draw(t, "ask"),
		TTL: time.Duration(rapid.IntRange(0, 20).Draw(t, "ttl")) * time.Minute,
	}
	if rapid.IntRange(0, 3).Draw(t, "for one env") == 0 {
		r.Match.Tags = map[string]string{"Env": rapid.SampledFrom(envs).Draw(t, "env")}
	}
	if rapid.IntRange(0, 4).Draw(t, "without approval") > 0 {
		r.Approve = &auth.Approve{
			By: someones.Draw(t, "by"), Count: rapid.IntRange(1, 3).Draw(t, "count"), Reason: rapid.Bool().Draw(t, "reason"),
			Within: time.Duration(rapid.IntRange(1, 24*60).Draw(t, "within")) * time.Minute,
		}
	}
	if rapid.Bool().Draw(t, "break glass") {
		r.BreakGlass = &auth.BreakGlass{By: someones.Draw(t, "who breaks glass"), TTL: time.Minute}
	}
	return r
}

// deciders is the definition: who of the staff the list names, and may decide.
func deciders(list []string, people map[string]auth.Person, groups map[string][]string) []string {
	var all []string
	for _, user := range staff {
		p, known := people[user]
		if named(list, groups, user) && known && !p.Bot && !p.Guest && !p.Deactivated && !p.Outside {
			all = append(all, user)
		}
	}
	return all
}

func named(list []string, groups map[string][]string, user string) bool {
	for _, id := range list {
		if id == user || id == auth.Everyone {
			return true
		}
		for _, member := range groups[id] {
			if member == user {
				return true
			}
		}
	}
	return false
}

// TestRulingOfAnyPolicy holds Decide against the definitions above.
func TestRulingOfAnyPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := auth.Policy{Rules: rulesets.Draw(t, "rules"), Passes: auth.PassPolicy{TTL: time.Minute}}
		who := auth.Roster{People: people.Draw(t, "people"), Groups: groups.Draw(t, "groups")}
		for range 20 {
			wantRuling(t, &p, who)
		}
	})
}

// wantRuling draws a case and wants the ruling on it to be what the rule says
// in plain words.
func wantRuling(t *rapid.T, p *auth.Policy, who auth.Roster) {
	env := rapid.SampledFrom(envs).Draw(t, "env of the instance")
	c := auth.Case{
		Asker: rapid.SampledFrom(staff).Draw(t, "asker"), Instance: auth.Instance{ID: web, Tags: map[string]string{"Env": env}},
		Why:      rapid.SampledFrom([]string{"", "the release"}).Draw(t, "why"),
		Approved: rapid.SliceOfN(rapid.SampledFrom(staff), 0, 15).Draw(t, "approved"), // some of them twice
		Clicker:  rapid.SampledFrom(append(slices.Clone(staff), "", "U0NOBODY")).Draw(t, "clicker"),
	}
	r := p.Decide(c, who)
	n := slices.IndexFunc(p.Rules, func(r auth.Rule) bool { return r.Match.Tags == nil || r.Match.Tags["Env"] == env })
	if n < 0 {
		if r.Rule != nil || r.Refused != auth.NoRule || r.Unfit == "" || r.MayBreakGlass || len(r.Counted) > 0 {
			t.Fatalf("without a rule: %+v", r)
		}
		return
	}
	rule := p.Rules[n]
	if r.Rule != &p.Rules[n] || len(r.Skipped) != n {
		t.Fatalf("rule %+v after %q; want rule %d", r.Rule, r.Skipped, n)
	}
	if mayAsk := named(rule.Ask, who.Groups, c.Asker); (r.Refused == auth.NotAllowed) == mayAsk {
		t.Fatalf("refused %q; may ask: %v", r.Refused, mayAsk)
	}
	may := rule.BreakGlass != nil && slices.Contains(deciders(rule.BreakGlass.By, who.People, who.Groups), c.Asker)
	if r.MayBreakGlass != may {
		t.Fatalf("may break glass: %v; want %v", r.MayBreakGlass, may)
	}
	if rule.Approve == nil {
		if r.Unfit == "" || r.Missing != 0 || len(r.Counted) > 0 {
			t.Fatalf("nobody needs to agree: %+v", r)
		}
		return
	}
	fit := deciders(rule.Approve.By, who.People, who.Groups)
	fit = slices.DeleteFunc(fit, func(user string) bool { return user == c.Asker })
	var counted []string
	for _, user := range fit {
		if slices.Contains(c.Approved, user) {
			counted = append(counted, user)
		}
	}
	if !slices.Equal(slices.Sorted(slices.Values(r.Counted)), slices.Sorted(slices.Values(counted))) {
		t.Fatalf("counted %q; want %q", r.Counted, counted)
	}
	if want := max(0, rule.Approve.Count-len(counted)); r.Missing != want {
		t.Fatalf("missing %d; want %d", r.Missing, want)
	}
	decides := r.Unfit == "" || r.Unfit == auth.AlreadyApproved
	if decides != slices.Contains(fit, c.Clicker) {
		t.Fatalf("%q is unfit: %q; fit are %q", c.Clicker, r.Unfit, fit)
	}
	if (r.Unfit == auth.AlreadyApproved) != slices.Contains(counted, c.Clicker) {
		t.Fatalf("%q is unfit: %q; counted are %q", c.Clicker, r.Unfit, counted)
	}
	if (r.Unfit == auth.OwnRequest) != (c.Clicker == c.Asker) {
		t.Fatalf("%q is unfit for %s's request: %q", c.Clicker, c.Asker, r.Unfit)
	}
	if r.Refused == "" && rule.Approve.Reason && c.Why == "" {
		t.Fatal("a reason is needed, and there is none")
	}
	if r.Refused == "" && len(fit) < rule.Approve.Count {
		var unknown int // nothing speaks against those of whom nothing is known: they were not looked up
		for _, user := range staff {
			if _, known := who.People[user]; !known && user != c.Asker && named(rule.Approve.By, who.Groups, user) {
				unknown++
			}
		}
		if len(fit)+unknown < rule.Approve.Count {
			t.Fatalf("%q are too few to give %d approvals", fit, rule.Approve.Count)
		}
	}
}
