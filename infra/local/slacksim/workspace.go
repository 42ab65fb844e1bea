// Package slacksim is a small Slack workspace that lives in this process and keeps Slack's rules.
//
// A bot talks to it as it talks to Slack: the Web API under /api/, Socket Mode over a real WebSocket, signed
// HTTP requests, response URLs. What Slack would refuse is refused here with Slack's error code, so that a bot that works
// against this package has met the limits of the real one. A test or a page plays the people: Command, Click,
// Submit and their like do what a person does; Messages, Views and Home show what that person would see.
//
// Where Slack documents a behaviour, the page stands beside the constant. Where it does not and the behaviour
// was inferred, the comment says "inferred".
package slacksim

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Options describe the workspace. The zero value of every field but Users and Channels has a default.
type Options struct {
	TeamID        string // default "T0LOCAL"
	BotToken      string // default "xoxb-test-bot"; what the Web API accepts
	AppToken      string // default "xapp-test-app"; what apps.connections.open accepts, and auth.test too
	ConfigToken   string // default "xoxe.xoxp-test-config"; what apps.manifest.export accepts, and only that
	SigningSecret string // default "test-signing-secret"; signs what DeliverTo sends

	Users    []User // the first with IsBot is the bot itself; without one, "sekisho" is added
	Channels []Channel
	Groups   []Group

	// The app as it is installed; nil: as manifest.yml says, but for words.
	Scopes    []string // of the bot token
	Commands  []Command
	Shortcuts []Shortcut
	Events    []string // subscribed to

	Now    func() time.Time // default time.Now; dates messages, signs requests, expires response URLs and trigger ids
	Limits Limits
}

// Limits are the numbers that a test may want tighter than Slack's. Zero means Slack's own.
type Limits struct {
	// PostEvery and PostBurst bound chat.postMessage and shared files per channel: "1 message per second per channel",
	// with "short bursts" allowed. Slack does not say how short: 5 is inferred. A negative PostEvery lifts the limit.
	// https://docs.slack.dev/apis/web-api/rate-limits
	PostEvery time.Duration // default 1 s
	PostBurst int           // default 5

	// AckIn is how long a command, interaction or event may stay unanswered, in real time.
	// https://docs.slack.dev/interactivity/handling-user-interaction#acknowledgment_response
	AckIn time.Duration // default 3 s

	// Sockets is how many connections one app may hold.
	// https://docs.slack.dev/apis/events-api/using-socket-mode
	Sockets int // default 10

	// PingEvery is the time between two WebSocket pings, in real time. Slack's is not documented; clients
	// take a connection for dead after 30 s without one.
	PingEvery time.Duration // default 10 s

	// ResponseUses and ResponseLife bound a response URL: "up to 5 times within 30 minutes".
	// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
	ResponseUses int           // default 5
	ResponseLife time.Duration // default 30 min

	// TriggerLife is how long a trigger id opens a modal: it "expires 3 seconds after it's sent".
	// https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses
	TriggerLife time.Duration // default 3 s
}

const (
	botID      = "B0SEKISHO"
	appID      = "A0SEKISHO"
	appName    = "Sekisho"
	teamDomain = "sekisho-local"

	// verificationToken is the deprecated shared token that Slack still sends with every payload.
	verificationToken = "test-verification-token"
)

// Workspace is one team with one installed app. Its methods may be called from any goroutine.
type Workspace struct {
	opts   Options
	limits Limits
	ctx    context.Context // ends with Close; every socket lives under it
	cancel context.CancelFunc
	loops  sync.WaitGroup // socket readers, pingers, closers
	client *http.Client   // delivers signed requests
	bot    User

	mu       sync.Mutex
	base     string   // where this workspace is reachable, without a final slash
	endpoint string   // where signed requests go; empty: nowhere
	scopes   []string // of the bot token
	users    []User
	rooms    []*room
	messages []*Message // by TS, which is the order they were written in
	lastTS   time.Time
	watchers map[chan struct{}]bool
	posted   map[string]time.Time // channel → when its burst allowance is whole again
	hooks    map[string]*hook     // response URL token → what it may still do
	files    map[string]*file     // by id
	uploads  map[string]*file     // upload URL token → the file that it waits for
	tickets  map[string]bool      // socket tickets not yet used
	sockets  []*socket
	pending  map[string]chan ack // envelope id → who waits for its ack
	triggers map[string]*trigger // by trigger id
	modals   map[string][]*view  // by user; the topmost last
	homes    map[string]*view    // by user
	faults   faults
	calls    []Call
}

