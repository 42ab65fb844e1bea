package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"sekisho/auth/doctor"
	"sekisho/bot"
)

type doctorCmd struct {
	JSON bool `help:"Print it as JSON, for other programs."`
}

// Help says what --help cannot in a line.
func (doctorCmd) Help() string {
	return `Each line is ✓, or ✗ with what to do, or – where nothing can be seen. The exit code is 1 where something is wrong.

It looks with the environment of ` + "`sekisho serve`" + `, and changes nothing. The rights that count are those of your credentials; those of
the deployed roles, where SEKISHO_ROLES="gate=arn:aws:iam::…:role/… keys=…" names them.`
}

var errUnwell = errors.New("something is not as it must be")

// Run examines everything that the process, as it is configured here, stands on.
func (c doctorCmd) Run(ctx context.Context, log *slog.Logger) error {
	doors, err := bot.ReadDoors(os.Getenv("SEKISHO_DOORS"))
	if err != nil {
		return c.print(misconfigured(err))
	}
	app, err := newApp(ctx, os.Getenv, doors, log, io.Discard)
	if err != nil {
		return c.print(misconfigured(err))
	}
	defer app.Close()
	return c.print(app.Desk.Doctor.Examine(ctx))
}

// misconfigured has a line for each thing that keeps the program from starting.
func misconfigured(err error) (lines []doctor.Line) {
	for _, what := range strings.Split(err.Error(), "\n") {
		lines = append(lines, doctor.Line{Check: "configuration", Outcome: doctor.Bad, Says: what, Do: "set it right, and ask again"})
	}
	return lines
}

func (c doctorCmd) print(lines []doctor.Line) error {
	var err error
	if !doctor.Healthy(lines) {
		err = errUnwell
	}
	if c.JSON {
		e := json.NewEncoder(os.Stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return errors.Join(e.Encode(struct {
			Healthy bool          `json:"healthy"`
			Checks  []doctor.Line `json:"checks"`
		}{err == nil, lines}), err)
	}
	for _, l := range lines {
		fmt.Println(l.Sign(), l.Says)
		if l.Do != "" {
			fmt.Println("  →", l.Do)
		}
	}
	return err
}
