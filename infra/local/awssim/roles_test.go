package awssim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sekisho/infra/local/awssim"
)

const gateSession = "arn:aws:sts::111122223333:assumed-role/gate/test"

// as is the same world with clients that sign with another key.
func (w *world) as(key string) *world {
	other := *w
	other.ec2, other.sqs = w.clients(key, "eu-central-1")
	other.useConfig(sdkConfig(w.server.Client(), w.server.URL, key, "eu-central-1"))
	return &other
}

// gate is the world of a role with these statements.
func (w *world) gate(statements ...string) *world {
	w.SetRole(awssim.Role{Name: "gate", AccessKeyID: gateKey, Policies: []string{document(statements...)}})
	return w.as(gateKey)
}

// wantRight says whether a call went as it should: refused with that code, or not at all with "".
func wantRight(t *testing.T, what string, err error, code string) {
	t.Helper()
	if code == "" && err != nil {
		t.Errorf("%s: %v", what, err)
	} else if code != "" {
		wantCode(t, err, code)
	}
}

// Of several instances every one must be allowed, or nothing happens.
func TestRoleOfInstances(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	ours := w.Add(awssim.Instance{State: "running", Tags: map[string]string{"Sekisho": "guarded"}})
	theirs := w.Add(awssim.Instance{State: "running"})
	for _, family := range []string{"aws:ResourceTag", "ec2:ResourceTag"} {
		gate := w.gate(
			allow("ec2:StopInstances", "arn:aws:ec2:eu-central-1:111122223333:instance/*", `"StringEquals": {"`+family+`/Sekisho": "guarded"}`),
			allow("ec2:DescribeInstances", "*"),
		)
		_, err := gate.stop(t.Context(), ours.ID, theirs.ID)
		const want = "You are not authorized to perform this operation. User: " + gateSession + " is not authorized to perform: " +
			"ec2:StopInstances on resource: arn:aws:ec2:eu-central-1:111122223333:instance/"
		if got := wantCode(t, err, "UnauthorizedOperation"); got != want+theirs.ID+" because no identity-based policy allows the ec2:StopInstances action" {
			t.Errorf("refused with %q", got)
		}
		if got := statusOf(t, err); got != http.StatusForbidden {
			t.Errorf("refused with status %d", got)
		}
		if got := w.state(t, ours.ID); got != "running" {
			t.Errorf("a refused call left the other instance %s", got)
		}
		calls := w.Calls()
		if last := calls[len(calls)-1]; last.ErrorCode != "UnauthorizedOperation" || last.Key != gateKey || last.Action != "StopInstances" {
			t.Errorf("recorded %+v", last)
		}
		if got := gate.describe(t, ours.ID); got.State.Name != "running" {
			t.Errorf("described as %s", got.State.Name)
		}
		_, err = gate.terminate(t.Context(), ours.ID)
		wantCode(t, err, "UnauthorizedOperation")
		_, err = gate.stop(t.Context(), "i-0aaaaaaaaaaaaaaaa") // no tags to know it by
		wantCode(t, err, "UnauthorizedOperation")
		_, err = gate.stop(t.Context(), ours.ID)
		wantOK(t, err)
		_, err = w.start(t.Context(), ours.ID)
		wantOK(t, err)
	}
	_, err := w.stop(t.Context(), theirs.ID) // with the other good key
	wantOK(t, err)
	if calls := w.Calls(); calls[len(calls)-1].Key != testKey {
		t.Errorf("recorded key %s", calls[len(calls)-1].Key)
	}
	_, err = w.gate(allow("ec2:StopInstances", "*")).stop(t.Context(), "i-0aaaaaaaaaaaaaaaa")
	wantCode(t, err, "InvalidInstanceID.NotFound")

	gate := w.gate(allow("ec2:*", "arn:aws:ec2:eu-central-1:111122223333:instance/"+theirs.ID))
	_, err = gate.start(t.Context(), theirs.ID)
	wantOK(t, err)
	_, err = gate.terminate(t.Context(), theirs.ID)
	wantOK(t, err)
}

