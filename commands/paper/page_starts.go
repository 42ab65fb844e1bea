package paper

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"sekisho/auth/report"
)

func (c composer) starts() []block {
	s := c.Starts
	return []block{
		c.breakGlass(),
		c.outcomes(),
		table(c, "Why starts were refused", reasons(s), []string{"Reason", "Starts"}, func(reason string) []phrase {
			return []phrase{plain(because(reason)), number(s.Refused[reason])}
		}),
		c.days(),
		c.passes(),
		table(c, "People, the busiest first", s.People, []string{"Who", "Asked", "Let in", "Refused", "Approved", "Denied"},
			func(p report.Person) []phrase {
				return []phrase{
					plain(person(p.User, p.Name)), number(p.Asked), number(p.Admitted), number(p.Refused), number(p.Approved), number(p.Denied),
				}
			}),
		table(c, "Instances, the most refused first", s.Instances, []string{"Instance", "Let in", "Refused"},
			func(i report.Instance) []phrase { return []phrase{id(i.ID), number(i.Admitted), number(i.Refused)} }),
	}
}

// breakGlass comes first, also to say that there was none.
func (c composer) breakGlass() block {
	list := c.Starts.BreakGlass
	if len(list) == 0 {
		return lines(finef("✓ Nobody went without an approval that was needed (break glass)."))
	}
	b := table(c, fmt.Sprintf("⚠ Break glass: %s without the approval that was needed", plural(len(list), "pass was given", "passes were given")),
		list, []string{"When", "Who", "Instance", "Why"}, func(g report.BreakGlass) []phrase {
			return []phrase{when(g.At), plain(person(g.User, g.Name)), id(g.Instance), note(g.Why)}
		})
	b.Tone = bad
	return b
}

func (c composer) outcomes() block {
	s := c.Starts
	if s.Total == 0 {
		return lines(plain("No guarded instance was started.")).drawnIn("starts.png")
	}
	all := fmt.Sprintf("%s: %d let in, %d refused.", plural(s.Total, "start", "starts"), s.Admitted, s.RefusedTotal())
	if s.Observed > 0 {
		all += fmt.Sprintf(" Of the refused, %d ran: observe mode.", s.Observed)
	}
	b := lines(plain(all))
	if s.Unstopped > 0 {
		b.Lines = append(b.Lines, badf("✗ %s could not be stopped as the policy wants; the trail says why.",
			plural(s.Unstopped, "refused start", "refused starts")))
	}
	if s.Swept > 0 {
		b.Lines = append(b.Lines, plainf("%s found by the sweep only: no event had told of it.", plural(s.Swept, "start was", "starts were")))
	}
	return b
}

// reasons are those for which starts were refused, the most frequent first.
func reasons(s report.Starts) []string {
	return slices.SortedFunc(maps.Keys(s.Refused), func(a, b string) int {
		return cmp.Or(cmp.Compare(s.Refused[b], s.Refused[a]), cmp.Compare(a, b))
	})
}

// days are the newest days, where they are more than can be shown.
func (c composer) days() block {
	list := c.Starts.Days
	earlier := max(0, len(list)-c.most)
	tallest := 0
	for _, d := range list[earlier:] {
		tallest = max(tallest, d.Admitted+d.Refused)
	}
	if tallest == 0 {
		return block{}
	}
	b := table(c, "Starts per day", list[earlier:], []string{"Day", "Let in", "Refused", "█ let in ▒ refused"}, func(d report.Day) []phrase {
		return []phrase{plain(weekday(d.Date)), number(d.Admitted), number(d.Refused), bar(d.Admitted, d.Refused, tallest)}
	})
	if earlier > 0 {
		b.More = fmt.Sprintf("… and %s, in the CSV and the JSON.", plural(earlier, "earlier day", "earlier days"))
	}
	return b.drawnIn("starts.png")
}

// weekday is "Mon 16 Nov 2026" for "2026-11-16".
func weekday(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return clean(day, nameMost)
	}
	return t.Format("Mon 2 Jan 2006")
}

// bar draws two numbers, of which none that is not 0 disappears.
func bar(full, light, tallest int) phrase {
	const width = 20
	long := func(n int) int {
		if n == 0 {
			return 0
		}
		return max(1, n*width/tallest)
	}
	return phrase{strings.Repeat("█", long(full)) + strings.Repeat("▒", long(light)), bars}
}

func (c composer) passes() block {
	p, d := c.Starts.Passes, c.Starts.Decisions
	if p.Asked+d.Count+d.NoAnswers+d.RefusedClicks == 0 {
		return lines(plain("Nobody asked for a pass."))
	}
	b := lines(
		plainf("%s asked for: %d given at once, %d needed an approval, %d turned down by the policy.",
			plural(p.Asked, "pass was", "passes were"), p.AtOnce, p.Requests, p.Turned),
		plainf("Requests: %d approved, %d denied, %d lapsed, %d withdrawn.", p.Approved, p.Denied, p.Lapsed, p.Withdrawn),
	)
	b.Title = "Passes and approvals"
	if d.Median != nil {
		b.Lines = append(b.Lines, plainf("%s, half of them within %s of the asking; %d (%d%%) within 5 seconds, which is hardly time to read.",
			plural(d.Count, "decision", "decisions"), span(time.Duration(*d.Median)*time.Second), d.Under5s, d.Share5s))
	}
	if d.NoAnswers > 0 {
		b.Lines = append(b.Lines, badf("✗ %s never answered by anybody.", plural(d.NoAnswers, "request was", "requests were")))
	}
	if d.RefusedClicks > 0 {
		b.Lines = append(b.Lines, plainf("%s refused: of people who may not decide, or too late.", plural(d.RefusedClicks, "click was", "clicks were")))
	}
	return b
}
