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
	"sync/atomic"
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

	mu    sync.Mutex
	calls []string // but for receiving
	// fault, when set, may keep a call on its way, or answer it instead of the queue.
	fault func(ctx context.Context, call string) error
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
		HTTPClient:  &http.Client{Transport: inProcess{w}},
		Credentials: credentials.NewStaticCredentialsProvider("AKIDTESTONLY", "test-secret-key", ""),
	}, url, slog.New(slog.NewTextHandler(&w.logs, nil)))
}

// inProcess is a transport without a network: a bubble's clock stands still
// while anything in it waits for a socket.
type inProcess struct{ *world }

func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	_, call, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if call != "ReceiveMessage" {
		p.mu.Lock()
		p.calls = append(p.calls, call)
		p.mu.Unlock()
	}
	if p.fault != nil {
		if err := p.fault(r.Context(), call); err != nil {
			return nil, err
		}
	}
	answer := httptest.NewRecorder()
	p.cloud.Handler().ServeHTTP(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return answer.Result(), nil
}

func (w *world) wantCalls(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(w.calls, want) {
		t.Errorf("the calls were %q, want %q", w.calls, want)
	}
}

// receive gives the texts that one Receive handed over, sorted, and how long it took.
func (w *world) receive(t *testing.T, ctx context.Context, answer func(context.Context, string) error) ([]string, time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var texts []string
	start := time.Now()
	err := w.Receive(ctx, func(ctx context.Context, id, text string, _ time.Time) error {
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

func TestAMessageSaysWhenItWasSent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		sent := time.Now()
		if err := w.Send(t.Context(), "hello", 0); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute) // the bubble's
		var said time.Time
		err := w.Receive(t.Context(), func(_ context.Context, _, _ string, sent time.Time) error { said = sent; return nil })
		if err != nil || !said.Equal(sent) {
			t.Errorf("%v, sent at %v, want %v", err, said, sent)
		}
	})
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

// beside reads the queue as another worker does, until the end of what is done
// meanwhile, and gives what it was handed.
func (w *world) beside(t *testing.T, do func()) (got []string) {
	ctx, cancel := context.WithCancel(t.Context())
	var other sync.WaitGroup
	other.Go(func() {
		time.Sleep(time.Second) // it comes second
		for ctx.Err() == nil {
			_ = w.Receive(ctx, func(_ context.Context, _, text string, _ time.Time) error {
				got = append(got, text)
				return nil
			})
		}
	})
	do()
	cancel()
	other.Wait()
	return got
}

func takes(d time.Duration, err error) func(context.Context, string) error {
	return func(ctx context.Context, _ string) error {
		select {
		case <-time.After(d):
			return err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// again is a renewal.
const again = "ChangeMessageVisibility"

func TestQuickMessageIsOneCall(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cloud.Send(w.url, "quick")
		w.receive(t, t.Context(), takes(14*time.Second, nil))
		time.Sleep(time.Minute)
		w.wantCalls(t, "DeleteMessage")
	})
}

func TestLongMessageIsDeliveredOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cloud.Send(w.url, "long")
		others := w.beside(t, func() {
			got, took := w.receive(t, t.Context(), takes(5*time.Minute+time.Second, nil))
			if len(got) != 1 || took != 5*time.Minute+time.Second {
				t.Errorf("got %q, done after %v", got, took)
			}
		})
		if len(others) > 0 {
			t.Errorf("another worker got %q meanwhile", others)
		}
		w.wantEmpty(t)
		w.wantCalls(t, append(slices.Repeat([]string{again}, 20), "DeleteMessage")...)
	})
}

// Two renewals in a row fail, the first because nothing answers: the third
// still comes in time.
func TestFailedRenewalIsTriedAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		start := time.Now()
		w.fault = func(ctx context.Context, call string) error {
			switch after := time.Since(start); {
			case call != again || after < 20*time.Second || after > 59*time.Second:
				return nil
			case after < 44*time.Second:
				<-ctx.Done()
				return ctx.Err()
			}
			return errors.New("not now")
		}
		w.cloud.Send(w.url, "long")
		others := w.beside(t, func() { w.receive(t, t.Context(), takes(3*time.Minute, nil)) })
		if len(others) > 0 {
			t.Errorf("another worker got %q meanwhile", others)
		}
		if said := strings.Count(w.logs.String(), "keeping a message that is being handled"); said != 2 || !strings.Contains(w.logs.String(), "not now") {
			t.Errorf("two failures, and %d in the log: %s", said, &w.logs)
		}
		w.wantEmpty(t)
	})
}

