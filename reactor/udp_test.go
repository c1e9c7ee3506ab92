//go:build unix || windows

package reactor_test

import (
	"net/netip"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/reactor"
)

// The server of TestRetransmission: it sends again until it gets an acknowledgement, with
// one timer per exchange.

const sock reactor.Port = 0

const serving = fsm.First

const again reactor.Timer = 0

const flights = 64

type exchange struct {
	to    netip.AddrPort
	id    uint16
	tries uint8
	live  bool
	n     int
	reply [512]byte
}

type server struct{ flight [flights]exchange }

func newServer() *reactor.Kind[server, reactor.None] {
	return reactor.Must(reactor.NewKind("udp",
		reactor.Options{Ports: []string{"sock"}, Timers: []fsm.TimerSpec{again: {Name: "again", Many: flights}}},
		reactor.Table[server, reactor.None]{
			fsm.Any: {Shutdown: fsm.Stop},
			serving: {Name: "serving", Wait: sock.Readable(), Idle: fsm.Never, OnReady: (*server).serve, OnTimer: (*server).retransmit},
		}))
}

func (s *server) serve(cx *netCx, _ reactor.Ready) fsm.State {
	var buf [1500]byte
	n, from, err := cx.ReadFrom(sock, buf[:]) // an ICMP error of one peer is no error here
	if err != nil || n < 3 {
		return cx.Fail(err)
	}
	id := uint16(buf[0])<<8 | uint16(buf[1])
	for i := range s.flight {
		x := &s.flight[i]
		switch {
		case buf[2] == 'A' && x.live && x.id == id && x.to == from:
			x.live = false
			cx.DisarmID(again, uint32(i))
			return fsm.Stay
		case buf[2] != 'A' && !x.live:
			*x = exchange{to: from, id: id, live: true}
			x.n = copy(x.reply[:], buf[:n])
			return s.retransmit(cx, reactor.Fired{Timer: again, ID: uint32(i)})
		}
	}
	return fsm.Stay
}

func (s *server) retransmit(cx *netCx, t reactor.Fired) fsm.State {
	x := &s.flight[t.ID]
	if x.tries == 5 {
		x.live = false
		return fsm.Stay
	}
	cx.SendTo(sock, x.reply[:x.n], x.to)
	cx.ArmID(again, t.ID, 10*time.Millisecond<<x.tries)
	x.tries++
	return fsm.Stay
}
