package commands

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sekisho/auth"
)

// found is one instance, or the message that says why it is not exactly one.
type found struct {
	auth.Instance
	instead *Message
}

// find looks an instance up as people name it: by id or by Name tag.
func (d *Desk) find(ctx context.Context, text string) (found, error) {
	text = strings.Trim(text, " \t\r\n`'\"*")
	instead := func(m Message) (found, error) { return found{instead: &m}, nil }
	if strings.HasPrefix(text, "<") || strings.HasPrefix(text, "@") || strings.HasPrefix(text, "#") {
		return instead(say("That looks like a mention or a link. I need an instance: its id (`i-…`) or its Name tag. `/ec2-pass list` shows the guarded ones."))
	}
	if len([]rune(text)) > maxName {
		return instead(say(fmt.Sprintf("%s is longer than any instance's name. Give me an id (`i-…`) or a Name tag; `/ec2-pass help` has examples.", quoted(text, 40))))
	}
	if auth.IsInstanceID(strings.ToLower(text)) {
		i, err := d.Instances.Instance(ctx, strings.ToLower(text))
		return found{Instance: i}, err
	}
	named, err := d.Instances.Named(ctx, text)
	if err != nil {
		return found{}, err
	}
	switch len(named) {
	case 0:
		return d.nearest(ctx, text)
	case 1:
		return found{Instance: named[0]}, nil
	}
	return instead(ambiguous(text, named))
}

// maxName is EC2's limit of a tag's value, in characters:
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html
const maxName = 256

// nearest answers a name that nobody bears with those that are close to it.
func (d *Desk) nearest(ctx context.Context, text string) (found, error) {
	guarded, err := d.Instances.Guarded(ctx, d.Policy.Gate.Guard)
	if err != nil {
		return found{}, err
	}
	answer := fmt.Sprintf("There is no instance named %s here, and it is not a word that I know.", quoted(text, 40))
	if strings.HasPrefix(text, "i-") {
		answer = fmt.Sprintf("%s is not an instance id: one is `i-` and 17 digits of 0–9 and a–f.", quoted(text, 40))
	}
	choices := wordNames()
	for _, i := range guarded {
		choices = append(choices, i.Name())
	}
	near := closest(text, choices)
	if first, _, more := strings.Cut(text, " "); near == "" && more {
		near = closest(first, wordNames()) // "revok web-1"
	}
	if near != "" {
		answer += fmt.Sprintf(" Did you mean %s? Type `/ec2-pass` and then that.", name(near))
	} else {
		answer += " `/ec2-pass list` shows the guarded instances, `/ec2-pass help` shows examples."
	}
	m := say(answer)
	return found{instead: &m}, nil
}

func ambiguous(text string, named []auth.Instance) Message {
	const most = 8
	answer := fmt.Sprintf("%d instances are named %s. Which one?", len(named), name(text))
	m := say(answer)
	for n, i := range named[:min(most, len(named))] {
		line := fmt.Sprintf("`%s` %s, %s", i.ID, i.Type, i.State)
		m.Blocks = append(m.Blocks, beside(line, button(fmt.Sprint(actionGet, ":", n), i.ID, "Get a pass")))
	}
	if len(named) > most {
		m.Blocks = append(m.Blocks, small(fmt.Sprintf("… and %d more: give me the id.", len(named)-most)))
	}
	return m
}

// closest is the choice fewest edits away from the text, "" when all are far.
func closest(text string, choices []string) string {
	text = strings.ToLower(text)
	best, least := "", 3
	if len(text) <= 4 {
		least = 2
	}
	for _, c := range choices {
		if n := edits([]rune(text), []rune(strings.ToLower(c)), least+1); n <= least && (best == "" || n < least) {
			best, least = c, n
		}
	}
	return best
}

// edits is the Damerau-Levenshtein distance (adjacent swaps count one); it
// gives up beyond most.
func edits(a, b []rune, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	var before []int
	row := make([]int, len(b)+1)
	for n := range row {
		row[n] = n
	}
	for y := range a {
		next := make([]int, len(b)+1)
		next[0] = y + 1
		for x := range b {
			cost := 1
			if a[y] == b[x] {
				cost = 0
			}
			next[x+1] = min(row[x]+cost, row[x+1]+1, next[x]+1)
			if x > 0 && y > 0 && a[y] == b[x-1] && a[y-1] == b[x] {
				next[x+1] = min(next[x+1], before[x-1]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}

// byName sorts instances for people.
func byName(all []auth.Instance) []auth.Instance {
	return slices.SortedFunc(slices.Values(all), func(a, b auth.Instance) int {
		if c := strings.Compare(strings.ToLower(a.Name()), strings.ToLower(b.Name())); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}
