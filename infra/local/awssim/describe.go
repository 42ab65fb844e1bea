package awssim

import (
	"cmp"
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The sizes of a page that EC2 takes. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html
const minPage, maxPage = 5, 1000

// seen is an instance as one DescribeInstances sees it.
type seen struct {
	Instance
	reservation string
	reason      string
	hideTags    bool
}

// describeInstances gives the instances that pass, by id, and the token of the next page or "". The caller holds mu.
func (c *Cloud) describeInstances(ids []string, filters []filter, maxResults int, token string) ([]seen, string, error) {
	if maxResults != 0 && len(ids) > 0 {
		return nil, "", refuse("InvalidParameterCombination", "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	if err := checkFilters(filters, seen{}.values); err != nil {
		return nil, "", err
	}
	after, err := readToken(token)
	if err != nil {
		return nil, "", err
	}
	candidates := c.byID()
	if len(ids) > 0 {
		if candidates, err = c.lookup(ids); err != nil {
			return nil, "", err
		}
	}
	var page []seen
	var missing []string
	for _, m := range candidates {
		if m.ID <= after {
			continue
		}
		if maxResults > 0 && len(page) == maxResults {
			return page, writeToken(page[len(page)-1].ID), nil
		}
		view, there := c.read(m)
		if !there {
			missing = append(missing, m.ID)
			continue
		}
		if matchAll(filters, view.values) {
			page = append(page, view)
		}
	}
	if len(ids) > 0 && len(missing) > 0 {
		return nil, "", errNoInstance(missing...)
	}
	return page, "", nil
}

// read is one read of an instance, with the faults that were arranged for it. Not there means that an out-of-date read
// doesn't know the instance yet.
func (c *Cloud) read(m *machine) (view seen, there bool) {
	view = seen{m.clone(), m.reservation, m.reason, useUp(c.faults.hiddenTags, m.ID)}
	if useUp(c.faults.staleReads, m.ID) {
		if m.before == nil {
			return seen{}, false
		}
		view.Instance, view.reason = m.before.clone(), ""
	}
	if view.hideTags {
		view.Tags = nil
	}
	return view, true
}

// values is what a filter of DescribeInstances looks at.
func (s seen) values(filterName string) ([]string, bool) {
	switch filterName {
	case "instance-id":
		return []string{s.ID}, true
	case "instance-state-name":
		return []string{s.State}, true
	case "instance-type":
		return []string{s.Type}, true
	case "availability-zone":
		return []string{s.AvailabilityZone}, true
	case "tag-key":
		return slices.Collect(maps.Keys(s.Tags)), true
	}
	if key, ok := strings.CutPrefix(filterName, "tag:"); ok {
		if value, has := s.Tags[key]; has {
			return []string{value}, true
		}
		return nil, true
	}
	return nil, false
}

// byID lists every instance that is still described. The caller holds mu.
func (c *Cloud) byID() []*machine {
	var all []*machine
	for id := range c.machines {
		if m := c.find(id); m != nil {
			all = append(all, m)
		}
	}
	slices.SortFunc(all, func(a, b *machine) int { return cmp.Compare(a.ID, b.ID) })
	return all
}

// A token holds the place of the last thing on its page, so that others may come and go between pages. Callers can't tell.

func writeToken(last string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("after " + last))
}

func readToken(token string) (last string, err error) {
	if token == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	last, ok := strings.CutPrefix(string(raw), "after ")
	if err != nil || !ok {
		return "", refuse("InvalidParameterValue", "Unable to parse pagination token")
	}
	return last, nil
}

// readPageSize reads MaxResults; 0 means that everything goes on one page.
func readPageSize(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < minPage || n > maxPage {
		return 0, refuse("InvalidParameterValue", "Value ( %s ) for parameter maxResults is invalid. Expecting a value between %d and %d.", text, minPage, maxPage)
	}
	return n, nil
}
