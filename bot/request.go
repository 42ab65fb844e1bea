package bot

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
)

type requestKey struct{}

// WithRequest has every line that a LogHandler writes about this request say its
// id. Ids come from outside: one that is empty, long or not plain is replaced by
// a new one.
func WithRequest(ctx context.Context, id string) context.Context {
	if !isRequestID(id) {
		id = strconv.FormatUint(rand.Uint64(), 36)
	}
	return context.WithValue(ctx, requestKey{}, id)
}

// requestID is empty where there is none.
func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}

// isRequestID takes what AWS, Slack and proxies write, such as
// "Root=1-67891233-abcdef012345678912345678;Sampled=1".
func isRequestID(id string) bool {
	return id != "" && len(id) <= 128 && !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.:;=/+", r)
	})
}

// LogHandler adds request_id to the lines about a request. (A line's "request"
// is somebody's request for a pass.)
func LogHandler(h slog.Handler) slog.Handler { return logHandler{h} }

type logHandler struct{ slog.Handler }

func (h logHandler) Handle(ctx context.Context, r slog.Record) error {
	if id := requestID(ctx); id != "" {
		r = r.Clone()
		r.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, r)
}

func (h logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(attrs)}
}

func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
