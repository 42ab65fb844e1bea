package wire

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/infra/secrets"
)

// appWith is an App of which only the pepper is there.
func appWith(t *testing.T, env map[string]string, client *http.Client) (*App, *bytes.Buffer) {
	log := new(bytes.Buffer)
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

// Slack waits 3 s for an answer, whatever Secrets Manager does.
func TestARenewalKeepsAnInvocationForASecondAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hanging := transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		a, log := appWith(t, map[string]string{varPepper: "ssm:/sekisho/pepper"}, &http.Client{Transport: hanging})
		for after, want := range []time.Duration{time.Second, 0} {
			time.Sleep(time.Duration(1-after) * time.Minute)
			began := time.Now()
			a.renewBefore(t.Context())
			if took := time.Since(began); took != want {
				t.Errorf("invocation %d waited %s, want %s", after+1, took, want)
			}
		}
		if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), varPepper) {
			t.Errorf("the log: %s", log)
		}
	})
}

// A pepper that changed is not used, and the log says so: once.
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
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := strings.Count(log.String(), "\n"); got != 3 {
			t.Errorf("the log says again what did not change:\n%s", log)
		}
		cancel()
		<-done
		if strings.Contains(log.String(), "SPILT") {
			t.Errorf("the log holds the pepper: %s", log)
		}
	})
}
