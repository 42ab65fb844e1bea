package commands_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/commands"
)

const (
	gpuID     = "i-0fffffffffffffff6" // one of the leads must agree
	prodID    = "i-09999999999999999" // two of three people must, and a reason is needed
	approvals = "C0APPROVALS"
	loud      = "C0LOUD"
	leads     = "S0LEADS" // ben, mai and hana

	attendTask = "Look after a request"
)

// newCheckpoint is an office with instances that need somebody's approval.
// Hana may break the glass for gpu-1.
func newCheckpoint(t testing.TB) *office {
	t.Helper()
	o := newOffice(t)
	o.needApproval()
	return o
}

func (o *office) needApproval() {
	o.Policy.Channels.Approvals, o.Policy.Channels.BreakGlass = approvals, loud
	o.people.groups[leads] = []string{ben, mai, hana}
	o.Policy.Rules = append([]auth.Rule{
		{
			Name: "gpus", Ask: []string{auth.Everyone}, Match: auth.Match{Names: []string{"gpu-*"}, Tags: map[string]string{"Team": "ml"}},
			Approve:    &auth.Approve{By: []string{leads}, Count: 1, Within: 4 * time.Hour},
			BreakGlass: &auth.BreakGlass{By: []string{hana}, TTL: 5 * time.Minute},
		},
		{
			Name: "databases", Ask: []string{auth.Everyone}, Match: auth.Match{Names: []string{"prod-*"}},
			Approve: &auth.Approve{By: []string{ben, mai, tom}, Count: 2, Within: 2 * time.Hour, Reason: true, Confirm: true},
		},
	}, o.Policy.Rules...)
	add := func(id, name, kind string) {
		o.ec2.change(id, func(i *auth.Instance) {
			*i = auth.Instance{
				ID: id, Type: kind, State: auth.Stopped, LaunchTime: noon.Add(-24 * time.Hour), Account: "111122223333",
				Region: "eu-central-1", RootDevice: "ebs",
				Tags: map[string]string{"Name": name, "Sekisho": "guarded", "Team": "ml"},
			}
		})
	}
	add(gpuID, "gpu-1", "p4d.24xlarge")
	add(prodID, "prod-db", "r6i.2xlarge")
}

// requested types `/ec2-pass text`, which must make a request, and has its card
// posted.
func (o *office) requested(user, text string) (id string, card said) {
	o.t.Helper()
	id = buttonValue(o.t, o.ask(user, text), "request_withdraw")
	o.rush()
	card = o.chat.next(o.t, "post")
	if card.thread != "" {
		o.t.Fatalf("no card, but %+v", card)
	}
	return id, card
}

// approved makes a request for gpu-1 that ben has approved, and of which all
// was told.
func (o *office) approved() (id string, card said) {
	o.t.Helper()
	id, card = o.requested(hana, "gpu-1 for the nightly training")
	o.click(ben, "request_approve", id)
	o.rush()
	o.chat.all()
	return id, card
}

// rush runs the tasks that are for now, as the worker does.
func (o *office) rush() { o.t.Helper(); o.pass(0) }

// pass lets some time pass, and runs the tasks that were for then.
func (o *office) pass(d time.Duration) {
	o.t.Helper()
	o.later(d)
	for n, older := 0, len(o.queue.tasks); n < len(o.queue.tasks); {
		task := o.queue.tasks[n]
		if task.after > d || n >= older && task.after > 0 {
			n++
			continue
		}
		o.queue.tasks, older = append(o.queue.tasks[:n:n], o.queue.tasks[n+1:]...), older-1
		var e commands.Event
		if err := json.Unmarshal([]byte(task.text), &e); err != nil {
			o.t.Fatal(err)
		}
		if err := o.run(e); err != nil {
			o.t.Fatalf("%s: %v", e.DetailType, err)
		}
	}
}

// submit sends a form off.
func (o *office) submit(user, callback, about string, fields map[string]string) commands.Message {
	o.t.Helper()
	r := o.request(user)
	r.Channel, r.ResponseURL, r.Value, r.Fields = "", "", about, fields
	return o.answer(o.form(callback), r)
}

// form is what the form with this id calls.
func (o *office) form(callback string) handler {
	o.t.Helper()
	for _, f := range commands.Forms() {
		if f.Callback == callback {
			return f.Answers
		}
	}
	o.t.Fatalf("there is no form %q", callback)
	return nil
}

// stored is the request as it stands.
func (o *office) stored(id string) auth.Request {
	o.t.Helper()
	r, _, err := o.Requests.Store.Request(o.t.Context(), id)
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

// entries are the trail's, which must be whole.
func (o *office) entries() (all []auth.Entry) {
	o.t.Helper()
	if _, err := o.trail.Verify(o.t.Context(), func(e auth.Entry) { all = append(all, e) }); err != nil {
		o.t.Fatal(err)
	}
	return all
}

// noted are the trail's entries of this act with this outcome.
func (o *office) noted(act auth.Act, outcome auth.Result) (some []auth.Entry) {
	o.t.Helper()
	for _, e := range o.entries() {
		if e.Act == act && e.Outcome == outcome {
			some = append(some, e)
		}
	}
	return some
}

// wantNoted asks for exactly one such entry.
func (o *office) wantNoted(act auth.Act, outcome auth.Result) auth.Entry {
	o.t.Helper()
	all := o.noted(act, outcome)
	if len(all) != 1 {
		o.t.Fatalf("%d entries of %s, %s: %+v", len(all), act, outcome, o.entries())
	}
	return all[0]
}

// reads is everything a reader of the blocks sees, and the buttons' ids.
func reads(t testing.TB, text string, blocks []slack.Block) string {
	t.Helper()
	raw, err := json.Marshal(blocks)
	if err != nil {
		t.Fatal(err)
	}
	return text + "\n" + strings.Join(texts(blocks), "\n") + "\n" + string(raw)
}

// wants are words that must stand in the text.
func wants(t testing.TB, what, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("%s does not say %q: %s", what, w, text)
		}
	}
}

// lacks are words that must not.
func lacks(t testing.TB, what, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(text, w) {
			t.Errorf("%s says %q: %s", what, w, text)
		}
	}
}
