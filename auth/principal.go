package auth

import (
	"strings"
	"time"
)

// Principal is one identity in AWS, as the policy writes it: user/NAME for an
// IAM user, session/NAME for the session of a role, which IAM Identity Center
// names after the person.
type Principal string

// IsPrincipal says whether the text has one of the two forms.
func IsPrincipal(text string) bool {
	kind, name, ok := strings.Cut(text, "/")
	return ok && (kind == "user" || kind == "session") && name != "" && !strings.ContainsAny(name, "/ ")
}

// Caller is who CloudTrail says has called EC2:
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type Caller struct {
	Type    string // IAMUser, AssumedRole, Root, AWSService, …
	ARN     string
	Service string // the AWS service that called on somebody's behalf, such as autoscaling.amazonaws.com
}

// Principal is the caller in the policy's form; empty where it has none.
func (c Caller) Principal() Principal {
	_, resource, ok := strings.Cut(c.ARN, ":user/")
	if ok && c.Type == "IAMUser" {
		return Principal("user/" + resource[strings.LastIndex(resource, "/")+1:]) // the path is left out
	}
	_, resource, ok = strings.Cut(c.ARN, ":assumed-role/")
	if ok && c.Type == "AssumedRole" {
		if _, session, ok := strings.Cut(resource, "/"); ok {
			return Principal("session/" + session)
		}
	}
	return ""
}

// String is how people are shown the caller.
func (c Caller) String() string {
	switch {
	case c.Service != "":
		return c.Service
	case c.ARN != "":
		return c.ARN
	case c.Type != "":
		return c.Type
	}
	return "nobody that CloudTrail names"
}

// Who finds the Slack user whose principal this is; empty where nobody's is.
func (p PeoplePolicy) Who(of Principal) string {
	for user, all := range p.Principals {
		for _, one := range all {
			if strings.EqualFold(string(one), string(of)) { // no two IAM names differ in case alone
				return user
			}
		}
	}
	return ""
}

// Fit says how well a caller fits the pass that was spent.
type Fit string

const (
	FitUnknown Fit = "unknown" // the policy does not say who either of the two is
	FitSame    Fit = "same"
	FitOther   Fit = "other" // the caller is somebody else, or nobody whom the owner is known to be
)

// Fits compares a start's caller with the owner of the pass that let it in.
// With MatchEmail, an owner of whom the policy says nothing is taken for the
// principal whose session bears the owner's e-mail address.
func (p PeoplePolicy) Fits(c Caller, owner Person) Fit {
	of := c.Principal()
	theirs := p.Principals[owner.ID]
	if len(theirs) == 0 && p.MatchEmail && owner.Email != "" {
		theirs = []Principal{Principal("session/" + owner.Email)}
	}
	for _, one := range theirs {
		if of != "" && strings.EqualFold(string(one), string(of)) {
			return FitSame
		}
	}
	if len(theirs) > 0 {
		return FitOther
	}
	if who := p.Who(of); of != "" && who != "" && who != owner.ID {
		return FitOther
	}
	return FitUnknown
}

// Named is what CloudTrail says of one start, minutes after it.
type Named struct {
	Instance string
	At       time.Time // of the call
	Caller   Caller
	Action   string // StartInstances or RunInstances
}

// calledBefore is how far a call may lie from the launch time that EC2 shows:
// either is the time of the call in whole seconds (inferred; a start further
// off is named by nobody).
const calledBefore = 30 * time.Second

// Of says whether the call can be the one that began the start.
func (n Named) Of(s Start) bool {
	return n.Instance == s.Instance && n.At.Sub(s.Launch).Abs() <= calledBefore
}
