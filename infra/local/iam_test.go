package local

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"
)

const (
	hanasKey = "AKIAEXAMPLEHANAXQ3H7"
	bensKey  = "AKIAEXAMPLEBENXXW4B2" // in daily use
	bensOld  = "AKIAEXAMPLEBENXXK6B5" // inactive
	rosasKey = "AKIAEXAMPLEROSAXT5R6" // never used
)

func keyOf(t *testing.T, w *World, id string) keyView {
	t.Helper()
	for _, u := range w.snapshot("U0HANA").Users {
		for _, k := range u.Keys {
			if k.ID == id {
				return k
			}
		}
	}
	t.Fatalf("nobody has the key %s", id)
	return keyView{}
}

// events are those that wait in the queue.
func (w *World) events(t *testing.T) []event {
	t.Helper()
	var all []event
	for _, text := range w.AWS.Queue(w.queue).Visible {
		var e event
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

type event struct {
	Source     string
	DetailType string `json:"detail-type"`
	Detail     struct {
		ResourceID string `json:"resourceId"`
		New        struct {
			Type string `json:"complianceType"`
		} `json:"newEvaluationResult"`
		Old struct {
			Type string `json:"complianceType"`
		} `json:"oldEvaluationResult"`
	}
}

func TestKeysOfTheCast(t *testing.T) {
	w, _ := newWorld(t, Options{})
	var names []string
	for _, u := range w.snapshot("U0HANA").Users {
		names = append(names, u.Name)
	}
	if !slices.Equal(names, []string{"ben", "ci-deploy", "hana", "rosa"}) {
		t.Errorf("the users are %v", names)
	}
	for id, want := range map[string]struct {
		active  bool
		days    int
		service string
	}{hanasKey: {true, 12, "ec2"}, bensKey: {true, 40, "s3"}, bensOld: {false, 70, "s3"}, rosasKey: {true, 60, ""}} {
		if k := keyOf(t, w, id); k.Active != want.active || k.Days != want.days || k.Service != want.service || k.Used.IsZero() != (want.service == "") {
			t.Errorf("%s is %+v, want %+v", id, k, want)
		}
	}
	if waiting := w.events(t); len(waiting) != 0 {
		t.Errorf("before anything happened, the queue holds %+v", waiting)
	}
}

func TestAKeyThatGrowsOldIsAnEventOfConfigs(t *testing.T) {
	w, base := newWorld(t, Options{})
	age := func(user, key string) {
		t.Helper()
		if status, code := post(t, base, "iam", iamInput{"age", user, key}); status != http.StatusNoContent {
			t.Fatalf("answered %d %s", status, code)
		}
	}
	age("rosa", rosasKey)
	if k := keyOf(t, w, rosasKey); k.Days != 160 {
		t.Errorf("it is now %d days old, want 160", k.Days)
	}
	waiting := w.events(t)
	if len(waiting) != 1 {
		t.Fatalf("the queue holds %+v", waiting)
	}
	e := waiting[0]
	if e.Source != "aws.config" || e.DetailType != "Config Rules Compliance Change" || e.Detail.ResourceID != "AIDAEXAMPLEROSA234567" ||
		e.Detail.Old.Type != "COMPLIANT" || e.Detail.New.Type != "NON_COMPLIANT" {
		t.Errorf("the event is %+v", e)
	}
	age("rosa", rosasKey)
	if n := len(w.events(t)); n != 1 {
		t.Errorf("older still: %d events, though nothing changed for Config", n)
	}
	age("ben", bensOld)
	if n := len(w.events(t)); n != 1 {
		t.Errorf("an inactive key: %d events", n)
	}
	// Once it was dealt with, which the account's rule on Config lets nobody hear of, the next one is a change again.
	post(t, base, "iam", iamInput{"deactivate", "rosa", rosasKey})
	post(t, base, "iam", iamInput{Do: "create", User: "rosa"})
	u, _ := w.AWS.User("rosa")
	age("rosa", u.Keys[1].ID)
	if all := w.events(t); len(all) != 2 || all[1].Detail.Old.Type != "COMPLIANT" || all[1].Detail.New.Type != "NON_COMPLIANT" {
		t.Errorf("after a new key grew old, too: %+v", all)
	}
}

func TestWhatIsDoneToKeys(t *testing.T) {
	w, base := newWorld(t, Options{})
	do := func(what, user, key, code string) {
		t.Helper()
		if _, got := post(t, base, "iam", iamInput{what, user, key}); got != code {
			t.Errorf("%s of %s's %s: %q, want %q", what, user, key, got, code)
		}
	}
	do("use", "rosa", rosasKey, "")
	if k := keyOf(t, w, rosasKey); time.Since(k.Used) > time.Minute || k.Service != "s3" {
		t.Errorf("it was used %+v", k)
	}
	do("use", "hana", hanasKey, "")
	if k := keyOf(t, w, hanasKey); time.Since(k.Used) > time.Minute || k.Service != "ec2" {
		t.Errorf("it was used %+v, where it is used for ec2", k)
	}
	do("deactivate", "rosa", rosasKey, "")
	if keyOf(t, w, rosasKey).Active {
		t.Error("it is still active")
	}
	do("use", "rosa", rosasKey, "InvalidClientTokenId")
	do("activate", "rosa", rosasKey, "")
	if !keyOf(t, w, rosasKey).Active {
		t.Error("it is still inactive")
	}
	do("create", "rosa", "", "")
	do("create", "rosa", "", "LimitExceeded")
	do("delete", "rosa", rosasKey, "")
	do("delete", "rosa", rosasKey, "NoSuchEntity")
	do("age", "nobody", rosasKey, "NoSuchEntity")
	do("rotate", "hana", hanasKey, "bad_request")
	refused := func(e entry) bool { return e.Kind == "refused" && e.Name == "rosa" && e.Code == "LimitExceeded" }
	if log := w.snapshot("U0HANA").Log; !slices.ContainsFunc(log, refused) {
		t.Errorf("IAM's refusal is not in the journal: %+v", log)
	}
}

func TestTheKeysJobIsSentNow(t *testing.T) {
	w, base := newWorld(t, Options{})
	if status, code := post(t, base, "schedule", scheduleInput{"Keys"}); status != http.StatusNoContent {
		t.Fatalf("answered %d %s", status, code)
	}
	if all := w.events(t); len(all) != 1 || all[0].Source != "sekisho.schedule" || all[0].DetailType != "Keys" {
		t.Errorf("the queue holds %+v", all)
	}
	if _, code := post(t, base, "schedule", scheduleInput{"Payday"}); code != "bad_request" {
		t.Errorf("an unknown job: %q", code)
	}
}

func newIAM(t *testing.T, w *World) *iam.Client {
	t.Helper()
	useEnvironment(t, w)
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return iam.NewFromConfig(cfg, func(o *iam.Options) { o.Retryer = aws.NopRetryer{} })
}

func deactivate(t *testing.T, client *iam.Client) error {
	t.Helper()
	_, err := client.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{
		UserName: aws.String("rosa"), AccessKeyId: aws.String(rosasKey), Status: types.StatusTypeInactive,
	})
	return err
}

func TestIAMRefusesUntilItIsSwitchedOff(t *testing.T) {
	for fault, want := range map[string]string{iamThrottling: "Throttling", iamDenying: "AccessDenied"} {
		t.Run(fault, func(t *testing.T) {
			w, base := newWorld(t, Options{})
			client := newIAM(t, w)
			post(t, base, "fault", faultInput{fault, true})
			for range 3 {
				if api, ok := asAPIError(deactivate(t, client)); !ok || api.ErrorCode() != want {
					t.Fatalf("got %v, want %s", api, want)
				}
			}
			called := func(e entry) bool { return e.Name == "rosa" && e.Detail == "UpdateAccessKey" && e.Code == want }
			if log := w.snapshot("U0HANA").Log; !slices.ContainsFunc(log, called) {
				t.Errorf("the journal is %+v", log)
			}
			post(t, base, "fault", faultInput{fault, false})
			deactivate(t, client) // the one that was still arranged
			if err := deactivate(t, client); err != nil {
				t.Errorf("switched off: %v", err)
			}
		})
	}
}

func TestKeysAreReadOutOfDateAfterEachChange(t *testing.T) {
	w, base := newWorld(t, Options{})
	client := newIAM(t, w)
	active := func() bool {
		t.Helper()
		found, err := client.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("rosa")})
		if err != nil {
			t.Fatal(err)
		}
		return found.AccessKeyMetadata[0].Status == types.StatusTypeActive
	}
	post(t, base, "fault", faultInput{iamStale, true})
	for range staleFor {
		active() // what was arranged at first is used up
	}
	if err := deactivate(t, client); err != nil {
		t.Fatal(err)
	}
	for range staleFor {
		if !active() {
			t.Error("a read right after the bot's change shows it")
		}
	}
	if active() {
		t.Error("a later read does not say the truth")
	}
	post(t, base, "iam", iamInput{"activate", "rosa", rosasKey})
	if active() {
		t.Error("a read right after the console's change shows it")
	}
	post(t, base, "fault", faultInput{iamStale, false})
	if !active() {
		t.Error("switched off, a read is still out of date")
	}
}

func asAPIError(err error) (smithy.APIError, bool) {
	api, ok := errors.AsType[smithy.APIError](err)
	return api, ok
}
