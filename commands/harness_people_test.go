package commands_test

import (
	"context"
	"strings"
	"testing"

	"github.com/slack-go/slack"

	"sekisho/auth"
)

// views is what Slack shows besides messages.
type views struct {
	opened    []slack.ModalViewRequest
	triggers  []string
	published map[string][]slack.Block // by user
	away      error
}

func (v *views) Open(_ context.Context, trigger string, m slack.ModalViewRequest) error {
	if v.away != nil {
		return v.away
	}
	v.opened, v.triggers = append(v.opened, m), append(v.triggers, trigger)
	return nil
}

func (v *views) Publish(_ context.Context, user string, blocks []slack.Block) error {
	if v.away != nil {
		return v.away
	}
	if v.published == nil {
		v.published = make(map[string][]slack.Block)
	}
	v.published[user] = blocks
	return nil
}

// last takes the modal that was opened last.
func (v *views) last(t testing.TB) slack.ModalViewRequest {
	t.Helper()
	if len(v.opened) == 0 {
		t.Fatal("no modal was opened")
	}
	m := v.opened[len(v.opened)-1]
	v.opened = nil
	return m
}

// people is who Slack knows.
type people struct {
	all    map[string]auth.Person
	groups map[string][]string
	away   error
}

func newPeople() *people {
	p := &people{all: make(map[string]auth.Person), groups: make(map[string][]string)}
	for _, user := range []string{hana, ben, mai, tom, outsider} {
		p.all[user] = auth.Person{ID: user, Email: strings.ToLower(user[2:]) + "@example.test"}
	}
	return p
}

func (p *people) Person(_ context.Context, user string) (auth.Person, error) {
	found, ok := p.all[user]
	if p.away != nil {
		return auth.Person{}, p.away
	}
	if !ok {
		return found, auth.ErrNobody
	}
	return found, nil
}

func (p *people) Members(_ context.Context, id string) ([]string, error) {
	found, ok := p.groups[id]
	if p.away != nil {
		return nil, p.away
	}
	if !ok {
		return nil, auth.ErrNobody
	}
	return found, nil
}
