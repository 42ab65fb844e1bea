package policyfile_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/infra/policyfile"
)

// shadowed says whether Parse takes the second of two rules for one that can
// never match, with the conditions of each as YAML.
func shadowed(t *testing.T, first, second string) bool {
	t.Helper()
	p, err := policyfile.Parse("sekisho.yml", []byte(twoRules(first, second)))
	if err != nil && !strings.Contains(err.Error(), `rule "second" can never match: rule "first" on line 7 matches all that it does`) {
		t.Fatal(err)
	}
	if err == nil && len(p.Rules) != 2 {
		t.Fatalf("rules: %+v", p.Rules)
	}
	return err != nil
}

func twoRules(first, second string) string {
	head, _, _ := strings.Cut(minimal, "  - {")
	return head + "  - {name: first, ask: [everyone], match: {" + first + "}}\n  - {name: second, ask: [everyone], match: {" + second + "}}\n"
}

func TestParseKnowsRulesInAnothersShadow(t *testing.T) {
	for _, c := range []struct {
		first, second string
		want          bool
	}{
		{"", "", true},
		{"", "types: [p5.*]", true},
		{"types: [p5.*]", "", false},
		{"names: ['*']", "", true},
		{"types: [p5.*, g6.*]", "types: [g6.large]", true},
		{"types: [p5.*, g6.*]", "types: [g6.large, t3.nano]", false},
		{"types: [p5.*]", "names: [p5.large]", false},
		{"tags: {A: x}", "tags: {A: x, B: y}", true},
		{"tags: {A: x, B: y}", "tags: {A: x}", false},
		{"tags: {A: x}", "tags: {A: y}", false},
		{"tags: {A: ''}", "tags: {B: ''}", false},
		{"accounts: ['111122223333', '444455556666']", "accounts: ['444455556666']", true},
		{"accounts: ['444455556666']", "accounts: ['111122223333', '444455556666']", false},
		{"accounts: ['444455556666']", "", false},
		{"regions: [eu-central-1]", "regions: [eu-central-1], types: [p5.*]", true},
		{"regions: [eu-central-1], types: [p5.*]", "regions: [eu-central-1]", false},
		{"regions: [eu-central-1]", "regions: [eu-west-1]", false},
		{"hours: {from: '08:00', to: '18:00', zone: UTC}", "", false},
		{"", "hours: {from: '08:00', to: '18:00', zone: UTC}", true},
		{"hours: {from: '08:00', to: '18:00', zone: UTC}", "hours: {from: '08:00', to: '18:00', zone: UTC}", true},
		{"hours: {from: '08:00', to: '18:00', zone: UTC}", "hours: {from: '08:00', to: '18:00', zone: Europe/Berlin}", false},
	} {
		if got := shadowed(t, c.first, c.second); got != c.want {
			t.Errorf("{%s} over {%s}: %t", c.first, c.second, got)
		}
	}
}

// Whatever pattern is called superfluous, each text that it matches is matched
// by the other.
func TestShadowOfEveryShortPattern(t *testing.T) {
	patterns := words("a*?", 3)
	texts := words("ab", 5)
	known := 0
	for _, first := range patterns {
		for _, second := range patterns {
			if !shadowed(t, "names: ['"+first+"']", "names: ['"+second+"']") {
				continue
			}
			known++
			for _, text := range texts {
				if auth.Like(second, text) && !auth.Like(first, text) {
					t.Errorf("%q is said to cover %q, but %q says no", first, second, text)
				}
			}
		}
	}
	if known < 100 {
		t.Errorf("only %d of %d pairs are known", known, len(patterns)*len(patterns))
	}
}

// words lists the texts of 1 to longest letters.
func words(letters string, longest int) (all []string) {
	last := []string{""}
	for range longest {
		var next []string
		for _, word := range last {
			for _, letter := range letters {
				next = append(next, word+string(letter))
			}
		}
		all, last = append(all, next...), next
	}
	return all
}

// Whatever hours are called superfluous, at each time in them the others hold.
func TestShadowOfHours(t *testing.T) {
	var all []string
	for _, days := range []string{"", ", days: [mon]", ", days: [tue, mon]"} {
		for _, from := range []int{0, 8, 16} {
			for _, to := range []int{0, 8, 16, 24} {
				if from != to {
					all = append(all, fmt.Sprintf("hours: {from: '%02d:00', to: '%02d:00', zone: UTC%s}", from, to, days))
				}
			}
		}
	}
	week := time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)
	known := 0
	for _, first := range all {
		for _, second := range all {
			if !shadowed(t, first, second) {
				continue
			}
			known++
			a, b := alone(t, first), alone(t, second)
			for hour := range 7 * 24 {
				if at := week.Add(time.Duration(hour) * time.Hour); b.Holds(at) && !a.Holds(at) {
					t.Errorf("{%s} is said to cover {%s}, but does not at %s", first, second, at.Format("Mon 15:04"))
				}
			}
		}
	}
	if known < 100 {
		t.Errorf("only %d of %d pairs are known", known, len(all)*len(all))
	}
}

// alone reads the hours of a rule that has no other before it.
func alone(t *testing.T, conditions string) *auth.Hours {
	t.Helper()
	text, _, _ := strings.Cut(twoRules(conditions, ""), "  - {name: second")
	return parse(t, text).Rules[0].Match.Hours
}
