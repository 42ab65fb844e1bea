package commands

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
)

// The parts of a delivery.
const (
	partPictures = "pictures"
	partMessage  = "message"
	partThread   = "message for the files"
	partFiles    = "files"
	partMail     = "mail"
	partTrail    = "trail"
	partDoubt    = "doubt about the " // and which part
)

// onceOnly names a part that is begun once: begun and never finished, it may have
// been sent, and is not sent again. The others are seen by nobody, or better seen
// twice than never.
func onceOnly(part string) (what string, ok bool) {
	switch part {
	case partMessage:
		return "its message in Slack", true
	case partThread, partFiles:
		return "its files in Slack", true
	case partMail:
		return "its mail", true
	}
	return "", false
}

const (
	partWithin = 4 * time.Minute // how long a part may take
	partIsOver = 5 * time.Minute // nobody is at it any more
)

// errBegun: another worker is at it.
var errBegun = errors.New("another worker is sending this part")

// sending is one report on its way.
type sending struct {
	desk     *Desk
	policy   auth.ReportPolicy
	report   report.Report
	delivery string
	called   string // what people know it as
	again    string // how they have it sent once more
	// post says something where the report goes.
	post func(ctx context.Context, text string, blocks []slack.Block) (posted, error)
	// tell tells people what became of it.
	tell func(ctx context.Context, text string) error
	sent bool // something was
}

