// Package purge decides how IAM access keys end: each by its own age, people
// warned first, deactivated before it is deleted, never more than a few in a
// day, and never the bot's own.
//
// What has become of a key is its Record, which only grows. A Judge says what
// is to become of it next, from the policy, the record and what IAM says now;
// Purge brings that about, one compare-and-set at a time, so that any number of
// workers can go on from wherever another one stopped.
package purge

import (
	"context"
	"errors"
	"strings"
	"time"
)

// User is an IAM user.
type User struct {
	Name string
	ID   string            // AIDA…: not used again when the name is
	Path string            // begins and ends with a slash
	Tags map[string]string // nil where they were not read
	Keys []Key             // two at most
}

// Key is an access key as IAM shows it.
type Key struct {
	ID      string // AKIA…
	Active  bool
	Created time.Time
	Used    *Use // nil where it was not read
}

// Use is the last use of a key.
type Use struct {
	At      time.Time `json:"at,omitzero"` // zero: it was never used
	Service string    `json:"service,omitempty"`
	Region  string    `json:"region,omitempty"`
}

// key finds one of the user's keys.
func (u User) key(id string) (Key, bool) {
	for _, k := range u.Keys {
		if k.ID == id {
			return k, true
		}
	}
	return Key{}, false
}

// IsKeyID says whether the text looks like the id of an access key:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func IsKeyID(text string) bool { return strings.HasPrefix(text, "AKIA") }

// Self is whom the bot's own AWS credentials belong to.
type Self struct {
	Account string
	UserID  string // AIDA… of an IAM user, else that of a role's session
	KeyID   string // the access key that the bot's calls are signed with
}

// Owns says whether the bot would saw off the branch that it sits on.
func (s Self) Owns(u User, k Key) bool { return u.ID == s.UserID || k.ID == s.KeyID }

// ErrGone: IAM knows no such user or key (any more).
var ErrGone = errors.New("IAM knows no such user or key")

// Denied is a permission that the bot's role lacks.
type Denied struct{ Action string } // such as iam:UpdateAccessKey

func (d *Denied) Error() string { return "AWS does not let the bot call " + d.Action }

// UserReader reads IAM users. Its errors may be a *Denied.
type UserReader interface {
	// Users hands over every user of the account, without tags and keys.
	Users(ctx context.Context, each func(User)) error
	// User reads one with its tags; ErrGone where there is none.
	User(ctx context.Context, name string) (User, error)
}

// KeyReader reads access keys. Its errors may be a *Denied.
type KeyReader interface {
	// Keys lists the keys of a user, without their use; ErrGone where there is
	// no such user.
	Keys(ctx context.Context, user string) ([]Key, error)
	// LastUse says when a key was used last, and the name of its user.
	LastUse(ctx context.Context, id string) (u Use, user string, err error)
}

// Ender changes access keys. Doing again what is done is no error, but for a
// key that is gone: ErrGone. The user is always named: IAM would take its
// caller's own user else. Its errors may be a *Denied.
type Ender interface {
	Deactivate(ctx context.Context, user, id string) error
	Reactivate(ctx context.Context, user, id string) error
	Delete(ctx context.Context, user, id string) error
}

// Finder knows who a user id belongs to.
type Finder interface {
	// Named is the name that AWS Config has for a user's id (AIDA…) in a
	// region. It may be out of date, and is empty where Config does not know.
	Named(ctx context.Context, region, id string) (name string, err error)
}
