package awssim_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/configservice"
	"github.com/aws/aws-sdk-go-v2/service/configservice/types"

	"sekisho/infra/local/awssim"
)

const userType = types.ResourceTypeUser

func (w *world) discover(t *testing.T, ids ...string) ([]types.ResourceIdentifier, error) {
	t.Helper()
	out, err := w.config.ListDiscoveredResources(t.Context(), &configservice.ListDiscoveredResourcesInput{ResourceType: userType, ResourceIds: ids})
	if err != nil {
		return nil, err
	}
	return out.ResourceIdentifiers, nil
}

func (w *world) batchGet(t *testing.T, keys ...types.ResourceKey) (*configservice.BatchGetResourceConfigOutput, error) {
	t.Helper()
	return w.config.BatchGetResourceConfig(t.Context(), &configservice.BatchGetResourceConfigInput{ResourceKeys: keys})
}

func userKey(id string) types.ResourceKey {
	return types.ResourceKey{ResourceType: userType, ResourceId: &id}
}

func TestConfigNamesAUser(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	u := w.addUser(t, awssim.User{Name: "hana", Path: "/ops/"})
	found, err := w.discover(t, u.ID, "AIDATESTTESTTESTNONE1")
	wantOK(t, err)
	if len(found) != 1 || *found[0].ResourceId != u.ID || *found[0].ResourceName != "hana" || found[0].ResourceType != userType {
		t.Errorf("discovered %+v", found)
	}

	out, err := w.batchGet(t, userKey(u.ID), userKey("AIDATESTTESTTESTNONE1"), types.ResourceKey{ResourceType: types.ResourceTypeRole, ResourceId: &u.ID})
	wantOK(t, err)
	if len(out.BaseConfigurationItems) != 1 || len(out.UnprocessedResourceKeys) != 2 || *out.UnprocessedResourceKeys[0].ResourceId != "AIDATESTTESTTESTNONE1" {
		t.Fatalf("got %+v", out)
	}
	item := out.BaseConfigurationItems[0]
	const arn = "arn:aws:iam::111122223333:user/ops/hana"
	if *item.ResourceName != "hana" || *item.ResourceId != u.ID || *item.Arn != arn || !item.ResourceCreationTime.Equal(u.Created) {
		t.Errorf("configuration item %+v", item)
	}
	var inner struct{ UserName, UserID, ARN string }
	wantOK(t, json.Unmarshal([]byte(*item.Configuration), &inner))
	if inner.UserName != "hana" || inner.UserID != u.ID || inner.ARN != arn {
		t.Errorf("configuration %s", *item.Configuration)
	}
}

func TestConfigIsOutOfDate(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	u := w.addUser(t, awssim.User{Name: "hana"})
	tests := []struct {
		name   string
		set    func()
		known  bool
		called string
	}{
		{"forgotten", func() { w.ConfigForgets("hana") }, false, ""},
		{"an old name", func() { w.ConfigRecalls("hana", "hanako") }, true, "hanako"},
		{"no name", func() { w.ConfigRecalls("hana", "") }, true, ""},
		{"forgotten again", func() { w.ConfigForgets("hana") }, false, ""},
		{"the true name", func() { w.ConfigRecalls("hana", "hana") }, true, "hana"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.set()
			found, err := w.discover(t, u.ID)
			wantOK(t, err)
			if (len(found) == 1) != tt.known || tt.known && aws.ToString(found[0].ResourceName) != tt.called {
				t.Errorf("discovered %+v", found)
			}
			out, err := w.batchGet(t, userKey(u.ID))
			wantOK(t, err)
			if (len(out.BaseConfigurationItems) == 1) != tt.known || (len(out.UnprocessedResourceKeys) == 0) != tt.known ||
				tt.known && aws.ToString(out.BaseConfigurationItems[0].ResourceName) != tt.called {
				t.Errorf("got %+v", out)
			}
		})
	}
	wantOK(t, w.DeleteUser("hana"))
	found, err := w.discover(t, u.ID)
	wantOK(t, err)
	if len(found) != 0 {
		t.Errorf("a deleted user is discovered: %+v", found)
	}
}

func TestConfigRefusals(t *testing.T) {
	w := newWorld(t, awssim.Options{})
	var ids []string
	var keys []types.ResourceKey
	for n := range 101 {
		ids = append(ids, fmt.Sprintf("AIDATESTTESTTEST%05d", n))
		keys = append(keys, userKey(ids[n]))
	}
	_, err := w.discover(t, ids[:20]...)
	wantOK(t, err)
	_, err = w.discover(t, ids[:21]...)
	wantCode(t, err, "ValidationException")
	_, err = w.discover(t)
	wantCode(t, err, "ValidationException")
	out, err := w.batchGet(t, keys[:100]...)
	wantOK(t, err)
	if n := len(out.UnprocessedResourceKeys); n != 100 {
		t.Errorf("%d keys unprocessed, want 100", n)
	}
	_, err = w.batchGet(t, keys...)
	wantCode(t, err, "ValidationException")
	_, err = w.batchGet(t, []types.ResourceKey{}...)
	wantCode(t, err, "ValidationException")
	_, err = w.config.DescribeConfigurationRecorders(t.Context(), &configservice.DescribeConfigurationRecordersInput{})
	wantCode(t, err, "UnknownOperationException")

	w.Fail("ListDiscoveredResources", "NoAvailableConfigurationRecorderException", 1)
	_, err = w.discover(t, ids[0])
	wantCode(t, err, "NoAvailableConfigurationRecorderException")
	w.Throttle("ListDiscoveredResources", 2)
	_, err = w.discover(t, ids[0])
	wantOK(t, err)
	calls := w.Calls()
	if last := calls[len(calls)-1]; last.Service != "config" || !slices.Equal(last.IDs, ids[:1]) {
		t.Errorf("recorded %+v", last)
	}
	if throttled := calls[len(calls)-2]; throttled.ErrorCode != "ThrottlingException" {
		t.Errorf("throttled with %s", throttled.ErrorCode)
	}
}
