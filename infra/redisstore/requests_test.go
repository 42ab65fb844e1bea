package redisstore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/auth/purge"
	"sekisho/infra/redisstore"
)

const web = "i-0aaaaaaaaaaaaaaa1"

func aRequest() auth.Request {
	return auth.Request{
		ID: web + "/r", Instance: web, Asker: "U0HANA", Source: "command", Within: time.Hour, Asked: authtest.T0,
	}
}

func approved(r auth.Request) auth.Request {
	return r.With(auth.Change{Verb: auth.Approved, By: "U0BEN", At: authtest.T0, Settles: true})
}

// onMiniredis gives an empty store and the server behind it.
func onMiniredis(t *testing.T) (*redisstore.Store, *miniredis.Miniredis) {
	m := miniredis.RunT(t)
	return redisstore.New(connect(t, "redis://"+m.Addr())), m
}

func TestEveryKeyEnds(t *testing.T) {
	s, m := onMiniredis(t)
	now := authtest.T0
	done := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	limit := auth.Limit{Person: 9, Instance: 9, Per: time.Minute}
	done(s.CountAsk(t.Context(), "U0HANA", limit))
	_, err := s.PutPass(t.Context(), auth.NewPass{
		ID: "A", Instance: web, User: "U0HANA", Now: now, Deadline: now.Add(time.Minute), Limit: limit,
	})
	done(err)
	for n, after := range []int{2, 1} { // a counter of wrong codes, and a lock
		_, _, err = s.Judge(t.Context(), auth.Knock{
			Instance: []string{web, "i-0bbbbbbbbbbbbbbb2"}[n], Launch: now, Now: now,
			Code: "?", Misfit: auth.Unknown, Final: true,
			Lock: auth.Lock{After: after, Within: time.Minute, For: time.Minute},
		})
		done(err)
	}
	done(s.PutSwept(t.Context(), now))
	_, err = s.SwapPolicy(t.Context(), "hash")
	done(err)
	_, err = s.NameCaller(t.Context(), web, now, "arn", "event", now, time.Minute)
	done(err)
	_, _, err = s.TakeCard(t.Context(), web, now, now, time.Minute)
	done(err)
	r, err := s.PutRequest(t.Context(), aRequest())
	done(err)
	_, _, _, err = s.TakeTelling(t.Context(), r.ID, now, time.Minute)
	done(err)
	_, err = s.PutTold(t.Context(), r.ID, auth.Told{})
	done(err)
	_, _, err = s.ChangeRequest(t.Context(), approved(r))
	done(err)
	unchanged := aRequest()
	unchanged.Instance = "i-0bbbbbbbbbbbbbbb2"
	unchanged.ID = unchanged.Instance + "/r"
	_, err = s.PutRequest(t.Context(), unchanged)
	done(err)
	_, err = s.Trail(testPepper(t)).Append(t.Context(), something())
	done(err)
	_, err = s.First(t.Context(), "something", time.Minute)
	done(err)
	keys := s.Keys()
	change(t, keys, warned(testKey))
	change(t, keys, warned(otherKey))
	change(t, keys, gone(warned(otherKey), now))
	done(keys.SetLimit(t.Context(), 1))
	_, err = keys.Claim(t.Context(), []string{testKey}, false, now)
	done(err)
	done(keys.ToldHold(t.Context(), "unknown"))
	_, err = keys.PutHold(t.Context(), aHold())
	done(err)
	_, _, err = keys.Allow(t.Context(), "h", "U0BEN", now)
	done(err)
	reports := s.Reports()
	_, err = reports.PutSnapshot(t.Context(), "weekly", now, nil, 1, time.Hour)
	done(err)
	_, err = reports.Begin(t.Context(), "begun", "mail", "worker", now)
	done(err)
	done(reports.Release(t.Context(), "begun", "mail", "worker"))
	done(reports.Release(t.Context(), "unknown", "mail", "worker"))
	done(reports.Finish(t.Context(), "finished", "mail", "1.1"))

	stays := map[string]bool{"sekisho:swept": true, "sekisho:policy": true, logKey: true, headKey: true}
	all := m.Keys()
	if len(all) != 29 {
		t.Errorf("this test makes 29 keys, and met %d: %s", len(all), strings.Join(all, " "))
	}
	for _, key := range all {
		if ends := m.TTL(key) > 0; ends == stays[key] {
			t.Errorf("%s: time to live %v", key, m.TTL(key))
		}
	}
}

