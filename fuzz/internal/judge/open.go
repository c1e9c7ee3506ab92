package judge

import (
	"cmp"
	"fmt"
	"reflect"
	"time"

	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/reactor"
)

// Models that are open: an input may have several outcomes, output may come without an input,
// and time may end a connection. All outcomes that fit what a connection got are followed.

// How many views of a connection, and outcomes of a model, are followed before it is undecided.
const (
	mostViews    = 10_000
	mostOutcomes = 20_000
)

// undecided is the kind of a verdict that is none.
const undecided = "undecided"

// place is how far a view has come.
type place struct {
	sent, got int  // bytes
	ended     bool // the peer's end was an input
	over      bool // the last input was one after which there is none
}

// view is what a connection may have come to.
type view[S any] struct {
	place
	state  S
	inputs int
	last   any   // input
	tick   int   // when the last input was complete
	time   int64 // the same, on the clock
}

// follower follows the views of a connection.
type follower[S, In any] struct {
	m     *Model[S, In]
	h     *History
	ended bool // the peer has half-closed, in time
	views []view[S]
	todo  []int // views that are to be followed
	fits  bool  // there are enough
	known map[place][]S
	much  bool // too much to follow
	seen  int  // outcomes

	most  place    // the furthest place at which something else was wanted
	wants []string // there
	after string   // the input there
	late  string   // what did not come in time, at some place
	short bool     // at some place, all that came is the beginning of what is wanted
}

// follow finds all views of a connection, or enough of them.
func (m *Model[S, In]) follow(h *History, enough func(*follower[S, In], *view[S]) bool) *follower[S, In] {
	f := &follower[S, In]{m: m, h: h, known: make(map[place][]S), most: place{got: -1}}
	f.ended = h.Finished > 0 && (h.Over == 0 || h.Finished <= h.Over)
	start := view[S]{state: m.begin(), time: h.Began}
	f.comes(start, m.Greeting, nil)
	for len(f.todo) > 0 && !f.much {
		v := f.views[f.todo[len(f.todo)-1]]
		f.todo = f.todo[:len(f.todo)-1]
		if f.fits = enough(f, &v); f.fits {
			break
		}
		if at := f.arrives(v.got + 1); m.Push != nil && !f.overdue(&v, at) {
			for next, out := range m.Push(v.state, f.moment(&v, at)) {
				w := v
				w.state = next
				f.comes(w, out, v.last)
			}
		}
		f.input(v)
	}
	return f
}

// arrives returns when so many bytes had come from the machine; 0: they have not.
func (f *follower[S, In]) arrives(got int) int64 { return stampAt(f.h.GotAt, got).Time }

// moment returns what a model may know of the time.
func (f *follower[S, In]) moment(v *view[S], now int64) Moment {
	h := f.h
	at := Moment{Conn: h.Conn, Time: time.Duration(now), Begin: time.Duration(h.Began), Input: time.Duration(v.time)}
	at.Sent, at.Got = at.Begin, at.Begin
	for _, s := range h.SentAt { // what is no whole input yet counts, too
		if s.Time <= now {
			at.Sent = time.Duration(s.Time)
		}
	}
	if v.got > 0 {
		at.Got = time.Duration(f.arrives(v.got))
	}
	return at
}

// handled returns by when a machine had handled an input, before whose answer the peer had got
// so many bytes.
func (h *History) handled(got int) time.Duration {
	if got < len(h.Got) {
		return time.Duration(stampAt(h.GotAt, got+1).Time)
	}
	return time.Duration(cmp.Or(h.Over, h.Now))
}

// next returns the next input of a view.
func (f *follower[S, In]) next(v *view[S]) (in In, n int, ok bool) {
	rest := f.h.Sent[v.sent:]
	if v.over {
		return in, 0, false
	}
	if f.m.Next == nil {
		if len(rest) > 0 {
			in, n, ok = f.m.first(rest)
		}
		return in, n, ok
	}
	if len(rest) == 0 && (!f.ended || v.ended) {
		return in, 0, false
	}
	in, n, ok = f.m.Next(v.state, rest, f.ended)
	if ok && (n < 0 || n > len(rest) || n == 0 && !f.ended) {
		panic(fmt.Sprintf("Model.Next returned a length of %d for %d bytes", n, len(rest)))
	}
	return in, n, ok && (n > 0 || !v.ended)
}

// input follows the next input of a view.
func (f *follower[S, In]) input(v view[S]) {
	in, n, ok := f.next(&v)
	if !ok {
		return
	}
	w := v
	w.sent, w.inputs, w.last, w.ended, w.over = v.sent+n, v.inputs+1, in, v.ended || n == 0, f.m.lasts(in)
	if n > 0 {
		at := stampAt(f.h.SentAt, w.sent)
		w.tick, w.time = at.Tick, at.Time
	} else {
		w.time = f.h.Finished
	}
	if f.overdue(&v, w.time) {
		return
	}
	if f.m.Steps == nil {
		out := f.m.Step(&w.state, in, time.Duration(w.time))
		f.comes(w, out, in)
		return
	}
	at := f.moment(&v, w.time)
	at.Sent, at.By = at.Time, f.h.handled(v.got)
	for next, out := range f.m.Steps(v.state, in, at) {
		w.state = next
		f.comes(w, out, in)
	}
}

