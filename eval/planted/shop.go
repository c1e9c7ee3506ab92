package planted

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/stator-go/stator/fsm"
	"github.com/stator-go/stator/fuzz"
	"github.com/stator-go/stator/reactor"
)

// shop counts what its customers take. The clerk, at another listener, asks for the number and
// closes the shop.
type (
	shop struct {
		taken  int
		closed bool
	}
	customer struct {
		plant  *Plant
		shop   *shop
		closed bool // when it came
	}
	clerk struct {
		plant *Plant
		shop  *shop
	}
)

const (
	shopData  = ":7500"
	shopAdmin = ":7501"
)

func newShop() *Server {
	return &Server{
		Name: "shop", build: buildShop, spec: shopSpec,
		Files: []string{"shop.go"},
		Dict:  []string{"take\n", "look\n"},
		Bugs: []Bug{
			{Name: "shop/words-shared", What: "the clerk's words work at the customers' listener"},
			{Name: "shop/close-newcomers", What: "the shop is closed only for those who come later"},
			{Name: "shop/refused-counted", What: "what is refused, as the shop is closed, is counted"},
		},
	}
}

func buildShop(p *Plant) func(Room) error {
	customers := reactor.Must(reactor.NewKind("customer", reactor.Options{Ports: []string{"peer"}}, reactor.Table[customer, reactor.None]{
		fsm.Any: {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop), OnEnter: func(c *customer, _ *cx) fsm.State {
			c.closed = c.shop.closed
			return fsm.Stay
		}},
		fsm.First: {Name: "shopping", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*customer).read},
	}))
	clerks := reactor.Must(reactor.NewKind("clerk", reactor.Options{Ports: []string{"peer"}}, reactor.Table[clerk, reactor.None]{
		fsm.Any:   {Shutdown: fsm.Stop, Stall: fsm.After(10*time.Second, fsm.Stop)},
		fsm.First: {Name: "serving", Wait: peer.Readable().While(peer.Room()), Idle: fsm.After(time.Minute, fsm.Stop), OnReady: (*clerk).read},
	}))
	return func(r Room) error {
		s := new(shop)
		_, err := customers.Listen(r.Loop(0), "tcp", shopData, customer{plant: p, shop: s})
		if err == nil {
			_, err = clerks.Listen(r.Loop(0), "tcp", shopAdmin, clerk{plant: p, shop: s})
		}
		return err
	}
}

func (c *customer) read(cx *cx, _ reactor.Ready) fsm.State {
	return replies(cx, func(line string) string {
		word := strings.TrimSuffix(line, "\n")
		if isClerks := word == "count" || word == "close" || word == "open"; isClerks && c.plant.Wrong("shop/words-shared", true) {
			return c.shop.serve(word)
		}
		closed := c.shop.closed
		if c.plant.Wrong("shop/close-newcomers", closed != c.closed) {
			closed = c.closed
		}
		switch {
		case word != "take":
			return "what?\n"
		case closed:
			if c.plant.Wrong("shop/refused-counted", true) {
				c.shop.taken++
			}
			return "closed\n"
		}
		c.shop.taken++
		return "taken\n"
	})
}

func (c *clerk) read(cx *cx, _ reactor.Ready) fsm.State {
	return replies(cx, func(line string) string { return c.shop.serve(strings.TrimSuffix(line, "\n")) })
}

// serve returns the answer to a word of the clerk's.
func (s *shop) serve(word string) string {
	switch word {
	case "count":
		return fmt.Sprintf("%d\n", s.taken)
	case "close", "open":
		s.closed = word == "close"
		return "ok\n"
	}
	return "what?\n"
}

// replies answers the next line, when there is room for any answer.
func replies(cx *cx, answer func(line string) string) fsm.State {
	in, err := cx.Peek(peer)
	if err != nil {
		return cx.Fail(err)
	}
	line, n, ok := lfLine(in)
	if !ok {
		return fsm.Stay
	}
	line = strings.Clone(line)
	cx.Discard(peer, n)
	if err := cx.Write(peer, []byte(answer(line))); errors.Is(err, reactor.ErrFull) {
		return cx.Stop(err)
	} else if err != nil {
		return cx.Fail(err)
	}
	return fsm.Stay
}

// shopSpec has a model for each listener, and one for both: what a clerk does changes what
// customers get. That one does not know at which listener a word was sent.
func shopSpec() fuzz.Spec {
	type outcomes = []fuzz.Outcome[shop]
	return fuzz.Spec{
		WordsOnly: true,
		Roles: []fuzz.Role{
			{Addr: shopData, Dict: []string{"take\n", "look\n", "close\n"}},
			{Addr: shopAdmin, Dict: []string{"count\n", "close\n", "open\n"}, Peers: 2},
		},
		Oracles: []fuzz.Oracle{
			fuzz.PerConn("customers", fuzz.Model[shop, string]{
				Input: lfLine,
				Steps: func(s shop, line string, _ fuzz.Moment) outcomes {
					if line == "take\n" {
						return outcomes{{State: s, Answer: "taken\n"}, {State: s, Answer: "closed\n"}}
					}
					return outcomes{{State: s, Answer: "what?\n"}}
				},
			}).At(shopData),
			fuzz.Linear("shop", fuzz.Model[shop, string]{
				Input: lfLine,
				Steps: func(s shop, line string, _ fuzz.Moment) outcomes {
					unknown := fuzz.Outcome[shop]{State: s, Answer: "what?\n"}
					switch line {
					case "take\n":
						if s.closed {
							return outcomes{{State: s, Answer: "closed\n"}}
						}
						return outcomes{{State: shop{taken: s.taken + 1}, Answer: "taken\n"}}
					case "count\n":
						return outcomes{{State: s, Answer: fmt.Sprintf("%d\n", s.taken)}}
					case "close\n", "open\n":
						return outcomes{{State: shop{s.taken, line == "close\n"}, Answer: "ok\n"}, unknown}
					}
					return outcomes{unknown}
				},
			}),
		},
	}
}
