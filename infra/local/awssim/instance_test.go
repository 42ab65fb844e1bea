package awssim_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"sekisho/infra/local/awssim"
)

func TestStartAndStop(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{Name: "build"})

	started, err := w.start(t.Context(), i.ID)
	wantOK(t, err)
	wantChange(t, started.StartingInstances, i.ID, "stopped", "pending")
	w.wantStates(t, i.ID, "pending", "running")

	stopped, err := w.stop(t.Context(), i.ID)
	wantOK(t, err)
	wantChange(t, stopped.StoppingInstances, i.ID, "running", "stopping")
	w.wantStates(t, i.ID, "stopping", "stopped")

	seen := w.describe(t, i.ID)
	if aws.ToString(seen.StateReason.Code) != "Client.UserInitiatedShutdown" {
		t.Errorf("state reason %+v", seen.StateReason)
	}

	ended, err := w.terminate(t.Context(), i.ID)
	wantOK(t, err)
	wantChange(t, ended.TerminatingInstances, i.ID, "stopped", "shutting-down")
	w.wantStates(t, i.ID, "shutting-down", "terminated")
	ended, err = w.terminate(t.Context(), i.ID)
	wantOK(t, err)
	wantChange(t, ended.TerminatingInstances, i.ID, "terminated", "terminated")
}

func wantChange(t *testing.T, changes []types.InstanceStateChange, id, previous, current string) {
	t.Helper()
	codes := map[string]int32{"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
	if len(changes) != 1 {
		t.Fatalf("%d instances changed, want 1", len(changes))
	}
	got := changes[0]
	if *got.InstanceId != id || string(got.PreviousState.Name) != previous || string(got.CurrentState.Name) != current {
		t.Fatalf("%s: %s → %s, want %s: %s → %s", *got.InstanceId, got.PreviousState.Name, got.CurrentState.Name, id, previous, current)
	}
	if *got.PreviousState.Code != codes[previous] || *got.CurrentState.Code != codes[current] {
		t.Fatalf("state codes %d → %d", *got.PreviousState.Code, *got.CurrentState.Code)
	}
}

// What EC2 refuses, word for word, and what it accepts though one might not think so.
func TestStopAndStartRefusals(t *testing.T) {
	const id = "i-0123456789abcdef0"
	type in = awssim.Instance
	tests := []struct {
		name          string
		instance      in
		act           func(*world, *testing.T) error
		code, message string // no code: accepted
		state         string // afterwards
	}{
		{"stop first launch", in{State: "pending"}, stopIt, "IncorrectInstanceState",
			"Instance '" + id + "' cannot be stopped as it has never reached the 'running' state.", "pending"},
		{"stop restart", in{State: "pending", EverRan: true}, stopIt, "", "", "stopping"},
		{"stop running", in{State: "running"}, stopIt, "", "", "stopping"},
		{"stop stopping", in{State: "stopping"}, stopIt, "", "", "stopping"},
		{"stop stopped", in{State: "stopped"}, stopIt, "", "", "stopped"},
		{"stop shutting-down", in{State: "shutting-down"}, stopIt, "IncorrectInstanceState",
			"This instance '" + id + "' is not in a state from which it can be stopped.", "shutting-down"},
		{"stop terminated", in{State: "terminated"}, stopIt, "IncorrectInstanceState",
			"This instance '" + id + "' is not in a state from which it can be stopped.", "terminated"},
		{"stop protected", in{State: "running", StopProtected: true}, stopIt, "OperationNotPermitted",
			"The instance '" + id + "' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.", "running"},
		{"stop one-time spot", in{State: "running", SpotOneTime: true}, stopIt, "UnsupportedOperation",
			"You can't stop the Spot Instance '" + id + "' because it is associated with a one-time Spot Instance request. " +
				"You can only stop Spot Instances associated with persistent Spot Instance requests.", "running"},
		{"stop persistent spot", in{State: "running", Lifecycle: "spot"}, stopIt, "", "", "stopping"},
		{"stop instance store", in{State: "running", RootDeviceType: "instance-store"}, stopIt, "UnsupportedOperation",
			"The instance '" + id + "' does not have an 'ebs' root device type and cannot be stopped.", "running"},

		{"start stopped", in{State: "stopped"}, startIt, "", "", "pending"},
		{"start pending", in{State: "pending"}, startIt, "", "", "pending"},
		{"start running", in{State: "running"}, startIt, "", "", "running"},
		{"start stopping", in{State: "stopping"}, startIt, "IncorrectInstanceState",
			"The instance '" + id + "' is not in a state from which it can be started.", "stopping"},
		{"start terminated", in{State: "terminated"}, startIt, "IncorrectInstanceState",
			"The instance '" + id + "' is not in a state from which it can be started.", "terminated"},

		{"terminate pending", in{State: "pending"}, terminateIt, "", "", "shutting-down"},
		{"terminate protected", in{State: "stopped", StopProtected: true}, terminateIt, "OperationNotPermitted",
			"The instance '" + id + "' may not be terminated. Modify its 'disableApiStop' instance attribute and try again.", "stopped"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t, awssim.Options{BootTime: never, StopTime: never})
			tt.instance.ID = id
			w.Add(tt.instance)
			err := tt.act(w, t)
			if tt.code == "" {
				wantOK(t, err)
			} else if message := wantCode(t, err, tt.code); message != tt.message {
				t.Errorf("message %q, want %q", message, tt.message)
			}
			if got := w.state(t, id); got != tt.state {
				t.Errorf("afterwards it is %s, want %s", got, tt.state)
			}
		})
	}
}

