package awssim_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"sekisho/infra/local/awssim"
)

func (w *world) update(ctx context.Context, user, key string, status types.StatusType) error {
	_, err := w.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &key, Status: status})
	return err
}

func (w *world) deleteKey(ctx context.Context, user, key string) error {
	_, err := w.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &key})
	return err
}

// listKeys gives a user's keys as "id Active", sorted.
func (w *world) listKeys(t *testing.T, user string) []string {
	t.Helper()
	out, err := w.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: &user})
	wantOK(t, err)
	var keys []string
	for _, k := range out.AccessKeyMetadata {
		if *k.UserName != user {
			t.Errorf("key %s is said to be %s's", *k.AccessKeyId, *k.UserName)
		}
		keys = append(keys, fmt.Sprintf("%s %s", *k.AccessKeyId, k.Status))
	}
	slices.Sort(keys)
	return keys
}

// Real clients sign IAM's calls for us-east-1, or for their own region when they are given an endpoint.
func TestGetUser(t *testing.T) {
	for _, region := range []string{"eu-central-1", "us-east-1"} {
		w := newWorld(t, awssim.Options{})
		w.useRegion(region)
		created := time.Date(2024, 2, 3, 4, 5, 6, 0, time.UTC)
		u := w.addUser(t, awssim.User{Name: "hana", Path: "/ops/", Created: created, Tags: map[string]string{"Team": "ml"}})
		out, err := w.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("hana")})
		wantOK(t, err)
		got := out.User
		if *got.UserName != "hana" || *got.UserId != u.ID || *got.Path != "/ops/" || *got.Arn != "arn:aws:iam::111122223333:user/ops/hana" ||
			!got.CreateDate.Equal(created) || len(got.Tags) != 1 || *got.Tags[0].Key != "Team" || *got.Tags[0].Value != "ml" {
			t.Errorf("got %+v", got)
		}
	}
	w := newWorld(t, awssim.Options{})
	w.useRegion("eu-west-1")
	_, err := w.iam.GetUser(t.Context(), &iam.GetUserInput{UserName: aws.String("hana")})
	wantCode(t, err, "SignatureDoesNotMatch")
}

func TestListUsersPages(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	for n := range 250 { // not in order of name
		path := "/people/"
		if n%2 == 1 {
			path = "/ci/"
		}
		w.addUser(t, awssim.User{Name: fmt.Sprintf("user%03d", n*7%250), Path: path, Tags: map[string]string{"a": "b"}})
	}
	sizes := func(in *iam.ListUsersInput) (sizes []int) {
		last := ""
		pages := iam.NewListUsersPaginator(w.iam, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			wantOK(t, err)
			for _, u := range page.Users {
				if *u.UserName <= last {
					t.Fatalf("%s comes after %s", *u.UserName, last)
				}
				if last = *u.UserName; u.Tags != nil {
					t.Fatalf("ListUsers tells tags: %+v", u.Tags)
				}
			}
			sizes = append(sizes, len(page.Users))
		}
		return sizes
	}
	tests := map[string]struct {
		in   *iam.ListUsersInput
		want []int
	}{
		"the usual size":      {&iam.ListUsersInput{}, []int{100, 100, 50}},
		"a divisor":           {&iam.ListUsersInput{MaxItems: aws.Int32(125)}, []int{125, 125}},
		"all at once":         {&iam.ListUsersInput{MaxItems: aws.Int32(1000)}, []int{250}},
		"a path":              {&iam.ListUsersInput{MaxItems: aws.Int32(60), PathPrefix: aws.String("/ci/")}, []int{60, 60, 5}},
		"a path nobody is at": {&iam.ListUsersInput{PathPrefix: aws.String("/none")}, []int{0}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := sizes(tt.in); !slices.Equal(got, tt.want) {
				t.Errorf("pages of %v, want %v", got, tt.want)
			}
		})
	}

	// the page's last user may go before the next page is asked for
	first, err := w.iam.ListUsers(t.Context(), &iam.ListUsersInput{MaxItems: aws.Int32(3)})
	wantOK(t, err)
	wantOK(t, w.DeleteUser("user002"))
	second, err := w.iam.ListUsers(t.Context(), &iam.ListUsersInput{MaxItems: aws.Int32(1), Marker: first.Marker})
	wantOK(t, err)
	if got := *second.Users[0].UserName; got != "user003" {
		t.Errorf("the second page begins with %s", got)
	}

	for _, in := range []*iam.ListUsersInput{
		{MaxItems: aws.Int32(0)}, {MaxItems: aws.Int32(1001)}, {Marker: aws.String("made up")}, {PathPrefix: aws.String("ci/")},
	} {
		_, err := w.iam.ListUsers(t.Context(), in)
		wantCode(t, err, "ValidationError")
	}
}

