package deploy_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"sekisho/infra/deploy/cfn"
)

func number(t *testing.T, v any) int {
	t.Helper()
	n, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil {
		t.Errorf("%v is no number", v)
	}
	return n
}

// TestNothingIsLost: each way of an event or task ends in a dead-letter queue,
// and each of those has an alarm.
func TestNothingIsLost(t *testing.T) {
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		alarmed := make(map[any]bool)
		for _, id := range s.Of("AWS::CloudWatch::Alarm") {
			if p := s.Resources[id].Properties; p["MetricName"] == "ApproximateNumberOfMessagesVisible" {
				alarmed[p["Dimensions"].([]any)[0].(map[string]any)["Value"]] = true
			}
		}
		dead := make(map[string]bool) // by ARN
		work := make(map[string]bool)
		for _, id := range s.Of("AWS::SQS::Queue") {
			p := s.Resources[id].Properties
			if p["SqsManagedSseEnabled"] != true {
				t.Errorf("%s is not encrypted", id)
			}
			arn := "arn:aws:sqs:eu-central-1:111122223333:" + p["QueueName"].(string)
			if p["RedrivePolicy"] != nil {
				work[arn] = true
				continue
			}
			dead[arn] = true
			if !alarmed[p["QueueName"]] {
				t.Errorf("nobody hears of what lands in %s", id)
			}
			if days := number(t, p["MessageRetentionPeriod"]) / 86400; days != 14 {
				t.Errorf("%s keeps its messages %d days", id, days)
			}
		}
		ends := func(where string, to any) {
			if m, _ := to.(map[string]any); m == nil || !dead[fmt.Sprint(m["Arn"])] {
				t.Errorf("%s: what fails goes to %v, which is no dead-letter queue", where, to)
			}
		}
		for _, id := range s.Of("AWS::SQS::Queue") {
			if r, ok := s.Resources[id].Properties["RedrivePolicy"].(map[string]any); ok {
				ends(id, map[string]any{"Arn": r["deadLetterTargetArn"]})
			}
		}
		for _, id := range s.Of("AWS::Events::Rule") {
			for _, target := range s.Resources[id].Properties["Targets"].([]any) {
				target := target.(map[string]any)
				ends(id, target["DeadLetterConfig"])
				bounded(t, id, target)
			}
		}
		for _, id := range s.Of("AWS::Scheduler::Schedule") {
			target := s.Resources[id].Properties["Target"].(map[string]any)
			ends(id, target["DeadLetterConfig"])
			bounded(t, id, target)
		}
		async := make(map[any]bool)
		for _, id := range s.Of("AWS::Lambda::EventInvokeConfig") {
			p := s.Resources[id].Properties
			failure := p["DestinationConfig"].(map[string]any)["OnFailure"].(map[string]any)
			ends(id, map[string]any{"Arn": failure["Destination"]})
			async[p["FunctionName"]] = true
		}
		for _, id := range s.Of("AWS::Lambda::EventSourceMapping") {
			p := s.Resources[id].Properties
			if !reportsFailures(p) {
				t.Errorf("%s: one bad message takes its batch with it", id)
			}
			if to, ok := p["DestinationConfig"].(map[string]any); ok {
				ends(id, map[string]any{"Arn": to["OnFailure"].(map[string]any)["Destination"]})
			} else if !work[p["EventSourceArn"].(string)] {
				t.Errorf("%s: what fails is lost", id)
			}
		}
		for _, to := range where(t, s) {
			if name, isFunction := strings.CutPrefix(to, "arn:aws:lambda:eu-central-1:111122223333:function:"); isFunction && !async[name] {
				t.Errorf("%s: what it fails at three times is lost", name)
			}
		}
	})
}

