package awssim

// sts is everything this STS can do.
var sts = queryService{
	name:      "sts",
	namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
	actions:   map[string]func(*Cloud, form) (any, error){"GetCallerIdentity": (*Cloud).stsGetCallerIdentity},
}

func (c *Cloud) stsGetCallerIdentity(form) (any, error) {
	by := c.caller()
	return struct{ Arn, UserId, Account string }{by.ARN, by.Principal, by.Account}, nil
}
