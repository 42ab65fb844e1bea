package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/slack-go/slack"

	"sekisho/infra/local/awssim"
)

// newWorld is a quick world that listens until the test ends.
func newWorld(t *testing.T, opts Options) (w *World, base string) {
	t.Helper()
	if opts.BootTime == 0 {
		opts.BootTime, opts.StopTime = 20*time.Millisecond, 20*time.Millisecond
	}
	w, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	base, err = w.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return w, base
}

// post sends one command as the page does, and returns the status and the refusal's code.
func post(t *testing.T, base, what string, body any) (status int, code string) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/world/"+what, bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Origin", base)
	return send(t, r)
}

func send(t *testing.T, r *http.Request) (status int, code string) {
	t.Helper()
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var refused refusal
	if answer.StatusCode >= 400 {
		if err := json.NewDecoder(answer.Body).Decode(&refused); err != nil {
			t.Fatalf("a refusal must be JSON: %v", err)
		}
	}
	return answer.StatusCode, refused.Code
}

// follow reads snapshots from the stream until one satisfies enough.
func follow(t *testing.T, base, as string, enough func(snapshot) bool) snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/world/stream?as="+as, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	var last string
	for lines.Scan() {
		data, found := strings.CutPrefix(lines.Text(), "data: ")
		if !found {
			continue
		}
		last = data
		var s snapshot
		if err := json.Unmarshal([]byte(data), &s); err != nil {
			t.Fatal(err)
		}
		if enough(s) {
			return s
		}
	}
	t.Fatalf("the stream ended (%v) before it showed what was waited for; last: %s", lines.Err(), last)
	return snapshot{}
}

func instanceNamed(s snapshot, name string) instanceView {
	n := slices.IndexFunc(s.Instances, func(i instanceView) bool { return i.Name == name })
	return s.Instances[n]
}

