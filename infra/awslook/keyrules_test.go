package awslook_test

import (
	"errors"
	"testing"

	"sekisho/auth/doctor"
	"sekisho/infra/awslook"
)

const regions = `<DescribeRegionsResponse><regionInfo>
<item><regionName>us-east-1</regionName></item>
<item><regionName>eu-west-1</regionName></item>
<item><regionName>ap-south-1</regionName></item>
</regionInfo></DescribeRegionsResponse>`

const (
	managed = `{"ConfigRuleName":"access-keys-rotated","Source":{"Owner":"AWS","SourceIdentifier":"ACCESS_KEYS_ROTATED"}}`
	others  = `{"ConfigRuleName":"mine","Source":{"Owner":"CUSTOM_LAMBDA","SourceIdentifier":"arn:aws:lambda:us-east-1:1:function:f"}},` +
		`{"ConfigRuleName":"root-mfa","Source":{"Owner":"AWS","SourceIdentifier":"ROOT_ACCOUNT_MFA_ENABLED"}}`
)

func TestKeyRules(t *testing.T) {
	look, _ := open(awslook.Own{}, func(c call) (string, error) {
		switch {
		case c.action == "ec2:DescribeRegions":
			return regions, nil
		case c.region == "ap-south-1": // as a service control policy has it
			return "", refusal("AccessDeniedException")
		case c.region == "us-east-1" && c.json["NextToken"] == nil:
			return `{"ConfigRules":[` + others + `],"NextToken":"more"}`, nil
		}
		return `{"ConfigRules":[` + managed + `]}`, nil
	})
	rules, err := look.KeyRules(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, "the rules", rules,
		doctor.KeyRule{Name: "access-keys-rotated", Region: "eu-west-1"}, doctor.KeyRule{Name: "access-keys-rotated", Region: "us-east-1"})
}

// A Region that does not answer may have the rule, or not.
func TestKeyRulesWhereOneRegionIsAway(t *testing.T) {
	look, _ := open(awslook.Own{}, func(c call) (string, error) {
		switch {
		case c.action == "ec2:DescribeRegions":
			return regions, nil
		case c.region == "ap-south-1":
			return "", refusal("InternalError")
		}
		return `{"ConfigRules":[` + managed + `]}`, nil
	})
	_, err := look.KeyRules(t.Context())
	if !errors.Is(err, doctor.ErrUnseen) {
		t.Errorf("%v does not say that nothing is known", err)
	}
	wantError(t, err, "ap-south-1", "InternalError")
}

func TestKeyRulesWhereNoneMayBeSeen(t *testing.T) {
	for action, code := range map[string]string{
		"ec2:DescribeRegions": "UnauthorizedOperation", "config:DescribeConfigRules": "AccessDeniedException",
	} {
		look, _ := open(awslook.Own{}, func(c call) (string, error) {
			if c.action == action {
				return "", refusal(code)
			}
			return regions, nil
		})
		_, err := look.KeyRules(t.Context())
		wantError(t, err, `"Action":"`+action+`"`)
		if !errors.Is(err, doctor.ErrUnseen) {
			t.Errorf("%v does not say that nothing is known", err)
		}
	}
}
