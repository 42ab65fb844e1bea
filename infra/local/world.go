// Package local is a small world for the bot to run in: a Slack workspace with three people in it, an AWS account with a
// few EC2 instances and IAM users, and one web page that shows both side by side and lets you act in them.
//
// The bot itself is the real one, unmodified: it comes in over Socket Mode and the AWS wire protocols, and only its
// environment (see World.Env) tells it that Slack and AWS are on this machine. The rules of the two live in the
// packages slacksim and awssim; this one gives them a cast, an address and a face.
package local

import (
	"cmp"
	"context"
	"net/http"
	"sync"
	"time"

	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

// Options describe the world. The zero value is the demo's.
type Options struct {
	BootTime   time.Duration // how long an instance is pending; default 2 s
	StopTime   time.Duration // how long it is stopping; default 1.5 s
	SweepEvery time.Duration // how often the schedule asks for a sweep; default 1 min

	// CloudTrailDelay is how long after a start CloudTrail tells who called; default 3 s, so that one sees it come later.
	CloudTrailDelay time.Duration

	// Commands are those that the app has in this workspace; another is refused, as Slack does.
	// Default: /ec2-pass and /sekisho.
	Commands []Command

	// Shortcuts are the app's global shortcuts. Default: ec2_pass.
	Shortcuts []Shortcut

	Now func() time.Time // default time.Now; dates everything. Waiting is done by the runtime's timers.
}

// Command is a slash command as the composer explains it.
type Command struct {
	Name  string `json:"name"`  // "/ec2-pass"
	Usage string `json:"usage"` // "[name or i-…]"; with "i-…" in it, the composer completes instances' names
	Help  string `json:"help"`  // one sentence
}

// Shortcut is a global shortcut as the menu beside the composer shows it.
type Shortcut struct {
	CallbackID string `json:"id"`    // "ec2_pass"
	Name       string `json:"name"`  // "Ask for a pass"
	About      string `json:"about"` // one sentence
}

// World is a Slack and an AWS side by side. Its methods may be called from any goroutine.
type World struct {
	AWS   *awssim.Cloud
	Slack *slacksim.Workspace

	opts    Options
	id      string // new with each world, so that a page knows when it looks at another one
	ctx     context.Context
	cancel  context.CancelFunc
	loops   sync.WaitGroup
	server  *http.Server
	base    string // "http://127.0.0.1:4000", once it listens
	queue   string // URL of the event queue
	journal *journal

	mu       sync.Mutex // guards what follows
	typed    []typed
	trail    []trailEntry    // oldest first
	faults   map[string]bool // by name: those switched on
	bounced  map[string]bool // by a mail's id
	launched int
	watchers map[chan struct{}]struct{}
}

// New makes a world that nobody can reach yet: see Listen. Close it when it has served.
func New(opts Options) (*World, error) {
	opts.BootTime = cmp.Or(opts.BootTime, 2*time.Second)
	opts.StopTime = cmp.Or(opts.StopTime, 1500*time.Millisecond)
	opts.SweepEvery = cmp.Or(opts.SweepEvery, time.Minute)
	opts.CloudTrailDelay = cmp.Or(opts.CloudTrailDelay, 3*time.Second)
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Commands == nil {
		opts.Commands = []Command{{
			Name:  "/ec2-pass",
			Usage: "[name or i-… for a reason | break-glass … | mine | revoke … | help]",
			Help:  "A one-time pass to start a guarded EC2 instance. Only you see the answer.",
		}, {
			Name:  "/sekisho",
			Usage: "[keys | keys USER | report [starts | keys | users] [7d] | doctor | help]",
			Help:  "The access keys by age and what becomes of them, a report, or how the bot is. Only you see the answer.",
		}}
	}
	if opts.Shortcuts == nil {
		opts.Shortcuts = []Shortcut{{"ec2_pass", "Ask for a pass", "Pick a guarded instance and say what it is for."}}
	}
	id, err := newID()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &World{
		opts:     opts,
		id:       id,
		ctx:      ctx,
		cancel:   cancel,
		faults:   map[string]bool{},
		bounced:  map[string]bool{},
		watchers: map[chan struct{}]struct{}{},
	}
	w.AWS = awssim.New(awssim.Options{
		Account:         account,
		Region:          region,
		BootTime:        opts.BootTime,
		StopTime:        opts.StopTime,
		CloudTrailDelay: opts.CloudTrailDelay,
		Now:             opts.Now,
		AccessKeyID:     accessKeyID,
		OnCall:          w.called,
	})
	w.Slack = slacksim.New(slacksim.Options{
		BotToken:      botToken,
		AppToken:      appToken,
		ConfigToken:   configToken,
		SigningSecret: signingSecret,
		Users:         people(),
		Channels:      channels(),
		Groups:        groups(),
		Commands:      installedCommands(opts.Commands),
		Shortcuts:     installedShortcuts(opts.Shortcuts),
		Now:           opts.Now,
	})
	for _, i := range instances() {
		w.AWS.Add(i)
	}
	for _, u := range keyHolders(opts.Now()) {
		if _, err := w.AWS.AddUser(u); err != nil {
			panic("local: the cast's users: " + err.Error()) // unreachable
		}
	}
	if err := w.AWS.SetRoot(root(opts.Now())); err != nil {
		panic("local: the cast's root user: " + err.Error()) // unreachable
	}
	w.AWS.VerifyIdentity(sender)
	w.AWS.CheckAll() // before anybody listens: what the Config rule finds from now on is a change
	w.journal = newJournal(opts.Now, w.AWS.Instances())
	w.loops.Go(w.watch)
	return w, nil
}

// Close ends the world: streams, sockets, timers. It returns when nothing of it runs any more.
func (w *World) Close() error {
	w.cancel()
	var err error
	if w.server != nil {
		err = w.server.Close()
	}
	w.loops.Wait()
	w.Slack.Close()
	w.AWS.Close()
	return err
}

// lookAgain is how often the page's facts that nothing announces (is a socket open?) are looked at.
const lookAgain = 500 * time.Millisecond

// watch writes the journal and wakes the pages whenever something changed.
func (w *World) watch() {
	cloud, workspace := w.AWS.Changes(w.ctx), w.Slack.Changes(w.ctx)
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	connected := false
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-cloud:
			w.journal.compare(w.AWS.Instances())
		case <-workspace:
		case <-again.C:
			now := w.Slack.Sockets() > 0
			if now == connected {
				continue
			}
			connected = now
		}
		w.changed()
	}
}

// changed wakes every page.
func (w *World) changed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for watcher := range w.watchers {
		select {
		case watcher <- struct{}{}:
		default: // it has not yet looked at the last change, and will see this one too
		}
	}
}

// subscribe gives a channel that ticks when the page should be drawn again, until ctx ends.
func (w *World) subscribe(ctx context.Context) <-chan struct{} {
	watcher := make(chan struct{}, 1)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.watchers[watcher] = struct{}{}
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.watchers, watcher)
	})
	return watcher
}