func stopIt(w *world, t *testing.T) error {
	_, err := w.stop(t.Context(), w.Instances()[0].ID)
	return err
}
func startIt(w *world, t *testing.T) error {
	_, err := w.start(t.Context(), w.Instances()[0].ID)
	return err
}
func terminateIt(w *world, t *testing.T) error {
	_, err := w.terminate(t.Context(), w.Instances()[0].ID)
	return err
}

func TestOneBadInstanceSpoilsTheCall(t *testing.T) {
	w := newWorld(t, awssim.Options{StopTime: never})
	good := w.Add(awssim.Instance{Name: "a", State: "running"})
	bad := w.Add(awssim.Instance{Name: "b", State: "running", StopProtected: true})
	_, err := w.stop(t.Context(), good.ID, bad.ID)
	wantCode(t, err, "OperationNotPermitted")
	if got := w.state(t, good.ID); got != "running" {
		t.Errorf("the good one is %s, want running: the call was refused", got)
	}
}

func TestUnknownInstances(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	for id, code := range map[string]string{
		"i-0000000000000dead": "InvalidInstanceID.NotFound",
		"i-0dead":             "InvalidInstanceID.Malformed",
		"i-0000000000000DEAD": "InvalidInstanceID.Malformed",
		"web-1":               "InvalidInstanceID.Malformed",
	} {
		_, err := w.start(t.Context(), id)
		wantCode(t, err, code)
		_, err = w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		wantCode(t, err, code)
	}
}

// A restart that is stopped while pending must not become running when its boot would have ended.
func TestStopOvertakesBoot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awssim.New(awssim.Options{BootTime: 3 * time.Second, StopTime: 2 * time.Second, CloudTrailDelay: never})
		defer c.Close()
		i := c.Add(awssim.Instance{})
		var states []string
		c.OnEvent(func([]byte) { states = append(states, c.Instances()[0].State) })

		wantOK(t, c.StartInstance(i.ID))
		time.Sleep(time.Second) // the bubble's clock, not ours
		synctest.Wait()
		wantOK(t, c.StopInstance(i.ID))
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, want := fmt.Sprint(states), "[pending stopping stopped]"; got != want {
			t.Errorf("states %s, want %s", got, want)
		}
	})
}

func TestBootTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := awssim.New(awssim.Options{BootTime: 3 * time.Second})
		defer c.Close()
		i, err := c.Launch(awssim.Instance{Name: "new"})
		wantOK(t, err)
		time.Sleep(3*time.Second - 1)
		synctest.Wait()
		if got := c.Instances()[0]; got.State != "pending" || got.EverRan {
			t.Errorf("before the boot time: %s, ever ran %t", got.State, got.EverRan)
		}
		if err := c.StopInstance(i.ID); err == nil {
			t.Error("a first launch was stopped while pending")
		}
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		if got := c.Instances()[0]; got.State != "running" || !got.EverRan {
			t.Errorf("after the boot time: %s, ever ran %t", got.State, got.EverRan)
		}
		wantOK(t, c.StopInstance(i.ID))
	})
}

