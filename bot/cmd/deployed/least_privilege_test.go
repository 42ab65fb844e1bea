package deployed

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/auth/rights"
)

// everything is all that the bot does where it enforces.
func (w *world) everything() {
	w.t.Helper()
	w.fire("SweepSchedule") // its memory begins here
	w.ask()
	w.admits("web-1", w.codeIn(w.asks(hana, "/ec2-pass", "web-1")))
	w.untagged("web-1")
	w.do(w.AWS.StopInstance(w.instance("web-1").ID))
	w.becomes("web-1", "stopped")
	w.approve()
	w.startNow()
	w.sweep()
	isTold := w.refuse()
	w.endKeys()
	w.listKeys()
	w.report()
	w.mailed()
	w.examine()
	isTold()
}

func TestOnLambda(t *testing.T) {
	t.Parallel()
	w := deploy(t, "template.yaml", enforcing, onLambda(t, enforcingParameters))
	w.everything()
	w.nothingFailed()
	w.isPutAside()
	w.leastPrivilege("FrontRole", auth.DoorHTTP)
	w.leastPrivilege("GateRole", auth.DoorGate)
	w.leastPrivilege("KeeperRole", auth.DoorKeys)
}

func TestOnLambdaObserving(t *testing.T) {
	t.Parallel()
	w := deploy(t, "template.yaml", observing, onLambda(t, observingParameters))
	w.fire("SweepSchedule")
	w.ask()
	w.approve()
	w.start("web-1")
	w.card(alerts, "Would have refused", "web-1", "no pass")
	w.age(hanasKey, 100*day)
	w.do(w.AWS.CheckCompliance("hana"))
	w.card(keysRoom, "…Q3H7", "Observe mode", "would have been deactivated")
	w.age(rosasKey, 20*day)
	w.fire("KeysSchedule")
	w.card(keysRoom, "…T5R6", "Observe mode", "would be deactivated")
	w.listKeys()
	w.report()
	w.examine()
	w.nothingFailed()
	w.isPutAside()
	w.leastPrivilege("FrontRole", auth.DoorHTTP)
	w.leastPrivilege("GateRole", auth.DoorGate)
	w.leastPrivilege("KeeperRole", auth.DoorKeys)
}

func TestOnFargate(t *testing.T) {
	t.Parallel()
	w := deploy(t, "fargate.yaml", enforcing, onFargate(t, enforcing, enforcingParameters))
	w.everything()
	w.nothingFailed()
	w.isPutBack()
	w.leastPrivilege("TaskRole", auth.DoorSocket, auth.DoorGate, auth.DoorKeys)
}

// isPutAside gives both functions an event that they cannot read: each is
// to stand in the queue of what was not delivered.
func (w *world) isPutAside() {
	w.t.Helper()
	for _, function := range []string{"sekisho-gate", "sekisho-keeper"} {
		w.do(w.lambda.InvokeAsync(function, []byte(`{"source": 1, "detail-type": "`+function+`"}`)))
		w.until("what "+function+" failed at is put aside", func() bool {
			q := w.AWS.Queue(w.queues["arn:aws:sqs:eu-central-1:111122223333:sekisho-undelivered"])
			return slices.ContainsFunc(q.Visible, func(record string) bool { return strings.Contains(record, `"detail-type":"`+function+`"`) })
		})
	}
}

// isPutBack gives the task an event that it cannot read: it is to come again
// later.
func (w *world) isPutBack() {
	w.t.Helper()
	w.do(w.send("SchedulerRole", w.queues["arn:aws:sqs:eu-central-1:111122223333:sekisho"], `{"source": 1}`))
	w.until("what the task failed at is put back", func() bool {
		return slices.Contains(w.called("TaskRole"), "sqs:ChangeMessageVisibility")
	})
}

// nothingWasRefused wants no call to have lacked a right. It is the last word of
// every test, also of one that waited in vain.
func (w *world) nothingWasRefused() {
	w.t.Helper()
	for _, c := range w.AWS.Calls() {
		if refused(c.ErrorCode) {
			w.t.Errorf("%s:%s of %v, signed with %s, was refused: %s", c.Service, c.Action, c.IDs, c.Key, c.ErrorCode)
		}
	}
}

func refused(code string) bool {
	return strings.HasPrefix(code, "AccessDenied") || code == "UnauthorizedOperation"
}

// Rights that a role has for more than the bot's work.
var (
	// references are read at the start: which, the environment says, and not the policy.
	references = []string{"secretsmanager:GetSecretValue", "ssm:GetParameter"}
	// ofLambda is what Lambda does in a function's name with its queue.
	ofLambda = []string{"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
	// unseen is what the local Lambda does without AWS.
	unseen = []string{"logs:CreateLogStream", "logs:PutLogEvents"}
)

// leastPrivilege holds what was called in a role's name against what the role
// allows, and against the rights that its doors have by package rights.
func (w *world) leastPrivilege(role string, doors ...auth.Door) {
	w.t.Helper()
	called, granted := w.called(role), w.granted(role)
	for _, action := range without(called, granted) {
		w.t.Errorf("%s: %s was called, and is not allowed", role, action)
	}
	for _, action := range without(granted, called, unseen) {
		w.t.Errorf("%s: %s is allowed, and was never called", role, action)
	}
	needs := rights.Of(&w.policy, doors...)
	if w.lambda == nil {
		needs = append(needs, rights.Polling()...)
	} else {
		called = without(called, ofLambda)
	}
	var listed []string
	for _, r := range needs {
		listed = append(listed, r.Action)
	}
	for _, action := range without(called, listed, references) {
		w.t.Errorf("%s: %s was called, and package rights does not list it for %v", role, action, doors)
	}
	for _, action := range without(listed, called) {
		w.t.Errorf("%s: %s is listed by package rights for %v, and was never called", role, action, doors)
	}
}

// called are the actions that a role's key signed.
func (w *world) called(role string) (actions []string) {
	for _, c := range w.AWS.Calls() {
		switch {
		case c.Key != keyOf(role) || c.Action == "GetCallerIdentity": // nobody needs a right for that
		case c.Service == "ses" && c.Action == "SendEmail": // a whole MIME message is a right more
			actions = append(actions, "ses:SendEmail", "ses:SendRawEmail")
		default:
			actions = append(actions, c.Service+":"+strings.TrimSuffix(c.Action, "Batch"))
		}
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// statement is one of a role's.
type statement struct {
	Sid, Effect      string
	Action, Resource oneOrMore
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

func (a *account) statements(role string) (all []statement) {
	a.t.Helper()
	documents, err := a.stack.Policies(role)
	a.do(err)
	for _, text := range documents {
		var document struct{ Statement []statement }
		a.do(json.Unmarshal([]byte(text), &document))
		all = append(all, document.Statement...)
	}
	return all
}

// granted are the actions that a role allows.
func (a *account) granted(role string) (actions []string) {
	a.t.Helper()
	for _, s := range a.statements(role) {
		actions = append(actions, s.Action...)
	}
	slices.Sort(actions)
	return slices.Compact(actions)
}

// without is what stands in none of the others.
func without(all []string, others ...[]string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(one string) bool { return slices.Contains(slices.Concat(others...), one) })
}
