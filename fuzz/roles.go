package fuzz

import (
	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/reactor/driver"
)

// Connections have roles: peers dial listeners, and machines dial servers. A role is named by
// its address: host:port as in a call of Listen or Dial, where an empty host is any, or the
// path of a Unix socket.

// At returns the oracle for the connections to one address alone: those that peers dial to a
// listener, or those that machines dial. Without At an oracle judges all connections that peers
// dial. For a connection that a machine dials, the peer is the server: inputs of the Model are
// what the server sends, and answers are what the machine must send. The Greeting is what the
// machine sends first.
//
// At panics if the host is not an IP address.
func (o Oracle) At(addr string) Oracle {
	if o.judge == nil {
		return o
	}
	return Oracle{judge.At(o.judge, addr)}
}

// Relay returns an Oracle for machines that pass on bytes: those of a connection that a peer
// dialled to the address front, to a connection that the machine dialled to the address back,
// and the other way round. No byte may be changed, lost or added. If a peer half-closes, the
// other one must get the end.
//
// It judges pairs of connections of one machine. A machine must not dial back twice for one
// connection to front.
func Relay(name, front, back string) Oracle {
	return Oracle{judge.Relay(name, front, back)}
}

// Backend is a server that machines dial, which is not under test: see [Serve].
type Backend struct {
	at  judge.Address
	new func() sim.Backend
}

// Serve returns a Backend that a Model describes: it sends the model's Greeting, takes inputs,
// and sends their answers. If the model has an Over, it closes the connection when that reports
// true. Of several outcomes of Steps it takes the first, with a zero Moment. It uses neither Push,
// nor Owes and Ends, nor the peer's end of Next. Traces make it slow or silent, cut its answers into pieces, let it send words of the
// dictionary of its own accord, and end its connections.
func Serve[S, In any](addr string, m Model[S, In]) Backend {
	return Backend{judge.ParseAddress(addr), func() sim.Backend { return judge.NewServer(m.judged()) }}
}

// backends returns the function that finds the backend of an address; nil if there is none.
func (s *Spec) backends() func(driver.Addr) sim.Backend {
	if len(s.Backends) == 0 {
		return nil
	}
	return func(a driver.Addr) sim.Backend {
		for _, b := range s.Backends {
			if b.at.Is(a) {
				return b.new()
			}
		}
		return nil
	}
}
