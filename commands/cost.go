package commands

import (
	"strconv"
	"strings"
)

// hourly says roughly what an instance type costs in an hour, on demand, by
// order of magnitude: sizes grow by AWS's normalization factors
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/apply_ri.html), at about
// $0.024 for a general-purpose unit and some six times that with accelerators.
// It is empty for a type whose size says nothing.
func hourly(instanceType string) string {
	family, size, ok := strings.Cut(instanceType, ".")
	units := unitsOf(size)
	if !ok || family == "" || units == 0 {
		return ""
	}
	dollars := units * 0.024
	if accelerated(family) {
		dollars *= 6
	}
	switch {
	case dollars < 0.1:
		return "roughly below $0.10 an hour"
	case dollars < 1:
		return "roughly $0.10 to $1 an hour"
	case dollars < 10:
		return "roughly $1 to $10 an hour"
	}
	return "roughly above $10 an hour"
}

func unitsOf(size string) float64 {
	switch size {
	case "nano":
		return 0.25
	case "micro":
		return 0.5
	case "small":
		return 1
	case "medium":
		return 2
	case "large":
		return 4
	case "xlarge":
		return 8
	}
	if n, err := strconv.Atoi(strings.TrimSuffix(size, "xlarge")); err == nil && strings.HasSuffix(size, "xlarge") && n > 0 {
		return float64(8 * n)
	}
	return 0
}

// accelerated says whether the family has GPUs or chips for machine learning.
func accelerated(family string) bool {
	switch family[:strings.IndexAny(family+"0", "0123456789")] {
	case "p", "g", "gr", "inf", "trn", "dl", "vt", "f":
		return true
	}
	return false
}
