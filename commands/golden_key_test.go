package commands_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/commands"
)

// iamName is the name, as long as an IAM user's may be; one of signs that IAM
// never takes is there to show that they do nothing, and shorter:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func iamName(name string) string {
	runes, most := []rune(name), 64
	if strings.ContainsAny(name, "<>&`") {
		most = 20
	}
	return string(runes[:min(most, len(runes))])
}

const goldenKey = "AKIATEST00000000HANA"

// aged is a key of 76 days of an IAM user with this name. Where somebody else
// writes a text, it is that name.
func aged(name string) purge.Record {
	return purge.Record{ID: goldenKey, User: iamName(name), UserID: "AIDATESTHANA", Account: account, Created: noon.Add(-76 * day)}
}

// seen is what the key is like, two days after it was used.
func seen(name string) *purge.Sight {
	return &purge.Sight{
		Active: true, Owner: hana, Used: &purge.Use{At: noon.Add(-2 * day), Service: name, Region: "eu-central-1"},
		Others: []purge.Key{{ID: "AKIATEST0000000OTHER", Active: true, Created: noon.Add(-3 * day)}},
	}
}

// became is the record after these changes, a day apart.
func became(r purge.Record, changes ...purge.Change) purge.Record {
	for n, c := range changes {
		c.At = noon.Add(time.Duration(n) * day)
		r = r.With(c)
	}
	return r
}

