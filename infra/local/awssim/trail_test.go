package awssim_test

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sekisho/infra/local/awssim"
)

// trailed is what a test reads of CloudTrail's event.
type trailed struct {
	ID         string
	DetailType string `json:"detail-type"`
	Source     string
	Time       time.Time
	Detail     struct {
		By struct {
			Type, ARN, UserName string
			Session             struct {
				Issuer struct{ Type, ARN, UserName string } `json:"sessionIssuer"`
			} `json:"sessionContext"`
		} `json:"userIdentity"`
		EventTime           time.Time
		EventSource         string
		EventName, EventID  string
		AWSRegion           string
		SourceIPAddress     string
		ErrorCode           string
		RequestParameters   json.RawMessage
		ResponseElements    *struct{ InstancesSet itemSet }
		RecipientAccountID  string
		UserAgent, Category string
	}
}

type itemSet struct {
	Items []struct {
		InstanceID                  string
		CurrentState, PreviousState *namedState
		InstanceState               *namedState
	}
}

type namedState struct {
	Code int
	Name string
}

// next takes CloudTrail's next event.
func (w *world) next(t *testing.T) (e trailed) {
	t.Helper()
	select {
	case raw := <-w.trail:
		wantOK(t, json.Unmarshal(raw, &e))
	case <-time.After(10 * time.Second):
		t.Fatal("CloudTrail tells nothing")
	}
	if e.Source != "aws.ec2" || e.ID == "" || e.Detail.EventID == "" || e.Detail.EventSource != "ec2.amazonaws.com" ||
		e.Detail.AWSRegion != "eu-central-1" || e.Detail.EventTime.IsZero() || !e.Time.Equal(e.Detail.EventTime) || e.Detail.SourceIPAddress == "" {
		t.Errorf("not an event of CloudTrail's: %+v", e)
	}
	return e
}

// wantItem is one instance of a start.
func wantItem(t *testing.T, e trailed, id, previous, current string) {
	t.Helper()
	if e.Detail.ResponseElements == nil || len(e.Detail.ResponseElements.InstancesSet.Items) != 1 {
		t.Fatalf("answered %+v, want one instance", e.Detail.ResponseElements)
	}
	i := e.Detail.ResponseElements.InstancesSet.Items[0]
	if i.InstanceID != id || i.PreviousState == nil || i.PreviousState.Name != previous || i.CurrentState.Name != current {
		t.Errorf("answered %+v %+v → %+v, want %s %s → %s", i, i.PreviousState, i.CurrentState, id, previous, current)
	}
}

func TestTrailNamesTheConsolesUser(t *testing.T) {
	w := newWorld(t, awssim.Options{BootTime: never})
	i := w.Add(awssim.Instance{})
	wantOK(t, w.StartInstanceAs(i.ID, "rosa"))
	e := w.next(t)
	if e.Detail.EventName != "StartInstances" || e.Detail.By.Type != "IAMUser" || e.Detail.By.UserName != "rosa" ||
		e.Detail.By.ARN != "arn:aws:iam::111122223333:user/rosa" {
		t.Errorf("%+v", e.Detail)
	}
	wantItem(t, e, i.ID, "stopped", "pending")

	// A start that changes nothing is a call all the same; and without a name it is the console's.
	wantOK(t, w.StartInstance(i.ID))
	e = w.next(t)
	if e.Detail.By.ARN != "arn:aws:iam::111122223333:user/console" {
		t.Errorf("by %+v", e.Detail.By)
	}
	wantItem(t, e, i.ID, "pending", "pending")

	launched, err := w.LaunchAs(awssim.Instance{Name: "new"}, "ben")
	wantOK(t, err)
	e = w.next(t)
	got := e.Detail.ResponseElements.InstancesSet.Items
	if e.Detail.EventName != "RunInstances" || e.Detail.By.UserName != "ben" || len(got) != 1 || got[0].InstanceID != launched.ID ||
		got[0].PreviousState != nil || got[0].InstanceState.Name != "pending" {
		t.Errorf("a launch is told as %+v", e.Detail)
	}
}

