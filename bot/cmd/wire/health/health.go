// Package health adds the doctor to the program. It is apart from package wire
// as reports are: what answers people does not link it.
package health

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/auth"
	"sekisho/auth/doctor"
	"sekisho/bot/cmd/wire"
	"sekisho/commands"
	"sekisho/infra/awslook"
	"sekisho/infra/slackchat"
)

// Add gives the App a doctor. AWS gives the configuration for one service, as in
// wire.Config.
func Add(a *wire.App, env wire.Env, config func(service string) aws.Config) error {
	roles, err := readRoles(env("SEKISHO_ROLES"))
	if err != nil {
		return err
	}
	d, s := a.Desk, a.Sight()
	own := awslook.Own{Queues: s.Queues, UserPath: env("SEKISHO_USER_PATH")}
	for _, r := range d.Policy.Reports {
		if r.Mail != nil {
			own.Senders = append(own.Senders, r.Mail.From)
		}
	}
	d.Doctor = &doctor.Doctor{
		Policy: d.Policy, Doors: s.Doors.Open(), Lambda: env("AWS_LAMBDA_RUNTIME_API") != "", Pepper: s.Pepper,
		Wants: commands.App(), Events: commands.Arrivals(d.Policy), Targets: targets(env("SEKISHO_TARGETS"), config("sqs").Region, s.Queues), Roles: roles,
		Redis: a.Store, Slack: slackchat.NewLook(s.Chat, s.ConfigToken), AWS: awslook.New(config, own), Now: d.Now,
	}
	return nil
}

// readRoles reads SEKISHO_ROLES: "gate=arn:aws:iam::…:role/sekisho-gate keys=…".
func readRoles(text string) (map[auth.Door]string, error) {
	roles := make(map[auth.Door]string)
	for _, one := range strings.Fields(text) {
		door, arn, ok := strings.Cut(one, "=")
		if !ok || !strings.HasPrefix(arn, "arn:") || !isDoor(door) {
			return nil, fmt.Errorf("SEKISHO_ROLES has %q: write door=ARN, such as gate=arn:aws:iam::123456789012:role/sekisho-gate, with blanks between", one)
		}
		roles[auth.Door(door)] = arn
	}
	return roles, nil
}

func isDoor(name string) bool {
	for _, d := range auth.Doors() {
		if string(d) == name {
			return true
		}
	}
	return false
}

// targets are the ARNs at which events may be aimed: those that SEKISHO_TARGETS
// lists, else the process's own queues.
func targets(text, region string, queues []string) (arns []string) {
	for _, one := range strings.Split(text, ",") {
		if one = strings.TrimSpace(one); one != "" {
			arns = append(arns, one)
		}
	}
	if len(arns) > 0 {
		return arns
	}
	for _, url := range queues {
		if arn, ok := awslook.QueueARN(region, url); ok {
			arns = append(arns, arn)
		}
	}
	return arns
}
