package commands_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/commands"
)

// formText is the form as Slack gets it.
func formText(t testing.TB, v slack.ModalViewRequest) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestPassAloneAndTheShortcutOpenTheForm(t *testing.T) {
	for _, text := range []string{"", "   ", "\n\t", "\u00a0", "the shortcut", "the button"} {
		o := newCheckpoint(t)
		o.ec2.change(dbID, func(i *auth.Instance) { i.State = auth.Running })
		r := o.request(hana)
		answers, channel := commands.Commands()[0].Answers, ops
		switch text {
		case "the shortcut":
			answers, channel = commands.Shortcuts()[0].Answers, ""
			r.Channel, r.ResponseURL = "", ""
		case "the button":
			m := o.click(hana, "ask_open", "home")
			wants(t, text, formText(t, o.views.last(t)), `"callback_id":"ask"`)
			lacks(t, text, m.Text, "Guarded")
			continue
		default:
			r.Text = text
		}
		if m := o.answer(answers, r); m.Text != "" {
			t.Errorf("%q is answered with %q besides", text, m.Text)
		}
		if got := o.views.triggers; len(got) != 1 || got[0] != r.ID {
			t.Errorf("%q: opened for %v, not for %s", text, got, r.ID)
		}
		v := o.views.last(t)
		form := formText(t, v)
		if v.CallbackID != "ask" || v.PrivateMetadata != channel {
			t.Errorf("%q: the form is %q about %q", text, v.CallbackID, v.PrivateMetadata)
		}
		wants(t, "the form", form, `"value":"`+gpuID+`"`, "gpu-1 — p4d.24xlarge", webID, `"value":"5m0s"`, "5 minutes", "As long as the policy allows", "Why?")
		lacks(t, "the form", form, dbID, "build-1", `"value":"10m0s"`) // running, not guarded, as long as the longest
	}
}

func TestTheFormWithoutAMenu(t *testing.T) {
	o := newOffice(t)
	node := func(n int) string { return fmt.Sprintf("i-00000000000000%03d", n) }
	guarded := map[string]string{"Sekisho": "guarded"}
	for n := range 98 {
		o.ec2.change(node(n), func(i *auth.Instance) { i.State, i.Tags = auth.Stopped, guarded })
	}
	o.ask(hana, "")
	if form := formText(t, o.views.last(t)); strings.Count(form, `"value":"i-`) != 100 {
		t.Errorf("of 100 instances: %s", form)
	}
	o.ec2.change(node(98), func(i *auth.Instance) { i.State, i.Tags = auth.Stopped, guarded })
	o.ask(hana, "")
	form := formText(t, o.views.last(t))
	wants(t, "with more than a menu takes", form, `"action_id":"name"`, `"max_length":256`)
	lacks(t, "with more than a menu takes", form, `"value":"i-`)

	o = newOffice(t)
	for _, id := range []string{webID, dbID} {
		o.ec2.change(id, func(i *auth.Instance) { i.State = auth.Running })
	}
	o.ask(hana, "")
	wants(t, "with none that is stopped", formText(t, o.views.last(t)), `"action_id":"name"`)
	o.Policy.Gate.Guard = auth.Guard{}
	o.ask(hana, "")
	v := o.views.last(t)
	wants(t, "with none guarded", formText(t, v), "No instance is guarded yet")
	if v.Submit != nil {
		t.Error("there is nothing to submit")
	}
}

// Slack may have taken too long for its own trigger.
func TestTheListDoesWhereTheFormCannotOpen(t *testing.T) {
	o := newOffice(t)
	o.views.away = fmt.Errorf("expired_trigger_id")
	if m := o.ask(hana, ""); !strings.Contains(m.Text, "Guarded instances") {
		t.Errorf("answered with %q", m.Text)
	}
}

