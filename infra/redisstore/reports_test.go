package redisstore_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sekisho/auth"
	"sekisho/auth/authtest"
	"sekisho/infra/redisstore"
)

const (
	textsKey = "sekisho:{report weekly}:texts"
	partsKey = "sekisho:{sent weekly%2F1}:parts"
	mebibyte = 1 << 20
)

func putReport(t *testing.T, r *redisstore.Reports, to time.Time) {
	t.Helper()
	if _, err := r.PutSnapshot(t.Context(), "weekly", to, fmt.Append(nil, to.UnixMilli()), 99, 30*day); err != nil {
		t.Fatal(err)
	}
}

// wantKept wants the report of that time to be the newest from before the other.
func wantKept(t *testing.T, r *redisstore.Reports, before, to time.Time) {
	t.Helper()
	text, got, err := r.Snapshot(t.Context(), "weekly", before)
	if err != nil || !got.Equal(to) || (text == nil) != to.IsZero() {
		t.Errorf("before %v: %q of %v, %v; want %v", before, text, got, err, to)
	}
}

func TestAReportIsKeptForItsTime(t *testing.T) {
	s, m := onMiniredis(t)
	r, t0 := s.Reports(), authtest.T0
	putReport(t, r, t0)
	m.FastForward(29 * day)
	putReport(t, r, t0.Add(29*day))
	wantKept(t, r, t0.Add(day), t0)
	putReport(t, r, t0.Add(30*day))
	wantKept(t, r, t0.Add(day), time.Time{})
	wantKept(t, r, t0.Add(30*day), t0.Add(29*day))
	m.FastForward(30*day - time.Millisecond)
	wantKept(t, r, t0.Add(90*day), t0.Add(30*day))
	m.FastForward(time.Millisecond)
	wantKept(t, r, t0.Add(90*day), time.Time{})
	if keys := m.Keys(); len(keys) != 0 {
		t.Errorf("nothing came for 30 days, and there is %v", keys)
	}
}

func TestAReportIsStoredSmall(t *testing.T) {
	s, m := onMiniredis(t)
	text := []byte(strings.Repeat(`{"name":"ci","findings":[]},`, 100_000))
	if _, err := s.Reports().PutSnapshot(t.Context(), "weekly", authtest.T0, text, 1, day); err != nil {
		t.Fatal(err)
	}
	stored := m.HGet(textsKey, fmt.Sprint(authtest.T0.UnixMilli()))
	if stored == "" || len(stored) > len(text)/20 {
		t.Errorf("%d bytes are stored of %d", len(stored), len(text))
	}
}

// TestATextThatIsTooLong holds back what would not fit into memory, whoever
// has put it there.
func TestATextThatIsTooLong(t *testing.T) {
	s, m := onMiniredis(t)
	r, t0 := s.Reports(), authtest.T0
	zeros := func(n int) []byte { return make([]byte, n) }
	if _, err := r.PutSnapshot(t.Context(), "weekly", t0, zeros(32*mebibyte+1), 9, day); err == nil || m.Exists(textsKey) {
		t.Errorf("a byte too long: error %v, keys %v", err, m.Keys())
	}
	if _, err := r.PutSnapshot(t.Context(), "weekly", t0, zeros(32*mebibyte), 9, day); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
	if text, _, err := r.Snapshot(t.Context(), "weekly", t0.Add(day)); err != nil || len(text) != 32*mebibyte {
		t.Errorf("as long as may be: %d bytes, %v", len(text), err)
	}

	var bomb bytes.Buffer
	w := gzip.NewWriter(&bomb)
	for range 33 {
		w.Write(zeros(mebibyte))
	}
	w.Flush() // and no end: whoever looks for it has read too much
	for name, tt := range map[string]struct{ packed, want string }{
		"a bomb":  {bomb.String(), "longer than"},
		"cut off": {bomb.String()[:100], "unexpected EOF"},
		"no gzip": {"no gzip, but a text", "invalid header"},
		"nothing": {"", "EOF"},
	} {
		m.HSet(textsKey, fmt.Sprint(t0.UnixMilli()), tt.packed)
		text, _, err := r.Snapshot(t.Context(), "weekly", t0.Add(day))
		if text != nil || err == nil || !strings.Contains(err.Error(), tt.want) || errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: %d bytes, %v", name, len(text), err)
		}
		if kept, err := r.PutSnapshot(t.Context(), "weekly", t0, nil, 9, day); err == nil || kept != nil {
			t.Errorf("%s: put over it: %d bytes, %v", name, len(kept), err)
		}
	}
}

