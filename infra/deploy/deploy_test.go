package deploy_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"sekisho/infra/deploy/cfn"
)

const (
	secretARN = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:slack-AbCdEf"
	streamARN = "arn:aws:kinesis:eu-central-1:111122223333:stream/starts"
)

// parameters are a template's. Of what is not in them the template has defaults.
type parameters map[string]string

func (p parameters) with(more parameters) parameters {
	all := maps.Clone(p)
	maps.Copy(all, more)
	return all
}

// deployment is one of the two templates, and what it cannot do without.
type deployment struct {
	file  string
	least parameters
}

var (
	lambda = deployment{"template.yaml", parameters{
		"SlackBotToken": secretARN + ":bot_token", "SlackSigningSecret": secretARN + ":signing_secret",
		"Pepper": "ssm:/sekisho/pepper", "RedisUrl": "redis://redis.example.com:6379",
	}}
	fargate = deployment{"fargate.yaml", parameters{
		"Image": "registry.example.com/sekisho:1.0.0", "VpcId": "vpc-1", "SubnetIds": "subnet-1,subnet-2",
		"Policy": "ssm:/sekisho/policy", "Secret": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:sekisho-AbCdEf",
	}}
	deployments = []deployment{lambda, fargate}
)

// everything switches on all that the policy can ask for.
var everything = parameters{
	"GateMode": "enforce", "StartNow": "yes", "Terminate": "yes", "Unprotect": "yes",
	"Keys": "enforce", "Reports": "on", "MailIdentity": "example.com", "MailConfigurationSet": "reports",
}

// Fargate's own.
var (
	balanced = parameters{
		"CertificateArn": "arn:aws:acm:eu-central-1:111122223333:certificate/1", "PublicSubnetIds": "subnet-3,subnet-4",
	}
	keeper          = parameters{"Secret": "", "KeeperConfig": secretARN, "KeeperRecord": "ABCDEFGHIJKLMNOPQRSTUV"}
	parametersOfSSM = parameters{"Secret": "", "SecretPath": "/sekisho"}
)

// variants are parameters that between them take every branch of the template.
func (d deployment) variants() map[string]parameters {
	common := map[string]parameters{
		"least":          {},
		"everything":     everything,
		"with own key":   {"SecretsKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/1", "AlarmMail": "ops@example.com"},
		"with boundary":  everything.with(parameters{"PermissionsBoundary": "arn:aws:iam::111122223333:policy/boundary"}),
		"without tag":    everything.with(parameters{"GuardTagKey": "none"}),
		"other switches": {"Keys": "observe", "Reports": "on", "MailIdentity": "bot@example.com", "SweepMinutes": "10"},
	}
	switch d.file {
	case lambda.file:
		maps.Copy(common, map[string]parameters{
			"stream": everything.with(parameters{"StreamArn": streamARN}),
			"api":    {"FrontDoor": "api"},
			"vpc":    {"SubnetIds": "subnet-1,subnet-2", "SecurityGroupIds": "sg-1", "FrontConcurrency": "0"},
			"other references": {
				"SlackBotToken": "ssm:/sekisho/bot-token", "SlackSigningSecret": "ssm:/sekisho/signing-secret",
				"Pepper": secretARN, "RedisUrl": secretARN + ":redis_url",
			},
			"redis in ssm": {"RedisUrl": "ssm:/sekisho/redis-url"},
		})
	case fargate.file:
		maps.Copy(common, map[string]parameters{
			"balancer":             everything.with(balanced),
			"keeper":               keeper,
			"keeper, balanced":     keeper.with(balanced),
			"parameters":           parametersOfSSM,
			"parameters, balanced": parametersOfSSM.with(balanced).with(parameters{"SecretsKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/1"}),
			"policy in secrets": {
				"Policy": secretARN + ":policy", "RepositoryArn": "arn:aws:ecr:eu-central-1:111122223333:repository/sekisho",
			},
		})
	}
	return common
}

// templates are those that were read.
var templates = make(map[string]*cfn.Template)

func (d deployment) template(t *testing.T) *cfn.Template {
	t.Helper()
	if known, ok := templates[d.file]; ok {
		return known
	}
	text, err := os.ReadFile(d.file)
	if err != nil {
		t.Fatal(err)
	}
	template, err := cfn.Read(text)
	if err != nil {
		t.Fatalf("%s: %v", d.file, err)
	}
	templates[d.file] = template
	return template
}

func (d deployment) stack(t *testing.T, p parameters) *cfn.Stack {
	t.Helper()
	s, err := d.template(t).Stack(d.least.with(p))
	if err != nil {
		t.Fatalf("%s: %v", d.file, err)
	}
	return s
}

// each runs a test for every variant of both templates.
func each(t *testing.T, test func(t *testing.T, d deployment, s *cfn.Stack)) {
	for _, d := range deployments {
		for name, p := range d.variants() {
			t.Run(d.file+"/"+name, func(t *testing.T) { test(t, d, d.stack(t, p)) })
		}
	}
}

func TestTemplatesReferToWhatIsThere(t *testing.T) {
	for _, d := range deployments {
		template := d.template(t)
		for _, missing := range template.Dangling() {
			t.Errorf("%s: %s is not there", d.file, missing)
		}
		for _, unused := range template.Unused() {
			t.Errorf("%s: nothing refers to %s", d.file, unused)
		}
	}
}

