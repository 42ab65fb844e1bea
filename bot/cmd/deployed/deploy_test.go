package deployed

import (
	"context"
	"maps"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/uuid"

	"sekisho/auth"
	"sekisho/infra/local"
	"sekisho/infra/local/awssim"
	"sekisho/infra/local/lambdasim"
	"sekisho/infra/policyfile"
)

// world is an account in which the stack's programs run.
type world struct {
	*account
	policy auth.Policy
	lambda *lambdasim.Service // nil on Fargate
}

// deploy builds a stack whole: roles, queues, programs, and what brings them
// events and requests.
func deploy(t *testing.T, template, policy string, parameters func(*local.World) map[string]string) *world {
	t.Helper()
	read, err := policyfile.Parse("sekisho.yml", []byte(policy))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{account: open(t, template, parameters), policy: read}
	t.Cleanup(w.nothingWasRefused)
	folder := unpack(t, policy)
	w.makeFunctions(folder)
	w.makeMappings()
	w.makeRules()
	w.openURLs()
	w.runTasks(folder)
	return w
}

// makeFunctions deploys the functions, each with its own environment and role.
func (w *world) makeFunctions(folder string) {
	w.t.Helper()
	var all []lambdasim.Function
	for _, id := range w.stack.Of("AWS::Serverless::Function") {
		p := w.stack.Resources[id].Properties
		role := w.roleOf(text(p, "Role"))
		f := lambdasim.Function{
			Name: text(p, "FunctionName"), Program: filepath.Join(folder, "bootstrap"), Handler: text(p, "Handler"),
			Timeout: w.seconds(p, "Timeout"), Env: w.endpoints(role), OnFailure: w.onFailure(text(p, "FunctionName"), role),
		}
		if p["ReservedConcurrentExecutions"] != nil {
			f.Reserved = w.number(p, "ReservedConcurrentExecutions")
		}
		variables, _ := at(p, "Environment", "Variables").(map[string]any)
		for name := range variables {
			f.Env = append(f.Env, name+"="+strings.Replace(text(variables, name), "/var/task", folder, 1))
		}
		all = append(all, f)
	}
	if all == nil {
		return
	}
	var err error
	w.lambda, err = lambdasim.New(all...)
	w.do(err)
	w.t.Cleanup(func() {
		if w.t.Failed() {
			for _, f := range all {
				w.t.Logf("%s said:\n%s", f.Name, w.lambda.Logs(f.Name))
			}
		}
		w.lambda.Close()
	})
}

// onFailure puts aside what a function failed at, as Lambda does: in its role's
// name.
func (w *world) onFailure(function, role string) func([]byte) {
	for _, id := range w.stack.Of("AWS::Lambda::EventInvokeConfig") {
		p := w.stack.Resources[id].Properties
		if text(p, "FunctionName") != function {
			continue
		}
		to := w.queues[text(p, "DestinationConfig", "OnFailure", "Destination")]
		return func(record []byte) {
			if err := w.send(role, to, string(record)); err != nil {
				w.t.Errorf("putting aside what %s failed at: %v", function, err)
			}
		}
	}
	return nil
}

func (w *world) send(role, queue, body string) error {
	_, err := sqs.NewFromConfig(w.as(role)).SendMessage(w.ctx, &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body})
	return err
}

// makeMappings has Lambda read the queues, in the functions' roles' names.
func (w *world) makeMappings() {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.ctx)
	var pollers sync.WaitGroup
	w.t.Cleanup(func() { stop(); pollers.Wait() })
	for _, id := range w.stack.Of("AWS::Lambda::EventSourceMapping") {
		p := w.stack.Resources[id].Properties
		function, batch := text(p, "FunctionName"), w.number(p, "BatchSize")
		queue := lambdasim.SQS{URL: w.queues[text(p, "EventSourceArn")], Client: sqs.NewFromConfig(w.as(w.roleOfFunction(function)))}
		_, err := queue.Client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queue.URL}) // as Lambda looks first
		w.do(err)
		pollers.Go(func() {
			if err := w.lambda.Poll(ctx, function, queue, batch); err != nil {
				w.t.Errorf("reading the queue of %s: %v", function, err)
			}
		})
	}
}

func (w *world) roleOfFunction(name string) string {
	w.t.Helper()
	for _, id := range w.stack.Of("AWS::Serverless::Function") {
		if p := w.stack.Resources[id].Properties; text(p, "FunctionName") == name {
			return w.roleOf(text(p, "Role"))
		}
	}
	w.t.Fatalf("the stack has no function %s", name)
	return ""
}

// makeRules brings AWS's events to their targets.
func (w *world) makeRules() {
	w.t.Helper()
	for _, id := range w.stack.Of("AWS::Events::Rule") {
		p := w.stack.Resources[id].Properties
		rule := awssim.Rule{Name: text(p, "Name"), Pattern: encoded(p["EventPattern"])}
		for _, target := range list(p["Targets"]) {
			to := awssim.Target{ARN: text(target, "Arn")}
			if to.Queue = w.queues[to.ARN]; to.Queue == "" {
				to.Invoke = func(event []byte) { w.lambda.InvokeAsync(last(to.ARN), event) }
			}
			rule.Targets = append(rule.Targets, to)
		}
		w.do(w.AWS.PutRule(rule))
	}
}

// openURLs has Slack send its requests to the function URL.
func (w *world) openURLs() {
	for _, id := range w.stack.Of("AWS::Lambda::Url") {
		url := httptest.NewServer(w.lambda.URL(last(text(w.stack.Resources[id].Properties, "TargetFunctionArn"))))
		w.t.Cleanup(url.Close)
		w.Slack.DeliverTo(url.URL)
	}
}

// fire does what a schedule asks for, and returns when it is done.
func (w *world) fire(schedule string) {
	w.t.Helper()
	target := w.stack.Resources[schedule].Properties["Target"]
	id := uuid.NewString()
	event := strings.NewReplacer(
		"<aws.scheduler.execution-id>", id, "<aws.scheduler.scheduled-time>", time.Now().UTC().Format(time.RFC3339),
	).Replace(text(target, "Input"))
	queue, ok := w.queues[text(target, "Arn")]
	if !ok {
		_, err := w.lambda.Invoke(w.ctx, last(text(target, "Arn")), []byte(event))
		w.do(err)
		return
	}
	w.do(w.send(w.roleOf(text(target, "RoleArn")), queue, event))
	w.until(schedule+" is done", func() bool {
		q := w.AWS.Queue(queue)
		return !slices.ContainsFunc(slices.Concat(q.Visible, q.InFlight), func(body string) bool { return strings.Contains(body, id) })
	})
}

// until waits for something in AWS.
func (w *world) until(what string, holds func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.ctx, patience)
	defer cancel()
	changes := w.AWS.Changes(ctx)
	for !holds() {
		select {
		case <-changes:
		case <-time.After(50 * time.Millisecond): // a call is recorded after what it changes
		case <-ctx.Done():
			w.t.Fatalf("it never came true that %s", what)
		}
	}
}

// nothingFailed wants every event and task to have been done: none is put
// aside, and none waits to be tried again.
func (w *world) nothingFailed() {
	w.t.Helper()
	for _, arn := range slices.Sorted(maps.Keys(w.queues)) {
		q := w.AWS.Queue(w.queues[arn])
		if aside := strings.HasSuffix(arn, "dead") || strings.HasSuffix(arn, "undelivered"); aside && len(q.Visible) > 0 || len(q.Dead) > 0 {
			w.t.Errorf("%s: %q %q", arn, q.Visible, q.Dead)
		}
	}
}