func TestRoleOfTags(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{State: "stopped", Tags: map[string]string{"Auth": "1234"}})
	gate := w.gate(
		allow("ec2:DeleteTags", "*", `"ForAllValues:StringEquals": {"aws:TagKeys": "Auth"}`, `"Null": {"aws:TagKeys": "false"}`),
		allow("ec2:CreateTags", "*", `"ForAllValues:StringEquals": {"aws:TagKeys": ["Auth", "Name"]}`, `"StringLike": {"aws:RequestTag/Auth": "????"}`),
	)
	remove := func(keys ...string) error {
		var tags []ec2types.Tag
		for _, k := range keys {
			tags = append(tags, ec2types.Tag{Key: &k})
		}
		_, err := gate.ec2.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{i.ID}, Tags: tags})
		return err
	}
	set := func(pairs ...string) error {
		var tags []ec2types.Tag
		for pair := range slices.Chunk(pairs, 2) {
			tags = append(tags, ec2types.Tag{Key: &pair[0], Value: &pair[1]})
		}
		_, err := gate.ec2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{i.ID}, Tags: tags})
		return err
	}
	wantRight(t, "removing Auth", remove("Auth"), "")
	wantRight(t, "removing another", remove("Sekisho"), "UnauthorizedOperation")
	wantRight(t, "removing both", remove("Auth", "Sekisho"), "UnauthorizedOperation")
	wantRight(t, "removing all", remove(), "UnauthorizedOperation")
	wantRight(t, "setting Auth", set("Auth", "4321", "Name", "box"), "")
	wantRight(t, "setting it long", set("Auth", "54321"), "UnauthorizedOperation")
	wantRight(t, "setting another", set("Auth", "4321", "Sekisho", "free"), "UnauthorizedOperation")
}

func TestRoleOfAttributes(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{State: "running", StopProtected: true})
	unprotect := []*ec2.ModifyInstanceAttributeInput{
		{InstanceId: &i.ID, DisableApiStop: &ec2types.AttributeBooleanValue{Value: aws.Bool(false)}},
		{InstanceId: &i.ID, Attribute: ec2types.InstanceAttributeNameDisableApiStop, Value: aws.String("false")},
	}
	for condition, code := range map[string]string{
		`"ec2:Attribute": "DisableApiStop"`:                                          "",
		`"ec2:Attribute": "DisableApiTermination"`:                                   "UnauthorizedOperation",
		`"ec2:Attribute": "DisableApiStop", "ec2:Attribute/DisableApiStop": "false"`: "",
		`"ec2:Attribute/DisableApiStop": "true"`:                                     "UnauthorizedOperation",
	} {
		gate := w.gate(allow("ec2:ModifyInstanceAttribute", "arn:aws:ec2:*:*:instance/"+i.ID, `"StringEquals": {`+condition+`}`))
		for _, in := range unprotect {
			_, err := gate.ec2.ModifyInstanceAttribute(t.Context(), in)
			wantRight(t, condition, err, code)
		}
	}
}

// What IAM knows no resource of can only be allowed for all.
func TestRoleOfNoResource(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	calls := map[string]func(*world) error{
		"ec2:DescribeInstances": func(w *world) error {
			_, err := w.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
			return err
		},
		"ec2:DescribeTags": func(w *world) error {
			_, err := w.ec2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{})
			return err
		},
		"iam:ListUsers": func(w *world) error {
			_, err := w.iam.ListUsers(t.Context(), &iam.ListUsersInput{})
			return err
		},
		"iam:GenerateCredentialReport": func(w *world) error {
			_, err := w.iam.GenerateCredentialReport(t.Context(), &iam.GenerateCredentialReportInput{})
			return err
		},
		"config:ListDiscoveredResources": func(w *world) error {
			_, err := w.discover(t, "AIDATESTTESTTESTNONE1")
			return err
		},
	}
	codes := map[string]string{"ec2": "UnauthorizedOperation", "iam": "AccessDenied", "config": "AccessDeniedException"}
	for action, call := range calls {
		service, _, _ := strings.Cut(action, ":")
		wantRight(t, action, call(w.gate(allow(action, "*"))), "")
		wantRight(t, action+" of something", call(w.gate(allow(action, "arn:aws:"+service+":*"))), codes[service])
		wantRight(t, action+" by default", call(w.gate(allow("s3:*", "*"))), codes[service])
	}
}

