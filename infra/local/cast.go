package local

import (
	"time"

	"sekisho/infra/local/awssim"
	"sekisho/infra/local/slacksim"
)

// The account, and the credentials that are good in this world and in no other.
const (
	account = "111122223333"
	region  = "eu-central-1"

	accessKeyID     = "AKIATESTTESTTESTTEST"
	secretAccessKey = "test-secret-access-key"
	botToken        = "xoxb-test-local-bot"
	appToken        = "xapp-test-local-app"
	configToken     = "xoxe.xoxp-test-local-config"
	signingSecret   = "test-local-signing-secret"
)

// What the demo's policy is expected to say about tags.
const (
	guardTag     = "Sekisho"
	guardedValue = "guarded"
	passTag      = "Auth"
)

// home is the channel the page opens with.
const home = "C0OPS"

// person is one of the cast; the role is for the page alone.
type person struct {
	slacksim.User
	role string
}

// cast lists the people: three, in three time zones, since most of what is shown to them is a time. In the AWS account
// each is the IAM user of the same name.
func cast() []person {
	return []person{
		{slacksim.User{ID: "U0HANA", Name: "hana", RealName: "Hana Mori", Email: "hana@example.com", TZ: "Asia/Tokyo", Color: "0060a0"}, "Platform"},
		{slacksim.User{ID: "U0BEN", Name: "ben", RealName: "Ben Okafor", Email: "ben@example.com", TZ: "Europe/London", Color: "b84a00"}, "On call"},
		{slacksim.User{ID: "U0ROSA", Name: "rosa", RealName: "Rosa Lind", Email: "rosa@example.com", TZ: "America/New_York", Color: "00734f"}, "Security"},
	}
}

func people() []slacksim.User {
	var users []slacksim.User
	for _, p := range cast() {
		users = append(users, p.User)
	}
	return users
}

// groups lists the user groups.
func groups() []slacksim.Group {
	return []slacksim.Group{
		{ID: "S0LEADS", Handle: "leads", Name: "Leads", Members: []string{"U0BEN", "U0ROSA"}},
		{ID: "S0SECURITY", Handle: "security", Name: "Security", Members: []string{"U0BEN", "U0ROSA"}},
	}
}

// channels lists the rooms; everybody is in all of them.
func channels() []slacksim.Channel {
	var everybody []string
	for _, p := range cast() {
		everybody = append(everybody, p.ID)
	}
	return []slacksim.Channel{
		{ID: "C0OPS", Name: "ops", Members: everybody},
		{ID: "C0ALERTS", Name: "checkpoint-alerts", Members: everybody},
		{ID: "C0APPROVE", Name: "approvals", Members: everybody},
		{ID: "C0KEYS", Name: "access-keys", Members: everybody},
		{ID: "C0REPORT", Name: "security-reports", Members: everybody},
	}
}

// topics says what each channel is for, by id.
func topics() map[string]string {
	return map[string]string{
		"C0OPS":     "Daily work. Type /ec2-pass to ask for a pass.",
		"C0ALERTS":  "What the checkpoint let through, and what it stopped.",
		"C0APPROVE": "Where a second pair of eyes is asked for.",
		"C0KEYS":    "Access keys that grow too old, and what becomes of them.",
		"C0REPORT":  "What the checkpoint saw since the last report, once a week.",
	}
}

// sender is the address that mail may come from. No other is verified: nobody could be written to from SES's sandbox.
const sender = "bot@example.com"

// keyHolders lists the account's IAM users with their access keys: the cast, and a machine. Between them they have a key
// of each kind that is looked at differently: young, in daily use, inactive, never used, a service's; and passwords with
// and without MFA, used and forgotten.
func keyHolders(now time.Time) []awssim.User {
	ago := func(days int) time.Time { return now.Add(-time.Duration(days) * day) }
	return []awssim.User{
		{Name: "hana", ID: "AIDAEXAMPLEHANA234567", Created: ago(400), Keys: []awssim.AccessKey{
			{ID: "AKIAEXAMPLEHANAXQ3H7", Active: true, Created: ago(12), Used: now.Add(-5 * time.Hour), Service: "ec2", Region: region},
		}, PasswordEnabled: true, PasswordLastUsed: ago(2), MFA: true},
		{Name: "ben", ID: "AIDAEXAMPLEBENX234567", Created: ago(700), Keys: []awssim.AccessKey{
			{ID: "AKIAEXAMPLEBENXXK6B5", Created: ago(70), Used: ago(41), Service: "s3", Region: region},
			{ID: "AKIAEXAMPLEBENXXW4B2", Active: true, Created: ago(40), Used: now.Add(-20 * time.Minute), Service: "s3", Region: region},
		}, PasswordEnabled: true, PasswordLastUsed: ago(50)},
		{Name: "ci-deploy", Path: "/service/", ID: "AIDAEXAMPLECIDE234567", Created: ago(300), Keys: []awssim.AccessKey{
			{ID: "AKIAEXAMPLECIDEPM7C3", Active: true, Created: ago(30), Used: now.Add(-time.Hour), Service: "lambda", Region: region},
		}},
		{Name: "rosa", ID: "AIDAEXAMPLEROSA234567", Created: ago(60), Keys: []awssim.AccessKey{
			{ID: "AKIAEXAMPLEROSAXT5R6", Active: true, Created: ago(60)},
		}, PasswordEnabled: true, PasswordLastUsed: now.Add(-time.Hour), MFA: true},
	}
}

// root is the account's root user, as it should be: with MFA, without keys, long unused.
func root(now time.Time) awssim.Root {
	return awssim.Root{Created: now.Add(-1500 * day), PasswordLastUsed: now.Add(-200 * day), MFA: true}
}

// instances lists what the account holds at first: one of each kind that the gate has a different answer for.
func instances() []awssim.Instance {
	guarded := func(more map[string]string) map[string]string {
		tags := map[string]string{guardTag: guardedValue}
		for key, value := range more {
			tags[key] = value
		}
		return tags
	}
	return []awssim.Instance{
		{ID: "i-0b7a30000000000a1", Name: "web-1", Type: "t3.small", Tags: guarded(nil)},
		{ID: "i-0b7a30000000000b2", Name: "gpu-1", Type: "p5.48xlarge", Tags: guarded(map[string]string{"Team": "ml"})},
		{ID: "i-0b7a30000000000c3", Name: "db-1", Type: "r7g.large", Tags: guarded(nil), StopProtected: true},
		{ID: "i-0b7a30000000000d4", Name: "batch-asg-1", Type: "c7i.large", Tags: guarded(map[string]string{autoScalingTag: "batch"})},
		{ID: "i-0b7a30000000000e5", Name: "sandbox-1", Type: "t3.micro", Tags: map[string]string{"Team": "everyone"}},
	}
}

// autoScalingTag names the group of an instance that Auto Scaling launched.
// https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html
const autoScalingTag = "aws:autoscaling:groupName"

// traits are the words for what makes stopping an instance difficult.
func traits(i awssim.Instance) []string {
	found := []string{}
	if i.StopProtected {
		found = append(found, "Stop-protected")
	}
	if i.Tags[autoScalingTag] != "" {
		found = append(found, "Auto Scaling")
	}
	if i.SpotOneTime {
		found = append(found, "One-time Spot")
	}
	if i.RootDeviceType == "instance-store" {
		found = append(found, "Instance store")
	}
	return found
}
