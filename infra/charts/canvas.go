package charts

import "github.com/go-analyze/charts"

// The library is go-analyze/charts: kept up, pure Go, its fonts inside, no
// templates; go-chart stacks bars to 100 percent only. What is used is its
// Painter: its own bar chart writes the numbers of stacked parts over one
// another, and draws no line between two bars.

var (
	white = charts.Color{R: 255, G: 255, B: 255, A: 255}
	pale  = charts.Color{R: 243, G: 243, B: 243, A: 255}
	faint = charts.Color{R: 222, G: 222, B: 222, A: 255}
	mid   = charts.Color{R: 130, G: 130, B: 130, A: 255}
	grey  = charts.Color{R: 90, G: 90, B: 90, A: 255}
	black = charts.Color{R: 34, G: 34, B: 34, A: 255}

	skyBlue    = charts.Color{R: 86, G: 180, B: 233, A: 255}
	vermillion = charts.Color{R: 213, G: 94, B: 0, A: 255}
)

// paint is how one series looks.
type paint struct {
	fill, frame charts.Color
	ink         charts.Color // of a number inside
}

// They differ in lightness, too.
var (
	calm   = paint{skyBlue, skyBlue, black}
	strong = paint{vermillion, vermillion, white}
	hollow = paint{pale, mid, black}
)

// All in pixels.
const (
	width, height = 1200, 630
	border        = 28 // left free on either side

	big, large, small = 40, 30, 27 // letters
	line              = 34         // from one line of small ones to the next
)

// canvas is what is drawn on.
type canvas struct{ *charts.Painter }

func newCanvas() canvas {
	c := canvas{charts.NewPainter(charts.PainterOptions{Width: width, Height: height})}
	c.rect(0, 0, width, height, white)
	return c
}

// write puts the text's left end at x and its baseline at y.
func (c canvas) write(text string, x, y, size int, ink charts.Color) {
	c.Text(text, x, y, 0, letters(size, ink))
}

func (c canvas) centre(text string, x, y, size int, ink charts.Color) {
	c.write(text, x-c.wide(text, size)/2, y, size, ink)
}

func (c canvas) wide(text string, size int) int {
	return c.MeasureText(text, 0, letters(size, black)).Width()
}

// fit is that size, or the largest smaller one in which the text fits.
func (c canvas) fit(text string, size, room int) int {
	for size > 8 && c.wide(text, size) > room {
		size--
	}
	return size
}

// letters are that many pixels high. The library has 96 to the inch, and wants points.
func letters(pixels int, ink charts.Color) charts.FontStyle {
	return charts.FontStyle{FontSize: float64(pixels) * 72 / 96, FontColor: ink}
}

func (c canvas) rect(left, top, right, bottom int, colour charts.Color) {
	c.FilledRect(left, top, right, bottom, colour, colour, 0)
}

func (c canvas) framed(left, top, right, bottom int, p paint) {
	c.rect(left, top, right, bottom, p.frame)
	c.rect(left+2, top+2, right-2, bottom-2, p.fill)
}
