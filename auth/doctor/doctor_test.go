package doctor_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sekisho/auth"
	"sekisho/auth/doctor"
	"sekisho/auth/rights"
)

var noon = time.Date(2027, 1, 15, 12, 0, 0, 0, time.UTC)

const (
	role  = "arn:aws:iam::111122223333:role/sekisho"
	queue = "arn:aws:sqs:eu-central-1:111122223333:sekisho"
)

// world is what a doctor looks at: facts that a test changes, and errors by the
// look's name.
type world struct {
	*doctor.Doctor
	redis    doctor.RedisFacts
	app      doctor.AppFacts
	socket   doctor.SocketFacts
	manifest doctor.Manifest
	me       doctor.Identity
	denied   map[string][]string // actions, by principal
	rules    []doctor.Rule
	keyRules []doctor.KeyRule
	mail     doctor.MailFacts
	channels map[string]string
	fail     map[string]error
}

func (w *world) Look(context.Context) (doctor.RedisFacts, error) { return w.redis, w.fail["redis"] }
func (w *world) App(context.Context) (doctor.AppFacts, error)    { return w.app, w.fail["app"] }
func (w *world) Socket(context.Context) (doctor.SocketFacts, error) {
	return w.socket, w.fail["socket"]
}
func (w *world) WhoAmI(context.Context) (doctor.Identity, error) { return w.me, w.fail["me"] }
func (w *world) Rules(context.Context) ([]doctor.Rule, error)    { return w.rules, w.fail["rules"] }
func (w *world) KeyRules(context.Context) ([]doctor.KeyRule, error) {
	return w.keyRules, w.fail["key rules"]
}
func (w *world) Mail(context.Context, string) (doctor.MailFacts, error) {
	return w.mail, w.fail["mail"]
}

func (w *world) Installed(_ context.Context, app string) (doctor.Manifest, error) {
	if app != w.socket.App {
		return doctor.Manifest{}, fmt.Errorf("there is no app %q", app)
	}
	return w.manifest, w.fail["installed"]
}

func (w *world) Channel(_ context.Context, id string) (string, error) {
	if name, in := w.channels[id]; in {
		return name, nil
	}
	return "", errors.New("not_in_channel")
}

func (w *world) Denied(_ context.Context, principal string, needs []rights.Right) (denied []rights.Right, err error) {
	for _, r := range needs {
		if slices.Contains(w.denied[principal], r.Action) {
			denied = append(denied, r)
		}
	}
	return denied, w.fail["denied"]
}

// newWorld is a world in which everything is as it must be.
func newWorld() *world {
	p := auth.Defaults()
	p.Channels = auth.Channels{Alerts: "C0ALERTS", Approvals: "C0APPROVE", BreakGlass: "C0ALERTS", Keys: "C0KEYS", Reports: "C0REPORT"}
	p.Gate.Mode, p.Gate.Guard = auth.Enforce, auth.Guard{Tags: map[string]string{"Sekisho": "guarded"}}
	keys := auth.DefaultKeys()
	keys.Mode = auth.Enforce
	p.Keys = &keys
	p.Reports = []auth.ReportPolicy{{Name: "weekly", Mail: &auth.MailPolicy{From: "bot@example.com"}}, {Name: "daily", Mail: &auth.MailPolicy{From: "bot@example.com"}}}
	w := &world{
		redis: doctor.RedisFacts{
			Version: "7.0.15", Append: "1", Snapshots: "0", Eviction: "noeviction", RoundTrip: time.Millisecond, Clock: noon,
			Swept: noon.Add(-5 * time.Minute),
		},
		app:      doctor.AppFacts{Team: "Example Inc", Bot: "sekisho", Scopes: []string{"chat:write", "commands"}, Clock: noon},
		socket:   doctor.SocketFacts{App: "A0TEST", Connections: 2},
		me:       doctor.Identity{ARN: "arn:aws:sts::111122223333:assumed-role/sekisho/one", Principal: role, Region: "eu-central-1", Clock: noon},
		denied:   make(map[string][]string),
		keyRules: []doctor.KeyRule{{Name: "access-keys-rotated", Region: "eu-central-1"}},
		mail:     doctor.MailFacts{Verified: true, Sending: true},
		channels: map[string]string{"C0ALERTS": "alerts", "C0APPROVE": "approvals", "C0KEYS": "keys", "C0REPORT": "reports"},
		fail:     make(map[string]error),
	}
	w.rules = []doctor.Rule{
		{Name: "other", Enabled: true, Pattern: `{"source":["aws.s3"]}`, Targets: []string{queue}},
		{Name: "hourly", Enabled: true, Targets: []string{queue}},
		{Name: "starts", Enabled: true, Pattern: `{"source":["aws.ec2"],"detail-type":["A start","Another start"],"detail":{"state":["pending"]}}`, Targets: []string{"arn:aws:sns:x", queue}},
		{Name: "keys", Enabled: true, Pattern: `{"source":[{"prefix":"aws.con"}]}`, Targets: []string{queue}},
	}
	w.manifest = doctor.Manifest{Commands: []string{"/ec2-pass"}, Events: []string{"app_home_opened"}, Shortcuts: []string{"ask"}, Interactivity: true, SocketMode: true}
	w.Doctor = &doctor.Doctor{
		Policy: &p, Doors: []auth.Door{auth.DoorSocket, auth.DoorGate, auth.DoorKeys}, Pepper: 64,
		Wants:   doctor.Manifest{Scopes: []string{"chat:write", "commands"}, Commands: []string{"/ec2-pass"}, Events: []string{"app_home_opened"}, Shortcuts: []string{"ask"}},
		Events:  []doctor.Event{{Name: "starts", Source: "aws.ec2", DetailTypes: []string{"A start", "Another start"}}, {Name: "config", Source: "aws.config", DetailTypes: []string{"A change"}, Optional: true}},
		Targets: []string{queue}, Redis: w, Slack: w, AWS: w, Now: func() time.Time { return noon },
	}
	return w
}

