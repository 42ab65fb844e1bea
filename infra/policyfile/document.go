package policyfile

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The parser's time and memory grow with the square of these two and worse: a
// megabyte of "[" would be fatal.
const (
	deepest  = 20   // brackets and dashes in one another; the schema needs 6
	mostKeys = 5000 // in all
)

// document turns the text into the mapping at its top.
func document(f *faults, text []byte) (value, bool) {
	if len(text) > largest {
		f.add(position{}, "keep it below 1 MiB", "the file is too large")
		return value{}, false
	}
	f.lines = lines(string(text))
	if findBadText(f) || findSecrets(f) {
		return value{}, false
	}
	tokens := lexer.Tokenize(strings.Join(f.lines, "\n"))
	if overgrown(f, tokens) {
		return value{}, false
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // entries reports those, all of them
	if err != nil {
		f.add(syntax(err))
		return value{}, false
	}
	return top(f, file)
}

// lines splits the text, whatever the line ends: the parser counts a comment's
// CR and LF as two.
func lines(text string) []string {
	text = strings.TrimPrefix(text, "\ufeff")
	text = strings.ReplaceAll(text, "\r\n", "\n")
	return strings.Split(strings.ReplaceAll(text, "\r", "\n"), "\n")
}

// findBadText looks for bytes that are not text.
func findBadText(f *faults) bool {
	for i, line := range f.lines {
		if utf8.ValidString(line) {
			continue
		}
		column := 1
		for rest := line; ; column++ {
			r, size := utf8.DecodeRuneInString(rest)
			if r == utf8.RuneError && size == 1 {
				break
			}
			rest = rest[size:]
		}
		f.add(position{i + 1, column}, "save the file as UTF-8", "this is not UTF-8")
		return true
	}
	return false
}

// overgrown refuses what the parser could choke on. Nesting by indentation needs
// no limit: its depth is at most the square root of the file's size.
func overgrown(f *faults, tokens token.Tokens) bool {
	open, dashes, keys, line := 0, 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			open++
		case token.MappingEndType, token.SequenceEndType:
			open = max(open-1, 0)
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		case token.MappingValueType:
			keys++
		}
		if open+dashes > deepest {
			return !f.add(place(t), "write it flatter; a policy needs six levels", "brackets or dashes are nested too deeply")
		}
		if keys > mostKeys {
			return !f.add(place(t), fmt.Sprintf("a policy has at most %d", mostKeys), "there are too many keys")
		}
	}
	return false
}

// syntax takes place and words out of the parser's error, whose own rendering
// would repeat lines that may hold a secret.
func syntax(err error) (at position, instead, what string) {
	instead = "look for a wrong indent, quote, bracket or colon here or just above"
	var e interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &e) {
		return position{}, instead, "the file is not YAML"
	}
	return place(e.GetToken()), instead, "not YAML: " + e.GetMessage()
}

func top(f *faults, file *ast.File) (value, bool) {
	var body ast.Node
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil: // nothing but comments
		case body == nil:
			body = doc.Body
		default:
			f.add(start(doc.Body), "keep one policy in one file, without a line of ---", "a second document begins here")
			return value{}, false
		}
	}
	if body == nil {
		f.add(position{}, "begin it with version: 1", "the file is empty")
		return value{}, false
	}
	at := start(body)
	return value{at: at, key: at, node: body, f: f}, true
}
