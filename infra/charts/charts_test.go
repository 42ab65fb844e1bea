package charts_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/auth/report"
	"sekisho/infra/charts"
)

var (
	blue  = color.RGBA{86, 180, 233, 255}  // admitted; active
	red   = color.RGBA{213, 94, 0, 255}    // refused; active and too old
	pale  = color.RGBA{243, 243, 243, 255} // inactive, in a frame
	frame = color.RGBA{130, 130, 130, 255}
	white = color.RGBA{255, 255, 255, 255}
	faint = color.RGBA{222, 222, 222, 255}
	black = color.RGBA{34, 34, 34, 255}
	grey  = color.RGBA{90, 90, 90, 255}
)

const (
	below = 150 // is where the legend ends
	wide  = 150 // is a bar that has room
)

var sunday = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// started is a report of so many days up to that Sunday.
func started(days int, starts func(n int) (admitted, refused int)) report.Report {
	end := sunday.AddDate(0, 0, 1)
	r := report.Report{Period: report.Period{From: end.AddDate(0, 0, -days), To: end}}
	r.Starts.Status = report.Known
	for n := range days {
		admitted, refused := starts(n)
		date := r.Period.From.AddDate(0, 0, n).Format(time.DateOnly)
		r.Starts.Days = append(r.Starts.Days, report.Day{Date: date, Admitted: admitted, Refused: refused})
	}
	return r
}

// aged is a report of access keys: active and inactive ones of each of the usual bands.
func aged(maxAge, old int, counts [6][2]int) report.Report {
	var r report.Report
	r.Provenance.Generated = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	r.Keys = report.Keys{Source: report.Source{Status: report.Known}, MaxAge: maxAge, Old: old}
	edges := []int{0, 30, 60, 90, 180, 365, 0}
	for n, c := range counts {
		r.Keys.Bands = append(r.Keys.Bands, report.Band{From: edges[n], To: edges[n+1], Active: c[0], Inactive: c[1]})
	}
	return r
}

