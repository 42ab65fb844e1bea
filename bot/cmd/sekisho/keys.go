package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/bot"
	"sekisho/bot/cmd/wire"
)

type keysCmd struct {
	Plan  keysPlanCmd  `cmd:"" help:"Read every IAM access key and say what is to become of it, and when. Changes nothing."`
	Apply keysApplyCmd `cmd:"" help:"Do what the plan says is due now: warn, deactivate, delete."`
}

type keysPlanCmd struct {
	User   string `help:"Only this IAM user's keys."`
	Format string `help:"text or json." enum:"text,json" default:"text"`
}

// Run prints the plan.
func (c keysPlanCmd) Run(ctx context.Context, log *slog.Logger) error {
	app, err := keysApp(ctx, log)
	if err != nil {
		return err
	}
	defer app.Close()
	var plan purge.Plan
	if c.User != "" {
		plan, err = app.Desk.Purge.ReadUser(ctx, c.User)
	} else {
		plan, err = app.Desk.Purge.Read(ctx, progress("Reading IAM users"))
	}
	if err != nil {
		return err
	}
	if c.Format == "json" {
		return printPlanJSON(os.Stdout, plan)
	}
	printPlan(os.Stdout, plan)
	return nil
}

type keysApplyCmd struct {
	Yes      bool `help:"Do not ask."`
	AboveCap int  `help:"Let so many keys end at once although the policy's cap is lower: exactly as many as the plan says." placeholder:"N"`
}

// Run does what is due.
func (c keysApplyCmd) Run(ctx context.Context, log *slog.Logger) error {
	app, err := keysApp(ctx, log)
	if err != nil {
		return err
	}
	defer app.Close()
	s, err := app.Desk.SweepKeys(ctx, progress("Reading IAM users"))
	if err != nil {
		return err
	}
	work, above := s.Work, false
	if s.Hold != nil {
		if above = c.AboveCap == len(s.Hold.Keys); !above {
			printHold(os.Stdout, *s.Hold)
		}
		for _, k := range s.Hold.Keys {
			if above {
				work = append(work, k.Ref)
			}
		}
	}
	if len(work) == 0 {
		if s.Hold == nil {
			fmt.Println("Nothing is due.")
		}
		return nil
	}
	printDue(os.Stdout, s.Plan, work)
	if !c.Yes && !confirmed(os.Stdin, os.Stdout) {
		return errors.New("nothing was done; say yes, or run it with --yes")
	}
	if above {
		if err := allow(ctx, app, s.Hold.ID); err != nil {
			return err
		}
	}
	return apply(ctx, app, work)
}

// allow lets the held keys end by the word of whoever sits here, which stands
// in the trail.
func allow(ctx context.Context, app *wire.App, hold string) error {
	who := whoever()
	h, _, err := app.Desk.Purge.Budget.Allow(ctx, hold, "terminal:"+who, time.Now())
	if err != nil {
		return err
	}
	return app.Desk.RecordWord(ctx, auth.Actor{Door: "terminal", Source: who}, h)
}

// apply attends to the keys one after another: a fault of one does not keep the
// others waiting.
func apply(ctx context.Context, app *wire.App, work []purge.Ref) error {
	tick := progress("Looking after access keys")
	var failed []error
	for n, ref := range work {
		if err := context.Cause(ctx); err != nil {
			return errors.Join(append(failed, fmt.Errorf("%d of %d keys were looked after; run it again for the rest: %w", n, len(work), err))...)
		}
		if err := app.Desk.AttendKey(ctx, ref); err != nil {
			failed = append(failed, err)
		}
		tick(n+1, len(work))
	}
	fmt.Printf("Looked after: %d, without a fault: %d. What became of each stands on its card and in the trail (`sekisho audit find --key AKIA…`).\n", len(work), len(work)-len(failed))
	return errors.Join(failed...)
}

func keysApp(ctx context.Context, log *slog.Logger) (*wire.App, error) {
	app, err := newApp(ctx, os.Getenv, bot.Doors{}, log, os.Stderr)
	if err != nil {
		return nil, err
	}
	if app.Desk.Purge == nil {
		app.Close()
		return nil, errors.New("the policy has no `keys:` part; `keys: {mode: observe}` is the least")
	}
	return app, nil
}

// progress draws a bar for whoever looks: none where the terminal is a file.
func progress(what string) func(done, total int) {
	if !watched() {
		return func(int, int) {}
	}
	var bar *progressbar.ProgressBar
	return func(done, total int) {
		if bar == nil {
			bar = progressbar.NewOptions(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(what),
				progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
		}
		bar.Set(done)
	}
}

func confirmed(in io.Reader, out io.Writer) bool {
	fmt.Fprint(out, "Go on? [y/N] ")
	line, _ := bufio.NewReader(in).ReadString('\n')
	word := strings.ToLower(strings.TrimSpace(line))
	return word == "y" || word == "yes"
}