func TestListAccessKeys(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	created := time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC)
	u := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{
		{ID: "AKIATESTTESTTESTZZZZ", Active: true, Created: created}, {ID: "AKIATESTTESTTESTAAAA"},
	}})
	out, err := w.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("hana")})
	wantOK(t, err)
	if len(out.AccessKeyMetadata) != 2 || out.IsTruncated {
		t.Fatalf("listed %+v", out)
	}
	for _, k := range out.AccessKeyMetadata {
		active := *k.AccessKeyId == u.Keys[0].ID
		if (k.Status == types.StatusTypeActive) != active || k.CreateDate.Equal(created) != active {
			t.Errorf("key %s is %s since %s, want %+v", *k.AccessKeyId, k.Status, k.CreateDate, u.Keys)
		}
	}
	var got []string
	pages := iam.NewListAccessKeysPaginator(w.iam, &iam.ListAccessKeysInput{UserName: aws.String("hana"), MaxItems: aws.Int32(1)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		wantOK(t, err)
		if len(page.AccessKeyMetadata) != 1 {
			t.Fatalf("a page of %d", len(page.AccessKeyMetadata))
		}
		got = append(got, *page.AccessKeyMetadata[0].AccessKeyId)
	}
	want := []string{u.Keys[0].ID, u.Keys[1].ID}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("pages have %v, want %v", got, want)
	}
	if got := w.listKeys(t, w.addUser(t, awssim.User{Name: "ben"}).Name); len(got) != 0 {
		t.Errorf("a user without keys has %v", got)
	}
}

// Without a user name IAM means the caller's own: an access key of the bot's, were it a user.
func TestNoUserNameMeansTheCaller(t *testing.T) {
	role := newWorld(t, awssim.Options{})
	user := newWorld(t, awssim.Options{Caller: "arn:aws:iam::111122223333:user/bots/sekisho"})
	key := user.addUser(t, awssim.User{Name: "sekisho", Path: "/bots/", Keys: make([]awssim.AccessKey, 1)}).Keys[0].ID
	calls := map[string]func(*iam.Client) error{
		"GetUser": func(c *iam.Client) error { _, err := c.GetUser(t.Context(), &iam.GetUserInput{}); return err },
		"ListAccessKeys": func(c *iam.Client) error {
			_, err := c.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{})
			return err
		},
		"CreateAccessKey": func(c *iam.Client) error {
			_, err := c.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{})
			return err
		},
		"UpdateAccessKey": func(c *iam.Client) error {
			_, err := c.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{AccessKeyId: &key, Status: types.StatusTypeActive})
			return err
		},
	}
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			if got := wantCode(t, call(role.iam), "ValidationError"); got != "Must specify userName when calling with non-User credentials" {
				t.Errorf("message %q", got)
			}
			wantOK(t, call(user.iam))
		})
	}
	if u, _ := user.User("sekisho"); len(u.Keys) != 2 || !u.Keys[0].Active {
		t.Errorf("the caller's own keys are %+v", u.Keys)
	}
}

