package slacksim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// DeliveryError is what a person is told when the app did not take what they did.
type DeliveryError struct {
	What string // "/ec2-pass", "the button approve"
	Code string // Slack's word for it: "dispatch_failed", "operation_timeout", "invalid_command_response", "invalid_view_response", …
	Why  error
}

func (e *DeliveryError) Error() string {
	return fmt.Sprintf("%s failed with the error %q: %v", e.What, e.Code, e.Why)
}

func (e *DeliveryError) Unwrap() error { return e.Why }

const (
	codeTimeout  = "operation_timeout"
	codeDispatch = "dispatch_failed"          // also for an HTTP status other than 200 (inferred)
	codeResponse = "invalid_command_response" // an answer that is no message (inferred)
	codeSilent   = "interactivity_disabled"   // ours: Slack shows words only

	pathCommands     = "/slack/commands"
	pathInteractions = "/slack/interactions"
)

// ErrNotInteractive is what Slack tells a person who acts while Interactivity & Shortcuts is off: see SetInteractivity.
var ErrNotInteractive = errors.New("this app is not configured to handle interactive responses")

// Command is user typing command and text into channel: "/ec2-pass", "i-0123456789abcdef0 for the demo".
// It returns when the app has acknowledged; what the ack carries has become a message by then, ephemeral unless it says in_channel.
// When the app does not take the command, user is told so in an ephemeral message of Slack's, and the error is a *DeliveryError.
func (w *Workspace) Command(ctx context.Context, user, channel, command, text string) error {
	w.mu.Lock()
	u, r, err := w.actor(user, channel)
	if err == nil && !r.has(user) {
		err = fmt.Errorf("%s is not in channel %s, and so cannot write there", user, channel)
	}
	if err == nil && !strings.HasPrefix(command, "/") {
		err = fmt.Errorf("a command starts with a slash, %q does not", command)
	}
	if err != nil {
		w.mu.Unlock()
		return fmt.Errorf("typing %s: %w", command, err)
	}
	token := w.newHook(&hook{channel: r.ID, user: user})
	fields := map[string]string{
		"token": verificationToken, "team_id": w.opts.TeamID, "team_domain": teamDomain,
		"channel_id": r.ID, "channel_name": r.name(), "user_id": u.ID, "user_name": u.Name,
		"command": command, "text": text, "api_app_id": appID, "is_enterprise_install": "false",
		"response_url": w.responseURL(token), "trigger_id": w.newTrigger(user),
	}
	w.mu.Unlock()

	form := url.Values{}
	for k, v := range fields {
		form.Set(k, v)
	}
	answer, err := w.deliver(ctx, delivery{kind: "slash_commands", payload: fields, reply: true, path: pathCommands, form: form})
	if err == nil {
		err = w.answer(token, command+" "+text, answer)
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return fmt.Errorf("typing %s: %w", command, context.Cause(ctx))
	}
	failed := &DeliveryError{What: command, Code: deliveryCode(err), Why: err}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.say(channel, user, fmt.Sprintf("%s failed with the error %q", command, failed.Code))
	return failed
}

// Click is user pressing a button of a message they can see, confirm dialog already answered. It returns when the app has
// acknowledged; an ack's content is ignored, as Slack ignores it for clicks. When the app does not take the click, the
// error is a *DeliveryError: Slack shows a warning sign beside the button, and no message.
func (w *Workspace) Click(ctx context.Context, user, channel, messageID, blockID, actionID string) error {
	w.mu.Lock()
	var seen json.RawMessage
	if m := w.message(channel, messageID); m != nil {
		seen = m.Blocks
	}
	w.mu.Unlock()
	return w.ClickSeen(ctx, user, Message{Channel: channel, ID: messageID, Blocks: seen}, blockID, actionID)
}

