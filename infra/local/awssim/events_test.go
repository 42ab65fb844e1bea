package awssim_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/infra/local/awssim"
)

func TestEventShape(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now, BootTime: never, Account: "999988887777"})
	url := w.CreateQueue("events", time.Minute, "", 0)
	w.RouteEventsTo(url)
	w.Add(awssim.Instance{ID: "i-0123456789abcdef0"})
	wantOK(t, w.StartInstance("i-0123456789abcdef0"))

	bodies := states(t, w.Queue(url).Visible)
	if len(bodies) != 1 {
		t.Fatalf("%d events in the queue, want 1", len(bodies))
	}
	var got map[string]any
	wantOK(t, json.Unmarshal([]byte(bodies[0]), &got))
	id := got["id"].(string)
	want := `{"version":"0","id":"` + id + `","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",` +
		`"account":"999988887777","time":"2026-03-04T05:06:07Z","region":"eu-central-1",` +
		`"resources":["arn:aws:ec2:eu-central-1:999988887777:instance/i-0123456789abcdef0"],` +
		`"detail":{"instance-id":"i-0123456789abcdef0","state":"pending"}}`
	if len(id) != 36 || bodies[0] != want {
		t.Errorf("event\n%s, want\n%s", bodies[0], want)
	}
}

// states picks the state changes out of the events of a queue.
func states(t *testing.T, bodies []string) []string {
	t.Helper()
	var found []string
	for _, body := range bodies {
		var e event
		wantOK(t, json.Unmarshal([]byte(body), &e))
		if e.DetailType != trailType {
			found = append(found, body)
		}
	}
	return found
}

// The queue has a call's events when the call has been answered; with no boot time, the next state's too.
func TestEventsInOrder(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	url := w.CreateQueue("events", time.Minute, "", 0)
	w.RouteEventsTo(url)
	i := w.Add(awssim.Instance{})
	for range 3 {
		_, err := w.start(t.Context(), i.ID)
		wantOK(t, err)
		_, err = w.start(t.Context(), i.ID) // no change, no event
		wantOK(t, err)
		_, err = w.stop(t.Context(), i.ID)
		wantOK(t, err)
	}
	var told []string
	for _, body := range states(t, w.Queue(url).Visible) {
		var e event
		wantOK(t, json.Unmarshal([]byte(body), &e))
		told = append(told, e.Detail.State)
	}
	if len(told) != 12 {
		t.Fatalf("%d events %v, want 12", len(told), told)
	}
	for n, state := range told {
		if want := []string{"pending", "running", "stopping", "stopped"}[n%4]; state != want {
			t.Errorf("event %d is %s, want %s", n, state, want)
		}
	}
	w.wantStates(t, i.ID, told...) // the hook saw the same

	w.RouteEventsTo("")
	wantOK(t, w.StartInstance(i.ID))
	if n := len(states(t, w.Queue(url).Visible)); n != 12 {
		t.Errorf("%d events after the rule was removed, want still 12", n)
	}
}

func TestDuplicateDroppedAndHeldEvents(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{})

	w.DuplicateEvents(true)
	wantOK(t, w.StartInstance(i.ID))
	first, again := <-w.events, <-w.events
	if first.Detail.State != "pending" || first.ID != again.ID {
		t.Errorf("events %s %s and %s %s, want the same twice", first.Detail.State, first.ID, again.Detail.State, again.ID)
	}
	w.wantStates(t, i.ID, "running", "running")
	w.DuplicateEvents(false)

	w.DropEvents(1)
	wantOK(t, w.StopInstance(i.ID))
	w.wantStates(t, i.ID, "stopped")

	w.HoldEvents(true)
	wantOK(t, w.StartInstance(i.ID))
	wantOK(t, w.StopInstance(i.ID))
	w.HoldEvents(false)
	w.wantStates(t, i.ID, "stopped", "stopping", "running", "pending")
	wantOK(t, w.StartInstance(i.ID))
	w.wantStates(t, i.ID, "pending", "running")
}

// A hook is called without the cloud's lock: it may look at what it is told of, and act on it.
func TestHookMayCallTheCloud(t *testing.T) {
	w := newWorld(t, awssim.Options{StopTime: never})
	i := w.Add(awssim.Instance{})
	stopped := make(chan error, 1)
	w.OnEvent(func(raw []byte) {
		var e event
		if json.Unmarshal(raw, &e) == nil && e.Detail.State == "running" {
			_, err := w.stop(t.Context(), i.ID)
			stopped <- err
		}
	})
	wantOK(t, w.StartInstance(i.ID))
	wantOK(t, <-stopped)
	w.wantStates(t, i.ID, "pending", "running", "stopping")
}

func TestCloseWaitsForHooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awssim.New(awssim.Options{BootTime: never, CloudTrailDelay: never})
		i := c.Add(awssim.Instance{})
		done := make(chan struct{})
		c.OnEvent(func([]byte) {
			time.Sleep(time.Second)
			close(done)
		})
		wantOK(t, c.StartInstance(i.ID))
		synctest.Wait()
		c.Close()
		select {
		case <-done:
		default:
			t.Error("Close returned while a hook was running")
		}
	})
}

func TestCloseStopsTheClockwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awssim.New(awssim.Options{BootTime: time.Second})
		i := c.Add(awssim.Instance{})
		changes := c.Changes(t.Context())
		wantOK(t, c.StartInstance(i.ID))
		c.Close()
		c.Close() // once more does no harm
		time.Sleep(time.Minute)
		if got := c.Instances()[0].State; got != "pending" {
			t.Errorf("after Close it became %s", got)
		}
		<-changes // the tick of the start
		if _, open := <-changes; open {
			t.Error("Changes is still open after Close")
		}
		// The bubble fails here if a goroutine or a timer is left.
	})
}
