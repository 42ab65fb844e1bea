package slackdirectory_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/infra/slackdirectory"
)

var _ auth.Directory = (*slackdirectory.Directory)(nil)

func TestPerson(t *testing.T) {
	hana := auth.Person{ID: "U1", Name: "Hana"}
	with := func(change func(*auth.Person)) auth.Person {
		p := hana
		change(&p)
		return p
	}
	guest := with(func(p *auth.Person) { p.Guest = true })
	bot := with(func(p *auth.Person) { p.Bot = true })
	outside := with(func(p *auth.Person) { p.Outside = true })
	named := func(name string) auth.Person { return with(func(p *auth.Person) { p.Name = name }) }
	addressed := with(func(p *auth.Person) { p.Email = "hana@example.com" })
	gone := with(func(p *auth.Person) { p.Deactivated = true })
	slackbot := with(func(p *auth.Person) { p.ID, p.Bot = "USLACKBOT", true })
	const grid = `{"ok":true,"team_id":"T1","enterprise_id":"E1"}`
	for name, c := range map[string]struct {
		home, user string
		want       auth.Person
	}{
		"a member":                               {"", ``, hana},
		"with an address":                        {"", `,"profile":{"display_name":"Hana","email":"hana@example.com"}`, addressed},
		"no display name":                        {"", `,"real_name":"Hana H","profile":{"display_name":""}`, named("Hana H")},
		"no name but that":                       {"", `,"profile":{"display_name":""}`, named("hana")},
		"many channels":                          {"", `,"is_restricted":true`, guest},
		"a single channel":                       {"", `,"is_ultra_restricted":true`, guest},
		"deactivated":                            {"", `,"deleted":true`, gone},
		"a bot":                                  {"", `,"is_bot":true`, bot},
		"a workflow":                             {"", `,"is_workflow_bot":true`, bot},
		"slackbot":                               {"", `,"id":"USLACKBOT"`, slackbot},
		"a stranger":                             {"", `,"is_stranger":true`, outside},
		"another workspace":                      {"", `,"team_id":"T2"`, outside},
		"no workspace":                           {"", `,"team_id":""`, outside},
		"another's enterprise, the bot in none":  {"", `,"team_id":"T2","enterprise_user":{"enterprise_id":"E2"}`, outside},
		"another workspace, the same enterprise": {grid, `,"team_id":"T2","enterprise_user":{"enterprise_id":"E1"}`, hana},
		"of the enterprise as a whole":           {grid, `,"team_id":"E1"`, hana},
		"another enterprise":                     {grid, `,"team_id":"T2","enterprise_user":{"enterprise_id":"E2"}`, outside},
		"a stranger of the same enterprise":      {grid, `,"team_id":"T2","is_stranger":true,"enterprise_user":{"enterprise_id":"E1"}`, outside},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
				f.answer("users.info", user(c.user))
				if c.home != "" {
					f.answer("auth.test", says(c.home))
				}
				if p, err := d.Person(t.Context(), "U1"); err != nil || p != c.want {
					t.Errorf("got %+v, %v; want %+v", p, err, c.want)
				}
			})
		})
	}
}

func TestTheBotsOwnWorkspaceIsAskedOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
		f.answer("auth.test", breaks(http.StatusBadGateway))
		if p, err := d.Person(t.Context(), "U1"); err == nil || p.Decides() {
			t.Errorf("got %+v, %v; want an error while the bot does not know where it belongs", p, err)
		}
		f.answer("auth.test", says(`{"ok":true}`))
		if p, err := d.Person(t.Context(), "U1"); err == nil || p.Decides() {
			t.Errorf("got %+v, %v; want an error", p, err)
		}
		f.answer("auth.test", says(`{"ok":true,"team_id":"T1"}`))
		for _, id := range []string{"U1", "U2", "U3"} {
			if _, err := d.Person(t.Context(), id); err != nil {
				t.Error(err)
			}
		}
		if n := f.count("auth.test", ""); n != 3 {
			t.Errorf("auth.test was called %d times, want 3", n)
		}
	})
}

