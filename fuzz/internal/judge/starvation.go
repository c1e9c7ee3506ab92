package judge

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor"
)

// Starvation: what some machines hold, or ask for, must not keep others from going on.

// choked is a machine that ended because Peek returned ErrFull for Config.Buffers.
type choked struct {
	failure   *Failure // if it would go on alone
	sent, got []byte   // by the peer of its connection, until then
}

// choke notes the first machine that is choked. That is right if its input is so much that
// there is never room for more of it, and wrong if others hold what it needs: then it must
// wait.
func (j *Judge) choke(o *sim.Observation) {
	if j.choked.failure != nil || o.Conn < 0 || o.Conn >= j.cfg.Conns || o.Stage != sim.StageEvents || !isInputFull(o.Machine.Kind, o.Err) {
		return
	}
	k, c := o.Machine.Kind, j.w.Conn(o.Conn)
	if !c.Of(o.Machine) {
		return
	}
	state := k.StateName(o.Machine.Before)
	j.choked = choked{sent: bytes.Clone(c.Sent), got: bytes.Clone(c.Got), failure: &Failure{
		Oracle: Starvation, At: o.Event, Time: time.Duration(o.Time), State: state, Conn: o.Conn,
		Text: k.Name() + " in state " + state + " ends as Peek returns ErrFull, while other connections hold Config.Buffers: alone it goes on",
	}}
}

// isInputFull reports whether an error is that of Peek for input that Config.Buffers has no
// room for. That of Write is a program's own business: Write may be tried again.
func isInputFull(k reactor.AnyKind, err error) bool {
	return errors.Is(err, reactor.ErrFull) && strings.HasPrefix(err.Error(), "reactor: input of "+k.Name()+": Config.Buffers:")
}

// judgeChoked fails if a machine that was choked goes on when it is alone.
func (j *Judge) judgeChoked(tr trace.Trace) *Failure {
	was := j.choked
	if was.failure == nil || j.dialled() {
		return nil
	}
	j.run(apart(tr, was.failure.At, was.failure.Conn), sim.Options{Again: true})
	c := j.w.Conn(was.failure.Conn)
	if j.failure != nil || j.choked.failure != nil || !bytes.HasPrefix(c.Sent, was.sent) || !bytes.HasPrefix(c.Got, was.got) || c.Unread > 0 {
		return nil // it is choked as well, or something else stops it
	}
	return was.failure
}

// apart returns the first n events of a trace as far as they are of one connection that was
// dialled last. Nothing happens to others, nor to the loop, whose faults may keep it from
// being accepted. But it has as few Buffers as before, and the loops rest when they did.
func apart(tr trace.Trace, n, conn int) (out trace.Trace) {
	for _, e := range tr[:n] {
		mine := e.Op.Target() == trace.OnConn && int(e.On) == conn
		switch {
		case mine && e.Op == trace.Dial:
			out = append(out[:0], e)
		case mine, !e.Op.IsFault() && e.Op.Target() != trace.OnConn:
			out = append(out, e)
		default:
			out = append(out, trace.Event{Op: trace.Settle, Hold: e.Hold})
		}
	}
	if at := slices.IndexFunc(tr, func(e trace.Event) bool { return e.Op == trace.Scarce }); at >= 0 {
		out = append(out, tr[at])
	}
	return out
}
