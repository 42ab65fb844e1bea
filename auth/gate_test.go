package auth_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sekisho/auth"
)

func untag(c auth.Issued) string { return "Untag " + c.Instance + " Auth=" + c.Code.Reveal() }

func TestAPassAdmitsItsStart(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	o := w.opened(auth.Pending)
	wantStart(t, o.Start, true, auth.Pass, auth.TagGone)
	if !o.Recorded || o.Start.User != hana || !o.Start.Launch.Equal(w.ec2.truth[web].LaunchTime) || o.Instance.ID != web {
		t.Errorf("the outcome: %+v", o)
	}
	w.ec2.wantDid(untag(p))
	if len(w.pauses) != 0 {
		t.Errorf("the gate waited %v with nothing to wait for", w.pauses)
	}
}

func TestAnAdmittedStartIsDoneOnce(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.opened(auth.Pending)
	w.ec2.wantDid(untag(p))
	w.become(web, auth.Running)
	for _, s := range []auth.State{auth.Pending, auth.Running, auth.Running, auth.Pending} {
		w.now = w.now.Add(20 * time.Second)
		wantStart(t, w.opened(s).Start, true, auth.Pass, auth.TagGone)
	}
	w.ec2.wantDid() // nothing more
}

func TestAPassIsSpentOnce(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.opened(auth.Pending)
	w.ec2.wantDid(untag(p))
	w.become(web, auth.Stopped)
	w.start(web, p.Code.Reveal())
	o := w.opened(auth.Pending)
	wantStart(t, o.Start, false, auth.Used, auth.StopAsked)
	if o.Start.User != hana {
		t.Errorf("the used pass names %q", o.Start.User)
	}
	w.ec2.wantDid("Stop " + web)
}

func TestManyEventsAtOnceAdmitOneStart(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.become(web, auth.Running)
	events := [2]auth.StateChange{w.event(auth.Pending), w.event(auth.Running)}
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			o, err := w.gate.Opened(context.Background(), events[n%2])
			if err != nil || !o.Start.Admitted {
				t.Errorf("an event of an admitted start: %+v, %v", o.Start, err)
			}
		})
	}
	all.Wait()
	// Whoever came before the tag's end was written down took it away too.
	for _, call := range w.ec2.asked {
		if !strings.HasPrefix(call, "Untag "+web) {
			t.Errorf("EC2 was asked for %q", call)
		}
	}
	w.ec2.asked = nil
}

func TestUnguardedInstancesAreNotJudged(t *testing.T) {
	w := newWorld(t)
	i := guarded(web, auth.Running, w.now)
	i.Tags = map[string]string{"Name": "free"}
	w.ec2.put(i)
	wantNone(t, w.opened(auth.Running))
	if s := w.record(web); s.Stage != 0 {
		t.Errorf("a record was written: %+v", s)
	}
}

// Everything that a tag can hold and that does not open the gate.
func TestARefusalSaysWhy(t *testing.T) {
	for name, tt := range map[string]struct {
		tag  func(w *world) string
		want auth.Reason
		who  string
	}{
		"no tag":            {func(w *world) string { return "" }, auth.NoTag, ""},
		"garbage":           {func(w *world) string { return "let me in" }, auth.Unknown, ""},
		"256 of garbage":    {func(w *world) string { return strings.Repeat("語", 256) }, auth.Unknown, ""},
		"another's pattern": {func(w *world) string { return strings.Repeat("A", 31) }, auth.Unknown, ""},
		"made, never issued": {func(w *world) string { return code(w.t, web).Reveal() },
			auth.Expired, ""},
		"for another instance": {func(w *world) string {
			w.ec2.put(guarded(db, auth.Stopped, w.now))
			return w.issue(hana, db).Code.Reveal()
		}, auth.OtherInstance, ""},
		"expired": {func(w *world) string {
			p := w.issue(hana, web)
			w.now = w.now.Add(10 * time.Minute)
			return p.Code.Reveal()
		}, auth.Expired, hana},
		"replaced": {func(w *world) string {
			p := w.issue(hana, web)
			w.now = w.now.Add(time.Second)
			w.issue(hana, web)
			return p.Code.Reveal()
		}, auth.Voided, hana},
		"revoked": {func(w *world) string {
			p := w.issue(hana, web)
			if err := w.passes.Void(w.t.Context(), hana, web); err != nil {
				w.t.Fatal(err)
			}
			return p.Code.Reveal()
		}, auth.Voided, hana},
		"a good pass, but locked": {func(w *world) string {
			p := w.issue(hana, web)
			for range w.policy.Gate.Lock.After {
				w.start(web, "a guess")
				w.opened(auth.Pending)
				w.ec2.wantDid("Stop " + web)
			}
			return p.Code.Reveal()
		}, auth.Locked, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start(web, tt.tag(w))
			o := w.opened(auth.Pending)
			wantStart(t, o.Start, false, tt.want, auth.StopAsked)
			if o.Start.User != tt.who {
				t.Errorf("the pass's owner is %q; want %q", o.Start.User, tt.who)
			}
			w.ec2.wantDid("Stop " + web)
			if text := fmt.Sprintf("%+v", o.Start); w.ec2.truth[web].Tags[passTag] != "" && strings.Contains(text, w.ec2.truth[web].Tags[passTag]) {
				t.Errorf("the start holds the tag's text: %s", text)
			}
		})
	}
}

