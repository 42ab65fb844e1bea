package awssim

import "slices"

// Config's limits. https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigRules.html
const (
	maxRuleNames   = 25
	configRulePage = 25
)

// configRule is a rule as Config describes it.
// https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigRule.html
type configRule struct {
	Name      string `json:"ConfigRuleName"`
	ARN       string `json:"ConfigRuleArn"`
	ID        string `json:"ConfigRuleId"`
	Source    ruleSource
	State     string `json:"ConfigRuleState"`
	Input     string `json:"InputParameters"` // itself JSON
	Frequency string `json:"MaximumExecutionFrequency"`
}

type ruleSource struct {
	Owner            string
	SourceIdentifier string
}

// configDescribeConfigRules tells of the rules of the Region that the call was signed for.
func (c *Cloud) configDescribeConfigRules(in configRequest) (any, error) {
	if len(in.ConfigRuleNames) > maxRuleNames {
		return nil, errConfig("'configRuleNames' failed to satisfy constraint: Member must have length less than or equal to 25")
	}
	if in.Filters != nil {
		return nil, errConfig("the local Config filters no rules")
	}
	after, err := readToken(in.NextToken)
	if err != nil {
		return nil, refuse("InvalidNextTokenException", "The specified next token is not valid.")
	}
	rules := slices.DeleteFunc(slices.Clone(c.keyRules), func(k keyRule) bool { return k.region != in.region })
	for _, name := range in.ConfigRuleNames {
		if !slices.ContainsFunc(rules, func(k keyRule) bool { return k.name == name }) {
			return nil, refuse("NoSuchConfigRuleException", "The ConfigRule '%s' provided in the request is invalid.", name)
		}
	}
	out := struct {
		ConfigRules []configRule
		NextToken   string `json:",omitempty"`
	}{ConfigRules: []configRule{}}
	for _, k := range rules {
		switch {
		case k.name <= after, len(in.ConfigRuleNames) > 0 && !slices.Contains(in.ConfigRuleNames, k.name):
		case len(out.ConfigRules) == configRulePage:
			out.NextToken = writeToken(out.ConfigRules[configRulePage-1].Name)
			return out, nil
		default:
			out.ConfigRules = append(out.ConfigRules, k.show(c))
		}
	}
	return out, nil
}

func (k keyRule) show(c *Cloud) configRule {
	return configRule{
		Name:      k.name,
		ARN:       k.arn(c),
		ID:        "config-rule-" + k.id,
		Source:    ruleSource{"AWS", "ACCESS_KEYS_ROTATED"},
		State:     "ACTIVE",
		Input:     `{"maxAccessKeyAge":"90"}`,
		Frequency: "TwentyFour_Hours",
	}
}
