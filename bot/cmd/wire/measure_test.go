package wire_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sekisho/auth/measure"
	"sekisho/auth/purge"
	"sekisho/auth/report"
	"sekisho/bot"
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
		"AWS is away":   {works, closed, works, []string{"EC2", "IAM", "SESv2", "SQS"}},
		"AWS refuses":   {works, unsigned, works, []string{"EC2", "IAM", "SESv2", "SQS"}},
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
	l := p.Lambda(bot.Doors{Gate: true})
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
