package report_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/auth/purge/purgetest"
	"sekisho/auth/report"
)

const (
	day     = 24 * time.Hour
	account = "111122223333"
	web     = "i-0a1b2c3d4e5f60001"
	db      = "i-0a1b2c3d4e5f60002"
	hana    = "U0HANA"
	ben     = "U0BEN"
	rosa    = "U0ROSA"
)

var (
	monday = time.Date(2027, time.January, 4, 0, 0, 0, 0, time.UTC)
	week   = report.Period{From: monday, To: monday.AddDate(0, 0, 7)}
	made   = week.To.Add(6 * time.Hour) // when the report is made
)

// ago is so many days before the report is made.
func ago(days int) time.Time { return made.AddDate(0, 0, -days) }

// world is all that a report is made of.
type world struct {
	policy      *auth.Policy
	self        purge.Self
	selfErr     error
	trail       trail
	credentials credentials
	iam         iam
	records     *purgetest.Memory
	people      directory
	order       report.Order
	before      *report.Report
	said        []string
}

// newWorld is an account in which nothing is, and nothing has happened. The
// policy has no keys.
func newWorld() *world {
	return &world{
		policy: &auth.Policy{Hash: "0123"}, self: purge.Self{Account: account, UserID: "AROATESTBOT"},
		credentials: credentials{c: report.Credentials{Made: made.Add(-time.Hour)}},
		records:     purgetest.NewMemory(),
		order:       report.Order{Name: "weekly", Period: week, CIS: "7.0"},
	}
}

