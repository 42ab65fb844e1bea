package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// helpRequest is a signed `/ec2-pass help` as it goes over the wire.
func helpRequest(host string) []byte {
	body := slash("help")
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST /slack/commands HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", host, len(body))
	signed(body).Write(&b)
	b.WriteString("\r\n" + body)
	return b.Bytes()
}

// load sends the request over a number of connections, each as soon as the one
// before it is answered, and gives the answers per second. It does so with as
// little work as can be: what the load costs is taken from the server.
func load(addr string, request []byte, connections int, d time.Duration) (perSecond float64, err error) {
	var answered atomic.Int64
	var all sync.WaitGroup
	failed := make(chan error, connections)
	begin := time.Now()
	for range connections {
		all.Go(func() {
			n, err := ask(addr, request, begin.Add(d))
			answered.Add(n)
			if err != nil {
				failed <- err
			}
		})
	}
	all.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
		return float64(answered.Load()) / time.Since(begin).Seconds(), nil
	}
}

// ask sends the request again and again over one connection.
func ask(addr string, request []byte, until time.Time) (n int64, err error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	r := bufio.NewReader(c)
	for time.Now().Before(until) {
		if _, err := c.Write(request); err != nil {
			return n, err
		}
		if err := readAnswer(r); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// readAnswer reads over one answer, which must be a 200 that says its length.
func readAnswer(r *bufio.Reader) error {
	status, err := r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answered %q", status)
	}
	length := -1
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if length < 0 {
		return errors.New("an answer without Content-Length")
	}
	_, err = r.Discard(length)
	return err
}
