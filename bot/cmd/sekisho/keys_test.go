package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

const (
	keysRoom = "C0KEYS"
	hanasKey = "AKIAEXAMPLEHANAXQ3H7"
	day      = 24 * time.Hour
)

// openKeys is a world whose policy looks after access keys. Ben and Rosa decide.
func openKeys(t *testing.T, keys string) *world {
	t.Helper()
	w := open(t, "enforce", "stop")
	text, err := os.ReadFile(w.policy)
	w.do(err)
	policy := strings.Replace(string(text), "alerts: C0ALERTS,", "alerts: C0ALERTS, keys: C0KEYS,", 1) + "keys: " + keys + "\n"
	w.do(os.WriteFile(w.policy, []byte(policy), 0o600))
	return w
}

// key finds an access key in IAM.
func (w *world) key(user, id string) (awssim.AccessKey, bool) {
	u, _ := w.AWS.User(user)
	n := slices.IndexFunc(u.Keys, func(k awssim.AccessKey) bool { return k.ID == id })
	if n < 0 {
		return awssim.AccessKey{}, false
	}
	return u.Keys[n], true
}

// untilKey waits for a key to be as wanted.
func (w *world) untilKey(user, id, what string, wanted func(k awssim.AccessKey, there bool) bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	changes := w.AWS.Changes(ctx)
	for !wanted(w.key(user, id)) {
		select {
		case <-changes:
		case <-ctx.Done():
			k, there := w.key(user, id)
			w.t.Fatalf("%s of %s never was %s; it is %+v, %v", id, user, what, k, there)
		}
	}
}

func active(k awssim.AccessKey, there bool) bool   { return there && k.Active }
func inactive(k awssim.AccessKey, there bool) bool { return there && !k.Active }
func gone(_ awssim.AccessKey, there bool) bool     { return !there }

// A key that grew too old gets a card and its owner a message; a second person
// deactivates it, takes that back, and deactivates it again; then it is deleted
// by itself, and the trail has each step.
func TestAKeyEnds(t *testing.T) {
	w := openKeys(t, "{mode: enforce, grace: 2s, decide: [S0SECURITY]}")
	w.serve()
	w.do(w.AWS.AgeKey(hanasKey, 100*day))
	w.do(w.AWS.CheckCompliance("hana"))
	card := w.message(keysRoom, "Access key `…Q3H7` of *`hana`* will be deactivated", "<@U0HANA>", "112 days", "Deactivate now")
	w.direct(hana, "will be deactivated in 14 days", "How to rotate it")

	w.press(hana, card, "key_off")
	w.answer(hana, keysRoom, "does not name you among those who decide about access keys")
	w.press(ben, card, "key_off")
	w.untilKey("hana", hanasKey, "inactive", inactive)
	card = w.message(keysRoom, "is deactivated, as <@U0BEN> decided", "Undo", "A deletion cannot be undone")
	w.press(rosa, card, "key_undo")
	w.untilKey("hana", hanasKey, "active", active)
	card = w.message(keysRoom, "is active again, as <@U0ROSA> decided, and kept until", "Deactivate now")

	w.press(ben, card, "key_keep")
	w.submit(ben, w.modal(ben, "Keep 7 days longer"), map[string]slacksim.Input{"why": {Value: "The supplier moves on the 12th"}})
	card = w.message(keysRoom, "<@U0BEN> kept access key `…Q3H7`", "The supplier moves on the 12th")
	w.press(rosa, card, "key_off")
	w.untilKey("hana", hanasKey, "gone", gone)
	w.message(keysRoom, "Access key `…Q3H7` of *`hana`* is deleted")
	w.direct(hana, "is deleted. If you still need one, make a new one")

	found := w.audited("find", "--key", hanasKey)
	for _, line := range []string{
		"key.warn", "key.order refused U0HANA U0HANA", "key.order done - U0BEN", "key.deactivate done", "key.order done - U0ROSA", "key.reactivate done", "key.keep done - U0BEN", "key.delete done",
	} {
		if !strings.Contains(strings.Join(strings.Fields(found), " "), line) {
			t.Errorf("the trail has no %q:\n%s", line, found)
		}
	}
	w.audit("The trail is whole")
	cards := 0
	for _, m := range w.Slack.Messages(keysRoom, ben) {
		if m.ThreadTS == "" && !m.Ephemeral {
			cards++
		}
	}
	if n := w.called("DeleteAccessKey"); cards != 1 || n != 1 {
		t.Errorf("%d cards and %d deletions", cards, n)
	}
}

