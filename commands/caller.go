package commands

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sekisho/auth"
)

// cloudTrailCall is what is read of CloudTrail's record of a start:
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type cloudTrailCall struct {
	Event string    `json:"eventName"`
	At    time.Time `json:"eventTime"`
	Error string    `json:"errorCode"`
	Who   struct {
		Type    string `json:"type"`
		ARN     string `json:"arn"`
		Service string `json:"invokedBy"`
	} `json:"userIdentity"`
	Answer struct {
		Instances struct {
			Items []struct {
				ID     string `json:"instanceId"`
				Before struct {
					Name auth.State `json:"name"`
				} `json:"previousState"` // of StartInstances
			} `json:"items"`
		} `json:"instancesSet"`
	} `json:"responseElements"`
}

// callerTask names the caller of one start, until there is a card to name them on.
type callerTask struct {
	Named auth.Named `json:"named"`
	Event string     `json:"event"`
	Try   int        `json:"try"`
}

// nameCaller answers CloudTrail's word on who started or launched instances. It
// comes minutes after the start and decides nothing about it.
func nameCaller(ctx context.Context, d *Desk, e Event) error {
	call, err := read[cloudTrailCall](e)
	if err != nil {
		return err
	}
	if call.Error != "" || call.Event != "StartInstances" && call.Event != "RunInstances" {
		return nil
	}
	var failed []error
	for _, i := range call.Answer.Instances.Items {
		if i.Before.Name.Up() {
			continue // it ran already: this call began nothing
		}
		failed = append(failed, d.nameOne(ctx, callerTask{Event: e.ID, Named: auth.Named{
			Instance: i.ID, At: call.At, Action: call.Event,
			Caller: auth.Caller{Type: call.Who.Type, ARN: call.Who.ARN, Service: call.Who.Service},
		}}))
	}
	return errors.Join(failed...)
}

func nameCallerAgain(ctx context.Context, d *Desk, e Event) error {
	t, err := read[callerTask](e)
	if err != nil {
		return err
	}
	return d.nameOne(ctx, t)
}

// callerTries bounds how often a start is looked for that CloudTrail speaks of:
// of an instance that is not guarded there never is one.
const callerTries = 6

// nameOne says in the thread of a start's card who began it. Should this be cut
// short, the event says it again when it comes again.
func (d *Desk) nameOne(ctx context.Context, t callerTask) error {
	n := t.Named
	starts, err := d.Gate.Starts.Starts(ctx, []string{n.Instance})
	if err != nil {
		return err
	}
	s := starts[n.Instance]
	if t.Try++; (!n.Of(s) || s.Card.TS == "") && t.Try <= callerTries && d.Queue != nil {
		return d.later(ctx, taskCaller, t, pauseBefore(t.Try))
	}
	if !n.Of(s) {
		return nil
	}
	fit, err := d.fits(ctx, s, n.Caller)
	if err != nil {
		return err
	}
	first, err := d.Gate.Starts.NameCaller(ctx, s.Instance, s.Launch, n.Caller.String(), t.Event, d.Now(), tellLease)
	if errors.Is(err, auth.ErrCardHeld) && d.Queue != nil {
		return d.later(ctx, taskCaller, t, tellLease) // should that worker have died, this comes after
	}
	if err != nil || !first {
		return err
	}
	by := auth.Actor{Door: doorEvents, Source: t.Event}
	d.record(ctx, by, auth.Entry{
		Act: auth.ActStartCaller, Outcome: auth.Done, Submitted: s.User, Instance: s.Instance, Reason: string(fit), Note: n.Caller.String(),
	})
	if fit == auth.FitOther {
		err = d.mismatch(ctx, by, s, n)
	}
	if s.Card.TS != "" { // else Slack has been away for long, and the alert is what matters
		text := callerText(d.Policy, s, n, fit)
		err = errors.Join(err, d.announce(ctx, sayTask{Channel: s.Card.Channel, Thread: s.Card.TS, Text: text}))
	}
	if err != nil {
		return err
	}
	return d.Gate.Starts.CallerTold(ctx, s.Instance, s.Launch)
}

// fits compares the caller with the owner of the pass that was spent.
func (d *Desk) fits(ctx context.Context, s auth.Start, c auth.Caller) (auth.Fit, error) {
	if !s.Admitted || s.User == "" || s.ByBot() {
		return auth.FitUnknown, nil
	}
	owner := auth.Person{ID: s.User}
	if d.Policy.People.MatchEmail {
		var err error
		if owner, err = d.Directory.Person(ctx, s.User); err != nil && !errors.Is(err, auth.ErrNobody) {
			return "", fmt.Errorf("looking up %s: %w", s.User, err)
		}
		owner.ID = s.User
	}
	return d.Policy.People.Fits(c, owner), nil
}

// callerText is the line in the card's thread.
func callerText(p *auth.Policy, s auth.Start, n auth.Named, fit auth.Fit) string {
	text := fmt.Sprintf(":bust_in_silhouette: CloudTrail: `%s` by %s, %s.", n.Action, callerName(p, n.Caller), clock(n.At))
	switch {
	case s.ByBot():
		text += " That is me: “Start it now” for " + person(s.User) + "."
	case fit == auth.FitSame:
		text += " That is the pass's owner."
	case fit == auth.FitOther:
		text += " *That is not the pass's owner.*"
	}
	return text
}

// callerName shows a principal, and the person whose it is.
func callerName(p *auth.Policy, c auth.Caller) string {
	shown := quoted(c.String(), 200)
	if who := p.People.Who(c.Principal()); who != "" {
		return person(who) + " (" + shown + ")"
	}
	return shown
}
