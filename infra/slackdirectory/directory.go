// Package slackdirectory knows the people of a Slack workspace: who somebody
// is, and who is in a user group or channel.
package slackdirectory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/sync/singleflight"

	"sekisho/auth"
)

// Of a channel's members: that many are hardly a list of approvers.
// https://docs.slack.dev/reference/methods/conversations.members
const (
	mostMembers = 5000
	pageMembers = 500
)

// Directory is auth's, by Slack's Web API. It is safe for concurrent use.
type Directory struct {
	api     func() *slack.Client
	people  *memory[auth.Person]
	members *memory[[]string]
	own     atomic.Pointer[home]
	asking  singleflight.Group // for own
}

// slackbot is no bot in Slack's eyes (is_bot is false).
const slackbot = "USLACKBOT"

// home is where the bot belongs. The enterprise is empty outside Enterprise Grid.
type home struct {
	team, enterprise string
}

// New makes a Directory. api gives the client of now: its token may change while
// the bot runs. The log hears when an old answer stands in for Slack.
func New(api func() *slack.Client, log *slog.Logger, now func() time.Time) *Directory {
	d := &Directory{api: api}
	d.people = newMemory(d.askPerson, log, now)
	d.members = newMemory(d.askMembers, log, now)
	return d
}

// Person looks a user up. Errors other than auth.ErrNobody say what Slack
// refused and, where somebody can help, how.
func (d *Directory) Person(ctx context.Context, user string) (auth.Person, error) {
	return d.people.recall(ctx, user)
}

// Members lists the users in a user group (S…) or channel (C…, G…). A channel
// with more than 5,000 is an error.
func (d *Directory) Members(ctx context.Context, id string) ([]string, error) {
	if !auth.IsGroup(id) {
		return nil, fmt.Errorf("%q is the id of no user group (S…) and no channel (C…): %w", id, auth.ErrNobody)
	}
	members, err := d.members.recall(ctx, id)
	return slices.Clone(members), err // what is remembered is nobody else's to change
}

func (d *Directory) askPerson(ctx context.Context, id string) (auth.Person, error) {
	u, err := d.api().GetUserInfoContext(ctx, id)
	if err != nil {
		return auth.Person{}, explain("users.info", err)
	}
	if u.ID == "" {
		return auth.Person{}, errors.New("users.info: Slack's answer names nobody")
	}
	h, err := d.home(ctx)
	if err != nil {
		return auth.Person{}, err
	}
	return auth.Person{
		ID:          u.ID,
		Name:        cmp.Or(u.Profile.DisplayName, u.RealName, u.Name),
		Email:       u.Profile.Email,
		Bot:         u.IsBot || u.IsWorkflowBot || u.IsConnectorBot || u.ID == slackbot,
		Guest:       u.IsRestricted || u.IsUltraRestricted,
		Deactivated: u.Deleted,
		Outside:     u.IsStranger || !h.houses(u),
	}, nil
}

// houses says whether the user is of the bot's workspace, or of another one in
// the same enterprise. On Enterprise Grid a team_id may be the enterprise's.
func (h home) houses(u *slack.User) bool {
	if u.TeamID == h.team {
		return true
	}
	return h.enterprise != "" && (u.Enterprise.EnterpriseID == h.enterprise || u.TeamID == h.enterprise)
}

// home asks where the bot belongs until it knows: a token never moves.
func (d *Directory) home(ctx context.Context) (home, error) {
	if h := d.own.Load(); h != nil {
		return *h, nil
	}
	_, err, _ := d.asking.Do("", func() (any, error) {
		answer, err := d.api().AuthTestContext(ctx)
		if err != nil {
			return nil, explain("auth.test", err)
		}
		if answer.TeamID == "" {
			return nil, errors.New("auth.test: Slack's answer names no workspace")
		}
		d.own.Store(&home{answer.TeamID, answer.EnterpriseID})
		return nil, nil
	})
	if err != nil {
		return home{}, err
	}
	return *d.own.Load(), nil
}

func (d *Directory) askMembers(ctx context.Context, id string) ([]string, error) {
	if id[0] == 'S' {
		members, err := d.api().GetUserGroupMembersContext(ctx, id)
		return members, explain("usergroups.users.list", err)
	}
	var members []string
	page := &slack.GetUsersInConversationParameters{ChannelID: id, Limit: pageMembers}
	for {
		some, next, err := d.api().GetUsersInConversationContext(ctx, page)
		if err != nil {
			return nil, explain("conversations.members", err)
		}
		if members = append(members, some...); len(members) > mostMembers {
			return nil, &refusal{fmt.Errorf("%s has more than %d members: name a smaller channel, or users, in the policy",
				id, mostMembers)}
		}
		if next == "" {
			return members, nil
		}
		page.Cursor = next
	}
}
