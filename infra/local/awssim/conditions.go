package awssim

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// facts is what is known of a request: values by condition key, in lower case because the case of a key doesn't matter.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
type facts map[string][]string

func (f facts) have(key string) bool {
	_, known := f[strings.ToLower(key)]
	return known
}

func (f facts) add(key, value string) {
	key = strings.ToLower(key)
	f[key] = append(f[key], value)
}

// conditionKeys are all that a call here can have. What the name of a tag or an attribute follows ends in a slash.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html#amazonec2-policy-keys
var conditionKeys = []string{
	"aws:principalarn", "aws:requestedregion", "aws:requesttag/", "aws:resourcetag/", "aws:viaawsservice", tagKeys,
	"ec2:attribute", "ec2:attribute/", "ec2:resourcetag/", "iam:resourcetag/", "ses:fromaddress",
}

// tagKeys is the one key that has several values.
const tagKeys = "aws:tagkeys"

// condition is one line of a statement's Condition.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type condition struct {
	key      string // as the policy spells it, "aws:ResourceTag/Team"
	operator string // without its set, "StringEquals"
	set      string // "ForAllValues", "ForAnyValue", or "" for a key with one value
	values   []string
}

// comparisons say whether one value of a policy matches one of the request.
var comparisons = map[string]func(wanted, value string) bool{
	"StringEquals":    func(wanted, value string) bool { return wanted == value },
	"StringNotEquals": func(wanted, value string) bool { return wanted == value }, // see accepts
	"StringLike":      matchesPattern,
	"ArnEquals":       matchesARN, // as ArnLike, says the page above
	"ArnLike":         matchesARN,
	"Bool":            strings.EqualFold,
	null:              nil, // see holds
}

const null = "Null"

// newCondition refuses whatever it couldn't judge as IAM does.
func newCondition(operator, key string, values []any) (condition, error) {
	c := condition{key: key, operator: operator}
	if set, of, has := strings.Cut(operator, ":"); has {
		c.set, c.operator = set, of
	}
	_, known := comparisons[c.operator]
	switch {
	case !known || !slices.Contains([]string{"", "ForAllValues", "ForAnyValue"}, c.set):
		return c, errors.New("the local IAM doesn't know this operator")
	case c.set != "" && !strings.HasPrefix(c.operator, "String"):
		return c, errors.New("the local IAM knows sets of strings only")
	case !isConditionKey(key):
		return c, errors.New("the local IAM doesn't know this key")
	case c.set == "" && c.operator != null && strings.EqualFold(key, tagKeys):
		return c, errors.New("the key has several values: want ForAllValues or ForAnyValue before the operator")
	case len(values) == 0:
		return c, errors.New("no value")
	}
	for _, v := range values {
		text, err := c.value(v)
		if err != nil {
			return c, err
		}
		c.values = append(c.values, text)
	}
	return c, nil
}

func isConditionKey(key string) bool {
	family, tag, tagged := strings.Cut(strings.ToLower(key), "/")
	if tagged {
		return tag != "" && slices.Contains(conditionKeys, family+"/")
	}
	return slices.Contains(conditionKeys, family)
}

// value reads one value of a policy.
func (c condition) value(v any) (string, error) {
	text, isText := v.(string)
	if b, isBool := v.(bool); isBool {
		text, isText = strconv.FormatBool(b), true
	}
	switch {
	case !isText:
		return "", fmt.Errorf("value %v: want a string", v)
	case strings.Contains(text, "${"):
		return "", fmt.Errorf("value %q: the local IAM has no policy variables", text)
	case (c.operator == "Bool" || c.operator == null) && text != "true" && text != "false":
		return "", fmt.Errorf("value %q: want true or false", text)
	case strings.HasPrefix(c.operator, "Arn") && strings.Count(text, ":") < arnColons:
		return "", fmt.Errorf("value %q: want an ARN", text)
	}
	return text, nil
}

// holds says whether a request meets the condition. Of an empty set ForAllValues says yes: with nothing to compare
// nothing differs.
func (c condition) holds(f facts) bool {
	has := f[strings.ToLower(c.key)]
	refused := func(value string) bool { return !c.accepts(value) }
	switch {
	case c.operator == null:
		return slices.Contains(c.values, strconv.FormatBool(len(has) == 0))
	case c.set == "ForAllValues":
		return !slices.ContainsFunc(has, refused)
	case c.set == "" && len(has) == 0:
		return c.negated()
	default:
		return slices.ContainsFunc(has, c.accepts)
	}
}

// accepts judges one value of a request: any of the policy's will do, and none may for a negated operator.
func (c condition) accepts(value string) bool {
	matches := func(wanted string) bool { return comparisons[c.operator](wanted, value) }
	return slices.ContainsFunc(c.values, matches) != c.negated()
}

func (c condition) negated() bool { return c.operator == "StringNotEquals" }

// arnColons is how many colons part an ARN; its resource may have more.
const arnColons = 5

// matchesARN compares part by part, so that no * goes past a colon.
func matchesARN(wanted, arn string) bool {
	patterns, parts := strings.SplitN(wanted, ":", arnColons+1), strings.SplitN(arn, ":", arnColons+1)
	return slices.EqualFunc(patterns, parts, matchesPattern)
}
