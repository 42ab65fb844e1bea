package auth_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"sekisho/auth"
)

// looked is a world whose sweep has looked once: starts from now on are known.
func looked(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.swept()
	return w
}

func TestSweepRefusesWhatRunsWithoutAGrant(t *testing.T) {
	w := looked(t)
	w.start(web, "")
	w.become(web, auth.Running)
	sum := w.swept()
	if sum.Looked != 1 || sum.Running != 1 || len(sum.Outcomes) != 1 {
		t.Fatalf("swept %+v", sum)
	}
	wantStart(t, sum.Outcomes[0].Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
	if !slices.Equal(w.pauses, w.gate.Looks) {
		t.Errorf("the sweep looked after pauses of %v; want the gate's own %v", w.pauses, w.gate.Looks)
	}
}

func TestSweepAdmitsWhatHasAPass(t *testing.T) {
	w := looked(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	sum := w.swept()
	if len(sum.Outcomes) != 1 {
		t.Fatalf("swept %+v", sum)
	}
	wantStart(t, sum.Outcomes[0].Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid(untag(p))
	if again := w.swept(); len(again.Outcomes) != 0 || again.Running != 1 {
		t.Errorf("swept again %+v", again)
	}
}

// On its first day the gate cannot know what was let in before.
func TestFirstSweepAdoptsWhatRanBefore(t *testing.T) {
	w := newWorld(t)
	w.ec2.put(guarded(web, auth.Running, w.now.Add(-time.Second)))
	w.ec2.put(guarded(db, auth.Running, w.now))
	sum := w.swept()
	if len(sum.Outcomes) != 2 {
		t.Fatalf("swept %+v", sum)
	}
	adopted, judged := sum.Outcomes[0], sum.Outcomes[1]
	wantStart(t, adopted.Start, true, auth.Before, auth.Watched)
	wantStart(t, judged.Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop " + db)
	if !adopted.Recorded || adopted.Instance.ID != web {
		t.Errorf("the outcome: %+v", adopted)
	}

	// What it did not adopt then it does not adopt later.
	w.now = w.now.Add(time.Hour)
	w.ec2.put(guarded(web, auth.Running, w.now.Add(-time.Minute)))
	w.ec2.put(guarded(db, auth.Stopped, w.now))
	sum = w.swept()
	wantStart(t, sum.Outcomes[0].Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
}

func TestAnAdoptedStartStaysAdmitted(t *testing.T) {
	w := newWorld(t)
	w.ec2.put(guarded(web, auth.Running, w.now.Add(-time.Hour)))
	w.swept()
	if sum := w.swept(); len(sum.Outcomes) != 0 {
		t.Errorf("swept again %+v", sum)
	}
	wantStart(t, w.opened(auth.Running).Start, true, auth.Before, auth.Watched) // an event come late
}

// After the store lost its data the sweep does not stop what it had let in.
func TestSweepAdoptsAfterTheStoreLostItsData(t *testing.T) {
	w := looked(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.opened(auth.Pending)
	w.ec2.wantDid(untag(p))
	w.become(web, auth.Running)
	w.redis.FlushAll()
	sum := w.swept()
	if len(sum.Outcomes) != 1 {
		t.Fatalf("swept %+v", sum)
	}
	wantStart(t, sum.Outcomes[0].Start, true, auth.Before, auth.Watched)
}

// What runs when it comes under the guard was started when it needed no pass.
func TestSweepAdoptsWhatIsGuardedOnlyNow(t *testing.T) {
	w := newWorld(t)
	w.swept()
	w.start(web, "")
	w.become(web, auth.Running)
	unguarded := w.ec2.truth[web]
	guard := unguarded.Tags
	unguarded.Tags = nil
	w.ec2.put(unguarded)
	w.now = w.now.Add(5 * time.Minute)
	w.swept()
	unguarded.Tags = guard
	w.ec2.put(unguarded)
	w.now = w.now.Add(5 * time.Minute)
	sum := w.swept()
	if len(sum.Outcomes) != 1 {
		t.Fatalf("swept %+v", sum)
	}
	wantStart(t, sum.Outcomes[0].Start, true, auth.Before, auth.Watched)
}

// A sweep that failed half-way has not judged every start: what it missed is
// judged by the next, and not adopted.
func TestSweepThatFailsAdoptsNothingLater(t *testing.T) {
	w := newWorld(t)
	w.swept()
	w.start(web, "")
	w.become(web, auth.Running)
	w.now = w.now.Add(5 * time.Minute)
	w.gate.Starts = halfAway{w.store}
	if _, err := w.sweep.Run(t.Context()); err == nil {
		t.Fatal("the sweep went well")
	}
	w.gate.Starts = w.store
	w.redis.Del("sekisho:{" + web + "}:start")
	w.now = w.now.Add(5 * time.Minute)
	sum := w.swept()
	if len(sum.Outcomes) != 1 {
		t.Fatalf("swept %+v", sum)
	}
	wantStart(t, sum.Outcomes[0].Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

// Where the policy lets starts in while the store is away, the sweep adopts
// what started in a time that it did not see: its record may be on the way.
func TestSweepAfterAGap(t *testing.T) {
	for answer, want := range map[auth.Unavailable]auth.Reason{
		auth.AllowUnjudged: auth.Before,
		auth.StopUnjudged:  auth.NoTag,
	} {
		t.Run(string(answer), func(t *testing.T) {
			w := newWorld(t)
			w.policy.Gate.WhenUnavailable = answer
			w.swept()
			w.start(web, "")
			w.become(web, auth.Running)
			w.now = w.now.Add(61 * time.Minute)
			sum := w.swept()
			if len(sum.Outcomes) != 1 || sum.Outcomes[0].Start.Reason != want {
				t.Errorf("swept %+v; want one start, %s", sum, want)
			}
			if want == auth.NoTag {
				w.ec2.wantDid("Stop " + web)
			}
		})
	}
}

func TestSweepDoesNothingWithoutTheStore(t *testing.T) {
	for _, answer := range []auth.Unavailable{auth.StopUnjudged, auth.AllowUnjudged} {
		w := looked(t)
		w.policy.Gate.WhenUnavailable = answer
		w.start(web, "nonsense")
		w.ec2.put(tagged(guarded(db, auth.Stopped, w.now), "nonsense"))
		w.away()
		sum, err := w.sweep.Run(t.Context())
		if !errors.Is(err, auth.ErrUnavailable) || len(sum.Outcomes) != 0 || len(sum.Untagged) != 0 {
			t.Errorf("swept %+v, %v", sum, err)
		}
		w.ec2.wantDid()
	}
}

// One answer missing is as bad as all: without the grants it would stop what
// was admitted, without the passes it would remove a live pass's tag.
func TestSweepDoesNothingWithHalfTheStore(t *testing.T) {
	for name, lose := range map[string]func(w *world){
		"the grants": func(w *world) { w.gate.Starts = noStarts{w.store} },
		"the passes": func(w *world) { w.passes.Store = noPasses{w.store} },
	} {
		t.Run(name, func(t *testing.T) {
			w := looked(t)
			w.start(web, "")
			w.ec2.put(guarded(db, auth.Stopped, w.now))
			w.ec2.put(tagged(w.ec2.truth[db], w.issue(hana, db).Code.Reveal()))
			lose(w)
			if _, err := w.sweep.Run(t.Context()); !errors.Is(err, auth.ErrUnavailable) {
				t.Errorf("error %v; want that the store is away", err)
			}
			w.ec2.wantDid()
		})
	}
}

type noStarts struct{ auth.StartStore }

func (noStarts) Starts(context.Context, []string) (map[string]auth.Start, error) {
	return nil, auth.ErrUnavailable
}

type noPasses struct{ auth.PassStore }

func (noPasses) PassesOf(context.Context, []string) ([]auth.PassRecord, error) {
	return nil, auth.ErrUnavailable
}

func TestSweepWithoutAList(t *testing.T) {
	w := looked(t)
	w.start(web, "")
	w.ec2.listErr = errors.New("throttled")
	if _, err := w.sweep.Run(t.Context()); !errors.Is(err, w.ec2.listErr) {
		t.Errorf("error %v; want the fault", err)
	}
}

func TestSweepFinishesAFirstLaunch(t *testing.T) {
	w := looked(t)
	w.start(web, "")
	w.ec2.answer("Stop", auth.ErrNotYet)
	w.opened(auth.Pending)
	w.become(web, auth.Running) // and the event is lost
	sum := w.swept()
	if len(sum.Outcomes) != 1 {
		t.Fatalf("swept %+v", sum)
	}
	wantStart(t, sum.Outcomes[0].Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

func TestSweepTriesStuckStartsAgain(t *testing.T) {
	w := looked(t)
	w.start(web, "")
	w.opened(auth.Pending)
	w.become(web, auth.Running)
	w.confirm()
	w.ec2.wantDid("Stop "+web, "Stop "+web)
	for range 2 {
		w.swept()
		w.ec2.wantDid("Stop " + web)
	}
	wantStart(t, w.record(web), false, auth.NoTag, auth.Stuck)
	w.become(web, auth.Stopped)
	sum := w.swept()
	if len(sum.Outcomes) != 1 {
		t.Fatalf("swept %+v", sum)
	}
	wantStart(t, sum.Outcomes[0].Start, false, auth.NoTag, auth.Ended)
	if again := w.swept(); len(again.Outcomes) != 0 {
		t.Errorf("the end is told again: %+v", again.Outcomes)
	}
}

func TestSweepLeavesWhatIsSettledAlone(t *testing.T) {
	w := looked(t)
	w.start(web, "")
	w.obstacle(auth.AutoScaling)
	w.opened(auth.Pending)
	w.become(web, auth.Running)
	if sum := w.swept(); len(sum.Outcomes) != 0 {
		t.Errorf("swept %+v", sum)
	}
}

func TestSweepLeavesWhatIsOnItsWayAlone(t *testing.T) {
	for _, s := range []auth.State{auth.Stopping, auth.ShuttingDown} {
		w := looked(t)
		w.start(web, "nonsense")
		w.become(web, s)
		if sum := w.swept(); sum.Running != 0 || len(sum.Outcomes) != 0 || len(sum.Untagged) != 0 {
			t.Errorf("%s: swept %+v", s, sum)
		}
	}
}

// The record of what runs lives on from sweep to sweep, past its own 30 days.
func TestSweepKeepsTheRecordOfWhatRuns(t *testing.T) {
	w := looked(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.opened(auth.Pending)
	w.ec2.wantDid(untag(p))
	w.become(web, auth.Running)
	for range 3 {
		w.redis.FastForward(20 * 24 * time.Hour)
		if sum := w.swept(); len(sum.Outcomes) != 0 {
			t.Fatalf("a running start was forgotten: %+v", sum.Outcomes)
		}
	}
	w.redis.FastForward(40 * 24 * time.Hour)
	if s := w.record(web); s.Stage != 0 {
		t.Errorf("without a sweep the record stays for good: %+v", s)
	}
}

func TestSweepClearsStaleTagsOnly(t *testing.T) {
	for name, tt := range map[string]struct {
		tag   func(w *world) string
		stale bool
	}{
		"no tag":  {func(*world) string { return "" }, false},
		"garbage": {func(*world) string { return "nonsense" }, true},
		"a live pass": {func(w *world) string {
			return w.issue(hana, web).Code.Reveal()
		}, false},
		"a live pass in quotes": {func(w *world) string {
			return `"` + w.issue(hana, web).Code.Reveal() + `"`
		}, false},
		"an expired pass": {func(w *world) string {
			p := w.issue(hana, web)
			w.now = w.now.Add(11 * time.Minute)
			return p.Code.Reveal()
		}, true},
		"a voided pass": {func(w *world) string {
			p := w.issue(hana, web)
			if err := w.passes.Void(w.t.Context(), hana, web); err != nil {
				w.t.Fatal(err)
			}
			return p.Code.Reveal()
		}, true},
		"a live pass for another instance": {func(w *world) string {
			w.ec2.put(guarded(db, auth.Stopped, w.now))
			return w.issue(hana, db).Code.Reveal()
		}, true},
		"made, never issued": {func(w *world) string { return code(w.t, web).Reveal() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			w := looked(t)
			tag := tt.tag(w)
			w.ec2.put(tagged(w.ec2.truth[web], tag))
			sum := w.swept()
			if !tt.stale {
				w.ec2.wantDid()
				if len(sum.Untagged) != 0 {
					t.Errorf("swept %+v", sum)
				}
				return
			}
			w.ec2.wantDid("Untag " + web + " Auth=" + tag)
			if !slices.Equal(sum.Untagged, []string{web}) {
				t.Errorf("swept %+v", sum)
			}
		})
	}
}

// A tag whose removal failed when the pass was spent goes when the start ends.
func TestSweepClearsASpentTag(t *testing.T) {
	w := looked(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.ec2.answer("Untag", errors.New("throttled"))
	if _, err := w.gate.Opened(t.Context(), w.event(auth.Pending)); err == nil {
		t.Fatal("the fault is not told")
	}
	w.become(web, auth.Stopped)
	w.swept()
	w.ec2.wantDid(untag(p), untag(p))
	wantStart(t, w.record(web), true, auth.Pass, auth.Ended)
}

func TestAFailingInstanceDoesNotHideTheOthers(t *testing.T) {
	w := looked(t)
	const last = "i-0ccccccccccccccc3"
	fault := errors.New("throttled")
	w.start(web, "")
	w.ec2.put(guarded(db, auth.Running, w.now))
	w.ec2.put(tagged(guarded(last, auth.Stopped, w.now), "nonsense"))
	w.ec2.answer("Stop", fault)
	sum, err := w.sweep.Run(t.Context())
	if !errors.Is(err, fault) {
		t.Errorf("error %v; want the fault", err)
	}
	w.ec2.wantDid("Stop "+web, "Stop "+db, "Untag "+last+" Auth=nonsense")
	if sum.Looked != 3 || sum.Running != 2 || !slices.Equal(sum.Untagged, []string{last}) {
		t.Errorf("swept %+v", sum)
	}
	// The one that failed is told too: its card says that it runs on.
	if len(sum.Outcomes) != 2 || sum.Outcomes[0].Start.Stage != auth.Decided || sum.Outcomes[1].Start.Stage != auth.StopAsked {
		t.Errorf("outcomes %+v", sum.Outcomes)
	}
}

func TestAStaleTagThatCannotBeRemovedIsTold(t *testing.T) {
	w := looked(t)
	w.ec2.put(tagged(w.ec2.truth[web], "nonsense"))
	fault := errors.New("throttled")
	w.ec2.answer("Untag", fault)
	sum, err := w.sweep.Run(t.Context())
	if !errors.Is(err, fault) || len(sum.Untagged) != 0 {
		t.Errorf("swept %+v, %v", sum, err)
	}
	w.ec2.wantDid("Untag " + web + " Auth=nonsense")
}

// The sweep reads the list first. What it judges is what the list showed, and
// an event may have come in between.
func TestSweepAgreesWithAnEventThatCameFirst(t *testing.T) {
	w := looked(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	e := w.event(auth.Pending)
	bare := tagged(w.ec2.truth[web], "")
	if _, err := w.gate.Opened(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	w.ec2.wantDid(untag(p))
	o, err := w.gate.Judge(t.Context(), bare)
	if err != nil {
		t.Fatal(err)
	}
	wantStart(t, o.Start, true, auth.Pass, auth.TagGone)
}
