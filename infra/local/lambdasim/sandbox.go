package lambdasim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// initWithin is how long a program may take until it asks for its first invocation. Lambda starts a slower one once more,
// within the function's timeout; here it is given both together.
// https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
const initWithin = 10 * time.Second

// sandbox is one process of a function, and the Runtime API that it alone talks to. It is frozen unless it starts or has an
// invocation: nothing that the program left running goes on then.
type sandbox struct {
	f       *function
	process *exec.Cmd
	exited  chan struct{}    // closed
	asked   chan struct{}    // the runtime wants an invocation, and waits for it
	work    chan *invocation // what it is given
	failed  chan *Error      // takes one: the initialisation failed

	mu      sync.Mutex
	current *invocation // given, and not yet answered
}

// start is a cold start: it returns when the program asks for its first invocation.
func (f *function) start(i *invocation) (*sandbox, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("lambdasim: the Runtime API: %w", err)
	}
	b := &sandbox{
		f: f, exited: make(chan struct{}), asked: make(chan struct{}), work: make(chan *invocation), failed: make(chan *Error, 1),
	}
	api := &http.Server{Handler: b.runtimeAPI(), BaseContext: func(net.Listener) context.Context { return f.service.ctx }}
	go api.Serve(l) // until Close
	b.process = exec.CommandContext(f.service.ctx, f.Program)
	b.process.Dir = filepath.Dir(f.Program)
	b.process.Env = f.environment(l.Addr().String())
	b.process.Stdout, b.process.Stderr = f.log, f.log
	if err := b.process.Start(); err != nil {
		api.Close()
		return nil, fault(i, "Runtime.InvalidEntrypoint", "%v", err)
	}
	f.service.begun.Go(func() {
		b.process.Wait()
		api.Close()
		close(b.exited)
	})
	if err := b.initialised(i); err != nil {
		b.end()
		return nil, err
	}
	return b, nil
}

func (b *sandbox) initialised(i *invocation) error {
	select {
	case <-b.asked:
		return nil
	case err := <-b.failed:
		return err
	case <-b.exited:
		select {
		case err := <-b.failed: // it told why before it went
			return err
		default:
			return b.exitError(i)
		}
	case <-time.After(initWithin + b.f.Timeout):
		return timedOut(i, b.f.Timeout)
	}
}

// serve gives the sandbox an invocation and waits for its answer, and then until it asks for another. A process that did not
// live to do so, or that was still busy at the deadline, is no more.
func (b *sandbox) serve(i *invocation) (out outcome, lives bool) {
	i.deadline = time.Now().Add(b.f.Timeout)
	over := time.NewTimer(b.f.Timeout + b.f.Grace)
	defer over.Stop()
	b.process.Process.Signal(syscall.SIGCONT)
	select {
	case b.work <- i:
	case <-b.exited:
		return outcome{err: b.exitError(i)}, false
	}
	var late error
	select {
	case out = <-i.answered:
	case <-b.exited:
		late = b.exitError(i)
	case <-over.C:
		b.end()
		late = timedOut(i, b.f.Timeout)
	}
	if late != nil {
		select {
		case out = <-i.answered: // it had just answered
		default:
			out.err = late
		}
		return out, false
	}
	select {
	case <-b.asked:
		b.process.Process.Signal(syscall.SIGSTOP)
		return out, true
	case <-b.exited:
	case <-over.C:
		b.end()
	}
	return out, false
}

func (b *sandbox) lives() bool {
	select {
	case <-b.exited:
		return false
	default:
		return true
	}
}

// end kills the process and waits until it is gone.
func (b *sandbox) end() {
	b.process.Process.Kill()
	<-b.exited
}

// exitError is what Lambda says of a process that has gone.
func (b *sandbox) exitError(i *invocation) *Error {
	if b.process.ProcessState.Success() {
		return fault(i, "Runtime.ExitError", "Runtime exited without providing a reason")
	}
	return fault(i, "Runtime.ExitError", "Runtime exited with error: %v", b.process.ProcessState)
}

func timedOut(i *invocation, after time.Duration) *Error {
	return fault(i, "Sandbox.Timedout", "Task timed out after %.2f seconds", after.Seconds())
}

// environment is what the process finds; what Lambda reserves for itself wins.
// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
func (f *function) environment(api string) []string {
	env := append([]string{"AWS_REGION=" + region, "AWS_DEFAULT_REGION=" + region, "TZ=:UTC"}, f.Env...)
	return append(env,
		"AWS_LAMBDA_RUNTIME_API="+api,
		"_HANDLER="+f.Handler,
		"LAMBDA_TASK_ROOT="+filepath.Dir(f.Program),
		"LAMBDA_RUNTIME_DIR=/var/runtime",
		"AWS_LAMBDA_FUNCTION_NAME="+f.Name,
		"AWS_LAMBDA_FUNCTION_VERSION=$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME=/aws/lambda/"+f.Name,
		"AWS_LAMBDA_LOG_STREAM_NAME=2027/01/15/[$LATEST]0123456789abcdef0123456789abcdef",
		"LANG=en_US.UTF-8",
		"PATH=/usr/local/bin:/usr/bin/:/bin:/opt/bin",
	)
}
