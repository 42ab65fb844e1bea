package wire

import (
	"io"
	"log/slog"

	"sekisho/bot"
	"sekisho/infra/redisstore"
)

// NewLog makes the program's log, lines of JSON. What libraries say by themselves
// goes there as warnings: AWS's Lambda runtime and net/http through package log.
func NewLog(w io.Writer) *slog.Logger {
	log := slog.New(bot.LogHandler(slog.NewJSONHandler(w, nil)))
	slog.SetLogLoggerLevel(slog.LevelWarn)
	slog.SetDefault(log)
	redisstore.LogTo(log)
	return log
}
