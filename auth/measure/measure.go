// Package measure names what Sekisho measures of itself: one list, for those who
// count (packages commands and bot) and those who show it (infra/metrics).
package measure

import "iter"

// Metric is one thing that is measured.
type Metric int

const (
	Decisions         Metric = iota // entries of the trail
	Sweeps                          // that were finished
	DoorLatency                     // of a command, a click, a form or a shortcut, from its arrival to its answer
	JobLatency                      // of an event's job
	JobErrors                       // jobs that failed, and events that could not be read
	GateLatency                     // of a judged start, from EC2's event to the end of acting
	EventLag                        // from when an event was sent until it is handled; of those that come promptly
	Errors                          // calls of other services that failed
	SocketConnections               // that are open to Slack
	count
)

// Kind is what a Metric's numbers are.
type Kind int

const (
	Count Kind = iota // how often it happened
	Time              // how long it took
	Level             // how many there are now
)

// By tells the numbers of one Metric apart: the values of its About.By, in that
// order. Each must be one of a few words of the program's own: every combination
// is kept as long as the process lives, and CloudWatch charges for it.
type By [2]string

// Unread is the Job of an event that could not be read.
const Unread = "unread"

// About describes a Metric.
type About struct {
	Name string // as CloudWatch shows it
	Help string
	Kind Kind
	By   []string // two at most
}

// About describes the Metric.
func (m Metric) About() About { return abouts[m] }

var abouts = [count]About{
	Decisions:         {"Decisions", "Entries of the trail: what was decided, and how it came out.", Count, []string{"Act", "Outcome"}},
	Sweeps:            {"Sweeps", "Sweeps that were finished.", Count, nil},
	DoorLatency:       {"DoorLatency", "How long a person waited for an answer.", Time, []string{"Door"}},
	JobLatency:        {"JobLatency", "How long an event's job took.", Time, []string{"Job"}},
	JobErrors:         {"JobErrors", "Jobs that failed; their events come again.", Count, []string{"Job"}},
	GateLatency:       {"GateLatency", "From EC2's event about a start until the gate had judged and acted.", Time, nil},
	EventLag:          {"EventLag", "From when an event was sent until it was handled.", Time, []string{"Way"}},
	Errors:            {"Errors", "Calls of other services that failed.", Count, []string{"Service"}},
	SocketConnections: {"SocketConnections", "Open connections to Slack in Socket Mode.", Level, nil},
}

// Summed says whether CloudWatch is shown the sum of all values too: an alarm
// looks at one series, and may not search.
func (m Metric) Summed() bool { return m == JobErrors }

// All lists every Metric.
func All() iter.Seq[Metric] {
	return func(yield func(Metric) bool) {
		for m := range count {
			if !yield(m) {
				return
			}
		}
	}
}
