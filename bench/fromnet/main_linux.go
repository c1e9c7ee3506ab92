package main

import (
	"bytes"
	"fmt"
	"log"
	"time"

	"github.com/panjf2000/gnet/v2"
)

const (
	idle      = time.Minute
	maxLine   = 64 << 10
	maxOutput = 256 << 10
)

type server struct {
	gnet.BuiltinEventEngine
}

func main() {
	log.Fatal(gnet.Run(&server{}, "tcp://127.0.0.1:7000"))
}

func (*server) OnBoot(gnet.Engine) gnet.Action {
	fmt.Println("listening on 127.0.0.1:7000")
	return gnet.None
}

func (*server) OnOpen(c gnet.Conn) ([]byte, gnet.Action) {
	c.SetContext(time.AfterFunc(idle, func() { c.Close() })) // gnet has no deadlines
	return nil, gnet.None
}

func (*server) OnClose(c gnet.Conn, _ error) gnet.Action {
	c.Context().(*time.Timer).Stop()
	return gnet.None
}

func (*server) OnTraffic(c gnet.Conn) gnet.Action {
	c.Context().(*time.Timer).Reset(idle)
	for {
		in, err := c.Peek(-1) // all that is there
		if err != nil {
			return gnet.Close
		}
		n := bytes.IndexByte(in, '\n') + 1
		switch {
		case n == 0 && len(in) > maxLine:
			return gnet.Close
		case n == 0:
			return gnet.None // the rest of the line has not come yet
		case c.OutboundBuffered() > maxOutput:
			return gnet.Close // gnet buffers without bound, and goes on reading
		}
		if _, err := c.Write(bytes.ToUpper(in[:n])); err != nil {
			return gnet.Close
		}
		if _, err := c.Discard(n); err != nil {
			return gnet.Close
		}
	}
}
