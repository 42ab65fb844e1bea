package deployed

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/infra/deploy/cfn"
	"sekisho/infra/local"
	"sekisho/infra/local/awssim"
)

// patience bounds every wait; nothing waits for it to pass. What a worker lost
// or left to another comes again after a minute.
const patience = 2 * time.Minute

// account is the local world with a stack's roles and queues in it.
type account struct {
	*local.World
	t      *testing.T
	ctx    context.Context
	stack  *cfn.Stack
	queues map[string]string // URLs, by ARN
}

// open makes a world in which all people with access keys stand under /people/,
// and deploys the template to it.
func open(t *testing.T, template string, parameters func(*local.World) map[string]string) *account {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*patience)
	w, err := local.New(local.Options{
		BootTime: 50 * time.Millisecond, StopTime: 50 * time.Millisecond, CloudTrailDelay: 100 * time.Millisecond, SweepEvery: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); w.Close() })
	if _, err := w.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	a := &account{World: w, t: t, ctx: ctx, queues: make(map[string]string)}
	for _, name := range []string{"sekisho-starts", "sekisho-callers", "sekisho-config", "sekisho-mail"} {
		w.AWS.RemoveRule(name) // the demo's
	}
	for _, name := range []string{"app-1", "app-2"} {
		w.AWS.Add(awssim.Instance{Name: name, Tags: map[string]string{"Sekisho": "guarded"}})
	}
	a.move("hana", "ben", "rosa")
	w.AWS.AddConfigurationSet("reports")
	a.stack = stack(t, template, parameters(w))
	a.makeQueues()
	a.makeRoles()
	return a
}

func stack(t *testing.T, template string, parameters map[string]string) *cfn.Stack {
	t.Helper()
	text, err := os.ReadFile("../../../infra/deploy/" + template)
	if err != nil {
		t.Fatal(err)
	}
	read, err := cfn.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	s, err := read.Stack(parameters)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// move puts users under the path to which the roles are limited.
func (a *account) move(names ...string) {
	a.t.Helper()
	for _, name := range names {
		u, _ := a.AWS.User(name)
		a.do(a.AWS.DeleteUser(name))
		u.Path = "/people/"
		_, err := a.AWS.AddUser(u)
		a.do(err)
	}
	a.AWS.CheckAll() // only a change is an event
}

// makeQueues makes those first that others put dead letters into.
func (a *account) makeQueues() {
	a.t.Helper()
	for _, redrives := range []bool{false, true} {
		for _, id := range a.stack.Of("AWS::SQS::Queue") {
			p := a.stack.Resources[id].Properties
			name, dead, receives := text(p, "QueueName"), "", 0
			if (p["RedrivePolicy"] != nil) != redrives {
				continue
			}
			if redrives {
				dead, receives = last(text(p, "RedrivePolicy", "deadLetterTargetArn")), a.number(p, "RedrivePolicy", "maxReceiveCount")
			}
			visibility := 30 * time.Second // SQS's default
			if p["VisibilityTimeout"] != nil {
				visibility = a.seconds(p, "VisibilityTimeout")
			}
			a.queues["arn:aws:sqs:"+cfn.Region+":"+cfn.Account+":"+name] = a.AWS.CreateQueue(name, visibility, dead, receives)
		}
	}
}

// makeRoles gives each role a key to sign with.
func (a *account) makeRoles() {
	a.t.Helper()
	for _, id := range a.stack.Of("AWS::IAM::Role") {
		policies, err := a.stack.Policies(id)
		a.do(err)
		a.AWS.SetRole(awssim.Role{Name: text(a.stack.Resources[id].Properties, "RoleName"), AccessKeyID: keyOf(id), Policies: policies})
	}
}

// keyOf is the access key of a role's session.
func keyOf(role string) string { return "ASIATEST" + strings.ToUpper(role) }

// roleOf finds a role by its ARN.
func (a *account) roleOf(arn string) string {
	a.t.Helper()
	for _, id := range a.stack.Of("AWS::IAM::Role") {
		if text(a.stack.Resources[id].Properties, "RoleName") == arn[strings.LastIndex(arn, "/")+1:] {
			return id
		}
	}
	a.t.Fatalf("the stack has no role %s", arn)
	return ""
}

// as is for clients that sign with a role's key.
func (a *account) as(role string) aws.Config {
	return aws.Config{
		Region: cfn.Region, BaseEndpoint: aws.String(a.variable("AWS_ENDPOINT_URL")),
		Credentials: credentials.NewStaticCredentialsProvider(keyOf(role), "test-secret-access-key", "test-session-token"),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	}
}

// endpoints are what a process in the local world is given beside the stack's
// variables: where AWS and Slack are, and the credentials of its role.
func (a *account) endpoints(role string) []string {
	return []string{
		"AWS_ENDPOINT_URL=" + a.variable("AWS_ENDPOINT_URL"), "SLACK_API_URL=" + a.variable("SLACK_API_URL"),
		"AWS_ACCESS_KEY_ID=" + keyOf(role), "AWS_SECRET_ACCESS_KEY=test-secret-access-key", "AWS_SESSION_TOKEN=test-session-token",
		"AWS_CONFIG_FILE=" + os.DevNull, "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
	}
}

// variable is one of those that the local world has for a bot.
func (a *account) variable(name string) string {
	a.t.Helper()
	for _, v := range a.Env() {
		if value, ok := strings.CutPrefix(v, name+"="); ok {
			return value
		}
	}
	a.t.Fatalf("the world has no %s", name)
	return ""
}

func (a *account) do(err error) {
	a.t.Helper()
	if err != nil {
		a.t.Fatal(err)
	}
}

// at is what stands in a property: in maps by name.
func at(v any, path ...string) any {
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// text is a property, or "" where there is none.
func text(v any, path ...string) string {
	if v = at(v, path...); v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func (a *account) number(v any, path ...string) int {
	a.t.Helper()
	n, err := strconv.Atoi(text(v, path...))
	a.do(err)
	return n
}

func (a *account) seconds(v any, path ...string) time.Duration {
	a.t.Helper()
	return time.Duration(a.number(v, path...)) * time.Second
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

// last is the last part of an ARN.
func last(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }

func encoded(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a template has nothing that JSON has not
	}
	return string(b)
}
