package policyfile

import (
	"regexp"
	"sync"
	"unicode/utf8"
)

const (
	noSecrets    = "take it out, and change it if others could read this file: secrets come from the environment"
	noReferences = "take it out: a secret's variable may be such a reference, as in SLACK_BOT_TOKEN=arn:… or ssm:/…"
)

// shapes are those of secrets that could be put into the file by mistake. They
// are compiled when a file is read, not when the program starts.
var shapes = sync.OnceValue(func() []shape {
	return []shape{
		{regexp.MustCompile(`xox[a-z]-[0-9A-Za-z-]{4,}|xapp-[0-9A-Za-z-]{4,}`), "a Slack token"},
		{regexp.MustCompile(`hooks\.slack\.com/[a-z]+/\w`), "a Slack webhook"},
		{regexp.MustCompile(`\b(?:AKIA|ASIA)[0-9A-Z]{12,}`), "an AWS access key"},
		{regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s:@/]*:[^\s@/]+@`), "a URL with a password"},
		{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY`), "a private key"},
		{regexp.MustCompile(`\barn:[a-z-]+:(?:secretsmanager|ssm):|\bssm:/`), reference},
	}
})

type shape struct {
	pattern *regexp.Regexp
	what    string
}

// reference only says where a secret stands.
const reference = "a reference to a secret"

// names are those of fields that hold secrets elsewhere, as a whole or in part.
var names = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)secret|token|passw|pepper|credential|(?:private|api|access)_?key`)
})

// secretName says whether a field of this name would hold a secret.
func secretName(name string) bool { return names().MatchString(name) }

// secretive says whether the line could hold a secret, and is better not shown.
func secretive(line string) bool {
	if secretName(line) {
		return true
	}
	for _, s := range shapes() {
		if s.pattern.MatchString(line) {
			return true
		}
	}
	return false
}

// findSecrets adds a fault for each line with a secret, wherever in it: a
// comment is read by as many people as a value.
func findSecrets(f *faults) (found bool) {
	for i, line := range f.lines {
		for _, s := range shapes() {
			if at := s.pattern.FindStringIndex(line); at != nil {
				column := utf8.RuneCountInString(line[:at[0]]) + 1
				hint := noSecrets
				if s.what == reference {
					hint = noReferences
				}
				f.add(position{i + 1, column}, hint, "this looks like %s", s.what)
				found = true
				break
			}
		}
	}
	return found
}
