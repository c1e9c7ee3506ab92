package report

import (
	_ "embed"
	"fmt"
	"html"
	"math/bits"
	"strings"
	"unicode/utf8"
)

//go:embed report.css
var reportStyle string

// HTML returns the report as one page that loads nothing: no script, no file, no network.
// It is well-formed XML as well.
func (r *Report) HTML() string {
	var p page
	p.linef(`<!DOCTYPE html>`)
	p.linef(`<html xmlns="http://www.w3.org/1999/xhtml" lang="en">`)
	p.linef(`<head><meta charset="utf-8"/><meta name="viewport" content="width=device-width, initial-scale=1"/><title>fuzz report: %s</title>`, r.Name)
	p.WriteString("<style>\n" + reportStyle + "</style></head>\n<body>\n")
	p.linef(`<h1>%s</h1>`, r.Name)
	p.WriteString("<dl>\n")
	for i, f := range r.facts() {
		class := ""
		if i == 0 {
			class = "passed"
			if r.made.Found != nil {
				class = "failed"
			}
		}
		p.linef(`<dt>%s</dt><dd class="%s">%s</dd>`, f.name, class, f.value)
	}
	p.linef(`<dt>time</dt><dd class="time">%s</dd>`, r.timing())
	p.WriteString("</dl>\n")
	if r.made.Found != nil {
		p.failure(r.made.Found)
	}
	for _, s := range r.sections() {
		p.linef(`<h2>%s</h2>`, s.title)
		if s.picture != "" {
			p.WriteString(`<div class="scroll">` + s.picture + "</div>\n")
		}
		for i := range s.grids {
			p.grid(&s.grids[i])
		}
	}
	p.WriteString("</body></html>\n")
	return p.String()
}

// page is HTML that is being written.
type page struct{ strings.Builder }

// linef writes a line, with its arguments as text.
func (p *page) linef(format string, args ...string) {
	escaped := make([]any, len(args))
	for i, a := range args {
		escaped[i] = pageText(a)
	}
	fmt.Fprintf(p, format+"\n", escaped...)
}

// pageText escapes a text, and replaces what is not allowed in XML.
func pageText(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0xfffe || r == 0xffff {
			return '\uFFFD'
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

func (p *page) failure(a *Account) {
	p.linef(`<h2>Failure</h2>`)
	p.linef(`<p class="failed">%s</p>`, a.Failure.Error())
	for line := range strings.Lines(when(a.Failure, len(a.Trace)) + "\n" + a.comes) {
		p.linef(`<p>%s</p>`, strings.TrimSpace(line))
	}
	for _, story := range a.stories {
		title := strings.Join(strings.Fields("What happened "+story.How), " ")
		g := grid{title: title, head: stepHead}
		for _, s := range a.rows(story) {
			var row []entry
			for _, text := range s.cells() {
				row = append(row, textEntry(text))
			}
			g.rows = append(g.rows, row)
		}
		p.grid(&g)
	}
	for _, part := range []fact{{"The trace", a.Trace.String()}, {"The run as a Mermaid sequence diagram", a.Mermaid()}, {"The stack", handlerStack(string(a.Failure.Stack))}} {
		if part.value != "" {
			p.linef(`<details><summary>%s</summary><pre>%s</pre></details>`, part.name, part.value)
		}
	}
}

func (p *page) grid(g *grid) {
	if g.rows == nil {
		return
	}
	p.linef(`<h3>%s</h3>`, g.title)
	p.WriteString(`<div class="scroll"><table>` + "\n<thead><tr>")
	for _, h := range g.head {
		fmt.Fprintf(p, `<th title="%[1]s">%[1]s</th>`, pageText(h))
	}
	p.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range g.rows {
		p.WriteString("<tr>")
		for _, c := range row {
			p.cell(c)
		}
		p.WriteString("</tr>\n")
	}
	p.WriteString("</tbody></table></div>\n")
}

// classes are the style classes of cells, by status.
var classes = [...]string{nothing: "nothing", happened: "", never: "never", undeclared: "undeclared"}

func (p *page) cell(c entry) {
	class := classes[c.status]
	if c.count > 0 && c.status == happened {
		class = fmt.Sprintf("number heat%d", min(bits.Len64(c.count)/3, 6))
	}
	switch first, more, many := strings.Cut(c.text, "\n"); {
	case many:
		p.linef(`<td><details><summary>%s …</summary><pre>%s</pre></details></td>`, first, more)
	case class != "":
		p.linef(`<td class="%s">%s</td>`, class, c.text)
	case utf8.RuneCountInString(c.text) > 44: // the style cuts it off
		p.linef(`<td class="long" title="%s">%s</td>`, c.text, c.text)
	default:
		p.linef(`<td>%s</td>`, c.text)
	}
}
