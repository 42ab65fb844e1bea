package auth

import (
	"fmt"
	"strings"
	"time"
)

// KeyPolicy says how IAM access keys end. What it leads to is decided in
// package purge.
type KeyPolicy struct {
	Mode     Mode
	MaxAge   time.Duration   // from a key's creation to its deactivation
	Grace    time.Duration   // inactive, before it is deleted; 0 deletes at MaxAge
	FirstRun FirstRun        // of keys that are too old when they are first seen
	Warn     []time.Duration // before the deactivation, the longest first; none: no warning
	Unused   time.Duration   // a key unused for so long ends as well; 0: there is no such rule
	Cap      KeyCap
	Exempt   []KeyExemption
	Decide   []string // Slack ids of users and user groups: who may press the buttons
	OwnerTag string   // key of the IAM user's tag that holds its owner's Slack user id
}

// FirstRun is what becomes of a key that is too old before anybody was warned.
type FirstRun string

const (
	Gentle FirstRun = "gentle"  // it gets the full warning
	AtOnce FirstRun = "at_once" // it ends now
)

// KeyCap bounds how many keys the bot ends by itself within a day: whichever of
// the two is fewer, but always one.
type KeyCap struct {
	Keys  int
	Share int // percent of the account's keys
}

// Of is how many keys that is in an account with so many.
func (c KeyCap) Of(total int) int { return max(1, min(c.Keys, total*c.Share/100)) }

// KeyExemption takes users out of the purge. What is empty matches everything;
// what is there must match all together.
type KeyExemption struct {
	User     string // a pattern of the user's name, such as break-glass*
	Path     string // begins the user's path, such as /service/
	TagKey   string // a tag that the user has …
	TagValue string // … with a value of this pattern
}

// Covers says whether the exemption is for the user. IAM names are told apart
// without regard to case: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
func (e KeyExemption) Covers(name, path string, tags map[string]string) bool {
	if e.User != "" && !Like(strings.ToLower(e.User), strings.ToLower(name)) || !strings.HasPrefix(path, e.Path) {
		return false
	}
	if e.TagKey == "" {
		return true
	}
	value, ok := UserTag(tags, e.TagKey)
	return ok && Like(e.TagValue, value)
}

// UserTag finds a tag of an IAM user, whose keys are told apart without regard
// to case: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
func UserTag(tags map[string]string, key string) (value string, ok bool) {
	for k, v := range tags {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// String is the exemption as the policy writes it.
func (e KeyExemption) String() string {
	var parts []string
	if e.User != "" {
		parts = append(parts, "user: "+e.User)
	}
	if e.Path != "" {
		parts = append(parts, "path: "+e.Path)
	}
	if e.TagKey != "" {
		parts = append(parts, fmt.Sprintf("tag: %s=%s", e.TagKey, e.TagValue))
	}
	return strings.Join(parts, ", ")
}

// Observing says that nothing is changed in IAM.
func (p *KeyPolicy) Observing() bool { return p.Mode != Enforce }

// Lead is the longest warning.
func (p *KeyPolicy) Lead() time.Duration {
	if len(p.Warn) == 0 {
		return 0
	}
	return p.Warn[0]
}

// DefaultKeys is a purge with everything that the operator may leave unsaid.
func DefaultKeys() KeyPolicy {
	const day = 24 * time.Hour
	return KeyPolicy{
		Mode: Observe, MaxAge: 90 * day, Grace: 10 * day, FirstRun: Gentle,
		Warn: []time.Duration{14 * day, 7 * day, day},
		Cap:  KeyCap{Keys: 10, Share: 20}, OwnerTag: "sekisho-owner",
	}
}
