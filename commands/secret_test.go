package commands_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/commands"
)

// A code stands in the private answer that shows it, and a response URL, which
// is as good as a password for a while, nowhere at all: whatever way a pass is
// had, and whatever fails meanwhile.
func TestNoCodeAndNoResponseURLGetsAnywhere(t *testing.T) {
	o := newCheckpoint(t)
	o.Policy.Passes.Limit = auth.Limit{Person: 100, Instance: 100, Per: time.Minute}
	var codes []string
	var others []commands.Message
	shown := func(m commands.Message) { t.Helper(); codes = append(codes, code(t, m)) }

	o.chat.fail["respond"], o.chat.fail["direct"] = errors.New("used_url"), errBlocked
	id, _ := o.requested(hana, "gpu-1 for the nightly training")
	others = append(others, o.click(ben, "request_approve", id))
	o.rush()
	shown(o.click(hana, "request_show", id))
	others = append(others, o.click(ben, "request_show", id))
	shown(o.click(hana, "request_show", id))
	o.rush()
	shown(o.click(hana, "request_break", buttonValue(t, o.ask(hana, "break-glass gpu-1 for the outage"), "request_break")))
	o.rush()
	clear(o.chat.fail)
	shown(o.submit(hana, "ask", ops, map[string]string{"instance": dbID, "long": "0"}))
	o.ask(hana, "")
	page, _ := startNow(o)
	shown(page)
	o.rush() // starts it for her
	codes = append(codes, o.ec2.get(webID).Tags["Auth"])
	o.events(webID, auth.Pending)
	o.ec2.tag(gpuID, "Auth", codes[0]) // void by now
	o.ec2.start(gpuID)
	o.events(gpuID, auth.Pending)
	o.Trail = lostTrail{o.trail}
	shown(o.ask(ben, "db-1"))
	o.redis.SetError(gone)
	others = append(others, o.ask(hana, "gpu-1"), o.click(hana, "request_show", id))
	o.redis.SetError("")
	o.home(hana)
	others = append(others, o.ask(hana, "mine"), o.ask(hana, "list"), o.ask(ben, "revoke db-1"))

	places := map[string]string{"the log": o.log.String(), "the trail's lines": o.lines.String(), "Redis": o.redis.Dump()}
	place := func(name string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		places[name] = string(text)
	}
	place("the trail", o.entries())
	place("the forms", o.views.opened)
	place("the Home tab", o.views.published)
	for n, m := range others {
		place(fmt.Sprint("answer ", n), m)
	}
	for n, s := range o.chat.all() {
		place(fmt.Sprint("message ", n, " ", s.how), []any{s.text, s.blocks})
	}
	for n, task := range o.queue.tasks {
		places[fmt.Sprint("task ", n)] = task.text
	}
	for name, text := range places {
		for n, secret := range codes {
			if len(secret) != 31 || strings.Contains(strings.ToUpper(text), secret) {
				t.Errorf("%s holds code %d, %q: %s", name, n, secret, text)
			}
		}
		if strings.Contains(text, "hooks.slack") {
			t.Errorf("%s holds a response URL: %s", name, text)
		}
	}
	if len(codes) != 7 || len(places) < 25 {
		t.Errorf("%d codes were looked for in %d places", len(codes), len(places))
	}
}

// Of who waits for the list of keys, too, the response URL gets nowhere,
// whatever fails meanwhile.
func TestNoResponseURLOfKeysGetsAnywhere(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.sekisho(ben, "keys")
	places := map[string]string{"the queue": o.queue.tasks[0].text}
	o.chat.fail["respond"] = errors.New("used_url")
	o.rush()
	o.iam.fail["Users"] = errors.New("ServiceUnavailable")
	o.sekisho(ben, "keys")
	o.rush()
	o.click(ben, "key_off", id)
	o.submit(outsider, "key_keep", id, map[string]string{"why": "late"})
	o.iam.fail["Deactivate"] = errors.New("ServiceUnavailable")
	o.rush()
	o.redis.SetError(gone)
	o.click(mai, "key_undo", id)
	o.sekisho(ben, "keys")
	o.rush()
	o.redis.SetError("")

	places["the log"], places["the trail's lines"], places["Redis"] = o.log.String(), o.lines.String(), o.redis.Dump()
	place := func(name string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		places[name] = string(text)
	}
	place("the trail", o.entries())
	place("the tasks", fmt.Sprint(o.queue.tasks))
	for n, s := range o.chat.all() {
		place(fmt.Sprint("message ", n, " ", s.how), []any{s.text, s.blocks})
	}
	for name, text := range places {
		if strings.Contains(text, "hooks.slack") {
			t.Errorf("%s holds a response URL: %s", name, text)
		}
	}
	if len(places) < 6 || !strings.Contains(places["the log"], "used_url") || !strings.Contains(places["the queue"], `"reply"`) {
		t.Errorf("it was looked for in %d places", len(places))
	}
}
