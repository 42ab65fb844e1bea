package cfn_test

import (
	"reflect"
	"strings"
	"testing"

	"sekisho/infra/deploy/cfn"
)

const small = `
Parameters:
  Name: {Type: String, Default: ""}
  Size: {Type: Number, Default: 5, MinValue: 1, MaxValue: 9}
  Subnets: {Type: CommaDelimitedList, Default: "a,b"}
  Word: {Type: String, Default: "no", AllowedValues: ["no", "yes"], AllowedPattern: "[a-z]+"}
Rules:
  ANameHasSubnets:
    RuleCondition: !Not [!Equals [!Ref Name, ""]]
    Assertions:
      - Assert: {"Fn::Not": [{"Fn::EachMemberEquals": [!Ref Subnets, ""]}]}
        AssertDescription: Name needs Subnets
Conditions:
  Named: !Not [!Equals [!Ref Name, ""]]
  Both: !And [!Condition Named, !Equals [!Ref Size, 5]]
  Either: !Or [!Condition Named, !Equals [!Ref Word, "yes"]]
Mappings:
  Sizes:
    "no": {Value: small}
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Sub ${AWS::StackName}-queue
      Tags: !If [Named, [{Key: name, Value: !Ref Name}], !Ref "AWS::NoValue"]
  Other:
    Type: AWS::SQS::Queue
    Condition: Both
    DependsOn: Queue
    Properties:
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Queue.Arn}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      Description: !Sub ["${Queue.Arn} for ${Whom} is not ${!this}", {Whom: !Join ["+", !Ref Subnets]}]
      Name: !Select [1, !Split [":", "a:b:c"]]
      State: !FindInMap [Sizes, !Ref Word, Value]
      Targets: [one, !If [Either, two, !Ref "AWS::NoValue"]]
Outputs:
  Url: {Value: !Ref Queue}
  Other: {Condition: Both, Value: !Ref Other}
`

func stack(t *testing.T, parameters map[string]string) *cfn.Stack {
	t.Helper()
	template, err := cfn.Read([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	s, err := template.Stack(parameters)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestFunctionsAreWorkedOut(t *testing.T) {
	const queue = "arn:aws:sqs:eu-central-1:111122223333:sekisho-queue"
	s := stack(t, nil)
	if want := map[string]any{"QueueName": "sekisho-queue"}; !reflect.DeepEqual(s.Resources["Queue"].Properties, want) {
		t.Errorf("the queue is %v, want %v", s.Resources["Queue"].Properties, want)
	}
	want := map[string]any{
		"Description": queue + " for a+b is not ${this}", "Name": "b", "State": "small", "Targets": []any{"one"},
	}
	if got := s.Resources["Rule"].Properties; !reflect.DeepEqual(got, want) {
		t.Errorf("the rule is %v, want %v", got, want)
	}
	if want := map[string]any{"Url": "https://sqs.eu-central-1.amazonaws.com/111122223333/sekisho-queue"}; !reflect.DeepEqual(s.Outputs, want) {
		t.Errorf("the outputs are %v, want %v", s.Outputs, want)
	}
	if _, there := s.Resources["Other"]; there {
		t.Error("a resource is there whose condition does not hold")
	}

	s = stack(t, map[string]string{"Name": "hana"})
	if got := s.Resources["Other"].Properties["RedrivePolicy"].(map[string]any)["deadLetterTargetArn"]; got != queue {
		t.Errorf("the other's dead letters go to %v", got)
	}
	tag := map[string]any{"Key": "name", "Value": "hana"}
	if got := s.Resources["Queue"].Properties["Tags"]; !reflect.DeepEqual(got, []any{tag}) {
		t.Errorf("the tags are %v", got)
	}
	if got := s.Resources["Rule"].Properties["Targets"]; !reflect.DeepEqual(got, []any{"one", "two"}) {
		t.Errorf("the targets are %v", got)
	}
}

func TestWrongTemplatesAreErrors(t *testing.T) {
	for want, replace := range map[string][2]string{
		"there is no Quee":             {"!Ref Queue}", "!Ref Quee}"},
		"there is no condition Nobody": {"Condition: Both, Value", "Condition: Nobody, Value"},
		"is not deployed":              {"Other: {Condition: Both, Value", "Other: {Value"},
		"there is no such element":     {"!Select [1,", "!Select [3,"},
		"has no such key":              {`"no": {Value: small}`, `"yes": {Value: small}`},
		"does not know the function":   {"!Join [", "!Base64 ["},
	} {
		if !strings.Contains(small, replace[0]) {
			t.Fatalf("the template has no %q", replace[0])
		}
		template, err := cfn.Read([]byte(strings.Replace(small, replace[0], replace[1], 1)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err = template.Stack(nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", replace[1], err, want)
		}
	}
}

func TestWrongParametersAreErrors(t *testing.T) {
	template, err := cfn.Read([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	for want, p := range map[string]map[string]string{
		"no parameter Nam": {"Nam": "x"}, "MaxValue is 9": {"Size": "10"}, "MinValue is 1": {"Size": "0"}, "no number": {"Size": "five"},
		"is none of": {"Word": "maybe"},
	} {
		if _, err := template.Stack(p); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", p, err, want)
		}
	}
}

func TestRulesAreHeld(t *testing.T) {
	template, err := cfn.Read([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, subnets string
		want          bool
	}{{"", "", true}, {"hana", "a", true}, {"hana", ",a", true}, {"hana", "", false}} {
		_, err := template.Stack(map[string]string{"Name": c.name, "Subnets": c.subnets})
		if taken := err == nil; taken != c.want || !taken && err.Error() != "rule ANameHasSubnets: Name needs Subnets" {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestWhatIsReferredToAndNotThereIsFoundInEveryBranch(t *testing.T) {
	template, err := cfn.Read([]byte(strings.NewReplacer("!Ref Name}]", "!Ref Nam}]", "${Queue.Arn}", "${Quee.Arn}", "[!Ref Subnets, \"\"]", "[!Ref Subnet, \"\"]").Replace(small)))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(template.Dangling(), "; "); got != "ANameHasSubnets: Ref Subnet; Queue: Ref Nam; Rule: Fn::Sub ${Quee.Arn}" {
		t.Errorf("dangling: %s", got)
	}
	if got := template.Unused(); len(got) > 0 {
		t.Errorf("unused: %v", got)
	}
}

func TestAKeyTwiceIsAnError(t *testing.T) {
	if _, err := cfn.Read([]byte("Resources:\n  A: {Type: x}\n  A: {Type: y}\n")); err == nil {
		t.Error("a key that stands twice is taken")
	}
}
