package awssim

import (
	"slices"
	"strconv"
	"time"
)

type receiveAnswer struct {
	Messages []receivedMessage `json:",omitempty"`
}

type receivedMessage struct {
	MessageId     string
	ReceiptHandle string
	MD5OfBody     string
	Body          string
	Attributes    map[string]string `json:",omitempty"`
}

// sqsReceiveMessage takes what is there or, in a long poll, waits until something is.
func (c *Cloud) sqsReceiveMessage(in sqsRequest) (any, error) {
	n := valueOr(in.MaxNumberOfMessages, 1)
	switch {
	case n < 1 || n > maxBatch:
		return nil, invalid("Value %d for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and %d, if provided.", n, maxBatch)
	case in.WaitTimeSeconds < 0 || in.WaitTimeSeconds > maxWait:
		return nil, invalid("Value %d for parameter WaitTimeSeconds is invalid. Reason: Must be >= 0 and <= %d, if provided.", in.WaitTimeSeconds, maxWait)
	}
	if err := checkVisibility(in.VisibilityTimeout); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(time.Duration(in.WaitTimeSeconds) * time.Second)
	defer timeout.Stop()
	for last := in.WaitTimeSeconds == 0; ; {
		taken, hope, err := c.receive(in, n)
		if err != nil || len(taken) > 0 || last {
			return receiveAnswer{Messages: taken}, err
		}
		select {
		case <-hope.arrived:
		case <-hope.visible:
		case <-timeout.C:
			last = true // one more look: something may have become visible just now
		case <-in.ctx.Done():
		case <-c.done:
			return nil, errClosed()
		}
		if in.ctx.Err() != nil {
			// The reader hung up. A message taken for it would be out of everybody's sight for a while.
			return receiveAnswer{}, nil
		}
	}
}

// hope is what can make another look at an empty queue worthwhile.
type hope struct {
	arrived <-chan struct{}
	visible <-chan time.Time // nil when no message is hidden
}

// receive is one look at the queue; hope is for when it finds nothing.
func (c *Cloud) receive(in sqsRequest, n int) ([]receivedMessage, hope, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q, err := in.queue(c)
	if err != nil {
		return nil, hope{}, err
	}
	visibility := q.visibility
	if in.VisibilityTimeout != nil {
		visibility = time.Duration(*in.VisibilityTimeout) * time.Second
	}
	var out []receivedMessage
	for _, m := range c.take(q, n, visibility) {
		out = append(out, receivedMessage{
			MessageId:     m.id,
			ReceiptHandle: m.receipt,
			MD5OfBody:     md5Hex(m.body),
			Body:          m.body,
			Attributes:    m.attributes(c.opts.Account, append(in.AttributeNames, in.MessageSystemAttributeNames...)),
		})
	}
	if len(out) > 0 {
		return out, hope{}, nil
	}
	h := hope{arrived: q.arrived}
	if hidden, ok := c.nextVisible(q); ok {
		h.visible = time.After(hidden)
	}
	return nil, h, nil
}

// attributes gives those system attributes of a message that were asked for, by the parameter's old name or its new.
func (m message) attributes(account string, names []string) map[string]string {
	all := map[string]string{
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.firstReceive.UnixMilli(), 10),
		"ApproximateReceiveCount":          strconv.Itoa(m.receives),
		"SenderId":                         account,
		"SentTimestamp":                    strconv.FormatInt(m.sent.UnixMilli(), 10),
	}
	if slices.Contains(names, "All") {
		return all
	}
	asked := map[string]string{}
	for _, name := range names {
		if value, known := all[name]; known {
			asked[name] = value
		}
	}
	return asked
}

func (c *Cloud) sqsDeleteMessage(in sqsRequest) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q, err := in.queue(c)
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.remove(q, in.ReceiptHandle)
}

func (c *Cloud) sqsChangeMessageVisibility(in sqsRequest) (any, error) {
	if in.VisibilityTimeout == nil {
		return nil, errMissing("VisibilityTimeout")
	}
	if err := checkVisibility(in.VisibilityTimeout); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	q, err := in.queue(c)
	if err != nil {
		return nil, err
	}
	return struct{}{}, c.hide(q, in.ReceiptHandle, time.Duration(*in.VisibilityTimeout)*time.Second)
}

func checkVisibility(seconds *int) error {
	if v := valueOr(seconds, 0); v < 0 || v > maxVisibility {
		return invalid("Value %d for parameter VisibilityTimeout is invalid. Reason: Must be between 0 and %d.", v, maxVisibility)
	}
	return nil
}