// drawn is the report's only picture. With PICTURES=DIR it is kept there, for the eye.
func drawn(t testing.TB, r report.Report) (report.File, *image.RGBA) {
	t.Helper()
	files, err := charts.Draw(r)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 1 {
		t.Fatalf("%d pictures, want one", len(files))
	}
	f := files[0]
	if dir := os.Getenv("PICTURES"); dir != "" {
		name := strings.NewReplacer("/", "-", " ", "-").Replace(t.Name()) + "-" + f.Name
		if err := os.WriteFile(filepath.Join(dir, name), f.Content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.Content) > 200_000 {
		t.Errorf("%s has %d bytes, more than 200 KB", f.Name, len(f.Content))
	}
	m, err := png.Decode(bytes.NewReader(f.Content))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Bounds(); got != image.Rect(0, 0, 1200, 630) {
		t.Errorf("%s is %v", f.Name, got)
	}
	drawing := m.(*image.RGBA)
	for y := range 630 {
		for x := range 12 {
			if drawing.RGBAAt(x, y) != white || drawing.RGBAAt(1199-x, y) != white {
				t.Fatalf("%s: something is drawn over the border, at %d below the top", f.Title, y)
			}
		}
	}
	return f, drawing
}

// each calls f for every pixel of the colour under the legend.
func each(m *image.RGBA, c color.RGBA, f func(x, y int)) {
	for at := m.PixOffset(0, below); at < len(m.Pix); at += 4 {
		if p := m.Pix[at : at+4]; p[0] == c.R && p[1] == c.G && p[2] == c.B {
			f(at%m.Stride/4, at/m.Stride)
		}
	}
}

func pixels(m *image.RGBA, colours ...color.RGBA) (n int) {
	for _, c := range colours {
		each(m, c, func(int, int) { n++ })
	}
	return n
}

// columns counts the bars of the colour where they stand on the axis.
func columns(m *image.RGBA, c color.RGBA) (n int) {
	lowest := 0
	each(m, c, func(_, y int) { lowest = max(lowest, y) })
	for x := 1; x < m.Bounds().Dx(); x++ {
		if m.RGBAAt(x, lowest) == c && m.RGBAAt(x-1, lowest) != c {
			n++
		}
	}
	return n
}

func TestEachSectionThatIsKnownHasAPicture(t *testing.T) {
	r := started(7, func(int) (int, int) { return 1, 1 })
	r.Keys = aged(90, 0, [6][2]int{{1, 0}}).Keys
	for _, c := range []struct {
		starts, keys report.Status
		want         string
	}{
		{report.Known, report.Known, "starts.png keys.png"},
		{report.Partly, report.Partly, "starts.png keys.png"},
		{report.Unknown, report.Known, "keys.png"},
		{report.Known, report.LeftOut, "starts.png"},
		{report.LeftOut, report.Unknown, ""},
	} {
		r.Starts.Status, r.Keys.Status = c.starts, c.keys
		files, err := charts.Draw(r)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, f := range files {
			names = append(names, f.Name)
			if f.Type != "image/png" {
				t.Errorf("%s is said to be %s", f.Name, f.Type)
			}
		}
		if got := strings.Join(names, " "); got != c.want {
			t.Errorf("starts %s, keys %s: %q, want %q", c.starts, c.keys, got, c.want)
		}
	}
}

// Each part grows with its number, and in proportion, while another day holds
// the scale.
func TestStartsAreDrawnToScale(t *testing.T) {
	for name, c := range map[string]struct {
		colour color.RGBA
		starts func(n int) (int, int)
	}{
		"admitted": {blue, func(n int) (int, int) { return n, 0 }},
		"refused":  {red, func(n int) (int, int) { return 0, n }},
	} {
		t.Run(name, func(t *testing.T) {
			grows(t, []color.RGBA{c.colour}, func(n int) report.Report {
				return started(2, func(day int) (int, int) { return c.starts([]int{100, n}[day]) })
			})
		})
	}
}

func TestKeysAreDrawnToScale(t *testing.T) {
	for name, c := range map[string]struct {
		colours []color.RGBA
		keys    func(n int) report.Report
	}{
		"active":   {[]color.RGBA{blue}, func(n int) report.Report { return aged(90, 0, [6][2]int{{100, 0}, {n, 0}}) }},
		"too old":  {[]color.RGBA{red}, func(n int) report.Report { return aged(90, 100+n, [6][2]int{3: {100, 0}, 5: {n, 0}}) }},
		"inactive": {[]color.RGBA{pale, frame}, func(n int) report.Report { return aged(90, 0, [6][2]int{{0, 100}, {0, n}}) }},
	} {
		t.Run(name, func(t *testing.T) { grows(t, c.colours, c.keys) })
	}
}

func grows(t *testing.T, colours []color.RGBA, of func(n int) report.Report) {
	t.Helper()
	var got []int
	for _, n := range []int{0, 1, 40, 80} {
		_, m := drawn(t, of(n))
		got = append(got, pixels(m, colours...))
	}
	for n := range got[1:] {
		if got[n] >= got[n+1] {
			t.Errorf("0, 1, 40 and 80 are %v pixels: they do not grow", got)
			break
		}
	}
	if ratio := float64(got[3]-got[0]) / float64(got[2]-got[0]); math.Abs(ratio-2) > 0.1 {
		t.Errorf("40 and 80 more are %d and %d pixels more: 1 to %.2f", got[2]-got[0], got[3]-got[0], ratio)
	}
}

func TestPartsStandOnOneAnother(t *testing.T) {
	of := func(refused int) *image.RGBA {
		_, m := drawn(t, started(2, func(n int) (int, int) { return []int{100, 40}[n], []int{0, refused}[n] }))
		return m
	}
	if without, with := pixels(of(0), blue), pixels(of(50), blue); without != with {
		t.Errorf("40 admitted starts are %d pixels, and %d once others were refused", without, with)
	}
	if pixels(of(1), red) < 4*wide {
		t.Error("one refused start among many is not seen")
	}
	_, m := drawn(t, started(1, func(int) (int, int) { return 100_000, 1 }))
	if pixels(m, red) < 4*wide {
		t.Error("one refused start among 100,000 is not seen")
	}
}

// However many there are, the highest bar fills most of the picture, and few
// lines cross it.
func TestTheAxisSuitsTheNumbers(t *testing.T) {
	for _, n := range []int{1, 3, 11, 22, 51, 100_000} {
		_, m := drawn(t, started(1, func(int) (int, int) { return n, 0 }))
		top, bottom := 630, 0
		each(m, blue, func(_, y int) { top, bottom = min(top, y), max(bottom, y) })
		if high := bottom - top; high < 200 || top < below {
			t.Errorf("a bar of %d is %d pixels high, from %d", n, high, top)
		}
		lines := 0
		for y := below; y < bottom-2; y++ {
			if m.RGBAAt(1170, y) == faint && m.RGBAAt(1170, y-1) != faint {
				lines++
			}
		}
		if lines < 1 || lines > min(n, 5) {
			t.Errorf("%d lines for a bar of %d", lines, n)
		}
	}
}

func TestADaysStartsStandAtThatDay(t *testing.T) {
	last := 0
	for day := 0; day < 30; day += 7 {
		r := started(30, func(int) (int, int) { return 1, 0 })
		r.Starts.Days[day].Refused = 1
		_, m := drawn(t, r)
		left := 1200
		each(m, red, func(x, _ int) { left = min(left, x) })
		if left <= last {
			t.Errorf("the refused start of day %d stands at %d, that of an earlier day at %d", day, left, last)
		}
		last = left
	}
}

func TestManyDaysAreSummed(t *testing.T) {
	one := func(int) (int, int) { return 1, 0 }
	for _, c := range []struct {
		days, bars int
		title      string
	}{
		{1, 1, "Starts per day, 22 November 2026 (UTC): 1 admitted, 0 refused"},
		{7, 7, "Starts per day, 16 to 22 November 2026 (UTC): 7 admitted, 0 refused; most on 16 November"},
		{30, 30, "Starts per day, 24 October to 22 November 2026 (UTC): 30 admitted, 0 refused; most on 24 October"},
		{45, 45, "Starts per day, 9 October to 22 November 2026 (UTC): 45 admitted, 0 refused; most on 9 October"},
		{46, 7, "Starts per week, 8 October to 22 November 2026 (UTC): 46 admitted, 0 refused; most in the week of 12 October"},
		{200, 29, "Starts per week, 7 May to 22 November 2026 (UTC): 200 admitted, 0 refused; most in the week of 11 May"},
		{201, 7, "Starts per month, 6 May to 22 November 2026 (UTC): 201 admitted, 0 refused; most in July 2026"},
		{366, 13, "Starts per month, 22 November 2025 to 22 November 2026 (UTC): 366 admitted, 0 refused; most in December 2025"},
	} {
		f, m := drawn(t, started(c.days, one))
		if f.Title != c.title {
			t.Errorf("%d days:\n got %q\nwant %q", c.days, f.Title, c.title)
		}
		if got := columns(m, blue); got != c.bars {
			t.Errorf("%d days are %d bars, want %d", c.days, got, c.bars)
		}
	}
}

// Where there is no room for all numbers, only the highest bar has one.
func TestBarsCarryTheirNumbers(t *testing.T) {
	for _, c := range []struct{ days, admitted, want int }{{1, 5, 1}, {7, 100_000, 7}, {30, 4, 30}, {40, 400, 1}, {366, 1, 13}} {
		_, m := drawn(t, started(c.days, func(int) (int, int) { return c.admitted, 0 }))
		inked, ink := map[int]bool{}, 0
		each(m, black, func(x, y int) {
			if y < 495 {
				inked[x] = true
				ink++
			}
		})
		numbers, last := 0, -100
		for x := range 1200 {
			if inked[x] {
				if x > last+12 { // further apart than two digits
					numbers++
				}
				last = x
			}
		}
		if numbers != c.want || ink > 1000*numbers {
			t.Errorf("%d days of %d starts show %d numbers, want %d", c.days, c.admitted, numbers, c.want)
		}
	}
}

func TestThePeriodIsInUTC(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*60*60)
	for want, p := range map[string][2]time.Time{
		"16 to 23 November 2026":             {time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC), time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)},
		"15 to 22 November 2026":             {time.Date(2026, 11, 16, 8, 0, 0, 0, tokyo), time.Date(2026, 11, 23, 8, 0, 0, 0, tokyo)},
		"30 November to 6 December 2026":     {time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC), time.Date(2026, 12, 7, 0, 0, 0, 0, time.UTC)},
		"28 December 2026 to 3 January 2027": {time.Date(2026, 12, 28, 0, 0, 0, 0, time.UTC), time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC)},
		"22 November 2026":                   {sunday, sunday},
	} {
		r := started(0, nil)
		r.Period = report.Period{From: p[0], To: p[1]}
		if f, _ := drawn(t, r); f.Title != "Starts per day, "+want+" (UTC): no starts" {
			t.Errorf("%q, want %s", f.Title, want)
		}
	}
}

