package local

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

// snapshot is the whole page as one person may see it. Pages are small and few: sending all of it each time leaves
// nothing to get out of step.
type snapshot struct {
	World        string                   `json:"world"`
	Now          time.Time                `json:"now"`
	Me           string                   `json:"me"`
	Home         string                   `json:"home"` // the channel to open with
	Workspace    string                   `json:"workspace"`
	Region       string                   `json:"region"`
	PassTag      string                   `json:"passTag"`
	Bot          botView                  `json:"bot"`
	BotConnected bool                     `json:"botConnected"`
	People       []personView             `json:"people"`
	Groups       []groupView              `json:"groups"`
	Channels     []channelView            `json:"channels"`
	Messages     map[string][]messageView `json:"messages"` // by channel, oldest first
	Views        []viewView               `json:"views"`    // modals, the topmost last
	AppHome      *viewView                `json:"appHome"`  // the bot's Home tab, once it was published
	Instances    []instanceView           `json:"instances"`
	Users        []userView               `json:"users"` // of IAM, by name
	Log          []entry                  `json:"log"`   // oldest first
	Trail        []trailEntry             `json:"trail"` // oldest first
	Mails        []mailView               `json:"mails"` // oldest first
	Commands     []Command                `json:"commands"`
	Shortcuts    []Shortcut               `json:"shortcuts"`
	Faults       []faultView              `json:"faults"`
}

type botView struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

type personView struct {
	ID       string `json:"id"`
	Name     string `json:"name"` // handle, and IAM user
	RealName string `json:"realName"`
	TZ       string `json:"tz"`
	Role     string `json:"role"`
}

type groupView struct {
	ID      string   `json:"id"`
	Handle  string   `json:"handle"`
	Members []string `json:"members"`
}

type channelView struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Topic  string `json:"topic"`
	Direct bool   `json:"direct"`
}

type messageView struct {
	ID        string          `json:"id"`
	TS        string          `json:"ts"`
	ThreadTS  string          `json:"threadTS"`
	User      string          `json:"user"`
	Text      string          `json:"text"`
	Blocks    json.RawMessage `json:"blocks,omitempty"`
	Files     []fileView      `json:"files,omitempty"`
	Ephemeral bool            `json:"ephemeral"`
	Edited    bool            `json:"edited"`
	System    bool            `json:"system"`
	Typed     bool            `json:"typed"` // by a person, on this page
	At        time.Time       `json:"at"`
}

// fileView is a file shared with a message; what is in it, /world/files/ID serves.
type fileView struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Title string `json:"title"`
	Type  string `json:"type"` // "image/png"
	Size  int    `json:"size"` // bytes
}

// viewView is a modal or the Home tab.
type viewView struct {
	ID     string            `json:"id"`
	Title  string            `json:"title"`
	Submit string            `json:"submit"` // empty: no such button
	Close  string            `json:"close"`
	Blocks json.RawMessage   `json:"blocks"`
	Errors map[string]string `json:"errors"` // block_id → what is wrong with what was entered
}

type instanceView struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Type    string    `json:"type"`
	State   string    `json:"state"`
	Tags    []tagView `json:"tags"` // without Name
	Guarded bool      `json:"guarded"`
	Traits  []string  `json:"traits"`
}

type tagView struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type faultView struct {
	Name  string `json:"name"`
	Label string `json:"label"`
	Help  string `json:"help"`
	On    bool   `json:"on"`
}