func TestRoleOfUsers(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	hana := w.addUser(t, awssim.User{Name: "hana", Path: "/ops/", Tags: map[string]string{"Team": "ml"}, Keys: []awssim.AccessKey{{Active: true}}})
	ken := w.addUser(t, awssim.User{Name: "ken", Keys: []awssim.AccessKey{{Active: true}}})
	lastUsed := func(w *world, key string) error {
		_, err := w.iam.GetAccessKeyLastUsed(t.Context(), &iam.GetAccessKeyLastUsedInput{AccessKeyId: &key})
		return err
	}
	for what, statement := range map[string]string{
		"a path":     allow("iam:*", "arn:aws:iam::111122223333:user/ops/*"),
		"a user":     allow("iam:*", "arn:aws:iam::111122223333:user/ops/hana"),
		"a tag":      allow("iam:*", "*", `"StringEquals": {"aws:ResourceTag/Team": "ml"}`),
		"IAM's word": allow("iam:*", "*", `"StringEquals": {"iam:ResourceTag/Team": "ml"}`),
	} {
		gate := w.gate(statement)
		wantRight(t, what, gate.update(t.Context(), "hana", hana.Keys[0].ID, iamtypes.StatusTypeInactive), "")
		wantRight(t, what, lastUsed(gate, hana.Keys[0].ID), "")
		wantRight(t, what, gate.update(t.Context(), "ken", ken.Keys[0].ID, iamtypes.StatusTypeInactive), "AccessDenied")
		wantRight(t, what, lastUsed(gate, ken.Keys[0].ID), "AccessDenied")
	}
	gate := w.gate(allow("iam:GetUser", "*"))
	err := gate.deleteKey(t.Context(), "ken", ken.Keys[0].ID)
	const denied = "User: " + gateSession + " is not authorized to perform: iam:DeleteAccessKey on resource: user ken " +
		"because no identity-based policy allows the iam:DeleteAccessKey action"
	if got := wantCode(t, err, "AccessDenied"); got != denied {
		t.Errorf("denied with %q, want %q", got, denied)
	}
	if got := w.listKeys(t, "ken"); !slices.Equal(got, []string{ken.Keys[0].ID + " Active"}) {
		t.Errorf("refused calls left %q", got)
	}
	_, err = gate.iam.GetUser(t.Context(), &iam.GetUserInput{}) // a role has no user of its own
	wantCode(t, err, "ValidationError")
	gate = w.gate(allow("iam:GetUser", "arn:aws:iam::111122223333:user/*"))
	_, err = gate.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("nobody")})
	wantCode(t, err, "NoSuchEntity")
}

// A role is one even where everybody else is a user.
func TestRoleIsNoUser(t *testing.T) {
	w := newWorld(t, awssim.Options{Caller: "arn:aws:iam::111122223333:user/bots/sekisho"})
	w.addUser(t, awssim.User{Name: "sekisho", Path: "/bots/"})
	_, err := w.iam.GetUser(t.Context(), &iam.GetUserInput{})
	wantOK(t, err)
	_, err = w.gate(allow("iam:GetUser", "*")).iam.GetUser(t.Context(), &iam.GetUserInput{})
	wantCode(t, err, "ValidationError")
}

