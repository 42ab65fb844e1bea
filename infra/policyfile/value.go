package policyfile

import (
	"fmt"
	"math"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// value is one value of the file: what was written, and where.
type value struct {
	path string   // such as gate.lock.after; empty for the whole file
	key  position // of its key, or of itself where it has none
	at   position
	node ast.Node
	f    *faults
}

// entry is one key of a mapping with its value.
type entry struct {
	name string
	value
}

// String is what messages call the value.
func (v value) String() string {
	if v.path == "" {
		return "the file"
	}
	return v.path
}

// wrong adds a fault at the value. It is always false, for a read to return.
func (v value) wrong(instead, what string, args ...any) bool {
	return v.f.add(v.at, instead, what, args...)
}

// not adds the fault that something else was written than is wanted here.
func (v value) not(wanted, instead string) bool {
	switch v.node.(type) {
	case *ast.NullNode:
		return v.f.add(v.key, instead, "%s has no value", v)
	case *ast.AliasNode:
		return v.wrong("write the value itself, in quotes where it begins with *", "%s is %s, which is not read here", v, v.kind())
	case *ast.AnchorNode, *ast.TagNode, *ast.DirectiveNode:
		return v.wrong("write the value itself", "%s is %s, which is not read here", v, v.kind())
	}
	return v.wrong(instead, "%s is %s, not %s", v, v.kind(), wanted)
}

// kind names what was written.
func (v value) kind() string {
	switch v.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode:
		return "a number"
	case *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number with a fraction"
	case *ast.BoolNode:
		return "a truth value"
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.AnchorNode:
		return "an anchor"
	case *ast.AliasNode:
		return "an alias"
	case *ast.TagNode:
		return "a YAML tag"
	case *ast.DirectiveNode:
		return "a YAML directive"
	}
	return "something else"
}

func (v value) text(wanted, instead string) (string, bool) {
	switch n := v.node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	}
	return "", v.not(wanted, instead)
}

// number is the whole number that was written, or the nearest that an int holds.
func (v value) number(wanted, instead string) (int, bool) {
	if n, ok := v.node.(*ast.IntegerNode); ok {
		switch i := n.Value.(type) {
		case int64:
			return int(i), true
		case uint64:
			return int(min(i, math.MaxInt)), true
		}
	}
	return 0, v.not(wanted, instead)
}

func (v value) truth() (b, ok bool) {
	if n, ok := v.node.(*ast.BoolNode); ok {
		return n.Value, true
	}
	return false, v.not("true or false", "write true or false")
}

func (v value) items() ([]value, bool) {
	list, ok := v.node.(*ast.SequenceNode)
	if !ok {
		return nil, v.not("a list", "write a list, such as [one, two], or one - item on each line")
	}
	items := make([]value, len(list.Values))
	for i, node := range list.Values {
		at := start(node)
		items[i] = value{path: fmt.Sprintf("%s[%d]", v.path, i), key: at, at: at, node: node, f: v.f}
	}
	return items, true
}

// entries lists the keys of a mapping in the file's order, each once. It is nil
// where the value is no mapping; not ok also where some keys cannot be used.
func (v value) entries() (list []entry, ok bool) {
	m, ok := v.node.(*ast.MappingNode)
	if !ok {
		return nil, v.not("a mapping", "write its fields below it, indented, or as {name: value}")
	}
	list = make([]entry, 0, len(m.Values)) // not nil
	first := make(map[string]position)
	for _, pair := range m.Values {
		at := start(pair.Key)
		name, isText := pair.Key.(*ast.StringNode)
		if !isText {
			ok = v.f.add(at, "write a plain word, or put it in quotes", "%s has a key that is not plain text", v)
			continue
		}
		if closeColon(pair) {
			ok = v.f.add(at, "put a space after the colon, or quotes around a key that has colons in it",
				"%s: it is not clear where this key ends", v)
			continue
		}
		if before, twice := first[name.Value]; twice {
			ok = v.f.add(at, fmt.Sprintf("keep one; the other is on line %d", before.line), "%s has %s twice", v, quote(name.Value))
			continue
		}
		first[name.Value] = at
		path := strings.TrimPrefix(v.path+"."+name.Value, ".")
		list = append(list, entry{name.Value, value{path: path, key: at, at: start(pair.Value), node: pair.Value, f: v.f}})
	}
	return list, ok
}

// closeColon says whether a plain key is parted from its value by a colon alone.
// In braces the parser takes {a:b: c} for a: "b: c", where YAML has the key a:b.
func closeColon(pair *ast.MappingValueNode) bool {
	colon, v := place(pair.Start), start(pair.Value)
	return pair.Key.GetToken().Type == token.StringType && v.line == colon.line && v.column == colon.column+1 &&
		pair.Value.Type() != ast.NullType
}

// get finds one field of a mapping that has been read without fault.
func (v value) get(name string) (value, bool) {
	entries, _ := v.entries()
	for _, e := range entries {
		if e.name == name {
			return e.value, true
		}
	}
	return value{}, false
}

// start is where the node begins. A mapping without brackets begins at its first
// key, while the parser has it begin at that key's colon.
func start(n ast.Node) position {
	if m, ok := n.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return start(m.Values[0].Key)
	}
	return place(n.GetToken())
}

func place(t *token.Token) position {
	if t == nil || t.Position == nil {
		return position{}
	}
	return position{t.Position.Line, t.Position.Column}
}
