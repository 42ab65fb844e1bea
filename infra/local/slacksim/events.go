package slacksim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

const (
	pathEvents = "/slack/events" // where events are sent over HTTP
	eventHome  = "app_home_opened"
)

// OpenHome is user opening the app's Home tab. The app is told by the event app_home_opened, with the view when one was
// published; OpenHome returns when the app has acknowledged it. When it does not, twice, the error is a *DeliveryError.
// The person sees nothing of that: they have the tab that was published, if any.
// https://docs.slack.dev/reference/events/app_home_opened
func (w *Workspace) OpenHome(ctx context.Context, user string) error {
	w.mu.Lock()
	event, err := w.homeOpened(user)
	w.mu.Unlock()
	if err != nil {
		return fmt.Errorf("opening the Home tab: %w", err)
	}
	if !slices.Contains(w.opts.Events, eventHome) {
		return nil // nobody subscribed
	}
	return w.notify(ctx, event)
}

// homeOpened builds the event. It expects w.mu to be held.
func (w *Workspace) homeOpened(user string) (map[string]any, error) {
	if _, err := w.person(user); err != nil {
		return nil, err
	}
	r, _, err := w.direct(user)
	if err != nil {
		return nil, err
	}
	event := map[string]any{
		"type": eventHome, "user": user, "channel": r.ID, "tab": "home", "event_ts": w.nextTS(w.opts.Now()),
	}
	if v := w.homes[user]; v != nil {
		event["view"] = w.wireView(v, nil)
	}
	return event, nil
}

// notify delivers an event, and once more when it is not acknowledged. Slack's second and third retry come minutes later;
// here they do not.
// https://docs.slack.dev/apis/events-api#retries
func (w *Workspace) notify(ctx context.Context, event map[string]any) error {
	what := fmt.Sprintf("the event %s", event["type"])
	d := delivery{kind: "events_api", path: pathEvents, payload: map[string]any{
		"token": verificationToken, "team_id": w.opts.TeamID, "api_app_id": appID, "type": "event_callback",
		"event": event, "event_id": "Ev0" + rand.Text()[:9], "event_time": w.opts.Now().Unix(),
		"is_ext_shared_channel": false,
		"authorizations":        []any{map[string]any{"team_id": w.opts.TeamID, "user_id": w.bot.ID, "is_bot": true}},
	}}
	_, err := w.deliver(ctx, d)
	if err != nil && ctx.Err() == nil && !refusesRetry(err) {
		d.retry, d.reason = 1, retryReason(err)
		_, err = w.deliver(ctx, d)
	}
	return delivered(ctx, what, err)
}

func refusesRetry(err error) bool {
	status, ok := errors.AsType[*statusError](err)
	return ok && status.noRetry
}

// retryReason is Slack's word for why a delivery is tried again.
func retryReason(err error) string {
	if _, ok := errors.AsType[*statusError](err); ok {
		return "http_error"
	}
	if errors.Is(err, errUnanswered) {
		return "http_timeout"
	}
	return "connection_failed"
}

// Verify sends the challenge that Slack sends when an events address is entered, over HTTP even while a socket is open, and
// says what was wrong with the answer. The challenge may come back as plain text, form or JSON.
// https://docs.slack.dev/reference/events/url_verification
func (w *Workspace) Verify(ctx context.Context) error {
	w.mu.Lock()
	endpoint := w.endpoint
	w.mu.Unlock()
	if endpoint == "" {
		return errors.New("verifying the events address: there is none, call DeliverTo first")
	}
	challenge := rand.Text()
	a, err := w.overHTTP(ctx, endpoint, delivery{kind: "events_api", path: pathEvents, payload: map[string]any{
		"token": verificationToken, "type": "url_verification", "challenge": challenge,
	}})
	if err != nil {
		return fmt.Errorf("verifying the events address: %w", err)
	}
	var said struct{ Challenge string }
	form, _ := url.ParseQuery(string(a.body))
	if json.Unmarshal(a.body, &said) == nil && said.Challenge == challenge || form.Get("challenge") == challenge ||
		strings.TrimSpace(string(a.body)) == challenge {
		return nil
	}
	return fmt.Errorf("verifying the events address: the challenge %s came back as %.100q", challenge, a.body)
}
