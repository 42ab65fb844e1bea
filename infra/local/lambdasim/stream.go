package lambdasim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"
)

const (
	shard     = "shardId-000000000000"
	streamARN = "arn:aws:kinesis:" + region + ":" + account + ":stream/sekisho"
)

// Record is one record of a stream.
type Record struct {
	Data         []byte
	PartitionKey string
	Arrived      time.Time // default: now
}

// Mapping is an event source mapping of a stream with ReportBatchItemFailures, its settings named as Lambda names them.
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
type Mapping struct {
	BatchSize                  int           // default 100
	MaximumRetryAttempts       int           // -1: as long as it takes
	MaximumRecordAge           time.Duration // 0: any age
	BisectBatchOnFunctionError bool

	// OnFailure takes the record of a batch that was given up: what and when, not the data. Nil: nobody hears of it.
	OnFailure func(record []byte)
}

// Stream reads one shard from its beginning to its end, a batch after the other. A batch that fails is tried again from the
// lowest sequence number that was reported, and nothing after it is read before it is handled or given up. Throttling is
// waited for. It returns when all records are done with, or when ctx ends.
func (s *Service) Stream(ctx context.Context, name string, m Mapping, records []Record) error {
	size := m.BatchSize
	if size == 0 {
		size = 100
	}
	r := &reader{Mapping: m, service: s, ctx: ctx, f: s.function(name)}
	var all []events.KinesisEventRecord
	for n, record := range records {
		all = append(all, r.record(n, record))
	}
	for len(all) > 0 && !r.over() {
		n := min(size, len(all))
		r.handle(all[:n], 0)
		all = all[n:]
	}
	return context.Cause(ctx)
}

// reader is one run of Stream.
type reader struct {
	Mapping
	service *Service
	ctx     context.Context
	f       *function
}

func (r *reader) over() bool { return r.ctx.Err() != nil || r.service.ctx.Err() != nil }

func (r *reader) record(n int, in Record) events.KinesisEventRecord {
	if in.Arrived.IsZero() {
		in.Arrived = time.Now()
	}
	// Sequence numbers grow, and have 56 digits. https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html
	sequence := fmt.Sprintf("49590338271490256608559692538361571095921575989136%06d", n)
	return events.KinesisEventRecord{
		AwsRegion: region, EventID: shard + ":" + sequence, EventName: "aws:kinesis:record", EventSource: "aws:kinesis",
		EventSourceArn: streamARN, EventVersion: "1.0", InvokeIdentityArn: "arn:aws:iam::" + account + ":role/sekisho",
		Kinesis: events.KinesisRecord{
			ApproximateArrivalTimestamp: events.SecondsEpochTime{Time: in.Arrived}, Data: in.Data,
			PartitionKey: in.PartitionKey, SequenceNumber: sequence, KinesisSchemaVersion: "1.0",
		},
	}
}

// handle calls the function until the batch is handled or given up; it has been tried again this often before.
// https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
func (r *reader) handle(batch []events.KinesisEventRecord, again int) {
	for calls := 1; !r.over(); calls++ {
		if batch = r.young(batch, calls-1); len(batch) == 0 {
			return
		}
		done, told := r.call(batch)
		batch = batch[done:]
		switch {
		case len(batch) == 0 || r.over():
			return
		case r.BisectBatchOnFunctionError && done > 0: // split where it failed, which costs no try
		case r.BisectBatchOnFunctionError && len(batch) > 1:
			r.handle(batch[:len(batch)/2], again)
			r.handle(batch[len(batch)/2:], again)
			return
		case r.MaximumRetryAttempts >= 0 && again == r.MaximumRetryAttempts:
			r.giveUp(batch, "RetryAttemptsExhausted", calls, told)
			return
		default:
			again++
		}
	}
}

// young gives up the records at the beginning that are too old.
func (r *reader) young(batch []events.KinesisEventRecord, calls int) []events.KinesisEventRecord {
	old := 0
	for r.MaximumRecordAge > 0 && old < len(batch) && time.Since(batch[old].Kinesis.ApproximateArrivalTimestamp.Time) > r.MaximumRecordAge {
		old++
	}
	if old > 0 {
		r.giveUp(batch[:old], "RecordAgeExceeded", calls, nil)
	}
	return batch[old:]
}

// call says how many records, from the first, are done with; told is the function error, if it was one.
func (r *reader) call(batch []events.KinesisEventRecord) (done int, told *Error) {
	answer, err := r.invoke(mustJSON(events.KinesisEvent{Records: batch}))
	if err != nil {
		told, _ = errors.AsType[*Error](err)
		return 0, told
	}
	ids := make(map[string]bool)
	for _, record := range batch {
		ids[record.Kinesis.SequenceNumber] = true
	}
	failed, whole := failures(answer, ids)
	if whole {
		return 0, nil
	}
	for done < len(batch) && !failed[batch[done].Kinesis.SequenceNumber] {
		done++
	}
	return done, nil
}

// invoke waits where others have all the sandboxes.
func (r *reader) invoke(payload []byte) ([]byte, error) {
	const pause = 50 * time.Millisecond
	for {
		answer, err := r.service.Invoke(r.ctx, r.f.Name, payload)
		if !errors.Is(err, ErrThrottled) || !r.service.wait(pause) {
			return answer, err
		}
	}
}

// failedBatch says where to find what was given up.
// https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
type failedBatch struct {
	Shard  string `json:"shardId"`
	Start  string `json:"startSequenceNumber"`
	End    string `json:"endSequenceNumber"`
	First  string `json:"approximateArrivalOfFirstRecord"`
	Last   string `json:"approximateArrivalOfLastRecord"`
	Size   int    `json:"batchSize"`
	Stream string `json:"streamArn"`
}

func (r *reader) giveUp(batch []events.KinesisEventRecord, why string, calls int, told *Error) {
	if r.OnFailure == nil {
		return
	}
	first, last := batch[0].Kinesis, batch[len(batch)-1].Kinesis
	record := failureRecord{
		Version: "1.0", Timestamp: time.Now().UTC().Format(recordTime),
		RequestContext:  failedRequest{uuid.NewString(), r.f.arn(), why, calls},
		ResponseContext: failedResponse{StatusCode: 200, Version: "$LATEST"},
		Batch: &failedBatch{
			Shard: shard, Start: first.SequenceNumber, End: last.SequenceNumber,
			First: first.ApproximateArrivalTimestamp.UTC().Format(recordTime), Last: last.ApproximateArrivalTimestamp.UTC().Format(recordTime),
			Size: len(batch), Stream: streamARN,
		},
	}
	if told != nil {
		record.ResponseContext.FunctionError = "Unhandled"
	}
	r.OnFailure(mustJSON(record))
}
