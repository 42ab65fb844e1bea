package iamreport

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"sekisho/auth/report"
)

// The report has a row for each user, of whom an account has 5,000 at most with
// names of up to 64 characters
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
const (
	reportAtMost = 16 << 20 // bytes; a row of the longest names and paths has under 3,000
	nameAtMost   = 64
)

// documented are the report's columns:
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
// Left out are those that nobody needs and not every account's report has:
// password_next_rotation, cert_… and additional_credentials_info.
var documented = []string{
	"user", "arn", "user_creation_time", "password_enabled", "password_last_used", "password_last_changed", "mfa_active",
	"access_key_1_active", "access_key_1_last_rotated",
	"access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
	"access_key_2_active", "access_key_2_last_rotated",
	"access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service",
}

// parse reads the report, as CSV with a header. Its errors name a line, and not
// what stands there.
//
// A row that has not as many fields as the header is an error: whose values
// stand where is not certain any more. A single value that cannot be read is
// none, for the rest is still worth having; but its zero would say "never" or
// "no" of that user. So its column counts as lacking, and what depends on it as
// unknown.
func parse(text []byte) (report.Credentials, error) {
	if len(text) > reportAtMost {
		return report.Credentials{}, fmt.Errorf("it has %d bytes, and more than %d are not read", len(text), reportAtMost)
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte("\ufeff"))))
	in.ReuseRecord = true
	header, err := in.Read()
	if err == io.EOF {
		return report.Credentials{}, errors.New("it is empty")
	}
	if err != nil {
		return report.Credentials{}, err
	}
	t, err := newTable(header)
	if err != nil {
		return report.Credentials{}, err
	}
	var c report.Credentials
	for {
		t.row, err = in.Read()
		if err == io.EOF {
			c.Lacks = t.lacks()
			return c, nil
		}
		if err != nil {
			return report.Credentials{}, err
		}
		one := t.credential()
		if n := len(one.User); n == 0 || n > nameAtMost {
			line, _ := in.FieldPos(t.at["user"])
			return report.Credentials{}, fmt.Errorf("line %d, column user: a name of %d characters", line, n)
		}
		c.Rows = append(c.Rows, one)
	}
}

// table is the report at one of its rows.
type table struct {
	at     map[string]int // column → its place
	row    []string
	unread map[string]bool // columns with a value that could not be read
}

func newTable(header []string) (*table, error) {
	t := &table{at: make(map[string]int, len(header)), unread: make(map[string]bool)}
	for i, name := range header {
		if _, twice := t.at[name]; twice && slices.Contains(documented, name) {
			return nil, fmt.Errorf("the column %s is there twice", name)
		}
		t.at[name] = i
	}
	if _, ok := t.at["user"]; !ok {
		return nil, errors.New("it has no column user")
	}
	return t, nil
}

func (t *table) credential() report.Credential {
	c := report.Credential{
		User:         strings.Clone(t.text("user")), // a part of the row would keep all of it
		Created:      t.time("user_creation_time"),
		PasswordUsed: t.time("password_last_used"),
		PasswordSet:  t.time("password_last_changed"),
		MFA:          t.truth("mfa_active"),
		Keys:         [2]report.CredentialKey{t.key("access_key_1"), t.key("access_key_2")},
	}
	c.Password = t.truth("password_enabled") || c.User == report.RootUser && !strings.EqualFold(t.text("password_enabled"), "false")
	return c
}

// key may be inactive and have been rotated: of such a key some reports keep the
// time, and some have N/A.
func (t *table) key(name string) report.CredentialKey {
	return report.CredentialKey{
		Active:  t.truth(name + "_active"),
		Rotated: t.time(name + "_last_rotated"),
		Used:    t.time(name + "_last_used_date"),
	}
}

// What stands where there is nothing to say. A time that IAM has no information
// of was not noted; a yes or no would be one all the same.
const (
	notAvailable  = "N/A"
	notSupported  = "not_supported"
	noInformation = "no_information"
)

// text is what stands in the column; N/A where the report has none.
func (t *table) text(column string) string {
	if i, has := t.at[column]; has {
		return t.row[i]
	}
	return notAvailable
}

func (t *table) time(column string) time.Time {
	text := t.text(column)
	switch text {
	case notAvailable, notSupported, noInformation:
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.unread[column] = true
		return time.Time{}
	}
	return at.UTC()
}

func (t *table) truth(column string) bool {
	switch text := t.text(column); {
	case strings.EqualFold(text, "true"):
		return true
	case !strings.EqualFold(text, "false") && text != notAvailable && text != notSupported:
		t.unread[column] = true
	}
	return false
}

func (t *table) lacks() (columns []string) {
	for _, name := range documented {
		if _, has := t.at[name]; !has || t.unread[name] {
			columns = append(columns, name)
		}
	}
	return columns
}
