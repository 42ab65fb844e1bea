package awssim

import (
	"cmp"
	"fmt"
	"slices"
)

// keyRule is a Config rule access-keys-rotated. That of Options judges, and sends events; any other is listed only.
type keyRule struct {
	region, name string
	id           string // of its ARN
}

func (k keyRule) compare(other keyRule) int {
	return cmp.Or(cmp.Compare(k.region, other.region), cmp.Compare(k.name, other.name))
}

// PutKeyRule adds a Config rule access-keys-rotated to a Region, if there is none of that name. An unknown Region is a
// mistake in the program and panics.
func (c *Cloud) PutKeyRule(region, name string) {
	if !slices.Contains(c.regions(), region) {
		panic(fmt.Sprintf("awssim: PutKeyRule: there is no Region %q, only %q", region, c.regions()))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := keyRule{region, name, randomHex(3)}
	if at, found := slices.BinarySearchFunc(c.keyRules, k, keyRule.compare); !found {
		c.keyRules = slices.Insert(c.keyRules, at, k)
	}
}

// RemoveKeyRule takes a Config rule away, if it is there.
func (c *Cloud) RemoveKeyRule(region, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keyRules = slices.DeleteFunc(c.keyRules, func(k keyRule) bool { return k.region == region && k.name == name })
}

// judging is the rule that judges users, if it wasn't taken away. The caller holds mu.
func (c *Cloud) judging() (rule keyRule, there bool) {
	for _, k := range c.keyRules {
		if k.region == c.opts.Region && k.name == c.opts.KeyRule {
			return k, true
		}
	}
	return keyRule{}, false
}

func (k keyRule) arn(c *Cloud) string {
	return "arn:aws:config:" + k.region + ":" + c.opts.Account + ":config-rule/config-rule-" + k.id
}
