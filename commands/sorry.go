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
		return say(":warning: My memory (Redis) cannot be reached, so I can decide and change nothing right now. Try again in a minute, with a new command or click: whether an older code still works I cannot tell; if it stays so, tell those who run Sekisho."), true
	case errors.Is(err, auth.ErrNoInstance):
		return say("There is no such instance in this account and region. `/ec2-pass list` shows the guarded ones."), false
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return say(":warning: AWS or Redis took too long to answer, and I gave up before Slack does. Nothing was given out. Try again in a minute."), true
	}
	return say(":warning: Something went wrong, and it has been logged. Nothing was given out. Try again in a minute; if it stays so, tell those who run Sekisho."), true
}

// ruled names the rule that said no.
func ruled(r *auth.Refusal) string {
	if r.Rule == nil {
		return "The policy"
	}
	return "The rule " + quoted(r.Rule.Name, nameMost)
}

// refusal says why not, and what to do next.
func refusal(r *auth.Refusal) string {
	switch r.Reason {
	case auth.NotAllowed:
		return ruled(r) + " does not let you ask for that instance. If you should be able to, ask those who keep Sekisho's policy to add you."
	case auth.NoRule:
		return "No rule of the policy is for that instance, so nobody can have a pass for it. Ask those who keep Sekisho's policy to add one."
	case auth.NeedsReason:
		return ruled(r) + " wants to know why. Ask again with a reason: `/ec2-pass web-1 for the nightly build`."
	case auth.NoApprovers:
		return ruled(r) + " needs an approval, and too few people could give one: its user group is empty, or you are the only approver. Nothing was asked; tell those who keep Sekisho's policy."
	case auth.AlreadyAsked:
		return "Your request for that instance is still open. Wait for it, or take it back with `/ec2-pass withdraw` and the instance's name."
	case auth.NoBreakGlass:
		return ruled(r) + " does not let you go without approval. Ask as usual, with `/ec2-pass` and the instance's name, and tell the approvers that it is urgent."
	case auth.NoRequest:
		return "That request is not known any more: it was forgotten, or my memory (Redis) has lost it. Ask again."
	case auth.OwnRequest:
		return "You asked for this yourself, so somebody else must decide. If it is urgent, tell one of those named on the card."
	case auth.NotApprover:
		return ruled(r) + " does not name you among those who decide about this one (and guests decide nothing). Nothing has changed."
	case auth.TooLate:
		return "That came too late: the request is decided, or has lapsed. Nothing has changed."
	case auth.AlreadyApproved:
		return "Your approval counts already. It needs somebody else's, too."
	case auth.NotYours:
		return "That is for the person who asked, and for nobody else. Nothing was shown, and nothing has changed."
	case auth.NotApproved:
		return "Nobody has approved that request yet. I'll tell you when somebody does."
	case auth.PolicyChanged:
		return "The policy, or the instance, has changed since this was asked, and what was agreed to would not be enough now. Nothing was given out: ask again with `/ec2-pass`."
	case auth.Spent:
		return "The pass of that approval was used or revoked, or its time is up: an approval is good for one start. Ask again with `/ec2-pass`."
	case auth.NoKey:
		return "Nothing is known of that access key (any more), or Sekisho's policy does not look after keys now. `/sekisho keys` lists them."
	case auth.NoDecider:
		return "Sekisho's policy does not name you among those who decide about access keys (`keys.decide`; guests decide nothing). Nothing has changed. `/sekisho keys` shows the keys of your own IAM user, where the policy knows it."
	case auth.NoAdmin:
		return "Sekisho's policy does not name you among those who look after it (`admins`). `sekisho doctor` at a terminal says the same."
	case auth.NoReader:
		return "Sekisho's policy does not name you among those who may ask for a report (`reports.ask`, and `keys.decide`; guests do not count). Ask those who keep the policy to add you."
	case auth.OwnKey:
		return "This is your own key, so somebody else must spare it. Ask another one of those whom the policy names in `keys.decide`."
	case auth.KeyMoved:
		return "That came too late: the key is not any more as the card showed it. Nothing has changed."
	case auth.KeyObserve:
		return "Observe mode changes nothing in AWS. With `keys.mode: enforce` I would have deactivated it."
	case auth.BadDate:
		return "Choose a day from today on, a year from now at most."
	case auth.NotGuarded:
		return "That instance is not guarded: start it as usual, no pass needed."
	case auth.AlreadyUp:
		return "That instance is already running (or starting), so there is nothing to let in. A pass is for the next start."
	case auth.Gone:
		return "That instance is terminated: it cannot be started again. `/ec2-pass list` shows the guarded ones that can."
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
