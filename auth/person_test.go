package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
)

func TestWhoDecides(t *testing.T) {
	for name, tt := range map[string]struct {
		person auth.Person
		want   bool
	}{
		"a member":       {auth.Person{ID: ben}, true},
		"nobody":         {auth.Person{}, false},
		"a bot":          {auth.Person{ID: ben, Bot: true}, false},
		"a guest":        {auth.Person{ID: ben, Guest: true}, false},
		"who has left":   {auth.Person{ID: ben, Deactivated: true}, false},
		"from elsewhere": {auth.Person{ID: ben, Outside: true}, false},
	} {
		if got := tt.person.Decides(); got != tt.want {
			t.Errorf("%s decides: %v; want %v", name, got, tt.want)
		}
	}
}

func TestRosterIn(t *testing.T) {
	who := auth.Roster{
		People: map[string]auth.Person{ben: {ID: ben}, dan: {ID: dan, Guest: true}},
		Groups: map[string][]string{leads: {ben, chiyo, dan}},
	}
	for name, tt := range map[string]struct {
		list        []string
		user        string
		in, decides bool
	}{
		"by id":                          {[]string{hana, ben}, ben, true, true},
		"in a group":                     {[]string{leads}, ben, true, true},
		"everyone":                       {[]string{auth.Everyone}, ben, true, true},
		"in no list":                     {nil, ben, false, false},
		"not in the list":                {[]string{hana}, ben, false, false},
		"not in the group":               {[]string{leads}, hana, false, false},
		"in a group that is not known":   {[]string{"S0GONE"}, ben, false, false},
		"a guest":                        {[]string{leads}, dan, true, false},
		"of whom nothing is known":       {[]string{leads}, chiyo, true, false},
		"nobody":                         {[]string{leads, ben}, "", false, false},
		"a group is no member of itself": {[]string{ben}, leads, false, false},
	} {
		if in, decides := who.In(tt.list, tt.user), who.Decider(tt.list, tt.user); in != tt.in || decides != tt.decides {
			t.Errorf("%s: in the list %v, decides %v; want %v, %v", name, in, decides, tt.in, tt.decides)
		}
	}
}

func TestIsGroup(t *testing.T) {
	for id, want := range map[string]bool{
		leads: true, "C0OPS": true, "G0OPS": true, hana: false, "W0HANA": false, auth.Everyone: false, "": false,
	} {
		if auth.IsGroup(id) != want {
			t.Errorf("%q is a group: %v; want %v", id, !want, want)
		}
	}
}

// Slack is asked for what the rule needs, and no more.
func TestTheRefereeAsksSlackForNoMoreThanItNeeds(t *testing.T) {
	everyone := []string{auth.Everyone}
	for name, tt := range map[string]struct {
		rule auth.Rule
		c    auth.Case
		want int64
	}{
		"everybody may ask":     {auth.Rule{Ask: everyone}, auth.Case{}, 0},
		"she may ask by name":   {auth.Rule{Ask: []string{leads, hana}}, auth.Case{}, 0},
		"a group may ask":       {auth.Rule{Ask: []string{leads}}, auth.Case{}, 1},
		"a group approves":      {auth.Rule{Ask: everyone, Approve: &auth.Approve{By: []string{leads}, Count: 1}}, auth.Case{}, 1},
		"somebody clicks":       {auth.Rule{Ask: everyone, Approve: &auth.Approve{By: []string{ben}, Count: 1}}, auth.Case{Clicker: ben}, 1},
		"again":                 {auth.Rule{Ask: everyone, Approve: &auth.Approve{By: []string{ben}, Count: 1}}, auth.Case{Clicker: ben, Approved: []string{ben}}, 1},
		"one group in two uses": {auth.Rule{Ask: []string{leads}, Approve: &auth.Approve{By: []string{leads}, Count: 1}}, auth.Case{}, 1},
		"others break glass":    {auth.Rule{Ask: everyone, BreakGlass: &auth.BreakGlass{By: []string{leads}}}, auth.Case{}, 1},
		"she may break glass":   {auth.Rule{Ask: everyone, BreakGlass: &auth.BreakGlass{By: []string{hana}}}, auth.Case{}, 1},
	} {
		w := newWorld(t)
		w.policy.Rules = []auth.Rule{tt.rule}
		tt.c.Asker, tt.c.Instance = hana, w.ec2.truth[web]
		if _, err := w.requests.Referee.Rule(t.Context(), tt.c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := w.slack.asked.Load(); got != tt.want {
			t.Errorf("%s: Slack was asked %d times; want %d", name, got, tt.want)
		}
	}
}

// Without Slack nothing is guessed: it is a fault, which names whom it was about.
func TestTheRefereeGuessesNobody(t *testing.T) {
	for name, tt := range map[string]struct {
		rule auth.Rule
		want string
	}{
		"who may ask":         {auth.Rule{Ask: []string{leads}}, leads},
		"who may approve":     {auth.Rule{Ask: []string{hana}, Approve: &auth.Approve{By: []string{"S0OPS"}, Count: 1}}, "S0OPS"},
		"who clicks":          {auth.Rule{Ask: []string{hana}, Approve: &auth.Approve{By: []string{ben}, Count: 1, Within: time.Hour}}, ben},
		"who may break glass": {auth.Rule{Ask: []string{hana}, BreakGlass: &auth.BreakGlass{By: []string{leads}}}, leads},
		"who breaks glass":    {auth.Rule{Ask: []string{hana}, BreakGlass: &auth.BreakGlass{By: []string{hana}}}, hana},
	} {
		w := newWorld(t)
		w.policy.Rules = []auth.Rule{tt.rule}
		w.slack.err = errors.New("slack is away")
		r, err := w.requests.Referee.Rule(t.Context(), auth.Case{Asker: hana, Instance: w.ec2.truth[web], Clicker: ben})
		var refused *auth.Refusal
		if !errors.Is(err, w.slack.err) || errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) || r.Rule != nil {
			t.Errorf("%s: %+v, %v; want a fault that names %s", name, r, err, tt.want)
		}
	}
}
