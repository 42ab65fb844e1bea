package awssim

import "slices"

// faults is what has been arranged to go wrong. The cloud's mu guards it.
type faults struct {
	refusals    map[string][]refusal // by action, oldest first
	staleReads  map[string]int       // by instance id: reads left
	hiddenTags  map[string]int       // by instance id: reads left
	ignoreStops map[string]bool
	holdBoots   bool
	staleKeys   map[string]int    // by user name: reads left
	configNames map[string]string // by user name: what Config calls it, where it is wrong
	configGaps  map[string]bool   // by user name: not known to Config
	lostAnswers int               // of SES

	duplicateEvents bool
	dropEvents      int
	holdEvents      bool
	held            [][]byte
}

// refusal is "the next n calls of an action answer this code". An empty code is the service's own for throttling.
type refusal struct {
	code string
	left int
}

func newFaults() faults {
	return faults{
		refusals:    map[string][]refusal{},
		staleReads:  map[string]int{},
		hiddenTags:  map[string]int{},
		ignoreStops: map[string]bool{},
		staleKeys:   map[string]int{},
		configNames: map[string]string{},
		configGaps:  map[string]bool{},
	}
}

// Throttle makes the next n wire calls of an action ("DescribeInstances", "ReceiveMessage") answer that there were too
// many: RequestLimitExceeded with status 503 from EC2, RequestThrottled from SQS, Throttling from IAM and STS,
// TooManyRequestsException with status 429 from SES, ThrottlingException from the others. An SDK's own retries are calls too.
func (c *Cloud) Throttle(action string, n int) { c.Fail(action, "", n) }

// Fail makes the next n wire calls of an action answer an error code, after those already arranged for that action.
// The call then has no effect.
func (c *Cloud) Fail(action, code string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n > 0 {
		c.faults.refusals[action] = append(c.faults.refusals[action], refusal{code, n})
	}
}

// Recover takes back what Fail arranged for an action with this error code.
func (c *Cloud) Recover(action, code string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.refusals[action] = slices.DeleteFunc(c.faults.refusals[action], func(r refusal) bool { return r.code == code })
}

// StaleReads makes the next n DescribeInstances that come across an instance, by id or in a list, see it as it was
// before it last became pending: state, tags, launch time. An instance launched since is not there yet.
// EC2 does this right at an event: https://github.com/boto/boto3/issues/4386
func (c *Cloud) StaleReads(id string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.staleReads[id] = n
}

// HideTags makes the next n DescribeInstances that come across an instance see it without any tag, so a filter on tags
// misses it; DescribeTags stays right. EC2 does this right at an event:
// https://github.com/cloud-custodian/cloud-custodian/pull/11064
func (c *Cloud) HideTags(id string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.hiddenTags[id] = n
}

// IgnoreStops makes stops of an instance be accepted and never completed: it stays stopping. Switched off, a stop that
// hangs completes after the usual time.
func (c *Cloud) IgnoreStops(id string, ignore bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.ignoreStops[id] = ignore
	if m := c.find(id); m != nil && m.State == stopping && m.timer == nil && !ignore {
		c.later(m, c.opts.StopTime, stopped)
	}
}

// HoldBoots keeps instances that become pending from running. Switched off, those that hang run after the usual time.
func (c *Cloud) HoldBoots(hold bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.holdBoots = hold
	for _, m := range c.machines {
		if m.State == pending && m.timer == nil && !hold {
			c.later(m, c.opts.BootTime, running)
		}
	}
}

// StaleKeys makes the next n ListAccessKeys of a user see its keys as they were before the last change to them: created,
// activated, deactivated or deleted. IAM is eventually consistent:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html
func (c *Cloud) StaleKeys(user string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.staleKeys[user] = n
}

// ConfigForgets makes Config not know a user, as where its recorder doesn't record IAM or hasn't yet seen the user.
// ConfigRecalls with the user's true name ends that.
func (c *Cloud) ConfigForgets(user string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.configGaps[user] = true
}

// ConfigRecalls makes Config call a user by an out-of-date name, as after a rename; an empty one is a user that Config
// knows by its id alone.
func (c *Cloud) ConfigRecalls(user, oldName string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.faults.configGaps, user)
	c.faults.configNames[user] = oldName
}

// LoseAnswers makes SES take the next n mails and close the connection instead of answering: the sender can't know whether
// they were sent, and an SDK's retry sends another. It needs a real server: in a handler's own process it is the panic
// http.ErrAbortHandler.
func (c *Cloud) LoseAnswers(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.lostAnswers = n
}

// losesAnswer uses up one lost answer.
func (c *Cloud) losesAnswer() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults.lostAnswers <= 0 {
		return false
	}
	c.faults.lostAnswers--
	return true
}

// DuplicateEvents delivers every event twice, with the same id, as EventBridge sometimes does.
func (c *Cloud) DuplicateEvents(duplicate bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.duplicateEvents = duplicate
}

// DropEvents loses the next n events: EC2's delivery is best effort.
// https://docs.aws.amazon.com/eventbridge/latest/ref/event-delivery-level.html
func (c *Cloud) DropEvents(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.dropEvents = n
}

// HoldEvents keeps events back. Switched off, it delivers them, the last one first: EventBridge promises no order.
func (c *Cloud) HoldEvents(hold bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults.holdEvents = hold
	if hold {
		return
	}
	held := c.faults.held
	c.faults.held = nil
	for _, event := range slices.Backward(held) {
		c.deliver(event)
	}
}

// take uses up one arranged refusal of an action.
func (f *faults) take(action string) (code string, refused bool) {
	queue := f.refusals[action]
	if len(queue) == 0 {
		return "", false
	}
	code = queue[0].code
	if queue[0].left--; queue[0].left == 0 {
		f.refusals[action] = queue[1:]
	}
	return code, true
}

// events says what is to be delivered now for one new event: nothing, itself, or itself twice.
func (f *faults) events(event []byte) [][]byte {
	if f.dropEvents > 0 {
		f.dropEvents--
		return nil
	}
	out := [][]byte{event}
	if f.duplicateEvents {
		out = append(out, event)
	}
	if f.holdEvents {
		f.held = append(f.held, out...)
		return nil
	}
	return out
}

// useUp counts one use of an instance's or a user's fault, and says whether there was one left.
func useUp(left map[string]int, id string) bool {
	if left[id] <= 0 {
		return false
	}
	left[id]--
	return true
}
