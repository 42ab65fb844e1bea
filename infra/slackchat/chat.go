// Package slackchat says things in Slack, at the pace that Slack allows.
package slackchat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/time/rate"
)

// Slack lets an app post one message a second in a channel, with short bursts:
// https://docs.slack.dev/apis/web-api/rate-limits
const (
	postEvery = time.Second
	postBurst = 3
)

// longestWait is how long a Retry-After may be to be waited for here. A longer
// one is an error: the queue tries again, and nobody is kept.
const longestWait = 5 * time.Second

// Chat speaks for the bot. It is safe for concurrent use.
type Chat struct {
	api   func() *slack.Client
	http  *http.Client
	hosts []string // that a response URL may point to
	mu    sync.Mutex
	paces map[string]*rate.Limiter // by channel
	ims   map[string]string        // the channels of direct messages, by user
}

// most is how many channels and users are remembered. Who is forgotten is
// looked up again.
const most = 10_000

// New makes a Chat. api gives the client of now: its token may change while the
// bot runs. apiURL is empty for Slack itself, or the base of another
// Web API, which may then be named by response URLs too.
func New(api func() *slack.Client, client *http.Client, apiURL string) *Chat {
	c := &Chat{
		api:   api,
		http:  client,
		hosts: []string{"https://hooks.slack.com"},
		paces: make(map[string]*rate.Limiter),
		ims:   make(map[string]string),
	}
	if u, err := url.Parse(apiURL); err == nil && u.Host != "" {
		c.hosts = append(c.hosts, u.Scheme+"://"+u.Host)
	}
	return c
}

// Post says something in a channel, or in the thread of the message ts.
// Names and URLs in the text stay as they are: no mention, no preview. The
// error wraps auth.ErrNotReachable where trying again is no use, and
// report.ErrUnsure where it may have been said.
func (c *Chat) Post(ctx context.Context, channel, thread, text string, blocks []slack.Block) (string, error) {
	ts, err := c.post(ctx, channel, thread, text, blocks)
	if err != nil {
		return "", fmt.Errorf("posting in %s: %w", channel, c.unsaid(err))
	}
	return ts, nil
}

func (c *Chat) post(ctx context.Context, channel, thread, text string, blocks []slack.Block) (ts string, err error) {
	options := append(contents(text, blocks), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
	if thread != "" {
		options = append(options, slack.MsgOptionTS(thread))
	}
	err = c.patiently(ctx, func() (err error) {
		if err := c.pace(channel).Wait(ctx); err != nil {
			return fmt.Errorf("%w: %w", errUnsent, err)
		}
		_, ts, err = c.api().PostMessageContext(ctx, channel, options...)
		return err
	})
	return ts, err
}

// Update rewrites a message of the bot's own. One that somebody has deleted
// needs no update: that is no error.
func (c *Chat) Update(ctx context.Context, channel, ts, text string, blocks []slack.Block) error {
	err := c.patiently(ctx, func() error {
		_, _, _, err := c.api().UpdateMessageContext(ctx, channel, ts, contents(text, blocks)...)
		return err
	})
	if refusal(err).Err == "message_not_found" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("updating a message in %s: %w", channel, c.unreachable(err))
	}
	return nil
}

func contents(text string, blocks []slack.Block) []slack.MsgOption {
	return []slack.MsgOption{slack.MsgOptionText(text, false), slack.MsgOptionBlocks(blocks...)}
}

// patiently obeys a Retry-After that is short.
func (c *Chat) patiently(ctx context.Context, call func() error) error {
	for {
		err := call()
		var limited *slack.RateLimitedError
		if !errors.As(err, &limited) || limited.RetryAfter > longestWait {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", errUnsent, context.Cause(ctx))
		case <-time.After(limited.RetryAfter):
		}
	}
}

func (c *Chat) pace(channel string) *rate.Limiter {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.paces[channel]
	if !ok {
		p = rate.NewLimiter(rate.Every(postEvery), postBurst)
		makeRoom(c.paces)
		c.paces[channel] = p
	}
	return p
}

// makeRoom lets one more into a memory that is full.
func makeRoom[V any](m map[string]V) {
	for one := range m {
		if len(m) < most {
			return
		}
		delete(m, one)
	}
}

// Respond answers a request in private through its response URL, which takes 5
// answers within 30 minutes:
// https://docs.slack.dev/interactivity/handling-user-interaction#message_responses
func (c *Chat) Respond(ctx context.Context, to, text string, blocks []slack.Block, replace bool) error {
	if !c.allowed(to) {
		return errors.New("answering a request: its response URL does not point to Slack")
	}
	body, err := json.Marshal(struct {
		Type    string        `json:"response_type"`
		Text    string        `json:"text"`
		Blocks  []slack.Block `json:"blocks"`
		Replace bool          `json:"replace_original"`
	}{slack.ResponseTypeEphemeral, text, blocks, replace})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return errors.New("answering a request: its response URL cannot be read")
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("answering a request: %w", c.plain(err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		// What a server between here and Slack says is left out: it could
		// repeat the URL or the answer.
		return fmt.Errorf("answering a request: status %d (404 when the URL is used up or older than 30 minutes)", answer.StatusCode)
	}
	return nil
}

// allowed keeps a forged task from sending answers elsewhere.
func (c *Chat) allowed(to string) bool {
	for _, h := range c.hosts {
		if strings.HasPrefix(to, h+"/") {
			return true
		}
	}
	return false
}
