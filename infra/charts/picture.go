package charts

import "math"

// picture is bars side by side, each of parts that stand on one another.
type picture struct {
	name   string // of the file
	title  string
	words  string   // the numbers, for those who cannot see them
	series []series // from the bottom up
	bars   []bar
	axis   string // what a bar stands for
	empty  string // said where there is nothing to show
	mark   *mark
}

// series is what one part of every bar means.
type series struct {
	name  string
	paint paint
}

type bar struct {
	labels []string  // under it, one below the other
	parts  []float64 // one for each series
}

// mark is a line across the axis.
type mark struct {
	at    float64 // in bars: 3 is between the third and the fourth
	label string
}

func (b bar) total() float64 {
	var sum float64
	for _, n := range b.parts {
		sum += n
	}
	return sum
}

// total is how much there is of one series.
func (p picture) total(series int) float64 {
	var sum float64
	for _, b := range p.bars {
		sum += b.parts[series]
	}
	return sum
}

// highest is the first of the highest bars; -1 where none has anything.
func (p picture) highest() int {
	found, most := -1, 0.0
	for n, b := range p.bars {
		if b.total() > most {
			found, most = n, b.total()
		}
	}
	return found
}

// ticks are the axis' numbers for bars of up to that height: some few whole
// and round ones, from 0.
func ticks(height float64) []float64 {
	const few = 5
	power := math.Pow10(int(math.Floor(math.Log10(max(1, height/few)))))
	step := power
	for _, round := range []float64{1, 2, 5, 10} {
		if step = round * power; step*few >= height {
			break
		}
	}
	all := []float64{0}
	for all[len(all)-1] < height {
		all = append(all, float64(len(all))*step)
	}
	return all
}
