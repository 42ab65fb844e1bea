package sqsqueue_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/infra/local/awssim"
	"sekisho/infra/sqsqueue"
)

// world is a queue, and a look at it from the other side.
type world struct {
	*sqsqueue.Queue
	cloud *awssim.Cloud
	url   string
	logs  bytes.Buffer
}

// inWorld runs a test in a bubble, whose clock moves only when everything
// waits: delays and long polls take their exact time, and none at all.
func inWorld(t *testing.T, test func(*testing.T, *world)) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{cloud: awssim.New(awssim.Options{BaseURL: "http://sqs.test"})}
		defer w.cloud.Close()
		w.url = w.cloud.CreateQueue("work", 5*time.Minute, "", 0)
		w.Queue = w.open(w.url)
		test(t, w)
	})
}

func (w *world) open(url string) *sqsqueue.Queue {
	return sqsqueue.New(aws.Config{
		Region: "eu-central-1", BaseEndpoint: aws.String("http://sqs.test"),
		HTTPClient:  &http.Client{Transport: inProcess{w.cloud.Handler()}},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDTESTONLY", "test-secret-key", ""),
	}, url, slog.New(slog.NewTextHandler(&w.logs, nil)))
}

// inProcess is a transport without a network: a bubble's clock stands still
// while anything in it waits for a socket.
type inProcess struct{ http.Handler }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	p.ServeHTTP(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

// receive gives the texts that one Receive handed over, sorted, and how long it took.
func (w *world) receive(t *testing.T, ctx context.Context, answer func(context.Context, string) error) ([]string, time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var texts []string
	start := time.Now()
	err := w.Receive(ctx, func(ctx context.Context, id, text string) error {
		mu.Lock()
		texts = append(texts, text)
		mu.Unlock()
		if id == "" {
			t.Error("a message without an id")
		}
		return answer(ctx, text)
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(texts)
	return texts, time.Since(start)
}

func done(context.Context, string) error { return nil }

func (w *world) wantEmpty(t *testing.T) {
	t.Helper()
	if s := w.cloud.Queue(w.url); len(s.Visible)+len(s.Delayed)+len(s.InFlight) > 0 {
		t.Errorf("left in the queue: %+v", s)
	}
}

func TestSendDelays(t *testing.T) {
	for after, want := range map[time.Duration]time.Duration{
		0: 0, 7 * time.Second: 7 * time.Second, 15 * time.Minute: 15 * time.Minute, 2 * time.Hour: 15 * time.Minute,
	} {
		inWorld(t, func(t *testing.T, w *world) {
			start := time.Now()
			if err := w.Send(t.Context(), "hello", after); err != nil {
				t.Fatal(err)
			}
			var got []string
			for polls := 0; len(got) == 0 && polls < 60; polls++ {
				got, _ = w.receive(t, t.Context(), done)
			}
			if took := time.Since(start); took != want || !slices.Equal(got, []string{"hello"}) {
				t.Errorf("sent for in %v: %q came after %v, want %v", after, got, took, want)
			}
			w.wantEmpty(t)
		})
	}
}

func TestEmptyPollIsNoError(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		if got, took := w.receive(t, t.Context(), done); len(got) > 0 || took != 20*time.Second {
			t.Errorf("got %q after %v, want nothing after 20s", got, took)
		}
	})
}

func TestFailedMessageComesBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cloud.Send(w.url, "bad")
		w.cloud.Send(w.url, "good")
		w.receive(t, t.Context(), func(_ context.Context, text string) error {
			if text == "bad" {
				return errors.New("not today")
			}
			return nil
		})
		if !strings.Contains(w.logs.String(), "not today") {
			t.Errorf("the log does not say why: %s", &w.logs)
		}
		if got, took := w.receive(t, t.Context(), done); !slices.Equal(got, []string{"bad"}) || took != 15*time.Second {
			t.Errorf("got %q after %v, want the bad one after 15s", got, took)
		}
		w.wantEmpty(t)
	})
}

func TestSlowMessageIsCutOffAndComesBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cloud.Send(w.url, "slow")
		_, took := w.receive(t, t.Context(), func(ctx context.Context, _ string) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
		if took != 50*time.Second || !strings.Contains(w.logs.String(), "took too long") {
			t.Errorf("cut off after %v, want 50s; the log: %s", took, &w.logs)
		}
		if got, took := w.receive(t, t.Context(), done); len(got) != 1 || took != 15*time.Second {
			t.Errorf("got %q after %v, want it again after 15s", got, took)
		}
		w.wantEmpty(t)
	})
}

func TestBatchIsHandledSideBySide(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		for range 11 {
			w.cloud.Send(w.url, "work")
		}
		got, took := w.receive(t, t.Context(), func(context.Context, string) error {
			time.Sleep(time.Second)
			return nil
		})
		if len(got) != 10 || took != time.Second {
			t.Errorf("%d messages took %v, want ten in one second", len(got), took)
		}
		if left := w.cloud.Queue(w.url); len(left.Visible) != 1 || len(left.InFlight) > 0 {
			t.Errorf("left in the queue: %+v, want the eleventh", left)
		}
	})
}

func TestEndFinishesWhatWasBegun(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		w.cloud.Send(w.url, "begun")
		w.receive(t, ctx, func(ctx context.Context, _ string) error {
			cancel()
			return ctx.Err()
		})
		w.wantEmpty(t)
	})
}

func TestEndStopsTheWait(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		err := w.Receive(ctx, func(context.Context, string, string) error { return nil })
		if took := time.Since(start); !errors.Is(err, context.DeadlineExceeded) || took != 3*time.Second {
			t.Errorf("got %v after %v, want the context's error after 3s", err, took)
		}
	})
}

func TestErrorsSayWhat(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		missing := w.open(w.url + "-missing")
		for what, err := range map[string]error{
			"sending to the queue":     missing.Send(t.Context(), "the-text", 0),
			"receiving from the queue": missing.Receive(t.Context(), nil),
		} {
			if err == nil || !strings.Contains(err.Error(), what) || !strings.Contains(err.Error(), "NonExistentQueue") {
				t.Errorf("got %v, want %s: … NonExistentQueue", err, what)
			}
		}
	})
}
