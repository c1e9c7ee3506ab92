package planted

import (
	"bytes"
	"errors"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// lines is a server of lines that end with "\r\n". A peer must send LOGIN in time; then
// each line is sent back, and MUCH gets a long reply.
type lines struct {
	plant *Plant
	born  time.Duration
	quiet silence
	known bool
	seen  int    // bytes already searched for the end of a line
	queue []byte // lines/backlog
}

const (
	linesStart = fsm.First + iota // before the login
	linesIn
	linesLate
)

const (
	linesLogin   = 10 * time.Second // in all
	linesSilence = time.Minute
	linesMost    = 64      // bytes of a line
	linesOutbox  = 2 << 10 // bytes
	slack        = 100 * time.Millisecond
)

var linesMuch = strings.Repeat("more, ", 80) + "\r\n"

func newLines() *Server {
	return &Server{
		Name: "lines", isolated: true, pressure: true, build: buildLines,
		Files: []string{"lines.go"},
		Dict: []string{"LOGIN bob\r\n", "hello\r\n", "QUIT\r\n", "MUCH\r\n", "half", "\r", "\n", "x\r\ny\r\n",
			"LOGIN bob\r\n" + strings.Repeat("MUCH\r\n", 150)},
		Bugs: []Bug{
			{Name: "lines/split-delimiter", What: "an end of line that comes in two pieces is not seen"},
			{Name: "lines/unbounded", What: "a line may have any length"},
			{Name: "lines/slow-login", What: "each piece of input renews the bound of the whole login"},
			{Name: "lines/late-timer", What: "the timer of the login outlives it"},
			{Name: "lines/backlog", What: "replies to a peer that does not read are kept without bound"},
			{Name: "lines/after-quit", What: "QUIT is answered, and the connection goes on"},
			{Name: "lines/no-login", What: "lines are answered before the login"},
		},
		model: inputs[linesModel, string]{"lines", fuzz.Model[linesModel, string]{
			New:   func() (s linesModel) { return s },
			Input: func(in []byte) (string, int, bool) { return crlfLine(in, 0) },
			Step:  linesStep,
		}},
	}
}

func buildLines(p *Plant) func(Room) error {
	in, wait := fsm.To(linesStart), peer.Readable().While(peer.Room())
	switch p.Bug {
	case "lines/late-timer":
		in = fsm.To(linesStart, linesIn)
	case "lines/backlog":
		wait = peer.Readable() | peer.Drained()
	}
	k := reactor.Must(reactor.NewKind("lines", reactor.Options{Ports: []string{"peer"}, WriteBuffer: linesOutbox,
		Timers: []reactor.TimerSpec{{Name: "login", In: in}}}, reactor.Table[lines, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnTimer: (*lines).tooLate, To: fsm.To(linesLate)},
		linesStart: {Name: "start", Wait: wait, Within: fsm.Never, OnEnter: (*lines).start, OnReady: (*lines).read,
			To: fsm.To(linesIn)},
		linesIn:   {Name: "in", Wait: wait, Idle: fsm.After(linesSilence, linesLate), OnReady: (*lines).read},
		linesLate: {Name: "late", OnEnter: (*lines).late, Within: fsm.After(time.Second, fsm.Stop)},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":7000", lines{plant: p})
		return err
	}
}

func (l *lines) start(cx *cx) fsm.State {
	l.born, l.quiet.since = cx.Now(), cx.Now()
	return cx.Fail(cx.Arm(0, linesLogin))
}

func (l *lines) tooLate(*cx, reactor.Fired) fsm.State { return linesLate }

// late ends a slow peer.
func (l *lines) late(cx *cx) fsm.State {
	quiet, age := cx.Now()-l.quiet.since, cx.Now()-l.born
	l.plant.Wrong("lines/late-timer", l.known && quiet < linesSilence)
	claim(!l.known || quiet >= linesSilence, "a peer ended for its silence was silent for %v: %v was allowed", quiet, linesSilence)
	claim(l.known || age >= linesLogin, "a peer ended for a slow login had %v: %v was allowed", age, linesLogin)
	return fsm.Stop
}

func (l *lines) read(cx *cx, _ reactor.Ready) fsm.State {
	age := cx.Now() - l.born
	claim(l.known || age <= linesLogin+slack, "a login may take %v: this one has had %v", linesLogin, age)
	if l.plant.Bug == "lines/backlog" && l.write(cx, "") != nil {
		return fsm.Stay
	}
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	l.quiet.ends(cx, len(in))
	if !l.known && l.plant.Wrong("lines/slow-login", age > 0) {
		cx.Arm(0, linesLogin)
	}
	text, n, ok := l.line(in)
	if !ok {
		return fsm.Stay
	}
	cx.Discard(peer, n)
	l.quiet.left -= n
	return l.answer(cx, text)
}

// line returns the next line. It skips what was searched before.
func (l *lines) line(in []byte) (text string, n int, ok bool) {
	from := max(0, l.seen-1) // a '\r' may have been the last
	if l.plant.Wrong("lines/split-delimiter", l.seen > 0 && l.seen < len(in) && in[l.seen-1] == '\r' && in[l.seen] == '\n') {
		from = l.seen
	}
	if l.seen = len(in); l.plant.Wrong("lines/unbounded", len(in) >= linesMost && !bytes.Contains(in[:linesMost], crlf)) {
		at := bytes.Index(in[from:], crlf)
		text, n, ok = string(in[:max(0, from+at)]), from+at+len(crlf), at >= 0
	} else {
		text, n, ok = crlfLine(in, from)
	}
	if ok {
		l.seen = 0
	}
	return text, n, ok
}

var crlf = []byte("\r\n")

// crlfLine returns the first line of in, whose end is at from or later, or a prefix of a
// line that is too long.
func crlfLine(in []byte, from int) (text string, n int, ok bool) {
	most := min(len(in), linesMost)
	if at := bytes.Index(in[min(from, most):most], crlf); at >= 0 {
		return string(in[:from+at]), from + at + len(crlf), true
	}
	return string(in[:most]), len(in), most == linesMost
}

func (l *lines) answer(cx *cx, text string) fsm.State {
	model := linesModel{known: l.known}
	if l.plant.Wrong("lines/no-login", !l.known) {
		model.known = true
	}
	if err := l.write(cx, linesStep(&model, text)); err != nil {
		return cx.Fail(err)
	}
	switch {
	case model.over:
		return swap(l.plant, "lines/after-quit", fsm.Stay, fsm.Stop)
	case model.known && !l.known:
		l.known = true
		return linesIn
	}
	return fsm.Stay
}

func (l *lines) write(cx *cx, s string) error {
	if l.plant.Bug != "lines/backlog" {
		return cx.Write(peer, []byte(s))
	}
	l.queue = append(l.queue, s...)
	for len(l.queue) > 0 {
		n := min(len(l.queue), 512)
		err := cx.Write(peer, l.queue[:n])
		full := errors.Is(err, reactor.ErrFull)
		if l.plant.Wrong("lines/backlog", full) && full {
			break
		} else if err != nil {
			return err
		}
		l.queue = l.queue[n:]
	}
	claim(len(l.queue) <= 2*linesOutbox, "a connection may keep %d bytes of output: this one has %d", 2*linesOutbox, len(l.queue))
	return nil
}

// linesModel is the state of a connection.
type linesModel struct{ known, over bool }

func linesStep(s *linesModel, text string) string {
	name, login := strings.CutPrefix(text, "LOGIN ")
	switch {
	case s.over:
		return ""
	case len(text) >= linesMost:
		s.over = true
		return "too long\r\n"
	case text == "QUIT":
		s.over = true
		return "bye\r\n"
	case login && !s.known:
		s.known = true
		return "hello " + name + "\r\n"
	case !s.known:
		return "login first\r\n"
	case text == "MUCH":
		return linesMuch
	}
	return text + "\r\n"
}
