package main

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/bot"
	"sekisho/bot/cmd/wire"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
	"sekisho/infra/redisstore"
)

// world is the whole program in this process, with a real Redis, and an AWS
// and a Slack of our own that count what is asked of them.
type world struct {
	app    *wire.App
	env    map[string]string
	cloud  *awssim.Cloud
	store  *redisstore.Store // tapped
	redis  tap
	slack  atomic.Int64
	events chan []byte // the cloud's
	acts   chan trips  // counted when the gate acts on a start that it lets in
	closes []func()
}

func newWorld(ctx context.Context, shop *workshop) (*world, error) {
	return newWorldOf(ctx, shop, nil, nil)
}

// newWorldOf is a world with another policy, where somebody watches what is
// asked of AWS; either may be nil.
func newWorldOf(ctx context.Context, shop *workshop, policy func(*workshop) (path string, err error), watch func(awssim.Call)) (w *world, err error) {
	w = &world{events: make(chan []byte, 10), acts: make(chan trips, 10)}
	defer func() {
		if err != nil {
			w.Close()
		}
	}()
	env, err := shop.environment()
	if err != nil {
		return nil, err
	}
	w.env = env
	if policy != nil {
		if env["SEKISHO_CONFIG"], err = policy(shop); err != nil {
			return nil, err
		}
	}
	server, err := startRedis(ctx, shop.dir)
	if err != nil {
		return nil, err
	}
	w.closes = append(w.closes, func() { server.Close() })
	env["REDIS_URL"] = server.url()
	awsURL, err := w.startCloud(watch)
	if err != nil {
		return nil, err
	}
	env["AWS_ENDPOINT_URL"] = awsURL
	env["SEKISHO_QUEUE_URL"] = w.cloud.CreateQueue("sekisho", time.Minute, "", 0)
	slackURL, err := w.startSlack()
	if err != nil {
		return nil, err
	}
	env["SLACK_API_URL"] = slackURL + "/api/"
	w.app, err = wire.New(ctx, wire.Config{
		Env: func(name string) string { return env[name] }, Doors: bot.Doors{HTTP: true, Gate: true, Keys: true},
		AWS: func(string) aws.Config { return cloudConfig(env, awsURL) },
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	w.closes = append(w.closes, func() { w.app.Close() })
	return w, w.tapStore(server)
}

// tapStore puts a store in the program's place whose round trips are counted.
func (w *world) tapStore(server *redisServer) error {
	client, err := server.dial()
	if err != nil {
		return err
	}
	w.closes = append(w.closes, func() { client.Close() })
	client.AddHook(&w.redis)
	store := redisstore.New(client)
	w.store = store
	d := w.app.Desk
	d.Cards, d.Gate.Starts, d.Passes.Store, d.Passes.Asks, d.Requests.Store = store, store, store, store, store
	d.Trail = store.Trail(d.Passes.Pepper)
	return nil
}

// startCloud starts an AWS where a started instance stays pending.
func (w *world) startCloud(watch func(awssim.Call)) (url string, err error) {
	w.cloud = awssim.New(awssim.Options{BootTime: time.Hour, OnCall: func(c awssim.Call) {
		if watch != nil {
			watch(c)
		}
		if c.Action == "DeleteTags" {
			w.acts <- w.count()
		}
	}})
	w.closes = append(w.closes, w.cloud.Close)
	w.cloud.OnEvent(func(event []byte) {
		if bytes.Contains(event, []byte(`"EC2 Instance State-change Notification"`)) {
			w.events <- event // CloudTrail's word on who it was is not waited for
		}
	})
	if url, err = w.listen(w.cloud.Handler()); err == nil {
		w.cloud.SetBaseURL(url)
	}
	return url, err
}

func (w *world) startSlack() (url string, err error) {
	slack := slacksim.New(slacksim.Options{
		BotToken: botToken, SigningSecret: signingSecret,
		Users:    []slacksim.User{{ID: person, Name: "bench"}, {ID: approver, Name: "approver"}},
		Channels: []slacksim.Channel{{ID: alerts, Name: "alerts", Members: []string{person}}, {ID: "C0REPORT", Name: "reports", Members: []string{person}}},
	})
	w.closes = append(w.closes, slack.Close)
	handler := slack.Handler()
	return w.listen(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.slack.Add(1)
		handler.ServeHTTP(rw, r)
	}))
}

// listen serves until the world is closed.
func (w *world) listen(h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	s := &http.Server{Handler: h}
	go s.Serve(l)
	w.closes = append(w.closes, func() { s.Close() })
	return "http://" + l.Addr().String(), nil
}

// Close ends all of it, the last that was started first.
func (w *world) Close() {
	for n := len(w.closes) - 1; n >= 0; n-- {
		w.closes[n]()
	}
}

func (w *world) count() trips {
	t := trips{redis: w.redis.count(), slack: int(w.slack.Load())}
	for _, c := range w.cloud.Calls() {
		switch c.Service {
		case "ec2":
			t.ec2++
		case "sqs":
			t.sqs++
		}
	}
	return t
}

// command sends a signed slash command through the http door.
func (w *world) command(ctx context.Context, text string) error {
	url, err := w.listen(w.app.HTTP)
	if err != nil {
		return err
	}
	return send(ctx, strings.TrimPrefix(url, "http://"), text, "One-time pass")
}

func cloudConfig(env map[string]string, url string) aws.Config {
	return aws.Config{
		Region: env["AWS_REGION"], BaseEndpoint: aws.String(url),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: env["AWS_ACCESS_KEY_ID"], SecretAccessKey: env["AWS_SECRET_ACCESS_KEY"]}, nil
		}),
	}
}
