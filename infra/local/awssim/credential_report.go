package awssim

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"slices"
	"strings"
	"time"
)

// IAM's credential report: a CSV with a row for the root user and for each IAM user, made when it is asked for.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html

// reportLife is how long a report is given out before IAM makes another.
const reportLife = 4 * time.Hour

// reportColumns is an ordinary account's header.
var reportColumns = []string{
	"user", "arn", "user_creation_time",
	"password_enabled", "password_last_used", "password_last_changed", "password_next_rotation", "mfa_active",
	"access_key_1_active", "access_key_1_last_rotated",
	"access_key_1_last_used_date", "access_key_1_last_used_region", "access_key_1_last_used_service",
	"access_key_2_active", "access_key_2_last_rotated",
	"access_key_2_last_used_date", "access_key_2_last_used_region", "access_key_2_last_used_service",
	"cert_1_active", "cert_1_last_rotated", "cert_2_active", "cert_2_last_rotated",
}

// What a cell says in place of a value.
const (
	notApplicable = "N/A"
	noInformation = "no_information"
	notSupported  = "not_supported"
)

// Root is the account's root user, of whom the report alone tells.
type Root struct {
	Created          time.Time // whole seconds; that of New, when zero
	PasswordLastUsed time.Time // zero: never
	MFA              bool
	Keys             []AccessKey // two at most
}

// credentialReport is the account's newest report, and how the next one will be. The cloud's mu guards it.
type credentialReport struct {
	root Root

	content []byte // CSV; nil: there is none
	made    time.Time
	pending bool // a new one is being made,
	left    int  // and this many calls more don't find it

	takes     int // what left begins with
	extra     []string
	lacking   []string
	byTheBook bool
}

func newCredentialReport(founded time.Time) credentialReport {
	return credentialReport{root: Root{Created: wholeSecond(founded)}, takes: 1}
}

func (r *credentialReport) fresh(now time.Time) bool {
	return r.content != nil && now.Sub(r.made) < reportLife
}

// awaitReport counts a call that asks for a report in the making, and completes one that was waited for long enough.
// The caller holds mu.
func (c *Cloud) awaitReport() {
	r := &c.report
	if !r.pending {
		return
	}
	if r.left--; r.left < 0 {
		r.pending, r.made, r.content = false, wholeSecond(c.opts.Now()), c.writeReport()
	}
}

// writeReport makes the CSV, of what is so now. The caller holds mu.
func (c *Cloud) writeReport() []byte {
	columns := append(slices.Clone(reportColumns), c.report.extra...)
	columns = slices.DeleteFunc(columns, func(name string) bool { return slices.Contains(c.report.lacking, name) })
	from := make([]int, len(columns)) // the cell of each column; -1: a column that an ordinary report hasn't
	for i, name := range columns {
		from[i] = slices.Index(reportColumns, name)
	}

	var out bytes.Buffer
	w := csv.NewWriter(&out)
	row := make([]string, len(columns))
	write := func(cells []string) {
		for i, n := range from {
			row[i] = notApplicable
			if n >= 0 {
				row[i] = cells[n]
			}
		}
		w.Write(row)
	}
	w.Write(columns)
	write(c.rootRow())
	for _, a := range c.iam.sorted {
		write(c.userRow(a.User))
	}
	w.Flush() // into memory, which doesn't fail
	return out.Bytes()
}

func (c *Cloud) rootRow() []string {
	r := c.report.root
	password := []string{notSupported, dateOr(r.PasswordLastUsed, noInformation), notSupported, notSupported}
	return c.reportRow("<root_account>", "arn:aws:iam::"+c.opts.Account+":root", r.Created, password, r.MFA, r.Keys)
}

// userRow knows no password policy, so no password must be changed by a day.
func (c *Cloud) userRow(u User) []string {
	password := []string{c.yesNo(false), notApplicable, notApplicable, notApplicable}
	if u.PasswordEnabled {
		password = []string{
			c.yesNo(true), dateOr(u.PasswordLastUsed, noInformation), dateOr(u.PasswordChanged, notApplicable), notApplicable,
		}
	}
	return c.reportRow(u.Name, u.arn(c.opts.Account), u.Created, password, u.MFA, u.Keys)
}

// reportRow is the cells of reportColumns; password is four of them. Signing certificates nobody has here.
func (c *Cloud) reportRow(name, arn string, created time.Time, password []string, mfa bool, keys []AccessKey) []string {
	row := append([]string{name, arn, dateOr(created, notApplicable)}, password...)
	row = append(row, c.yesNo(mfa))
	for n := range maxKeys {
		var k AccessKey
		if n < len(keys) {
			k = keys[n]
		}
		rotated := k.Created
		if c.report.byTheBook && !k.Active {
			rotated = time.Time{}
		}
		region, service := notApplicable, notApplicable
		if !k.Used.IsZero() {
			region, service = cmp.Or(k.Region, notApplicable), cmp.Or(k.Service, notApplicable)
		}
		row = append(row, c.yesNo(k.Active), dateOr(rotated, notApplicable), dateOr(k.Used, notApplicable), region, service)
	}
	return append(row, c.yesNo(false), notApplicable, c.yesNo(false), notApplicable)
}

// yesNo is a truth as reports of real accounts write it, or as IAM's guide does.
func (c *Cloud) yesNo(yes bool) string {
	text := "false"
	if yes {
		text = "true"
	}
	if c.report.byTheBook {
		return strings.ToUpper(text)
	}
	return text
}

// dateOr writes a time as the report does: with an offset, never with a Z.
func dateOr(t time.Time, never string) string {
	if t.IsZero() {
		return never
	}
	return t.Format("2006-01-02T15:04:05-07:00")
}
