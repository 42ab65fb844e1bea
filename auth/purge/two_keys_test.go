package purge_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// Kinds of keys on the day on which they are first seen. Old is 200 days, older
// than max_age; young is 50 days, older than the unused rule's 45. What is used
// was used yesterday, what is unused never was.
var kinds = []string{
	"active young used", "active young unused", "active old used", "active old unused",
	"inactive young used", "inactive young unused", "inactive old used", "inactive old unused",
}

// words are what may become of a key on that day, and what comes after it in how
// many days.
var words = map[string]string{
	"no":   "", // nothing is done, and nothing written down
	"warn": "warn, deactivate 14",
	"off":  "DEACTIVATE, delete 10",
	"both": "DEACTIVATE, DELETE",
	"note": "note, delete 14", // that others have deactivated it
	"n10":  "note, delete 10",
	"n30":  "note, delete 30",
	"gone": "note, DELETE",
	"woff": "would deactivate",
	"wdel": "note, would delete",
}

// verdicts says what becomes of a key of each kind under each policy. Max_age is
// 90 days, the grace 10 and the warning 14 where it does not say otherwise.
//
// What must not happen: that an active key is deleted which was not deactivated
// before; that a key ends of which nobody was warned, but at once; that a young
// one is touched, but where the unused rule is and it is unused; that anything
// in IAM is changed in observe mode, of an exempt key, or of the bot's own.
var verdicts = table(`
                        active young   active old     inactive young  inactive old
                        used   unused  used   unused  used   unused   used   unused
gentle:                 no     no      warn   warn    no     no       note   note
gentle, unused:         no     warn    warn   warn    no     note     note   note
gentle, grace 30d:      no     no      warn   warn    no     no       n30    n30
gentle, grace 0s:       no     no      warn   warn    no     no       note   note
gentle, observe:        no     no      warn   warn    no     no       note   note
at once:                no     no      off    off     no     no       n10    n10
at once, unused:        no     off     off    off     no     n10      n10    n10
at once, no warning:    no     no      off    off     no     no       n10    n10
at once, grace 0s:      no     no      both   both    no     no       gone   gone
at once, observe:       no     no      woff   woff    no     no       n10    n10
at once, observe, 0s:   no     no      woff   woff    no     no       wdel   wdel
gentle, exempt:         no     no      no     no      no     no       no     no
at once, 0s, exempt:    no     no      no     no      no     no       no     no
at once, 0s, bot's own: no     no      no     no      no     no       no     no
`)

func table(text string) map[string][]string {
	all := make(map[string][]string)
	for line := range strings.Lines(text) {
		policy, cells, isRow := strings.Cut(line, ":")
		if !isRow {
			continue
		}
		for _, cell := range strings.Fields(cells) {
			all[policy] = append(all[policy], words[cell])
		}
	}
	return all
}

// setUp makes the policy that one of the names in verdicts speaks of.
func (w *world) setUp(policy string) {
	k := w.policy.Keys
	for _, word := range strings.Split(policy, ", ") {
		switch word {
		case "gentle":
		case "at once":
			k.FirstRun = auth.AtOnce
		case "unused":
			k.Unused = 45 * day
		case "grace 30d":
			k.Grace = 30 * day
		case "grace 0s", "0s":
			k.Grace = 0
		case "no warning":
			k.Warn = nil
		case "observe":
			k.Mode = auth.Observe
		case "exempt":
			k.Exempt = []auth.KeyExemption{{Path: "/service/", User: "ha*"}}
		case "bot's own":
			w.self.UserID = "AIDATESThana"
		default:
			w.t.Fatalf("what policy is %q?", word)
		}
	}
}

// put gives hana, under /service/, a key of each of these kinds.
func (w *world) put(kinds ...string) {
	var keys []purge.Key
	for n, kind := range kinds {
		k := active([]string{key1, key2}[n], 200)
		if strings.Contains(kind, "young") {
			k.Created = dawn(-50)
		}
		k.Active = strings.HasPrefix(kind, "active")
		if strings.HasSuffix(kind, " used") {
			w.iam.uses[k.ID] = purge.Use{At: dawn(-1), Service: "s3"}
		}
		keys = append(keys, k)
	}
	w.iam.add("hana", keys...)
	w.iam.alter("hana", func(u *purge.User) { u.Path = "/service/" })
}

// became is what was done about a key on the first day, as verdicts has it, by
// what is written down and by what IAM was asked for.
func (w *world) became(id string) string {
	r := w.record(id)
	var all []string
	for _, c := range r.History {
		switch c.Verb {
		case purge.Warned:
			all = append(all, "warn")
		case purge.FoundOff:
			all = append(all, "note")
		case purge.Deactivated:
			all = append(all, "DEACTIVATE")
		case purge.Deleted:
			return strings.Join(append(all, "DELETE"), ", ")
		case purge.Would:
			return strings.Join(append(all, "would "+string(c.Do)), ", ")
		}
	}
	if s := r.Sight(); s.Next != purge.Nothing {
		all = append(all, fmt.Sprint(s.Next, " ", days(s.When.Sub(t0))))
	}
	return strings.Join(all, ", ")
}