func TestUpdateAndDeleteAccessKey(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	key := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true}}}).Keys[0].ID
	w.addUser(t, awssim.User{Name: "ben"})

	// another user's name is as wrong as none
	for _, user := range []string{"ben", "nobody", "Hana"} {
		wantCode(t, w.update(t.Context(), user, key, types.StatusTypeInactive), "NoSuchEntity")
		wantCode(t, w.deleteKey(t.Context(), user, key), "NoSuchEntity")
	}
	wantCode(t, w.update(t.Context(), "hana", key, "Asleep"), "ValidationError")
	wantCode(t, w.update(t.Context(), "hana", "AKIA", types.StatusTypeInactive), "ValidationError")
	wantCode(t, w.update(t.Context(), "", key, types.StatusTypeInactive), "ValidationError")
	if got := w.listKeys(t, "hana"); !slices.Equal(got, []string{key + " Active"}) {
		t.Fatalf("after refusals only, keys %v", got)
	}

	before := len(w.Calls())
	wantOK(t, w.update(t.Context(), "hana", key, types.StatusTypeInactive))
	wantOK(t, w.update(t.Context(), "hana", key, types.StatusTypeInactive))
	if got := w.listKeys(t, "hana"); !slices.Equal(got, []string{key + " Inactive"}) {
		t.Errorf("deactivated, keys %v", got)
	}
	wantOK(t, w.update(t.Context(), "hana", key, types.StatusTypeActive))
	wantOK(t, w.deleteKey(t.Context(), "hana", key)) // an active key too
	err := w.deleteKey(t.Context(), "hana", key)
	wantCode(t, err, "NoSuchEntity")
	if status := statusOf(t, err); status != http.StatusNotFound {
		t.Errorf("NoSuchEntity with status %d", status)
	}
	if _, typed := errors.AsType[*types.NoSuchEntityException](err); !typed {
		t.Errorf("the SDK doesn't know %v as a NoSuchEntityException", err)
	}

	var told []string
	for _, call := range w.Calls()[before:] {
		if call.Service != "iam" || !call.At.Equal(clock.now()) {
			t.Errorf("recorded %+v", call)
		}
		told = append(told, strings.TrimSpace(call.Action+" "+strings.Join(call.IDs, " ")+" "+call.ErrorCode))
	}
	want := []string{
		"UpdateAccessKey hana " + key, "UpdateAccessKey hana " + key, "ListAccessKeys hana", "UpdateAccessKey hana " + key,
		"DeleteAccessKey hana " + key, "DeleteAccessKey hana " + key + " NoSuchEntity",
	}
	if !slices.Equal(told, want) {
		t.Errorf("recorded\n%q, want\n%q", told, want)
	}
}

func TestCreateAccessKey(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.addUser(t, awssim.User{Name: "hana"})
	in := &iam.CreateAccessKeyInput{UserName: aws.String("hana")}
	for range 2 {
		out, err := w.iam.CreateAccessKey(t.Context(), in)
		wantOK(t, err)
		if k := out.AccessKey; k.Status != types.StatusTypeActive || *k.UserName != "hana" || len(*k.SecretAccessKey) != 40 {
			t.Errorf("created %+v", k)
		}
	}
	_, err := w.iam.CreateAccessKey(t.Context(), in)
	wantCode(t, err, "LimitExceeded")
	if status := statusOf(t, err); status != http.StatusConflict {
		t.Errorf("LimitExceeded with status %d", status)
	}
	if got := w.listKeys(t, "hana"); len(got) != 2 {
		t.Errorf("keys %v, want two", got)
	}
}

func TestGetAccessKeyLastUsed(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	key := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true}}}).Keys[0].ID
	in := &iam.GetAccessKeyLastUsedInput{AccessKeyId: &key}
	out, err := w.iam.GetAccessKeyLastUsed(t.Context(), in)
	wantOK(t, err)
	if u := out.AccessKeyLastUsed; *out.UserName != "hana" || u.LastUsedDate != nil || *u.ServiceName != "N/A" || *u.Region != "N/A" {
		t.Errorf("never used: %s %+v", *out.UserName, u)
	}
	wantOK(t, w.UseKey(key, "s3", "eu-west-1"))
	out, err = w.iam.GetAccessKeyLastUsed(t.Context(), in)
	wantOK(t, err)
	if u := out.AccessKeyLastUsed; !u.LastUsedDate.Equal(clock.now().Truncate(time.Second)) || *u.ServiceName != "s3" || *u.Region != "eu-west-1" {
		t.Errorf("used: %+v", u)
	}
	_, err = w.iam.GetAccessKeyLastUsed(t.Context(), &iam.GetAccessKeyLastUsedInput{AccessKeyId: aws.String("AKIATESTTESTTESTNONE")})
	wantCode(t, err, "NoSuchEntity")
}

