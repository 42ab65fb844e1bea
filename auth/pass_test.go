package auth_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"sekisho/auth"
)

func TestIssueGivesAPassUntilItsDeadline(t *testing.T) {
	w := newWorld(t)
	got := w.issue(hana, web)
	want := auth.PassRecord{
		ID: pepper(t).Digest(web, got.Code), Instance: web, User: hana, State: auth.PassLive,
		Issued: w.now, Deadline: w.now.Add(10 * time.Minute), Request: "trigger-1",
	}
	if got.PassRecord != want {
		t.Errorf("issued %+v; want %+v", got.PassRecord, want)
	}
	if misfit := pepper(t).Misfit(web, got.Code); misfit != auth.Expired {
		t.Errorf("the code's marks read as %s: it was not made for its instance", misfit)
	}
	kept, err := w.store.PassesOf(t.Context(), []string{web})
	if err != nil || len(kept) != 1 || kept[0].ID != want.ID || !kept[0].Deadline.Equal(want.Deadline) {
		t.Errorf("the store keeps %+v, %v", kept, err)
	}
}

var hanasPass = auth.NewPass{Instance: web, User: hana, Request: "request"}

func TestIssueAnswersARequestOnce(t *testing.T) {
	w := newWorld(t)
	if _, err := w.passes.Issue(t.Context(), hanasPass, time.Minute); err != nil {
		t.Fatal(err)
	}
	_, err := w.passes.Issue(t.Context(), hanasPass, time.Minute)
	wantRefusal(t, err, auth.Replayed)
}

func TestIssueKeepsTheInstanceLimit(t *testing.T) {
	w := newWorld(t)
	w.policy.Passes.Limit.Instance = 2
	w.issue(hana, web)
	w.issue(ben, web)
	_, err := w.passes.Issue(t.Context(), auth.NewPass{Instance: web, User: chiyo, Request: "request"}, time.Minute)
	wantRefusal(t, err, auth.TooManyInstance)
}

func TestNoPassWithoutRandomness(t *testing.T) {
	w := newWorld(t)
	dry := errors.New("no randomness")
	w.passes.Random = iotest.ErrReader(dry)
	if _, err := w.passes.Issue(t.Context(), hanasPass, time.Minute); !errors.Is(err, dry) {
		t.Errorf("error %v; want the source's own", err)
	}
	if kept, _ := w.store.PassesOf(t.Context(), []string{web}); len(kept) != 0 {
		t.Errorf("a pass was stored: %+v", kept)
	}
}

// The code is given to its owner and to the tag. What the store keeps of its
// whole life does not hold it, nor its random part.
func TestStoreNeverHoldsTheCode(t *testing.T) {
	w := newWorld(t)
	voided := w.issue(hana, web)
	w.now = w.now.Add(time.Second)
	spent := w.issue(hana, web)
	w.start(web, spent.Code.Reveal())
	w.opened(auth.Pending)
	w.ec2.wantDid("Untag " + web + " Auth=" + spent.Code.Reveal())
	w.become(web, auth.Stopped)
	w.start(web, voided.Code.Reveal())
	w.opened(auth.Pending)
	w.ec2.wantDid("Stop " + web)
	dump := strings.ToUpper(w.redis.Dump())
	for _, c := range []auth.Code{voided.Code, spent.Code} {
		if strings.Contains(dump, c.Reveal()[:20]) {
			t.Errorf("the store holds a code:\n%s", dump)
		}
	}
}

// Admit needs nothing of AWS: it comes before what does.
func TestAdmitKeepsThePersonLimit(t *testing.T) {
	w := newWorld(t)
	w.policy.Passes.Limit.Person = 2
	for n := range 2 {
		if err := w.passes.Admit(t.Context(), hana); err != nil {
			t.Fatalf("ask %d: %v", n+1, err)
		}
	}
	err := w.passes.Admit(t.Context(), hana)
	wantRefusal(t, err, auth.TooManyPerson)
	var r *auth.Refusal
	if errors.As(err, &r) && (r.Wait <= 0 || r.Wait > 10*time.Minute) {
		t.Errorf("told to wait %v", r.Wait)
	}
	if err := w.passes.Admit(t.Context(), ben); err != nil {
		t.Errorf("another person is refused too: %v", err)
	}
}

func TestVoidEndsOnlyTheOwnersPass(t *testing.T) {
	w := newWorld(t)
	w.issue(hana, web)
	bens := w.issue(ben, web)
	if err := w.passes.Void(t.Context(), hana, web); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, w.passes.Void(t.Context(), hana, web), auth.NoPass)
	live, err := w.passes.Live(t.Context(), ben, []string{web})
	if err != nil || len(live) != 1 || live[0].ID != bens.ID {
		t.Errorf("ben holds %+v, %v", live, err)
	}
}

func TestLiveListsOnesOwnLivePasses(t *testing.T) {
	w := newWorld(t)
	w.ec2.put(guarded(db, auth.Stopped, w.now))
	w.issue(hana, web)
	w.issue(ben, web)
	w.now = w.now.Add(9 * time.Minute)
	other := w.issue(hana, db)
	instances := []string{web, db}
	if live, err := w.passes.Live(t.Context(), hana, instances); err != nil || len(live) != 2 {
		t.Errorf("after 9 minutes: %+v, %v; want both", live, err)
	}
	w.now = w.now.Add(2 * time.Minute)
	if live, err := w.passes.Live(t.Context(), hana, instances); err != nil || len(live) != 1 || live[0].ID != other.ID {
		t.Errorf("after 11 minutes: %+v, %v; want the second", live, err)
	}
}

func TestLiveAt(t *testing.T) {
	end := time.UnixMilli(1_800_000_000_000)
	for _, tt := range []struct {
		state auth.PassState
		at    time.Time
		want  bool
	}{
		{auth.PassLive, end, true},
		{auth.PassLive, end.Add(time.Millisecond), false},
		{auth.PassUsed, end.Add(-time.Minute), false},
		{auth.PassVoided, end.Add(-time.Minute), false},
	} {
		if got := (auth.PassRecord{State: tt.state, Deadline: end}).LiveAt(tt.at); got != tt.want {
			t.Errorf("%s at %v of its deadline: live %v; want %v", tt.state, tt.at.Sub(end), got, tt.want)
		}
	}
}

func TestPassesSayThatTheStoreIsAway(t *testing.T) {
	w := newWorld(t)
	w.away()
	_, issue := w.passes.Issue(t.Context(), hanasPass, time.Minute)
	_, live := w.passes.Live(t.Context(), hana, []string{web})
	for what, err := range map[string]error{
		"Admit": w.passes.Admit(t.Context(), hana), "Issue": issue, "Live": live, "Void": w.passes.Void(t.Context(), hana, web),
	} {
		var r *auth.Refusal
		if !errors.Is(err, auth.ErrUnavailable) || errors.As(err, &r) {
			t.Errorf("%s: %v; want a fault, the store is away", what, err)
		}
	}
}

func TestRefusalSaysWhyAndHowLong(t *testing.T) {
	for want, r := range map[string]*auth.Refusal{
		"refused: not_guarded":                    {Reason: auth.NotGuarded},
		"refused: too_many_person, for 1m2s more": {Reason: auth.TooManyPerson, Wait: 61600 * time.Millisecond},
	} {
		if got := fmt.Sprint(r); got != want {
			t.Errorf("%q; want %q", got, want)
		}
	}
}
