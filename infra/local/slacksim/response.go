package slacksim

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
)

// hook is what a response URL stands for.
type hook struct {
	channel  string
	user     string    // who typed or clicked
	original string    // TS that replace_original and delete_original mean: what was clicked, or the first answer to a command
	uses     int       // so far
	expires  time.Time // also when uses are left
}

// reply is a message as an app writes it into an ack, an HTTP answer or a response URL.
type reply struct {
	Text            string          `json:"text"`
	Blocks          json.RawMessage `json:"blocks"`
	ResponseType    string          `json:"response_type"` // "ephemeral", the default, or "in_channel"
	ReplaceOriginal flag            `json:"replace_original"`
	DeleteOriginal  flag            `json:"delete_original"`
	ThreadTS        string          `json:"thread_ts"`
}

// flag is a boolean that may also come as the string "true", which is how Slack's own examples write it.
type flag bool

func (f *flag) UnmarshalJSON(b []byte) error {
	*f = string(b) == "true" || string(b) == `"true"`
	return nil
}

func parseReply(a answer) (reply, error) {
	if !a.json {
		return reply{Text: string(a.body)}, nil
	}
	var r reply
	if err := json.Unmarshal(a.body, &r); err != nil {
		return r, fail("invalid_payload", "[ERROR] "+err.Error())
	}
	return r, nil
}

// newHook expects w.mu to be held, as do the other functions here that say nothing else.
func (w *Workspace) newHook(h *hook) string {
	h.expires = w.opts.Now().Add(w.limits.ResponseLife)
	token := rand.Text()
	w.hooks[token] = h
	return token
}

func (w *Workspace) responseURL(token string) string { return w.base + "/response/" + token }

// answer turns the ack of a command into a message. It takes w.mu itself.
func (w *Workspace) answer(token, typed string, a answer) error {
	if a.empty() {
		return nil
	}
	r, err := parseReply(a)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.hooks[token]
	c, err := w.newContent(r.Text, string(r.Blocks), maxPostText)
	if err != nil {
		return err
	}
	if r.ResponseType == "in_channel" {
		// "Both the response message and the initial slash command typed by the user" are shown.
		// https://docs.slack.dev/interactivity/implementing-slash-commands#responding_immediate_response
		w.add(Message{Channel: h.channel, User: h.user, Text: strings.TrimSpace(typed)})
	}
	h.original = w.write(h, r, c).TS
	return nil
}

// write posts a reply as a new message. Membership does not matter: a response URL works where the bot is not.
func (w *Workspace) write(h *hook, r reply, c content) *Message {
	m := Message{Channel: h.channel, ThreadTS: r.ThreadTS, User: w.bot.ID, Text: c.text, Blocks: c.blocks}
	if r.ResponseType != "in_channel" {
		m.Ephemeral, m.To = true, h.user
	}
	return w.add(m)
}

// serveResponse is POST /response/<token>. It takes w.mu itself.
func (w *Workspace) serveResponse(rw http.ResponseWriter, r *http.Request) {
	call := Call{Method: ResponseURL}
	err := w.respond(rw, r, &call)
	if err == nil {
		w.record(call)
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(rw, "ok")
		return
	}
	w.refuse(rw, call, err)
}

// refuse records a call of a response or upload URL and answers it with an HTTP status, which is all that clients look at.
func (w *Workspace) refuse(rw http.ResponseWriter, call Call, err error) {
	refusal := &apiError{}
	if !errors.As(err, &refusal) {
		refusal = &apiError{code: "invalid_payload", lines: []string{"[ERROR] " + err.Error()}}
	}
	call.Error = refusal.code
	w.record(call)
	status := http.StatusBadRequest
	switch refusal.code {
	case "expired_url":
		status = http.StatusNotFound
	case "ratelimited":
		status = http.StatusTooManyRequests
		rw.Header().Set("Retry-After", fmt.Sprint(wholeSeconds(refusal.retryAfter)))
	}
	writeJSON(rw, status, refusal.body(call.Method))
}

func (w *Workspace) respond(rw http.ResponseWriter, r *http.Request, call *Call) error {
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, maxBody))
	if err != nil {
		return err
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "application/json" {
		return fail("invalid_payload", "[ERROR] the content type must be application/json")
	}
	msg, err := parseReply(answer{body: body, json: true})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.faults.next(ResponseURL); err != nil {
		return err
	}
	h := w.hooks[r.PathValue("token")]
	if h == nil || h.uses >= w.limits.ResponseUses || w.opts.Now().After(h.expires) {
		return fail("expired_url") // status and code are inferred
	}
	call.Channel = h.channel
	h.uses++
	return w.apply(h, msg)
}

// apply does what a response URL was asked to do.
func (w *Workspace) apply(h *hook, r reply) error {
	original := w.message(h.channel, h.original)
	if r.DeleteOriginal {
		if original != nil {
			w.remove(original)
		}
		return nil
	}
	c, err := w.newContent(r.Text, string(r.Blocks), maxPostText)
	if err != nil {
		return err
	}
	if r.ReplaceOriginal && original != nil {
		// The type of the original stays: an ephemeral message cannot be made public.
		// https://docs.slack.dev/interactivity/handling-user-interaction#updating_message_response
		w.edit(original, c)
		return nil
	}
	m := w.write(h, r, c)
	setDefault(&h.original, m.TS)
	return nil
}
