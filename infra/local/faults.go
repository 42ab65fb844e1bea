package local

import (
	"context"
	"fmt"
	"math"
	"slices"

	"sekisho/infra/local/awssim"
)

// fault is one thing that can be broken from the page.
type fault struct {
	name, label, help string
	set               func(w *World, on bool)
}

const (
	throttling    = "aws-throttles"
	staleReading  = "stale-reads"
	iamThrottling = "iam-throttles"
	iamStale      = "iam-stale"
	iamDenying    = "iam-denies"
	reportDenying = "report-denied"
	scopeLacking  = "scope-lacking"
	botOutside    = "bot-outside"
	ruleDisabled  = "rule-disabled"
	stopDenied    = "stop-denied"
)

// faultList is what really goes wrong between a bot, Slack and AWS.
func faultList() []fault {
	return []fault{
		{"slack-away", "Slack is away", "The Web API answers 503, sockets are cut.", func(w *World, on bool) { w.Slack.Away(on) }},
		{throttling, "EC2 throttles", "Every EC2 call answers RequestLimitExceeded.", func(w *World, on bool) { w.refuse(throttling, on) }},
		{staleReading, "Reads are out of date", "Right after a start, EC2 still shows the past.", func(w *World, on bool) { w.readStale(on) }},
		{stopDenied, "AWS denies ec2:StopInstances", "As a service control policy does: nothing can be stopped.", func(w *World, on bool) {
			w.AWS.Deny("ec2:StopInstances", on)
		}},
		{"events-twice", "Events come twice", "EventBridge delivers at least once.", func(w *World, on bool) { w.AWS.DuplicateEvents(on) }},
		{"events-held", "Events come late", "Kept back while on; then the last comes first.", func(w *World, on bool) { w.AWS.HoldEvents(on) }},
		{"events-lost", "Events are lost", "Nothing arrives: only the sweep can notice.", func(w *World, on bool) {
			lost := 0
			if on {
				lost = math.MaxInt
			}
			w.AWS.DropEvents(lost)
		}},
		{ruleDisabled, "The rule for EC2's events is disabled", "EventBridge brings no start: only the sweep can notice.", func(w *World, on bool) {
			w.AWS.EnableRule("sekisho-starts", !on)
		}},
		{iamThrottling, "IAM throttles", "Every IAM call answers Throttling.", func(w *World, on bool) { w.refuse(iamThrottling, on) }},
		{iamStale, "IAM reads are out of date", "Right after a change, keys still look as before.", func(w *World, on bool) { w.readStaleKeys(on) }},
		{iamDenying, "IAM refuses to deactivate", "UpdateAccessKey answers AccessDenied.", func(w *World, on bool) { w.refuse(iamDenying, on) }},
		{reportDenying, "IAM refuses its credential report", "Both calls for it answer AccessDenied.", func(w *World, on bool) {
			w.refuse(reportDenying, on)
		}},
		{"ses-sandbox", "SES is in its sandbox", "No recipient is verified: mail is refused.", func(w *World, on bool) { w.AWS.SetSandbox(on) }},
		{scopeLacking, "The bot lacks a scope", "files:write was taken away: reports come without files.", func(w *World, on bool) {
			w.takeScope("files:write", on)
		}},
		{botOutside, "The bot is not in #checkpoint-alerts", "Somebody has removed it: it cannot write there.", func(w *World, on bool) {
			w.shutOut("C0ALERTS", on)
		}},
		{"no-data-table", "Slack does not know data_table", "As in GovSlack: such messages are invalid_blocks.", func(w *World, on bool) {
			if on {
				w.Slack.UnknownBlocks("data_table")
			} else {
				w.Slack.UnknownBlocks()
			}
		}},
	}
}

type faultInput struct {
	Name string `json:"name"`
	On   bool   `json:"on"`
}

// Break switches a fault of the page's on or off, by its name.
func (w *World) Break(fault string, on bool) error {
	return w.fault(w.ctx, faultInput{fault, on})
}

