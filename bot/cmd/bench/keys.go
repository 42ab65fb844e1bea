package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"sekisho/infra/local/awssim"
)

const programPackage = "sekisho/bot/cmd/sekisho"

// accessKeys measures a look at every access key of an account, by the program
// as it is shipped, and what one event of AWS Config costs.
func accessKeys(ctx context.Context, w *workshop) ([]row, error) {
	var rows []row
	for _, users := range []int{50, 500, 5000} {
		r, err := sweepUsers(ctx, w, users)
		if err != nil {
			return rows, err
		}
		rows = append(rows, r)
	}
	r, err := complianceEvent(ctx, w)
	return append(rows, r), err
}

// oldOnes: of so many users one has a key that is too old.
const oldOnes = 20

// sweepUsers has `sekisho keys plan` read an account of so many users with two
// keys each.
func sweepUsers(ctx context.Context, w *workshop, users int) (row, error) {
	program, err := w.release(ctx, programPackage)
	if err != nil {
		return row{}, err
	}
	var calls atomic.Int64
	world, err := newWorldOf(ctx, w, keysPolicy, func(c awssim.Call) {
		if c.Service == "iam" || c.Service == "sts" {
			calls.Add(1)
		}
	})
	if err != nil {
		return row{}, err
	}
	defer world.Close()
	if err := world.addUsers(users); err != nil {
		return row{}, err
	}
	cmd := exec.CommandContext(ctx, program, "keys", "plan", "--format", "json")
	cmd.Env, cmd.Stderr = pairs(world.env), os.Stderr
	begin := time.Now()
	memory, err := runWithPeak(cmd)
	if err != nil {
		return row{}, fmt.Errorf("sekisho keys plan: %w", err)
	}
	took := time.Since(begin)
	each := float64(calls.Load()) / float64(users)
	return row{
		measured: fmt.Sprintf("access keys: %d users with two each are read", users),
		ours:     fmt.Sprintf("%.2f calls each, %s, %.0f MiB", each, took.Round(10*time.Millisecond), memory),
	}.judge(each, reach{atMost: 2, format: "%.0f"}), nil
}

// complianceEvent counts what is asked of AWS from Config's event to the card.
func complianceEvent(ctx context.Context, w *workshop) (row, error) {
	var calls atomic.Int64
	world, err := newWorldOf(ctx, w, keysPolicy, func(c awssim.Call) {
		if c.Service != "sqs" && c.Service != "sts" {
			calls.Add(1)
		}
	})
	if err != nil {
		return row{}, err
	}
	defer world.Close()
	if err := world.addUsers(oldOnes); err != nil {
		return row{}, err
	}
	events := make(chan []byte, 1)
	world.cloud.OnEvent(func(event []byte) { events <- event })
	if err := world.cloud.CheckCompliance(userName(0)); err != nil {
		return row{}, err
	}
	said := world.slack.Load()
	if err := world.app.Bot.Event(ctx, <-events); err != nil {
		return row{}, err
	}
	if world.slack.Load() == said {
		return row{}, fmt.Errorf("the event of %s brought no card", userName(0))
	}
	n := calls.Load()
	return row{measured: "access keys: event → card", ours: fmt.Sprintf("%d AWS", n)}.judge(float64(n), reach{atMost: 4, format: "%.0f"}), nil
}

func userName(n int) string { return fmt.Sprintf("user-%04d", n) }

// addUsers fills the account.
func (w *world) addUsers(users int) error {
	now := time.Now()
	for n := range users {
		old := 30 * 24 * time.Hour
		if n%oldOnes == 0 {
			old = 100 * 24 * time.Hour
		}
		_, err := w.cloud.AddUser(awssim.User{Name: userName(n), Created: now.Add(-400 * 24 * time.Hour), Keys: []awssim.AccessKey{
			{Active: true, Created: now.Add(-old), Used: now.Add(-time.Hour), Service: "s3", Region: "eu-central-1"},
			{Active: true, Created: now.Add(-10 * 24 * time.Hour)},
		}})
		if err != nil {
			return err
		}
	}
	return nil
}

// keysPolicy is the bench's policy with the part about access keys.
func keysPolicy(w *workshop) (path string, err error) {
	path = filepath.Join(w.dir, "sekisho-keys.yml")
	return path, os.WriteFile(path, append(policy[:len(policy):len(policy)], "keys: {mode: enforce}\n"...), 0o600)
}
