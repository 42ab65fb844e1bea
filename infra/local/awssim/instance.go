package awssim

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"time"
)

// The states of an instance, as EC2 and its events spell them.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
const (
	pending      = "pending"
	running      = "running"
	stopping     = "stopping"
	stopped      = "stopped"
	shuttingDown = "shutting-down"
	terminated   = "terminated"
)

// terminatedVisible is for how long a terminated instance is still described. EC2 says "a short while, usually less
// than an hour".
const terminatedVisible = time.Hour

// stopReason is the state reason of an instance that somebody stopped or terminated.
const stopReason = "Client.UserInitiatedShutdown: User initiated shutdown"

// Instance is what can be seen and chosen of one EC2 instance.
type Instance struct {
	ID          string // "i-" and 17 (or, of old, 8) hexadecimal digits
	Name        string // the tag Name
	Type        string // "t3.micro"
	State       string // "pending", "running", "stopping", "stopped", "shutting-down", "terminated"
	Tags        map[string]string
	LaunchTime  time.Time // of the last start, whole seconds
	StateReason string    // "Client.UserInitiatedShutdown: User initiated shutdown", or ""

	Lifecycle        string // "" or "spot"
	SpotOneTime      bool   // of a one-time spot request: can't be stopped
	RootDeviceType   string // "ebs" or "instance-store", which can't be stopped
	StopProtected    bool   // the attribute disableApiStop
	EverRan          bool   // has reached running since it was launched
	AvailabilityZone string
	PrivateIP        string
}

func (i Instance) clone() Instance {
	i.Tags = maps.Clone(i.Tags)
	return i
}

// machine is an instance with what only the cloud knows of it.
type machine struct {
	Instance
	reservation string
	reason      string    // the transition reason: "User initiated (2026-01-02 15:04:05 GMT)"
	endedAt     time.Time // when it was terminated

	// before is what the instance was before it last became pending: what an out-of-date read shows.
	// It is nil when there was no instance then.
	before *Instance

	// generation counts the state changes, so that a timer that was overtaken knows it.
	generation int
	timer      *time.Timer
}

// stateChange is one line of the answer to start, stop and terminate.
type stateChange struct{ id, previous, current string }

var instanceID = regexp.MustCompile(`^i-([0-9a-f]{8}|[0-9a-f]{17})$`)

// lookup finds all of the instances, or refuses as EC2 does: one bad id spoils the call. The caller holds mu.
func (c *Cloud) lookup(ids []string) ([]*machine, error) {
	var found []*machine
	var missing []string
	seen := map[string]bool{}
	for _, id := range ids {
		switch m := c.find(id); {
		case !strings.HasPrefix(id, "i-"):
			return nil, refuse("InvalidInstanceID.Malformed", `Invalid id: "%s" (expecting "i-...")`, id)
		case !instanceID.MatchString(id):
			return nil, refuse("InvalidInstanceID.Malformed", `Invalid id: "%s"`, id)
		case seen[id]:
		case m == nil:
			missing = append(missing, id)
		default:
			found = append(found, m)
		}
		seen[id] = true
	}
	if len(missing) > 0 {
		return nil, errNoInstance(missing...)
	}
	return found, nil
}

// find gives one instance, or nil once EC2 would have forgotten it. The caller holds mu.
func (c *Cloud) find(id string) *machine {
	m := c.machines[id]
	if m != nil && m.State == terminated && c.opts.Now().Sub(m.endedAt) > terminatedVisible {
		delete(c.machines, id)
		return nil
	}
	return m
}

// canStart says why an instance can't be started, or nil. Starting one that runs already is no mistake to EC2.
func (m *machine) canStart() error {
	switch m.State {
	case stopped, pending, running:
		return nil
	}
	return refuse("IncorrectInstanceState", "The instance '%s' is not in a state from which it can be started.", m.ID)
}

// canStop says why an instance can't be stopped, or nil. Stopping one that is stopped already is no mistake to EC2.
func (m *machine) canStop() error {
	switch m.State {
	case stopping, stopped:
		return nil
	case shuttingDown, terminated:
		return refuse("IncorrectInstanceState", "This instance '%s' is not in a state from which it can be stopped.", m.ID)
	}
	switch {
	case m.RootDeviceType == "instance-store":
		return refuse("UnsupportedOperation", "The instance '%s' does not have an 'ebs' root device type and cannot be stopped.", m.ID)
	case m.SpotOneTime:
		return refuse("UnsupportedOperation", "You can't stop the Spot Instance '%s' because it is associated with a one-time Spot Instance request. "+
			"You can only stop Spot Instances associated with persistent Spot Instance requests.", m.ID)
	case m.StopProtected:
		return refuse("OperationNotPermitted", "The instance '%s' may not be stopped. Modify its 'disableApiStop' instance attribute and try again.", m.ID)
	case !m.EverRan:
		// Only a first launch is refused. A pending instance that ran before can be stopped:
		// https://github.com/awsdocs/amazon-ec2-user-guide/issues/67
		return refuse("IncorrectInstanceState", "Instance '%s' cannot be stopped as it has never reached the 'running' state.", m.ID)
	}
	return nil
}

// canTerminate says why an instance can't be terminated, or nil. Stop protection holds here too:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-stop-protection.html
func (m *machine) canTerminate() error {
	if m.StopProtected && m.State != shuttingDown && m.State != terminated {
		return refuse("OperationNotPermitted", "The instance '%s' may not be terminated. Modify its 'disableApiStop' instance attribute and try again.", m.ID)
	}
	return nil
}

