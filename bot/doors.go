package bot

import (
	"errors"
	"fmt"
	"strings"

	"sekisho/auth"
)

// Doors says which ways in this process opens. What arrives at another is
// refused, so that one binary can be deployed several times with different
// rights.
type Doors struct {
	Socket bool // Socket Mode
	HTTP   bool // signed requests from Slack: a server, or a function URL
	Gate   bool // events and tasks about instances and requests
	Keys   bool // events and tasks about access keys and reports
}

// The doors of people, as the trail names them.
const (
	doorSocket = string(auth.DoorSocket)
	doorHTTP   = string(auth.DoorHTTP)
)

// Events says whether events come in at all.
func (d Doors) Events() bool { return d.Gate || d.Keys }

// Open lists the doors that are open.
func (d Doors) Open() (open []auth.Door) {
	for _, door := range auth.Doors() {
		if d.has(door) {
			open = append(open, door)
		}
	}
	return open
}

func (d Doors) has(door auth.Door) bool {
	switch door {
	case auth.DoorSocket:
		return d.Socket
	case auth.DoorHTTP:
		return d.HTTP
	case auth.DoorGate:
		return d.Gate
	case auth.DoorKeys:
		return d.Keys
	}
	return false
}

// ErrNoDoors is the error of a process that would open nothing.
var ErrNoDoors = errors.New("SEKISHO_DOORS is not set: name the doors to open, such as SEKISHO_DOORS=socket,events (of socket, http, events; events are gate and keys)")

// ReadDoors reads SEKISHO_DOORS. `events` is `gate` and `keys` together.
func ReadDoors(text string) (Doors, error) {
	var d Doors
	for _, word := range strings.Split(text, ",") {
		switch strings.TrimSpace(word) {
		case "socket":
			d.Socket = true
		case "http":
			d.HTTP = true
		case "events":
			d.Gate, d.Keys = true, true
		case "gate":
			d.Gate = true
		case "keys":
			d.Keys = true
		case "":
		default:
			return Doors{}, fmt.Errorf("SEKISHO_DOORS names %q, which is no door: it takes socket, http and events (or its halves, gate and keys), with commas between", strings.TrimSpace(word))
		}
	}
	if d == (Doors{}) {
		return Doors{}, ErrNoDoors
	}
	return d, nil
}
