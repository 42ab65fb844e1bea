package cfn

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Where every stack of this package is.
const (
	Account   = "111122223333"
	Region    = "eu-central-1"
	Partition = "aws"
	StackName = "sekisho"
)

// Stack is what a template deploys for one set of parameters.
type Stack struct {
	Resources map[string]Resource // by logical id; those whose condition does not hold are not there
	Outputs   map[string]any

	template   *Template
	parameters map[string]any
	conditions map[string]bool
}

// Resource is one resource with its functions worked out.
type Resource struct {
	Type       string
	Properties map[string]any
	DependsOn  []string
}

// Stack works out what the template deploys. It is as strict as CloudFormation
// about parameters, and an error names everything that is wrong.
func (t *Template) Stack(parameters map[string]string) (*Stack, error) {
	s := &Stack{
		Resources: make(map[string]Resource), Outputs: make(map[string]any),
		template: t, parameters: make(map[string]any), conditions: make(map[string]bool),
	}
	if err := s.takeParameters(parameters); err != nil {
		return nil, err
	}
	if err := s.rules(); err != nil {
		return nil, err
	}
	var wrong []error
	for _, name := range sorted(t.Section("Conditions")) {
		if _, err := s.condition(name); err != nil {
			wrong = append(wrong, err)
		}
	}
	for _, id := range sorted(t.Section("Resources")) {
		if err := s.resource(id); err != nil {
			wrong = append(wrong, fmt.Errorf("resource %s: %w", id, err))
		}
	}
	for _, id := range sorted(t.Section("Outputs")) {
		output, _ := t.Section("Outputs")[id].(map[string]any)
		if holds, err := s.holds(output); err != nil || !holds {
			wrong = append(wrong, err)
			continue
		}
		v, err := s.eval(output["Value"])
		wrong = append(wrong, err)
		s.Outputs[id] = v
	}
	return s, errors.Join(wrong...)
}

func (s *Stack) takeParameters(given map[string]string) error {
	var wrong []error
	declared := s.template.Section("Parameters")
	for _, name := range sorted(given) {
		if _, ok := declared[name]; !ok {
			wrong = append(wrong, fmt.Errorf("the template has no parameter %s", name))
		}
	}
	for _, name := range sorted(declared) {
		d, _ := declared[name].(map[string]any)
		text, ok := given[name]
		if !ok {
			if d["Default"] == nil {
				wrong = append(wrong, fmt.Errorf("parameter %s has no default and is not given", name))
				continue
			}
			text = fmt.Sprint(d["Default"])
		}
		if err := allowed(d, text); err != nil {
			wrong = append(wrong, fmt.Errorf("parameter %s: %w", name, err))
		}
		s.parameters[name] = text
		if kind := fmt.Sprint(d["Type"]); kind == "CommaDelimitedList" || strings.HasPrefix(kind, "List<") {
			list := []any{}
			for one := range strings.SplitSeq(text, ",") {
				list = append(list, one)
			}
			s.parameters[name] = list
		}
	}
	return errors.Join(wrong...)
}

// allowed holds a value against what the parameter's declaration asks for.
func allowed(d map[string]any, text string) error {
	if values, ok := d["AllowedValues"].([]any); ok &&
		!slices.ContainsFunc(values, func(v any) bool { return fmt.Sprint(v) == text }) {
		return fmt.Errorf("%q is none of %v", text, values)
	}
	if pattern, ok := d["AllowedPattern"].(string); ok {
		whole, err := regexp.Compile("^(?:" + pattern + ")$")
		if err != nil {
			return err
		}
		if !whole.MatchString(text) {
			return fmt.Errorf("%q is not %s", text, pattern)
		}
	}
	if d["Type"] == "Number" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is no number", text)
		}
		for limit, sign := range map[string]float64{"MinValue": 1, "MaxValue": -1} {
			if at, err := strconv.ParseFloat(fmt.Sprint(d[limit]), 64); err == nil && sign*n < sign*at {
				return fmt.Errorf("%s is %v", limit, d[limit])
			}
		}
	}
	return nil
}

func (s *Stack) resource(id string) error {
	written, _ := s.template.Section("Resources")[id].(map[string]any)
	holds, err := s.holds(written)
	if err != nil || !holds {
		return err
	}
	kind, _ := written["Type"].(string)
	evaluated, err := s.eval(written["Properties"])
	if err != nil {
		return err
	}
	properties, _ := evaluated.(map[string]any)
	if properties == nil {
		properties = make(map[string]any)
	}
	if kind == "AWS::Serverless::Function" {
		if properties, err = s.withGlobals(properties); err != nil {
			return err
		}
	}
	r := Resource{Type: kind, Properties: properties}
	switch on := written["DependsOn"].(type) {
	case string:
		r.DependsOn = []string{on}
	case []any:
		for _, one := range on {
			r.DependsOn = append(r.DependsOn, fmt.Sprint(one))
		}
	}
	s.Resources[id] = r
	return nil
}

// withGlobals adds what SAM's Globals give every function; environments are
// joined: https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-specification-template-anatomy-globals.html
func (s *Stack) withGlobals(own map[string]any) (map[string]any, error) {
	evaluated, err := s.eval(s.template.Section("Globals")["Function"])
	if err != nil {
		return nil, fmt.Errorf("in Globals: %w", err)
	}
	global, _ := evaluated.(map[string]any)
	return join(global, own), nil
}

func join(under, over map[string]any) map[string]any {
	all := maps.Clone(over)
	for k, v := range under {
		a, isMap := v.(map[string]any)
		b, both := all[k].(map[string]any)
		switch _, has := all[k]; {
		case !has:
			all[k] = v
		case isMap && both:
			all[k] = join(a, b)
		}
	}
	return all
}

// holds says whether what has a Condition is to be there.
func (s *Stack) holds(written map[string]any) (bool, error) {
	name, ok := written["Condition"].(string)
	if !ok {
		return true, nil
	}
	return s.condition(name)
}

func (s *Stack) condition(name string) (bool, error) {
	if known, ok := s.conditions[name]; ok {
		return known, nil
	}
	written, ok := s.template.Section("Conditions")[name]
	if !ok {
		return false, fmt.Errorf("there is no condition %s", name)
	}
	v, err := s.eval(written)
	if err != nil {
		return false, fmt.Errorf("condition %s: %w", name, err)
	}
	holds, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("condition %s is %v", name, v)
	}
	s.conditions[name] = holds
	return holds, nil
}

// Of lists the logical ids of the resources of a type, sorted.
func (s *Stack) Of(kind string) (ids []string) {
	for _, id := range sorted(s.Resources) {
		if s.Resources[id].Type == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
