package main

import (
	"os"
	"testing"

	"sekisho/infra/local/browsertest"
)

// TestTheDoctorInABrowser: somebody breaks things on the page, and the doctor
// says which, with what to do; whoever does not look after the bot is not told.
func TestTheDoctorInABrowser(t *testing.T) {
	tab := browsertest.Tab(t)
	w := &world{t: t, env: append(os.Environ(), "HOME="+t.TempDir())}
	demo := w.run([]string{"demo", "--listen", "127.0.0.1:0", "--log"})
	browsertest.Do(t, tab, visit(demo), browsertest.Say("/sekisho doctor"), shows("does not name you among those who look after it"))
	browsertest.Do(t, tab, be(ben), browsertest.Click("channel-C0OPS"), browsertest.Say("/sekisho doctor"), shows("the bot is in #checkpoint-alerts"))
	browsertest.Picture(t, tab, "doctor")
	browsertest.Do(t, tab, browsertest.Click("faults"), browsertest.Click("fault-rule-disabled"), browsertest.Click("fault-stop-denied"), browsertest.Click("faults"),
		browsertest.Say("/sekisho doctor"), shows("the rule sekisho-starts is disabled"), shows("may not call ec2:StopInstances"))
	browsertest.Picture(t, tab, "doctor-broken")
	if code := demo.stop(); code != 0 {
		t.Errorf("the demo ended with %d", code)
	}
}
