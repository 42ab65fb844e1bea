package auth

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Instance is what EC2 said of an instance at one read. Right after an event
// it can be stale or lack its tags:
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/query-api-troubleshooting.html#eventual-consistency
type Instance struct {
	ID         string
	Type       string // such as t3.small
	State      State
	Tags       map[string]string
	LaunchTime time.Time // of the newest start, in whole seconds
	Account    string
	Region     string
	Spot       bool
	RootDevice string // "ebs" or "instance-store"
}

// State is EC2's name of an instance's state.
type State string

// The states of an instance:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
const (
	Pending      State = "pending"
	Running      State = "running"
	Stopping     State = "stopping"
	Stopped      State = "stopped"
	ShuttingDown State = "shutting-down"
	Terminated   State = "terminated"
)

// Up says that the instance runs or is about to.
func (s State) Up() bool { return s == Pending || s == Running }

// Down says that the instance has come to rest and costs no more.
func (s State) Down() bool { return s == Stopped || s == Terminated }

// Name is the instance's Name tag, or its id where it has none.
func (i Instance) Name() string {
	if n := i.Tags["Name"]; n != "" {
		return n
	}
	return i.ID
}

// IsInstanceID says whether the text has the shape of an instance id: the 17
// digits of today or the 8 of before 2018
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html).
func IsInstanceID(text string) bool {
	digits, ok := strings.CutPrefix(text, "i-")
	return ok && (len(digits) == 17 || len(digits) == 8) && strings.Trim(digits, "0123456789abcdef") == ""
}

// What EC2 answers that the gate must tell apart. An adapter wraps its own
// error with one of these; anything else is a fault, to be tried again.
var (
	// ErrNoInstance: there is no such instance in this account and region.
	ErrNoInstance = errors.New("no such instance")
	// ErrNotYet: the instance is not in a state from which this can be done.
	// A first launch in pending refuses to stop in this way until it runs.
	ErrNotYet = errors.New("not possible in the instance's present state")
	// ErrStopProtected: the instance's disableApiStop attribute is set.
	ErrStopProtected = errors.New("the instance is protected against stopping")
	// ErrCannotStop: this kind of instance cannot be stopped at all.
	ErrCannotStop = errors.New("this kind of instance cannot be stopped")
)

// InstanceReader reads one instance. The two reads go separate ways in EC2,
// so that one can make up for what the other lacks.
type InstanceReader interface {
	// Instance describes one instance; ErrNoInstance where there is none.
	Instance(ctx context.Context, id string) (Instance, error)
	// Tags lists the instance's tags, empty where it has none or does not exist.
	Tags(ctx context.Context, id string) (map[string]string, error)
}

// InstanceFinder finds instances by what people know of them.
type InstanceFinder interface {
	InstanceReader
	// Named lists the instances that bear the Name tag, terminated ones left out.
	Named(ctx context.Context, name string) ([]Instance, error)
	// Guarded lists the instances that the guard covers, terminated ones left out.
	Guarded(ctx context.Context, g Guard) ([]Instance, error)
}

// Stopper ends what may not run. All of it is idempotent.
type Stopper interface {
	// Stop asks for a stop; nil means that EC2 accepted, not that it happened.
	// ErrNotYet, ErrStopProtected, ErrCannotStop and ErrNoInstance say why not.
	Stop(ctx context.Context, id string) error
	// Unprotect lifts the protection that ErrStopProtected speaks of.
	Unprotect(ctx context.Context, id string) error
	// Terminate ends the instance for good.
	Terminate(ctx context.Context, id string) error
	// Untag removes the tag if it still has this value.
	Untag(ctx context.Context, id, key, value string) error
}

// Starter starts an instance on its owner's behalf.
type Starter interface {
	// Start sets the tag and starts the instance. ErrNotYet where its state
	// does not allow it, ErrNoInstance where there is none.
	Start(ctx context.Context, id, key, value string) error
	Untag(ctx context.Context, id, key, value string) error
}
