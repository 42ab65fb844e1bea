package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// workshop holds what the measurements share: a folder, and the programs built
// into it.
type workshop struct {
	dir   string
	built map[string]string // package → program
}

func newWorkshop() (*workshop, error) {
	dir, err := os.MkdirTemp("", "sekisho-bench-")
	if err != nil {
		return nil, err
	}
	return &workshop{dir, make(map[string]string)}, nil
}

// Close removes the folder.
func (w *workshop) Close() error { return os.RemoveAll(w.dir) }

const (
	bootstrapPackage = "sekisho/bot/cmd/bootstrap"
	wholePackage     = "sekisho/bot/cmd/sekisho"
	emptyPackage     = "sekisho/bot/cmd/bench/emptylambda"
)

// release builds a Lambda's program as `make build` does, once.
func (w *workshop) release(ctx context.Context, pkg string) (program string, err error) {
	if program, done := w.built[pkg]; done {
		return program, nil
	}
	program = filepath.Join(w.dir, filepath.Base(pkg))
	linked := program + ".linked"
	if out, err := releaseBuild(ctx, linked, pkg, "-s -w").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", pkg, err, out)
	}
	// Written once more in one go, as Lambda unpacks it: the linker's way of
	// writing scatters the file over the page cache, and each start pays for it.
	text, err := os.ReadFile(linked)
	if err != nil {
		return "", err
	}
	w.built[pkg] = program
	return program, os.WriteFile(program, text, 0o700)
}

func releaseBuild(ctx context.Context, program, pkg, ldflags string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", ldflags, "-o", program, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	return cmd
}
