package policyfile_test

import (
	"os"
	"strings"
	"testing"

	"sekisho/auth"
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
	for _, c := range bad {
		f.Add(strings.Replace(string(good), c.piece, c.instead, 1))
	}
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
			p.Alerts == "" || len(p.Rules) != 1 || len(p.Rules[0].Ask) == 0 || g.WhenUnavailable == "" ||
			!g.Guard.All && len(g.Guard.Tags)+len(g.Guard.Instances) == 0 ||
			p.Passes.TTL <= 0 || g.Lock.For <= 0 || g.Lock.After < 1 || p.Passes.Limit.Person < 1 {
			t.Fatalf("%q gave %+v", text, p)
		}
	})
}
