package deploy_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/auth/rights"
	"sekisho/infra/deploy/cfn"
)

// statement is one of a policy document.
type statement struct {
	Sid       string
	Effect    string
	Action    oneOrMore
	Resource  oneOrMore
	Condition map[string]map[string]oneOrMore
}

// oneOrMore is a list of strings, of which IAM lets a single one stand alone.
type oneOrMore []string

func (s *oneOrMore) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*s = oneOrMore{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}

// statements are all that a role has.
func statements(t *testing.T, s *cfn.Stack, role string) (all []statement) {
	t.Helper()
	documents, err := s.Policies(role)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range documents {
		var document struct {
			Version   string
			Statement []statement
		}
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			t.Fatalf("%s: %v in\n%s", role, err, text)
		}
		if document.Version != "2012-10-17" {
			t.Errorf("%s: a policy of version %q", role, document.Version)
		}
		all = append(all, document.Statement...)
	}
	return all
}

// switches are every combination of what the policy can ask for, with the
// policy that asks for it.
func switches(visit func(p parameters, policy *auth.Policy)) {
	for _, gate := range []string{"observe", "enforce"} {
		for _, may := range []string{"", "StartNow", "Terminate", "Unprotect", "StartNow Terminate Unprotect"} {
			for _, keys := range []string{"off", "observe", "enforce"} {
				for _, reports := range []string{"off", "on", "by mail"} {
					for _, tag := range []string{"Sekisho", "none"} {
						visit(combination(gate, may, keys, reports, tag))
					}
				}
			}
		}
	}
}

func combination(gate, may, keys, reports, tag string) (parameters, *auth.Policy) {
	policy := auth.Defaults()
	policy.Gate.Mode = auth.Mode(gate)
	policy.Gate.PassTag = "Pass"
	p := parameters{"GateMode": gate, "Keys": keys, "Reports": "off", "GuardTagKey": tag, "PassTag": "Pass"}
	for word := range strings.FieldsSeq(may) {
		p[word] = "yes"
		switch word {
		case "StartNow":
			policy.Passes.StartNow = true
		case "Terminate":
			policy.Gate.CannotStop[auth.SpotOneTime] = auth.Terminate
		case "Unprotect":
			policy.Gate.CannotStop[auth.StopProtected] = auth.StopAnyway
		}
	}
	if tag != "none" {
		policy.Gate.Guard.Tags = map[string]string{tag: "guarded"}
	}
	if keys != "off" {
		policy.Keys = &auth.KeyPolicy{Mode: auth.Mode(keys)}
	}
	if reports != "off" {
		p["Reports"] = "on"
		report := auth.ReportPolicy{}
		if reports == "by mail" {
			p["MailIdentity"], p["MailConfigurationSet"] = "example.com", "reports"
			report.Mail = new(auth.MailPolicy)
		}
		policy.Reports = []auth.ReportPolicy{report}
	}
	return p, &policy
}

// Whose rights are whose, and what besides them Lambda or ECS itself does with
// the role.
var roles = []struct {
	deployment
	role  string
	doors []auth.Door
	polls bool
	extra []string
}{
	{lambda, "FrontRole", []auth.Door{auth.DoorHTTP}, false, ofLambda},
	{lambda, "GateRole", []auth.Door{auth.DoorGate}, false, append(ofLambda, ofQueue...)},
	{lambda, "KeeperRole", []auth.Door{auth.DoorKeys}, false, append(ofLambda, ofQueue...)},
	{fargate, "TaskRole", []auth.Door{auth.DoorSocket, auth.DoorGate, auth.DoorKeys}, true, []string{"ssm:GetParameter"}}, // the policy's reference is known to be one
}

var (
	ofReferences = []string{"secretsmanager:GetSecretValue", "ssm:GetParameter"}
	ofLambda     = slices.Concat(ofReferences, []string{"logs:CreateLogStream", "logs:PutLogEvents"})
	ofQueue      = []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
)

func TestRolesHaveTheRightsThatTheCodeNeeds(t *testing.T) {
	for _, of := range roles {
		template := of.template(t)
		switches(func(p parameters, policy *auth.Policy) {
			s, err := template.Stack(of.least.with(p))
			if err != nil {
				t.Fatal(err)
			}
			needs := rights.Of(policy, of.doors...)
			if of.polls {
				needs = append(needs, rights.Polling()...)
			}
			granted := make(map[string][]statement)
			for _, st := range statements(t, s, of.role) {
				for _, action := range st.Action {
					granted[action] = append(granted[action], st)
				}
			}
			for _, need := range needs {
				if len(granted[need.Action]) != 1 {
					t.Fatalf("%s with %v: %d statements allow %s, which is needed for %s",
						of.role, p, len(granted[need.Action]), need.Action, need.For)
				}
				if wrong := narrow(need, granted[need.Action][0]); wrong != "" {
					t.Fatalf("%s with %v: %s: %s", of.role, p, need.Action, wrong)
				}
				delete(granted, need.Action)
			}
			for _, extra := range of.extra {
				if len(granted[extra]) == 0 {
					t.Fatalf("%s with %v: nothing allows %s", of.role, p, extra)
				}
				delete(granted, extra)
			}
			if len(granted) > 0 {
				t.Fatalf("%s with %v: nothing needs %v", of.role, p, slices.Sorted(maps.Keys(granted)))
			}
		})
	}
}

