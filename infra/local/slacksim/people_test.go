package slacksim

import (
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/slack-go/slack"
)

func TestTokens(t *testing.T) {
	w, api := open(t, Options{})
	base := slack.OptionAPIURL(w.base + "/api/")
	call := func(token string) error { _, err := slack.New(token, base).AuthTest(); return err }
	wantCode(t, "the bot's token", call("xoxb-test-bot"), "")
	wantCode(t, "no token", call(""), "not_authed")
	wantCode(t, "another token", call("xoxb-other"), "invalid_auth")
	wantCode(t, "the app's token", call("xapp-test-app"), "")
	wantCode(t, "the configuration token", call("xoxe.xoxp-test-config"), "not_allowed_token_type")

	connect := func(token string) error {
		_, _, err := slack.New("xoxb-test-bot", base, slack.OptionAppLevelToken(token)).StartSocketModeContext(t.Context())
		return err
	}
	wantCode(t, "connecting with the app's token", connect("xapp-test-app"), "")
	wantCode(t, "connecting with the bot's token", connect("xoxb-test-bot"), "not_allowed_token_type")
	wantCode(t, "connecting with another token", connect("xapp-other"), "invalid_auth")

	_, err := api.PushView("1.2.3", slack.ModalViewRequest{Type: slack.VTModal})
	wantCode(t, "a method that is not there", err, "unknown_method")
}

