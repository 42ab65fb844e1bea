package bot

import "sekisho/commands"

// The lists of package commands, longer by what a test needs.

func (b *Bot) AddButton(c commands.Button)     { enter(b.buttons, c.Action, c, true) }
func (b *Bot) AddForm(f commands.Form)         { enter(b.forms, f.Callback, f, true) }
func (b *Bot) AddShortcut(c commands.Shortcut) { enter(b.shortcuts, c.Callback, c, true) }
func (b *Bot) AddNotice(n commands.Notice)     { enter(b.notices, n.Type, n, true) }
func (b *Bot) AddJob(j commands.Job)           { enter(b.jobs, route{j.Source, j.DetailType}, j, true) }
