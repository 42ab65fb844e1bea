package awssim

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// iam is everything this IAM can do: read users and their keys, report on them all, and end keys. Users come and go by the
// console.
var iam = queryService{
	name:      "iam",
	namespace: "https://iam.amazonaws.com/doc/2010-05-08/",
	actions: map[string]func(*Cloud, form) (any, error){
		"CreateAccessKey":          (*Cloud).iamCreateAccessKey,
		"DeleteAccessKey":          (*Cloud).iamDeleteAccessKey,
		"GenerateCredentialReport": (*Cloud).iamGenerateCredentialReport,
		"GetAccessKeyLastUsed":     (*Cloud).iamGetAccessKeyLastUsed,
		"GetCredentialReport":      (*Cloud).iamGetCredentialReport,
		"GetUser":                  (*Cloud).iamGetUser,
		"ListAccessKeys":           (*Cloud).iamListAccessKeys,
		"ListUserTags":             (*Cloud).iamListUserTags,
		"ListUsers":                (*Cloud).iamListUsers,
		"SimulatePrincipalPolicy":  (*Cloud).iamSimulatePrincipalPolicy,
		"UpdateAccessKey":          (*Cloud).iamUpdateAccessKey,
	},
	need: (*Cloud).iamNeed,
}

var pathPrefix = regexp.MustCompile(`^/[!-~]{0,511}$`)

// userOf finds the user that a call names or, when it names none, the caller's own, which a role doesn't have.
func (c *Cloud) userOf(f form) (*keyholder, error) {
	name, given := f.lookup("UserName")
	if !given {
		own, isUser := f.by.user()
		if !isUser {
			return nil, refuse("ValidationError", "Must specify userName when calling with non-User credentials")
		}
		return c.iam.user(own)
	}
	if !userName.MatchString(name) {
		return nil, errConstraint(name, "userName", `Member must satisfy regular expression pattern: [\w+=,.@-]+`)
	}
	return c.iam.user(name)
}

// keyID reads the id of the key that a call is about.
func (f form) keyID() (string, error) {
	id, given := f.lookup("AccessKeyId")
	switch {
	case !given:
		return "", errNull("accessKeyId")
	case !accessKeyID.MatchString(id):
		return "", errConstraint(id, "accessKeyId", `Member must satisfy regular expression pattern: [\w]{16,128}`)
	}
	return id, nil
}

// keyOf finds the key of a call, which must be the user's that it names.
func (c *Cloud) keyOf(f form) (*keyholder, *AccessKey, error) {
	id, err := f.keyID()
	if err != nil {
		return nil, nil, err
	}
	a, err := c.userOf(f)
	if err != nil {
		return nil, nil, err
	}
	if k := a.key(id); k != nil {
		return a, k, nil
	}
	return nil, nil, errNoKey(id)
}

type userXML struct {
	Path             string
	UserName         string
	UserId           string
	Arn              string
	CreateDate       string
	PasswordLastUsed string   `xml:",omitempty"`
	Tags             *tagsXML // nil: not told, or none
}

type tagsXML struct {
	Tags []iamTag `xml:"member"`
}

// iamTag is a tag; IAM capitalises what EC2 doesn't.
type iamTag struct{ Key, Value string }

func (c *Cloud) showUser(u User) userXML {
	shown := userXML{Path: u.Path, UserName: u.Name, UserId: u.ID, Arn: u.arn(c.opts.Account), CreateDate: iamTime(u.Created)}
	if !u.PasswordLastUsed.IsZero() {
		shown.PasswordLastUsed = iamTime(u.PasswordLastUsed)
	}
	return shown
}

func iamTags(u User) []iamTag {
	var tags []iamTag
	for _, t := range sortedTags(u.Tags) {
		tags = append(tags, iamTag(t))
	}
	return tags
}

func iamTime(t time.Time) string { return t.Format(time.RFC3339) }

// iamListUsers tells no tags: that is IAM's way.
func (c *Cloud) iamListUsers(f form) (any, error) {
	prefix, given := f.lookup("PathPrefix")
	if given && !pathPrefix.MatchString(prefix) {
		return nil, errConstraint(prefix, "pathPrefix", "Member must begin with /")
	}
	under := func(a *keyholder) bool { return strings.HasPrefix(a.Path, prefix) }
	found, more, err := page(f, c.iam.sorted, func(a *keyholder) string { return a.Name }, under)
	var result struct {
		Users []userXML `xml:"Users>member"`
		moreXML
	}
	result.moreXML = more
	for _, a := range found {
		result.Users = append(result.Users, c.showUser(a.User))
	}
	return result, err
}

