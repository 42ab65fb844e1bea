package report

import "time"

// Starts is what happened at the gate, and how passes were come by. All of it
// is counted from the trail.
type Starts struct {
	Source
	Total      int            `json:"total"` // admitted and refused
	Admitted   int            `json:"admitted"`
	Refused    map[string]int `json:"refused"`   // by reason, as in package auth
	Swept      int            `json:"swept"`     // of the total: events had missed them, the sweep did not
	Observed   int            `json:"observed"`  // of the refused: in observe mode, which let them run
	Unstopped  int            `json:"unstopped"` // of the refused: left running, or not stopped in time
	BreakGlass []BreakGlass   `json:"break_glass"`
	Passes     Passes         `json:"passes"`
	Decisions  Decisions      `json:"decisions"`
	Days       []Day          `json:"days"`      // every day of the period, in UTC
	People     []Person       `json:"people"`    // the busiest first
	Instances  []Instance     `json:"instances"` // the most refused first
}

// RefusedTotal counts the refused starts.
func (s Starts) RefusedTotal() int { return s.Total - s.Admitted }

// BreakGlass is somebody who went without approval.
type BreakGlass struct {
	At       time.Time `json:"at"`
	User     string    `json:"user"` // Slack user id
	Name     string    `json:"name,omitempty"`
	Instance string    `json:"instance"`
	Why      string    `json:"why"`
}

// Passes counts what was asked for and what came of it.
type Passes struct {
	Asked     int `json:"asked"`    // at once or by approval, turned down or not
	AtOnce    int `json:"at_once"`  // given without approval
	Requests  int `json:"requests"` // that needed one
	Approved  int `json:"approved"`
	Denied    int `json:"denied"`
	Lapsed    int `json:"lapsed"` // nobody decided in time, or the pass was not fetched
	Withdrawn int `json:"withdrawn"`
	Turned    int `json:"turned_down"` // by the policy, at once; not who asked twice, or too often
}

// Decisions says how carefully people decide.
type Decisions struct {
	Count     int  `json:"count"`
	Median    *int `json:"median_seconds"` // from the asking to the decision; null where nobody decided
	Under5s   int  `json:"under_5s"`       // of Count
	Share5s   int  `json:"under_5s_percent"`
	NoAnswers int  `json:"never_answered"` // requests that lapsed without any decision
	// RefusedClicks are those of people who may not decide, or came too late.
	RefusedClicks int `json:"refused_clicks"`
}

// Day is one day's starts.
type Day struct {
	Date     string `json:"date"` // 2006-01-02, in UTC
	Admitted int    `json:"admitted"`
	Refused  int    `json:"refused"`
}

// Person is what one person did.
type Person struct {
	User     string `json:"user"` // Slack user id; empty: the start showed nobody's pass
	Name     string `json:"name,omitempty"`
	Asked    int    `json:"asked"`
	Admitted int    `json:"admitted"`
	Refused  int    `json:"refused"`
	Approved int    `json:"approved"` // requests of others
	Denied   int    `json:"denied"`
}

// Instance is what was done about one instance.
type Instance struct {
	ID       string `json:"id"`
	Admitted int    `json:"admitted"`
	Refused  int    `json:"refused"`
}