// keyCards are the card of a key in every standing, what its thread and its
// owner are told, and the question whether many may end.
func keyCards(name string, add func(file, name, text string, blocks []slack.Block)) {
	p := testPolicy()
	keys := auth.DefaultKeys()
	keys.Mode, keys.Decide = auth.Enforce, []string{leads, ben}
	p.Keys = &keys
	alone, watching := keys, keys
	alone.Decide, watching.Mode = nil, auth.Observe

	note := aWhy(name)
	const rule = "max_age: 90d"
	off := &purge.Sight{Owner: hana, Used: seen(name).Used, Others: seen(name).Others, Next: purge.Delete, When: noon.Add(24 * day)}
	warned := purge.Change{Verb: purge.Warned, Rule: rule, Until: noon.Add(14 * day), Lead: 14 * day, Sight: seen(name)}
	last := purge.Change{Verb: purge.Warned, Rule: rule, Until: noon.Add(14 * day), Lead: 7 * day, Sight: seen(name)}
	kept := purge.Change{Verb: purge.Kept, By: ben, Until: noon.Add(21 * day), Note: note}
	exempted := purge.Change{Verb: purge.Exempted, By: ben, Until: noon.Add(100 * day), Note: note}
	ordered := purge.Change{Verb: purge.Ordered, Do: purge.Deactivate, By: ben}
	begun := purge.Change{Verb: purge.Begun, Do: purge.Deactivate, By: ben}
	deactivated := purge.Change{Verb: purge.Deactivated, Rule: rule, Until: noon.Add(24 * day), Sight: off}
	byHand := deactivated
	byHand.By, byHand.Rule = ben, ""
	undo := purge.Change{Verb: purge.Ordered, Do: purge.Reactivate, By: ben}
	reactivated := purge.Change{Verb: purge.Reactivated, By: ben, Until: noon.Add(9 * day), Sight: seen(name)}
	deleted := purge.Change{Verb: purge.Deleted, Do: purge.Delete, Rule: rule, Sight: off}
	exempt := purge.Change{Verb: purge.Released, Sight: seen(name), Note: "exempt by the policy (user: svc-*, tag: Team=" + name + "*)"}
	dropped := purge.Change{Verb: purge.Dropped, Do: purge.Deactivate, By: ben, Note: exempt.Note, Sight: seen(name)}
	foundOff := purge.Change{Verb: purge.FoundOff, Rule: rule, Until: noon.Add(24 * day), Sight: off}
	foundOn := purge.Change{Verb: purge.FoundOn, Rule: rule, Until: noon.Add(9 * day), Sight: seen(name)}
	would := purge.Change{Verb: purge.Would, Do: purge.Deactivate, Rule: rule, Observed: true, Sight: seen(name)}
	observed := func(c purge.Change) purge.Change { c.Observed = true; return c }
	sight := func(how func(*purge.Sight)) purge.Change {
		s := *seen(name)
		how(&s)
		c := warned
		c.Sight = &s
		return c
	}

	card := func(label string, p *auth.KeyPolicy, changes ...purge.Change) {
		text, blocks := commands.KeyCard(p, became(aged(name), changes...))
		add("key_card", label, text, blocks)
	}
	card("warned", &keys, warned)
	card("warned twice", &keys, warned, last)
	card("warned, and nobody decides", &alone, warned)
	card("warned, in observe mode", &watching, observed(warned))
	card("warned, owner unknown", &keys, sight(func(s *purge.Sight) { s.Owner = "" }))
	card("warned, last use unknown", &keys, sight(func(s *purge.Sight) { s.Used = nil }))
	card("warned, never used", &keys, sight(func(s *purge.Sight) { s.Used = &purge.Use{} }))
	card("warned, used nobody knows where", &keys, sight(func(s *purge.Sight) { s.Used = &purge.Use{At: noon} }))
	card("warned, used by a service without a Region", &keys, sight(func(s *purge.Sight) { s.Used = &purge.Use{At: noon, Service: name} }))
	card("warned, the other key inactive", &keys, sight(func(s *purge.Sight) { s.Others[0].Active = false }))
	card("warned, no other key", &keys, sight(func(s *purge.Sight) { s.Others = nil }))
	card("kept", &keys, warned, kept)
	card("kept, in observe mode", &watching, observed(warned), kept)
	card("exempted", &keys, warned, exempted)
	card("released", &keys, warned, purge.Change{Verb: purge.Released, Sight: seen(name)})
	card("released, exempt by the policy", &keys, warned, exempt)
	card("ordered", &keys, warned, ordered)
	card("ordered and begun", &keys, warned, ordered, begun)
	card("ordered and dropped", &keys, warned, ordered, dropped)
	card("begun, of which nobody knows yet", &keys, purge.Change{Verb: purge.Begun, Do: purge.Deactivate, Rule: rule})
	card("begun and dropped, of which nobody knows yet", &keys, purge.Change{Verb: purge.Begun, Do: purge.Deactivate}, dropped)
	card("deactivated", &keys, warned, deactivated)
	card("deactivated by somebody", &keys, warned, ordered, begun, byHand)
	card("deactivated, and nobody decides", &alone, warned, deactivated)
	card("undo ordered", &keys, warned, deactivated, undo)
	card("reactivated", &keys, warned, deactivated, undo, reactivated)
	card("reactivated, owner unknown", &keys, warned, deactivated, undo, func() purge.Change {
		c := reactivated
		c.Sight = sight(func(s *purge.Sight) { s.Owner = "" }).Sight
		return c
	}())
	card("deleted", &keys, warned, deactivated, deleted)
	card("found inactive", &keys, warned, foundOff)
	card("found inactive, in observe mode", &watching, observed(foundOff))
	card("found active", &keys, warned, deactivated, foundOn)
	card("gone", &keys, warned, purge.Change{Verb: purge.Gone})
	card("would", &watching, observed(warned), would)
	rash := watching
	rash.FirstRun = auth.AtOnce
	card("would, at once", &rash, would)

	line := func(label string, c purge.Change) {
		c.At = noon
		if text := commands.KeyLine(aged(name), c); text != "" {
			add("key_thread", label, text, []slack.Block{commands.Section(text)})
		}
	}
	tell := func(label string, p *auth.KeyPolicy, c purge.Change) {
		c.At = noon
		if m, ok := commands.OwnerMessage(p, aged(name).With(c), c); ok {
			add("key_owner", label, m.Text, m.Blocks)
		}
	}
	tomorrow := purge.Change{Verb: purge.Warned, Until: noon.Add(day - 5*time.Minute), Rule: "unused: 45d", Sight: seen(name)}
	soon := warned
	soon.Until = noon.Add(5 * time.Hour)
	for _, c := range []struct {
		name   string
		change purge.Change
	}{
		{"warned", warned}, {"warned a day before", tomorrow},
		{"warned hours before", soon}, {"warned, in observe mode", observed(warned)}, {"kept", kept}, {"exempted", exempted},
		{"released", purge.Change{Verb: purge.Released}}, {"released, exempt by the policy", exempt},
		{"ordered", ordered}, {"begun", begun}, {"dropped", dropped},
		{"deactivated", deactivated}, {"deactivated by somebody", byHand}, {"reactivated", reactivated}, {"deleted", deleted},
		{"found inactive", foundOff}, {"found active", foundOn}, {"gone", purge.Change{Verb: purge.Gone}}, {"would", would},
	} {
		line(c.name, c.change)
		if !c.change.Observed { // observe mode leaves people in peace
			tell(c.name, &keys, c.change)
		}
	}
	tell("warned, with one key", &keys, sight(func(s *purge.Sight) { s.Others = nil }))
	tell("warned, and nobody decides", &alone, warned)
	tell("deactivated, and nobody decides", &alone, deactivated)

	for _, n := range []int{1, 2, 20, 21, 200} {
		text, blocks := commands.HoldCard(p, held(name, n))
		add("key_hold", fmt.Sprint(n), text, blocks)
	}
	p.Keys = &alone
	text, blocks := commands.HoldCard(p, held(name, 2))
	add("key_hold", "2, and nobody decides", text, blocks)
	alone.Grace, alone.Decide = 0, keys.Decide
	text, blocks = commands.HoldCard(p, held(name, 2))
	add("key_hold", "2, without a grace", text, blocks)
}

