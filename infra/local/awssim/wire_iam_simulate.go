package awssim

import (
	"fmt"
	"slices"
	"strings"
)

// evaluationXML says what became of one action.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
type evaluationXML struct {
	place string

	Action    string         `xml:"EvalActionName"`
	Resource  string         `xml:"EvalResourceName"` // the kind of resource, or *
	Decision  decision       `xml:"EvalDecision"`     // the strictest of those of all resources
	Missing   []string       `xml:"MissingContextValues>member"`
	Resources []simulatedXML `xml:"ResourceSpecificResults>member"`
}

// simulatedXML says what became of an action on one of the resources that the call names.
type simulatedXML struct {
	Resource string   `xml:"EvalResourceName"`
	Decision decision `xml:"EvalResourceDecision"`
	Missing  []string `xml:"MissingContextValues>member"`
}

// iamSimulatePrincipalPolicy judges rights as a call would, by nothing but what it is given: no tag is looked up.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
func (c *Cloud) iamSimulatePrincipalPolicy(f form) (any, error) {
	by, err := c.policySource(f)
	if err != nil {
		return nil, err
	}
	for parameter := range f.values {
		name, _, _ := strings.Cut(parameter, ".")
		if !slices.Contains(simulationParameters, name) {
			return nil, refuse("InvalidInput", "The local IAM simulates without %s.", name)
		}
	}
	actions, resources := f.list("ActionNames.member"), f.list("ResourceArns.member")
	if len(actions) == 0 {
		return nil, errNull("actionNames")
	}
	for _, arn := range resources {
		if arn != "*" && strings.Count(arn, ":") < arnColons {
			return nil, refuse("InvalidInput", "ResourceNames are not in a valid ARN format: %s.", arn)
		}
	}
	given := facts{}
	for _, prefix := range f.members("ContextEntries.member") {
		for _, value := range f.list(prefix + ".ContextKeyValues.member") {
			given.add(f.get(prefix+".ContextKeyName"), value)
		}
	}
	var results []evaluationXML
	for i, action := range actions {
		if !actionName.MatchString(action) {
			return nil, refuse("InvalidInput", "Invalid action: %s.", action)
		}
		e := c.simulate(by, action, resources, given)
		e.place = fmt.Sprintf("%04d", i)
		results = append(results, e)
	}
	results, more, err := page(f, results, func(e evaluationXML) string { return e.place }, everyone)
	return struct {
		EvaluationResults []evaluationXML `xml:"EvaluationResults>member"`
		moreXML
	}{results, more}, err
}

var simulationParameters = []string{
	"Action", "Version", "PolicySourceArn", "ActionNames", "ResourceArns", "ContextEntries", "MaxItems", "Marker",
}

// policySource finds whose policies are to be simulated.
func (c *Cloud) policySource(f form) (caller, error) {
	arn := f.get("PolicySourceArn")
	if arn == "" {
		return caller{}, errNull("policySourceArn")
	}
	entity, isRole := strings.CutPrefix(arn, "arn:aws:iam::"+c.opts.Account+":role/")
	everything := caller{arn: c.opts.Caller}
	switch {
	case isRole && c.roles[entity] != nil:
		return caller{role: c.roles[entity]}, nil
	case arn == everything.principal():
		return everything, nil
	case isRole:
		return caller{}, errNoEntity("The role with name %s cannot be found.", entity)
	case strings.HasPrefix(arn, "arn:aws:iam::"+c.opts.Account+":user/"):
		return caller{}, refuse("InvalidInput", "The local IAM keeps no policies of users, so not those of %s.", arn)
	}
	return caller{}, refuse("InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
}

func (c *Cloud) simulate(by caller, action string, resources []string, given facts) evaluationXML {
	all := evaluationXML{Action: action, Resource: "*"}
	if len(resources) == 0 {
		all.Decision, all.Missing = c.decide(by, need{action: action, resource: "*", facts: given})
		return all
	}
	all.Resource, all.Decision = arnTemplate(resources[0]), granted
	for _, arn := range resources {
		d, missing := c.decide(by, need{action: action, resource: arn, facts: given})
		all.Resources = append(all.Resources, simulatedXML{arn, d, missing})
		all.Missing = append(all.Missing, missing...)
		if d == explicitDeny || all.Decision == granted {
			all.Decision = d
		}
	}
	slices.Sort(all.Missing)
	all.Missing = slices.Compact(all.Missing)
	return all
}

// arnTemplate is the kind of resource that an ARN is of: "arn:${Partition}:ec2:${Region}:${Account}:instance/${Name}".
// AWS has a name of its own for each kind's last part.
func arnTemplate(arn string) string {
	part := strings.SplitN(arn, ":", arnColons+1)
	if len(part) <= arnColons {
		return arn
	}
	part[1] = "${Partition}"
	if part[3] != "" {
		part[3] = "${Region}"
	}
	if part[4] != "" {
		part[4] = "${Account}"
	}
	kind, _, _ := strings.Cut(part[5], "/")
	part[5] = "${Name}"
	if strings.Contains(arn, "/") {
		part[5] = kind + "/${Name}"
	}
	return strings.Join(part, ":")
}
