package awssim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// pattern is an EventBridge event pattern: what is expected at each key of an event, all of which must hold.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
type pattern map[string]expectation

// expectation is a pattern of the object at a key or, where inner is nil, the matchers of which one must hold for the value.
type expectation struct {
	inner pattern
	anyOf []matcher
}

// maxPattern is how long a pattern may be. https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
const maxPattern = 4096

// readPattern refuses what EventBridge refuses, and the operators that aren't modelled here.
func readPattern(text string) (pattern, error) {
	if len(text) > maxPattern {
		return nil, errPattern(fmt.Errorf("it is longer than %d characters", maxPattern))
	}
	value, err := readJSON([]byte(text))
	if err != nil {
		return nil, errPattern(err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errPattern(errors.New("filter is not an object"))
	}
	p, err := newPattern(object)
	if err != nil {
		return nil, errPattern(err)
	}
	return p, nil
}

func errPattern(why error) *APIError {
	return refuse("InvalidEventPatternException", "Event pattern is not valid. Reason: %v", why)
}

// readJSON keeps numbers as they are written: EventBridge tells 300 from 300.0.
func readJSON(text []byte) (value any, err error) {
	if !json.Valid(text) {
		return nil, errors.New("it is not JSON")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&value)
	return value, err
}

func newPattern(object map[string]any) (pattern, error) {
	if len(object) == 0 {
		return nil, errors.New("empty objects are not allowed")
	}
	p := pattern{}
	for key, value := range object {
		if strings.HasPrefix(key, "$") {
			return nil, fmt.Errorf("the local EventBridge doesn't know %q", key)
		}
		want, err := newExpectation(value)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", key, err)
		}
		p[key] = want
	}
	return p, nil
}

func newExpectation(value any) (want expectation, err error) {
	switch value := value.(type) {
	case map[string]any:
		want.inner, err = newPattern(value)
		return want, err
	case []any:
		if len(value) == 0 {
			return want, errors.New("empty arrays are not allowed")
		}
		for _, v := range value {
			m, err := newMatcher(v)
			if err != nil {
				return want, err
			}
			want.anyOf = append(want.anyOf, m)
		}
		return want, nil
	}
	return want, errors.New("it must be an object or an array")
}

// matches says whether an object, nil where there is none, has what is expected at every key.
func (p pattern) matches(object map[string]any) bool {
	for key, want := range p {
		var values []any
		if value, there := object[key]; there {
			values = flatten(value)
		}
		if !want.matches(values) {
			return false
		}
	}
	return true
}

// matches looks at what an event has at a key: nothing, a value, or those of an array, of which one is enough.
func (want expectation) matches(values []any) bool {
	var leaves []any
	var objects []map[string]any
	for _, v := range values {
		if object, ok := v.(map[string]any); ok {
			objects = append(objects, object)
		} else {
			leaves = append(leaves, v)
		}
	}
	switch {
	case want.inner == nil:
		return slices.ContainsFunc(want.anyOf, func(m matcher) bool { return m(leaves) })
	case len(objects) == 0:
		return want.inner.matches(nil) // what is inside may be expected not to exist
	}
	return slices.ContainsFunc(objects, want.inner.matches)
}

func flatten(value any) []any {
	array, ok := value.([]any)
	if !ok {
		return []any{value}
	}
	var flat []any
	for _, v := range array {
		flat = append(flat, flatten(v)...)
	}
	return flat
}
