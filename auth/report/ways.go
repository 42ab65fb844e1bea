package report

import (
	"context"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// TrailReader reads the trail.
type TrailReader interface {
	// Since hands over the entries that were written from about that time on (a
	// little earlier, never later), in their order, until each returns an error.
	// What was tampered with is an error that wraps auth.ErrTampered, after the
	// good entries before it.
	Since(ctx context.Context, from time.Time, each func(auth.Entry) error) error
}

// CredentialReader reads IAM's credential report.
type CredentialReader interface {
	// Credentials has a report made where there is none, and waits for it. Its
	// error may be a *purge.Denied.
	Credentials(ctx context.Context) (Credentials, error)
}

// Credentials is IAM's credential report:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
type Credentials struct {
	Made  time.Time
	Lacks []string // documented columns that it does not have, or with a value that cannot be read: what they say is unknown
	Rows  []Credential
}

// Credential is one row of it. A time is zero where the report says that there
// was none, or does not say.
type Credential struct {
	User         string // <root_account> for root
	Created      time.Time
	Password     bool // enabled; for root, of whom the report does not say it: true
	PasswordUsed time.Time
	PasswordSet  time.Time
	MFA          bool
	Keys         [2]CredentialKey
}

// RootUser is the name that the credential report gives to root.
const RootUser = "<root_account>"

// CredentialKey is one of a user's two access keys.
type CredentialKey struct {
	Active  bool
	Rotated time.Time // made, or set active again; zero: there is none
	Used    time.Time
}

// KeyReader reads and judges all access keys, as purge.Purge does.
type KeyReader interface {
	Read(ctx context.Context, progress func(done, total int)) (purge.Plan, error)
}

// Snapshots keeps reports for the comparison with the next. Each method is one
// atomic step; an error that wraps auth.ErrUnavailable is as in auth.PassStore.
type Snapshots interface {
	// PutSnapshot keeps the text as the report of this name up to that time,
	// unless there is one, for so long; and of the name not more than keep. It
	// returns the one that is kept.
	PutSnapshot(ctx context.Context, name string, to time.Time, text []byte, keep int, forHow time.Duration) (kept []byte, err error)
	// Snapshot is the newest of the name from before that time, with the end of
	// its period; nil where there is none.
	Snapshot(ctx context.Context, name string, before time.Time) (text []byte, to time.Time, err error)
}

// Deliveries remembers which parts of a report were sent. Each method is one
// atomic step; an error that wraps auth.ErrUnavailable is as in auth.PassStore.
type Deliveries interface {
	// Begin claims a part. It is the caller's where Mine; else somebody else
	// began it, or has finished it. The same worker that begins again because an
	// answer was lost finds it its own.
	Begin(ctx context.Context, delivery, part, worker string, now time.Time) (Progress, error)
	// Finish notes that a part was sent, with what it is known by.
	Finish(ctx context.Context, delivery, part, ref string) error
	// Release gives a part back that this worker began and certainly did not send,
	// to be begun again. A part that is another's by now stays as it is.
	Release(ctx context.Context, delivery, part, worker string) error
}

// Progress is how far a part is.
type Progress struct {
	Mine bool      // begun just now, by the caller
	By   string    // the worker who began it
	At   time.Time // when it was begun
	Done bool
	Ref  string // of Finish
}
