package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
)

// packageSize measures what is uploaded to Lambda, and looks for what would
// make it large: one reachable reflect.Method keeps every exported method of
// every type in the program, such as all of EC2's operations.
func packageSize(ctx context.Context, w *workshop) ([]row, error) {
	program, err := w.release(ctx, bootstrapPackage)
	if err != nil {
		return nil, err
	}
	size, err := zipped(program)
	if err != nil {
		return nil, err
	}
	because, err := reflectMethod(ctx)
	if err != nil {
		return nil, err
	}
	mb := float64(size) / 1e6
	r := row{measured: "Lambda package: bootstrap and policy, zipped", ours: fmt.Sprintf("%.2f MB", mb)}
	r = r.judge(mb, reach{atMost: 8, format: "%.0f MB"})
	linked := row{measured: "reflect.Method in the link", ours: "none", reach: "none"}
	if because != "" {
		linked.ours, linked.missed = because, true
	}
	return []row{r, linked}, nil
}

func zipped(program string) (int, error) {
	text, err := os.ReadFile(program)
	if err != nil {
		return 0, err
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range map[string][]byte{"bootstrap": text, "sekisho.yml": policy} {
		file, err := z.Create(name)
		if err != nil {
			return 0, err
		}
		if _, err := file.Write(content); err != nil {
			return 0, err
		}
	}
	if err := z.Close(); err != nil {
		return 0, err
	}
	return out.Len(), nil
}

// reflectMethod links the program once more and names the first function
// through which reflect.Method is reached; empty where there is none.
func reflectMethod(ctx context.Context) (because string, err error) {
	cmd := releaseBuild(ctx, os.DevNull, bootstrapPackage, "-s -w -dumpdep")
	out, err := cmd.StderrPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	seen := 0
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20) // symbols of generic code are long
	for lines.Scan() {
		seen++
		if because == "" && strings.Contains(lines.Text(), "<ReflectMethod>") {
			because = strings.TrimSpace(lines.Text())
		}
	}
	if err := lines.Err(); err != nil {
		io.Copy(io.Discard, out)
		return "", err
	}
	if err := cmd.Wait(); err != nil {
		return "", err
	}
	if seen < 1000 {
		return "", fmt.Errorf("the linker named %d dependencies only: does -dumpdep still mean what it meant?", seen)
	}
	return because, nil
}