// TestEveryParameterIsExplained holds the form in which the console asks for
// parameters against the parameters.
func TestEveryParameterIsExplained(t *testing.T) {
	for _, d := range deployments {
		template := d.template(t)
		form := template.Section("Metadata")["AWS::CloudFormation::Interface"].(map[string]any)
		var grouped []string
		for _, g := range form["ParameterGroups"].([]any) {
			for _, name := range g.(map[string]any)["Parameters"].([]any) {
				grouped = append(grouped, name.(string))
			}
		}
		slices.Sort(grouped)
		labels := slices.Sorted(maps.Keys(form["ParameterLabels"].(map[string]any)))
		declared := slices.Sorted(maps.Keys(template.Section("Parameters")))
		if !slices.Equal(grouped, declared) {
			t.Errorf("%s: the groups have\n%v\nthe parameters are\n%v", d.file, grouped, declared)
		}
		if !slices.Equal(labels, declared) {
			t.Errorf("%s: the labels are\n%v\nthe parameters are\n%v", d.file, labels, declared)
		}
	}
}

// TestTemplatesRefuseSecrets keeps values out of parameters: they would stand
// in the stack's history.
func TestTemplatesRefuseSecrets(t *testing.T) {
	for name, value := range map[string]string{
		"SlackBotToken": "xoxb-test", "SlackSigningSecret": "test-signing-secret", "Pepper": "test-pepper",
		"RedisUrl": "redis://user:test-password@redis.example.com:6379",
	} {
		if _, err := lambda.template(t).Stack(lambda.least.with(parameters{name: value})); err == nil {
			t.Errorf("%s takes the value itself", name)
		}
	}
	for name, value := range map[string]string{"Secret": "xoxb-test", "SecretPath": "xoxb-test", "KeeperConfig": "eyJ0ZXN0IjoxfQ==", "Policy": "version: 1"} {
		if _, err := fargate.template(t).Stack(fargate.least.with(parameters{name: value})); err == nil {
			t.Errorf("%s takes the value itself", name)
		}
	}
}

func TestParametersThatDoNotFitAreRefused(t *testing.T) {
	for name, p := range map[string]parameters{
		"no source of secrets":           {"Secret": ""},
		"two":                            {"SecretPath": "/sekisho"},
		"two others":                     keeper.with(parametersOfSSM),
		"all three":                      keeper.with(parameters{"Secret": fargate.least["Secret"], "SecretPath": "/sekisho"}),
		"Keeper without a record":        keeper.with(parameters{"KeeperRecord": ""}),
		"a load balancer without subnet": balanced.with(parameters{"PublicSubnetIds": ""}),
	} {
		if _, err := fargate.template(t).Stack(fargate.least.with(p)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// TestWhatTellsOfThePastStays: a stack that is deleted, or whose update failed,
// leaves its logs, of which the trail is a part, and what was put aside.
func TestWhatTellsOfThePastStays(t *testing.T) {
	for _, d := range deployments {
		for id, r := range d.template(t).Section("Resources") {
			r := r.(map[string]any)
			properties, _ := r["Properties"].(map[string]any)
			isLog := r["Type"] == "AWS::Logs::LogGroup"
			stays := isLog || r["Type"] == "AWS::SQS::Queue" && properties["RedrivePolicy"] == nil
			if stays != (r["DeletionPolicy"] == "RetainExceptOnCreate") || stays != (r["UpdateReplacePolicy"] == "Retain") {
				t.Errorf("%s: %s: deleted: %v, replaced: %v", d.file, id, r["DeletionPolicy"], r["UpdateReplacePolicy"])
			}
		}
	}
}

// TestNamesFit: with a stack's name of 51 characters, as README.md promises,
// none is longer than AWS takes.
func TestNamesFit(t *testing.T) {
	longest := map[string]string{ // the property, of up to 64 characters
		"AWS::Events::Rule": "Name", "AWS::IAM::Role": "RoleName", "AWS::Scheduler::Schedule": "Name",
		"AWS::Serverless::Function": "FunctionName",
	}
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		for kind, property := range longest {
			for _, id := range s.Of(kind) {
				name := s.Resources[id].Properties[property].(string)
				if long := strings.Replace(name, cfn.StackName, strings.Repeat("s", 51), 1); len(long) > 64 {
					t.Errorf("%s: %s", id, long)
				}
			}
		}
	})
}

func TestTextsAreTidy(t *testing.T) {
	for _, d := range deployments {
		text, err := os.ReadFile(d.file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# Sekisho on ") {
			t.Errorf("%s does not begin by saying what it deploys", d.file)
		}
		for n, line := range strings.Split(string(text), "\n") {
			switch {
			case len([]rune(line)) > 140:
				t.Errorf("%s:%d: longer than 140 columns", d.file, n+1)
			case digits(line) && !strings.Contains(line, "AWSTemplateFormatVersion"):
				t.Errorf("%s:%d: an account's id has no place here", d.file, n+1)
			}
		}
	}
}

// digits says whether the line has twelve digits on end, as an account's id has.
func digits(line string) bool {
	run := 0
	for _, r := range line {
		if r < '0' || r > '9' {
			run = 0
			continue
		}
		if run++; run == 12 {
			return true
		}
	}
	return false
}
