package awssim

import (
	"net/url"
	"strconv"
)

// form reads the query protocol's parameters. Lists are numbered from 1 ("InstanceId.1"), members of structures follow a
// dot ("Tag.1.Key").
type form struct {
	values url.Values
	by     caller // who sent it
}

func (f form) get(name string) string { return f.values.Get(name) }

func (f form) lookup(name string) (value string, given bool) {
	return f.values.Get(name), f.values.Has(name)
}

// list gives name.1, name.2, … up to the first that is missing.
func (f form) list(name string) []string {
	var list []string
	for i := 1; ; i++ {
		value, given := f.lookup(name + "." + strconv.Itoa(i))
		if !given {
			return list
		}
		list = append(list, value)
	}
}

// members gives the prefixes "name.1", "name.2", … of a list of structures, up to the first that has no member at all.
func (f form) members(name string) []string {
	heads := map[string]bool{}
	for key := range f.values {
		for i, r := range key {
			if r == '.' {
				heads[key[:i]] = true
			}
		}
	}
	var members []string
	for i := 1; heads[name+"."+strconv.Itoa(i)]; i++ {
		members = append(members, name+"."+strconv.Itoa(i))
	}
	return members
}

func (f form) filters() []filter {
	var filters []filter
	for _, prefix := range f.members("Filter") {
		filters = append(filters, filter{f.get(prefix + ".Name"), f.list(prefix + ".Value")})
	}
	return filters
}

func (f form) tags(name string) []tag {
	var tags []tag
	for _, prefix := range f.members(name) {
		tags = append(tags, tag{f.get(prefix + ".Key"), f.get(prefix + ".Value")})
	}
	return tags
}

// dryRun is the answer to a call that only asks whether it might: it is never carried out.
func (f form) dryRun() error {
	if f.get("DryRun") == "true" {
		return errDryRun()
	}
	return nil
}