func TestRoleOfQueues(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	jobs, others := w.CreateQueue("jobs", time.Minute, "", 0), w.CreateQueue("others", time.Minute, "", 0)
	gate := w.gate(allow("sqs:SendMessage", "arn:aws:sqs:eu-central-1:111122223333:jobs"))
	send := func(url string) error {
		_, err := gate.sqs.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("a")})
		return err
	}
	batch := func(url string) error {
		entry := sqstypes.SendMessageBatchRequestEntry{Id: aws.String("a"), MessageBody: aws.String("a")}
		_, err := gate.sqs.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: []sqstypes.SendMessageBatchRequestEntry{entry}})
		return err
	}
	wantRight(t, "sending", send(jobs), "")
	wantRight(t, "sending many", batch(jobs), "")
	wantRight(t, "sending many elsewhere", batch(others), "AccessDenied")
	const denied = "User: " + gateSession + " is not authorized to perform: sqs:sendmessage on resource: arn:aws:sqs:eu-central-1:111122223333:others " +
		"because no identity-based policy allows the sqs:sendmessage action"
	if got := wantCode(t, send(others), "AccessDenied"); got != denied {
		t.Errorf("denied with %q, want %q", got, denied)
	}
	_, err := gate.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &jobs})
	wantCode(t, err, "AccessDenied")
	_, err = gate.sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("jobs")})
	wantCode(t, err, "AccessDenied")
	_, err = w.gate(allow("sqs:Get*", "arn:aws:sqs:*:*:jobs")).sqs.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("jobs")})
	wantOK(t, err)
	if in, out := len(w.Queue(jobs).Visible), len(w.Queue(others).Visible); in != 2 || out != 0 {
		t.Errorf("%d and %d messages arrived, want 2 and none", in, out)
	}
}

func TestRoleOfMail(t *testing.T) {
	const identity, set = "arn:aws:ses:eu-central-1:111122223333:identity/", "arn:aws:ses:eu-central-1:111122223333:configuration-set/"
	tests := map[string]struct {
		statements []string
		set        string
		denied     string // what
	}{
		"both rights":            {[]string{allow("ses:Send*Email", identity+bot)}, "", ""},
		"no raw mail":            {[]string{allow("ses:SendEmail", "*")}, "", "`ses:SendRawEmail' on resource `" + identity + bot + "'"},
		"raw mail alone":         {[]string{allow("ses:SendRawEmail", "*")}, "", "`ses:SendEmail' on resource `" + identity + bot + "'"},
		"another identity":       {[]string{allow("ses:*", identity+"hana@example.com")}, "", "`ses:SendRawEmail' on resource `" + identity + bot + "'"},
		"a configuration set":    {[]string{allow("ses:Send*", identity+"*"), allow("ses:Send*", set+"reports")}, "reports", ""},
		"no configuration set":   {[]string{allow("ses:Send*", identity+"*")}, "reports", "`ses:SendRawEmail' on resource `" + set + "reports'"},
		"the From address":       {[]string{allow("ses:*", "*", `"StringEquals": {"ses:FromAddress": "`+bot+`"}`)}, "", ""},
		"another's From address": {[]string{allow("ses:*", "*", `"StringEquals": {"ses:FromAddress": "hana@example.com"}`)}, "", "`ses:SendRawEmail'"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := mailWorld(t, awssim.Options{})
			w.AddConfigurationSet("reports")
			w.VerifyIdentity(bot)
			gate := w.gate(tt.statements...)
			in := rawMail(report)
			if tt.set != "" {
				in.ConfigurationSetName = &tt.set
			}
			in.FromEmailAddress = aws.String("Sekisho <" + bot + ">")
			_, err := gate.send(t, in)
			if tt.denied == "" {
				wantOK(t, err)
				return
			}
			if got := wantCode(t, err, "AccessDeniedException"); !strings.Contains(got, "User `"+gateSession+"' is not authorized to perform "+tt.denied) {
				t.Errorf("said %q", got)
			}
			if got := statusOf(t, err); got != http.StatusForbidden {
				t.Errorf("with status %d", got)
			}
			if n := len(w.Mails()); n != 0 {
				t.Errorf("%d mails were sent", n)
			}
		})
	}
}

