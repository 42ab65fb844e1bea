package deploy_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/bot"
	"sekisho/commands"
	"sekisho/infra/deploy/cfn"
)

// route is what an event is routed by.
type route struct{ source, detailType string }

// jobs are the routes that the code has, of events that come from outside, and
// the doors behind which they are done.
func jobs() map[route]auth.Door {
	all := make(map[route]auth.Door)
	for _, j := range commands.Jobs() {
		if j.Source == "sekisho.schedule" || strings.HasPrefix(j.Source, "aws.") {
			all[route{j.Source, j.DetailType}] = j.Door
		}
	}
	return all
}

// where says to which function, or queue, each event goes.
func where(t *testing.T, s *cfn.Stack) map[route]string {
	t.Helper()
	all := make(map[route]string)
	for _, id := range s.Of("AWS::Events::Rule") {
		rule := s.Resources[id].Properties
		pattern := rule["EventPattern"].(map[string]any)
		targets := rule["Targets"].([]any)
		if len(targets) != 1 {
			t.Errorf("%s has %d targets", id, len(targets))
		}
		for _, source := range pattern["source"].([]any) {
			for _, detailType := range pattern["detail-type"].([]any) {
				all[route{source.(string), detailType.(string)}] = targets[0].(map[string]any)["Arn"].(string)
			}
		}
	}
	for _, id := range s.Of("AWS::Scheduler::Schedule") {
		target := s.Resources[id].Properties["Target"].(map[string]any)
		var e commands.Event
		input := strings.Replace(target["Input"].(string), "<aws.scheduler.scheduled-time>", "2026-11-23T07:00:00Z", 1)
		if err := json.Unmarshal([]byte(input), &e); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		if e.ID != "<aws.scheduler.execution-id>" || e.Time.IsZero() || e.Detail == nil {
			t.Errorf("%s: its events have no id, no time or no detail: %s", id, input)
		}
		all[route{e.Source, e.DetailType}] = target["Arn"].(string)
	}
	return all
}

func TestEveryJobIsCalledAndEveryEventIsAJob(t *testing.T) {
	for _, d := range deployments {
		got := where(t, d.stack(t, everything))
		want := jobs()
		for r := range want {
			if got[r] == "" {
				t.Errorf("%s: nothing sends %v", d.file, r)
			}
		}
		for r := range got {
			if want[r] == "" {
				t.Errorf("%s: nothing acts on %v", d.file, r)
			}
		}
	}
}

// TestEventsGoToTheirHalf holds each target against the door behind which the
// job is done.
func TestEventsGoToTheirHalf(t *testing.T) {
	functions := map[auth.Door]string{
		auth.DoorGate: "arn:aws:lambda:eu-central-1:111122223333:function:sekisho-gate",
		auth.DoorKeys: "arn:aws:lambda:eu-central-1:111122223333:function:sekisho-keeper",
	}
	got := where(t, lambda.stack(t, everything))
	for r, door := range jobs() {
		if got[r] != functions[door] {
			t.Errorf("%v goes to %s, want %s", r, got[r], functions[door])
		}
	}
	for r, to := range where(t, lambda.stack(t, everything.with(parameters{"StreamArn": streamARN}))) {
		if through := to == streamARN; through != (r.source == "aws.ec2") {
			t.Errorf("with a stream %v goes to %s", r, to)
		}
	}
	for r, to := range where(t, fargate.stack(t, everything)) {
		if to != "arn:aws:sqs:eu-central-1:111122223333:sekisho" {
			t.Errorf("%v goes to %s", r, to)
		}
	}
}

// TestLambdaLetsTheRulesIn: a rule whose permission is missing fails in silence.
func TestLambdaLetsTheRulesIn(t *testing.T) {
	for name, p := range lambda.variants() {
		s := lambda.stack(t, p)
		allowed := make(map[string]bool)
		for _, id := range s.Of("AWS::Lambda::Permission") {
			p := s.Resources[id].Properties
			if p["Principal"] == "events.amazonaws.com" {
				allowed[p["SourceArn"].(string)+" to "+p["FunctionName"].(string)] = p["Action"] == "lambda:InvokeFunction"
			}
		}
		for _, id := range s.Of("AWS::Events::Rule") {
			rule := s.Resources[id].Properties
			to := rule["Targets"].([]any)[0].(map[string]any)["Arn"].(string)
			key := "arn:aws:events:eu-central-1:111122223333:rule/" + rule["Name"].(string) + " to " + to[strings.LastIndex(to, ":")+1:]
			if strings.Contains(to, ":function:") != allowed[key] {
				t.Errorf("%s: rule %s: permission %v", name, id, allowed[key])
			}
			delete(allowed, key)
		}
		if len(allowed) > 0 {
			t.Errorf("%s: permissions that no rule uses: %v", name, allowed)
		}
	}
}

