package report

import (
	"cmp"
	"slices"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

// soon is how far ahead the report looks.
const soon = 14 * day

// edges are where one band of ages ends and the next begins, in days.
func edges() []int { return []int{30, 60, 90, 180, 365} }

// aged is the section's part that says how old keys are, by the purge's plan.
func (k *Keys) aged(p purge.Plan, now time.Time) {
	for _, v := range p.Verdicts {
		key := Key{ID: v.Key.ID, User: v.User.Name, Active: v.Key.Active, Created: v.Key.Created.UTC(), Age: days(v.Key.Created, now)}
		if v.Key.Used != nil && !v.Key.Used.At.IsZero() {
			at := v.Key.Used.At.UTC()
			key.LastUsed = &at
		}
		k.List = append(k.List, key)
		if e, ok := exempt(v, p.Record(v.Key.ID), p.Mode != auth.Enforce, now); ok {
			k.Exempt = append(k.Exempt, e)
		} else if d, ok := due(v, now); ok {
			k.Due = append(k.Due, d)
		}
	}
	slices.SortStableFunc(k.Due, func(a, b DueKey) int { return a.At.Compare(b.At) })
	k.sum()
}

// agedBy is the same by the credential report, which knows no key's id.
func (k *Keys) agedBy(rows []Credential, now time.Time) {
	for _, row := range rows {
		for _, c := range row.Keys {
			if c.Rotated.IsZero() {
				continue
			}
			key := Key{User: row.User, Active: c.Active, Created: c.Rotated.UTC(), Age: days(c.Rotated, now)}
			if !c.Used.IsZero() {
				at := c.Used.UTC()
				key.LastUsed = &at
			}
			k.List = append(k.List, key)
		}
	}
	slices.SortStableFunc(k.List, func(a, b Key) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.User, b.User))
	})
	k.sum()
}

func (k *Keys) sum() {
	from := 0
	for _, to := range append(edges(), 0) {
		k.Bands = append(k.Bands, Band{From: from, To: to})
		from = to
	}
	for _, key := range k.List {
		n := slices.IndexFunc(k.Bands, func(b Band) bool { return key.Age < b.To || b.To == 0 })
		k.Total++
		if !key.Active {
			k.Bands[n].Inactive++
			continue
		}
		k.Active++
		k.Bands[n].Active++
		if key.Age >= k.MaxAge {
			k.Old++
		}
	}
}

// exempt says whether the purge leaves the key alone: by the policy, or because
// somebody has spared it until a date.
func exempt(v purge.Verdict, r purge.Record, observing bool, now time.Time) (ExemptKey, bool) {
	e := ExemptKey{ID: v.Key.ID, User: v.User.Name, Age: days(v.Key.Created, now), By: v.Why}
	if v.Why != "" {
		return e, v.Do != purge.Drop
	}
	spared := r.State(observing).Spared // less than was said once, where somebody has thought again
	for _, c := range slices.Backward(r.History) {
		if c.Verb == purge.Exempted && c.Until.After(now) && !c.Until.After(spared) {
			until := c.Until.UTC()
			e.Until = &until
			return e, true
		}
	}
	return e, false
}

// due says whether the key ends soon, if nothing changes.
func due(v purge.Verdict, now time.Time) (DueKey, bool) {
	d := DueKey{ID: v.Key.ID, User: v.User.Name, Age: days(v.Key.Created, now), Do: string(v.Next), At: v.At.UTC()}
	if v.Do.Ends() {
		d.Do, d.At = string(v.Do), now
	}
	return d, d.Do != "" && d.At.Before(now.Add(soon))
}