// TestEveryTwoKeys puts every two kinds beside each other: what becomes of a key
// depends on that key alone.
func TestEveryTwoKeys(t *testing.T) {
	for policy, want := range verdicts {
		t.Run(policy, func(t *testing.T) {
			for a, first := range kinds {
				for b, second := range kinds {
					w := newWorld(t)
					w.setUp(policy)
					w.put(first, second)
					w.sweep()
					did := w.iam.changes()
					for n, id := range []string{key1, key2} {
						kind, want := kinds[[]int{a, b}[n]], want[[]int{a, b}[n]]
						if got := w.became(id); got != want {
							t.Errorf("%s, of %s and %s: %q; want %q", kind, first, second, got, want)
						}
						if got := of(id, did); !slices.Equal(got, ends(id, want)) {
							t.Errorf("%s, of %s and %s: in IAM %q; want %q", kind, first, second, got, ends(id, want))
						}
					}
				}
			}
		})
	}
}

// of is what was done with one key.
func of(id string, did []string) []string {
	return slices.DeleteFunc(slices.Clone(did), func(call string) bool { return !strings.HasSuffix(call, id) })
}

// ends lists the changes in IAM that a verdict names.
func ends(id, verdict string) []string {
	var all []string
	for _, do := range []string{"deactivate", "delete"} {
		if strings.Contains(verdict, strings.ToUpper(do)) {
			all = append(all, do+" "+id)
		}
	}
	return all
}

// TestTwoKeys plays the cases that have cost people their keys elsewhere, day by
// day: what happens, and what must not.
func TestTwoKeys(t *testing.T) {
	const ever = 400
	type never struct {
		call  string
		until int // a day
	}
	for _, c := range []struct {
		name          string
		policy        string
		first, second string
		happens       []string // "day call"
		never         []never
	}{
		{
			"both are too old and in use: each is warned of; neither is sacrificed for the other",
			"gentle", "active old used", "active old used",
			[]string{"14 deactivate " + key1, "14 deactivate " + key2, "24 delete " + key1, "24 delete " + key2},
			[]never{{"deactivate", 13}, {"delete", 23}},
		},
		{
			"the old one is in use, the new one was never used: the old one ends, and not the new one",
			"gentle", "active old used", "active young unused",
			[]string{"14 deactivate " + key1, "24 delete " + key1, "40 deactivate " + key2, "50 delete " + key2},
			[]never{{"deactivate " + key2, 39}, {"delete " + key2, 49}, {"delete " + key1, 23}},
		},
		{
			"the old one is inactive, the new one in use: only the old one is deleted",
			"gentle", "inactive old unused", "active young used",
			[]string{"14 delete " + key1, "40 deactivate " + key2, "50 delete " + key2},
			[]never{{"delete " + key1, 13}, {"deactivate " + key1, ever}, {"delete " + key2, 49}},
		},
		{
			"the old one is in use, the new one inactive: the new one is not deleted for being inactive",
			"gentle", "active old used", "inactive young unused",
			[]string{"14 deactivate " + key1, "24 delete " + key1, "54 delete " + key2},
			[]never{{"delete " + key2, 53}, {"deactivate " + key2, ever}},
		},
		{
			"both are inactive and old: both are deleted, after the full warning",
			"gentle", "inactive old used", "inactive old unused",
			[]string{"14 delete " + key1, "14 delete " + key2},
			[]never{{"delete", 13}, {"deactivate", ever}},
		},
		{
			"never used and never deactivated: at once, and still deactivated before it is deleted",
			"at once", "active old unused", "active young used",
			[]string{"0 deactivate " + key1, "10 delete " + key1, "40 deactivate " + key2, "50 delete " + key2},
			[]never{{"delete", 9}, {"deactivate " + key2, 39}},
		},
		{
			"without a grace: deactivated, then deleted, on one day",
			"at once, grace 0s", "active old used", "active young used",
			[]string{"0 deactivate " + key1, "0 delete " + key1, "40 deactivate " + key2, "40 delete " + key2},
			[]never{{"delete " + key2, 39}},
		},
		{
			"used yesterday and unused, of one user: only the unused one ends by the unused rule",
			"gentle, unused", "active young used", "active young unused",
			[]string{"14 deactivate " + key2, "24 delete " + key2, "40 deactivate " + key1, "50 delete " + key1},
			[]never{{"deactivate " + key1, 39}, {"delete " + key1, 49}},
		},
		{
			"observed",
			"at once, observe, 0s", "active old used", "inactive old unused",
			nil, []never{{"deactivate", ever}, {"delete", ever}},
		},
		{
			"exempt",
			"at once, 0s, exempt", "active old used", "inactive old unused",
			nil, []never{{"deactivate", ever}, {"delete", ever}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.setUp(c.policy)
			w.put(c.first, c.second)
			var happened []string
			for n := range 100 {
				if n > 0 {
					w.wait(day)
					if strings.HasPrefix(c.first, "active young used") {
						w.useActive(key1)
					}
				}
				w.sweep()
				for _, call := range w.iam.changes() {
					happened = append(happened, fmt.Sprint(n, " ", call))
					for _, not := range c.never {
						if n <= not.until && strings.HasPrefix(call, not.call) {
							t.Errorf("day %d: %s", n, call)
						}
					}
				}
			}
			if !slices.Equal(happened, c.happens) {
				t.Errorf("what happened: %q; want %q", happened, c.happens)
			}
		})
	}
}

func (w *world) useActive(id string) {
	if w.iam.is(id) == "active" {
		w.iam.use(id)
	}
}
