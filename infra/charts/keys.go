package charts

import (
	"fmt"
	"slices"

	"sekisho/auth/report"
)

// keys shows how old the access keys are, and which are older than the policy
// wants them.
func keys(r report.Report) picture {
	k := r.Keys
	p := picture{
		name:  "keys.png",
		title: "Access keys by age, " + r.Provenance.Generated.UTC().Format(fullDate+", 15:04 UTC"),
		axis:  "age in days",
		empty: "no access keys",
		series: []series{
			{fmt.Sprintf("active, under %d days", k.MaxAge), calm},
			{fmt.Sprintf("active, %d days or more", k.MaxAge), strong},
			{"inactive", hollow},
		},
		mark: &mark{place(k.MaxAge, k.Bands), fmt.Sprintf("policy: %d days", k.MaxAge)},
	}
	left := count(k.Old) // not yet drawn: the oldest of the active keys are the old ones
	for _, b := range slices.Backward(k.Bands) {
		old := min(left, count(b.Active))
		left -= old
		p.bars = append(p.bars, bar{[]string{ages(b)}, []float64{count(b.Active) - old, old, count(b.Inactive)}})
	}
	slices.Reverse(p.bars)
	p.words = p.empty
	if p.highest() >= 0 {
		p.words = fmt.Sprintf("%s active, %s of them %d days old or older; %s inactive",
			number(p.total(0)+p.total(1)), number(p.total(1)), k.MaxAge, number(p.total(2)))
	}
	return p
}

// place is where an age lies on the axis, in bars.
func place(age int, bands []report.Band) float64 {
	for n, b := range bands {
		switch {
		case b.To == 0 && age > b.From: // in a band without end
			return float64(n) + 0.5
		case b.To == 0 || age < b.To:
			return float64(n) + float64(age-b.From)/float64(max(1, b.To-b.From))
		}
	}
	return float64(len(bands))
}

// ages names a band, as in 30–59 or 365+.
func ages(b report.Band) string {
	if b.To == 0 {
		return fmt.Sprintf("%d+", b.From)
	}
	return fmt.Sprintf("%d–%d", b.From, b.To-1)
}
