package bot

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sekisho/auth/measure"
)

// TooOld is how long an event may have waited in a stream to be acted on. What
// has been true since, the sweeps see; a stream that is read from its beginning
// holds the starts of days. The template's MaximumRecordAgeInSeconds is the same.
const TooOld = time.Hour

// stream handles a batch of Kinesis records, each an EventBridge event. Records
// of one partition key, which is an instance, are handled in order, those of
// others beside them. Lambda tries again from the first that is named here, so
// what came after it comes twice:
// https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
func (l *Lambda) stream(ctx context.Context, payload []byte) ([]byte, error) {
	var in events.KinesisEvent
	if err := json.Unmarshal(payload, &in); err != nil {
		return nil, fmt.Errorf("a Kinesis batch that cannot be read: %w", err)
	}
	failed := make([]bool, len(in.Records))
	byKey := make(map[string][]int)
	for n, r := range in.Records {
		byKey[r.Kinesis.PartitionKey] = append(byKey[r.Kinesis.PartitionKey], n)
	}
	var all sync.WaitGroup
	for _, records := range byKey {
		all.Go(func() {
			for at, n := range records {
				if err := l.record(ctx, in.Records[n]); err == nil {
					continue
				}
				for _, rest := range records[at:] {
					failed[rest] = true
				}
				return
			}
		})
	}
	all.Wait()
	out := events.KinesisEventResponse{BatchItemFailures: []events.KinesisBatchItemFailure{}}
	for n, r := range in.Records {
		if failed[n] {
			out.BatchItemFailures = append(out.BatchItemFailures, events.KinesisBatchItemFailure{ItemIdentifier: r.Kinesis.SequenceNumber})
		}
	}
	return json.Marshal(out)
}

func (l *Lambda) record(ctx context.Context, r events.KinesisEventRecord) error {
	ctx = WithRequest(ctx, r.EventID)
	arrived := r.Kinesis.ApproximateArrivalTimestamp.Time
	if age := l.now().Sub(arrived); age > TooOld {
		l.Bot.desk.Since(arrived, measure.EventLag, viaStream) // so far behind is what the metric is for
		l.Bot.log.WarnContext(ctx, "a record too old to act on was passed over", "record", r.EventID, "age", age.Round(time.Second))
		return nil
	}
	err := l.Bot.event(ctx, viaStream, arrived, r.Kinesis.Data)
	if err != nil {
		l.Bot.log.ErrorContext(ctx, "handling a record", "record", r.EventID, "error", err)
	}
	return err
}

func (l *Lambda) now() time.Time { return l.Bot.desk.Now() }
