package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
)

// row is one line of the table.
type row struct {
	measured, ours, against, theirs, ratio string

	reach  string // empty where there is none
	missed bool
}

func printTable(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "measured\tours\tagainst\ttheirs\tratio\treach\t")
	for _, r := range rows {
		verdict := ""
		switch {
		case r.missed:
			verdict = "MISS"
		case r.reach != "":
			verdict = "ok"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.measured, r.ours, dash(r.against), dash(r.theirs), dash(r.ratio), dash(r.reach), verdict)
	}
	t.Flush()
}

func dash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

// reach is a bound that a value is to keep: above it at least, or below it at
// most.
type reach struct {
	atLeast, atMost float64
	format          string // of the value, with its unit
}

// judge fills in the row's reach, and whether value keeps it.
func (r row) judge(value float64, to reach) row {
	if to.atLeast > 0 {
		r.reach, r.missed = "≥ "+fmt.Sprintf(to.format, to.atLeast), value < to.atLeast
	} else {
		r.reach, r.missed = "≤ "+fmt.Sprintf(to.format, to.atMost), value > to.atMost
	}
	return r
}

// compare makes a row of two values that were measured in turn.
func compare(measured, against, format string, ours, theirs []float64) (r row, ratio float64) {
	ratios := make([]float64, len(ours))
	for n := range ours {
		ratios[n] = ours[n] / theirs[n]
	}
	ratio = median(ratios)
	return row{
		measured: measured, against: against,
		ours: fmt.Sprintf(format, median(ours)), theirs: fmt.Sprintf(format, median(theirs)),
		ratio: fmt.Sprintf("%.2f×", ratio),
	}, ratio
}

// rounds measures both sides n times, one right after the other; who comes
// first changes each time.
func rounds[T any](n int, ours, theirs func() (T, error)) (o, t []T, err error) {
	for i := range n {
		var a, b T
		if i%2 == 0 {
			if a, err = ours(); err == nil {
				b, err = theirs()
			}
		} else {
			if b, err = theirs(); err == nil {
				a, err = ours()
			}
		}
		if err != nil {
			return nil, nil, err
		}
		o, t = append(o, a), append(t, b)
	}
	return o, t, nil
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	half := len(sorted) / 2
	if len(sorted)%2 == 0 {
		return (sorted[half-1] + sorted[half]) / 2
	}
	return sorted[half]
}
