package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"sekisho/infra/awscall"
)

// place is where a secret stands: a file by its path, a secret by its ARN, a
// parameter by its ARN or path.
type place struct {
	service string // secretsManager or ssm; empty for a file
	region  string // empty: the configured one
	id      string
	key     string // of the JSON in a secret; empty: all of it
}

const (
	secretsManager = "secretsmanager"
	ssm            = "ssm"
)

// IsReference says whether the value only names a secret or a parameter.
func IsReference(value string) bool {
	return strings.HasPrefix(value, "arn:") || strings.HasPrefix(value, "ssm:")
}

var errARN = errors.New("this ARN names no secret: write arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, " +
	"with :KEY behind it for one key of its JSON, or arn:aws:ssm:REGION:ACCOUNT:parameter/PATH")

// parse reads a reference. Its errors do not repeat it: it may be a secret that
// only looks like one.
func parse(text string) (place, error) {
	if path, short := strings.CutPrefix(text, "ssm:"); short {
		if !strings.HasPrefix(path, "/") || path == "/" {
			return place{}, errors.New("a parameter is named by its whole path: write ssm:/PATH")
		}
		return place{service: ssm, id: path}, nil
	}
	// arn:partition:service:region:account:what…
	parts := strings.Split(text, ":")
	if len(parts) < 6 || !isPartition(parts[1]) || !awscall.IsRegion(parts[3]) || !isAccount(parts[4]) {
		return place{}, errARN
	}
	switch at := (place{service: parts[2], region: parts[3], id: text}); {
	case at.service == ssm && len(parts) == 6 && strings.HasPrefix(parts[5], "parameter/") && parts[5] != "parameter/":
		return at, nil
	case at.service == secretsManager && len(parts) > 6 && parts[5] == "secret" && parts[6] != "":
		at.id = strings.Join(parts[:7], ":")
		if len(parts) > 7 {
			at.key = parts[7]
		}
		// As ECS has it, a version's stage and id follow:
		// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
		if strings.Join(parts[min(8, len(parts)):], "") != "" {
			return place{}, errors.New("this ARN names a version of the secret, and a newer one would never be seen: end it behind the key")
		}
		return at, nil
	}
	return place{}, errARN
}

func isPartition(text string) bool {
	return text == "aws" || text == "aws-cn" || text == "aws-us-gov"
}

func isAccount(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

// whole is the place without the key: what is read at once.
func (p place) whole() place {
	p.key = ""
	return p
}

// part is what stands at the place's key, or everything without one.
func (p place) part(text string) (string, error) {
	if p.service != secretsManager {
		return text, nil
	}
	var object map[string]json.RawMessage
	err := json.Unmarshal([]byte(text), &object)
	switch {
	case p.key == "" && err == nil && object != nil: // as the console makes them
		return "", fmt.Errorf("%s holds JSON: say which key of it, with :KEY behind the ARN", p)
	case p.key == "":
		return text, nil
	case err != nil:
		return "", fmt.Errorf("%s holds no JSON: leave the key %q out, or write {%q: \"…\"} into it", p, p.key, p.key)
	}
	raw, found := object[p.key]
	if !found {
		return "", fmt.Errorf("%s has no key %q: add it, or name another behind the ARN", p, p.key)
	}
	var value *string
	if json.Unmarshal(raw, &value) != nil || value == nil {
		return "", fmt.Errorf("%s: what stands at the key %q is no text: put it in quotes", p, p.key)
	}
	return *value, nil
}

// String is what people call it.
func (p place) String() string {
	switch p.service {
	case secretsManager:
		return fmt.Sprintf("the secret %q", p.id[strings.LastIndexByte(p.id, ':')+1:])
	case ssm:
		return fmt.Sprintf("the parameter %q", p.id[strings.LastIndexByte(p.id, ':')+1:])
	}
	return "the file"
}
