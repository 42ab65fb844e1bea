package awssim

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// matcher looks at the leaves that an event has at a key: the value, or those of an array. Where the key is missing, or has
// an object, there are none.
type matcher func(leaves []any) bool

// newMatcher reads one element of a pattern's array: a value, or an object with one operator.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
func newMatcher(element any) (matcher, error) {
	if _, nested := element.([]any); nested {
		return nil, errors.New("an array in an array is not allowed")
	}
	operator, operand, ok := operation(element)
	if !ok {
		return anyLeaf(func(leaf any) bool { return leaf == element }), nil
	}
	switch operator {
	case "exists":
		exists, ok := operand.(bool)
		if !ok {
			return nil, errors.New("exists match pattern must be either true or false")
		}
		return func(leaves []any) bool { return (len(leaves) > 0) == exists }, nil
	case "anything-but":
		unwanted, err := newUnwanted(operand)
		if err != nil {
			return nil, err
		}
		return anyLeaf(func(leaf any) bool { return !unwanted(leaf) }), nil
	}
	test, err := newTextTest(operator, operand)
	if err != nil {
		return nil, err
	}
	return anyLeaf(test), nil
}

// operation takes an object with one operator apart; ok is false for what is no object.
func operation(element any) (operator string, operand any, ok bool) {
	object, ok := element.(map[string]any)
	if len(object) != 1 {
		return "", nil, ok
	}
	for operator, operand = range object {
	}
	return operator, operand, ok
}

func anyLeaf(test func(leaf any) bool) matcher {
	return func(leaves []any) bool { return slices.ContainsFunc(leaves, test) }
}

// newUnwanted reads what stands after anything-but: a text, a number, a list of the one or of the other, or an operator on texts.
func newUnwanted(operand any) (func(leaf any) bool, error) {
	if operator, inner, ok := operation(operand); ok {
		return newTextTest(operator, inner)
	}
	values, isList := operand.([]any)
	if !isList {
		values = []any{operand}
	}
	texts, numbers := 0, 0
	for _, v := range values {
		switch v.(type) {
		case string:
			texts++
		case json.Number:
			numbers++
		}
	}
	if len(values) == 0 || texts != len(values) && numbers != len(values) {
		return nil, errors.New("anything-but takes strings or numbers, and not both")
	}
	return func(leaf any) bool { return slices.Contains(values, leaf) }, nil
}

// newTextTest reads an operator that holds for some strings and for nothing else.
func newTextTest(operator string, operand any) (func(leaf any) bool, error) {
	var test func(text, operand string) bool
	switch operator {
	case "prefix":
		test = strings.HasPrefix
	case "suffix":
		test = strings.HasSuffix
	case "wildcard":
		test = matchesStars
	case "":
		return nil, errors.New("a match object has one operator")
	default:
		return nil, fmt.Errorf("unrecognized match type %s (here are prefix, suffix, wildcard, exists and anything-but)", operator)
	}
	want, ok := operand.(string)
	if !ok {
		return nil, fmt.Errorf("the operand of %s must be a string", operator)
	}
	if operator == "wildcard" {
		if err := checkStars(want); err != nil {
			return nil, err
		}
	}
	return func(leaf any) bool {
		text, ok := leaf.(string)
		return ok && test(text, want)
	}, nil
}

// matchesStars has * for any text. Unlike EC2's filters, it has no other sign.
func matchesStars(text, stars string) bool {
	return wildcard([]rune(strings.ReplaceAll(stars, "?", `\?`)), []rune(text))
}

func checkStars(stars string) error {
	plain := strings.NewReplacer(`\\`, "x", `\*`, "x").Replace(stars)
	switch {
	case strings.Contains(plain, `\`):
		return errors.New(`in a wildcard, \ may stand before * and \ only`)
	case strings.Contains(plain, "**"):
		return errors.New("consecutive wildcard characters are not allowed")
	}
	return nil
}
