package wire

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/auth/measure"
	"sekisho/infra/metrics"
	"sekisho/infra/secrets"
)

// logs is a log that is read while it is written.
type logs struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logs) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logs) Reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// appWith is an App of which only the pepper is there.
func appWith(t *testing.T, env map[string]string, client *http.Client) (*App, *logs) {
	log := new(logs)
	a := &App{Log: slog.New(slog.NewTextHandler(log, nil))}
	a.live.settings.secretsTTL = time.Minute
	a.live.settings.secrets = secrets.Read(t.Context(), secrets.Source{
		Env: func(name string) string { return env[name] }, Now: time.Now, TTL: time.Minute,
		AWS: func(string) aws.Config {
			return aws.Config{Region: "eu-central-1", HTTPClient: client, Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "test", "")}
		},
	}, varPepper)
	return a, log
}

type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) { return t(r) }

// Slack waits 3 s for an answer, whatever Secrets Manager does; what it answers
// later is not lost.
func TestARenewalHardlyKeepsAnInvocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := time.Duration(0)
		slow := transport(func(r *http.Request) (*http.Response, error) {
			select {
			case <-r.Context().Done():
				return nil, r.Context().Err()
			case <-time.After(answers):
				w := httptest.NewRecorder()
				w.WriteString(`{"Parameter":{"Value":"test-SPILT-` + answers.String() + `"}}`)
				return w.Result(), nil
			}
		})
		a, log := appWith(t, map[string]string{varPepper: "ssm:/sekisho/pepper"}, &http.Client{Transport: slow})
		invoke := func(want time.Duration) {
			t.Helper()
			began := time.Now()
			ctx, over := context.WithCancel(t.Context())
			defer over()
			a.renewBefore(ctx)
			if took := time.Since(began); took != want {
				t.Errorf("an invocation waited %s, want %s", took, want)
			}
		}
		says := func(text string) {
			t.Helper()
			synctest.Wait()
			if !strings.Contains(log.String(), text) || strings.Contains(log.String(), "SPILT") {
				t.Errorf("the log does not say %q: %s", text, log)
			}
		}
		time.Sleep(time.Minute)
		answers = 100 * time.Millisecond
		invoke(answers)
		says("never changes")
		log.Reset()
		time.Sleep(time.Minute)
		answers = 2 * time.Second
		invoke(300 * time.Millisecond)
		invoke(0) // what is under way is not waited for twice
		time.Sleep(answers)
		says("never changes")
		log.Reset()
		time.Sleep(time.Minute)
		answers = time.Hour
		invoke(300 * time.Millisecond)
		time.Sleep(5 * time.Second)
		says("could not be read again")
		invoke(0) // before the TTL
	})
}

// A pepper that changed is not used, and the log says so each time, until the old
// one is back.
func TestRenewingGoesOnUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "pepper")
		write := func(text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("test-SPILT-1")
		a, log := appWith(t, map[string]string{varPepper + "_FILE": path}, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); a.KeepRenewing(ctx) }()
		for n := range 3 {
			write("test-SPILT-" + string(rune('2'+n)))
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := strings.Count(log.String(), "never changes: put the old one back"); got != n+1 {
				t.Errorf("after minute %d the log warns %d times:\n%s", n+1, got, log)
			}
		}
		for n, want := range []int{4, 4} {
			time.Sleep(time.Minute)
			synctest.Wait()
			if got := strings.Count(log.String(), "\n"); got != want {
				t.Errorf("%d lines after %d minutes more, want %d:\n%s", got, n+1, want, log)
			}
			write("test-SPILT-1")
		}
		cancel()
		<-done
		if strings.Contains(log.String(), "SPILT") {
			t.Errorf("the log holds the pepper: %s", log)
		}
	})
}

func TestMetricsAreWrittenEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lines := new(strings.Builder)
		a := &App{Meter: metrics.New(time.Now), lines: lines}
		a.Meter.Level(measure.SocketConnections, 1)
		ctx, end := context.WithTimeout(t.Context(), 150*time.Second)
		defer end()
		a.KeepFlushing(ctx)
		if n := strings.Count(lines.String(), `"SocketConnections":1`); n != 2 {
			t.Errorf("written %d times in two minutes and a half", n)
		}
	})
}
