package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"sekisho/auth"
	"sekisho/auth/purge"
)

func printPlan(w io.Writer, p purge.Plan) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "AGE\tUSER\tKEY\tSTATE\tLAST USED\tNOW\tTHEN\tWHEN\tBY")
	for _, v := range p.Verdicts {
		r := rowOf(v, p)
		fmt.Fprintf(t, "%dd\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.AgeDays, r.User, r.Key, r.State, dateOr(r.LastUsed, "-"), cmp.Or(r.Now, "-"), cmp.Or(r.Then, "-"), dateOr(r.When, "-"), cmp.Or(r.Why, r.Rule))
	}
	t.Flush()
	if p.Mode != auth.Enforce {
		fmt.Fprintln(w, "Observe mode: nothing of this is done in AWS.")
	}
	if p.Over() {
		fmt.Fprintf(w, "%d keys would end at once, and the policy allows %d a day: unless somebody has let them, none is touched. `sekisho keys apply --above-cap %d` has it done.\n", len(p.Ends()), p.Limit, len(p.Ends()))
	}
}

func printHold(w io.Writer, h purge.Hold) {
	fmt.Fprintf(w, "%d keys would end at once, and the policy allows %d a day: none of them is touched.\n", len(h.Keys), h.Limit)
	for _, k := range h.Keys {
		fmt.Fprintf(w, "  %s %s of %s\n", k.Do, k.ID, k.User)
	}
	fmt.Fprintf(w, "If this is meant: sekisho keys apply --above-cap %d\n", len(h.Keys))
}

func printDue(w io.Writer, p purge.Plan, work []purge.Ref) {
	due := make(map[string]bool, len(work))
	for _, ref := range work {
		due[ref.ID] = true
	}
	fmt.Fprintf(w, "To look after: %d\n", len(work))
	for _, v := range p.Verdicts {
		if due[v.Key.ID] {
			fmt.Fprintf(w, "  %s of %s: %s\n", v.Key.ID, v.User.Name, cmp.Or(string(v.Do), "bring its card up to date"))
		}
	}
}

// keyRow is a key of the plan as JSON has it.
type keyRow struct {
	User     string     `json:"user"`
	Key      string     `json:"key"`
	State    string     `json:"state"`
	Created  time.Time  `json:"created"`
	AgeDays  int        `json:"age_days"`
	LastUsed *time.Time `json:"last_used,omitempty"` // left out where it was not read, or the key never used
	Now      string     `json:"now,omitempty"`
	Then     string     `json:"then,omitempty"`
	When     *time.Time `json:"when,omitempty"`
	Rule     string     `json:"rule,omitempty"`
	Why      string     `json:"why,omitempty"` // why it is left alone
}

func rowOf(v purge.Verdict, p purge.Plan) keyRow {
	r := keyRow{
		User: v.User.Name, Key: v.Key.ID, State: "inactive", Created: v.Key.Created,
		AgeDays: int(p.At.Sub(v.Key.Created) / (24 * time.Hour)), Now: string(v.Do), Then: string(v.Next), Rule: v.Rule, Why: v.Why,
	}
	if v.Key.Active {
		r.State = "active"
	}
	if v.Key.Used != nil && !v.Key.Used.At.IsZero() {
		r.LastUsed = &v.Key.Used.At
	}
	if !v.At.IsZero() {
		r.When = &v.At
	}
	return r
}

func printPlanJSON(w io.Writer, p purge.Plan) error {
	out := struct {
		At    time.Time `json:"at"`
		Mode  auth.Mode `json:"mode"`
		Limit int       `json:"limit"` // how many keys may end by themselves in a day
		Keys  []keyRow  `json:"keys"`
	}{p.At, p.Mode, p.Limit, []keyRow{}}
	for _, v := range p.Verdicts {
		out.Keys = append(out.Keys, rowOf(v, p))
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(out)
}

func dateOr(t *time.Time, other string) string {
	if t == nil {
		return other
	}
	return t.UTC().Format("2006-01-02")
}