// A mail is sent by the narrowest identity that was verified; who sends it may be said in the mail alone.
func TestRoleOfADomainsMail(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.VerifyIdentity("example.com")
	gate := w.gate(allow("ses:Send*", "arn:aws:ses:eu-central-1:111122223333:identity/example.com", `"StringEquals": {"ses:FromAddress": "`+bot+`"}`))
	_, err := gate.send(t, rawMail(report))
	wantOK(t, err)
	w.VerifyIdentity(bot)
	_, err = gate.send(t, rawMail(report))
	wantCode(t, err, "AccessDeniedException")
}

func TestRoleOfConfig(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	gate := w.gate(allow("config:ListDiscoveredResources", "*"), deny("config:BatchGetResourceConfig", "*"))
	_, err := gate.batchGet(t, userKey("AIDATESTTESTTESTNONE1"))
	const denied = "User: " + gateSession + " is not authorized to perform: config:BatchGetResourceConfig on resource: * " +
		"with an explicit deny in an identity-based policy"
	if got := wantCode(t, err, "AccessDeniedException"); got != denied {
		t.Errorf("denied with %q, want %q", got, denied)
	}
	if got := statusOf(t, err); got != http.StatusBadRequest {
		t.Errorf("with status %d", got)
	}
	_, err = gate.config.DescribeConfigRules(t.Context(), &configservice.DescribeConfigRulesInput{})
	wantCode(t, err, "AccessDeniedException")
}

// Every request says where it goes and who sends it.
func TestFactsOfEveryRequest(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	conditions := map[string]string{
		`"StringEquals": {"aws:RequestedRegion": "eu-central-1"}`: "",
		`"StringEquals": {"aws:RequestedRegion": "eu-west-1"}`:    "UnauthorizedOperation",
		`"ArnEquals": {"aws:PrincipalArn": "` + gateARN + `"}`:    "",
		`"ArnLike": {"aws:PrincipalArn": "arn:aws:sts:*:*:*:*"}`:  "UnauthorizedOperation",
		`"Bool": {"aws:ViaAWSService": "false"}`:                  "",
		`"Bool": {"aws:ViaAWSService": "true"}`:                   "UnauthorizedOperation",
	}
	for condition, code := range conditions {
		_, err := w.gate(allow("ec2:*", "*", condition)).ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
		wantRight(t, condition, err, code)
	}
	// IAM is in one place, wherever it is called from
	for region, code := range map[string]string{"us-east-1": "", "eu-central-1": "AccessDenied"} {
		_, err := w.gate(allow("iam:*", "*", `"StringEquals": {"aws:RequestedRegion": "`+region+`"}`)).iam.ListUsers(t.Context(), &iam.ListUsersInput{})
		wantRight(t, region, err, code)
	}
}

// CloudTrail tells of a role's refused start, and by whom it was.
func TestTrailOfARole(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{State: "stopped"})
	_, err := w.gate(allow("ec2:StopInstances", "*")).start(t.Context(), i.ID)
	wantCode(t, err, "UnauthorizedOperation")
	var told struct {
		Detail struct {
			ErrorCode    string
			UserIdentity struct {
				ARN            string
				AccessKeyID    string
				SessionContext struct {
					SessionIssuer struct{ ARN, UserName string }
				}
			}
		}
	}
	select {
	case raw := <-w.trail:
		wantOK(t, json.Unmarshal(raw, &told))
	case <-time.After(10 * time.Second):
		t.Fatal("no event of CloudTrail")
	}
	who := told.Detail.UserIdentity
	if told.Detail.ErrorCode != "Client.UnauthorizedOperation" || who.ARN != gateSession || who.AccessKeyID != gateKey ||
		who.SessionContext.SessionIssuer.ARN != gateARN || who.SessionContext.SessionIssuer.UserName != "gate" {
		t.Errorf("told %+v", told.Detail)
	}
}

func whoami(ctx context.Context, w *world) (string, error) {
	out, err := w.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", err
	}
	return *out.Arn, nil
}

