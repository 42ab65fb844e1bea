package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/auth"
	"sekisho/auth/authtest"
)

func TestStoreAwayStops(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal()) // good, but nobody can know
	w.away()
	o := w.opened(auth.Pending)
	wantStart(t, o.Start, false, auth.Unjudged, auth.StopAsked)
	if o.Recorded || o.Instance.ID != web || !o.Start.Launch.Equal(w.ec2.truth[web].LaunchTime) || !o.Start.Decided.Equal(w.now) {
		t.Errorf("the outcome: %+v", o)
	}
	w.ec2.wantDid("Stop " + web)
}

func TestStoreAwayAllows(t *testing.T) {
	w := newWorld(t)
	w.policy.Gate.WhenUnavailable = auth.AllowUnjudged
	w.start(web, "")
	w.away()
	o := w.opened(auth.Pending)
	wantStart(t, o.Start, true, auth.Unjudged, auth.Decided)
	if o.Recorded {
		t.Error("nothing can be recorded while the store is away")
	}
}

// A policy that says nothing is no permission.
func TestStoreAwayAndNothingSaidStops(t *testing.T) {
	w := newWorld(t)
	w.policy.Gate.WhenUnavailable = ""
	w.start(web, "")
	w.away()
	wantStart(t, w.opened(auth.Pending).Start, false, auth.Unjudged, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
}

func TestStoreAwayLeavesUnguardedInstancesAlone(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	i := w.ec2.truth[web]
	i.Tags = map[string]string{"Name": "free"}
	w.ec2.put(i)
	w.away()
	wantNone(t, w.opened(auth.Pending))
}

func TestStoreAwayKeepsTheAnswersToObstacles(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.obstacle(auth.AutoScaling)
	w.away()
	o := w.opened(auth.Pending)
	wantStart(t, o.Start, false, auth.Unjudged, auth.LeftAlone)
	if o.Start.Note != string(auth.AutoScaling) {
		t.Errorf("the note: %q", o.Start.Note)
	}
}

func TestStoreAwayAndEC2TooKeepsTheEvent(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.away()
	fault := errors.New("throttled")
	w.ec2.answer("Stop", fault)
	o, err := w.gate.Opened(t.Context(), w.event(auth.Pending))
	if !errors.Is(err, fault) {
		t.Errorf("error %v; want the fault", err)
	}
	wantStart(t, o.Start, false, auth.Unjudged, auth.Decided)
	w.ec2.wantDid("Stop " + web)
}

// A start that this process let in is not stopped because the store went away
// before its second event came.
func TestRecentProtectsAnAdmittedStart(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.opened(auth.Pending)
	w.ec2.wantDid(untag(p))
	w.away()
	w.become(web, auth.Running)
	wantNone(t, w.opened(auth.Running))
	w.ec2.wantDid()

	// It is that start that was let in, and not the next.
	w.become(web, auth.Stopped)
	w.start(web, "")
	wantStart(t, w.opened(auth.Pending).Start, false, auth.Unjudged, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
}

func TestRecentDoesNotRememberRefusals(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	w.start(web, "")
	w.opened(auth.Pending)
	w.away()
	w.become(web, auth.Running)
	e := w.event(auth.Running)
	if o, err := w.gate.Opened(t.Context(), e); !errors.Is(err, auth.ErrUnavailable) || !o.None() {
		t.Errorf("came to %+v, %v; a blip must not stop what another process may have let in", o.Start, err)
	}
	w.now = w.now.Add(31 * time.Second)
	o, err := w.gate.Opened(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	wantStart(t, o.Start, false, auth.Unjudged, auth.StopAsked)
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

// The store goes away between the verdict and the note of what was done.
func TestStoreAwayHalfWayKeepsWhatWasDone(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.gate.Starts = halfAway{w.store}
	o, err := w.gate.Opened(t.Context(), w.event(auth.Pending))
	if !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("error %v; want one that keeps the event", err)
	}
	wantStart(t, o.Start, false, auth.NoTag, auth.StopAsked) // the verdict, not "unavailable"
	w.gate.Starts = w.store
	wantStart(t, w.opened(auth.Pending).Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

func TestStoreAwayHalfWayKeepsAnAdmission(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.gate.Starts = halfAway{w.store}
	if o, err := w.gate.Opened(t.Context(), w.event(auth.Pending)); !errors.Is(err, auth.ErrUnavailable) || !o.Start.Admitted {
		t.Errorf("came to %+v, %v", o.Start, err)
	}
	w.gate.Starts = w.store
	w.away()
	wantNone(t, w.opened(auth.Running)) // the same event again
	w.back()
	wantStart(t, w.opened(auth.Running).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid(untag(p)) // the tag was gone by then
}

func TestSettleWritesARefusalDown(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.away()
	refused := w.opened(auth.Pending).Start
	w.ec2.wantDid("Stop " + web)
	if _, err := w.gate.Settle(t.Context(), refused); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("while the store is away: %v", err)
	}
	w.back()
	for range 2 { // a task may come twice
		o, err := w.gate.Settle(t.Context(), refused)
		if err != nil || !o.Recorded || o.Instance.Name() != "web-1" {
			t.Errorf("settled: %+v, %v", o, err)
		}
		wantStart(t, o.Start, false, auth.Unjudged, auth.StopAsked)
	}
	wantStart(t, w.record(web), false, auth.Unjudged, auth.StopAsked)

	// The start was not let in: the pass is its owner's still.
	w.become(web, auth.Stopped)
	w.start(web, p.Code.Reveal())
	wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid(untag(p))
}

func TestSettleFinishesAFirstLaunch(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.away()
	w.ec2.answer("Stop", auth.ErrNotYet)
	refused := w.opened(auth.Pending).Start
	wantStart(t, refused, false, auth.Unjudged, auth.Unstopped)
	w.back()
	if _, err := w.gate.Settle(t.Context(), refused); err != nil {
		t.Fatal(err)
	}
	w.become(web, auth.Running)
	wantStart(t, w.opened(auth.Running).Start, false, auth.Unjudged, auth.StopAsked)
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

func TestSettleSpendsAGoodPass(t *testing.T) {
	w := newWorld(t)
	w.policy.Gate.WhenUnavailable = auth.AllowUnjudged
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.away()
	allowed := w.opened(auth.Pending).Start
	w.back()
	w.now = w.now.Add(time.Hour) // the start was in time, the settling need not be
	o, err := w.gate.Settle(t.Context(), allowed)
	if err != nil {
		t.Fatal(err)
	}
	wantStart(t, o.Start, true, auth.Pass, auth.Decided)
	if o.Start.User != hana {
		t.Errorf("the grant names %q", o.Start.User)
	}
	w.become(web, auth.Stopped)
	w.start(web, p.Code.Reveal())
	wantStart(t, w.opened(auth.Pending).Start, false, auth.Used, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
}

// What was allowed without a pass stays allowed: it is written down as such,
// and a wrong tag does not lock the instance now.
func TestSettleKeepsWhatWasAllowed(t *testing.T) {
	for _, tag := range []string{"", "nonsense"} {
		w := newWorld(t)
		w.policy.Gate.WhenUnavailable = auth.AllowUnjudged
		w.policy.Gate.Lock.After = 1
		w.start(web, tag)
		w.away()
		allowed := w.opened(auth.Pending).Start
		w.back()
		o, err := w.gate.Settle(t.Context(), allowed)
		if err != nil {
			t.Fatal(err)
		}
		wantStart(t, o.Start, true, auth.Unjudged, auth.Decided)
		w.become(web, auth.Running)
		wantStart(t, w.opened(auth.Running).Start, true, auth.Unjudged, auth.TagGone)
		w.ec2.wantDid() // a tag that was not spent stays its owner's
		w.become(web, auth.Stopped)
		w.issue(hana, web) // not locked
	}
}

// Its stopped event came while there was no record to close.
func TestSettleOfWhatIsOver(t *testing.T) {
	for name, over := range map[string]func(w *world){
		"stopped": func(w *world) { w.become(web, auth.Stopped) },
		"gone":    func(w *world) { delete(w.ec2.truth, web) },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start(web, "")
			w.away()
			refused := w.opened(auth.Pending).Start
			w.ec2.wantDid("Stop " + web)
			w.back()
			over(w)
			o, err := w.gate.Settle(t.Context(), refused)
			if err != nil || o.Instance.ID != web {
				t.Errorf("settled: %+v, %v", o, err)
			}
			wantStart(t, o.Start, false, auth.Unjudged, auth.Ended)
		})
	}
}

// The record of a newer start is not moved by what was done about an older one.
func TestSettleComesTooLateForANewerStart(t *testing.T) {
	for _, decided := range []auth.Start{
		{Instance: web, Reason: auth.Unjudged, Stage: auth.LeftAlone, Note: string(auth.AutoScaling)},
		{Instance: web, Reason: auth.Unjudged, Stage: auth.Decided, Admitted: true},
	} {
		t.Run(fmt.Sprint(decided), func(t *testing.T) {
			w := newWorld(t)
			w.start(web, "")
			decided.Launch = w.ec2.truth[web].LaunchTime
			w.start(web, "")
			w.ec2.answer("Stop", auth.ErrNotYet)
			w.opened(auth.Pending)
			o, err := w.gate.Settle(t.Context(), decided)
			if err != nil {
				t.Fatal(err)
			}
			wantNone(t, o)
			wantStart(t, w.record(web), false, auth.NoTag, auth.Unstopped)
			w.become(web, auth.Running)
			wantStart(t, w.opened(auth.Running).Start, false, auth.NoTag, auth.StopAsked)
			w.ec2.wantDid("Stop "+web, "Stop "+web)
		})
	}
}

func TestSettleThatCannotReadEC2IsTriedAgain(t *testing.T) {
	w := newWorld(t)
	fault := errors.New("throttled")
	w.ec2.shows = []reading{{err: fault}}
	if _, err := w.gate.Settle(t.Context(), auth.Start{Instance: web, Launch: w.now}); !errors.Is(err, fault) {
		t.Errorf("error %v; want the fault", err)
	}
}

func TestStoppedEventWaitsForTheStore(t *testing.T) {
	w := newWorld(t)
	w.away()
	e := auth.StateChange{Instance: web, State: auth.Stopped, At: w.now}
	if _, err := w.gate.Closed(t.Context(), e); !errors.Is(err, auth.ErrUnavailable) || !strings.Contains(err.Error(), web) {
		t.Errorf("error %v; want one that keeps the event and names the instance", err)
	}
}

// A start that was allowed is not judged when the store is back before its next
// event: it was told as let in, and Settle writes that down.
func TestStoreBackKeepsWhatWasAllowed(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	w.policy.Gate.WhenUnavailable = auth.AllowUnjudged
	w.swept()
	w.start(web, "")
	w.away()
	allowed := w.opened(auth.Pending).Start
	w.back()
	w.become(web, auth.Running)
	for by, o := range map[string]auth.Outcome{"the next event": w.opened(auth.Running), "the sweep": w.swept().Outcomes[0]} {
		if o.Start != allowed || o.Recorded {
			t.Errorf("%s did not leave it to Settle: %+v", by, o)
		}
	}
	if _, err := w.gate.Settle(t.Context(), allowed); err != nil {
		t.Fatal(err)
	}
	w.swept()
	wantStart(t, w.record(web), true, auth.Unjudged, auth.TagGone)
}

// A start that was refused without the store is not judged when it is back
// before the next event: the pass is not spent on what is being stopped.
func TestStoreBackKeepsWhatWasRefused(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	w.swept()
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.away()
	refused := w.opened(auth.Pending).Start
	w.back()
	w.now = w.now.Add(time.Second)
	again := w.opened(auth.Pending) // while it is pending, once is enough
	w.ec2.wantDid("Stop " + web)
	w.become(web, auth.Running)
	for by, o := range map[string]auth.Outcome{
		"the same event": again, "the next event": w.opened(auth.Running), "the sweep": w.swept().Outcomes[0],
	} {
		if o.Start != refused || o.Recorded || o.Instance.ID != web {
			t.Errorf("%s did not leave it to Settle: %+v", by, o)
		}
	}
	w.ec2.wantDid("Stop "+web, "Stop "+web) // it ran all the same
	if s := w.record(web); s.Stage != 0 {
		t.Errorf("written down before Settle: %+v", s)
	}
	if _, err := w.gate.Settle(t.Context(), refused); err != nil {
		t.Fatal(err)
	}
	wantStart(t, w.record(web), false, auth.Unjudged, auth.StopAsked)

	// What Settle wrote is gone on with.
	o := w.opened(auth.Running)
	wantStart(t, o.Start, false, auth.Unjudged, auth.StopAsked)
	if !o.Recorded {
		t.Error("the record is not found")
	}
	w.ec2.wantDid("Stop " + web)

	// The next start is another one, and its pass is good still.
	w.become(web, auth.Stopped)
	w.start(web, p.Code.Reveal())
	wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid(untag(p))
}

// EC2 refuses to stop a first launch in pending: its running event ends it,
// whether the store is back by then or not.
func TestAFirstLaunchThatWasNotJudgedIsStoppedWhenItRuns(t *testing.T) {
	for _, back := range []bool{true, false} {
		t.Run(fmt.Sprint("store back: ", back), func(t *testing.T) {
			w := newWorld(t)
			w.gate.Recent = new(auth.Recent)
			w.start(web, "")
			w.away()
			w.ec2.answer("Stop", auth.ErrNotYet)
			first := w.opened(auth.Pending).Start
			wantStart(t, first, false, auth.Unjudged, auth.Unstopped)
			w.ec2.wantDid("Stop " + web)
			w.become(web, auth.Running)
			e := w.event(auth.Running)
			if back {
				w.back()
			} else {
				if o, err := w.gate.Opened(t.Context(), e); !errors.Is(err, auth.ErrUnavailable) || !o.None() {
					t.Errorf("came to %+v, %v; another process may have let it in", o.Start, err)
				}
				w.ec2.wantDid()
				w.now = w.now.Add(31 * time.Second)
			}
			o, err := w.gate.Opened(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			wantStart(t, o.Start, false, auth.Unjudged, auth.StopAsked)
			if o.Recorded || !o.Start.Decided.Equal(first.Decided) || !o.Start.StageAt.Equal(w.now) {
				t.Errorf("it is not the start that was refused: %+v", o)
			}
			w.ec2.wantDid("Stop " + web)
			w.back()
			for _, s := range []auth.Start{first, o.Start} { // each was told
				if _, err := w.gate.Settle(t.Context(), s); err != nil {
					t.Fatal(err)
				}
			}
			wantStart(t, w.record(web), false, auth.Unjudged, auth.StopAsked)
		})
	}
}

// An obstacle that was left alone stays so, and is not judged either.
func TestStoreBackKeepsWhatWasLeftAlone(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	w.start(web, w.issue(hana, web).Code.Reveal())
	w.obstacle(auth.AutoScaling)
	w.away()
	left := w.opened(auth.Pending).Start
	w.back()
	w.become(web, auth.Running)
	if o := w.opened(auth.Running); o.Start != left || left.Note != string(auth.AutoScaling) {
		t.Errorf("left alone as %+v, then %+v", left, o.Start)
	}
}

// A stop that failed is a refusal all the same: it was told, and Settle may be
// the first to find the store back.
func TestStoreBackKeepsARefusalThatCouldNotBeActedOn(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	w.start(web, w.issue(hana, web).Code.Reveal())
	w.away()
	w.ec2.answer("Stop", errors.New("throttled"))
	if _, err := w.gate.Opened(t.Context(), w.event(auth.Pending)); err == nil {
		t.Error("the event is not kept")
	}
	w.back()
	wantStart(t, w.opened(auth.Pending).Start, false, auth.Unjudged, auth.StopAsked)
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

// What another process let in, with the store, is not stopped again.
func TestARecordOutweighsARememberedRefusal(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.away()
	refused := w.opened(auth.Pending).Start
	w.ec2.wantDid("Stop " + web)
	w.back()
	other := *w.gate
	other.Recent = new(auth.Recent)
	if _, err := other.Opened(t.Context(), w.event(auth.Pending)); err != nil {
		t.Fatal(err)
	}
	w.become(web, auth.Running)
	wantStart(t, w.opened(auth.Running).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid(untag(p))
	o, err := w.gate.Settle(t.Context(), refused)
	if err != nil {
		t.Fatal(err)
	}
	wantNone(t, o)
	w.away()
	wantNone(t, w.opened(auth.Running)) // it is remembered as let in now
}

// The sweep adopts what ran before a store that lost its data, but not what
// this process is ending.
func TestSweepDoesNotAdoptWhatWasRefused(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	w.start(web, "")
	w.away()
	w.ec2.answer("Stop", auth.ErrNotYet)
	w.opened(auth.Pending)
	w.back()
	w.become(web, auth.Running)
	w.now = w.now.Add(time.Minute)
	sum := w.swept()
	if len(sum.Outcomes) != 1 {
		t.Fatalf("swept %+v", sum)
	}
	wantStart(t, sum.Outcomes[0].Start, false, auth.Unjudged, auth.StopAsked)
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

// awayToJudge is a store that is back right after it could not be asked.
type awayToJudge struct{ auth.StartStore }

func (awayToJudge) Judge(context.Context, auth.Knock) (auth.Start, bool, error) {
	return auth.Start{}, false, fmt.Errorf("%w: for a moment", auth.ErrUnavailable)
}

// What the store has of the instance then is not taken for this start.
func TestStoreBackBeforeTheStopIsNoted(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.opened(auth.Pending)
	w.become(web, auth.Stopped)
	w.closed(w.now)
	w.start(web, "")
	w.gate.Starts = awayToJudge{w.store}
	o := w.opened(auth.Pending)
	wantStart(t, o.Start, false, auth.Unjudged, auth.StopAsked)
	if o.Recorded || !o.Start.Launch.Equal(w.ec2.truth[web].LaunchTime) {
		t.Errorf("the outcome: %+v", o)
	}
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

// stalled is a store whose first verdict never comes, and that is back for the
// next one: it lets in who has a code. It has no records, and was swept before.
type stalled struct {
	auth.StartStore
	auth.PassStore
	asked   atomic.Int32
	judged  atomic.Bool
	release chan struct{}
}

func (s *stalled) Judge(_ context.Context, k auth.Knock) (auth.Start, bool, error) {
	if s.asked.Add(1) == 1 {
		<-s.release
		return auth.Start{}, false, auth.ErrUnavailable
	}
	if k.Code == "" && !k.Final {
		return auth.Start{}, false, nil
	}
	s.judged.Store(true)
	return auth.Start{
		Instance: k.Instance, Launch: k.Launch, Admitted: k.Code != "", Reason: auth.NoTag, Stage: auth.TagGone,
	}, true, nil
}

func (s *stalled) Starts(context.Context, []string) (map[string]auth.Start, error) { return nil, nil }

func (s *stalled) PassesOf(context.Context, []string) ([]auth.PassRecord, error) { return nil, nil }

func (s *stalled) Swept(context.Context) (time.Time, error) { return authtest.T0, nil }

func (s *stalled) PutSwept(context.Context, time.Time) error { return nil }

// The second event of a start, and the sweep, wait for what the first event
// comes to: else the store, back meanwhile, would refuse what was allowed, or
// spend the pass of what was stopped.
func TestTwoEventsOfAStartAreJudgedInTurn(t *testing.T) {
	for _, answer := range []auth.Unavailable{auth.AllowUnjudged, auth.StopUnjudged} {
		t.Run(string(answer), func(t *testing.T) {
			w := newWorld(t)
			w.policy.Gate.WhenUnavailable = answer
			allow := answer == auth.AllowUnjudged
			tag := "" // the store would come to the contrary
			if !allow {
				tag = w.issue(hana, web).Code.Reveal()
			}
			w.start(web, tag)
			synctest.Test(t, func(t *testing.T) {
				store := &stalled{release: make(chan struct{})}
				w.gate.Starts, w.gate.Recent, w.gate.Looks = store, new(auth.Recent), nil
				w.passes.Store = store
				outcomes := make(chan auth.Outcome, 3)
				open := func(s auth.State) {
					o, err := w.gate.Opened(t.Context(), w.event(s))
					if err != nil {
						t.Errorf("%s: %v", s, err)
					}
					outcomes <- o
				}
				go open(auth.Pending)
				synctest.Wait()
				go open(auth.Running)
				go func() {
					sum, err := w.sweep.Run(t.Context())
					if err != nil || len(sum.Outcomes) != 1 {
						t.Errorf("swept %+v, %v", sum, err)
					}
					outcomes <- append(sum.Outcomes, auth.Outcome{})[0]
				}()
				synctest.Wait() // they wait their turn
				if n := store.asked.Load(); n != 1 {
					t.Errorf("the store was asked %d times before the first answer", n)
				}
				close(store.release)
				for range 3 {
					if o := <-outcomes; o.Start.Admitted != allow || o.Start.Reason != auth.Unjudged || o.Recorded {
						t.Errorf("the outcome: %+v", o)
					}
				}
				if store.judged.Load() {
					t.Error("the store judged the start")
				}
			})
			if allow {
				w.ec2.wantDid()
			} else {
				w.ec2.wantDid("Stop "+web, "Stop "+web)
			}
		})
	}
}

// What Settle finds in the tag when the start is over may be a pass for the
// next one: it is not spent.
func TestSettleLeavesTheNextPassAlone(t *testing.T) {
	w := newWorld(t)
	w.policy.Gate.WhenUnavailable = auth.AllowUnjudged
	w.start(web, "")
	w.away()
	allowed := w.opened(auth.Pending).Start
	w.back()
	w.become(web, auth.Stopped)
	next := w.issue(hana, web).Code.Reveal()
	w.ec2.put(tagged(w.ec2.truth[web], next))
	if _, err := w.gate.Settle(t.Context(), allowed); err != nil {
		t.Fatal(err)
	}
	wantStart(t, w.record(web), true, auth.Unjudged, auth.Decided)
	w.start(web, next)
	wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid("Untag " + web + " Auth=" + next)
}

func TestRecentIsBounded(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	w.start(web, "")
	w.gate.Recent.Add(auth.Start{Instance: web, Launch: w.ec2.truth[web].LaunchTime, Admitted: true})
	for n := range 10_000 {
		w.gate.Recent.Add(auth.Start{Instance: fmt.Sprint("i-", n), Launch: w.now, Admitted: true})
	}
	w.away()
	wantStart(t, w.opened(auth.Pending).Start, false, auth.Unjudged, auth.StopAsked) // the oldest is forgotten
	w.ec2.wantDid("Stop " + web)
	w.gate.Recent.Add(auth.Start{Instance: web, Launch: w.ec2.truth[web].LaunchTime, Admitted: true})
	wantNone(t, w.opened(auth.Pending))
}

func TestRecentIsForManyAtOnce(t *testing.T) {
	w := newWorld(t)
	w.gate.Recent = new(auth.Recent)
	w.start(web, "")
	w.away()
	s := auth.Start{Instance: web, Launch: w.ec2.truth[web].LaunchTime, Admitted: true}
	w.gate.Recent.Add(s)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			w.gate.Recent.Add(s)
			if o, err := w.gate.Opened(context.Background(), w.event(auth.Running)); err != nil || !o.None() {
				t.Errorf("came to %+v, %v", o, err)
			}
		})
	}
	all.Wait()
}
