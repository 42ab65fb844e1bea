package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"sekisho/bot/cmd/wire"
	"sekisho/infra/metrics/prom"
)

// listenOps serves those who run the program, until it is closed: GET /healthz
// (the process is alive), /readyz (it can do its work) and /metrics (Prometheus).
// Nobody is asked who they are: the address is to be one that only they reach.
func listenOps(ctx context.Context, app *wire.App, address string) (io.Closer, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("SEKISHO_OPS: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "alive\n") })
	mux.Handle("GET /readyz", app.Ready)
	mux.Handle("GET /metrics", prom.Handler(app.Meter))
	server := &http.Server{
		Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second,
		WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	app.Log.InfoContext(ctx, "listening for operations", "address", l.Addr().String())
	go serveOps(server, l, app.Log)
	return server, nil
}

// serveOps serves until the server is closed. That it cannot is no reason to stop
// guarding: whoever asks for its health sees it.
func serveOps(server *http.Server, l net.Listener, log *slog.Logger) {
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		log.Error("nothing is served for operations any more", "error", err)
	}
}