func TestRolesKeys(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	gate := w.gate(allow("ec2:*", "*"))
	keeper := w.as("AKIDTESTKEEPER")
	_, err := whoami(t.Context(), keeper)
	wantCode(t, err, "InvalidClientTokenId")
	w.SetRole(awssim.Role{Name: "keeper", AccessKeyID: "AKIDTESTKEEPER"})
	for who, want := range map[*world]string{
		gate:   gateSession, // with no right to it
		keeper: "arn:aws:sts::111122223333:assumed-role/keeper/test",
		w:      "arn:aws:sts::111122223333:assumed-role/sekisho/demo",
	} {
		got, err := whoami(t.Context(), who)
		wantOK(t, err)
		if got != want {
			t.Errorf("is %s, want %s", got, want)
		}
	}
	w.SetRole(awssim.Role{Name: "keeper", AccessKeyID: "AKIDTESTKEEPER2"}) // the old key is worth nothing
	_, err = whoami(t.Context(), keeper)
	wantCode(t, err, "InvalidClientTokenId")

	for want, r := range map[string]awssim.Role{
		"bad name":                     {Name: "a/b", AccessKeyID: "AKIDTESTOTHER"},
		"bad access key id":            {Name: "other"},
		"key AKIDTESTGATE is somebody": {Name: "other", AccessKeyID: gateKey},
		"key AKIDTESTONLY is somebody": {Name: "other", AccessKeyID: testKey},
	} {
		if got := panicOf(func() { w.SetRole(r) }); !strings.Contains(got, want) {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
}

// What is taken from everybody, nobody has: not those who may do everything, not in a simulation.
func TestDeny(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{State: "running"})
	gate := w.gate(allow("*", "*"))
	simulate := func(source string) iamtypes.PolicyEvaluationDecisionType {
		results, err := w.simulate(t.Context(), iam.SimulatePrincipalPolicyInput{PolicySourceArn: &source, ActionNames: []string{"ec2:StopInstances"}})
		wantOK(t, err)
		return results[0].EvalDecision
	}
	for _, deny := range []bool{true, false} {
		w.Deny("ec2:stopInstances", deny)
		code, want := "", iamtypes.PolicyEvaluationDecisionTypeAllowed
		if deny {
			code, want = "UnauthorizedOperation", iamtypes.PolicyEvaluationDecisionTypeExplicitDeny
		}
		for _, who := range []*world{w, gate} {
			_, err := who.stop(t.Context(), i.ID)
			wantRight(t, "stopping", err, code)
			if deny && !strings.HasSuffix(err.Error(), "with an explicit deny in a service control policy") {
				t.Errorf("said %v", err)
			}
			_, err = who.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
			wantOK(t, err)
		}
		for _, source := range []string{gateARN, "arn:aws:iam::111122223333:role/sekisho"} {
			if got := simulate(source); got != want {
				t.Errorf("%s: %s, want %s", source, got, want)
			}
		}
	}
	w.Deny("sts:GetCallerIdentity", true)
	_, err := whoami(t.Context(), gate)
	wantOK(t, err)
	for _, action := range []string{"StopInstances", "ec2:*", ""} {
		if panicOf(func() { w.Deny(action, true) }) == "" {
			t.Errorf("%q was taken away", action)
		}
	}
}

// A dry run tells whether the caller may.
func TestDryRunOfARole(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	i := w.Add(awssim.Instance{State: "running"})
	for statement, code := range map[string]string{
		allow("ec2:StopInstances", "*"):  "DryRunOperation",
		allow("ec2:StartInstances", "*"): "UnauthorizedOperation",
	} {
		_, err := w.gate(statement).ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{i.ID}, DryRun: aws.Bool(true)})
		wantCode(t, err, code)
	}
	if got := w.state(t, i.ID); got != "running" {
		t.Errorf("a dry run left the instance %s", got)
	}
}

// A simulation is a call like others: it needs a right.
func TestRoleThatSimulates(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	in := iam.SimulatePrincipalPolicyInput{ActionNames: []string{"ec2:StopInstances"}}
	_, err := w.gate(allow("iam:SimulatePrincipalPolicy", gateARN)).simulate(t.Context(), in)
	wantOK(t, err)
	_, err = w.gate(allow("iam:SimulatePrincipalPolicy", gateARN+"s")).simulate(t.Context(), in)
	wantCode(t, err, "AccessDenied")
}

