package slacksim

import (
	"fmt"
	"slices"
)

// RemoveFromChannel takes somebody, or the bot, out of a channel, as /remove does. The app hears nothing of it: it has not
// subscribed to that event.
func (w *Workspace) RemoveFromChannel(channel, user string) error {
	return w.setMember(channel, user, false)
}

// AddToChannel lets somebody, or the bot, into a channel, as /invite does.
func (w *Workspace) AddToChannel(channel, user string) error {
	return w.setMember(channel, user, true)
}

func (w *Workspace) setMember(channel, user string, in bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.room(channel)
	switch {
	case r == nil || r.im != "":
		return fmt.Errorf("changing who is in %q: it is no channel", channel)
	case w.user(user) == nil:
		return fmt.Errorf("changing who is in %s: %q is not a user", channel, user)
	}
	r.Members = slices.DeleteFunc(r.Members, func(id string) bool { return id == user })
	switch {
	case user == w.bot.ID:
		r.BotAbsent = !in
	case in:
		r.Members = append(r.Members, user)
	}
	w.changed()
	return nil
}
