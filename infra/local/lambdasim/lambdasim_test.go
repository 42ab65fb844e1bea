package lambdasim_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"sekisho/infra/local/lambdasim"
)

// TestMain makes the test binary a function's program when Lambda's variable is there.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	switch os.Getenv("_HANDLER") {
	case "gives-up":
		http.Post("http://"+os.Getenv("AWS_LAMBDA_RUNTIME_API")+"/2018-06-01/runtime/init/error", "application/json",
			strings.NewReader(`{"errorType":"Test.NoPolicy","errorMessage":"no policy"}`))
		os.Exit(1)
	case "untidy":
		answerUntidily()
	case "exits":
		os.Exit(7)
	case "url":
		lambda.Start(answerURL)
	case "batch":
		lambda.Start(handleBatch)
	default:
		lambda.Start(act)
	}
}

// answerUntidily speaks to the Runtime API itself: it answers another invocation than its own, and its own twice.
func answerUntidily() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	next, err := http.Get(base + "next")
	if err != nil {
		return
	}
	next.Body.Close()
	id := next.Header.Get("Lambda-Runtime-Aws-Request-Id")
	for _, id := range []string{"another", id, id} {
		answer, err := http.Post(base+id+"/response", "application/json", strings.NewReader(`"`+id+`"`))
		if err != nil {
			return
		}
		fmt.Println(answer.StatusCode)
		answer.Body.Close()
	}
}

// order is what a test has the function do.
type order struct {
	Do  string `json:"do"`
	Arg string `json:"arg"`
}

type result struct {
	PID      int
	Env      []string
	Dir      string
	Request  string
	ARN      string
	Trace    string
	Deadline time.Time
	Text     string
}

func act(ctx context.Context, o order) (any, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	r := result{PID: os.Getpid(), Env: os.Environ(), Request: lc.AwsRequestID, ARN: lc.InvokedFunctionArn, Trace: os.Getenv("_X_AMZN_TRACE_ID")}
	r.Dir, _ = os.Getwd()
	r.Deadline, _ = ctx.Deadline()
	switch o.Do {
	case "say":
		fmt.Fprintln(os.Stderr, "said:", o.Arg)
	case "get":
		answer, err := http.Get(o.Arg)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		r.Text = string(text)
		return r, err
	case "fail":
		return nil, errors.New(o.Arg)
	case "panic":
		panic(o.Arg)
	case "exit":
		os.Exit(3)
	case "hang":
		<-time.After(time.Hour)
	case "large":
		n, err := strconv.Atoi(o.Arg)
		return strings.Repeat("x", n), err
	}
	return r, nil
}

// patience bounds every wait; nothing waits for it to pass.
const patience = time.Minute

// deploy makes a service with this one function, called "test".
func deploy(t *testing.T, f lambdasim.Function) *lambdasim.Service {
	t.Helper()
	var err error
	if f.Program == "" {
		if f.Program, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
	}
	f.Name = "test"
	s, err := lambdasim.New(f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the function said:\n%s", s.Logs("test"))
		}
		s.Close()
	})
	return s
}

func call(ctx context.Context, s *lambdasim.Service, do, arg string) (r result, err error) {
	payload, _ := json.Marshal(order{do, arg})
	answer, err := s.Invoke(ctx, "test", payload)
	if err == nil {
		err = json.Unmarshal(answer, &r)
	}
	return r, err
}

// must calls the function, which must answer.
func must(t *testing.T, s *lambdasim.Service, do, arg string) result {
	t.Helper()
	r, err := call(t.Context(), s, do, arg)
	if err != nil {
		t.Fatalf("%s: %v", do, err)
	}
	return r
}

// wantFault wants a function error of a type, with a text in its message and in its payload.
func wantFault(t *testing.T, err error, kind, text string) {
	t.Helper()
	told, ok := errors.AsType[*lambdasim.Error](err)
	if !ok || told.Type != kind || !strings.Contains(told.Message, text) {
		t.Errorf("error %v, want %s with %q", err, kind, text)
		return
	}
	var payload struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(told.Payload, &payload); err != nil || payload.ErrorType != kind || payload.ErrorMessage != told.Message {
		t.Errorf("payload %s: %v", told.Payload, err)
	}
}

