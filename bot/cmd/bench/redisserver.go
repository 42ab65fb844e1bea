package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"sekisho/infra/redisstore"
)

// redisServer is a real Redis of our own, without persistence.
type redisServer struct {
	port string
	cmd  *exec.Cmd
}

func startRedis(ctx context.Context, dir string) (*redisServer, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: run `make setup`", err)
	}
	s := &redisServer{port, cmd}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			go io.Copy(io.Discard, out)
			return s, nil
		}
	}
	return nil, errors.Join(errors.New("redis-server ended before it was ready"), s.Close())
}

// Close ends the server.
func (s *redisServer) Close() error {
	s.cmd.Process.Kill()
	s.cmd.Wait() // says that it was killed
	return nil
}

// dial makes a client in the way the program does.
func (s *redisServer) dial() (*redis.Client, error) {
	client, err := redisstore.Dial(s.url())
	if err != nil {
		return nil, err
	}
	return client.(*redis.Client), nil
}

// admin makes a client for what is not measured, which may take its time.
func (s *redisServer) admin() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: "127.0.0.1:" + s.port, ReadTimeout: time.Minute, WriteTimeout: time.Minute})
}

func (s *redisServer) url() string { return "redis://127.0.0.1:" + s.port }

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}
