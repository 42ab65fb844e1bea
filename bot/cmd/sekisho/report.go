package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/google/uuid"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/bot"
	"sekisho/bot/cmd/wire"
	"sekisho/commands"
	"sekisho/commands/paper"
)

type reportCmd struct {
	Make reportMakeCmd `cmd:"" default:"withargs" help:"Print a report, or send one of the policy's."`
	Diff reportDiffCmd `cmd:"" help:"Say what changed between two reports in JSON."`
}

type reportMakeCmd struct {
	Since  string   `help:"From when on: a time such as 2026-01-31, or how long ago, such as 7d." default:"7d"`
	Only   []string `help:"Only these parts: starts, keys, users." enum:"starts,keys,users"`
	Format string   `help:"text, json, csv or html." enum:"text,json,csv,html" default:"text"`
	Name   string   `help:"Which of the policy's reports: to compare with, or to send. The first where none is named." placeholder:"NAME"`
	Send   bool     `help:"Send the policy's report into Slack and by mail, unless the one for this time was sent."`
	Again  bool     `help:"With --send: send the newest report once more, to all it goes to."`
}

// Run prints or sends.
func (c reportMakeCmd) Run(ctx context.Context, log *slog.Logger) error {
	if c.Again && !c.Send {
		return errors.New("--again goes with --send")
	}
	app, err := newApp(ctx, os.Getenv, bot.Doors{}, log, os.Stderr)
	if err != nil {
		return err
	}
	defer app.Close()
	p, ok := app.Desk.Policy.FirstReport()
	if c.Name != "" {
		p, ok = app.Desk.Policy.Report(c.Name)
	}
	switch {
	case c.Name != "" && !ok, c.Send && !ok:
		return fmt.Errorf("the policy has no report %q: its `reports:` part names them", c.Name)
	case c.Send:
		return send(ctx, app.Desk, p, c.Again)
	}
	return c.print(ctx, app, p)
}

// print makes a report for this terminal. Nothing of it is kept.
func (c reportMakeCmd) print(ctx context.Context, app *wire.App, p auth.ReportPolicy) error {
	now := time.Now().UTC().Truncate(time.Second)
	since, err := commands.ReadSince(c.Since, now)
	if err == nil && !since.Before(now) {
		err = errors.New("it must be before now")
	}
	if err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	order := report.Order{CIS: p.CIS, Period: report.Period{From: since, To: now}}
	if order.CIS == "" {
		order.CIS = auth.DefaultReport().CIS
	}
	for _, s := range c.Only {
		order.Only = append(order.Only, report.Section(s))
	}
	before, err := app.Desk.ReportBefore(ctx, p.Name, since.Add(time.Second))
	if err != nil {
		return err
	}
	tell, done := reading()
	r, err := app.Desk.Reports.Maker.Make(ctx, order, before, tell)
	done()
	if err != nil {
		return err
	}
	return write(os.Stdout, app.Desk.Reports, r, c.Format)
}

// reading says what is being read, to whoever looks.
func reading() (tell func(string), done func()) {
	if !watched() {
		return func(string) {}, func() {}
	}
	return func(what string) { fmt.Fprintf(os.Stderr, "\r\x1b[KReading %s…", what) }, func() { fmt.Fprint(os.Stderr, "\r\x1b[K") }
}

func write(w io.Writer, to *commands.Reports, r report.Report, format string) error {
	switch format {
	case "csv":
		return to.CSV(w, r)
	case "html":
		return to.HTML(w, r, nil)
	case "json":
		text, err := r.Encode()
		if err == nil {
			_, err = w.Write(text)
		}
		return err
	}
	return to.Text(w, r)
}

// send sends the report for the time that has come to its end, which is the one
// that a schedule has sent already if it has.
func send(ctx context.Context, d *commands.Desk, p auth.ReportPolicy, again bool) error {
	who := whoever()
	to, err := d.LastReport(ctx, p.Name)
	if err != nil {
		return err
	}
	t := commands.ReportTask{Name: p.Name, To: to, AsItIs: true}
	now := d.Now().UTC().Truncate(time.Second)
	switch {
	case again && to.IsZero():
		return fmt.Errorf("no report %q was made yet: without --again the first one is", p.Name)
	case again:
		t.Again = uuid.NewString()
	case now.Sub(to) >= p.Every:
		t.To = now
	}
	sent, err := d.SendReport(ctx, auth.Actor{User: "terminal:" + who, Door: "terminal", Source: who}, t)
	if err != nil {
		return err
	}
	before := ""
	if !sent.New {
		before = " was sent before; --again sends it once more"
	}
	fmt.Printf("The report %s up to %s%s: %s.\n", p.Name, t.To.Format(time.RFC3339), before, strings.Join(sent.Where, "; "))
	if sent.Amiss {
		return errors.New("not everything went where it should")
	}
	return nil
}

type reportDiffCmd struct {
	Before string `arg:"" help:"The earlier report (JSON)." type:"existingfile"`
	After  string `arg:"" help:"The later report (JSON)." type:"existingfile"`
	Format string `help:"text or json." enum:"text,json" default:"text"`
}

// Run prints what changed.
func (c reportDiffCmd) Run() error {
	before, err := readReport(c.Before)
	if err != nil {
		return err
	}
	after, err := readReport(c.After)
	if err != nil {
		return err
	}
	if !before.Period.To.Before(after.Period.To) {
		return fmt.Errorf("%s ends at %s and %s at %s: the earlier report comes first", c.Before, before.Period.To.Format(time.RFC3339), c.After, after.Period.To.Format(time.RFC3339))
	}
	after.Changes = report.Diff(before, *after)
	if c.Format == "json" {
		e := json.NewEncoder(os.Stdout)
		e.SetIndent("", "  ")
		return e.Encode(after.Changes)
	}
	return paper.Changes(os.Stdout, *after)
}

func readReport(path string) (*report.Report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r, err := report.Decode(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}
