package auth

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Person is what Slack says of one of its users.
type Person struct {
	ID          string
	Name        string // the display name, for terminals
	Email       string // empty where the bot may not see it
	Bot         bool
	Guest       bool // single-channel or multi-channel
	Deactivated bool
	Outside     bool // of another workspace, in a shared (Slack Connect) channel
}

// Decides says whether such a person may decide about anything: a full member
// of the workspace, who is there.
func (p Person) Decides() bool {
	return p.ID != "" && !p.Bot && !p.Guest && !p.Deactivated && !p.Outside
}

// ErrNobody: Slack knows no such user, group or channel (any more), or does
// not show it to the bot.
var ErrNobody = errors.New("no such user, group or channel in Slack")

// ErrNotReachable: this person or channel cannot be written to in that way,
// however often it is tried.
var ErrNotReachable = errors.New("this person or channel cannot be written to")

// ErrBlocks: Slack does not take a message as it is built. In another form it may.
var ErrBlocks = errors.New("a form of message that Slack does not take")

// Directory knows people. An adapter may answer with what it learned within
// about a minute, and with the last good answer while Slack is away.
type Directory interface {
	// Person looks a user up; ErrNobody where there is none.
	Person(ctx context.Context, user string) (Person, error)
	// Members lists the users in a user group (S…) or channel (C…, G…);
	// ErrNobody where there is none.
	Members(ctx context.Context, id string) ([]string, error)
}

// Roster is what one decision needs to know of people.
type Roster struct {
	People map[string]Person
	Groups map[string][]string // user groups and channels, by id
}

// In says whether the list, of ids as the policy has them, names the person.
func (r Roster) In(list []string, user string) bool {
	return slices.ContainsFunc(list, func(id string) bool {
		return id == user || id == Everyone || slices.Contains(r.Groups[id], user)
	})
}

// Decider says whether the list names the person and the person may decide.
func (r Roster) Decider(list []string, user string) bool {
	return r.People[user].Decides() && r.In(list, user)
}

// IsGroup says whether the id is that of a user group or a channel, which has
// members, and not of a user.
func IsGroup(id string) bool {
	return id != "" && strings.Contains("SCG", id[:1])
}

// addGroups looks the groups in the list up. One that Slack does not know (any
// more) has nobody in it.
func (r *Roster) addGroups(ctx context.Context, d Directory, list []string) error {
	for _, id := range list {
		if _, known := r.Groups[id]; known || !IsGroup(id) {
			continue
		}
		members, err := d.Members(ctx, id)
		if err != nil && !errors.Is(err, ErrNobody) {
			return fmt.Errorf("looking up who is in %s: %w", id, err)
		}
		r.Groups[id] = members
	}
	return nil
}

// addPeople looks the users up. Of one whom Slack does not know nothing is
// known, and so they decide nothing.
func (r *Roster) addPeople(ctx context.Context, d Directory, users []string) error {
	for _, user := range users {
		if _, known := r.People[user]; known || user == "" {
			continue
		}
		p, err := d.Person(ctx, user)
		if err != nil && !errors.Is(err, ErrNobody) {
			return fmt.Errorf("looking up who %s is: %w", user, err)
		}
		r.People[user] = p
	}
	return nil
}

// MayDecide looks up whether the list, of users and groups, names the person
// and the person may decide.
func MayDecide(ctx context.Context, d Directory, list []string, user string) (bool, error) {
	who := Roster{People: make(map[string]Person), Groups: make(map[string][]string)}
	if err := who.addGroups(ctx, d, list); err != nil {
		return false, err
	}
	if !who.In(list, user) {
		return false, nil
	}
	err := who.addPeople(ctx, d, []string{user})
	return who.Decider(list, user), err
}
