package auth_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"sekisho/auth"
	"sekisho/auth/authtest"
)

// chain is n entries in a row, with something in every field.
func chain(t *testing.T, n int) []auth.Entry {
	t.Helper()
	all := make([]auth.Entry, 0, n)
	for n := range n {
		e := auth.Entry{
			Time: authtest.T0.Add(time.Duration(n) * time.Minute), Act: auth.ActApprove, Outcome: auth.Done,
			Decided: ben, Submitted: hana, Instance: web, Request: web + "/random", Reason: "a reason",
			Rule: "leads", Policy: "0123", Door: "socket", Source: "trigger", Note: fmt.Sprint("note ", n), Key: "AKIATEST", IAMUser: "hana",
		}
		all = linked(t, all, e)
	}
	return all
}

func linked(t *testing.T, all []auth.Entry, e auth.Entry) []auth.Entry {
	t.Helper()
	var last auth.Entry
	if len(all) > 0 {
		last = all[len(all)-1]
	}
	return append(all, pepper(t).Link(e, last.Seq, last.Hash))
}

// checked holds the entries against the head that the store keeps.
func checked(key auth.Pepper, entries []auth.Entry, head auth.Entry) (good int64, err error) {
	c := auth.Checker{Pepper: key}
	for _, e := range entries {
		if err := c.Check(e); err != nil {
			return c.Count, err
		}
	}
	return c.Count, c.End(head.Seq, head.Hash)
}

func wantTampered(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, auth.ErrTampered) {
		t.Errorf("%s: %v; want it found", what, err)
	}
}

func TestAWholeTrailIsWhole(t *testing.T) {
	for n := range 5 {
		all := chain(t, n)
		var head auth.Entry
		if n > 0 {
			head = all[n-1]
		}
		if good, err := checked(pepper(t), all, head); err != nil || good != int64(n) {
			t.Errorf("of %d entries %d are good, %v", n, good, err)
		}
	}
	for n, e := range chain(t, 3) {
		if e.Seq != int64(n+1) {
			t.Errorf("entry %d has the number %d", n+1, e.Seq)
		}
	}
}

// Whatever field of whatever entry is edited, the checker stops at that entry.
func TestEveryEditIsFound(t *testing.T) {
	all := chain(t, 3)
	for at := range all {
		for f := range reflect.TypeFor[auth.Entry]().NumField() {
			for name, edit := range edits(t, reflect.TypeFor[auth.Entry]().Field(f)) {
				edited := slices.Clone(all)
				edit(reflect.ValueOf(&edited[at]).Elem().Field(f))
				if edited[at] == all[at] {
					t.Fatalf("%s changed nothing", name)
				}
				good, err := checked(pepper(t), edited, all[2])
				wantTampered(t, fmt.Sprintf("entry %d: %s", at+1, name), err)
				if good != int64(at) {
					t.Errorf("entry %d: %s: found only at entry %d", at+1, name, good+1)
				}
			}
		}
	}
}

// edits are small changes of a field, one for each way that its type has.
func edits(t *testing.T, f reflect.StructField) map[string]func(reflect.Value) {
	t.Helper()
	clear := f.Name + " emptied"
	all := map[string]func(reflect.Value){clear: func(v reflect.Value) { v.SetZero() }}
	switch {
	case f.Type.Kind() == reflect.String:
		all[f.Name+" longer"] = func(v reflect.Value) { v.SetString(v.String() + " ") }
		all[f.Name+" in other letters"] = func(v reflect.Value) {
			s := strings.ToUpper(v.String())
			if s == v.String() {
				s = strings.ToLower(s)
			}
			if s == v.String() { // digits alone
				s = "x" + s[1:]
			}
			v.SetString(s)
		}
		if f.Name == "Prev" { // the first entry follows nothing
			delete(all, clear)
			all[f.Name+" in other letters"] = func(v reflect.Value) { v.SetString("x" + v.String()) }
		}
	case f.Type.Kind() == reflect.Int64:
		all[f.Name+" higher"] = func(v reflect.Value) { v.SetInt(v.Int() + 1) }
	case f.Type == reflect.TypeFor[time.Time]():
		all[f.Name+" later"] = func(v reflect.Value) { v.Set(reflect.ValueOf(v.Interface().(time.Time).Add(1))) }
	default:
		t.Fatalf("the field %s is a %s, of which this test knows no edits", f.Name, f.Type)
	}
	return all
}

