package reactor

import (
	"fmt"
	"math"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/slab"
)

// Config has the limits of a loop. A field that is zero takes the default that its
// comment names. The loop's memory is bounded by these limits, and by the Options of its
// kinds.
//
// Buffers is shared so that slow peers can't stop the others. A machine may hold as much of
// one half as is left of that half: the more all machines hold, the less each may, and the
// machine that holds most is refused first, and waits. One machine alone may hold a quarter
// of Buffers. The other half is kept for machines that hold at most 8 KiB: a machine that
// holds nothing can read 4 KiB and write 4 KiB, whatever the others hold, as long as fewer
// than Buffers / 16 KiB machines hold anything. So a Write of more than that may be refused
// for as long as slow readers hold the first half: a row's Stall bounds how long they may. Input that a handler consumes when it is
// called, and output that the kernel takes at once, are not held.
type Config struct {
	ID         int           // 1 to 255, part of every token; default: the lowest that no loop of the process has, but for those that have ended
	Slots      int           // machines at once; default 65,536, at most 16,777,216
	Timers     int           // named timers that run at once; default: as many as Slots
	Monitors   int           // pairs of a machine and one that it monitors; default: as many as Slots
	Lookups    int           // names that Dial looks up at once; default 64; each takes up to two descriptors and some goroutines
	Events     int           // readiness events per turn; default 256
	Accepts    int           // connections accepted per turn and listener; default 64
	Batch      int           // messages delivered per turn and kind; default 256
	Steps      int           // calls of OnReady per turn and machine; default 32
	Buffers    int           // bytes that all ports may hold together; default 256 MiB, at least 8 KiB; what is not used for some seconds is given back
	Resolution time.Duration // of deadlines, 100 µs to 1 s; default 1 ms
	Driver     driver.Driver // default: the operating system's
	Observer   Observer      // is called for what machines do; default: none, and without Options.OnEnd panics go to package log
}

const defaultBuffers = 256 << 20

func (c *Config) check() error {
	fields := []struct {
		name          string
		v             *int
		def, min, max int
	}{
		{"Slots", &c.Slots, 1 << 16, 1, slab.MaxSlots},
		{"Timers", &c.Timers, 0, 1, slab.MaxSlots},
		{"Monitors", &c.Monitors, 0, 1, slab.MaxSlots},
		{"Lookups", &c.Lookups, 64, 1, 1 << 16},
		{"Events", &c.Events, 256, 1, 1 << 16},
		{"Accepts", &c.Accepts, 64, 1, 1 << 16},
		{"Batch", &c.Batch, 256, 1, 1 << 20},
		{"Steps", &c.Steps, 32, 1, 1 << 16},
		{"Buffers", &c.Buffers, defaultBuffers, 2 * outChunk, math.MaxInt},
	}
	for _, f := range fields {
		if f.def == 0 {
			f.def = c.Slots
		}
		if *f.v == 0 {
			*f.v = f.def
		}
		if *f.v < f.min || *f.v > f.max {
			return fmt.Errorf("reactor: Config.%s %d: want %d to %d, or 0 for %d", f.name, *f.v, f.min, f.max, f.def)
		}
	}
	if c.ID < 0 || c.ID > 255 {
		return fmt.Errorf("reactor: Config.ID %d: want 1 to 255, or 0 for the lowest free", c.ID)
	}
	if c.Resolution == 0 {
		c.Resolution = time.Millisecond
	}
	return nil
}

// KeepAlive says how a connection of TCP finds out that its peer has lost power or the
// network. The zero value is as in package net.
type KeepAlive = driver.KeepAlive

// The most that Linux takes.
const (
	maxKeepAlive      = 32767 * time.Second
	maxKeepAliveCount = 127
)

// Options are the names and limits of a kind. A field that is zero takes the default that
// its comment names.
//
// A Send needs room in two limits. Mailbox bounds the messages that were accepted for one
// machine and are not handled yet, deferred ones included. Queue bounds the messages that
// were accepted and are not yet taken by the loop, in a ring that all machines of the kind
// on a loop share. A message that a machine defers leaves the ring, so that it does not block
// the other machines'. Memory for deferred messages is allocated as they come, 256 at a time.
//
// KeepAlive is what ends a machine that waits for ever (fsm.Never) for a peer that has lost
// power or the network. A connection that is adopted keeps its own.
//
// OnEnd is called with nil after fsm.Stop and after the end of input, with ErrTimeout
// after a deadline, ErrShutdown after a shutdown, and else with what failed. It is called
// in simulated runs, too.
type Options struct {
	Ports       []string           // names of ports 0, 1, ...; at most 4
	Timers      []TimerSpec        // named timers, by Timer
	Start       State              // first state; default fsm.First
	Mailbox     int                // messages accepted for one machine and not handled yet, deferred ones included; default 64
	Queue       int                // messages accepted for all machines of the kind on a loop and not yet taken by the loop; default 4,096
	WriteBuffer int                // bytes of output that a port may hold; the gate Room is open below half of it; default 256 KiB
	ReadBuffer  int                // bytes of unconsumed input that a port may hold; default 64 KiB
	Linger      time.Duration      // how long output may take after Stop, unless it is over its Stall already; default 5 s; 1 for one attempt
	ReusePort   bool               // Listen shares its address with other loops: the system distributes connections
	KeepAlive   KeepAlive          // of accepted and dialled connections of TCP; default: on, a lost peer is noticed after 150 s
	MaxMachines int                // machines of this kind on a loop; default: the loop's Slots
	OnEnd       func(Token, error) // is called on the loop's goroutine when a machine ends; if it is nil and there is no Config.Observer, panics go to package log
}

func (o *Options) check() error {
	for _, f := range []struct {
		name string
		v    *int
		def  int
	}{{"Mailbox", &o.Mailbox, 64}, {"Queue", &o.Queue, 4096}, {"WriteBuffer", &o.WriteBuffer, 256 << 10}, {"ReadBuffer", &o.ReadBuffer, 64 << 10}} {
		if *f.v == 0 {
			*f.v = f.def
		}
		if *f.v < 1 || *f.v > 1<<30 {
			return fmt.Errorf("option %s %d: want 1 to %d, or 0 for %d", f.name, *f.v, 1<<30, f.def)
		}
	}
	if o.MaxMachines < 0 || o.MaxMachines > slab.MaxSlots {
		return fmt.Errorf("option MaxMachines %d: want 1 to %d, or 0 for the loop's slots", o.MaxMachines, slab.MaxSlots)
	}
	if a := o.KeepAlive; a.Idle < 0 || a.Idle > maxKeepAlive || a.Interval < 0 || a.Interval > maxKeepAlive || a.Count < 0 || a.Count > maxKeepAliveCount {
		return fmt.Errorf("option KeepAlive %+v: want times of at most %v, and a count of at most %d", a, maxKeepAlive, maxKeepAliveCount)
	}
	if o.Linger == 0 {
		o.Linger = 5 * time.Second
	}
	if o.Linger < 0 {
		return fmt.Errorf("option Linger %v: want a duration, or 0 for 5s", o.Linger)
	}
	if o.Start == 0 {
		o.Start = 1
	}
	return nil
}
