package iamkeys_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"sekisho/auth/purge"
	"sekisho/infra/iamkeys"
)

const keyID = "AKIATESTTESTTEST0001"

// amazon answers from a script, one answer a call and the last one for good,
// and notes each call as "host parameters". It is a transport without a
// network, so that it works in synctest bubbles too.
type amazon struct {
	script []answer
	calls  []string
}

// answer is a body, or with a code an error.
type answer struct {
	body string // of a query service: what is inside …Result
	code string
}

func (a *amazon) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	now := a.script[0]
	if len(a.script) > 1 {
		a.script = a.script[1:]
	}
	w := httptest.NewRecorder()
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		a.calls = append(a.calls, r.URL.Host+" "+target+" "+string(body))
		now.json(w)
		return w.Result(), nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, err
	}
	form.Del("Version")
	a.calls = append(a.calls, r.URL.Host+" "+form.Encode())
	now.xml(w, form.Get("Action"))
	return w.Result(), nil
}

func (a answer) xml(w http.ResponseWriter, action string) {
	switch {
	case a.code != "":
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "<ErrorResponse><Error><Code>%s</Code><Message>so it is</Message></Error></ErrorResponse>", a.code)
	case a.body != "":
		fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, a.body)
	}
}

func (a answer) json(w http.ResponseWriter) {
	if a.code != "" {
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"__type": a.code, "message": "so it is"})
		return
	}
	io.WriteString(w, a.body)
}

func open(script ...answer) (*iamkeys.IAM, *amazon) {
	cloud := &amazon{script: script}
	c := aws.Config{
		Region: "eu-central-1", HTTPClient: &http.Client{Transport: cloud},
		Credentials: credentials.NewStaticCredentialsProvider("AKIATESTTESTTESTSELF", "test-secret-key", "test-session"),
	}
	return iamkeys.New(c, c, c), cloud
}

// wantCalls compares whole calls: what is not needed is not sent.
func (a *amazon) wantCalls(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(a.calls, want) {
		t.Errorf("called\n%s\nwant\n%s", strings.Join(a.calls, "\n"), strings.Join(want, "\n"))
	}
}

func want[T any](t *testing.T, what string, got T, err error, want T) {
	t.Helper()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %#v, error %v; want %#v", what, got, err, want)
	}
}

func users(names ...string) string {
	var all strings.Builder
	for _, n := range names {
		fmt.Fprintf(&all, "<member><UserName>%s</UserName><UserId>AIDA%[1]s</UserId><Path>/ops/</Path></member>", n)
	}
	return "<Users>" + all.String() + "</Users>"
}

func more(marker string) string {
	return "<IsTruncated>true</IsTruncated><Marker>" + marker + "</Marker>"
}

const last = "<IsTruncated>false</IsTruncated>"

func TestUsersOfAllPages(t *testing.T) {
	account, cloud := open(
		answer{body: users("ann", "ben") + more("2")}, answer{body: users() + more("3")}, answer{body: users("cho") + last},
	)
	var got []purge.User
	err := account.Users(t.Context(), func(u purge.User) { got = append(got, u) })
	want(t, "users", got, err, []purge.User{
		{Name: "ann", ID: "AIDAann", Path: "/ops/"}, {Name: "ben", ID: "AIDAben", Path: "/ops/"}, {Name: "cho", ID: "AIDAcho", Path: "/ops/"},
	})
	cloud.wantCalls(t,
		"iam.amazonaws.com Action=ListUsers&MaxItems=1000",
		"iam.amazonaws.com Action=ListUsers&Marker=2&MaxItems=1000",
		"iam.amazonaws.com Action=ListUsers&Marker=3&MaxItems=1000",
	)
}

// A marker on the last page leads nowhere.
func TestTheLastPageIsSaidToBe(t *testing.T) {
	stale := answer{body: last + "<Marker>1</Marker>"}
	account, cloud := open(stale, stale, answer{code: "TooManyPages"})
	if err := account.Users(t.Context(), func(purge.User) {}); err != nil {
		t.Error(err)
	}
	if _, err := account.Keys(t.Context(), "ann"); err != nil {
		t.Error(err)
	}
	cloud.wantCalls(t, "iam.amazonaws.com Action=ListUsers&MaxItems=1000", "iam.amazonaws.com Action=ListAccessKeys&UserName=ann")
}

