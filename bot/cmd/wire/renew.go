package wire

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"

	"sekisho/bot"
	"sekisho/infra/redisstore"
)

// live is what of an App follows its secrets.
type live struct {
	settings settings // as they were at the start
	slack    atomic.Pointer[slack.Client]
	http     *http.Client // Slack's
	login    *redisstore.Login
	verifier *bot.Verifier // nil when the http door is closed
}

// Renew reads again, once they are SEKISHO_SECRETS_TTL old, the secrets that do
// not stand in a variable themselves, and uses those that changed. What cannot be
// read or used stays as it was; the log says which.
func (a *App) Renew(ctx context.Context) {
	err := a.live.settings.secrets.Renew(ctx, func(name, value string) error {
		err := a.live.use(name, value)
		if err != nil {
			a.Log.WarnContext(ctx, "a secret changed, and the one of before stays in use", "variable", name, "error", err)
		} else {
			a.Log.InfoContext(ctx, "a secret changed, and the new one is in use", "variable", name)
		}
		return err
	})
	if err != nil {
		a.Log.WarnContext(ctx, "secrets could not be read again: those of before stay", "error", err)
	}
}

// KeepRenewing renews until ctx ends.
func (a *App) KeepRenewing(ctx context.Context) {
	keep(ctx, a.live.settings.secretsTTL, func() { a.Renew(ctx) })
}

// renewWithin is what a renewal may add to an invocation: a command takes up to
// 2.5 s, and Slack waits 3 s.
const renewWithin = 300 * time.Millisecond

// renewBefore renews before an invocation: between two, a function is frozen.
// What takes longer goes on beside the invocation, and is there for the next.
func (a *App) renewBefore(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Renew(context.WithoutCancel(ctx))
	}()
	select {
	case <-done:
	case <-time.After(renewWithin):
	}
}

// use puts the secret in the place of the one before. Errors hold neither.
func (l *live) use(name, value string) error {
	switch name {
	case varBotToken:
		return l.useTokens(value, l.taken(varAppToken))
	case varAppToken:
		return l.useTokens(l.taken(varBotToken), value)
	case varSigningSecret:
		l.verifier.Renew(value)
	case varRedis:
		return l.login.Renew(value)
	case varPepper:
		return errors.New("the pepper seals passes and the trail, and never changes: put the old one back")
	case varConfig:
		return errors.New("the policy is read at the start: restart to follow this one")
	default:
		return fmt.Errorf("%s is read at the start: restart to use it", name)
	}
	return nil
}

// taken is the token in use: empty where the process has none.
func (l *live) taken(name string) string {
	value, _ := l.settings.secrets.Value(name) // it was read once
	return value
}

// useTokens speaks to Slack with these from now on.
func (l *live) useTokens(bot, app string) error {
	if err := errors.Join(botToken().check(bot), appToken().check(app)); err != nil {
		return err
	}
	s := l.settings
	s.botToken, s.appToken = bot, app
	l.slack.Store(newSlack(s, l.http))
	return nil
}
