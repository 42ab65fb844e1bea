package cfn

import (
	"fmt"
	"strings"
)

// Dangling lists what the template refers to and does not have: parameters,
// resources, conditions and mappings, in every branch, taken or not.
func (t *Template) Dangling() (missing []string) {
	has := func(section, name string) bool { _, ok := t.Section(section)[name]; return ok }
	thing := func(name string) bool {
		return strings.HasPrefix(name, "AWS::") || has("Parameters", name) || has("Resources", name)
	}
	t.walk(func(where, name string, arg any) {
		report := func(what any) { missing = append(missing, fmt.Sprintf("%s: %s %v", where, name, what)) }
		args, _ := arg.([]any)
		switch {
		case name == "Ref" && !thing(fmt.Sprint(arg)):
			report(arg)
		case name == "Fn::GetAtt" && (len(args) != 2 || !has("Resources", fmt.Sprint(args[0]))):
			report(arg)
		case name == "Condition" && !has("Conditions", fmt.Sprint(arg)):
			report(arg)
		case name == "Fn::If" && (len(args) != 3 || !has("Conditions", fmt.Sprint(args[0]))):
			report(args[:min(1, len(args))])
		case name == "Fn::FindInMap" && (len(args) != 3 || !has("Mappings", fmt.Sprint(args[0]))):
			report(arg)
		case name == "DependsOn" && !has("Resources", fmt.Sprint(arg)):
			report(arg)
		case name == "Fn::Sub":
			template, own, err := subArguments(arg)
			if err != nil {
				report(err)
			}
			for _, found := range variable.FindAllString(template, -1) {
				name := strings.Trim(found, "${}")
				resource, _, dotted := strings.Cut(name, ".")
				if _, mine := own[name]; !mine && (!dotted && !thing(name) || dotted && !has("Resources", resource)) {
					report(found)
				}
			}
		}
	})
	return missing
}

// Unused lists the parameters, conditions and mappings that nothing refers to.
func (t *Template) Unused() (unused []string) {
	used := make(map[string]bool)
	t.walk(func(_, name string, arg any) {
		args, _ := arg.([]any)
		switch {
		case name == "Ref", name == "Condition":
			used[fmt.Sprint(arg)] = true
		case len(args) > 0 && (name == "Fn::If" || name == "Fn::FindInMap"):
			used[fmt.Sprint(args[0])] = true
		case name == "Fn::Sub":
			template, _, _ := subArguments(arg)
			for _, found := range variable.FindAllString(template, -1) {
				used[strings.Trim(found, "${}")] = true
			}
		}
	})
	for _, section := range []string{"Parameters", "Conditions", "Mappings"} {
		for _, name := range sorted(t.Section(section)) {
			if !used[name] {
				unused = append(unused, name)
			}
		}
	}
	return unused
}

// walk shows every function of the template, and the conditions and
// dependencies of its resources and outputs.
func (t *Template) walk(show func(where, name string, arg any)) {
	for _, section := range []string{"Rules", "Conditions", "Globals", "Resources", "Outputs"} {
		for _, id := range sorted(t.Section(section)) {
			entry := t.Section(section)[id]
			if m, ok := entry.(map[string]any); ok && section != "Conditions" {
				if name, ok := m["Condition"].(string); ok {
					show(id, "Condition", name)
				}
				switch on := m["DependsOn"].(type) {
				case string:
					show(id, "DependsOn", on)
				case []any:
					for _, one := range on {
						show(id, "DependsOn", one)
					}
				}
			}
			walk(id, entry, show)
		}
	}
}

func walk(where string, v any, show func(where, name string, arg any)) {
	switch v := v.(type) {
	case map[string]any:
		if name, arg, ok := function(v); ok {
			show(where, name, arg)
		}
		for _, key := range sorted(v) {
			walk(where, v[key], show)
		}
	case []any:
		for _, one := range v {
			walk(where, one, show)
		}
	}
}

// Attributes lists what GetAtt and Sub ask for, by logical id.
func (t *Template) Attributes() map[string][]string {
	all := make(map[string][]string)
	t.walk(func(_, name string, arg any) {
		switch args, _ := arg.([]any); {
		case name == "Fn::GetAtt" && len(args) == 2:
			id := fmt.Sprint(args[0])
			all[id] = append(all[id], fmt.Sprint(args[1]))
		case name == "Fn::Sub":
			template, _, _ := subArguments(arg)
			for _, found := range variable.FindAllString(template, -1) {
				if id, attribute, dotted := strings.Cut(strings.Trim(found, "${}"), "."); dotted {
					all[id] = append(all[id], attribute)
				}
			}
		}
	})
	return all
}
