package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/bot"
	"sekisho/bot/cmd/wire"
)

const (
	doorRounds      = 25 // short ones: what else the machine does spoils few of them
	doorRound       = 500 * time.Millisecond
	doorConnections = 32
)

// httpDoor measures a signed `/ec2-pass help` through the whole door, against
// a server that does no more than check the signature.
func httpDoor(ctx context.Context, w *workshop) ([]row, error) {
	env, err := w.environment()
	if err != nil {
		return nil, err
	}
	door, err := startServer(ctx, serveDoor, env)
	if err != nil {
		return nil, err
	}
	defer door.Close()
	verify, err := startServer(ctx, serveVerify, env)
	if err != nil {
		return nil, err
	}
	defer verify.Close()
	// What is measured must be what is meant.
	if err := errors.Join(send(ctx, door.addr, "help", helpText), send(ctx, verify.addr, "help", tiny)); err != nil {
		return nil, err
	}
	measure := func(s *server) func() (float64, error) {
		return func() (float64, error) { return load(s.addr, helpRequest(s.addr), doorConnections, doorRound) }
	}
	if _, _, err := rounds(1, measure(door), measure(verify)); err != nil { // warms both up
		return nil, err
	}
	ours, theirs, err := rounds(doorRounds, measure(door), measure(verify))
	if err != nil {
		return nil, err
	}
	r, ratio := compare("http door: signed /ec2-pass help, 32 connections", "net/http that only verifies", "%.0f/s", ours, theirs)
	return []row{r.judge(ratio, reach{atLeast: 0.7, format: "%.2f×"})}, nil
}

// The servers run as children of this program, which they are started from
// with these words.
const (
	serveWord   = "serve"
	serveDoor   = "door"
	serveVerify = "verify"
)

const tiny = "ok"

// serve runs a server until its standard input ends, and says its address.
func serve(which string) error {
	handler, err := doorHandler()
	if err != nil {
		return err
	}
	if which == serveVerify {
		handler = onlyVerify(handler.(*bot.HTTP).Verify)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Println(l.Addr())
	return http.Serve(l, handler)
}

func doorHandler() (http.Handler, error) {
	app, err := wire.New(context.Background(), wire.Config{
		Env: os.Getenv, Doors: bot.Doors{HTTP: true},
		AWS: func(string) aws.Config { return aws.Config{Region: os.Getenv("AWS_REGION")} },
		Log: slog.New(slog.NewJSONHandler(os.Stderr, nil)),
	})
	if err != nil {
		return nil, err
	}
	return app.HTTP, nil
}

func onlyVerify(v *bot.Verifier) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = v.Verify(r.Header.Get("X-Slack-Request-Timestamp"), r.Header.Get("X-Slack-Signature"), body)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		io.WriteString(w, tiny)
	})
}

// server is a child that serves.
type server struct {
	addr string
	cmd  *exec.Cmd
	stop io.Closer
}

func startServer(ctx context.Context, which string, env map[string]string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, serveWord, which)
	cmd.Env, cmd.Stderr = pairs(env), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		in.Close()
		return nil, errors.Join(fmt.Errorf("the server %q did not come up: %w", which, err), cmd.Wait())
	}
	return &server{strings.TrimSpace(addr), cmd, in}, nil
}

// Close ends the server.
func (s *server) Close() error {
	s.stop.Close()
	return s.cmd.Wait()
}

// send sends one signed slash command, whose answer must hold the wanted text.
func send(ctx context.Context, addr, text, wanted string) error {
	body := slash(text)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/slack/commands", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header = signed(body)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || !strings.Contains(string(got), wanted) {
		return errors.Join(fmt.Errorf("not the expected answer: %s, %q", answer.Status, got), err)
	}
	return nil
}
