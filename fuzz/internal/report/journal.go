package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/internal/durations"
	"github.com/stator-go/stator/reactor"
)

// Journal records what happens in a run, in words. It is an observer of that run.
type Journal struct {
	lines   []line
	begins  []int64 // when each event of the trace began
	answers []answer
	calls   []call
	watch   watch
	over    bool // the run was halted: what follows is not told
	quiet   bool // a Repeat is under way, and its first round is over
	struck  [trace.NumOps]bool
}

// line is something that happened.
type line struct {
	event  int // of the trace
	now    int64
	conn   int    // -1: none
	who    string // the machine that it is about; empty: none
	to     string // the machine that who sends a message to
	text   string
	detail string // bytes, a message, or a reason
	single string // the byte, if it is about a single one
	move   string // from state to state
	then   string // the deadlines that bound the new state
}

// answer is the line in which a machine wrote what a peer got at a tick.
type answer struct{ tick, line int }

// watch finds the line in which a connection got a byte, in the last of its lives.
type watch struct {
	conn, offset int // conn -1: nothing is watched
	line         int // -1: not yet
	event        int
	now          int64
}

// Texts of lines that are looked for.
const (
	connects = "connects"
	writes   = "machine writes"
	reads    = "machine reads"
	getsEnd  = "gets the end"
	isReset  = "is reset"
)

// mostLines is how many lines a Journal has.
const mostLines = 20_000

// NewJournal returns an empty Journal, for one run.
func NewJournal() *Journal { return &Journal{watch: watch{conn: -1}} }

// watching returns a Journal that watches for a byte of what a connection gets.
func watching(conn, offset int) *Journal {
	return &Journal{watch: watch{conn: conn, offset: offset, line: -1}}
}

// silent are the causes of events that get a line even if they cause no transition: nothing
// else shows them.
var silent = []reactor.Event{reactor.EventMessage, reactor.EventTimer, reactor.EventDown, reactor.EventSignal}

// texts are those of lines that need no more than their subject, and perhaps bytes.
var texts = map[sim.What]string{
	sim.Connects: connects, sim.Sends: "sends", sim.Finishes: "half-closes", sim.Closes: "closes",
	sim.GetsEnd: getsEnd, sim.GetsReset: isReset, sim.MachineReads: reads, sim.MachineWrites: writes, sim.MachineCloses: "machine closes",
	sim.ToldReadable: "is said to be readable, and is not", sim.LeaveAsked: "shut down",
}

// Wants is part of sim.Observer.
func (j *Journal) Wants() []sim.What {
	all := []sim.What{sim.EventBegins, sim.RoundOver, sim.StageBegins, sim.CleanupBegins, sim.Moved, sim.Told, sim.Posts, sim.Ended, sim.Gets,
		sim.PeerSends, sim.PeerGets, sim.ActionHappens, sim.FaultStruck, sim.WorkBegins, sim.WorkEnds, sim.LookedUp}
	for what := range texts {
		all = append(all, what)
	}
	return all
}

