package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"sekisho/auth"
	"sekisho/auth/measure"
)

// sweep answers the schedule.
func sweep(ctx context.Context, d *Desk, _ Event) error {
	_, err := d.SweepOnce(ctx)
	return err
}

// SweepOnce looks at what really runs, does what events missed, and tells.
func (d *Desk) SweepOnce(ctx context.Context) (auth.Swept, error) {
	sum, err := d.Sweep.Run(ctx)
	if err == nil {
		d.Count(measure.Sweeps)
	}
	var adopted []string
	for _, o := range sum.Outcomes {
		if o.Start.Reason == auth.Before {
			adopted = append(adopted, o.Instance.Name())
			continue
		}
		err = errors.Join(err, d.follow(ctx, auth.Actor{Door: doorEvents, Source: auth.SweepSource}, o, nil))
	}
	if len(adopted) > 0 {
		err = errors.Join(err, d.announce(ctx, sayTask{Channel: d.Policy.Channels.Alerts, Text: adoptedText(adopted)}))
	}
	err = errors.Join(err, d.upkeep(ctx))
	d.Log.InfoContext(ctx, "swept", "looked", sum.Looked, "running", sum.Running,
		"acted", len(sum.Outcomes), "untagged", sum.Untagged, "error", err)
	return sum, err
}

// adoptedText tells of starts that may be stopped no more, since nobody can
// know whether they were let in.
func adoptedText(names []string) string {
	const most, long = 20, 24 // which fit into one section, however the names are written
	var list []string
	for _, n := range names[:min(most, len(names))] {
		list = append(list, quoted(n, long))
	}
	text := fmt.Sprintf(":information_source: %d guarded %s already running when my records begin, and %s left running: %s",
		len(names), plural(len(names), "instance was", "instances were"), plural(len(names), "is", "are"), strings.Join(list, ", "))
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return text + ". From the next start on they need a pass."
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