func TestASandboxIsWarmAfterItsFirstInvocation(t *testing.T) {
	s := deploy(t, lambdasim.Function{Timeout: 42 * time.Second, Env: []string{"OWN=1", "_HANDLER=mine", "AWS_REGION=eu-west-1"}})
	if n := s.Started("test"); n != 0 {
		t.Errorf("%d processes before the first invocation", n)
	}
	before := time.Now()
	first := must(t, s, "say", "one")
	if left := first.Deadline.Sub(before); left < 42*time.Second-time.Millisecond || left > 42*time.Second+time.Since(before) {
		t.Errorf("the deadline is in %v", left)
	}
	if first.ARN != "arn:aws:lambda:eu-central-1:111122223333:function:test" || !strings.HasPrefix(first.Trace, "Root=1-") {
		t.Errorf("ARN %s, trace %s", first.ARN, first.Trace)
	}
	env := " " + strings.Join(first.Env, " ") + " "
	for _, want := range []string{"OWN=1", "_HANDLER=bootstrap", "AWS_REGION=eu-west-1", "AWS_LAMBDA_FUNCTION_NAME=test", "LAMBDA_TASK_ROOT=" + first.Dir} {
		if !strings.Contains(env, " "+want+" ") {
			t.Errorf("no %s in %s", want, env)
		}
	}
	if strings.Contains(env, " HOME=") {
		t.Errorf("the environment of the test is there: %s", env)
	}
	second := must(t, s, "say", "two")
	if second.PID != first.PID || second.Request == first.Request || s.Started("test") != 1 {
		t.Errorf("the second invocation: %+v, %d processes", second, s.Started("test"))
	}
	if got := s.Logs("test"); got != "said: one\nsaid: two\n" {
		t.Errorf("the log is %q", got)
	}
}

// Nothing that a function left running goes on between its invocations.
func TestASandboxIsFrozenBetweenInvocations(t *testing.T) {
	s := deploy(t, lambdasim.Function{})
	pid := must(t, s, "say", "").PID
	over := time.After(patience)
	for !stopped(t, pid) {
		select {
		case <-over:
			t.Fatal("the process was never stopped")
		default:
		}
	}
	if again := must(t, s, "say", "").PID; again != pid {
		t.Errorf("process %d, then %d", pid, again)
	}
}

// door lets a function wait in it until the test says so.
type door struct {
	url     string
	entered chan struct{}
	open    chan struct{}
}

func newDoor(t *testing.T) *door {
	d := &door{entered: make(chan struct{}, 10), open: make(chan struct{})}
	d.url = serve(t, func(w http.ResponseWriter, r *http.Request) {
		d.entered <- struct{}{}
		select {
		case <-d.open:
		case <-r.Context().Done():
		}
	})
	return d
}

func TestASandboxServesOneAtATime(t *testing.T) {
	s := deploy(t, lambdasim.Function{Reserved: 2, Timeout: patience})
	d := newDoor(t)
	pids := make(chan int, 2)
	for range 2 {
		go func() {
			r, err := call(t.Context(), s, "get", d.url)
			if err != nil {
				t.Error(err)
			}
			pids <- r.PID
		}()
	}
	<-d.entered
	<-d.entered
	if _, err := call(t.Context(), s, "say", "three"); !errors.Is(err, lambdasim.ErrThrottled) {
		t.Errorf("a third invocation beside two: %v", err)
	}
	close(d.open)
	if one, two := <-pids, <-pids; one == two {
		t.Errorf("both were in process %d", one)
	}
	must(t, s, "say", "four")
	if n := s.Started("test"); n != 2 {
		t.Errorf("%d processes, want 2", n)
	}
}

