package main

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"sekisho/infra/redisstore/redistest"
)

var opsAddress = regexp.MustCompile(`"listening for operations","address":"([^"]+)"`)

// ops is where the program serves those who run it.
func (p *program) ops() string {
	p.t.Helper()
	p.waitFor("listening for operations")
	return opsAddress.FindStringSubmatch(p.said.String())[1]
}

func ask(t *testing.T, address, path string) (status int, body string) {
	t.Helper()
	answer, err := http.Get("http://" + address + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(text)
}

// becomes waits until the program answers so. It remembers its answer for a while.
func becomes(t *testing.T, address, path string, status int, says string) {
	t.Helper()
	over := time.After(patience)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		got, body := ask(t, address, path)
		if got == status && strings.Contains(body, says) {
			return
		}
		select {
		case <-again.C:
		case <-over:
			t.Fatalf("%s is still %d %q; want %d %q", path, got, body, status, says)
		}
	}
}

func TestOperationsSeeHowItDoes(t *testing.T) {
	w := open(t, "enforce", "stop")
	proxy := redistest.NewProxy(t, w.redis)
	w.env = append(w.env, "REDIS_URL=redis://"+proxy.Addr)
	bot := w.run([]string{"serve", "--ops", "127.0.0.1:0"})
	bot.waitFor("socket mode: connected")
	at := bot.ops()
	if status, body := ask(t, at, "/healthz"); status != http.StatusOK || body != "alive\n" {
		t.Errorf("healthz: %d %q", status, body)
	}
	becomes(t, at, "/readyz", http.StatusOK, "ready")
	if status, _ := ask(t, at, "/slack/commands"); status != http.StatusNotFound {
		t.Errorf("Slack's requests are answered with %d", status)
	}

	w.do(w.AWS.SetTag(w.instance("web-1").ID, "Auth", w.pass(hana, "web-1")))
	w.do(w.AWS.StartInstance(w.instance("web-1").ID))
	w.card("<@U0HANA> was let in", "web-1")
	for _, sample := range []string{
		`sekisho_decisions_total{act="pass.issue",outcome="done"} 1`,
		`sekisho_decisions_total{act="start.judge",outcome="done"} 1`,
		`sekisho_door_latency_seconds_count{door="socket"} 1`,
		`sekisho_gate_latency_seconds_count `,
		`sekisho_event_lag_seconds_count{way="sqs"} `,
		`sekisho_socket_connections 1`,
		`go_goroutines `,
	} {
		becomes(t, at, "/metrics", http.StatusOK, "\n"+sample)
	}

	proxy.Cut()
	becomes(t, at, "/readyz", http.StatusServiceUnavailable, "not ready: Redis cannot be reached")
	if status, _ := ask(t, at, "/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d: it is alive without Redis, too", status)
	}
	becomes(t, at, "/metrics", http.StatusOK, `sekisho_errors_total{service="Redis"}`)

	check := w.run([]string{"healthcheck"}, "SEKISHO_OPS="+at)
	if code := check.end(); code != 0 || check.said.String() != "alive\n" {
		t.Errorf("healthcheck ended with %d: %q", code, check.said)
	}
	if code := bot.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, line := range []string{`"DoorLatency":[`, `"Decisions":1,"Outcome":"done"`, `"Namespace":"Sekisho"`} {
		if !strings.Contains(bot.said.String(), line) {
			t.Errorf("at its end it did not write %s", line)
		}
	}
	check = w.run([]string{"healthcheck", "--address", at})
	if code := check.end(); code != 1 || !strings.Contains(check.said.String(), "connection refused") {
		t.Errorf("of a process that has ended, healthcheck ended with %d: %q", code, check.said)
	}
}

// A load balancer must send nothing more from the first moment of the end, while
// what was begun is finished.
func TestAnEndingProcessIsNotReady(t *testing.T) {
	w := open(t, "enforce", "stop")
	bot := w.run([]string{"serve"}, "SEKISHO_DOORS=http", "SEKISHO_LISTEN=127.0.0.1:0", "SEKISHO_OPS=127.0.0.1:0")
	at := bot.ops()
	bot.waitFor(`"msg":"listening","address"`)
	becomes(t, at, "/readyz", http.StatusOK, "ready")
	door := regexp.MustCompile(`"listening","address":"([^"]+)"`).FindStringSubmatch(bot.said.String())[1]
	if status, body := ask(t, door, "/readyz"); status != http.StatusOK || body != "ready\n" {
		t.Errorf("the http door's readyz: %d %q", status, body)
	}
	begun, err := net.Dial("tcp", door)
	w.do(err)
	defer begun.Close()
	fmt.Fprint(begun, "POST /slack/commands HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n")
	if n, err := begun.Read(make([]byte, 100)); err != nil || n == 0 { // 100 Continue: it reads the body now
		t.Fatal(err)
	}
	bot.Process.Signal(syscall.SIGTERM)
	becomes(t, at, "/readyz", http.StatusServiceUnavailable, "ending")
	if status, _ := ask(t, at, "/healthz"); status != http.StatusOK {
		t.Errorf("healthz: %d, though it finishes its work", status)
	}
	fmt.Fprint(begun, "text")
	if code := bot.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestAnAddressThatIsTakenIsSaid(t *testing.T) {
	w := open(t, "enforce", "stop")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.do(err)
	defer l.Close()
	bot := w.run([]string{"serve"}, "SEKISHO_OPS="+l.Addr().String())
	if code := bot.end(); code != 1 || !strings.Contains(bot.said.String(), "SEKISHO_OPS: listen tcp") {
		t.Errorf("exit code %d: %s", code, bot.said)
	}
}

func TestAHealthcheckThatFailsSaysWhy(t *testing.T) {
	ill := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }))
	t.Cleanup(ill.Close)
	hanging, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hanging.Close() })
	for address, says := range map[string]string{
		"":                           "set SEKISHO_OPS",
		"9090":                       "write host:port",
		"127.0.0.1:x y":              "SEKISHO_OPS",
		ill.Listener.Addr().String(): "502",
		hanging.Addr().String():      "no answer within 3s",
	} {
		t.Run(address, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			err := healthcheckCmd{Address: address}.Run(t.Context())
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("the error is %v; want one that says %q", err, says)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// A server on every address is asked on this machine's own.
func TestAHealthcheckOfEveryAddress(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "alive\n") })}
	go server.Serve(l)
	defer server.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, host := range []string{"", "0.0.0.0", "[::]", "localhost", "127.0.0.1"} {
		if err := (healthcheckCmd{Address: host + ":" + port}).Run(t.Context()); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestThatOpsAreServedNoLongerIsLogged(t *testing.T) {
	for ends, want := range map[string]int{"closed": 0, "broken": 1} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		log, server := new(bytes.Buffer), new(http.Server)
		if ends == "closed" {
			server.Close()
		}
		l.Close()
		serveOps(server, l, slog.New(slog.NewTextHandler(log, nil)))
		if got := strings.Count(log.String(), "level=ERROR"); got != want {
			t.Errorf("%s: %d lines, want %d: %s", ends, got, want, log)
		}
	}
}
