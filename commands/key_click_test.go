package commands_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/commands"
)

// Deactivate now, Undo, and Deactivate now again; then it is deleted in its
// time. The trail says who wanted what, of which key, and which way it came.
func TestDeactivateUndoDeactivateDelete(t *testing.T) {
	o := newKeyOffice(t)
	id, card := o.warned()
	m := o.click(ben, "key_off", id)
	wants(t, "the answer", m.Text, "`…ANA1` of `hana`", "I am deactivating it")
	if m.Replace || len(o.iam.acts()) > 0 {
		t.Errorf("besides the answer: %+v, %v", m, o.iam.acts())
	}
	o.wantNoted(auth.ActKeyOrder, auth.Done) // before it is answered
	o.rush()
	if o.iam.state(id) != "inactive" {
		t.Fatalf("the key is %s", o.iam.state(id))
	}
	s := o.chat.next(t, "update")
	wants(t, "the card", reads(t, s.text, s.blocks), "is deactivated, as <@U0BEN> decided", "It is deleted <!date^", `"key_undo"`)
	lacks(t, "the card", reads(t, s.text, s.blocks), `"key_off"`, `"key_keep"`)
	if s.ts != card.ts {
		t.Errorf("another message is rewritten: %+v", s)
	}
	o.wantHeard("deactivated", "direct U0HANA: is deactivated, as <@U0BEN> decided", "post thread: deactivated, as <@U0BEN> decided")

	o.later(time.Hour)
	wants(t, "the answer", o.click(mai, "key_undo", id).Text, "I am reactivating it", "kept for 7 days")
	o.rush()
	if o.iam.state(id) != "active" {
		t.Fatalf("the key is %s", o.iam.state(id))
	}
	o.wantHeard("reactivated", "update C0KEYS: is active again, as <@U0MAI> decided, and kept until <!date^"+unix(noon.Add(7*day+time.Hour))+"^",
		"direct U0HANA: is active again, as <@U0MAI> decided. It is kept until", "post thread: reactivated, as <@U0MAI> decided")

	o.later(time.Hour)
	o.click(ben, "key_off", id)
	o.rush()
	o.chat.all()
	o.days(9)
	if o.iam.state(id) != "inactive" {
		t.Fatalf("before its grace is over the key is %s", o.iam.state(id))
	}
	for range 10 {
		o.days(1)
	}
	if o.iam.state(id) != "gone" {
		t.Fatalf("the key is %s", o.iam.state(id))
	}
	type line struct{ act, reason, decided, door string }
	var got []line
	for _, e := range o.entries() {
		if e.Key != id || e.IAMUser != "hana" || e.Outcome != auth.Done {
			t.Errorf("the trail has %+v", e)
		}
		if (e.Decided != "") != strings.HasPrefix(e.Source, "trigger.") {
			t.Errorf("nobody can say where it came from: %+v", e)
		}
		got = append(got, line{string(e.Act), e.Reason, e.Decided, e.Door})
	}
	want := []line{
		{"key.warn", "warned", "", ""},
		{"key.order", "deactivate", ben, "socket"}, {"key.deactivate", "deactivate", ben, "socket"},
		{"key.order", "reactivate", mai, "socket"}, {"key.reactivate", "reactivate", mai, "socket"},
		{"key.order", "deactivate", ben, "socket"}, {"key.deactivate", "deactivate", ben, "socket"},
		{"key.delete", "delete", "", ""},
	}
	if !slices.Equal(got, want) {
		t.Errorf("the trail has\n%v\nand not\n%v", got, want)
	}
	if acts := o.iam.acts(); len(acts) != 4 {
		t.Errorf("it did %v", acts)
	}
}

func unix(t time.Time) string { text, _ := json.Marshal(t.Unix()); return string(text) }

