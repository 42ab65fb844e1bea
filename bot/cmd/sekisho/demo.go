package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/alicebob/miniredis/v2"

	"sekisho/infra/local"
)

//go:embed demo.yml
var demoPolicy []byte

type demoCmd struct {
	Listen string `help:"Address of the page." default:"127.0.0.1:8000"`
	Log    bool   `help:"Show the bot's log, and the trail."`
}

// Run makes a world and starts the bot in it: this very program, as `sekisho
// serve`, in a process of its own that knows nothing of the demo.
func (d demoCmd) Run(ctx context.Context) error {
	world, err := local.New(local.Options{})
	if err != nil {
		return err
	}
	defer world.Close()
	address, err := world.Listen(d.Listen)
	if err != nil {
		return fmt.Errorf("%w; choose another address with --listen 127.0.0.1:0", err)
	}
	store := miniredis.NewMiniRedis()
	store.ClockTTL(true)
	if err := store.Start(); err != nil {
		return err
	}
	defer store.Close()
	dir, err := os.MkdirTemp("", "sekisho-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	policy := filepath.Join(dir, "sekisho.yml")
	if err := os.WriteFile(policy, demoPolicy, 0o600); err != nil {
		return err
	}
	bot, err := d.start(world.TrailWriter(), append(world.Env(),
		"SEKISHO_CONFIG="+policy,
		"SEKISHO_DOORS=socket,events",
		"SEKISHO_PEPPER=demo-pepper-demo-pepper-demo-pepper",
		"REDIS_URL=redis://"+store.Addr(),
	))
	if err != nil {
		return err
	}
	fmt.Printf("\n  Sekisho is open. Look at it here:\n\n    %s\n\n  Ctrl-C ends it.\n\n", address)
	return attend(ctx, bot)
}

// start begins the bot; its standard output, the trail, is shown on the page.
func (d demoCmd) start(trail io.Writer, env []string) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	bot := exec.Command(self, "serve")
	// Nothing of this machine's own AWS or Slack settings reaches the demo.
	bot.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.DevNull}, env...)
	// Not in this terminal's group: Ctrl-C reaches it through attend, once.
	bot.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	bot.Stdout = trail
	if d.Log {
		bot.Stdout, bot.Stderr = io.MultiWriter(trail, os.Stderr), os.Stderr
	}
	return bot, bot.Start()
}

// attend waits for the bot, and ends it when ctx ends.
func attend(ctx context.Context, bot *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- bot.Wait() }()
	select {
	case err := <-ended:
		return errors.Join(errors.New("the bot ended by itself; `sekisho demo --log` shows why"), err)
	case <-ctx.Done():
	}
	bot.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		return err
	case <-time.After(30 * time.Second):
		bot.Process.Kill()
		return errors.New("the bot did not end within 30 s and was killed")
	}
}
