package doctor

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"sekisho/auth"
	"sekisho/auth/rights"
)

func (d *Doctor) aws(ctx context.Context) []Line {
	me, err := d.AWS.WhoAmI(ctx)
	if err != nil {
		return []Line{failed("aws.identity", "AWS does not know these credentials", "give the process a role, or set AWS_PROFILE", err)}
	}
	lines := []Line{
		good("aws.identity", "%s, in %s", me.ARN, me.Region),
		d.clock("aws.clock", "AWS's", me.Clock),
	}
	return append(lines, together(ctx, d.allAllowed(me), d.rules, d.keyRules)...)
}

func (d *Doctor) allAllowed(me Identity) look {
	return func(ctx context.Context) (lines []Line) {
		for _, whose := range d.principals(me) {
			lines = append(lines, d.allowed(ctx, whose)...)
		}
		return lines
	}
}

// principal is whose rights count at some doors.
type principal struct {
	arn   string // empty where nobody knows
	doors []auth.Door
}

// principals are those of the doors of this process, and of other processes
// whose roles are known.
func (d *Doctor) principals(me Identity) (all []principal) {
	for _, door := range auth.Doors() {
		arn, named := d.Roles[door]
		switch {
		case named:
		case d.opens(door):
			arn = me.Principal
		case door == auth.DoorGate || door == auth.DoorKeys && d.Policy.Keys != nil:
			// Somebody must guard: it is another process.
		default:
			continue
		}
		at := slices.IndexFunc(all, func(p principal) bool { return p.arn == arn })
		if at < 0 {
			all = append(all, principal{arn: arn})
			at = len(all) - 1
		}
		all[at].doors = append(all[at].doors, door)
	}
	return all
}

// allowed has a line for each right.
func (d *Doctor) allowed(ctx context.Context, whose principal) (lines []Line) {
	doors := strings.Trim(fmt.Sprint(whose.doors), "[]")
	if whose.arn == "" {
		return []Line{unknown("aws.allowed", "set SEKISHO_ROLES to its role, such as gate=arn:aws:iam::…:role/sekisho-gate", "the rights of the door %s, which another process opens", doors)}
	}
	needs := rights.Of(d.Policy, whose.doors...)
	switch reads := slices.Contains(whose.doors, auth.DoorGate) || slices.Contains(whose.doors, auth.DoorKeys); {
	case reads && d.Lambda:
		needs = append(needs, rights.Mapping()...)
	case reads:
		needs = append(needs, rights.Polling()...)
	}
	denied, err := d.AWS.Denied(ctx, whose.arn, needs)
	if err != nil {
		return []Line{failed("aws.allowed", "the rights of "+short(whose.arn), "allow iam:SimulatePrincipalPolicy on it", overdue(ctx, err))}
	}
	for _, r := range needs {
		check := "aws.allowed." + r.Action
		if slices.ContainsFunc(denied, func(d rights.Right) bool { return d.Action == r.Action }) {
			lines = append(lines, bad(check, "add it to the role's policy; infra/deploy has the whole", "%s may not call %s: %s", short(whose.arn), r.Action, r.For))
			continue
		}
		lines = append(lines, good(check, "%s may call %s", short(whose.arn), r.Action))
	}
	return lines
}

// overdue marks what the look's own time was too short for: a big account has
// much to read, and nothing is wrong with it.
func overdue(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w within %v: %w", ErrUnseen, within, err)
	}
	return err
}

// short is a principal without its account: role/sekisho-gate.
func short(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }

// rules has a line for each kind of event that has to arrive.
func (d *Doctor) rules(ctx context.Context) (lines []Line) {
	all, err := d.AWS.Rules(ctx)
	if err != nil {
		return []Line{failed("aws.rules", "EventBridge's rules", "allow events:ListRules and events:ListTargetsByRule", overdue(ctx, err))}
	}
	for _, e := range d.Events {
		lines = append(lines, d.rule(all, e))
	}
	return lines
}

