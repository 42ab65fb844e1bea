package awssim

import (
	"fmt"
	"net/http"
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

// caller is who makes a wire call.
type caller struct {
	arn    string // as GetCallerIdentity answers: a role's session or an IAM user
	role   *role  // whose policies are asked; nil: Options.Caller, who may do everything
	region string // that is called
}

// callerOf is who signed a request: the role whose key it is, or Options.Caller.
func (c *Cloud) callerOf(r *http.Request) caller {
	signed := signatureOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	by := caller{arn: c.opts.Caller, role: c.roleOf(signed.key), region: signed.region}
	if by.role != nil {
		by.arn = "arn:aws:sts::" + c.opts.Account + ":assumed-role/" + by.role.Name + "/test"
	}
	return by
}

// user is the name of the IAM user who calls, if it is one.
func (by caller) user() (name string, isUser bool) {
	_, resource, isUser := strings.Cut(by.arn, ":user/")
	return path.Base(resource), isUser
}

// principal is whose policies count: the ARN of the role behind a session, or of the user.
func (by caller) principal() string {
	session, isSession := strings.CutPrefix(by.arn, "arn:aws:sts:")
	if !isSession {
		return by.arn
	}
	account, resource, _ := strings.Cut(session, ":assumed-role/")
	name, _, _ := strings.Cut(resource, "/")
	return "arn:aws:iam:" + account + ":role/" + name
}

// identity is a caller as CloudTrail and STS tell it. The caller holds mu.
func (c *Cloud) identity(by caller) identity {
	if name, isUser := by.user(); isUser {
		told := c.user(name)
		told.ARN = by.arn
		return told
	}
	key := "ASIATESTTESTTESTTEST"
	if by.role != nil {
		key = by.role.AccessKeyID
	}
	return identity{
		Type: "AssumedRole", Principal: "AROATESTTESTTESTTEST:" + path.Base(by.arn), ARN: by.arn,
		Account: c.opts.Account, AccessKey: key,
		Session: &session{identity{
			Type: "Role", Principal: "AROATESTTESTTESTTEST", ARN: by.principal(),
			Account: c.opts.Account, UserName: path.Base(by.principal()),
		}},
	}
}