func TestWhoAmI(t *testing.T) {
	w, api := open(t, Options{TeamID: "T0TEST"})
	me, err := api.AuthTest()
	if err != nil {
		t.Fatal(err)
	}
	if me.UserID != w.Bot().ID || me.TeamID != "T0TEST" || me.BotID == "" {
		t.Errorf("auth.test says %+v", me)
	}

	// An app-level token is nobody's in the workspace.
	answer, err := http.PostForm(w.base+"/api/auth.test", url.Values{"token": {"xapp-test-app"}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); string(body) != `{"app_id":"A0SEKISHO","app_name":"Sekisho","ok":true}` {
		t.Errorf("auth.test says of the app-level token: %s", body)
	}
}

func TestUsers(t *testing.T) {
	_, api := open(t, Options{Now: newClock().Now})
	hana, err := api.GetUserInfo("U0HANA")
	if err != nil {
		t.Fatal(err)
	}
	if hana.TZ != "Asia/Tokyo" || hana.TZOffset != 9*3600 || hana.Name != "hana" {
		t.Errorf("users.info says %+v", hana)
	}
	_, err = api.GetUserInfo("U0NOBODY")
	wantCode(t, "an unknown user", err, "user_not_found")

	// Four users in pages of one: each exactly once, in order.
	all, err := api.GetUsers(slack.GetUsersOptionLimit(1))
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, u := range all {
		ids = append(ids, u.ID)
	}
	if want := []string{"U0HANA", "U0BEN", "U0GONE", "U0SEKISHO"}; !slices.Equal(ids, want) {
		t.Errorf("users.list gave %v, want %v", ids, want)
	}
	_, err = api.GetUsers(slack.GetUsersOptionCursor("bm9ib2R5"))
	wantCode(t, "a made-up cursor", err, "invalid_cursor")

	members, err := api.GetUserGroupMembers("S0APPROVERS")
	if err != nil || !slices.Equal(members, []string{"U0HANA"}) {
		t.Errorf("the group has %v, %v", members, err)
	}
	_, err = api.GetUserGroupMembers("S0NONE")
	wantCode(t, "an unknown group", err, "no_such_subteam")
}

// TestPeopleFromElsewhere looks up who came by Slack Connect, and guests.
func TestPeopleFromElsewhere(t *testing.T) {
	w := New(Options{Scopes: []string{"users:read", "users:read.email", "chat:write"}, Users: []User{
		{ID: "U0HANA", Name: "hana", Email: "hana@example.com"},
		{ID: "U0PAT", Name: "pat", Team: "T0PARTNER", Stranger: true},
		{ID: "U0GUEST", Name: "guest", Restricted: true, UltraRestricted: true},
	}, Channels: []Channel{{ID: "C0OPS", Name: "ops", Members: []string{"U0PAT"}}}})
	api := serve(t, w)
	get := func(id string) *slack.User {
		u, err := api.GetUserInfo(id)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	if u := get("U0HANA"); u.TeamID != "T0LOCAL" || u.IsStranger || u.IsUltraRestricted || u.Profile.Email != "hana@example.com" {
		t.Errorf("hana is %+v", u)
	}
	if u := get("U0PAT"); u.TeamID != "T0PARTNER" || !u.IsStranger || u.Profile.Email != "" {
		t.Errorf("pat is %+v", u)
	}
	if u := get("U0GUEST"); !u.IsRestricted || !u.IsUltraRestricted {
		t.Errorf("guest is %+v", u)
	}

	// What pat does says where pat is from, too.
	clicks := make(chan slack.InteractionCallback, 1)
	app(t, w, func(_ http.ResponseWriter, r *http.Request) {
		c, _ := slack.InteractionCallbackParse(r)
		clicks <- c
	})
	_, ts, err := api.PostMessage("C0OPS", card())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Click(t.Context(), "U0PAT", "C0OPS", ts, "decide", "approve"); err != nil {
		t.Fatal(err)
	}
	if c := receive(t, clicks); c.User.TeamID != "T0PARTNER" || c.Team.ID != "T0LOCAL" {
		t.Errorf("the app received the user %+v and the team %+v", c.User, c.Team)
	}
}

func TestClosedDirectMessages(t *testing.T) {
	w := New(Options{Users: []User{{ID: "U0HANA", DMBlocked: true}}, Channels: []Channel{{ID: "C0OPS", Members: []string{"U0HANA"}}}})
	api := serve(t, w)
	c, _, _, err := api.OpenConversation(&slack.OpenConversationParameters{Users: []string{"U0HANA"}})
	wantCode(t, "opening", err, "")
	_, _, err = api.PostMessage(c.ID, text("x"))
	wantCode(t, "writing to the channel", err, "messages_tab_disabled")
	_, _, err = api.PostMessage("U0HANA", text("x"))
	wantCode(t, "writing to the person", err, "messages_tab_disabled")
	_, _, err = api.PostMessage("C0OPS", text("x"))
	wantCode(t, "writing to a channel she is in", err, "")
}

func TestGroups(t *testing.T) {
	w, api := open(t, Options{})
	for _, include := range []bool{false, true} {
		groups, err := api.GetUserGroups(slack.GetUserGroupsOptionIncludeUsers(include))
		if err != nil || len(groups) != 1 {
			t.Fatalf("usergroups.list gave %+v, %v", groups, err)
		}
		if g := groups[0]; g.ID != "S0APPROVERS" || g.Handle != "approvers" || g.Name != "Approvers" || slices.Contains(g.Users, "U0HANA") != include {
			t.Errorf("with include_users=%v it gave %+v", include, g)
		}
	}
	if g := w.Groups("U0BEN"); len(g) != 1 || g[0].Handle != "approvers" || !slices.Equal(g[0].Members, []string{"U0HANA"}) {
		t.Errorf("ben sees the groups %+v", g)
	}
	w.FailNext("usergroups.users.list", "plan_upgrade_required", 1)
	_, err := api.GetUserGroupMembers("S0APPROVERS")
	wantCode(t, "on a free plan", err, "plan_upgrade_required")
}

func TestMembers(t *testing.T) {
	_, api := open(t, Options{})
	members := func(channel string) (all []string, pages int, err error) {
		for cursor := ""; ; pages++ {
			some, next, err := api.GetUsersInConversation(&slack.GetUsersInConversationParameters{ChannelID: channel, Cursor: cursor, Limit: 2})
			if all = append(all, some...); err != nil || next == "" {
				return all, pages + 1, err
			}
			cursor = next
		}
	}
	all, pages, err := members("C0OPS")
	if err != nil || pages != 2 || !slices.Equal(all, []string{"U0HANA", "U0BEN", "U0SEKISHO"}) {
		t.Errorf("#ops has %v in %d pages, %v", all, pages, err)
	}
	all, _, err = members("C0NOBOT")
	if err != nil || !slices.Equal(all, []string{"U0HANA"}) {
		t.Errorf("#no-bot has %v, %v", all, err)
	}
	for _, id := range []string{"C0NONE", "C0HIDDEN"} {
		_, _, err := members(id)
		wantCode(t, id, err, "channel_not_found")
	}
	_, _, err = api.GetUsersInConversation(&slack.GetUsersInConversationParameters{ChannelID: "C0OPS", Cursor: "bm9ib2R5"})
	wantCode(t, "a made-up cursor", err, "invalid_cursor")
}

func TestConversations(t *testing.T) {
	w, api := open(t, Options{Scopes: append(manifestScopes(), "channels:join")})
	info := func(id string) (*slack.Channel, error) {
		return api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: id})
	}
	ops, err := info("C0OPS")
	if err != nil || ops.Name != "ops" || !ops.IsMember || ops.IsPrivate {
		t.Errorf("conversations.info says %+v, %v", ops, err)
	}
	_, err = info("C0NONE")
	wantCode(t, "an unknown channel", err, "channel_not_found")
	_, err = info("C0HIDDEN")
	wantCode(t, "a private channel without the bot", err, "channel_not_found")

	open := func(users ...string) (*slack.Channel, bool, error) {
		c, _, already, err := api.OpenConversation(&slack.OpenConversationParameters{Users: users})
		return c, already, err
	}
	first, already, err := open("U0BEN")
	if err != nil || already || first.ID != "D0BEN" {
		t.Errorf("opening gave %+v, %v, %v", first, already, err)
	}
	again, already, err := open("U0BEN")
	if err != nil || !already || again.ID != first.ID {
		t.Errorf("opening again gave %+v, %v, %v", again, already, err)
	}
	_, _, err = open("U0GONE")
	wantCode(t, "opening with somebody deactivated", err, "user_disabled")
	_, _, err = open("U0NOBODY")
	wantCode(t, "opening with nobody", err, "user_not_found")

	var mine []string
	for _, c := range w.Channels("U0BEN") {
		mine = append(mine, c.ID)
	}
	if !slices.Equal(mine, []string{"C0OPS", "D0BEN"}) {
		t.Errorf("ben's sidebar shows %v", mine)
	}

	_, _, err = api.PostMessage("C0NOBOT", slack.MsgOptionText("hello", false))
	wantCode(t, "posting before joining", err, "not_in_channel")
	if _, _, _, err := api.JoinConversation("C0NOBOT"); err != nil {
		t.Fatal(err)
	}
	_, _, err = api.PostMessage("C0NOBOT", slack.MsgOptionText("hello", false))
	wantCode(t, "posting after joining", err, "")
}

func TestNewRefusesContradictions(t *testing.T) {
	for name, o := range map[string]Options{
		"a user given twice":    {Users: []User{{ID: "U1"}, {ID: "U1"}}},
		"a channel given twice": {Channels: []Channel{{ID: "C1"}, {ID: "C1"}}},
		"an unknown member":     {Channels: []Channel{{ID: "C1", Members: []string{"U1"}}}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("New accepted it")
				}
			}()
			New(o)
		})
	}
}
