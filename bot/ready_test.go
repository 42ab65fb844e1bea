package bot_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/bot"
)

// probe asks the http door whether it is ready.
func probe(h http.Handler) (status int, body string) {
	return send(h, httptest.NewRequest("GET", "/readyz", nil))
}

func TestReadinessNamesWhatCannotBeReached(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldOn(t, nil)
		h := door(t, w)
		var redis, slack error
		h.Ready = &bot.Readiness{Now: time.Now, Log: w.desk.Log, Needs: []bot.Need{
			{Name: "Redis", Reach: func(context.Context) error { return redis }},
			{Name: "Slack", Reach: func(context.Context) error { return slack }},
		}}
		away := errors.New("no route to test-host")
		for _, c := range []struct {
			redis, slack error
			status       int
			says         string
		}{
			{nil, nil, http.StatusOK, "ready"},
			{away, nil, http.StatusServiceUnavailable, "not ready: Redis cannot be reached"},
			{nil, away, http.StatusServiceUnavailable, "not ready: Slack cannot be reached"},
			{away, away, http.StatusServiceUnavailable, "not ready: Redis and Slack cannot be reached"},
		} {
			redis, slack = c.redis, c.slack
			time.Sleep(time.Minute) // the bubble's: what was found before is forgotten
			status, body := probe(h)
			if status != c.status || !strings.HasPrefix(body, c.says) || strings.Contains(body, "test-host") {
				t.Errorf("%v, %v: %d %q; want %d and %q, and the reason in the log alone", c.redis, c.slack, status, body, c.status, c.says)
			}
			alone := httptest.NewRecorder()
			h.Ready.ServeHTTP(alone, httptest.NewRequest("GET", "/readyz", nil))
			if alone.Code != status || alone.Body.String() != body {
				t.Errorf("by itself it says %d %q", alone.Code, alone.Body)
			}
		}
		if !strings.Contains(w.log.String(), "test-host") {
			t.Errorf("the log does not say why: %s", w.log)
		}
		if status, _ := send(h, httptest.NewRequest("GET", "/healthz", nil)); status != http.StatusOK {
			t.Errorf("healthz: %d, though the process is alive", status)
		}
	})
}

// Probes come often: they must not become the load.
func TestReadinessIsRemembered(t *testing.T) {
	w := worldOn(t, nil)
	h := door(t, w)
	now, goOn := noon, make(chan struct{})
	var looks atomic.Int32
	h.Ready = &bot.Readiness{Now: func() time.Time { return now }, Log: w.desk.Log, Needs: []bot.Need{{Name: "Redis", Reach: func(context.Context) error {
		looks.Add(1)
		<-goOn
		return errors.New("it is away")
	}}}}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if status, _ := probe(h); status != http.StatusServiceUnavailable {
				t.Errorf("answered with %d", status)
			}
		})
	}
	close(goOn)
	all.Wait()
	now = now.Add(4 * time.Second)
	probe(h)
	if n := looks.Load(); n != 1 {
		t.Errorf("it looked %d times within 5 s", n)
	}
	now = now.Add(2 * time.Second)
	probe(h)
	if n := looks.Load(); n != 2 {
		t.Errorf("it looked %d times in more than 5 s, want 2", n)
	}
}

func TestReadinessHasADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldOn(t, nil)
		h := door(t, w)
		hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		h.Ready = &bot.Readiness{Now: time.Now, Log: w.desk.Log, Needs: []bot.Need{{Name: "Redis", Reach: hangs}, {Name: "Slack", Reach: hangs}}}
		began := time.Now()
		status, _ := probe(h)
		if took := time.Since(began); status != http.StatusServiceUnavailable || took != 2*time.Second {
			t.Errorf("%d after %s", status, took)
		}
	})
}

// A prober that gives up must not have the others told that Redis is away.
func TestReadinessIsNotTheFirstProbersAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldOn(t, nil)
		h := door(t, w)
		h.Ready = &bot.Readiness{Now: time.Now, Log: w.desk.Log, Needs: []bot.Need{{Name: "Redis", Reach: func(ctx context.Context) error { return ctx.Err() }}}}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		send(h, httptest.NewRequest("GET", "/readyz", nil).WithContext(gone))
		if status, body := probe(h); status != http.StatusOK {
			t.Errorf("the next is told %d %q", status, body)
		}
	})
}

func TestAnEndingProcessIsNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := worldOn(t, nil)
		h := door(t, w)
		h.Ready = &bot.Readiness{Now: time.Now, Log: w.desk.Log, Needs: []bot.Need{{Name: "Redis", Reach: func(context.Context) error { return nil }}}}
		if status, _ := probe(h); status != http.StatusOK {
			t.Errorf("before its end: %d", status)
		}
		h.Ready.End()
		if status, body := probe(h); status != http.StatusServiceUnavailable || !strings.Contains(body, "ending") {
			t.Errorf("%d %q, though what was found before was good", status, body)
		}
		if status, _ := send(h, httptest.NewRequest("GET", "/healthz", nil)); status != http.StatusOK {
			t.Errorf("healthz: %d, though it finishes its work", status)
		}
	})
}
