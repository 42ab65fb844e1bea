package commands

import (
	"fmt"
	"net/url"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// startCard is the one message about one start. It is posted once and
// rewritten as the start moves on.
func startCard(p *auth.Policy, i auth.Instance, s auth.Start) (text string, blocks []slack.Block) {
	title, done := headline(p, i, s)
	blocks = []slack.Block{
		section(title),
		slack.NewSectionBlock(nil, facts(i, s), nil),
		section("*Why:* " + why(p, s)),
		section("*Done:* " + done),
	}
	if next := nextStep(p, i, s); next != "" {
		blocks = append(blocks, section("*Next:* "+next))
	}
	return title, append(blocks, small("Started "+moment(s.Launch)+" · judged "+clock(s.Decided)+" · last change "+clock(s.StageAt)))
}

// headline says what happened, and what was done about it.
func headline(p *auth.Policy, i auth.Instance, s auth.Start) (title, done string) {
	n := "*" + name(i.Name()) + "*"
	if s.Admitted {
		return letIn(p, n, s)
	}
	const refused = ":no_entry: Refused: "
	switch s.Stage {
	case auth.Watched:
		return ":eyes: Would have refused and stopped " + n, "nothing: observe mode. With `gate.mode: enforce` it would have been stopped."
	case auth.Unstopped:
		return refused + n + " will be stopped as soon as EC2 allows", "EC2 does not stop a first launch before it runs. I stop it at `running`."
	case auth.LeftAlone:
		return ":rotating_light: Refused, *but left running*: " + n, "nothing: " + obstacle(auth.Obstacle(s.Note)) + ", and the policy says `leave`."
	case auth.StopAsked:
		return refused + n + " is being stopped", "asked EC2 to end it" + afterObstacle(s) + "; waiting to see it stopped."
	case auth.Stuck:
		return ":rotating_light: *Not stopped within " + span(auth.StopTime) + "*: " + n, "asked EC2 again. The sweep keeps trying."
	case auth.Ended:
		return refused + n + " is stopped", "stopped, and seen stopped after " + span(s.StageAt.Sub(s.Decided)) + "."
	}
	return refused + n + " is to be stopped", "EC2 has not taken the stop yet; trying again."
}

func letIn(p *auth.Policy, n string, s auth.Start) (title, done string) {
	switch {
	case s.Reason == auth.Unjudged:
		return ":warning: *Let in without a judgement*: " + n, "nothing: the policy says `when_unavailable: allow`."
	case p.Gate.Mode == auth.Observe:
		return ":white_check_mark: " + person(s.User) + " was let in: " + n, "the pass is spent. Observe mode: the tag is left as it is."
	case s.Stage < auth.TagGone:
		return ":white_check_mark: " + person(s.User) + " was let in: " + n, "the pass is spent; removing the tag."
	}
	return ":white_check_mark: " + person(s.User) + " was let in: " + n, "the pass is spent and the tag removed."
}

// why says which reason it was.
func why(p *auth.Policy, s auth.Start) string {
	tag := quoted(p.Gate.PassTag, nameMost)
	owner := ""
	if s.User != "" {
		owner = " of " + person(s.User)
	}
	switch s.Reason {
	case auth.Pass:
		return "the tag " + tag + " held a live pass" + owner + "."
	case auth.NoTag:
		return "*no pass*: the tag " + tag + " was not set when the instance started."
	case auth.Unknown:
		return "*wrong code*: the tag " + tag + " holds something that is not a code of mine." + lockNote(p, s)
	case auth.Expired:
		return "*expired*: the pass" + owner + " was no longer good when the instance started."
	case auth.Used:
		return "*already used*: the pass" + owner + " was spent on an earlier start."
	case auth.OtherInstance:
		return "*another instance's pass*: the code in " + tag + " was made for a different instance." + lockNote(p, s)
	case auth.Voided:
		return "*void*: the pass" + owner + " was revoked, or replaced by a newer one."
	case auth.Locked:
		return "*locked*: there were too many wrong codes on this instance; until the lock opens nothing is let in."
	case auth.Unjudged:
		return "*my memory (Redis) was away*, so no pass could be checked. The policy says `when_unavailable: " + string(p.Gate.WhenUnavailable) + "`."
	}
	return string(s.Reason)
}

func lockNote(p *auth.Policy, s auth.Start) string {
	if s.Note != string(auth.Locked) {
		return ""
	}
	return fmt.Sprintf(" That was wrong code number %d: the instance is now *locked for %s*.", p.Gate.Lock.After, span(p.Gate.Lock.For))
}

// nextStep says what a reader can do.
func nextStep(p *auth.Policy, i auth.Instance, s auth.Start) string {
	if s.Admitted {
		if s.Reason == auth.Unjudged {
			return "bring Redis back; then I write this start down. Check that it was meant."
		}
		return ""
	}
	if s.Stage == auth.LeftAlone || s.Stage == auth.Stuck {
		return "somebody must look *now*: stop or remove it by hand if it was not meant. Who started it stands in CloudTrail (`StartInstances`, `RunInstances`)."
	}
	switch s.Reason {
	case auth.Locked:
		return "find out who is trying. Passes for this instance can be had again in " + span(p.Gate.Lock.For) + "."
	case auth.Unjudged:
		if s.Stage == auth.Watched {
			return "bring Redis back: until then no pass can be checked."
		}
		return "start it again when Redis is back; a pass that was set is still good until its deadline."
	}
	return quoted("/ec2-pass "+i.Name(), nameMost) + " gives a pass for it to those who may have one. If nobody here meant to start it, look in CloudTrail (`StartInstances`, `RunInstances`) for who did."
}

func obstacle(o auth.Obstacle) string {
	switch o {
	case auth.AutoScaling:
		return "it belongs to an Auto Scaling group, which would replace a stopped member"
	case auth.SpotOneTime:
		return "it is a one-time Spot Instance, which EC2 cannot stop"
	case auth.InstanceStore:
		return "its root is an instance store, which EC2 cannot stop"
	case auth.StopProtected:
		return "it is protected against stopping (`disableApiStop`)"
	}
	return "it cannot simply be stopped"
}

func afterObstacle(s auth.Start) string {
	for _, o := range auth.Obstacles() {
		if s.Note == string(o) {
			return ", as the policy says although " + obstacle(o)
		}
	}
	return ""
}

func facts(i auth.Instance, s auth.Start) []*slack.TextBlockObject {
	fact := func(label, value string) *slack.TextBlockObject { return words("*" + label + "*\n" + value) }
	if i.Region == "" { // EC2 could not be asked: the id is all that is known
		return []*slack.TextBlockObject{fact("Instance", quoted(i.ID, nameMost))}
	}
	all := []*slack.TextBlockObject{fact("Instance", fmt.Sprintf("<%s|%s>", consoleURL(i), i.ID))}
	if i.Type != "" {
		all = append(all, fact("Type", i.Type))
	}
	if i.Account != "" {
		all = append(all, fact("Account", i.Account))
	}
	return append(all, fact("Region", i.Region))
}

// consoleURL leads to the instance in AWS's console.
func consoleURL(i auth.Instance) string {
	return "https://" + i.Region + ".console.aws.amazon.com/ec2/home?region=" + url.QueryEscape(i.Region) + "#InstanceDetails:instanceId=" + url.QueryEscape(i.ID)
}

// threadLine is what the newest stage adds to the card's thread.
func threadLine(p *auth.Policy, i auth.Instance, s auth.Start) string {
	if s.Admitted {
		return ""
	}
	switch s.Stage {
	case auth.Unstopped:
		return clock(s.StageAt) + " — EC2 refused the stop: a first launch cannot be stopped in `pending`. I finish when it runs."
	case auth.StopAsked:
		return clock(s.StageAt) + " — EC2 accepted the stop."
	case auth.LeftAlone:
		return clock(s.StageAt) + " — left running: " + obstacle(auth.Obstacle(s.Note)) + ". `gate.cannot_stop` in the policy can say otherwise."
	case auth.Stuck:
		text := "<!here> " + name(i.Name()) + " is still " + string(i.State) + " " + span(s.StageAt.Sub(s.Decided)) + " after it was refused. Stop it by hand if you can."
		if s.Note != "" && s.Note != string(auth.Locked) && afterObstacle(s) == "" {
			text += " EC2 said: " + quoted(s.Note, 300)
		}
		return text
	case auth.Ended:
		return clock(s.StageAt) + " — seen stopped."
	}
	return ""
}