// snapshot is the world as one person sees it now.
func (w *World) snapshot(viewer string) snapshot {
	s := snapshot{
		World:        w.id,
		Now:          w.opts.Now(),
		Me:           viewer,
		Home:         home,
		Workspace:    "Barrier & Co.",
		Region:       region + ", account " + account,
		PassTag:      passTag,
		Bot:          botView{ID: w.Slack.Bot().ID, Name: "Sekisho"},
		BotConnected: w.Slack.Sockets() > 0,
		Messages:     map[string][]messageView{},
		Users:        []userView{},
		Log:          w.journal.all(),
		Trail:        w.entries(),
		Mails:        w.mails(),
		Commands:     w.opts.Commands,
		Shortcuts:    w.opts.Shortcuts,
		Views:        []viewView{},
	}
	for _, p := range cast() {
		s.People = append(s.People, personView{p.ID, p.Name, p.RealName, p.TZ, p.role})
	}
	for _, g := range w.Slack.Groups(viewer) {
		s.Groups = append(s.Groups, groupView{g.ID, g.Handle, g.Members})
	}
	for _, v := range w.Slack.Views(viewer) {
		s.Views = append(s.Views, showView(v))
	}
	if v, published := w.Slack.Home(viewer); published {
		home := showView(v)
		s.AppHome = &home
	}
	about := topics()
	for _, c := range w.Slack.Channels(viewer) {
		view := channelView{ID: c.ID, Name: c.Name, Topic: about[c.ID]}
		if strings.HasPrefix(c.ID, "D") {
			view = channelView{ID: c.ID, Name: s.Bot.Name, Topic: "Between you and the bot.", Direct: true}
		}
		s.Channels = append(s.Channels, view)
		s.Messages[c.ID] = w.messages(c.ID, viewer)
	}
	for _, i := range w.AWS.Instances() {
		s.Instances = append(s.Instances, viewInstance(i))
	}
	// What was launched comes first, where it is noticed; then the cast, in its own order.
	order := map[string]int{}
	for n, i := range instances() {
		order[i.ID] = n + 1
	}
	slices.SortStableFunc(s.Instances, func(a, b instanceView) int { return cmp.Compare(order[a.ID], order[b.ID]) })
	for _, u := range w.AWS.Users() {
		s.Users = append(s.Users, viewUser(u, s.Now))
	}
	for _, f := range faultList() {
		s.Faults = append(s.Faults, faultView{f.name, f.label, f.help, w.broken(f.name)})
	}
	return s
}

// messages are those of Slack, and between them what people typed.
func (w *World) messages(channel, viewer string) []messageView {
	var all []messageView
	for _, m := range w.Slack.Messages(channel, viewer) {
		all = append(all, viewMessage(m))
	}
	w.mu.Lock()
	for n, t := range w.typed {
		if t.channel == channel && (t.user == viewer || !t.isCommand()) {
			all = append(all, messageView{ID: fmt.Sprintf("typed-%d", n), User: t.user, Text: t.text, Typed: true, At: t.at})
		}
	}
	w.mu.Unlock()
	slices.SortStableFunc(all, func(a, b messageView) int { return a.At.Compare(b.At) })
	return all
}

func viewMessage(m slacksim.Message) messageView {
	view := messageView{
		ID: m.ID, TS: m.TS, ThreadTS: m.ThreadTS, User: m.User, Text: m.Text, Blocks: m.Blocks,
		Ephemeral: m.Ephemeral, Edited: m.Edited, System: m.System, At: m.At,
	}
	for _, f := range m.Files {
		view.Files = append(view.Files, fileView{f.ID, f.Name, f.Title, f.MIME, f.Size})
	}
	return view
}

func showView(v slacksim.View) viewView {
	return viewView{ID: v.ID, Title: v.Title, Submit: v.Submit, Close: v.Close, Blocks: v.Blocks, Errors: v.Errors}
}

func viewInstance(i awssim.Instance) instanceView {
	view := instanceView{ID: i.ID, Name: i.Name, Type: i.Type, State: i.State, Tags: []tagView{}, Guarded: i.Tags[guardTag] == guardedValue, Traits: traits(i)}
	for key, value := range i.Tags {
		if key != "Name" {
			view.Tags = append(view.Tags, tagView{key, value})
		}
	}
	slices.SortFunc(view.Tags, func(a, b tagView) int { return cmp.Compare(a.Key, b.Key) })
	return view
}
