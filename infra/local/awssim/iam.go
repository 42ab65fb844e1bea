package awssim

import (
	"cmp"
	"crypto/rand"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// IAM's limits. https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxUsers    = 5_000 // of an account
	maxKeys     = 2     // of a user
	maxUserTags = 50
	maxUserName = 64
)

// User is an IAM user with its access keys.
type User struct {
	Name    string // 1 to 64 letters, digits and _+=,.@-; no two users' names differ in case alone
	Path    string // begins and ends with a slash; "/" by default
	ID      string // "AIDA…", made when empty
	Tags    map[string]string
	Created time.Time   // whole seconds; that of the oldest key, or now, when zero
	Keys    []AccessKey // two at most

	PasswordEnabled  bool      // may sign in to the console
	PasswordChanged  time.Time // whole seconds; Created, when zero and there is a password
	PasswordLastUsed time.Time // whole seconds; zero: never
	MFA              bool      // has a device
}

// AccessKey is the public half of a user's credentials.
type AccessKey struct {
	ID      string // "AKIA…", made when empty
	Active  bool
	Created time.Time // whole seconds; now, when zero
	Used    time.Time // zero: never
	Service string    // of the last use: "s3"
	Region  string    // of the last use
}

func (u User) clone() User {
	u.Tags = maps.Clone(u.Tags)
	u.Keys = slices.Clone(u.Keys)
	return u
}

// keyholder is one user with what only the cloud knows of it.
type keyholder struct {
	User

	// before is the keys before the last change to them: what an out-of-date read shows.
	before []AccessKey

	// judged is the Config rule's last evaluation, nil before the first.
	judged *evaluation
}

// directory finds users by everything that calls name them by; an account has thousands.
type directory struct {
	sorted []*keyholder          // by name
	byName map[string]*keyholder // by name in lower case
	byID   map[string]*keyholder // by AIDA id
	byKey  map[string]*keyholder // by the id of one of their keys
}

func newDirectory() directory {
	return directory{byName: map[string]*keyholder{}, byID: map[string]*keyholder{}, byKey: map[string]*keyholder{}}
}

// place is where a name stands, or would, among the users by name.
func (d *directory) place(name string) int {
	at, _ := slices.BinarySearchFunc(d.sorted, name, func(a *keyholder, name string) int { return cmp.Compare(a.Name, name) })
	return at
}

func (d *directory) add(a *keyholder) {
	d.sorted = slices.Insert(d.sorted, d.place(a.Name), a)
	d.byName[strings.ToLower(a.Name)] = a
	d.byID[a.ID] = a
	for _, k := range a.Keys {
		d.byKey[k.ID] = a
	}
}

func (d *directory) remove(a *keyholder) {
	at := d.place(a.Name)
	d.sorted = slices.Delete(d.sorted, at, at+1)
	delete(d.byName, strings.ToLower(a.Name))
	delete(d.byID, a.ID)
	for _, k := range a.Keys {
		delete(d.byKey, k.ID)
	}
}

// user finds a user by its name, whose case must be right.
func (d *directory) user(name string) (*keyholder, error) {
	if a := d.byName[strings.ToLower(name)]; a != nil && a.Name == name {
		return a, nil
	}
	return nil, errNoEntity("The user with name %s cannot be found.", name)
}

// key finds a key and its owner. The pointer is good until the owner's keys change.
func (d *directory) key(id string) (*keyholder, *AccessKey, error) {
	if a := d.byKey[id]; a != nil {
		return a, a.key(id), nil
	}
	return nil, nil, errNoKey(id)
}

// key finds one of a user's own keys, or gives nil.
func (a *keyholder) key(id string) *AccessKey {
	for i := range a.Keys {
		if a.Keys[i].ID == id {
			return &a.Keys[i]
		}
	}
	return nil
}

// arn is the user's name to the rest of AWS.
func (u User) arn(account string) string {
	return "arn:aws:iam::" + account + ":user" + u.Path + u.Name
}

