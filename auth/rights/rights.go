// Package rights lists what Sekisho must be allowed in AWS: no more than this,
// and nothing of it that the policy does not ask for. The roles of
// infra/deploy grant it, and `sekisho doctor` looks whether they do.
package rights

import (
	"cmp"
	"slices"

	"sekisho/auth"
)

// Right is one action that is called, as IAM names it:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
type Right struct {
	Action   string // "ec2:StopInstances"
	Resource Kind
	For      string            // what is lost without it
	Context  map[string]string // keys that a condition may ask for, as the call has them
}

// Kind is a kind of resource that a right can be limited to.
type Kind string

const (
	Everything Kind = ""         // IAM knows no narrower resource for the action
	Instances  Kind = "instance" // arn:aws:ec2:REGION:ACCOUNT:instance/*
	Users      Kind = "user"     // arn:aws:iam::ACCOUNT:user/*
	Roles      Kind = "role"     // the bot's own
	Queues     Kind = "queue"    // the bot's own, all of them
	OwnQueue   Kind = "own"      // that of the process's door
	Identities Kind = "identity" // arn:aws:ses:REGION:ACCOUNT:identity/*, and configuration-set/*
	Rules      Kind = "rule"     // arn:aws:events:REGION:ACCOUNT:rule/*
)

// Of lists the rights that a process needs which opens these doors and follows
// this policy, by action.
func Of(p *auth.Policy, doors ...auth.Door) []Right {
	var all []Right
	for _, d := range doors {
		switch d {
		case auth.DoorSocket, auth.DoorHTTP:
			all = append(all, people(p)...)
		case auth.DoorGate:
			all = append(all, gate(p)...)
		case auth.DoorKeys:
			all = append(all, keys(p)...)
		}
	}
	slices.SortFunc(all, func(a, b Right) int { return cmp.Compare(a.Action, b.Action) })
	return slices.CompactFunc(all, func(a, b Right) bool { return a.Action == b.Action })
}

func people(*auth.Policy) []Right {
	return []Right{
		{Action: "ec2:DescribeInstances", For: "finding the instance that somebody asks for"},
		{Action: "sqs:SendMessage", Resource: Queues, For: "doing what takes longer than Slack waits"},
	}
}

func gate(p *auth.Policy) []Right {
	all := []Right{
		{Action: "ec2:DescribeInstances", For: "judging starts, and the sweep"},
		{Action: "ec2:DescribeTags", For: "reading the pass of an instance that has just started"},
		{Action: "sqs:SendMessage", Resource: Queues, For: "confirming stops, and trying again"},
	}
	guarded := p.Gate.Guard.Tags
	if p.Gate.Mode == auth.Enforce {
		all = append(all,
			Right{"ec2:StopInstances", Instances, "ending a start without a pass", resourceTags(guarded)},
			Right{"ec2:DeleteTags", Instances, "removing a spent pass", with(resourceTags(guarded), "aws:TagKeys", p.Gate.PassTag)})
	}
	if p.Gate.Mode == auth.Enforce && p.Passes.StartNow {
		all = append(all,
			Right{"ec2:CreateTags", Instances, "“Start it now”", with(resourceTags(guarded), "aws:TagKeys", p.Gate.PassTag)},
			Right{"ec2:StartInstances", Instances, "“Start it now”", resourceTags(guarded)})
	}
	if p.Gate.Mode == auth.Enforce && p.Gate.CannotStop[auth.StopProtected] == auth.StopAnyway {
		lifts := with(with(resourceTags(guarded), "ec2:Attribute", "DisableApiStop"), "ec2:Attribute/DisableApiStop", "false")
		all = append(all, Right{"ec2:ModifyInstanceAttribute", Instances, "lifting a stop protection", lifts})
	}
	for _, obstacle := range auth.Obstacles() {
		if p.Gate.Mode == auth.Enforce && p.Gate.CannotStop[obstacle] == auth.Terminate {
			all = append(all, Right{"ec2:TerminateInstances", Instances, "ending what cannot be stopped", resourceTags(guarded)})
		}
	}
	return all
}

