package fuzz

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/probe"
	"github.com/stator-go/stator/reactor"
	"github.com/stator-go/stator/sig"
)

// postman answers each datagram with the same bytes in brackets.
type postman struct{ probe probe.Probe }

func newPostman() *reactor.Kind[postman, reactor.None] {
	return reactor.Must(reactor.NewKind("postman", reactor.Options{Ports: []string{"sock"}}, reactor.Table[postman, reactor.None]{
		{Shutdown: fsm.Stop}, {Name: "serving", Wait: peer.Readable(), Idle: fsm.Never, OnReady: (*postman).serve}}))
}

func (p *postman) serve(cx *echoCx, _ reactor.Ready) reactor.State {
	var b [100]byte
	n, from, err := cx.ReadFrom(peer, b[:])
	if err != nil {
		return cx.Fail(err)
	}
	p.probe.Sometimes("an empty datagram comes", n == 0)
	return cx.Fail(cx.SendTo(peer, fmt.Appendf(nil, "<%s>", b[:n]), from))
}

// repliesOnly returns what a peer got that is not an answer to something it sent.
func repliesOnly(sent, got []string) string {
	for _, s := range got {
		if !slices.Contains(sent, strings.TrimSuffix(strings.TrimPrefix(s, "<"), ">")) {
			return fmt.Sprintf("gets %q, for nothing that it sent", s)
		}
	}
	return ""
}

func postmanSpec() Spec {
	k := newPostman()
	return Spec{
		Setup: func(w *World) error {
			_, err := k.Listen(w.Loop(0), "udp", ":5353", postman{w.Probe()})
			return err
		},
		Dict: []string{"one", "two"}, Oracles: []Oracle{Datagrams("answers", repliesOnly)},
	}
}

// Datagrams come, empty ones too. Faults lose them, double them, or let them overtake
// others.
func TestDatagramPeers(t *testing.T) {
	const say = "datagram 0 word=0\ndatagram 0 word=1\n"
	for _, c := range []struct{ name, trace, want string }{
		{"as they are sent", say, "<one> <two>"},
		{"empty", "datagram 0 word=258\n", "<>"},
		{"a byte", "datagram 0 word=100\n", "<b>"},
		{"of another peer", "datagram 1 word=0\n", ""},
		{"lost on the way there", "datagram-fails 0 how=0\n" + say, "<two>"},
		{"twice", "datagram-fails 0 how=1\n" + say, "<one> <one> <two>"},
		{"overtaken", "datagram 0 word=0 hold\nmail-fails 0 how=2 hold\ndatagram 0 word=1\n", "<two> <one>"},
		{"lost on the way back", "datagram 0 word=0 hold\ndatagram 0 word=1 hold\nmail-fails 0 how=0\n", "<two>"},
	} {
		tr, err := trace.Parse(c.trace)
		if err != nil {
			t.Fatal(err)
		}
		spec := postmanSpec()
		w := newEngine(spec)
		if f := w.run(tr); f != nil {
			t.Errorf("%s: %v", c.name, f)
		}
		if got := strings.Join(w.world.DatagramPeers()[0].Got, " "); got != c.want {
			t.Errorf("%s: %q: want %q", c.name, got, c.want)
		}
	}
	if found := Find(postmanSpec(), 1, Budget{Runs: 1000}); found.Failure != nil || len(found.Unseen) > 0 {
		t.Error(found.Explain())
	}
	wrong := postmanSpec()
	wrong.Oracles = []Oracle{Datagrams("none", func(_, got []string) string {
		if len(got) == 0 {
			return ""
		}
		return "gets an answer"
	})}
	if found := Find(wrong, 1, Budget{Runs: 1000}); found.Failure == nil || found.Failure.Oracle != `model "none"` || len(found.Trace) != 1 {
		t.Errorf("%v\n%s", found, found.Trace)
	}
}

// asker sends a question to a server, and repeats the answer to its peer.
type asker struct{ answers *[]string }

func (a *asker) dial(cx *echoCx) reactor.State {
	if err := cx.Dial(peer, "udp", "10.0.0.1:53"); err != nil {
		return cx.Fail(err)
	}
	return cx.Fail(cx.Write(peer, []byte("who?")))
}

func (a *asker) hear(cx *echoCx, _ reactor.Ready) reactor.State {
	var b [100]byte
	n, err := cx.Read(peer, b[:])
	if err == nil {
		*a.answers = append(*a.answers, string(b[:n]))
	}
	return cx.Fail(err)
}

// A datagram peer in the upper half of the numbers has an address that a machine wrote to.
func TestDatagramServer(t *testing.T) {
	k := reactor.Must(reactor.NewKind("asker", reactor.Options{Ports: []string{"server"}}, reactor.Table[asker, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "asking", Wait: peer.Readable(), Within: fsm.After(time.Hour, fsm.Stop), OnEnter: (*asker).dial, OnReady: (*asker).hear}}))
	var answers []string
	w := newEngine(Spec{Dict: []string{"me"}, Setup: func(w *World) error {
		answers = nil
		_, err := k.Spawn(w.Loop(0), asker{&answers})
		return err
	}})
	if f := w.run(trace.Trace{{Op: trace.Datagram, On: 4}, {Op: trace.Datagram, On: 0}}); f != nil { // the one of peer 0 is not for it
		t.Fatal(f)
	}
	if got := w.world.DatagramPeers()[4].Got; !slices.Equal(got, []string{"who?"}) || !slices.Equal(answers, []string{"me"}) {
		t.Errorf("the server got %q, the machine %q: want who?, me", got, answers)
	}
}

var interrupt, terminate = sig.Of(os.Interrupt), sig.Of(syscall.SIGTERM)

// catcher counts the signals that come, each once per turn.
type catcher struct{ came *[]sig.Set }

