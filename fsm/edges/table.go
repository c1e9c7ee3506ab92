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

// row is a composite literal of fsm.Row.
type row struct {
	state   fsm.State
	name    string // for messages
	at      token.Pos
	fields  map[string]ast.Expr
	unknown bool // not a literal, so its fields are unknown
}

// handlers are the fields of a row that are functions which return a State.
var handlers = []struct {
	field     string
	inherited bool // from row Any
}{{"OnEnter", false}, {"OnReady", true}, {"OnMessage", true}, {"OnTimer", true}, {"OnDown", true}, {"OnSignal", true}}

// tables returns the tables in the package's files.
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

// isTable reports whether t is fsm.Table, by any name, or another list of rows.
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
		r.unknown = true
		r.name = cmp.Or(key, strconv.Itoa(int(s)))
		t.note(e.Pos(), "row %s: %s is not a literal, so its handlers are unknown", r.name, types.ExprString(e))
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

// isZero reports whether an expression is a constant zero value or nil.
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

// title returns the Name of a row in quotes, or "" if it is unknown.
func (t *table) title(r *row) string {
	if e := r.fields["Name"]; e != nil {
		if v := t.info.Types[e].Value; v != nil && v.Kind() == constant.String {
			return strconv.Quote(constant.StringVal(v))
		}
	}
	return ""
}

// origin returns the expression that is assigned to e if e is a variable with a single
// assignment, and e otherwise.
func (t *table) origin(e ast.Expr) ast.Expr {
	e = ast.Unparen(e)
	if id, ok := e.(*ast.Ident); ok {
		if v, ok := t.info.Uses[id].(*types.Var); ok {
			if all := t.assigned[v]; len(all) == 1 && all[0].expr != nil && !refers(t.info, all[0].expr, v) {
				return t.origin(all[0].expr)
			}
		}
	}
	return e
}

func (t *table) note(at token.Pos, format string, args ...any) {
	t.notes = append(t.notes, finding{t.fset.Position(at), fmt.Sprintf(format, args...), true})
}

// label returns the name of a row for messages: its Name if that is known.
func (t *table) label(r *row) string {
	if r.state == fsm.Any {
		return "row any"
	}
	return "state " + cmp.Or(t.title(r), r.name)
}

// nameOf returns the name of a state in the source.
func (t *table) nameOf(s fsm.State) string {
	if r := t.rows[s]; r != nil {
		return r.name
	}
	return strconv.Itoa(int(s)) + " (not a row)"
}

// row returns row s, or an empty row if the table has none.
func (t *table) row(s fsm.State) *row {
	if r := t.rows[s]; r != nil {
		return r
	}
	return &row{state: s, fields: map[string]ast.Expr{}}
}

// to returns the states in To of a row. ok is false if they are unknown.
func (t *table) to(r *row) (set fsm.States, ok bool) {
	e := r.fields["To"]
	if e == nil {
		return 0, true
	}
	set, ok = t.states(e)
	if !ok {
		t.note(e.Pos(), "%s: To is %s, which is unknown", t.label(r), types.ExprString(e))
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

// resolve returns the handler that a row has or inherits from row Any, or nil. It does to
// the source what Table.Resolve does to a table: only a row that waits inherits Ready. A
// row that defers messages never calls an inherited OnMessage.
func (t *table) resolve(r *row, field string, inherited bool) ast.Expr {
	if e := r.fields[field]; e != nil || r.state == fsm.Any || !inherited {
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

// compare compares the states that the handlers of each row return with its To.
func (t *table) compare() (found []finding) {
	base := t.row(fsm.Any)
	shared, sharedKnown := t.to(base)
	returned, allKnown := fsm.States(0), true
	for _, s := range t.order() {
		r := t.rows[s]
		own, ownKnown := t.to(r)
		results, complete := t.results(r)
		mine := fsm.States(0)
		for _, x := range results {
			if ownKnown && sharedKnown && x.to != s && !(own | shared).Has(x.to) {
				found = append(found, finding{at: t.fset.Position(x.at),
					text: fmt.Sprintf("%s: %s returns %s, which To does not name", t.label(r), x.handler, t.nameOf(x.to))})
			}
			mine |= fsm.To(x.to)
		}
		returned |= mine
		allKnown = allKnown && complete
		if s != fsm.Any && ownKnown && complete {
			found = append(found, t.unused(r, own&^mine)...)
		}
	}
	if sharedKnown && allKnown {
		found = append(found, t.unused(base, shared&^returned)...)
	}
	return append(found, t.notes...)
}

// result is a state that a handler returns.
type result struct {
	to      fsm.State
	handler string
	at      token.Pos
}

// results returns the states that the handlers of a row return. complete is false if some
// are unknown. The handlers of row Any that rows inherit are evaluated for these rows.
func (t *table) results(r *row) (all []result, complete bool) {
	ev := newEvaluator(t.pack, r.state)
	complete = !r.unknown
	for _, h := range handlers {
		e := t.resolve(r, h.field, h.inherited)
		if e == nil || r.state == fsm.Any && h.inherited {
			continue
		}
		v, name := t.evalHandler(ev, r, h.field, e)
		complete = complete && len(v.unknown) == 0
		for _, s := range v.ordinary() {
			all = append(all, result{s, name, v.states[s]})
		}
	}
	return all, complete
}

// order returns the states of all rows in order.
func (t *table) order() (all []fsm.State) {
	for s := range t.rows {
		all = append(all, s)
	}
	slices.Sort(all)
	return all
}

// unused returns a finding for each of the states, which To of the row names and no handler
// returns.
func (t *table) unused(r *row, states fsm.States) (found []finding) {
	for s := fsm.First; s <= fsm.Last; s++ {
		if states.Has(s) {
			found = append(found, finding{at: t.fset.Position(r.fields["To"].Pos()),
				text: fmt.Sprintf("%s: To names %s, which no handler returns", t.label(r), t.nameOf(s))})
		}
	}
	return found
}

// evalHandler returns the states that a handler returns in row r, and its name. If the
// handler returns Pass, the states of row Any's handler are included.
func (t *table) evalHandler(ev *evaluator, r *row, field string, e ast.Expr) (v value, name string) {
	name = nameOfHandler(e)
	top := &frame{ev: ev}
	fn := top.function(e)
	if fn == nil {
		t.note(e.Pos(), "%s: %s %s is not a function of this package", t.label(r), field, name)
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
		t.note(at, "%s: %s returns an unknown state", t.label(r), name)
	}
	return v, name
}

func nameOfHandler(e ast.Expr) string {
	if _, ok := ast.Unparen(e).(*ast.FuncLit); ok {
		return "a function literal"
	}
	return types.ExprString(e)
}
