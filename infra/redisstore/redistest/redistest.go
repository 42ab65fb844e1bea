// Package redistest starts real Redis servers for tests.
package redistest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Server starts a redis-server for this test and gives its address. Where the
// program is missing the test is skipped, or fails on CI.
func Server(t testing.TB) (addr string) {
	t.Helper()
	addr, _ = start(t, "Ready to accept connections")
	return addr
}

// Cluster starts three nodes, a third of the slots on each, and gives their
// addresses.
func Cluster(t testing.TB) (addrs []string) {
	t.Helper()
	var logs []*bufio.Scanner
	var nodes []*redis.Client
	for range 3 {
		addr, log := start(t, "Ready to accept connections", "--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf")
		addrs, logs = append(addrs, addr), append(logs, log)
		nodes = append(nodes, redis.NewClient(&redis.Options{Addr: addr}))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	const slots = 16384 // https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
	for n, node := range nodes {
		defer node.Close()
		host, port, _ := net.SplitHostPort(addrs[n])
		if err := node.ClusterAddSlotsRange(ctx, slots*n/3, slots*(n+1)/3-1).Err(); err != nil {
			t.Fatalf("giving node %d its slots: %v", n, err)
		}
		if err := nodes[0].ClusterMeet(ctx, host, port).Err(); err != nil && n > 0 {
			t.Fatalf("introducing node %d: %v", n, err)
		}
	}
	for _, log := range logs {
		waitFor(t, log, "Cluster state changed: ok")
	}
	return addrs
}

func start(t testing.TB, ready string, args ...string) (string, *bufio.Scanner) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		const how = "redis-server is not installed: run `make setup`"
		if os.Getenv("CI") != "" {
			t.Fatal(how)
		}
		t.Skip(how)
	}
	port := freePort(t)
	cmd := exec.Command(program, append([]string{
		"--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir(),
	}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting redis-server: %v", err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		io.Copy(io.Discard, out)
		cmd.Wait()
	})
	log := bufio.NewScanner(out)
	waitFor(t, log, ready)
	return fmt.Sprintf("127.0.0.1:%d", port), log
}

func waitFor(t testing.TB, log *bufio.Scanner, line string) {
	t.Helper()
	var seen []string
	for log.Scan() {
		if strings.Contains(log.Text(), line) {
			return
		}
		seen = append(seen, log.Text())
	}
	t.Fatalf("redis-server ended before it said %q:\n%s", line, strings.Join(seen, "\n"))
}

// freePort finds a port whose cluster bus port, 10,000 above it, is free too.
func freePort(t testing.TB) int {
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		l.Close()
		if port+10000 > 65535 {
			port -= 20000
		}
		if bus, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port+10000)); err == nil {
			bus.Close()
			if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
				l.Close()
				return port
			}
		}
	}
	t.Fatal("no free port for redis-server")
	return 0
}
