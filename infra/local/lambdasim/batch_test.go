package lambdasim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"sekisho/infra/local/awssim"
	"sekisho/infra/local/lambdasim"
)

// What failed is seen again after the visibility timeout, and in the end put aside; nothing else is.
func TestPollingAQueue(t *testing.T) {
	s := deploy(t, lambdasim.Function{Handler: "batch", Timeout: patience})
	cloud := awssim.New(awssim.Options{Account: "111122223333", Region: "eu-central-1", AccessKeyID: "AKIATESTTESTTESTTEST"})
	t.Cleanup(cloud.Close)
	server := httptest.NewServer(cloud.Handler())
	t.Cleanup(server.Close)
	cloud.SetBaseURL(server.URL)
	url := cloud.CreateQueue("work", 50*time.Millisecond, "work-dead", 2)
	for _, text := range []string{"good", "bad", "better"} {
		cloud.Send(url, text)
	}
	q := lambdasim.SQS{URL: url, Client: sqs.New(sqs.Options{
		Region: "eu-central-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTESTTEST", "test-secret", ""),
	})}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	polled := make(chan error, 1)
	changes := cloud.Changes(ctx)
	go func() { polled <- s.Poll(ctx, "test", q, 10) }()
	until := func(what string, wanted func(awssim.QueueState) bool) {
		t.Helper()
		for !wanted(cloud.Queue(url)) {
			select {
			case <-changes:
			case <-time.After(20 * time.Millisecond): // a message that becomes visible is no change
			case <-ctx.Done():
				t.Fatalf("%s: never; the queue is %+v", what, cloud.Queue(url))
			}
		}
	}
	until("the bad message is put aside", func(q awssim.QueueState) bool {
		return len(q.Dead) == 1 && len(q.Visible)+len(q.InFlight) == 0
	})
	if dead := cloud.Queue(url).Dead; dead[0] != "bad" {
		t.Errorf("put aside: %v", dead)
	}
	if got := s.Logs("test"); got != "good bad better\nbad\n" {
		t.Errorf("the function was given:\n%s", got)
	}
	cloud.Send(url, "stranger") // the answer names a message that is not of the batch
	until("a batch with a wrong answer is put aside whole", func(q awssim.QueueState) bool { return len(q.Dead) == 2 })
	cloud.Send(url, "boom")
	until("a batch that failed is put aside whole", func(q awssim.QueueState) bool { return len(q.Dead) == 3 })
	cancel()
	if err := <-polled; err != nil {
		t.Error(err)
	}
}

// stream runs these texts through a mapping; it returns the batches that the function was given, and what was given up.
func stream(t *testing.T, m lambdasim.Mapping, records ...lambdasim.Record) (batches []string, given []failure) {
	t.Helper()
	s := deploy(t, lambdasim.Function{Handler: "batch", Timeout: patience})
	m.OnFailure = func(text []byte) {
		var f failure
		if err := json.Unmarshal(text, &f); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if strings.Contains(string(text), "Payload") {
			t.Errorf("data in the record of a stream: %s", text)
		}
		given = append(given, f)
	}
	if err := s.Stream(t.Context(), "test", m, records); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(s.Logs("test")) {
		if !strings.Contains(line, "errorMessage") {
			batches = append(batches, strings.TrimSpace(line))
		}
	}
	return batches, given
}

type failure struct {
	RequestContext struct {
		Condition              string
		ApproximateInvokeCount int
	}
	ResponseContext struct{ FunctionError string }
	Batch           struct {
		StartSequenceNumber, EndSequenceNumber, ShardID, StreamARN string
		BatchSize                                                  int
		ApproximateArrivalOfFirstRecord                            time.Time
	} `json:"KinesisBatchInfo"`
}

func texts(all ...string) (records []lambdasim.Record) {
	for _, text := range all {
		records = append(records, lambdasim.Record{Data: []byte(text), PartitionKey: "i-1"})
	}
	return records
}

