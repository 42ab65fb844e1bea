package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"

	"sekisho/infra/local/slacksim"
	"sekisho/infra/redisstore/redistest"
)

// member is one process.
type member struct {
	*program
	fleet *fleet
	doors string
	proxy *httptest.Server // to Slack and AWS
	tap   *redistest.Tap

	// Guarded by the fleet's mu.
	dead    bool
	calls   int             // under way, but for those that wait for messages
	waits   int             // those
	holding map[string]bool // receipts of messages that it received
	wrote   bool            // in this run, into the trail
	last    string          // of what says something in Slack, and of what notes that: what it did last, or "begun"
}

// start starts a process with these doors.
func (f *fleet) start(doors string) {
	m := &member{fleet: f, doors: doors, holding: make(map[string]bool)}
	m.proxy = httptest.NewServer(m)
	m.tap = redistest.NewTap(f.whole, f.redis, m.redis)
	m.program = &program{Cmd: exec.Command(os.Args[0], "serve"), t: f.whole, said: &lines{}, ended: make(chan error, 1)}
	m.Env = append(slices.Clone(f.env), "SEKISHO_DOORS="+doors, "REDIS_URL=redis://"+m.tap.Addr,
		"HTTP_PROXY="+m.proxy.URL, "AWS_ENDPOINT_URL=http://"+outsideHost+"/aws/", "SLACK_API_URL=http://"+outsideHost+"/slack/api/")
	m.Stdout, m.Stderr = m.said, m.said
	f.mu.Lock() // nobody meets one that has no process yet
	defer f.mu.Unlock()
	if err := m.Start(); err != nil {
		panic(err)
	}
	f.crew = append(f.crew, m)
	go func() { m.ended <- m.Wait() }()
}

func (m *member) close() {
	m.proxy.Close()
	m.tap.Close()
}

// step is a call that changes something outside: the nth of its kind in a run.
type step struct {
	service, operation string
	nth                int
}

func (s step) String() string { return fmt.Sprintf("%s %s %d", s.service, s.operation, s.nth) }

// aim is where somebody is to be killed: right before the call has an effect, or
// right after, before the answer arrives.
type aim struct {
	step
	after bool
}

func (a aim) String() string {
	if a.after {
		return "after " + a.step.String()
	}
	return "before " + a.step.String()
}

// errKilled ends a connection: its process is dead.
var errKilled = errors.New("killed")

// ServeHTTP is the way to Slack and AWS.
func (m *member) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/slack/socket" {
		m.fleet.outside.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	service, operation := named(r, body)
	err = m.call(service, operation, func() (string, error) {
		m.fleet.outside.ServeHTTP(answer, r)
		return m.note(operation, body, answer.Body.Bytes()), nil
	})
	if err != nil {
		panic(http.ErrAbortHandler) // net/http closes the connection
	}
	for key, values := range answer.Header() {
		w.Header()[key] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes())
}

// redis is the way to Redis.
func (m *member) redis(command []string, do func() error) error {
	operation := strings.ToLower(command[0])
	if operation == "evalsha" {
		operation = m.fleet.scripts[command[1]]
	}
	return m.call("redis", operation, func() (string, error) { return operation, do() })
}

// named says which call of which service a request is.
func named(r *http.Request, body []byte) (service, operation string) {
	form, _ := url.ParseQuery(string(body))
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/slack/api/"):
		return "slack", strings.TrimPrefix(path, "/slack/api/")
	case strings.HasPrefix(path, "/slack/response/"):
		return "slack", slacksim.ResponseURL
	case strings.HasPrefix(path, "/slack/upload/"):
		return "slack", slacksim.UploadURL
	case r.Header.Get("X-Amz-Target") != "":
		_, operation, _ = strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		return "aws", operation
	case form.Get("Action") != "":
		return "aws", form.Get("Action")
	case r.Method == http.MethodPost:
		return "aws", "SendEmail"
	}
	return "aws", "Get " + r.URL.Path
}

const receive, received = "ReceiveMessage", "received"

