package commands

import (
	"context"
	"errors"
	"strings"
	"time"
)

// openReply opens a sealed reply, which says what it was sealed for.
func (d *Desk) openReply(what, sealed string) (user, url string, err error) {
	text, err := d.Passes.Pepper.Open(sealed)
	if err != nil {
		return "", "", err
	}
	text, ours := strings.CutPrefix(text, what)
	user, url, whole := strings.Cut(text, " ")
	if !ours || !whole {
		return "", "", errors.New("it was sealed for something else")
	}
	return user, url, nil
}

// answer rewrites the answer of somebody who waits.
func (d *Desk) answer(ctx context.Context, url string, m Message) {
	if url == "" {
		return
	}
	if err := d.Chat.Respond(ctx, url, m.Text, m.Blocks, true); err != nil {
		d.Log.InfoContext(ctx, "answering somebody who waits", "error", err)
	}
}

// everySoOften says when somebody who waits should hear something: after each
// five seconds, three times at most, since Slack takes five answers.
func (d *Desk) everySoOften() func() bool {
	const every, most = 5 * time.Second, 3
	last, said := d.Now(), 0
	return func() bool {
		now := d.Now()
		if said >= most || now.Sub(last) < every {
			return false
		}
		last, said = now, said+1
		return true
	}
}
