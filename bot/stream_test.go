package bot_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"sekisho/auth"
	"sekisho/bot"
	"sekisho/commands"
)

// streamed is a record of a Kinesis batch.
type streamed struct {
	key, data string
	ago       time.Duration // since it arrived
}

// streamOf is a Kinesis batch of these records, with sequence numbers 0, 1, …
func streamOf(t testing.TB, records ...streamed) []byte {
	t.Helper()
	var batch events.KinesisEvent
	for n, r := range records {
		batch.Records = append(batch.Records, events.KinesisEventRecord{
			EventSource: "aws:kinesis", EventID: fmt.Sprintf("shardId-000000000000:%d", n),
			Kinesis: events.KinesisRecord{
				PartitionKey: r.key, SequenceNumber: fmt.Sprint(n), Data: []byte(r.data),
				ApproximateArrivalTimestamp: events.SecondsEpochTime{Time: noon.Add(-r.ago)},
			},
		})
	}
	text, err := json.Marshal(batch)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// noted is a job that writes down what it was given, and fails where that says so.
func noted(w *world) *[]string {
	var mu sync.Mutex
	var done []string
	w.AddJob(commands.Job{Source: "test", DetailType: "note", Door: auth.DoorGate,
		Run: func(_ context.Context, _ *commands.Desk, e commands.Event) error {
			mu.Lock()
			defer mu.Unlock()
			done = append(done, e.ID)
			if strings.HasPrefix(e.ID, "bad") {
				return errors.New("it cannot be done")
			}
			return nil
		}})
	return &done
}

func note(id string) string {
	return fmt.Sprintf(`{"id":%q,"source":"test","detail-type":"note"}`, id)
}

// What failed and what came after it of the same instance come again; others
// are none the worse for it.
func TestAStreamKeepsEachInstancesOrder(t *testing.T) {
	w, l := function(t, "events")
	done := noted(w)
	out, err := l.Invoke(t.Context(), streamOf(t,
		streamed{"i-1", note("1a"), 0}, streamed{"i-2", note("bad 2a"), 0}, streamed{"i-1", note("1b"), 0},
		streamed{"i-2", note("2b"), 0}, streamed{"i-3", "no event", 0}, streamed{"i-1", note("1c"), 0},
	))
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"batchItemFailures":[{"itemIdentifier":"1"},{"itemIdentifier":"3"},{"itemIdentifier":"4"}]}`; string(out) != want {
		t.Errorf("got  %s\nwant %s", out, want)
	}
	first := slices.DeleteFunc(slices.Clone(*done), func(id string) bool { return !strings.HasPrefix(id, "1") })
	if !slices.Equal(first, []string{"1a", "1b", "1c"}) || len(*done) != 4 {
		t.Errorf("handled: %v", *done)
	}
}

func TestAStreamsOldRecordsArePassedOver(t *testing.T) {
	w, l := function(t, "gate")
	done := noted(w)
	out, err := l.Invoke(t.Context(), streamOf(t,
		streamed{"i-1", note("bad, and too old"), bot.TooOld + time.Second}, streamed{"i-1", note("just"), bot.TooOld}))
	if want := `{"batchItemFailures":[]}`; err != nil || string(out) != want {
		t.Errorf("%s, %v", out, err)
	}
	if !slices.Equal(*done, []string{"just"}) || !strings.Contains(w.log.String(), "too old to act on") {
		t.Errorf("handled: %v; the log: %s", *done, w.log)
	}
}

// A process with the rights of one half leaves the other's events alone, and
// loses none.
func TestHalfADoorRefusesTheOthersEvents(t *testing.T) {
	for doors, refused := range map[string]string{"gate": "Keys", "keys": "Sweep"} {
		open, err := bot.ReadDoors(doors)
		if err != nil {
			t.Fatal(err)
		}
		b := bot.New(newWorld(t).desk, open)
		err = b.Event(t.Context(), []byte(`{"source":"sekisho.schedule","detail-type":"`+refused+`"}`))
		if err == nil || !strings.Contains(err.Error(), "SEKISHO_DOORS") {
			t.Errorf("%s lets %s in: %v", doors, refused, err)
		}
	}
}