// canProtect says why stop protection can't be set, or nil.
func (m *machine) canProtect() error {
	if m.Lifecycle == "spot" || m.RootDeviceType == "instance-store" {
		return refuse("UnsupportedOperation", "Stop protection can't be enabled for the instance '%s': it is a Spot Instance or has an instance store root.", m.ID)
	}
	return nil
}

// start, stop and terminate act on all of the instances or, when one can't be acted on, on none.
// The caller holds mu.

func (c *Cloud) start(ids []string) ([]stateChange, error) {
	return c.act(ids, (*machine).canStart, func(m *machine) string {
		if m.State != stopped {
			return m.State
		}
		c.boot(m)
		return pending
	})
}

func (c *Cloud) stop(ids []string) ([]stateChange, error) {
	return c.act(ids, (*machine).canStop, func(m *machine) string {
		if m.State == stopping || m.State == stopped {
			return m.State
		}
		c.shut(m)
		c.enter(m, stopping)
		if !c.faults.ignoreStops[m.ID] {
			c.later(m, c.opts.StopTime, stopped)
		}
		return stopping
	})
}

func (c *Cloud) terminate(ids []string) ([]stateChange, error) {
	return c.act(ids, (*machine).canTerminate, func(m *machine) string {
		if m.State == shuttingDown || m.State == terminated {
			return m.State
		}
		c.shut(m)
		c.enter(m, shuttingDown)
		c.later(m, c.opts.StopTime, terminated)
		return shuttingDown
	})
}

// act checks every instance before it changes the first one. do returns the state that the answer names; with no
// boot or stop time the instance may be past it already.
func (c *Cloud) act(ids []string, can func(*machine) error, do func(*machine) string) ([]stateChange, error) {
	machines, err := c.lookup(ids)
	if err != nil {
		return nil, err
	}
	for _, m := range machines {
		if err := can(m); err != nil {
			return nil, err
		}
	}
	changes := make([]stateChange, len(machines))
	for i, m := range machines {
		previous := m.State
		changes[i] = stateChange{m.ID, previous, do(m)}
	}
	return changes, nil
}

// launch makes a new instance: pending, never ran. The caller holds mu.
func (c *Cloud) launch(i Instance, reservation string) Instance {
	i.State, i.EverRan, i.StateReason = pending, false, ""
	i.LaunchTime = c.nextLaunch(time.Time{})
	m := c.admit(i, reservation)
	m.before = nil // there was no such instance
	answer := m.clone()
	c.enter(m, pending)
	if !c.faults.holdBoots {
		c.later(m, c.opts.BootTime, running)
	}
	return answer
}

// boot takes a stopped instance to pending, and later to running.
func (c *Cloud) boot(m *machine) {
	before := m.clone()
	m.before = &before
	m.LaunchTime = c.nextLaunch(m.LaunchTime)
	m.StateReason, m.reason = "", ""
	c.enter(m, pending)
	if !c.faults.holdBoots {
		c.later(m, c.opts.BootTime, running)
	}
}

// nextLaunch is the launch time of a start now. EC2 keeps whole seconds, and no real instance stops and starts within
// one, so two starts always differ; a fast test must not break that.
func (c *Cloud) nextLaunch(last time.Time) time.Time {
	now := c.opts.Now().UTC().Truncate(time.Second)
	if !now.After(last) {
		return last.Add(time.Second)
	}
	return now
}

func (c *Cloud) shut(m *machine) {
	m.StateReason = stopReason
	m.reason = "User initiated (" + c.opts.Now().UTC().Format(time.DateTime) + " GMT)"
}

// enter changes the state now and tells the world.
func (c *Cloud) enter(m *machine, state string) {
	c.cancelTimer(m)
	m.generation++
	m.State = state
	switch state {
	case running:
		m.EverRan = true
	case terminated:
		m.endedAt = c.opts.Now()
		m.PrivateIP = ""
	}
	c.emitState(m.ID, state)
	c.changed()
}

// later enters the state after d, unless something else happens first.
func (c *Cloud) later(m *machine, d time.Duration, state string) {
	if c.closed {
		return
	}
	if d <= 0 {
		c.enter(m, state)
		return
	}
	generation := m.generation
	c.running.Add(1)
	m.timer = time.AfterFunc(d, func() {
		defer c.running.Done()
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.closed && m.generation == generation {
			c.enter(m, state)
		}
	})
}

func (c *Cloud) cancelTimer(m *machine) {
	if m.timer != nil && m.timer.Stop() {
		c.running.Done()
	}
	m.timer = nil
}

// admit fills an instance's gaps and puts it into the account. The caller holds mu.
func (c *Cloud) admit(i Instance, reservation string) *machine {
	i = i.clone()
	c.addresses++
	if i.ID == "" {
		i.ID = "i-0" + randomHex(8)
	}
	if i.Tags == nil {
		i.Tags = map[string]string{}
	}
	if i.Name != "" {
		i.Tags["Name"] = i.Name
	}
	i.Name = i.Tags["Name"]
	i.Type = cmp.Or(i.Type, "t3.micro")
	i.RootDeviceType = cmp.Or(i.RootDeviceType, "ebs")
	i.AvailabilityZone = cmp.Or(i.AvailabilityZone, c.opts.Region+"a")
	i.PrivateIP = cmp.Or(i.PrivateIP, fmt.Sprintf("10.0.%d.%d", c.addresses/250, 4+c.addresses%250))
	if i.SpotOneTime {
		i.Lifecycle = "spot"
	}
	i.LaunchTime = i.LaunchTime.UTC().Truncate(time.Second)
	before := i.clone()
	m := &machine{Instance: i, reservation: cmp.Or(reservation, newReservation()), before: &before}
	c.machines[i.ID] = m
	return m
}
