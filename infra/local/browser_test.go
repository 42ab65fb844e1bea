package local

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserNames are what a Chromium is called; the first that is found is used.
var browserNames = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// browser opens a tab of a headless browser. What the page throws, logs as an error or is refused by its content policy
// fails the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range browserNames {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("CI") != "" {
			t.Fatalf("the page's tests need a browser: install one of %s", strings.Join(browserNames, ", "))
		}
		t.Skipf("the page is not tested: it needs one of %s", strings.Join(browserNames, ", "))
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // containers seldom allow one, and the only page visited is ours
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.UserDataDir(t.TempDir()),
	)
	allocator, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	t.Cleanup(stop)
	tab, cancel := chromedp.NewContext(allocator)
	if err := chromedp.Do(tab); err != nil {
		cancel()
		t.Fatalf("starting the browser: %v", err)
	}
	messages := chromedp.Console(tab)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m, err := range messages {
			// An answer that is a refusal is logged as an error of the network; the page is expected to show those.
			if err == nil && (m.IsException() || m.Type == chromedp.ConsoleError && m.Source != "network") {
				t.Errorf("the page complains: %s", m)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	// Only now: a deadline on the first use would be the whole browser's.
	limited, stopLimit := context.WithTimeout(tab, time.Minute)
	t.Cleanup(stopLimit)
	return limited
}

// do does things in the browser.
func do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, steps...); err != nil {
		page, _ := chromedp.Run(tab, chromedp.Evaluate[string](`document.body.innerText`))
		t.Fatalf("in the browser: %v; the page says:\n%s", err, page)
	}
}

// eval is the value of an expression in the page.
func eval[T any](t *testing.T, tab context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(tab, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("in the browser: %s: %v", expression, err)
	}
	return value
}

type step = chromedp.Action[chromedp.Void]

// open visits the page as its first person.
func open(base string) step {
	return chromedp.Steps(
		chromedp.EmulateViewport(1400, 900),
		chromedp.Navigate(base),
		chromedp.WaitVisible(chromedp.CSS(`body[data-ready]`)),
	)
}

// the is what has a test id.
func the(id string) chromedp.CSS { return chromedp.CSS(`[data-testid="` + id + `"]`) }

func seen(id string) step  { return chromedp.WaitVisible(the(id)) }
func click(id string) step { return chromedp.Click(the(id)) }

// until waits until an expression in the page is true.
func until(expression string) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(15*time.Second))(ctx, t)
		return err
	})
}

// becomes waits until an instance is in a state.
func becomes(name, state string) step {
	return until(`document.querySelector('[data-testid="instance-` + name + `"]')?.dataset.state === "` + state + `"`)
}

// write replaces what stands in a field.
func write(id, text string) step {
	return chromedp.Steps(until(`document.querySelector('`+string(the(id))+`').value = "", true`), chromedp.SendKeys(the(id), text))
}

// say types a line and sends it with Enter.
func say(text string) step { return write("composer", text+"\r") }
