package commands

import (
	"context"
	"errors"
	"fmt"

	"sekisho/auth"
)

// Sorry is what a person reads instead of an answer. fault says that it was
// not their doing, so that it is logged.
func Sorry(err error) (m Message, fault bool) {
	var r *auth.Refusal
	switch {
	case errors.As(err, &r):
		return say(refusal(r)), false
	case errors.Is(err, auth.ErrUnavailable):
		return say(":warning: My memory (Redis) cannot be reached, so I cannot issue or change passes right now. Try again in a minute, with a new `/ec2-pass`: whether an older code still works I cannot tell; if it stays so, tell those who run Sekisho."), true
	case errors.Is(err, auth.ErrNoInstance):
		return say("There is no such instance in this account and region. `/ec2-pass` lists the guarded ones."), false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return say(":warning: AWS or Redis took too long to answer, and I gave up before Slack does. Nothing was given out. Try again in a minute."), true
	}
	return say(":warning: Something went wrong, and it has been logged. Nothing was given out. Try again in a minute; if it stays so, tell those who run Sekisho."), true
}

// refusal says why not, and what to do next.
func refusal(r *auth.Refusal) string {
	switch r.Reason {
	case auth.NotAllowed:
		return "No rule lets you ask for a pass. If you should be able to, ask those who keep Sekisho's policy to add you."
	case auth.NotGuarded:
		return "That instance is not guarded: start it as usual, no pass needed."
	case auth.AlreadyUp:
		return "That instance is already running (or starting), so there is nothing to let in. A pass is for the next start."
	case auth.Gone:
		return "That instance is terminated: it cannot be started again. `/ec2-pass` lists the guarded ones that can."
	case auth.TooManyPerson:
		return fmt.Sprintf("You have asked a lot in a short time. Take a breath: you can ask again in %s. `/ec2-pass mine` shows the passes you hold.", span(r.Wait))
	case auth.TooManyInstance:
		return fmt.Sprintf("Many passes were asked for this instance just now. The next one can be had in %s. `/ec2-pass mine` shows the passes you hold.", span(r.Wait))
	case auth.Locked:
		return fmt.Sprintf("This instance is locked after several wrong codes. It opens again in %s; if none of those tries were yours, tell your security team.", span(r.Wait))
	case auth.Replayed:
		return "That very request was answered already, and a code is shown only once. Ask again with `/ec2-pass`."
	case auth.NoPass:
		return "You hold no live pass for that instance (any more). Get one with `/ec2-pass` and the instance's name."
	}
	return "That was refused (" + string(r.Reason) + ")."
}
