package bot_test

import (
	"errors"
	"strings"
	"testing"

	"sekisho/bot"
)

func TestReadDoors(t *testing.T) {
	for text, want := range map[string]bot.Doors{
		"socket":                {Socket: true},
		"http":                  {HTTP: true},
		"events":                {Gate: true, Keys: true},
		"gate":                  {Gate: true},
		"http,keys":             {HTTP: true, Keys: true},
		"gate,keys":             {Gate: true, Keys: true},
		"socket,events":         {Socket: true, Gate: true, Keys: true},
		" events , http,":       {HTTP: true, Gate: true, Keys: true},
		"socket,http,events":    {Socket: true, HTTP: true, Gate: true, Keys: true},
		"events,events,,events": {Gate: true, Keys: true},
	} {
		if got, err := bot.ReadDoors(text); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestReadDoorsOpensNothingByItself(t *testing.T) {
	for _, text := range []string{"", " ", ",", " , ,"} {
		if got, err := bot.ReadDoors(text); !errors.Is(err, bot.ErrNoDoors) || got != (bot.Doors{}) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestReadDoorsNamesWhatIsNoDoor(t *testing.T) {
	for _, text := range []string{"sockets", "HTTP", "socket,window", "socket;http", "all"} {
		got, err := bot.ReadDoors(text)
		if err == nil || got != (bot.Doors{}) {
			t.Errorf("%q: %+v, no error", text, got)
			continue
		}
		bad := text[strings.LastIndex(text, ",")+1:]
		for _, word := range []string{"SEKISHO_DOORS", bad, "socket, http and events"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q: the error does not say %q: %v", text, word, err)
			}
		}
	}
}
