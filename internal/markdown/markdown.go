// Package markdown finds the code blocks of the repository's documents, so that tests can
// compile and run them.
package markdown

import (
	"fmt"
	"os"
	"strings"
)

// Block is a fenced code block. Its first line says what it is: "```go main.go" opens a
// block with Lang "go" and Arg "main.go".
type Block struct {
	File string // the document
	Line int    // of the opening fence, from 1
	Lang string
	Arg  string // what follows Lang, "" if nothing does
	Text string // between the fences, each line with its "\n"
}

// String is where the block stands.
func (b Block) String() string { return fmt.Sprintf("%s:%d", b.File, b.Line) }

// Blocks returns the fenced code blocks of a document, in order. A block that is not
// closed is an error.
func Blocks(file string) ([]Block, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var blocks []Block
	open := false
	line := 0
	for s := range strings.Lines(strings.ReplaceAll(string(text), "\r\n", "\n")) {
		line++
		info, fence := strings.CutPrefix(strings.TrimRight(s, "\n"), "```")
		switch {
		case fence && open:
			open = false
		case fence:
			lang, arg, _ := strings.Cut(info, " ")
			blocks = append(blocks, Block{File: file, Line: line, Lang: lang, Arg: arg})
			open = true
		case open:
			blocks[len(blocks)-1].Text += s
		}
	}
	if open {
		return nil, fmt.Errorf("%s:%d: the code block is not closed", file, blocks[len(blocks)-1].Line)
	}
	return blocks, nil
}