var (
	userName    = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`) // a new one has at most maxUserName
	userPath    = regexp.MustCompile(`^/([!-~]{0,510}/)?$`)
	accessKeyID = regexp.MustCompile(`^\w{16,128}$`)
)

// addUser fills a user's gaps and puts it into the account. The caller holds mu.
func (c *Cloud) addUser(u User) (*keyholder, error) {
	u = u.clone()
	u.Path = cmp.Or(u.Path, "/")
	u.ID = cmp.Or(u.ID, newIAMID("AIDA", 17))
	if u.Tags == nil {
		u.Tags = map[string]string{}
	}
	switch {
	case !userName.MatchString(u.Name) || len(u.Name) > maxUserName:
		return nil, errConstraint(u.Name, "userName",
			`Member must satisfy regular expression pattern: [\w+=,.@-]+ and have length less than or equal to 64`)
	case !userPath.MatchString(u.Path):
		return nil, errConstraint(u.Path, "path", "Member must begin and end with / and have length less than or equal to 512")
	case c.iam.byName[strings.ToLower(u.Name)] != nil:
		return nil, errExists("User with name %s already exists.", u.Name)
	case c.iam.byID[u.ID] != nil:
		return nil, errExists("User with id %s already exists.", u.ID)
	case len(u.Keys) > maxKeys:
		return nil, errQuota("AccessKeysPerUser", maxKeys)
	case len(u.Tags) > maxUserTags:
		return nil, errQuota("TagsPerUser", maxUserTags)
	case len(c.iam.sorted) == maxUsers:
		return nil, errQuota("UsersPerAccount", maxUsers)
	}
	for i := range u.Keys {
		if err := c.fillKey(&u.Keys[i]); err != nil {
			return nil, err
		}
	}
	if len(u.Keys) == maxKeys && u.Keys[0].ID == u.Keys[1].ID {
		return nil, errExists("Access key %s already exists.", u.Keys[0].ID)
	}
	if u.Created.IsZero() {
		u.Created = c.opts.Now()
		for _, k := range u.Keys {
			if k.Created.Before(u.Created) {
				u.Created = k.Created
			}
		}
	}
	u.Created = wholeSecond(u.Created)
	if u.PasswordEnabled && u.PasswordChanged.IsZero() {
		u.PasswordChanged = u.Created
	}
	u.PasswordChanged, u.PasswordLastUsed = wholeSecond(u.PasswordChanged), wholeSecond(u.PasswordLastUsed)
	a := &keyholder{User: u, before: slices.Clone(u.Keys)}
	c.iam.add(a)
	return a, nil
}

// fillKey fills a new key's gaps.
func (c *Cloud) fillKey(k *AccessKey) error {
	k.ID = cmp.Or(k.ID, newIAMID("AKIA", 16))
	switch {
	case !accessKeyID.MatchString(k.ID):
		return errConstraint(k.ID, "accessKeyId", `Member must satisfy regular expression pattern: [\w]{16,128}`)
	case c.iam.byKey[k.ID] != nil:
		return errExists("Access key %s already exists.", k.ID)
	}
	if k.Created.IsZero() {
		k.Created = c.opts.Now()
	}
	k.Created, k.Used = wholeSecond(k.Created), wholeSecond(k.Used)
	return nil
}

// The caller of everything below holds mu.

func (c *Cloud) createKey(a *keyholder) (AccessKey, error) {
	if len(a.Keys) == maxKeys {
		return AccessKey{}, errQuota("AccessKeysPerUser", maxKeys)
	}
	k := AccessKey{Active: true}
	if err := c.fillKey(&k); err != nil {
		return AccessKey{}, err
	}
	a.before = slices.Clone(a.Keys)
	a.Keys = append(a.Keys, k)
	c.iam.byKey[k.ID] = a
	c.changed()
	return k, nil
}

// setKey does nothing to a key that is so already.
func (c *Cloud) setKey(a *keyholder, k *AccessKey, active bool) {
	if k.Active == active {
		return
	}
	a.before = slices.Clone(a.Keys)
	k.Active = active
	c.changed()
}

func (c *Cloud) deleteKey(a *keyholder, id string) {
	a.before = slices.Clone(a.Keys)
	a.Keys = slices.DeleteFunc(a.Keys, func(k AccessKey) bool { return k.ID == id })
	delete(c.iam.byKey, id)
	c.changed()
}

// spelling is the key of a user's tag as it was set. IAM's tag keys keep their case, and don't differ in it alone.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
func (a *keyholder) spelling(key string) string {
	for k := range a.Tags {
		if strings.EqualFold(k, key) {
			return k
		}
	}
	return key
}

// wholeSecond is a time as IAM keeps it; never stays never.
func wholeSecond(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// newIAMID makes an id as IAM's are: a prefix that tells the kind, then n of A-Z and 2-7.
func newIAMID(prefix string, n int) string { return prefix + rand.Text()[:n] }
