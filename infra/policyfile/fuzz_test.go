package policyfile_test

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/report"
	"sekisho/infra/policyfile"
)

// FuzzParse wants of every text either a policy that can be worked with, or an
// error that names the file and repeats no secret.
func FuzzParse(f *testing.F) {
	good, err := os.ReadFile("testdata/sekisho.yml")
	if err != nil {
		f.Fatal(err)
	}
	const secret = "xoxb-0000-test-token"
	f.Add(string(good))
	f.Add(minimal)
	f.Add(minimal + "# " + secret)
	for _, c := range slices.Concat(bad, badRules, badKeys, badReports) {
		f.Add(strings.Replace(string(good), c.piece, c.instead, 1))
	}
	f.Add(minimal + "keys: {}\n")
	f.Add(withReports("name: weekly, every: 7d, slack: true"))
	f.Fuzz(func(t *testing.T, text string) {
		p, err := policyfile.Parse("sekisho.yml", []byte(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "sekisho.yml:") || strings.Contains(err.Error(), secret) {
				t.Fatalf("%q", err)
			}
			same(t, p, auth.Policy{})
			return
		}
		g := p.Gate
		if strings.Contains(text, secret) ||
			p.Channels.Alerts == "" || p.Channels.BreakGlass == "" || g.WhenUnavailable == "" || len(p.Rules) == 0 ||
			!g.Guard.All && len(g.Guard.Tags)+len(g.Guard.Instances) == 0 ||
			p.Passes.TTL <= 0 || g.Lock.For <= 0 || g.Lock.After < 1 || p.Passes.Limit.Person < 1 ||
			len(p.Hash) != 12 || p.Trail.Keep < 7*24*time.Hour {
			t.Fatalf("%q gave %+v", text, p)
		}
		for _, r := range p.Rules {
			life := cmp.Or(r.TTL, p.Passes.TTL)
			a, b, h := r.Approve, r.BreakGlass, r.Match.Hours
			if len(r.Ask) == 0 || life < time.Minute ||
				a != nil && (len(a.By) == 0 || a.Count < 1 || a.Within < 5*time.Second || p.Channels.Approvals == "") ||
				b != nil && (a == nil || len(b.By) == 0 || b.TTL < time.Minute || b.TTL > life) ||
				h != nil && (h.Zone == nil || h.From == h.To) {
				t.Fatalf("%q gave the rule %+v", text, r)
			}
		}
		if p.Keys != nil && (p.Channels.Keys == "" || !sound(p.Keys)) {
			t.Fatalf("%q gave %+v and the keys %+v", text, p.Channels, p.Keys)
		}
		for _, r := range p.Reports {
			if r.Name == "" || r.Every < 24*time.Hour || r.Keep < 1 || !slices.Contains(report.Versions(), r.CIS) || r.Tables == "" ||
				!r.Slack && r.Mail == nil || r.Slack && p.Channels.Reports == "" || r.Mail != nil && (r.Mail.From == "" || len(r.Mail.To) == 0) {
				t.Fatalf("%q gave the report %+v and its mail %+v", text, r, r.Mail)
			}
		}
	})
}

// sound says whether keys can be judged by the policy.
func sound(k *auth.KeyPolicy) bool {
	const day = 24 * time.Hour
	for i, warn := range k.Warn {
		if warn < time.Hour || warn >= k.MaxAge || i > 0 && warn >= k.Warn[i-1] {
			return false
		}
	}
	return k.MaxAge >= day && k.Grace >= 0 && len(k.Warn) <= 10 && (len(k.Warn) > 0 || k.FirstRun == auth.AtOnce) &&
		(k.Unused == 0 || k.Unused >= day && k.Unused > k.Lead() && k.Unused < k.MaxAge) &&
		k.Cap.Keys >= 1 && k.Cap.Share >= 1 && k.Cap.Share <= 100 && k.OwnerTag != "" &&
		!slices.ContainsFunc(k.Exempt, func(e auth.KeyExemption) bool {
			return e.TagKey == "" && strings.Trim(e.User, "*") == "" && len(e.Path) < 2
		})
}
