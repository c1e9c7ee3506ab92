package fuzz

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/internal/testenv"
	"github.com/stator-go/stator/reactor"
)

// teller is a machine whose protocol needs the open parts of a Model. Its mistake, if it makes
// one, is planted by wrong.
//
//	"name\n"  is answered after a while by the same, the last name first
//	"dial\n"  is answered by "granted\n" or "refused\n"
//	"text\n"  is answered by "go\n"; what follows, up to a line of a dot, by "read\n"
//
// If it gets no line for 7.5 s, it ends.
type teller struct {
	wrong   string
	names   []string
	answers bool // to names
	text    bool
	beats   int
}

const telling = fsm.First

type tellerCx = reactor.Context[reactor.None]

func tellerSpec(wrong string, patient fsm.Deadline, dict []string, m Model[spoken, string]) Spec {
	k := reactor.Must(reactor.NewKind("teller", reactor.Options{Ports: []string{"client", "upstream"}, Timers: []reactor.TimerSpec{{Name: "names", In: fsm.To(telling, dialled)}, {Name: "beat", In: fsm.To(telling, dialled)}}},
		reactor.Table[teller, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnTimer: (*teller).timer},
			telling: {Name: "telling", Wait: client.Readable().While(client.Room()), Within: patient, OnReady: (*teller).line, OnEnter: (*teller).begin, To: fsm.To(telling, dialled)},
			dialled: {Name: "dialled", Wait: upstream.Opened(), Within: fsm.After(5*time.Second, fsm.Stop), OnReady: (*teller).grant, Fail: refusing, To: fsm.To(telling, refusing),
				OnEnter: func(_ *teller, cx *tellerCx) reactor.State { return cx.Fail(cx.Dial(upstream, "tcp", "10.0.0.1:80")) }},
			refusing: {Name: "refusing", OnEnter: (*teller).refuse, Within: fsm.After(5*time.Second, fsm.Stop), To: fsm.To(telling)},
		}))
	if m.Input == nil && m.Next == nil {
		m.Input = firstLine
	}
	return Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "tcp", ":7000", teller{wrong: wrong, answers: dict[0] == "a\n"})
			return err
		},
		Dict: dict, Oracles: []Oracle{PerConn("teller", m)}, Without: Segmentation | HangUp | SpuriousEvents,
	}
}

const (
	dialled = telling + 1 + iota
	refusing
)

func (c *teller) begin(cx *tellerCx) reactor.State {
	if strings.HasPrefix(c.wrong, "beats") && c.beats == 0 {
		c.beats++
		return cx.Fail(cx.Arm(1, c.interval()))
	}
	return fsm.Stay
}

// interval returns the time from one beat to the next.
func (c *teller) interval() time.Duration {
	switch c.wrong {
	case "beats early":
		return 900 * time.Millisecond
	case "beats late":
		return 3 * time.Second
	}
	return time.Second
}

func (c *teller) line(cx *tellerCx, _ reactor.Ready) reactor.State {
	in, err := cx.Peek(client)
	if errors.Is(err, io.EOF) && c.wrong != "" && strings.HasPrefix(c.wrong, "parts") {
		if c.wrong == "parts" {
			err = cx.Write(client, []byte("bye\n"))
		} else {
			err = nil
		}
		if err == nil {
			return fsm.Stop
		}
	}
	if err != nil {
		return cx.Fail(err)
	}
	end := "\n"
	if c.text {
		end = "\n.\n"
	}
	n := bytes.Index(in, []byte(end))
	if n < 0 {
		return fsm.Stay
	}
	line := string(in[:n])
	cx.Discard(client, n+len(end))
	switch {
	case c.text:
		if c.text = false; c.wrong == "reads on" && line == "x" {
			return telling
		}
		err = cx.Write(client, []byte("read\n"))
	case line == "text":
		c.text = true
		err = cx.Write(client, []byte("go\n"))
	case line == "dial":
		return dialled
	case c.answers && len(line) == 1 && strings.Contains("abc", line):
		c.names = append(c.names, line+"\n")
		err = cx.Arm(0, 100*time.Millisecond)
	}
	if err != nil {
		return cx.Fail(err)
	}
	return telling
}