// New makes a workspace. It panics when the options contradict themselves: that is a mistake in the calling code.
func New(opts Options) *Workspace {
	opts = withDefaults(opts)
	ctx, cancel := context.WithCancel(context.Background())
	w := &Workspace{
		opts:     opts,
		limits:   opts.Limits,
		ctx:      ctx,
		cancel:   cancel,
		scopes:   slices.Clone(opts.Scopes),
		watchers: map[chan struct{}]bool{},
		posted:   map[string]time.Time{},
		hooks:    map[string]*hook{},
		files:    map[string]*file{},
		uploads:  map[string]*file{},
		tickets:  map[string]bool{},
		pending:  map[string]chan ack{},
		triggers: map[string]*trigger{},
		modals:   map[string][]*view{},
		homes:    map[string]*view{},
		faults:   newFaults(),
		client: &http.Client{
			// Slack reads the answer of the address it was given, not of where that points to.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	w.settle(opts.Users, opts.Channels)
	return w
}

func withDefaults(o Options) Options {
	setDefault(&o.TeamID, "T0LOCAL")
	setDefault(&o.BotToken, "xoxb-test-bot")
	setDefault(&o.AppToken, "xapp-test-app")
	setDefault(&o.ConfigToken, "xoxe.xoxp-test-config")
	setDefault(&o.SigningSecret, "test-signing-secret")
	if o.Scopes == nil {
		o.Scopes = manifestScopes()
	}
	if o.Commands == nil {
		o.Commands = manifestCommands()
	}
	if o.Shortcuts == nil {
		o.Shortcuts = manifestShortcuts()
	}
	if o.Events == nil {
		o.Events = manifestEvents()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	setDefault(&o.Limits.PostEvery, time.Second)
	setDefault(&o.Limits.PostBurst, 5)
	setDefault(&o.Limits.AckIn, 3*time.Second)
	setDefault(&o.Limits.Sockets, 10)
	setDefault(&o.Limits.PingEvery, 10*time.Second)
	setDefault(&o.Limits.ResponseUses, 5)
	setDefault(&o.Limits.ResponseLife, 30*time.Minute)
	setDefault(&o.Limits.TriggerLife, 3*time.Second)
	return o
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Close ends every socket and returns when nothing of the workspace runs any more.
func (w *Workspace) Close() {
	w.mu.Lock()
	w.cancel() // cuts every socket, which ends its reader
	w.mu.Unlock()
	w.loops.Wait()
	w.client.CloseIdleConnections()
}

// Serve tells the workspace the address under which Handler is reachable, for socket, response and upload URLs:
// "http://127.0.0.1:4000/slack" when the handler is mounted at /slack/. Without it, the host of the first request is taken.
func (w *Workspace) Serve(base string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.base = strings.TrimSuffix(base, "/")
}

// DeliverTo sets where commands, interactions and events are sent as signed HTTP while no socket is open:
// POST baseURL/slack/commands, baseURL/slack/interactions and baseURL/slack/events. The empty string turns it off.
func (w *Workspace) DeliverTo(baseURL string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endpoint = strings.TrimSuffix(baseURL, "/")
}

// Handler serves the Web API (/api/<method>), Socket Mode (/socket), response URLs (/response/<token>) and upload URLs
// (/upload/<token>).
func (w *Workspace) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/{method}", w.serveMethod)
	mux.HandleFunc("GET /socket", w.serveSocket)
	mux.HandleFunc("POST /response/{token}", w.serveResponse)
	mux.HandleFunc("POST /upload/{token}", w.serveUpload)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		setDefault(&w.base, "http://"+r.Host)
		away := w.faults.away
		w.mu.Unlock()
		if away {
			// Slack's edge answers with a page, not with JSON.
			if name, ok := strings.CutPrefix(r.URL.Path, "/api/"); ok {
				w.record(Call{Method: name, Error: "http_503"})
			}
			rw.Header().Set("Content-Type", "text/html; charset=utf-8")
			rw.WriteHeader(http.StatusServiceUnavailable)
			io.WriteString(rw, "<html><body>Service Unavailable</body></html>")
			return
		}
		mux.ServeHTTP(rw, r)
	})
}
