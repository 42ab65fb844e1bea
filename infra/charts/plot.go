package charts

import (
	"math"
	"strings"

	"github.com/go-analyze/charts"
)

// Baselines, from above to below.
const (
	titleAt  = 58
	legendAt = 116
	axisAt   = height - 22
)

const (
	widest   = 150  // bar
	share    = 0.86 // of a bar's room that it fills
	thinnest = 6    // part that is not nothing
	between  = 2    // two parts
)

func (p picture) png() ([]byte, error) {
	c := newCanvas()
	c.write(p.title, border, titleAt, c.fit(p.title, big, width-2*border), black)
	p.legend(c)

	t := p.plot(c)
	highest := p.highest()
	if highest >= 0 {
		t.grid(ticks(p.bars[highest].total()), len(p.bars))
	}
	t.labels(p.bars, p.axis)
	if highest < 0 {
		c.centre(p.empty, width/2, (t.roof+t.floor)/2, big, grey)
		return c.Bytes()
	}
	if p.mark != nil {
		t.mark(*p.mark)
	}
	t.bars(p, highest)
	return c.Bytes()
}

// legend says in words what each series means, and how much there is of it.
func (p picture) legend(c canvas) {
	const swatch, gap, next = 26, 10, 44
	texts := make([]string, len(p.series))
	for n, s := range p.series {
		texts[n] = number(p.total(n)) + " " + s.name
	}
	size := c.fit(strings.Join(texts, ""), large, width-2*border-len(texts)*(swatch+gap+next)+next)
	x := border
	for n, text := range texts {
		c.framed(x, legendAt+2-swatch, x+swatch, legendAt+2, p.series[n].paint)
		x += swatch + gap
		c.write(text, x, legendAt, size, black)
		x += c.wide(text, size) + next
	}
}

// plot is where the bars stand.
type plot struct {
	canvas
	left        int
	roof, floor int     // of the highest tick, and of 0
	pitch       float64 // from one bar to the next
	scale       float64 // pixels for one
}

// plot leaves room below for labels, and above for a number and the mark's label.
func (p picture) plot(c canvas) plot {
	t := plot{canvas: c, left: 2 * border, roof: legendAt + 58, floor: axisAt - line - 6}
	if p.mark != nil {
		t.roof += line
	}
	if len(p.bars) > 0 {
		t.floor -= line * len(p.bars[0].labels)
	}
	t.pitch = float64(width-border-t.left) / float64(max(1, len(p.bars)))
	return t
}

// x is where that many bars end.
func (t plot) x(bars float64) int { return t.left + int(math.Round(bars*t.pitch)) }

// grid draws the ticks, and leaves room for them at the left.
func (t *plot) grid(ticks []float64, bars int) {
	var room int
	for _, n := range ticks {
		room = max(room, t.wide(short(n), small))
	}
	t.left = border + room + 14
	t.pitch = float64(width-border-t.left) / float64(bars)
	t.scale = float64(t.floor-t.roof) / ticks[len(ticks)-1]
	for _, n := range ticks {
		y := t.floor - int(math.Round(n*t.scale))
		t.rect(t.left, y, width-border, y+2, faint)
		t.write(short(n), t.left-14-t.wide(short(n), small), y+10, small, grey)
	}
}

// labels draws the axis, and as many of the bars' labels as there is room for.
func (t plot) labels(bars []bar, each string) {
	t.rect(t.left, t.floor, width-border, t.floor+2, grey)
	t.centre(each, (t.left+width-border)/2, axisAt, t.fit(each, small, width-border-t.left), grey)
	var room int
	for _, b := range bars {
		for _, text := range b.labels {
			room = max(room, t.wide(text, small))
		}
	}
	every := int(math.Ceil(float64(room+12) / t.pitch))
	for n := 0; n < len(bars); n += every {
		middle := t.x(float64(n) + 0.5)
		if middle+room/2 > width-border/2 {
			break
		}
		for row, text := range bars[n].labels {
			t.centre(text, middle, t.floor+(row+1)*line, small, black)
		}
	}
}

// mark draws the line, with its label beside the upper end.
func (t plot) mark(m mark) {
	x, top := t.x(m.at), t.roof-54
	t.DashedLineStroke([]charts.Point{{X: x, Y: top}, {X: x, Y: t.floor}}, black, 3, []float64{10, 8})
	label := x + 12
	if wide := t.wide(m.label, small); label+wide > width-border {
		label = x - 12 - wide
	}
	t.write(m.label, label, top+20, small, black)
}

// bars draws them, each part with its number where all numbers have room; else
// only the highest says how much it is.
func (t plot) bars(p picture, highest int) {
	wide := int(min(widest, t.pitch*share))
	numbers := t.hold(p.bars, wide)
	for n, b := range p.bars {
		middle, top := t.x(float64(n)+0.5), t.floor+between
		left := middle - wide/2
		var above []string // numbers of the parts too thin to hold them
		for s, part := range b.parts {
			if part == 0 {
				continue
			}
			high := max(thinnest, int(math.Round(part*t.scale)))
			t.framed(left, top-high, left+wide, top-between, p.series[s].paint)
			switch {
			case !numbers:
			case high < line:
				above = append(above, short(part))
			default:
				t.centre(short(part), middle, top-high/2+9, small, p.series[s].paint.ink)
			}
			top -= high
		}
		if !numbers && n == highest {
			above = []string{short(b.total())}
		}
		for row, text := range above {
			y, half := top-10-row*line, t.wide(text, small)/2
			x := min(max(middle, t.left+half), width-border-half)
			t.rect(x-half, y-22, x+half, y+4, white) // no line goes through it
			t.centre(text, x, y, small, black)
		}
	}
}

// hold says whether bars so wide hold all their numbers.
func (t plot) hold(bars []bar, wide int) bool {
	for _, b := range bars {
		for _, part := range b.parts {
			if t.wide(short(part), small) > wide {
				return false
			}
		}
	}
	return true
}