// TestALostAnswerFreesNobodyElsesPart has another begin what was given back,
// before the answer to that is waited for in vain.
func TestALostAnswerFreesNobodyElsesPart(t *testing.T) {
	url := "redis://" + miniredis.RunT(t).Addr()
	client := connect(t, url)
	mine, others := redisstore.New(client).Reports(), redisstore.New(connect(t, url)).Reports()
	begin := func(r *redisstore.Reports, worker string, want bool) {
		t.Helper()
		if p, err := r.Begin(t.Context(), "weekly/1", "mail", worker, authtest.T0); p.Mine != want || err != nil {
			t.Errorf("%s: %+v, %v; mine: want %v", worker, p, err, want)
		}
	}
	next := func() {}
	client.AddHook(interrupted{"eval", func() { next() }})
	next = func() { begin(others, "two", false) }
	begin(mine, "one", true)
	next = func() { begin(others, "two", true) }
	if err := mine.Release(t.Context(), "weekly/1", "mail", "one"); err != nil {
		t.Fatal(err)
	}
	begin(others, "three", false)
}

func TestADeliveryIsRememberedForTwoYears(t *testing.T) {
	s, m := onMiniredis(t)
	r := s.Reports()
	if _, err := r.Begin(t.Context(), "weekly/1", "mail", "one", authtest.T0); err != nil {
		t.Fatal(err)
	}
	m.FastForward(733 * day)
	if err := r.Finish(t.Context(), "weekly/1", "mail", "1.1"); err != nil {
		t.Fatal(err)
	}
	m.FastForward(733 * day)
	if p, err := r.Begin(t.Context(), "weekly/1", "mail", "two", authtest.T0); !p.Done || err != nil || !m.Exists(partsKey) {
		t.Errorf("after 733 days: %+v, %v, keys %v", p, err, m.Keys())
	}
	if m.FastForward(day); m.Exists(partsKey) {
		t.Error("after 734 days it is still there")
	}
}

func TestANewerSekishosReports(t *testing.T) {
	s, m := onMiniredis(t)
	r, now := s.Reports(), authtest.T0
	m.HSet(textsKey, "v", "2")
	m.HSet(partsKey, "v", "2")
	_, put := r.PutSnapshot(t.Context(), "weekly", now, nil, 9, day)
	_, _, read := r.Snapshot(t.Context(), "weekly", now)
	_, begin := r.Begin(t.Context(), "weekly/1", "mail", "one", now)
	for name, err := range map[string]error{
		"putting": put, "reading": read, "beginning": begin,
		"finishing": r.Finish(t.Context(), "weekly/1", "mail", "1.1"), "releasing": r.Release(t.Context(), "weekly/1", "mail", "one"),
	} {
		if err == nil || !strings.Contains(err.Error(), "newer sekisho") {
			t.Errorf("%s: error %v", name, err)
		}
	}
	for _, key := range []string{textsKey, partsKey} {
		if fields, err := m.HKeys(key); len(fields) != 1 || err != nil {
			t.Errorf("%s was changed: %v, %v", key, fields, err)
		}
	}
}

func TestReportsThatAreAwaySaySo(t *testing.T) {
	s, m := onMiniredis(t)
	r, ctx, now := s.Reports(), t.Context(), authtest.T0
	m.SetError("ERR the test took the store away")
	for name, call := range map[string]func() error{
		"PutSnapshot": func() error { _, err := r.PutSnapshot(ctx, "weekly", now, nil, 9, day); return err },
		"Snapshot":    func() error { _, _, err := r.Snapshot(ctx, "weekly", now); return err },
		"Begin":       func() error { _, err := r.Begin(ctx, "weekly/1", "mail", "one", now); return err },
		"Finish":      func() error { return r.Finish(ctx, "weekly/1", "mail", "1.1") },
		"Release":     func() error { return r.Release(ctx, "weekly/1", "mail", "one") },
	} {
		if err := call(); !errors.Is(err, auth.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
