package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

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

// result is what became of a part: what it is known by, or a doubt whether it
// was sent.
type result struct {
	ref   string
	doubt bool
}

// part does one part, once.
func (s *sending) part(ctx context.Context, name string, do func(context.Context) (ref string, err error)) (result, error) {
	_, once := onceOnly(name)
	p, err := s.begin(ctx, name, once)
	switch {
	case err != nil:
		return result{}, fmt.Errorf("beginning to send a report's %s: %w", name, err)
	case p.Done: // a doubt is kept as a part that is known by nothing
		return result{p.Ref, once && p.Ref == ""}, nil
	case p.Mine:
		return s.try(ctx, name, p.By, do)
	case s.desk.Now().Sub(p.At) < partIsOver:
		return result{}, errBegun
	}
	return result{doubt: true}, s.unsure(ctx, name)
}

// begin claims a part. One that is not for once only is taken over from a worker
// that is gone.
func (s *sending) begin(ctx context.Context, name string, once bool) (report.Progress, error) {
	store, worker, now := s.desk.Reports.Deliveries, uuid.NewString(), s.desk.Now()
	p, err := store.Begin(ctx, s.delivery, name, worker, now)
	if err != nil || once || p.Mine || p.Done || now.Sub(p.At) < partIsOver {
		return p, err
	}
	if err := store.Release(ctx, s.delivery, name, p.By); err != nil {
		return p, err
	}
	return store.Begin(ctx, s.delivery, name, worker, now)
}

// try does the part that is ours. What was certainly not done is given back, to
// be done later.
func (s *sending) try(ctx context.Context, name, worker string, do func(context.Context) (ref string, err error)) (result, error) {
	d := s.desk
	_, once := onceOnly(name)
	within, cancel := context.WithTimeoutCause(ctx, partWithin, fmt.Errorf("the report's %s took longer than %v", name, partWithin))
	defer cancel()
	ref, err := do(within)
	after, cancel := detached(ctx) // the part is done or not, whatever becomes of ctx
	defer cancel()
	switch {
	case err == nil:
		s.sent.New = s.sent.New || once
		return result{ref: ref}, d.Reports.Deliveries.Finish(after, s.delivery, name, ref)
	case once && errors.Is(err, report.ErrUnsure):
		d.Log.ErrorContext(ctx, "a part of a report may have been sent", "report", s.delivery, "part", name, "error", err)
		return result{doubt: true}, s.unsure(ctx, name)
	}
	return result{}, errors.Join(err, d.Reports.Deliveries.Release(after, s.delivery, name, worker))
}

// unsure tells people that a part may be missing, and that it is not sent again.
func (s *sending) unsure(ctx context.Context, name string) error {
	_, err := s.part(ctx, partDoubt+name, func(ctx context.Context) (string, error) {
		what, _ := onceOnly(name)
		return "told", s.tell(ctx, fmt.Sprintf(
			":grey_question: *%s: %s may not have arrived.* I was stopped while sending it, or was not told whether it was taken, and do not send it twice. If it is missing: %s.",
			s.called, what, s.again))
	})
	if err != nil {
		return err
	}
	return s.desk.Reports.Deliveries.Finish(ctx, s.delivery, name, "")
}