func TestTrailNamesTheRoleOfAWireCall(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i, j := w.Add(awssim.Instance{}), w.Add(awssim.Instance{State: "running"})
	_, err := w.start(t.Context(), i.ID, j.ID)
	wantOK(t, err)
	e := w.next(t)
	by := e.Detail.By
	if by.Type != "AssumedRole" || by.ARN != "arn:aws:sts::111122223333:assumed-role/sekisho/demo" ||
		by.Session.Issuer.ARN != "arn:aws:iam::111122223333:role/sekisho" || by.Session.Issuer.UserName != "sekisho" {
		t.Errorf("by %+v", by)
	}
	if n := len(e.Detail.ResponseElements.InstancesSet.Items); n != 2 {
		t.Errorf("%d instances in the record of a start of two", n)
	}

	out, err := w.ec2.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-1"), MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		TagSpecifications: []types.TagSpecification{{ResourceType: "instance", Tags: []types.Tag{{Key: aws.String("Team"), Value: aws.String("ml")}}}},
	})
	wantOK(t, err)
	e = w.next(t)
	if e.Detail.EventName != "RunInstances" || e.Detail.ResponseElements.InstancesSet.Items[0].InstanceID != *out.Instances[0].InstanceId {
		t.Errorf("a launch is told as %+v", e.Detail)
	}
	const asked = `{"instancesSet":{"items":[{"imageId":"ami-1"}]},"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"Team","value":"ml"}]}]}}`
	if got := string(e.Detail.RequestParameters); got != asked {
		t.Errorf("asked for %s, want %s", got, asked)
	}

	_, err = w.stop(t.Context(), i.ID)
	wantOK(t, err)
	if len(w.trail) != 0 {
		t.Errorf("a stop is told: %s", <-w.trail)
	}
}

func TestTrailTellsRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{StopTime: never})
	i := w.Add(awssim.Instance{State: "running"})
	wantOK(t, w.StopInstance(i.ID))
	wantCode(t, w.StartInstanceAs(i.ID, "hana"), "IncorrectInstanceState")
	if e := w.next(t); e.Detail.ErrorCode != "Client.IncorrectInstanceState" || e.Detail.ResponseElements != nil {
		t.Errorf("a refused start is told as %+v", e.Detail)
	}
	w.Fail("StartInstances", "InsufficientInstanceCapacity", 1)
	once := func(o *ec2.Options) { o.Retryer = aws.NopRetryer{} }
	_, err := w.ec2.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{i.ID}}, once)
	wantCode(t, err, "InsufficientInstanceCapacity")
	if e := w.next(t); e.Detail.ErrorCode != "Server.InsufficientInstanceCapacity" {
		t.Errorf("a refused start is told as %+v", e.Detail)
	}
	stranger, _ := w.clients("AKIDOTHERTEST", "eu-central-1")
	_, err = stranger.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{i.ID}})
	wantCode(t, err, "AuthFailure")
	if len(w.trail) != 0 {
		t.Errorf("a stranger's call is told: %s", <-w.trail)
	}
}

// The record is dated when the call was made, and comes when its delay is over, after the switches for events.
func TestTrailTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awssim.New(awssim.Options{CloudTrailDelay: 3 * time.Second, BootTime: never})
		defer c.Close()
		var told []trailed
		c.OnEvent(func(raw []byte) {
			var e trailed
			wantOK(t, json.Unmarshal(raw, &e))
			if e.DetailType == trailType {
				told = append(told, e)
			}
		})
		i, start := c.Add(awssim.Instance{}), time.Now()
		want := func(n int, when string) {
			t.Helper()
			synctest.Wait()
			if len(told) != n {
				t.Fatalf("%s CloudTrail has told %d times, want %d", when, len(told), n)
			}
		}
		wantOK(t, c.StartInstance(i.ID))
		time.Sleep(3*time.Second - 1)
		want(0, "before its time")
		c.DuplicateEvents(true)
		time.Sleep(time.Nanosecond)
		want(2, "with every event doubled")
		if told[0].ID != told[1].ID || !told[0].Time.Equal(start.Truncate(time.Second)) {
			t.Errorf("told %s of %v and %s, want one event of %v twice", told[0].ID, told[0].Time, told[1].ID, start)
		}
		c.DuplicateEvents(false)

		c.HoldEvents(true)
		wantOK(t, c.StartInstance(i.ID))
		time.Sleep(3 * time.Second)
		want(2, "held,")
		c.HoldEvents(false)
		want(3, "held no longer,")

		wantOK(t, c.StartInstance(i.ID))
		c.DropEvents(1)
		time.Sleep(3 * time.Second)
		want(3, "dropped,")

		wantOK(t, c.StartInstance(i.ID))
		before := time.Now()
		c.Close()
		if waited := time.Since(before); waited != 0 {
			t.Errorf("Close waited %v for an event that nobody will see", waited)
		}
		time.Sleep(time.Minute)
		want(3, "closed,")
	})
}