func bounded(t *testing.T, id string, target map[string]any) {
	t.Helper()
	retry, ok := target["RetryPolicy"].(map[string]any)
	if !ok {
		t.Errorf("%s tries for a day", id)
		return
	}
	if age := number(t, retry["MaximumEventAgeInSeconds"]); age < 60 || age > 21600 {
		t.Errorf("%s: an event may be %d s old", id, age)
	}
	if n := number(t, retry["MaximumRetryAttempts"]); n < 1 || n > 185 {
		t.Errorf("%s tries %d times", id, n)
	}
}

// TestDeadLettersMayBeSent looks for the permissions without which EventBridge
// drops what it should put aside.
func TestDeadLettersMayBeSent(t *testing.T) {
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		for _, id := range s.Of("AWS::Events::Rule") {
			rule := s.Resources[id].Properties
			arn := "arn:aws:events:eu-central-1:111122223333:rule/" + rule["Name"].(string)
			target := rule["Targets"].([]any)[0].(map[string]any)
			to := []any{target["DeadLetterConfig"].(map[string]any)["Arn"]}
			if strings.HasPrefix(target["Arn"].(string), "arn:aws:sqs:") {
				to = append(to, target["Arn"])
			}
			for _, queue := range to {
				if !maySend(s, arn, queue) {
					t.Errorf("%s may not send to %v", id, queue)
				}
			}
		}
	})
}

// maySend says whether a queue policy lets a rule send.
func maySend(s *cfn.Stack, rule string, queue any) bool {
	for _, id := range s.Of("AWS::SQS::QueuePolicy") {
		document := s.Resources[id].Properties["PolicyDocument"].(map[string]any)
		for _, st := range document["Statement"].([]any) {
			st := st.(map[string]any)
			resource := st["Resource"]
			if all, ok := resource.([]any); ok && slices.Contains(all, queue) {
				resource = queue
			}
			condition, _ := st["Condition"].(map[string]any)
			sources, _ := condition["ArnEquals"].(map[string]any)
			from, _ := sources["aws:SourceArn"].([]any)
			if st["Effect"] == "Allow" && resource == queue && slices.Contains(from, any(rule)) {
				return true
			}
		}
	}
	return false
}

// TestQueuesWaitForTheFunction: a message that comes back while it is still
// being handled is handled twice.
func TestQueuesWaitForTheFunction(t *testing.T) {
	s := lambda.stack(t, nil)
	for queue, function := range map[string]string{"GateQueue": "Gate", "KeeperQueue": "Keeper"} {
		hidden := number(t, s.Resources[queue].Properties["VisibilityTimeout"])
		if takes := number(t, s.Resources[function].Properties["Timeout"]); hidden <= takes {
			t.Errorf("%s hides messages for %d s, %s may take %d", queue, hidden, function, takes)
		}
	}
	for _, id := range s.Of("AWS::Lambda::EventSourceMapping") {
		if s.Resources[id].Properties["ScalingConfig"] == nil {
			t.Errorf("%s: Lambda would throttle, and count that as a try", id)
		}
	}
}

func TestLogsEnd(t *testing.T) {
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		groups := make(map[any]bool)
		for _, id := range s.Of("AWS::Logs::LogGroup") {
			if s.Resources[id].Properties["RetentionInDays"] == nil {
				t.Errorf("%s is kept for ever", id)
			}
			groups[s.Resources[id].Properties["LogGroupName"]] = true
		}
		for _, id := range s.Of("AWS::Serverless::Function") {
			p := s.Resources[id].Properties
			if of := p["LoggingConfig"].(map[string]any)["LogGroup"]; of != "/aws/lambda/"+p["FunctionName"].(string) || !groups[of] {
				t.Errorf("%s logs to %v", id, of)
			}
		}
		for _, id := range s.Of("AWS::ECS::TaskDefinition") {
			for _, c := range s.Resources[id].Properties["ContainerDefinitions"].([]any) {
				options := c.(map[string]any)["LogConfiguration"].(map[string]any)["Options"].(map[string]any)
				if !groups[options["awslogs-group"]] {
					t.Errorf("a container logs to %v", options["awslogs-group"])
				}
			}
		}
	})
}