func TestAChangeProlongsARequest(t *testing.T) {
	s, m := onMiniredis(t)
	r, err := s.PutRequest(t.Context(), aRequest())
	if err != nil {
		t.Fatal(err)
	}
	m.FastForward(29 * 24 * time.Hour)
	if _, _, err := s.ChangeRequest(t.Context(), approved(r)); err != nil {
		t.Fatal(err)
	}
	m.FastForward(29 * 24 * time.Hour)
	if all, err := s.Requests(t.Context()); err != nil || len(all) != 1 {
		t.Errorf("29 days after the last change: %+v, %v", all, err)
	}
	m.FastForward(2 * 24 * time.Hour)
	if all, err := s.Requests(t.Context()); err != nil || len(all) != 0 || len(m.Keys()) != 0 {
		t.Errorf("31 days after it: %+v, %v, keys %v", all, err, m.Keys())
	}
}

func TestANewerSekishosRequests(t *testing.T) {
	key := "sekisho:{" + web + "}:request:r"
	t.Run("a field of it survives a change", func(t *testing.T) {
		s, m := onMiniredis(t)
		r, err := s.PutRequest(t.Context(), aRequest())
		if err != nil {
			t.Fatal(err)
		}
		newer := strings.Replace(m.HGet(key, "record"), "{", `{"newer":[],`, 1)
		m.HSet(key, "record", newer)
		if _, changed, err := s.ChangeRequest(t.Context(), approved(r)); !changed || err != nil {
			t.Fatalf("changed %v, %v", changed, err)
		}
		if got := m.HGet(key, "record"); got != newer {
			t.Errorf("the record is %s", got)
		}
	})
	t.Run("a record of another version is left alone", func(t *testing.T) {
		s, m := onMiniredis(t)
		r, err := s.PutRequest(t.Context(), aRequest())
		if err != nil {
			t.Fatal(err)
		}
		m.HSet(key, "v", "2")
		_, _, read := s.Request(t.Context(), r.ID)
		_, changed, change := s.ChangeRequest(t.Context(), approved(r))
		_, list := s.Requests(t.Context())
		_, _, ok, take := s.TakeTelling(t.Context(), r.ID, authtest.T0, time.Minute)
		for name, err := range map[string]error{"reading": read, "changing": change, "listing": list, "telling": take} {
			if err == nil || !strings.Contains(err.Error(), "newer sekisho") || !strings.Contains(err.Error(), r.ID) {
				t.Errorf("%s: error %v", name, err)
			}
		}
		if changed || ok || m.HGet(key, "version") != "0" {
			t.Errorf("changed %v, told %v, version %s", changed, ok, m.HGet(key, "version"))
		}
	})
}

func TestAListedRequestWithoutARecordIsPassedOver(t *testing.T) {
	s, m := onMiniredis(t)
	r, err := s.PutRequest(t.Context(), aRequest())
	if err != nil {
		t.Fatal(err)
	}
	m.ZAdd("sekisho:requests", 9e12, "i-0bbbbbbbbbbbbbbb2/crashed")
	if all, err := s.Requests(t.Context()); err != nil || len(all) != 1 || all[0].ID != r.ID {
		t.Errorf("%+v, %v", all, err)
	}
}

func TestWhatCannotBeStoredIsNamed(t *testing.T) {
	s, m := onMiniredis(t)
	other := aRequest()
	other.Instance = "i-0bbbbbbbbbbbbbbb2"
	_, request := s.PutRequest(t.Context(), other)
	_, _, change := s.ChangeRequest(t.Context(), aRequest())
	_, _, record := s.Keys().Change(t.Context(), purge.Record{ID: testKey})
	_, pass := s.PutPass(t.Context(), auth.NewPass{ID: "A", Instance: web, User: "U0HANA", Request: "with blanks"})
	for want, err := range map[string]error{
		other.ID: request, "without a change": change, testKey + " is to be changed": record, "with blanks": pass,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v; want one that says %q", err, want)
		}
	}
	if keys := m.Keys(); len(keys) != 0 {
		t.Errorf("stored: %v", keys)
	}
}
