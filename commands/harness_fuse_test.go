package commands_test

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/auth/report/reporttest"
	"sekisho/commands"
)

var errCrash = errors.New("the process is gone")

// fuse ends a process at its nth effect, before it comes about or right after.
// Nothing that the process would have done then has an effect. Or, where breaks is
// set, what the effect is on breaks, for good, and the process goes on. A nil fuse
// never blows.
type fuse struct {
	mu     sync.Mutex
	left   int // effects until then
	after  bool
	breaks bool
	blown  string // at what
}

// effect is something that others see.
func (f *fuse) effect(on string, do func() error) error {
	if f == nil {
		return do()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left--; f.left == 0 {
		f.blown = on
		if f.after {
			_ = do()
		}
	}
	switch {
	case f.blown != "" && !f.breaks:
		panic(errCrash)
	case f.blown == on && f.left == 0 && f.after:
		return errors.Join(errCrash, report.ErrUnsure)
	case f.blown == on:
		return errCrash
	}
	return do()
}

// survives does something, and says whether the process is alive after it.
func survives(do func() error) (err error, alive bool) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case errCrash:
			err, alive = errCrash, false
		default:
			panic(p)
		}
	}()
	return do(), true
}

type fusedSlack struct {
	*workspace
	*fuse
}

func (f fusedSlack) Post(ctx context.Context, channel, thread, text string, blocks []slack.Block) (ts string, err error) {
	err = f.effect("Slack", func() error { ts, err = f.bot().Post(ctx, channel, thread, text, blocks); return err })
	return ts, err
}

func (f fusedSlack) Direct(ctx context.Context, user, text string, blocks []slack.Block) (channel, ts string, err error) {
	err = f.effect("Slack", func() error {
		channel, ts, err = f.bot().Direct(ctx, user, text, blocks)
		if err == nil {
			f.workspace.note(user, channel)
		}
		return err
	})
	return channel, ts, err
}

func (f fusedSlack) Upload(ctx context.Context, file report.File) (up report.SlackFile, err error) {
	err = f.effect("Slack", func() error { up, err = f.bot().Upload(ctx, file); return err })
	return up, err
}

func (f fusedSlack) Share(ctx context.Context, channel, thread string, files []report.SlackFile) error {
	return f.effect("Slack", func() error { return f.bot().Share(ctx, channel, thread, files) })
}

type fusedStore struct {
	*reporttest.Memory
	*fuse
}

// stores does nothing any more when the time is up, as a store that is far away.
func (f fusedStore) stores(ctx context.Context, do func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return f.effect("the store", do)
}

func (f fusedStore) PutSnapshot(
	ctx context.Context, name string, to time.Time, text []byte, keep int, forHow time.Duration,
) (kept []byte, err error) {
	err = f.stores(ctx, func() error { kept, err = f.Memory.PutSnapshot(ctx, name, to, text, keep, forHow); return err })
	return kept, err
}

func (f fusedStore) Begin(ctx context.Context, delivery, part, worker string, now time.Time) (p report.Progress, err error) {
	err = f.stores(ctx, func() error { p, err = f.Memory.Begin(ctx, delivery, part, worker, now); return err })
	return p, err
}

func (f fusedStore) Finish(ctx context.Context, delivery, part, ref string) error {
	return f.stores(ctx, func() error { return f.Memory.Finish(ctx, delivery, part, ref) })
}

func (f fusedStore) Release(ctx context.Context, delivery, part, worker string) error {
	return f.stores(ctx, func() error { return f.Memory.Release(ctx, delivery, part, worker) })
}

type fusedMail struct {
	*mailbox
	*fuse
}

func (f fusedMail) Send(ctx context.Context, m report.Mail) (id string, err error) {
	err = f.effect("SES", func() error { id, err = f.mailbox.Send(ctx, m); return err })
	return id, err
}

type fusedQueue struct {
	*queue
	*fuse
}

func (f fusedQueue) Send(ctx context.Context, text string, after time.Duration) error {
	return f.effect("the queue", func() error { return f.queue.Send(ctx, text, after) })
}

type fusedFirsts struct {
	commands.Firsts
	*fuse
}

func (f fusedFirsts) First(ctx context.Context, what string, within time.Duration) (first bool, err error) {
	err = f.effect("the store", func() error { first, err = f.Firsts.First(ctx, what, within); return err })
	return first, err
}

type fusedTrail struct {
	auth.Trail
	*fuse
}

func (f fusedTrail) Append(ctx context.Context, entries ...auth.Entry) (linked []auth.Entry, err error) {
	err = f.effect("the store", func() error { linked, err = f.Trail.Append(ctx, entries...); return err })
	return linked, err
}

// together does the same in all offices at once, and waits for all.
func together(offices []*reportOffice, do func(*reportOffice)) {
	var all sync.WaitGroup
	gate := make(chan struct{})
	for _, o := range offices {
		all.Go(func() { <-gate; do(o) })
	}
	close(gate)
	all.Wait()
}
