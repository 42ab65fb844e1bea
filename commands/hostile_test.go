package commands_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/slack-go/slack"
)

// hostileNames are what somebody who may name an instance could try.
var hostileNames = map[string]string{
	"a broadcast":        "<!channel> look here",
	"a broadcast to all": "<!everyone|x>",
	"a mention":          "<@U0BEN> and <@U0BEN|hana>",
	"a group":            "<!subteam^S0GROUP>",
	"a channel":          "<#C0OTHER>",
	"a link":             "<https://evil.test|sign in>",
	"a bare link":        "https://evil.test",
	"a mail link":        "<mailto:a@evil.test|x>",
	"an at":              "@channel @here",
	"a way out of code":  "x` <!channel> `y",
	"a code block":       "```\n<!here>\n```",
	"escapes":            "&lt;!channel&gt; &amp;",
	"lines":              "a\nb\r\nc\u2028d\vf",
	"right to left":      "a\u202egnp.exe\u2066\u200f",
	"nothing to be seen": "\u200b\u2060\ufeff\u00ad",
	"blanks":             " \u00a0\u3000",
	"control characters": "a\x00\x1b[31mb\x7f\u009b",
	"bold and struck":    "*a* _b_ ~c~",
	"an emoji":           "🎫:rotating_light:",
	"300 characters":     strings.Repeat("ä", 300),
	"300 signs":          strings.Repeat("<", 300),
	"300 ampersands":     strings.Repeat("&", 300),
	"300 emoji":          strings.Repeat("👩‍🚒", 100),
	"no UTF-8":           "a\xff\xfe\xc3b",
	"a date":             "<!date^0^{date}|x>",
}

// ours is what messages may hold of Slack's own marks: dates, the tests'
// channels and people, links to AWS's console, and the call to those present
// at the head of an escalation.
var ours = regexp.MustCompile(`<!date\^\d+\^[^|<>]+\|[^<>]+>|<#(` + alerts + `|` + loud + `|` + keysChannel + `|` + reportsChannel + `)>|<@U0(HANA|BEN|MAI|LEAD\d\d)>|<!subteam\^` + leads + `>|` +
	`<https://eu-central-1\.console\.aws\.amazon\.com/ec2/home\?region=eu-central-1#InstanceDetails:instanceId=i-[0-9a-f]+\|i-[0-9a-f]+>|` +
	`<https://us-east-1\.console\.aws\.amazon\.com/iam/home#/users/details/[\w%.~$&+=:@!*'(),;-]+\?section=security_credentials\|IAM console>|^(:rotating_light: )?<!here> `)

func TestNoNameMakesAMessageDoAnything(t *testing.T) {
	plain := make(map[string]string)
	for _, m := range everyMessage(t, "web-1") {
		marked, _ := allText(t, m)
		plain[m.file+": "+m.name] = strings.Join(marked, "\n")
	}
	for label, name := range hostileNames {
		t.Run(label, func(t *testing.T) {
			all := everyMessage(t, name)
			for _, m := range all {
				texts, shownAsIs := allText(t, m)
				// What was looked up decides which sentence these are; a name of
				// nothing is shown as that, and lines that are too many are not.
				whole := strings.Join(texts, " ")
				varies := m.file == "find" || m.file == "revoke" || strings.Contains(whole, "(blank)") || strings.Contains(whole, "the rest is in the files")
				for _, text := range texts {
					if rest := ours.ReplaceAllString(text, ""); strings.ContainsAny(rest, "<>") {
						t.Errorf("%s, %s: something live: %q", m.file, m.name, text)
					}
				}
				for _, text := range append(shownAsIs, texts...) {
					for _, r := range text {
						if r != '\n' && unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) && r != '\u200d' {
							t.Errorf("%s, %s: %U in %q", m.file, m.name, r, text)
						}
					}
				}
				as := plain[m.file+": "+m.name]
				for _, sign := range []string{"`", "\n"} {
					if got, want := strings.Count(strings.Join(texts, "\n"), sign), strings.Count(as, sign); got != want && !varies {
						t.Errorf("%s, %s: %d of %q, with a plain name %d: %q", m.file, m.name, got, sign, want, texts)
					}
				}
			}
			if len(name) >= 300 { // a short one fits where a plain one does
				slackTakes(t, all)
			}
		})
	}
}

// allText is every text of a message, wherever it stands: those in which Slack
// finds its own marks, and those that it shows as they are. It must not look
// for names and links in any that are marked up.
func allText(t *testing.T, m shown) (marked, plain []string) {
	t.Helper()
	marked = []string{m.text}
	walk(m.blocks, func(v map[string]any) {
		text, ok := v["text"].(string)
		switch {
		case !ok:
		case v["type"] == "plain_text", v["type"] == "raw_text", v["type"] == "raw_number": // the last two in tables
			plain = append(plain, text)
		case v["verbatim"] != true:
			t.Errorf("%s, %s: Slack would look for names and links in %q", m.file, m.name, text)
		default:
			marked = append(marked, text)
		}
	})
	return marked, plain
}

// walk goes through every object in the blocks' JSON.
func walk(blocks []slack.Block, each func(map[string]any)) {
	raw, err := json.Marshal(blocks)
	if err != nil {
		panic(err)
	}
	var all any
	if err := json.Unmarshal(raw, &all); err != nil {
		panic(err)
	}
	var into func(v any)
	into = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				into(e)
			}
		case map[string]any:
			each(v)
			for _, e := range v {
				into(e)
			}
		}
	}
	into(all)
}