// changes says whether a call is a step: being killed at one that changes nothing
// is being killed at the step before.
func changes(service, operation string) bool {
	begins := func(words ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(operation, w) })
	}
	switch service {
	case "redis": // at the start of a process, and reads
		return !begins("hello", "client", "ping", "swap_policy", "get", "hget", "hmget", "zrange", "xrange", "xrevrange", "exists", "pexpire", "info", "time", "config")
	case "slack":
		return begins("chat.", "files.", "views.", slacksim.ResponseURL, slacksim.UploadURL)
	}
	return !begins("Describe", "List", "Get", "Generate", receive, "ChangeMessageVisibility")
}

// call lets a call through, unless the process is to be killed at it. do returns
// the call's name when it is over: a receive counts if it brought something.
func (m *member) call(service, operation string, do func() (string, error)) error {
	if !m.enter(operation) {
		return errKilled
	}
	defer m.leave(operation)
	m.tells(operation, "begun")
	due, after := m.fleet.due(service, operation)
	if due && !after {
		m.kill()
		return errKilled
	}
	done, err := do()
	if err != nil {
		return err
	}
	m.tells(done, done)
	if operation == receive {
		due, after = m.fleet.due(service, done)
	}
	if due && after {
		m.kill()
		return errKilled
	}
	return nil
}

// tells remembers what shows whether somebody killed now leaves something behind
// of which nobody else knows.
func (m *member) tells(operation, state string) {
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	m.wrote = m.wrote || state == "append"
	if strings.HasPrefix(operation, "chat.") || operation == "put_told" || operation == "name_caller" {
		m.last = state
	}
}

func (m *member) enter(operation string) bool {
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	if m.dead {
		return false
	}
	*m.counter(operation)++
	m.fleet.tick()
	return true
}

func (m *member) leave(operation string) {
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	if operation != receive {
		m.fleet.story = append(m.fleet.story, fmt.Sprintf("%s %d %s", m.doors, m.Process.Pid, operation))
	}
	*m.counter(operation)--
	m.fleet.tick()
}

func (m *member) counter(operation string) *int {
	if operation == receive {
		return &m.waits
	}
	return &m.calls
}

// due counts a call, and says whether somebody is to be killed at it.
func (f *fleet) due(service, operation string) (due, after bool) {
	if !changes(service, operation) {
		return false, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil || f.fell != nil {
		return false, false
	}
	kind := step{service: service, operation: operation}
	f.counts[kind]++
	kind.nth = f.counts[kind]
	f.taken = append(f.taken, kind)
	return f.aim.step == kind, f.aim.after
}

// kill kills the process, which then has done nothing more, and starts another
// in its place.
func (m *member) kill() {
	m.Process.Kill()
	<-m.ended
	f := m.fleet
	trail := f.readTrail()
	f.mu.Lock()
	m.dead, f.fell, f.trail = true, m, trail
	for receipt := range m.holding {
		f.lost[receipt] = true
	}
	if m.doors == "socket" {
		f.alone()
	}
	f.mu.Unlock()
	f.starting.Go(func() { f.start(m.doors) })
	f.tick()
}

// note keeps book of the messages that the process has.
func (m *member) note(operation string, asked, answered []byte) string {
	var in struct {
		ReceiptHandle     string
		VisibilityTimeout int
	}
	var out struct {
		Messages []struct{ ReceiptHandle string }
	}
	json.Unmarshal(asked, &in)
	json.Unmarshal(answered, &out)
	m.fleet.mu.Lock()
	defer m.fleet.mu.Unlock()
	switch {
	case operation == receive && len(out.Messages) > 0:
		for _, r := range out.Messages {
			m.holding[r.ReceiptHandle] = true
			if m.dead {
				m.fleet.lost[r.ReceiptHandle] = true
			}
		}
		return received
	case operation == "DeleteMessage":
		delete(m.holding, in.ReceiptHandle)
	case operation == "ChangeMessageVisibility" && in.VisibilityTimeout < 60: // put back
		delete(m.holding, in.ReceiptHandle)
		m.fleet.lost[in.ReceiptHandle] = true
	}
	return operation
}
