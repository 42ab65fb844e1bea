// Bench measures the speed that Sekisho is to have. Each measurement stands
// beside another of the same run: what else the machine does falls on both,
// and their ratio says more than either.
//
//	go run ./bot/cmd/bench                   everything, in about three minutes
//	go run ./bot/cmd/bench -only door,size   some of it
//
// It needs redis-server and redis-benchmark. A reach that is missed is said in
// the table; only what cannot be measured is an error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"
)

// measurement fills some rows of the table.
type measurement struct {
	name string
	run  func(context.Context, *workshop) ([]row, error)
}

func measurements() []measurement {
	return []measurement{
		{"cold", coldStart},
		{"door", httpDoor},
		{"approvals", approvals},
		{"issue", issueAndConsume},
		{"trail", trailAppends},
		{"trips", roundTrips},
		{"keys", accessKeys},
		{"report", accountReports},
		{"memory", passMemory},
		{"size", packageSize},
	}
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == serveWord {
		exit(serve(os.Args[2]))
	}
	only := flag.String("only", "", "comma-separated measurements to make: cold, door, approvals, issue, trail, trips, keys, report, memory, size")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(bench(ctx, *only))
}

func exit(err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

// bench makes the measurements and prints the table, also of those that came
// before one that failed.
func bench(ctx context.Context, only string) error {
	chosen, err := choose(only)
	if err != nil {
		return err
	}
	w, err := newWorkshop()
	if err != nil {
		return err
	}
	defer w.Close()
	fmt.Printf("%s, %d CPUs, %s/%s. Ratios are medians of the rounds.\n\n", runtime.Version(), runtime.NumCPU(), runtime.GOOS, runtime.GOARCH)
	var all []row
	var failed []error
	for _, m := range chosen {
		begin := time.Now()
		rows, err := m.run(ctx, w)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", m.name, err))
		}
		all = append(all, rows...)
		fmt.Fprintf(os.Stderr, "%s: %s\n", m.name, time.Since(begin).Round(100*time.Millisecond))
	}
	printTable(os.Stdout, all)
	return errors.Join(failed...)
}

func choose(only string) ([]measurement, error) {
	all := measurements()
	if only == "" {
		return all, nil
	}
	var chosen []measurement
	for _, name := range strings.Split(only, ",") {
		n := slices.IndexFunc(all, func(m measurement) bool { return m.name == strings.TrimSpace(name) })
		if n < 0 {
			return nil, fmt.Errorf("there is no measurement %q: -only takes cold, door, approvals, issue, trail, trips, keys, report, memory and size, with commas between", name)
		}
		chosen = append(chosen, all[n])
	}
	return chosen, nil
}
