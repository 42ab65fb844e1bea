package awslook

import (
	"cmp"
	"net/mail"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"sekisho/auth/rights"
	"sekisho/infra/awscall"
)

// place is where an action must be allowed: at one of these ARNs.
type place []string

// places gives what a right is tried on. The simulator takes a "*" in a resource
// for itself, which a policy on "instance/i-*" does not allow; so each is named as
// a real one would be, and need not be there.
func (l *Look) places(who arn.ARN, kind rights.Kind) []place {
	one := func(service, region, resource string) []place {
		return []place{{arn.ARN{
			Partition: who.Partition, Service: service, Region: region, AccountID: who.AccountID, Resource: resource,
		}.String()}}
	}
	var all []place
	switch kind {
	case rights.Everything:
		return []place{{"*"}}
	case rights.Instances:
		return one("ec2", l.region, "instance/i-0123456789abcdef0")
	case rights.Users:
		return one("iam", "", "user"+cmp.Or(l.own.UserPath, "/")+"somebody")
	case rights.Roles:
		return []place{{who.String()}}
	case rights.Rules:
		return one("events", l.region, "rule/sekisho")
	case rights.OwnQueue:
		var either place
		for _, u := range l.own.Queues {
			if queue, ok := queueARN(who.Partition, l.region, u); ok {
				either = append(either, queue)
			}
		}
		if len(either) > 0 {
			all = append(all, either)
		}
	case rights.Queues:
		for _, u := range l.own.Queues {
			if queue, ok := queueARN(who.Partition, l.region, u); ok {
				all = append(all, place{queue})
			}
		}
	case rights.Identities:
		for _, sender := range l.own.Senders {
			var either place
			for _, id := range identities(sender) {
				either = slices.Concat(either, one("ses", l.region, "identity/"+id)[0])
			}
			if len(either) > 0 {
				all = append(all, either)
			}
		}
	}
	return all
}

// everywhere says whether the action is allowed at every place. Of a single
// resource IAM may speak in the result itself alone.
func everywhere(r types.EvaluationResult, places []place) bool {
	if len(r.ResourceSpecificResults) == 0 {
		return r.EvalDecision == types.PolicyEvaluationDecisionTypeAllowed
	}
	at := make(map[string]bool)
	for _, one := range r.ResourceSpecificResults {
		at[aws.ToString(one.EvalResourceName)] = one.EvalResourceDecision == types.PolicyEvaluationDecisionTypeAllowed
	}
	return !slices.ContainsFunc(places, func(p place) bool {
		return !slices.ContainsFunc(p, func(resource string) bool { return at[resource] })
	})
}

// QueueARN reads a queue's URL, for a bot in this Region.
func QueueARN(region, queue string) (string, bool) {
	return queueARN(awscall.Partition(region), region, queue)
}

// queueARN reads a queue's URL. Without a Region in its host's name the queue is in
// the bot's.
//
//	https://sqs.eu-west-1.amazonaws.com/123456789012/sekisho
//	https://vpce-0a1b.sqs.eu-west-1.vpce.amazonaws.com/123456789012/sekisho
func queueARN(partition, region, queue string) (string, bool) {
	u, err := url.Parse(queue)
	if err != nil {
		return "", false
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(path) < 2 {
		return "", false
	}
	account, name := path[len(path)-2], path[len(path)-1]
	labels := strings.Split(u.Hostname(), ".")
	if at := slices.Index(labels, "sqs"); at >= 0 && at+1 < len(labels) {
		region = labels[at+1]
	}
	return arn.ARN{Partition: partition, Service: "sqs", Region: region, AccountID: account, Resource: name}.String(), true
}

// identities are what may be verified for a sender, any of them: the address, its
// domain, or a domain above that.
// https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
func identities(sender string) []string {
	a, err := mail.ParseAddress(sender)
	if err != nil {
		return nil
	}
	all := []string{a.Address}
	domain := strings.ToLower(a.Address[strings.LastIndexByte(a.Address, '@')+1:])
	for strings.Contains(domain, ".") {
		all = append(all, domain)
		_, domain, _ = strings.Cut(domain, ".")
	}
	return all
}