func (w *world) make(t testing.TB) report.Report {
	t.Helper()
	r, err := w.makeOr(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *world) makeOr(ctx context.Context) (report.Report, error) {
	m := report.Maker{
		Policy: w.policy, WhoAmI: w.whoAmI, Trail: &w.trail, Credentials: &w.credentials, Directory: &w.people, Now: now,
	}
	if w.policy.Keys != nil {
		m.Keys = &purge.Purge{
			Policy: w.policy, WhoAmI: w.whoAmI, Users: &w.iam, Keys: &w.iam, Store: w.records, Now: now,
			Warn: func(context.Context, error) {},
		}
	}
	return m.Make(ctx, w.order, w.before, func(what string) { w.said = append(w.said, what) })
}

func now() time.Time { return made.Add(300 * time.Millisecond) }

func (w *world) whoAmI(context.Context) (purge.Self, error) { return w.self, w.selfErr }

// purges has the policy look after keys.
func (w *world) purges() *auth.KeyPolicy {
	keys := auth.DefaultKeys()
	keys.Mode = auth.Enforce
	w.policy.Keys = &keys
	return w.policy.Keys
}

// purgeUser is a user with a key that is so old, and one that is new.
func purgeUser(name string, age int) purge.User {
	return purge.User{Name: name, ID: "AIDATEST" + name, Path: "/", Keys: []purge.Key{
		{ID: "AKIATEST1" + name, Active: true, Created: ago(age)}, {ID: "AKIATEST2" + name, Active: true, Created: ago(1)},
	}}
}

// key gives the user a key that is so old.
func (w *world) key(user, id string, age int, active bool) {
	for n := range w.iam.users {
		if w.iam.users[n].Name == user {
			w.iam.users[n].Keys = append(w.iam.users[n].Keys, purge.Key{ID: id, Active: active, Created: ago(age)})
			return
		}
	}
	w.iam.users = append(w.iam.users, purge.User{Name: user, ID: "AIDATEST" + strings.ToUpper(user), Path: "/"})
	w.key(user, id, age, active)
}

// happened writes down what has become of a key.
func (w *world) happened(t *testing.T, id string, changes ...purge.Change) {
	t.Helper()
	r := purge.Record{ID: id}
	for _, c := range changes {
		r = r.With(c)
		if _, changed, err := w.records.Change(t.Context(), r); err != nil || !changed {
			t.Fatalf("Change(%s): %v, %v", id, changed, err)
		}
	}
}

// trail is a report.TrailReader.
type trail struct {
	entries []auth.Entry
	trimmed int64 // how many there were before these
	err     error
	from    time.Time // what was asked for
}

func (r *trail) Since(ctx context.Context, from time.Time, each func(auth.Entry) error) error {
	r.from = from
	for n, e := range r.entries {
		e.Seq = r.trimmed + int64(n+1)
		if e.Time.Before(from) {
			continue
		}
		if err := each(e); err != nil {
			return err
		}
	}
	if r.err != nil {
		return r.err
	}
	return context.Cause(ctx)
}

// credentials is a report.CredentialReader.
type credentials struct {
	c     report.Credentials
	err   error
	reads int
	hook  func()
}

func (r *credentials) Credentials(context.Context) (report.Credentials, error) {
	r.reads++
	if r.hook != nil {
		r.hook()
	}
	if r.err != nil {
		return report.Credentials{}, r.err
	}
	return r.c, nil
}

// iam is a purge.UserReader and a purge.KeyReader.
type iam struct {
	users []purge.User
	used  map[string]time.Time // by key
	err   error
	hook  func(context.Context)
}

func (i *iam) Users(ctx context.Context, each func(purge.User)) error {
	if i.hook != nil {
		i.hook(ctx)
	}
	for _, u := range i.users {
		u.Keys = nil
		each(u)
	}
	if i.err != nil {
		return i.err
	}
	return ctx.Err() // as an SDK has it, without the cause
}

func (i *iam) User(_ context.Context, name string) (purge.User, error) {
	for _, u := range i.users {
		if u.Name == name {
			return u, nil
		}
	}
	return purge.User{}, purge.ErrGone
}

func (i *iam) Keys(ctx context.Context, user string) ([]purge.Key, error) {
	u, err := i.User(ctx, user)
	return append([]purge.Key{}, u.Keys...), err
}

func (i *iam) LastUse(_ context.Context, id string) (purge.Use, string, error) {
	return purge.Use{At: i.used[id]}, "", nil
}

// directory has names by Slack user id.
type directory struct {
	names  map[string]string
	err    error // after those whom it knows
	looked int
}

func (d *directory) Person(_ context.Context, user string) (auth.Person, error) {
	d.looked++
	name, ok := d.names[user]
	if !ok {
		return auth.Person{Name: "not to be shown"}, cmp.Or(d.err, auth.ErrNobody)
	}
	return auth.Person{ID: user, Name: name}, nil
}

func (*directory) Members(context.Context, string) ([]string, error) { return nil, auth.ErrNobody }

// row is a user's row: 400 days old, with neither password nor keys.
func row(user string, with ...func(*report.Credential)) report.Credential {
	c := report.Credential{User: user, Created: ago(400)}
	for _, f := range with {
		f(&c)
	}
	return c
}

// root is root's row, of whom there is nothing to say.
func root(with ...func(*report.Credential)) report.Credential {
	return row(report.RootUser, append([]func(*report.Credential){func(c *report.Credential) { c.Password, c.MFA = true, true }}, with...)...)
}

// password gives a password that was used so many days ago, with MFA.
func password(used int) func(*report.Credential) {
	return func(c *report.Credential) {
		c.Password, c.PasswordUsed, c.PasswordSet, c.MFA = true, ago(used), ago(399), true
	}
}

func noMFA(c *report.Credential) { c.MFA = false }

// key gives an active key of this age that was used so many days ago; -1: never.
func key(n, age, used int) func(*report.Credential) {
	return func(c *report.Credential) {
		c.Keys[n] = report.CredentialKey{Active: true, Rotated: ago(age)}
		if used >= 0 {
			c.Keys[n].Used = ago(used)
		}
	}
}

// wantSame holds two values against each other as they are written.
func wantSame(t interface {
	Helper()
	Errorf(string, ...any)
}, what string, got, want any) {
	t.Helper()
	g, w := lines(got), lines(want)
	for n := range max(len(g), len(w)) {
		if n >= len(g) || n >= len(w) || g[n] != w[n] {
			around := func(all []string) string {
				return strings.Join(all[min(max(0, n-3), len(all)):min(n+4, len(all))], "\n")
			}
			t.Errorf("%s: line %d is\n%s\nwant\n%s", what, n+1, around(g), around(w))
			return
		}
	}
}

func lines(v any) []string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return []string{fmt.Sprint(err)}
	}
	return strings.Split(string(text), "\n")
}