func TestStreamsKeepTheirOrder(t *testing.T) {
	batches, given := stream(t, lambdasim.Mapping{BatchSize: 2}, texts("a", "b", "c", "d", "e")...)
	if want := []string{"a b", "c d", "e"}; !slices.Equal(batches, want) || len(given) > 0 {
		t.Errorf("batches %q, given up %+v", batches, given)
	}
}

func TestAStreamGoesOnFromTheLowestFailure(t *testing.T) {
	batches, given := stream(t, lambdasim.Mapping{BatchSize: 4, MaximumRetryAttempts: 2}, texts("a", "bad1", "c", "bad2", "e")...)
	if want := []string{"a bad1 c bad2", "bad1 c bad2", "bad1 c bad2", "e"}; !slices.Equal(batches, want) {
		t.Errorf("batches %q", batches)
	}
	if len(given) != 1 || given[0].RequestContext.Condition != "RetryAttemptsExhausted" || given[0].RequestContext.ApproximateInvokeCount != 3 ||
		given[0].Batch.BatchSize != 3 || given[0].Batch.StartSequenceNumber >= given[0].Batch.EndSequenceNumber || given[0].ResponseContext.FunctionError != "" {
		t.Errorf("given up %+v", given)
	}
}

func TestABisectedBatchLosesOnlyItsBadRecord(t *testing.T) {
	m := lambdasim.Mapping{MaximumRetryAttempts: 1, BisectBatchOnFunctionError: true}
	batches, given := stream(t, m, texts("a", "bad", "c")...)
	if want := []string{"a bad c", "bad c", "bad", "bad", "c"}; !slices.Equal(batches, want) {
		t.Errorf("batches %q", batches)
	}
	if len(given) != 1 || given[0].Batch.BatchSize != 1 {
		t.Errorf("given up %+v", given)
	}
	batches, given = stream(t, m, texts("a", "b", "boom", "d")...)
	if want := []string{"a b boom d", "a b", "boom d", "boom", "boom", "d"}; !slices.Equal(batches, want) {
		t.Errorf("batches %q", batches)
	}
	if len(given) != 1 || given[0].ResponseContext.FunctionError != "Unhandled" {
		t.Errorf("given up %+v", given)
	}
}

func TestAStreamLeavesWhatIsTooOld(t *testing.T) {
	records := texts("old", "older", "new")
	records[0].Arrived = time.Now().Add(-2 * time.Minute)
	records[1].Arrived = records[0].Arrived
	batches, given := stream(t, lambdasim.Mapping{MaximumRecordAge: time.Minute}, records...)
	if want := []string{"new"}; !slices.Equal(batches, want) {
		t.Errorf("batches %q", batches)
	}
	if len(given) != 1 || given[0].RequestContext.Condition != "RecordAgeExceeded" || given[0].Batch.BatchSize != 2 ||
		given[0].Batch.ApproximateArrivalOfFirstRecord.Sub(records[0].Arrived).Abs() > time.Second {
		t.Errorf("given up %+v", given)
	}
}

func TestAStreamWaitsWhereItIsThrottled(t *testing.T) {
	s := deploy(t, lambdasim.Function{Handler: "batch", Reserved: 1, Timeout: patience})
	entered, open := make(chan struct{}), make(chan struct{})
	url := serve(t, func(http.ResponseWriter, *http.Request) {
		close(entered)
		<-open
	})
	if err := s.InvokeAsync("test", mustMarshal(map[string]string{"ask": url})); err != nil {
		t.Fatal(err)
	}
	<-entered
	time.AfterFunc(100*time.Millisecond, func() { close(open) })
	if err := s.Stream(t.Context(), "test", lambdasim.Mapping{}, texts("a")); err != nil || s.Logs("test") != "a\n" {
		t.Errorf("%v; the function said %q", err, s.Logs("test"))
	}
}