// TestAlarms has those that a person must hear of, and that all reach one.
func TestAlarms(t *testing.T) {
	for _, c := range []struct {
		deployment
		want []string
	}{
		{lambda, []string{
			"AWS/Lambda Errors sekisho-gate", "AWS/Lambda Errors sekisho-keeper",
			"AWS/Lambda Throttles sekisho-front", "AWS/Lambda Throttles sekisho-gate",
			"AWS/SQS ApproximateAgeOfOldestMessage sekisho-gate", "AWS/SQS ApproximateAgeOfOldestMessage sekisho-keeper",
			"AWS/SQS ApproximateNumberOfMessagesVisible sekisho-gate-dead",
			"AWS/SQS ApproximateNumberOfMessagesVisible sekisho-keeper-dead",
			"AWS/SQS ApproximateNumberOfMessagesVisible sekisho-undelivered",
			"Sekisho JobErrors ", "Sekisho Sweeps ",
		}},
		{fargate, []string{
			"AWS/SQS ApproximateAgeOfOldestMessage sekisho", "AWS/SQS ApproximateNumberOfMessagesVisible sekisho-dead",
			"Sekisho JobErrors ", "Sekisho SocketConnections ", "Sekisho Sweeps ",
		}},
	} {
		s := c.stack(t, nil)
		var got []string
		for _, id := range s.Of("AWS::CloudWatch::Alarm") {
			p := s.Resources[id].Properties
			var of any = ""
			if all, ok := p["Dimensions"].([]any); ok {
				of = all[0].(map[string]any)["Value"]
			}
			got = append(got, fmt.Sprintf("%v %v %v", p["Namespace"], p["MetricName"], of))
			if fmt.Sprint(p["AlarmActions"]) != "[arn:aws:sns:eu-central-1:111122223333:sekisho-alarms]" {
				t.Errorf("%s reaches %v", id, p["AlarmActions"])
			}
			if silent := p["MetricName"] == "Sweeps" || p["MetricName"] == "SocketConnections"; silent != (p["TreatMissingData"] == "breaching") {
				t.Errorf("%s: what becomes of missing data: %v", id, p["TreatMissingData"])
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: the alarms are\n%s\nwant\n%s", c.file, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
	for _, c := range []struct {
		deployment
		queues []string
	}{{lambda, []string{"GateQueue", "KeeperQueue"}}, {fargate, []string{"Queue"}}} {
		s := c.stack(t, nil)
		alarm := s.Resources["JobsFail"].Properties
		window := number(t, alarm["Period"]) * number(t, alarm["EvaluationPeriods"])
		for _, queue := range c.queues {
			again := number(t, s.Resources[queue].Properties["VisibilityTimeout"])
			if seen := window / again; seen < number(t, alarm["DatapointsToAlarm"]) {
				t.Errorf("of what fails from %s the alarm sees %d tries", queue, seen)
			}
		}
	}
	if p := lambda.stack(t, nil).Resources["KeeperErrors"].Properties; number(t, p["EvaluationPeriods"]) != 1 {
		t.Errorf("the keeper, which may run once a day, must fail %v times before anybody hears of it", p["EvaluationPeriods"])
	}
	for minutes, seconds := range map[string]int{"2": 360, "5": 900, "10": 1800} {
		s := lambda.stack(t, parameters{"SweepMinutes": minutes})
		if got := number(t, s.Resources["NoSweep"].Properties["Period"]); got != seconds {
			t.Errorf("sweeps every %s minutes are missed after %d s", minutes, got)
		}
		if got := s.Resources["SweepSchedule"].Properties["ScheduleExpression"]; got != "rate("+minutes+" minutes)" {
			t.Errorf("the sweep is made at %v", got)
		}
	}
}
