package main

import (
	"os"
	"testing"

	"sekisho/infra/local/browsertest"
)

// TestAKeyEndsInABrowser: one click ages a key, its card appears, a second
// person deactivates it, undoes that, deactivates it again, and when its time
// is up it is deleted, all of it in the trail beside.
func TestAKeyEndsInABrowser(t *testing.T) {
	tab := browsertest.Tab(t)
	w := &world{t: t, env: append(os.Environ(), "HOME="+t.TempDir())}
	demo := w.run([]string{"demo", "--listen", "127.0.0.1:0", "--log"})
	press := func(button string) browsertest.Step { return browsertest.Click("btn-" + button) }
	status := func(text string) browsertest.Step {
		return browsertest.Until(`document.querySelector('[data-testid="key-Q3H7"]')?.innerText.includes("` + text + `")`)
	}

	browsertest.Do(t, tab, visit(demo), browsertest.Click("tab-iam"), browsertest.Seen("user-hana"),
		browsertest.Click("key-age-Q3H7"), browsertest.Click("channel-C0KEYS"), shows("…Q3H7 of hana will be deactivated"), shows("112 days"))
	browsertest.Do(t, tab, press("key_off"), asked(), browsertest.Click("confirm-ok"), shows("does not name you among those who decide"),
		browsertest.Click("channel-D0HANA"), shows("How to rotate it"))
	browsertest.Do(t, tab, be(ben), browsertest.Click("channel-C0KEYS"), browsertest.Seen("btn-key_off"))
	browsertest.Picture(t, tab, "keys")
	browsertest.Do(t, tab, press("key_off"), asked(), browsertest.Click("confirm-ok"), status("Inactive"), shows("is deactivated, as @Ben Okafor decided"))
	browsertest.Picture(t, tab, "key-off")
	browsertest.Do(t, tab, press("key_undo"), asked(), browsertest.Click("confirm-ok"), status("Active"), shows("is active again, as @Ben Okafor decided"))
	browsertest.Do(t, tab, press("key_exempt"), browsertest.Seen("modal"), browsertest.Write("field-why", "The supplier moves on the 12th"))
	browsertest.Picture(t, tab, "key-exempt")
	browsertest.Do(t, tab, browsertest.Click("modal-submit"), shows("is kept until"), closed(), shows("@Ben Okafor kept access key"))
	browsertest.Do(t, tab, press("key_off"), asked(), browsertest.Click("confirm-ok"), status("Inactive"),
		browsertest.Until(`!document.querySelector('[data-testid="key-Q3H7"]')`), shows("of hana is deleted"))
	browsertest.Do(t, tab, browsertest.Click("tab-trail"), shows("key.delete"), shows("key.reactivate"), shows("key.exempt"), shows("key.deactivate"), shows("key.warn"))
	browsertest.Picture(t, tab, "key-trail")
	browsertest.Do(t, tab, browsertest.Click("channel-C0OPS"), browsertest.Say("/sekisho keys"), shows("Access keys, the oldest first"))
	browsertest.Picture(t, tab, "key-list")
	if code := demo.stop(); code != 0 {
		t.Errorf("the demo ended with %d", code)
	}
}
