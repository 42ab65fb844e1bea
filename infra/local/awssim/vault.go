package awssim

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/google/uuid"
)

// vault is what Secrets Manager and SSM's Parameter Store keep. The cloud's mu guards it.
type vault struct {
	secrets    map[string]*secret    // by name
	parameters map[string]*parameter // by name
}

func newVault() vault {
	return vault{secrets: map[string]*secret{}, parameters: map[string]*parameter{}}
}

// secret has one version: the current one.
type secret struct {
	name, arn string
	text      string
	version   string // a UUID, new with each text
	created   time.Time
	deleted   bool // marked for deletion; it is not gone for at least a week
}

type parameter struct {
	name     string // "/sekisho/pepper", "pepper"
	text     string
	secure   bool
	sealed   string // what KMS made of the text
	version  int
	modified time.Time
}

// The names that are taken.
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
// https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html
var (
	secretName    = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)
	parameterName = regexp.MustCompile(`^([A-Za-z0-9_.-]+|(/[A-Za-z0-9_.-]+){1,15})$`)
)

// How long they may be, in bytes: a secret, and a parameter of the standard tier.
const (
	maxSecret    = 65_536
	maxParameter = 4_096
)

// PutSecret makes a secret or gives it a new text, also where it was marked for deletion. Its ARN stays what it is; as AWS's
// do, it ends in six random characters. A bad name, or a text that is too long, is a mistake in the program and panics.
func (c *Cloud) PutSecret(name, text string) (arn string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !secretName.MatchString(name) || len(text) > maxSecret {
		panic(fmt.Sprintf("awssim: PutSecret: the name %q is not one, or the text is longer than %d bytes", name, maxSecret))
	}
	s := c.vault.secrets[name]
	if s == nil {
		arn := "arn:aws:secretsmanager:" + c.opts.Region + ":" + c.opts.Account + ":secret:" + name + "-" + randomHex(3)
		s = &secret{name: name, arn: arn}
		c.vault.secrets[name] = s
	}
	s.text, s.version, s.created, s.deleted = text, uuid.NewString(), c.opts.Now(), false
	return s.arn
}

// DeleteSecret marks a secret for deletion. An unknown name is a mistake in the program and panics.
func (c *Cloud) DeleteSecret(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.vault.secrets[name]
	if s == nil {
		panic(fmt.Sprintf("awssim: DeleteSecret: there is no secret %q", name))
	}
	s.deleted = true
}

// PutParameter makes a parameter of SSM, a SecureString or a String, or replaces it. A bad name, or a text that is empty or
// too long, is a mistake in the program and panics.
func (c *Cloud) PutParameter(name, text string, secure bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !parameterName.MatchString(name) || text == "" || len(text) > maxParameter {
		panic(fmt.Sprintf("awssim: PutParameter: the name %q is not one, or the text is not 1 to %d bytes long", name, maxParameter))
	}
	p := &parameter{name: name, text: text, secure: secure, version: 1, modified: c.opts.Now()}
	if old := c.vault.parameters[name]; old != nil {
		p.version = old.version + 1
	}
	if secure { // KMS's blobs begin so
		p.sealed = base64.StdEncoding.EncodeToString([]byte("\x01\x02\x02\x00x" + randomHex(64)))
	}
	c.vault.parameters[name] = p
}

// secret finds a secret by its name, its ARN, or its ARN without the random characters.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen
func (v vault) secret(id string) *secret {
	if !strings.HasPrefix(id, "arn:") {
		return v.secrets[id]
	}
	for _, s := range v.secrets {
		if id == s.arn || id == s.arn[:strings.LastIndex(s.arn, "-")] {
			return s
		}
	}
	return nil
}

// parameter finds a parameter by its name or its ARN, in which no second slash precedes a path.
func (c *Cloud) parameter(id string) *parameter {
	path, isARN := strings.CutPrefix(id, c.parameterARN(""))
	if !isARN {
		return c.vault.parameters[id]
	}
	if p := c.vault.parameters[path]; p != nil {
		return p
	}
	return c.vault.parameters["/"+path]
}

func (c *Cloud) parameterARN(name string) string {
	return "arn:aws:ssm:" + c.opts.Region + ":" + c.opts.Account + ":parameter/" + strings.TrimPrefix(name, "/")
}
