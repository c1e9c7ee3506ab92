package right

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// bulk replies to a number, one a line, with as many bytes. A reply may be larger than any
// buffer: it is written piece by piece, as there is room.
type bulk struct{ left int }

type bulkCx = reactor.Context[reactor.None]

const bulkPeer reactor.Port = 0

const (
	bulkReading = fsm.First + iota
	bulkSending
)

var (
	bulkPiece = bytes.Repeat([]byte("x"), 4<<10)
	errBulk   = errors.New("not a number up to 100000")
)

func newBulk() *reactor.Kind[bulk, reactor.None] {
	return reactor.Must(reactor.NewKind("bulk", reactor.Options{Ports: []string{"peer"}, WriteBuffer: 16 << 10},
		reactor.Table[bulk, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			bulkReading: {Name: "reading", Wait: bulkPeer.Readable().While(bulkPeer.Room()), OnReady: (*bulk).read,
				Idle: fsm.After(time.Minute, fsm.Stop), To: fsm.To(bulkSending)},
			bulkSending: {Name: "sending", Wait: bulkPeer.Drained(), OnReady: (*bulk).send,
				Idle: fsm.Never, To: fsm.To(bulkReading), Shutdown: bulkSending}, // Stall bounds it
		}))
}

func (b *bulk) read(cx *bulkCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(bulkPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	cx.Discard(bulkPeer, n)
	if b.left, err = strconv.Atoi(line); err != nil || b.left < 0 || b.left > 100_000 {
		return cx.Stop(errBulk)
	}
	return bulkSending
}

func (b *bulk) send(cx *bulkCx, _ reactor.Ready) fsm.State {
	for b.left > 0 {
		n := min(b.left, len(bulkPiece))
		err := cx.Write(bulkPeer, bulkPiece[:n])
		if errors.Is(err, reactor.ErrFull) {
			return fsm.Stay // until it has drained
		}
		if err != nil {
			return cx.Fail(err)
		}
		b.left -= n
	}
	return bulkReading
}

func largeSpec() fuzz.Spec {
	kind := newBulk()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			_, err := kind.Listen(w.Loop(0), "tcp", ":7000", bulk{})
			return err
		},
		Dict:     []string{"0\n", "5\n", "20000\n", "70000\n", "much\n"},
		Isolated: true,
		Oracles: []fuzz.Oracle{fuzz.PerConn("as many bytes", fuzz.Model[bool, string]{
			Input: inputLine,
			Step: func(over *bool, line string) string {
				n, err := strconv.Atoi(line)
				if *over = *over || err != nil || n < 0 || n > 100_000; *over {
					return ""
				}
				return string(bytes.Repeat([]byte("x"), n))
			},
			Over:      func(over bool) bool { return over },
			HalfClose: true,
		})},
	}
}
