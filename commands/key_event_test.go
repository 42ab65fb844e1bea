package commands_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/commands"
)

// configSays is the event as AWS Config sends it.
const configSays = `{
  "version": "0", "id": "c0bb891c-77fe-8518-14fc-be78b966f95b",
  "detail-type": "Config Rules Compliance Change", "source": "aws.config",
  "account": "111122223333", "time": "2027-01-15T07:59:05Z", "region": "us-east-1", "resources": [],
  "detail": {
    "resourceId": "AIDATESTHANA",
    "awsRegion": "us-east-1", "awsAccountId": "111122223333",
    "configRuleName": "access-keys-rotated", "recordVersion": "1.0",
    "configRuleARN": "arn:aws:config:us-east-1:111122223333:config-rule/config-rule-eguym2",
    "messageType": "ComplianceChangeNotification",
    "newEvaluationResult": {
      "evaluationResultIdentifier": {
        "evaluationResultQualifier": { "configRuleName": "access-keys-rotated",
          "resourceType": "AWS::IAM::User", "resourceId": "AIDATESTHANA" },
        "orderingTimestamp": "2027-01-15T07:58:50.251Z" },
      "complianceType": "NON_COMPLIANT",
      "resultRecordedTime": "2027-01-15T07:59:04.741Z", "configRuleInvokedTime": "2027-01-15T07:59:04.332Z" },
    "oldEvaluationResult": {
      "evaluationResultIdentifier": {
        "evaluationResultQualifier": { "configRuleName": "access-keys-rotated",
          "resourceType": "AWS::IAM::User", "resourceId": "AIDATESTHANA" },
        "orderingTimestamp": "2027-01-15T07:57:33.749Z" },
      "complianceType": "COMPLIANT",
      "resultRecordedTime": "2027-01-15T07:57:44.919Z", "configRuleInvokedTime": "2027-01-15T07:57:44.583Z" },
    "notificationCreationTime": "2027-01-15T07:59:05.751Z",
    "resourceType": "AWS::IAM::User"
  }
}`

// says has AWS Config say the like, with some texts replaced.
func (o *keyOffice) says(replace ...string) error {
	o.t.Helper()
	var e commands.Event
	if err := json.Unmarshal([]byte(strings.NewReplacer(replace...).Replace(configSays)), &e); err != nil {
		o.t.Fatal(err)
	}
	return o.run(e)
}

// What AWS Config finds is looked at, told and recorded at once, with as few
// calls as possible: IAM takes few.
func TestConfigsWordMakesACard(t *testing.T) {
	o := newKeyOffice(t)
	id := o.iam.add("hana", 120*day)[0]
	o.Purge.Account(t.Context()) // once for all events
	calls := o.iam.since(func() {
		if err := o.says(); err != nil {
			t.Fatal(err)
		}
	})
	if len(calls) > 4 {
		t.Errorf("%d calls: %v", len(calls), calls)
	}
	card := o.chat.next(t, "post")
	if card.channel != keysChannel || card.thread != "" {
		t.Errorf("the card is %+v", card)
	}
	wants(t, "the card", reads(t, card.text, card.blocks), "`…ANA1` of *`hana`* will be deactivated", "120 days", "<@U0HANA>", `"key_off"`)
	if s := o.chat.next(t, "direct"); s.channel != hana {
		t.Errorf("the owner: %+v", s)
	}
	if more := o.chat.all(); len(more) > 0 || len(o.queue.kinds()) > 0 {
		t.Errorf("and more was said: %+v, to do: %v", more, o.queue.kinds())
	}
	o.wantHistory(id, purge.Warned)
	o.wantNoted(auth.ActKeyWarn, auth.Done)
}

// The same user comes from every Region with the rule, and each event may come
// twice.
func TestOneCardForAUserFromEveryRegion(t *testing.T) {
	o := newKeyOffice(t)
	o.iam.add("hana", 120*day)
	for _, region := range []string{"us-east-1", "us-east-1", "eu-central-1", "ap-northeast-1"} {
		if err := o.says(`"us-east-1"`, `"`+region+`"`); err != nil {
			t.Fatal(err)
		}
	}
	if said := o.chat.all(); len(said) != 2 || said[0].how != "post" || said[1].how != "direct" {
		t.Errorf("said %+v", said)
	}
}

// Of two keys the old one is meant, whatever Config says of their user.
func TestOnlyTheOldKeyOfTheUserIsMeant(t *testing.T) {
	o := newKeyOffice(t)
	ids := o.iam.add("hana", 10*day, 120*day)
	if err := o.says(); err != nil {
		t.Fatal(err)
	}
	o.wantHistory(ids[0])
	o.wantHistory(ids[1], purge.Warned)
	card := o.chat.next(t, "post")
	wants(t, "the card", reads(t, card.text, card.blocks), "`…ANA2` of", "`…ANA1`, active, 10 days")
}

