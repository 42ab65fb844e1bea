package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
)

// wanted is what somebody asks to be reported.
type wanted struct {
	Only  []report.Section `json:"only,omitempty"` // all where it is empty
	Since time.Time        `json:"since"`
}

// readWanted reads what stands behind `/sekisho report`. A report reaches back as
// far as the trail is kept.
func readWanted(text string, now time.Time, keep time.Duration) (w wanted, wrong string) {
	w.Since = now.AddDate(0, 0, -7)
	for _, one := range strings.Fields(strings.ToLower(text)) {
		if s := report.Section(one); slices.Contains(report.Sections(), s) {
			w.Only = append(w.Only, s)
			continue
		}
		since, err := ReadSince(strings.ToUpper(one), now)
		if err != nil {
			since, err = ReadSince(one, now)
		}
		switch {
		case err != nil:
			return w, fmt.Sprintf("%s is neither a part of a report (`starts`, `keys`, `users`) nor a time (`7d`, `12h`, `2026-01-31`).", quoted(one, nameMost))
		case !since.Before(now) || now.Sub(since) > keep:
			return w, fmt.Sprintf("A report begins before now and up to %d days ago, which is as long as the trail is kept; %s does not.", int(keep/(24*time.Hour)), quoted(one, nameMost))
		}
		w.Since = since
	}
	return w, ""
}

// askReport answers `/sekisho report`. The report itself is a direct message:
// it says who has no MFA.
func askReport(ctx context.Context, d *Desk, r Request) (Message, error) {
	if len(d.Policy.Reports) == 0 {
		return say("There are no reports here: Sekisho's policy has no `reports:` part."), nil
	}
	if d.Queue == nil {
		return say("Reports take too long to be made while you wait, and no work queue is configured (`SEKISHO_QUEUE_URL`). `sekisho report` at a terminal prints one."), nil
	}
	w, wrong := readWanted(r.Text, d.Now(), d.Policy.Trail.Keep)
	if wrong != "" {
		return say(wrong + " Ask for instance `/sekisho report`, or `/sekisho report keys 30d`."), nil
	}
	err := d.mayRead(ctx, r.User)
	d.outcome(ctx, r.actor(), auth.Entry{Act: auth.ActReportAsk, Note: r.Text}, err)
	if err != nil {
		return Message{}, err
	}
	if first, err := d.Firsts.First(ctx, "a report for "+r.User, askAgain); err != nil || !first {
		return say(fmt.Sprintf("You asked for a report less than %s ago, and it is on its way. Ask again a little later.", span(askAgain))), err
	}
	reply, err := d.Passes.Pepper.Seal(d.Passes.Random, reportReply+r.User+" "+r.ResponseURL)
	if err != nil {
		return Message{}, err
	}
	if err := d.later(ctx, taskReportFor, reportForTask{ID: r.ID, Reply: reply, Wanted: w, To: d.Now().UTC().Truncate(time.Second)}, 0); err != nil {
		return Message{}, err
	}
	return say(":hourglass_flowing_sand: Working on your report. It comes as a direct message from me; what takes long is said here."), nil
}

// askAgain is how often one person may ask: each report reads all of IAM's users.
const askAgain = time.Minute

// mayRead is a refusal for those who may not ask for a report.
func (d *Desk) mayRead(ctx context.Context, user string) error {
	var all []string
	if d.Policy.Keys != nil {
		all = append(all, d.Policy.Keys.Decide...)
	}
	for _, p := range d.Policy.Reports {
		all = append(all, p.Ask...)
	}
	may, err := auth.MayDecide(ctx, d.Directory, all, user)
	if err == nil && !may {
		err = &auth.Refusal{Reason: auth.NoReader}
	}
	return err
}

// reportForTask makes a report for somebody. Who that is and where the answer
// goes is sealed: nobody who can write to the queue has one sent to themselves.
type reportForTask struct {
	ID     string    `json:"id"` // of the request
	Reply  string    `json:"reply"`
	Wanted wanted    `json:"wanted"`
	To     time.Time `json:"to"`
	Try    int       `json:"try"`
}

const reportReply = "report for "