func TestStaleKeys(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	key := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true}}}).Keys[0].ID
	active, inactive := []string{key + " Active"}, []string{key + " Inactive"}
	reads := func(want ...[]string) {
		t.Helper()
		for n, keys := range want {
			if got := w.listKeys(t, "hana"); !slices.Equal(got, keys) {
				t.Errorf("read %d shows %v, want %v", n, got, keys)
			}
		}
	}
	wantOK(t, w.update(t.Context(), "hana", key, types.StatusTypeInactive))
	w.StaleKeys("hana", 2)
	reads(active, active, inactive)

	wantOK(t, w.SetKey(key, false)) // no change: the last one is still that before
	w.StaleKeys("hana", 1)
	reads(active, inactive)

	wantOK(t, w.deleteKey(t.Context(), "hana", key))
	w.StaleKeys("hana", 1)
	reads(inactive, nil)
	wantCode(t, w.deleteKey(t.Context(), "hana", key), "NoSuchEntity") // only reads are out of date

	made, err := w.CreateKey("hana")
	wantOK(t, err)
	w.StaleKeys("hana", 1)
	reads(nil, []string{made.ID + " Active"})
}

// It is the past that AgeKey changes: an out-of-date read shows the older key too.
func TestStaleKeysAge(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	k := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true}}}).Keys[0]
	wantOK(t, w.SetKey(k.ID, false))
	wantOK(t, w.AgeKey(k.ID, 100*day))
	w.StaleKeys("hana", 1)
	out, err := w.iam.ListAccessKeys(t.Context(), &iam.ListAccessKeysInput{UserName: aws.String("hana")})
	wantOK(t, err)
	if got := out.AccessKeyMetadata[0]; got.Status != types.StatusTypeActive || !got.CreateDate.Equal(k.Created.Add(-100*day)) {
		t.Errorf("an out-of-date read shows %s since %s", got.Status, got.CreateDate)
	}
}

// The SDK looks past the namespace, the fault and the request's id; other clients may not.
func TestIAMAnswerShape(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.addUser(t, awssim.User{Name: "hana"})
	const head = `<?xml version="1.0" encoding="UTF-8"?>` + "\n"
	const namespace = ` xmlns="https://iam.amazonaws.com/doc/2010-05-08/">`
	for form, want := range map[string]string{
		"Action=ListAccessKeys&UserName=hana": `<ListAccessKeysResponse` + namespace + `<ListAccessKeysResult><AccessKeyMetadata></AccessKeyMetadata><IsTruncated>false</IsTruncated>` +
			`</ListAccessKeysResult><ResponseMetadata><RequestId>ID</RequestId></ResponseMetadata></ListAccessKeysResponse>`,
		"Action=GetUser&UserName=ben": `<ErrorResponse` + namespace + `<Error><Type>Sender</Type><Code>NoSuchEntity</Code>` +
			`<Message>The user with name ben cannot be found.</Message></Error><RequestId>ID</RequestId></ErrorResponse>`,
		"Action=ListUsers": `<ErrorResponse` + namespace + `<Error><Type>Receiver</Type><Code>ServiceFailure</Code>` +
			`<Message>This failure was asked for.</Message></Error><RequestId>ID</RequestId></ErrorResponse>`,
	} {
		w.Fail("ListUsers", "ServiceFailure", 1)
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL, strings.NewReader(form+"&Version=2010-05-08"))
		wantOK(t, err)
		r.Header.Set("X-Amz-Date", "20260304T050607Z")
		r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+testKey+"/20260304/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature="+strings.Repeat("0", 64))
		response, err := w.server.Client().Do(r)
		wantOK(t, err)
		body, err := io.ReadAll(response.Body)
		wantOK(t, err)
		response.Body.Close()
		if want := head + strings.Replace(want, "ID", response.Header.Get("X-Amzn-Requestid"), 1); string(body) != want {
			t.Errorf("%s is answered\n%s, want\n%s", form, body, want)
		}
	}
}