// narrow says how a statement is wider or narrower than the right that it gives.
func narrow(need rights.Right, st statement) string {
	if st.Effect != "Allow" {
		return st.Effect
	}
	begins := map[rights.Kind]string{
		rights.Instances:  "arn:aws:ec2:eu-central-1:111122223333:instance/*",
		rights.Users:      "arn:aws:iam::111122223333:user/*",
		rights.Roles:      "arn:aws:iam::111122223333:role/sekisho-",
		rights.Queues:     "arn:aws:sqs:eu-central-1:111122223333:sekisho",
		rights.Identities: "arn:aws:ses:eu-central-1:111122223333:",
		rights.Rules:      "arn:aws:events:eu-central-1:111122223333:rule/*",
		rights.Everything: "*",
	}[need.Resource]
	for _, resource := range st.Resource {
		if !strings.HasPrefix(resource, begins) || resource == "*" != (need.Resource == rights.Everything) {
			return "it is allowed on " + resource
		}
	}
	has := make(map[string]string)
	for operator, keys := range st.Condition {
		for key, values := range keys {
			switch operator {
			case "StringEquals", "ForAllValues:StringEquals":
				has[key] = strings.Join(values, ",")
			case "Null":
				if !slices.Equal(values, oneOrMore{"false"}) || st.Condition["ForAllValues:StringEquals"][key] == nil {
					return "a condition that there is no " + key
				}
			default:
				return "a condition by " + operator
			}
		}
	}
	// ForAllValues holds where there is no value at all.
	for key := range st.Condition["ForAllValues:StringEquals"] {
		if st.Condition["Null"][key] == nil {
			return "it is allowed where there is no " + key
		}
	}
	if !maps.Equal(has, need.Context) {
		return fmt.Sprintf("it is allowed where %v, and needed where %v", has, need.Context)
	}
	return ""
}

// TestNoRoleHasMoreThanItsPlace looks at what no policy of sekisho.yml asks
// for: at every role, in every variant.
func TestNoRoleHasMoreThanItsPlace(t *testing.T) {
	wide := map[string]bool{ // IAM knows no narrower resource for these
		"ec2:DescribeInstances": true, "ec2:DescribeTags": true, "ec2:DescribeRegions": true,
		"iam:ListUsers": true, "iam:GetAccessKeyLastUsed": true, "iam:GenerateCredentialReport": true, "iam:GetCredentialReport": true,
		"config:ListDiscoveredResources": true, "config:DescribeConfigRules": true, "events:ListRules": true, "ses:GetAccount": true,
		"ecr:GetAuthorizationToken": true,
		// of Lambda in a VPC
		"ec2:CreateNetworkInterface": true, "ec2:DescribeNetworkInterfaces": true, "ec2:DescribeSubnets": true,
		"ec2:DeleteNetworkInterface": true, "ec2:AssignPrivateIpAddresses": true, "ec2:UnassignPrivateIpAddresses": true,
	}
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		for _, role := range s.Of("AWS::IAM::Role") {
			if s.Resources[role].Properties["Path"] != nil {
				t.Errorf("%s has a path: the doctor could not tell the role from its session", role)
			}
			for _, st := range statements(t, s, role) {
				for _, action := range st.Action {
					if strings.Contains(action, "*") {
						t.Errorf("%s may do %s", role, action)
					}
					if slices.Contains(st.Resource, "*") && !wide[action] {
						t.Errorf("%s may do %s everywhere", role, action)
					}
				}
				if st.Sid == "" {
					t.Errorf("%s: nothing says what %v is for", role, st.Action)
				}
				if len(st.Resource) == 0 {
					t.Errorf("%s: %s has no resource", role, st.Sid)
				}
			}
		}
	})
}

// TestRolesOfServices has the roles that are not the bot's.
func TestRolesOfServices(t *testing.T) {
	want := map[string][]string{
		"SchedulerRole": {"lambda:InvokeFunction", "sqs:SendMessage"},
		"StreamRole":    {"kinesis:PutRecord"},
	}
	s := lambda.stack(t, everything.with(parameters{"StreamArn": streamARN}))
	for role, actions := range want {
		if got := actionsOf(statements(t, s, role)); !slices.Equal(got, actions) {
			t.Errorf("%s may do %v, want %v", role, got, actions)
		}
	}
	s = fargate.stack(t, everything)
	want = map[string][]string{
		"SchedulerRole": {"sqs:SendMessage"},
		"ExecutionRole": {"logs:CreateLogStream", "logs:PutLogEvents", "secretsmanager:GetSecretValue"},
	}
	for role, actions := range want {
		if got := actionsOf(statements(t, s, role)); !slices.Equal(got, actions) {
			t.Errorf("%s may do %v, want %v", role, got, actions)
		}
	}
}

