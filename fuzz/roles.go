package fuzz

import (
	"fmt"

	"github.com/stator-go/stator/fuzz/internal/judge"
	"github.com/stator-go/stator/fuzz/internal/sim"
	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor/driver"
)

// Connections have roles: peers dial listeners, and machines dial servers. A role is named by
// its address: host:port as in a call of Listen or Dial, where an empty host is any, or the
// path of a Unix socket.

// Role says what the peers at an address do: the peers that dial a listener, or the server that
// machines dial. Traces show which peer has which words: those of Spec.Roles[0] have the
// numbers from 1,000 on, those of Spec.Roles[1] from 2,000 on, and so on. Peers at addresses
// without a role send those of Spec.Dict. An event with a word that is not for its connection
// does nothing. A Role that no connection had is in Finding.Unseen.
type Role struct {
	// Addr is the address: host:port as in a call of Listen or Dial, where an empty host is
	// any, or the path of a Unix socket. A host must be an IP address.
	Addr string
	// Dict has the words that these peers send; nil: those of Spec.Dict.
	Dict []string
	// Peers is how many peers dial the listener at once, at most. 0 leaves it to Spec.Conns,
	// which bounds the peers of all listeners. With NoPeers none dials: only machines do.
	Peers int
}

// NoPeers is a value of Role.Peers.
const NoPeers = -1

// Bounds of roles: numbers of words are blocks of roleWords, below those that are fixed.
const (
	roleWords = 1000
	mostRoles = 60
)

// checkRoles returns an error if there are too many roles or words.
func (s *Spec) checkRoles() error {
	if len(s.Roles) == 0 {
		return nil
	}
	if len(s.Roles) > mostRoles {
		return fmt.Errorf("Spec.Roles: %d roles: want at most %d", len(s.Roles), mostRoles)
	}
	if len(s.Dict) > roleWords {
		return fmt.Errorf("Spec.Dict has %d words: with Spec.Roles, want at most %d", len(s.Dict), roleWords)
	}
	for _, r := range s.Roles {
		if len(r.Dict) > roleWords {
			return fmt.Errorf("Spec.Roles: %s has %d words: want at most %d", r.Addr, len(r.Dict), roleWords)
		}
		if r.Peers < NoPeers {
			return fmt.Errorf("Spec.Roles: %s has %d peers: want a number, 0 or NoPeers", r.Addr, r.Peers)
		}
	}
	return nil
}

// playRoles returns the dictionary of all roles, and the roles with the numbers of their words.
// Words keep their numbers when others are appended to a dictionary.
func (s *Spec) playRoles() (words trace.Dictionary, roles sim.Roles) {
	words = make(trace.Dictionary, roleWords*(len(s.Roles)+1))
	roles.Common = uint16(copy(words, s.Dict))
	for i, r := range s.Roles {
		role := sim.Role{Name: r.Addr, At: judge.ParseAddress(r.Addr).Is, Last: roles.Common, Peers: r.Peers}
		if r.Dict != nil {
			role.First = uint16(roleWords * (i + 1))
			role.Last = role.First + uint16(copy(words[role.First:], r.Dict))
		}
		roles.All = append(roles.All, role)
	}
	return words, roles
}

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
// other one must get the end, and the other direction goes on: a machine that ends by itself
// must have had the ends of both. If a connection breaks before its peer has half-closed, the
// other one must be reset, as IO.Fail does it: after a clean end the peer would take for whole
// what is cut. A machine that ends by a deadline, an error, a message or a shutdown owes nothing
// more; but that its own buffer was full, with ErrFull, is no reason to end.
//
// It judges pairs of connections of one machine. A machine may give up a connection to back
// and dial again, there or elsewhere, before it has sent anything to it. After that it must not
// dial back again for the same connection to front.
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
// true, and when the machine has ended it. Of several outcomes of Steps it takes the first, with
// a zero Moment. It uses neither Push, nor Owes and Ends, nor the peer's end of Next.
//
// It greets and replies at once, unless the fault [trace.AnswerWaits] makes it slow, or silent
// until faults cease. Other events cut its answers into pieces, let it send words of the
// dictionary of its own accord, and end its connections.
func Serve[S, In any](addr string, m Model[S, In]) Backend {
	return Backend{judge.ParseAddress(addr), func() sim.Backend { return judge.NewServer(m.judged()) }}
}

// Answer is what machines find at an address that they dial: see [Spec].Answers.
type Answer uint8

const (
	Accepts  Answer = iota // a peer accepts the connection
	Refuses                // the attempt is refused at once
	IsSilent               // no answer ever comes
)

// peers returns the function that says what machines find at an address; nil if they always
// find a peer.
func (s *Spec) peers() func(driver.Addr) sim.Peer {
	if s.Answers == nil {
		return nil
	}
	return func(a driver.Addr) sim.Peer { return sim.Peer(s.Answers(a)) }
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
