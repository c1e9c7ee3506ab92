package right

import (
	"bytes"
	"encoding/binary"
	"errors"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// framer has requests and replies that begin with their length, two bytes.
type framer struct{ need int }

type framerCx = reactor.Context[reactor.None]

const framerPeer reactor.Port = 0

const framerLongest = 1024 // bytes of a frame

const (
	framerHead = fsm.First + iota
	framerBody
)

var errLongFrame = errors.New("a frame is too long")

func newFramer() *reactor.Kind[framer, reactor.None] {
	wait := framerPeer.Readable().While(framerPeer.Room())
	return reactor.Must(reactor.NewKind("framer", reactor.Options{Ports: []string{"peer"}, ReadBuffer: 2048, WriteBuffer: 8192},
		reactor.Table[framer, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			framerHead: {Name: "head", Wait: wait, OnReady: (*framer).head,
				Idle: fsm.After(time.Minute, fsm.Stop), To: fsm.To(framerBody)},
			framerBody: {Name: "body", Wait: wait, OnReady: (*framer).body,
				Within: fsm.After(20*time.Second, fsm.Stop), To: fsm.To(framerHead)},
		}))
}

func (f *framer) head(cx *framerCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(framerPeer)
	if err != nil || len(in) < 2 {
		return cx.Fail(err)
	}
	f.need = int(binary.BigEndian.Uint16(in))
	cx.Discard(framerPeer, 2)
	if f.need > framerLongest {
		return cx.Stop(errLongFrame)
	}
	if f.need == 0 {
		return fsm.Stop // the client says that it has no more
	}
	return framerBody
}

func (f *framer) body(cx *framerCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(framerPeer)
	if err != nil || len(in) < f.need {
		return cx.Fail(err)
	}
	if err := cx.Write(framerPeer, frame(bytes.ToUpper(in[:f.need]))); err != nil {
		if errors.Is(err, reactor.ErrFull) {
			return fsm.Stay
		}
		return cx.Fail(err)
	}
	cx.Discard(framerPeer, f.need)
	return framerHead
}

func frame(b []byte) []byte { return append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...) }

func framesSpec() fuzz.Spec {
	kind := newFramer()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", framer{})
			return err
		},
		Dict: []string{string(frame([]byte("hello"))), string(frame([]byte("x"))), string(frame(nil)),
			string(frame(bytes.Repeat([]byte("y"), framerLongest))), "\x00\x03ab", "\xff\xff"},
		Isolated: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("frames", fuzz.Model[bool, string]{
			Input: func(in []byte) (string, int, bool) {
				if len(in) < 2 {
					return "", 0, false
				}
				n := int(binary.BigEndian.Uint16(in))
				if n > framerLongest {
					return "too long", 2, true
				}
				if len(in) < 2+n {
					return "", 0, false
				}
				return string(in[:2+n]), 2 + n, true
			},
			Step: func(over *bool, in string) string {
				if *over = *over || len(in) == 2 || in == "too long"; *over {
					return ""
				}
				return string(frame(bytes.ToUpper([]byte(in[2:]))))
			},
			Over: func(over bool) bool { return over },
		})},
	}
}
