package redisstore_test

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/infra/redisstore"
)

// record is one that workers take turns to tell about.
type record struct {
	key  string
	make func(*testing.T, *redisstore.Store) error
	take func(t *testing.T, s *redisstore.Store, now time.Time) (ok bool, err error)
	put  func(t *testing.T, s *redisstore.Store, ts string) (more bool, err error) // all is told
}

var records = map[string]record{
	"a request": {
		key: "sekisho:{" + web + "}:request:r",
		make: func(t *testing.T, s *redisstore.Store) error {
			_, err := s.PutRequest(t.Context(), aRequest())
			return err
		},
		take: func(t *testing.T, s *redisstore.Store, now time.Time) (bool, error) {
			_, _, ok, err := s.TakeTelling(t.Context(), web+"/r", now, time.Minute)
			return ok, err
		},
		put: func(t *testing.T, s *redisstore.Store, ts string) (bool, error) {
			return s.PutTold(t.Context(), web+"/r", auth.Told{TS: ts})
		},
	},
	"a start": {
		key: "sekisho:{" + web + "}:start",
		make: func(t *testing.T, s *redisstore.Store) error {
			_, _, err := s.Judge(t.Context(), auth.Knock{Instance: web, Launch: authtest.T0, Now: authtest.T0, Final: true})
			return err
		},
		take: func(t *testing.T, s *redisstore.Store, now time.Time) (bool, error) {
			_, ok, err := s.TakeCard(t.Context(), web, authtest.T0, now, time.Minute)
			return ok, err
		},
		put: func(t *testing.T, s *redisstore.Store, ts string) (bool, error) {
			return s.PutCard(t.Context(), web, authtest.T0, auth.Card{TS: ts, Told: auth.Decided})
		},
	},
	"an access key": {
		key: "sekisho:{" + testKey + "}:key",
		make: func(t *testing.T, s *redisstore.Store) error {
			_, _, err := s.Keys().Change(t.Context(), warned(testKey))
			return err
		},
		take: func(t *testing.T, s *redisstore.Store, now time.Time) (bool, error) {
			_, ok, err := s.Keys().TakeTelling(t.Context(), testKey, now, time.Minute)
			return ok, err
		},
		put: func(t *testing.T, s *redisstore.Store, ts string) (bool, error) {
			return s.Keys().PutTold(t.Context(), testKey, auth.Told{TS: ts, Version: 1, Recorded: 1})
		},
	},
}

// TestWhoWasAwayTooLongNotesNothing has one process freeze for longer than it
// may take over telling.
func TestWhoWasAwayTooLongNotesNothing(t *testing.T) {
	for name, r := range records {
		t.Run(name, func(t *testing.T) {
			m := miniredis.RunT(t)
			client := connect(t, "redis://"+m.Addr())
			frozen, other, third := redisstore.New(client), redisstore.New(client), redisstore.New(client)
			take := func(s *redisstore.Store, after time.Duration) {
				t.Helper()
				if ok, err := r.take(t, s, authtest.T0.Add(after)); !ok || err != nil {
					t.Fatalf("the right to tell: %v, %v", ok, err)
				}
			}
			put := func(s *redisstore.Store, ts string, wantMore bool, want string) {
				t.Helper()
				if more, err := r.put(t, s, ts); more != wantMore || err != nil {
					t.Errorf("put %s: more %v, %v", ts, more, err)
				}
				if got := m.HGet(r.key, "ts"); got != want {
					t.Errorf("after %s the card is %q; want %q", ts, got, want)
				}
			}
			if err := r.make(t, other); err != nil {
				t.Fatal(err)
			}
			take(frozen, 0)
			take(other, 61*time.Second)
			put(frozen, "1.1", true, "") // while the other tells
			if _, err := r.take(t, third, authtest.T0.Add(62*time.Second)); !errors.Is(err, auth.ErrCardHeld) {
				t.Errorf("the other's right was given back: %v", err)
			}
			put(third, "1.2", true, "") // it never had the right
			take(third, 122*time.Second)
			put(third, "1.3", false, "1.3")
			put(other, "1.4", true, "1.3") // after another has told
			put(third, "1.5", true, "1.3") // it has given its right back
			if ok, err := r.take(t, frozen, authtest.T0.Add(time.Hour)); ok || err != nil {
				t.Errorf("there is something left to tell: %v", err)
			}
		})
	}
}

// TestWhoTellsOfAnEarlierStart leaves the newer one's teller their right.
func TestWhoTellsOfAnEarlierStart(t *testing.T) {
	s, m := onMiniredis(t)
	r := records["a start"]
	if err := r.make(t, s); err != nil {
		t.Fatal(err)
	}
	if ok, err := r.take(t, s, authtest.T0); !ok || err != nil {
		t.Fatalf("the right to tell: %v, %v", ok, err)
	}
	later := authtest.T0.Add(time.Minute)
	if _, _, err := s.Judge(t.Context(), auth.Knock{Instance: web, Launch: later, Now: later, Final: true}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := s.TakeCard(t.Context(), web, later, later, time.Minute); !ok || err != nil {
		t.Fatalf("the right to tell of the newer start: %v, %v", ok, err)
	}
	if more, err := r.put(t, s, "1.1"); more || err != nil {
		t.Errorf("the earlier start: more %v, %v", more, err)
	}
	more, err := s.PutCard(t.Context(), web, later, auth.Card{TS: "2.1", Told: auth.Decided})
	if more || err != nil || m.HGet(r.key, "ts") != "2.1" {
		t.Errorf("the newer start: more %v, %v, card %q", more, err, m.HGet(r.key, "ts"))
	}
}

// TestACardThatCameBeforeItsStart is posted while the store is away.
func TestACardThatCameBeforeItsStart(t *testing.T) {
	s, m := onMiniredis(t)
	r := records["a start"]
	if err := r.make(t, s); err != nil {
		t.Fatal(err)
	}
	if more, err := r.put(t, s, "1.1"); more || err != nil || m.HGet(r.key, "ts") != "1.1" {
		t.Errorf("more %v, %v, card %q", more, err, m.HGet(r.key, "ts"))
	}
}