// Keep and Exempt ask why, and until when, and take no for an answer.
func TestAKeyIsSpared(t *testing.T) {
	for form, c := range map[string]struct {
		fields map[string]string
		until  time.Time
		act    auth.Act
		verb   purge.Verb
	}{
		"key_keep": {map[string]string{"why": " the <supplier> is late "}, noon.Add(21 * day), auth.ActKeyKeep, purge.Kept},
		"key_exempt": {
			map[string]string{"why": " the <supplier> is late ", "until": "2027-03-01"},
			time.Date(2027, 3, 2, 0, 0, 0, 0, time.UTC), auth.ActKeyExempt, purge.Exempted,
		},
	} {
		t.Run(form, func(t *testing.T) {
			o := newKeyOffice(t)
			id, card := o.warned()
			if m := o.click(ben, form, id); m.Text != "" {
				t.Errorf("besides the form: %q", m.Text)
			}
			if v := o.views.last(t); v.CallbackID != form || v.PrivateMetadata != id {
				t.Errorf("the form is %+v", v)
			}
			until := "<!date^" + unix(c.until) + "^"
			wants(t, "the answer", o.submit(ben, form, id, c.fields).Text, "`…ANA1` of `hana` is kept until "+until)
			e := o.wantNoted(c.act, auth.Done)
			if e.Key != id || e.IAMUser != "hana" || e.Decided != ben || e.Door != "socket" || !strings.HasPrefix(e.Source, "trigger.") ||
				e.Note != "the <supplier> is late; until "+c.until.UTC().Format(time.RFC3339) {
				t.Errorf("the trail has %+v", e)
			}
			o.rush()
			s := o.chat.next(t, "update")
			wants(t, "the card", reads(t, s.text, s.blocks), ":shield: <@U0BEN> kept access key `…ANA1`", until,
				"`the &lt;supplier&gt; is late`", `"key_off"`)
			if s.ts != card.ts {
				t.Errorf("another message is rewritten: %+v", s)
			}
			if s := o.chat.next(t, "post"); s.thread != card.ts || !strings.Contains(s.text, "<@U0BEN> spared it until "+until) {
				t.Errorf("the thread: %+v", s)
			}
			o.wantHistory(id, purge.Warned, c.verb)
			for o.clock.Now().Before(c.until.Add(-day)) {
				o.days(1)
				if o.iam.state(id) != "active" {
					t.Fatalf("on %s the key is %s", o.clock.Now(), o.iam.state(id))
				}
			}
			o.days(3)
			if o.iam.state(id) != "inactive" {
				t.Errorf("in the end the key is %s", o.iam.state(id))
			}
		})
	}
}

func TestWhatAFormDoesNotTake(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned() // on 2027-01-15
	for _, c := range []struct{ form, why, until, field, want string }{
		{"key_keep", "", "", "why", "in a few words"},
		{"key_keep", " \n\t ", "", "why", "in a few words"},
		{"key_keep", strings.Repeat("ä", 501), "", "why", "501 characters"},
		{"key_exempt", "", "2027-03-01", "why", "in a few words"},
		{"key_exempt", strings.Repeat("x", 10_000), "2027-03-01", "why", "10000 characters"},
		{"key_exempt", "late", "", "until", "a day from today on"},
		{"key_exempt", "late", "2027-01-14", "until", "a day from today on"},
		{"key_exempt", "late", "1927-01-14", "until", "a day from today on"},
		{"key_exempt", "late", "2028-01-16", "until", "a year from now at most"},
		{"key_exempt", "late", "9999-12-31", "until", "a year from now at most"},
		{"key_exempt", "late", "tomorrow", "until", "a day from today on"},
		{"key_exempt", "late", "2027-02-30", "until", "a day from today on"},
	} {
		m := o.submit(ben, c.form, id, map[string]string{"why": c.why, "until": c.until})
		if m.Text != "" || !strings.Contains(m.Wrong[c.field], c.want) || len(m.Wrong) != 1 {
			t.Errorf("%s, %.20q, %q is answered with %+v", c.form, c.why, c.until, m)
		}
	}
	o.wantHistory(id, purge.Warned)
	for _, until := range []string{"2027-01-15", "2028-01-15"} { // today, and a year from now
		if m := o.submit(ben, "key_exempt", id, map[string]string{"why": "late", "until": until}); m.Text == "" {
			t.Errorf("%s is answered with %+v", until, m)
		}
	}
}

