package deployed

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"testing"
)

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(built) // "" where nothing was built
	os.Exit(code)
}

// built is the folder of the programs.
var built string

// programs builds what Lambda's zip has, with the flags of the tests
// themselves, so that nothing is compiled twice.
var programs = sync.OnceValue(func() (err error) {
	if built, err = os.MkdirTemp("", "sekisho-deployed-"); err != nil {
		return err
	}
	args := []string{"build", "-o", built}
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "sekisho/bot/cmd/bootstrap", "sekisho/bot/cmd/sekisho")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("go %v: %w\n%s", args, err, out)
	}
	return nil
})

// unpack is a folder with what Lambda unpacks: the programs and the policy.
func unpack(t *testing.T, policy string) (folder string) {
	t.Helper()
	if err := programs(); err != nil {
		t.Fatal(err)
	}
	folder = t.TempDir()
	for _, program := range []string{"bootstrap", "sekisho"} {
		if err := os.Symlink(filepath.Join(built, program), filepath.Join(folder, program)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(folder, "sekisho.yml"), []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}
