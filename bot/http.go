package bot

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
)

// bodyAtMost bounds what is read before the signature is checked. Slack's own
// requests stay far below it.
const bodyAtMost = 1 << 20

// HTTP is the http door: Slack's signed requests, from a server or through a
// Lambda function URL.
type HTTP struct {
	Bot    *Bot
	Verify *Verifier
	Ready  *Readiness
}

// ServeHTTP answers POST /slack/commands, /slack/interactions and /slack/events, GET
// /healthz (the process is alive) and GET /readyz (it can do its work).
func (h *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := WithRequest(r.Context(), cmp.Or(r.Header.Get("X-Amzn-Trace-Id"), r.Header.Get("X-Request-Id")))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, bodyAtMost))
	a := plain(http.StatusRequestEntityTooLarge, "The request is larger than 1 MiB.")
	if err == nil {
		a = h.answer(ctx, r.Method, r.URL.Path, r.Header.Get, body)
	}
	a.write(w)
}

// answer is what a request gets, whichever way it came.
type answer struct {
	status      int
	contentType string
	body        []byte
}

func (a answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", a.contentType)
	w.WriteHeader(a.status)
	w.Write(a.body)
}

func plain(status int, text string) answer {
	return answer{status, "text/plain; charset=utf-8", []byte(text)}
}

func (h *HTTP) answer(ctx context.Context, method, path string, header func(string) string, body []byte) answer {
	switch method + " " + path {
	case "GET /healthz":
		return plain(http.StatusOK, "alive\n")
	case "GET /readyz":
		return h.Ready.answer(ctx)
	case "POST /slack/commands", "POST /slack/interactions", "POST /slack/events":
	default:
		return plain(http.StatusNotFound, "There is nothing here. Slack's requests go to POST /slack/commands, /slack/interactions and /slack/events.\n")
	}
	if err := h.Verify.Verify(header("X-Slack-Request-Timestamp"), header("X-Slack-Signature"), body); err != nil {
		h.Bot.log.WarnContext(ctx, "a request was turned away", "path", path, "reason", err)
		h.Bot.desk.TurnedAway(ctx, doorHTTP, err.Error())
		return plain(http.StatusUnauthorized, "This request is not signed by Slack, or not now.\n")
	}
	switch path {
	case "/slack/commands":
		return h.slash(ctx, string(body))
	case "/slack/events":
		return h.notice(ctx, body)
	}
	return h.interaction(ctx, string(body))
}

func (h *HTTP) slash(ctx context.Context, body string) answer {
	if body == "ssl_check=1" { // Slack's probe of the certificate
		return plain(http.StatusOK, "")
	}
	name, r, err := slashForm(body)
	if err != nil {
		h.Bot.log.WarnContext(ctx, "a signed request that cannot be read", "error", err)
		return plain(http.StatusBadRequest, "This is not a slash command: "+err.Error()+".\n")
	}
	r.Door = doorHTTP
	text, err := render(h.Bot.command(ctx, name, r))
	if err != nil {
		h.Bot.log.ErrorContext(ctx, "rendering an answer", "error", err)
		return plain(http.StatusInternalServerError, "")
	}
	return ack(text)
}

func (h *HTTP) interaction(ctx context.Context, body string) answer {
	c, err := interactionForm(body)
	if errors.Is(err, errPassedOver) {
		h.Bot.log.InfoContext(ctx, "an interaction was passed over", "reason", err)
		return plain(http.StatusOK, "")
	}
	if err != nil {
		h.Bot.log.WarnContext(ctx, "a signed request that cannot be read", "error", err)
		return plain(http.StatusBadRequest, "This is not an interaction: "+err.Error()+".\n")
	}
	c.Door = doorHTTP
	switch c.kind {
	case kindForm:
		return ack(h.Bot.submit(ctx, c))
	case kindShortcut:
		h.Bot.shortcut(ctx, c)
	default:
		h.Bot.click(ctx, c)
	}
	return plain(http.StatusOK, "")
}

func (h *HTTP) notice(ctx context.Context, body []byte) answer {
	kind, r, challenge, err := notice(body)
	switch {
	case err != nil:
		h.Bot.log.WarnContext(ctx, "a signed request that cannot be read", "error", err)
		return plain(http.StatusBadRequest, "This is not an event: "+err.Error()+".\n")
	case challenge != "":
		return plain(http.StatusOK, challenge)
	}
	r.Door = doorHTTP
	h.Bot.notice(ctx, kind, r)
	return plain(http.StatusOK, "")
}

// ack is an answer of JSON, or an empty one.
func ack(body []byte) answer {
	if len(body) == 0 {
		return plain(http.StatusOK, "")
	}
	return answer{http.StatusOK, "application/json; charset=utf-8", body}
}
