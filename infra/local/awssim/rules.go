package awssim

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Rule is an EventBridge rule of the default bus: an event that its pattern matches goes to all of its targets.
type Rule struct {
	Name     string // unique
	Pattern  string // JSON; may be empty where there is a Schedule
	Schedule string // "rate(5 minutes)", "cron(0 7 ? * MON *)": to be listed; nothing happens by itself at that time
	Disabled bool
	Targets  []Target // five at most
}

// Target is where a rule's events go: into a queue, to a function, or, with an ARN alone, to something outside this cloud.
type Target struct {
	ARN    string // as it is listed; that of the queue by default
	Queue  string // URL of one of CreateQueue's
	Invoke func(event []byte)
}

// maxTargets is of one rule. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html
const maxTargets = 5

var (
	ruleName = regexp.MustCompile(`^[.\-_A-Za-z0-9]{1,64}$`)
	schedule = regexp.MustCompile(`^(rate|cron)\(.+\)$`)
)

// everything is the name of RouteEventsTo's rule, and its pattern.
const (
	everything        = "everything"
	everythingPattern = `{"source":[{"prefix":""}]}`
)

// rule is a Rule that was understood.
type rule struct {
	name, text, schedule string  // text: of the pattern
	pattern              pattern // nil: a schedule's alone
	disabled             bool
	targets              []target
}

type target struct {
	arn    string
	queue  *queue             // or nil
	invoke func(event []byte) // or nil
}

// PutRule makes a rule or replaces the one of that name. It says what EventBridge would refuse, or the cloud doesn't have.
func (c *Cloud) PutRule(r Rule) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	made, err := c.newRule(r)
	if err != nil {
		return fmt.Errorf("awssim: PutRule %s: %w", r.Name, err)
	}
	at, found := c.findRule(r.Name)
	if found {
		c.rules[at] = made
	} else {
		c.rules = slices.Insert(c.rules, at, made)
	}
	return nil
}

// RemoveRule takes a rule away, if there is one of that name.
func (c *Cloud) RemoveRule(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, found := c.findRule(name); found {
		c.rules = slices.Delete(c.rules, at, at+1)
	}
}

// EnableRule switches a rule on or off. An unknown name is a mistake in the program and panics.
func (c *Cloud) EnableRule(name string, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, found := c.findRule(name)
	if !found {
		panic(fmt.Sprintf("awssim: EnableRule: there is no rule %q (make it with PutRule)", name))
	}
	c.rules[at].disabled = !on
}

// RouteEventsTo sends every event from now on, whatever other rules there are, to that queue too. An empty URL ends that.
// An unknown queue is a mistake in the program and panics.
func (c *Cloud) RouteEventsTo(queueURL string) {
	if queueURL == "" {
		c.RemoveRule(everything)
		return
	}
	if err := c.PutRule(Rule{Name: everything, Pattern: everythingPattern, Targets: []Target{{Queue: queueURL}}}); err != nil {
		panic(err.Error())
	}
}

// The caller of everything below holds mu.

func (c *Cloud) newRule(r Rule) (*rule, error) {
	switch {
	case !ruleName.MatchString(r.Name):
		return nil, errValidation("the name is not 1 to 64 letters, digits and . - _")
	case r.Pattern == "" && r.Schedule == "":
		return nil, errValidation("Parameter(s) EventPattern or ScheduleExpression must be specified.")
	case r.Schedule != "" && !schedule.MatchString(r.Schedule):
		return nil, errValidation("Parameter ScheduleExpression is not valid.")
	case len(r.Targets) > maxTargets:
		return nil, refuse("LimitExceededException", "The rule has more than %d targets.", maxTargets)
	}
	made := &rule{name: r.Name, text: r.Pattern, schedule: r.Schedule, disabled: r.Disabled}
	if r.Pattern != "" {
		var err error
		if made.pattern, err = readPattern(r.Pattern); err != nil {
			return nil, err
		}
	}
	for _, t := range r.Targets {
		aimed, err := c.aim(t)
		if err != nil {
			return nil, err
		}
		made.targets = append(made.targets, aimed)
	}
	return made, nil
}

// aim looks up a target's queue.
func (c *Cloud) aim(t Target) (target, error) {
	aimed := target{arn: t.ARN, invoke: t.Invoke}
	if t.Queue != "" {
		if aimed.queue = c.queueAt(t.Queue); aimed.queue == nil {
			return target{}, errValidation("there is no queue at %q (make it with CreateQueue)", t.Queue)
		}
		aimed.arn = cmp.Or(t.ARN, aimed.queue.arn(c))
	}
	if aimed.arn == "" {
		return target{}, errValidation("a target has no ARN")
	}
	return aimed, nil
}

// findRule is where a rule is, or would be, in the order of names.
func (c *Cloud) findRule(name string) (at int, found bool) {
	return slices.BinarySearchFunc(c.rules, name, func(r *rule, name string) int { return strings.Compare(r.name, name) })
}

// route brings an event to the targets of every rule that matches it. It gives the functions among them, to be called later.
func (c *Cloud) route(event []byte) (invoke []func([]byte)) {
	if len(c.rules) == 0 {
		return nil
	}
	value, err := readJSON(event)
	object, ok := value.(map[string]any)
	if err != nil || !ok {
		panic(fmt.Sprintf("awssim: an event is no JSON object: %s", event)) // Emit has looked
	}
	for _, r := range c.rules {
		if r.disabled || r.pattern == nil || !r.pattern.matches(object) {
			continue
		}
		for _, t := range r.targets {
			if t.queue != nil {
				c.put(t.queue, string(event), 0)
			}
			if t.invoke != nil {
				invoke = append(invoke, t.invoke)
			}
		}
	}
	return invoke
}
