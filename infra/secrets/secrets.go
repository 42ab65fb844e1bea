// Package secrets reads the variables that hold secrets. Each may be given in
// one of these ways:
//
//	FOO=the value itself
//	FOO_FILE=/run/secrets/foo
//	FOO=arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX          a secret
//	FOO=arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX:json-key one text of the JSON in it
//	FOO=arn:aws:ssm:REGION:ACCOUNT:parameter/path                         a parameter
//	FOO=ssm:/path                                                         one of the bot's own region
//
// What stands elsewhere is read once at the start, and again from time to time.
// No error holds a value.
package secrets

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Source is where secrets come from.
type Source struct {
	Env func(name string) string
	// AWS gives the configuration for one service, by the SDK's name for it. It
	// is asked only where a variable is a reference.
	AWS func(service string) aws.Config
	Now func() time.Time
	// TTL is how long what was read is good.
	TTL time.Duration
}

// Set is the secrets of a process. It is safe for concurrent use.
type Set struct {
	source   Source
	places   map[string]place // by variable, of those that do not hold their value themselves
	renewing sync.Mutex

	mu     sync.RWMutex
	values map[string]value
	read   time.Time
}

type value struct {
	text string
	err  error
}

// Read reads these variables, all that stands elsewhere at the same time and
// within 5 s. What cannot be read is an error of its Value.
func Read(ctx context.Context, s Source, variables ...string) *Set {
	set := &Set{source: s, places: make(map[string]place), values: make(map[string]value, len(variables)), read: s.Now()}
	for _, name := range variables {
		at, err := find(s.Env, name)
		switch {
		case err != nil:
			set.values[name] = value{err: err}
		case at == (place{}):
			set.values[name] = value{text: s.Env(name)}
		default:
			set.places[name] = at
		}
	}
	for name, v := range set.fetch(ctx) {
		set.values[name] = v
	}
	return set
}

// find says where the variable's value stands: nowhere else where that is empty.
func find(env func(string) string, name string) (place, error) {
	text, file := env(name), env(name+"_FILE")
	switch {
	case text != "" && file != "":
		return place{}, fmt.Errorf("%s and %s_FILE are both set: keep one", name, name)
	case file != "":
		return place{id: file}, nil
	case IsReference(text):
		at, err := parse(text)
		if err != nil {
			return place{}, fmt.Errorf("%s: %w", name, err)
		}
		return at, nil
	}
	return place{}, nil
}

// Value is what the variable says, and empty where it is not set.
func (s *Set) Value(variable string) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v := s.values[variable]
	return v.text, v.err
}

// Renew reads again what does not stand in a variable itself, and has each value
// that is another now used. One that use refuses is as if it had not been read:
// it is offered again each time. Before the TTL is over, or while another does
// the same, Renew does nothing. What cannot be read keeps its value, and is the
// error.
func (s *Set) Renew(ctx context.Context, use func(variable, value string) error) error {
	if len(s.places) == 0 || !s.renewing.TryLock() {
		return nil
	}
	defer s.renewing.Unlock()
	if !s.due() {
		return nil
	}
	fresh := s.fetch(ctx)
	var failed []error
	for _, name := range slices.Sorted(maps.Keys(fresh)) {
		v := fresh[name]
		if v.err != nil {
			failed = append(failed, v.err)
			continue
		}
		if now, _ := s.Value(name); v.text == now || use(name, v.text) != nil {
			continue
		}
		s.mu.Lock()
		s.values[name] = v
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = s.source.Now() // of a failure too: who cannot be reached is not asked each time
	return errors.Join(failed...)
}

func (s *Set) due() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.source.Now().Sub(s.read) >= s.source.TTL
}

// fetch reads every place once, however many variables take a part of it.
func (s *Set) fetch(ctx context.Context) map[string]value {
	answers := make(map[place]*value)
	var all sync.WaitGroup
	for _, at := range s.places {
		if at := at.whole(); answers[at] == nil {
			answer := new(value)
			answers[at] = answer
			all.Go(func() { answer.text, answer.err = s.source.get(ctx, at) })
		}
	}
	all.Wait()
	values := make(map[string]value, len(s.places))
	for name, at := range s.places {
		values[name] = at.pick(name, *answers[at.whole()])
	}
	return values
}

// get reads a place as it is.
func (s Source) get(ctx context.Context, at place) (string, error) {
	if at.service == "" {
		text, err := os.ReadFile(at.id)
		return string(text), err
	}
	return s.ask(ctx, at)
}

// pick is the variable's value of all that stands in its place.
func (p place) pick(variable string, all value) value {
	if p.service == "" {
		variable += "_FILE"
	}
	text, err := all.text, all.err
	if err == nil {
		text, err = p.part(text)
	}
	if text = strings.TrimSpace(text); err == nil && text == "" { // an editor ends a file with a line's end
		err = fmt.Errorf("%s is empty: put the value in", p)
	}
	if err != nil {
		return value{err: fmt.Errorf("%s: %w", variable, err)}
	}
	return value{text: text}
}
