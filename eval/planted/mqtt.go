package planted

import (
	"fmt"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// mqtt is a broker for one client: what the client publishes is sent back to it once it
// has subscribed. A packet is a type with flags, a length of one to four bytes, and so
// many bytes. An unexpected packet ends the connection without a reply.
type mqtt struct {
	plant  *Plant
	model  mqttModel
	topics *bool // mqtt/shared-topics
}

const (
	mqttStart = fsm.First + iota
	mqttConnected
)

// Types of packets, with their flags.
const (
	packetConnect    = 0x10
	packetPublish    = 0x30
	packetPublish1   = 0x32 // to be acknowledged
	packetSubscribe  = 0x82
	packetPing       = 0xc0
	packetDisconnect = 0xe0
)

const mqttMost = 512 // bytes of a packet

func newMQTT() *Server {
	return &Server{
		Name: "mqtt", isolated: true, build: buildMQTT,
		Files: []string{"mqtt.go"},
		Dict: []string{"\x10\x04\x00\x02me", "\xc0\x00", "\x30\x05\x00\x01thi", "\x32\x07\x00\x01t\x12\x34hi", "\x82\x05\x00\x07\x00\x00\x01", "\xe0\x00",
			"\x30\xc8\x01" + string(make([]byte, 200)), "\xc0\x80\x80\x80\x80\x00", "\x30\x00",
			"\x10\x04\x00\x02me\x82\x05\x00\x07\x00\x00\x01"},
		Bugs: []Bug{
			{Name: "mqtt/second-connect", What: "a second CONNECT is answered as the first one"},
			{Name: "mqtt/before-connect", What: "packets are answered before the CONNECT"},
			{Name: "mqtt/long-length", What: "a length may have more than four bytes"},
			{Name: "mqtt/length-split", What: "a length cut by the end of a read is taken as whole"},
			{Name: "mqtt/ack-swapped", What: "the bytes of an acknowledged packet's number are swapped"},
			{Name: "mqtt/shared-topics", What: "that a client has subscribed is kept once for all of them"},
			{Name: "mqtt/after-disconnect", What: "packets behind a DISCONNECT are answered"},
		},
		model: inputs[mqttModel, packet]{"packets", fuzz.Model[mqttModel, packet]{
			New:   func() (m mqttModel) { return m },
			Input: func(in []byte) (packet, int, bool) { return readPacket(in, new(Plant)) },
			Step:  (*mqttModel).step,
		}},
	}
}

func buildMQTT(p *Plant) func(Room) error {
	k := reactor.Must(reactor.NewKind("mqtt", reactor.Options{Ports: []string{"peer"}}, reactor.Table[mqtt, reactor.None]{
		fsm.Any:   {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnReady: (*mqtt).read},
		mqttStart: {Name: "start", Wait: peer.Readable(), Within: fsm.After(10*time.Second, fsm.Stop), To: fsm.To(mqttConnected)},
		mqttConnected: {Name: "connected", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop),
			To: fsm.To(mqttConnected)},
	}))
	return func(r Room) error {
		_, err := k.Listen(r.Loop(0), "tcp", ":1883", mqtt{plant: p, topics: new(bool)})
		return err
	}
}

func (m *mqtt) read(cx *cx, _ reactor.Ready) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	p, n, ok := readPacket(in, m.plant)
	if !ok {
		return fsm.Stay
	}
	cx.Discard(peer, n)
	before := m.model
	if err := cx.Write(peer, []byte(m.answer(p))); err != nil {
		return cx.Fail(err)
	}
	switch {
	case m.model.over:
		return fsm.Stop
	case m.model.connected && !before.connected:
		return mqttConnected
	}
	return fsm.Stay
}

// answer sends the model's reply, except for bugs.
func (m *mqtt) answer(p packet) string {
	if again := p.kind == packetConnect && m.model.connected; m.plant.Wrong("mqtt/second-connect", again) && again {
		m.model.connected = false
	}
	if early := p.kind != packetConnect && !m.model.connected; m.plant.Wrong("mqtt/before-connect", early) && early {
		early := mqttModel{connected: true}
		return early.step(p)
	}
	if m.plant.Wrong("mqtt/shared-topics", *m.topics != m.model.subscribed) {
		m.model.subscribed = *m.topics
	}
	reply := m.model.step(p)
	*m.topics = m.model.subscribed
	if ack := p.kind == packetPublish1 && !m.model.over; m.plant.Wrong("mqtt/ack-swapped", ack) && ack {
		reply = "\x40\x02" + reply[3:4] + reply[2:3] + reply[4:]
	}
	if m.model.over && p.kind == packetDisconnect && m.plant.Wrong("mqtt/after-disconnect", true) {
		m.model.over = false
	}
	return reply
}

// packet is a parsed packet, or an invalid one.
type packet struct {
	kind byte
	data string
	bad  bool
}

// readPacket parses the first packet of in. It is not ok if the packet is incomplete.
func readPacket(in []byte, p *Plant) (k packet, n int, ok bool) {
	size, at := 0, 1
	for shift := 0; ; shift += 7 {
		if cut := at >= len(in); cut && at > 1 && p.Wrong("mqtt/length-split", cut) {
			break
		} else if cut {
			return k, 0, false
		}
		size |= int(in[at]&0x7f) << shift
		at++
		if in[at-1] < 0x80 {
			break
		}
		if long := shift == 21; long && !p.Wrong("mqtt/long-length", long) || shift > 42 {
			return packet{bad: true}, len(in), true
		}
	}
	switch {
	case size > mqttMost:
		return packet{bad: true}, len(in), true
	case len(in) < at+size:
		return k, 0, false
	}
	return packet{kind: in[0], data: string(in[at : at+size])}, at + size, true
}

// mqttModel is the state of a connection.
type mqttModel struct{ connected, subscribed, over bool }

func (m *mqttModel) step(p packet) string {
	switch {
	case m.over:
		return ""
	case p.bad, m.connected == (p.kind == packetConnect):
	case p.kind == packetConnect:
		m.connected = true
		return "\x20\x02\x00\x00"
	case p.kind == packetPing:
		return "\xd0\x00"
	case p.kind == packetSubscribe && len(p.data) >= 2:
		m.subscribed = true
		return "\x90\x03" + p.data[:2] + "\x00"
	case p.kind == packetPublish && len(p.data) >= 2:
		return m.deliver(p.data)
	case p.kind == packetPublish1 && len(p.data) >= 5:
		return "\x40\x02" + p.data[3:5] + m.deliver(p.data[:3]+p.data[5:])
	}
	m.over = true
	return ""
}

func (m *mqttModel) deliver(data string) string {
	if !m.subscribed {
		return ""
	}
	n := len(data)
	if n < 0x80 {
		return fmt.Sprintf("%c%s%s", packetPublish, []byte{byte(n)}, data)
	}
	return fmt.Sprintf("%c%s%s", packetPublish, []byte{byte(n&0x7f | 0x80), byte(n >> 7)}, data)
}
