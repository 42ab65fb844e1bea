package commands_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/commands"
)

// listed is what somebody who asks for keys reads in the end.
func (o *keyOffice) listed(user, text string) []string {
	o.t.Helper()
	m := o.sekisho(user, text)
	if len(o.queue.kinds()) == 0 {
		return append([]string{m.Text}, texts(m.Blocks)...)
	}
	if err := o.work(keysTask); err != nil {
		o.t.Fatal(err)
	}
	s := o.chat.next(o.t, "respond")
	return append([]string{s.text}, texts(s.blocks)...)
}

// Everybody's keys take long to read: the answer comes later, through a
// response URL that nobody can read in the queue.
func TestWhoDecidesSeesEverybodysKeys(t *testing.T) {
	o := newKeyOffice(t)
	o.iam.add("hana", 120*day)
	o.iam.add("ben", 10*day)
	o.iam.add("keyless")
	m := o.sekisho(ben, "keys")
	wants(t, "the first answer", m.Text, "Reading the access keys")
	if len(o.iam.calls) > 0 {
		t.Errorf("while somebody waits: %v", o.iam.calls)
	}
	if task := o.queue.tasks[0].text; strings.Contains(task, "hooks.slack") || strings.Contains(task, answerAt) {
		t.Errorf("the queue holds a response URL: %s", task)
	}
	if err := o.work(keysTask); err != nil {
		t.Fatal(err)
	}
	s := o.chat.next(t, "respond")
	if s.url != answerAt || !s.replace {
		t.Errorf("answered %+v", s)
	}
	wants(t, "the list", reads(t, s.text, s.blocks), "2 access keys", "`hana`", "120 days old", "`ben`", "10 days old")
	if more := o.chat.all(); len(more) > 0 || len(o.queue.kinds()) > 0 {
		t.Errorf("and more is said: %+v, to do: %v", more, o.queue.kinds())
	}
	if !strings.Contains(texts(s.blocks)[1], "hana") {
		t.Errorf("the oldest does not come first: %v", texts(s.blocks))
	}
}

// A long reading says how far it is, three times at most: Slack takes five
// answers, and the list is one.
func TestALongReadingSaysHowFarItIs(t *testing.T) {
	for pause, want := range map[time.Duration]int{0: 0, 100 * time.Millisecond: 0, 2 * time.Second: 3, time.Minute: 3} {
		o := newKeyOffice(t)
		for n := range 40 {
			o.iam.add(fmt.Sprint("user", n), day)
		}
		o.iam.during["Keys"] = func() { o.clock.add(pause) }
		o.sekisho(ben, "keys")
		if err := o.work(keysTask); err != nil {
			t.Fatal(err)
		}
		all := o.chat.all()
		if len(all) != want+1 {
			t.Fatalf("with a pause of %s it answers %d times: %+v", pause, len(all), all)
		}
		for _, s := range all[:want] {
			if s.url != answerAt || !s.replace || !strings.Contains(s.text, "of 40 IAM users…") {
				t.Errorf("progress: %+v", s)
			}
		}
		wants(t, "the last", all[want].text, "40 access keys")
	}
}

// That progress cannot be told keeps nobody from the list; that the list cannot
// be, is for the log.
func TestAListThatNobodyTakes(t *testing.T) {
	o := newKeyOffice(t)
	o.iam.add("hana", day)
	o.sekisho(ben, "keys")
	o.chat.fail["respond"] = errors.New("used_url")
	if err := o.work(keysTask); err != nil {
		t.Errorf("it would be read again: %v", err)
	}
	wants(t, "the log", o.log.String(), "used_url")
	lacks(t, "the log", o.log.String(), "hooks.slack")
}

