package reactor

import "github.com/stator-go/stator/sig"

// subscription is a machine that asked for signals.
type subscription struct {
	who Token
	set Signals
}

// Notify asks for signals: they come to the row's Signal handler, all that came
// since the last turn as one set. The process no longer dies of them, until the
// loop ends. An error names what cannot be caught.
func (c *IO) Notify(set Signals) error {
	l := c.loop
	if l.signals == nil {
		source, err := sig.Open(l.sleeper.Wake)
		if err != nil {
			return err
		}
		l.signals = source
	}
	if err := l.signals.Notify(sig.Set(set)); err != nil {
		return err
	}
	who := c.Token()
	for i := range l.notified {
		if l.notified[i].who == who {
			l.notified[i].set |= set
			return nil
		}
	}
	l.notified = append(l.notified, subscription{who, set})
	return nil
}

// signal tells the machines that asked what came.
func (l *Loop) signal() {
	if l.signalAt == 0 {
		l.signalled = Signals(l.signals.Take())
	}
	for l.signalled != 0 && l.signalAt < len(l.notified) {
		s := l.notified[l.signalAt]
		l.signalAt++
		if h := l.live(s.who); h != nil && s.set&l.signalled != 0 && h.flags&(stopping|newborn) == 0 {
			l.stats.signals++
			l.stores[h.kind].signalled(s.who.Index(), h, s.set&l.signalled)
		}
	}
	l.signalAt = 0
	l.signalled = 0
	keep := l.notified[:0]
	for _, s := range l.notified {
		if l.live(s.who) != nil {
			keep = append(keep, s)
		}
	}
	l.notified = keep
}
