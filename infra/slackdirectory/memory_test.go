package slackdirectory_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/auth"
	"sekisho/infra/slackdirectory"
)

func TestAThousandCallersOneCall(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
		f.holds(time.Second)
		var all sync.WaitGroup
		for range 1000 {
			all.Go(func() {
				if got, err := d.Members(t.Context(), "S1"); err != nil || len(got) != 2 {
					t.Errorf("got %q, %v", got, err)
				}
			})
		}
		all.Wait()
		if n := f.count("usergroups.users.list", "S1"); n != 1 {
			t.Errorf("Slack was asked %d times, want once", n)
		}
	})
}

// look has the group looked up and checks what it holds.
func look(t *testing.T, d *slackdirectory.Directory, want ...string) {
	t.Helper()
	if got, err := d.Members(t.Context(), "S1"); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestAnAnswerIsGoodForAMinute(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
		look(t, d, "U1", "U2")
		f.answer("usergroups.users.list", says(`{"ok":true,"users":["U2"]}`))
		time.Sleep(time.Minute - 1)
		look(t, d, "U1", "U2")
		time.Sleep(time.Nanosecond)
		look(t, d, "U2")
	})
}

func TestAGroupDeleted(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, log *bytes.Buffer) {
		look(t, d, "U1", "U2")
		f.answer("usergroups.users.list", refuses("no_such_subteam"))
		time.Sleep(time.Minute)
		for range 3 {
			if got, err := d.Members(t.Context(), "S1"); !errors.Is(err, auth.ErrNobody) || len(got) != 0 {
				t.Errorf("got %q, %v; want ErrNobody", got, err)
			}
		}
		if n := f.count("usergroups.users.list", "S1"); n != 2 {
			t.Errorf("Slack was asked %d times, want 2: that there is nobody is an answer", n)
		}
		f.answer("usergroups.users.list", noNetwork)
		time.Sleep(time.Hour)
		if _, err := d.Members(t.Context(), "S1"); !errors.Is(err, auth.ErrNobody) {
			t.Errorf("with Slack away: %v, want ErrNobody still", err)
		}
		if !strings.Contains(log.String(), "Slack is away") {
			t.Errorf("logged %q", log)
		}
	})
}

func TestSlackAwayTheLastGoodAnswerStands(t *testing.T) {
	for name, away := range map[string]reply{
		"no network":   noNetwork,
		"5xx":          breaks(http.StatusServiceUnavailable),
		"429":          breaks(http.StatusTooManyRequests),
		"its own word": refuses("internal_error"),
		"no JSON":      says("<html>"),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, log *bytes.Buffer) {
				f.answer("usergroups.users.list", away)
				if got, err := d.Members(t.Context(), "S1"); err == nil {
					t.Fatalf("got %q without ever an answer", got)
				}
				f.answer("usergroups.users.list", says(`{"ok":true,"users":["U1"]}`))
				look(t, d, "U1")
				f.answer("usergroups.users.list", away)
				time.Sleep(24 * time.Hour)
				look(t, d, "U1")
				if !strings.Contains(log.String(), "of=S1 age=24h0m0s") || strings.Contains(log.String(), token) {
					t.Errorf("logged %q, want that the answer is of a day ago", log)
				}
				time.Sleep(time.Nanosecond)
				if got, err := d.Members(t.Context(), "S1"); err == nil {
					t.Errorf("got %q, more than a day old", got)
				}
			})
		})
	}
}

// A definite no hides behind no old answer, not even when Slack is away later.
func TestARefusalIsHeard(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
		look(t, d, "U1", "U2")
		time.Sleep(time.Minute)
		for _, r := range []reply{refuses("missing_scope"), noNetwork} {
			f.answer("usergroups.users.list", r)
			if got, err := d.Members(t.Context(), "S1"); err == nil {
				t.Errorf("got %q, want the error", got)
			}
		}
	})
}

func TestSlackAwayIsNotAskedAtEveryTurn(t *testing.T) {
	for name, c := range map[string]struct {
		away reply
		off  time.Duration
	}{
		"5xx":                          {breaks(http.StatusBadGateway), 10 * time.Second},
		"a rate limit with 40 seconds": {breaks(http.StatusTooManyRequests), 40 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
				look(t, d, "U1", "U2")
				f.answer("usergroups.users.list", c.away)
				time.Sleep(time.Minute)
				look(t, d, "U1", "U2")
				f.answer("usergroups.users.list", says(`{"ok":true,"users":["U9"]}`))
				time.Sleep(c.off - 1)
				look(t, d, "U1", "U2")
				time.Sleep(time.Nanosecond)
				look(t, d, "U9")
			})
		})
	}
}

func TestSlackHangs(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, log *bytes.Buffer) {
		f.holds(time.Hour)
		start := time.Now()
		if _, err := d.Members(t.Context(), "S1"); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 5*time.Second {
			t.Errorf("without an answer: %v after %v, want the deadline after 5s", err, time.Since(start))
		}
		f.holds(0)
		look(t, d, "U1", "U2")
		time.Sleep(time.Minute)
		f.holds(time.Hour)
		start = time.Now()
		look(t, d, "U1", "U2")
		if took := time.Since(start); took != time.Second {
			t.Errorf("the last good answer came after %v, want 1s", took)
		}
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if !strings.Contains(log.String(), "Slack is away") {
			t.Errorf("logged %q", log)
		}
	})
}

// One caller who leaves ends its own wait, not the call that others wait for.
func TestACallerLeaves(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
		f.holds(3 * time.Second)
		why, start := errors.New("the request is over"), time.Now()
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		if _, err := d.Person(ctx, "U1"); !errors.Is(err, why) || time.Since(start) != time.Second {
			t.Errorf("%v after %v, want %v after 1s", err, time.Since(start), why)
		}
		f.holds(0) // for auth.test
		if p, err := d.Person(t.Context(), "U1"); err != nil || p.Name != "Hana" || time.Since(start) != 3*time.Second {
			t.Errorf("the next: %+v, %v after %v; want the first call's answer after 3s", p, err, time.Since(start))
		}
		if n := f.count("users.info", "U1"); n != 1 {
			t.Errorf("Slack was asked %d times, want once", n)
		}
	})
}

func TestTheOldestIsForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T, d *slackdirectory.Directory, f *fakeSlack, _ *bytes.Buffer) {
		for n := range 1001 {
			if _, err := d.Members(t.Context(), fmt.Sprintf("S%d", n)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Nanosecond)
		}
		for _, c := range []struct {
			id   string
			want int
		}{{"S1000", 1}, {"S1", 1}, {"S0", 2}} {
			if _, err := d.Members(t.Context(), c.id); err != nil {
				t.Fatal(err)
			}
			if n := f.count("usergroups.users.list", c.id); n != c.want {
				t.Errorf("%s was asked for %d times, want %d", c.id, n, c.want)
			}
		}
	})
}
