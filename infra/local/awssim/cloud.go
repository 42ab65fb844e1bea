// Package awssim is a small honest AWS: one region of one account, in this process, with EC2 instances, SQS queues, IAM
// users, their access keys and the report on them, the Config rule that judges the keys' age, EventBridge rules that bring
// events to queues and functions, secrets and parameters, and SES, which keeps the mail it is given.
//
// It speaks the wire protocols (query for EC2, IAM and STS, JSON for the others), so unmodified AWS SDK clients work against
// it; only their base endpoint differs. It refuses what AWS refuses, with AWS's error codes: a double that lets
// everything through would prove nothing about a bot whose work is to be refused and to try again.
//
// A test or a demo also stands on the other side of the account. It can act like a person in the console
// (StartInstance, SetTag, …), and it can make the cloud behave as badly as the real one is known to: throttled calls,
// reads that are out of date, events that come twice, late, backwards or never.
//
// What it doesn't model is refused too, never ignored where ignoring could hide a mistake.
package awssim

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"
)

// Options describes the account. The zero value is useful.
type Options struct {
	Account string // 12 digits; "111122223333" by default
	Region  string // "eu-central-1" by default

	// BootTime is how long an instance stays pending, StopTime how long it stays stopping or shutting-down.
	// At 0 the next state follows within the same call: the answer says pending, two events are sent in order,
	// and the next read says running.
	BootTime, StopTime time.Duration

	// CloudTrailDelay is how long after a start or launch CloudTrail tells who called; AWS promises nothing, and means
	// minutes. At 0 that event follows EC2's own within the call.
	CloudTrailDelay time.Duration

	// BaseURL is where the handler is served; queue URLs start with it. SetBaseURL sets it later, for servers that
	// only know their address once they listen.
	BaseURL string

	// Now dates what happens and decides what is still visible; time.Now by default. Waiting (booting, long polls)
	// is done by the runtime's timers, so a testing/synctest bubble moves both.
	Now func() time.Time

	// Caller is the ARN of whoever makes the wire calls, as GetCallerIdentity answers: a role's session or an IAM user.
	// "arn:aws:sts::ACCOUNT:assumed-role/sekisho/demo" by default.
	Caller string

	// KeyRule is the name of the Config rule that judges the age of access keys; "access-keys-rotated" by default.
	KeyRule string

	// AccessKeyID, when set, is the only access key that calls may be signed with, beside those of roles (SetRole). A
	// well-formed Signature Version 4 header is required in any case.
	AccessKeyID string

	// OnCall sees every wire call before its answer is sent. It may call the Cloud.
	OnCall func(Call)
}

// Cloud is one region of one account. All methods may be called from several goroutines.
type Cloud struct {
	opts Options

	mu      sync.Mutex // guards everything below
	baseURL string
	closed  bool

	machines  map[string]*machine // by instance id
	queues    map[string]*queue   // by name
	iam       directory
	report    credentialReport
	post      postOffice
	rules     []*rule // of EventBridge, by name
	keyRules  []keyRule
	vault     vault
	roles     map[string]*role // by name
	denied    map[string]bool  // actions in lower case, taken from everybody
	addresses int              // private addresses handed out

	errands  map[*time.Timer]struct{} // what is to be done later
	faults   faults
	hooks    []func([]byte)
	hookWork []hookCall
	calls    []Call
	watchers map[chan struct{}]struct{}

	hookReady chan struct{}  // has one element when hookWork may have some
	done      chan struct{}  // closed by Close
	running   sync.WaitGroup // timers under way, and the goroutine that calls hooks
}

// New makes an empty account. Close it, or its timers and one goroutine stay.
func New(opts Options) *Cloud {
	if opts.Account == "" {
		opts.Account = "111122223333"
	}
	if opts.Region == "" {
		opts.Region = "eu-central-1"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.BaseURL == "" {
		opts.BaseURL = "http://aws.invalid"
	}
	opts.Caller = cmp.Or(opts.Caller, "arn:aws:sts::"+opts.Account+":assumed-role/sekisho/demo")
	checkCaller(opts.Caller)
	opts.KeyRule = cmp.Or(opts.KeyRule, "access-keys-rotated")
	c := &Cloud{
		opts:      opts,
		baseURL:   opts.BaseURL,
		machines:  map[string]*machine{},
		queues:    map[string]*queue{},
		iam:       newDirectory(),
		report:    newCredentialReport(opts.Now()),
		post:      newPostOffice(),
		keyRules:  []keyRule{{opts.Region, opts.KeyRule, "keyage"}},
		vault:     newVault(),
		roles:     map[string]*role{},
		denied:    map[string]bool{},
		errands:   map[*time.Timer]struct{}{},
		faults:    newFaults(),
		watchers:  map[chan struct{}]struct{}{},
		hookReady: make(chan struct{}, 1),
		done:      make(chan struct{}),
	}
	c.running.Go(c.callHooks)
	return c
}

// SetBaseURL says where the handler is served, for queue URLs: "http://127.0.0.1:4566". Queues are found by the path of
// their URL alone, so URLs given out before stay good.
func (c *Cloud) SetBaseURL(base string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.baseURL = base
}

// Close stops the clockwork and waits for it: afterwards no instance changes state, no hook runs, and every wire call,
// waiting long polls included, answers ServiceUnavailable. Don't call it from a hook, which it waits for.
func (c *Cloud) Close() {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		close(c.done)
		for _, m := range c.machines {
			c.cancelTimer(m)
		}
		for timer := range c.errands {
			if timer.Stop() {
				c.running.Done()
			}
		}
		for w := range c.watchers {
			delete(c.watchers, w)
			close(w)
		}
	}
	c.mu.Unlock()
	c.running.Wait()
}

// Changes ticks when something changed that a console would show: an instance, a tag, a queue, a user, a mail. Ticks that
// nobody has read yet are merged into one. The channel is closed when ctx or the cloud ends.
func (c *Cloud) Changes(ctx context.Context) <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := make(chan struct{}, 1)
	if c.closed {
		close(w)
		return w
	}
	c.watchers[w] = struct{}{}
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if _, open := c.watchers[w]; open {
			delete(c.watchers, w)
			close(w)
		}
	})
	return w
}

// changed ticks every watcher. The caller holds mu.
func (c *Cloud) changed() {
	for w := range c.watchers {
		select {
		case w <- struct{}{}:
		default: // a tick is waiting already
		}
	}
}

// randomHex gives 2n random hexadecimal digits.
func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: https://pkg.go.dev/crypto/rand#Read
	return hex.EncodeToString(b)
}
