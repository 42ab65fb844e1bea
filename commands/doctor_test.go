package commands_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/doctor"
	"sekisho/auth/rights"
	"sekisho/commands"
)

const doctorTask = "Examine for somebody"

// patient is what a doctor looks at; nothing of it can be reached.
type patient struct{}

var errFar = errors.New("it is away")

func (patient) Look(context.Context) (doctor.RedisFacts, error) { return doctor.RedisFacts{}, errFar }
func (patient) App(context.Context) (doctor.AppFacts, error)    { return doctor.AppFacts{}, errFar }
func (patient) Socket(context.Context) (doctor.SocketFacts, error) {
	return doctor.SocketFacts{}, errFar
}
func (patient) Channel(_ context.Context, id string) (string, error) { return "room " + id, nil }
func (patient) Installed(context.Context, string) (doctor.Manifest, error) {
	return doctor.Manifest{}, fmt.Errorf("%w: no token", doctor.ErrUnseen)
}

// newClinic is an office that ben administers, with a doctor.
func newClinic(t *testing.T) *keyOffice {
	o := newKeyOffice(t)
	o.Policy.Admins = []string{ben}
	o.Doctor = &doctor.Doctor{
		Policy: o.Policy, Redis: patient{}, Slack: patient{}, AWS: nobodysAWS{}, Now: o.clock.Now, Wants: commands.App(),
	}
	return o
}

type nobodysAWS struct{ doctor.AWS }

func (nobodysAWS) WhoAmI(context.Context) (doctor.Identity, error) { return doctor.Identity{}, errFar }

// What is bad comes first, with what to do; whoever asked reads it where they asked.
func TestAnAdministratorAsksForTheDoctor(t *testing.T) {
	o := newClinic(t)
	wants(t, "the first answer", o.sekisho(ben, "doctor").Text, "I answer here in a moment")
	task := o.queue.tasks[0].text
	lacks(t, "the queue", task, "hooks.slack", answerAt, ben)
	if err := o.work(doctorTask); err != nil {
		t.Fatal(err)
	}
	s := o.chat.next(t, "respond")
	if s.url != answerAt || !s.replace {
		t.Errorf("answered %+v", s)
	}
	said := texts(s.blocks)
	wants(t, "the title", said[0], "Sekisho needs you: 3 of 8 checks failed")
	signs := func(yield func(string) bool) {
		for _, text := range said[1:] {
			for line := range strings.SplitSeq(text, "\n") {
				if !strings.HasPrefix(line, "→") && !yield(line[:strings.IndexByte(line, ' ')]) {
					return
				}
			}
		}
	}
	if got := slices.Collect(signs); !slices.Equal(got, []string{"✗", "✗", "✗", "–", "✓", "✓", "✓", "✓"}) {
		t.Errorf("in this order: %v\n%s", got, strings.Join(said, "\n"))
	}
	wants(t, "the answer", strings.Join(said, "\n"), "→ compare REDIS_URL", "the bot is in #room C0ALERTS")
	if e := o.wantNoted(auth.ActDoctor, auth.Done); e.Submitted != ben {
		t.Errorf("the trail has %+v", e)
	}
}

// The rights in AWS are many: those that are there are one line.
func TestTheDoctorCountsRights(t *testing.T) {
	o := newClinic(t)
	o.Doctor.AWS = allowing{}
	o.Doctor.Doors = []auth.Door{auth.DoorGate}
	o.sekisho(ben, "doctor")
	o.rush()
	s := o.chat.next(t, "respond")
	said := strings.Join(texts(s.blocks), "\n")
	wants(t, "the answer", said, "✗ role/sekisho may not call ec2:DescribeTags", "✓ 2 permissions in AWS are there")
	lacks(t, "the answer", said, "may call")
}

type allowing struct{ noMail }

func (allowing) WhoAmI(context.Context) (doctor.Identity, error) {
	return doctor.Identity{Principal: "arn:aws:iam::111122223333:role/sekisho"}, nil
}

func (allowing) Denied(_ context.Context, _ string, needs []rights.Right) (denied []rights.Right, err error) {
	for _, r := range needs {
		if r.Action != "ec2:DescribeInstances" && r.Action != "sqs:SendMessage" {
			denied = append(denied, r)
		}
	}
	return denied, nil
}