// Secrets, parameters, rules and identities are resources, each with its own ARN.
func TestRoleOfNamedThings(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	secret := w.PutSecret("sekisho/slack", "a")
	w.PutSecret("sekisho/other", "b")
	w.PutParameter("/sekisho/pepper", "a", true)
	w.PutParameter("/sekisho/other", "b", true)
	for _, name := range []string{"gate", "other"} {
		wantOK(t, w.PutRule(awssim.Rule{Name: name, Pattern: `{"source": ["aws.ec2"]}`}))
	}
	w.VerifyIdentity(bot)
	w.VerifyIdentity("other@example.com")
	gate := w.gate(
		allow("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:eu-central-1:111122223333:secret:sekisho/slack-??????"),
		allow("ssm:GetParameter", "arn:aws:ssm:eu-central-1:111122223333:parameter/sekisho/pepper"),
		allow("events:ListTargetsByRule", "arn:aws:events:eu-central-1:111122223333:rule/gate"),
		allow("ses:Get*", "arn:aws:ses:eu-central-1:111122223333:identity/"+bot),
	)
	getSecret := func(id string) error {
		_, err := gate.secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id})
		return err
	}
	getParameter := func(name string) error {
		_, err := gate.parameters.GetParameter(t.Context(), &ssm.GetParameterInput{Name: &name})
		return err
	}
	listTargets := func(rule string) error {
		_, err := gate.bridge.ListTargetsByRule(t.Context(), &eventbridge.ListTargetsByRuleInput{Rule: &rule})
		return err
	}
	getIdentity := func(name string) error {
		_, err := gate.ses.GetEmailIdentity(t.Context(), &sesv2.GetEmailIdentityInput{EmailIdentity: &name})
		return err
	}
	wantRight(t, "a secret by its ARN", getSecret(secret), "")
	wantRight(t, "a secret by its name", getSecret("sekisho/slack"), "")
	wantRight(t, "a secret by part of its ARN", getSecret(strings.TrimSuffix(secret, secret[len(secret)-7:])), "")
	wantRight(t, "another secret", getSecret("sekisho/other"), "AccessDeniedException")
	wantRight(t, "no secret", getSecret("sekisho/none"), "AccessDeniedException")
	wantRight(t, "a parameter", getParameter("/sekisho/pepper"), "")
	wantRight(t, "a parameter by its ARN", getParameter("arn:aws:ssm:eu-central-1:111122223333:parameter/sekisho/pepper"), "")
	wantRight(t, "another parameter", getParameter("/sekisho/other"), "AccessDeniedException")
	wantRight(t, "a rule", listTargets("gate"), "")
	wantRight(t, "another rule", listTargets("other"), "AccessDeniedException")
	_, err := gate.bridge.ListRules(t.Context(), &eventbridge.ListRulesInput{})
	wantRight(t, "all rules", err, "AccessDeniedException")
	wantRight(t, "an identity", getIdentity(bot), "")
	wantRight(t, "another identity", getIdentity("other@example.com"), "AccessDeniedException")
	_, err = gate.ses.GetAccount(t.Context(), &sesv2.GetAccountInput{})
	wantRight(t, "the account", err, "AccessDeniedException")

	const denied = "User: " + gateSession + " is not authorized to perform: secretsmanager:GetSecretValue on resource: sekisho/other " +
		"because no identity-based policy allows the secretsmanager:GetSecretValue action"
	if got := wantCode(t, getSecret("sekisho/other"), "AccessDeniedException"); got != denied {
		t.Errorf("denied with %q, want %q", got, denied)
	}
	gate = w.gate(allow("events:ListRules", "*"), allow("ses:GetAccount", "*"))
	_, err = gate.bridge.ListRules(t.Context(), &eventbridge.ListRulesInput{})
	wantRight(t, "all rules", err, "")
	_, err = gate.ses.GetAccount(t.Context(), &sesv2.GetAccountInput{})
	wantRight(t, "the account", err, "")
}
