package auth

// Door is a way in, as the trail and SEKISHO_DOORS name it. What comes through
// each may be another process, with other rights in AWS.
type Door string

const (
	DoorSocket Door = "socket" // people, by Socket Mode
	DoorHTTP   Door = "http"   // people, by Slack's signed requests
	DoorGate   Door = "gate"   // events and tasks about instances and requests
	DoorKeys   Door = "keys"   // events and tasks about access keys and reports
)

// Doors lists them all. The first two are of people, the others of events.
func Doors() []Door { return []Door{DoorSocket, DoorHTTP, DoorGate, DoorKeys} }
