package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

type healthcheckCmd struct {
	Address string `help:"Where sekisho serve --ops listens." env:"SEKISHO_OPS" placeholder:"HOST:PORT"`
}

// healthWithin is less than a container's runtime waits by itself.
const healthWithin = 3 * time.Second

// Run asks a running `sekisho serve` whether it is alive: a container's health
// check, where there is neither a shell nor curl.
func (c healthcheckCmd) Run(ctx context.Context) error {
	if c.Address == "" {
		return errors.New("nobody to ask: set SEKISHO_OPS for this and for `sekisho serve`, such as SEKISHO_OPS=127.0.0.1:9090")
	}
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return fmt.Errorf("SEKISHO_OPS: %w; write host:port, such as 127.0.0.1:9090", err)
	}
	url := "http://" + net.JoinHostPort(cmp.Or(host, "localhost"), port) + "/healthz"
	ctx, cancel := context.WithTimeoutCause(ctx, healthWithin, fmt.Errorf("no answer within %v", healthWithin))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("SEKISHO_OPS: %w", err)
	}
	answer, err := new(http.Transport).RoundTrip(r) // through no proxy
	if err != nil {
		return fmt.Errorf("%s: %w", url, cmp.Or(context.Cause(ctx), err))
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, answer.Status)
	}
	fmt.Println("alive")
	return nil
}
