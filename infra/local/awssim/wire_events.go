package awssim

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// events is everything that this EventBridge tells of its rules; PutRule makes them.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/Welcome.html
var events = jsonService{
	name:   "events",
	target: "AWSEvents.",
	title:  "EventBridge",
	actions: map[string]jsonAction{
		"DescribeRule":      taking((*Cloud).eventsDescribeRule),
		"ListRules":         taking((*Cloud).eventsListRules),
		"ListTargetsByRule": taking((*Cloud).eventsListTargetsByRule),
	},
	need: (*Cloud).ruleNeed,
}

// maxRules is how many rules, or targets, a page has.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListRules.html
const maxRules = 100

const defaultBus = "default"

// ruleJSON is a rule as it is listed and described.
type ruleJSON struct {
	Name, Arn          string
	State              string // "ENABLED", "DISABLED"
	EventBusName       string
	EventPattern       string `json:",omitempty"`
	ScheduleExpression string `json:",omitempty"`
}

func (r *rule) show(c *Cloud) ruleJSON {
	shown := ruleJSON{
		Name:               r.name,
		Arn:                c.ruleARN(r.name),
		State:              "ENABLED",
		EventBusName:       defaultBus,
		EventPattern:       r.text,
		ScheduleExpression: r.schedule,
	}
	if r.disabled {
		shown.State = "DISABLED"
	}
	return shown
}

func (c *Cloud) ruleARN(name string) string {
	return "arn:aws:events:" + c.opts.Region + ":" + c.opts.Account + ":rule/" + name
}

// eventsPage has the parameters of a list. The pointer tells 0 from "not said".
type eventsPage struct {
	NextToken string
	Limit     *int
}

// eventsPageOf is the part of a list, in order of place, that was asked for, and the token of the next.
func eventsPageOf[T any](in eventsPage, list []T, place func(T) string) (shown []T, next string, err error) {
	size := valueOr(in.Limit, maxRules)
	if size < 1 || size > maxRules {
		return nil, "", errValidation("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: "+
			"Member must be between 1 and %d", size, maxRules)
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, "", refuse("InvalidToken", "The token is not valid.")
	}
	for len(list) > 0 && place(list[0]) <= after {
		list = list[1:]
	}
	shown = list
	if len(shown) > size {
		shown = shown[:size]
		next = writeToken(place(shown[size-1]))
	}
	return shown, next, nil
}

type listRulesRequest struct {
	NamePrefix, EventBusName string
	eventsPage
}

func (c *Cloud) eventsListRules(in listRulesRequest) (any, error) {
	if err := c.checkBus(in.EventBusName); err != nil {
		return nil, err
	}
	var named []*rule
	for _, r := range c.rules {
		if strings.HasPrefix(r.name, in.NamePrefix) {
			named = append(named, r)
		}
	}
	page, next, err := eventsPageOf(in.eventsPage, named, func(r *rule) string { return r.name })
	if err != nil {
		return nil, err
	}
	out := struct {
		Rules     []ruleJSON
		NextToken string `json:",omitempty"`
	}{[]ruleJSON{}, next}
	for _, r := range page {
		out.Rules = append(out.Rules, r.show(c))
	}
	return out, nil
}

type describeRuleRequest struct{ Name, EventBusName string }

func (c *Cloud) eventsDescribeRule(in describeRuleRequest) (any, error) {
	r, err := c.ruleOf("name", in.Name, in.EventBusName)
	if err != nil {
		return nil, err
	}
	return struct {
		ruleJSON
		CreatedBy string
	}{r.show(c), c.opts.Account}, nil
}

type listTargetsRequest struct {
	Rule, EventBusName string
	eventsPage
}

type targetJSON struct{ Id, Arn string }

func (c *Cloud) eventsListTargetsByRule(in listTargetsRequest) (any, error) {
	r, err := c.ruleOf("rule", in.Rule, in.EventBusName)
	if err != nil {
		return nil, err
	}
	all := []targetJSON{}
	for i, t := range r.targets {
		all = append(all, targetJSON{"target-" + strconv.Itoa(i+1), t.arn})
	}
	page, next, err := eventsPageOf(in.eventsPage, all, func(t targetJSON) string { return t.Id })
	if err != nil {
		return nil, err
	}
	return struct {
		Targets   []targetJSON
		NextToken string `json:",omitempty"`
	}{page, next}, nil
}

// ruleOf finds the rule that a call names by a parameter.
func (c *Cloud) ruleOf(parameter, name, bus string) (*rule, error) {
	if err := c.checkBus(bus); err != nil {
		return nil, err
	}
	if name == "" {
		return nil, errNotGiven(parameter)
	}
	at, found := c.findRule(name)
	if !found {
		return nil, refuse("ResourceNotFoundException", "Rule %s does not exist on EventBus %s.", name, defaultBus)
	}
	return c.rules[at], nil
}

// checkBus knows the default event bus alone, by its name or its ARN.
func (c *Cloud) checkBus(bus string) error {
	arn := "arn:aws:events:" + c.opts.Region + ":" + c.opts.Account + ":event-bus/" + defaultBus
	if !slices.Contains([]string{defaultBus, arn}, cmp.Or(bus, defaultBus)) {
		return refuse("ResourceNotFoundException", "Event bus %s does not exist.", bus)
	}
	return nil
}
