package awssim_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"sekisho/infra/local/awssim"
)

const day = 24 * time.Hour

func (w *world) addUser(t *testing.T, u awssim.User) awssim.User {
	t.Helper()
	added, err := w.AddUser(u)
	wantOK(t, err)
	return added
}

func TestAddUserFillsGaps(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	old := clock.now().Add(-100 * day)
	keys := []awssim.AccessKey{{Active: true}, {ID: "AKIATESTTESTTESTKEY1", Created: old}}
	u := w.addUser(t, awssim.User{Name: "hana", Keys: keys})
	if u.Path != "/" || !strings.HasPrefix(u.ID, "AIDA") || len(u.ID) != 21 || u.Tags == nil || !u.Created.Equal(old.Truncate(time.Second)) {
		t.Errorf("added %+v", u)
	}
	first, second := u.Keys[0], u.Keys[1]
	if !strings.HasPrefix(first.ID, "AKIA") || len(first.ID) != 20 || !first.Created.Equal(clock.now().Truncate(time.Second)) || !first.Used.IsZero() {
		t.Errorf("first key %+v", first)
	}
	if second.ID != "AKIATESTTESTTESTKEY1" || second.Active {
		t.Errorf("second key %+v", second)
	}

	// what was given and what is got are copies
	keys[0].Active, u.Keys[1].Active, u.Tags["a"] = false, true, "b"
	got, _ := w.User("hana")
	if !got.Keys[0].Active || got.Keys[1].Active || len(got.Tags) != 0 {
		t.Errorf("changed from outside: %+v", got)
	}
}

func TestAddUserRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	key := func(id string) awssim.AccessKey { return awssim.AccessKey{ID: id} }
	const taken = "AKIATESTTESTTESTTAKE"
	u := w.addUser(t, awssim.User{Name: "Hana", Keys: []awssim.AccessKey{key(taken)}})
	tests := map[string]struct {
		user awssim.User
		code string
	}{
		"the name":              {awssim.User{Name: "Hana"}, "EntityAlreadyExists"},
		"another case":          {awssim.User{Name: "hANA"}, "EntityAlreadyExists"},
		"the id":                {awssim.User{Name: "ben", ID: u.ID}, "EntityAlreadyExists"},
		"a key":                 {awssim.User{Name: "ben", Keys: []awssim.AccessKey{key(taken)}}, "EntityAlreadyExists"},
		"the same key twice":    {awssim.User{Name: "ben", Keys: []awssim.AccessKey{key("AKIATESTTESTTESTSAME"), key("AKIATESTTESTTESTSAME")}}, "EntityAlreadyExists"},
		"a third key":           {awssim.User{Name: "ben", Keys: make([]awssim.AccessKey, 3)}, "LimitExceeded"},
		"a key's id":            {awssim.User{Name: "ben", Keys: []awssim.AccessKey{key("AKIA")}}, "ValidationError"},
		"no name":               {awssim.User{}, "ValidationError"},
		"a name with a space":   {awssim.User{Name: "ben t"}, "ValidationError"},
		"a name too long":       {awssim.User{Name: strings.Repeat("b", 65)}, "ValidationError"},
		"a path without an end": {awssim.User{Name: "ben", Path: "/ci"}, "ValidationError"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := w.AddUser(tt.user)
			wantCode(t, err, tt.code)
		})
	}
	if users := w.Users(); len(users) != 1 {
		t.Errorf("%d users, want those refused not to be there", len(users))
	}
	w.addUser(t, awssim.User{Name: strings.Repeat("b", 64), Path: "/ci/deploy/"})
}

func TestKeysInTheConsole(t *testing.T) {
	clock := newClock()
	w := newWorld(t, awssim.Options{Now: clock.now})
	w.addUser(t, awssim.User{Name: "hana"})
	first, err := w.CreateKey("hana")
	wantOK(t, err)
	second, err := w.CreateKey("hana")
	wantOK(t, err)
	_, err = w.CreateKey("hana")
	if message := wantCode(t, err, "LimitExceeded"); message != "Cannot exceed quota for AccessKeysPerUser: 2" {
		t.Errorf("message %q", message)
	}
	_, err = w.CreateKey("nobody")
	wantCode(t, err, "NoSuchEntity")

	clock.advance(day)
	wantOK(t, w.UseKey(first.ID, "s3", "eu-west-1"))
	wantOK(t, w.SetKey(first.ID, false))
	clock.advance(day)
	wantCode(t, w.UseKey(first.ID, "ec2", "eu-central-1"), "InvalidClientTokenId") // not counted as a use
	wantOK(t, w.AgeKey(first.ID, 90*day))
	wantOK(t, w.AgeKey(second.ID, 91*day))
	got, _ := w.User("hana")
	wantFirst := awssim.AccessKey{ID: first.ID, Created: first.Created.Add(-90 * day), Used: first.Created.Add(-89 * day), Service: "s3", Region: "eu-west-1"}
	wantSecond := awssim.AccessKey{ID: second.ID, Active: true, Created: second.Created.Add(-91 * day)}
	if !slices.Equal(got.Keys, []awssim.AccessKey{wantFirst, wantSecond}) {
		t.Errorf("keys %+v, want\n%+v and\n%+v", got.Keys, wantFirst, wantSecond)
	}

	wantOK(t, w.DeleteKey(second.ID))
	if got, _ := w.User("hana"); len(got.Keys) != 1 || got.Keys[0].ID != first.ID {
		t.Errorf("one of two keys deleted, and there are %+v", got.Keys)
	}
	wantCode(t, w.DeleteKey(second.ID), "NoSuchEntity")
	wantCode(t, w.SetKey(second.ID, true), "NoSuchEntity")
	wantCode(t, w.AgeKey(second.ID, day), "NoSuchEntity")
	wantCode(t, w.UseKey(second.ID, "s3", "eu-west-1"), "InvalidClientTokenId")
}

