package awssim

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// permit refuses a call that needs a right which its caller doesn't have. The caller holds mu.
func (c *Cloud) permit(by caller, needs ...need) error {
	for _, n := range needs {
		n.facts = c.factsOf(by, n)
		if d, _ := c.decide(by, n); d != granted {
			return c.unauthorized(by, n, d)
		}
	}
	return nil
}

// factsOf adds to a need's own facts those that every request has.
func (c *Cloud) factsOf(by caller, n need) facts {
	region := by.region
	if service, _, _ := strings.Cut(n.action, ":"); global(service) {
		region = globalRegion
	}
	all := facts{}
	maps.Copy(all, n.facts)
	all.add("aws:PrincipalArn", by.principal())
	all.add("aws:RequestedRegion", region)
	all.add("aws:ViaAWSService", "false")
	return all
}

// decide says whether somebody has a right: what Deny took nobody has. The caller holds mu.
func (c *Cloud) decide(by caller, n need) (d decision, missing []string) {
	switch {
	case c.denied[strings.ToLower(n.action)]:
		return explicitDeny, nil
	case by.role == nil:
		return granted, nil
	}
	return by.role.policy.decide(n)
}

// unauthorized is a service's refusal of a call that its caller has no right to.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (c *Cloud) unauthorized(by caller, n need, d decision) *APIError {
	action, shown := n.action, cmp.Or(n.shown, n.resource)
	service, _, _ := strings.Cut(action, ":")
	if service == "sqs" {
		action = strings.ToLower(action) // as SQS writes it
	}
	why := "because no identity-based policy allows the " + action + " action"
	switch {
	case c.denied[strings.ToLower(action)]:
		why = "with an explicit deny in a service control policy"
	case d == explicitDeny:
		why = "with an explicit deny in an identity-based policy"
	}
	says := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", by.arn, action, shown, why)
	switch service {
	case "ec2":
		says = "You are not authorized to perform this operation. " + says
		return &APIError{"UnauthorizedOperation", says, http.StatusForbidden}
	case "iam", "sts", "sqs":
		return &APIError{"AccessDenied", says, http.StatusForbidden}
	case "ses":
		says = fmt.Sprintf("User `%s' is not authorized to perform `%s' on resource `%s'", by.arn, action, shown)
		return &APIError{"AccessDeniedException", says, http.StatusForbidden}
	default: // the JSON protocol knows no status but 400 and 500
		return &APIError{"AccessDeniedException", says, http.StatusBadRequest}
	}
}
