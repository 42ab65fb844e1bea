package slacksim

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/slack-go/slack"
)

// webMethods are what the bot's code calls: slack-go's method → the Web API's. Empty: no method of the Web API.
func webMethods() map[string]string {
	return map[string]string{
		"AuthTestContext":               "auth.test",
		"CompleteUploadExternalContext": "files.completeUploadExternal",
		"ExportManifestContext":         "apps.manifest.export",
		"ExportManifestRawContext":      "apps.manifest.export",
		"GetBotInfoContext":             "bots.info",
		"GetConversationInfoContext":    "conversations.info",
		"GetUploadURLExternalContext":   "files.getUploadURLExternal",
		"GetUserGroupMembersContext":    "usergroups.users.list",
		"GetUserInfoContext":            "users.info",
		"GetUsersInConversationContext": "conversations.members",
		"OpenConversationContext":       "conversations.open",
		"OpenViewContext":               "views.open",
		"PostEphemeralContext":          "chat.postEphemeral",
		"PostMessageContext":            "chat.postMessage",
		"PublishViewContext":            "views.publish",
		"StartSocketModeContext":        "apps.connections.open",
		"UpdateMessageContext":          "chat.update",
		"UploadToURL":                   "", // an address that needs no token
	}
}

// unneeded are scopes for kinds of conversations that the bot's code never reads.
var unneeded = []string{"im:read", "mpim:read"}

// TestTheManifestAsksForWhatTheCodeNeeds finds each method of slack-go's client that the bot's code uses, and from it the
// scopes: manifest.yml has them all, and none besides.
func TestTheManifestAsksForWhatTheCodeNeeds(t *testing.T) {
	manifest := repositorys(t)
	needed := map[string]string{} // scope → what for
	if len(manifest.Features.SlashCommands)+len(manifest.Features.Shortcuts) > 0 {
		needed["commands"] = "the slash commands and shortcuts of manifest.yml"
	}
	for client, where := range clientCalls(t, "../../..") {
		name, known := webMethods()[client]
		m, served := findMethod(name)
		switch {
		case !known:
			t.Errorf("%s calls %s, which webMethods does not know: say which method of the Web API it is", where, client)
		case name != "" && !served:
			t.Errorf("%s calls %s, which this package does not serve", where, name)
		}
		for _, scope := range m.scopes {
			if !slices.Contains(unneeded, scope) {
				needed[scope] = where + " calling " + name
			}
		}
	}
	if len(needed) < 5 {
		t.Fatalf("only these scopes seem to be needed: %v; the search for calls finds too little", needed)
	}
	asked := manifest.OAuthConfig.Scopes.Bot
	for scope, why := range needed {
		if !slices.Contains(asked, scope) {
			t.Errorf("manifest.yml lacks the scope %s, needed by %s", scope, why)
		}
	}
	for _, scope := range asked {
		if needed[scope] == "" {
			t.Errorf("manifest.yml asks for the scope %s, which nothing needs", scope)
		}
	}
}

// clientCalls finds the methods of slack-go's client that the module at root uses, each with one place. A method is told by its
// name, in packages that import slack-go: a false find would be a method of ours by the same name.
func clientCalls(t *testing.T, root string) map[string]string {
	t.Helper()
	client := reflect.TypeFor[*slack.Client]()
	found, files := map[string]string{}, token.NewFileSet()
	for dir, sources := range slackPackages(t, root, files) {
		for name, source := range sources {
			ast.Inspect(source, func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				pkg, _ := s.X.(*ast.Ident)
				if _, is := client.MethodByName(s.Sel.Name); is && (pkg == nil || pkg.Name != "slack") {
					found[s.Sel.Name] = path.Join(dir, name)
				}
				return true
			})
		}
	}
	return found
}

// slackPackages reads the code of each package of the module at root that imports slack-go, without tests and the local world.
func slackPackages(t *testing.T, root string, files *token.FileSet) map[string]map[string]*ast.File {
	t.Helper()
	all, uses := map[string]map[string]*ast.File{}, map[string]bool{}
	module := os.DirFS(root)
	err := fs.WalkDir(module, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && (name == "infra/local" || name != "." && strings.HasPrefix(e.Name(), ".")):
			return fs.SkipDir
		case path.Ext(name) != ".go" || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(module, name)
		if err != nil {
			return err
		}
		source, err := parser.ParseFile(files, name, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir := path.Dir(name)
		if all[dir] == nil {
			all[dir] = map[string]*ast.File{}
		}
		all[dir][path.Base(name)] = source
		uses[dir] = uses[dir] || slices.ContainsFunc(source.Imports, func(i *ast.ImportSpec) bool {
			return i.Path.Value == `"github.com/slack-go/slack"`
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := range all {
		if !uses[dir] {
			delete(all, dir)
		}
	}
	return all
}