// ClickSeen is user pressing a button of a message as they saw it, which may have been rewritten since: their screen was a
// moment behind (inferred: Slack delivers such a click). Otherwise it is as Click.
func (w *Workspace) ClickSeen(ctx context.Context, user string, seen Message, blockID, actionID string) error {
	w.mu.Lock()
	payload, err := w.click(user, seen, blockID, actionID)
	w.mu.Unlock()
	if err != nil {
		return fmt.Errorf("clicking %s: %w", actionID, err)
	}
	_, err = w.interact(ctx, "the button "+actionID, payload, false)
	return err
}

// ClickView is user pressing a button of their topmost modal or of their Home tab; otherwise it is as Click.
func (w *Workspace) ClickView(ctx context.Context, user, viewID, blockID, actionID string) error {
	w.mu.Lock()
	payload, err := w.clickView(user, viewID, blockID, actionID)
	w.mu.Unlock()
	if err != nil {
		return fmt.Errorf("clicking %s: %w", actionID, err)
	}
	_, err = w.interact(ctx, "the button "+actionID, payload, false)
	return err
}

// Shortcut is user choosing a global shortcut, which happens in no channel. Otherwise it is as Click.
// https://docs.slack.dev/reference/interaction-payloads/shortcuts-interaction-payload
func (w *Workspace) Shortcut(ctx context.Context, user, callbackID string) error {
	w.mu.Lock()
	u, err := w.person(user)
	if err != nil {
		w.mu.Unlock()
		return fmt.Errorf("choosing the shortcut %s: %w", callbackID, err)
	}
	payload := w.interaction("shortcut", u)
	payload["callback_id"] = callbackID
	payload["action_ts"] = w.nextTS(w.opts.Now())
	w.mu.Unlock()
	_, err = w.interact(ctx, "the shortcut "+callbackID, payload, false)
	return err
}

// interact delivers an interaction; reply says whether the answer's content matters. It takes w.mu itself.
func (w *Workspace) interact(ctx context.Context, what string, payload map[string]any, reply bool) (answer, error) {
	w.mu.Lock()
	off := w.faults.silent
	w.mu.Unlock()
	if off {
		return answer{}, &DeliveryError{What: what, Code: codeSilent, Why: ErrNotInteractive}
	}
	form := url.Values{"payload": {string(mustJSON(payload))}}
	a, err := w.deliver(ctx, delivery{kind: "interactive", payload: payload, reply: reply, path: pathInteractions, form: form})
	return a, delivered(ctx, what, err)
}

// delivered turns what went wrong on the way into what a person is told, unless it was their own giving up.
func delivered(ctx context.Context, what string, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", what, context.Cause(ctx))
	default:
		return &DeliveryError{What: what, Code: deliveryCode(err), Why: err}
	}
}

// click builds the block_actions payload. It expects w.mu to be held.
// https://docs.slack.dev/reference/interaction-payloads/block_actions-payload
func (w *Workspace) click(user string, seen Message, blockID, actionID string) (map[string]any, error) {
	u, r, err := w.actor(user, seen.Channel)
	if err != nil {
		return nil, err
	}
	m := w.message(seen.Channel, seen.ID)
	if m == nil || !w.sees(user, m) {
		return nil, fmt.Errorf("%s sees no message %s in %s", user, seen.ID, seen.Channel)
	}
	action, err := findButton(seen.Blocks, blockID, actionID)
	if err != nil {
		return nil, fmt.Errorf("message %s: %w", seen.ID, err)
	}
	container := map[string]any{"type": "message", "message_ts": m.TS, "channel_id": r.ID, "is_ephemeral": m.Ephemeral}
	if m.ThreadTS != "" {
		container["thread_ts"] = m.ThreadTS
	}
	token := w.newHook(&hook{channel: r.ID, user: user, original: m.TS})
	payload := w.interaction("block_actions", u)
	payload["channel"] = map[string]any{"id": r.ID, "name": r.name()}
	payload["container"] = container
	payload["response_url"] = w.responseURL(token)
	payload["state"] = map[string]any{"values": map[string]any{}}
	payload["actions"] = w.actions(blockID, action)
	if !m.Ephemeral {
		// Slack keeps no copy of an ephemeral message, and sends none back (inferred).
		payload["message"] = w.wire(m)
	}
	return payload, nil
}

