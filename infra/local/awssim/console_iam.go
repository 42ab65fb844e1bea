package awssim

import (
	"net/http"
	"time"
)

// What a person does in IAM's console: the refusals of the wire calls, but no signature, no recorded Call and no injected
// faults.

// AddUser puts a user and its keys into the account, and fills the gaps. A name or an id that is taken is
// EntityAlreadyExists, a third key LimitExceeded.
func (c *Cloud) AddUser(u User) (User, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.addUser(u)
	if err != nil {
		return User{}, err
	}
	c.changed()
	return a.clone(), nil
}

// DeleteUser removes a user with its keys, as the console does: it deletes the keys first, which the API alone insists on.
func (c *Cloud) DeleteUser(name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.iam.user(name)
	if err != nil {
		return err
	}
	c.iam.remove(a)
	c.changed()
	return nil
}

// Users lists every user, by name, as it truly is.
func (c *Cloud) Users() []User {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]User, len(c.iam.sorted))
	for i, a := range c.iam.sorted {
		all[i] = a.clone()
	}
	return all
}

// User gives one user as it truly is.
func (c *Cloud) User(name string) (User, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.iam.user(name)
	if err != nil {
		return User{}, false
	}
	return a.clone(), true
}

// CreateKey gives a user a new, active key.
func (c *Cloud) CreateKey(user string) (AccessKey, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.iam.user(user)
	if err != nil {
		return AccessKey{}, err
	}
	return c.createKey(a)
}

// SetKey activates or deactivates a key.
func (c *Cloud) SetKey(id string, active bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, k, err := c.iam.key(id)
	if err != nil {
		return err
	}
	c.setKey(a, k, active)
	return nil
}

// DeleteKey deletes a key, an active one too, as IAM does.
func (c *Cloud) DeleteKey(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, _, err := c.iam.key(id)
	if err != nil {
		return err
	}
	c.deleteKey(a, id)
	return nil
}

// UseKey is a call to a service ("s3"), signed with a key, now. A key that is inactive or gone is refused as every
// service refuses it, and not used.
func (c *Cloud) UseKey(id, service, region string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, k, err := c.iam.key(id)
	if err != nil || !k.Active {
		return &APIError{"InvalidClientTokenId", "The security token included in the request is invalid.", http.StatusForbidden}
	}
	k.Used, k.Service, k.Region = wholeSecond(c.opts.Now()), service, region
	c.changed()
	return nil
}

// AgeKey makes a key older: its creation, and its last use, were so much earlier. Out-of-date reads see that too, since it
// is the past that changes.
func (c *Cloud) AgeKey(id string, by time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, _, err := c.iam.key(id)
	if err != nil {
		return err
	}
	for _, keys := range [][]AccessKey{a.Keys, a.before} {
		for i := range keys {
			if keys[i].ID == id {
				keys[i].age(by)
			}
		}
	}
	c.changed()
	return nil
}

func (k *AccessKey) age(by time.Duration) {
	k.Created = wholeSecond(k.Created.Add(-by))
	if !k.Used.IsZero() {
		k.Used = wholeSecond(k.Used.Add(-by))
	}
}

// SetPassword gives a user a new password for the console, or takes the password away.
func (c *Cloud) SetPassword(user string, enabled bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.iam.user(user)
	if err != nil {
		return err
	}
	a.PasswordEnabled = enabled
	if enabled {
		a.PasswordChanged = wholeSecond(c.opts.Now())
	}
	c.changed()
	return nil
}

// SignIn is a user's signing in to the console, now. A user without a password is NoSuchEntity.
func (c *Cloud) SignIn(user string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.iam.user(user)
	if err != nil {
		return err
	}
	if !a.PasswordEnabled {
		return errNoEntity("Login Profile for User %s cannot be found.", user)
	}
	a.PasswordLastUsed = wholeSecond(c.opts.Now())
	c.changed()
	return nil
}

// SetMFA gives a user a device for signing in, or takes it away.
func (c *Cloud) SetMFA(user string, active bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.iam.user(user)
	if err != nil {
		return err
	}
	a.MFA = active
	c.changed()
	return nil
}

// SetUserTag sets one tag of a user, over an older value if there is one.
func (c *Cloud) SetUserTag(user, key, value string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.iam.user(user)
	if err != nil {
		return err
	}
	if err := checkTag(tag{key, value}); err != nil {
		return refuse("InvalidInput", "%s", asAPIError(err).Message)
	}
	older := a.spelling(key)
	if _, there := a.Tags[older]; !there && len(a.Tags) == maxUserTags {
		return errQuota("TagsPerUser", maxUserTags)
	}
	delete(a.Tags, older)
	a.Tags[key] = value
	c.changed()
	return nil
}

// DeleteUserTag removes one tag of a user. A tag that isn't there is no mistake.
func (c *Cloud) DeleteUserTag(user, key string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.iam.user(user)
	if err != nil {
		return err
	}
	delete(a.Tags, a.spelling(key))
	c.changed()
	return nil
}
