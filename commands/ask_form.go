package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

const (
	actionAsk     = "ask_open"
	formAsk       = "ask"
	fieldInstance = "instance"
	fieldName     = "name"
	fieldLong     = "long"
	// optionsMost is how many options a select may have:
	// https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element
	optionsMost = 100
	optionText  = 75 // characters of an option's text
)

// openAsk opens the form in which a pass is asked for: for /ec2-pass alone, the
// shortcut, and the button on the Home tab. Where Slack does not open it in
// time, the list does as well.
func openAsk(ctx context.Context, d *Desk, r Request) (Message, error) {
	all, err := d.Instances.Guarded(ctx, d.Policy.Gate.Guard)
	if err != nil {
		return Message{}, err
	}
	err = d.Views.Open(ctx, r.ID, askModal(d.Policy, byName(all), r.Channel))
	if err != nil {
		d.Log.WarnContext(ctx, "opening the form", "user", r.User, "error", err)
		return listOf(byName(all), 0), nil
	}
	return Message{}, nil
}

// askModal is the form. Its metadata is the channel it was opened from.
func askModal(p *auth.Policy, all []auth.Instance, channel string) slack.ModalViewRequest {
	var stopped []auth.Instance
	for _, i := range all {
		if !i.State.Up() {
			stopped = append(stopped, i)
		}
	}
	var which slack.Block
	switch {
	case len(all) == 0:
		return slack.ModalViewRequest{Type: slack.VTModal, Title: plain("Ask for a pass"), Close: plain("Close"), Blocks: slack.Blocks{BlockSet: listOf(nil, 0).Blocks}}
	case len(stopped) > 0 && len(stopped) <= optionsMost:
		var options []*slack.OptionBlockObject
		for _, i := range stopped {
			kind := " — " + i.Type + ", " + i.ID
			options = append(options, slack.NewOptionBlockObject(i.ID, plain(Clean(i.Name(), optionText-len([]rune(kind)))+kind), nil))
		}
		menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, plain("Type to search"), fieldInstance, options...)
		which = slack.NewInputBlock(fieldInstance, plain("Which instance?"), nil, menu)
	default: // more than a menu holds, or none that a pass makes sense for now
		which = slack.NewInputBlock(fieldName, plain("Which instance?"), plain("`/ec2-pass list` shows the guarded ones."),
			slack.NewPlainTextInputBlockElement(plain("Its name, or i-…"), fieldName).WithMaxLength(maxName))
	}
	why := slack.NewInputBlock(fieldWhy, plain("Why?"), plain("Those who approve read this. Some rules need it."),
		slack.NewPlainTextInputBlockElement(plain("For the nightly training"), fieldWhy).WithMultiline(true).WithMaxLength(whyMost)).WithOptional(true)
	return modal(formAsk, channel, "Ask for a pass", "Ask", which, why, howLong(p))
}

// howLong offers the times that a pass may be good for. A rule with a shorter
// one cuts it.
func howLong(p *auth.Policy) *slack.InputBlock {
	longest := p.Passes.TTL
	for _, r := range p.Rules {
		longest = max(longest, r.TTL)
	}
	options := []*slack.OptionBlockObject{slack.NewOptionBlockObject("0", plain("As long as the policy allows"), nil)}
	for _, t := range []time.Duration{2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour} {
		if t < longest {
			options = append(options, slack.NewOptionBlockObject(t.String(), plain(span(t)), nil))
		}
	}
	menu := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, nil, fieldLong, options...)
	menu.InitialOption = options[0]
	return slack.NewInputBlock(fieldLong, plain("How long should it be good?"), nil, menu)
}

// askByForm answers the form.
func askByForm(ctx context.Context, d *Desk, r Request) (Message, error) {
	wrong := func(field, text string) (Message, error) {
		return Message{Wrong: map[string]string{field: text}}, nil
	}
	why := strings.TrimSpace(r.Fields[fieldWhy])
	if n := utf8.RuneCountInString(why); n > whyMost {
		return wrong(fieldWhy, fmt.Sprintf("This has %d characters; keep it below %d.", n, whyMost))
	}
	ttl, err := time.ParseDuration(r.Fields[fieldLong])
	if err != nil || ttl < 0 {
		return wrong(fieldLong, "Choose one of the times.")
	}
	if err := d.admit(ctx, r); err != nil {
		return Message{}, err
	}
	r.Channel = r.Value
	field := fieldInstance
	if _, typed := r.Fields[fieldName]; typed {
		field = fieldName
	}
	f, err := d.find(ctx, r.Fields[field])
	if err != nil {
		return Message{}, err
	}
	if f.instead != nil {
		return wrong(field, strings.ReplaceAll(f.instead.Text, "`", "")+" An id (i-…) names exactly one.")
	}
	m, err := d.ask(ctx, r, f.Instance, why, ttl)
	var refused *auth.Refusal
	if errors.As(err, &refused) && refused.Reason == auth.NeedsReason {
		return wrong(fieldWhy, "For this instance the policy wants to know why.")
	}
	return m, err
}
