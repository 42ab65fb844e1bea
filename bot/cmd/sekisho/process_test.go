package main

import (
	"net"
	"strings"
	"testing"
)

func TestSIGTERMEndsQuietly(t *testing.T) {
	w := open(t, "enforce", "stop")
	bot := w.serve()
	w.pass(hana, "web-1")
	if code := bot.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if n := w.Slack.Sockets(); n != 0 {
		t.Errorf("%d sockets are still registered", n)
	}
}

func TestWhatNoWaitingHealsEndsWithASentence(t *testing.T) {
	w := open(t, "enforce", "stop")
	for name, c := range map[string]struct{ env, says string }{
		"a bad app token":      {"SLACK_APP_TOKEN=xapp-test-other", "SLACK_APP_TOKEN"},
		"no doors":             {"SEKISHO_DOORS=", "SEKISHO_DOORS is not set"},
		"a short pepper":       {"SEKISHO_PEPPER=test", "openssl rand -hex 32"},
		"a policy not there":   {"SEKISHO_CONFIG=/nowhere/sekisho.yml", "/nowhere/sekisho.yml"},
		"a Redis URL mistyped": {"REDIS_URL=localhost:6379", "REDIS_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			p := w.run([]string{"serve"}, c.env)
			if code := p.end(); code == 0 || !strings.Contains(p.said.String(), c.says) {
				t.Errorf("exit code %d: %s", code, p.said)
			}
		})
	}
}

func TestSocketModeSwitchedOff(t *testing.T) {
	w := open(t, "enforce", "stop")
	bot := w.serve()
	w.Slack.Disconnect("link_disabled")
	if code := bot.end(); code == 0 || !strings.Contains(bot.said.String(), "Socket Mode is switched off") {
		t.Errorf("exit code %d: %s", code, bot.said)
	}
}

func TestTheSocketIsOpenedAgain(t *testing.T) {
	w := open(t, "enforce", "stop")
	bot := w.serve()
	w.Slack.Disconnect("refresh_requested")
	bot.said.wait("socket mode: connected", patience)
	w.Slack.Away(true)
	bot.waitFor("socket mode: connecting again")
	w.Slack.Away(false)
	w.connected()
	w.pass(hana, "web-1")
}

func TestTheHTTPDoor(t *testing.T) {
	w := open(t, "enforce", "stop")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	w.do(err)
	address := l.Addr().String()
	l.Close()
	bot := w.run([]string{"serve"}, "SEKISHO_DOORS=http,events", "SEKISHO_LISTEN="+address)
	bot.waitFor("listening")
	w.Slack.DeliverTo("http://" + address)
	web := w.instance("web-1")
	w.do(w.AWS.SetTag(web.ID, "Auth", w.pass(hana, "web-1")))
	w.do(w.AWS.StartInstance(web.ID))
	w.card("<@U0HANA> was let in", "web-1")
	if code := bot.stop(); code != 0 {
		t.Errorf("exit code %d: %s", code, bot.said)
	}
}
