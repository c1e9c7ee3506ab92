package right

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// letterbox takes mail, in a dialog as that of SMTP: it greets, knows which command may follow
// which, takes lines up to a single dot, and ends at QUIT or after the third mistake.
type letterbox struct {
	to, lines, mistakes int
}

type letterboxCx = reactor.Context[reactor.None]

const (
	letterboxPeer reactor.Port = 0

	letterboxGreeting = "220 letterbox\r\n"
	letterboxMost     = 3 // recipients of a mail, and mistakes of a client
)

const (
	letterboxGreets = fsm.First + iota
	letterboxCommands
	letterboxEnvelope
	letterboxBody
)

func newLetterbox() *reactor.Kind[letterbox, reactor.None] {
	row := func(name string, serve func(*letterbox, *letterboxCx, string) (string, fsm.State), to ...fsm.State) reactor.Row[letterbox, reactor.None] {
		return reactor.Row[letterbox, reactor.None]{Name: name, Wait: letterboxPeer.Readable().While(letterboxPeer.Room()),
			OnReady: letterboxLine(serve), Idle: fsm.After(time.Minute, fsm.Stop), To: fsm.To(to...)}
	}
	return reactor.Must(reactor.NewKind("letterbox", reactor.Options{Ports: []string{"peer"}, ReadBuffer: 1024},
		reactor.Table[letterbox, reactor.None]{
			fsm.Any:           {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			letterboxGreets:   {Name: "greeting", OnEnter: (*letterbox).greet, To: fsm.To(letterboxCommands)},
			letterboxCommands: row("commands", (*letterbox).command, letterboxEnvelope),
			letterboxEnvelope: row("envelope", (*letterbox).envelope, letterboxCommands, letterboxBody),
			letterboxBody:     row("body", (*letterbox).body, letterboxCommands),
		}))
}

func (l *letterbox) greet(cx *letterboxCx) fsm.State {
	if err := cx.Write(letterboxPeer, []byte(letterboxGreeting)); err != nil {
		return cx.Fail(err)
	}
	return letterboxCommands
}

// letterboxLine makes a handler of one that gets a line, and returns the reply and the next
// state.
func letterboxLine(serve func(*letterbox, *letterboxCx, string) (string, fsm.State)) func(*letterbox, *letterboxCx, reactor.Ready) fsm.State {
	return func(l *letterbox, cx *letterboxCx, _ reactor.Ready) fsm.State {
		in, err := cx.Peek(letterboxPeer)
		n := bytes.IndexByte(in, '\n') + 1
		if err != nil || n == 0 {
			return cx.Fail(err)
		}
		before := *l
		reply, next := serve(l, cx, strings.TrimRight(string(in[:n]), "\r\n"))
		switch err := cx.Write(letterboxPeer, []byte(reply)); {
		case errors.Is(err, reactor.ErrFull): // the line is shown again
			*l = before
			return fsm.Stay
		case err != nil:
			return cx.Fail(err)
		}
		cx.Discard(letterboxPeer, n)
		return next
	}
}

func (l *letterbox) command(_ *letterboxCx, line string) (string, fsm.State) {
	switch verb, arg, _ := strings.Cut(line, " "); {
	case verb == "EHLO" && arg != "":
		return "250-letterbox\r\n250-SIZE 1000\r\n250 HELP\r\n", fsm.Stay
	case verb == "MAIL" && arg != "":
		l.to, l.lines = 0, 0
		return "250 ok\r\n", letterboxEnvelope
	default:
		return l.other(verb)
	}
}

func (l *letterbox) envelope(_ *letterboxCx, line string) (string, fsm.State) {
	switch verb, arg, _ := strings.Cut(line, " "); {
	case verb == "RCPT" && arg != "" && l.to < letterboxMost:
		l.to++
		return "250 ok\r\n", fsm.Stay
	case verb == "RCPT" && arg != "":
		return "452 too many\r\n", fsm.Stay
	case verb == "DATA" && l.to > 0:
		return "354 go on\r\n", letterboxBody
	case verb == "RSET":
		return "250 ok\r\n", letterboxCommands
	default:
		return l.other(verb)
	}
}

func (l *letterbox) body(_ *letterboxCx, line string) (string, fsm.State) {
	if line == "." {
		return fmt.Sprintf("250 %d lines to %d\r\n", l.lines, l.to), letterboxCommands
	}
	l.lines++
	return "", fsm.Stay
}

// other serves what does not depend on the state.
func (l *letterbox) other(verb string) (string, fsm.State) {
	if verb == "QUIT" {
		return "221 bye\r\n", fsm.Stop
	}
	if l.mistakes++; l.mistakes == letterboxMost {
		return "421 enough\r\n", fsm.Stop
	}
	return "503 not now\r\n", fsm.Stay
}

// smtpState is the model's: the dialog as the protocol describes it.
type smtpState struct {
	in                  string // "", "mail" or "data"
	to, lines, mistakes int
	over                bool
}

func (s *smtpState) step(line string) string {
	verb, arg, _ := strings.Cut(strings.TrimRight(line, "\r\n"), " ")
	named := verb + " " + s.in
	switch {
	case s.over:
		return ""
	case s.in == "data" && strings.TrimRight(line, "\r\n") == ".":
		s.in = ""
		return fmt.Sprintf("250 %d lines to %d\r\n", s.lines, s.to)
	case s.in == "data":
		s.lines++
		return ""
	case named == "EHLO " && arg != "":
		return "250-letterbox\r\n250-SIZE 1000\r\n250 HELP\r\n"
	case named == "MAIL " && arg != "":
		s.in, s.to, s.lines = "mail", 0, 0
	case named == "RCPT mail" && arg != "" && s.to == letterboxMost:
		return "452 too many\r\n"
	case named == "RCPT mail" && arg != "":
		s.to++
	case named == "RSET mail":
		s.in = ""
	case named == "DATA mail" && s.to > 0:
		s.in = "data"
		return "354 go on\r\n"
	case verb == "QUIT":
		s.over = true
		return "221 bye\r\n"
	default:
		s.mistakes++
		if s.over = s.mistakes == letterboxMost; s.over {
			return "421 enough\r\n"
		}
		return "503 not now\r\n"
	}
	return "250 ok\r\n"
}

func smtpSpec() fuzz.Spec {
	kind := newLetterbox()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":25", letterbox{})
			return err
		},
		Dict: []string{"EHLO me\r\n", "MAIL ann\r\n", "RCPT bob\r\n", "RSET\r\n", "DATA\r\n", "hello\r\n", ".\r\n", "QUIT\r\n",
			"MAIL ann\r\nRCPT bob\r\nDATA\r\n", string(make([]byte, 1100))},
		Isolated: true,
		Pressure: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("dialog", fuzz.Model[smtpState, string]{
			Greeting:  letterboxGreeting,
			Input:     inputLine,
			Step:      (*smtpState).step,
			Over:      func(s smtpState) bool { return s.over },
			HalfClose: true,
		})},
	}
}
