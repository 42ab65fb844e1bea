package auth_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // a machine without a database of zones tests the same

	"pgregory.net/rapid"

	"sekisho/auth"
	"sekisho/auth/authtest"
)

func TestLike(t *testing.T) {
	long := strings.Repeat("a", 256)
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"p5.*", "p5.48xlarge", true},
		{"p5.*", "p5en.48xlarge", false},
		{"p5.*", "xp5.large", false},
		{"p?.*", "p4.large", true},
		{"p?.*", "p4d.large", false},
		{"*", "", true},
		{"?", "", false},
		{"", "", true},
		{"", "a", false},
		{"prod-*-db", "prod-db", false},
		{"prod-*-db", "prod-a-db-b-db", true},
		{"prod-*-db", "prod-a-db-b", false},
		{"Prod", "prod", false},
		{"?", "é", true},      // a character, not a byte
		{"a.c", "abc", false}, // nothing else is special
		{"[ab]", "a", false},
		{`\*`, "*", false},
		{strings.Repeat("*a", 30) + "b", long, false}, // and not after an age
	} {
		if got := auth.Like(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%q like %q: %v; want %v", tt.text, tt.pattern, got, tt.want)
		}
	}
}

func TestLikeIsWhatItsDefinitionSays(t *testing.T) {
	text := rapid.StringOfN(rapid.SampledFrom([]rune("ab*?é")), 0, 9, -1)
	rapid.Check(t, func(t *rapid.T) {
		pattern, text := text.Draw(t, "pattern"), text.Draw(t, "text")
		if got, want := auth.Like(pattern, text), like([]rune(pattern), []rune(text)); got != want {
			t.Fatalf("%q like %q: %v; want %v", text, pattern, got, want)
		}
	})
}

// like is the definition, word by word.
func like(pattern, text []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(text) == 0
	case pattern[0] == '*':
		return like(pattern[1:], text) || len(text) > 0 && like(pattern, text[1:])
	}
	return len(text) > 0 && (pattern[0] == '?' || pattern[0] == text[0]) && like(pattern[1:], text[1:])
}

func TestMatchMisses(t *testing.T) {
	i := auth.Instance{
		ID: web, Type: "p5.48xlarge", Account: "111122223333", Region: "eu-west-1",
		Tags: map[string]string{"Name": "prod-db", "Env": "prod", "Team": ""},
	}
	tags := func(k, v string) auth.Match { return auth.Match{Tags: map[string]string{k: v}} }
	noon := time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC) // a Monday
	for name, tt := range map[string]struct {
		match auth.Match
		want  string // in the sentence; empty where it fits
	}{
		"nothing":             {auth.Match{}, ""},
		"its tag":             {tags("Env", "prod"), ""},
		"its empty tag":       {tags("Team", ""), ""},
		"another value":       {tags("Env", "dev"), `its tag "Env" is "prod", not "dev"`},
		"no pattern in a tag": {tags("Env", "p*"), `its tag "Env" is "prod", not "p*"`},
		"a tag it lacks":      {tags("Stage", ""), `it has no tag "Stage"`},
		"one of two tags":     {auth.Match{Tags: map[string]string{"Env": "prod", "Team": "red"}}, `its tag "Team"`},
		"its type":            {auth.Match{Types: []string{"g6.*", "p5.*"}}, ""},
		"other types":         {auth.Match{Types: []string{"g6.*", "p4.*"}}, "its type p5.48xlarge is none of g6.*, p4.*"},
		"its account":         {auth.Match{Accounts: []string{"1", "111122223333"}}, ""},
		"another account":     {auth.Match{Accounts: []string{"1111*"}}, "its account 111122223333 is none of 1111*"},
		"its region":          {auth.Match{Regions: []string{"eu-west-1"}}, ""},
		"another region":      {auth.Match{Regions: []string{"eu-west-2"}}, "its region eu-west-1 is none of eu-west-2"},
		"its name":            {auth.Match{Names: []string{"prod-*"}}, ""},
		"another name":        {auth.Match{Names: []string{"dev-*"}}, `its name "prod-db" is none of dev-*`},
		"now":                 {auth.Match{Hours: &auth.Hours{From: 720, To: 721, Zone: time.UTC}}, ""},
		"not now": {
			auth.Match{Hours: &auth.Hours{From: 721, To: 722, Days: []time.Weekday{1}, Zone: time.UTC}},
			"it is Mon 12:00 UTC, which is not 12:01–12:02 (mon, UTC)",
		},
		"all, but its name": {
			auth.Match{Tags: map[string]string{"Env": "prod"}, Types: []string{"p5.*"}, Accounts: []string{"111122223333"},
				Regions: []string{"eu-west-1"}, Names: []string{"prod"}}, "its name",
		},
	} {
		got := tt.match.Misses(i, noon)
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q; want %q", name, got, tt.want)
		}
	}
	i.Tags = nil
	if got := (auth.Match{Names: []string{"*"}}).Misses(i, noon); got != "" {
		t.Errorf("an instance without a name is not like *: %s", got)
	}
	if got := (auth.Match{Names: []string{web}}).Misses(i, noon); got == "" {
		t.Error("an id was taken for a name")
	}
}

