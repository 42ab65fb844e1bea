package awssim

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// What a person does in the console: the same state machine and refusals as the wire calls (every error is an
// *APIError), but no signature, no recorded Call, and no injected faults.

// Add puts an instance into the account as if it had long been there: no event is sent. It fills the gaps: a random id,
// "stopped", an EBS root. An instance added as pending is in its first launch unless EverRan says otherwise; any other
// has run before.
//
// An id that is ill-formed or taken, or an unknown state, is a mistake in the program and panics.
func (c *Cloud) Add(i Instance) Instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	i.State = cmp.Or(i.State, stopped)
	if _, known := stateCodes[i.State]; !known {
		panic(fmt.Sprintf("awssim: Add: no such instance state: %q", i.State))
	}
	if i.ID != "" && !instanceID.MatchString(i.ID) {
		panic(fmt.Sprintf("awssim: Add: not an instance id: %q (want i- and 17 hexadecimal digits)", i.ID))
	}
	if c.machines[i.ID] != nil {
		panic(fmt.Sprintf("awssim: Add: instance %s is there already", i.ID))
	}
	i.EverRan = i.EverRan || i.State != pending
	if i.LaunchTime.IsZero() {
		i.LaunchTime = c.opts.Now().Add(-24 * time.Hour)
	}
	m := c.admit(i, "")
	switch m.State {
	case pending:
		c.later(m, c.opts.BootTime, running)
	case stopping:
		c.later(m, c.opts.StopTime, stopped)
	case shuttingDown:
		c.later(m, c.opts.StopTime, terminated)
	case terminated:
		m.endedAt = c.opts.Now()
	}
	c.changed()
	return m.clone()
}

// Instances lists every instance that EC2 would still describe, by name and then id, as it truly is.
func (c *Cloud) Instances() []Instance {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []Instance
	for id := range c.machines {
		if m := c.find(id); m != nil {
			all = append(all, m.clone())
		}
	}
	slices.SortFunc(all, func(a, b Instance) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// StartInstance starts a stopped instance, as the IAM user "console".
func (c *Cloud) StartInstance(id string) error { return c.StartInstanceAs(id, consoleUser) }

// StartInstanceAs is StartInstance by an IAM user, whom CloudTrail then names.
func (c *Cloud) StartInstanceAs(id, user string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	changes, err := c.start([]string{id})
	c.trailConsole(user, startCall, idItems([]string{id}), changeItems(showChanges(changes)), err)
	return err
}

// StopInstance stops an instance.
func (c *Cloud) StopInstance(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.stop([]string{id})
	return err
}

// Terminate ends an instance for good.
func (c *Cloud) Terminate(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.terminate([]string{id})
	return err
}

// Launch is RunInstances by the IAM user "console": a new instance, pending, that has never run. State, EverRan and
// LaunchTime are not the caller's to choose; reserved tags are, so that it can stand for an Auto Scaling group's launch.
func (c *Cloud) Launch(i Instance) (Instance, error) { return c.LaunchAs(i, consoleUser) }

// LaunchAs is Launch by an IAM user, whom CloudTrail then names.
func (c *Cloud) LaunchAs(i Instance, user string) (Instance, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	launched, reservation, err := c.launchOne(i)
	request := launchRequest(imageID, i.Type, sortedTags(launched.Tags))
	c.trailConsole(user, runCall, request, launchItems(reservation, []instanceXML{show(seen{Instance: launched})}), err)
	return launched, err
}

func (c *Cloud) launchOne(i Instance) (launched Instance, reservation string, err error) {
	if i.ID != "" && !instanceID.MatchString(i.ID) {
		return Instance{}, "", refuse("InvalidInstanceID.Malformed", `Invalid id: "%s"`, i.ID)
	}
	if c.machines[i.ID] != nil {
		return Instance{}, "", refuse("InvalidParameterValue", "The instance '%s' exists already", i.ID)
	}
	reservation = newReservation()
	return c.launch(i, reservation), reservation, nil
}

// SetTag sets one tag of an instance, over an older value if there is one.
func (c *Cloud) SetTag(id, key, value string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.createTags([]string{id}, []tag{{Key: key, Value: value}})
}

// DeleteTag removes one tag of an instance, whatever its value. A tag that isn't there is no mistake.
func (c *Cloud) DeleteTag(id, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.deleteTags([]string{id}, []tagToDelete{{key: key}})
}
