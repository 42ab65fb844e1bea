package awssim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// policy is what a role may do, as IAM reads it.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
type policy []statement

type statement struct {
	allow      bool
	actions    []string // patterns, in lower case
	resources  []string // patterns
	conditions []condition
}

// need is one right that a call needs.
type need struct {
	action   string // "ec2:StopInstances"
	resource string // an ARN; "*" where IAM knows no narrower resource for the action
	shown    string // what a refusal calls the resource; "" for as resource has it
	facts    facts
}

// decision is how an evaluation ends, as simulations spell it.
type decision string

const (
	granted      decision = "allowed"
	implicitDeny decision = "implicitDeny" // nothing grants it
	explicitDeny decision = "explicitDeny"
)

// decide says whether a policy gives a right, and which keys its conditions asked for in vain. A statement that denies
// wins; without one that allows, the right is not given.
func (p policy) decide(n need) (d decision, missing []string) {
	d = implicitDeny
	for _, s := range p {
		if !s.covers(n) {
			continue
		}
		holds := true
		for _, c := range s.conditions {
			holds = c.holds(n.facts) && holds
			if !n.facts.have(c.key) {
				missing = append(missing, c.key)
			}
		}
		switch {
		case !holds:
		case !s.allow:
			d = explicitDeny
		case d == implicitDeny:
			d = granted
		}
	}
	slices.Sort(missing)
	return d, slices.Compact(missing)
}

func (s statement) covers(n need) bool {
	return matchesAny(s.actions, strings.ToLower(n.action)) && matchesAny(s.resources, n.resource)
}

func matchesAny(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matchesPattern(p, text) })
}

// matchesPattern is wildcard as IAM has it: nothing escapes a * or a ?.
func matchesPattern(pattern, text string) bool {
	return wildcard([]rune(strings.ReplaceAll(pattern, `\`, `\\`)), []rune(text))
}

// statementJSON is a statement as it is written. What isn't here (NotAction, NotResource) is refused.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type statementJSON struct {
	Sid, Effect      string
	Action, Resource oneOrMore[string]
	Condition        map[string]map[string]oneOrMore[any] // operator → key → values
}

// readPolicy understands a policy document, or says what of it isn't modelled.
func readPolicy(document string) (policy, error) {
	var doc struct {
		Version, ID string
		Statement   oneOrMore[statementJSON]
	}
	if err := decodeStrictly([]byte(document), &doc); err != nil {
		return nil, err
	}
	if doc.Version != "2012-10-17" {
		return nil, fmt.Errorf(`want Version "2012-10-17", not %q`, doc.Version)
	}
	if len(doc.Statement) == 0 {
		return nil, errors.New("want a Statement")
	}
	var p policy
	for i, written := range doc.Statement {
		s, err := newStatement(written)
		if err != nil {
			return nil, fmt.Errorf("statement %d %s: %w", i+1, written.Sid, err)
		}
		p = append(p, s)
	}
	return p, nil
}

var (
	actionName    = regexp.MustCompile(`^[a-z0-9-]+:[A-Za-z0-9]+$`)
	actionPattern = regexp.MustCompile(`^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$`)
)

func newStatement(written statementJSON) (s statement, err error) {
	switch written.Effect {
	case "Allow", "Deny":
		s.allow = written.Effect == "Allow"
	default:
		return s, fmt.Errorf("want Effect Allow or Deny, not %q", written.Effect)
	}
	if len(written.Action) == 0 || len(written.Resource) == 0 {
		return s, errors.New("want an Action and a Resource")
	}
	for _, a := range written.Action {
		if !actionPattern.MatchString(a) {
			return s, fmt.Errorf(`want Action "service:Action", not %q`, a)
		}
		s.actions = append(s.actions, strings.ToLower(a))
	}
	for _, r := range written.Resource {
		if r != "*" && !strings.HasPrefix(r, "arn:") || strings.Contains(r, "${") {
			return s, fmt.Errorf("want Resource * or an ARN without variables, not %q", r)
		}
	}
	s.resources = written.Resource
	for operator, keys := range written.Condition {
		for key, values := range keys {
			c, err := newCondition(operator, key, values)
			if err != nil {
				return s, fmt.Errorf("condition %s %s: %w", operator, key, err)
			}
			s.conditions = append(s.conditions, c)
		}
	}
	return s, nil
}

// oneOrMore is a list that may be written without its brackets when it has one element.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return decodeStrictly(text, (*[]T)(l))
	}
	var one T
	err := decodeStrictly(text, &one)
	*l = oneOrMore[T]{one}
	return err
}

// decodeStrictly reads one JSON value that has no member unknown to v.
func decodeStrictly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more follows the JSON value")
	}
	return nil
}
