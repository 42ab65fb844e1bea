package paper_test

import (
	"encoding/csv"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"sekisho/auth/report"
	"sekisho/auth/report/reporttest"
)

// hostile are texts that somebody may write into a name, a note or a reason.
var hostile = map[string]string{
	"tags":          `</td></table><script src="https://example.com/x.js">alert(1)</script><img src=x onerror=alert(1)>`,
	"attributes":    `" onmouseover="alert(1)" x="' onload='alert(1)`,
	"template":      `{{.Title}}{{template "picture" .}}`,
	"formula":       `=cmd|' /C calc'!A0`,
	"plus":          `+1+cmd()`,
	"minus":         "-2+3+cmd()",
	"at":            "@SUM(1+1)*cmd()",
	"semicolon":     `x;=HYPERLINK("https://example.com";"y")`,
	"after a space": `x|y; -2+3+cmd()`,
	"after a quote": `x | "+1+cmd()`,
	"pipe":          "x|;\t@SUM(1+1)",
	"tab":           "\t=cmd()",
	"line's end":    "\r=cmd()",
	"hidden before": "\u200e\u202e=cmd()",
	"lines":         "one\ntwo\r\nthree\u2028four\u0085five\n\n\nSubject: x",
	"escapes":       "\x1b[2J\x1b]0;title\x07\x1b[31mred\u009b31m\x00\b\b\b",
	"right to left": "\u202egnp.exe\u202c \u2066x\u2069 \u200f\u061c",
	"unseen":        "a\u200b\u2060\ufeff\u00adb",
	"not UTF-8":     "a\xff\xfeb\xc3",
	"blank":         " \t\u00a0 ",
	"long":          strings.Repeat("x", 10_000),
	"long and wide": strings.Repeat("関", 1000),
	"long quotes":   strings.Repeat(`"`, 1000),
	"combining":     "e" + strings.Repeat("\u0301", 1000),
}

// poison writes the text into everything in a report that others may have
// written, which is any text but our own words for states and findings.
func poison(v reflect.Value, text string) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			poison(v.Elem(), text)
		}
	case reflect.Struct:
		for n := range v.NumField() {
			if f := v.Type().Field(n); f.IsExported() && f.Name != "Better" {
				poison(v.Field(n), text)
			}
		}
	case reflect.Slice:
		for n := range v.Len() {
			poison(v.Index(n), text)
		}
	case reflect.Map: // the reasons
		v.SetMapIndex(reflect.ValueOf(text), reflect.ValueOf(7))
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() {
			v.SetString(text)
		}
	}
}

func TestHostile(t *testing.T) {
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			r := reporttest.Fixture()
			r.Users.Source, r.Changes.NotCompared = report.Source{Status: report.Partly}, []string{""}
			r.Starts.Source, r.Provenance.Problems = report.Source{Status: report.Unknown}, make([]report.Problem, 60)
			for _, status := range []report.Status{report.Known, report.Unknown} {
				r.Starts.Status = status
				poison(reflect.ValueOf(&r).Elem(), text)
				harmlessHTML(t, write(t, "html", r))
				harmlessText(t, write(t, "txt", r))
				harmlessText(t, write(t, "diff", r))
			}
			r.Starts.Status = report.Known
			harmlessCSV(t, write(t, "csv", r))
		})
	}
}

// tags are what the page is made of.
var tags = strings.Fields(`!DOCTYPE html head meta title style body div h1 h2 h3 p b br span table tr th td img
	/html /head /title /style /body /div /h1 /h2 /h3 /p /b /span /table /tr /th /td`)

func harmlessHTML(t *testing.T, html string) {
	t.Helper()
	if len(html) > 100_000 {
		t.Errorf("the HTML is %d bytes long", len(html))
	}
	for _, tag := range regexp.MustCompile(`<([^\s>]*)[^>]*`).FindAllStringSubmatch(html, -1) {
		if !slices.Contains(tags, tag[1]) {
			t.Errorf("the HTML has a tag %.80q", tag[0])
		}
		if strings.Contains(tag[0], "alert(") || strings.Contains(tag[0], "x=") {
			t.Errorf("the HTML has a tag with somebody's attributes: %.200q", tag[0])
		}
	}
	unseen(t, "HTML", html)
}

