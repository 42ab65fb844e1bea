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
	changed, err := a.live.settings.secrets.Renew(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "secrets could not be read again: those of before stay", "error", err)
	}
	for _, name := range changed {
		if err := a.live.use(name); err != nil {
			a.Log.WarnContext(ctx, "a secret changed, and the one of before stays in use", "variable", name, "error", err)
			continue
		}
		a.Log.InfoContext(ctx, "a secret changed, and the new one is in use", "variable", name)
	}
}

// KeepRenewing renews until ctx ends.
func (a *App) KeepRenewing(ctx context.Context) {
	for pause(ctx, a.live.settings.secretsTTL) == nil {
		a.Renew(ctx)
	}
}

// renewWithin is what a renewal may add to an invocation: Slack waits 3 s.
const renewWithin = time.Second

// renewBefore renews before an invocation: between two, a function is frozen.
func (a *App) renewBefore(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, renewWithin)
	defer cancel()
	a.Renew(ctx)
}

// use puts the secret of now in the place of the one before. Errors hold neither.
func (l *live) use(name string) error {
	value, err := l.settings.secrets.Value(name)
	if err != nil {
		return err
	}
	switch name {
	case varBotToken, varAppToken:
		r, fresh := reader{secrets: l.settings.secrets}, l.settings
		fresh.botToken = r.botToken()
		if fresh.appToken != "" {
			fresh.appToken = r.appToken()
		}
		if len(r.faults) > 0 {
			return errors.Join(r.faults...)
		}
		l.slack.Store(newSlack(fresh, l.http))
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
