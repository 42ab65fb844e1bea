package slacksim

import (
	"fmt"
	"slices"
	"strings"
)

// User is a person, or the bot.
type User struct {
	ID       string // "U0HANA"
	Name     string // "hana", the handle
	RealName string // "Hana Mori"
	Email    string // shown to the app with the scope users:read.email
	TZ       string // IANA name; default "Etc/UTC"
	Color    string // six hex digits without "#"
	Deleted  bool   // deactivated: knows no command, opens no direct message
	IsBot    bool

	Restricted      bool // guest
	UltraRestricted bool // guest of one channel; Restricted too

	Team     string // "T0PARTNER" for somebody here by Slack Connect; default the workspace's
	Stranger bool   // of another team, and in no channel shared with the app

	DMBlocked bool // the app's Messages tab is off: nothing can be written to them
}

// Channel is a public or private channel.
type Channel struct {
	ID        string // "C0OPS"
	Name      string // "ops", without "#"
	Members   []string
	BotAbsent bool // the bot has not been invited
	Private   bool // invisible to those who are not in it
}

// Group is a user group.
type Group struct {
	ID      string // "S0APPROVERS"
	Handle  string // "approvers", without "@"
	Name    string // "Approvers"
	Members []string
}

// room is where messages are written: a channel, or the direct messages of the bot and one person.
type room struct {
	Channel
	im string // the person of a direct message; empty for a channel
}

func (r *room) has(user string) bool { return slices.Contains(r.Members, user) }

// name is the channel's name as payloads carry it.
func (r *room) name() string {
	switch {
	case r.im != "":
		return "directmessage"
	case r.Private:
		return "privategroup"
	default:
		return r.Name
	}
}

func (w *Workspace) settle(users []User, channels []Channel) {
	for _, u := range users {
		if u.ID == "" || w.user(u.ID) != nil {
			panic(fmt.Sprintf("slacksim.New: user id %q is empty or given twice", u.ID))
		}
		setDefault(&u.TZ, "Etc/UTC")
		setDefault(&u.Team, w.opts.TeamID)
		w.users = append(w.users, u)
		if u.IsBot && w.bot.ID == "" {
			w.bot = u
		}
	}
	if w.bot.ID == "" {
		w.bot = User{ID: "U0SEKISHO", Name: "sekisho", RealName: "Sekisho", TZ: "Etc/UTC", Color: "5b4b8a", IsBot: true,
			Team: w.opts.TeamID}
		w.users = append(w.users, w.bot)
	}
	for _, c := range channels {
		if c.ID == "" || w.room(c.ID) != nil {
			panic(fmt.Sprintf("slacksim.New: channel id %q is empty or given twice", c.ID))
		}
		for _, id := range c.Members {
			if w.user(id) == nil {
				panic(fmt.Sprintf("slacksim.New: channel %s has the member %q, who is not a user", c.ID, id))
			}
		}
		c.Members = slices.Clone(c.Members)
		w.rooms = append(w.rooms, &room{Channel: c})
	}
}

// Bot returns the bot's own user.
func (w *Workspace) Bot() User { return w.bot }

// Users returns everybody, the bot included, in the order given to New.
func (w *Workspace) Users() []User {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.users)
}

// Channels returns what viewer has in the sidebar: the channels they are a member of, then their direct messages
// with the bot if any (named "directmessage").
func (w *Workspace) Channels(viewer string) []Channel {
	w.mu.Lock()
	defer w.mu.Unlock()
	var mine []Channel
	for _, r := range w.rooms {
		if r.has(viewer) {
			c := r.Channel
			c.Members = slices.Clone(c.Members)
			mine = append(mine, c)
		}
	}
	return mine
}

// Groups returns the user groups, which everybody sees alike.
func (w *Workspace) Groups(string) []Group {
	var all []Group
	for _, g := range w.opts.Groups {
		g.Members = slices.Clone(g.Members)
		all = append(all, g)
	}
	return all
}

// The functions below expect w.mu to be held.

func (w *Workspace) user(id string) *User {
	for i := range w.users {
		if w.users[i].ID == id {
			return &w.users[i]
		}
	}
	return nil
}

func (w *Workspace) room(id string) *room {
	for _, r := range w.rooms {
		if r.ID == id {
			return r
		}
	}
	return nil
}

// botRoom finds the channel that a method names, as far as the bot may know it exists.
func (w *Workspace) botRoom(id string) (*room, error) {
	r := w.room(id)
	if r == nil || r.Private && r.BotAbsent {
		return nil, fail("channel_not_found")
	}
	return r, nil
}

// memberRoom is botRoom for what only members may do.
func (w *Workspace) memberRoom(id string) (*room, error) {
	r, err := w.botRoom(id)
	if err == nil && r.BotAbsent {
		err = fail("not_in_channel")
	}
	return r, err
}

// openRoom is memberRoom for what everybody there is to see.
func (w *Workspace) openRoom(id string) (*room, error) {
	r, err := w.memberRoom(id)
	if err != nil {
		return nil, err
	}
	if u := w.user(r.im); u != nil && u.DMBlocked {
		return nil, fail("messages_tab_disabled")
	}
	return r, nil
}

// direct opens the direct messages of the bot and a person, and says whether they were open already.
func (w *Workspace) direct(user string) (*room, bool, error) {
	u := w.user(user)
	switch {
	case u == nil:
		return nil, false, fail("user_not_found")
	case u.Deleted:
		return nil, false, fail("user_disabled")
	case u.IsBot:
		return nil, false, fail("cannot_dm_bot")
	}
	for _, r := range w.rooms {
		if r.im == user {
			return r, true, nil
		}
	}
	r := &room{Channel: Channel{ID: "D" + strings.TrimPrefix(user, "U"), Name: "directmessage", Members: []string{user}}, im: user}
	w.rooms = append(w.rooms, r)
	return r, false, nil
}
