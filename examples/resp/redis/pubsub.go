package redis

import "github.com/stator-go/stator/examples/resp/wire"

// Message is a published message for the subscribers of one channel or pattern. It never
// changes.
type Message struct {
	Pattern string // the pattern that the channel matched; only with ByPattern
	Channel string
	Payload []byte

	ByPattern bool
}

// Message writes a delivered message to out. It is written also if the session has
// unsubscribed since, as PUBLISH has counted it.
func (s *Session) Message(out *wire.Output, m *Message) {
	out.V3 = s.v3
	s.write(out, m)
}

func (s *Session) write(out *wire.Output, m *Message) {
	if m.ByPattern {
		out.Push(4)
		out.Text("pmessage")
		out.Text(m.Pattern)
	} else {
		out.Push(3)
		out.Text("message")
	}
	out.Text(m.Channel)
	out.Value(m.Payload)
}

// registry is the set of channels, or of patterns, that have subscribers.
type registry struct {
	byName map[string]*topic
	order  []*topic // for iterating in an order that does not depend on a map
}

// topic is a channel or a pattern with its subscriptions.
type topic struct {
	name string
	at   int // its index in registry.order
	subs []*subscription
}

// subscription links a session and a topic.
type subscription struct {
	session *Session
	topic   *topic
	at      int // its index in topic.subs
	mine    int // its index in subscriptions.order
}

// subscriptions is the set of a session's subscriptions to channels, or to patterns.
type subscriptions struct {
	byName map[string]*subscription
	order  []*subscription
}

func (l *subscriptions) len() int { return len(l.order) }

// join subscribes a session to a topic, unless it already is.
func (r *registry) join(s *Session, mine *subscriptions, name []byte) {
	if mine.byName[string(name)] != nil {
		return
	}
	t := r.byName[string(name)]
	if t == nil {
		t = &topic{name: string(name), at: len(r.order)}
		if r.byName == nil {
			r.byName = make(map[string]*topic)
		}
		r.byName[t.name] = t
		r.order = append(r.order, t)
	}
	sub := &subscription{session: s, topic: t, at: len(t.subs), mine: len(mine.order)}
	t.subs = append(t.subs, sub)
	if mine.byName == nil {
		mine.byName = make(map[string]*subscription)
	}
	mine.byName[t.name] = sub
	mine.order = append(mine.order, sub)
}

// remove ends a subscription.
func (r *registry) remove(mine *subscriptions, sub *subscription) {
	t := sub.topic
	t.subs[sub.at] = t.subs[len(t.subs)-1]
	t.subs[sub.at].at = sub.at
	t.subs[len(t.subs)-1] = nil
	t.subs = t.subs[:len(t.subs)-1]
	if len(t.subs) == 0 {
		delete(r.byName, t.name)
		r.order[t.at] = r.order[len(r.order)-1]
		r.order[t.at].at = t.at
		r.order[len(r.order)-1] = nil
		r.order = r.order[:len(r.order)-1]
	}
	delete(mine.byName, t.name)
	mine.order[sub.mine] = mine.order[len(mine.order)-1]
	mine.order[sub.mine].mine = sub.mine
	mine.order[len(mine.order)-1] = nil
	mine.order = mine.order[:len(mine.order)-1]
}

// removeAll ends all of a session's subscriptions.
func (r *registry) removeAll(mine *subscriptions) {
	for mine.len() > 0 {
		r.remove(mine, mine.order[mine.len()-1])
	}
}

// publish sends a message to all subscribers and returns how many get it. A session that
// publishes to itself gets the message at once, before the reply.
func (c *call) publish(channel, payload []byte) (receivers int) {
	var name string
	var content []byte // nil: not copied yet
	send := func(t *topic, byPattern bool) {
		if content == nil {
			name, content = string(channel), append([]byte{}, payload...)
		}
		m := &Message{Channel: name, Payload: content}
		if byPattern {
			m.Pattern, m.ByPattern = t.name, true
		}
		for _, sub := range t.subs {
			switch s := sub.session; {
			case s == c.Session:
				c.write(c.out, m)
			case s.closing || s.mail == nil:
				continue
			default:
				s.mail.Deliver(m)
			}
			receivers++
		}
	}
	if t := c.srv.channels.byName[string(channel)]; t != nil {
		send(t, false)
	}
	for _, t := range c.srv.patterns.order {
		if match(t.name, channel) {
			send(t, true)
		}
	}
	return receivers
}

func publish(c *call) { c.out.Int(int64(c.publish(c.args[1], c.args[2]))) }

func subscribe(c *call) {
	for _, name := range c.args[1:] {
		c.srv.channels.join(c.Session, &c.channels, name)
		c.subscribed("subscribe", name)
	}
}

func psubscribe(c *call) {
	for _, name := range c.args[1:] {
		c.srv.patterns.join(c.Session, &c.patterns, name)
		c.subscribed("psubscribe", name)
	}
}

func unsubscribe(c *call) { c.unsubscribe(&c.srv.channels, &c.channels, "unsubscribe") }

func punsubscribe(c *call) { c.unsubscribe(&c.srv.patterns, &c.patterns, "punsubscribe") }

// unsubscribe ends the subscriptions to the named topics, or all, with a reply for each.
func (c *call) unsubscribe(r *registry, mine *subscriptions, kind string) {
	for _, name := range c.args[1:] {
		if sub := mine.byName[string(name)]; sub != nil {
			r.remove(mine, sub)
		}
		c.subscribed(kind, name)
	}
	if len(c.args) > 1 {
		return
	}
	if mine.len() == 0 {
		c.subscribed(kind, nil)
	}
	for mine.len() > 0 {
		sub := mine.order[mine.len()-1]
		r.remove(mine, sub)
		c.subscribed(kind, []byte(sub.topic.name))
	}
}

// subscribed confirms a change: its kind, the topic (nil for none), and how many
// subscriptions the session has now.
func (c *call) subscribed(kind string, name []byte) {
	c.out.Push(3)
	c.out.Text(kind)
	if name == nil {
		c.out.Null()
	} else {
		c.out.Bulk(name)
	}
	c.out.Int(int64(c.channels.len() + c.patterns.len()))
}

func pubsubChannels(c *call) {
	if len(c.args) > 3 {
		c.fail("ERR unknown subcommand or wrong number of arguments for '" + quoted(c.args[1], 128) + "'. Try PUBSUB HELP.")
		return
	}
	at, n := c.out.Mark(), 0
	for _, t := range c.srv.channels.order {
		if len(c.args) < 3 || match(string(c.args[2]), []byte(t.name)) {
			c.out.Text(t.name)
			n++
		}
	}
	c.out.InsertArray(at, n)
}

func pubsubNumsub(c *call) {
	c.out.Array(2 * len(c.args[2:]))
	for _, name := range c.args[2:] {
		c.out.Bulk(name)
		n := 0
		if t := c.srv.channels.byName[string(name)]; t != nil {
			n = len(t.subs)
		}
		c.out.Int(int64(n))
	}
}

func pubsubNumpat(c *call) { c.out.Int(int64(len(c.srv.patterns.order))) }