// clickView builds the block_actions payload of a view: no channel, no message, no response URL. What was typed and not
// submitted is not known here, so that the state is the view's initial one. It expects w.mu to be held.
func (w *Workspace) clickView(user, viewID, blockID, actionID string) (map[string]any, error) {
	u, v, err := w.viewer(user, viewID)
	if err != nil {
		return nil, err
	}
	action, err := findButton(v.Blocks, blockID, actionID)
	if err != nil {
		return nil, fmt.Errorf("view %s: %w", viewID, err)
	}
	state, _, err := fillIn(v.Blocks, nil)
	if err != nil {
		return nil, err
	}
	payload := w.interaction("block_actions", u)
	payload["container"] = map[string]any{"type": "view", "view_id": v.ID}
	payload["view"] = w.wireView(v, state)
	payload["actions"] = w.actions(blockID, action)
	return payload, nil
}

// interaction is what every interaction payload holds. It expects w.mu to be held.
func (w *Workspace) interaction(kind string, u *User) map[string]any {
	return map[string]any{
		"type": kind, "token": verificationToken, "api_app_id": appID,
		"team":       map[string]any{"id": w.opts.TeamID, "domain": teamDomain},
		"enterprise": nil, "is_enterprise_install": false,
		"user":       map[string]any{"id": u.ID, "username": u.Name, "name": u.Name, "team_id": u.Team},
		"trigger_id": w.newTrigger(u.ID),
	}
}

// actions is the one button pressed, as payloads repeat it. It expects w.mu to be held.
func (w *Workspace) actions(blockID string, action object) []any {
	action["block_id"] = blockID
	action["action_ts"] = w.nextTS(w.opts.Now())
	return []any{action}
}

// findButton returns the element as its message has it, of which block_actions repeats everything.
func findButton(blocks json.RawMessage, blockID, actionID string) (object, error) {
	for _, b := range parse(blocks) {
		if b["block_id"] != blockID {
			continue
		}
		for _, e := range interactive(b) {
			if e["action_id"] != actionID {
				continue
			}
			if e["type"] != "button" {
				return nil, fmt.Errorf("element %q of block %q is a %v, and only buttons can be clicked", actionID, blockID, e["type"])
			}
			return e, nil
		}
		return nil, fmt.Errorf("block %q has no element %q", blockID, actionID)
	}
	return nil, fmt.Errorf("it has no block %q", blockID)
}

// person finds who acts. It expects w.mu to be held.
func (w *Workspace) person(user string) (*User, error) {
	u := w.user(user)
	switch {
	case w.faults.away:
		return nil, errors.New("nobody is there: Slack is away")
	case u == nil || u.Deleted || u.IsBot:
		return nil, fmt.Errorf("%q is nobody who can act: unknown, deactivated or a bot", user)
	}
	return u, nil
}

// actor finds who acts and where. It expects w.mu to be held.
func (w *Workspace) actor(user, channel string) (*User, *room, error) {
	u, err := w.person(user)
	if err != nil {
		return nil, nil, err
	}
	r := w.room(channel)
	switch {
	case r == nil:
		return nil, nil, fmt.Errorf("there is no channel %q", channel)
	case w.base == "":
		return nil, nil, errors.New("the workspace has no address for response URLs: call Serve first")
	}
	return u, r, nil
}

// newTrigger makes a trigger id as Slack writes them, unique per interaction. It expects w.mu to be held.
func (w *Workspace) newTrigger(user string) string {
	now := w.opts.Now()
	secret := sha256.Sum256([]byte(rand.Text()))
	id := fmt.Sprintf("%d.%d.%s", now.UnixMilli(), len(w.triggers)+1, hex.EncodeToString(secret[:16]))
	w.triggers[id] = &trigger{user: user, expires: now.Add(w.limits.TriggerLife)}
	return id
}

