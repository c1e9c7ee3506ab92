package docs

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stator-go/stator/internal/markdown"
)

const module = "github.com/stator-go/stator"

// drawing is the block of ARCHITECTURE.md that says which way imports run.
type drawing struct {
	lines    map[string]int  // by name: the line that it stands in, from the top
	optional map[string]bool // it may be missing
}

func readDrawing(t *testing.T) drawing {
	t.Helper()
	d := drawing{map[string]int{}, map[string]bool{}}
	for _, b := range blocks(t, "ARCHITECTURE.md") {
		if b.Lang != "imports" {
			continue
		}
		for i, line := range strings.Split(b.Text, "\n") {
			for _, name := range strings.Fields(line) {
				name, optional := strings.CutSuffix(name, "?")
				if _, twice := d.lines[name]; twice {
					t.Fatalf("%s draws %s twice", b, name)
				}
				d.lines[name], d.optional[name] = i, optional
			}
		}
	}
	if len(d.lines) == 0 {
		t.Fatal("ARCHITECTURE.md has no block of imports")
	}
	return d
}

// find returns the name that stands for a package: its own, or that of a folder above it
// which is drawn with "/..." or comes from outside.
func (d drawing) find(pkg string) (name string, ok bool) {
	if _, ok := d.lines[pkg]; ok {
		return pkg, true
	}
	for dir := pkg; dir != ""; {
		if _, ok := d.lines[dir+"/..."]; ok {
			return dir + "/...", true
		}
		if _, ok := d.lines[dir]; ok && outside(dir) {
			return dir, true
		}
		dir = dir[:max(0, strings.LastIndexByte(dir, '/'))]
	}
	return "", false
}

// allows reports whether one drawn name may import another: it stands higher, or both
// are one folder.
func (d drawing) allows(from, to string) bool {
	return d.lines[from] < d.lines[to] || from == to && strings.HasSuffix(from, "/...")
}

// outside reports whether a name, without this module's prefix, is of another module.
// Those of the standard library have no dot in their first part, and are left out before.
func outside(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return strings.Contains(first, ".")
}

// listed is what go list says of a package.
type listed struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T, system string) (all []listed) {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir, cmd.Stderr = "..", os.Stderr
	cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0", "GOFLAGS=")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for dec := json.NewDecoder(out); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return all
}

// Each package is drawn in ARCHITECTURE.md, each that is drawn is there, and imports run
// down only.
func TestImportsRunAsDrawn(t *testing.T) {
	needs(t, "go")
	d := readDrawing(t)
	used := map[string]bool{}
	for _, system := range []string{"linux", "windows", "darwin", "freebsd", "solaris", "js"} {
		for _, p := range list(t, system) {
			pkg := strings.TrimPrefix(p.ImportPath, module+"/")
			from, ok := d.find(pkg)
			if !ok {
				t.Errorf("%s is not drawn in ARCHITECTURE.md", pkg)
				continue
			}
			used[from] = true
			for _, imported := range p.Imports {
				imported, ours := strings.CutPrefix(imported, module+"/")
				if !ours && !outside(imported) {
					continue // the standard library
				}
				to, ok := d.find(imported)
				used[to] = true
				if !ok || !d.allows(from, to) {
					t.Errorf("on %s, %s imports %s: ARCHITECTURE.md does not draw that below it", system, pkg, imported)
				}
			}
		}
	}
	for name := range d.lines {
		if !used[name] && !d.optional[name] {
			t.Errorf("ARCHITECTURE.md draws %s, which is not there", name)
		}
	}
}

// The test sees what it is for: an import that runs up, or beside.
func TestDrawingForbids(t *testing.T) {
	d := readDrawing(t)
	for _, pair := range [][2]string{
		{"slab", "reactor"}, {"slab", "timerwheel"}, {"fsm", "reactor"}, {"reactor/driver", "reactor/internal/osdriver"},
		{"reactor", "fuzz"}, {"fuzz", "examples/echo"}, {"internal/markdown", "slab"},
	} {
		from, _ := d.find(pair[0])
		to, _ := d.find(pair[1])
		if from == "" || to == "" || d.allows(from, to) {
			t.Errorf("%s may import %s", pair[0], pair[1])
		}
	}
	for _, name := range []string{"newroom", "reactor/newroom", "gopkg.in/yaml.v3"} {
		if found, ok := d.find(name); ok {
			t.Errorf("%s is taken for %s", name, found)
		}
	}
}

// blocks returns the code blocks of a document of this folder.
func blocks(t *testing.T, file string) []markdown.Block {
	t.Helper()
	all, err := markdown.Blocks(file)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// needs skips a test where a program that it runs is missing; .ci/install has them all. It
// looks at each file of the repository, which that program may read: go test, which caches
// results, runs the test again when one of them has changed.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	err := filepath.WalkDir("..", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() == ".git" && entry.IsDir() {
			return fs.SkipDir // a folder of another test has gone
		}
		os.Stat(name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