// rule says of one kind of event whether it arrives: of several rules for it,
// one that works is enough.
func (d *Doctor) rule(all []Rule, e Event) Line {
	check, what := "aws.rule."+e.Name, "“"+strings.Join(e.DetailTypes, "”, “")+"”"
	best := bad(check, "make the rule, as the README shows", "no EventBridge rule brings %s of %s", what, e.Source)
	if e.Optional {
		best.Outcome = Unknown
	}
	for _, r := range all {
		switch {
		case !matches(r.Pattern, e):
		case !r.Enabled:
			best = bad(check, "enable it: aws events enable-rule --name "+r.Name, "the rule %s is disabled: no %s arrives", r.Name, what)
		case !d.aimedHere(r):
			best = bad(check, "aim it at one of "+cmp.Or(strings.Join(d.Targets, ", "), "the bot's"), "the rule %s brings %s elsewhere", r.Name, what)
		default:
			return good(check, "the rule %s brings %s", r.Name, what)
		}
	}
	return best
}

func (d *Doctor) aimedHere(r Rule) bool {
	return slices.ContainsFunc(r.Targets, func(t string) bool { return len(d.Targets) == 0 || slices.Contains(d.Targets, t) })
}

// matches says whether a pattern lets events of this kind through, as far as
// source and detail-type tell: what it says of the detail is the operator's.
func matches(pattern string, e Event) bool {
	var p struct {
		Source     []any `json:"source"`
		DetailType []any `json:"detail-type"`
	}
	if json.Unmarshal([]byte(pattern), &p) != nil || p.Source == nil {
		return false
	}
	return among(p.Source, e.Source) && (p.DetailType == nil || !slices.ContainsFunc(e.DetailTypes, func(t string) bool { return !among(p.DetailType, t) }))
}

func among(patterns []any, value string) bool {
	return slices.ContainsFunc(patterns, func(p any) bool {
		if m, ok := p.(map[string]any); ok {
			prefix, ok := m["prefix"].(string)
			return ok && strings.HasPrefix(value, prefix)
		}
		return p == value
	})
}

// keyRules looks that AWS Config speaks of access keys, and once: the rule
// tells of every user in each Region where it is.
func (d *Doctor) keyRules(ctx context.Context) []Line {
	if d.Policy.Keys == nil {
		return nil
	}
	const check = "aws.config"
	all, err := d.AWS.KeyRules(ctx)
	if err != nil {
		return []Line{failed(check, "AWS Config's rules", "allow config:DescribeConfigRules and ec2:DescribeRegions", overdue(ctx, err))}
	}
	var regions []string
	for _, r := range all {
		regions = append(regions, r.Region)
	}
	slices.Sort(regions)
	regions = slices.Compact(regions)
	switch len(regions) {
	case 0:
		return []Line{unknown(check, "add the managed rule access-keys-rotated in one Region to hear of old keys sooner", "AWS Config has no rule about the age of access keys; the daily look finds them all the same")}
	case 1:
		return []Line{good(check, "AWS Config judges the age of access keys in %s alone", regions[0])}
	}
	return []Line{bad(check, "keep it in one Region: users are global, and each Region tells of all of them", "AWS Config judges the age of access keys in %d Regions: %s", len(regions), strings.Join(regions, ", "))}
}

// mail looks at the sender of each report by mail, once.
func (d *Doctor) mail(ctx context.Context) (lines []Line) {
	seen := make(map[string]bool)
	for _, r := range d.Policy.Reports {
		if r.Mail == nil || seen[r.Mail.From] {
			continue
		}
		seen[r.Mail.From] = true
		lines = append(lines, d.sender(ctx, r)...)
	}
	return lines
}

func (d *Doctor) sender(ctx context.Context, r auth.ReportPolicy) []Line {
	f, err := d.AWS.Mail(ctx, r.Mail.From)
	if err != nil {
		return []Line{failed("ses.identity", "SES cannot be looked at", "allow ses:GetAccount and ses:GetEmailIdentity", err)}
	}
	lines := []Line{good("ses.identity", "SES lets mail come from %s", r.Mail.From), good("ses.sandbox", "SES sends to everybody")}
	if !f.Verified {
		lines[0] = bad("ses.identity", "verify the address or its domain in SES, in this Region", "%s is not verified in SES: the report %s will not be sent by mail", r.Mail.From, r.Name)
	}
	switch {
	case !f.Sending:
		lines[1] = bad("ses.sandbox", "look at the account's reputation in SES's console", "SES has paused sending for this account")
	case f.Sandbox:
		lines[1] = bad("ses.sandbox", "ask AWS for production access: https://docs.aws.amazon.com/ses/latest/dg/request-production-access.html", "SES is in its sandbox: mail goes to verified addresses alone")
	}
	return lines
}
