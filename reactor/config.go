package reactor

import (
	"fmt"
	"math"
	"time"

	"github.com/stator-go/stator/reactor/driver"
	"github.com/stator-go/stator/slab"
)

// Config are a loop's limits. Zero fields take the documented defaults; nothing
// grows beyond what stands here.
type Config struct {
	ID         int           // 1 to 255, part of every token; 0 picks the lowest that no running loop has
	Slots      int           // machines at once; 65,536, at most 16,777,216
	Timers     int           // named timers at once; as many as Slots
	Monitors   int           // machines waiting for others' ends at once, each for one; as many as Slots
	Events     int           // readiness events collected a turn; 256
	Accepts    int           // connections accepted a turn and listener; 64
	Batch      int           // messages delivered a turn and kind; 256
	Steps      int           // calls of a machine a turn while it makes progress; 32
	Buffers    int           // bytes that all ports may hold together, at least 8 KiB; 256 MiB
	Resolution time.Duration // of deadlines, 100 µs to 1 s; 1 ms
	Driver     driver.Driver // nil is the operating system's
	Observer   Observer      // told what machines do; nil: none
}

func (c *Config) check() error {
	fields := []struct {
		name          string
		v             *int
		def, min, max int
	}{
		{"Slots", &c.Slots, 1 << 16, 1, slab.MaxSlots},
		{"Timers", &c.Timers, 0, 1, slab.MaxSlots},
		{"Monitors", &c.Monitors, 0, 1, slab.MaxSlots},
		{"Events", &c.Events, 256, 1, 1 << 16},
		{"Accepts", &c.Accepts, 64, 1, 1 << 16},
		{"Batch", &c.Batch, 256, 1, 1 << 20},
		{"Steps", &c.Steps, 32, 1, 1 << 16},
		{"Buffers", &c.Buffers, 256 << 20, 2 * outChunk, math.MaxInt},
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

// Options are a kind's names and limits. Zero fields take the documented
// defaults.
//
// Messages have two limits. Mailbox is each machine's, for what waits anywhere.
// Queue is for what is on its way, in the ring that all machines of the kind on a
// loop share; a message that a machine keeps (Row.Defer, fsm.Defer) leaves the ring, so
// that one who waits is not in the way of the others. Memory for kept messages is
// found 256 at a time, as they come, for at most Mailbox of each machine.
//
// The reason that Ended is told is nil for fsm.Stop and for the end of input, ErrTimeout
// for a deadline, ErrShutdown for a shutdown, else what broke. It is told in simulated
// runs, too, of which there are thousands: leave it nil there.
type Options struct {
	Ports       []string           // names of ports 0, 1, ...; their number sizes the slot; at most 4
	Timers      []TimerSpec        // by Timer
	Start       State              // fsm.First
	Mailbox     int                // messages that may wait for one machine, kept ones too; 64
	Queue       int                // messages that may be on their way to all of them on a loop; 4,096
	WriteBuffer int                // bytes a port may hold; Room is under half of it; 256 KiB
	ReadBuffer  int                // unconsumed bytes a port may hold; 64 KiB
	Linger      time.Duration      // for flushing after Stop; 5 s
	ReusePort   bool               // Listen shares its address with other loops of the process (SO_REUSEPORT): the system spreads connections
	MaxMachines int                // machines of this kind at once on a loop; the loop's Slots
	OnEnd       func(Token, error) // told on the loop's goroutine of each machine's end and its reason; nil: panics go to package log
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