// Observe is part of sim.Observer.
func (j *Journal) Observe(o *sim.Observation) {
	if o.What == sim.RoundOver {
		j.quiet = o.N < o.Limit
		return
	}
	if o.What == sim.CleanupBegins {
		j.over = true
	}
	if o.What == sim.FaultStruck {
		j.struck[o.Op] = j.struck[o.Op] || !j.over
		return
	}
	if j.over || j.quiet {
		return
	}
	l := line{event: o.Event, now: o.Time, conn: o.Conn, who: nameOf(o.Machine), text: texts[o.What]}
	switch o.What {
	case sim.EventBegins:
		j.begins = append(j.begins, o.Time)
		return
	case sim.Gets:
		j.gets(o)
		return
	case sim.Told:
		j.runs(o)
		if !slices.Contains(silent, o.Machine.Cause) {
			return
		}
		l.text, l.move = string(o.Machine.Cause), o.Machine.Kind.Name()+": "+o.Machine.Kind.StateName(o.From)
		if o.Message != nil {
			l.text, l.detail = l.who+" gets a message", valueText(o.Message)
		}
	case sim.Posts:
		if !j.posts(o, &l) {
			return
		}
	case sim.Moved:
		k := o.Machine.Kind
		l.text, l.then = string(o.Machine.Cause), deadlines(k, o.To)
		l.move = fmt.Sprintf("%s: %s → %s", k.Name(), k.StateName(o.From), k.StateName(o.To))
	case sim.Ended:
		if l.text, l.move = "machine ends", o.Machine.Kind.Name(); o.Err != nil {
			l.detail = o.Err.Error()
		}
	case sim.Connects:
		if j.watch.conn == o.Conn {
			j.watch.line = -1 // that was in another life
		}
	case sim.Sends, sim.MachineReads, sim.MachineWrites:
		if len(o.Bytes) == 0 {
			return
		}
		if l.detail = judge.Brief(o.Bytes); len(o.Bytes) == 1 {
			l.single = string(o.Bytes)
		}
	case sim.PeerSends:
		l.conn, l.text = -1, fmt.Sprintf("datagram peer %d sends %s", o.Conn, judge.Brief(o.Bytes))
	case sim.PeerGets:
		l.conn, l.text = -1, fmt.Sprintf("datagram peer %d gets %s", o.Conn, judge.Brief(o.Bytes))
	case sim.LookedUp:
		if l.text = o.Name + " is looked up"; o.Err != nil {
			l.detail = o.Err.Error()
		}
	case sim.WorkBegins:
		l.text = fmt.Sprintf("work %d begins", o.N)
	case sim.WorkEnds:
		l.text = fmt.Sprintf("work %d ends", o.N)
	case sim.ActionHappens:
		l.text = o.Name
	case sim.StageBegins:
		l.text = o.Stage.String()
	}
	if len(j.lines) <= mostLines {
		j.lines = append(j.lines, l)
	}
}

// posts fills in the line of a message that is sent. It returns false if the message is
// refused: the line of the attempt, which came before, says so then.
func (j *Journal) posts(o *sim.Observation, l *line) bool {
	last := len(j.lines) - 1
	if o.Err != nil && last >= 0 && j.lines[last].text == "sends to "+nameOf(o.Other) {
		j.lines[last].text = "cannot send to " + nameOf(o.Other) + ": " + o.Err.Error()
		return false
	}
	l.to = nameOf(o.Other)
	l.text, l.detail = "sends to "+l.to, valueText(o.Message)
	if l.move = l.who; o.Name != "" {
		l.move = o.Name
	}
	if o.Machine != nil {
		l.conn = o.Machine.Conn
	}
	return true
}

// nameOf returns the name of a machine: its kind and slot, and its loop if that is not the
// first.
func nameOf(m *sim.Machine) string {
	if m == nil {
		return ""
	}
	name := fmt.Sprint("slot ", m.Index)
	if m.Kind != nil {
		name = fmt.Sprint(m.Kind.Name(), " ", m.Index)
	}
	if m.Loop > 0 {
		name += fmt.Sprint(" of loop ", m.Loop)
	}
	return name
}

// gets notes which line has what a peer gets.
func (j *Journal) gets(o *sim.Observation) {
	last := len(j.lines) - 1
	if last > 0 && j.lines[last].conn == o.Conn && j.lines[last].text == writes {
		j.answers = append(j.answers, answer{o.Tick, last})
	}
	if t := &j.watch; t.conn == o.Conn && t.line < 0 && o.N > t.offset {
		t.line, t.event, t.now = last, o.Event, o.Time
	}
}

// answerAt returns the line in which a machine wrote what a peer got at a tick; 0 if
// there is none.
func (j *Journal) answerAt(tick int) int {
	for _, a := range j.answers {
		if a.tick == tick {
			return a.line
		}
	}
	return 0
}

// deadlines returns the deadlines of a state as text.
func deadlines(k reactor.AnyKind, s reactor.State) string {
	t := k.Plain()
	if int(s) >= len(t) {
		return ""
	}
	var all []string
	r := t.Resolve(s)
	for _, d := range []struct {
		name string
		fsm.Deadline
	}{{"within", r.Within}, {"idle", r.Idle}, {"stall", r.Stall}} {
		if d.Runs() {
			all = append(all, d.name+" "+durations.Short(d.D))
		}
	}
	return strings.Join(all, ", ")
}

// clockTime returns a time of the world's clock as the time since the run began.
func clockTime(now int64) string { return (time.Duration(now) - time.Hour).String() }