// People paste codes as they get them.
func TestACodeIsReadAsPeopleWriteIt(t *testing.T) {
	for name, write := range map[string]func(string) string{
		"lower case":   strings.ToLower,
		"in quotes":    func(c string) string { return `"` + c + `"` },
		"in backticks": func(c string) string { return "`" + c + "`" },
		"with blanks":  func(c string) string { return "  " + c + "\n" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tag := write(w.issue(hana, web).Code.Reveal())
			w.start(web, tag)
			wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
			w.ec2.wantDid("Untag " + web + " Auth=" + tag) // as it is written there
		})
	}
}

// The deadline is held against the start, not against the event's arrival.
func TestALateEventKeepsAGoodStart(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.become(web, auth.Running)
	e := w.event(auth.Pending)
	w.now = w.now.Add(3 * time.Hour)
	o, err := w.gate.Opened(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	wantStart(t, o.Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid(untag(p))
}

// Right at an event EC2 shows what was before it. The gate looks again, as
// often as it has Looks, and takes no stale reading for a violation.
func TestAStaleReadingIsReadAgain(t *testing.T) {
	for name, stale := range map[string]func(i auth.Instance) reading{
		"not there yet": func(auth.Instance) reading { return reading{err: auth.ErrNoInstance} },
		"the state":     func(i auth.Instance) reading { i.State = auth.Stopped; return reading{Instance: i} },
		"stopping":      func(i auth.Instance) reading { i.State = auth.Stopping; return reading{Instance: i} },
		"the launch time": func(i auth.Instance) reading {
			i.LaunchTime = i.LaunchTime.Add(-time.Hour)
			return reading{Instance: i}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.issue(hana, web)
			w.start(web, p.Code.Reveal())
			i := w.ec2.truth[web]
			w.ec2.shows = []reading{stale(tagged(i, "")), stale(tagged(i, ""))}
			o := w.opened(auth.Pending)
			wantStart(t, o.Start, true, auth.Pass, auth.TagGone)
			if !o.Start.Launch.Equal(i.LaunchTime) {
				t.Errorf("judged the start at %v; the event speaks of %v", o.Start.Launch, i.LaunchTime)
			}
			w.ec2.wantDid(untag(p))
			if !slices.Equal(w.pauses, w.gate.Looks) {
				t.Errorf("pauses %v; want %v", w.pauses, w.gate.Looks)
			}
		})
	}
}

// The newest launch is at most a moment older than its pending event.
func TestALaunchAMomentBeforeItsEventIsNotStale(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.now = w.now.Add(90 * time.Second)
	w.opened(auth.Pending)
	w.ec2.wantDid("Stop " + web)
	if w.ec2.reads != 1 {
		t.Errorf("read %d times; want once", w.ec2.reads)
	}
}

func TestAFreshEventThatEC2DoesNotShowComesAgain(t *testing.T) {
	for name, never := range map[string]reading{
		"no instance":   {err: auth.ErrNoInstance},
		"still stopped": {Instance: guarded(web, auth.Stopped, time.Time{})},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.ec2.shows = []reading{never, never, never}
			e := w.event(auth.Pending)
			if o, err := w.gate.Opened(t.Context(), e); err == nil || !o.None() {
				t.Errorf("came to %+v, %v; want an error that keeps the event", o, err)
			}
			w.now = w.now.Add(time.Minute) // now it speaks of what is over
			w.ec2.shows = []reading{never, never, never}
			if o, err := w.gate.Opened(t.Context(), e); err != nil || !o.None() {
				t.Errorf("an old event came to %+v, %v; want nothing", o, err)
			}
		})
	}
}

