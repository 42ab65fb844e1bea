package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/auth"
	"sekisho/auth/purge"
	"sekisho/bot/cmd/wire"
	"sekisho/infra/ec2instances"
	"sekisho/infra/policyfile"
)

type policyCmd struct {
	Check   policyCheckCmd   `cmd:"" help:"Say what is wrong with a policy file, and where."`
	Explain policyExplainCmd `cmd:"" help:"Say which rule decides when a person asks for an instance, and why the others do not."`
}

type policyCheckCmd struct {
	File string `arg:"" help:"The policy file."`
}

// Run reads the file as the bot would.
func (c policyCheckCmd) Run() error {
	p, err := policyfile.Load(c.File)
	if err != nil {
		return err
	}
	names := make([]string, len(p.Rules))
	for n, r := range p.Rules {
		names[n] = r.Name
	}
	keys := ""
	if p.Keys != nil {
		keys = fmt.Sprintf("; access keys: mode %s, max_age %s", p.Keys.Mode, purge.Days(p.Keys.MaxAge))
	}
	var reports strings.Builder
	for _, r := range p.Reports {
		fmt.Fprintf(&reports, "; report %s every %s", r.Name, purge.Days(r.Every))
	}
	fmt.Printf("%s is good: policy %s, mode %s, rules: %s%s%s.\n", c.File, p.Hash, p.Gate.Mode, strings.Join(names, ", "), keys, &reports)
	return nil
}

type policyExplainCmd struct {
	File     string            `arg:"" optional:"" help:"The policy file, or a parameter or secret that holds it (ssm:/… or arn:…)." env:"SEKISHO_CONFIG"`
	User     string            `required:"" help:"Slack user id of who would ask."`
	Instance string            `help:"Instance id: its tags and type are read from EC2, unless they are given here."`
	Tag      map[string]string `help:"A tag of the instance, KEY=VALUE; may be repeated." mapsep:"none"`
	Type     string            `help:"The instance's type, such as p5.48xlarge."`
	Account  string            `help:"The instance's account."`
	Region   string            `help:"The instance's region."`
	At       time.Time         `help:"When, such as 2026-01-31T15:04:05Z; now if left out." format:"2006-01-02T15:04:05Z07:00"`
}

// Run explains.
func (c policyExplainCmd) Run(ctx context.Context) error {
	if c.File == "" {
		return errors.New("name the policy file, or set SEKISHO_CONFIG")
	}
	amazon, err := awsConfig(ctx, os.Getenv)
	if err != nil {
		return err
	}
	p, directory, err := wire.OpenPolicy(ctx, os.Getenv, c.File, amazon)
	if err != nil {
		return err
	}
	i, err := c.instance(ctx, amazon("ec2"))
	if err != nil {
		return err
	}
	if c.At.IsZero() {
		c.At = time.Now()
	}
	people := offline{}
	if directory == nil {
		directory = people
	}
	ruling, err := (&auth.Referee{Policy: &p, Directory: directory}).Rule(ctx, auth.Case{Asker: c.User, Instance: i, At: c.At, Why: "to be explained"})
	if err != nil {
		return err
	}
	explain(os.Stdout, &p, i, c.User, ruling, slices.Sorted(maps.Keys(people)))
	return nil
}

// instance is what the words of the command say, or what EC2 does.
func (c policyExplainCmd) instance(ctx context.Context, amazon aws.Config) (auth.Instance, error) {
	given := auth.Instance{ID: c.Instance, Tags: c.Tag, Type: c.Type, Account: c.Account, Region: c.Region, State: auth.Stopped}
	if len(c.Tag) > 0 || c.Type != "" {
		return given, nil
	}
	if c.Instance == "" {
		return given, errors.New("say which instance: --instance i-…, or what it is like: --tag KEY=VALUE --type TYPE")
	}
	i, err := ec2instances.New(amazon).Instance(ctx, c.Instance)
	if err != nil {
		return given, fmt.Errorf("reading %s (give --tag and --type to do without EC2): %w", c.Instance, err)
	}
	return i, nil
}

// offline is a directory that can look nobody up, and notes who was asked for.
type offline map[string]bool

func (o offline) Person(_ context.Context, user string) (auth.Person, error) {
	return auth.Person{ID: user}, nil
}

func (o offline) Members(_ context.Context, id string) ([]string, error) {
	o[id] = true
	return nil, auth.ErrNobody
}

// explain prints a ruling. unseen are groups that nobody could look up.
func explain(w io.Writer, p *auth.Policy, i auth.Instance, user string, r auth.Ruling, unseen []string) {
	if !p.Gate.Guard.Covers(i) {
		fmt.Fprintln(w, "The instance is not guarded: it starts without a pass, and no rule is asked.")
		return
	}
	for n, why := range r.Skipped {
		fmt.Fprintf(w, "%d. %s: not for it: %s\n", n+1, p.Rules[n].Name, why)
	}
	if r.Rule == nil {
		fmt.Fprintln(w, "No rule is for this instance: nobody can have a pass for it.")
		return
	}
	fmt.Fprintf(w, "%d. %s: decides\n", len(r.Skipped)+1, r.Rule.Name)
	for _, line := range verdict(user, r) {
		fmt.Fprintln(w, "   "+line)
	}
	if len(unseen) > 0 {
		fmt.Fprintf(w, "   Who is in %s was not looked up, and they count as empty: set SLACK_BOT_TOKEN for that.\n", strings.Join(unseen, ", "))
	}
}

func verdict(user string, r auth.Ruling) []string {
	var lines []string
	switch r.Refused {
	case auth.NotAllowed:
		return []string{fmt.Sprintf("%s may not ask: ask names %s.", user, strings.Join(r.Rule.Ask, ", "))}
	case auth.NoApprovers:
		lines = append(lines, fmt.Sprintf("%s may ask, but fewer could approve than must (%d of %s).", user, r.Rule.Approve.Count, strings.Join(r.Rule.Approve.By, ", ")))
	default:
		lines = append(lines, user+" may ask.")
	}
	if a := r.Rule.Approve; a == nil {
		lines = append(lines, "Nobody needs to approve.")
	} else {
		reason := ""
		if a.Reason {
			reason = ", and a reason must be given"
		}
		lines = append(lines, fmt.Sprintf("%d of %s must approve within %s%s.", a.Count, strings.Join(a.By, ", "), a.Within, reason))
	}
	if b := r.Rule.BreakGlass; b != nil {
		may := "may not"
		if r.MayBreakGlass {
			may = "may"
		}
		lines = append(lines, fmt.Sprintf("%s %s break the glass (%s).", user, may, strings.Join(b.By, ", ")))
	}
	return append(lines, fmt.Sprintf("The pass is good for %s.", r.TTL))
}