func (c *Cloud) iamGetUser(f form) (any, error) {
	a, err := c.userOf(f)
	if err != nil {
		return nil, err
	}
	shown := c.showUser(a.User)
	if tags := iamTags(a.User); len(tags) > 0 {
		shown.Tags = &tagsXML{tags}
	}
	return struct{ User userXML }{shown}, nil
}

func (c *Cloud) iamListUserTags(f form) (any, error) {
	if _, given := f.lookup("UserName"); !given {
		return nil, errNull("userName")
	}
	a, err := c.userOf(f)
	if err != nil {
		return nil, err
	}
	tags, more, err := page(f, iamTags(a.User), func(t iamTag) string { return t.Key }, everyone)
	return struct {
		Tags []iamTag `xml:"Tags>member"`
		moreXML
	}{tags, more}, err
}

type keyXML struct {
	UserName        string
	AccessKeyId     string
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

func showKey(user string, k AccessKey) keyXML {
	status := "Inactive"
	if k.Active {
		status = "Active"
	}
	return keyXML{UserName: user, AccessKeyId: k.ID, Status: status, CreateDate: iamTime(k.Created)}
}

func (c *Cloud) iamListAccessKeys(f form) (any, error) {
	a, err := c.userOf(f)
	if err != nil {
		return nil, err
	}
	keys := slices.Clone(a.Keys)
	if useUp(c.faults.staleKeys, a.Name) {
		keys = slices.Clone(a.before)
	}
	slices.SortFunc(keys, func(k, l AccessKey) int { return strings.Compare(k.ID, l.ID) })
	keys, more, err := page(f, keys, func(k AccessKey) string { return k.ID }, everyone)
	var result struct {
		AccessKeyMetadata []keyXML `xml:"AccessKeyMetadata>member"`
		moreXML
	}
	result.moreXML = more
	for _, k := range keys {
		result.AccessKeyMetadata = append(result.AccessKeyMetadata, showKey(a.Name, k))
	}
	return result, err
}

// iamGetAccessKeyLastUsed is asked by the key alone, and tells whose it is.
func (c *Cloud) iamGetAccessKeyLastUsed(f form) (any, error) {
	id, err := f.keyID()
	if err != nil {
		return nil, err
	}
	a, k, err := c.iam.key(id)
	if err != nil {
		return nil, err
	}
	type lastUsed struct {
		LastUsedDate string `xml:",omitempty"`
		ServiceName  string
		Region       string
	}
	used := lastUsed{ServiceName: "N/A", Region: "N/A"}
	if !k.Used.IsZero() {
		used = lastUsed{iamTime(k.Used), k.Service, k.Region}
	}
	return struct {
		UserName          string
		AccessKeyLastUsed lastUsed
	}{a.Name, used}, nil
}

// iamCreateAccessKey gives a secret that is one in form only: no call here proves a secret.
func (c *Cloud) iamCreateAccessKey(f form) (any, error) {
	a, err := c.userOf(f)
	if err != nil {
		return nil, err
	}
	k, err := c.createKey(a)
	if err != nil {
		return nil, err
	}
	shown := showKey(a.Name, k)
	shown.SecretAccessKey = "TESTONLY" + randomHex(16)
	return struct{ AccessKey keyXML }{shown}, nil
}

func (c *Cloud) iamUpdateAccessKey(f form) (any, error) {
	status := f.get("Status")
	if status != "Active" && status != "Inactive" {
		return nil, errConstraint(status, "status", "Member must satisfy enum value set: [Active, Inactive]")
	}
	a, k, err := c.keyOf(f)
	if err != nil {
		return nil, err
	}
	c.setKey(a, k, status == "Active")
	return nil, nil
}

func (c *Cloud) iamDeleteAccessKey(f form) (any, error) {
	a, k, err := c.keyOf(f)
	if err != nil {
		return nil, err
	}
	c.deleteKey(a, k.ID)
	return nil, nil
}
