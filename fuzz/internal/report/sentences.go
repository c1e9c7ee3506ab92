package report

import "github.com/stator-go/stator/fuzz/trace"

// sentence is what an event does. ON, AA and BB stand for its numbers.
type sentence struct {
	text  string
	least string // which of A and B are 1 when they are 0
}

var sentences = [trace.NumOps]sentence{
	trace.Settle:        {text: "the loops come to rest"},
	trace.Turn:          {text: "loop ON alone takes AA turns", least: "A"},
	trace.Advance:       {text: "time passes"},
	trace.Dial:          {text: "connection ON dials listener AA"},
	trace.Send:          {text: "connection ON sends"},
	trace.Finish:        {text: "connection ON half-closes"},
	trace.Close:         {text: "connection ON closes"},
	trace.Reset:         {text: "connection ON is reset"},
	trace.Pace:          {text: "connection ON reads AA bytes each BB ms"},
	trace.Act:           {text: "action ON happens with AA"},
	trace.Leave:         {text: "loop ON is asked to shut down"},
	trace.Limit:         {text: "loops have AA slots, and BB steps per turn", least: "AB"},
	trace.ShortRead:     {text: "connection ON is read AA bytes at a time, BB times", least: "AB"},
	trace.ShortWrite:    {text: "connection ON takes AA bytes of a write, BB times", least: "AB"},
	trace.BlockRead:     {text: "connection ON would block a read, AA times", least: "A"},
	trace.BlockWrite:    {text: "connection ON would block a write, AA times", least: "A"},
	trace.Window:        {text: "connection ON has kernels with room for AA+BB bytes", least: "A"},
	trace.Split:         {text: "connection ON sends in pieces of AA bytes, BB times", least: "AB"},
	trace.Spurious:      {text: "connection ON gets an event of readiness that is not there"},
	trace.Stale:         {text: "a late event comes for a socket that connection ON had before"},
	trace.Permute:       {text: "the next events of loop ON come in another order"},
	trace.Few:           {text: "the next wait of loop ON returns AA events at most", least: "A"},
	trace.Late:          {text: "the next deadline of loop ON is seen AA µs late"},
	trace.AcceptFails:   {text: "accepting fails on loop ON, BB times", least: "B"},
	trace.ConnectFails:  {text: "connecting fails on loop ON, BB times", least: "B"},
	trace.Jump:          {text: "the clock jumps"},
	trace.Signal:        {text: "a signal that loop ON asked for comes"},
	trace.Datagram:      {text: "datagram peer ON sends"},
	trace.DatagramFails: {text: "datagrams of loop ON, the next BB,", least: "B"},
	trace.Abrupt:        {text: "connection ON acts before the AA-th next read or write of its machine", least: "A"},
	trace.Scarce:        {text: "ports of a loop hold 8+AA KiB together, and BB timers run (0: as many as usual)"},
	trace.Repeat:        {text: "the last AA events (0: all) happen BB more times"},
	trace.WorkWaits:     {text: "the next work waits for AA ms, and for BB turns"},
	trace.ConnectWaits:  {text: "connecting takes AA ms on loop ON, BB times", least: "AB"},
	trace.LookUpWaits:   {text: "a name is looked up for AA ms on loop ON, BB times", least: "AB"},
	trace.Interleave:    {text: "loop ON takes a turn as soon as it is sent something, AA times", least: "A"},
	trace.LookUpFails:   {text: "looking a name up fails on loop ON, BB times", least: "B"},
	trace.AnswerWaits:   {text: "the server of connection ON, or of the next one, replies AA ms late, BB times", least: "AB"},
}
