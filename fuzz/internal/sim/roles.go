package sim

import (
	"slices"

	"github.com/stator-go/stator/fuzz/trace"
	"github.com/stator-go/stator/reactor/driver"
)

// Role is what the peers at an address do: those that dial a listener, or the server that
// machines dial.
type Role struct {
	Name        string // the address
	At          func(driver.Addr) bool
	First, Last uint16 // numbers of their words: from First up to Last, exclusive
	Peers       int    // that dial at once at most; 0: no bound, below 0: none
}

// Roles are all roles, in the order in which they are looked for. Peers at other addresses
// send the words with the numbers below Common.
type Roles struct {
	All    []Role
	Common uint16
}

// Of returns the role of an address; nil if it has none.
func (r *Roles) Of(a driver.Addr) *Role {
	for i := range r.All {
		if r.All[i].At(a) {
			return &r.All[i]
		}
	}
	return nil
}

// Words returns the numbers of the words at an address: from first up to last, exclusive.
func (r *Roles) Words(a driver.Addr) (first, last uint16) {
	if role := r.Of(a); role != nil {
		return role.First, role.Last
	}
	return 0, r.Common
}

// Allow reports whether peers at an address send a word. All of them send single bytes.
func (r *Roles) Allow(a driver.Addr, d trace.Dictionary, word uint16) bool {
	if len(r.All) == 0 {
		return true
	}
	at, is := d.Index(word)
	first, last := r.Words(a)
	return !is || at >= int(first) && at < int(last)
}

// Numbers returns the numbers of all words of a dictionary that some peer sends.
func (r *Roles) Numbers() (all []uint16) {
	for n := range r.Common {
		all = append(all, n)
	}
	for _, role := range r.All {
		for n := max(role.First, r.Common); n < role.Last; n++ {
			all = append(all, n)
		}
	}
	return all
}

// mostPlayed is for how many roles it is known whether there was a connection.
const mostPlayed = 64

// meet notes that there was a connection to an address.
func (w *World) meet(a driver.Addr) {
	for i := range min(mostPlayed, len(w.cfg.Roles.All)) {
		if w.found.Played&(1<<i) == 0 && w.cfg.Roles.All[i].At(a) {
			w.found.Played |= 1 << i
		}
	}
}

// Idle returns what runs have not shown: a connection for each role that was not played.
func (r Roles) Idle(played uint64) (names []string) {
	for i := range min(mostPlayed, len(r.All)) {
		if played&(1<<i) == 0 {
			names = append(names, "a connection for role "+r.All[i].Name)
		}
	}
	return names
}

// mayDial reports whether one more peer may dial a listener.
func (w *World) mayDial(a driver.Addr) bool {
	role := w.cfg.Roles.Of(a)
	if role == nil || role.Peers == 0 {
		return true
	}
	open := 0
	for i := range w.conns[:len(w.conns)/2] {
		if c := &w.conns[i]; c.peer != nil && role.At(c.Addr) {
			open++
		}
	}
	return open < role.Peers
}

// Dialable returns the numbers of the listeners that peers may dial.
func (w *World) Dialable() (all []uint16) {
	for i, l := range w.listeners {
		if role := w.cfg.Roles.Of(l.at); role == nil || role.Peers >= 0 {
			all = append(all, uint16(i))
		}
	}
	return all
}

// WordsOf returns the numbers of the words that peers of a listener send.
func (w *World) WordsOf(listener int) (first, last uint16) {
	return w.cfg.Roles.Words(w.listeners[listener].at)
}

// DialledWords returns the numbers of the words that servers send which machines dial: those
// of roles that no listener has, or else those that are common.
func (w *World) DialledWords() (all []uint16) {
	for _, role := range w.cfg.Roles.All {
		if !slices.ContainsFunc(w.listeners, func(l listener) bool { return role.At(l.at) }) {
			for n := role.First; n < role.Last; n++ {
				all = append(all, n)
			}
		}
	}
	for n := uint16(0); len(all) == 0 && n < w.cfg.Roles.Common; n++ {
		all = append(all, n)
	}
	return all
}
