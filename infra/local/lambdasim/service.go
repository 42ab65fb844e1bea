// Package lambdasim is a small Lambda for tests. It runs a function's real program, in processes that are frozen between
// invocations, and brings it what Lambda brings: calls, a function URL's requests, batches of a queue and of a stream.
//
// The rules that a function can run into are kept: one invocation at a time in a sandbox, throttling, deadlines, sizes,
// what counts as failed and how often it is tried again. Memory limits and extensions are not there.
package lambdasim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Where the functions live; infra/local's account.
const (
	account = "111122223333"
	region  = "eu-central-1"
)

// Function is a Lambda function's configuration.
type Function struct {
	Name    string
	Program string        // the executable, with its path
	Env     []string      // "NAME=value"; credentials too. What Lambda itself sets is added
	Handler string        // default "bootstrap"
	Timeout time.Duration // of one invocation; default 3 s, as Lambda's
	Grace   time.Duration // how much later than told it is killed: a test of what ends by itself waits for a slow machine

	// Reserved is how many invocations may run at once; more are throttled. Default 1000, an account's quota.
	// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
	Reserved int

	// RetryAfter is the pause before an asynchronous invocation is tried again: none by default, where Lambda waits one
	// minute and then two.
	RetryAfter time.Duration

	// OnFailure takes the record of an asynchronous invocation that was given up. Nil: nobody hears of it.
	OnFailure func(record []byte)
}

// Service is the Lambda of one account. Its methods may be called from any goroutine; a function that it does not have is
// a mistake in the program and panics.
type Service struct {
	functions map[string]*function
	ctx       context.Context
	cancel    context.CancelFunc

	mu     sync.Mutex
	closed bool
	begun  sync.WaitGroup // invocations and processes
}

// function is one that is deployed.
type function struct {
	Function
	service *Service
	slots   chan struct{} // holds one for each invocation under way
	log     *os.File      // what its processes say; it has no name any more

	mu      sync.Mutex
	idle    []*sandbox // the one used last comes last
	started int
}

// New deploys functions. No process runs before the first invocation. Close it.
func New(all ...Function) (*Service, error) {
	s := &Service{functions: make(map[string]*function)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, f := range all {
		f.Handler = cmp.Or(f.Handler, "bootstrap")
		f.Timeout = cmp.Or(f.Timeout, 3*time.Second)
		f.Reserved = cmp.Or(f.Reserved, 1000)
		// A file, not a pipe: what was said before an answer can be read after it.
		log, err := os.CreateTemp("", "lambdasim-*.log")
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("lambdasim: the log of %s: %w", f.Name, err)
		}
		os.Remove(log.Name())
		s.functions[f.Name] = &function{Function: f, service: s, slots: make(chan struct{}, f.Reserved), log: log}
	}
	return s, nil
}

// Close kills every process, and returns when nothing runs any more.
func (s *Service) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.begun.Wait()
	for _, f := range s.functions {
		f.log.Close()
	}
}

var errClosed = errors.New("lambdasim: the service is closed")

// begin does something that Close waits for.
func (s *Service) begin(do func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.begun.Go(do)
	return nil
}

func (s *Service) function(name string) *function {
	f := s.functions[name]
	if f == nil {
		panic(fmt.Sprintf("lambdasim: there is no function %q (New takes them)", name))
	}
	return f
}

// Logs is what the function's processes have written so far, standard output and standard error together.
func (s *Service) Logs(name string) string {
	f := s.function(name)
	info, err := f.log.Stat()
	if err != nil {
		panic("lambdasim: Logs: " + err.Error()) // closed
	}
	text := make([]byte, info.Size())
	n, _ := f.log.ReadAt(text, 0)
	return string(text[:n])
}

// Started is how many of the function's processes were started: its cold starts.
func (s *Service) Started(name string) int {
	f := s.function(name)
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.started
}

func (f *function) arn() string {
	return "arn:aws:lambda:" + region + ":" + account + ":function:" + f.Name
}
