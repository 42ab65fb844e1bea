package cfn

import (
	"errors"
	"fmt"
)

// rules holds the parameters against what the template asserts of them:
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
func (s *Stack) rules() error {
	var wrong []error
	for _, name := range sorted(s.template.Section("Rules")) {
		rule, _ := s.template.Section("Rules")[name].(map[string]any)
		if err := s.rule(rule); err != nil {
			wrong = append(wrong, fmt.Errorf("rule %s: %w", name, err))
		}
	}
	return errors.Join(wrong...)
}

func (s *Stack) rule(rule map[string]any) error {
	if when, ok := rule["RuleCondition"]; ok {
		if holds, err := s.eval(when); err != nil || holds != true {
			return err
		}
	}
	for _, one := range list(rule["Assertions"]) {
		assertion, _ := one.(map[string]any)
		if holds, err := s.eval(assertion["Assert"]); err != nil || holds != true {
			return errors.Join(err, fmt.Errorf("%v", assertion["AssertDescription"]))
		}
	}
	return nil
}
