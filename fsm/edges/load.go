package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// The packages that edges knows.
const (
	fsmPath     = "github.com/stator-go/stator/fsm"
	reactorPath = "github.com/stator-go/stator/reactor"
)

// pack is a package: its source, its types and its index.
type pack struct {
	fset  *token.FileSet
	info  *types.Info
	files []*ast.File
	index
}

// listed is the output of go list for a package.
type listed struct {
	ImportPath      string
	Dir             string
	Export          string
	CompiledGoFiles []string
	ImportMap       map[string]string
	Deps            []string
	DepOnly         bool
	Module          *struct{ GoVersion string }
}

// load reads the packages that depend on package fsm; others cannot contain a table. It
// reads their imports from the compiler's export data, which is fast and needs only the
// go command.
func load(patterns []string) ([]*pack, error) {
	list, err := golist(patterns)
	if err != nil {
		return nil, err
	}
	export := make(map[string]string)
	for _, l := range list {
		export[l.ImportPath] = l.Export
	}
	fset := token.NewFileSet()
	imports := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) {
		if export[path] == "" {
			return nil, fmt.Errorf("no export data for %s", path)
		}
		return os.Open(export[path])
	})
	var packages []*pack
	for _, l := range list {
		if l.DepOnly || !slices.Contains(l.Deps, fsmPath) {
			continue
		}
		p, err := parse(fset, imports, l)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", l.ImportPath, err)
		}
		packages = append(packages, p)
	}
	return packages, nil
}

func golist(patterns []string) (list []*listed, err error) {
	args := []string{"list", "-export", "-deps", "-compiled",
		"-json=ImportPath,Dir,Export,CompiledGoFiles,ImportMap,Deps,DepOnly,Module", "--"}
	cmd := exec.Command("go", append(args, patterns...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, strings.TrimSpace(stderr.String()))
	}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		l := new(listed)
		if err := dec.Decode(l); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		list = append(list, l)
	}
}

func parse(fset *token.FileSet, imports types.Importer, l *listed) (*pack, error) {
	p := &pack{fset: fset, info: &types.Info{
		Types:      make(map[ast.Expr]types.TypeAndValue),
		Defs:       make(map[*ast.Ident]types.Object),
		Uses:       make(map[*ast.Ident]types.Object),
		Selections: make(map[*ast.SelectorExpr]*types.Selection),
	}}
	for _, name := range l.CompiledGoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(l.Dir, name)
		}
		f, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		p.files = append(p.files, f)
	}
	conf := types.Config{
		Importer: mapped{imports, l.ImportMap},
		Sizes:    types.SizesFor("gc", runtime.GOARCH),
	}
	if l.Module != nil && l.Module.GoVersion != "" {
		conf.GoVersion = "go" + l.Module.GoVersion
	}
	if _, err := conf.Check(l.ImportPath, fset, p.files, p.info); err != nil {
		return nil, err
	}
	p.index = makeIndex(p.info, p.files)
	return p, nil
}

// mapped is an importer that first maps import paths, as vendoring needs it.
type mapped struct {
	types.Importer
	names map[string]string
}

func (m mapped) Import(path string) (*types.Package, error) {
	if name, ok := m.names[path]; ok {
		path = name
	}
	return m.Importer.Import(path)
}
