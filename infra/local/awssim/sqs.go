package awssim

import (
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// queue is a standard SQS queue. Its messages are kept in the order they came, which SQS doesn't promise.
type queue struct {
	name        string
	visibility  time.Duration
	deadLetter  *queue // nil: none
	maxReceives int    // receives before a message goes to deadLetter
	created     time.Time
	messages    []*message

	// arrived is closed, and replaced, when a message comes or becomes visible early: it ends long polls' waits.
	arrived chan struct{}
}

type message struct {
	id           string
	body         string
	sent         time.Time
	delayed      bool      // not yet visible for the first time
	visibleAt    time.Time // in flight, or delayed, until then
	receives     int
	firstReceive time.Time
	receipt      string // of the last receive
}

var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// CreateQueue makes a queue and gives its URL. A message received and not deleted is visible again after the visibility
// timeout; with a dlq, the name or URL of another queue that is made if need be, a message that comes back after
// maxReceives receives goes there instead.
//
// A bad or taken name is a mistake in the program and panics.
func (c *Cloud) CreateQueue(name string, visibility time.Duration, dlq string, maxReceives int) (queueURL string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.newQueue(name, visibility)
	if dlq != "" {
		if maxReceives < 1 {
			panic(fmt.Sprintf("awssim: CreateQueue %s: maxReceives is %d, want at least 1", name, maxReceives))
		}
		q.maxReceives = maxReceives
		if q.deadLetter = c.queues[path.Base(dlq)]; q.deadLetter == nil {
			q.deadLetter = c.newQueue(dlq, visibility)
		}
	}
	c.changed()
	return c.queueURL(q)
}

func (c *Cloud) newQueue(name string, visibility time.Duration) *queue {
	if !queueName.MatchString(name) {
		panic(fmt.Sprintf("awssim: CreateQueue: bad queue name %q (want 1 to 80 letters, digits, - and _)", name))
	}
	if c.queues[name] != nil {
		panic("awssim: CreateQueue: there is a queue " + name + " already")
	}
	q := &queue{name: name, visibility: visibility, created: c.opts.Now(), arrived: make(chan struct{})}
	c.queues[name] = q
	return q
}

// Send puts a message into a queue from outside, as a schedule would.
func (c *Cloud) Send(queueURL, body string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(c.mustQueue("Send", queueURL), body, 0)
}

// QueueState is what is in a queue: message bodies, oldest first.
type QueueState struct {
	Visible  []string // to be received now
	Delayed  []string // sent with a delay that isn't over
	InFlight []string // received, not deleted, and not visible again yet
	Dead     []string // in its dead-letter queue, in whatever state there
}

// Queue looks into a queue without receiving anything.
func (c *Cloud) Queue(queueURL string) QueueState {
	c.mu.Lock()
	defer c.mu.Unlock()
	q := c.mustQueue("Queue", queueURL)
	s := c.state(q)
	if q.deadLetter != nil {
		for _, m := range q.deadLetter.messages {
			s.Dead = append(s.Dead, m.body)
		}
	}
	return s
}

// The caller of everything below holds mu.

func (c *Cloud) state(q *queue) QueueState {
	c.redrive(q)
	now := c.opts.Now()
	var s QueueState
	for _, m := range q.messages {
		switch {
		case !m.visibleAt.After(now):
			s.Visible = append(s.Visible, m.body)
		case m.delayed:
			s.Delayed = append(s.Delayed, m.body)
		default:
			s.InFlight = append(s.InFlight, m.body)
		}
	}
	return s
}

func (c *Cloud) queueURL(q *queue) string {
	return strings.TrimSuffix(c.baseURL, "/") + "/" + c.opts.Account + "/" + q.name
}

func (q *queue) arn(c *Cloud) string { return c.queueARN(q.name) }

func (c *Cloud) queueARN(name string) string {
	return "arn:aws:sqs:" + c.opts.Region + ":" + c.opts.Account + ":" + name
}

// queueAt finds a queue by the path of its URL, or nil. The host is not looked at: a queue may be reached by several.
func (c *Cloud) queueAt(queueURL string) *queue {
	u, err := url.Parse(queueURL)
	if err != nil {
		return nil
	}
	account, name := path.Split(strings.TrimSuffix(u.Path, "/"))
	if path.Base(account) != c.opts.Account {
		return nil
	}
	return c.queues[name]
}

func (c *Cloud) mustQueue(method, queueURL string) *queue {
	q := c.queueAt(queueURL)
	if q == nil {
		panic(fmt.Sprintf("awssim: %s: no queue at %q (make it with CreateQueue)", method, queueURL))
	}
	return q
}

func (c *Cloud) put(q *queue, body string, delay time.Duration) *message {
	now := c.opts.Now()
	m := &message{id: uuid.NewString(), body: body, sent: now, delayed: delay > 0, visibleAt: now.Add(delay)}
	q.messages = append(q.messages, m)
	q.wake()
	c.changed()
	return m
}

func (q *queue) wake() {
	close(q.arrived)
	q.arrived = make(chan struct{})
}

// redrive moves to the dead-letter queue what was received often enough and is visible once more. SQS does it when the
// message would next be received; nobody can tell the difference.
func (c *Cloud) redrive(q *queue) {
	if q.deadLetter == nil {
		return
	}
	now := c.opts.Now()
	q.messages = slices.DeleteFunc(q.messages, func(m *message) bool {
		if m.receives < q.maxReceives || m.visibleAt.After(now) {
			return false
		}
		m.receipt = ""
		q.deadLetter.messages = append(q.deadLetter.messages, m)
		q.deadLetter.wake()
		c.changed()
		return true
	})
}

// take receives up to n visible messages and hides them for a while.
func (c *Cloud) take(q *queue, n int, visibility time.Duration) []message {
	c.redrive(q)
	now := c.opts.Now()
	var taken []message
	for _, m := range q.messages {
		if len(taken) == n {
			break
		}
		if m.visibleAt.After(now) {
			continue
		}
		m.delayed = false
		m.visibleAt = now.Add(visibility)
		m.receipt = q.name + "/" + m.id + "/" + randomHex(8)
		if m.receives++; m.receives == 1 {
			m.firstReceive = now
		}
		taken = append(taken, *m)
	}
	if len(taken) > 0 {
		c.changed()
	}
	return taken
}

// nextVisible is how long until one of q's messages can be seen, if it has any. They are all hidden.
func (c *Cloud) nextVisible(q *queue) (in time.Duration, ok bool) {
	if len(q.messages) == 0 {
		return 0, false
	}
	soonest := slices.MinFunc(q.messages, func(a, b *message) int { return a.visibleAt.Compare(b.visibleAt) })
	return soonest.visibleAt.Sub(c.opts.Now()), true
}

// byReceipt finds the message that a receipt handle was given for. A handle of an earlier receive is accepted and finds
// nothing, as in SQS: another reader has the message now.
func (q *queue) byReceipt(receipt string) (*message, error) {
	if parts := strings.Split(receipt, "/"); len(parts) != 3 || parts[0] != q.name {
		return nil, refuse("ReceiptHandleIsInvalid", `The input receipt handle "%s" is not a valid receipt handle.`, receipt)
	}
	i := slices.IndexFunc(q.messages, func(m *message) bool { return m.receipt == receipt })
	if i < 0 {
		return nil, nil
	}
	return q.messages[i], nil
}

// remove deletes a message. One that is gone already is no mistake: SQS's deletes can be repeated.
func (c *Cloud) remove(q *queue, receipt string) error {
	m, err := q.byReceipt(receipt)
	if err != nil || m == nil {
		return err
	}
	q.messages = slices.DeleteFunc(q.messages, func(other *message) bool { return other == m })
	c.changed()
	return nil
}

// hide changes how long from now a message in flight stays hidden; 0 gives it back at once.
func (c *Cloud) hide(q *queue, receipt string, d time.Duration) error {
	m, err := q.byReceipt(receipt)
	if err != nil {
		return err
	}
	now := c.opts.Now()
	if m == nil || !m.visibleAt.After(now) {
		return refuse("MessageNotInflight", "The message referred to isn't in flight.")
	}
	m.visibleAt = now.Add(d)
	q.wake()
	c.changed()
	return nil
}
