package slacksim

import (
	"slices"
	"time"
)

// What a fault or a Call names where Slack is called at an address of its own instead of by a method.
const (
	ResponseURL = "response_url"
	UploadURL   = "upload_url" // of files.getUploadURLExternal
)

// Call is one request that the workspace was sent.
type Call struct {
	Method  string // "chat.postMessage", or ResponseURL or UploadURL
	Channel string
	At      time.Time
	Error   string // Slack's code; empty when it went well; "http_503" while the workspace is away
}

// faults are the troubles that were asked for and have not happened yet.
type faults struct {
	away         bool
	dropAcks     bool
	linkDisabled bool
	silent       bool               // Interactivity & Shortcuts is off
	filesUnready int                // posts that will come too soon for the file they show
	unknown      map[string]bool    // types of blocks
	queued       map[string][]error // method → what its next calls answer, one each
}

func newFaults() faults { return faults{queued: map[string][]error{}} }

// next takes the fault due for a call of method, if any.
func (f *faults) next(method string) error {
	q := f.queued[method]
	if len(q) == 0 {
		return nil
	}
	f.queued[method] = q[1:]
	return q[0]
}

// Away makes Slack unreachable, or reachable again: the Web API and response URLs answer HTTP 503, sockets are cut without
// a word, and no person can do anything.
func (w *Workspace) Away(away bool) {
	w.mu.Lock()
	w.faults.away = away
	var open []*socket
	if away {
		open = w.takeSockets()
		clear(w.tickets)
	}
	w.mu.Unlock()
	for _, s := range open {
		s.conn.CloseNow()
	}
}

// RateLimit makes the next n calls of method answer HTTP 429 with Retry-After, rounded up to whole seconds.
func (w *Workspace) RateLimit(method string, n int, retryAfter time.Duration) {
	w.queue(method, n, &apiError{code: "ratelimited", retryAfter: retryAfter})
}

// FailNext makes the next n calls of method answer errorCode, such as "internal_error".
func (w *Workspace) FailNext(method, errorCode string, n int) {
	w.queue(method, n, &apiError{code: errorCode})
}

func (w *Workspace) queue(method string, n int, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults.queued[method] = append(w.faults.queued[method], slices.Repeat([]error{err}, n)...)
}

// FilesUnready makes the next n posts that show an uploaded file (slack_file) answer invalid_blocks: Slack takes a moment
// to process what was uploaded. Zero ends it.
// https://github.com/slackapi/python-slack-sdk/issues/1521
func (w *Workspace) FilesUnready(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults.filesUnready = n
}

// UnknownBlocks makes the workspace refuse blocks of these types ("data_table", "table") with invalid_blocks, as one does that
// they have not reached, such as GovSlack. Without types it knows all again.
func (w *Workspace) UnknownBlocks(types ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults.unknown = map[string]bool{}
	for _, t := range types {
		w.faults.unknown[t] = true
	}
}

// DropAcks loses every ack on its way, or stops losing them: the bot has done its work, and Slack and the person never hear.
func (w *Workspace) DropAcks(drop bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults.dropAcks = drop
}

// Disconnect sends {"type":"disconnect","reason":…} on every socket and closes it. Slack's reasons are "warning",
// "refresh_requested", "link_disabled" and "too_many_websockets". After link_disabled (somebody turned Socket Mode off)
// apps.connections.open answers link_disabled until Reenable. The ten seconds between a warning and the end are
// not waited.
func (w *Workspace) Disconnect(reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if reason == reasonLinkDisabled {
		w.faults.linkDisabled = true
	}
	for _, s := range w.takeSockets() {
		w.loops.Go(func() { w.sayGoodbye(s, reason) }) // a slow client keeps nobody waiting
	}
}

// Reenable turns Socket Mode on again after Disconnect("link_disabled").
func (w *Workspace) Reenable() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults.linkDisabled = false
}

// Sockets says how many connections are open.
func (w *Workspace) Sockets() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.sockets)
}

// Calls returns every request so far, oldest first.
func (w *Workspace) Calls() []Call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.calls)
}

func (w *Workspace) record(c Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.At = w.opts.Now()
	w.calls = append(w.calls, c)
}
