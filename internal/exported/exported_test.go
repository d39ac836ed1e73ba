// Copyright The otelcol-dockerlogs Authors
// SPDX-License-Identifier: Apache-2.0

package exported

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestComponents holds that a component exports NewFactory and no other function, no struct
// that Config does not lead to, and none that a literal without keys could make: a new field
// would break whoever wrote one.
func TestComponents(t *testing.T) {
	for _, dir := range []string{"../../receiver/dockerlogsreceiver", "../../extension/goroutinehealthextension"} {
		functions, structs := read(t, dir)
		assert.Equal(t, []string{"NewFactory"}, functions, dir)
		require.Contains(t, structs, "Config", dir)
		configured := make(map[string]bool)
		mark(structs, "Config", configured)
		for name, fields := range structs {
			assert.True(t, configured[name], "%s: %s is exported, and is no part of Config", dir, name)
			assert.True(t, hasUnexported(fields), "%s: %s has no field _ struct{}", dir, name)
		}
	}
}

// read returns the functions that a package exports, and its structs, those of tests too.
func read(t *testing.T, dir string) (functions []string, structs map[string]*ast.FieldList) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	structs = make(map[string]*ast.FieldList)
	for _, path := range paths {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, declaration := range file.Decls {
			switch d := declaration.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.IsExported() && !isTest(path) {
					functions = append(functions, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					if s, ok := spec.(*ast.TypeSpec); ok && s.Name.IsExported() {
						if fields, ok := s.Type.(*ast.StructType); ok {
							structs[s.Name.Name] = fields.Fields
						}
					}
				}
			}
		}
	}
	return functions, structs
}

func isTest(path string) bool {
	matched, _ := filepath.Match("*_test.go", filepath.Base(path))
	return matched
}

// mark notes a struct and those that the types of its fields name.
func mark(structs map[string]*ast.FieldList, name string, marked map[string]bool) {
	fields, ok := structs[name]
	if !ok || marked[name] {
		return
	}
	marked[name] = true
	for _, field := range fields.List {
		ast.Inspect(field.Type, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				mark(structs, id.Name, marked)
			}
			return true
		})
	}
}

func hasUnexported(fields *ast.FieldList) bool {
	for _, field := range fields.List {
		for _, name := range field.Names {
			if !name.IsExported() {
				return true
			}
		}
	}
	return false
}
