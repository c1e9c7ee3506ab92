package reactor

import (
	"context"
	"errors"
	"time"

	"github.com/stator-go/stator/reactor/driver"
)

// lookups are the names that a loop looks up for Dial. Config.Lookups run at once, on a
// goroutine each. The others wait in a queue, in the order of their dials, and leave it
// when their port closes.
//
// A look-up that runs cannot be interrupted: package net would return at once, but leave
// its goroutines and descriptors to a timeout. So it counts until it has ended, also if its
// port is closed before.
type lookups struct {
	limit       int
	running     int
	waiting     int
	first, last uint32 // dials that wait, as number+1
}

// lookupTimeout bounds a look-up that runs.
const lookupTimeout = 30 * time.Second

// lookUp resolves the name that a port dials. lookedUp is called with the result.
func (c *IO) lookUp(p Port, pt *port, network, addr string) {
	*pt = port{flags: pOpen | pResolving, gen: pt.gen}
	if n, _ := parseNet(network); n == driver.UDP {
		pt.flags |= pDatagram // writes are refused until there is a socket
	}
	l := c.loop
	d := l.dials.add(dialKey{c.Token(), p}, network, addr)
	if l.dials.lookups.running < l.dials.lookups.limit {
		l.dials.startLookup(d)
		return
	}
	l.stats.lookupWaits++
	l.dials.queue(l.dials.byPort[d.dialKey])
}

// startLookup resolves the name of a dial, by the driver or on another goroutine. The result is
// posted to the loop.
func (d *dials) startLookup(of *dial) {
	d.lookups.running++
	l, k, serial, network, addr := d.loop, of.dialKey, of.serial, of.network, of.addr
	done := func(addrs []driver.Addr, err error) {
		l.post(func() { l.lookedUp(k, serial, addrs, err) })
	}
	if r, ok := l.drv.(driver.Resolver); ok {
		r.LookUp(network, addr, done)
		return
	}
	go func() {
		ctx, stop := context.WithTimeout(context.Background(), lookupTimeout)
		defer stop()
		done(resolve(ctx, network, addr))
	}()
}

// lookedUp follows a look-up. The next one is started. The dial begins with its first
// address, if it goes on.
func (l *Loop) lookedUp(k dialKey, serial uint64, addrs []driver.Addr, err error) {
	queue := &l.dials.lookups
	if queue.running--; queue.first != 0 {
		n := queue.first - 1
		l.dials.unqueue(n)
		l.dials.startLookup(&l.dials.all[n])
	}
	h, d := l.live(k.machine), l.dials.find(k)
	if h == nil || d == nil || d.serial != serial {
		return
	}
	pt := l.stores[h.kind].port(h, k.port)
	if err == nil && len(addrs) == 0 {
		err = errors.New("no address")
	}
	d.left = alternateFamilies(addrs)
	l.dialFailed(k.machine.Index(), h, k.port, pt, err) // if nothing has failed yet: it tries the first address
}

// queue puts dial n behind those that wait for a look-up.
func (d *dials) queue(n uint32) {
	q, e := &d.lookups, &d.all[n]
	e.queued, e.prev = true, q.last
	if q.last != 0 {
		d.all[q.last-1].next = n + 1
	} else {
		q.first = n + 1
	}
	q.last = n + 1
	q.waiting++
}

// unqueue takes dial n out of the queue.
func (d *dials) unqueue(n uint32) {
	q, e := &d.lookups, &d.all[n]
	if e.prev != 0 {
		d.all[e.prev-1].next = e.next
	} else {
		q.first = e.next
	}
	if e.next != 0 {
		d.all[e.next-1].prev = e.prev
	} else {
		q.last = e.prev
	}
	e.queued, e.next, e.prev = false, 0, 0
	q.waiting--
}
