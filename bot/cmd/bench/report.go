package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/auth"
	"sekisho/bot/cmd/wire/reports"
	"sekisho/commands"
	"sekisho/infra/local/awssim"
)

// accountReports measures a report that is made and sent into Slack and by mail,
// by the program as it is shipped, as the account grows.
func accountReports(ctx context.Context, w *workshop) ([]row, error) {
	var rows []row
	for _, size := range []struct{ users, entries int }{{50, 1_000}, {500, 10_000}, {5_000, 100_000}} {
		some, err := reportOn(ctx, w, size.users, size.entries)
		if rows = append(rows, some...); err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// reportOn sends one report from this process, to count what is asked of
// others, and the next from one of its own, whose memory is measured.
func reportOn(ctx context.Context, w *workshop, users, entries int) ([]row, error) {
	program, err := w.release(ctx, programPackage)
	if err != nil {
		return nil, err
	}
	var mails atomic.Int64
	world, err := newWorldOf(ctx, w, reportPolicy, func(c awssim.Call) {
		if c.Action == "SendEmail" {
			mails.Add(1)
		}
	})
	if err != nil {
		return nil, err
	}
	defer world.Close()
	world.cloud.VerifyIdentity("example.com")
	if err := errors.Join(world.addUsers(users), world.addEntries(ctx, entries)); err != nil {
		return nil, err
	}
	trips, slack, err := world.sendReport(ctx)
	if err != nil {
		return nil, err
	}
	mails.Store(0)
	cmd := exec.CommandContext(ctx, program, "report", "--send")
	cmd.Env = pairs(world.env)
	cmd.Env = append(cmd.Env, "SEKISHO_CONFIG="+filepath.Join(w.dir, "sekisho-report-other.yml"))
	begin := time.Now()
	memory, err := runWithPeak(cmd)
	if err != nil {
		return nil, fmt.Errorf("sekisho report --send: %w", err)
	}
	took := time.Since(begin)
	if mails.Load() != 1 {
		return nil, fmt.Errorf("%d mails were sent, not one", mails.Load())
	}
	return []row{
		row{
			measured: fmt.Sprintf("report: %d users, %d entries, made and sent", users, entries),
			ours:     fmt.Sprintf("%s, %.0f MiB", took.Round(10*time.Millisecond), memory),
		}.judge(memory, reach{atMost: 150, format: "%.0f MiB"}),
		{measured: "  it asks of others", ours: fmt.Sprintf("%d Redis, %d Slack, %d SES", trips, slack, mails.Load())},
	}, nil
}

// sendReport sends the policy's report, and counts.
func (w *world) sendReport(ctx context.Context) (redis, slack int, err error) {
	d := w.app.Desk
	reports.Add(w.app, func(string) aws.Config { return cloudConfig(w.env, w.env["AWS_ENDPOINT_URL"]) })
	d.Reports.Snapshots, d.Reports.Deliveries, d.Reports.Maker.Trail = w.store.Reports(), w.store.Reports(), w.store.Trail(d.Passes.Pepper)
	before := w.count()
	_, err = d.SendReport(ctx, auth.Actor{Door: "terminal"}, commands.ReportTask{Name: "weekly", To: time.Now().UTC().Truncate(time.Second)})
	after := w.count()
	return after.redis - before.redis, after.slack - before.slack, err
}

// addEntries fills the trail with the last week's starts and requests.
func (w *world) addEntries(ctx context.Context, n int) error {
	const batch = 256
	begin := time.Now().Add(-7 * 24 * time.Hour)
	var entries []auth.Entry
	for i := range n {
		e := someEntry()
		e.Time = begin.Add(time.Duration(i) * 7 * 24 * time.Hour / time.Duration(n))
		switch i % 4 {
		case 0:
			e.Act = auth.ActRequest
		case 2:
			e.Act, e.Instance, e.Note = auth.ActStart, fmt.Sprintf("i-%017x", i%500), fmt.Sprintf("launched %d", i)
		case 3:
			e.Act, e.Outcome, e.Reason, e.Note = auth.ActStart, auth.Refused, string(auth.NoTag), fmt.Sprintf("launched %d", i)
		}
		e.Request = fmt.Sprintf("i-00000000000000001/%022d", i/4)
		if entries = append(entries, e); len(entries) == batch || i == n-1 {
			if _, err := w.app.Trail.Append(ctx, entries...); err != nil {
				return err
			}
			entries = entries[:0]
		}
	}
	return nil
}

// reportPolicy is the bench's policy with the part about reports. Another file
// has them under another name, as if nothing had been sent yet.
func reportPolicy(w *workshop) (path string, err error) {
	text := func(name string) []byte {
		return append(policy[:len(policy):len(policy)], `keys: {mode: enforce}
reports:
  - name: `+name+`
    every: 7d
    slack: true
    mail: {from: bot@example.com, to: [security@example.com]}
`...)
	}
	path = filepath.Join(w.dir, "sekisho-report.yml")
	return path, errors.Join(os.WriteFile(path, text("weekly"), 0o600),
		os.WriteFile(filepath.Join(w.dir, "sekisho-report-other.yml"), text("other"), 0o600))
}
