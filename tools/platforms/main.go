// Command platforms type-checks the packages of a module, or of a workspace, with their
// commands and tests, for other platforms. It type-checks from source, the standard
// library included, and compiles nothing: a platform takes seconds, not the minutes of
// a compiler with an empty cache.
//
//	go -C tools run ./platforms [-dir directory] [platform...]
//
// A platform is written as in freebsd/arm; the default is every platform that Go knows.
// Commands and tests are left out for platforms on which linking them needs cgo. The
// command prints one line per platform and the errors. The exit status is 1 if there are
// errors, and 2 if it could not begin.
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

const usage = `platforms type-checks the packages, commands and tests of a module for other platforms.

	go -C tools run ./platforms [-dir directory] [platform...]

A platform is written as in freebsd/arm; the default is every platform that Go knows.

`

var dir = flag.String("dir", "..", "a `directory` of the module; if GOWORK is set, of the workspace")

// atOnce is how many platforms are checked at once. It bounds memory: the syntax and types
// of one take some 300 MB.
const atOnce = 2

func main() {
	flag.Usage = func() {
		fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
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

// result is the result of checking one platform.
type result struct {
	platform  string
	packages  int  // checked packages of the modules; a package's tests count as another
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

// check type-checks the modules for a platform. It lists each error once.
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

// unlinkable reports whether p is a command that only cgo's linker can link.
func unlinkable(p *packages.Package) bool {
	return slices.ContainsFunc(p.Errors, func(e packages.Error) bool {
		return strings.Contains(e.Msg, "requires external (cgo) linking")
	})
}

// libraries returns the paths of the packages that are neither commands nor tests.
func libraries(roots []*packages.Package) (paths []string) {
	for _, p := range roots {
		if p.Name != "main" && p.ID == p.PkgPath && !strings.HasSuffix(p.PkgPath, "_test") {
			paths = append(paths, p.PkgPath)
		}
	}
	return paths
}
