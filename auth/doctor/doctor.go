package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"sekisho/auth"
)

// Doctor looks at everything that one process, and the policy that it follows,
// stand on.
type Doctor struct {
	Policy *auth.Policy
	Doors  []auth.Door // that this process opens
	Lambda bool        // it is a function: Lambda reads its queue, with its rights
	Pepper int         // bytes of the pepper
	// Wants is what the app must be: what the code calls and answers.
	Wants Manifest
	// Events are those that EventBridge has to bring.
	Events []Event
	// Targets are the ARNs at which rules may aim; empty where it is not known.
	Targets []string
	// Roles are whose rights count at a door of another process, or where the
	// doctor is asked by somebody with rights of their own: ARNs of roles.
	Roles map[auth.Door]string

	Redis Redis
	Slack Slack
	AWS   AWS
	Now   func() time.Time
}

// Event is a kind of event that something is done about.
type Event struct {
	Name        string // in a line's Check, "starts"
	Source      string
	DetailTypes []string
	Optional    bool // without it something is known later, or not at all
}

// within is how long one look may take: together they must be done before
// whoever asked gives up.
const within = 20 * time.Second

// look is one thing that is looked at.
type look = func(context.Context) []Line

// Examine looks at everything at once, and says what it found in an order that
// is always the same.
func (d *Doctor) Examine(ctx context.Context) []Line {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return together(ctx, d.policy, d.redis, d.slack, d.app, d.channels, d.aws, d.mail)
}

// together looks at all at once. A panic in one is a line of its own: nothing of
// the doctor's may end the process.
func together(ctx context.Context, looks ...look) []Line {
	found := make([][]Line, len(looks))
	var all sync.WaitGroup
	for n, look := range looks {
		all.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					found[n] = []Line{bad("doctor", "tell those who make Sekisho", "a look came to nothing: %v", p)}
				}
			}()
			found[n] = look(ctx)
		})
	}
	all.Wait()
	return slices.Concat(found...)
}

func (d *Doctor) policy(context.Context) []Line {
	p := d.Policy
	says := fmt.Sprintf("the policy %s can be read: gate %s", p.Hash, p.Gate.Mode)
	if p.Keys != nil {
		says += fmt.Sprintf(", keys %s", p.Keys.Mode)
	}
	if len(p.Reports) > 0 {
		says += ", with reports"
	}
	return []Line{good("policy", "%s", says), good("pepper", "the pepper has %d bytes", d.Pepper)}
}

// opens says whether the process opens one of these doors.
func (d *Doctor) opens(doors ...auth.Door) bool {
	return slices.ContainsFunc(doors, func(door auth.Door) bool { return slices.Contains(d.Doors, door) })
}

func good(check, format string, args ...any) Line {
	return Line{Check: check, Outcome: Good, Says: fmt.Sprintf(format, args...)}
}

func bad(check, do, format string, args ...any) Line {
	return Line{Check: check, Outcome: Bad, Says: fmt.Sprintf(format, args...), Do: do}
}

func unknown(check, do, format string, args ...any) Line {
	return Line{Check: check, Outcome: Unknown, Says: fmt.Sprintf(format, args...), Do: do}
}

// failed is the line of a look that came to nothing.
func failed(check, what, do string, err error) Line {
	if errors.Is(err, ErrUnseen) {
		return unknown(check, do, "%s: %v", what, err)
	}
	return bad(check, do, "%s: %v", what, err)
}
