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
	whole, err := w.release(ctx, wholePackage)
	if err != nil {
		return nil, err
	}
	alone, err := zipped(map[string]string{"bootstrap": program})
	if err != nil {
		return nil, err
	}
	both, err := zipped(map[string]string{"bootstrap": program, "sekisho": whole})
	if err != nil {
		return nil, err
	}
	because, err := reflectMethod(ctx)
	if err != nil {
		return nil, err
	}
	first := row{measured: "Lambda package: bootstrap and policy, zipped", ours: fmt.Sprintf("%.2f MB", alone)}
	first = first.judge(alone, reach{atMost: 8, format: "%.0f MB"})
	second := row{measured: "  with the whole program, for the keeper", ours: fmt.Sprintf("%.2f MB", both)}
	second = second.judge(both, reach{atMost: directUpload, format: "%.0f MB"})
	linked := row{measured: "reflect.Method in the link", ours: "none", reach: "none"}
	if because != "" {
		linked.ours, linked.missed = because, true
	}
	return []row{first, second, linked}, nil
}

// directUpload is what Lambda takes without a bucket between, in MB:
// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const directUpload = 50

// zipped is how large the programs are with the policy in a zip, in MB.
func zipped(programs map[string]string) (mb float64, err error) {
	files := map[string][]byte{"sekisho.yml": policy}
	for name, program := range programs {
		if files[name], err = os.ReadFile(program); err != nil {
			return 0, err
		}
	}
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, content := range files {
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
	return float64(out.Len()) / 1e6, nil
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
