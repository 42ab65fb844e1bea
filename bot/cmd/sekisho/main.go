// Sekisho stands in front of an AWS account and is worked from Slack.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"sekisho/bot/cmd/wire"
)

// version is set by the linker in `make build`.
var version = "dev"

// cli is the command line.
type cli struct {
	Serve       serveCmd       `cmd:"" help:"Open the doors that SEKISHO_DOORS names, until SIGTERM."`
	Sweep       sweepCmd       `cmd:"" help:"Look once at what really runs, and do what the gate would have done."`
	Keys        keysCmd        `cmd:"" help:"Look after IAM access keys from a terminal."`
	Report      reportCmd      `cmd:"" help:"Report what happened, how old the access keys are, and which IAM users are a risk."`
	Policy      policyCmd      `cmd:"" help:"Look at a policy file."`
	Doctor      doctorCmd      `cmd:"" help:"Look whether Slack, Redis, AWS and what else it stands on are as they must be."`
	Audit       auditCmd       `cmd:"" help:"Read the trail of what was decided, and prove that it is whole."`
	Demo        demoCmd        `cmd:"" help:"Run the bot in a world of its own, on this machine, with a web page."`
	Healthcheck healthcheckCmd `cmd:"" help:"Ask a running 'sekisho serve --ops' whether it is alive."`
	Version     versionCmd     `cmd:"" help:"Print the version."`
}

// now is the clock that the program goes by; tests put it forward.
var now = time.Now

// memory is what the garbage collector is to keep to, as long as what is alive
// fits: the report of 5,000 users does, and with it in a small container. Without
// that word it would let the heap grow to twice what is alive.
const memory = 80 << 20

func main() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memory)
	}
	log := wire.NewLog(os.Stderr)
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		err := runLambda(os.Getenv, log) // which returns only where it cannot start
		log.Error("the function cannot start", "error", err)
		os.Exit(1)
	}
	var c cli
	k := kong.Parse(&c,
		kong.Name("sekisho"),
		kong.Description("The checkpoint in front of an AWS account: nobody starts a guarded EC2 instance without a one-time pass from /ec2-pass."),
		kong.UsageOnError(),
	)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	k.BindTo(ctx, (*context.Context)(nil))
	os.Exit(exit(k.Run(log)))
}

func exit(err error) int {
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "sekisho:", err)
	return 1
}

type versionCmd struct{}

func (versionCmd) Run() error {
	fmt.Println("sekisho", version)
	return nil
}
