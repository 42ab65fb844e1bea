package deploy_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"sekisho/bot"
	"sekisho/bot/cmd/wire"
	"sekisho/infra/deploy/cfn"
)

// environments are what each process is given, by the name of the function or
// container.
func environments(s *cfn.Stack) map[string]map[string]string {
	all := make(map[string]map[string]string)
	for _, id := range s.Of("AWS::Serverless::Function") {
		all[id] = make(map[string]string)
		for name, value := range s.Resources[id].Properties["Environment"].(map[string]any)["Variables"].(map[string]any) {
			all[id][name] = value.(string)
		}
	}
	for _, id := range s.Of("AWS::ECS::TaskDefinition") {
		c := list(s.Resources[id].Properties["ContainerDefinitions"])[0].(map[string]any)
		env := make(map[string]string)
		for _, one := range list(c["Environment"]) {
			env[one.(map[string]any)["Name"].(string)] = one.(map[string]any)["Value"].(string)
		}
		for _, one := range list(c["Secrets"]) {
			env[one.(map[string]any)["Name"].(string)] = one.(map[string]any)["ValueFrom"].(string)
		}
		all[id] = env
	}
	return all
}

// read are the variables that the code names: as a whole string, or in a
// struct's tag.
func read(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{"AWS_REGION": true} // the SDK reads it
	literal := regexp.MustCompile(`"((?:SEKISHO|SLACK|REDIS)_[A-Z_]+)"`)
	for _, folder := range []string{"../../bot", "../../infra/secrets"} {
		err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
			code := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") && !strings.Contains(path, "/cmd/bench/")
			if err != nil || !code {
				return err
			}
			text, err := os.ReadFile(path)
			for _, found := range literal.FindAllStringSubmatch(string(text), -1) {
				names[found[1]] = true
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return names
}

func TestEveryVariableIsOneThatTheCodeReads(t *testing.T) {
	known := read(t)
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		for process, env := range environments(s) {
			for name := range env {
				if !known[strings.TrimSuffix(name, "_FILE")] {
					t.Errorf("%s is given %s, which nothing reads", process, name)
				}
			}
		}
	})
}

// TestEveryProcessStartsWithWhatItIsGiven wires each with its own variables,
// the references resolved, and once more without each.
func TestEveryProcessStartsWithWhatItIsGiven(t *testing.T) {
	folder := t.TempDir()
	policy := filepath.Join(folder, "sekisho.yml")
	write(t, policy, `
version: 1
slack: {channels: {alerts: C0123456789}}
gate: {mode: observe, guard: {tags: {Sekisho: guarded}}, when_unavailable: stop}
rules: [{name: everyone, ask: [everyone]}]
`)
	values := map[string]string{
		"SLACK_BOT_TOKEN": "xoxb-test", "SLACK_APP_TOKEN": "xapp-test",
		"SLACK_SIGNING_SECRET": strings.Repeat("0123456789abcdef", 2), "SEKISHO_PEPPER": strings.Repeat("0123456789abcdef", 4), "REDIS_URL": "redis://localhost:6379", "SEKISHO_CONFIG": policy,
	}
	optional := []string{"SEKISHO_KEYS_QUEUE_URL", "SEKISHO_ROLES", "SEKISHO_TARGETS", "SEKISHO_USER_PATH", "SEKISHO_OPS", "SEKISHO_LISTEN", "AWS_REGION"}
	each(t, func(t *testing.T, _ deployment, s *cfn.Stack) {
		for process, env := range environments(s) {
			for name := range env {
				if at, ok := strings.CutSuffix(name, "_FILE"); ok {
					env[name] = filepath.Join(folder, at)
					write(t, env[name], values[at])
				} else if value, ok := values[name]; ok {
					env[name] = value
				}
			}
			if err := start(t, env); err != nil {
				t.Errorf("%s does not start: %v", process, err)
			}
			for name := range env {
				less := maps.Clone(env)
				delete(less, name)
				if process == "Front" && name == "SEKISHO_QUEUE_URL" {
					continue // it starts, and offers less
				}
				if err := start(t, less); err == nil && !slices.Contains(optional, name) {
					t.Errorf("%s starts without %s: it has no use for it", process, name)
				}
			}
		}
	})
}

func start(t *testing.T, env map[string]string) error {
	doors, err := bot.ReadDoors(env["SEKISHO_DOORS"])
	if err != nil {
		return err
	}
	app, err := wire.New(t.Context(), wire.Config{
		Env: func(name string) string { return env[name] }, Doors: doors, Lines: io.Discard, Log: slog.New(slog.DiscardHandler),
		AWS: func(string) aws.Config { return aws.Config{Region: cfn.Region} },
	})
	if err == nil {
		err = app.Close()
	}
	return err
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestTheDoctorKnowsWhoIsWho holds what the keeper is told of roles and targets
// against the stack.
func TestTheDoctorKnowsWhoIsWho(t *testing.T) {
	for _, p := range []parameters{everything, everything.with(parameters{"StreamArn": streamARN})} {
		s := lambda.stack(t, p)
		env := environments(s)["Keeper"]
		const role = "arn:aws:iam::111122223333:role/sekisho-"
		if want := "http=" + role + "front gate=" + role + "gate keys=" + role + "keeper"; env["SEKISHO_ROLES"] != want {
			t.Errorf("the roles are %s, want %s", env["SEKISHO_ROLES"], want)
		}
		targets := strings.Split(env["SEKISHO_TARGETS"], ",")
		for r, to := range where(t, s) {
			if !slices.Contains(targets, to) {
				t.Errorf("the doctor does not expect %v to go to %s", r, to)
			}
		}
	}
	s := fargate.stack(t, everything)
	for r, to := range where(t, s) {
		if to != environments(s)["Task"]["SEKISHO_TARGETS"] {
			t.Errorf("the doctor does not expect %v to go to %s", r, to)
		}
	}
}

// TestKeeperWritesWhatTheBotReads holds Keeper's init container against the
// files that the bot is told of.
func TestKeeperWritesWhatTheBotReads(t *testing.T) {
	for _, name := range []string{"keeper", "keeper, balanced"} {
		s := fargate.stack(t, fargate.variants()[name])
		init := list(s.Resources["Task"].Properties["ContainerDefinitions"])[1].(map[string]any)
		lines := list(init["Environment"])[0].(map[string]any)["Value"].(string)
		var written, read []string
		for line := range strings.Lines(lines) {
			from, to, _ := strings.Cut(strings.TrimSpace(line), " > file:")
			if !strings.HasPrefix(from, "ABCDEFGHIJKLMNOPQRSTUV/custom_field/") || filepath.Base(from) != filepath.Base(to) {
				t.Errorf("%s: %s", name, line)
			}
			written = append(written, to)
		}
		for variable, value := range environments(s)["Task"] {
			if strings.HasSuffix(variable, "_FILE") {
				read = append(read, value)
			}
		}
		slices.Sort(written)
		slices.Sort(read)
		if !slices.Equal(written, read) {
			t.Errorf("%s: Keeper writes %v, the bot reads %v", name, written, read)
		}
		bot := list(s.Resources["Task"].Properties["ContainerDefinitions"])[0].(map[string]any)
		after := fmt.Sprint(bot["DependsOn"])
		if after != "[map[Condition:SUCCESS ContainerName:keeper]]" || bot["Secrets"] != nil {
			t.Errorf("%s: the bot starts after %s, with %v", name, after, bot["Secrets"])
		}
	}
}