func (c *teller) timer(cx *tellerCx, f reactor.Fired) reactor.State {
	if f.Timer == 1 {
		c.beats++
		if err := cx.Write(client, []byte("beat\n")); err != nil {
			return cx.Fail(err)
		}
		if c.wrong == "beats wrongly" && c.beats == 3 {
			cx.Write(client, []byte("bert\n"))
		}
		if c.wrong == "beats once" {
			return fsm.Stay
		}
		return cx.Fail(cx.Arm(1, c.interval()))
	}
	slices.Reverse(c.names)
	if c.wrong == "forgets" && len(c.names) == 3 {
		c.names = c.names[:2]
	}
	for _, name := range c.names {
		if err := cx.Write(client, []byte(name)); err != nil {
			return cx.Fail(err)
		}
	}
	c.names = nil
	return fsm.Stay
}

func (c *teller) grant(cx *tellerCx, _ reactor.Ready) reactor.State {
	cx.Close(upstream)
	if err := cx.Write(client, []byte("granted\n")); err != nil {
		return cx.Fail(err)
	}
	return telling
}

func (c *teller) refuse(cx *tellerCx) reactor.State {
	answer := "refused\n"
	if c.wrong == "grants nothing" {
		answer = "error\n"
	}
	cx.Close(upstream)
	if err := cx.Write(client, []byte(answer)); err != nil {
		return cx.Fail(err)
	}
	return telling
}

// spoken is the state of the models of a teller.
type spoken struct {
	due  string // names without an answer, one letter each
	text bool
	next time.Duration // beat
}

// unordered is the model of names: they are answered in any order, later.
var unordered = Model[spoken, string]{
	Steps: func(s spoken, in string, _ Moment) []Outcome[spoken] {
		if len(in) == 2 && strings.Contains("abc", in[:1]) {
			due := []byte(s.due + in[:1])
			slices.Sort(due)
			s.due = string(due)
		}
		return []Outcome[spoken]{{s, ""}}
	},
	Push: func(s spoken, _ Moment) (all []Outcome[spoken]) {
		for i := range s.due {
			if i > 0 && s.due[i] == s.due[i-1] {
				continue
			}
			next := s
			next.due = s.due[:i] + s.due[i+1:]
			all = append(all, Outcome[spoken]{next, s.due[i:i+1] + "\n"})
		}
		return all
	},
	Owes: func(s spoken, _ Moment) bool { return s.due != "" },
}

// dials is the model of dialling, which may succeed or not.
var dials = Model[spoken, string]{
	Steps: func(s spoken, in string, _ Moment) []Outcome[spoken] {
		if in != "dial\n" {
			return []Outcome[spoken]{{s, ""}}
		}
		return []Outcome[spoken]{{s, "granted\n"}, {s, "refused\n"}}
	},
}

// idles is the model of a machine that ends after 7.5 s without a line.
var idles = Model[spoken, string]{
	Step: func(*spoken, string) string { return "" },
	Ends: func(_ spoken, at Moment) time.Duration { return at.Input + 7500*time.Millisecond },
}

// beats is the model of a machine that sends something now and then.
var beats = Model[spoken, string]{
	Steps: func(s spoken, in string, _ Moment) []Outcome[spoken] { return []Outcome[spoken]{{s, ""}} },
	Push:  func(s spoken, _ Moment) []Outcome[spoken] { return []Outcome[spoken]{{s, "beat\n"}} },
}

// unending is the model of a machine that sends something each second, and never stops.
var unending = Model[spoken, string]{
	Steps: beats.Steps,
	Push: func(s spoken, at Moment) []Outcome[spoken] {
		if s.next = max(s.next, at.Begin+time.Second); at.Time < s.next {
			return nil
		}
		s.next += time.Second
		return []Outcome[spoken]{{s, "beat\n"}}
	},
	Owes: func(_ spoken, at Moment) bool { return at.Time > at.Got+time.Second },
}

