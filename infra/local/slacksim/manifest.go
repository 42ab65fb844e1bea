package slacksim

import "strings"

// Command is a slash command of the app.
type Command struct {
	Name        string // "/ec2-pass"
	Description string
	Usage       string // "[name or i-…]"; empty: no hint
}

// Shortcut is a global shortcut of the app.
type Shortcut struct {
	CallbackID  string // "ec2_pass"
	Name        string // "Ask for a pass"
	Description string
}

// The commands, shortcuts and events of manifest.yml.

func manifestCommands() []Command {
	return []Command{
		{Name: "/ec2-pass", Description: "A one-time pass to start a guarded EC2 instance"},
		{Name: "/sekisho", Description: "What Sekisho looks after besides instances"},
	}
}

func manifestShortcuts() []Shortcut {
	return []Shortcut{{"ec2_pass", "Ask for a pass", "Pick a guarded EC2 instance and get a one-time pass"}}
}

func manifestEvents() []string { return []string{eventHome} }

// SetInteractivity turns the app's "Interactivity & Shortcuts" on, as it is at first, or off. Off, no click, shortcut or
// form reaches the app: the person is told so, and the call fails with a *DeliveryError that wraps ErrNotInteractive.
func (w *Workspace) SetInteractivity(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults.silent = !on
}

// appsManifestExport gives the app's settings as they are now.
// https://docs.slack.dev/reference/methods/apps.manifest.export
func appsManifestExport(w *Workspace, a args) (result, error) {
	switch {
	case !strings.HasPrefix(a["app_id"], "A"):
		return nil, fail("invalid_app_id")
	case a["app_id"] != appID:
		return nil, fail("app_not_found")
	}
	return result{"manifest": w.manifest()}, nil
}

// manifest is the app as Slack writes it down. Where signed requests are sent somewhere (DeliverTo), Socket Mode is off and
// the addresses are named. It expects w.mu to be held.
// https://docs.slack.dev/reference/app-manifest
func (w *Workspace) manifest() map[string]any {
	settings := map[string]any{
		"interactivity":          w.sentTo(pathInteractions, map[string]any{"is_enabled": !w.faults.silent}),
		"socket_mode_enabled":    w.endpoint == "" && !w.faults.linkDisabled,
		"org_deploy_enabled":     false,
		"token_rotation_enabled": false,
	}
	if len(w.opts.Events) > 0 {
		settings["event_subscriptions"] = w.sentTo(pathEvents, map[string]any{"bot_events": w.opts.Events})
	}
	features := map[string]any{
		"app_home": map[string]any{
			"home_tab_enabled": true, "messages_tab_enabled": true, "messages_tab_read_only_enabled": true,
		},
		"bot_user": map[string]any{"display_name": w.bot.Name, "always_online": true},
	}
	if all := w.wireShortcuts(); len(all) > 0 {
		features["shortcuts"] = all
	}
	if all := w.wireCommands(); len(all) > 0 {
		features["slash_commands"] = all
	}
	return map[string]any{
		"_metadata":           map[string]any{"major_version": 2, "minor_version": 1},
		"display_information": map[string]any{"name": appName},
		"features":            features,
		"oauth_config":        map[string]any{"scopes": map[string]any{"bot": append([]string{}, w.scopes...)}},
		"settings":            settings,
	}
}

func (w *Workspace) wireCommands() []any {
	var all []any
	for _, c := range w.opts.Commands {
		out := map[string]any{"command": c.Name, "description": c.Description, "should_escape": false}
		if c.Usage != "" {
			out["usage_hint"] = c.Usage
		}
		if w.endpoint != "" {
			out["url"] = w.endpoint + pathCommands
		}
		all = append(all, out)
	}
	return all
}

func (w *Workspace) wireShortcuts() []any {
	var all []any
	for _, s := range w.opts.Shortcuts {
		all = append(all, map[string]any{"name": s.Name, "type": "global", "callback_id": s.CallbackID, "description": s.Description})
	}
	return all
}

// sentTo adds the address of what is sent as signed HTTP, if it is.
func (w *Workspace) sentTo(path string, setting map[string]any) map[string]any {
	if w.endpoint != "" {
		setting["request_url"] = w.endpoint + path
	}
	return setting
}
