package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// Machines that dial: by name, and where nothing listens.

const (
	asking fsm.State = fsm.First + iota
	answered
	failed
)

var question = []byte("is there anybody?")

// dialler dials an address, asks for an echo, and says how that went.
type dialler struct {
	to   string
	said chan<- error
}

func newDialler(t *tally) *reactor.Kind[dialler, reactor.None] {
	return reactor.Must(reactor.NewKind("dialler", reactor.Options{Ports: []string{"peer"}, OnEnd: t.ends(reactor.ErrRefused)},
		reactor.Table[dialler, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			asking: {Name: "asking", Wait: peer.Readable(), Within: fsm.After(patience/2, failed), Fail: failed, To: fsm.To(answered),
				OnEnter: (*dialler).ask, OnReady: (*dialler).ready},
			answered: {Name: "answered", OnEnter: func(d *dialler, _ *plainCx) fsm.State { d.said <- nil; return fsm.Stop }},
			failed:   {Name: "failed", OnEnter: func(d *dialler, cx *plainCx) fsm.State { d.said <- cx.Cause(); return fsm.Stop }},
		}))
}

func (d *dialler) ask(cx *plainCx) fsm.State {
	err := cx.Dial(peer, "tcp", d.to)
	if err == nil {
		err = cx.Write(peer, question)
	}
	return cx.Fail(err)
}

func (d *dialler) ready(cx *plainCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	switch {
	case err != nil:
		return cx.Fail(err)
	case len(in) < len(question):
		return fsm.Stay
	case !bytes.Equal(in, question):
		return cx.Stop(errors.New("the reply differs from the question"))
	}
	cx.Discard(peer, len(in))
	return answered
}

// dials makes machines that dial an echo by name, and a port where nothing listens.
func dials(s *server) (load, error) {
	echoAt, err := listen(s, newEcho(s.tally, "tcp", time.Minute, peerEnds...), echo{})
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(echoAt)
	dead, err := deadPort()
	targets := []struct {
		to   string
		want error
	}{
		{"localhost:" + port, nil},
		{echoAt, nil},
		{dead, reactor.ErrRefused},
	}
	k := newDialler(s.tally)
	return func(w *worker) error {
		target := targets[w.rand.IntN(len(targets))]
		said := make(chan error, 1)
		if _, err := k.Spawn(s.loops[w.id%2], dialler{target.to, said}); err != nil {
			return err
		}
		err := w.await(said)
		switch {
		case errors.Is(err, target.want):
		case target.to == dead && errors.Is(err, io.ErrUnexpectedEOF):
			w.note("dead port taken by another role")
		default:
			return fmt.Errorf("dial %s: %w: want %v", target.to, err, target.want)
		}
		return nil
	}, err
}

// deadPort returns an address at which nothing listens. Its port is among those that the
// system chooses for clients, so a dial could connect to itself.
func deadPort() (string, error) {
	n, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return n.Addr().String(), n.Close()
}
