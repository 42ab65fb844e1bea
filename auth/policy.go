package auth

import (
	"context"
	"slices"
	"time"
)

// Policy is what the operator wrote down in sekisho.yml. Its zero value is not
// a policy: Defaults gives the values of what may be left out.
type Policy struct {
	Hash     string // of the file's text: names this policy in the trail
	Channels Channels
	Gate     GatePolicy
	Passes   PassPolicy
	Rules    []Rule
	People   PeoplePolicy
	Trail    TrailPolicy
	Keys     *KeyPolicy // nil: access keys are none of the bot's business
	Reports  []ReportPolicy
	Admins   []string // Slack ids of users and user groups who may see how Sekisho itself is
}

// Channels are Slack channel ids.
type Channels struct {
	Alerts     string // what the gate did
	Approvals  string // where approvers are asked; empty where no rule needs any
	BreakGlass string // the louder one; Alerts where it is not named
	Keys       string // the access keys' cards; Alerts where it is not named
	Reports    string // empty where no report goes into Slack
}

// NamedChannel is a channel and the key under slack.channels that names it.
type NamedChannel struct{ Key, ID string }

// Named lists the channels, each once.
func (c Channels) Named() (all []NamedChannel) {
	seen := make(map[string]bool)
	for _, n := range []NamedChannel{
		{"alerts", c.Alerts}, {"approvals", c.Approvals}, {"break_glass", c.BreakGlass}, {"keys", c.Keys}, {"reports", c.Reports},
	} {
		if n.ID != "" && !seen[n.ID] {
			seen[n.ID] = true
			all = append(all, n)
		}
	}
	return all
}

// PeoplePolicy says who is who in AWS.
type PeoplePolicy struct {
	Principals map[string][]Principal // by Slack user id
	MatchEmail bool                   // take a session named like a person's Slack e-mail for that person
	OnMismatch Mismatch
}

// Mismatch is what becomes of a start with a pass that another principal spent.
type Mismatch string

const (
	AlertMismatch Mismatch = "alert"
	StopMismatch  Mismatch = "stop"
)

// TrailPolicy is the trail's part of the policy.
type TrailPolicy struct {
	Keep time.Duration // entries older than this are dropped from Redis
}

// Mode says whether the gate acts.
type Mode string

const (
	Observe Mode = "observe" // says "would have …" and changes nothing in AWS
	Enforce Mode = "enforce"
)

// Unavailable says what becomes of a start that cannot be judged because the
// store is away.
type Unavailable string

const (
	StopUnjudged  Unavailable = "stop"
	AllowUnjudged Unavailable = "allow"
)

// GatePolicy is the gate's part of the policy.
type GatePolicy struct {
	Mode            Mode
	Guard           Guard
	PassTag         string // key of the tag that holds the code
	WhenUnavailable Unavailable
	CannotStop      map[Obstacle]Answer
	Lock            Lock
}

// Guard says which instances need a pass. An instance is covered by any one of
// the three; Except takes it out again.
type Guard struct {
	Tags      map[string]string // all must match
	Instances []string          // ids
	All       bool
	Except    []string // ids
}

// Covers says whether the instance needs a pass.
func (g Guard) Covers(i Instance) bool {
	if slices.Contains(g.Except, i.ID) {
		return false
	}
	return g.All || slices.Contains(g.Instances, i.ID) || g.byTags(i.Tags)
}

// ByTags says whether the guard depends on tags, which anybody may lack for a
// moment right after a launch.
func (g Guard) ByTags() bool { return len(g.Tags) > 0 && !g.All }

func (g Guard) byTags(tags map[string]string) bool {
	for k, v := range g.Tags {
		if have, ok := tags[k]; !ok || have != v {
			return false
		}
	}
	return len(g.Tags) > 0
}

// Obstacle is why an instance cannot simply be stopped.
type Obstacle string

const (
	// AutoScaling: a stopped member is terminated and replaced, in a loop
	// (https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html).
	AutoScaling Obstacle = "auto_scaling"
	// SpotOneTime: a one-time Spot Instance request cannot be stopped.
	SpotOneTime Obstacle = "spot_one_time"
	// InstanceStore: an instance with an instance-store root cannot be stopped.
	InstanceStore Obstacle = "instance_store"
	// StopProtected: disableApiStop is set
	// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-stop-protection.html).
	StopProtected Obstacle = "stop_protected"
)

// Obstacles lists them all, in the order in which documentation names them.
func Obstacles() []Obstacle {
	return []Obstacle{AutoScaling, SpotOneTime, InstanceStore, StopProtected}
}

// Answers lists what a policy may answer to the obstacle, its default first.
func (o Obstacle) Answers() []Answer {
	switch o {
	case AutoScaling:
		return []Answer{Leave, StopAnyway, Terminate}
	case StopProtected:
		return []Answer{Leave, StopAnyway}
	}
	return []Answer{Leave, Terminate}
}

// Answer is what the gate does about an obstacle.
type Answer string

const (
	Leave      Answer = "leave" // and say so loudly
	StopAnyway Answer = "stop"  // for stop protection: lift it first
	Terminate  Answer = "terminate"
)

// Lock closes an instance for a while after repeated wrong codes.
type Lock struct {
	After  int           // wrong codes …
	Within time.Duration // … within this time
	For    time.Duration
}

// PassPolicy is the passes' part of the policy.
type PassPolicy struct {
	TTL      time.Duration
	StartNow bool // offer a button with which the bot sets the tag and starts
	Limit    Limit
}

// Limit is how many passes may be asked for in a time.
type Limit struct {
	Person   int // by one person, for whatever instances
	Instance int // for one instance, by whomever
	Per      time.Duration
}

// Defaults is a policy with everything that the operator may leave unsaid.
// What has no default (the guard, the alerts channel, what to do when the
// store is away, who may ask) is empty.
func Defaults() Policy {
	return Policy{
		Gate: GatePolicy{
			Mode:    Observe,
			PassTag: "Auth",
			CannotStop: map[Obstacle]Answer{
				AutoScaling: Leave, SpotOneTime: Leave, InstanceStore: Leave, StopProtected: Leave,
			},
			Lock: Lock{After: 5, Within: 10 * time.Minute, For: 15 * time.Minute},
		},
		Passes: PassPolicy{
			TTL:   10 * time.Minute,
			Limit: Limit{Person: 20, Instance: 20, Per: 10 * time.Minute},
		},
		People: PeoplePolicy{OnMismatch: AlertMismatch},
		Trail:  TrailPolicy{Keep: 400 * 24 * time.Hour},
	}
}

// PolicyStore remembers which policy was in force last.
type PolicyStore interface {
	// SwapPolicy notes the policy's hash and returns the one before; empty where
	// none is known.
	SwapPolicy(ctx context.Context, hash string) (before string, err error)
}
