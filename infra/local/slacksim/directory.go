package slacksim

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The methods that look up people, groups and channels, and how their answers show them.

// authTest says whose token it is: the bot's, or, of an app-level token, the app's.
// https://docs.slack.dev/reference/methods/auth.test
func authTest(w *Workspace, a args) (result, error) {
	if a["token"] == w.opts.AppToken {
		return result{"app_id": appID, "app_name": appName}, nil
	}
	return result{
		"url": "https://" + teamDomain + ".slack.com/", "team": teamDomain, "team_id": w.opts.TeamID,
		"user": w.bot.Name, "user_id": w.bot.ID, "bot_id": botID, "is_enterprise_install": false,
	}, nil
}

// botsInfo knows the app's own bot alone.
// https://docs.slack.dev/reference/methods/bots.info
func botsInfo(w *Workspace, a args) (result, error) {
	if a["bot"] != botID {
		return nil, fail("bot_not_found")
	}
	return result{"bot": map[string]any{"id": botID, "app_id": appID, "user_id": w.bot.ID, "name": w.bot.Name, "deleted": false}}, nil
}

func usersInfo(w *Workspace, a args) (result, error) {
	u := w.user(a["user"])
	if u == nil {
		return nil, fail("user_not_found")
	}
	return result{"user": w.wireUser(u)}, nil
}

const (
	// usersPageMax is the largest page of people, and the one that users.list takes when none is asked for.
	// https://docs.slack.dev/reference/methods/users.list
	usersPageMax = 1000

	// membersPage is what conversations.members takes when none is asked for.
	// https://docs.slack.dev/reference/methods/conversations.members
	membersPage = 100
)

func usersList(w *Workspace, a args) (result, error) {
	var ids []string
	for _, u := range w.users {
		ids = append(ids, u.ID)
	}
	ids, next, err := page(a, ids, usersPageMax)
	if err != nil {
		return nil, err
	}
	members := []any{}
	for _, id := range ids {
		members = append(members, w.wireUser(w.user(id)))
	}
	return result{"members": members, "response_metadata": next}, nil
}

// page cuts the part of ids that a call asks for with limit and cursor, of perPage when it names no limit, and returns the
// response_metadata that leads to the next.
// https://docs.slack.dev/apis/web-api/pagination
func page(a args, ids []string, perPage int) ([]string, map[string]any, error) {
	if a["limit"] != "" {
		n, err := strconv.Atoi(a["limit"])
		if err != nil || n < 0 || n > usersPageMax {
			return nil, nil, fail("invalid_limit")
		}
		if n > 0 {
			perPage = n
		}
	}
	start := 0
	if a["cursor"] != "" {
		first, err := base64.StdEncoding.DecodeString(a["cursor"])
		start = slices.IndexFunc(ids, func(id string) bool { return "user:"+id == string(first) })
		if err != nil || start < 0 {
			return nil, nil, fail("invalid_cursor")
		}
	}
	end, next := min(start+perPage, len(ids)), ""
	if end < len(ids) {
		next = base64.StdEncoding.EncodeToString([]byte("user:" + ids[end]))
	}
	return ids[start:end], map[string]any{"next_cursor": next}, nil
}

func usergroupsUsersList(w *Workspace, a args) (result, error) {
	for _, g := range w.opts.Groups {
		if g.ID == a["usergroup"] {
			return result{"users": append([]string{}, g.Members...)}, nil
		}
	}
	return nil, fail("no_such_subteam")
}

// usergroupsList shows the members only when include_users asks for them.
// https://docs.slack.dev/reference/methods/usergroups.list
func usergroupsList(w *Workspace, a args) (result, error) {
	groups := []any{}
	for _, g := range w.opts.Groups {
		out := map[string]any{
			"id": g.ID, "team_id": w.opts.TeamID, "is_usergroup": true, "name": g.Name, "handle": g.Handle,
			"description": "", "is_external": false,
		}
		if a["include_users"] == "true" {
			out["users"] = append([]string{}, g.Members...)
		}
		groups = append(groups, out)
	}
	return result{"usergroups": groups}, nil
}

// conversationsMembers lists who is in a channel, the bot included.
func conversationsMembers(w *Workspace, a args) (result, error) {
	r, err := w.readableRoom(a["channel"])
	if err != nil {
		return nil, err
	}
	ids := slices.Clone(r.Members)
	if !r.BotAbsent && !r.has(w.bot.ID) {
		ids = append(ids, w.bot.ID)
	}
	ids, next, err := page(a, ids, membersPage)
	if err != nil {
		return nil, err
	}
	return result{"members": append([]string{}, ids...), "response_metadata": next}, nil
}

func conversationsInfo(w *Workspace, a args) (result, error) {
	r, err := w.readableRoom(a["channel"])
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
	profile := map[string]any{"real_name": u.RealName, "display_name": u.Name, "team": u.Team}
	if u.Email != "" && w.may(scopeEmail) {
		profile["email"] = u.Email
	}
	out := map[string]any{
		"id": u.ID, "team_id": u.Team, "name": u.Name, "real_name": u.RealName, "deleted": u.Deleted,
		"color": u.Color, "tz": u.TZ, "tz_label": label, "tz_offset": offset,
		"is_bot": u.IsBot, "is_restricted": u.Restricted, "is_ultra_restricted": u.UltraRestricted,
		"profile": profile,
	}
	if u.Stranger {
		out["is_stranger"] = true // absent for everybody else; https://docs.slack.dev/reference/objects/user-object
	}
	return out
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
