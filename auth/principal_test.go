package auth_test

import (
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/authtest"
)

const account = "arn:aws:iam::111122223333:"

func TestPrincipalOfACaller(t *testing.T) {
	const sts = "arn:aws:sts::111122223333:"
	for name, tt := range map[string]struct {
		caller auth.Caller
		want   auth.Principal
	}{
		"a user":              {auth.Caller{Type: "IAMUser", ARN: account + "user/hana"}, "user/hana"},
		"a user with a path":  {auth.Caller{Type: "IAMUser", ARN: account + "user/eng/ops/hana"}, "user/hana"},
		"in another aws":      {auth.Caller{Type: "IAMUser", ARN: "arn:aws-cn:iam::111122223333:user/hana"}, "user/hana"},
		"a session":           {auth.Caller{Type: "AssumedRole", ARN: sts + "assumed-role/Ops/hana@example.com"}, "session/hana@example.com"},
		"a session of SSO":    {auth.Caller{Type: "AssumedRole", ARN: sts + "assumed-role/AWSReservedSSO_Ops_0123/hana"}, "session/hana"},
		"a role, no session":  {auth.Caller{Type: "AssumedRole", ARN: sts + "assumed-role/hana"}, ""},
		"root":                {auth.Caller{Type: "Root", ARN: account + "root"}, ""},
		"a service":           {auth.Caller{Type: "AWSService", Service: "autoscaling.amazonaws.com"}, ""},
		"a federated user":    {auth.Caller{Type: "FederatedUser", ARN: sts + "federated-user/hana"}, ""},
		"of the wrong type":   {auth.Caller{Type: "AssumedRole", ARN: account + "user/hana"}, ""},
		"no user by its type": {auth.Caller{Type: "IAMUser", ARN: sts + "assumed-role/Ops/hana"}, ""},
		"nobody":              {auth.Caller{}, ""},
	} {
		if got := tt.caller.Principal(); got != tt.want {
			t.Errorf("%s: %q; want %q", name, got, tt.want)
		}
	}
}

func TestCallerInWords(t *testing.T) {
	for want, c := range map[string]auth.Caller{
		"autoscaling.amazonaws.com":    {Type: "AssumedRole", ARN: account + "role", Service: "autoscaling.amazonaws.com"},
		account + "user/hana":          {Type: "IAMUser", ARN: account + "user/hana"},
		"Root":                         {Type: "Root"},
		"nobody that CloudTrail names": {},
	} {
		if got := c.String(); got != want {
			t.Errorf("%+v is shown as %q; want %q", c, got, want)
		}
	}
}

func TestIsPrincipal(t *testing.T) {
	for text, want := range map[string]bool{
		"user/hana": true, "session/hana@example.com": true,
		"": false, "hana": false, "user/": false, "role/hana": false, "User/hana": false,
		"user/eng/hana": false, "user/ha na": false, account + "user/hana": false,
	} {
		if auth.IsPrincipal(text) != want {
			t.Errorf("%q is a principal: %v; want %v", text, !want, want)
		}
	}
}

func iamUser(name string) auth.Caller {
	return auth.Caller{Type: "IAMUser", ARN: account + "user/" + name}
}

func ssoSession(name string) auth.Caller {
	return auth.Caller{Type: "AssumedRole", ARN: "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_0123/" + name}
}

func TestWhoseAPrincipalIs(t *testing.T) {
	p := auth.PeoplePolicy{Principals: map[string][]auth.Principal{
		hana: {"user/hana", "session/hana@example.com"}, ben: {"user/ben"},
	}}
	for of, want := range map[auth.Principal]string{
		"user/hana": hana, "USER/Hana": hana, "session/HANA@example.com": hana, "user/ben": ben,
		"session/ben": "", "user/dan": "", "user/han": "", "": "",
	} {
		if got := p.Who(of); got != want {
			t.Errorf("%q is %q; want %q", of, got, want)
		}
	}
}

func TestHowACallerFitsThePass(t *testing.T) {
	known := map[string][]auth.Principal{hana: {"user/hana", "session/hana-ops"}, ben: {"user/ben"}}
	root := auth.Caller{Type: "Root", ARN: account + "root"}
	hanaMail := auth.Person{ID: hana, Email: "hana@example.com"}
	danMail := auth.Person{ID: dan, Email: "Dan@example.com"}
	for name, tt := range map[string]struct {
		byEmail bool
		caller  auth.Caller
		owner   auth.Person
		want    auth.Fit
	}{
		"herself":                               {false, iamUser("hana"), hanaMail, auth.FitSame},
		"herself, by her other one":             {false, ssoSession("hana-ops"), hanaMail, auth.FitSame},
		"herself, in other letters":             {false, iamUser("HANA"), hanaMail, auth.FitSame},
		"somebody known":                        {false, iamUser("ben"), hanaMail, auth.FitOther},
		"somebody not known":                    {false, iamUser("deploy"), hanaMail, auth.FitOther},
		"a user named like her session":         {false, iamUser("hana-ops"), hanaMail, auth.FitOther},
		"root":                                  {false, root, hanaMail, auth.FitOther},
		"a service":                             {false, auth.Caller{Type: "AWSService", Service: "ec2.amazonaws.com"}, hanaMail, auth.FitOther},
		"an owner of whom nothing is said":      {false, iamUser("deploy"), danMail, auth.FitUnknown},
		"such an owner, and root":               {false, root, danMail, auth.FitUnknown},
		"such an owner's pass, spent by hana":   {false, iamUser("hana"), danMail, auth.FitOther},
		"such an owner's address":               {false, ssoSession("dan@example.com"), danMail, auth.FitUnknown},
		"the address counts":                    {true, ssoSession("dan@example.com"), danMail, auth.FitSame},
		"another address":                       {true, ssoSession("eve@example.com"), danMail, auth.FitOther},
		"a user named like the address":         {true, iamUser("dan@example.com"), danMail, auth.FitOther},
		"the policy's word goes before":         {true, ssoSession("hana@example.com"), hanaMail, auth.FitOther},
		"no address, and so nothing to go by":   {true, ssoSession(""), auth.Person{ID: dan}, auth.FitUnknown},
		"no address, and a session of nobody's": {true, ssoSession("eve@example.com"), auth.Person{ID: dan}, auth.FitUnknown},
	} {
		p := auth.PeoplePolicy{Principals: known, MatchEmail: tt.byEmail}
		if got := p.Fits(tt.caller, tt.owner); got != tt.want {
			t.Errorf("%s: %s; want %s", name, got, tt.want)
		}
	}
}

func TestACallIsOfTheStartItLiesNear(t *testing.T) {
	s := auth.Start{Instance: web, Launch: authtest.T0}
	for name, tt := range map[string]struct {
		instance string
		after    time.Duration
		want     bool
	}{
		"at the launch":       {web, 0, true},
		"a moment before":     {web, -30 * time.Second, true},
		"a moment after":      {web, 30 * time.Second, true},
		"long before":         {web, -31 * time.Second, false},
		"long after":          {web, 31 * time.Second, false},
		"of another instance": {db, 0, false},
	} {
		n := auth.Named{Instance: tt.instance, At: authtest.T0.Add(tt.after)}
		if got := n.Of(s); got != tt.want {
			t.Errorf("%s: %v; want %v", name, got, tt.want)
		}
	}
}
