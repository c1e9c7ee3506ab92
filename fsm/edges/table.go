package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"github.com/stator-go/stator/fsm"
)

// table is a composite literal of fsm.Table.
type table struct {
	*pack
	rows  map[fsm.State]*row
	notes []finding
}

// row is a composite literal of fsm.Row, by the names of its fields.
type row struct {
	state  fsm.State
	name   string // for messages
	at     token.Pos
	fields map[string]ast.Expr
	opaque bool // no literal: its fields can't be told
}

// handlers are the fields that answer a State, and whether a row takes them from
// row Any.
var handlers = []struct {
	field string
	taken bool
}{{"OnEnter", false}, {"OnReady", true}, {"OnMessage", true}, {"OnTimer", true}, {"OnDown", true}, {"OnSignal", true}}

// tables is every table of the package's files.
func (p *pack) tables() (all []*table) {
	for _, f := range p.files {
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.CompositeLit); ok && isTable(p.info.Types[lit].Type) {
				all = append(all, p.table(lit))
			}
			return true
		})
	}
	return all
}

// isTable tells whether t is fsm.Table, by any name, or a plain list of rows.
func isTable(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return isFSM(u.Elem(), "Row")
	case *types.Array:
		return isFSM(u.Elem(), "Row")
	}
	return false
}

func (p *pack) table(lit *ast.CompositeLit) *table {
	t := &table{pack: p, rows: make(map[fsm.State]*row)}
	next := uint64(0)
	for _, e := range lit.Elts {
		key := ""
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			next, _ = constant.Uint64Val(constant.ToInt(p.info.Types[kv.Key].Value))
			key, e = types.ExprString(kv.Key), kv.Value
		}
		if next <= uint64(fsm.Last) {
			t.add(fsm.State(next), key, e)
		}
		next++
	}
	return t
}

func (t *table) add(s fsm.State, key string, e ast.Expr) {
	r := &row{state: s, name: key, at: e.Pos(), fields: make(map[string]ast.Expr)}
	t.rows[s] = r
	lit, ok := t.origin(e).(*ast.CompositeLit)
	if !ok {
		r.opaque = true
		r.name = cmp.Or(key, strconv.Itoa(int(s)))
		t.note(e.Pos(), "row %s: %s is no literal: its handlers can't be told", r.name, types.ExprString(e))
		return
	}
	for i, e := range lit.Elts {
		field := t.info.Types[lit].Type.Underlying().(*types.Struct).Field(i).Name()
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			field, e = kv.Key.(*ast.Ident).Name, kv.Value
		}
		if !t.isZero(e) {
			r.fields[field] = e
		}
	}
	if r.name == "" {
		r.name = cmp.Or(t.title(r), strconv.Itoa(int(s)))
	}
}

// isZero tells whether an expression says no more than a field left out.
func (t *table) isZero(e ast.Expr) bool {
	tv := t.info.Types[e]
	if tv.IsNil() || tv.Value == nil {
		return tv.IsNil()
	}
	switch tv.Value.Kind() {
	case constant.Bool:
		return !constant.BoolVal(tv.Value)
	case constant.Int:
		return constant.Sign(tv.Value) == 0
	}
	return false
}

// title is a row's Name in quotes, if it has one that can be told.
func (t *table) title(r *row) string {
	if e := r.fields["Name"]; e != nil {
		if v := t.info.Types[e].Value; v != nil && v.Kind() == constant.String {
			return strconv.Quote(constant.StringVal(v))
		}
	}
	return ""
}

// origin is an expression, or, for a variable that is given one thing, that thing.
func (t *table) origin(e ast.Expr) ast.Expr {
	e = ast.Unparen(e)
	if id, ok := e.(*ast.Ident); ok {
		if v, ok := t.info.Uses[id].(*types.Var); ok {
			if all := t.given[v]; len(all) == 1 && all[0].expr != nil && !refers(t.info, all[0].expr, v) {
				return t.origin(all[0].expr)
			}
		}
	}
	return e
}

func (t *table) note(at token.Pos, format string, args ...any) {
	t.notes = append(t.notes, finding{t.fset.Position(at), fmt.Sprintf(format, args...), true})
}

// label is how a message names a row: as its users do, by Name.
func (t *table) label(r *row) string {
	if r.state == fsm.Any {
		return "row any"
	}
	return "state " + cmp.Or(t.title(r), r.name)
}

// nameOf is how the source names a state.
func (t *table) nameOf(s fsm.State) string {
	if r := t.rows[s]; r != nil {
		return r.name
	}
	return strconv.Itoa(int(s)) + ", which is no row"
}

// row is row s, empty where the table has none.
func (t *table) row(s fsm.State) *row {
	if r := t.rows[s]; r != nil {
		return r
	}
	return &row{state: s, fields: map[string]ast.Expr{}}
}

// to is the states that a row's To names; not ok when that can't be told.
func (t *table) to(r *row) (set fsm.States, ok bool) {
	e := r.fields["To"]
	if e == nil {
		return 0, true
	}
	set, ok = t.states(e)
	if !ok {
		t.note(e.Pos(), "%s: To is %s, which can't be told", t.label(r), types.ExprString(e))
	}
	return set, ok
}

