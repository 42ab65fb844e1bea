// Package cfn reads CloudFormation and SAM templates and works out what they
// deploy for given parameters: as much of it as Sekisho's own templates use,
// and an error for the rest. Nothing is asked of AWS, so that tests can hold
// what would be deployed against the code.
package cfn

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Template is a template as it is written: maps, lists, strings, numbers and
// bools, where a function (`!Ref X`) is a map of its long form ({"Ref": "X"}).
type Template struct {
	sections map[string]any
}

// Read reads a template's YAML.
func Read(text []byte) (*Template, error) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, err
	}
	if len(file.Docs) != 1 {
		return nil, fmt.Errorf("a template is one document, this file has %d", len(file.Docs))
	}
	root, err := value(file.Docs[0].Body)
	if err != nil {
		return nil, err
	}
	sections, ok := root.(map[string]any)
	if !ok {
		return nil, errors.New("a template is a mapping")
	}
	return &Template{sections: sections}, nil
}

// Section is one of the template's top parts, such as Resources.
func (t *Template) Section(name string) map[string]any {
	m, _ := t.sections[name].(map[string]any)
	return m
}

func value(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return mapping(n.Values)
	case *ast.MappingValueNode:
		return mapping([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		list := []any{}
		for _, v := range n.Values {
			one, err := value(v)
			if err != nil {
				return nil, err
			}
			list = append(list, one)
		}
		return list, nil
	case *ast.TagNode:
		return tagged(n)
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.NullNode:
		return nil, nil
	case ast.ScalarNode:
		return n.GetValue(), nil
	}
	return nil, fmt.Errorf("line %d: %s has no place in a template", n.GetToken().Position.Line, n.Type())
}

func mapping(values []*ast.MappingValueNode) (any, error) {
	m := make(map[string]any, len(values))
	for _, v := range values {
		key := fmt.Sprint(v.Key.(ast.ScalarNode).GetValue())
		if _, twice := m[key]; twice {
			return nil, fmt.Errorf("line %d: %s stands twice", v.GetToken().Position.Line, key)
		}
		one, err := value(v.Value)
		if err != nil {
			return nil, err
		}
		m[key] = one
	}
	return m, nil
}

// tagged is a function in its long form.
func tagged(n *ast.TagNode) (any, error) {
	arg, err := value(n.Value)
	if err != nil {
		return nil, err
	}
	switch name := strings.TrimPrefix(n.Start.Value, "!"); name {
	case "Ref", "Condition":
		return map[string]any{name: arg}, nil
	case "GetAtt":
		if text, ok := arg.(string); ok {
			resource, attribute, _ := strings.Cut(text, ".")
			arg = []any{resource, attribute}
		}
		return map[string]any{"Fn::GetAtt": arg}, nil
	default:
		return map[string]any{"Fn::" + name: arg}, nil
	}
}