func TestTheFormAsksForAPass(t *testing.T) {
	o := newCheckpoint(t)
	fill := func(instance, why, long string) map[string]string {
		return map[string]string{"instance": instance, "why": why, "long": long}
	}
	m := o.submit(hana, "ask", ops, fill(webID, "", "2m0s"))
	secret := code(t, m)
	if d := o.stopsAt(t, webID); !d.Equal(noon.Add(2 * time.Minute)) {
		t.Errorf("a pass for 2 minutes is good until %s", d)
	}
	o.submit(hana, "ask", ops, fill(webID, "", "4h0m0s")) // longer than the policy allows
	if d := o.stopsAt(t, webID); !d.Equal(noon.Add(10 * time.Minute)) {
		t.Errorf("a pass for 4 hours is good until %s", d)
	}
	if m := m.Modal(); !strings.Contains(formText(t, m), secret) {
		t.Error("the code is lost on the way into the modal")
	}

	if m := o.submit(hana, "ask", ops, fill(gpuID, "  for the training\n", "5m0s")); !strings.Contains(m.Text, "*Asked*") {
		t.Errorf("answered with %q", m.Text)
	}
	all, err := o.Requests.Store.Requests(t.Context())
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if r := all[0]; r.Why != "for the training" || r.TTL != 5*time.Minute || r.Channel != ops || r.Asker != hana {
		t.Errorf("the request is %+v", r)
	}
}

// stopsAt is when hana's live pass ends.
func (o *office) stopsAt(t *testing.T, id string) time.Time {
	t.Helper()
	live, err := o.Passes.Live(t.Context(), hana, []string{id})
	if err != nil || len(live) != 1 {
		t.Fatalf("%d live passes, %v", len(live), err)
	}
	return live[0].Deadline
}

// What is wrong in a field is said beside it, so that nothing typed is lost.
func TestTheFormSaysWhatToMend(t *testing.T) {
	for name, c := range map[string]struct {
		fields      map[string]string
		field, want string
	}{
		"an unknown name":      {map[string]string{"name": "mail-7", "long": "0"}, "name", "no instance named"},
		"several of that name": {map[string]string{"name": "web-1", "long": "0"}, "name", "2 instances are named"},
		"a mention":            {map[string]string{"name": "<@U0BEN>", "long": "0"}, "name", "mention or a link"},
		"no time":              {map[string]string{"name": "gpu-1"}, "long", "one of the times"},
		"a forged time":        {map[string]string{"name": "gpu-1", "long": "-5m"}, "long", "one of the times"},
		"10,000 characters":    {map[string]string{"name": "gpu-1", "long": "0", "why": strings.Repeat("ä", 10_000)}, "why", "10000 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newCheckpoint(t)
			o.ec2.tag(dbID, "Name", "web-1")
			m := o.submit(hana, "ask", ops, c.fields)
			if m.Text != "" || len(m.Wrong) != 1 || !strings.Contains(m.Wrong[c.field], c.want) {
				t.Errorf("answered with %+v", m)
			}
			if all, err := o.Requests.Store.Requests(t.Context()); err != nil || len(all) > 0 {
				t.Errorf("asked all the same: %+v, %v", all, err)
			}
		})
	}
	o := newCheckpoint(t)
	for field, c := range map[string]struct{ user, instance, want string }{
		"who may not":   {outsider, webID, "`operators` does not let you"},
		"not guarded":   {hana, openID, "not guarded"},
		"gone meantime": {hana, "i-0123456789abcdef0", "no such instance"},
	} {
		if m := o.submit(c.user, "ask", ops, map[string]string{"instance": c.instance, "long": "0"}); !strings.Contains(m.Text, c.want) {
			t.Errorf("%s: answered with %+v", field, m)
		}
	}
	m := o.submit(hana, "ask", ops, map[string]string{"instance": prodID, "long": "0"})
	if !strings.Contains(m.Wrong["why"], "wants to know why") {
		t.Errorf("no reason, which can be written into the form that is still open: %+v", m)
	}
}

// A form counts against the person's limit like a command.
func TestTheFormCountsAgainstTheLimit(t *testing.T) {
	o := newOffice(t)
	o.Policy.Passes.Limit = auth.Limit{Person: 1, Instance: 100, Per: 10 * time.Minute}
	o.submit(hana, "ask", ops, map[string]string{"instance": webID, "long": "0"})
	if m := o.submit(hana, "ask", ops, map[string]string{"instance": webID, "long": "0"}); !strings.Contains(m.Text, "again in 10 minutes") {
		t.Errorf("answered with %q", m.Text)
	}
}
