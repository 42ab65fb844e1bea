package main

import (
	"context"
	"fmt"
	"io"
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
	go server.Serve(l)
	app.Log.InfoContext(ctx, "listening for operations", "address", l.Addr().String())
	return server, nil
}

// flushEvery is CloudWatch's own step.
const flushEvery = time.Minute

// keepFlushing flushes until ctx ends.
func keepFlushing(ctx context.Context, flush func()) {
	every := time.NewTicker(flushEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			flush()
		}
	}
}
