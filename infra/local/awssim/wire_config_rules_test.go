package awssim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"sekisho/infra/local/awssim"
)

// configIn is Config's client of a Region.
func (w *world) configIn(region string) *configservice.Client {
	return configservice.NewFromConfig(sdkConfig(w.server.Client(), w.server.URL, testKey, region))
}

func ruleNames(t *testing.T, client *configservice.Client) []string {
	t.Helper()
	names := []string{}
	pages := configservice.NewDescribeConfigRulesPaginator(client, &configservice.DescribeConfigRulesInput{})
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		wantOK(t, err)
		if len(out.ConfigRules) > 25 {
			t.Errorf("%d rules on a page", len(out.ConfigRules))
		}
		for _, r := range out.ConfigRules {
			names = append(names, *r.ConfigRuleName)
		}
	}
	return names
}

// Each Region has rules of its own.
func TestKeyRules(t *testing.T) {
	w := newWorld(t, awssim.Options{KeyRule: "keys"})
	want := func(region string, names ...string) {
		t.Helper()
		if got := ruleNames(t, w.configIn(region)); !slices.Equal(got, names) {
			t.Errorf("%s has %q, want %q", region, got, names)
		}
	}
	want("eu-central-1", "keys")
	want("eu-west-1")
	w.PutKeyRule("eu-west-1", "another")
	w.PutKeyRule("eu-west-1", "another")
	w.PutKeyRule("eu-central-1", "a-second")
	want("eu-central-1", "a-second", "keys")
	want("eu-west-1", "another")
	want("us-east-1")
	var many []string
	for n := range 60 {
		many = append(many, fmt.Sprintf("rule-%02d", n))
		w.PutKeyRule("us-east-1", many[n])
	}
	want("us-east-1", many...)

	out, err := w.config.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"keys"}})
	wantOK(t, err)
	if len(out.ConfigRules) != 1 {
		t.Fatalf("described %d rules", len(out.ConfigRules))
	}
	r := out.ConfigRules[0]
	if *r.ConfigRuleName != "keys" || r.Source.Owner != types.OwnerAws || *r.Source.SourceIdentifier != "ACCESS_KEYS_ROTATED" ||
		r.ConfigRuleState != types.ConfigRuleStateActive || *r.ConfigRuleArn != "arn:aws:config:eu-central-1:111122223333:config-rule/config-rule-keyage" {
		t.Errorf("the rule is %+v", r)
	}
	w.RemoveKeyRule("eu-west-1", "keys") // there is none of that name there
	want("eu-central-1", "a-second", "keys")
	w.RemoveKeyRule("eu-central-1", "keys")
	want("eu-central-1", "a-second")
}

// Without the rule nobody is judged.
func TestNoKeyRuleNoEvents(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	queue := w.CreateQueue("q", time.Minute, "", 0)
	w.RouteEventsTo(queue)
	w.addUser(t, awssim.User{Name: "hana"})
	w.RemoveKeyRule("eu-central-1", "access-keys-rotated")
	wantOK(t, w.CheckCompliance("hana"))
	w.CheckAll()
	if got := w.detailTypes(t, queue); len(got) != 0 {
		t.Errorf("events %q", got)
	}
	w.PutKeyRule("eu-central-1", "access-keys-rotated")
	w.CheckAll()
	if got := w.detailTypes(t, queue); !slices.Equal(got, []string{configType}) {
		t.Errorf("events %q", got)
	}
}

func TestConfigRuleRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	describe := func(in configservice.DescribeConfigRulesInput) error {
		_, err := w.config.DescribeConfigRules(t.Context(), &in)
		return err
	}
	wantCode(t, describe(configservice.DescribeConfigRulesInput{ConfigRuleNames: []string{"none"}}), "NoSuchConfigRuleException")
	wantCode(t, describe(configservice.DescribeConfigRulesInput{ConfigRuleNames: make([]string, 26)}), "ValidationException")
	wantCode(t, describe(configservice.DescribeConfigRulesInput{NextToken: aws.String("x")}), "InvalidNextTokenException")
	wantCode(t, describe(configservice.DescribeConfigRulesInput{Filters: &types.DescribeConfigRulesFilters{EvaluationMode: types.EvaluationModeDetective}}), "ValidationException")

	_, err := w.configIn("eu-west-3").DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
	wantCode(t, err, "SignatureDoesNotMatch")
	west := w.configIn("eu-west-1") // where nothing is recorded
	_, err = west.ListDiscoveredResources(t.Context(), &configservice.ListDiscoveredResourcesInput{ResourceType: userType, ResourceIds: []string{"AIDATEST"}})
	wantCode(t, err, "NoAvailableConfigurationRecorderException")
	_, err = west.BatchGetResourceConfig(t.Context(), &configservice.BatchGetResourceConfigInput{ResourceKeys: []types.ResourceKey{userKey("AIDATEST")}})
	wantCode(t, err, "NoAvailableConfigurationRecorderException")

	defer func() {
		if recover() == nil {
			t.Error("a rule in an unknown Region doesn't panic")
		}
	}()
	w.PutKeyRule("mars-1", "keys")
}