func keys(p *auth.Policy) []Right {
	all := []Right{
		{Action: "sqs:SendMessage", Resource: Queues, For: "trying again"},
		{Action: "iam:SimulatePrincipalPolicy", Resource: Roles, For: "sekisho doctor: which permissions are missing"},
		{Action: "events:ListRules", Resource: Everything, For: "sekisho doctor: whether events arrive"},
		{Action: "events:ListTargetsByRule", Resource: Rules, For: "sekisho doctor: whether events are aimed here"},
	}
	if p.Keys != nil || len(p.Reports) > 0 {
		all = append(all,
			Right{Action: "iam:ListUsers", For: "finding access keys"},
			Right{Action: "iam:GetUser", Resource: Users, For: "who is exempt, and whose a key is"},
			Right{Action: "iam:ListAccessKeys", Resource: Users, For: "the age of access keys"},
			Right{Action: "iam:GetAccessKeyLastUsed", Resource: Users, For: "when a key was used last"})
	}
	if p.Keys != nil {
		all = append(all,
			Right{Action: "config:ListDiscoveredResources", For: "naming the user of whom AWS Config speaks"},
			Right{Action: "config:DescribeConfigRules", For: "sekisho doctor: the rule in exactly one Region"},
			Right{Action: "ec2:DescribeRegions", For: "sekisho doctor: the rule in exactly one Region"})
	}
	if p.Keys != nil && p.Keys.Mode == auth.Enforce {
		all = append(all,
			Right{Action: "iam:UpdateAccessKey", Resource: Users, For: "deactivating a key, and Undo"},
			Right{Action: "iam:DeleteAccessKey", Resource: Users, For: "deleting a key"})
	}
	if len(p.Reports) > 0 {
		all = append(all,
			Right{Action: "iam:GenerateCredentialReport", For: "the users' part of a report"},
			Right{Action: "iam:GetCredentialReport", For: "the users' part of a report"})
	}
	if slices.ContainsFunc(p.Reports, func(r auth.ReportPolicy) bool { return r.Mail != nil }) {
		all = append(all,
			Right{Action: "ses:SendEmail", Resource: Identities, For: "reports by mail"},
			// Named by no page of AWS for SendEmail with a raw message, and asked for all the same.
			Right{Action: "ses:SendRawEmail", Resource: Identities, For: "reports by mail, which are whole MIME messages"},
			Right{Action: "ses:GetAccount", For: "sekisho doctor: whether SES is in its sandbox"},
			Right{Action: "ses:GetEmailIdentity", Resource: Identities, For: "sekisho doctor: whether the sender is verified"})
	}
	return all
}

// Polling are the rights of a process that reads its queue itself.
func Polling() []Right {
	return []Right{
		{Action: "sqs:ReceiveMessage", Resource: OwnQueue, For: "reading the queue"},
		{Action: "sqs:DeleteMessage", Resource: OwnQueue, For: "removing what is done"},
		{Action: "sqs:ChangeMessageVisibility", Resource: OwnQueue, For: "keeping what takes long"},
	}
}

// Mapping are those that Lambda uses to read a function's queue for it, with the
// function's role:
// https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html#events-sqs-permissions
func Mapping() []Right {
	return []Right{
		{Action: "sqs:ReceiveMessage", Resource: OwnQueue, For: "reading the queue"},
		{Action: "sqs:DeleteMessage", Resource: OwnQueue, For: "removing what is done"},
		{Action: "sqs:GetQueueAttributes", Resource: OwnQueue, For: "reading the queue"},
	}
}

func resourceTags(tags map[string]string) map[string]string {
	all := make(map[string]string, len(tags))
	for k, v := range tags {
		all["aws:ResourceTag/"+k] = v
	}
	return all
}

func with(m map[string]string, key, value string) map[string]string {
	m[key] = value
	return m
}