// A removal that nothing answers does not hold its worker up.
func TestRemovalThatHangsIsGivenUp(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.fault = func(ctx context.Context, call string) error {
			if call == "DeleteMessage" {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		w.cloud.Send(w.url, "quick")
		if _, took := w.receive(t, t.Context(), done); took != 10*time.Second || !strings.Contains(w.logs.String(), "removing a handled message") {
			t.Errorf("ended after %v, want 10s; the log: %s", took, &w.logs)
		}
	})
}

func TestLongMessageThatFailsComesBackSoon(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cloud.Send(w.url, "long")
		w.receive(t, t.Context(), takes(2*time.Minute+time.Second, errors.New("not today")))
		if got, took := w.receive(t, t.Context(), done); len(got) != 1 || took != 15*time.Second {
			t.Errorf("got %q after %v, want it again after 15s", got, took)
		}
		w.wantEmpty(t)
	})
}

// A renewal that SQS hears after the message was put back would hide it for a
// minute: handling's end waits for the one under way.
func TestRenewalEndsBeforeTheMessageIsPutBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cloud.Send(w.url, "long")
		var slow atomic.Bool
		slow.Store(true)
		w.fault = func(ctx context.Context, call string) error {
			if call == again && slow.Swap(false) {
				return takes(5*time.Second, nil)(ctx, call)
			}
			return nil
		}
		_, took := w.receive(t, t.Context(), takes(17*time.Second, errors.New("not today")))
		if took != 20*time.Second {
			t.Errorf("ended after %v, want 20s: the renewal's end", took)
		}
		if got, took := w.receive(t, t.Context(), done); len(got) != 1 || took != 15*time.Second {
			t.Errorf("got %q after %v, want it again after 15s", got, took)
		}
	})
}

func TestEndlessMessageIsCutOffAndComesBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cloud.Send(w.url, "endless")
		_, took := w.receive(t, t.Context(), takes(time.Hour, nil))
		if took != 14*time.Minute || !strings.Contains(w.logs.String(), "longer than 14 minutes") {
			t.Errorf("cut off after %v, want 14m; the log: %s", took, &w.logs)
		}
		if got, took := w.receive(t, t.Context(), done); len(got) != 1 || took != 15*time.Second {
			t.Errorf("got %q after %v, want it again after 15s", got, took)
		}
		w.wantEmpty(t)
	})
}

// A handler that does not heed its end does not keep the message: another
// worker gets it.
func TestMessageOfAHandlerThatHangsComesAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.cloud.Send(w.url, "hangs")
		others := w.beside(t, func() {
			w.receive(t, t.Context(), func(context.Context, string) error {
				time.Sleep(16 * time.Minute)
				return nil
			})
		})
		if len(others) != 1 {
			t.Errorf("another worker got %q, want it once", others)
		}
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
		w.receive(t, ctx, func(ctx context.Context, text string) error {
			cancel()
			return takes(49*time.Second, nil)(ctx, text)
		})
		w.wantEmpty(t)
		if n := len(w.calls); n < 4 || w.calls[n-1] != "DeleteMessage" {
			t.Errorf("the calls after the end: %q, want renewals and the removal", w.calls)
		}
	})
}

// A job that takes minutes does not keep a process that is to end.
func TestEndDoesNotWaitForever(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithCancel(t.Context())
		w.cloud.Send(w.url, "long")
		_, took := w.receive(t, ctx, func(ctx context.Context, text string) error {
			time.Sleep(time.Minute)
			cancel()
			return takes(10*time.Minute, nil)(ctx, text)
		})
		if took != time.Minute+50*time.Second {
			t.Errorf("it ended after %v", took)
		}
		if got, took := w.receive(t, t.Context(), done); len(got) != 1 || took != 15*time.Second {
			t.Errorf("got %q after %v, want it again after 15s", got, took)
		}
	})
}

func TestEndStopsTheWait(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		err := w.Receive(ctx, func(context.Context, string, string, time.Time) error { return nil })
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
