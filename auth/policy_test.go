package auth_test

import (
	"slices"
	"testing"

	"sekisho/auth"
	"sekisho/auth/authtest"
)

func TestGuardCovers(t *testing.T) {
	i := auth.Instance{ID: web, Tags: map[string]string{"Sekisho": "guarded", "Team": "blue"}}
	tags := func(kv ...string) map[string]string {
		m := map[string]string{}
		for n := 0; n < len(kv); n += 2 {
			m[kv[n]] = kv[n+1]
		}
		return m
	}
	for name, tt := range map[string]struct {
		guard  auth.Guard
		covers bool
	}{
		"nothing":               {auth.Guard{}, false},
		"its tag":               {auth.Guard{Tags: tags("Sekisho", "guarded")}, true},
		"all its tags":          {auth.Guard{Tags: tags("Sekisho", "guarded", "Team", "blue")}, true},
		"one of two tags":       {auth.Guard{Tags: tags("Sekisho", "guarded", "Team", "red")}, false},
		"a tag it lacks":        {auth.Guard{Tags: tags("Stage", "prod")}, false},
		"a tag it lacks, empty": {auth.Guard{Tags: tags("Stage", "")}, false},
		"no tags":               {auth.Guard{Tags: tags()}, false},
		"its id":                {auth.Guard{Instances: []string{db, web}}, true},
		"another id":            {auth.Guard{Instances: []string{db}}, false},
		"its id, another tag":   {auth.Guard{Instances: []string{web}, Tags: tags("Team", "red")}, true},
		"all":                   {auth.Guard{All: true}, true},
		"all but it":            {auth.Guard{All: true, Except: []string{web}}, false},
		"its tag, but not it":   {auth.Guard{Tags: tags("Sekisho", "guarded"), Except: []string{web}}, false},
		"its id, but not it":    {auth.Guard{Instances: []string{web}, Except: []string{web}}, false},
		"all but another":       {auth.Guard{All: true, Except: []string{db}}, true},
	} {
		if got := tt.guard.Covers(i); got != tt.covers {
			t.Errorf("%s: covered %v; want %v", name, got, tt.covers)
		}
	}
}

func TestGuardByTags(t *testing.T) {
	tags := map[string]string{"Sekisho": "guarded"}
	for name, tt := range map[string]struct {
		guard auth.Guard
		want  bool
	}{
		"tags":         {auth.Guard{Tags: tags}, true},
		"tags and ids": {auth.Guard{Tags: tags, Instances: []string{web}}, true},
		"all":          {auth.Guard{Tags: tags, All: true}, false},
		"ids":          {auth.Guard{Instances: []string{web}}, false},
	} {
		if got := tt.guard.ByTags(); got != tt.want {
			t.Errorf("a guard by %s depends on tags: %v; want %v", name, got, tt.want)
		}
	}
}

// What has no default is a decision of the operator's, and the rest is on the
// safe side: nothing is changed in AWS, and no instance ends for good.
func TestDefaultsAreSafe(t *testing.T) {
	p := auth.Defaults()
	if p.Gate.Mode != auth.Observe || p.Gate.WhenUnavailable != "" || p.Channels != (auth.Channels{}) || p.Rules != nil || p.Passes.StartNow || p.People.MatchEmail {
		t.Errorf("a default that loosens security: %+v", p)
	}
	if p.Gate.Guard.Covers(guarded(web, auth.Running, authtest.T0)) {
		t.Error("the operator must say what is guarded")
	}
	if p.Gate.Lock.After <= 0 || p.Passes.Limit.Person <= 0 || p.Passes.Limit.Instance <= 0 || p.Passes.TTL <= 0 {
		t.Errorf("a limit is missing: %+v", p)
	}
	for _, o := range auth.Obstacles() {
		if p.Gate.CannotStop[o] != auth.Leave || o.Answers()[0] != auth.Leave {
			t.Errorf("%s is answered with %q; want leave", o, p.Gate.CannotStop[o])
		}
	}
}

func TestAnswersAreWhatEC2Can(t *testing.T) {
	for o, want := range map[auth.Obstacle][]auth.Answer{
		auth.AutoScaling:   {auth.Leave, auth.StopAnyway, auth.Terminate},
		auth.SpotOneTime:   {auth.Leave, auth.Terminate},
		auth.InstanceStore: {auth.Leave, auth.Terminate},
		auth.StopProtected: {auth.Leave, auth.StopAnyway},
	} {
		if got := o.Answers(); !slices.Equal(got, want) {
			t.Errorf("%s: %q; want %q", o, got, want)
		}
	}
	if len(auth.Obstacles()) != 4 {
		t.Errorf("obstacles %q: this test knows four", auth.Obstacles())
	}
}

func TestInstanceID(t *testing.T) {
	for text, want := range map[string]bool{
		"i-1234567890abcdef0": true, "i-1a2b3c4d": true,
		"i-1234567890abcdef": false, "i-1234567890abcdef01": false, "i-1A2B3C4D": false, "1a2b3c4d": false, "": false,
		"vol-1a2b3c4d": false, "i-1a2b3c4d\n": false, " i-1a2b3c4d": false, "i-1a2b3c4dx": false,
	} {
		if got := auth.IsInstanceID(text); got != want {
			t.Errorf("%q is an instance id: %v; want %v", text, got, want)
		}
	}
}

func TestStatesUpAndDown(t *testing.T) {
	for s, want := range map[auth.State][2]bool{
		auth.Pending: {true, false}, auth.Running: {true, false},
		auth.Stopping: {false, false}, auth.ShuttingDown: {false, false},
		auth.Stopped: {false, true}, auth.Terminated: {false, true}, "": {false, false},
	} {
		if s.Up() != want[0] || s.Down() != want[1] {
			t.Errorf("%q: up %v, down %v; want %v", s, s.Up(), s.Down(), want)
		}
	}
}

func TestInstanceWithoutANameIsItsID(t *testing.T) {
	i := guarded(web, auth.Running, authtest.T0)
	if i.Name() != "web-1" {
		t.Errorf("named %q", i.Name())
	}
	delete(i.Tags, "Name")
	if i.Name() != web {
		t.Errorf("without a Name tag %q", i.Name())
	}
}