func TestACallerThatLeavesStopsNothing(t *testing.T) {
	s := deploy(t, lambdasim.Function{Reserved: 1, Timeout: patience})
	d := newDoor(t)
	ctx, leave := context.WithCancel(t.Context())
	gone := make(chan error)
	go func() {
		_, err := call(ctx, s, "get", d.url)
		gone <- err
	}()
	<-d.entered
	leave()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller got %v", err)
	}
	if _, err := call(t.Context(), s, "say", ""); !errors.Is(err, lambdasim.ErrThrottled) {
		t.Errorf("the sandbox is free: %v", err)
	}
	close(d.open)
}

func TestAFunctionError(t *testing.T) {
	s := deploy(t, lambdasim.Function{})
	pid := must(t, s, "say", "").PID
	_, err := call(t.Context(), s, "fail", "no luck")
	wantFault(t, err, "errorString", "no luck")
	if again := must(t, s, "say", "").PID; again != pid {
		t.Error("the sandbox did not outlive an error")
	}
}

func TestASandboxThatEnds(t *testing.T) {
	for _, c := range []struct{ do, kind, text string }{
		{"panic", "string", "oh"},
		{"exit", "Runtime.ExitError", "Error: Runtime exited with error: exit status 3"},
		{"hang", "Sandbox.Timedout", "Error: Task timed out after 2.00 seconds"},
	} {
		t.Run(c.do, func(t *testing.T) {
			s := deploy(t, lambdasim.Function{Timeout: 2 * time.Second, Reserved: 1})
			before := must(t, s, "say", "")
			_, err := call(t.Context(), s, c.do, "oh")
			wantFault(t, err, c.kind, c.text)
			if after := must(t, s, "say", ""); after.PID == before.PID || s.Started("test") != 2 {
				t.Errorf("process %d, then %d; %d cold starts", before.PID, after.PID, s.Started("test"))
			}
		})
	}
}

func TestAProgramThatDoesNotStart(t *testing.T) {
	for _, c := range []struct{ handler, program, kind, text string }{
		{"gives-up", "", "Test.NoPolicy", "no policy"},
		{"exits", "", "Runtime.ExitError", "exit status 7"},
		{"", filepath.Join(t.TempDir(), "not-there"), "Runtime.InvalidEntrypoint", "not-there"},
	} {
		s := deploy(t, lambdasim.Function{Handler: c.handler, Program: c.program})
		_, err := s.Invoke(t.Context(), "test", []byte(`{}`))
		wantFault(t, err, c.kind, c.text)
	}
}

func TestOnlyTheRightAnswerIsTaken(t *testing.T) {
	s := deploy(t, lambdasim.Function{Handler: "untidy"})
	answer, err := s.Invoke(t.Context(), "test", []byte(`{}`))
	if err != nil || strings.Contains(string(answer), "another") {
		t.Errorf("answered %s, %v", answer, err)
	}
	if got := s.Logs("test"); got != "400\n202\n400\n" {
		t.Errorf("the function was told %q", got)
	}
}

func TestSizes(t *testing.T) {
	const most = 6 << 20
	s := deploy(t, lambdasim.Function{Timeout: patience})
	answer, err := s.Invoke(t.Context(), "test", mustMarshal(order{"large", fmt.Sprint(most - 2)})) // two quotes
	if err != nil || len(answer) != most {
		t.Errorf("6 MB: %d bytes, %v", len(answer), err)
	}
	_, err = s.Invoke(t.Context(), "test", mustMarshal(order{"large", fmt.Sprint(most - 1)}))
	wantFault(t, err, "Function.ResponseSizeTooLarge", "exceeded")
	if _, err = call(t.Context(), s, "say", strings.Repeat("x", most)); !errors.Is(err, lambdasim.ErrTooLarge) {
		t.Errorf("a payload of more than 6 MB: %v", err)
	}
	if err := s.InvokeAsync("test", mustMarshal(order{"say", strings.Repeat("x", 1<<20)})); !errors.Is(err, lambdasim.ErrTooLarge) {
		t.Errorf("an event of more than 1 MB: %v", err)
	}
}

func mustMarshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}