func TestIAMFailures(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	key := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true}}}).Keys[0].ID
	w.Throttle("UpdateAccessKey", 2) // the SDK tries three times by itself
	wantOK(t, w.update(t.Context(), "hana", key, types.StatusTypeInactive))

	once := func(o *iam.Options) { o.Retryer = aws.NopRetryer{} }
	in := &iam.UpdateAccessKeyInput{UserName: aws.String("hana"), AccessKeyId: &key, Status: types.StatusTypeActive}
	for code, status := range map[string]int{
		"": 400, "AccessDenied": 403, "NoSuchEntity": 404, "LimitExceeded": 409, "ValidationError": 400, "ServiceFailure": 500,
	} {
		w.Fail("UpdateAccessKey", code, 1)
		_, err := w.iam.UpdateAccessKey(t.Context(), in, once)
		if code == "" {
			code = "Throttling"
		}
		wantCode(t, err, code)
		if got := statusOf(t, err); got != status {
			t.Errorf("%s with status %d, want %d", code, got, status)
		}
	}
	if got := w.listKeys(t, "hana"); !slices.Equal(got, []string{key + " Inactive"}) {
		t.Errorf("calls that failed left %v", got)
	}

	w.Fail("UpdateAccessKey", "AccessDenied", 1)
	_, err := w.iam.UpdateAccessKey(t.Context(), in)
	const denied = "User: arn:aws:sts::111122223333:assumed-role/sekisho/demo is not authorized to perform: iam:UpdateAccessKey on resource: user hana " +
		"because no identity-based policy allows the iam:UpdateAccessKey action"
	if got := wantCode(t, err, "AccessDenied"); got != denied {
		t.Errorf("denied with %q, want %q", got, denied)
	}

	_, err = w.iam.ListRoles(t.Context(), &iam.ListRolesInput{})
	wantCode(t, err, "InvalidAction")
}

func TestGetCallerIdentity(t *testing.T) {
	role := newWorld(t, awssim.Options{Account: "999988887777"})
	out, err := role.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	wantOK(t, err)
	if *out.Arn != "arn:aws:sts::999988887777:assumed-role/sekisho/demo" || *out.Account != "999988887777" || !strings.HasSuffix(*out.UserId, ":demo") {
		t.Errorf("a role is %s %s %s", *out.Arn, *out.Account, *out.UserId)
	}
	user := newWorld(t, awssim.Options{Caller: "arn:aws:iam::111122223333:user/bots/sekisho"})
	id := user.addUser(t, awssim.User{Name: "sekisho", Path: "/bots/"}).ID
	out, err = user.sts.GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	wantOK(t, err)
	if *out.Arn != "arn:aws:iam::111122223333:user/bots/sekisho" || *out.UserId != id {
		t.Errorf("a user is %s %s, want id %s", *out.Arn, *out.UserId, id)
	}
	_, err = user.sts.GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	wantCode(t, err, "InvalidAction")
}

func TestCallerMustBeSomebody(t *testing.T) {
	for _, arn := range []string{"sekisho", "arn:aws:iam::111122223333:role/sekisho", "arn:aws:sts::111122223333:assumed-role/sekisho"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a cloud was made for the caller %s", arn)
				}
			}()
			awssim.New(awssim.Options{Caller: arn}).Close()
		}()
	}
}

// A whole account is read page by page, key by key: no call may cost more for there being many users.
func TestAWholeAccount(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	for n := range 5000 {
		w.addUser(t, awssim.User{Name: fmt.Sprintf("user%04d", n), Keys: make([]awssim.AccessKey, 2)})
	}
	_, err := w.AddUser(awssim.User{Name: "one-more"})
	wantCode(t, err, "LimitExceeded")
	w.useNoSockets()
	n := 0
	pages := iam.NewListUsersPaginator(w.iam, &iam.ListUsersInput{MaxItems: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		wantOK(t, err)
		n += len(page.Users)
	}
	if n != 5000 {
		t.Errorf("%d users on all pages, want 5000", n)
	}
}