// notGood are the lines that are not good, as "✗ check".
func notGood(lines []doctor.Line) (all []string) {
	for _, l := range lines {
		if l.Outcome != doctor.Good {
			all = append(all, l.Sign()+" "+l.Check)
		}
	}
	return all
}

func TestAWellBuiltWorldIsGood(t *testing.T) {
	w := newWorld()
	lines := w.Examine(t.Context())
	if found := notGood(lines); len(found) > 0 || !doctor.Healthy(lines) {
		t.Errorf("not good: %q", found)
	}
	seen := make(map[string]bool)
	for _, l := range lines {
		if seen[l.Check] || l.Says == "" || l.Do != "" {
			t.Errorf("twice, or with words that it need not have: %+v", l)
		}
		seen[l.Check] = true
	}
	if len(lines) < 40 || !seen["aws.allowed.sqs:ReceiveMessage"] || !seen["aws.allowed.iam:DeleteAccessKey"] || !seen["slack.channel.keys"] || seen["slack.channel.break_glass"] {
		t.Errorf("%d lines: %v", len(lines), seen)
	}
}

// Whatever is wrong turns its own line, and no other.
func TestEachFaultTurnsExactlyItsLine(t *testing.T) {
	for name, c := range map[string]struct {
		break_ func(w *world)
		want   []string
	}{
		"Redis is away":          {func(w *world) { w.fail["redis"] = auth.ErrUnavailable }, []string{"✗ redis.reach"}},
		"Redis is slow":          {func(w *world) { w.redis.RoundTrip = 101 * time.Millisecond }, []string{"✗ redis.reach"}},
		"Redis is old":           {func(w *world) { w.redis.Version = "6.0.16" }, []string{"✗ redis.version"}},
		"Redis is very old":      {func(w *world) { w.redis.Version = "5.9.9" }, []string{"✗ redis.version"}},
		"Redis is old enough":    {func(w *world) { w.redis.Version = "6.2.0" }, nil},
		"Redis is new":           {func(w *world) { w.redis.Version = "10.0" }, nil},
		"Redis names no version": {func(w *world) { w.redis.Version = "" }, []string{"– redis.version"}},
		"Redis evicts":           {func(w *world) { w.redis.Eviction = "allkeys-lru" }, []string{"✗ redis.eviction"}},
		"Redis evicts some":      {func(w *world) { w.redis.Eviction = "volatile-ttl" }, []string{"✗ redis.eviction"}},
		"Redis says not":         {func(w *world) { w.redis.Eviction = "" }, []string{"– redis.eviction"}},
		"nothing is kept":        {func(w *world) { w.redis.Append = "0" }, []string{"✗ redis.persistence"}},
		"a managed service":      {func(w *world) { w.redis.Append, w.redis.Snapshots = "0", "" }, []string{"– redis.persistence"}},
		"Socket Mode is off":     {func(w *world) { w.manifest.SocketMode = false }, []string{"✗ slack.mode"}},
		"a URL, and Socket Mode": {func(w *world) { w.Doors[0] = auth.DoorHTTP; w.socket.App = "" }, []string{"✗ slack.mode"}},
		"people come elsewhere":  {func(w *world) { w.Doors = w.Doors[1:]; w.socket.App = "" }, nil},
		"another's URL": {func(w *world) {
			w.Doors, w.Roles, w.socket.App = w.Doors[1:], map[auth.Door]string{auth.DoorHTTP: role}, ""
		}, []string{"✗ slack.mode"}},
		"no right to addresses":   {func(w *world) { w.Policy.People.MatchEmail = true }, []string{"✗ slack.scopes"}},
		"a look that panics":      {func(w *world) { w.Slack = nil }, []string{"✗ doctor", "✗ doctor", "✗ doctor"}},
		"snapshots":               {func(w *world) { w.redis.Append, w.redis.Snapshots = "0", "1" }, nil},
		"nobody says":             {func(w *world) { w.redis.Append, w.redis.Snapshots = "", "" }, []string{"– redis.persistence"}},
		"a cluster as one server": {func(w *world) { w.redis = doctor.RedisFacts{Cluster: true} }, []string{"✗ redis.cluster"}},
		"one server as a cluster": {func(w *world) { w.redis = doctor.RedisFacts{AsCluster: true} }, []string{"✗ redis.cluster"}},
		"a cluster":               {func(w *world) { w.redis.Cluster, w.redis.AsCluster = true, true }, nil},
		"Redis's clock":           {func(w *world) { w.redis.Clock = noon.Add(31 * time.Second) }, []string{"✗ redis.clock"}},
		"no sweep":                {func(w *world) { w.redis.Swept = time.Time{} }, []string{"✗ sweep"}},
		"an old sweep":            {func(w *world) { w.redis.Swept = noon.Add(-63 * time.Minute) }, []string{"✗ sweep"}},
		"a late sweep":            {func(w *world) { w.redis.Swept = noon.Add(-62 * time.Minute) }, nil},
		"a bad token":             {func(w *world) { w.fail["app"] = errors.New("invalid_auth") }, []string{"✗ slack.token"}},
		"a missing scope":         {func(w *world) { w.app.Scopes = []string{"commands"} }, []string{"✗ slack.scopes"}},
		"scopes unsaid":           {func(w *world) { w.app.Scopes = nil }, []string{"– slack.scopes"}},
		"a scope too many":        {func(w *world) { w.app.Scopes = append(w.app.Scopes, "admin") }, nil},
		"Slack's clock":           {func(w *world) { w.app.Clock = noon.Add(-time.Minute) }, []string{"✗ slack.clock"}},
		"no socket":               {func(w *world) { w.fail["socket"] = errors.New("link_disabled"); w.socket.App = "" }, []string{"✗ slack.socket"}},
		"too many sockets":        {func(w *world) { w.socket.Connections = 10 }, []string{"✗ slack.socket"}},
		"many sockets":            {func(w *world) { w.socket.Connections = 9 }, nil},
		"no interactivity":        {func(w *world) { w.manifest.Interactivity = false }, []string{"✗ slack.interactivity"}},
		"unseen interactivity":    {func(w *world) { w.fail["installed"] = fmt.Errorf("%w: no token", doctor.ErrUnseen) }, []string{"– slack.interactivity"}},
		"a missing command":       {func(w *world) { w.manifest.Commands = nil }, []string{"✗ slack.manifest"}},
		"a missing event":         {func(w *world) { w.manifest.Events = nil }, []string{"✗ slack.manifest"}},
		"a missing shortcut":      {func(w *world) { w.manifest.Shortcuts = nil }, []string{"✗ slack.manifest"}},
		"not in a channel":        {func(w *world) { delete(w.channels, "C0REPORT") }, []string{"✗ slack.channel.reports"}},
		"not in the alerts":       {func(w *world) { delete(w.channels, "C0ALERTS") }, []string{"✗ slack.channel.alerts"}},
		"nobody in AWS":           {func(w *world) { w.fail["me"] = errors.New("InvalidClientTokenId") }, []string{"✗ aws.identity"}},
		"AWS's clock":             {func(w *world) { w.me.Clock = noon.Add(time.Hour) }, []string{"✗ aws.clock"}},
		"a missing right":         {func(w *world) { w.denied[role] = []string{"ec2:StopInstances"} }, []string{"✗ aws.allowed.ec2:StopInstances"}},
		"a right to map":          {func(w *world) { w.Lambda = true; w.denied[role] = []string{"sqs:GetQueueAttributes"} }, []string{"✗ aws.allowed.sqs:GetQueueAttributes"}},
		"a right to read":         {func(w *world) { w.denied[role] = []string{"sqs:DeleteMessage"} }, []string{"✗ aws.allowed.sqs:DeleteMessage"}},
		"no simulation":           {func(w *world) { w.fail["denied"] = fmt.Errorf("%w: AccessDenied", doctor.ErrUnseen) }, []string{"– aws.allowed"}},
		"a disabled rule":         {func(w *world) { w.rules[2].Enabled = false }, []string{"✗ aws.rule.starts"}},
		"a rule elsewhere":        {func(w *world) { w.rules[2].Targets = []string{"arn:aws:sns:x"} }, []string{"✗ aws.rule.starts"}},
		"no rule":                 {func(w *world) { w.rules = w.rules[3:] }, []string{"✗ aws.rule.starts"}},
		"a second rule":           {func(w *world) { w.rules = append(w.rules, w.rules[2]); w.rules[2].Enabled = false }, nil},
		"half a rule":             {func(w *world) { w.rules[2].Pattern = `{"source":["aws.ec2"],"detail-type":["A start"]}` }, []string{"✗ aws.rule.starts"}},
		"no optional rule":        {func(w *world) { w.rules = w.rules[:3] }, []string{"– aws.rule.config"}},
		"an optional one is off":  {func(w *world) { w.rules[3].Enabled = false }, []string{"✗ aws.rule.config"}},
		"targets unknown":         {func(w *world) { w.Targets = nil; w.rules[2].Targets = []string{"arn:aws:lambda:x"} }, nil},
		"unseen rules":            {func(w *world) { w.fail["rules"] = fmt.Errorf("%w: AccessDenied", doctor.ErrUnseen) }, []string{"– aws.rules"}},
		"no Config rule":          {func(w *world) { w.keyRules = nil }, []string{"– aws.config"}},
		"two Config rules":        {func(w *world) { w.keyRules = append(w.keyRules, w.keyRules[0]) }, nil},
		"Config in two Regions":   {func(w *world) { w.keyRules = append(w.keyRules, doctor.KeyRule{Name: "x", Region: "us-east-1"}) }, []string{"✗ aws.config"}},
		"an unverified sender":    {func(w *world) { w.mail.Verified = false }, []string{"✗ ses.identity"}},
		"SES's sandbox":           {func(w *world) { w.mail.Sandbox = true }, []string{"✗ ses.sandbox"}},
		"SES has paused":          {func(w *world) { w.mail.Sending = false }, []string{"✗ ses.sandbox"}},
		"SES away":                {func(w *world) { w.fail["mail"] = errors.New("AccessDenied") }, []string{"✗ ses.identity"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			c.break_(w)
			lines := w.Examine(t.Context())
			if found := notGood(lines); !slices.Equal(found, c.want) {
				t.Errorf("not good: %q, want %q", found, c.want)
			}
			for _, l := range lines {
				if l.Outcome == doctor.Bad && l.Do == "" {
					t.Errorf("nobody knows what to do: %+v", l)
				}
			}
			if sick := len(c.want) > 0 && strings.HasPrefix(c.want[0], "✗"); doctor.Healthy(lines) == sick {
				t.Errorf("healthy: %v", !sick)
			}
		})
	}
}