// TestPatternsOfTheREADMEAreDeployed holds what those read who deploy by hand
// against the templates.
func TestPatternsOfTheREADMEAreDeployed(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []any
	for _, at := range regexp.MustCompile(`\{\s*"source": \["aws\.`).FindAllIndex(text, -1) {
		var pattern any
		if err := json.NewDecoder(bytes.NewReader(text[at[0]:])).Decode(&pattern); err != nil {
			t.Fatalf("%v in\n%.200s", err, text[at[0]:])
		}
		documented = append(documented, pattern)
	}
	if len(documented) == 0 {
		t.Error("README.md has no pattern")
	}
	for _, d := range deployments {
		s := d.stack(t, everything)
		var deployed []any
		for _, id := range s.Of("AWS::Events::Rule") {
			deployed = append(deployed, s.Resources[id].Properties["EventPattern"])
		}
		for _, pattern := range documented {
			if !slices.ContainsFunc(deployed, func(p any) bool { return reflect.DeepEqual(p, pattern) }) {
				t.Errorf("%s has no rule with README.md's pattern %v", d.file, pattern)
			}
		}
	}
}

// TestTheStreamIsReadAsLongAsEventsCount holds the mapping against the code,
// and against its defaults, with which one bad record would stop the gate for
// as long as the stream keeps it.
func TestTheStreamIsReadAsLongAsEventsCount(t *testing.T) {
	s := lambda.stack(t, parameters{"StreamArn": streamARN})
	p := s.Resources["GateReadsStreamRecords"].Properties
	if got, want := number(t, p["MaximumRecordAgeInSeconds"]), int(bot.TooOld.Seconds()); got != want {
		t.Errorf("records are read for %d s, and acted on for %d s", got, want)
	}
	if tries := number(t, p["MaximumRetryAttempts"]); tries < 1 || tries > 100 {
		t.Errorf("a bad record is tried %d times", tries)
	}
	if p["BisectBatchOnFunctionError"] != true || !reportsFailures(p) || p["DestinationConfig"] == nil {
		t.Errorf("a bad record takes others with it, or is lost: %v", p)
	}
	for _, id := range []string{"StateChangeRule", "CallerRule"} {
		target := s.Resources[id].Properties["Targets"].([]any)[0].(map[string]any)
		key, _ := target["KinesisParameters"].(map[string]any)
		if ordered := key["PartitionKeyPath"] == "$.detail.instance-id"; ordered != (id == "StateChangeRule") {
			t.Errorf("%s: the key of its records is %v", id, key)
		}
	}
	for _, id := range []string{"Gate", "Keeper"} {
		function := s.Resources[id].Properties["Environment"].(map[string]any)["Variables"].(map[string]any)
		if targets, _ := function["SEKISHO_TARGETS"].(string); id == "Keeper" && !strings.HasSuffix(targets, ","+streamARN) {
			t.Errorf("the doctor does not expect the stream: %s", targets)
		}
	}
}

func reportsFailures(mapping map[string]any) bool {
	return reflect.DeepEqual(mapping["FunctionResponseTypes"], []any{"ReportBatchItemFailures"})
}

// TestEveryFunctionIsWhatItsDoorNeeds holds handlers, time and doors together.
func TestEveryFunctionIsWhatItsDoorNeeds(t *testing.T) {
	s := lambda.stack(t, nil)
	type function struct {
		handler string
		doors   auth.Door
	}
	got := make(map[string]function)
	for _, id := range s.Of("AWS::Serverless::Function") {
		p := s.Resources[id].Properties
		door := p["Environment"].(map[string]any)["Variables"].(map[string]any)["SEKISHO_DOORS"].(string)
		got[id] = function{p["Handler"].(string), auth.Door(door)}
		if p["Runtime"] != "provided.al2023" || p["CodeUri"] != "../../bin/lambda.zip" {
			t.Errorf("%s runs %v on %v", id, p["CodeUri"], p["Runtime"])
		}
	}
	want := map[string]function{
		"Front": {"bootstrap", auth.DoorHTTP}, "Gate": {"bootstrap", auth.DoorGate}, "Keeper": {"sekisho", auth.DoorKeys},
	}
	if !maps.Equal(got, want) {
		t.Errorf("the functions are %v, want %v", got, want)
	}
	longest := 0
	for _, j := range commands.Jobs() {
		longest = max(longest, int(j.Within.Seconds()))
	}
	if has := number(t, s.Resources["Keeper"].Properties["Timeout"]); has < longest+60 {
		t.Errorf("the keeper has %d s, a job may take %d", has, longest)
	}
}
