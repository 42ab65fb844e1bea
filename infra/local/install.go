package local

import "sekisho/infra/local/slacksim"

// What the page offers is what the app was installed with.

func installedCommands(offered []Command) []slacksim.Command {
	all := []slacksim.Command{}
	for _, c := range offered {
		all = append(all, slacksim.Command{Name: c.Name, Description: c.Help, Usage: c.Usage})
	}
	return all
}

func installedShortcuts(offered []Shortcut) []slacksim.Shortcut {
	all := []slacksim.Shortcut{}
	for _, s := range offered {
		all = append(all, slacksim.Shortcut{CallbackID: s.CallbackID, Name: s.Name, Description: s.About})
	}
	return all
}
