package purge

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"sekisho/auth"
)

// Purge brings about what the Judge says.
type Purge struct {
	Policy    *auth.Policy // whose Keys is not nil
	WhoAmI    func(context.Context) (Self, error)
	Users     UserReader
	Keys      KeyReader
	Ender     Ender
	Finder    Finder
	Store     Store
	Budget    Budget
	Directory auth.Directory
	Now       func() time.Time
	// Warn takes what went wrong and could be got around.
	Warn func(context.Context, error)

	mu   sync.Mutex
	self Self
}

// Filed is a record with how far it has been told.
type Filed struct {
	Record
	Told auth.Told
}

// Store keeps records. Each method is one atomic step. An error that wraps
// auth.ErrUnavailable is as in auth.PassStore.
type Store interface {
	// Records lists all of them, by key id.
	Records(ctx context.Context) (map[string]Filed, error)
	// Record reads one; the zero Filed where there is none.
	Record(ctx context.Context, id string) (Filed, error)
	// Change stores the record with one more change, if the one that is stored
	// has exactly the version before it (for the first change: if none is
	// stored); else it returns the stored one, and false.
	Change(ctx context.Context, r Record) (now Record, changed bool, err error)

	// TakeTelling gives the right to record and tell about the key for a while
	// (lease). ok is false when there is nothing new. While somebody else has
	// the right it fails with auth.ErrCardHeld.
	TakeTelling(ctx context.Context, id string, now time.Time, lease time.Duration) (f Filed, ok bool, err error)
	// PutTold notes what has been recorded and told, and gives the right back.
	// more says that there is something new meanwhile.
	PutTold(ctx context.Context, id string, t auth.Told) (more bool, err error)
}

// Budget counts the keys that end by themselves, and keeps what waits for
// somebody's word because it would be too many. Each method is one atomic step.
type Budget interface {
	// SetLimit says how many keys may end by themselves within a day.
	SetLimit(ctx context.Context, limit int) error
	// Claim counts the keys against the limit (1 where none was set): all of
	// them, or none and false. One that was counted within a day, or allowed,
	// is free. One that is held is refused, unless the whole account was looked
	// at (whole), whose word then takes the place of the hold's.
	Claim(ctx context.Context, ids []string, whole bool, now time.Time) (bool, error)
	// PutHold stores what waits, for two days, holds its keys for so long, and
	// returns it as it is stored: the older one where its id is known.
	PutHold(ctx context.Context, h Hold) (Hold, error)
	// ToldHold notes that people were asked.
	ToldHold(ctx context.Context, id string) error
	// Allow lets the held keys end beyond the limit within a day. won says that
	// nobody had said so before. A hold that is not known (any more) is a
	// *auth.Refusal with TooLate.
	Allow(ctx context.Context, id, user string, now time.Time) (h Hold, won bool, err error)
}

// judge makes the Judge. Without knowing whose the bot's own credentials are
// there is none: it could end them.
func (p *Purge) judge(ctx context.Context) (Judge, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.self == (Self{}) {
		self, err := p.WhoAmI(ctx)
		if err != nil {
			return Judge{}, fmt.Errorf("asking AWS who the bot itself is: %w", err)
		}
		p.self = self
	}
	return Judge{Policy: p.Policy.Keys, Self: p.self}, nil
}

// Account is the AWS account whose keys are looked after.
func (p *Purge) Account(ctx context.Context) (string, error) {
	j, err := p.judge(ctx)
	return j.Self.Account, err
}

// Owner is the Slack user whose IAM user this is: whom the policy says, or the
// user's own tag. Empty where neither does.
func (p *Purge) Owner(u User) string {
	if who := p.Policy.People.Who(auth.Principal("user/" + u.Name)); who != "" {
		return who
	}
	if tag, _ := auth.UserTag(u.Tags, p.Policy.Keys.OwnerTag); isUserID(tag) {
		return tag
	}
	return ""
}

// NamesOf lists the IAM users that the policy says are this person's.
func (p *Purge) NamesOf(user string) []string {
	var names []string
	for _, principal := range p.Policy.People.Principals[user] {
		if name, ok := strings.CutPrefix(string(principal), "user/"); ok {
			names = append(names, name)
		}
	}
	return names
}

// isUserID says whether the text has the form of a Slack user id: what stands
// in a tag is anybody's text.
func isUserID(text string) bool {
	if len(text) < 3 || len(text) > 20 || text[0] != 'U' && text[0] != 'W' {
		return false
	}
	for _, c := range text {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