func TestAStartThatIsOverIsNotJudged(t *testing.T) {
	for _, over := range []auth.State{auth.Stopping, auth.ShuttingDown, auth.Terminated} {
		w := newWorld(t)
		w.start(web, "")
		w.become(web, over)
		wantNone(t, w.opened(auth.Running))
		if s := w.record(web); s.Stage != 0 {
			t.Errorf("%s: a record was written: %+v", over, s)
		}
		if over == auth.Terminated && len(w.pauses) != 0 {
			t.Errorf("what is terminated stays so: no need to wait %v", w.pauses)
		}
	}
}

// DescribeInstances may show no tag at all; the tags are then asked for apart,
// else what the guard covers would slip through as unguarded.
func TestMissingTagsAreAskedForApart(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	bare := w.ec2.truth[web]
	bare.Tags = nil
	w.ec2.shows = []reading{{Instance: bare}}
	wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid(untag(p))

	w.become(web, auth.Stopped)
	w.start(web, "")
	bare.LaunchTime = w.ec2.truth[web].LaunchTime
	w.ec2.shows = []reading{{Instance: bare}}
	wantStart(t, w.opened(auth.Pending).Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
}

func TestATagThatCannotBeReadKeepsTheEvent(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.ec2.tagsErr = errors.New("throttled")
	if o, err := w.gate.Opened(t.Context(), w.event(auth.Pending)); !errors.Is(err, w.ec2.tagsErr) || !o.None() {
		t.Errorf("came to %+v, %v; want the fault", o, err)
	}
	if s := w.record(web); s.Stage != 0 {
		t.Errorf("a refusal was written down: %+v", s)
	}
}

// The tag may be set a moment after the start, or show late.
func TestATagThatChangesBetweenLooksAdmits(t *testing.T) {
	for name, before := range map[string]string{"none": "", "an old one": "last week's"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			p := w.issue(hana, web)
			w.start(web, before)
			w.between = func() {
				if len(w.pauses) == 2 {
					w.ec2.put(tagged(w.ec2.truth[web], p.Code.Reveal()))
				}
			}
			wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.TagGone)
			w.ec2.wantDid(untag(p))
		})
	}
}

func TestARefusalIsWrittenAfterTheLastLook(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.between = func() {
		if s := w.record(web); s.Stage != 0 {
			t.Errorf("before look %d a refusal was written down: %+v", len(w.pauses)+1, s)
		}
		w.ec2.wantDid()
	}
	wantStart(t, w.opened(auth.Pending).Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
	if !slices.Equal(w.pauses, w.gate.Looks) {
		t.Errorf("pauses %v; want %v", w.pauses, w.gate.Looks)
	}
}

// A second reading of the tags that comes back empty must not hide what the
// first one showed: here, that stopping would only make a group replace it.
func TestAnEmptySecondReadingHidesNothing(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	i := w.ec2.truth[web]
	i.Tags["aws:autoscaling:groupName"] = "workers"
	w.ec2.put(i)
	w.ec2.tags = []map[string]string{{}, {}}
	o := w.opened(auth.Pending)
	wantStart(t, o.Start, false, auth.NoTag, auth.LeftAlone)
	if o.Instance.Name() != "web-1" {
		t.Errorf("the instance lost its name: %s", o.Instance.Name())
	}
}

func TestACancelledWaitIsAFault(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.ec2.shows = []reading{{err: auth.ErrNoInstance}}
	ctx, cancel := context.WithCancel(t.Context())
	w.between = cancel
	if _, err := w.gate.Opened(ctx, w.event(auth.Pending)); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v; want the cancellation", err)
	}
	if w.ec2.reads != 1 {
		t.Errorf("read %d times; want once, before the cancellation", w.ec2.reads)
	}
}

