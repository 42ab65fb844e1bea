package slacksim

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxBody bounds every request that is read, in bytes.
const maxBody = 1 << 20

// args are the arguments of a call, however they were sent: form, query or JSON. A JSON value that is not a string is kept as
// its JSON text, which is how forms carry blocks. The token is one of them.
type args map[string]string

// result is the body of a successful answer, without "ok".
type result map[string]any

// apiError is a refusal as the Web API puts it: a code, and for some codes lines that say what is wrong.
type apiError struct {
	code       string
	lines      []string      // "[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"
	retryAfter time.Duration // for ratelimited

	needed, provided string // for missing_scope: scopes, with commas between
}

func (e *apiError) Error() string {
	return strings.Join(append([]string{e.code}, e.lines...), " ")
}

func fail(code string, lines ...string) error { return &apiError{code: code, lines: lines} }

// method is one method of the Web API. serve runs with w.mu held.
type method struct {
	name   string
	tokens func(Options) []string // which of the app's tokens it takes
	scopes []string               // the bot token needs one of them; nil: none
	serve  func(*Workspace, args) (result, error)
}

func botToken(o Options) []string      { return []string{o.BotToken} }
func appToken(o Options) []string      { return []string{o.AppToken} }
func configToken(o Options) []string   { return []string{o.ConfigToken} }
func botOrAppToken(o Options) []string { return []string{o.BotToken, o.AppToken} }

// methods lists the part of the Web API that this workspace has. Any other answers unknown_method.
func methods() []method {
	chatWrite, filesWrite := []string{"chat:write"}, []string{"files:write"}
	usersRead, groupsRead := []string{"users:read"}, []string{"usergroups:read"}
	return []method{
		{"apps.connections.open", appToken, nil, appsConnectionsOpen},
		{"apps.manifest.export", configToken, nil, appsManifestExport},
		{"auth.test", botOrAppToken, nil, authTest},
		{"bots.info", botToken, []string{"users:read"}, botsInfo},
		{"chat.delete", botToken, chatWrite, chatDelete},
		{"chat.getPermalink", botToken, nil, chatGetPermalink},
		{"chat.postEphemeral", botToken, chatWrite, chatPostEphemeral},
		{"chat.postMessage", botToken, chatWrite, chatPostMessage},
		{"chat.update", botToken, chatWrite, chatUpdate},
		{"conversations.info", botToken, readingScopes(), conversationsInfo},
		{"conversations.join", botToken, []string{"channels:join"}, conversationsJoin},
		{"conversations.members", botToken, readingScopes(), conversationsMembers},
		{"conversations.open", botToken, []string{"im:write"}, conversationsOpen}, // with one person, the only kind here
		{"files.completeUploadExternal", botToken, filesWrite, filesComplete},
		{"files.getUploadURLExternal", botToken, filesWrite, filesGetUploadURL},
		{"usergroups.list", botToken, groupsRead, usergroupsList},
		{"usergroups.users.list", botToken, groupsRead, usergroupsUsersList},
		{"users.info", botToken, usersRead, usersInfo},
		{"users.list", botToken, usersRead, usersList},
		{"views.open", botToken, nil, viewsOpen},
		{"views.publish", botToken, nil, viewsPublish},
		{"views.update", botToken, nil, viewsUpdate},
	}
}

func findMethod(name string) (method, bool) {
	all := methods()
	i := slices.IndexFunc(all, func(m method) bool { return m.name == name })
	if i < 0 {
		return method{}, false
	}
	return all[i], true
}

func (w *Workspace) serveMethod(rw http.ResponseWriter, r *http.Request) {
	name := r.PathValue("method")
	out, call := result(nil), Call{Method: name}
	a, err := readArgs(rw, r)
	if err == nil {
		call.Channel = cmp.Or(a["channel"], a["channel_id"])
		w.tellScopes(rw.Header(), name, a["token"])
		out, err = w.call(name, a)
	}
	refusal := &apiError{}
	switch {
	case err == nil:
		out["ok"] = true
	case errors.As(err, &refusal):
		call.Error = refusal.code
		out = refusal.body(name)
	default:
		call.Error = "invalid_json"
		out = (&apiError{code: "invalid_json", lines: []string{"[ERROR] " + err.Error()}}).body(name)
	}
	w.record(call)
	status := http.StatusOK // Slack refuses with 200; only a rate limit has a status of its own
	if refusal.code == "ratelimited" {
		status = http.StatusTooManyRequests
		rw.Header().Set("Retry-After", strconv.Itoa(wholeSeconds(refusal.retryAfter)))
	}
	writeJSON(rw, status, out)
}

func (w *Workspace) call(name string, a args) (result, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.faults.next(name); err != nil {
		return nil, err
	}
	m, known := findMethod(name)
	if !known {
		return nil, fail("unknown_method")
	}
	if err := w.authorize(a["token"], m); err != nil {
		return nil, err
	}
	return m.serve(w, a)
}

func (w *Workspace) authorize(token string, m method) error {
	switch {
	case token == "":
		return fail("not_authed")
	case slices.Contains(m.tokens(w.opts), token):
		if token == w.opts.BotToken {
			return w.demand(m.scopes...)
		}
		return nil // the other tokens have the one scope that they are for
	case slices.Contains([]string{w.opts.BotToken, w.opts.AppToken, w.opts.ConfigToken}, token):
		return fail("not_allowed_token_type")
	default:
		return fail("invalid_auth")
	}
}

func (e *apiError) body(method string) result {
	out := result{"ok": false, "error": e.code}
	if e.code == "unknown_method" {
		out["req_method"] = method
	}
	if e.needed != "" {
		out["needed"], out["provided"] = e.needed, e.provided
	}
	if len(e.lines) > 0 {
		var plain []string
		for _, line := range e.lines {
			plain = append(plain, strings.TrimPrefix(line, "[ERROR] "))
		}
		out["errors"] = plain
		out["response_metadata"] = map[string]any{"messages": e.lines}
	}
	return out
}

// readArgs reads the arguments and the token: from the Authorization header, or, in a form, from the field "token".
func readArgs(rw http.ResponseWriter, r *http.Request) (args, error) {
	r.Body = http.MaxBytesReader(rw, r.Body, maxBody)
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	a := args{}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" {
		if err := r.ParseForm(); err != nil {
			return nil, fail("invalid_form_data")
		}
		for key := range r.Form {
			a[key] = r.Form.Get(key)
		}
		a["token"] = cmp.Or(token, a["token"])
		return a, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the request's body: %w", err)
	}
	var fields map[string]json.RawMessage
	if len(body) > 0 {
		if err := json.Unmarshal(body, &fields); err != nil {
			return nil, fmt.Errorf("decoding the request's body: %w", err)
		}
	}
	for key, raw := range fields {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		a[key] = text
	}
	a["token"] = token // no other: JSON carries none
	return a, nil
}

func writeJSON(rw http.ResponseWriter, status int, body any) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(status)
	rw.Write(mustJSON(body))
}

// mustJSON encodes what this package itself has built, which cannot fail.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic("slacksim: encoding a payload: " + err.Error())
	}
	return b
}

// wholeSeconds rounds up: Retry-After has no fractions, and too early would be refused again.
func wholeSeconds(d time.Duration) int { return int(math.Ceil(d.Seconds())) }