func TestUser(t *testing.T) {
	one := "<User><UserName>ann</UserName><UserId>AIDAann</UserId><Path>/</Path>%s</User>"
	account, cloud := open(
		answer{body: fmt.Sprintf(one, "<Tags><member><Key>Team</Key><Value>ml</Value></member><member><Key>Empty</Key><Value/></member></Tags>")},
		answer{body: fmt.Sprintf(one, "")},
		answer{},
	)
	tags := map[string]string{"Team": "ml", "Empty": ""}
	got, err := account.User(t.Context(), "ann")
	want(t, "tagged", got, err, purge.User{Name: "ann", ID: "AIDAann", Path: "/", Tags: tags})
	got, err = account.User(t.Context(), "ann")
	want(t, "untagged, which is not unread", got, err, purge.User{Name: "ann", ID: "AIDAann", Path: "/", Tags: map[string]string{}})
	if _, err := account.User(t.Context(), "ann"); err == nil {
		t.Error("an empty answer is taken for a user")
	}
	cloud.wantCalls(t, slices.Repeat([]string{"iam.amazonaws.com Action=GetUser&UserName=ann"}, 3)...)
}

func TestKeysOfAllPages(t *testing.T) {
	key := "<AccessKeyMetadata><member><UserName>ann</UserName><AccessKeyId>%s</AccessKeyId><Status>%s</Status>" +
		"<CreateDate>2026-03-04T05:06:07Z</CreateDate></member></AccessKeyMetadata>"
	account, cloud := open(
		answer{body: fmt.Sprintf(key, keyID, "Active") + more("2")}, answer{body: more("3")}, answer{body: fmt.Sprintf(key, "AKIA2", "Inactive") + last},
	)
	made := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	got, err := account.Keys(t.Context(), "ann")
	want(t, "keys", got, err, []purge.Key{{ID: keyID, Active: true, Created: made}, {ID: "AKIA2", Created: made}})
	cloud.wantCalls(t,
		"iam.amazonaws.com Action=ListAccessKeys&UserName=ann",
		"iam.amazonaws.com Action=ListAccessKeys&Marker=2&UserName=ann",
		"iam.amazonaws.com Action=ListAccessKeys&Marker=3&UserName=ann",
	)
}

func TestLastUse(t *testing.T) {
	use := "<UserName>ann</UserName><AccessKeyLastUsed><ServiceName>%s</ServiceName><Region>%s</Region>%s</AccessKeyLastUsed>"
	account, cloud := open(
		answer{body: fmt.Sprintf(use, "s3", "eu-west-1", "<LastUsedDate>2026-03-04T05:06:07Z</LastUsedDate>")},
		answer{body: fmt.Sprintf(use, "N/A", "N/A", "")},
	)
	for what, used := range []purge.Use{{At: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), Service: "s3", Region: "eu-west-1"}, {}} {
		got, user, err := account.LastUse(t.Context(), keyID)
		want(t, fmt.Sprint("answer ", what), got, err, used)
		want(t, "its user", user, err, "ann")
	}
	cloud.wantCalls(t, slices.Repeat([]string{"iam.amazonaws.com AccessKeyId=" + keyID + "&Action=GetAccessKeyLastUsed"}, 2)...)
}

func TestEveryChangeNamesItsUser(t *testing.T) {
	account, cloud := open(answer{})
	for _, change := range []func() error{
		func() error { return account.Deactivate(t.Context(), "ann", keyID) },
		func() error { return account.Reactivate(t.Context(), "ann", keyID) },
		func() error { return account.Delete(t.Context(), "ann", keyID) },
	} {
		if err := change(); err != nil {
			t.Error(err)
		}
	}
	cloud.wantCalls(t,
		"iam.amazonaws.com AccessKeyId="+keyID+"&Action=UpdateAccessKey&Status=Inactive&UserName=ann",
		"iam.amazonaws.com AccessKeyId="+keyID+"&Action=UpdateAccessKey&Status=Active&UserName=ann",
		"iam.amazonaws.com AccessKeyId="+keyID+"&Action=DeleteAccessKey&UserName=ann",
	)
}

// IAM would take the bot's own user where none is named.
func TestNobodyIsNotAsked(t *testing.T) {
	account, cloud := open(answer{})
	for what, err := range map[string]error{
		"deactivate": account.Deactivate(t.Context(), "", keyID),
		"reactivate": account.Reactivate(t.Context(), "", keyID),
		"delete":     account.Delete(t.Context(), "", keyID),
		"user":       second(account.User(t.Context(), "")),
		"keys":       second(account.Keys(t.Context(), "")),
	} {
		if err == nil || !strings.Contains(err.Error(), "no IAM user is named") {
			t.Errorf("%s: %v, want a refusal", what, err)
		}
	}
	cloud.wantCalls(t)
}

func second[T any](_ T, err error) error { return err }