// overdue reports whether something should have come in a view, Slack before the next thing that
// happened.
func (f *follower[S, In]) overdue(v *view[S], next int64) bool {
	by := next - f.h.Slack
	if f.m.Owes == nil || by <= v.time || v.got > 0 && by <= f.arrives(v.got) || !f.m.Owes(v.state, f.moment(v, by)) {
		return false
	}
	if f.late == "" {
		f.late = fmt.Sprintf("gets no more%s by %v: the model's Owes says that there is something to come, in state %s", f.behind(v), clock(next), shown(v.state))
	}
	return true
}

// comes adds a view behind some output, if that is what came, and not before the input.
func (f *follower[S, In]) comes(w view[S], out string, in any) {
	f.seen++
	f.much = f.much || f.seen > mostOutcomes
	rest := f.h.Got[w.got:]
	begun := rest[:min(len(rest), len(out))]
	switch {
	case string(begun) != out[:len(begun)]:
		f.wanted(&w, out, in, false)
	case len(begun) < len(out):
		f.wanted(&w, out, in, true)
	case out != "" && stampAt(f.h.GotAt, w.got+len(out)).Tick < w.tick:
		f.wanted(&w, out, in, false)
	default:
		w.got += len(out)
		for _, s := range f.known[w.place] {
			if reflect.DeepEqual(s, w.state) {
				return
			}
		}
		f.known[w.place] = append(f.known[w.place], w.state)
		f.todo = append(f.todo, len(f.views))
		f.views = append(f.views, w)
		f.much = f.much || len(f.views) == mostViews
	}
}

// wanted notes what should have come at a place, or begun to.
func (f *follower[S, In]) wanted(w *view[S], out string, in any, short bool) {
	if w.got > f.most.got {
		f.most, f.wants = w.place, nil
	}
	if w.got == f.most.got {
		f.wants, f.after = append(f.wants, out), nth(w.inputs, in)
	}
	f.short = f.short || short
}

// rested returns the views in which a connection has got all that came, and all that it sent
// was an input.
func (f *follower[S, In]) rested() (all []*view[S]) {
	for i := range f.views {
		v := &f.views[i]
		if v.got == len(f.h.Got) {
			if _, _, more := f.next(v); !more {
				all = append(all, v)
			}
		}
	}
	return all
}

// judge compares a connection with an open model.
func (m *Model[S, In]) judge(h *History, fate sim.Fate) (kind, text string) {
	whole := fate == sim.Open || fate == sim.Quit || fate == sim.Left && m.HalfClose
	f := m.follow(h, func(f *follower[S, In], v *view[S]) bool {
		if m.Ends != nil || v.got < len(h.Got) {
			return false
		}
		_, _, more := f.next(v)
		return !whole || !more && !f.owes(v, fate) && (!m.saysOver() || fate == sim.Left || m.over(v.state, v.over) == (fate == sim.Quit))
	})
	switch {
	case f.fits:
		return "", ""
	case f.much:
		return undecided, ""
	}
	got := f.short // an answer has begun, at least
	for i := range f.views {
		got = got || f.views[i].got == len(h.Got)
	}
	if f.late != "" && (!got || len(f.rested()) == 0) {
		return "owes", f.late
	}
	if !got {
		return f.other()
	}
	all := f.rested()
	if !whole {
		return m.judgeTime(f, all, fate)
	}
	if len(all) == 0 {
		return f.less(fate)
	}
	owes, over, going := true, false, false
	for _, v := range all {
		if f.owes(v, fate) {
			continue
		}
		isOver := m.over(v.state, v.over)
		owes, over, going = false, over || isOver, going || !isOver
	}
	if owes {
		return "owes", fmt.Sprintf("gets no more%s: the model's Owes says that there is something to come by %v, in state %s",
			f.behind(all[0]), clock(f.by(fate)), shown(all[0].state))
	}
	if kind, text = m.judgeOver(over && (fate == sim.Quit || !going), fate); text != "" {
		return kind, text
	}
	return m.judgeTime(f, all, fate)
}

// by returns when what is due by then must have come, or must come within Patience.
func (f *follower[S, In]) by(fate sim.Fate) int64 {
	if fate == sim.Open {
		return f.h.By
	}
	return max(f.h.Began, f.h.Over-f.h.Slack)
}

// owes reports whether something must still come to a view.
func (f *follower[S, In]) owes(v *view[S], fate sim.Fate) bool {
	return f.m.Owes != nil && f.m.Owes(v.state, f.moment(v, f.by(fate)))
}

// behind returns after which input a view is.
func (f *follower[S, In]) behind(v *view[S]) string {
	if v.inputs == 0 {
		return ""
	}
	return " behind " + nth(v.inputs, v.last)
}