func TestAnEventOfAnotherRegionIsKept(t *testing.T) {
	w := newWorld(t)
	e := w.event(auth.Pending)
	e.Region = "us-east-1"
	if _, err := w.gate.Opened(t.Context(), e); err == nil || !strings.Contains(err.Error(), "us-east-1") {
		t.Errorf("error %v; want one that names the region", err)
	}
}

func TestAReadThatFailsKeepsTheEvent(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	fault := errors.New("throttled")
	w.ec2.shows = []reading{{err: fault}}
	if o, err := w.gate.Opened(t.Context(), w.event(auth.Pending)); !errors.Is(err, fault) || !o.None() {
		t.Errorf("came to %+v, %v; want the fault", o, err)
	}
}

// EC2 refuses to stop a first launch before it has ever run.
func TestAFirstLaunchIsStoppedWhenItRuns(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.ec2.answer("Stop", fmt.Errorf("IncorrectInstanceState: %w", auth.ErrNotYet))
	wantStart(t, w.opened(auth.Pending).Start, false, auth.NoTag, auth.Unstopped)
	w.ec2.wantDid("Stop " + web)
	w.become(web, auth.Running)
	wantStart(t, w.opened(auth.Running).Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
}

// A stop that was accepted in pending may be lost: what runs is stopped again.
func TestAStopIsAskedAgainForWhatRuns(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.opened(auth.Pending)
	w.ec2.wantDid("Stop " + web)
	wantStart(t, w.opened(auth.Pending).Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid() // a duplicate while it is still pending
	w.become(web, auth.Running)
	wantStart(t, w.opened(auth.Running).Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop " + web)
}

func TestAStopThatFailsKeepsTheEvent(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	fault := errors.New("throttled")
	w.ec2.answer("Stop", fault)
	o, err := w.gate.Opened(t.Context(), w.event(auth.Pending))
	if !errors.Is(err, fault) {
		t.Errorf("error %v; want the fault", err)
	}
	wantStart(t, o.Start, false, auth.NoTag, auth.Decided)
	wantStart(t, w.opened(auth.Pending).Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

func TestAStopOfWhatIsGoneIsTheEnd(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.ec2.answer("Stop", auth.ErrNoInstance)
	wantStart(t, w.opened(auth.Pending).Start, false, auth.NoTag, auth.Ended)
	w.ec2.wantDid("Stop " + web)
}

func TestATagThatCannotBeRemovedIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	fault := errors.New("throttled")
	w.ec2.answer("Untag", fault)
	o, err := w.gate.Opened(t.Context(), w.event(auth.Pending))
	if !errors.Is(err, fault) || strings.Contains(err.Error(), p.Code.Reveal()) {
		t.Errorf("error %v; want the fault, without the code", err)
	}
	wantStart(t, o.Start, true, auth.Pass, auth.Decided)
	wantStart(t, w.opened(auth.Running).Start, true, auth.Pass, auth.TagGone)
	w.ec2.wantDid(untag(p), untag(p))
}

func TestAStoppedEventConfirms(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.opened(auth.Pending)
	w.ec2.wantDid("Stop " + web)
	w.now = w.now.Add(20 * time.Second)
	o := w.closed(w.now)
	wantStart(t, o.Start, false, auth.NoTag, auth.Ended)
	if o.Instance.ID != web || !o.Recorded {
		t.Errorf("the outcome: %+v", o)
	}
	wantStart(t, w.closed(w.now).Start, false, auth.NoTag, auth.Ended) // nobody knows yet
	w.told(web, auth.Ended)
	wantNone(t, w.closed(w.now)) // and once
	w.become(web, auth.Running)
	wantStart(t, w.opened(auth.Running).Start, false, auth.NoTag, auth.Ended) // a late event
}

func TestAStoppedEventClosesAGrantQuietly(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.opened(auth.Pending)
	w.ec2.wantDid(untag(p))
	wantNone(t, w.closed(w.now.Add(time.Hour)))
	wantStart(t, w.record(web), true, auth.Pass, auth.Ended)
}

func TestALateStoppedEventChangesNothing(t *testing.T) {
	w := newWorld(t)
	wantNone(t, w.closed(w.now)) // of a start that nobody judged
	w.start(web, "")
	w.ec2.answer("Stop", auth.ErrNotYet)
	w.opened(auth.Pending)
	wantNone(t, w.closed(w.ec2.truth[web].LaunchTime.Add(-time.Second)))
	wantStart(t, w.record(web), false, auth.NoTag, auth.Unstopped)
	w.become(web, auth.Running)
	w.opened(auth.Running)
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

func TestAStopThatDoesNotHappenIsEscalatedOnce(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.opened(auth.Pending)
	w.become(web, auth.Running)
	w.now = w.now.Add(auth.StopTime)
	o := w.confirm()
	wantStart(t, o.Start, false, auth.NoTag, auth.Stuck)
	if !o.Recorded || o.Instance.ID != web {
		t.Errorf("the outcome: %+v", o)
	}
	w.ec2.wantDid("Stop "+web, "Stop "+web)
	wantNone(t, w.confirm())
	w.ec2.wantDid()
	wantStart(t, w.closed(w.now).Start, false, auth.NoTag, auth.Ended) // in the end
}

func TestAnEscalationSaysWhatStoodInTheWay(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.opened(auth.Pending)
	w.ec2.answer("Stop", errors.New("UnauthorizedOperation"))
	o := w.confirm()
	wantStart(t, o.Start, false, auth.NoTag, auth.Stuck)
	if !strings.Contains(o.Start.Note, "UnauthorizedOperation") {
		t.Errorf("the note: %q", o.Start.Note)
	}
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

func TestConfirmFindsAnObstacle(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.ec2.answer("Stop", auth.ErrNotYet, auth.ErrStopProtected)
	w.opened(auth.Pending)
	o := w.confirm()
	wantStart(t, o.Start, false, auth.NoTag, auth.LeftAlone)
	if o.Start.Note != string(auth.StopProtected) {
		t.Errorf("the note: %q", o.Start.Note)
	}
	w.ec2.wantDid("Stop "+web, "Stop "+web)
}

func TestConfirmOfWhatHasStopped(t *testing.T) {
	for name, gone := range map[string]func(w *world){
		"stopped":    func(w *world) { w.become(web, auth.Stopped) },
		"terminated": func(w *world) { w.become(web, auth.Terminated) },
		"gone":       func(w *world) { w.ec2.shows = []reading{{err: auth.ErrNoInstance}} },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.start(web, "")
			w.opened(auth.Pending)
			w.ec2.wantDid("Stop " + web)
			gone(w)
			o := w.confirm()
			wantStart(t, o.Start, false, auth.NoTag, auth.Ended)
			if o.Instance.ID != web {
				t.Errorf("the outcome names %q", o.Instance.ID)
			}
			wantNone(t, w.confirm())
		})
	}
}

func TestConfirmOfWhatIsStillStopping(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.opened(auth.Pending)
	w.become(web, auth.Stopping)
	wantStart(t, w.confirm().Start, false, auth.NoTag, auth.Stuck)
	w.ec2.wantDid("Stop " + web) // not asked again
}

func TestConfirmLeavesOtherStartsAlone(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	first := w.ec2.truth[web].LaunchTime
	w.opened(auth.Pending)
	w.ec2.wantDid("Stop " + web)

	// Started again, and no event of it came yet.
	w.start(web, "")
	o, err := w.gate.Confirm(t.Context(), web, first)
	if err != nil {
		t.Error(err)
	}
	wantNone(t, o)

	// Started again, and judged.
	w.opened(auth.Pending)
	w.ec2.wantDid("Stop " + web)
	if o, err = w.gate.Confirm(t.Context(), web, first); err != nil {
		t.Error(err)
	}
	wantNone(t, o)

	// The same, and EC2 still shows the end of the first.
	stale := guarded(web, auth.Stopped, first)
	w.ec2.shows = []reading{{Instance: stale}}
	if o, err = w.gate.Confirm(t.Context(), web, first); err != nil {
		t.Error(err)
	}
	wantNone(t, o)
	wantStart(t, w.record(web), false, auth.NoTag, auth.StopAsked)

	if o, err = w.gate.Confirm(t.Context(), db, first); err != nil {
		t.Error(err)
	}
	wantNone(t, o) // never judged
}

func TestConfirmLeavesAnAdmittedStartAlone(t *testing.T) {
	w := newWorld(t)
	p := w.issue(hana, web)
	w.start(web, p.Code.Reveal())
	w.opened(auth.Pending)
	w.ec2.wantDid(untag(p))
	wantNone(t, w.confirm())
}

func TestConfirmThatCannotReadOrWriteIsTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.ec2.answer("Stop", auth.ErrNotYet, auth.ErrStopProtected)
	w.opened(auth.Pending)
	launch := w.ec2.truth[web].LaunchTime
	fault := errors.New("throttled")
	w.ec2.shows = []reading{{err: fault}}
	if _, err := w.gate.Confirm(t.Context(), web, launch); !errors.Is(err, fault) {
		t.Errorf("EC2 cannot be read: %v", err)
	}
	w.gate.Starts = halfAway{w.store}
	if _, err := w.gate.Confirm(t.Context(), web, launch); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("an obstacle cannot be written down: %v", err)
	}
	w.ec2.wantDid("Stop "+web, "Stop "+web)
	w.away()
	w.gate.Starts = w.store
	if _, err := w.gate.Confirm(t.Context(), web, launch); !errors.Is(err, auth.ErrUnavailable) {
		t.Errorf("the store is away: %v", err)
	}
}

// obstacle makes web one that cannot simply be stopped, in the way in which
// EC2 lets it be seen.
func (w *world) obstacle(o auth.Obstacle) {
	i := w.ec2.truth[web]
	switch o {
	case auth.AutoScaling:
		i.Tags["aws:autoscaling:groupName"] = "workers"
	case auth.SpotOneTime:
		i.Spot = true
		w.ec2.answer("Stop", fmt.Errorf("UnsupportedOperation: %w", auth.ErrCannotStop))
	case auth.InstanceStore:
		i.RootDevice = "instance-store"
	case auth.StopProtected:
		w.ec2.answer("Stop", fmt.Errorf("OperationNotPermitted: %w", auth.ErrStopProtected))
	}
	w.ec2.put(i)
}

func TestEachObstacleHasItsAnswer(t *testing.T) {
	const stop, unprotect, terminate = "Stop " + web, "Unprotect " + web, "Terminate " + web
	const unsaid = auth.Answer("")
	done := map[auth.Obstacle]map[auth.Answer][]string{
		auth.AutoScaling:   {unsaid: nil, auth.Leave: nil, auth.StopAnyway: {stop}, auth.Terminate: {terminate}},
		auth.SpotOneTime:   {unsaid: {stop}, auth.Leave: {stop}, auth.Terminate: {stop, terminate}},
		auth.InstanceStore: {unsaid: nil, auth.Leave: nil, auth.Terminate: {terminate}},
		auth.StopProtected: {unsaid: {stop}, auth.Leave: {stop}, auth.StopAnyway: {stop, unprotect, stop}},
	}
	for _, o := range auth.Obstacles() {
		for _, answer := range append(o.Answers(), unsaid) {
			t.Run(string(o+" "+auth.Obstacle(answer)), func(t *testing.T) {
				want, ok := done[o][answer]
				if !ok {
					t.Fatalf("this test does not know what %q does about %s", answer, o)
				}
				w := newWorld(t)
				if answer == unsaid {
					delete(w.policy.Gate.CannotStop, o)
				} else {
					w.policy.Gate.CannotStop[o] = answer
				}
				w.start(web, "")
				w.obstacle(o)
				got := w.opened(auth.Pending).Start
				w.ec2.wantDid(want...)
				stage := auth.StopAsked
				if answer == auth.Leave || answer == unsaid {
					stage = auth.LeftAlone
				}
				wantStart(t, got, false, auth.NoTag, stage)
				if got.Note != string(o) {
					t.Errorf("the note: %q; want %q", got.Note, o)
				}
			})
		}
	}
}

func TestAnInstanceThatCannotStopHasAnInstanceStore(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.ec2.answer("Stop", auth.ErrCannotStop)
	got := w.opened(auth.Pending).Start
	wantStart(t, got, false, auth.NoTag, auth.LeftAlone)
	if got.Note != string(auth.InstanceStore) {
		t.Errorf("the note: %q", got.Note)
	}
	w.ec2.wantDid("Stop " + web)
}

func TestWhatIsLeftAloneIsNotTriedAgain(t *testing.T) {
	w := newWorld(t)
	w.start(web, "")
	w.obstacle(auth.AutoScaling)
	w.opened(auth.Pending)
	w.become(web, auth.Running)
	wantStart(t, w.opened(auth.Running).Start, false, auth.NoTag, auth.LeftAlone)
	wantNone(t, w.confirm())
}

func TestAnObstacleThatCannotBeAnsweredYet(t *testing.T) {
	w := newWorld(t)
	w.policy.Gate.CannotStop[auth.InstanceStore] = auth.Terminate
	w.start(web, "")
	w.obstacle(auth.InstanceStore)
	w.ec2.answer("Terminate", auth.ErrNotYet)
	wantStart(t, w.opened(auth.Pending).Start, false, auth.NoTag, auth.Unstopped)
	w.become(web, auth.Running)
	wantStart(t, w.opened(auth.Running).Start, false, auth.NoTag, auth.StopAsked)
	w.ec2.wantDid("Terminate "+web, "Terminate "+web)
}

func TestAnAnswerThatFailsKeepsTheEvent(t *testing.T) {
	w := newWorld(t)
	w.policy.Gate.CannotStop[auth.StopProtected] = auth.StopAnyway
	w.start(web, "")
	w.obstacle(auth.StopProtected)
	fault := errors.New("throttled")
	w.ec2.answer("Unprotect", fault)
	o, err := w.gate.Opened(t.Context(), w.event(auth.Pending))
	if !errors.Is(err, fault) {
		t.Errorf("error %v; want the fault", err)
	}
	wantStart(t, o.Start, false, auth.NoTag, auth.Decided)
	w.ec2.wantDid("Stop "+web, "Unprotect "+web) // still protected: no stop is tried
}

// Observing spends the pass and writes the verdict down, but there is no call
// that would change anything in AWS, on any path: each world fails for one.
func TestObserveChangesNothingInAWS(t *testing.T) {
	t.Run("an admitted start", func(t *testing.T) {
		w := observing(t)
		w.start(web, w.issue(hana, web).Code.Reveal())
		wantStart(t, w.opened(auth.Pending).Start, true, auth.Pass, auth.Watched)
		wantStart(t, w.opened(auth.Running).Start, true, auth.Pass, auth.Watched)
	})
	for _, o := range append(auth.Obstacles(), "") {
		t.Run("a refused start "+string(o), func(t *testing.T) {
			w := observing(t)
			for _, o := range auth.Obstacles() {
				w.policy.Gate.CannotStop[o] = auth.Terminate
			}
			w.start(web, "")
			w.obstacle(o)
			wantStart(t, w.opened(auth.Pending).Start, false, auth.NoTag, auth.Watched)
			w.become(web, auth.Running)
			wantStart(t, w.opened(auth.Running).Start, false, auth.NoTag, auth.Watched)
			wantNone(t, w.confirm())
		})
	}
	t.Run("a refused start, the store away", func(t *testing.T) {
		w := observing(t)
		w.start(web, "")
		w.away()
		wantStart(t, w.opened(auth.Pending).Start, false, auth.Unjudged, auth.Watched)
		w.back()
		o, err := w.gate.Settle(t.Context(), auth.Start{Instance: web, Launch: w.ec2.truth[web].LaunchTime, Stage: auth.Watched})
		if err != nil {
			t.Error(err)
		}
		wantStart(t, o.Start, false, auth.Unjudged, auth.Watched)
	})
	t.Run("a start that was refused while enforcing", func(t *testing.T) {
		w := newWorld(t)
		w.start(web, "")
		w.ec2.answer("Stop", auth.ErrNotYet)
		w.opened(auth.Pending)
		w.ec2.wantDid("Stop " + web)
		w.policy.Gate.Mode = auth.Observe
		w.become(web, auth.Running)
		w.confirm()
		w.opened(auth.Running)
		w.swept()
	})
	t.Run("the sweep", func(t *testing.T) {
		w := observing(t)
		w.swept()
		w.start(web, "nonsense")
		if sum := w.swept(); len(sum.Outcomes) != 1 {
			t.Errorf("swept %+v; want one start", sum)
		}
		w.become(web, auth.Stopped)
		if sum := w.swept(); !slices.Equal(sum.Untagged, []string{web}) {
			t.Errorf("swept %+v; want to be told of the stale tag", sum)
		}
		if w.ec2.truth[web].Tags[passTag] == "" {
			t.Error("the tag was removed")
		}
	})
}

func observing(t *testing.T) *world {
	w := newWorld(t)
	w.policy.Gate.Mode = auth.Observe
	return w
}