func TestRealClientsWorkWithTheEnvironment(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	follow(t, base, "U0HANA", func(s snapshot) bool { return s.BotConnected })

	// A pass, only for the one who asked.
	if status, code := post(t, base, "command", commandInput{"U0HANA", "C0OPS", "/ec2-pass web-1"}); status != http.StatusNoContent {
		t.Fatalf("the command: %d %s", status, code)
	}
	follow(t, base, "U0HANA", func(s snapshot) bool {
		m := s.Messages["C0OPS"]
		return len(m) == 2 && m[0].Typed && m[1].Ephemeral && strings.Contains(string(m[1].Blocks), passCode)
	})
	if others := w.snapshot("U0BEN").Messages["C0OPS"]; len(others) != 0 {
		t.Errorf("somebody else sees %+v", others)
	}

	// With the pass it runs, and the tag is gone.
	web := instanceNamed(w.snapshot("U0HANA"), "web-1").ID
	post(t, base, "ec2", ec2Input{Do: "tag", ID: web, Key: passTag, Value: passCode})
	post(t, base, "ec2", ec2Input{Do: "start", ID: web})
	follow(t, base, "U0HANA", func(s snapshot) bool {
		i := instanceNamed(s, "web-1")
		return i.State == "running" && len(i.Tags) == 1
	})

	// Without one it is stopped, and the channel hears of it; the journal tells it in words, and no code is in them.
	post(t, base, "ec2", ec2Input{Do: "stop", ID: web})
	follow(t, base, "U0HANA", func(s snapshot) bool { return instanceNamed(s, "web-1").State == "stopped" })
	post(t, base, "ec2", ec2Input{Do: "start", ID: web})
	s := follow(t, base, "U0HANA", func(s snapshot) bool {
		return instanceNamed(s, "web-1").State == "stopped" && len(s.Messages["C0ALERTS"]) == 1
	})
	log, _ := json.Marshal(s.Log)
	for _, want := range []string{`"detail":"tag Auth set"`, `"detail":"tag Auth removed"`, `"detail":"DeleteTags"`, `"detail":"StopInstances"`, `"to":"running"`} {
		if !strings.Contains(string(log), want) {
			t.Errorf("the journal lacks %s: %s", want, log)
		}
	}
	if strings.Contains(string(log), passCode) {
		t.Errorf("the journal holds a tag's value: %s", log)
	}

	// A click arrives.
	pass := w.Slack.Messages("C0OPS", "U0HANA")[0]
	var blocks []struct {
		ID       string `json:"block_id"`
		Elements []struct {
			Action string `json:"action_id"`
		}
	}
	if err := json.Unmarshal(pass.Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(blocks, func(b struct {
		ID       string `json:"block_id"`
		Elements []struct {
			Action string `json:"action_id"`
		}
	}) bool {
		return len(b.Elements) > 0 && b.Elements[0].Action == "pass_start"
	})
	if status, code := post(t, base, "click", clickInput{"U0HANA", "C0OPS", pass.ID, blocks[n].ID, "pass_start"}); status != http.StatusNoContent {
		t.Fatalf("the click: %d %s", status, code)
	}
	follow(t, base, "U0BEN", func(s snapshot) bool {
		return slices.ContainsFunc(s.Messages["C0ALERTS"], func(m messageView) bool { return strings.Contains(m.Text, "pass_start") })
	})
}

func TestOtherSitesAreKeptOut(t *testing.T) {
	w, base := newWorld(t, Options{})
	web := instanceNamed(w.snapshot("U0HANA"), "web-1").ID
	body := `{"do":"start","id":"` + web + `"}`
	for name, tc := range map[string]struct{ origin, kind, host string }{
		"another origin":   {"http://evil.example", "application/json", ""},
		"no origin":        {"", "application/json", ""},
		"an opaque origin": {"null", "application/json", ""},
		"a form":           {base, "application/x-www-form-urlencoded", ""},
		"plain text":       {base, "text/plain", ""},
		"no type":          {base, "", ""},
		"another host":     {"http://evil.example", "application/json", "evil.example"},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, base+"/world/ec2", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Host = tc.host
			r.Header.Set("Origin", tc.origin)
			r.Header.Set("Content-Type", tc.kind)
			if status, _ := send(t, r); status != http.StatusForbidden {
				t.Errorf("status %d, want 403", status)
			}
		})
	}
	if state := instanceNamed(w.snapshot("U0HANA"), "web-1").State; state != "stopped" {
		t.Fatalf("web-1 is %s: something got through", state)
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/world/stream", nil)
	r.Host = "rebound.example"
	if status, _ := send(t, r); status != http.StatusForbidden {
		t.Errorf("the stream for another host: status %d, want 403", status)
	}
}