func TestAnEventIsTriedThreeTimes(t *testing.T) {
	records := make(chan []byte, 2)
	s := deploy(t, lambdasim.Function{Handler: "batch", Reserved: 1, OnFailure: func(r []byte) { records <- r }})
	var tries atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tries.Add(1)
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	payload := mustMarshal(map[string]string{"ask": url})
	if err := s.InvokeAsync("test", payload); err != nil {
		t.Fatal(err)
	}
	var record struct {
		Version        string
		Timestamp      time.Time
		RequestContext struct {
			RequestID, FunctionARN, Condition string
			ApproximateInvokeCount            int
		}
		RequestPayload  json.RawMessage
		ResponseContext struct {
			StatusCode                     int
			ExecutedVersion, FunctionError string
		}
		ResponsePayload struct{ ErrorMessage, ErrorType string }
	}
	if err := json.Unmarshal(<-records, &record); err != nil {
		t.Fatal(err)
	}
	c := record.RequestContext
	if tries.Load() != 3 || c.ApproximateInvokeCount != 3 || c.Condition != "RetriesExhausted" || c.FunctionARN != "arn:aws:lambda:eu-central-1:111122223333:function:test:$LATEST" || c.RequestID == "" {
		t.Errorf("%d tries, %+v", tries.Load(), c)
	}
	if string(record.RequestPayload) != string(payload) || record.ResponseContext.FunctionError != "Unhandled" || !strings.Contains(record.ResponsePayload.ErrorMessage, "503") {
		t.Errorf("the record is %+v", record)
	}
}

func TestAnEventThatSucceedsAtLast(t *testing.T) {
	requests := make(chan string, 3)
	s := deploy(t, lambdasim.Function{Handler: "batch", Reserved: 1, OnFailure: func(r []byte) { t.Errorf("given up: %s", r) }})
	fail := 2
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests <- r.Header.Get("Request")
		if fail--; fail >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	if err := s.InvokeAsync("test", mustMarshal(map[string]string{"ask": url})); err != nil {
		t.Fatal(err)
	}
	if a, b, c := <-requests, <-requests, <-requests; a != b || b != c {
		t.Errorf("request ids %s, %s and %s: a retry has the first one's", a, b, c)
	}
}

func TestAClosedServiceTakesNothing(t *testing.T) {
	s := deploy(t, lambdasim.Function{})
	pid := must(t, s, "say", "").PID
	s.Close()
	if running(pid) {
		t.Error("the process outlives the service")
	}
	if _, err := s.Invoke(t.Context(), "test", nil); err == nil {
		t.Error("a closed service answers")
	}
	if err := s.InvokeAsync("test", nil); err == nil {
		t.Error("a closed service takes an event")
	}
}

// handleBatch fails records whose text begins with "bad" and a batch with one that begins with "boom", and logs what came.
func handleBatch(ctx context.Context, in struct {
	Ask     string
	Records []struct {
		MessageID string
		Body      string
		Kinesis   events.KinesisRecord
	}
}) (any, error) {
	if in.Ask != "" {
		return nil, ask(ctx, in.Ask)
	}
	var all []string
	var failed []map[string]string
	boom := false
	for _, r := range in.Records {
		id, text := r.MessageID, r.Body
		if r.Kinesis.SequenceNumber != "" {
			id, text = r.Kinesis.SequenceNumber, string(r.Kinesis.Data)
		}
		all = append(all, text)
		boom = boom || strings.HasPrefix(text, "boom")
		switch {
		case strings.HasPrefix(text, "bad"):
			failed = append(failed, map[string]string{"itemIdentifier": id})
		case text == "stranger":
			failed = append(failed, map[string]string{"itemIdentifier": "not-of-this-batch"})
		}
	}
	fmt.Println(strings.Join(all, " "))
	if boom {
		return nil, errors.New("boom")
	}
	return map[string]any{"batchItemFailures": failed}, nil
}

func ask(ctx context.Context, url string) error {
	lc, _ := lambdacontext.FromContext(ctx)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Request", lc.AwsRequestID)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}