// texts is the model of a text behind a command, and of an end that is answered.
func texts(parts bool) Model[spoken, string] {
	return Model[spoken, string]{
		HalfClose: parts,
		Next: func(s spoken, in []byte, ended bool) (string, int, bool) {
			end := "\n"
			if s.text {
				end = "\n.\n"
			}
			if n := bytes.Index(in, []byte(end)); n >= 0 {
				return string(in[:n]), n + len(end), true
			}
			return "the end", 0, ended && parts
		},
		Step: func(s *spoken, in string) string {
			switch {
			case in == "the end":
				return "bye\n"
			case s.text:
				s.text = false
				return "read\n"
			case in == "text":
				s.text = true
				return "go\n"
			}
			return ""
		},
	}
}

// Each part of an open Model passes a machine that is right, and fails one that is not.
func TestOpenModels(t *testing.T) {
	t.Parallel()
	long, short, never := fsm.After(7500*time.Millisecond, fsm.Stop), fsm.After(5*time.Second, fsm.Stop), fsm.After(time.Minute, fsm.Stop)
	names, connects, commands := []string{"a\n", "b\n", "c\n"}, []string{"dial\n"}, []string{"text\n", "x\n", ".\n"}
	for _, c := range []struct {
		name    string
		wrong   string
		patient fsm.Deadline
		dict    []string
		model   Model[spoken, string]
		want    string // in the failure; empty: none
	}{
		{"unordered answers", "", long, names, unordered, ""},
		{"an unordered answer that is lost", "forgets", long, names, unordered, `the model's Owes says that there is something to come`},
		{"connects", "", long, connects, dials, ""},
		{"a refusal in other words", "grants nothing", long, connects, dials, `: want "granted\n" or "refused\n"`},
		{"ends in time", "", long, []string{"x", "yz"}, idles, ""},
		{"ends too early", "", short, []string{"x", "yz"}, idles, `its machine ends it after 5s, by its deadline "within": the model's Ends says after 7.5s`},
		{"ends too late", "", never, []string{"x", "yz"}, idles, `: the model's Ends says that its machine ends it after `},
		{"beats", "beats", never, []string{"x"}, beats, ""},
		{"beats in other words", "beats wrongly", never, []string{"x"}, beats, `: want "beat\n"`},
		{"beats each second", "beats", never, []string{"x"}, unending, ""},
		{"beats once", "beats once", never, []string{"x"}, unending, `gets no more: the model's Owes says that there is something to come by `},
		{"beats early", "beats early", never, []string{"x"}, unending, `gets "beat\n" at 900ms, 1h0m0.9s on the world's clock: no outcome of Steps or Push fits, and the last state possible is {due: text:false next:0`},
		{"beats late", "beats late", never, []string{"x"}, unending, `: the model's Owes says that there is something to come, in state {`},
		{"texts", "", long, commands, texts(false), ""},
		{"texts that are not read", "reads on", long, commands, texts(false), `want "read\n"`},
		{"says good-bye", "parts", long, commands[:1], texts(true), ""},
		{"says none", "parts silently", long, commands[:1], texts(true), `gets "" for "the end", and its machine ends when the peer has half-closed: want "bye\n"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			runs := 500
			if c.want == "" {
				runs = testenv.Pick(150, runs)
			}
			found := Find(tellerSpec(c.wrong, c.patient, c.dict, c.model), 1, Budget{Runs: runs})
			switch {
			case c.want == "" && (found.Failure != nil || found.Undecided > found.Runs/200): // some words come a thousand times
				t.Error(found.Undecided, found.Explain())
			case c.want != "" && (found.Failure == nil || !strings.Contains(found.Failure.Error(), c.want)):
				t.Errorf("%v: want %q", found, c.want)
			}
		})
	}
}