// reportFor makes and sends what somebody asked for.
func reportFor(ctx context.Context, d *Desk, e Event) error {
	t, err := read[reportForTask](e)
	if err != nil {
		return err
	}
	user, url, err := d.openReply(reportReply, t.Reply)
	if err != nil {
		return fmt.Errorf("the reply in event %q: %w", e.ID, err)
	}
	if d.Reports == nil {
		d.answer(ctx, url, say(":wrench: The program that reads the work queue makes no reports, so yours does not come. Tell those who run Sekisho; `sekisho report` at a terminal prints one."))
		return errNoReports
	}
	err = d.reportTo(ctx, t, user, url)
	if err == nil {
		return nil
	}
	m, fault := Sorry(err)
	if fault {
		d.Log.ErrorContext(ctx, "reporting to somebody", "user", user, "try", t.Try, "error", err)
		m = say(":warning: I could not finish your report, and it has been logged. What there is of it stands in your direct messages with me. Ask again in some minutes; if it stays so, tell those who run Sekisho.")
	}
	after, cancel := detached(ctx)
	defer cancel()
	if t.Try++; fault && t.Try < 5 && d.Queue != nil {
		return d.later(after, taskReportFor, t, max(pauseBefore(t.Try), waitFor(err)))
	}
	d.answer(after, url, m) // whoever waits asks again
	return nil
}

// waitFor is how long to leave alone what another worker may be at.
func waitFor(err error) time.Duration {
	if errors.Is(err, errBegun) {
		return partIsOver
	}
	return 0
}

func (d *Desk) reportTo(ctx context.Context, t reportForTask, user, url string) error {
	if err := d.mayRead(ctx, user); err != nil { // who may is looked up again: it is later
		return err
	}
	first, _ := d.Policy.FirstReport()
	r, err := d.askedReport(ctx, first, t, url)
	if err != nil {
		return err
	}
	pictures, err := d.Reports.Draw(r)
	if err != nil {
		d.Log.ErrorContext(ctx, "drawing a report's pictures", "error", err)
	}
	told := false
	answer := say(":white_check_mark: Your report is in your direct messages with me, its files in the thread.")
	s := &sending{
		desk: d, policy: auth.ReportPolicy{Tables: first.Tables}, report: r, delivery: t.delivery(),
		called: "Your report", again: "ask for it again",
		post: func(ctx context.Context, text string, blocks []slack.Block) (posted, error) {
			channel, ts, err := d.Private.Direct(ctx, user, text, blocks)
			return posted{Channel: channel, TS: ts}, err
		},
		tell: func(_ context.Context, text string) error { answer, told = say(text), true; return nil },
	}
	err = s.toSlack(ctx, pictures)
	switch {
	case errors.Is(err, auth.ErrNotReachable): // without files, but not without an answer
		text, blocks := reportCard(d.Reports.Title(r), r, form{tables: auth.TextTable, bare: true})
		answer = Message{Text: text, Blocks: blocks}
	case err != nil:
		return err
	case s.sent.Amiss && !told: // it was told at an earlier try, perhaps to nobody
		answer = say(fmt.Sprintf(":warning: Not all of your report arrived: %s. Ask for it again.", Clean(strings.Join(s.sent.Where, "; "), 500)))
	}
	d.answer(ctx, url, answer)
	return nil
}

func (t reportForTask) delivery() string { return "asked " + t.ID }

// askedReport is what somebody asked for, as it was made at the first try.
func (d *Desk) askedReport(ctx context.Context, first auth.ReportPolicy, t reportForTask, url string) (report.Report, error) {
	kept, _, err := d.Reports.Snapshots.Snapshot(ctx, t.delivery(), t.To.Add(time.Second))
	if err == nil && kept == nil {
		kept, err = d.makeAsked(ctx, first, t, url)
	}
	if err != nil {
		return report.Report{}, err
	}
	r, err := report.Decode(kept)
	if err != nil {
		return report.Report{}, err
	}
	return *r, nil
}

func (d *Desk) makeAsked(ctx context.Context, first auth.ReportPolicy, t reportForTask, url string) ([]byte, error) {
	before, err := d.ReportBefore(ctx, first.Name, t.Wanted.Since.Add(time.Second))
	if err != nil {
		return nil, err
	}
	order := report.Order{CIS: first.CIS, Only: t.Wanted.Only, Period: report.Period{From: t.Wanted.Since, To: t.To}}
	progress := func(string) {}
	if t.Try == 0 { // Slack takes five answers, over all tries
		progress = d.reading(ctx, url)
	}
	r, err := d.Reports.Maker.Make(ctx, order, before, progress)
	if err != nil {
		return nil, err
	}
	return d.keep(ctx, t.delivery(), r, 1, time.Hour)
}

// reading tells somebody who waits what is being read, three times at most.
func (d *Desk) reading(ctx context.Context, url string) func(what string) {
	now := d.everySoOften()
	return func(what string) {
		if now() {
			d.answer(ctx, url, say(":hourglass_flowing_sand: Reading "+what+"…"))
		}
	}
}
