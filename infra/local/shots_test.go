package local

import (
	"context"
	"github.com/chromedp/cdproto/cdp"
	"os"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

func TestShots(t *testing.T) {
	dir := os.Getenv("SHOTS")
	if dir == "" {
		t.Skip()
	}
	w, _ := New(Options{})
	base, err := w.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	startStandIn(t, w)
	ctx := browser(t)
	shot := func(name string) step {
		return chromedp.Steps(chromedp.Sleep(450*time.Millisecond), chromedp.Func(func(c0 context.Context, tg *chromedp.Target) error {
			b, err := chromedp.CaptureScreenshot()(c0, tg)
			if err != nil {
				return err
			}
			return os.WriteFile(dir+"/"+name+".png", b, 0o644)
		}))
	}
	dark := func(v string) step {
		return chromedp.Func(func(c0 context.Context, tg *chromedp.Target) error {
			_, err := cdp.Call(c0, tg, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: v}}})
			return err
		})
	}
	do(t, ctx, dark("light"), open(base), shot("1-empty"),
		write("composer", "/ec2-pass "), shot("2-hint"),
		say("/ec2-pass web-1"), seen("ephemeral"),
		write("tag-value-web-1", passCode), click("tag-set-web-1"), chromedp.Sleep(300*time.Millisecond), click("start-web-1"),
		becomes("web-1", "running"), shot("3-running"),
		click("stop-web-1"), becomes("web-1", "stopped"),
		click("start-web-1"), click("launch"), click("start-db-1"), shot("4-refused"),
		click("channel-C0ALERTS"), chromedp.Sleep(1500*time.Millisecond), shot("5-alerts"),
		click("channel-C0OPS"), click("btn-pass_start"), shot("6-confirm"),
		click("confirm-cancel"), dark("dark"), shot("7-dark"),
		click("faults"), shot("8-dark-menu"), click("faults"),
		chromedp.EmulateViewport(1000, 800), shot("9-dark-1000"),
		dark("light"), click("channel-C0ALERTS"), shot("10-light-1000"),
		chromedp.EmulateViewport(600, 900), shot("11-600"),
	)
}
