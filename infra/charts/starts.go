package charts

import (
	"fmt"
	"time"

	"sekisho/auth/report"
)

// unit is how much time one bar stands for.
type unit struct {
	name   string
	each   string // what the axis says
	of     func(day time.Time) time.Time
	labels [2]string
	most   string // after "most "
}

var (
	byDay = unit{"day", "one bar a day", func(d time.Time) time.Time { return d },
		[2]string{"Mon", "2 Jan"}, "on 2 January"}
	byWeek = unit{"week", "one bar a week, from Monday; the first and the last may be shorter",
		func(d time.Time) time.Time { return d.AddDate(0, 0, -(int(d.Weekday())+6)%7) },
		[2]string{"2 Jan", "2006"}, "in the week of 2 January"}
	byMonth = unit{"month", "one bar a month; the first and the last may be shorter",
		func(d time.Time) time.Time { return d.AddDate(0, 0, 1-d.Day()) },
		[2]string{"Jan", "2006"}, "in January 2006"}
)

// unitFor keeps the bars few enough to be told apart.
func unitFor(days int) unit {
	switch {
	case days > 200:
		return byMonth
	case days > 45:
		return byWeek
	default:
		return byDay
	}
}

// starts shows how many starts were admitted and refused, and when.
func starts(r report.Report) (picture, error) {
	u := unitFor(len(r.Starts.Days))
	p := picture{
		name:   "starts.png",
		title:  fmt.Sprintf("Starts per %s, %s (UTC)", u.name, span(r.Period)),
		series: []series{{"admitted", calm}, {"refused", strong}},
		axis:   u.each,
		empty:  "no starts",
	}
	var begins []time.Time // of each bar
	for _, d := range r.Starts.Days {
		date, err := time.Parse(time.DateOnly, d.Date)
		if err != nil {
			return picture{}, fmt.Errorf("a day of the report is no date: %w", err)
		}
		if from := u.of(date); len(begins) == 0 || !from.Equal(begins[len(begins)-1]) {
			begins = append(begins, from)
			p.bars = append(p.bars, bar{[]string{from.Format(u.labels[0]), from.Format(u.labels[1])}, make([]float64, 2)})
		}
		parts := p.bars[len(p.bars)-1].parts
		parts[0] += count(d.Admitted)
		parts[1] += count(d.Refused)
	}
	p.words = p.empty
	if n := p.highest(); n >= 0 {
		p.words = fmt.Sprintf("%s admitted, %s refused", number(p.total(0)), number(p.total(1)))
		if len(p.bars) > 1 {
			p.words += "; most " + begins[n].Format(u.most)
		}
	}
	if r.Starts.Status == report.Partly {
		p.axis += "; not all could be read"
		p.words += "; not all could be read"
	}
	return p, nil
}