// delivery is one payload in its two forms: for a socket, and for signed HTTP.
type delivery struct {
	kind    string // envelope type
	payload any
	reply   bool // whether the answer's content matters
	path    string
	form    url.Values // nil: the payload is sent as JSON
	retry   int        // which retry this is, of an event
	reason  string     // why, as the header says it: "http_timeout"
}

// envelope is the delivery as a socket carries it. https://docs.slack.dev/apis/events-api/using-socket-mode#events
func (d delivery) envelope() map[string]any {
	out := map[string]any{"type": d.kind, "payload": d.payload, "accepts_response_payload": d.reply}
	if d.kind == "events_api" {
		out["retry_attempt"], out["retry_reason"] = d.retry, strings.TrimPrefix(d.reason, "http_") // "timeout"
	}
	return out
}

// statusError is an HTTP status that acknowledges nothing.
type statusError struct {
	status  string
	noRetry bool
}

func (e *statusError) Error() string { return "the app answered " + e.status }

// deliver brings the payload to the app and returns its answer. With a socket open, HTTP is not used: Socket Mode replaces it.
func (w *Workspace) deliver(ctx context.Context, d delivery) (answer, error) {
	w.mu.Lock()
	sockets, endpoint := len(w.sockets), w.endpoint
	w.mu.Unlock()
	switch {
	case sockets > 0:
		a, err := w.overSocket(ctx, d.envelope())
		return answer{body: a.payload, json: true}, err
	case endpoint != "":
		return w.overHTTP(ctx, endpoint, d)
	default:
		return answer{}, errNobody
	}
}

func deliveryCode(err error) string {
	bad := &apiError{}
	switch {
	case errors.As(err, &bad):
		return codeResponse
	case errors.Is(err, errUnanswered):
		return codeTimeout
	default:
		return codeDispatch
	}
}

// overHTTP posts the delivery, signed as Slack signs it.
// https://docs.slack.dev/authentication/verifying-requests-from-slack
func (w *Workspace) overHTTP(ctx context.Context, endpoint string, d delivery) (answer, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, w.limits.AckIn, errUnanswered)
	defer cancel()
	body, kind := d.form.Encode(), "application/x-www-form-urlencoded"
	if d.form == nil {
		body, kind = string(mustJSON(d.payload)), "application/json"
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint+d.path, strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	stamp := strconv.FormatInt(w.opts.Now().Unix(), 10)
	req.Header.Set("Content-Type", kind)
	req.Header.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	req.Header.Set("X-Slack-Request-Timestamp", stamp)
	req.Header.Set("X-Slack-Signature", Sign(w.opts.SigningSecret, stamp, body))
	if d.retry > 0 {
		req.Header.Set("X-Slack-Retry-Num", strconv.Itoa(d.retry))
		req.Header.Set("X-Slack-Retry-Reason", d.reason)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return answer{}, ended(ctx, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil {
		return answer{}, ended(ctx, err)
	}
	w.mu.Lock()
	lost := w.faults.dropAcks
	w.mu.Unlock()
	switch {
	case lost:
		return answer{}, errUnanswered
	case resp.StatusCode != http.StatusOK && (d.form != nil || resp.StatusCode/100 != 2): // an event is acknowledged by any 2xx
		return answer{}, &statusError{status: resp.Status, noRetry: resp.Header.Get("X-Slack-No-Retry") == "1"}
	}
	return answer{body: got, json: strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json")}, nil
}

// ended gives the reason a request ended early, when it was the deadline or the caller.
func ended(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// Sign returns the X-Slack-Signature of a request body sent at stamp (Unix seconds): "v0=" and 64 hex digits.
func Sign(secret, stamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// answer is what the app sent back with its ack.
type answer struct {
	body []byte
	json bool // by its content type; else it is plain text
}

func (a answer) empty() bool {
	b := bytes.TrimSpace(a.body)
	return len(b) == 0 || a.json && (string(b) == "null" || string(b) == "{}")
}