// fault switches one fault on or off.
func (w *World) fault(_ context.Context, in faultInput) error {
	for _, f := range faultList() {
		if f.name != in.Name {
			continue
		}
		w.mu.Lock()
		was := w.faults[f.name]
		w.faults[f.name] = in.On
		w.mu.Unlock()
		if was != in.On {
			f.set(w, in.On)
			w.changed()
		}
		return nil
	}
	return &refusal{"bad_request", fmt.Sprintf("there is no fault %q", in.Name)}
}

func (w *World) broken(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.faults[name]
}

// takeScope takes a scope of the bot's away, or grants it again.
func (w *World) takeScope(scope string, on bool) {
	scopes := slices.DeleteFunc(w.Slack.Scopes(), func(s string) bool { return s == scope })
	if !on {
		scopes = append(scopes, scope)
	}
	w.Slack.SetScopes(scopes...)
}

// shutOut takes the bot out of a channel of the cast's, or lets it in again.
func (w *World) shutOut(channel string, on bool) {
	change := w.Slack.AddToChannel
	if on {
		change = w.Slack.RemoveFromChannel
	}
	if err := change(channel, w.Slack.Bot().ID); err != nil {
		panic("local: the cast's channels: " + err.Error()) // unreachable
	}
}

// refused is what is answered to calls for as long as a fault is on.
type refused struct {
	code    string
	actions []string // those that the bot calls
}

func refusals() map[string]refused {
	return map[string]refused{
		throttling: {"RequestLimitExceeded", []string{
			"DescribeInstances", "DescribeTags", "DescribeInstanceAttribute", "StartInstances", "StopInstances", "CreateTags", "DeleteTags",
		}},
		iamThrottling: {"Throttling", []string{
			"ListUsers", "GetUser", "ListUserTags", "ListAccessKeys", "GetAccessKeyLastUsed", "UpdateAccessKey", "DeleteAccessKey",
			"GenerateCredentialReport", "GetCredentialReport",
		}},
		iamDenying:    {"AccessDenied", []string{"UpdateAccessKey"}},
		reportDenying: {"AccessDenied", []string{"GenerateCredentialReport", "GetCredentialReport"}},
	}
}

// refuse begins or ends to refuse.
func (w *World) refuse(name string, on bool) {
	r := refusals()[name]
	for _, action := range r.actions {
		if on {
			w.AWS.Fail(action, r.code, math.MaxInt)
		} else {
			w.AWS.Recover(action, r.code)
		}
	}
}

// called sees each AWS call of the bot, before it is answered.
func (w *World) called(c awssim.Call) {
	if c.Service == "iam" && c.ErrorCode == "" && !looking(c.Action) && len(c.IDs) > 0 {
		w.aboutToChangeKeys(c.IDs[0])
	}
	if w.journal.call(c) {
		w.changed()
	}
}

// staleFor is how many reads see the past after a start, or after a change of a user's keys.
const staleFor = 2

func (w *World) readStale(on bool) {
	for _, i := range w.AWS.Instances() {
		if on {
			w.AWS.StaleReads(i.ID, staleFor)
		} else {
			w.AWS.StaleReads(i.ID, 0)
		}
	}
}

// aboutToStart makes the reads after a start stale, if they are to be.
func (w *World) aboutToStart(id string) {
	if w.broken(staleReading) {
		w.AWS.StaleReads(id, staleFor)
	}
}

func (w *World) readStaleKeys(on bool) {
	for _, u := range w.AWS.Users() {
		if on {
			w.AWS.StaleKeys(u.Name, staleFor)
		} else {
			w.AWS.StaleKeys(u.Name, 0)
		}
	}
}

// aboutToChangeKeys makes the reads after a change of a user's keys stale, if they are to be.
func (w *World) aboutToChangeKeys(user string) {
	if w.broken(iamStale) {
		w.AWS.StaleKeys(user, staleFor)
	}
}
