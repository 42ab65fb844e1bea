package main

import (
	"crypto/hmac"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed sekisho.yml
var policy []byte

const (
	signingSecret = "bench-signing-secret"
	botToken      = "xoxb-bench-token"
	person        = "U0BENCH0001"
	alerts        = "C0ALERTS" // as in sekisho.yml
)

// environment is what a function with the http door has. Nothing listens at
// the addresses that are given here; others may be set over them.
func (w *workshop) environment() (map[string]string, error) {
	config := filepath.Join(w.dir, "sekisho.yml")
	return map[string]string{
		"SEKISHO_CONFIG":        config,
		"SEKISHO_DOORS":         "http",
		"SEKISHO_PEPPER":        strings.Repeat("bench-pepper-", 4),
		"SEKISHO_QUEUE_URL":     "http://127.0.0.1:9/111122223333/sekisho",
		"REDIS_URL":             "redis://127.0.0.1:9",
		"SLACK_BOT_TOKEN":       botToken,
		"SLACK_SIGNING_SECRET":  signingSecret,
		"AWS_REGION":            "eu-central-1",
		"AWS_ACCESS_KEY_ID":     "AKIABENCHBENCHBENCH1",
		"AWS_SECRET_ACCESS_KEY": "bench-secret-key",
		"AWS_SESSION_TOKEN":     "bench-session-token",
	}, os.WriteFile(config, policy, 0o600)
}

// pairs gives an environment in os/exec's form.
func pairs(env map[string]string) []string {
	var all []string
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	return all
}

// slash is the body of a slash command, with all the fields that Slack sends:
// https://docs.slack.dev/interactivity/implementing-slash-commands
func slash(text string) string {
	return url.Values{
		"token": {"bench-verification-token"}, "team_id": {"T0BENCH0001"}, "team_domain": {"bench"},
		"channel_id": {"C0BENCH0001"}, "channel_name": {"ops"}, "user_id": {person}, "user_name": {"bench"},
		"command": {"/ec2-pass"}, "text": {text}, "api_app_id": {"A0BENCH0001"}, "is_enterprise_install": {"false"},
		"response_url": {"https://hooks.slack.com/commands/T0BENCH0001/1/bench"},
		"trigger_id":   {"bench." + strconv.FormatInt(time.Now().UnixNano(), 10)},
	}.Encode()
}

// signed are the headers with which Slack would send the body now:
// https://docs.slack.dev/authentication/verifying-requests-from-slack
func signed(body string) http.Header {
	stamp := strconv.FormatInt(time.Now().Unix(), 10)
	mac := hmac.New(sha256.New, []byte(signingSecret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	h := make(http.Header)
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	h.Set("User-Agent", "Slackbot 1.0 (+https://api.slack.com/robots)")
	h.Set("X-Slack-Request-Timestamp", stamp)
	h.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	return h
}
