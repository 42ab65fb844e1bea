package awssim

// filter is one Filter.N of a Describe call: it passes what has one of the values. Several filters must all pass.
type filter struct {
	name   string
	values []string
}

// look gives what a thing has for a filter's name; not ok means that there is no such filter.
type look func(filterName string) (has []string, ok bool)

// checkFilters refuses filters that don't exist, whether or not there is anything to filter.
func checkFilters(filters []filter, look look) error {
	for _, f := range filters {
		if _, ok := look(f.name); !ok {
			return refuse("InvalidParameterValue", "The filter '%s' is invalid", f.name)
		}
	}
	return nil
}

// matchAll says whether a thing passes every filter.
func matchAll(filters []filter, look look) bool {
	for _, f := range filters {
		if has, _ := look(f.name); !matchAny(f.values, has) {
			return false
		}
	}
	return true
}

func matchAny(patterns, has []string) bool {
	for _, p := range patterns {
		for _, h := range has {
			if wildcard([]rune(p), []rune(h)) {
				return true
			}
		}
	}
	return false
}

// wildcard matches as EC2's filters do: * is any text, ? is one character, a backslash takes the next character as it
// is, case matters. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
//
// It goes back to the last * only, so hostile patterns cost no more than the product of the lengths.
func wildcard(pattern, text []rune) bool {
	p, t := 0, 0
	star, starText := -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, starText = p, t
			p++
			continue
		case p < len(pattern) && pattern[p] == '?':
			p++
			t++
			continue
		case p+1 < len(pattern) && pattern[p] == '\\' && pattern[p+1] == text[t]:
			p += 2
			t++
			continue
		case p < len(pattern) && pattern[p] != '\\' && pattern[p] == text[t]:
			p++
			t++
			continue
		}
		if star < 0 {
			return false
		}
		starText++
		p, t = star+1, starText
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