func TestListenOnlyWhereNobodyElseIs(t *testing.T) {
	w, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, addr := range []string{":0", "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "4000"} {
		if _, err := w.Listen(addr); err == nil {
			t.Errorf("it listens on %s", addr)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	w, base := newWorld(t, Options{BootTime: time.Hour, StopTime: time.Hour})
	post(t, base, "ec2", ec2Input{Do: "launch", Guarded: true})
	fresh := instanceNamed(w.snapshot("U0HANA"), "new-1")
	if !fresh.Guarded {
		t.Errorf("launched without the guard's tag: %+v", fresh)
	}
	for name, tc := range map[string]struct {
		what string
		body any
		code string
	}{
		"stop a first launch":  {"ec2", ec2Input{Do: "stop", ID: fresh.ID}, "IncorrectInstanceState"},
		"an instance not here": {"ec2", ec2Input{Do: "start", ID: "i-00000000000000000"}, "InvalidInstanceID.NotFound"},
		"a reserved tag":       {"ec2", ec2Input{Do: "tag", ID: fresh.ID, Key: "aws:x", Value: "1"}, "InvalidParameterValue"},
		"no such action":       {"ec2", ec2Input{Do: "reboot", ID: fresh.ID}, "bad_request"},
		"no such command":      {"command", commandInput{"U0HANA", "C0OPS", "/nothing"}, "invalid_command"},
		"nothing to say":       {"command", commandInput{"U0HANA", "C0OPS", "  "}, "no_text"},
		"a stranger":           {"command", commandInput{"U0NOBODY", "C0OPS", "hello"}, "not_in_channel"},
		"no such message":      {"click", clickInput{"U0HANA", "C0OPS", "1.2", "b", "a"}, "slack"},
		"no such view":         {"press", pressInput{"U0HANA", "V0NONE", "b", "a"}, "slack"},
		"no such modal":        {"submit", submitInput{As: "U0HANA", View: "V0NONE"}, "slack"},
		"nothing to close":     {"close", closeInput{"U0HANA", "V0NONE"}, "slack"},
		"a stranger's Home":    {"home", homeInput{"U0NOBODY"}, "slack"},
		"a shortcut unheard":   {"shortcut", shortcutInput{"U0HANA", "ec2_pass"}, "dispatch_failed"},
		"a stranger's console": {"ec2", ec2Input{As: "U0NOBODY", Do: "start", ID: fresh.ID}, "user_not_found"},
		"no such fault":        {"fault", faultInput{"earthquake", true}, "bad_request"},
		"an unknown field":     {"fault", map[string]any{"name": "slack-away", "loud": true}, "bad_request"},
	} {
		t.Run(name, func(t *testing.T) {
			if status, code := post(t, base, tc.what, tc.body); status < 400 || code != tc.code {
				t.Errorf("answered %d %s, want %s", status, code, tc.code)
			}
		})
	}
	if !slices.ContainsFunc(w.snapshot("U0HANA").Log, func(e entry) bool { return e.Name == "new-1" && e.Code == "IncorrectInstanceState" }) {
		t.Error("EC2's refusal is not in the journal")
	}
}

func TestWithoutABotThePersonIsTold(t *testing.T) {
	w, base := newWorld(t, Options{})
	if status, code := post(t, base, "command", commandInput{"U0HANA", "C0OPS", "/ec2-pass web-1"}); status != http.StatusNoContent {
		t.Fatalf("answered %d %s", status, code)
	}
	seen := w.snapshot("U0HANA").Messages["C0OPS"]
	if len(seen) != 2 || !seen[1].System || !strings.Contains(seen[1].Text, "dispatch_failed") {
		t.Errorf("the person sees %+v", seen)
	}
}

func TestWhatPeopleTypeIsSeenByAllButCommandsAreNot(t *testing.T) {
	w, base := newWorld(t, Options{})
	post(t, base, "command", commandInput{"U0BEN", "C0OPS", "hello"})
	post(t, base, "command", commandInput{"U0BEN", "C0OPS", "/ec2-pass web-1"})
	seen := w.snapshot("U0ROSA").Messages["C0OPS"]
	if len(seen) != 1 || seen[0].Text != "hello" || seen[0].User != "U0BEN" {
		t.Errorf("another person sees %+v", seen)
	}
}

func TestThrottlingLastsUntilItIsSwitchedOff(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	post(t, base, "fault", faultInput{throttling, true})
	web := instanceNamed(w.snapshot("U0HANA"), "web-1").ID
	post(t, base, "ec2", ec2Input{Do: "start", ID: web})

	// The SDK tries three times before it gives up; each of them was refused.
	s := follow(t, base, "U0HANA", func(s snapshot) bool {
		refused := 0
		for _, e := range s.Log {
			if e.Code == "RequestLimitExceeded" {
				refused++
			}
		}
		return refused >= 3
	})
	if n := slices.IndexFunc(s.Faults, func(f faultView) bool { return f.Name == throttling }); !s.Faults[n].On {
		t.Error("the page does not show that it is on")
	}

	post(t, base, "fault", faultInput{throttling, false})
	post(t, base, "ec2", ec2Input{Do: "stop", ID: web})
	follow(t, base, "U0HANA", func(s snapshot) bool { return instanceNamed(s, "web-1").State == "stopped" })
	post(t, base, "ec2", ec2Input{Do: "start", ID: web})
	follow(t, base, "U0HANA", func(s snapshot) bool {
		return slices.ContainsFunc(s.Log, func(e entry) bool { return e.Detail == "StopInstances" && e.Code == "" })
	})
}

func TestSlackAwayAndBack(t *testing.T) {
	w, base := newWorld(t, Options{})
	startStandIn(t, w)
	post(t, base, "fault", faultInput{"slack-away", true})
	follow(t, base, "U0HANA", func(s snapshot) bool { return !s.BotConnected })
	if _, code := post(t, base, "command", commandInput{"U0HANA", "C0OPS", "/ec2-pass web-1"}); code != "slack" {
		t.Errorf("a command while Slack is away: %q", code)
	}
	post(t, base, "fault", faultInput{"slack-away", false})
	client := slack.New(botToken, slack.OptionAPIURL(base+"/slack/api/"))
	if _, err := client.AuthTestContext(t.Context()); err != nil {
		t.Errorf("Slack is back, but: %v", err)
	}
}

func TestStaleReadsComeBackWithEachStart(t *testing.T) {
	w, base := newWorld(t, Options{BootTime: time.Millisecond, StopTime: time.Millisecond})
	reader := newReader(t, w)
	web := instanceNamed(w.snapshot("U0HANA"), "web-1").ID
	post(t, base, "fault", faultInput{staleReading, true})
	for range 2 {
		post(t, base, "ec2", ec2Input{Do: "start", ID: web})
		follow(t, base, "U0HANA", func(s snapshot) bool { return instanceNamed(s, "web-1").State == "running" })
		for range staleFor {
			if state := reader.state(t, web); state != "stopped" {
				t.Errorf("a read right after a start says %s, want what was before it", state)
			}
		}
		if state := reader.state(t, web); state != "running" {
			t.Errorf("a later read says %s, want the truth", state)
		}
		post(t, base, "ec2", ec2Input{Do: "stop", ID: web})
		follow(t, base, "U0HANA", func(s snapshot) bool { return instanceNamed(s, "web-1").State == "stopped" })
	}
	post(t, base, "ec2", ec2Input{Do: "start", ID: web})
	follow(t, base, "U0HANA", func(s snapshot) bool { return instanceNamed(s, "web-1").State == "running" })
	post(t, base, "fault", faultInput{staleReading, false})
	if state := reader.state(t, web); state != "running" {
		t.Errorf("switched off, a read says %s", state)
	}
}

func TestScheduleAsksForASweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := New(Options{SweepEvery: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Close()
		w.queue = w.AWS.CreateQueue(queueName, visibility, deadName, maxReceive)
		w.loops.Go(w.schedule)

		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		if waiting := w.AWS.Queue(w.queue).Visible; len(waiting) != 0 {
			t.Fatalf("too early: %v", waiting)
		}
		time.Sleep(time.Minute + 2*time.Second)
		synctest.Wait()
		waiting := w.AWS.Queue(w.queue).Visible
		if len(waiting) != 2 {
			t.Fatalf("after two minutes there are %d: %v", len(waiting), waiting)
		}
		var event struct {
			ID, Source string
			DetailType string `json:"detail-type"`
			Time       time.Time
		}
		if err := json.Unmarshal([]byte(waiting[0]), &event); err != nil {
			t.Fatal(err)
		}
		if event.Source != "sekisho.schedule" || event.DetailType != "Sweep" || event.ID == "" || event.Time.IsZero() {
			t.Errorf("the schedule sent %s", waiting[0])
		}
	})
}

func TestTheEnvironmentReachesNoRealAccount(t *testing.T) {
	w, base := newWorld(t, Options{})
	env := w.Env()
	for _, want := range []string{
		"SLACK_API_URL=" + base + "/slack/api/", "AWS_ENDPOINT_URL=" + base + "/aws/", "AWS_PROFILE=", "AWS_EC2_METADATA_DISABLED=true",
	} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s in %v", want, env)
		}
	}
	if n := slices.IndexFunc(env, func(line string) bool { return strings.HasPrefix(line, "SEKISHO_QUEUE_URL="+base+"/aws/") }); n < 0 {
		t.Errorf("the queue is not in this world: %v", env)
	}
}

func TestJournalForgetsTheOldest(t *testing.T) {
	j := newJournal(time.Now, []awssim.Instance{{ID: "i-1", Name: "one", State: "stopped"}})
	for range journalLength + 5 {
		j.add(entry{Kind: "refused", Instance: "i-1"})
	}
	all := j.all()
	if len(all) != journalLength || all[0].Seq != 6 || all[0].Name != "one" {
		t.Errorf("%d entries, the first is %+v", len(all), all[0])
	}
}
