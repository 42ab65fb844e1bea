package deployed

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// runTasks runs one task of each definition: the container sekisho, with what
// ECS hands over to it.
func (w *world) runTasks(folder string) {
	w.t.Helper()
	for _, id := range w.stack.Of("AWS::ECS::TaskDefinition") {
		p := w.stack.Resources[id].Properties
		container := list(p["ContainerDefinitions"])[0]
		task := exec.Command(filepath.Join(folder, text(container, "Name")))
		for _, word := range list(at(container, "Command")) {
			task.Args = append(task.Args, word.(string))
		}
		task.Env = w.endpoints(w.roleOf(text(p, "TaskRoleArn")))
		for _, one := range list(at(container, "Environment")) {
			value := text(one, "Value")
			if text(one, "Name") == "SEKISHO_OPS" {
				value = "127.0.0.1:0" // the task's own there, but not here
			}
			task.Env = append(task.Env, text(one, "Name")+"="+value)
		}
		for _, one := range list(at(container, "Secrets")) {
			task.Env = append(task.Env, text(one, "Name")+"="+w.handedOver(w.roleOf(text(p, "ExecutionRoleArn")), text(one, "ValueFrom")))
		}
		w.run(task)
		w.connected()
	}
}

// handedOver is a secret that ECS reads before it starts the task: ARN:KEY::.
func (w *world) handedOver(role, reference string) string {
	w.t.Helper()
	part := strings.Split(reference, ":")
	arn, key := strings.Join(part[:7], ":"), part[7]
	secret, err := secretsmanager.NewFromConfig(w.as(role)).GetSecretValue(w.ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	w.do(err)
	var values map[string]string
	w.do(json.Unmarshal([]byte(*secret.SecretString), &values))
	return values[key]
}

func (w *world) run(task *exec.Cmd) {
	w.t.Helper()
	said := new(lines)
	task.Stdout, task.Stderr = said, said
	w.do(task.Start())
	w.t.Cleanup(func() {
		task.Process.Signal(syscall.SIGTERM)
		err := task.Wait()
		if err != nil {
			w.t.Errorf("the task ended with %v", err)
		}
		if w.t.Failed() {
			w.t.Logf("the task said:\n%s", said)
		}
	})
}

// connected waits for the task's connection to Slack.
func (w *world) connected() {
	w.t.Helper()
	over := time.After(patience)
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for w.Slack.Sockets() == 0 {
		select {
		case <-again.C:
		case <-over:
			w.t.Fatal("the task never connects")
		}
	}
}

// lines is what a process says, to be read while it runs.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