func TestNothingIsSaidToBeNothing(t *testing.T) {
	none := func(int) (int, int) { return 0, 0 }
	for title, r := range map[string]report.Report{
		"Starts per day, 16 to 22 November 2026 (UTC): no starts":                 started(7, none),
		"Starts per month, 22 November 2025 to 22 November 2026 (UTC): no starts": started(366, none),
		"Starts per day, 23 November 2026 (UTC): no starts":                       started(0, none),
		"Access keys by age, 23 November 2026, 09:00 UTC: no access keys":         aged(90, 0, [6][2]int{}),
		"Access keys by age, 1 January 0001, 00:00 UTC: no access keys":           {Keys: report.Keys{Source: report.Source{Status: report.Known}}},
	} {
		f, m := drawn(t, r)
		if f.Title != title {
			t.Errorf("%q, want %q", f.Title, title)
		}
		if n := pixels(m, blue, red); n > 0 {
			t.Errorf("%s: %d pixels of bars", title, n)
		}
		said := 0
		each(m, grey, func(_, y int) {
			if y < 450 {
				said++
			}
		})
		if said < 500 {
			t.Errorf("%s: nothing is written in the middle", title)
		}
	}
}

func TestKeysInWords(t *testing.T) {
	f, _ := drawn(t, aged(90, 5, [6][2]int{{4, 0}, {3, 1}, {7, 0}, {2, 2}, {3, 0}, {0, 2}}))
	if want := "Access keys by age, 23 November 2026, 09:00 UTC: 19 active, 5 of them 90 days old or older; 5 inactive"; f.Title != want {
		t.Errorf("%q, want %q", f.Title, want)
	}
}

