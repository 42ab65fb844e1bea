package commands_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

var statement = regexp.MustCompile("(?s)```(.+)```")

// wantMissing wants people told which permission is missing, with a statement
// of an IAM policy that grants it.
func (o *keyOffice) wantMissing(action, resource string) {
	o.t.Helper()
	said := o.newly()
	if len(said) != 1 || said[0].how != "post" || said[0].channel != keysChannel || said[0].thread != "" {
		o.t.Fatalf("told %+v", said)
	}
	s := said[0]
	wants(o.t, "what is told", s.text, "A permission is missing", "`"+action+"`", "the next sweep goes on by itself")
	found := statement.FindStringSubmatch(s.text)
	if found == nil {
		o.t.Fatalf("there is no statement in %q", s.text)
	}
	var grant struct{ Effect, Action, Resource string }
	if err := json.Unmarshal([]byte(found[1]), &grant); err != nil {
		o.t.Errorf("%s: %v", found[1], err)
	}
	if grant.Effect != "Allow" || grant.Action != action || grant.Resource != resource {
		o.t.Errorf("it would grant %+v", grant)
	}
	if exempt := strings.Contains(s.text, "`keys.exempt`"); exempt != (resource != "*") {
		o.t.Errorf("the other way, to leave users out: %v in %q", exempt, s.text)
	}
}

// A permission that the bot's role lacks is told once a day, with what to add;
// what needs it waits for the next sweep, and is not tried for ever.
func TestAMissingPermissionIsToldOnceADay(t *testing.T) {
	o := newKeyOffice(t)
	id, _ := o.warned()
	o.click(ben, "key_off", id)
	denied := fmt.Errorf("%w (AccessDenied: User is not authorized)", &purge.Denied{Action: "iam:UpdateAccessKey"})
	o.iam.fail["Deactivate"] = denied
	o.rush()
	o.wantMissing("iam:UpdateAccessKey", "arn:aws:iam::111122223333:user/*")
	if kinds := o.queue.kinds(); len(kinds) > 0 {
		t.Errorf("it is tried again: %v", kinds)
	}
	o.later(2 * time.Minute)
	if err := o.attendKey(id, "hana"); err != nil {
		t.Errorf("the task comes again: %v", err)
	}
	o.later(22 * time.Hour)
	o.sweepKeys()
	if said := o.newly(); len(said) > 0 {
		t.Errorf("told again within a day: %+v", said)
	}
	o.later(2 * time.Hour)
	o.sweepKeys()
	o.wantMissing("iam:UpdateAccessKey", "arn:aws:iam::111122223333:user/*")
	clear(o.iam.fail)
	o.days(1)
	if o.iam.state(id) != "inactive" {
		t.Errorf("with the permission the key is %s", o.iam.state(id))
	}
}

// newly is what people notice: that a card is rewritten, they do not.
func (o *keyOffice) newly() []said {
	return slices.DeleteFunc(o.chat.all(), func(s said) bool { return s.how == "update" })
}

// Whichever call it is, event and schedule are done with: trying again changes
// nothing. Each permission is told for itself.
func TestWhicheverPermissionIsMissing(t *testing.T) {
	o := newKeyOffice(t)
	id := o.iam.add("hana", 76*day)[0]
	o.Purge.Account(t.Context())
	for _, c := range []struct{ call, action string }{
		{"Users", "iam:ListUsers"}, {"Keys", "iam:ListAccessKeys"}, {"User", "iam:GetUser"}, {"LastUse", "iam:GetAccessKeyLastUsed"},
	} {
		clear(o.iam.fail)
		o.iam.fail[c.call] = &purge.Denied{Action: c.action}
		for range 2 {
			if err := o.schedule(); err != nil {
				t.Errorf("%s: the schedule's event is kept: %v", c.action, err)
			}
		}
		o.wantMissing(c.action, "*")
		if c.call != "Users" {
			if err := o.says(); err != nil {
				t.Errorf("%s: Config's event is kept: %v", c.action, err)
			}
		}
		if more := o.chat.all(); len(more) > 0 || len(o.queue.kinds()) > 0 {
			t.Errorf("%s: more is told: %+v, to do: %v", c.action, more, o.queue.kinds())
		}
	}
	clear(o.iam.fail)
	o.sweepKeys()
	o.wantHistory(id, purge.Warned)
}

// Another fault of AWS's keeps the schedule's event.
func TestASweepThatFailsIsKept(t *testing.T) {
	o := newKeyOffice(t)
	o.iam.add("hana", 76*day)
	o.iam.fail["Users"] = errors.New("Throttling: Rate exceeded")
	if err := o.schedule(); err == nil {
		t.Error("the event is lost")
	}
	o.wantHeard("and told nobody")
	clear(o.iam.fail)
	o.redis.SetError(gone)
	if err := o.schedule(); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("with the store away: %v", err)
	}
}