// Every minute of a week is held against the hours drawn on a calendar.
func TestHoursOfEveryMinute(t *testing.T) {
	const day, week = 24 * 60, 7 * 24 * 60
	monday := time.Date(2027, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, h := range []auth.Hours{
		{From: 9 * 60, To: 18 * 60},
		{From: 9 * 60, To: 18 * 60, Days: []time.Weekday{1, 2, 3, 4, 5}},
		{From: 22 * 60, To: 6 * 60},
		{From: 22 * 60, To: 6 * 60, Days: []time.Weekday{6}},
		{From: 22 * 60, To: 6 * 60, Days: []time.Weekday{0, 3}},
		{From: 0, To: day, Days: []time.Weekday{0}},
		{From: 12 * 60, To: day, Days: []time.Weekday{2}},
		{From: 12 * 60, To: 0, Days: []time.Weekday{2}},
		{From: 8 * 60, To: 8 * 60, Days: []time.Weekday{4}}, // till the same time of the next day
		{From: day - 1, To: 1},
	} {
		h.Zone = time.UTC
		length := (h.To - h.From + day) % day
		if length == 0 {
			length = day
		}
		var calendar [week]bool // from Monday
		for d := range 7 {
			if len(h.Days) > 0 && !slices.Contains(h.Days, time.Weekday((d+1)%7)) {
				continue
			}
			for m := range length {
				calendar[(d*day+h.From+m)%week] = true
			}
		}
		for m, want := range calendar {
			at := monday.Add(time.Duration(m)*time.Minute + 59*time.Second)
			if got := h.Holds(at); got != want {
				t.Errorf("%s at %s: %v; want %v", h, at.Format("Mon 15:04:05"), got, want)
				break
			}
		}
	}
}

// Hours are those that the clock on the wall shows, also in the two nights in
// which it is changed.
func TestHoursInTheirZone(t *testing.T) {
	zone := func(name string) *time.Location {
		t.Helper()
		z, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		return z
	}
	berlin, kolkata := zone("Europe/Berlin"), zone("Asia/Kolkata")
	work := auth.Hours{From: 9 * 60, To: 18 * 60, Days: []time.Weekday{1, 2, 3, 4, 5}}
	night := auth.Hours{From: 22 * 60, To: 6 * 60}
	two := auth.Hours{From: 2 * 60, To: 3 * 60}
	for _, tt := range []struct {
		hours auth.Hours
		zone  *time.Location
		at    string // RFC 3339
		want  bool
	}{
		{work, berlin, "2027-03-01T07:59:59Z", false},
		{work, berlin, "2027-03-01T08:00:00Z", true},
		{work, berlin, "2027-03-29T07:00:00Z", true}, // summer time since the day before
		{work, berlin, "2027-03-29T16:00:00Z", false},
		{work, kolkata, "2027-03-01T03:30:00Z", true},
		{work, kolkata, "2027-03-01T03:29:00Z", false},
		{work, kolkata, "2027-02-28T20:00:00Z", false}, // Monday there, Sunday in UTC
		{auth.Hours{From: 0, To: 1440, Days: []time.Weekday{1}}, kolkata, "2027-02-28T20:00:00Z", true},
		{night, berlin, "2027-03-28T03:59:00Z", true}, // 05:59, an hour early
		{night, berlin, "2027-03-28T04:00:00Z", false},
		{night, berlin, "2027-10-31T04:59:00Z", true}, // 05:59, an hour late
		{night, berlin, "2027-10-31T05:00:00Z", false},
		{two, berlin, "2027-03-28T00:59:59Z", false}, // that night has no two o'clock
		{two, berlin, "2027-03-28T01:00:00Z", false},
		{two, berlin, "2027-10-31T00:30:00Z", true}, // and this one has two
		{two, berlin, "2027-10-31T01:30:00Z", true},
		{two, berlin, "2027-10-31T02:00:00Z", false},
	} {
		at, err := time.Parse(time.RFC3339, tt.at)
		if err != nil {
			t.Fatal(err)
		}
		h := tt.hours
		h.Zone = tt.zone
		if got := h.Holds(at); got != tt.want {
			t.Errorf("%s at %s: %v; want %v", h, at.In(tt.zone), got, tt.want)
		}
	}
}

func TestHoursAsThePolicyWritesThem(t *testing.T) {
	for want, h := range map[string]auth.Hours{
		"09:05–18:00 (mon, fri, UTC)":  {From: 545, To: 1080, Days: []time.Weekday{1, 5}, Zone: time.UTC},
		"00:00–24:00 (every day, UTC)": {To: 1440, Zone: time.UTC},
	} {
		if got := h.String(); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}

func TestTheFirstRuleThatMatchesDecides(t *testing.T) {
	prod := auth.Rule{Name: "prod", Match: auth.Match{Tags: map[string]string{"Env": "prod"}}, Ask: []string{ben}}
	big := auth.Rule{Name: "big", Match: auth.Match{Types: []string{"p5.*"}}, Ask: []string{auth.Everyone}}
	everyone := auth.Rule{Name: "everyone", Ask: []string{auth.Everyone}}
	in := func(env, kind string) auth.Instance {
		return auth.Instance{ID: web, Type: kind, Tags: map[string]string{"Env": env}}
	}
	for name, tt := range map[string]struct {
		rules   []auth.Rule
		at      auth.Instance
		asker   string
		rule    string
		refused auth.Reason
		skipped int
	}{
		"no rules":                       {nil, in("prod", "p5.large"), hana, "", auth.NoRule, 0},
		"none matches":                   {[]auth.Rule{prod, big}, in("dev", "t3.nano"), hana, "", auth.NoRule, 2},
		"the first":                      {[]auth.Rule{prod, big, everyone}, in("prod", "p5.large"), ben, "prod", "", 0},
		"the first, and not for her":     {[]auth.Rule{prod, big, everyone}, in("prod", "p5.large"), hana, "prod", auth.NotAllowed, 0},
		"the second":                     {[]auth.Rule{prod, big, everyone}, in("dev", "p5.large"), hana, "big", "", 1},
		"the last":                       {[]auth.Rule{prod, big, everyone}, in("dev", "t3.nano"), hana, "everyone", "", 2},
		"two match: the order counts":    {[]auth.Rule{everyone, prod}, in("prod", "t3.nano"), hana, "everyone", "", 0},
		"a rule that lets nobody ask":    {[]auth.Rule{{Name: "closed"}, everyone}, in("dev", "t3.nano"), hana, "closed", auth.NotAllowed, 0},
		"nobody asks under closed rules": {[]auth.Rule{prod}, in("prod", "t3.nano"), "", "prod", auth.NotAllowed, 0},
	} {
		p := auth.Policy{Rules: tt.rules}
		r := p.Decide(auth.Case{Asker: tt.asker, Instance: tt.at, At: authtest.T0}, auth.Roster{})
		var rule string
		if r.Rule != nil {
			rule = r.Rule.Name
		}
		if rule != tt.rule || r.Refused != tt.refused || len(r.Skipped) != tt.skipped {
			t.Errorf("%s: rule %q, refused %q, skipped %q; want %q, %q, %d", name, rule, r.Refused, r.Skipped, tt.rule, tt.refused, tt.skipped)
		}
	}
}

func TestARulesOwnTTLComesFirst(t *testing.T) {
	p := auth.Policy{Passes: auth.PassPolicy{TTL: 10 * time.Minute}, Rules: []auth.Rule{{Name: "r", Ask: []string{hana}}}}
	for _, tt := range []struct{ rule, want time.Duration }{{0, 10 * time.Minute}, {time.Hour, time.Hour}} {
		p.Rules[0].TTL = tt.rule
		if got := p.Decide(auth.Case{Asker: hana}, auth.Roster{}).TTL; got != tt.want {
			t.Errorf("with %v in the rule: %v; want %v", tt.rule, got, tt.want)
		}
	}
}

func TestARuleNamesAllItsPeople(t *testing.T) {
	r := auth.Rule{Ask: []string{hana}, Approve: &auth.Approve{By: []string{leads}}, BreakGlass: &auth.BreakGlass{By: []string{dan}}}
	if got := r.Named(); !slices.Equal(got, []string{hana, leads, dan}) {
		t.Errorf("named %q", got)
	}
}