func (allowing) Rules(context.Context) ([]doctor.Rule, error)       { return nil, nil }
func (allowing) KeyRules(context.Context) ([]doctor.KeyRule, error) { return nil, nil }

func TestWhoMayNotAskForTheDoctor(t *testing.T) {
	o := newClinic(t)
	wants(t, "a stranger", o.sekisho(outsider, "doctor").Text, "does not name you among those who look after it")
	o.wantNoted(auth.ActDoctor, auth.Refused)
	o.sekisho(ben, "doctor")
	o.Policy.Admins = nil
	o.rush()
	o.wantHeard("who may not any more", "respond : does not name you")
	wants(t, "where nobody may", o.sekisho(ben, "doctor").Text, "does not name you")
	if len(o.queue.kinds()) > 0 {
		t.Errorf("to do: %v", o.queue.kinds())
	}
}

func TestWhereThereIsNoDoctor(t *testing.T) {
	o := newClinic(t)
	o.sekisho(ben, "doctor")
	o.Doctor = nil
	o.rush()
	o.wantHeard("a program without one", "respond : `sekisho doctor` at a terminal")
	o.Queue = nil
	wants(t, "without a queue", o.sekisho(ben, "doctor").Text, "SEKISHO_QUEUE_URL")
}

func TestAForgedExaminationGoesNowhere(t *testing.T) {
	o := newClinic(t)
	another, err := o.Passes.Pepper.Seal(o.Passes.Random, "keys for "+ben+" "+answerAt)
	if err != nil {
		t.Fatal(err)
	}
	for _, reply := range []string{another, "https://evil.test/", ""} {
		if err := o.run(taskOf(doctorTask, fmt.Sprintf(`{"reply":%q}`, reply))); err == nil {
			t.Errorf("taken: %q", reply)
		}
	}
	if said := o.chat.all(); len(said) > 0 {
		t.Errorf("answered %+v", said)
	}
}

// A hundred bad lines keep to what a message holds.
func TestALongExaminationFitsIntoAMessage(t *testing.T) {
	o := newClinic(t)
	for n := range 100 {
		o.Policy.Reports = append(o.Policy.Reports, auth.ReportPolicy{
			Name: fmt.Sprint("r", n), Mail: &auth.MailPolicy{From: strings.Repeat("x", 300) + fmt.Sprint(n)},
		})
	}
	o.Doctor.AWS = noMail{}
	o.sekisho(ben, "doctor")
	o.rush()
	s := o.chat.next(t, "respond")
	if len(s.blocks) > 50 {
		t.Errorf("%d blocks", len(s.blocks))
	}
	wants(t, "the answer", reads(t, s.text, s.blocks), "… and ", "`sekisho doctor` at a terminal lists all")
}

type noMail struct{ nobodysAWS }

func (noMail) Mail(context.Context, string) (doctor.MailFacts, error) {
	return doctor.MailFacts{}, errFar
}

// EventBridge has to bring what the policy asks for, and no more.
func TestWhatHasToArrive(t *testing.T) {
	p := auth.Defaults()
	kinds := func() (all []string) {
		for _, e := range commands.Arrivals(&p) {
			kind := e.Name
			if !e.Optional {
				kind += "!"
			}
			all = append(all, kind)
		}
		return all
	}
	want := func(want ...string) {
		t.Helper()
		if got := kinds(); !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	want("starts!", "callers")
	p.Keys = new(auth.KeyPolicy)
	want("starts!", "callers", "config")
	p.Reports = []auth.ReportPolicy{{Slack: true, Every: 7 * 24 * time.Hour}}
	want("starts!", "callers", "config")
	p.Reports[0].Mail = &auth.MailPolicy{}
	want("starts!", "callers", "config", "mail")
	for _, e := range commands.Arrivals(&p) {
		for _, kind := range e.DetailTypes {
			if !slices.ContainsFunc(commands.Jobs(), func(j commands.Job) bool { return j.Source == e.Source && j.DetailType == kind }) {
				t.Errorf("nothing is done about %s of %s", kind, e.Source)
			}
		}
	}
	p.Reports[0].Mail.ConfigurationSet = "events"
	want("starts!", "callers", "config", "mail!")
}
