package awssim

// sts is everything this STS can do. Nobody needs a right to ask who they are.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
var sts = queryService{
	name:      "sts",
	namespace: "https://sts.amazonaws.com/doc/2011-06-15/",
	actions:   map[string]func(*Cloud, form) (any, error){"GetCallerIdentity": (*Cloud).stsGetCallerIdentity},
}

func (c *Cloud) stsGetCallerIdentity(f form) (any, error) {
	who := c.identity(f.by)
	return struct{ Arn, UserId, Account string }{who.ARN, who.Principal, who.Account}, nil
}
