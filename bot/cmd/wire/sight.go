package wire

import (
	"sekisho/bot"
	"sekisho/infra/slackchat"
)

// Sight is what the doctor must know of how an App was put together.
type Sight struct {
	Doors       bot.Doors
	Pepper      int      // bytes of it
	Queues      []string // URLs
	ConfigToken string   // empty: nothing looks at the app's manifest
	Chat        *slackchat.Chat
}

// Sight shows the App to the doctor.
func (a *App) Sight() Sight {
	s := a.live.settings
	pepper, _ := s.secrets.Value(varPepper) // it was read at the start
	seen := Sight{Doors: a.Doors, Pepper: len(pepper), ConfigToken: s.configToken, Chat: a.chat}
	for _, url := range []string{s.queue, s.keysQueue} {
		if url != "" {
			seen.Queues = append(seen.Queues, url)
		}
	}
	return seen
}