func (t *table) states(e ast.Expr) (set fsm.States, ok bool) {
	if v := t.info.Types[e].Value; v != nil {
		n, ok := constant.Uint64Val(constant.ToInt(v))
		return fsm.States(n), ok
	}
	switch e := t.origin(e).(type) {
	case *ast.BinaryExpr:
		x, okX := t.states(e.X)
		y, okY := t.states(e.Y)
		return x | y, okX && okY && e.Op == token.OR
	case *ast.CallExpr:
		f := calleeOf(t.info, e)
		if f == nil || f.Name() != "To" || f.Pkg() == nil || f.Pkg().Path() != fsmPath || e.Ellipsis.IsValid() {
			return 0, false
		}
		for _, arg := range e.Args {
			v := t.info.Types[arg].Value
			if v == nil {
				return 0, false
			}
			n, _ := constant.Uint64Val(constant.ToInt(v))
			set |= fsm.To(fsm.State(n))
		}
		return set, true
	}
	return 0, false
}

// effective is the handler that a row has in effect, if any: its own or, where a
// row takes it, row Any's. What Table.Resolve does to a table is done here to its
// source: readiness is taken by what waits, and messages that wait are not handled.
func (t *table) effective(r *row, field string, taken bool) ast.Expr {
	if e := r.fields[field]; e != nil || r.state == fsm.Any || !taken {
		return e
	}
	base := t.row(fsm.Any)
	switch {
	case field == "OnReady" && r.fields["Wait"] == nil && base.fields["Wait"] == nil:
		return nil
	case field == "OnMessage" && r.fields["Defer"] != nil:
		return nil
	}
	return base.fields[field]
}

// judge compares what the handlers of each row answer with what it declares.
func (t *table) judge() (found []finding) {
	base := t.row(fsm.Any)
	shared, sharedKnown := t.to(base)
	answered, allKnown := fsm.States(0), true
	for _, s := range t.order() {
		r := t.rows[s]
		own, ownKnown := t.to(r)
		answers, complete := t.answersOf(r)
		mine := fsm.States(0)
		for _, a := range answers {
			if ownKnown && sharedKnown && a.to != s && !(own | shared).Has(a.to) {
				found = append(found, finding{at: t.fset.Position(a.at),
					text: fmt.Sprintf("%s: %s returns %s, which To does not name", t.label(r), a.by, t.nameOf(a.to))})
			}
			mine |= fsm.To(a.to)
		}
		answered |= mine
		allKnown = allKnown && complete
		if s != fsm.Any && ownKnown && complete {
			found = append(found, t.generous(r, own&^mine)...)
		}
	}
	if sharedKnown && allKnown {
		found = append(found, t.generous(base, shared&^answered)...)
	}
	return append(found, t.notes...)
}

// answer is a state that a handler answers.
type answer struct {
	to fsm.State
	by string
	at token.Pos
}

// answersOf is all that the handlers of a row answer; not complete when some of it
// can't be told. Handlers that rows take from row Any are judged there.
func (t *table) answersOf(r *row) (all []answer, complete bool) {
	ev := newEvaluator(t.pack, r.state)
	complete = !r.opaque
	for _, h := range handlers {
		e := t.effective(r, h.field, h.taken)
		if e == nil || r.state == fsm.Any && h.taken {
			continue
		}
		v, name := t.answers(ev, r, h.field, e)
		complete = complete && len(v.unknown) == 0
		for _, s := range v.own() {
			all = append(all, answer{s, name, v.states[s]})
		}
	}
	return all, complete
}

// order is the rows by state.
func (t *table) order() (all []fsm.State) {
	for s := range t.rows {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// generous reports what a row's To names for nothing.
func (t *table) generous(r *row, more fsm.States) (found []finding) {
	for s := fsm.First; s <= fsm.Last; s++ {
		if more.Has(s) {
			found = append(found, finding{at: t.fset.Position(r.fields["To"].Pos()),
				text: fmt.Sprintf("%s: To names %s, which no handler returns", t.label(r), t.nameOf(s))})
		}
	}
	return found
}

// answers is what a handler answers in row r, with its name. A Pass of the row's own
// handler asks row Any's.
func (t *table) answers(ev *evaluator, r *row, field string, e ast.Expr) (v value, name string) {
	name = nameOfHandler(e)
	top := &frame{ev: ev}
	fn := top.function(e)
	if fn == nil {
		t.note(e.Pos(), "%s: %s %s is no function whose body is here", t.label(r), field, name)
		return unknown(e.Pos()), name
	}
	v = ev.call(fn, nil, top, 0)
	if base := t.row(fsm.Any).fields[field]; v.has(fsm.Pass) && base != nil && base != e {
		if fn := top.function(base); fn != nil {
			v.add(ev.call(fn, nil, top, 0))
		} else {
			v.add(unknown(base.Pos()))
		}
	}
	for _, at := range v.unknown {
		t.note(at, "%s: %s returns what can't be told", t.label(r), name)
	}
	return v, name
}

func nameOfHandler(e ast.Expr) string {
	if _, ok := ast.Unparen(e).(*ast.FuncLit); ok {
		return "a function literal"
	}
	return types.ExprString(e)
}