func (c *catcher) ask(cx *echoCx) reactor.State { return cx.Fail(cx.Notify(interrupt | terminate)) }

func (c *catcher) signal(_ *echoCx, s sig.Set) reactor.State {
	*c.came = append(*c.came, s)
	return fsm.Stay
}

// Signals that machines ask for are events; a burst in one turn is one event.
func TestSignals(t *testing.T) {
	k := reactor.Must(reactor.NewKind("catcher", reactor.Options{}, reactor.Table[catcher, reactor.None]{
		{Shutdown: fsm.Stop, OnEnter: (*catcher).ask}, {Name: "catching", Idle: fsm.Never, OnSignal: (*catcher).signal}}))
	var came []sig.Set
	w := newEngine(Spec{Setup: func(w *World) error {
		came = nil
		_, err := k.Spawn(w.Loop(0), catcher{&came})
		return err
	}})
	tr := trace.Trace{{Op: trace.Signal, A: 1}, {Op: trace.Signal, A: 2, B: 9}, {Op: trace.Signal, A: 0, Hold: true}, {Op: trace.Signal, A: 1}, {Op: trace.Signal, A: 1<<16 - 1}}
	if f := w.run(tr); f != nil {
		t.Fatal(f)
	}
	if want := []sig.Set{terminate, interrupt, interrupt | terminate, interrupt | terminate}; !slices.Equal(came, want) {
		t.Errorf("%v: want %v", came, want)
	}
}

// filter copies from one pipe to another, like a program in a pipeline of a shell.
type filter struct {
	in, out reactor.Descriptor
	probe   probe.Probe
}

func (f *filter) open(cx *echoCx) reactor.State {
	return cx.Fail(errors.Join(cx.Adopt(client, f.in), cx.Adopt(upstream, f.out)))
}

func (f *filter) copy(cx *echoCx, _ reactor.Ready) reactor.State {
	_, err := cx.Copy(upstream, client)
	if err == io.EOF {
		f.probe.Sometimes("the end comes", true)
		return fsm.Stop
	}
	if err == reactor.ErrFull {
		return fsm.Stay
	}
	return cx.Fail(err)
}

func filterSpec() Spec {
	k := reactor.Must(reactor.NewKind("filter", reactor.Options{Ports: []string{"in", "out"}, WriteBuffer: 64}, reactor.Table[filter, reactor.None]{
		{Shutdown: fsm.Stop, OnEnter: (*filter).open},
		{Name: "copying", Wait: client.Readable().While(upstream.Room()), Idle: fsm.After(time.Hour, fsm.Stop), OnReady: (*filter).copy}}))
	return Spec{
		Setup: func(w *World) error {
			in, err := w.ReadPipe()
			if err != nil {
				return err
			}
			out, err := w.WritePipe()
			if err != nil {
				return err
			}
			_, err = k.Spawn(w.Loop(0), filter{in, out, w.Probe()})
			return err
		},
		Dict: []string{"a line\n", "another, which is longer than the first\n"}, Without: Segmentation,
	}
}

// A machine has one end of each of two pipes, and peers have the others.
func TestPipes(t *testing.T) {
	spec := filterSpec()
	w := newEngine(spec)
	if f := w.run(trace.Trace{{Op: trace.Send, On: 4}, {Op: trace.Send, On: 4, A: 1}, {Op: trace.Finish, On: 4}}); f != nil {
		t.Fatal(f)
	}
	if got, want := w.got(5), spec.Dict[0]+spec.Dict[1]; got != want {
		t.Errorf("%q came out: want %q", got, want)
	}
	w.begin(nil)
	defer w.world.Cleanup()
	for _, e := range []trace.Event{{Op: trace.Close, On: 5}, {Op: trace.Send, On: 4}} {
		w.world.Do(e)
	}
	if stats, err := w.world.Loop(0).Stats(); err != nil || stats.Machines != 0 || stats.Failed != 1 {
		t.Errorf("%+v, %v: want a machine that failed, as nobody reads what it writes", stats, err)
	}
	if found := Find(filterSpec(), 1, Budget{Runs: 1000}); found.Failure != nil || len(found.Unseen) > 0 {
		t.Error(found.Explain())
	}
}

// A pipe that no machine adopts can be closed, once.
func TestPipeThatNobodyAdopts(t *testing.T) {
	spec := Spec{Conns: 1, Setup: func(w *World) error {
		p, err := w.ReadPipe()
		if err != nil {
			return err
		}
		if _, err := w.WritePipe(); err == nil {
			return errors.New("a second pipe has a number that is taken")
		}
		p.Close()
		if _, err := p.SyscallConn(); err == nil {
			return errors.New("a closed pipe has a descriptor")
		}
		return nil
	}}
	if found := Replay(spec, nil); found.Failure != nil {
		t.Error(found.Explain())
	}
}

// A connection may wait to be accepted while there are as many machines of the kind as
// MaxMachines allows.
func TestMostMachinesOfAKind(t *testing.T) {
	k := reactor.Must(reactor.NewKind("few", reactor.Options{Ports: []string{"peer"}, MaxMachines: 2}, reactor.Table[struct{}, reactor.None]{
		{Shutdown: fsm.Stop},
		{Name: "echoing", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
			OnReady: func(_ *struct{}, cx *echoCx, _ reactor.Ready) reactor.State {
				_, err := cx.Copy(peer, peer)
				return cx.Fail(err)
			}}}))
	s := Spec{Dict: []string{"word"}, Setup: func(w *World) error {
		_, err := k.Listen(w.Loop(0), "tcp", ":7000", struct{}{})
		return err
	}}
	if found := Find(s, 1, Budget{Runs: 300}); found.Failure != nil {
		t.Error(found.Explain())
	}
}
