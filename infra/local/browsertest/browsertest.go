// Package browsertest opens the page of the local world in a real browser, for
// tests that look at it as a person would.
package browsertest

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browserNames are what a Chromium is called; the first that is found is used.
var browserNames = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}

// Tab opens a tab of a headless browser. What the page throws, logs as an error or is refused by its content policy
// fails the test.
func Tab(t *testing.T) context.Context {
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
	limited, stopLimit := context.WithTimeout(tab, 2*time.Minute)
	t.Cleanup(stopLimit)
	return limited
}

// Do does things in the browser.
func Do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(tab, steps...); err != nil {
		page, _ := chromedp.Run(tab, chromedp.Evaluate[string](`document.body.innerText`))
		t.Fatalf("in the browser: %v; the page says:\n%s", err, page)
	}
}

// Eval is the value of an expression in the page.
func Eval[T any](t *testing.T, tab context.Context, expression string) T {
	t.Helper()
	value, err := chromedp.Run(tab, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("in the browser: %s: %v", expression, err)
	}
	return value
}

// Step is one thing to do, or to wait for.
type Step = chromedp.Action[chromedp.Void]

// Visit visits the page as its first person.
func Visit(base string) Step {
	return chromedp.Steps(
		chromedp.EmulateViewport(1400, 900),
		chromedp.Navigate(base),
		chromedp.WaitVisible(chromedp.CSS(`body[data-ready]`)),
	)
}

// The is what has a test id.
func The(id string) chromedp.CSS { return chromedp.CSS(`[data-testid="` + id + `"]`) }

// Seen waits until what has the test id can be seen.
func Seen(id string) Step { return chromedp.WaitVisible(The(id)) }

// Click clicks on it.
func Click(id string) Step { return ClickOn(string(The(id))) }

// ClickOn clicks on what a CSS selector finds.
func ClickOn(selector string) Step { return steadily(chromedp.Click(chromedp.CSS(selector))) }

// Press presses keys in what has the test id.
func Press(id, keys string) Step { return steadily(chromedp.SendKeys(The(id), keys)) }

// steadily finds a node again where the page was drawn anew before it could be used. Nothing was clicked or typed by then.
func steadily(step Step) Step {
	return func(ctx context.Context, t *chromedp.Target) (chromedp.Void, error) {
		for {
			done, err := step(ctx, t)
			if err == nil || err.Error() != nodeGone || ctx.Err() != nil {
				return done, err
			}
		}
	}
}

// nodeGone is how Chromium says that the node it has found is on the page no more.
const nodeGone = "Could not find node with given id (-32000)"

// Until waits until an expression in the page is true.
func Until(expression string) Step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(time.Minute))(ctx, t)
		return err
	})
}

// Becomes waits until an instance is in a state.
func Becomes(name, state string) Step {
	return Until(`document.querySelector('[data-testid="instance-` + name + `"]')?.dataset.state === "` + state + `"`)
}

// Write replaces what stands in a field.
func Write(id, text string) Step {
	return chromedp.Steps(Until(`document.querySelector('`+string(The(id))+`').value = "", true`), Press(id, text))
}

// Picture saves what the page shows as DIR/name.png, for the eye, where PICTURES=DIR is set.
func Picture(t *testing.T, tab context.Context, name string) {
	t.Helper()
	dir := os.Getenv("PICTURES")
	if dir == "" {
		return
	}
	Do(t, tab, Until(`!document.getAnimations().some((a) => a.playState === "running")`))
	png, err := chromedp.Run(tab, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatalf("in the browser: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// Say types a line and sends it with Enter.
func Say(text string) Step { return Write("composer", text+"\r") }

// Mail is the frame in which an open mail is shown, as a tab of its own: its process is not the page's.
func Mail(t *testing.T, tab context.Context) context.Context {
	t.Helper()
	Do(t, tab, Until(`document.querySelector('[data-testid="mail-frame"]')?.dataset.loaded === ""`))
	targets, err := chromedp.Targets(tab)
	if err != nil {
		t.Fatalf("in the browser: %v", err)
	}
	for _, target := range targets {
		if target.Type == "iframe" && strings.HasSuffix(target.URL, "/html") {
			frame, cancel := chromedp.NewContext(tab, chromedp.WithTargetID(target.TargetID))
			t.Cleanup(cancel)
			return frame
		}
	}
	t.Fatal("in the browser: the mail is in no frame of its own")
	return nil
}