func TestTextMovedToAnotherFieldIsFound(t *testing.T) {
	all := chain(t, 1)
	all[0].Reason, all[0].Note = "", all[0].Reason+all[0].Note
	_, err := checked(pepper(t), all, all[0])
	wantTampered(t, "the reason moved to the note", err)
	all = chain(t, 1)
	all[0].Decided, all[0].Submitted = all[0].Submitted, all[0].Decided
	_, err = checked(pepper(t), all, all[0])
	wantTampered(t, "two people changed places", err)
}

func TestWhatIsMissingOrOutOfOrderIsFound(t *testing.T) {
	all := chain(t, 6)
	head := all[5]
	other := chain(t, 2) // as another process would have gone on from entry 2
	other = linked(t, other, auth.Entry{Time: authtest.T0, Act: auth.ActDeny, Outcome: auth.Done})
	cut := func(from, to int) []auth.Entry { return slices.Delete(slices.Clone(all), from, to) }
	swap := slices.Clone(all)
	swap[2], swap[3] = swap[3], swap[2]
	backwards := slices.Clone(all)
	slices.Reverse(backwards)
	for name, entries := range map[string][]auth.Entry{
		"one dropped":       cut(2, 3),
		"some dropped":      cut(1, 5),
		"the first dropped": cut(0, 1),
		"the last dropped":  cut(5, 6),
		"all dropped":       nil,
		"two swapped":       swap,
		"backwards":         backwards,
		"one twice":         slices.Insert(slices.Clone(all), 3, all[2]),
		"the first twice":   slices.Insert(slices.Clone(all), 0, all[0]),
		"all twice":         append(slices.Clone(all), all...),
		"one put in place of another, of another chain": slices.Concat(all[:2], other[2:], all[3:]),
		"one more at the end":                           linked(t, slices.Clone(all), auth.Entry{Time: authtest.T0}),
	} {
		_, err := checked(pepper(t), entries, head)
		wantTampered(t, name, err)
	}
	_, err := checked(pepper(t), all, auth.Entry{})
	wantTampered(t, "the head lost", err)
	_, err = checked(pepper(t), all, auth.Entry{Seq: 6, Hash: all[4].Hash})
	wantTampered(t, "the head of another chain", err)
}

