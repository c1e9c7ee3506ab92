package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/stator-go/stator/fsm"
)

// evaluator computes the states that handlers return while the machine is in one state.
type evaluator struct {
	*pack
	row    fsm.State // the value of cx.State(); Any if it is unknown
	done   map[string]value
	active map[string]bool // calls and variables that are being evaluated
	calls  int
}

// maxCalls bounds the number of calls that are evaluated for a row. Functions that call
// each other could need exponentially many.
const maxCalls = 100_000

func newEvaluator(p *pack, row fsm.State) *evaluator {
	return &evaluator{pack: p, row: row, done: make(map[string]value), active: make(map[string]bool)}
}

// function is the body of a function. A function literal also has the frame that it is in.
type function struct {
	typ  *ast.FuncType
	body *ast.BlockStmt
	in   *frame
}

// frame is one call: its arguments, which are expressions of the caller, and the parts of
// its body that are not reached.
type frame struct {
	ev     *evaluator
	outer  *frame // around a function literal
	caller *frame
	args   map[*types.Var]ast.Expr
	dead   []ast.Node
}

func (f *frame) isDead(at token.Pos) bool {
	for ; f != nil; f = f.outer {
		for _, n := range f.dead {
			if n.Pos() <= at && at < n.End() {
				return true
			}
		}
	}
	return false
}

// arg returns the argument for a parameter of f or of a function around it, and the frame
// to evaluate it in.
func (f *frame) arg(v *types.Var) (ast.Expr, *frame) {
	for ; f != nil; f = f.outer {
		if e, ok := f.args[v]; ok {
			return e, f.caller
		}
	}
	return nil, nil
}

// call returns result i of a function that is called with args from a frame.
func (ev *evaluator) call(fn *function, args []ast.Expr, from *frame, i int) value {
	f := &frame{ev: ev, outer: fn.in, caller: from, args: make(map[*types.Var]ast.Expr)}
	key := fmt.Sprint(fn.body.Pos(), " ", i)
	cacheable := fn.in == nil // the result of a literal also depends on its frame
	for n, param := range ev.params(fn.typ) {
		if n >= len(args) || param == nil {
			continue
		}
		f.args[param] = args[n]
		if isState(param.Type()) {
			key += " " + from.eval(args[n]).key()
		} else if arg := from.function(args[n]); arg != nil {
			key += fmt.Sprint(" f", arg.body.Pos())
			cacheable = cacheable && arg.in == nil
		}
	}
	if v, ok := ev.done[key]; ok && cacheable {
		return v
	}
	if ev.calls++; ev.calls > maxCalls {
		return unknown(fn.body.Pos())
	}
	if ev.active[key] {
		return value{partial: true}
	}
	outermost := len(ev.active) == 0
	ev.active[key] = true
	defer delete(ev.active, key)

	var v value
	for _, r := range f.walk(fn.body) {
		v.add(f.result(fn, r, i))
	}
	if outermost {
		v.partial = false // the recursion is complete
	}
	if cacheable && !v.partial {
		ev.done[key] = v
	}
	return v
}

// result returns the value of result i of a return statement.
func (f *frame) result(fn *function, r *ast.ReturnStmt, i int) value {
	switch {
	case len(r.Results) == 0:
		if names := f.ev.names(fn.typ.Results); i < len(names) && names[i] != nil {
			return f.variable(names[i], r.Pos())
		}
		return unknown(r.Pos())
	case i < len(r.Results):
		return f.eval(r.Results[i])
	}
	return f.evalResult(r.Results[0], i)
}

func (ev *evaluator) params(t *ast.FuncType) []*types.Var { return ev.names(t.Params) }

// names returns the variables of a list of parameters or results; nil for unnamed ones.
func (ev *evaluator) names(list *ast.FieldList) (all []*types.Var) {
	if list == nil {
		return nil
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			v, _ := ev.info.Defs[name].(*types.Var)
			all = append(all, v)
		}
		if field.Names == nil {
			all = append(all, nil)
		}
	}
	return all
}

func (f *frame) eval(e ast.Expr) value { return f.evalResult(e, 0) }

// evalResult returns the possible values of an expression; of result i if it is a call
// with several results.
func (f *frame) evalResult(e ast.Expr, i int) value {
	e = ast.Unparen(e)
	if tv := f.ev.info.Types[e]; tv.Value != nil {
		if n, ok := constant.Uint64Val(constant.ToInt(tv.Value)); ok && n <= 255 {
			return single(fsm.State(n), e.Pos())
		}
		return unknown(e.Pos())
	}
	switch e := e.(type) {
	case *ast.Ident:
		if v, ok := f.ev.info.Uses[e].(*types.Var); ok {
			return f.variable(v, e.Pos())
		}
	case *ast.CallExpr:
		return f.callExpr(e, i)
	}
	return unknown(e.Pos())
}