// A process is asked for what it does itself, and for the rights of others
// where their roles are known.
func TestTheRightsOfOtherProcesses(t *testing.T) {
	const front, gate = "arn:aws:iam::111122223333:role/front", "arn:aws:iam::111122223333:role/gate"
	w := newWorld()
	w.Doors, w.Lambda = []auth.Door{auth.DoorKeys}, true
	w.socket.App = "" // there is no token for the socket
	if found, want := notGood(w.Examine(t.Context())), []string{"– aws.allowed"}; !slices.Equal(found, want) {
		t.Errorf("not good: %q, want %q", found, want)
	}
	w.Roles, w.manifest.SocketMode = map[auth.Door]string{auth.DoorHTTP: front, auth.DoorGate: gate}, false
	w.denied = map[string][]string{
		front: {"ec2:DescribeInstances", "iam:DeleteAccessKey"}, gate: {"ec2:StopInstances", "ses:SendEmail"},
		role: {"iam:ListUsers", "ec2:StopInstances"},
	}
	want := []string{"✗ aws.allowed.ec2:DescribeInstances", "✗ aws.allowed.ec2:StopInstances", "✗ aws.allowed.iam:ListUsers"}
	lines := w.Examine(t.Context())
	if found := notGood(lines); !slices.Equal(found, want) {
		t.Errorf("not good: %q, want %q", found, want)
	}
	for _, l := range lines {
		if l.Check == "aws.allowed.ec2:StopInstances" && l.Outcome == doctor.Bad && !strings.HasPrefix(l.Says, "role/gate may not") {
			t.Errorf("it says %q", l.Says)
		}
	}
}

// hanging is a Redis and an EventBridge that never answer.
type hanging struct{ *world }

func (hanging) Look(ctx context.Context) (doctor.RedisFacts, error) {
	<-ctx.Done()
	return doctor.RedisFacts{}, ctx.Err()
}

func (hanging) Rules(ctx context.Context) ([]doctor.Rule, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// What hangs is given up, and keeps nobody from the rest. In AWS there may only
// be much to read.
func TestALookThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.Redis, w.AWS = hanging{w}, hanging{w}
		began := time.Now()
		found := notGood(w.Examine(t.Context()))
		if took := time.Since(began); took != 20*time.Second || !slices.Equal(found, []string{"✗ redis.reach", "– aws.rules"}) {
			t.Errorf("after %v: %q", took, found)
		}
	})
}
