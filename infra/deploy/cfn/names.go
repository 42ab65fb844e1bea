package cfn

import (
	"errors"
	"fmt"
	"strings"
)

// kind says how resources of a type are called.
type kind struct {
	name string // the property that names one; otherwise the stack and the logical id do
	arn  string // of one that is called %s
	ref  string // what Ref gives, "arn" or, by default, the name
}

// kinds has the types of which names and ARNs matter to Sekisho:
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
var kinds = map[string]kind{
	"AWS::CloudWatch::Alarm":                    {name: "AlarmName", arn: "cloudwatch:@:alarm:%s"},
	"AWS::ECS::Cluster":                         {name: "ClusterName", arn: "ecs:@:cluster/%s"},
	"AWS::ECS::Service":                         {name: "ServiceName", arn: "ecs:@:service/%s", ref: "arn"},
	"AWS::ECS::TaskDefinition":                  {name: "Family", arn: "ecs:@:task-definition/%s:1", ref: "arn"},
	"AWS::ElasticLoadBalancingV2::LoadBalancer": {arn: "elasticloadbalancing:@:loadbalancer/app/%s/0", ref: "arn"},
	"AWS::ElasticLoadBalancingV2::TargetGroup":  {arn: "elasticloadbalancing:@:targetgroup/%s/0", ref: "arn"},
	"AWS::Events::Rule":                         {name: "Name", arn: "events:@:rule/%s"},
	"AWS::IAM::ManagedPolicy":                   {name: "ManagedPolicyName", arn: "iam:!:policy/%s", ref: "arn"},
	"AWS::IAM::Role":                            {name: "RoleName", arn: "iam:!:role/%s"},
	"AWS::Lambda::EventSourceMapping":           {arn: "lambda:@:event-source-mapping:%s"},
	"AWS::Logs::LogGroup":                       {name: "LogGroupName", arn: "logs:@:log-group:%s:*"},
	"AWS::SNS::Topic":                           {name: "TopicName", arn: "sns:@:%s", ref: "arn"},
	"AWS::SQS::Queue":                           {name: "QueueName", arn: "sqs:@:%s"},
	"AWS::Scheduler::Schedule":                  {name: "Name", arn: "scheduler:@:schedule/default/%s"},
	"AWS::Scheduler::ScheduleGroup":             {name: "Name", arn: "scheduler:@:schedule-group/%s"},
	"AWS::Serverless::Function":                 {name: "FunctionName", arn: "lambda:@:function:%s"},
}

// ref is what Ref gives for a parameter, a pseudo parameter or a resource.
func (s *Stack) ref(name string) (any, error) {
	switch name {
	case "AWS::NoValue":
		return absent{}, nil
	case "AWS::Region":
		return Region, nil
	case "AWS::AccountId":
		return Account, nil
	case "AWS::Partition":
		return Partition, nil
	case "AWS::StackName":
		return StackName, nil
	case "AWS::URLSuffix":
		return "amazonaws.com", nil
	}
	if v, ok := s.parameters[name]; ok {
		return v, nil
	}
	r, err := s.there(name)
	if err != nil {
		return nil, err
	}
	kind := kinds[r.kind]
	switch {
	case r.kind == "AWS::SQS::Queue":
		return fmt.Sprintf("https://sqs.%s.amazonaws.com/%s/%s", Region, Account, r.name), nil
	case kind.ref == "arn":
		return arn(kind.arn, r.name), nil
	}
	return r.name, nil
}

// attribute is what GetAtt gives. An attribute that is neither an ARN nor a
// name is a text that says whose and which it is.
func (s *Stack) attribute(id, attribute string) (any, error) {
	r, err := s.there(id)
	if err != nil {
		return nil, err
	}
	kind := kinds[r.kind]
	switch {
	case strings.HasSuffix(attribute, "Arn") && kind.arn != "":
		return arn(kind.arn, r.name), nil
	case attribute == "QueueName":
		return r.name, nil
	case attribute == "FunctionUrl":
		return "https://" + strings.ToLower(id) + ".lambda-url." + Region + ".on.aws/", nil
	}
	return id + "." + attribute, nil
}

// named is a resource's type and name, known before its properties are.
type named struct{ kind, name string }

// there looks a resource up that the stack has.
func (s *Stack) there(id string) (named, error) {
	written, ok := s.template.Section("Resources")[id].(map[string]any)
	if !ok {
		return named{}, fmt.Errorf("there is no %s", id)
	}
	if holds, err := s.holds(written); err != nil || !holds {
		return named{}, errors.Join(fmt.Errorf("%s is not deployed with these parameters", id), err)
	}
	r := named{kind: fmt.Sprint(written["Type"]), name: StackName + "-" + id}
	properties, _ := written["Properties"].(map[string]any)
	if own, ok := properties[kinds[r.kind].name]; ok {
		v, err := s.eval(own)
		if err != nil {
			return named{}, err
		}
		r.name = fmt.Sprint(v)
	}
	return r, nil
}

// arn makes an ARN; @ stands for Region and account, ! for the account alone.
func arn(pattern, name string) string {
	pattern = strings.NewReplacer(":@:", ":"+Region+":"+Account+":", ":!:", "::"+Account+":").Replace(pattern)
	return "arn:" + Partition + ":" + fmt.Sprintf(pattern, name)
}
