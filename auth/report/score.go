package report

import (
	"cmp"
	"math"
	"slices"
)

// cost is what findings take from a score of 100.
func cost(findings []Finding) int {
	sum := 0
	for _, k := range kinds() {
		if slices.Contains(findings, k.finding) {
			sum += k.points
		}
	}
	return sum
}

// score is the account's, with the sums that lead to it.
func score(u Users) *Score {
	s := &Score{Mean: 100, Users: u.Total, Lost: []Lost{}}
	lost := 0
	for _, k := range kinds() {
		times := 0
		for _, user := range u.List {
			if slices.Contains(user.Findings, k.finding) {
				times++
			}
		}
		if times > 0 {
			s.Lost = append(s.Lost, Lost{k.finding, k.points, times, k.points * times})
			lost += k.points * times
		}
	}
	slices.SortStableFunc(s.Lost, func(a, b Lost) int { return cmp.Compare(b.Sum, a.Sum) })
	if u.Total > 0 {
		s.Mean = math.Round(10*(100-float64(lost)/float64(u.Total))) / 10
	}
	s.Total = s.Mean
	if u.Root != nil {
		s.Root = &u.Root.Score
		s.Total = min(s.Mean, float64(u.Root.Score))
	}
	return s
}
