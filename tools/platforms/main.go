// Command platforms type-checks the packages of a module, or of a workspace, for other
// platforms, with their commands and tests, from the source of the standard library on
// up. It compiles nothing, so a platform takes seconds where a compiler with an empty
// cache takes minutes.
//
//	go -C tools run ./platforms [-dir ..] [PLATFORM...]
//
// A platform is named as in freebsd/arm; without one, all that Go knows are checked.
// Where Go's own linker does not link, commands and tests are left out.
// It prints a line a platform and what is wrong, and ends with status 1 if anything is.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/tools/go/packages"
)

var dir = flag.String("dir", "..", "a `directory` of the module; the environment's GOWORK names a workspace")

// atOnce bounds memory: a platform's syntax and types take some 300 MB.
const atOnce = 2

func main() {
	flag.Parse()
	platforms := flag.Args()
	if len(platforms) == 0 {
		out, err := exec.Command("go", "tool", "dist", "list").Output()
		if err != nil {
			fmt.Fprintln(os.Stderr, "platforms: go tool dist list:", err)
			os.Exit(2)
		}
		platforms = strings.Fields(string(out))
	}
	results := make([]result, len(platforms))
	room := make(chan struct{}, atOnce)
	var checks sync.WaitGroup
	for i, platform := range platforms {
		room <- struct{}{}
		checks.Go(func() {
			results[i] = check(platform)
			<-room
		})
	}
	checks.Wait()
	failed := 0
	for _, r := range results {
		r.print()
		if len(r.errors) > 0 {
			failed++
		}
	}
	if failed > 0 {
		fmt.Fprintf(os.Stderr, "platforms: %d of %d failed\n", failed, len(results))
		os.Exit(1)
	}
}

// result is what became of a platform.
type result struct {
	platform  string
	packages  int  // of the modules, their tests counted apart
	libraries bool // commands and tests were left out
	errors    []string
	took      time.Duration
}

func (r result) print() {
	status := "ok"
	if len(r.errors) > 0 {
		status = "FAILED"
	}
	system, architecture, _ := strings.Cut(r.platform, "/")
	what := "packages"
	if r.libraries {
		what = "packages, no commands or tests"
	}
	fmt.Printf("%-10s %-9s %-7s %5.1f s %3d %s\n", system, architecture, status, r.took.Seconds(), r.packages, what)
	for _, e := range r.errors {
		fmt.Println("\t" + e)
	}
}

// check type-checks the modules for a platform, and says of each mistake once.
func check(platform string) result {
	began := time.Now()
	r := result{platform: platform}
	system, architecture, ok := strings.Cut(platform, "/")
	if !ok {
		r.errors = []string{"want a platform such as freebsd/arm"}
		return r
	}
	roots, err := load(system, architecture, true, "work")
	if err == nil && slices.ContainsFunc(roots, unlinkable) {
		r.libraries = true
		roots, err = load(system, architecture, false, libraries(roots)...)
	}
	if err != nil {
		r.errors = []string{err.Error()}
		return r
	}
	packages.Visit(roots, nil, func(p *packages.Package) {
		for _, e := range p.Errors {
			if !slices.Contains(r.errors, e.Error()) {
				r.errors = append(r.errors, e.Error())
			}
		}
	})
	r.packages, r.took = len(roots), time.Since(began)
	return r
}

func load(system, architecture string, tests bool, patterns ...string) ([]*packages.Package, error) {
	return packages.Load(&packages.Config{
		Mode: packages.NeedName | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax |
			packages.NeedTypesSizes,
		Dir:   *dir,
		Env:   append(os.Environ(), "GOOS="+system, "GOARCH="+architecture, "CGO_ENABLED=0"),
		Tests: tests,
	}, patterns...)
}

// unlinkable tells whether p is a command that only a linker of C's would link.
func unlinkable(p *packages.Package) bool {
	return slices.ContainsFunc(p.Errors, func(e packages.Error) bool {
		return strings.Contains(e.Msg, "requires external (cgo) linking")
	})
}

// libraries are the paths of packages that are neither commands nor tests.
func libraries(roots []*packages.Package) (paths []string) {
	for _, p := range roots {
		if p.Name != "main" && p.ID == p.PkgPath && !strings.HasSuffix(p.PkgPath, "_test") {
			paths = append(paths, p.PkgPath)
		}
	}
	return paths
}
