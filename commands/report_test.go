package commands_test

import (
	"testing"
)

// Whatever stands for one report arrives once: a message with pictures and a table, its
// data in the thread, and one mail.
func TestAReportArrives(t *testing.T) {
	o := newReportOffice(t)
	o.report()
	a := o.wantOnce("the first time")
	t.Log(string(a.cards[0].Blocks))
}
