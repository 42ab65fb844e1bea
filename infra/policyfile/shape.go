package policyfile

import (
	"slices"
	"strconv"
	"strings"
)

// read takes what a value says to where it belongs. False means that it could
// not, and that the fault has been added.
type read func(value) bool

// then reads a value, and when that went well lets checks of its meaning speak.
func then(reads ...read) read {
	return func(v value) bool {
		for _, r := range reads {
			if !r(v) {
				return false
			}
		}
		return true
	}
}

// field is one key that a mapping may have.
type field struct {
	name    string
	must    bool
	instead string // what to write when it must be there and is not
	read    read
}

func may(name string, r read) field { return field{name: name, read: r} }

func must(name, instead string, r read) field {
	return field{name: name, must: true, instead: instead, read: r}
}

// mapping reads a mapping that has these fields and no others.
func mapping(fields ...field) read {
	return func(v value) bool {
		entries, ok := v.entries()
		if entries == nil {
			return false
		}
		seen := make(map[string]bool)
		for _, e := range entries {
			seen[e.name] = true
			i := slices.IndexFunc(fields, func(f field) bool { return f.name == e.name })
			if i < 0 {
				meant := unknown(v, e, fields)
				seen[meant], ok = true, false
				continue
			}
			ok = fields[i].read(e.value) && ok
		}
		for _, f := range fields {
			if f.must && !seen[f.name] {
				ok = v.f.add(v.key, f.instead, "%s has no %s", v, f.name)
			}
		}
		return ok
	}
}

// unknown adds the fault of a field that is not there, and guesses which was meant.
func unknown(v value, e entry, fields []field) (meant string) {
	var names []string
	for _, f := range fields {
		names = append(names, f.name)
	}
	instead := "it has " + strings.Join(names, ", ")
	if secretName(e.name) {
		instead = noSecrets
	} else if meant = nearest(e.name, names); meant != "" {
		instead = "did you mean " + meant + "?"
	}
	v.f.add(e.key, instead, "%s has no field %s", v, quote(e.name))
	return meant
}

// list reads a list of things that are read one by one.
func list[T any](to *[]T, one func(*T) read) read {
	return func(v value) bool {
		items, ok := v.items()
		for _, item := range items {
			var t T
			ok = one(&t)(item) && ok
			*to = append(*to, t)
		}
		return ok
	}
}

// some refuses a list of nothing.
func some(what, instead string) read {
	return func(v value) bool {
		if items, ok := v.items(); ok && len(items) == 0 {
			return v.wrong(instead, "%s is an empty list: %s", v, what)
		}
		return true
	}
}

// few refuses a list of more.
func few(most int) read {
	return func(v value) bool {
		if items, ok := v.items(); ok && len(items) > most {
			return v.wrong("write at most "+strconv.Itoa(most), "%s is a list of %d", v, len(items))
		}
		return true
	}
}

// filled reads a list that has something in it.
func filled[T any](to *[]T, one func(*T) read) read {
	return then(list(to, one), some(
		"does that match nothing, or everything?", "write at least one, or take it out to match everything"))
}

// distinct refuses what has been read into a list twice.
func distinct[T comparable](list *[]T) read {
	return func(v value) bool {
		items, ok := v.items()
		first := make(map[T]value)
		for i, one := range *list {
			if before, twice := first[one]; twice {
				ok = items[i].wrong("take it out, or write what was meant", "%s repeats %s", items[i], before)
				continue
			}
			first[one] = items[i]
		}
		return ok
	}
}

// part reads something that may be missing as a whole, and so is a pointer.
// What it leaves unsaid keeps the value given.
func part[T any](to **T, unsaid T, shape func(*T) read) read {
	return func(v value) bool {
		*to = &unsaid
		return shape(*to)(v)
	}
}

// choice reads one of a few words.
func choice[T ~string](to *T, of ...T) read {
	words := make([]string, len(of))
	for i, word := range of {
		words[i] = string(word)
	}
	last := len(words) - 1
	instead := "write " + strings.Join(words[:last], ", ") + " or " + words[last]
	return func(v value) bool {
		text, ok := v.text("one word", instead)
		if !ok {
			return false
		}
		if !slices.Contains(words, text) {
			return v.wrong(instead, "%s cannot be %s", v, quote(text))
		}
		*to = T(text)
		return true
	}
}

// nearest is the name that was probably meant, or nothing.
func nearest(name string, names []string) string {
	best, least := "", 3
	if len(name) > 40 {
		return ""
	}
	for _, n := range names {
		if d := distance(strings.ToLower(name), n); d < least {
			best, least = n, d
		}
	}
	return best
}

// distance is how many letters must be added, dropped or changed to make one
// word of the other.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diagonal
			if a[i] != b[j] {
				d = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