// What is exempt is left alone, who asks is told, and the terminal does what is
// due, no more of it in a day than the policy allows.
func TestKeysFromTheTerminal(t *testing.T) {
	w := openKeys(t, `{mode: enforce, first_run: at_once, cap: {keys: 1, share: 100%}, exempt: [{path: /service/}], decide: [S0SECURITY]}`)
	for user, id := range map[string]string{"hana": hanasKey, "ci-deploy": "AKIAEXAMPLECIDEPM7C3"} {
		w.do(w.AWS.AgeKey(id, 100*day))
		if _, there := w.key(user, id); !there {
			t.Fatalf("%s has no key %s", user, id)
		}
	}
	if text := w.says(0, "policy", "check", w.policy); !strings.Contains(text, "access keys: mode enforce, max_age 90d") {
		t.Errorf("the policy's check says %q", text)
	}
	text := w.says(0, "keys", "plan")
	for _, want := range []string{"130d  ci-deploy  AKIAEXAMPLECIDEPM7C3  active", "exempt by the policy (path: /service/)", "112d  hana"} {
		if !strings.Contains(text, want) {
			t.Errorf("the plan does not say %q:\n%s", want, text)
		}
	}
	text = w.says(0, "keys", "apply", "--yes")
	if !strings.Contains(text, "AKIAEXAMPLEHANAXQ3H7 of hana: deactivate") {
		t.Errorf("apply says:\n%s", text)
	}
	if k, there := w.key("hana", hanasKey); !there || k.Active {
		t.Errorf("hana's key is %+v, %v", k, there)
	}
	w.message(keysRoom, "is deactivated, by the policy's `max_age: 90d`")

	w.do(w.AWS.AgeKey("AKIAEXAMPLEBENXXW4B2", 100*day))
	w.do(w.AWS.AgeKey("AKIAEXAMPLEROSAXT5R6", 100*day))
	text = w.says(0, "keys", "apply", "--yes")
	if !strings.Contains(text, "2 keys would end at once, and the policy allows 1 a day") || w.called("UpdateAccessKey") != 1 {
		t.Errorf("over the cap: %d calls, and\n%s", w.called("UpdateAccessKey"), text)
	}
	w.message(keysRoom, "2 access keys would end now", "nothing was touched")
	text = w.says(0, "keys", "apply", "--yes", "--above-cap", "2")
	if w.called("UpdateAccessKey") != 3 {
		t.Errorf("let go on: %d calls, and\n%s", w.called("UpdateAccessKey"), text)
	}
	var plan struct {
		Mode string
		Keys []struct{ User, State, Then string }
	}
	if err := json.Unmarshal([]byte(w.says(0, "keys", "plan", "--user", "rosa", "--format", "json")), &plan); err != nil {
		t.Fatal(err)
	}
	if len(plan.Keys) != 1 || fmt.Sprint(plan) != "{enforce [{rosa inactive delete}]}" {
		t.Errorf("rosa's plan is %+v", plan)
	}
	if k, there := w.key("ci-deploy", "AKIAEXAMPLECIDEPM7C3"); !there || !k.Active {
		t.Errorf("the exempt key is %+v, %v", k, there)
	}
	w.audit("The trail is whole")
}

// Those who decide are shown everybody's keys, everybody else their own.
func TestSekishoKeys(t *testing.T) {
	w := openKeys(t, "{mode: observe, decide: [S0SECURITY]}")
	w.serve()
	w.do(w.AWS.AgeKey(hanasKey, 100*day))
	w.do(w.Slack.Command(w.ctx, ben, ops, "/sekisho", "keys"))
	w.answer(ben, ops, "Access keys, the oldest first", "Observe mode", "`hana`", "112 days", "deactivate", "`ci-deploy`")
	w.do(w.Slack.Command(w.ctx, hana, ops, "/sekisho", "keys"))
	m := w.answer(hana, ops, "Access keys, the oldest first", "…Q3H7")
	if strings.Contains(readable(m), "ci-deploy") {
		t.Errorf("Hana sees others' keys: %s", readable(m))
	}
	w.do(w.Slack.Command(w.ctx, hana, ops, "/sekisho", "keys ben"))
	w.answer(hana, ops, "You see the keys of your own IAM user")
	w.do(w.Slack.Command(w.ctx, ben, ops, "/sekisho", "keys hana"))
	w.answer(ben, ops, "…Q3H7")
	w.do(w.Slack.Command(w.ctx, ben, ops, "/sekisho", "what"))
	w.answer(ben, ops, "I don't know `what`", "/sekisho keys")
	if n := w.called("UpdateAccessKey"); n != 0 {
		t.Errorf("observe mode changed %d keys", n)
	}
}
