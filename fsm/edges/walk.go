package main

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

// walker visits the statements of a body in order, skips those that the machine's state
// excludes, and collects the return statements that are reached.
type walker struct {
	*frame
	returns []*ast.ReturnStmt
	broke   bool                  // a break without a label was reached in the innermost loop, switch or select
	jumped  map[types.Object]bool // labels of the breaks and gotos that were reached
}

// walk returns the return statements of a body that are reached.
func (f *frame) walk(body *ast.BlockStmt) []*ast.ReturnStmt {
	w := walker{frame: f, jumped: make(map[types.Object]bool)}
	ast.Inspect(body, func(n ast.Node) bool { // assume that each backward goto is reached
		if b, ok := n.(*ast.BranchStmt); ok && b.Tok == token.GOTO {
			if label := f.ev.info.Uses[b.Label]; label.Pos() < b.Pos() {
				w.jumped[label] = true
			}
		}
		return true
	})
	w.list(body.List)
	return w.returns
}

// list visits statements and reports whether the statement after them is reached.
func (w *walker) list(all []ast.Stmt) bool {
	goesOn := true
	for _, s := range all {
		if l, ok := s.(*ast.LabeledStmt); ok && w.jumped[w.ev.info.Defs[l.Label]] {
			goesOn = true
		}
		if goesOn {
			goesOn = w.stmt(s)
		} else {
			w.dead = append(w.dead, s)
		}
	}
	return goesOn
}

// stmt visits a statement and reports whether the statement after it is reached.
func (w *walker) stmt(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.ReturnStmt:
		w.returns = append(w.returns, s)
		return false
	case *ast.BranchStmt:
		return w.jump(s)
	case *ast.ExprStmt:
		return !w.panics(s.X)
	case *ast.BlockStmt:
		return w.list(s.List)
	case *ast.LabeledStmt:
		goesOn := w.stmt(s.Stmt)
		return goesOn || w.jumped[w.ev.info.Defs[s.Label]]
	case *ast.IfStmt:
		return w.branch(s)
	case *ast.ForStmt:
		broke := w.within(func() { w.list(s.Body.List) })
		return broke || s.Cond != nil
	case *ast.RangeStmt:
		w.within(func() { w.list(s.Body.List) })
	case *ast.SwitchStmt:
		return w.cases(s.Body, func(e ast.Expr) truth {
			if s.Tag == nil {
				return w.cond(e)
			}
			return w.equal(s.Tag, e)
		})
	case *ast.TypeSwitchStmt:
		return w.cases(s.Body, func(ast.Expr) truth { return perhaps })
	case *ast.SelectStmt:
		goesOn := false
		broke := w.within(func() {
			for _, c := range s.Body.List {
				goesOn = w.list(c.(*ast.CommClause).Body) || goesOn
			}
		})
		return goesOn || broke
	}
	return true
}

// jump records the target of a branch statement and reports whether that is the next
// statement.
func (w *walker) jump(s *ast.BranchStmt) bool {
	switch {
	case s.Tok == token.FALLTHROUGH:
		return true
	case s.Tok == token.CONTINUE:
	case s.Label != nil:
		w.jumped[w.ev.info.Uses[s.Label]] = true
	default:
		w.broke = true
	}
	return false
}

// within calls walk for the body of a statement that a break can leave, and reports
// whether a break does.
func (w *walker) within(walk func()) bool {
	outer := w.broke
	w.broke = false
	walk()
	inner := w.broke
	w.broke = outer
	return inner
}

func (w *walker) branch(s *ast.IfStmt) bool {
	is := w.cond(s.Cond)
	then, otherwise := false, true
	if is == no {
		w.dead = append(w.dead, s.Body)
	} else {
		then = w.list(s.Body.List)
	}
	if is == yes {
		otherwise = false
		if s.Else != nil {
			w.dead = append(w.dead, s.Else)
		}
	} else if s.Else != nil {
		otherwise = w.stmt(s.Else)
	}
	return then || otherwise
}

// cases visits the clauses of a switch that may be taken. None after a clause that is
// certainly taken is. If the switch has a fallthrough, each may be taken.
func (w *walker) cases(body *ast.BlockStmt, is func(ast.Expr) truth) (goesOn bool) {
	if fallsThrough(body) {
		is = func(ast.Expr) truth { return perhaps }
	}
	decided := false
	var rest *ast.CaseClause
	broke := w.within(func() {
		for _, c := range body.List {
			clause := c.(*ast.CaseClause)
			if clause.List == nil {
				rest = clause
				continue
			}
			none := yes
			for _, e := range clause.List {
				none = none.and(is(e).not())
			}
			if decided || none == yes {
				w.dead = append(w.dead, clause)
				continue
			}
			decided = none == no
			goesOn = w.list(clause.Body) || goesOn
		}
		switch {
		case rest == nil:
			goesOn = goesOn || !decided
		case decided:
			w.dead = append(w.dead, rest)
		default:
			goesOn = w.list(rest.Body) || goesOn
		}
	})
	return goesOn || broke
}

func fallsThrough(body *ast.BlockStmt) bool {
	for _, c := range body.List {
		all := c.(*ast.CaseClause).Body
		if len(all) == 0 {
			continue
		}
		if b, ok := all[len(all)-1].(*ast.BranchStmt); ok && b.Tok == token.FALLTHROUGH {
			return true
		}
	}
	return false
}

// cond returns what is known about a condition in this state.
func (w *walker) cond(e ast.Expr) truth {
	e = ast.Unparen(e)
	if tv := w.ev.info.Types[e]; tv.Value != nil && tv.Value.Kind() == constant.Bool {
		return known(constant.BoolVal(tv.Value))
	}
	switch e := e.(type) {
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			return w.cond(e.X).not()
		}
	case *ast.BinaryExpr:
		switch e.Op {
		case token.LAND:
			return w.cond(e.X).and(w.cond(e.Y))
		case token.LOR:
			return w.cond(e.X).not().and(w.cond(e.Y).not()).not()
		case token.EQL:
			return w.equal(e.X, e.Y)
		case token.NEQ:
			return w.equal(e.X, e.Y).not()
		}
	}
	return perhaps
}

func (w *walker) equal(x, y ast.Expr) truth {
	if !isState(w.ev.info.Types[x].Type) {
		return perhaps
	}
	return equal(w.eval(x), w.eval(y))
}

func (w *walker) panics(e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && w.ev.info.Uses[id] == types.Universe.Lookup("panic")
}
