package bot

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	readyWithin = 2 * time.Second
	// readyFor is how long an answer holds: probes come often, and from many.
	readyFor = 5 * time.Second
)

// Readiness says whether the process can do its work.
type Readiness struct {
	Needs []Need
	Now   func() time.Time
	Log   *slog.Logger

	ending atomic.Bool
	mu     sync.Mutex // held while it looks: who asks meanwhile gets the same answer
	looked time.Time
	away   []string
}

// Need is something without which there is no work.
type Need struct {
	Name  string
	Reach func(context.Context) error
}

// End says that the process ends: nothing more is to be sent here.
func (r *Readiness) End() { r.ending.Store(true) }

// ServeHTTP answers GET /readyz: 200, or 503 with what cannot be reached.
func (r *Readiness) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.answer(req.Context()).write(w)
}

func (r *Readiness) answer(ctx context.Context) answer {
	if r.ending.Load() {
		return plain(http.StatusServiceUnavailable, "not ready: this process is ending\n")
	}
	if away := r.look(ctx); len(away) > 0 {
		return plain(http.StatusServiceUnavailable, "not ready: "+strings.Join(away, " and ")+" cannot be reached; the log says why\n")
	}
	return plain(http.StatusOK, "ready\n")
}

// look names what cannot be reached.
func (r *Readiness) look(ctx context.Context) (away []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.looked.IsZero() && r.Now().Sub(r.looked) < readyFor {
		return r.away
	}
	// The answer is not for this caller alone, who may give up.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWithin)
	defer cancel()
	failed := make([]error, len(r.Needs))
	var all sync.WaitGroup
	for n, need := range r.Needs {
		all.Go(func() { failed[n] = need.Reach(ctx) })
	}
	all.Wait()
	for n, err := range failed {
		if err != nil {
			r.Log.WarnContext(ctx, "not ready", "cannot_reach", r.Needs[n].Name, "error", err)
			away = append(away, r.Needs[n].Name)
		}
	}
	r.looked, r.away = r.Now(), away
	return away
}
