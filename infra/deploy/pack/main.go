// Pack makes the zip that Lambda runs. The same files make the same bytes,
// wherever and whenever they are packed, so that what is deployed can be held
// against what is built:
//
//	pack -o lambda.zip bootstrap=bin/bootstrap sekisho=bin/sekisho sekisho.yml=sekisho.yml
package main

import (
	"archive/zip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"
)

// then is when every file was changed: the zip format's first day.
var then = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

func main() {
	out := flag.String("o", "lambda.zip", "the zip to write")
	flag.Parse()
	if err := run(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(out string, args []string) (err error) {
	files, err := read(args)
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(out)) // half a zip is none
		}
	}()
	return pack(f, files)
}

// read takes NAME=PATH arguments.
func read(args []string) (map[string][]byte, error) {
	files := make(map[string][]byte)
	for _, arg := range args {
		name, from, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, fmt.Errorf("%q: write NAME=PATH", arg)
		}
		if _, twice := files[name]; twice {
			return nil, fmt.Errorf("%s is named twice", name)
		}
		text, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		files[name] = text
	}
	if len(files) == 0 {
		return nil, errors.New("name the files: NAME=PATH …")
	}
	return files, nil
}

// pack writes the files in the order of their names, as executable where they
// have no extension. Everybody may read them: Lambda runs as a user of its own.
func pack(w io.Writer, files map[string][]byte) error {
	z := zip.NewWriter(w)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: then}
		header.SetMode(mode(name))
		part, err := z.CreateHeader(header)
		if err != nil {
			return err
		}
		if _, err := part.Write(files[name]); err != nil {
			return err
		}
	}
	return z.Close()
}

func mode(name string) fs.FileMode {
	if path.Ext(name) == "" {
		return 0o755
	}
	return 0o644
}
