package awssim

import (
	"fmt"
	"path"
	"regexp"
	"strings"
)

// callerARN is who may make the wire calls: a role's session, or an IAM user.
var callerARN = regexp.MustCompile(`^arn:aws:(sts::\d{12}:assumed-role/[^/]+/[^/]+|iam::\d{12}:user/.+)$`)

// checkCaller panics over an Options.Caller that nobody can be, which is a mistake in the program.
func checkCaller(arn string) {
	if !callerARN.MatchString(arn) {
		panic(fmt.Sprintf("awssim: New: Caller is %q, want the ARN of a role's session or of an IAM user", arn))
	}
}

// callingUser is the name of the IAM user who makes the wire calls, if it is one.
func (c *Cloud) callingUser() (name string, isUser bool) {
	_, resource, isUser := strings.Cut(c.opts.Caller, ":user/")
	return path.Base(resource), isUser
}

// caller is the identity of every wire call. The caller holds mu.
func (c *Cloud) caller() identity {
	if name, isUser := c.callingUser(); isUser {
		by := c.user(name)
		by.ARN = c.opts.Caller
		return by
	}
	_, resource, _ := strings.Cut(c.opts.Caller, ":assumed-role/")
	role, name, _ := strings.Cut(resource, "/")
	return identity{
		Type: "AssumedRole", Principal: "AROATESTTESTTESTTEST:" + name, ARN: c.opts.Caller,
		Account: c.opts.Account, AccessKey: "ASIATESTTESTTESTTEST",
		Session: &session{identity{
			Type: "Role", Principal: "AROATESTTESTTESTTEST", ARN: "arn:aws:iam::" + c.opts.Account + ":role/" + role,
			Account: c.opts.Account, UserName: role,
		}},
	}
}
