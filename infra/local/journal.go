package local

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"sekisho/infra/local/awssim"
)

// journalLength is how many entries are kept; the oldest go first.
const journalLength = 200

// entry is one line of "What happened".
type entry struct {
	Seq      int       `json:"seq"`
	At       time.Time `json:"at"`
	Kind     string    `json:"kind"`           // "state", "tag", "call" (the bot's), "refused" (to the console), "schedule", "bounce"
	Instance string    `json:"instance"`       // id
	Name     string    `json:"name"`           // of the instance, or of the IAM user; a mail's recipients
	From     string    `json:"from,omitempty"` // of a state; empty for a new instance
	To       string    `json:"to,omitempty"`
	Detail   string    `json:"detail,omitempty"` // "tag Auth set", "StopInstances", a job; never a tag's value
	Code     string    `json:"code,omitempty"`   // "IncorrectInstanceState"
}

// journal is what happened to the instances. It learns of changes by comparing, so it shows what is true, not what events
// say: those can be lost, late or doubled.
type journal struct {
	now func() time.Time

	mu      sync.Mutex
	entries []entry
	seq     int
	last    map[string]awssim.Instance
}

func newJournal(now func() time.Time, first []awssim.Instance) *journal {
	j := &journal{now: now, last: map[string]awssim.Instance{}}
	for _, i := range first {
		j.last[i.ID] = i
	}
	return j
}

// compare writes down how the instances differ from when it last looked.
func (j *journal) compare(now []awssim.Instance) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, i := range now {
		before, known := j.last[i.ID]
		j.last[i.ID] = i
		if before.State != i.State {
			j.write(entry{Kind: "state", Instance: i.ID, From: before.State, To: i.State})
		}
		if !known {
			continue // the tags of a new instance are its own
		}
		for _, key := range slices.Sorted(maps.Keys(i.Tags)) {
			if value, had := before.Tags[key]; !had || value != i.Tags[key] {
				j.write(entry{Kind: "tag", Instance: i.ID, Detail: "tag " + key + " set"})
			}
		}
		for _, key := range slices.Sorted(maps.Keys(before.Tags)) {
			if _, has := i.Tags[key]; !has {
				j.write(entry{Kind: "tag", Instance: i.ID, Detail: "tag " + key + " removed"})
			}
		}
	}
}

// call writes down a call of the bot's if it changed something or failed, and says whether it did: mere looking would
// drown the rest.
func (j *journal) call(c awssim.Call) bool {
	if c.Service == "sqs" || looking(c.Action) && c.ErrorCode == "" {
		return false
	}
	e := entry{Kind: "call", Detail: c.Action, Code: c.ErrorCode}
	if c.Service == "ses" {
		e.Name = strings.Join(c.IDs, ", ")
	} else if len(c.IDs) > 0 && c.Service == "iam" {
		e.Name = c.IDs[0]
	} else if len(c.IDs) > 0 {
		e.Instance = c.IDs[0]
	}
	j.add(e)
	return true
}

func looking(action string) bool {
	verbs := []string{"Describe", "List", "Get", "BatchGet", "Generate", "Simulate"}
	return slices.ContainsFunc(verbs, func(verb string) bool { return strings.HasPrefix(action, verb) })
}

func (j *journal) add(e entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(e)
}

// write expects mu to be held.
func (j *journal) write(e entry) {
	j.seq++
	e.Seq, e.At, e.Name = j.seq, j.now(), cmp.Or(e.Name, j.last[e.Instance].Name)
	j.entries = append(j.entries, e)
	if extra := len(j.entries) - journalLength; extra > 0 {
		j.entries = slices.Delete(j.entries, 0, extra)
	}
}

func (j *journal) all() []entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]entry{}, j.entries...) // never null on the page
}