func TestWhoSeesWhichKeys(t *testing.T) {
	for name, c := range map[string]struct {
		user, text string
		want       []string
		lacks      string
	}{
		"one's own":                  {hana, "keys", []string{"1 access key", "`hana`"}, "`ben`"},
		"one's own by name":          {hana, "keys hana", []string{"1 access key", "`hana`"}, "`ben`"},
		"one's own in other letters": {hana, "KEYS `HANA`", []string{"1 access key", "`hana`"}, "`ben`"},
		"another's":                  {hana, "keys ben", []string{"You see the keys of your own IAM user: `/sekisho keys hana`"}, "access key"},
		"a stranger":                 {outsider, "keys", []string{"does not name you among those who decide"}, "`hana`"},
		"a stranger, by name":        {outsider, "keys hana", []string{"does not name you among those who decide"}, "`hana`"},
		"a decider, by name":         {ben, "keys hana", []string{"1 access key", "`hana`", "120 days old", "never used"}, "`ben`"},
		"nobody":                     {ben, "keys nobody", []string{"IAM knows no user `nobody`"}, "went wrong"},
		"two words":                  {ben, "keys hana ben", []string{"`hana ben` cannot be an IAM user's name"}, "went wrong"},
		"a mention":                  {ben, "keys <@U0HANA>", []string{"cannot be an IAM user's name"}, "went wrong"},
		"65 letters":                 {ben, "keys " + strings.Repeat("x", 65), []string{"cannot be an IAM user's name"}, "went wrong"},
		"64 letters":                 {ben, "keys " + strings.Repeat("x", 64), []string{"IAM knows no user"}, "went wrong"},
		"all signs":                  {ben, "keys a+b=c,d.e@f_g-H9", []string{"IAM knows no user"}, "went wrong"},
		"an unknown word":            {ben, "locks", []string{"I don't know `locks`", "/sekisho keys"}, "`hana`"},
		"nothing":                    {outsider, "", []string{"/sekisho keys", "/sekisho help"}, "don't know"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newKeyOffice(t)
			o.iam.add("hana", 120*day)
			o.iam.add("ben", 120*day)
			all := strings.Join(o.listed(c.user, c.text), "\n")
			wants(t, "the answer", all, c.want...)
			lacks(t, "the answer", all, c.lacks)
			if len(o.chat.all()) > 0 || len(o.queue.kinds()) > 0 || len(o.iam.acts()) > 0 {
				t.Errorf("besides the answer, to do: %v, it did %v", o.queue.kinds(), o.iam.acts())
			}
			if strings.Contains(o.log.String(), `"ERROR"`) {
				t.Errorf("it is logged as a fault: %s", o.log)
			}
		})
	}
}

// Somebody with two IAM users sees the keys of both, the oldest first, also
// where one of the two is gone.
func TestSeveralUsersOfOnePerson(t *testing.T) {
	o := newKeyOffice(t)
	o.Policy.People.Principals[hana] = []auth.Principal{"user/hana", "session/hana@example.test", "user/hana-cli", "user/hana-old"}
	o.iam.add("hana", 5*day)
	o.iam.add("hana-cli", 50*day)
	rows := o.listed(hana, "keys")[1:]
	if len(rows) != 3 || !strings.Contains(rows[1], "`hana-cli`") || !strings.Contains(rows[2], "`hana`") {
		t.Errorf("the rows are %q", rows)
	}
	delete(o.iam.users, "hana")
	delete(o.iam.users, "hana-cli")
	wants(t, "with all of them gone", o.listed(hana, "keys")[0], "IAM knows no user `hana`, `hana-cli`, `hana-old`")
}

// With IAM away the answer is a sentence, and the fault is in the log.
func TestKeysWhileIAMIsAway(t *testing.T) {
	away := errors.New("ServiceUnavailable: secret detail")
	o := newKeyOffice(t)
	o.iam.add("hana", 120*day)
	o.iam.fail["Users"], o.iam.fail["User"] = away, away
	o.sekisho(ben, "keys")
	if err := o.work(keysTask); err != nil {
		t.Fatal(err)
	}
	s := o.chat.next(t, "respond")
	for what, text := range map[string]string{
		"everybody's": s.text, "one user's": o.listed(ben, "keys hana")[0], "one's own": o.listed(hana, "keys")[0],
	} {
		wants(t, what, text, "Something went wrong", "logged")
		lacks(t, what, text, "secret detail")
	}
	wants(t, "the log", o.log.String(), "secret detail")

	o.iam.fail["Users"] = &purge.Denied{Action: "iam:ListUsers"}
	o.sekisho(ben, "keys")
	o.rush()
	o.wantHeard("without the permission", "post C0KEYS: `iam:ListUsers`",
		"respond : AWS does not let me call `iam:ListUsers`. <#C0KEYS> says")

	o.people.away = errAway
	wants(t, "with Slack's list of people away", o.sekisho(ben, "keys").Text, "Something went wrong")
}

