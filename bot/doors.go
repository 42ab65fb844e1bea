package bot

import (
	"errors"
	"fmt"
	"strings"
)

// Doors says which ways in this process opens. What arrives at another is
// refused, so that one binary can be deployed several times with different
// rights.
type Doors struct {
	Socket bool // Socket Mode
	HTTP   bool // signed requests from Slack: a server, or a function URL
	Events bool // EventBridge and the queue
}

// The doors as the trail names them.
const (
	doorSocket = "socket"
	doorHTTP   = "http"
)

// ErrNoDoors is the error of a process that would open nothing.
var ErrNoDoors = errors.New("SEKISHO_DOORS is not set: name the doors to open, such as SEKISHO_DOORS=socket,events (of socket, http, events)")

// ReadDoors reads SEKISHO_DOORS.
func ReadDoors(text string) (Doors, error) {
	var d Doors
	for _, word := range strings.Split(text, ",") {
		switch strings.TrimSpace(word) {
		case "socket":
			d.Socket = true
		case "http":
			d.HTTP = true
		case "events":
			d.Events = true
		case "":
		default:
			return Doors{}, fmt.Errorf("SEKISHO_DOORS names %q, which is no door: it takes socket, http and events, with commas between", strings.TrimSpace(word))
		}
	}
	if d == (Doors{}) {
		return Doors{}, ErrNoDoors
	}
	return d, nil
}