// Whoever looks for what is missing must know where.
func TestWhatIsFoundIsSaid(t *testing.T) {
	all := chain(t, 5)
	edited, other := slices.Clone(all), linked(t, chain(t, 2), auth.Entry{Time: authtest.T0})
	edited[3].Note = ""
	for want, entries := range map[string][]auth.Entry{
		"after entry 2 comes 4": slices.Concat(all[:2], all[3:]),
		"entry 4 (request.approve of 2027-01-15T08:03:00Z) was edited": edited,
		"entry 4 does not follow the entry 3":                          slices.Concat(other, all[3:]),
		"begins at entry 3":                                            all[2:],
		"ends at entry 4, and the store's own note says 5":             all[:4],
	} {
		if _, err := checked(pepper(t), entries, all[4]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

func TestAnotherPeppersEntriesAreFound(t *testing.T) {
	all := chain(t, 2)
	other, err := auth.NewPepper(testPepper + ", another")
	if err != nil {
		t.Fatal(err)
	}
	good, err := checked(other, all, all[1])
	wantTampered(t, "read with another pepper", err)
	if good != 0 {
		t.Errorf("%d entries are good", good)
	}
	forged := append(slices.Clone(all), other.Link(all[1], 2, all[1].Hash))
	good, err = checked(pepper(t), forged, forged[2])
	wantTampered(t, "written with another pepper", err)
	if good != 2 {
		t.Errorf("%d entries are good", good)
	}
}

func TestATrimmedFrontNeedsAnEntryThatSaysSo(t *testing.T) {
	all := linked(t, chain(t, 5), auth.Trimmed(3, authtest.T0.Add(time.Hour)))
	head := all[5]
	for from := range all {
		_, err := checked(pepper(t), all[from:], head)
		if from <= 3 && err != nil {
			t.Errorf("from entry %d on: %v", from+1, err)
		}
		if from > 3 {
			wantTampered(t, fmt.Sprint("from entry ", from+1, " on"), err)
		}
	}

	forged := slices.Clone(all)
	forged[5].Note = "5"
	_, err := checked(pepper(t), forged[5:], forged[5])
	wantTampered(t, "the entry says more than it did", err)

	saying := auth.Trimmed(3, authtest.T0.Add(time.Hour))
	saying.Act, saying.Note = auth.ActDeny, "3" // a reason that somebody wrote
	all = linked(t, chain(t, 5), saying)
	_, err = checked(pepper(t), all[3:], all[5])
	wantTampered(t, "an entry of another kind", err)

	twice := linked(t, all, auth.Trimmed(4, authtest.T0))
	twice = linked(t, twice, auth.Trimmed(2, authtest.T0))
	if _, err := checked(pepper(t), twice[4:], twice[7]); err != nil {
		t.Errorf("trimmed twice: %v", err)
	}
}

// An entry is stored as JSON: read back it has the hash that it had, whatever
// text and time are in it.
func TestAnEntryKeepsItsHashInJSON(t *testing.T) {
	key := pepper(t)
	texts := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\xff", "a\xc3", "\u2028 <&> \\ufffd", "\x00"}))
	rapid.Check(t, func(t *rapid.T) {
		text := func(label string) string { return texts.Draw(t, label) }
		zone := time.FixedZone("", rapid.IntRange(-12*3600, 14*3600).Draw(t, "zone"))
		wrote := key.Link(auth.Entry{
			Time: time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "second"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanosecond")).In(zone),
			Act:  auth.Act(text("act")), Outcome: auth.Result(text("outcome")), Decided: text("decided"), Submitted: text("submitted"),
			Instance: text("instance"), Request: text("request"), Reason: text("reason"), Rule: text("rule"), Policy: text("policy"),
			Door: text("door"), Source: text("source"), Note: text("note"),
		}, 0, "")
		stored, err := json.Marshal(wrote)
		if err != nil {
			t.Fatal(err)
		}
		var read auth.Entry
		if err := json.Unmarshal(stored, &read); err != nil {
			t.Fatal(err)
		}
		if read != wrote {
			t.Fatalf("read %+v; wrote %+v", read, wrote)
		}
		if _, err := checked(key, []auth.Entry{read}, read); err != nil {
			t.Fatal(err)
		}
	})
}

// A field that is added later and left empty must not change the hash of the
// entries from before it: what is empty is not written at all.
func TestAnEmptyFieldIsNotWritten(t *testing.T) {
	e := pepper(t).Link(auth.Entry{Time: authtest.T0, Act: auth.ActLapse, Outcome: auth.Done}, 6, "before")
	if want := "R5uAM6waCEH8gihTNpYmoa-kkgZhAXCUhsdZRh4JK0w"; e.Hash != want { // of an entry as it was written in the beginning
		t.Errorf("its hash is %s; want %s: no trail that is kept anywhere can be verified any more", e.Hash, want)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "hash")
	want := map[string]any{
		"seq": 7.0, "time": "2027-01-15T08:00:00Z", "act": "request.lapse", "outcome": "done", "prev": "before",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("written as %v; want %v", got, want)
	}
}
