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
	lines := []Line{good("slack.token", "the bot is @%s in %s", app.Bot, app.Team)}
	switch lacks := missing(d.Wants.Scopes, app.Scopes); {
	case len(app.Scopes) == 0:
		lines = append(lines, unknown("slack.scopes", "", "Slack does not say which scopes the token has"))
	case len(lacks) > 0:
		lines = append(lines, bad("slack.scopes", reinstall, "the token lacks %s", strings.Join(lacks, ", ")))
	default:
		lines = append(lines, good("slack.scopes", "the token has all %d scopes", len(d.Wants.Scopes)))
	}
	if more := missing(app.Scopes, append(d.optional(), d.Wants.Scopes...)); len(more) > 0 {
		lines[len(lines)-1].Says += "; and does not need " + strings.Join(more, ", ")
	}
	return append(lines, d.clock("slack.clock", "Slack's", app.Clock))
}

// optional are the scopes that only some policies need.
func (d *Doctor) optional() []string {
	if d.Policy.People.MatchEmail {
		return []string{"users:read.email"}
	}
	return nil
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
	lacks := slices.Concat(missing(d.Wants.Commands, m.Commands), missing(d.Wants.Events, m.Events), missing(d.Wants.Shortcuts, m.Shortcuts))
	if len(lacks) > 0 {
		return []Line{first, bad("slack.manifest", reinstall, "the app lacks %s", strings.Join(lacks, ", "))}
	}
	return []Line{first, good("slack.manifest", "the app has every command, event and shortcut")}
}

// channels looks at each channel that the policy names, once.
func (d *Doctor) channels(ctx context.Context) (lines []Line) {
	c := d.Policy.Channels
	seen := make(map[string]bool)
	for _, named := range []struct{ what, id string }{
		{"alerts", c.Alerts}, {"approvals", c.Approvals}, {"break_glass", c.BreakGlass}, {"keys", c.Keys}, {"reports", c.Reports},
	} {
		if named.id == "" || seen[named.id] {
			continue
		}
		seen[named.id] = true
		check := "slack.channel." + named.what
		name, err := d.Slack.Channel(ctx, named.id)
		if err != nil {
			do := fmt.Sprintf("invite the bot there (/invite in the channel), or correct slack.channels.%s in the policy", named.what)
			lines = append(lines, failed(check, "the channel for "+named.what, do, err))
			continue
		}
		lines = append(lines, good(check, "the bot is in #%s (%s)", name, named.what))
	}
	return lines
}
