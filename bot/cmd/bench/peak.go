package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// runWithPeak runs the program and gives how much of the machine's memory it
// held at most, in MiB. What the kernel reports of a child at its end counts
// this process's own memory, from which the child was split off.
func runWithPeak(cmd *exec.Cmd) (float64, error) {
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	peak := 0.0
	for {
		select {
		case err := <-ended:
			if err == nil && peak == 0 {
				err = fmt.Errorf("%s ended before its memory was looked at", cmd.Path)
			}
			return peak, err
		case <-again.C:
			if now, ok := highWater(cmd.Process.Pid); ok {
				peak = now // it only grows
			}
		}
	}
}

// highWater reads what a process has held at most, in MiB:
// https://man7.org/linux/man-pages/man5/proc_pid_status.5.html
func highWater(pid int) (float64, bool) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, false
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kib, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 64)
			return kib / 1024, err == nil
		}
	}
	return 0, false
}
