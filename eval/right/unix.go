package right

import (
	"errors"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// journal listens at two unix sockets: a stream for clients that read the last entry, and
// one of datagrams for those that write entries.
type journal struct{ last string }

type (
	journalReader struct{ *journal }
	journalWriter struct{ *journal }
	journalCx     = reactor.Context[reactor.None]
)

const journalPeer reactor.Port = 0

func newJournalReader() *reactor.Kind[journalReader, reactor.None] {
	return reactor.Must(reactor.NewKind("reader", reactor.Options{Ports: []string{"peer"}},
		reactor.Table[journalReader, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
			fsm.First: {Name: "serving", Wait: journalPeer.Readable().While(journalPeer.Room()),
				Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*journalReader).serve},
		}))
}

func (j *journalReader) serve(cx *journalCx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(journalPeer)
	line, n := cutLine(in)
	if err != nil || n == 0 {
		return cx.Fail(err)
	}
	if line != "last" {
		return cx.Stop(errors.New("an unknown command"))
	}
	return respond(&cx.IO, journalPeer, j.last+"\n", n, func() {})
}

func newJournalWriter() *reactor.Kind[journalWriter, reactor.None] {
	return reactor.Must(reactor.NewKind("writer", reactor.Options{Ports: []string{"socket"}},
		reactor.Table[journalWriter, reactor.None]{
			fsm.Any:   {Shutdown: fsm.Stop},
			fsm.First: {Name: "taking", Wait: journalPeer.Readable(), Idle: fsm.Never, OnReady: (*journalWriter).take},
		}))
}

func (j *journalWriter) take(cx *journalCx, _ reactor.Ready) fsm.State {
	entry, err := cx.Peek(journalPeer)
	if err != nil {
		return cx.Fail(err)
	}
	j.last = strings.ReplaceAll(string(entry), "\n", " ")
	cx.Discard(journalPeer, len(entry))
	return fsm.Stay
}

func unixSpec() fuzz.Spec {
	readers, writers := newJournalReader(), newJournalWriter()
	return fuzz.Spec{
		Setup: func(w *fuzz.World) error {
			shared := new(journal)
			if _, err := readers.Listen(w.Loop(0), "unix", "/run/journal", journalReader{shared}); err != nil {
				return err
			}
			_, err := writers.Listen(w.Loop(0), "unixgram", "/run/entries", journalWriter{shared})
			return err
		},
		Dict: []string{"last\n", "first\n", "an entry"},
	}
}