// Without a queue the person waits, and is answered.
func TestEverybodysKeysWithoutAQueue(t *testing.T) {
	o := newKeyOffice(t)
	o.iam.add("hana", 120*day)
	o.Queue = nil
	wants(t, "the answer", o.sekisho(ben, "keys").Text, "1 access key")
	o.Queue = o.queue
	o.queue.away = errors.New("SQS is away")
	wants(t, "with the queue away", o.sekisho(ben, "keys").Text, "Something went wrong")
}

// Whoever can write to the queue gets no list sent to an address of theirs.
func TestAForgedListGoesNowhere(t *testing.T) {
	o := newKeyOffice(t)
	o.iam.add("hana", 120*day)
	another, err := o.Passes.Pepper.Seal(o.Passes.Random, answerAt) // as a request's
	if err != nil {
		t.Fatal(err)
	}
	for _, reply := range []string{another, "https://evil.test/", "c2VhbGVkIGJ5IG5vYm9keSB3aXRoIHRoZSBwZXBwZXI", ""} {
		if err := o.run(taskOf(keysTask, fmt.Sprintf(`{"reply":%q,"user":%q}`, reply, ben))); err == nil {
			t.Errorf("taken: %q", reply)
		}
	}
	if said := o.chat.all(); len(said) > 0 || len(o.iam.calls) > 0 {
		t.Errorf("answered %+v, asked %v", said, o.iam.calls)
	}
}

func TestKeysThatNobodyWantsLookedAfter(t *testing.T) {
	o := newKeyOffice(t)
	o.Purge = nil
	wants(t, "the answer", o.sekisho(ben, "keys").Text, "Sekisho's policy has no `keys:` part")
}

// Between the question and the answer somebody may have lost the right to it.
func TestWhoMayNotSeeKeysAnyMore(t *testing.T) {
	o := newKeyOffice(t)
	o.iam.add("hana", 120*day)
	o.sekisho(ben, "keys")
	o.Policy.Keys.Decide = []string{mai}
	o.rush()
	o.wantHeard("ben reads", "respond : does not name you among those who decide")
}

// A name that somebody puts into a task in the queue opens nothing.
func TestAForgedNameShowsNoKeys(t *testing.T) {
	o := newKeyOffice(t)
	o.iam.add("hana", 120*day)
	o.iam.add("ben", 120*day)
	for _, names := range []string{`["ben"]`, `["hana","ben"]`, `[]`} {
		reply, err := o.Passes.Pepper.Seal(o.Passes.Random, "keys for "+hana+" "+answerAt)
		if err != nil {
			t.Fatal(err)
		}
		if err := o.run(taskOf(keysTask, fmt.Sprintf(`{"reply":%q,"names":%s}`, reply, names))); err != nil {
			t.Fatal(err)
		}
		o.wantHeard(names, "respond : does not name you among those who decide")
	}
	if len(o.iam.calls) > 0 {
		t.Errorf("asked IAM: %v", o.iam.calls)
	}
}

// Where the keys' tasks have a queue of their own, they go there and no other does.
func TestTheKeysTasksGoToTheirOwnQueue(t *testing.T) {
	o := newKeyOffice(t)
	own := new(queue)
	o.KeysQueue = own
	o.iam.add("hana", 120*day)
	o.sekisho(ben, "keys")
	if got := own.kinds(); len(got) != 1 || got[0] != keysTask || len(o.queue.kinds()) > 0 {
		t.Errorf("the keys' queue has %v, the gate's %v", got, o.queue.kinds())
	}
	for _, j := range commands.Jobs() {
		if strings.HasPrefix(j.Source, "sekisho.") && (j.Door == auth.DoorKeys) != keysWord.MatchString(j.DetailType) {
			t.Errorf("%s %q belongs to the door %s", j.Source, j.DetailType, j.Door)
		}
	}
}

var keysWord = regexp.MustCompile("(?i)keys?|hold|report|examine")