func TestTerminatedInstancesAreForgotten(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	i := w.Add(awssim.Instance{})
	wantOK(t, w.Terminate(i.ID))
	if got := w.describe(t, i.ID).State.Name; got != "terminated" {
		t.Fatalf("described as %s, want terminated", got)
	}
	clock.advance(2 * time.Hour)
	_, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{i.ID}})
	wantCode(t, err, "InvalidInstanceID.NotFound")
}

// Two starts always differ in launch time, even within one second of the test's clock.
func TestLaunchTimeTellsStartsApart(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	i := w.Add(awssim.Instance{LaunchTime: clock.now().Add(-time.Hour)})
	var last time.Time
	for range 3 {
		wantOK(t, w.StartInstance(i.ID))
		got := *w.describe(t, i.ID).LaunchTime
		if !got.After(last) || got != got.Truncate(time.Second) {
			t.Errorf("launched at %v, before that at %v", got, last)
		}
		last = got
		wantOK(t, w.StopInstance(i.ID))
		if got := *w.describe(t, i.ID).LaunchTime; !got.Equal(last) {
			t.Errorf("a stop changed the launch time from %v to %v", last, got)
		}
	}
}

func TestRunInstances(t *testing.T) {
	w := newWorld(t, awssim.Options{BootTime: never})
	out, err := w.ec2.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String("ami-0abc"), MinCount: aws.Int32(2), MaxCount: aws.Int32(2), InstanceType: "t3.small",
		TagSpecifications: []types.TagSpecification{{ResourceType: "instance", Tags: []types.Tag{{Key: aws.String("Name"), Value: aws.String("batch")}}}},
	})
	wantOK(t, err)
	if len(out.Instances) != 2 || out.Instances[0].State.Name != "pending" || out.Instances[0].InstanceType != "t3.small" {
		t.Fatalf("launched %+v", out.Instances)
	}
	id := *out.Instances[0].InstanceId
	_, err = w.stop(t.Context(), id)
	wantCode(t, err, "IncorrectInstanceState")
	all, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
	wantOK(t, err)
	if len(all.Reservations) != 1 || len(all.Reservations[0].Instances) != 2 || *all.Reservations[0].ReservationId != *out.ReservationId {
		t.Errorf("one launch is described as %d reservations", len(all.Reservations))
	}
	if name := *all.Reservations[0].Instances[0].Tags[0].Value; name != "batch" {
		t.Errorf("tagged %q", name)
	}
}

func TestStopProtectionAttribute(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{Name: "a", State: "running"})
	spot := w.Add(awssim.Instance{Name: "b", State: "running", Lifecycle: "spot"})
	protect := func(id string, on bool) error {
		_, err := w.ec2.ModifyInstanceAttribute(t.Context(), &ec2.ModifyInstanceAttributeInput{
			InstanceId: &id, DisableApiStop: &types.AttributeBooleanValue{Value: &on}})
		return err
	}
	wantOK(t, protect(i.ID, true))
	out, err := w.ec2.DescribeInstanceAttribute(t.Context(), &ec2.DescribeInstanceAttributeInput{InstanceId: &i.ID, Attribute: "disableApiStop"})
	wantOK(t, err)
	if !aws.ToBool(out.DisableApiStop.Value) {
		t.Error("disableApiStop reads false after it was set")
	}
	wantCode(t, w.StopInstance(i.ID), "OperationNotPermitted")
	wantOK(t, protect(i.ID, false))
	wantOK(t, w.StopInstance(i.ID))
	wantCode(t, protect(spot.ID, true), "UnsupportedOperation")
}

func TestDryRun(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{State: "running"})
	_, err := w.ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{i.ID}, DryRun: aws.Bool(true)})
	wantCode(t, err, "DryRunOperation")
	_, err = w.ec2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{i.ID}, DryRun: aws.Bool(true),
		Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("b")}}})
	wantCode(t, err, "DryRunOperation")
	if got := w.Instances()[0]; got.State != "running" || len(got.Tags) != 0 {
		t.Errorf("a dry run left %s with tags %v", got.State, got.Tags)
	}
}
