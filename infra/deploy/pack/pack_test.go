package main

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// folder has small files in the place of those that are packed.
func folder(t *testing.T) (args []string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"sekisho.yml", "bootstrap", "sekisho"} {
		at := filepath.Join(dir, name)
		if err := os.WriteFile(at, []byte("this is "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name+"="+at)
	}
	return args
}

func zipped(t *testing.T, args []string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "lambda.zip")
	if err := run(out, args); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestTheSameFilesMakeTheSameBytes(t *testing.T) {
	args := folder(t)
	first := zipped(t, args)
	for _, arg := range args { // another day, other modes
		_, at, _ := strings.Cut(arg, "=")
		day := time.Date(2031, 5, 6, 7, 8, 9, 0, time.FixedZone("", 3600))
		if err := os.Chtimes(at, day, day); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(at, 0o740); err != nil {
			t.Fatal(err)
		}
	}
	slices.Reverse(args)
	if !bytes.Equal(first, zipped(t, args)) {
		t.Error("packed again, the same files made another zip")
	}
}

func TestLambdaCanRunWhatIsPacked(t *testing.T) {
	text := zipped(t, folder(t))
	z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		const unix = 3 // makes the mode count
		got = append(got, fmt.Sprintf("%s %v %s: %s", f.Name, f.Mode(), f.Modified.UTC().Format(time.DateOnly), content))
		if f.CreatorVersion>>8 != unix {
			t.Errorf("%s: its mode does not count", f.Name)
		}
	}
	want := []string{
		"bootstrap -rwxr-xr-x 1980-01-01: this is bootstrap",
		"sekisho -rwxr-xr-x 1980-01-01: this is sekisho",
		"sekisho.yml -rw-r--r-- 1980-01-01: this is sekisho.yml",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPackSaysWhatIsWrong(t *testing.T) {
	args := folder(t)
	for want, args := range map[string][]string{
		"write NAME=PATH": {"bootstrap"}, "named twice": append(args, args[0]), "no such file": {"bootstrap=nowhere"}, "name the files": nil,
	} {
		out := filepath.Join(t.TempDir(), "lambda.zip")
		if err := run(out, args); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", args, err, want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%v: it leaves a zip", args)
		}
	}
}