func TestWhichOfConfigsWordsAreMeant(t *testing.T) {
	const rule = `"configRuleName": "access-keys-rotated"`
	for name, c := range map[string]struct {
		replace []string
		meant   bool
	}{
		"Security Hub":          {[]string{rule, `"configRuleName": "securityhub-access-keys-rotated-1a2b3c4d"`}, true},
		"a conformance pack":    {[]string{rule, `"configRuleName": "access-keys-rotated-conformance-pack-abc123xyz"`}, true},
		"in capitals":           {[]string{rule, `"configRuleName": "Access-Keys-Rotated"`}, true},
		"a key":                 {[]string{"AIDATESTHANA", "AKIATESTHANA1"}, true},
		"without a type":        {[]string{`"resourceType": "AWS::IAM::User"`, `"resourceType": ""`}, true},
		"Config has no name":    {[]string{"AIDATESTHANA", "AIDATESTNAMELESS"}, true},
		"compliant now":         {[]string{"NON_COMPLIANT", "COMPLIANT"}, false},
		"not applicable":        {[]string{"NON_COMPLIANT", "NOT_APPLICABLE"}, false},
		"another rule":          {[]string{rule, `"configRuleName": "iam-user-unused-credentials-check"`}, false},
		"another account":       {[]string{`"awsAccountId": "111122223333"`, `"awsAccountId": "444455556666"`}, false},
		"another message":       {[]string{"ComplianceChangeNotification", "ConfigurationItemChangeNotification"}, false},
		"another resource":      {[]string{`"AWS::IAM::User"`, `"AWS::EC2::Instance"`}, false},
		"a user who is gone":    {[]string{"AIDATESTHANA", "AIDATESTNOBODY"}, false},
		"a key that is gone":    {[]string{"AIDATESTHANA", "AKIATESTNOBODY1"}, false},
		"somebody of that name": {[]string{"AIDATESTHANA", "AIDATESTFORMERHANA"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			o := newKeyOffice(t)
			o.iam.add("hana", 120*day)
			o.iam.add("nameless", 120*day)
			delete(o.iam.named, "AIDATESTNAMELESS")
			o.iam.named["AIDATESTFORMERHANA"] = "hana"
			if err := o.says(c.replace...); err != nil {
				t.Fatal(err)
			}
			cards := 0
			for _, s := range o.chat.all() {
				if s.how == "post" {
					cards++
				}
			}
			if c.meant != (cards == 1) || cards > 1 || len(o.iam.acts()) > 0 {
				t.Errorf("%d cards, acts %v", cards, o.iam.acts())
			}
			if strings.Contains(o.log.String(), `"ERROR"`) {
				t.Errorf("it is logged as a fault: %s", o.log)
			}
		})
	}
}

func TestAMalformedWordOfConfigsIsKept(t *testing.T) {
	o := newKeyOffice(t)
	for _, replace := range [][]string{
		{`"resourceId": "AIDATESTHANA",`, `"resourceId": "",`}, {`"resourceId": "AIDATESTHANA",`, `"resourceId": 7,`},
		{`"newEvaluationResult": {`, `"newEvaluationResult": [], "other": {`},
	} {
		if err := o.says(replace...); err == nil {
			t.Errorf("%q is no error", replace[1])
		}
	}
	for _, detail := range []string{``, `[]`, `7`} {
		e := commands.Event{Source: "aws.config", DetailType: "Config Rules Compliance Change", Detail: []byte(detail)}
		if err := o.run(e); err == nil {
			t.Errorf("%q is no error", detail)
		}
	}
	if len(o.iam.calls) > 0 {
		t.Errorf("AWS was asked: %v", o.iam.calls)
	}
}

// What could not be read now may be read later: the event is kept.
func TestConfigsWordWaitsForAWS(t *testing.T) {
	for _, call := range []string{"WhoAmI", "User", "Keys", "LastUse"} {
		o := newKeyOffice(t)
		o.iam.add("hana", 120*day)
		o.iam.fail[call] = errors.New("Throttling: Rate exceeded")
		if err := o.says(); err == nil || !strings.Contains(err.Error(), "Rate exceeded") {
			t.Errorf("with %s away: %v", call, err)
		}
		clear(o.iam.fail)
		if err := o.says(); err != nil {
			t.Fatal(err)
		}
		o.chat.next(t, "post")
	}
}

// Where AWS Config does not answer, IAM's list of users does; that it does not
// is told where it is a matter of permission.
func TestConfigAwayIsGotAround(t *testing.T) {
	o := newKeyOffice(t)
	id := o.iam.add("hana", 120*day)[0]
	o.iam.fail["Named"] = &purge.Denied{Action: "config:ListDiscoveredResources"}
	if err := o.says(); err != nil {
		t.Fatal(err)
	}
	o.wantHistory(id, purge.Warned)
	if s := o.chat.next(t, "post"); s.channel != keysChannel || !strings.Contains(s.text, "`config:ListDiscoveredResources`") {
		t.Errorf("told %+v", s)
	}
}

// A policy without keys: has nothing to do with any.
func TestWithoutKeysInThePolicyNothingHappens(t *testing.T) {
	o := newKeyOffice(t)
	id := o.iam.add("hana", 120*day)[0]
	o.Purge, o.Policy.Keys = nil, nil
	if err := o.says(); err != nil {
		t.Error(err)
	}
	if err := o.schedule(); err != nil {
		t.Error(err)
	}
	if err := o.attendKey(id, "hana"); err != nil {
		t.Error(err)
	}
	for _, action := range []string{"key_off", "key_undo", "key_keep", "key_exempt", "keys_hold"} {
		wants(t, action, o.click(ben, action, id).Text, "does not look after keys now")
	}
	for _, form := range []string{"key_keep", "key_exempt"} {
		wants(t, form, o.submit(ben, form, id, map[string]string{"why": "x", "until": "2027-02-01"}).Text, "does not look after keys now")
	}
	if said := o.chat.all(); len(said) > 0 || len(o.iam.calls) > 0 || len(o.queue.kinds()) > 0 {
		t.Errorf("said %+v, asked %v, to do %v", said, o.iam.calls, o.queue.kinds())
	}
}
