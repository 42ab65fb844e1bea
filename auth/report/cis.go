package report

import "slices"

// versions are those of the CIS AWS Foundations Benchmark
// (https://www.cisecurity.org/benchmark/amazon_web_services), the oldest first.
var versions = []string{"1.4", "1.5", "2.0", "3.0", "4.0", "5.0", "6.0", "7.0"}

// Versions lists the versions whose numbers are known.
func Versions() []string { return slices.Clone(versions) }

// numbers are the recommendations' numbers, by version. They moved with 5.0, 6.0
// and 7.0, which has one less.
func numbers(v string) map[Finding]string {
	switch v {
	case "7.0":
		return numbered("2.4", "2.5", "2.7", "2.10", "2.11", "", "2.12")
	case "6.0":
		return numbered("2.3", "2.4", "2.6", "2.9", "2.11", "2.12", "2.13")
	case "5.0":
		return numbered("1.3", "1.4", "1.6", "1.9", "1.11", "1.12", "1.13")
	case "1.4", "1.5", "2.0", "3.0", "4.0":
		return numbered("1.4", "1.5", "1.7", "1.10", "1.12", "1.13", "1.14")
	}
	return nil
}

func numbered(rootKey, rootMFA, rootUse, mfa, unused, one, old string) map[Finding]string {
	return map[Finding]string{
		RootKey: rootKey, RootNoMFA: rootMFA, RootUsed: rootUse, NoMFA: mfa,
		PasswordUnused45: unused, PasswordUnused90: unused, KeyUnused45: unused, KeyUnused90: unused,
		TwoKeys: one, KeyOld: old,
	}
}

// kind is one finding with what it is called and what it costs. A user's points
// add up to 100 at the most, and so do root's.
type kind struct {
	finding Finding
	title   string
	points  int
	needs   []string // columns of the credential report
}

func kinds() []kind {
	return []kind{
		{RootKey, "the root user has an access key", 50, both("active")},
		{RootNoMFA, "the root user has no MFA", 40, []string{"mfa_active"}},
		{RootUsed, "the root user was used in this period", 10, []string{"password_last_used"}},
		{NoMFA, "a console password without MFA", 40, []string{"password_enabled", "mfa_active"}},
		{PasswordUnused90, "a password unused for 90 days or more", 15, []string{"password_enabled", "password_last_used", "password_last_changed"}},
		{PasswordUnused45, "a password unused for 45 to 89 days", 8, []string{"password_enabled", "password_last_used", "password_last_changed"}},
		{KeyUnused90, "an access key unused for 90 days or more", 15, both("active", "last_rotated", "last_used_date")},
		{KeyUnused45, "an access key unused for 45 to 89 days", 8, both("active", "last_rotated", "last_used_date")},
		{KeyOld, "an access key older than 90 days", 20, both("active", "last_rotated")},
		{TwoKeys, "two active access keys", 10, both("active")},
	}
}

// both are columns of the one access key and of the other.
func both(of ...string) []string {
	var all []string
	for _, column := range of {
		all = append(all, "access_key_1_"+column, "access_key_2_"+column)
	}
	return all
}
