package slacksim

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"
)

// refused is one call of the Web API and the scopes in its missing_scope, or "" for another end.
func refused(err error) (needed, provided string) {
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok && answer.Err == "missing_scope" {
		return answer.Needed, answer.Provided
	}
	return "", ""
}

func TestEachMethodDemandsItsScope(t *testing.T) {
	w, api := open(t, Options{Scopes: []string{}})
	const anyRead = "channels:read,groups:read,mpim:read,im:read"
	ctx := t.Context()
	for method, c := range map[string]struct {
		needed string
		call   func() error
	}{
		"chat.postMessage":             {"chat:write", func() error { _, _, err := api.PostMessage("C0OPS", text("x")); return err }},
		"chat.postEphemeral":           {"chat:write", func() error { _, err := api.PostEphemeral("C0OPS", "U0HANA", text("x")); return err }},
		"chat.update":                  {"chat:write", func() error { _, _, _, err := api.UpdateMessage("C0OPS", "1.1", text("x")); return err }},
		"chat.delete":                  {"chat:write", func() error { _, _, err := api.DeleteMessage("C0OPS", "1.1"); return err }},
		"conversations.open":           {"im:write", func() error { _, _, _, err := api.OpenConversation(with("U0BEN")); return err }},
		"conversations.join":           {"channels:join", func() error { _, _, _, err := api.JoinConversation("C0NOBOT"); return err }},
		"conversations.info":           {anyRead, func() error { return info(api, "C0OPS") }},
		"conversations.members":        {anyRead, func() error { return members(api, "C0OPS") }},
		"usergroups.list":              {"usergroups:read", func() error { _, err := api.GetUserGroups(); return err }},
		"usergroups.users.list":        {"usergroups:read", func() error { _, err := api.GetUserGroupMembers("S0APPROVERS"); return err }},
		"users.info":                   {"users:read", func() error { _, err := api.GetUserInfo("U0HANA"); return err }},
		"users.list":                   {"users:read", func() error { _, err := api.GetUsers(); return err }},
		"files.getUploadURLExternal":   {"files:write", func() error { _, err := api.GetUploadURLExternalContext(ctx, announced()); return err }},
		"files.completeUploadExternal": {"files:write", func() error { _, err := api.CompleteUploadExternalContext(ctx, completed()); return err }},
	} {
		w.SetScopes("app_mentions:read", "dnd:read")
		if needed, provided := refused(c.call()); needed != c.needed || provided != "app_mentions:read,dnd:read" {
			t.Errorf("%s without its scope: needed %q, provided %q", method, needed, provided)
		}
		w.SetScopes(strings.Split(c.needed, ",")...)
		if needed, _ := refused(c.call()); needed != "" {
			t.Errorf("%s with its scope needs %s", method, needed)
		}
		if last := w.Calls()[len(w.Calls())-1]; last.Method != method {
			t.Errorf("the call for %s was one of %s", method, last.Method)
		}
	}

	w.SetScopes()
	_, err := api.AuthTest()
	wantCode(t, "auth.test without a scope", err, "")
	_, err = api.OpenViewContext(ctx, "none", slack.ModalViewRequest{})
	if needed, _ := refused(err); needed != "" {
		t.Errorf("views.open needs %s", needed)
	}
}

func with(user string) *slack.OpenConversationParameters {
	return &slack.OpenConversationParameters{Users: []string{user}}
}

func announced() slack.GetUploadURLExternalParameters {
	return slack.GetUploadURLExternalParameters{FileName: "keys.csv", FileSize: 1}
}

func completed() slack.CompleteUploadExternalParameters {
	return slack.CompleteUploadExternalParameters{Files: []slack.FileSummary{{ID: "F0NONE"}}}
}

func info(api *slack.Client, id string) error {
	_, err := api.GetConversationInfo(&slack.GetConversationInfoInput{ChannelID: id})
	return err
}

func members(api *slack.Client, id string) error {
	_, _, err := api.GetUsersInConversation(&slack.GetUsersInConversationParameters{ChannelID: id})
	return err
}

// TestAConversationDemandsTheScopeOfItsKind: a public channel, a private one and direct messages are read with three scopes.
func TestAConversationDemandsTheScopeOfItsKind(t *testing.T) {
	w, api := open(t, Options{})
	im, _, _, err := api.OpenConversation(with("U0BEN"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{"channels:read": "C0OPS", "groups:read": "C0SECRET", "im:read": im.ID}
	for has := range kinds {
		w.SetScopes(has)
		for needs, id := range kinds {
			want := needs
			if has == needs {
				want = ""
			}
			for _, read := range []func(*slack.Client, string) error{info, members} {
				if needed, _ := refused(read(api, id)); needed != want {
					t.Errorf("with %s, %s needs %q, want %q", has, id, needed, want)
				}
			}
		}
	}
	w.SetScopes("channels:read")
	wantCode(t, "a private channel without the bot", info(api, "C0HIDDEN"), "channel_not_found")
}

func TestAddressesNeedAScopeOfTheirOwn(t *testing.T) {
	w := New(Options{Users: []User{{ID: "U0HANA", Email: "hana@example.com"}}})
	api := serve(t, w)
	for _, c := range []struct {
		scopes []string
		want   string
	}{{manifestScopes(), ""}, {[]string{"users:read", "users:read.email"}, "hana@example.com"}} {
		w.SetScopes(c.scopes...)
		if u, err := api.GetUserInfo("U0HANA"); err != nil || u.Profile.Email != c.want {
			t.Errorf("with %v: %+v, %v", c.scopes, u, err)
		}
	}
}

// TestAnswersTellTheScopes: to the bot token, whatever the answer; to no other.
func TestAnswersTellTheScopes(t *testing.T) {
	w, _ := open(t, Options{Scopes: []string{"chat:write", "users:read"}})
	ask := func(method, token string) http.Header {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.base+"/api/"+method, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.Header
	}
	for method, accepted := range map[string]string{
		"auth.test": "", "no.such": "", "users.info": "users:read", "files.getUploadURLExternal": "files:write",
	} {
		h := ask(method, w.opts.BotToken)
		if h.Get("X-OAuth-Scopes") != "chat:write,users:read" || h.Get("X-Accepted-OAuth-Scopes") != accepted {
			t.Errorf("%s answers with %v", method, h)
		}
	}
	for _, token := range []string{w.opts.AppToken, "xoxb-test-other", ""} {
		if h := ask("auth.test", token); h.Values("X-OAuth-Scopes") != nil {
			t.Errorf("%q was told the bot's scopes: %v", token, h)
		}
	}
	w.SetScopes("chat:write")
	got := ask("auth.test", w.opts.BotToken).Get("X-OAuth-Scopes")
	if got != "chat:write" || !slices.Equal(w.Scopes(), []string{"chat:write"}) {
		t.Errorf("after SetScopes the bot may %q, %v", got, w.Scopes())
	}
}