// other describes output that no outcome explains.
func (f *follower[S, In]) other() (kind, text string) {
	best := 0
	for i := range f.views {
		best = max(best, f.views[i].got)
	}
	if len(f.wants) == 0 || f.most.got < best {
		if f.m.Push == nil && f.m.Steps == nil {
			return "more", fmt.Sprintf("gets %s, for nothing that it sent", Brief(f.h.Got[best:]))
		}
		piece := stampAt(f.h.GotAt, best+1)
		return "more", fmt.Sprintf("gets %s at %v, %v on the world's clock: no outcome of %s fits, and the last state possible is %s",
			Brief(f.h.Got[best:piece.Bytes]), clock(piece.Time), time.Duration(piece.Time), f.m.sources(), shown(f.last(best, piece.Time).state))
	}
	return "answer", fmt.Sprintf("gets %s for %s: want %s", Brief(f.h.Got[f.most.got:]), f.after, either(f.wants))
}

// clock returns a time as reports have it: since the run began.
func clock(at int64) time.Duration { return time.Duration(at) - time.Hour }

// sources names the functions of a model that return outcomes.
func (m *Model[S, In]) sources() string {
	switch {
	case m.Push == nil:
		return "Steps"
	case m.Steps == nil:
		return "Push"
	}
	return "Steps or Push"
}

// last returns the view of so many bytes that had most inputs by some time.
func (f *follower[S, In]) last(got int, at int64) (last *view[S]) {
	for i := range f.views {
		if v := &f.views[i]; v.got == got && (last == nil || v.time <= at && v.inputs >= last.inputs) {
			last = v
		}
	}
	return last
}

// less describes answers that did not come.
func (f *follower[S, In]) less(fate sim.Fate) (kind, text string) {
	text = fmt.Sprintf("gets %s for %s", Brief(f.h.Got[max(0, f.most.got):]), f.after)
	switch want := either(f.wants); fate {
	case sim.Open:
		return "answer", text + ", and no more: want " + want
	case sim.Quit:
		return "ends", text + ", and its machine ends, without a reason: want " + want
	default:
		return "ends", text + ", and its machine ends when the peer has half-closed: want " + want
	}
}

// ends returns when a machine must end a connection: the earliest and the latest time that the
// views allow. last is 0 if it need not.
func (f *follower[S, In]) ends(all []*view[S]) (first, last int64) {
	for i, v := range all {
		at := int64(f.m.Ends(v.state, f.moment(v, f.h.Now)))
		if i == 0 || at == 0 || first > 0 && at < first {
			first = at
		}
		if i == 0 || at == 0 || last > 0 && at > last {
			last = at
		}
	}
	return first, last
}

// unread returns when a machine must end a connection, at the earliest, if it has not read what
// was sent shortly before its deadline; 0 if it must have.
func (f *follower[S, In]) unread() (first int64) {
	for i := range f.views {
		v := &f.views[i]
		_, n, more := f.next(v)
		if v.got < len(f.h.Got) || !more || n == 0 || stampAt(f.h.SentAt, v.sent+n).Time < f.h.Over-f.h.Slack {
			continue
		}
		if at := int64(f.m.Ends(v.state, f.moment(v, f.h.Now))); at > 0 && (first == 0 || at < first) {
			first = at
		}
	}
	return first
}

// judgeTime compares when a machine ended a connection, or did not, with when it must.
func (m *Model[S, In]) judgeTime(f *follower[S, In], all []*view[S], fate sim.Fate) (kind, text string) {
	h := f.h
	if m.Ends == nil || len(all) == 0 || h.Kind == "" {
		return "", ""
	}
	since := func(at int64) time.Duration { return time.Duration(at - h.Began) }
	switch first, last := f.ends(all); {
	case h.Over > 0 && h.timed() && h.Unread == 0 && !h.Slow:
		if at := f.unread(); at > 0 && (first == 0 || at < first) {
			first = at
		}
		if first == 0 {
			return "early end", fmt.Sprintf("its machine ends it after %v, by its deadline %q: the model's Ends says that no time ends it", since(h.Over), h.Cause)
		}
		if h.Over+h.Resolution < first {
			return "early end", fmt.Sprintf("its machine ends it after %v, by its deadline %q: the model's Ends says after %v", since(h.Over), h.Cause, since(first))
		}
		if last > 0 && h.Over-h.Slack > last {
			return "late end", fmt.Sprintf("its machine ends it after %v, by its deadline %q: the model's Ends says after %v", since(h.Over), h.Cause, since(last))
		}
	case fate == sim.Open && last > 0 && h.Now-h.Slack > last:
		return "late end", fmt.Sprintf("is still open after %v: the model's Ends says that its machine ends it after %v", since(h.Now), since(last))
	}
	return "", ""
}

// timed reports whether time ended the connection.
func (h *History) timed() bool {
	switch h.Cause {
	case reactor.EventWithin, reactor.EventIdle, reactor.EventLife, reactor.EventTimer:
		return true
	}
	return false
}
