package wire

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
)

// TestTheRoomsKeepTheirWalls holds every package's imports against the rules
// of the rooms: auth ◄ commands ◄ bot ◄ bot/cmd, auth ◄ infra/*.
func TestTheRoomsKeepTheirWalls(t *testing.T) {
	const (
		slack = "github.com/slack-go/slack"
		aws   = "github.com/aws/aws-sdk-go-v2"
		redis = "github.com/redis/go-redis"
	)
	for path, imports := range packages(t) {
		room, _, _ := strings.Cut(path, "/")
		for _, i := range imports {
			inside, ours := strings.CutPrefix(i, "sekisho/")
			standard := !strings.Contains(strings.SplitN(i, "/", 2)[0], ".")
			ok := true
			switch {
			case strings.HasPrefix(path, "bot/cmd/"):
				// Here everything is put together.
			case ours:
				ok = mayImport(path, inside)
			case room == "auth":
				ok = standard && (i != "testing" || isContract(path)) || i == "github.com/google/uuid"
			case room == "commands":
				ok = standard || i == slack || i == "github.com/google/uuid"
			case strings.HasPrefix(i, aws), strings.HasPrefix(i, redis):
				ok = room == "infra"
			}
			if !ok {
				t.Errorf("%s imports %s: the rooms' rules forbid it", path, i)
			}
		}
	}
}

// mayImport says whether one of our packages may import another.
func mayImport(from, to string) bool {
	room := func(path string) string { r, _, _ := strings.Cut(path, "/"); return r }
	switch room(from) {
	case "auth":
		return room(to) == "auth"
	case "commands":
		return room(to) == "auth" || room(to) == "commands"
	case "bot":
		return room(to) == "auth" || room(to) == "commands" || room(to) == "bot" && !strings.HasPrefix(to, "bot/cmd")
	case "infra":
		own := strings.Join(strings.SplitN(from, "/", 3)[:2], "/")
		if to == "infra/awscall" { // how AWS is asked, without an idea of what: two copies of its signing would be two to keep right
			return true
		}
		return room(to) == "auth" && !isContract(to) || to == own || strings.HasPrefix(to, own+"/")
	}
	return false
}

// isContract says whether the package holds promises as tests.
func isContract(path string) bool {
	return path == "auth/authtest" || path == "auth/purge/purgetest" || path == "auth/report/reporttest"
}

// TestTheCommandsCallNoClient keeps slack-go's clients out of commands: it is
// there for Block Kit's types.
func TestTheCommandsCallNoClient(t *testing.T) {
	out, err := exec.Command("grep", "-rnE", `slack\.(New\(|Client|PostWebhook|MsgOption)`, "--include=*.go", "--exclude=*_test.go", "../../../commands").Output()
	if err == nil {
		t.Errorf("commands uses slack-go's client:\n%s", out)
	}
}

// packages lists the module's packages by path, without tests.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "sekisho/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string][]string)
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, "sekisho/")] = p.Imports
	}
	return all
}
