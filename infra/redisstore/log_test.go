package redisstore_test

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"

	"sekisho/infra/redisstore"
)

// lines takes one line at a time, and drops what nobody waits for.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	select {
	case l <- string(line):
	default:
	}
	return len(line), nil
}

// What go-redis says of itself is a line of JSON, too.
func TestGoRedisWritesToTheLog(t *testing.T) {
	log := make(lines, 1)
	redisstore.LogTo(slog.New(slog.NewJSONHandler(log, nil)))
	t.Cleanup(func() { redisstore.LogTo(slog.New(slog.DiscardHandler)) })
	client, err := redisstore.Dial("redis://127.0.0.1:1") // where nobody listens
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.Ping(t.Context())
	text := <-log
	var line struct{ Level, Says string }
	if err := json.Unmarshal([]byte(text), &line); err != nil || line.Level != "WARN" || !strings.Contains(line.Says, "failed to dial") {
		t.Errorf("%v: %s", err, text)
	}
}