// held is a run of so many keys that waits.
func held(name string, n int) purge.Hold {
	h := purge.Hold{ID: "golden-hold", At: noon, Limit: 1}
	for k := range n {
		do := purge.Deactivate
		if k%3 == 2 {
			do = purge.Delete
		}
		h.Keys = append(h.Keys, purge.Held{Ref: purge.Ref{ID: fmt.Sprintf("AKIATEST%012d", k), User: iamName(name)}, Do: do})
	}
	return h
}

// keyPages are the answers to /sekisho.
func keyPages(t testing.TB, name string, add func(file, name string, m commands.Message)) {
	o := newKeyOffice(t)
	add("sekisho", "help", o.sekisho(hana, "help"))
	add("sekisho", "nothing", o.sekisho(hana, ""))
	add("sekisho", "an unknown word", o.sekisho(hana, "x"+name+" y"))
	add("sekisho", "one user, unknown", o.sekisho(ben, "keys nobody"))
	add("sekisho", "one user, impossible", o.sekisho(ben, "keys x:"+name))
	o.Policy.People.Principals[tom] = []auth.Principal{auth.Principal("user/" + name)}
	add("sekisho", "another's", o.sekisho(tom, "keys ben"))
	keyClicks(t, name, add)
	o.Purge = nil
	add("sekisho", "no keys in the policy", o.sekisho(ben, "keys"))

	user := purge.User{Name: iamName(name)}
	verdicts := []purge.Verdict{
		{Do: purge.Deactivate, Next: purge.Delete, At: noon.Add(10 * day), Rule: "max_age: 90d"},
		{Do: purge.Reactivate, Next: purge.Deactivate, At: noon.Add(7 * day)},
		{Why: "exempt by the policy (tag: Team=" + name + "*)"},
		{Do: purge.Warn, Next: purge.Deactivate, At: noon.Add(14 * day), Rule: "unused: 45d"},
		{Do: purge.SayWould, Next: purge.Deactivate, At: noon.Add(-day), Rule: "max_age: 90d"},
		{Next: purge.Delete, At: noon.Add(5 * day), Rule: "max_age: 90d"},
		{Do: purge.Delete},
		{Next: purge.Deactivate, At: noon.Add(80 * day), Rule: "max_age: 90d"},
		{},
	}
	uses := []*purge.Use{seen(name).Used, {}, nil, {At: noon}}
	plan := func(n int) purge.Plan {
		p := purge.Plan{At: noon, Mode: auth.Enforce}
		for k := range n {
			v := verdicts[k%len(verdicts)]
			v.User = user
			v.Key = purge.Key{
				ID: fmt.Sprintf("AKIATEST%012d", k), Active: v.Next != purge.Delete && v.Do != purge.Reactivate,
				Created: noon.Add(time.Duration(k-n) * time.Hour), Used: uses[k%len(uses)],
			}
			p.Verdicts = append(p.Verdicts, v)
		}
		return p
	}
	for _, n := range []int{0, 1, 9, 25, 26, 10_000} {
		add("keys", fmt.Sprint(n), commands.KeysPage(plan(n)))
	}
	watching := plan(5)
	watching.Mode = auth.Observe
	add("keys", "5, in observe mode", commands.KeysPage(watching))
}