func TestDeletedUserIsGone(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	u := w.addUser(t, awssim.User{Name: "hana", Keys: make([]awssim.AccessKey, 1)})
	w.addUser(t, awssim.User{Name: "ben"})
	wantOK(t, w.DeleteUser("hana"))
	wantCode(t, w.DeleteUser("hana"), "NoSuchEntity")
	if _, there := w.User("hana"); there {
		t.Error("the user is still there")
	}
	wantCode(t, w.SetKey(u.Keys[0].ID, true), "NoSuchEntity")
	if users := w.Users(); len(users) != 1 || users[0].Name != "ben" {
		t.Errorf("left are %+v", users)
	}
	again := w.addUser(t, awssim.User{Name: "HANA"}) // the name is free, in any case
	if again.ID == u.ID {
		t.Error("a new user has the old one's id")
	}
}

func TestUserTags(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	w.addUser(t, awssim.User{Name: "hana"})
	wantOK(t, w.SetUserTag("hana", "Team", "ml"))
	wantOK(t, w.SetUserTag("hana", "team", "web")) // not another tag: IAM's keys don't differ in case alone
	wantOK(t, w.SetUserTag("hana", "Exempt", ""))
	out, err := w.iam.ListUserTags(t.Context(), &iam.ListUserTagsInput{UserName: aws.String("hana")})
	wantOK(t, err)
	got := map[string]string{}
	for _, tag := range out.Tags {
		got[*tag.Key] = *tag.Value
	}
	if want := map[string]string{"team": "web", "Exempt": ""}; !maps.Equal(got, want) || out.IsTruncated {
		t.Errorf("tags %v, want %v", got, want)
	}
	wantOK(t, w.DeleteUserTag("hana", "EXEMPT"))
	wantOK(t, w.DeleteUserTag("hana", "not there"))
	for n := range 49 {
		wantOK(t, w.SetUserTag("hana", fmt.Sprint("t", n), "x"))
	}
	wantCode(t, w.SetUserTag("hana", "one-more", "x"), "LimitExceeded")
	wantOK(t, w.SetUserTag("hana", "t0", "another value"))
	if u, _ := w.User("hana"); len(u.Tags) != 50 || u.Tags["t0"] != "another value" {
		t.Errorf("%d tags, t0 is %q", len(u.Tags), u.Tags["t0"])
	}
	wantCode(t, w.SetUserTag("hana", "aws:mine", "x"), "InvalidInput")
	wantCode(t, w.SetUserTag("nobody", "a", "b"), "NoSuchEntity")
	wantCode(t, w.DeleteUserTag("nobody", "a"), "NoSuchEntity")

	n := 0
	pages := iam.NewListUserTagsPaginator(w.iam, &iam.ListUserTagsInput{UserName: aws.String("hana"), MaxItems: aws.Int32(20)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		wantOK(t, err)
		n += len(page.Tags)
	}
	if n != 50 {
		t.Errorf("%d tags on all pages, want 50", n)
	}
}

func TestUsersChange(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	u := w.addUser(t, awssim.User{Name: "hana", Keys: []awssim.AccessKey{{Active: true}}})
	changes := w.Changes(t.Context())
	key := u.Keys[0].ID
	for name, change := range map[string]func() error{
		"AddUser":       func() error { _, err := w.AddUser(awssim.User{Name: "ben"}); return err },
		"CreateKey":     func() error { _, err := w.CreateKey("hana"); return err },
		"UseKey":        func() error { return w.UseKey(key, "s3", "eu-west-1") },
		"AgeKey":        func() error { return w.AgeKey(key, day) },
		"SetUserTag":    func() error { return w.SetUserTag("hana", "a", "b") },
		"DeleteUserTag": func() error { return w.DeleteUserTag("hana", "a") },
	} {
		wantOK(t, change())
		wantTick(t, name, changes)
	}
	wantOK(t, w.SetKey(key, false))
	wantTick(t, "SetKey", changes)
	wantOK(t, w.DeleteKey(key))
	wantTick(t, "DeleteKey", changes)
	wantOK(t, w.DeleteUser("hana"))
	wantTick(t, "DeleteUser", changes)
}

func wantTick(t *testing.T, change string, changes <-chan struct{}) {
	t.Helper()
	select {
	case <-changes:
	default:
		t.Errorf("%s gave no tick", change)
	}
}
