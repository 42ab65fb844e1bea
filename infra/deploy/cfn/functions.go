package cfn

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// absent is what AWS::NoValue makes of a property or an element.
type absent struct{}

// eval works out every function in v.
func (s *Stack) eval(v any) (any, error) {
	switch v := v.(type) {
	case map[string]any:
		if name, arg, ok := function(v); ok {
			return s.call(name, arg)
		}
		m := make(map[string]any, len(v))
		for _, key := range sorted(v) {
			one, err := s.eval(v[key])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", key, err)
			}
			if one != (any)(absent{}) {
				m[key] = one
			}
		}
		return m, nil
	case []any:
		list := []any{}
		for _, element := range v {
			one, err := s.eval(element)
			if err != nil {
				return nil, err
			}
			if _, gone := one.(absent); !gone {
				list = append(list, one)
			}
		}
		return list, nil
	}
	return v, nil
}

// function tells a function from a map. A Condition with more beside it is a
// property of that name.
func function(m map[string]any) (name string, arg any, ok bool) {
	if len(m) != 1 {
		return "", nil, false
	}
	for name, arg = range m {
	}
	if _, isName := arg.(string); name == "Condition" && !isName {
		return "", nil, false // a statement's
	}
	return name, arg, name == "Ref" || name == "Condition" || strings.HasPrefix(name, "Fn::")
}

func (s *Stack) call(name string, arg any) (any, error) {
	switch name {
	case "Ref":
		return s.ref(fmt.Sprint(arg))
	case "Condition":
		return s.condition(fmt.Sprint(arg))
	case "Fn::Sub":
		return s.sub(arg)
	case "Fn::If":
		return s.choose(arg)
	}
	worked, err := s.eval(arg)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	args, ok := worked.([]any)
	if !ok {
		return nil, fmt.Errorf("%s wants a list", name)
	}
	v, err := simple(s, name, args)
	if err != nil {
		return nil, fmt.Errorf("%s %v: %w", name, args, err)
	}
	return v, nil
}

// errArguments is the error of a function that is given other arguments than
// it takes.
var errArguments = errors.New("not the arguments that it takes")

// simple calls a function whose arguments are worked out.
func simple(s *Stack, name string, args []any) (any, error) {
	if name == "Fn::And" || name == "Fn::Or" {
		for _, a := range args {
			if a == (name == "Fn::Or") {
				return a, nil
			}
		}
		return name == "Fn::And", nil
	}
	switch {
	case name == "Fn::Not" && len(args) == 1:
		return args[0] == false, nil
	case name == "Fn::FindInMap" && len(args) == 3:
		top, _ := s.template.Section("Mappings")[fmt.Sprint(args[0])].(map[string]any)
		second, _ := top[fmt.Sprint(args[1])].(map[string]any)
		if v, ok := second[fmt.Sprint(args[2])]; ok {
			return v, nil
		}
		return nil, errors.New("the mapping has no such key")
	case len(args) != 2:
		return nil, errArguments
	}
	list, isList := args[1].([]any)
	switch name {
	case "Fn::GetAtt":
		return s.attribute(fmt.Sprint(args[0]), fmt.Sprint(args[1]))
	case "Fn::Equals":
		return reflect.DeepEqual(text(args[0]), text(args[1])), nil
	case "Fn::EachMemberEquals":
		other := func(one any) bool { return text(one) != text(args[1]) }
		all, ok := args[0].([]any)
		if !ok {
			return nil, errArguments
		}
		return !slices.ContainsFunc(all, other), nil
	case "Fn::Split":
		parts := []any{}
		for part := range strings.SplitSeq(fmt.Sprint(args[1]), fmt.Sprint(args[0])) {
			parts = append(parts, part)
		}
		return parts, nil
	case "Fn::Join":
		if !isList {
			return nil, errArguments
		}
		var all []string
		for _, one := range list {
			all = append(all, fmt.Sprint(one))
		}
		return strings.Join(all, fmt.Sprint(args[0])), nil
	case "Fn::Select":
		n, err := strconv.Atoi(fmt.Sprint(args[0]))
		if err != nil || !isList || n < 0 || n >= len(list) {
			return nil, errors.New("there is no such element")
		}
		return list[n], nil
	}
	return nil, errors.New("this package does not know the function")
}

// text makes a scalar a string: to CloudFormation 5 and "5" are equal.
func text(v any) any {
	if _, isList := v.([]any); isList {
		return v
	}
	return fmt.Sprint(v)
}

// choose works out the chosen branch alone.
func (s *Stack) choose(arg any) (any, error) {
	args, ok := arg.([]any)
	if !ok || len(args) != 3 {
		return nil, errors.New("Fn::If takes a condition and two values")
	}
	holds, err := s.condition(fmt.Sprint(args[0]))
	if err != nil {
		return nil, err
	}
	if holds {
		return s.eval(args[1])
	}
	return s.eval(args[2])
}

var variable = regexp.MustCompile(`\$\{[^!{}][^{}]*\}`)

func (s *Stack) sub(arg any) (any, error) {
	template, own, err := subArguments(arg)
	if err != nil {
		return nil, err
	}
	worked, err := s.eval(own)
	if err != nil {
		return nil, fmt.Errorf("Fn::Sub: %w", err)
	}
	values := worked.(map[string]any)
	var wrong []error
	out := variable.ReplaceAllStringFunc(template, func(found string) string {
		name := strings.Trim(found, "${}")
		v, mine := values[name]
		if !mine {
			if resource, attribute, dotted := strings.Cut(name, "."); dotted {
				v, err = s.attribute(resource, attribute)
			} else {
				v, err = s.ref(name)
			}
			if err != nil {
				wrong = append(wrong, fmt.Errorf("Fn::Sub %s: %w", found, err))
			}
		}
		return fmt.Sprint(v)
	})
	return strings.ReplaceAll(out, "${!", "${"), errors.Join(wrong...)
}

func subArguments(arg any) (template string, own map[string]any, err error) {
	own = map[string]any{}
	switch a := arg.(type) {
	case string:
		return a, own, nil
	case []any:
		if len(a) == 2 {
			template, ok := a[0].(string)
			own, both := a[1].(map[string]any)
			if ok && both {
				return template, own, nil
			}
		}
	}
	return "", nil, errors.New("Fn::Sub takes a text, or a text and a map")
}
