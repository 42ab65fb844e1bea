// Package policyfile reads sekisho.yml, in which the operator writes down the
// policy, and says where and how it is wrong.
//
// The reading is strict: what is not understood is an error, so that nobody
// believes in a rule that is not there. Only plain YAML is read; anchors,
// aliases and tags are refused, because a policy should say what it means on
// the line where it says it. Secrets have no place in the file and are refused
// without being repeated.
//
// An error lists what is wrong in the file's order, each with its place and
// with what to write instead:
//
//	sekisho.yml:7:8: passes.ttl: "10 minutes" is not a duration
//	      ttl: 10 minutes
//	           ^
//	    write a number and a unit, such as 30s, 10m, 4h or 90d
package policyfile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"sekisho/auth"
)

// largest is the size in bytes up to which a file is read. A policy has a few
// hundred; the rest is room for long lists of instances.
const largest = 1 << 20

// Load reads the policy from the file at the path.
func Load(path string) (auth.Policy, error) {
	text, err := readFile(path)
	if err != nil {
		var at *fs.PathError
		if errors.As(err, &at) {
			err = at.Err // it repeats the path
		}
		return auth.Policy{}, fmt.Errorf("%s: it cannot be read: %w", path, err)
	}
	return Parse(path, text)
}

// readFile takes one byte more than is allowed, for Parse to see.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, largest+1))
}

// Parse reads the policy from the text. The name is what errors call the file.
func Parse(name string, text []byte) (auth.Policy, error) {
	f := &faults{name: name}
	p := auth.Defaults()
	p.Hash = hash(text)
	if root, ok := document(f, text); ok && policy(&p)(root) {
		return p, nil
	}
	return auth.Policy{}, f
}

// hash names the file's text: the first 12 hexadecimal digits of its SHA-256,
// as sha256sum shows them.
func hash(text []byte) string {
	sum := sha256.Sum256(text)
	return fmt.Sprintf("%x", sum[:6])
}
