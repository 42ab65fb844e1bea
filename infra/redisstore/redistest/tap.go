package redistest

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
)

// Tap stands before a Redis server and shows a test each command.
type Tap struct {
	Addr   string
	target string
	around Around

	listener net.Listener
	open     sync.WaitGroup
}

// Around is called with each command, one at a time on each connection. do has
// the server do it. The answer goes on when Around returns; with an error it is
// kept, and the connection ends.
type Around func(command []string, do func() error) error

// NewTap starts a tap to the server. Close it.
func NewTap(t testing.TB, target string, around Around) *Tap {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	tap := &Tap{Addr: l.Addr().String(), target: target, around: around, listener: l}
	tap.open.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			tap.open.Go(func() { tap.serve(near) })
		}
	})
	return tap
}

// Close waits until the last client has hung up.
func (tap *Tap) Close() {
	tap.listener.Close()
	tap.open.Wait()
}

func (tap *Tap) serve(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", tap.target)
	if err != nil {
		return
	}
	defer far.Close()
	asked, answered := bufio.NewReader(near), bufio.NewReader(far)
	for {
		var command, answer value
		if command.read(asked) != nil {
			return
		}
		err := tap.around(command.texts, func() error {
			if _, err := far.Write(command.raw.Bytes()); err != nil {
				return err
			}
			return answer.read(answered)
		})
		if err != nil {
			return
		}
		if _, err := near.Write(answer.raw.Bytes()); err != nil {
			return
		}
	}
}

// value is a command or an answer as it travels:
// https://redis.io/docs/latest/develop/reference/protocol-spec/
type value struct {
	raw   bytes.Buffer
	texts []string // the bulk strings in it
}

func (v *value) read(from *bufio.Reader) error {
	line, err := from.ReadBytes('\n')
	if err != nil {
		return err
	}
	v.raw.Write(line)
	switch line[0] {
	case '+', '-', ':', '_', '#', ',', '(': // the line is all
		return nil
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(line[1:])))
	if err != nil {
		return fmt.Errorf("redistest: a size cannot be read: %q", line)
	}
	switch line[0] {
	case '$', '=', '!':
		return v.text(from, n)
	case '%':
		n *= 2
	case '|': // attributes, before the value
		n = 2*n + 1
	}
	for range n {
		if err := v.read(from); err != nil {
			return err
		}
	}
	return nil
}

// text reads a bulk string; of size -1 there is none.
func (v *value) text(from io.Reader, size int) error {
	if size < 0 {
		return nil
	}
	text := make([]byte, size+len("\r\n"))
	if _, err := io.ReadFull(from, text); err != nil {
		return err
	}
	v.raw.Write(text)
	v.texts = append(v.texts, string(text[:size]))
	return nil
}
