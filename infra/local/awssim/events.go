package awssim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
)

// envelope is an event as EventBridge delivers it.
// https://docs.aws.amazon.com/eventbridge/latest/ref/events-structure.html
type envelope struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"` // whole seconds, UTC
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     any      `json:"detail"` // a stateDetail, a record or a complianceDetail
}

// stateDetail is what EC2 tells of a state change.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html
type stateDetail struct {
	InstanceID string `json:"instance-id"`
	State      string `json:"state"`
}

// hookCall is one event on its way to the rules' functions and the hooks that were there when it happened.
type hookCall struct {
	event []byte
	hooks []func([]byte)
}

// OnEvent adds a function that is given every event from now on, the way EventBridge invokes a Lambda.
// Events come one at a time and in order, from a goroutine of the cloud's; the function may call the Cloud. Close waits
// for it. It must not change the bytes.
func (c *Cloud) OnEvent(hook func(event []byte)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// A new slice each time: events under way keep the hooks they were sent to.
	c.hooks = append(c.hooks[:len(c.hooks):len(c.hooks)], hook)
}

// Emit sends an event as a service would, for those that nothing here sends. What is no JSON object is a mistake in the
// program and panics.
func (c *Cloud) Emit(event []byte) {
	var object map[string]any
	if err := json.Unmarshal(event, &object); err != nil || object == nil {
		panic(fmt.Sprintf("awssim: Emit: %q is no JSON object", event))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.emit(bytes.Clone(event))
}

// emitState makes the event of a state change. The caller holds mu, which keeps an instance's events in order.
func (c *Cloud) emitState(id, state string) {
	arn := "arn:aws:ec2:" + c.opts.Region + ":" + c.opts.Account + ":instance/" + id
	at := c.opts.Now().UTC().Format(time.RFC3339)
	c.emit(c.envelope("aws.ec2", "EC2 Instance State-change Notification", at, []string{arn}, stateDetail{InstanceID: id, State: state}))
}

// envelope makes an event.
func (c *Cloud) envelope(source, detailType, at string, resources []string, detail any) []byte {
	event, err := json.Marshal(envelope{
		Version:    "0",
		ID:         uuid.NewString(),
		DetailType: detailType,
		Source:     source,
		Account:    c.opts.Account,
		Time:       at,
		Region:     c.opts.Region,
		Resources:  resources,
		Detail:     detail,
	})
	if err != nil {
		panic("awssim: a struct of strings can't be encoded: " + err.Error()) // unreachable
	}
	return event
}

// emit sends an event, as far as the faults let it through. The caller holds mu.
func (c *Cloud) emit(event []byte) {
	for _, e := range c.faults.events(event) {
		c.deliver(e)
	}
}

// deliver brings an event to the rules' targets and to the hooks. The caller holds mu.
func (c *Cloud) deliver(event []byte) {
	if c.closed {
		return
	}
	calls := slices.Concat(c.route(event), c.hooks)
	if len(calls) == 0 {
		return
	}
	c.hookWork = append(c.hookWork, hookCall{event, calls})
	select {
	case c.hookReady <- struct{}{}:
	default: // it knows already
	}
}

// callHooks runs until Close, outside the lock, because a hook is expected to look at the instance it is told of.
func (c *Cloud) callHooks() {
	for {
		select {
		case <-c.done:
			return
		case <-c.hookReady:
		}
		c.mu.Lock()
		work := c.hookWork
		c.hookWork = nil
		c.mu.Unlock()
		for _, w := range work {
			for _, hook := range w.hooks {
				select {
				case <-c.done:
					return
				default:
					hook(w.event)
				}
			}
		}
	}
}
