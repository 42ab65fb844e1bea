package slacksim

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The methods that look up people, groups and channels, and how their answers show them.

func authTest(w *Workspace, _ args) (result, error) {
	return result{
		"url": "https://" + teamDomain + ".slack.com/", "team": teamDomain, "team_id": w.opts.TeamID,
		"user": w.bot.Name, "user_id": w.bot.ID, "bot_id": botID, "is_enterprise_install": false,
	}, nil
}

func usersInfo(w *Workspace, a args) (result, error) {
	u := w.user(a["user"])
	if u == nil {
		return nil, fail("user_not_found")
	}
	return result{"user": w.wireUser(u)}, nil
}

// usersPageMax is the largest page, and the one taken when none is asked for.
// https://docs.slack.dev/reference/methods/users.list
const usersPageMax = 1000

func usersList(w *Workspace, a args) (result, error) {
	limit := usersPageMax
	if a["limit"] != "" {
		n, err := strconv.Atoi(a["limit"])
		if err != nil || n < 0 || n > usersPageMax {
			return nil, fail("invalid_limit")
		}
		if n > 0 {
			limit = n
		}
	}
	start := 0
	if a["cursor"] != "" {
		id, err := base64.StdEncoding.DecodeString(a["cursor"])
		start = slices.IndexFunc(w.users, func(u User) bool { return "user:"+u.ID == string(id) })
		if err != nil || start < 0 {
			return nil, fail("invalid_cursor")
		}
	}
	end := min(start+limit, len(w.users))
	members := []any{}
	for i := start; i < end; i++ {
		members = append(members, w.wireUser(&w.users[i]))
	}
	next := ""
	if end < len(w.users) {
		next = base64.StdEncoding.EncodeToString([]byte("user:" + w.users[end].ID))
	}
	return result{"members": members, "response_metadata": map[string]any{"next_cursor": next}}, nil
}

func usergroupsUsersList(w *Workspace, a args) (result, error) {
	for _, g := range w.opts.Groups {
		if g.ID == a["usergroup"] {
			return result{"users": append([]string{}, g.Members...)}, nil
		}
	}
	return nil, fail("no_such_subteam")
}

func conversationsInfo(w *Workspace, a args) (result, error) {
	r, err := w.botRoom(a["channel"])
	if err != nil {
		return nil, err
	}
	return result{"channel": w.wireRoom(r)}, nil
}

// conversationsJoin lets the bot into a public channel.
func conversationsJoin(w *Workspace, a args) (result, error) {
	r, err := w.botRoom(a["channel"])
	if err != nil {
		return nil, err
	}
	if r.im != "" || r.Private {
		return nil, fail("method_not_supported_for_channel_type")
	}
	out := result{}
	if !r.BotAbsent {
		out["warning"] = "already_in_channel"
		out["response_metadata"] = map[string]any{"warnings": []string{"already_in_channel"}}
	}
	r.BotAbsent = false
	out["channel"] = w.wireRoom(r)
	return out, nil
}

// conversationsOpen opens direct messages with one person. Conversations of several are not part of this workspace.
func conversationsOpen(w *Workspace, a args) (result, error) {
	users := strings.Split(a["users"], ",")
	switch {
	case a["users"] == "":
		return nil, fail("users_list_not_supplied")
	case len(users) > 1:
		return nil, fail("invalid_arguments", "[ERROR] this workspace opens direct messages with one user only [json-pointer:/users]")
	}
	r, open, err := w.direct(users[0])
	if err != nil {
		return nil, err
	}
	channel := map[string]any{"id": r.ID}
	if a["return_im"] == "true" {
		channel = w.wireRoom(r)
	}
	return result{"channel": channel, "no_op": open, "already_open": open}, nil
}

func (w *Workspace) wireUser(u *User) map[string]any {
	label, offset := "Coordinated Universal Time", 0
	if zone, err := time.LoadLocation(u.TZ); err == nil {
		label, offset = w.opts.Now().In(zone).Zone()
	}
	return map[string]any{
		"id": u.ID, "team_id": w.opts.TeamID, "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted,
		"color": u.Color, "tz": u.TZ, "tz_label": label, "tz_offset": offset,
		"is_bot": u.IsBot, "is_restricted": u.Restricted, "is_ultra_restricted": false,
		"profile": map[string]any{"real_name": u.RealName, "display_name": u.Name, "team": w.opts.TeamID},
	}
}

func (w *Workspace) wireRoom(r *room) map[string]any {
	if r.im != "" {
		return map[string]any{"id": r.ID, "is_im": true, "user": r.im, "is_archived": false, "is_open": true}
	}
	members := len(r.Members)
	if !r.BotAbsent {
		members++
	}
	return map[string]any{
		"id": r.ID, "name": r.Name, "is_channel": !r.Private, "is_group": r.Private, "is_im": false,
		"is_private": r.Private, "is_archived": false, "is_member": !r.BotAbsent, "num_members": members,
	}
}