// all sends every part that was not sent yet. One that fails keeps none of the
// others back.
func (s *sending) all(ctx context.Context, by auth.Actor) error {
	pictures, err := s.desk.Reports.Draw(s.report)
	if err != nil { // the numbers are what counts
		s.desk.Log.ErrorContext(ctx, "drawing the report's pictures", "report", s.policy.Name, "error", err)
	}
	var failed []error
	if s.policy.Slack {
		failed = append(failed, s.toSlack(ctx, pictures))
	}
	if s.policy.Mail != nil {
		failed = append(failed, s.toMail(ctx, pictures))
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	_, err = s.part(ctx, partTrail, func(context.Context) (string, error) {
		s.desk.record(ctx, by, auth.Entry{Act: auth.ActReport, Outcome: auth.Done, Reason: s.policy.Name, Note: s.where()})
		return "recorded", nil
	})
	return err
}

// where says for the trail where the report went, and for which period.
func (s *sending) where() string {
	p := s.report.Period
	text := p.From.Format(time.RFC3339) + " to " + p.To.Format(time.RFC3339)
	if s.policy.Slack {
		text += "; Slack " + s.desk.Policy.Channels.Reports
	}
	if m := s.policy.Mail; m != nil {
		text += "; mail to " + strings.Join(m.To, ", ")
	}
	return text
}

// part does one part, once, and gives what it is known by; empty where it is
// not known whether it was done. What was certainly not done is given back, to
// be done later.
func (s *sending) part(ctx context.Context, name string, do func(context.Context) (ref string, err error)) (string, error) {
	d, store := s.desk, s.desk.Reports.Deliveries
	_, once := onceOnly(name)
	p, err := s.begin(ctx, name, once)
	switch {
	case err != nil:
		return "", fmt.Errorf("beginning to send a report's %s: %w", name, err)
	case p.Done:
		return p.Ref, nil
	case !p.Mine && d.Now().Sub(p.At) < partIsOver:
		return "", errBegun
	case !p.Mine:
		return "", s.unsure(ctx, name)
	}
	within, cancel := context.WithTimeoutCause(ctx, partWithin, fmt.Errorf("the report's %s took longer than %v", name, partWithin))
	defer cancel()
	ref, err := do(within)
	after, cancel := detached(ctx) // the part is done or not, whatever becomes of ctx
	defer cancel()
	switch {
	case err == nil:
		s.sent = s.sent || once
		err = store.Finish(after, s.delivery, name, ref)
	case once && errors.Is(err, report.ErrUnsure):
		d.Log.ErrorContext(ctx, "a part of a report may have been sent", "report", s.delivery, "part", name, "error", err)
		return "", s.unsure(ctx, name)
	default:
		err = errors.Join(err, store.Release(after, s.delivery, name))
	}
	return ref, err
}

// begin claims a part. One that is not for once only is taken over from a worker
// that is gone.
func (s *sending) begin(ctx context.Context, name string, once bool) (report.Progress, error) {
	store, worker, now := s.desk.Reports.Deliveries, uuid.NewString(), s.desk.Now()
	p, err := store.Begin(ctx, s.delivery, name, worker, now)
	if err != nil || once || p.Mine || p.Done || now.Sub(p.At) < partIsOver {
		return p, err
	}
	if err := store.Release(ctx, s.delivery, name); err != nil {
		return p, err
	}
	return store.Begin(ctx, s.delivery, name, worker, now)
}

// unsure tells people that a part may be missing, and that it is not sent again.
func (s *sending) unsure(ctx context.Context, name string) error {
	_, err := s.part(ctx, partDoubt+name, func(ctx context.Context) (string, error) {
		what, _ := onceOnly(name)
		return "told", s.tell(ctx, fmt.Sprintf(
			":grey_question: *%s: %s may not have arrived.* I was stopped while sending it, and do not send it twice. If it is missing: %s.",
			s.called, what, s.again))
	})
	if err != nil {
		return err
	}
	return s.desk.Reports.Deliveries.Finish(ctx, s.delivery, name, "")
}

// files are the data: the CSV, and the whole as JSON.
func (s *sending) files() ([]report.File, error) {
	var table bytes.Buffer
	if err := s.desk.Reports.CSV(&table, s.report); err != nil {
		return nil, fmt.Errorf("writing the report's CSV: %w", err)
	}
	whole, err := s.report.Encode()
	if err != nil {
		return nil, err
	}
	stem := "sekisho-" + strings.TrimPrefix(s.policy.Name+"-", "-") + s.report.Period.To.Format("2006-01-02")
	return []report.File{
		{Name: stem + ".csv", Title: "The report as a table (CSV)", Type: "text/csv; charset=utf-8", Content: table.Bytes()},
		{Name: stem + ".json", Title: "The whole report as JSON", Type: "application/json", Content: whole},
	}, nil
}

// toMail sends the mail. Why SES does not take one is told to people, and it is
// not tried again.
func (s *sending) toMail(ctx context.Context, pictures []report.File) error {
	_, err := s.part(ctx, partMail, func(ctx context.Context) (string, error) {
		m, err := s.mail(pictures)
		if err != nil {
			return "", err
		}
		id, err := s.desk.Reports.Mailer.Send(ctx, m)
		var refused *report.MailRefusal
		if errors.As(err, &refused) {
			return "refused", s.mailRefused(ctx, refused)
		}
		return id, err
	})
	return err
}

func (s *sending) mail(pictures []report.File) (report.Mail, error) {
	var text, html bytes.Buffer
	if err := errors.Join(s.desk.Reports.Text(&text, s.report), s.desk.Reports.HTML(&html, s.report, pictures)); err != nil {
		return report.Mail{}, fmt.Errorf("writing the report's mail: %w", err)
	}
	files, err := s.files()
	if err != nil {
		return report.Mail{}, err
	}
	to := s.policy.Mail
	return report.Mail{
		From: to.From, To: to.To, ConfigurationSet: to.ConfigurationSet, Subject: s.desk.Reports.Title(s.report),
		Text: text.String(), HTML: html.String(), Inline: pictures, Attached: files,
	}, nil
}

func (s *sending) mailRefused(ctx context.Context, r *report.MailRefusal) error {
	s.desk.Log.ErrorContext(ctx, "SES does not take the report's mail", "report", s.policy.Name, "error", r)
	return s.tell(ctx, fmt.Sprintf(":incoming_envelope: *%s: its mail was not sent.* SES says: %s.\n*Next:* %s. Then: %s.",
		s.called, quoted(r.Why, 500), escaped(r.Next, 800), s.again))
}

// toSlack posts the message, and shows the files in its thread.
func (s *sending) toSlack(ctx context.Context, pictures []report.File) error {
	images, err := s.uploaded(ctx, pictures)
	if err != nil {
		return err
	}
	p, err := s.message(ctx, partMessage, func(ctx context.Context) (posted, error) { return s.inAForm(ctx, images) })
	if err == nil && p.Channel == "" {
		p, err = s.stand(ctx)
	}
	if err != nil || p.Channel == "" {
		return err
	}
	_, err = s.part(ctx, partFiles, func(ctx context.Context) (string, error) { return "shared", s.share(ctx, p, pictures) })
	return err
}

// posted is where a report's message stands.
type posted struct {
	Channel  string `json:"channel"`
	TS       string `json:"ts"`
	Pictures bool   `json:"pictures"` // the message shows them
}

// message is a part that is a message, and where it stands; nowhere where that is
// not known.
func (s *sending) message(ctx context.Context, name string, say func(context.Context) (posted, error)) (p posted, err error) {
	ref, err := s.part(ctx, name, func(ctx context.Context) (string, error) {
		p, err := say(ctx)
		if err != nil {
			return "", err
		}
		text, err := json.Marshal(p)
		return string(text), err
	})
	if err == nil && ref != "" {
		err = json.Unmarshal([]byte(ref), &p)
	}
	return p, err
}

// stand is a thread for the files, where it is not known whether the message
// was posted.
func (s *sending) stand(ctx context.Context) (posted, error) {
	m := say(s.called + ": its data is in this thread.")
	return s.message(ctx, partThread, func(ctx context.Context) (posted, error) { return s.post(ctx, m.Text, m.Blocks) })
}

// uploaded hands the pictures to Slack, for the message to show.
func (s *sending) uploaded(ctx context.Context, pictures []report.File) ([]SlackFile, error) {
	ref, err := s.part(ctx, partPictures, func(ctx context.Context) (string, error) {
		images, err := s.upload(ctx, pictures)
		if err == nil && len(images) > 0 {
			err = s.desk.Files.Share(ctx, "", "", images)
		}
		if err != nil { // the thread gets them instead
			s.desk.Log.WarnContext(ctx, "uploading the report's pictures", "report", s.policy.Name, "error", err)
			images = nil
		}
		text, err := json.Marshal(images)
		return string(text), err
	})
	var images []SlackFile
	if err == nil && ref != "" {
		err = json.Unmarshal([]byte(ref), &images)
	}
	return images, err
}

func (s *sending) upload(ctx context.Context, files []report.File) ([]SlackFile, error) {
	var all []SlackFile
	for _, f := range files {
		up, err := s.desk.Files.Upload(ctx, f)
		if err != nil {
			return nil, err
		}
		all = append(all, up)
	}
	return all, nil
}

// share shows the data below the message, and the pictures where the message
// does not.
func (s *sending) share(ctx context.Context, p posted, pictures []report.File) error {
	files, err := s.files()
	if err != nil {
		return err
	}
	if !p.Pictures {
		files = append(append([]report.File{}, pictures...), files...)
	}
	up, err := s.upload(ctx, files)
	if err != nil {
		return err
	}
	err = s.desk.Files.Share(ctx, p.Channel, p.TS, up)
	if errors.Is(err, auth.ErrNotReachable) { // trying again is no use
		s.desk.Log.ErrorContext(ctx, "a thread takes no files", "channel", p.Channel, "error", err)
		return s.tell(ctx, fmt.Sprintf(":wrench: *%s: its files could not be put below its message.* Slack says: %s.", s.called, quoted(err.Error(), 500)))
	}
	return err
}
