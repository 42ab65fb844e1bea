package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"sekisho/auth"
)

// sockets is how many connections Slack lets an app have, and so how many
// processes: https://docs.slack.dev/apis/events-api/using-socket-mode
const sockets = 10

const reinstall = "paste manifest.yml into the app's settings (App Manifest) and install the app again"

func (d *Doctor) slack(ctx context.Context) []Line {
	app, err := d.Slack.App(ctx)
	if err != nil {
		return []Line{failed("slack.token", "the bot's token cannot be used", "copy the Bot User OAuth Token into SLACK_BOT_TOKEN", err)}
	}
	return []Line{
		good("slack.token", "the bot is @%s in %s", app.Bot, app.Team),
		d.scopes(app.Scopes),
		d.clock("slack.clock", "Slack's", app.Clock),
	}
}

func (d *Doctor) scopes(has []string) Line {
	const check = "slack.scopes"
	wants, do := d.Wants.Scopes, reinstall
	if d.Policy.People.MatchEmail {
		wants = append(slices.Clone(wants), "users:read.email")
		do = "add it in the app's settings (OAuth & Permissions), or " + reinstall
	}
	lacks, more := missing(wants, has), missing(has, wants)
	switch {
	case len(has) == 0:
		return unknown(check, "", "Slack does not say which scopes the token has")
	case len(lacks) > 0:
		return bad(check, do, "the token lacks %s", strings.Join(lacks, ", "))
	case len(more) > 0:
		return good(check, "the token has all %d scopes, and does not need %s", len(wants), strings.Join(more, ", "))
	}
	return good(check, "the token has all %d scopes", len(wants))
}

// missing are those of the wanted that are not there.
func missing(wanted, there []string) (lacks []string) {
	for _, w := range wanted {
		if !slices.Contains(there, w) {
			lacks = append(lacks, w)
		}
	}
	return lacks
}

// app looks at how requests get here.
func (d *Doctor) app(ctx context.Context) []Line {
	if !d.opens(auth.DoorSocket) {
		return d.installed(ctx, "")
	}
	f, err := d.Slack.Socket(ctx)
	if err != nil {
		do := "switch Socket Mode on in the app's settings, and give SLACK_APP_TOKEN a token with connections:write"
		return append([]Line{failed("slack.socket", "Socket Mode cannot be used", do, err)}, d.installed(ctx, "")...)
	}
	line, others := good("slack.socket", "Socket Mode works"), f.Connections-1
	switch {
	case f.Connections >= sockets:
		line = bad("slack.socket", "end processes that nobody needs: Slack lets an app have 10", "%d connections are open besides: a deployment has no room", others)
	case others > 0:
		line.Says += fmt.Sprintf("; %d connections are open besides", others)
	default:
		line.Says += "; no other process is connected"
	}
	return append([]Line{line}, d.installed(ctx, f.App)...)
}

// installed compares the app as Slack has it with what the code answers.
func (d *Doctor) installed(ctx context.Context, app string) []Line {
	const do = "look at Interactivity & Shortcuts in the app's settings; or set SLACK_CONFIG_TOKEN to an app configuration token (xoxe.xoxp-…, good for 12 hours) and ask again"
	m, err := d.Slack.Installed(ctx, app)
	if err != nil {
		return []Line{failed("slack.interactivity", "whether buttons and commands arrive", do, err)}
	}
	first := good("slack.interactivity", "Interactivity is on: buttons and forms arrive")
	if !m.Interactivity {
		first = bad("slack.interactivity", "switch on Interactivity & Shortcuts in the app's settings", "Interactivity is off: nobody can approve, deny or press anything")
	}
	lines := append([]Line{first}, d.mode(m)...)
	lacks := slices.Concat(missing(d.Wants.Commands, m.Commands), missing(d.Wants.Events, m.Events), missing(d.Wants.Shortcuts, m.Shortcuts))
	if len(lacks) > 0 {
		return append(lines, bad("slack.manifest", reinstall, "the app lacks %s", strings.Join(lacks, ", ")))
	}
	return append(lines, good("slack.manifest", "the app has every command, event and shortcut"))
}

// mode looks whether Slack sends requests where they are awaited: with Socket
// Mode on, nothing comes to a URL.
func (d *Doctor) mode(m Manifest) []Line {
	const check = "slack.mode"
	_, elsewhere := d.Roles[auth.DoorHTTP]
	switch socket := d.opens(auth.DoorSocket); {
	case !socket && !elsewhere && !d.opens(auth.DoorHTTP):
		return nil // nobody knows which door people come through
	case socket == m.SocketMode:
		return []Line{good(check, "Slack sends requests where they are awaited")}
	case socket:
		return []Line{bad(check, "switch Socket Mode on in the app's settings", "Socket Mode is off in Slack, and this process waits for it")}
	}
	return []Line{bad(check, "switch Socket Mode off in the app's settings: `make manifest-http` prints the manifest", "Socket Mode is on in Slack, so that nothing comes to the URL")}
}

// channels looks at each channel that the policy names, once.
func (d *Doctor) channels(ctx context.Context) (lines []Line) {
	for _, c := range d.Policy.Channels.Named() {
		check := "slack.channel." + c.Key
		name, err := d.Slack.Channel(ctx, c.ID)
		if err != nil {
			do := fmt.Sprintf("invite the bot there (/invite in the channel), or correct slack.channels.%s in the policy", c.Key)
			lines = append(lines, failed(check, "the channel for "+c.Key, do, err))
			continue
		}
		lines = append(lines, good(check, "the bot is in #%s (%s)", name, c.Key))
	}
	return lines
}
