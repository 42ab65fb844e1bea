package main

import (
	"os"
	"os/user"
)

// whoever names who sits at this terminal, for the trail.
func whoever() string {
	u, err := user.Current()
	if err != nil {
		return "somebody"
	}
	return u.Username
}

// watched says whether somebody looks at what is said beside the output.
func watched() bool {
	info, err := os.Stderr.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
