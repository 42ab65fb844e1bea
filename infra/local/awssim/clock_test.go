package awssim

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// With a clock that is put forward, a long poll gets what has become visible, and
// somebody outside can tell until when nothing happens.
func TestAClockThatIsPutForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		c := New(Options{Now: func() time.Time { return now }})
		defer c.Close()
		url := c.CreateQueue("work", time.Minute, "", 0)
		receive := func(wait int) []receivedMessage {
			answer, err := c.sqsReceiveMessage(sqsRequest{ctx: context.Background(), QueueUrl: url, WaitTimeSeconds: wait})
			if err != nil {
				t.Error(err)
			}
			return answer.(receiveAnswer).Messages
		}
		c.Send(url, "hello")
		if n, hidden := c.Waiting(url); n != 1 || len(hidden) != 0 {
			t.Errorf("before it is received: %d, %+v", n, hidden)
		}
		first := receive(0)[0]
		n, hidden := c.Waiting(url)
		if n != 0 || len(hidden) != 1 || hidden[0].Receipt != first.ReceiptHandle || !hidden[0].Until.Equal(now.Add(time.Minute)) {
			t.Fatalf("received: %d, %+v", n, hidden)
		}
		begun, got := time.Now(), make(chan []receivedMessage)
		go func() { got <- receive(20) }()
		synctest.Wait()
		now = hidden[0].Until
		c.Moved()
		if again := <-got; len(again) != 1 || again[0].MessageId != first.MessageId || time.Since(begun) > 0 {
			t.Errorf("%v after the clock moved: %+v", time.Since(begun), again)
		}
	})
}

func TestABootThatIsHeld(t *testing.T) {
	c := New(Options{})
	t.Cleanup(c.Close)
	c.HoldBoots(true)
	i, err := c.Launch(Instance{Name: "web-1"})
	if err != nil {
		t.Fatal(err)
	}
	state := func() string { return c.Instances()[0].State }
	if err := c.StopInstance(i.ID); err == nil || state() != pending || c.Busy() {
		t.Errorf("held, it is %s; stopping it: %v", state(), err)
	}
	c.HoldBoots(false)
	if state() != running {
		t.Errorf("let go, it is %s", state())
	}
}