// Whoever may not decide reads why, nothing happens, and the trail has it.
func TestWhoMayNotDecideAboutAKey(t *testing.T) {
	for name, c := range map[string]struct {
		user   string
		is     func(*auth.Person)
		want   string
		reason auth.Reason
	}{
		"the owner":        {hana, nil, "does not name you among those who decide about access keys", auth.NoDecider},
		"a stranger":       {outsider, nil, "does not name you", auth.NoDecider},
		"a guest":          {mai, func(p *auth.Person) { p.Guest = true }, "guests decide nothing", auth.NoDecider},
		"one who has left": {mai, func(p *auth.Person) { p.Deactivated = true }, "does not name you", auth.NoDecider},
	} {
		t.Run(name, func(t *testing.T) {
			o := newKeyOffice(t)
			id, _ := o.warned()
			if c.is != nil {
				p := o.people.all[c.user]
				c.is(&p)
				o.people.all[c.user] = p
			}
			o.refusedAll(id, c.user, c.want, c.reason, 2, 2)
		})
	}
	t.Run("one's own key may be ended, not spared", func(t *testing.T) {
		o := newKeyOffice(t)
		o.Policy.Keys.Decide = []string{hana, ben}
		id, _ := o.warned()
		for _, form := range []string{"key_keep", "key_exempt"} {
			wants(t, form, o.click(hana, form, id).Text, "This is your own key")
			wants(t, form, o.submit(hana, form, id, map[string]string{"why": "late", "until": "2027-03-01"}).Text, "This is your own key")
		}
		if all := o.noted(auth.ActKeyKeep, auth.Refused); len(all) != 2 || all[0].Decided != hana || all[0].Reason != string(auth.OwnKey) {
			t.Errorf("the trail has %+v", all)
		}
		wants(t, "key_off", o.click(hana, "key_off", id).Text, "I am deactivating it")
	})
	t.Run("an unknown key", func(t *testing.T) {
		o := newKeyOffice(t)
		o.refusedAll("AKIATESTFORGED", ben, "Nothing is known of that access key", auth.NoKey, 2, 2)
	})
	t.Run("in observe mode", func(t *testing.T) {
		o := newKeyOffice(t)
		o.Policy.Keys.Mode = auth.Observe
		id, _ := o.warned()
		wants(t, "an old card", o.click(ben, "key_off", id).Text, "Observe mode changes nothing in AWS")
		o.wantNoted(auth.ActKeyOrder, auth.Refused)
		wants(t, "kept", o.submit(ben, "key_keep", id, map[string]string{"why": "late"}).Text, "is kept until")
		o.rush()
		if len(o.iam.acts()) > 0 {
			t.Errorf("it did %v", o.iam.acts())
		}
	})
}

// refusedAll presses every button of a warned key and sends every form.
func (o *keyOffice) refusedAll(id, user, want string, reason auth.Reason, keeps, exempts int) {
	o.t.Helper()
	was := o.history(id)
	for _, action := range []string{"key_off", "key_undo", "key_keep", "key_exempt"} {
		wants(o.t, action, o.click(user, action, id).Text, want)
	}
	for _, form := range []string{"key_keep", "key_exempt"} {
		wants(o.t, "the form "+form, o.submit(user, form, id, map[string]string{"why": "late", "until": "2027-03-01"}).Text, want)
	}
	for act, n := range map[auth.Act]int{auth.ActKeyOrder: 2, auth.ActKeyKeep: keeps, auth.ActKeyExempt: exempts} {
		all := o.noted(act, auth.Refused)
		if len(all) != n {
			o.t.Errorf("of %s the trail has %+v", act, all)
		}
		for _, e := range all {
			if e.Decided != user || e.Key != id || e.Reason != string(reason) ||
				e.Door != "socket" || e.Source == "" || len(was) > 0 && e.IAMUser != "hana" {
				o.t.Errorf("the trail has %+v", e)
			}
		}
	}
	o.rush()
	if said := o.chat.all(); len(said) > 0 || len(o.views.opened) > 0 || len(o.iam.acts()) > 0 {
		o.t.Errorf("others are told %+v, shown %+v, and it did %v", said, o.views.opened, o.iam.acts())
	}
	o.wantHistory(id, was...)
}