// The line is where the policy's age is, be it between two bands or within one;
// and from there on keys are in the strong colour.
func TestThePolicysAgeIsMarked(t *testing.T) {
	counts := [6][2]int{{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}}
	last := 0
	for _, c := range []struct{ age, old, red int }{
		{60, 18, 4}, {75, 16, 4}, {90, 15, 3}, {270, 8, 2}, {365, 6, 1}, {400, 1, 1},
	} {
		_, m := drawn(t, aged(c.age, c.old, counts))
		inked := map[int]int{}
		each(m, black, func(x, y int) {
			if y < 450 {
				inked[x]++
			}
		})
		line, most := 0, 0
		for x, n := range inked {
			if n > most || n == most && x < line {
				line, most = x, n
			}
		}
		if line <= last {
			t.Errorf("%d days are marked at %d, the age before at %d", c.age, line, last)
		}
		last = line
		strong, left := map[int]bool{}, 1200
		each(m, red, func(x, _ int) { strong[x], left = true, min(left, x) })
		if left < line-wide {
			t.Errorf("%d days: keys are in the strong colour from %d on, the line is at %d", c.age, left, line)
		}
		if bars := len(strong) / wide; bars != c.red {
			t.Errorf("%d days: %d bands have keys in the strong colour, want %d", c.age, bars, c.red)
		}
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	r := started(100, func(int) (int, int) { return 2, 1 })
	_, whole := drawn(t, r)
	r.Starts.Source = report.Source{Status: report.Partly, Why: "the trail is not whole"}
	f, partly := drawn(t, r)
	if want := "; not all could be read"; !strings.HasSuffix(f.Title, want) {
		t.Errorf("%q does not end in %q", f.Title, want)
	}
	if pixels(partly, grey) <= pixels(whole, grey) {
		t.Error("the picture does not say so")
	}
}

func TestTheSameReportMakesTheSameBytes(t *testing.T) {
	r := started(30, func(n int) (int, int) { return n * 7 % 23, n % 3 })
	r.Keys = aged(90, 5, [6][2]int{{4, 0}, {3, 1}, {7, 0}, {2, 2}, {3, 0}, {0, 2}}).Keys
	want, err := charts.Draw(r)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			got, err := charts.Draw(r)
			if err != nil {
				t.Error(err)
				return
			}
			for n := range want {
				if !bytes.Equal(got[n].Content, want[n].Content) || got[n].Title != want[n].Title {
					t.Errorf("%s differs from one time to the next", want[n].Name)
				}
			}
		})
	}
	all.Wait()
}

func TestAnyCountsAreDrawn(t *testing.T) {
	for name, counts := range map[string]func(n int) (int, int){
		"100,000":  func(n int) (int, int) { return 100_000, n },
		"enormous": func(int) (int, int) { return math.MaxInt, math.MaxInt },
		"mixed":    func(n int) (int, int) { return []int{math.MaxInt, -5, 1}[n%3], []int{0, math.MinInt}[n%2] },
	} {
		t.Run(name, func(t *testing.T) {
			for _, days := range []int{45, 4000} {
				drawn(t, started(days, counts))
			}
			n, m := counts(1)
			drawn(t, aged(90, n, [6][2]int{{n, m}, {m, n}, {n, n}, {m, m}, {1, 1}, {n, 0}}))
		})
	}
	f, _ := drawn(t, started(2, func(n int) (int, int) { return []int{3, -5}[n], -1 }))
	if !strings.HasSuffix(f.Title, ": 3 admitted, 0 refused; most on 21 November") {
		t.Errorf("fewer than none: %q", f.Title)
	}
}

func TestADayThatIsNoDate(t *testing.T) {
	r := started(1, func(int) (int, int) { return 1, 1 })
	r.Starts.Days[0].Date = "yesterday"
	if _, err := charts.Draw(r); err == nil || !strings.Contains(err.Error(), `drawing the starts: a day of the report is no date: parsing time "yesterday"`) {
		t.Errorf("%v", err)
	}
}

func BenchmarkDraw(b *testing.B) {
	r := started(366, func(n int) (int, int) { return n * 7 % 23, n % 3 })
	r.Keys = aged(90, 5, [6][2]int{{4, 0}, {3, 1}, {7, 0}, {2, 2}, {3, 0}, {0, 2}}).Keys
	b.ReportAllocs()
	for b.Loop() {
		if _, err := charts.Draw(r); err != nil {
			b.Fatal(err)
		}
	}
}