func TestMembers(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
		f.answer("conversations.members", func(form url.Values) (*http.Response, error) {
			switch form.Get("cursor") {
			case "":
				return says(`{"ok":true,"members":["U1"],"response_metadata":{"next_cursor":"two="}}`)(form)
			case "two=":
				return says(`{"ok":true,"members":["U2","U3"],"response_metadata":{"next_cursor":""}}`)(form)
			}
			return refuses("invalid_cursor")(form)
		})
		for id, want := range map[string][]string{"S1": {"U1", "U2"}, "C1": {"U1", "U2", "U3"}, "G1": {"U1", "U2", "U3"}} {
			for range 2 {
				got, err := d.Members(t.Context(), id)
				if err != nil || !slices.Equal(got, want) {
					t.Fatalf("in %s: %q, %v; want %q", id, got, err, want)
				}
				got[0] = "UEVIL" // changes the caller's list alone
			}
		}
		for _, id := range []string{"", "U1", "D1"} {
			if _, err := d.Members(t.Context(), id); !errors.Is(err, auth.ErrNobody) {
				t.Errorf("members of %q: %v, want ErrNobody", id, err)
			}
		}
	})
}

func TestAChannelTooLargeIsAnError(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
		for size, want := range map[int]string{2500: "", 2501: "C2501 has more than 5000 members"} {
			f.answer("conversations.members", func(form url.Values) (*http.Response, error) {
				next := map[string]string{"": "two"}[form.Get("cursor")]
				const page = `{"ok":true,"members":%s,"response_metadata":{"next_cursor":%q}}`
				return response(http.StatusOK, fmt.Sprintf(page, ids(size), next)), nil
			})
			got, err := d.Members(t.Context(), fmt.Sprintf("C%d", size))
			if err == nil && (want != "" || len(got) != 2*size) || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
				t.Errorf("two pages of %d: %d members, %v; want %q", size, len(got), err, want)
			}
		}
	})
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		id, method, code string
		nobody           bool
		want             string
	}{
		{"U1", "users.info", "user_not_found", true, "users.info: user_not_found"},
		{"U1", "users.info", "user_not_visible", true, "users.info: user_not_visible"},
		{"U1", "users.info", "missing_scope", false, "add the scope users:read to the app"},
		{"U1", "users.info", `missing_scope","needed":"users:read.email`, false, "add the scope users:read.email to the app"},
		{"U1", "users.info", "invalid_auth", false, "users.info: invalid_auth"},
		{"U1", "auth.test", "invalid_auth", false, "auth.test: invalid_auth"},
		{"S1", "usergroups.users.list", "no_such_subteam", true, "no_such_subteam"},
		{"S1", "usergroups.users.list", "subteam_not_found", true, "subteam_not_found"},
		{"S1", "usergroups.users.list", "plan_upgrade_required", false, "name users (U…) in the policy"},
		{"S1", "usergroups.users.list", "missing_scope", false,
			"add the scope usergroups:read to the app and install it again, or name users (U…) in the policy"},
		{"C1", "conversations.members", "channel_not_found", true, "channel_not_found"},
		{"C1", "conversations.members", "missing_scope", false, "add the scope channels:read (groups:read"},
	} {
		t.Run(c.method+" "+c.code, func(t *testing.T) {
			inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
				f.answer(c.method, refuses(c.code))
				var err error
				if c.id[0] == 'U' {
					_, err = d.Person(t.Context(), c.id)
				} else {
					_, err = d.Members(t.Context(), c.id)
				}
				if err == nil || errors.Is(err, auth.ErrNobody) != c.nobody || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v; want %q in it, ErrNobody: %v", err, c.want, c.nobody)
				}
			})
		})
	}
}

func TestErrorsKeepSecrets(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
		for want, r := range map[string]reply{
			"users.info: no network": noNetwork,
			"Bad Gateway":            breaks(http.StatusBadGateway),
			"invalid character":      says("<html> " + token),
			"names nobody":           says(`{"ok":true}`),
		} {
			f.answer("users.info", r)
			_, err := d.Person(t.Context(), "U1")
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q in it", err, want)
				continue
			}
			if s := err.Error(); strings.Contains(s, token) || strings.Contains(s, "://") {
				t.Errorf("the error holds the token or the URL: %v", err)
			}
		}
	})
}
