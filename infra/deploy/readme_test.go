package deploy_test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sekisho/infra/deploy/cfn"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// commandsOf are the README's shell commands, their lines joined.
func commandsOf(t *testing.T) (all []string) {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```sh\n(.+?)```").FindAllStringSubmatch(readme(t), -1) {
		for line := range strings.Lines(strings.ReplaceAll(block[1], "\\\n", " ")) {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

// parameterGiven finds Name=value, as templates name parameters.
var parameterGiven = regexp.MustCompile(`\b([A-Z][A-Za-z]*[a-z][A-Za-z]*)=([^\s` + "`" + `]+)`)

func TestREADMEGivesParametersThatAreThere(t *testing.T) {
	for _, given := range parameterGiven.FindAllStringSubmatch(readme(t), -1) {
		name := given[1]
		if !slices.ContainsFunc(deployments, func(d deployment) bool { return d.template(t).Section("Parameters")[name] != nil }) {
			t.Errorf("README.md gives %s, which no template takes", given[0])
		}
	}
}

// TestTheFargateCommandIsWhole takes it as it stands.
func TestTheFargateCommandIsWhole(t *testing.T) {
	var found []string
	for _, command := range commandsOf(t) {
		if !strings.Contains(command, "infra/deploy/fargate.yaml") {
			continue
		}
		found = append(found, command)
		given := make(map[string]string)
		for _, p := range parameterGiven.FindAllStringSubmatch(command, -1) {
			given[p[1]] = strings.ReplaceAll(p[2], "secretsmanager:…", "secretsmanager:"+cfn.Region+":"+cfn.Account)
		}
		if _, err := fargate.template(t).Stack(given); err != nil {
			t.Errorf("%s: %v", command, err)
		}
	}
	if len(found) != 1 {
		t.Errorf("README.md deploys it by %q", found)
	}
}

// TestREADMESpeaksOfWhatIsThere: alarms, all of them, and what else it calls
// …-something.
func TestREADMESpeaksOfWhatIsThere(t *testing.T) {
	text := readme(t)
	there := make(map[string]bool)
	for _, d := range deployments {
		s := d.stack(t, everything)
		for id, r := range s.Resources {
			for _, property := range []string{"AlarmName", "QueueName", "FunctionName", "Name", "RoleName"} {
				name, _ := r.Properties[property].(string)
				suffix, ours := strings.CutPrefix(name, cfn.StackName)
				if !ours || suffix == "" {
					continue
				}
				there[suffix] = true
				if property == "AlarmName" && !strings.Contains(text, "`…"+suffix+"`") {
					t.Errorf("%s: README.md does not say what %s means", d.file, id)
				}
			}
		}
	}
	for _, said := range regexp.MustCompile("`…(-[a-z-]+)`").FindAllStringSubmatch(text, -1) {
		if !there[said[1]] {
			t.Errorf("README.md speaks of …%s, which no template makes", said[1])
		}
	}
}

// TestTheSecretOfTheREADMEHasAllKeys holds it against what the processes are
// given.
func TestTheSecretOfTheREADMEHasAllKeys(t *testing.T) {
	found := regexp.MustCompile(`(?s)\{"SLACK_BOT_TOKEN".+?\}`).FindString(readme(t))
	var secret map[string]string
	if err := json.Unmarshal([]byte(strings.ReplaceAll(found, `"$(openssl rand -hex 32)"`, `"…"`)), &secret); err != nil {
		t.Fatalf("%v in %q", err, found)
	}
	secrets := regexp.MustCompile(`^(SLACK_.+|SEKISHO_PEPPER|REDIS_URL)$`)
	want := make(map[string]bool)
	for _, s := range []*cfn.Stack{lambda.stack(t, nil), fargate.stack(t, nil), fargate.stack(t, balanced)} {
		for _, env := range environments(s) {
			for name := range env {
				if secrets.MatchString(name) {
					want[name] = true
				}
			}
		}
	}
	if got, want := slices.Sorted(maps.Keys(secret)), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
		t.Errorf("README.md's secret has %v, want %v", got, want)
	}
}

// TestCommandsAreSafeAndWhole: arguments are seen by others, and kept by shells.
// A payload is text only where the command line's second version is told so.
func TestCommandsAreSafeAndWhole(t *testing.T) {
	for _, command := range commandsOf(t) {
		if strings.Contains(command, "--secret-string") && !strings.Contains(command, `--secret-string "file://`) {
			t.Errorf("it shows a secret: %s", command)
		}
		for _, part := range []string{"--invocation-type Event", "--cli-binary-format raw-in-base64-out", " /dev/stdout"} {
			if strings.Contains(command, "lambda invoke") && !strings.Contains(command, part) {
				t.Errorf("there is no %s in %s", part, command)
			}
		}
	}
}