func actionsOf(all []statement) (actions []string) {
	for _, st := range all {
		actions = append(actions, st.Action...)
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// TestRolesReadTheirOwnSecretsAlone holds the ARNs in the roles against the
// references in the environment.
func TestRolesReadTheirOwnSecretsAlone(t *testing.T) {
	const (
		secrets = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:"
		ssm     = "arn:aws:ssm:eu-central-1:111122223333:parameter"
	)
	for _, c := range []struct {
		deployment
		given parameters
		role  string
		want  []string
	}{
		{lambda, nil, "FrontRole", []string{secrets + "slack-AbCdEf", secrets + "slack-AbCdEf", ssm + "/sekisho/pepper"}},
		{lambda, nil, "GateRole", []string{secrets + "slack-AbCdEf", ssm + "/sekisho/pepper"}},
		{lambda, parameters{
			"SlackBotToken": "ssm:/a/bot", "SlackSigningSecret": "ssm:/a/signing", "Pepper": secrets + "pepper-AbCdEf", "RedisUrl": "ssm:/a/redis",
		}, "FrontRole", []string{secrets + "pepper-AbCdEf", ssm + "/a/bot", ssm + "/a/redis", ssm + "/a/signing"}},
		{lambda, parameters{"RedisUrl": secrets + "redis-AbCdEf:url"}, "KeeperRole",
			[]string{secrets + "redis-AbCdEf", secrets + "slack-AbCdEf", ssm + "/sekisho/pepper"}},
		{fargate, nil, "TaskRole", []string{ssm + "/sekisho/policy"}},
		{fargate, parameters{"Policy": secrets + "policy-AbCdEf:yaml"}, "TaskRole", []string{secrets + "policy-AbCdEf"}},
		{fargate, nil, "ExecutionRole", []string{secrets + "sekisho-AbCdEf"}},
		{fargate, keeper, "ExecutionRole", []string{secretARN}},
		{fargate, parametersOfSSM, "ExecutionRole", []string{
			ssm + "/sekisho/REDIS_URL", ssm + "/sekisho/SEKISHO_PEPPER", ssm + "/sekisho/SLACK_APP_TOKEN", ssm + "/sekisho/SLACK_BOT_TOKEN",
		}},
		{fargate, parametersOfSSM.with(balanced), "ExecutionRole", []string{
			ssm + "/sekisho/REDIS_URL", ssm + "/sekisho/SEKISHO_PEPPER", ssm + "/sekisho/SLACK_BOT_TOKEN", ssm + "/sekisho/SLACK_SIGNING_SECRET",
		}},
	} {
		var got []string
		for _, st := range statements(t, c.stack(t, c.given), c.role) {
			if slices.ContainsFunc(st.Action, func(action string) bool { return slices.Contains(append(ofReferences, "ssm:GetParameters"), action) }) {
				got = append(got, st.Resource...)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s with %v may read\n%v, want\n%v", c.role, c.given, got, c.want)
		}
	}
}

// TestECSDecryptsByTheServiceThatKeepsTheSecrets looks at a key of one's own.
func TestECSDecryptsByTheServiceThatKeepsTheSecrets(t *testing.T) {
	key := parameters{"SecretsKeyArn": "arn:aws:kms:eu-central-1:111122223333:key/1"}
	for service, p := range map[string]parameters{"secretsmanager": key, "ssm": key.with(parametersOfSSM)} {
		var got []string
		for _, st := range statements(t, fargate.stack(t, p), "ExecutionRole") {
			if slices.Contains(st.Action, "kms:Decrypt") {
				got = append(got, st.Condition["StringEquals"]["kms:ViaService"]...)
			}
		}
		if want := []string{service + ".eu-central-1.amazonaws.com"}; !slices.Equal(got, want) {
			t.Errorf("ECS decrypts by %v, want %v", got, want)
		}
	}
}

// TestOnlyTheServiceTakesTheRole looks who may assume which role.
func TestOnlyTheServiceTakesTheRole(t *testing.T) {
	services := map[string]string{
		"FrontRole": "lambda", "GateRole": "lambda", "KeeperRole": "lambda",
		"TaskRole": "ecs-tasks", "ExecutionRole": "ecs-tasks", "SchedulerRole": "scheduler", "StreamRole": "events",
	}
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		for _, role := range s.Of("AWS::IAM::Role") {
			trust := s.Resources[role].Properties["AssumeRolePolicyDocument"].(map[string]any)["Statement"].([]any)
			st := trust[0].(map[string]any)
			service := st["Principal"].(map[string]any)["Service"]
			if len(trust) != 1 || st["Action"] != "sts:AssumeRole" || service != services[role]+".amazonaws.com" {
				t.Errorf("%s: %v", role, trust)
			}
			if service != "lambda.amazonaws.com" && st["Condition"] == nil { // Lambda sends no source
				t.Errorf("%s: the service takes it for any account", role)
			}
		}
	})
}