func harmlessText(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 && !strings.Contains(line, "\u0301") {
			t.Errorf("a line is %d characters long: %.120q", n, line)
		}
	}
	if len(text) > 200_000 {
		t.Errorf("the text is %d bytes long", len(text))
	}
	unseen(t, "text", text)
}

func harmlessCSV(t *testing.T, text string) {
	t.Helper()
	in := csv.NewReader(strings.NewReader(text))
	in.FieldsPerRecord = 5
	rows, err := in.ReadAll()
	if err != nil {
		t.Fatalf("the CSV cannot be read: %v", err)
	}
	for _, row := range rows {
		for _, cell := range row {
			// There are countries in which a spreadsheet begins a new cell at these.
			for part := range strings.FieldsFuncSeq(cell, func(r rune) bool { return r == ';' || r == '|' }) {
				if part = strings.TrimLeft(part, ` "`); part != "" && strings.ContainsRune("=+-@\t\r", rune(part[0])) {
					t.Errorf("a spreadsheet takes %.40q for a formula: %.80q", part, cell)
				}
			}
			if strings.ContainsAny(cell, "\r\n") || utf8.RuneCountInString(cell) > 32_767 {
				t.Errorf("a cell has lines, or is too long: %.80q", cell)
			}
		}
	}
	unseen(t, "CSV", text)
}

// unseen looks for what a terminal obeys, what turns text around, and what is no
// text at all.
func unseen(t *testing.T, form, text string) {
	t.Helper()
	if !utf8.ValidString(text) {
		t.Errorf("the %s is not UTF-8", form)
	}
	for at, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || r == unicode.ReplacementChar) {
			t.Fatalf("the %s has %U in %.80q", form, r, text[max(0, at-20):])
		}
	}
}

// TestLongestCell: Excel takes no more into a cell.
func TestLongestCell(t *testing.T) {
	for _, text := range []string{"1+", ";=", "関", "|@;-"} {
		r := reporttest.Fixture()
		r.Starts.BreakGlass[0].Why = strings.Repeat(text, 40_000)
		harmlessCSV(t, write(t, "csv", r))
	}
}

// TestFormulas: what begins like a formula gets a mark before it, and nothing else
// does.
func TestFormulas(t *testing.T) {
	for text, want := range map[string]string{
		`=1+1`:                  `'=1+1`,
		`x;=HYPERLINK("a";"b")`: `x;'=HYPERLINK("a";"b")`,
		`x; -1|@y|"+1`:          `x; '-1|'@y|"'+1`,
		`;;==1`:                 `;;'==1`,
		`a-b; c=d, =e`:          `a-b; c=d, =e`,
		`ben; b@example.com|c`:  `ben; b@example.com|c`,
	} {
		r := reporttest.Fixture()
		r.Users.Added = []string{text}
		rows, err := csv.NewReader(strings.NewReader(write(t, "csv", r))).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(rows, func(row []string) bool { return row[1] == "added" && row[2] == want }) {
			t.Errorf("the CSV does not have %q as %q", text, want)
		}
	}
}

// TestOwnNumbersStayNumbers: a spreadsheet can add up what we count.
func TestOwnNumbersStayNumbers(t *testing.T) {
	r := reporttest.Fixture()
	minus := -4.5
	r.Changes.Headline[0].Now = &minus
	text := write(t, "csv", r)
	for _, row := range []string{"starts,admitted,,11,", "changes,headline_now,starts_refused,-4.5,", "score,total,,78.4,"} {
		if !strings.Contains(text, "\n"+row) {
			t.Errorf("the CSV has no row %q", row)
		}
	}
}
