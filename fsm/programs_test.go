package fsm

import (
	"time"

	"github.com/stator-go/stator/sig"
)

// Tables of small programs as users write them. Check must find no problems in them, and
// the golden diagrams show them.

type (
	machine struct{}
	context struct{}
	message struct{}
	row     = Row[machine, *context, message]
	table   = Table[machine, *context, message]
)

func (*machine) enter(*context) State             { return Stay }
func (*machine) exit(*context)                    {}
func (*machine) ready(*context, Ready) State      { return Stay }
func (*machine) message(*context, *message) State { return Stay }
func (*machine) timer(*context, Fired) State      { return Stay }
func (*machine) down(*context, Down) State        { return Stay }
func (*machine) signal(*context, sig.Set) State   { return Stay }

type program struct {
	name     string
	rows     table
	ports    []string
	timers   []TimerSpec
	messages bool
}

const (
	port0 Port = iota
	port1
)

func programs() []program {
	in := port0.Readable().While(port0.Room())
	up := port0.Readable().While(port1.Room())
	down := port1.Readable().While(port0.Room())
	ready := (*machine).ready
	return []program{
		{name: "echo", ports: []string{"peer"}, rows: table{
			Any: {Shutdown: Stop, Stall: After(10*time.Second, Stop)},
			1:   {Name: "echoing", Wait: in, Idle: After(time.Minute, Stop), OnReady: ready},
		}},
		{name: "proxy", ports: []string{"client", "upstream"}, rows: table{
			Any: {Idle: After(5*time.Minute, Stop), Stall: After(30*time.Second, Stop), Shutdown: Stop, OnReady: ready},
			1: {Name: "dialing", Wait: port1.Opened(), Within: After(5*time.Second, Stop),
				OnEnter: (*machine).enter, OnReady: ready, To: To(2)},
			2: {Name: "relaying", Wait: up | down, To: To(3, 4)},
			3: {Name: "up ended", Wait: up},
			4: {Name: "down ended", Wait: down},
		}},
		{name: "http", ports: []string{"peer"}, rows: table{
			Any: {Stall: After(30*time.Second, Stop), OnReady: ready},
			1:   {Name: "idle", Wait: in, Idle: After(time.Minute, Stop), Shutdown: Stop, To: To(1, 2, 3)},
			2:   {Name: "head", Wait: in, Within: After(10*time.Second, 4), To: To(1, 3)},
			3:   {Name: "body", Wait: in, Idle: After(30*time.Second, Stop), OnReady: ready, To: To(1)},
			4:   {Name: "too slow", OnEnter: (*machine).enter},
		}},
		{name: "mqtt", ports: []string{"broker"}, messages: true,
			timers: []TimerSpec{{Name: "ping"}, {Name: "pong"}}, rows: table{
				Any: {Fail: 4, Shutdown: Stop, Stall: After(10*time.Second, 4)},
				1: {Name: "dialing", Wait: port0.Opened(), Within: After(5*time.Second, 4), Defer: true,
					OnEnter: (*machine).enter, OnReady: ready, To: To(2)},
				2: {Name: "handshaking", Wait: port0.Readable(), Within: After(5*time.Second, 4), Defer: true,
					OnReady: ready, To: To(3)},
				3: {Name: "online", Wait: port0.Readable(), Idle: Never, OnEnter: (*machine).enter,
					OnReady: ready, OnMessage: (*machine).message, OnTimer: (*machine).timer},
				4: {Name: "backoff", Within: After(time.Minute, 1), Defer: true, OnEnter: (*machine).enter},
			}},
		{name: "room", messages: true, rows: table{
			Any: {Shutdown: Stop},
			1: {Name: "hosting", Idle: Never, OnEnter: (*machine).enter,
				OnMessage: (*machine).message, OnDown: (*machine).down},
		}},
		{name: "socks", ports: []string{"client", "upstream"}, rows: table{
			Any: {Within: After(30*time.Second, Stop)},
			1: {Name: "greeting", Wait: port0.Readable(), Within: After(10*time.Second, Stop),
				OnEnter: (*machine).enter, OnReady: ready, To: To(2)},
			2: {Name: "dialing", Wait: port1.Opened(), Within: After(10*time.Second, Stop),
				OnEnter: (*machine).enter, OnReady: ready},
		}},
		{name: "udp", ports: []string{"sock"}, timers: []TimerSpec{{Name: "again", Many: 64}}, rows: table{
			Any: {Shutdown: Stop},
			1:   {Name: "serving", Wait: port0.Readable(), Idle: Never, OnReady: ready, OnTimer: (*machine).timer},
		}},
	}
}
