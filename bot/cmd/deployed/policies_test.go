package deployed

import (
	"maps"
	"testing"

	"github.com/redis/go-redis/v9"

	"sekisho/infra/local"
	"sekisho/infra/redisstore/redistest"
)

const rules = `
people: {principals: {U0HANA: [user/hana], U0BEN: [user/ben], U0ROSA: [user/rosa]}}
rules:
  - name: gpu
    match: {tags: {Team: ml}}
    ask: [everyone]
    approve: {by: [S0LEADS], within: 1h, reason: required}
    break_glass: {by: [U0HANA]}
  - {name: everyone else, ask: [everyone]}
admins: [S0LEADS]
`

// enforcing is a policy that asks for everything that there is, and the
// parameters that say the same.
const enforcing = `
version: 1
slack: {channels: {alerts: C0ALERTS, approvals: C0APPROVE, keys: C0KEYS, reports: C0REPORT}}
gate:
  mode: enforce
  guard: {tags: {Sekisho: guarded}}
  pass_tag: Pass
  when_unavailable: stop
  cannot_stop: {auto_scaling: terminate, spot_one_time: terminate, instance_store: terminate, stop_protected: stop}
passes: {start_now: true}
keys: {mode: enforce, grace: 2s, first_run: at_once, cap: {keys: 10, share: 100%}, exempt: [{path: /service/}], decide: [S0SECURITY]}
reports:
  - name: weekly
    every: 7d
    slack: true
    ask: [S0LEADS]
    mail: {from: bot@example.com, to: [security@example.com], configuration_set: reports}
` + rules

var enforcingParameters = map[string]string{
	"GateMode": "enforce", "StartNow": "yes", "Terminate": "yes", "Unprotect": "yes", "PassTag": passTag,
	"Keys": "enforce", "UserPath": "/people/",
	"Reports": "on", "MailIdentity": "bot@example.com", "MailConfigurationSet": "reports",
}

// observing changes nothing in AWS, and sends no mail.
const observing = `
version: 1
slack: {channels: {alerts: C0ALERTS, approvals: C0APPROVE, keys: C0KEYS, reports: C0REPORT}}
gate: {mode: observe, guard: {tags: {Sekisho: guarded}}, pass_tag: Pass, when_unavailable: stop}
keys: {mode: observe, first_run: at_once, exempt: [{path: /service/}], decide: [S0SECURITY]}
reports: [{name: weekly, every: 7d, slack: true, ask: [S0LEADS]}]
` + rules

var observingParameters = map[string]string{"PassTag": passTag, "Keys": "observe", "UserPath": "/people/", "Reports": "on"}

// The secrets that a process is told of.
var secrets = map[string]string{
	"SLACK_BOT_TOKEN": "xoxb-test-local-bot", "SLACK_APP_TOKEN": "xapp-test-local-app", "SLACK_SIGNING_SECRET": "test-local-signing-secret",
	"SEKISHO_PEPPER": "test-pepper-test-pepper-test-pepper",
}

// onLambda and onFargate are the parameters, with the references that the
// template asks for: to Secrets Manager and to SSM, so that each is read.
func onLambda(t *testing.T, more map[string]string) func(*local.World) map[string]string {
	return func(w *local.World) map[string]string {
		w.AWS.PutParameter("/sekisho/pepper", secrets["SEKISHO_PEPPER"], true)
		w.AWS.PutParameter("/sekisho/signing-secret", secrets["SLACK_SIGNING_SECRET"], true)
		arn := w.AWS.PutSecret("sekisho", encoded(map[string]string{"bot": secrets["SLACK_BOT_TOKEN"], "redis": newRedis(t)}))
		all := map[string]string{
			"SlackBotToken": arn + ":bot", "RedisUrl": arn + ":redis",
			"Pepper": "ssm:/sekisho/pepper", "SlackSigningSecret": "ssm:/sekisho/signing-secret",
		}
		maps.Copy(all, more)
		return all
	}
}

func onFargate(t *testing.T, policy string, more map[string]string) func(*local.World) map[string]string {
	return func(w *local.World) map[string]string {
		w.AWS.PutParameter("/sekisho/policy", policy, true)
		handed := maps.Clone(secrets)
		handed["REDIS_URL"] = newRedis(t)
		all := map[string]string{
			"Image": "registry.example.com/sekisho:1.0.0", "VpcId": "vpc-1", "SubnetIds": "subnet-1,subnet-2",
			"Policy": "ssm:/sekisho/policy", "Secret": w.AWS.PutSecret("sekisho", encoded(handed)),
		}
		maps.Copy(all, more)
		return all
	}
}

// newRedis is one that keeps what it is given, as the doctor asks.
func newRedis(t *testing.T) (url string) {
	t.Helper()
	addr := redistest.Server(t)
	client := redis.NewClient(&redis.Options{Addr: addr})
	defer client.Close()
	if err := client.ConfigSet(t.Context(), "appendonly", "yes").Err(); err != nil {
		t.Fatal(err)
	}
	return "redis://" + addr
}
