package wire_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sekisho/auth/measure"
	"sekisho/auth/purge"
	"sekisho/auth/report"
)

// failures counts the calls of each service that failed.
func (p *process) failures() map[string]uint64 {
	all := make(map[string]uint64)
	for _, t := range p.Meter.Totals() {
		if t.Metric == measure.Errors {
			all[t.By[0]] = t.Count
		}
	}
	return all
}

// each asks every service one thing.
func (p *process) each(ctx context.Context) {
	p.Desk.Gate.Instances.Instance(ctx, webID)
	p.Queue.Send(ctx, "x", 0)
	p.Desk.Purge.Users.Users(ctx, func(purge.User) {})
	p.Desk.Purge.WhoAmI(ctx)
	p.Desk.Purge.Finder.Named(ctx, "", "AIDATESTTESTTESTTEST")
	p.Store.Ping(ctx)
	p.Desk.Chat.Update(ctx, alerts, "1.1", "x", nil)
	p.Desk.Reports.Mailer.Send(ctx, report.Mail{From: "bot@example.com", To: []string{"security@example.com"}, Subject: "x"})
}

func TestFailedCallsAreCountedByService(t *testing.T) {
	for name, c := range map[string]struct {
		slack, aws, redis string
		want              []string
	}{
		"all is well":   {works, works, works, nil},
		"Slack is away": {closed, works, works, []string{"Slack"}},
		"Slack fails":   {echo, works, works, []string{"Slack"}},
		"AWS is away":   {works, closed, works, []string{"Config Service", "EC2", "IAM", "SESv2", "SQS", "STS"}},
		"AWS refuses":   {works, unsigned, works, []string{"Config Service", "EC2", "IAM", "SESv2", "SQS", "STS"}},
		"Redis is away": {works, works, closed, []string{"Redis"}},
		"Redis refuses": {works, works, wrong, []string{"Redis"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newProcess(t, c.slack, c.aws, c.redis)
			p.each(t.Context())
			got := p.failures()
			for _, service := range c.want {
				if n := got[service]; n != 1 && (service != "SESv2" || n == 0) { // a mail is sent again where it was not taken
					t.Errorf("%s: %d failures are counted, want 1: each call once, however often it was tried", service, n)
				}
			}
			if len(got) != len(c.want) {
				t.Errorf("counted are %v", got)
			}
		})
	}
}

// A secret that cannot be read again is a failure of the service that keeps it.
func TestFailedRenewalsAreCounted(t *testing.T) {
	h, err := keep(t, works)
	if err != nil {
		t.Fatal(err)
	}
	h.mu.Lock()
	h.fails = says
	h.mu.Unlock()
	h.pass(time.Minute)
	got := (&process{App: h.App}).failures()
	// Two secrets and three parameters, each asked for once.
	if got["Secrets Manager"] != 2 || got["SSM"] != 3 || len(got) != 2 {
		t.Errorf("counted are %v", got)
	}
}

// EC2 cannot stop what has hardly begun to start, and says so every time.
func TestThatAnInstanceCannotStopYetIsNoFailure(t *testing.T) {
	for code, want := range map[string]uint64{"IncorrectInstanceState": 0, "InternalError": 1} {
		p := newProcess(t, works, works, works)
		p.cloud.Fail("StopInstances", code, 1)
		if err := p.Desk.Gate.Stopper.Stop(t.Context(), webID); err == nil {
			t.Fatal("it was stopped: the test does not do what it says")
		}
		if got := p.failures()["EC2"]; got != want {
			t.Errorf("%s: %d failures are counted, want %d", code, got, want)
		}
	}
}

func TestCallsGivenUpAreNotCounted(t *testing.T) {
	p := newProcess(t, works, works, works)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p.each(ctx)
	if got := p.failures(); len(got) > 0 {
		t.Errorf("counted are %v", got)
	}
}

// A function writes what it measured before it is frozen, also of an invocation
// that failed.
func TestAnInvocationWritesItsMetrics(t *testing.T) {
	p := newProcess(t, works, works, works)
	l := p.Lambda()
	for _, c := range []struct{ payload, wants string }{
		{`{"source":"sekisho.schedule","detail-type":"Sweep","detail":{}}`, `"Sweeps":1`},
		{`{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":{}}`, `"JobErrors":1`},
	} {
		before := len(p.text("the trail"))
		l.Invoke(t.Context(), []byte(c.payload))
		if wrote := p.text("the trail")[before:]; !strings.Contains(wrote, c.wants) {
			t.Errorf("%s: written is %q, want %s", c.payload, wrote, c.wants)
		}
	}
}

func TestReadinessIsAboutRedisAndSlack(t *testing.T) {
	for _, c := range []struct{ slack, redis, says string }{
		{works, works, "ready\n"},
		{closed, works, "not ready: Slack cannot"},
		{works, wrong, "not ready: Redis cannot"},
		{echo, closed, "not ready: Redis and Slack cannot"},
	} {
		p := newProcess(t, c.slack, works, c.redis)
		for _, h := range []http.Handler{p.Ready, p.HTTP} {
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, httptest.NewRequest("GET", "/readyz", nil))
			if body := answer.Body.String(); !strings.HasPrefix(body, c.says) {
				t.Errorf("Slack %s, Redis %s: %q, want %q", c.slack, c.redis, body, c.says)
			}
		}
	}
}
