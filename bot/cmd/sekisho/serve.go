package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"golang.org/x/sync/errgroup"

	"sekisho/bot"
	"sekisho/bot/cmd/wire"
	"sekisho/bot/cmd/wire/health"
	"sekisho/bot/cmd/wire/reports"
)

type serveCmd struct {
	Ops string `help:"Serve /healthz, /readyz and /metrics there, to those who run it." env:"SEKISHO_OPS" placeholder:"HOST:PORT"`
}

// Run opens the doors and works until ctx ends.
func (c serveCmd) Run(ctx context.Context, log *slog.Logger) error {
	doors, err := bot.ReadDoors(os.Getenv("SEKISHO_DOORS"))
	if err != nil {
		return err
	}
	app, err := newApp(ctx, os.Getenv, doors, log, os.Stdout)
	if err != nil {
		return err
	}
	defer app.Close()
	if c.Ops != "" {
		ops, err := listenOps(ctx, app, c.Ops)
		if err != nil {
			return err
		}
		defer ops.Close()
	}
	return serve(ctx, app, os.Getenv("SEKISHO_LISTEN"))
}

// newApp wires the program with AWS configured as the SDK does it everywhere.
// The trail's lines of JSON go to lines.
func newApp(ctx context.Context, env wire.Env, doors bot.Doors, log *slog.Logger, lines io.Writer) (*wire.App, error) {
	one, err := awsConfig(ctx, env)
	if err != nil {
		return nil, err
	}
	if one("ec2").Region == "" {
		return nil, errors.New("no AWS region: set AWS_REGION to the region of the guarded instances")
	}
	app, err := wire.New(ctx, wire.Config{Env: env, Doors: doors, Log: log, Lines: lines, AWS: one, Now: now})
	if err != nil {
		return nil, err
	}
	reports.Add(app, one)
	if err := health.Add(app, env, one); err != nil {
		return nil, errors.Join(err, app.Close())
	}
	return app, nil
}

// awsConfig gives the configuration for one service, as the SDK reads it.
func awsConfig(ctx context.Context, env wire.Env) (func(service string) aws.Config, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("AWS's configuration: %w", err)
	}
	return func(service string) aws.Config {
		special := c.Copy()
		if url := wire.Endpoint(env, service); url != nil {
			special.BaseEndpoint = url
		}
		return special
	}, nil
}

// pollers read each queue side by side, so that one batch that takes long,
// because Slack is slow, does not keep the next start waiting.
const pollers = 4

// serve runs every open door. When ctx ends, or one door fails for good, all
// stop taking work and finish what they began.
func serve(ctx context.Context, app *wire.App, listen string) error {
	doors := app.Doors
	if !doors.Gate {
		app.Log.WarnContext(ctx, "the gate door is closed here: another process must guard")
	}
	all, ctx := errgroup.WithContext(ctx)
	context.AfterFunc(ctx, app.Ready.End)
	if doors.HTTP {
		all.Go(func() error { return listenHTTP(ctx, app, listen) })
	}
	if doors.Socket {
		all.Go(func() error { return app.Socket.Run(ctx) })
	}
	if doors.Events() {
		for _, queue := range app.Queues() {
			for range pollers {
				all.Go(func() error { app.Bot.Poll(ctx, queue); return nil })
			}
		}
	}
	all.Go(func() error { app.KeepRenewing(ctx); return nil })
	all.Go(func() error { app.KeepFlushing(ctx); return nil })
	all.Go(func() error {
		if err := errors.Join(app.Desk.NoticePolicy(ctx), app.Desk.CheckOnce(ctx)); err != nil {
			app.Log.WarnContext(ctx, "at the start", "error", err) // the sweep notices the policy, too
		}
		return nil
	})
	app.Log.InfoContext(ctx, "open", "doors", doors, "mode", app.Desk.Policy.Gate.Mode)
	err := all.Wait()
	app.Flush()
	app.Log.InfoContext(ctx, "closed", "error", err)
	return err
}

func listenHTTP(ctx context.Context, app *wire.App, address string) error {
	if address == "" {
		address = "127.0.0.1:8080"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("SEKISHO_LISTEN: %w", err)
	}
	app.Log.InfoContext(ctx, "listening", "address", l.Addr().String())
	server := &http.Server{
		Handler: app.HTTP, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 15 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
	done := make(chan error, 1)
	go func() {
		<-ctx.Done()
		finish, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		done <- server.Shutdown(finish)
	}()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("the http door: %w", err)
	}
	return <-done
}

// runLambda serves invocations, and returns only where it cannot: the whole
// program in one function. The bootstrap program beside this one does the same
// and starts sooner.
func runLambda(env wire.Env, log *slog.Logger) error {
	doors, err := bot.ReadDoors(env("SEKISHO_DOORS"))
	if err != nil {
		return err
	}
	app, err := newApp(context.Background(), env, doors, log, os.Stdout)
	if err != nil {
		return err
	}
	lambda.Start(app.Lambda())
	return nil
}