// variable returns the values of all assignments to a variable in code that is reached.
func (f *frame) variable(v *types.Var, at token.Pos) value {
	bound, caller := f.arg(v)
	all := f.ev.assigned[v]
	if v.Exported() && v.Pkg() != nil && v.Parent() == v.Pkg().Scope() || bound == nil && len(all) == 0 {
		return unknown(at)
	}
	key := fmt.Sprint("var ", v.Pos())
	if f.ev.active[key] {
		return value{partial: true}
	}
	f.ev.active[key] = true
	defer delete(f.ev.active, key)

	var sum value
	if bound != nil {
		sum.add(caller.eval(bound))
	}
	for _, a := range all {
		switch {
		case f.isDead(a.at):
		case a.unknown:
			return unknown(at)
		case a.expr == nil:
			sum.add(single(fsm.Stay, at))
		default:
			sum.add(f.evalResult(a.expr, a.i))
		}
	}
	return sum
}

func (f *frame) callExpr(e *ast.CallExpr, i int) value {
	info := f.ev.info
	if info.Types[e.Fun].IsType() { // a conversion of a value that is not constant
		if len(e.Args) == 1 && isState(info.Types[e.Args[0]].Type) {
			return f.eval(e.Args[0])
		}
		return unknown(e.Pos())
	}
	callee := calleeOf(info, e)
	switch {
	case callee != nil && returnsOwnState(callee):
		if f.ev.row == fsm.Any {
			return unknown(e.Pos())
		}
		return single(f.ev.row, e.Pos())
	case callee != nil && callee.Pkg() != nil && callee.Pkg().Path() == reactorPath:
		return value{} // Stop, Fail and others: they return no state that To must name
	}
	if fn := f.function(e.Fun); fn != nil {
		args := e.Args
		if s, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok && isMethodExpr(info, s) && len(args) > 0 {
			args = args[1:] // the receiver
		}
		return f.ev.call(fn, args, f, i)
	}
	return unknown(e.Pos())
}

// function returns the function that an expression denotes, or nil if it is unknown.
func (f *frame) function(e ast.Expr) *function {
	info := f.ev.info
	switch e := ast.Unparen(e).(type) {
	case *ast.FuncLit:
		return &function{e.Type, e.Body, f}
	case *ast.IndexExpr: // of a generic function
		return f.function(e.X)
	case *ast.IndexListExpr:
		return f.function(e.X)
	case *ast.SelectorExpr:
		if fn, ok := info.Uses[e.Sel].(*types.Func); ok {
			return f.ev.declared(fn)
		}
	case *ast.Ident:
		switch o := info.Uses[e].(type) {
		case *types.Func:
			return f.ev.declared(o)
		case *types.Var:
			if bound, caller := f.arg(o); bound != nil && f.ev.assigned[o] == nil {
				return caller.function(bound)
			}
			if all := f.ev.assigned[o]; len(all) == 1 && all[0].expr != nil {
				if lit, ok := ast.Unparen(all[0].expr).(*ast.FuncLit); ok {
					return &function{lit.Type, lit.Body, f}
				}
				if !refers(info, all[0].expr, o) {
					return f.function(all[0].expr)
				}
			}
		}
	}
	return nil
}

func (ev *evaluator) declared(fn *types.Func) *function {
	if d := ev.bodies[fn.Origin()]; d != nil && d.Body != nil {
		return &function{d.Type, d.Body, nil}
	}
	return nil
}

// refers reports whether an expression contains an object. A variable that is assigned an
// expression of itself must not be followed without end.
func refers(info *types.Info, e ast.Expr, o types.Object) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		found = found || ok && info.Uses[id] == o
		return !found
	})
	return found
}

func calleeOf(info *types.Info, e *ast.CallExpr) *types.Func {
	switch fun := ast.Unparen(e.Fun).(type) {
	case *ast.Ident:
		f, _ := info.Uses[fun].(*types.Func)
		return f
	case *ast.SelectorExpr:
		f, _ := info.Uses[fun.Sel].(*types.Func)
		return f
	case *ast.IndexExpr:
		return calleeOf(info, &ast.CallExpr{Fun: fun.X})
	case *ast.IndexListExpr:
		return calleeOf(info, &ast.CallExpr{Fun: fun.X})
	}
	return nil
}

// returnsOwnState reports whether f is the method that returns the state of the machine.
func returnsOwnState(f *types.Func) bool {
	sig := f.Signature()
	return f.Name() == "State" && sig.Recv() != nil && sig.Params().Len() == 0 &&
		sig.Results().Len() == 1 && isState(sig.Results().At(0).Type())
}

func isMethodExpr(info *types.Info, s *ast.SelectorExpr) bool {
	sel := info.Selections[s]
	return sel != nil && sel.Kind() == types.MethodExpr
}

func isState(t types.Type) bool { return isFSM(t, "State") }

// isFSM reports whether t is the type of package fsm with the given name, or an instance
// of it.
func isFSM(t types.Type, name string) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == name && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == fsmPath
}