// Whoever comes too late reads how the key stands.
func TestWhoComesTooLateReadsHowTheKeyStands(t *testing.T) {
	for name, c := range map[string]struct {
		first  func(o *keyOffice, id string)
		button string
		want   string
	}{
		"being deactivated": {func(o *keyOffice, id string) {
			o.click(mai, "key_off", id)
			o.queue.take(o.t)
		}, "key_off", "<@U0MAI> wants to deactivate access key `…ANA1`"},
		"deactivated":     {func(o *keyOffice, id string) { o.click(mai, "key_off", id); o.rush() }, "key_keep", "is deactivated, as <@U0MAI> decided"},
		"deleted":         {func(o *keyOffice, _ string) { o.days(24) }, "key_undo", "is deleted"},
		"nothing to undo": {func(*keyOffice, string) {}, "key_undo", "will be deactivated"},
		"deactivated by others": {func(o *keyOffice, _ string) {
			o.iam.change("hana", func(u *purge.User) { u.Keys[0].Active = false })
			o.days(15)
		}, "key_undo", "somebody deactivated it in AWS"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newKeyOffice(t)
			id, _ := o.warned()
			c.first(o, id)
			o.chat.all()
			was := o.history(id)
			m := o.click(ben, c.button, id)
			wants(t, "the answer", m.Text, "That came too late, and changed nothing: ", c.want)
			o.wantHistory(id, was...)
			var refused []auth.Entry
			for _, e := range o.entries() {
				if e.Outcome == auth.Refused {
					refused = append(refused, e)
				}
			}
			if len(refused) != 1 || refused[0].Decided != ben || refused[0].Reason != string(auth.KeyMoved) {
				t.Errorf("the trail has %+v", refused)
			}
		})
	}
}

// Whoever took an order died before a worker heard of it: the next click has it
// carried out, as it was ordered.
func TestAClickThatComesTooLateCarriesOutWhatWasOrdered(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.click(mai, "key_off", id)
	o.queue.take(t)
	o.click(ben, "key_off", id)
	o.rush()
	if o.iam.state(id) != "inactive" {
		t.Errorf("the key is %s", o.iam.state(id))
	}
	o.wantHistory(id, purge.Warned, purge.Ordered, purge.Begun, purge.Deactivated)
}

// Of people who click at once, in different processes, one has their way.
func TestTwoPeopleAtOnceAtOneKey(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	b := o.beside()
	answers := make([]commands.Message, 2)
	press := func(d *commands.Desk, user string, handle handler) commands.Message {
		m, err := handle(t.Context(), d, commands.Request{ID: "trigger." + user, Door: "socket", User: user, Value: id})
		if err != nil {
			m, _ = commands.Sorry(err)
		}
		return m
	}
	var both sync.WaitGroup
	both.Go(func() { answers[0] = press(o.Desk, ben, o.button("key_off")) })
	both.Go(func() { answers[1] = press(b.Desk, mai, b.button("key_off")) })
	both.Wait()
	lost := 0
	for _, m := range answers {
		if strings.Contains(m.Text, "too late") {
			lost++
		} else {
			wants(t, "who was first", m.Text, "I am deactivating it")
		}
	}
	if lost != 1 {
		t.Errorf("answered %+v", answers)
	}
	o.rush()
	if acts := o.iam.acts(); len(acts) != 1 {
		t.Errorf("it did %v", acts)
	}
	o.wantHistory(id, purge.Warned, purge.Ordered, purge.Begun, purge.Deactivated)
	o.wantNoted(auth.ActKeyOrder, auth.Done)
	o.wantNoted(auth.ActKeyOrder, auth.Refused)
}

// What was ordered and came to nothing is told, and recorded as that.
func TestAnOrderThatComesToNothing(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.click(ben, "key_off", id)
	o.iam.change("hana", func(u *purge.User) { u.Keys[0].Active = false })
	o.rush()
	o.wantHeard("dropped", "update C0KEYS: will be deactivated",
		"post thread: it was to be deactivated, and was not: `it is inactive already`.")
	if e := o.wantNoted(auth.ActKeyOrder, auth.Refused); e.Reason != "deactivate" || e.Note != "it is inactive already" || e.Decided != ben {
		t.Errorf("the trail has %+v", e)
	}
	if acts := o.iam.acts(); len(acts) > 0 {
		t.Errorf("it did %v", acts)
	}
}

// A modal needs Slack's trigger; when that is too old, the click is answered as
// a fault, and nothing changes.
func TestAFormThatCannotBeOpened(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.views.away = errAway
	wants(t, "the answer", o.click(ben, "key_keep", id).Text, "Something went wrong")
	o.wantHistory(id, purge.Warned)
}
