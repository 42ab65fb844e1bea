package slacksim

import (
	"net/http"
	"slices"
	"strings"
)

// Scopes are what the bot token was allowed when the app was installed. Each method's page names those that it takes.
// https://docs.slack.dev/reference/scopes

// manifestScopes are the bot scopes of manifest.yml.
func manifestScopes() []string {
	return []string{
		"commands", "chat:write", "im:write", "files:write", "users:read", "usergroups:read", "channels:read", "groups:read",
	}
}

// scopeEmail shows the addresses of people. Without it users.info and users.list leave them out, and say nothing.
// https://docs.slack.dev/reference/scopes/users.read.email
const scopeEmail = "users:read.email"

// SetScopes changes what the bot token is allowed, as installing the app again does; the token stays the same.
func (w *Workspace) SetScopes(scopes ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.scopes = slices.Clone(scopes)
}

// Scopes returns what the bot token is allowed, in the order it was granted.
func (w *Workspace) Scopes() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.scopes)
}

// tellScopes sets the headers by which every answer to the bot token says what it may do, and what the method would take.
// https://docs.slack.dev/authentication/installing-with-oauth
func (w *Workspace) tellScopes(h http.Header, method, token string) {
	if token != w.opts.BotToken {
		return
	}
	h.Set("X-OAuth-Scopes", strings.Join(w.Scopes(), ","))
	if m, known := findMethod(method); known && len(m.scopes) > 0 {
		h.Set("X-Accepted-OAuth-Scopes", strings.Join(m.scopes, ","))
	}
}

// The functions below expect w.mu to be held.

func (w *Workspace) may(scope string) bool { return slices.Contains(w.scopes, scope) }

// demand refuses what none of the bot's scopes allows. Any one of anyOf is enough; without one, nothing is needed.
func (w *Workspace) demand(anyOf ...string) error {
	if len(anyOf) == 0 || slices.ContainsFunc(anyOf, w.may) {
		return nil
	}
	return &apiError{code: "missing_scope", needed: strings.Join(anyOf, ","), provided: strings.Join(w.scopes, ",")}
}

// readingScopes are those of methods that read conversations: one for each kind.
func readingScopes() []string {
	return []string{"channels:read", "groups:read", "mpim:read", "im:read"}
}

// readableRoom is botRoom for those methods. Which kind it is, and so which scope is needed, only the room shows.
func (w *Workspace) readableRoom(id string) (*room, error) {
	r, err := w.botRoom(id)
	if err != nil {
		return nil, err
	}
	switch {
	case r.im != "":
		err = w.demand("im:read")
	case r.Private:
		err = w.demand("groups:read")
	default:
		err = w.demand("channels:read")
	}
	return r, err
}
