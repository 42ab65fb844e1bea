package awssim

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// EC2's limits on tags. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
const (
	maxTags     = 50 // per resource; aws: tags don't count
	maxTagKey   = 128
	maxTagValue = 256 // characters, as maxTagKey
)

type tag struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

// tagToDelete names a tag by its key, and by its value too if one is given.
type tagToDelete struct {
	key   string
	value *string
}

// tagDescription is a line of DescribeTags.
type tagDescription struct {
	ResourceID   string `xml:"resourceId"`
	ResourceType string `xml:"resourceType"`
	Key          string `xml:"key"`
	Value        string `xml:"value"`
}

// createTags sets tags on all of the instances, or on none. The caller holds mu.
func (c *Cloud) createTags(ids []string, tags []tag) error {
	for _, t := range tags {
		if err := checkTag(t); err != nil {
			return err
		}
	}
	machines, err := c.lookupTagged(ids)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if err := m.hasRoom(tags); err != nil {
			return err
		}
	}
	for _, m := range machines {
		for _, t := range tags {
			m.Tags[t.Key] = t.Value
		}
		m.Name = m.Tags["Name"]
	}
	c.changed()
	return nil
}

// deleteTags removes tags from the instances; with none named, all that a person may remove. A tag that isn't there, or
// has another value than the one given, is left alone without complaint.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html
func (c *Cloud) deleteTags(ids []string, tags []tagToDelete) error {
	for _, t := range tags {
		if err := checkReserved(t.key); err != nil {
			return err
		}
	}
	machines, err := c.lookupTagged(ids)
	if err != nil {
		return err
	}
	for _, m := range machines {
		if len(tags) == 0 {
			maps.DeleteFunc(m.Tags, func(key, _ string) bool { return !reserved(key) })
		}
		for _, t := range tags {
			if t.value == nil || m.Tags[t.key] == *t.value {
				delete(m.Tags, t.key)
			}
		}
		m.Name = m.Tags["Name"]
	}
	c.changed()
	return nil
}

// lookupTagged is lookup for calls that take any resource's id. This cloud has instances alone.
func (c *Cloud) lookupTagged(ids []string) ([]*machine, error) {
	if len(ids) == 0 {
		return nil, errMissing("resourceIdSet")
	}
	for _, id := range ids {
		if !strings.HasPrefix(id, "i-") {
			return nil, refuse("InvalidID", "The ID '%s' is not valid", id)
		}
	}
	return c.lookup(ids)
}

// hasRoom says whether the tags still fit.
func (m *machine) hasRoom(tags []tag) error {
	keys := map[string]bool{}
	for key := range m.Tags {
		keys[key] = !reserved(key)
	}
	for _, t := range tags {
		keys[t.Key] = true
	}
	n := 0
	for _, counts := range keys {
		if counts {
			n++
		}
	}
	if n > maxTags {
		return refuse("TagLimitExceeded", "More than %d tags for the instance '%s'", maxTags, m.ID)
	}
	return nil
}

func checkTag(t tag) error {
	switch {
	case t.Key == "":
		return refuse("InvalidParameterValue", "Tag key cannot be empty")
	case utf8.RuneCountInString(t.Key) > maxTagKey:
		return refuse("InvalidParameterValue", "Tag key exceeds the maximum length of %d characters", maxTagKey)
	case utf8.RuneCountInString(t.Value) > maxTagValue:
		return refuse("InvalidParameterValue", "Tag value exceeds the maximum length of %d characters", maxTagValue)
	}
	return checkReserved(t.Key)
}

func checkReserved(key string) error {
	if reserved(key) {
		return refuse("InvalidParameterValue", "Value ( %s ) for parameter key is invalid. Tag keys starting with 'aws:' are reserved for internal use", key)
	}
	return nil
}

// reserved says whether only AWS itself sets a tag, such as aws:autoscaling:groupName on a member of a group.
func reserved(key string) bool {
	return len(key) >= 4 && strings.EqualFold(key[:4], "aws:")
}

// describeTags gives the tags that pass, by instance and key, and the token of the next page or "".
// The caller holds mu.
func (c *Cloud) describeTags(filters []filter, maxResults int, token string) ([]tagDescription, string, error) {
	if err := checkFilters(filters, tagDescription{}.values); err != nil {
		return nil, "", err
	}
	after, err := readToken(token)
	if err != nil {
		return nil, "", err
	}
	var page []tagDescription
	last := ""
	for _, m := range c.byID() {
		for _, key := range slices.Sorted(maps.Keys(m.Tags)) {
			t := tagDescription{m.ID, "instance", key, m.Tags[key]}
			place := m.ID + " " + key
			if place <= after || !matchAll(filters, t.values) {
				continue
			}
			if maxResults > 0 && len(page) == maxResults {
				return page, writeToken(last), nil
			}
			page, last = append(page, t), place
		}
	}
	return page, "", nil
}

// values is what a filter of DescribeTags looks at.
func (t tagDescription) values(filterName string) ([]string, bool) {
	switch filterName {
	case "resource-id":
		return []string{t.ResourceID}, true
	case "resource-type":
		return []string{t.ResourceType}, true
	case "key":
		return []string{t.Key}, true
	case "value":
		return []string{t.Value}, true
	}
	if key, ok := strings.CutPrefix(filterName, "tag:"); ok {
		if key == t.Key {
			return []string{t.Value}, true
		}
		return nil, true
	}
	return nil, false
}

// sortedTags lists tags by key, or gives nil when there are none: EC2 then leaves the whole set out.
func sortedTags(tags map[string]string) []tag {
	var list []tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, tag{key, tags[key]})
	}
	return list
}
