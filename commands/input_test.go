package commands_test

import (
	"errors"
	"strings"
	"testing"

	"sekisho/auth"
	"sekisho/commands"
)

// What a person may get wrong gets one sentence that says what is wrong and
// what to do; it is nobody's fault but theirs, so nothing is logged as one.
func TestBadInputGetsASentence(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []string // in the sentence
	}{
		"an unknown name":            {"mail-7", []string{"no instance named `mail-7`", "`/ec2-pass list` shows"}},
		"a name almost right":        {"wbe-1", []string{"no instance named `wbe-1`", "Did you mean `web-1`"}},
		"in other case":              {"WEB-1", []string{"Did you mean `web-1`"}},
		"a misspelt word":            {"mien", []string{"Did you mean `mine`"}},
		"a misspelt word and more":   {"revok web-1", []string{"Did you mean `revoke`"}},
		"an unknown id":              {"i-0ddddddddddddddd4", []string{"no such instance", "`/ec2-pass list` shows"}},
		"a short id":                 {"i-0aaa", []string{"`i-0aaa` is not an instance id", "17 digits"}},
		"not guarded":                {"build-1", []string{"not guarded", "no pass needed"}},
		"not guarded, by id":         {openID, []string{"not guarded"}},
		"running already":            {"db-1", []string{"already running"}},
		"terminated":                 {"i-0eeeeeeeeeeeeeee5", []string{"terminated"}},
		"4,000 characters":           {strings.Repeat("rubbish ", 500), []string{"longer than any instance's name", "help"}},
		"4,000 signs":                {strings.Repeat("<&>`", 1000), []string{"mention or a link"}},
		"an emoji":                   {"🎫", []string{"no instance named `🎫`"}},
		"an emoji by name":           {":ticket:", []string{"no instance named"}},
		"a mention":                  {"<@U0BEN>", []string{"mention or a link", "Name tag"}},
		"a channel":                  {"<#C0OPS|ops>", []string{"mention or a link"}},
		"a link":                     {"<https://example.test>", []string{"mention or a link"}},
		"quotes around nothing":      {"\"` '", []string{"no instance named (blank)"}},
		"control characters":         {"\x00\x1b[2J", []string{"no instance named"}},
		"words too many":             {"mail-7 please", []string{"no instance named `mail-7 please`"}},
		"revoke what":                {"revoke", []string{"Which one?", "`/ec2-pass mine`"}},
		"revoke what is not held":    {"revoke web-1", []string{"no live pass"}},
		"revoke an id not held":      {"revoke " + webID, []string{"no live pass"}},
		"revoke what is not there":   {"revoke mail-7", []string{"no instance named `mail-7`"}},
		"two lines":                  {"mail\n7", []string{"no instance named `mail 7`"}},
		"wildcards":                  {"w*-?", []string{"no instance named `w*-?`"}},
		"a name that is a directory": {"../../etc/passwd", []string{"no instance named"}},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			o.ec2.change(dbID, func(i *auth.Instance) { i.State = auth.Running })
			o.ec2.change("i-0eeeeeeeeeeeeeee5", func(i *auth.Instance) {
				i.State, i.Tags = auth.Terminated, map[string]string{"Sekisho": "guarded"}
			})
			m := o.ask(hana, c.text)
			for _, want := range c.want {
				if !strings.Contains(m.Text, want) {
					t.Errorf("%q does not say %q", m.Text, want)
				}
			}
			if len(m.Blocks) != 1 || len([]rune(m.Text)) > 400 {
				t.Errorf("that is no sentence: %d blocks, %q", len(m.Blocks), m.Text)
			}
			if said := o.chat.all(); len(said) > 0 {
				t.Errorf("others were told: %+v", said)
			}
			if log := o.log.String(); strings.Contains(log, "ERROR") || strings.Contains(log, "WARN") {
				t.Errorf("it is logged as a fault: %s", log)
			}
		})
	}
}

func TestListShowsTheGuardedInstances(t *testing.T) {
	for _, text := range []string{"list", "LIST", " list\n", "list 2"} {
		m := newOffice(t).ask(hana, text)
		if all := strings.Join(texts(m.Blocks), "\n"); !strings.Contains(all, "`web-1`") || !strings.Contains(all, "`db-1`") || strings.Contains(all, "build-1") {
			t.Errorf("%q is answered with %s", text, all)
		}
	}
}

func TestANameIsReadAsPeopleWriteIt(t *testing.T) {
	for _, text := range []string{"web-1", "`web-1`", " 'web-1' ", "\"web-1\"", "*web-1*", webID, strings.ToUpper(webID), "`" + webID + "`"} {
		o := newOffice(t)
		if m := o.ask(hana, text); !strings.Contains(m.Text, "one-time pass for `web-1`") {
			t.Errorf("%q is answered with %q", text, m.Text)
		}
	}
}

func TestANameThatSeveralBearAsksWhich(t *testing.T) {
	o := newOffice(t)
	o.ec2.tag(dbID, "Name", "web-1")
	m := o.ask(hana, "web-1")
	if !strings.Contains(m.Text, "2 instances are named `web-1`") {
		t.Fatalf("answered with %q", m.Text)
	}
	if keys := o.redis.Keys(); len(keys) != 1 || !strings.HasSuffix(keys[0], ":asks") {
		t.Errorf("a pass was issued all the same: %v", keys)
	}
	if m := o.click(hana, "pass_get", buttonValue(t, m, "pass_get:1")); !strings.Contains(strings.Join(texts(m.Blocks), "\n"), dbID) {
		t.Errorf("the second button gives %q", m.Text)
	}
}

func TestHelpAsksNothingOfAnybody(t *testing.T) {
	o := newOffice(t)
	o.redis.Close()
	for _, call := range []string{"Instance", "Named", "Guarded"} {
		o.ec2.fail[call] = errors.New("EC2 is away")
	}
	o.chat.goAway(errors.New("Slack is away"))
	m := o.ask("U0NOBODY", "help")
	all := strings.Join(texts(m.Blocks), "\n")
	for _, word := range []string{"/ec2-pass mine", "/ec2-pass revoke", "/ec2-pass help", "10 minutes", "`Auth`"} {
		if !strings.Contains(all, word) {
			t.Errorf("help does not speak of %q: %s", word, all)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"web", "web", 0}, {"web", "wbe", 1}, {"web", "we", 1}, {"web", "webs", 1}, {"web", "wob", 1},
		{"web-1", "db-1", 2}, {"é", "e", 1}, {"ab", "ba", 1}, {"abc", "cab", 2}, {"abcd", "badc", 2},
	} {
		if got := commands.Edits([]rune(c.a), []rune(c.b), 9); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := commands.Edits([]rune(c.b), []rune(c.a), 9); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.b, c.a, got, c.want)
		}
	}
}
