package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"sekisho/auth"
	"sekisho/bot"
)

type sweepCmd struct{}

// Run sweeps once and prints what it found.
func (sweepCmd) Run(ctx context.Context, log *slog.Logger) error {
	app, err := newApp(ctx, os.Getenv, bot.Doors{}, log, os.Stderr)
	if err != nil {
		return err
	}
	defer app.Close()
	sum, err := app.Desk.SweepOnce(ctx)
	fmt.Printf("%d guarded instances, %d of them up\n", sum.Looked, sum.Running)
	for _, o := range sum.Outcomes {
		fmt.Printf("  %s (%s): %s\n", o.Instance.ID, o.Instance.Name(), o.Start)
	}
	for _, id := range sum.Untagged {
		fmt.Printf("  %s: %s\n", id, untagged(app.Desk.Policy.Gate.Mode))
	}
	return err
}

func untagged(m auth.Mode) string {
	if m == auth.Enforce {
		return "stale tag removed"
	}
	return "has a stale tag, which would have been removed"
}
