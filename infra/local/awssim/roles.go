package awssim

import (
	"fmt"
	"regexp"
	"strings"
)

// Role is an IAM role of a part of the bot, in one endless session.
type Role struct {
	Name        string   // 1 to 64 letters, digits and _+=,.@-
	AccessKeyID string   // what its calls are signed with
	Policies    []string // IAM policy documents, JSON
}

// role is a Role with its policies understood.
type role struct {
	Role
	policy policy
}

var roleName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// SetRole makes a role, or gives one other policies or another key. Calls signed with its key may do what the policies
// say; those with any other good key may still do everything.
//
// A role that can't be, or a policy that isn't modelled to the last word, is a mistake in the program and panics: a
// condition that was ignored would let through, or refuse, what IAM doesn't.
func (c *Cloud) SetRole(r Role) {
	made, err := newRole(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	owner := c.roleOf(r.AccessKeyID)
	taken := r.AccessKeyID == c.opts.AccessKeyID || owner != nil && owner.Name != r.Name
	if err == nil && taken {
		err = fmt.Errorf("the access key %s is somebody else's", r.AccessKeyID)
	}
	if err != nil {
		panic(fmt.Sprintf("awssim: SetRole %s: %v", r.Name, err))
	}
	c.roles[r.Name] = made
}

func newRole(r Role) (*role, error) {
	switch {
	case !roleName.MatchString(r.Name):
		return nil, fmt.Errorf("bad name %q", r.Name)
	case r.AccessKeyID == "" || strings.ContainsAny(r.AccessKeyID, "/, "):
		return nil, fmt.Errorf("bad access key id %q", r.AccessKeyID)
	}
	made := &role{Role: r}
	for i, document := range r.Policies {
		p, err := readPolicy(document)
		if err != nil {
			return nil, fmt.Errorf("policy %d: %w", i+1, err)
		}
		made.policy = append(made.policy, p...)
	}
	return made, nil
}

// roleOf is the role that signs with a key, or nil. The caller holds mu.
func (c *Cloud) roleOf(accessKeyID string) *role {
	for _, r := range c.roles {
		if r.AccessKeyID == accessKeyID {
			return r
		}
	}
	return nil
}

// Deny takes one right ("ec2:StopInstances") from everybody, as a service control policy does, or gives it back. What
// isn't one action's name is a mistake in the program and panics.
func (c *Cloud) Deny(action string, deny bool) {
	if !actionName.MatchString(action) {
		panic(fmt.Sprintf(`awssim: Deny: want "service:Action", not %q`, action))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.denied[strings.ToLower(action)] = deny
}