// keyClicks are the answers to the buttons and forms, and what the channel is
// told besides the cards.
func keyClicks(t testing.TB, name string, add func(file, name string, m commands.Message)) {
	o := newKeyOffice(t)
	next := func(label string) {
		t.Helper()
		for _, s := range o.chat.all() {
			if s.how == "post" && s.thread == "" && !strings.Contains(s.text, "*`") {
				add("key_channel", label, asMessage(s))
			}
		}
	}
	id, _ := o.warned()
	why := map[string]string{"why": aWhy(name), "until": "2027-03-01"}
	add("key_click", "keep", o.submit(ben, "key_keep", id, why))
	add("key_click", "exempt", o.submit(ben, "key_exempt", id, why))
	add("key_click", "deactivate", o.click(ben, "key_off", id))
	add("key_click", "too late: ordered", o.click(ben, "key_off", id))
	o.iam.fail["Deactivate"] = &purge.Denied{Action: "iam:UpdateAccessKey"}
	o.rush()
	next("a permission is missing, to change keys")
	clear(o.iam.fail)
	o.later(time.Hour)
	o.sweepKeys()
	add("key_click", "too late: deactivated", o.click(ben, "key_off", id))
	add("key_click", "undo", o.click(ben, "key_undo", id))
	o.rush()
	o.iam.fail["Users"] = &purge.Denied{Action: "iam:ListUsers"}
	o.Queue = nil
	add("key_click", "a list without the permission", o.sekisho(ben, "keys"))
	o.Queue = o.queue
	clear(o.iam.fail)
	next("a permission is missing, to read")

	for n := range 12 {
		o.iam.add(fmt.Sprint("ci", n), 100*day)
	}
	o.sweepKeys()
	next("many cards")
	o.Policy.Keys.FirstRun, o.Policy.Keys.Cap = auth.AtOnce, auth.KeyCap{Keys: 1, Share: 100}
	o.iam.add("old1", 100*day)
	o.iam.add("old2", 100*day)
	o.sweepKeys()
	card := o.chat.next(t, "post")
	hold := buttonValue(t, asMessage(card), "keys_hold")
	add("key_click", "let them end", o.click(ben, "keys_hold", hold))
	next("let them end")
	add("key_click", "let them end, the second time", o.click(mai, "keys_hold", hold))
	o.later(2 * day)
	add("key_click", "let them end, too late", o.click(mai, "keys_hold", hold))
}

// aWhy is the name, as long as a reason may be.
func aWhy(name string) string {
	runes := []rune(name + name)
	if len([]rune(name)) < 300 {
		runes = []rune("x" + name)
	}
	return string(runes[:min(500, len(runes))])
}

// keyForms are the modals that a key's buttons open.
func keyForms(t testing.TB, name string, add func(file, name string, v slack.ModalViewRequest)) {
	o := newKeyOffice(t)
	r := became(aged(name), purge.Change{Verb: purge.Warned, Until: noon.Add(14 * day), Lead: 14 * day, Sight: seen(name)})
	if _, _, err := o.Purge.Store.Change(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for _, action := range []string{"key_keep", "key_exempt"} {
		o.click(ben, action, r.ID)
		add("form", action, o.views.last(t))
	}
}
